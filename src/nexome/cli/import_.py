"""`nexome import associations`: association files into a root."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.following import publishes
from nexome.cli.import_output import ProgressLine, print_preview, print_summary, write_report
from nexome.cli.options import root_option

if TYPE_CHECKING:
    from nexome.ingest.requests import ImportOptions, ImportRequest

_STUDY: Final[Mapping[str, str]] = {
    "title": "Title of the study, English.",
    "title_zh": "Title of the study, Chinese.",
    "access": "Who may see it: open or private (private when not said).",
    "ancestry": "Ancestry of the people, free text; studies of one ancestry share a frequency baseline.",
    "sex": "Sex of the people, where it is one.",
    "licence": "Licence of the data.",
    "publication": "DOI or PMID.",
    "source": "Where the file comes from.",
    "effect_unit": "Unit of beta, such as mmol/L or SD.",
    "effect_scale": "What a beta is: linear, log_odds, log_hazard, z_score.",
    "feature_kind": "What the rows are, when not variants: gene, cpg, protein, interval, other.",
}
_TRAIT: Final[Mapping[str, str]] = {
    "trait": "Label of the trait.",
    "trait_id": "Identifier of the trait; made from the label otherwise.",
    "trait_zh": "Label of the trait, Chinese.",
    "ontology": "Ontology terms of the trait, such as EFO:0004465;HP:0003074.",
    "category": "Category of the trait, for plots.",
}
_TRAIT_FIELDS: Final = {"trait": "label", "trait_id": "id", "trait_zh": "label_zh"}
_SIZES: Final = {"n": "People.", "n_cases": "People with the condition.", "n_controls": "People without it."}
_HELP_FILES: Final[dict[str, str]] = {
    "chain": "UCSC chain file from that build to the home assembly.",
    "sites": "Known sites of the home assembly: a VCF, or a table with chrom, pos, ref, alt.",
    "fasta": "Reference sequence of the home assembly.",
    "traits": "Table of traits (trait_id, label, n, contig, start …) for a file of several.",
    "bim": "PLINK .bim with the alleles a PLINK 1.9 file lacks.",
    "sidecar": "GWAS-SSF -meta.yaml, when it does not lie beside the file.",
}
_CHOICES: Final[dict[str, str]] = {
    "z_from": "What has the say over z: beta / se, or p (auto: p for SAIGE, REGENIE and BOLT-LMM).",
    "eaf_other_allele": "When the frequency turns out to be the other allele's.",
    "palindromic": "A/T and C/G variants: auto goes by the file's strand, infer by frequency.",
    "duplicates": "Rows that repeat a variant with other values.",
    "alleles": "How alleles are written (auto: 1–4 when all are).",
    "position_from": "Where positions come from: the file, or its rs numbers through --sites.",
}
_EXISTING: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
Command = Callable[..., Any]


def _described_options(command: Command) -> Command:
    """The options that describe study and trait, from the tables above."""
    for name, text in reversed(_SIZES.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, type=float, help=text)(command)
    for name, text in reversed({**_STUDY, **_TRAIT}.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, default="", help=text)(command)
    return command


def _reading_options(command: Command) -> Command:
    """The options that say how a file is to be read."""
    from nexome.formats.delimited import DELIMITERS, ENCODINGS  # noqa: PLC0415

    command = click.option(
        "--test", default="ADD", show_default=True, help="Row of a TEST column that is kept."
    )(command)
    for name, text in reversed(_HELP_FILES.items()):
        command = click.option(f"--{name}", type=_EXISTING, help=text)(command)
    command = click.option("--assembly", default="", help="Build of the file's positions, such as GRCh37.")(
        command
    )
    command = click.option(
        "--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True, help="Of its text."
    )(command)
    between = "What stands between columns, when the header does not tell it."
    command = click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help=between)(command)
    command = click.option("--format", "format_", default="", help="Format of the file, if not recognised.")(
        command
    )
    command = click.option("--ignore", multiple=True, metavar="COLUMN", help="A column to leave unread.")(
        command
    )
    mapping = "What a column means; repeat it for each."
    return click.option("--map", "mapping", multiple=True, metavar="TERM=COLUMN", help=mapping)(command)


def _choice_options(command: Command) -> Command:
    """The options that say what to do where files differ."""
    from nexome.ingest.requests import CHOICES  # noqa: PLC0415

    for name, text in reversed(_CHOICES.items()):
        kind = click.Choice(CHOICES[name])
        flag = f"--{name.replace('_', '-')}"
        command = click.option(flag, name, type=kind, default=CHOICES[name][0], show_default=True, help=text)(
            command
        )
    return command


@click.command()
@root_option
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option(
    "--manifest", type=_EXISTING, help="Many files: a TSV or YAML with file, study, trait, n, assembly …"
)
@click.option(
    "--study", default="", help="Identifier of the study; needed unless the file or manifest names it."
)
@_described_options
@_reading_options
@_choice_options
@click.option("--exact", is_flag=True, help="Keep 32-bit floats as they are (three times the space).")
@click.option("--replace", is_flag=True, help="A study that is there already gets a new version.")
@click.option(
    "--dry-run", is_flag=True, help="Show what is recognised and what would be done; write nothing."
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the summary as JSON.")
@click.pass_context
@publishes
def associations(context: click.Context, /, root: Path, files: tuple[str, ...], **said: Any) -> None:
    """Bring in association results, from files as they are.

    GWAS-SSF, GWAS-VCF, REGENIE, PLINK, SAIGE, BOLT-LMM, METAL, GCTA, TwoSampleMR, eQTL Catalogue, GWAS
    Catalog, or any table; plain, gzip, bgzip, zstd, or '-' for standard input.

    What is not certain is asked for, with the option that settles it. Every study gets a receipt: rows
    kept, changed and dropped, each by rule with line numbers. A file that fails never stops the others
    (exit code 1); an import that was interrupted is simply run again.

    \b
    Examples:
      nexome import associations --study GCST90002369 --assembly GRCh38 GCST90002369.tsv.gz
      nexome import associations --study height --trait "Body height" --assembly GRCh38 height.regenie.gz
      nexome import associations --study dgi --assembly GRCh37 --chain hg19ToHg38.over.chain.gz dgi.txt
      nexome import associations --study edu --assembly GRCh37 --map effect_allele=A1 \\
          --map other_allele=A2 edu.txt
      nexome import associations --manifest studies.tsv
      zcat big.tsv.gz | nexome import associations --study big --assembly GRCh38 -
      nexome import associations --dry-run --study height --assembly GRCh38 height.tsv.gz
    """
    from nexome.ingest.run import import_associations  # noqa: PLC0415
    from nexome.store.associations import AssociationStore  # noqa: PLC0415

    requests = _requests(files, said)
    options = _options(said)
    store = AssociationStore.open(root)
    if said["dry_run"]:
        failed = print_preview(store, requests, options)
        context.exit(1 if failed else 0)
    with ProgressLine() as line:
        report = import_associations(store, requests, options, line.show)
    print_summary(report)
    if said["report"]:
        write_report(report, said["report"])
    context.exit(1 if report.failed else 0)


def _requests(files: tuple[str, ...], said: Mapping[str, Any]) -> list[ImportRequest]:
    from nexome.ingest.manifest import read_manifest  # noqa: PLC0415
    from nexome.ingest.requests import ImportRequest  # noqa: PLC0415

    if bool(files) == bool(said["manifest"]):
        raise click.UsageError("Give files, or --manifest with a list of them.")
    study = {name: said[name] for name in _STUDY if said[name]}
    trait = {_TRAIT_FIELDS.get(name, name): said[name] for name in (*_TRAIT, *_SIZES) if said[name]}
    if said["manifest"]:
        if said["study"] or said["trait"]:
            raise click.UsageError("With --manifest, studies and traits are named there.")
        listed = read_manifest(said["manifest"])
        return [_with_defaults(request, study, trait) for request in listed]
    if said["study"]:
        if len(files) > 1:
            raise click.UsageError("--study names one study; for several files write a --manifest.")
        study["id"] = said["study"]
    return [ImportRequest(path, study=study, trait=trait) for path in files]


def _with_defaults(request: ImportRequest, study: dict[str, Any], trait: dict[str, Any]) -> ImportRequest:
    from dataclasses import replace  # noqa: PLC0415

    return replace(request, study={**study, **request.study}, trait={**trait, **request.trait})


def _options(said: Mapping[str, Any]) -> ImportOptions:
    from nexome.formats.reader import ReadOptions  # noqa: PLC0415
    from nexome.ingest.manifest import read_mapping  # noqa: PLC0415
    from nexome.ingest.requests import CHOICES, ImportOptions  # noqa: PLC0415

    mapping: dict[str, str] = {}
    for part in said["mapping"]:
        mapping.update(read_mapping(part, where="--map"))
    read = ReadOptions(
        format=said["format_"],
        mapping=mapping,
        ignore=said["ignore"],
        delimiter=said["delimiter"] or "",
        encoding=said["encoding"],
        bim=said["bim"],
        sidecar=said["sidecar"],
        test=said["test"],
    )
    files = {name: said[name] for name in ("chain", "sites", "fasta", "traits")}
    choices = {name: said[name] for name in CHOICES}
    return ImportOptions(
        read=read,
        assembly=said["assembly"],
        exact=said["exact"],
        replace=said["replace"],
        command=" ".join(["nexome", *(shlex.quote(part) for part in sys.argv[1:])]),
        **files,
        **choices,
    )
