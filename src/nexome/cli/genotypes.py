"""`nexome import genotypes`, `import ld-panel`, and `nexome genotypes`: sets of people's genotypes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.options import echo_json, format_bytes, print_rows, root_option
from nexome.model.terms import ACCESS

if TYPE_CHECKING:
    from nexome.ingest.genotypes import GenotypeReport
    from nexome.store.genotypes import GenotypeSet, GenotypeStore, Kind

_EXISTING: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_RULES_SHOWN: Final = 6
_POPULATIONS_SHOWN: Final = 12
_HELP: Final = {
    "samples": "Sample sheet: a table with sample_id (or IID), population, superpopulation, sex …",
    "chain": "UCSC chain file from the files' build to the home assembly.",
    "sites": "Known sites of the home assembly; tell REF of a .bim, and positions by rs number.",
    "fasta": "Reference sequence of the home assembly; tells REF of a .bim.",
}
Command = Callable[..., Any]


def _import_options(command: Command) -> Command:
    """The options both imports have."""
    from nexome.ingest.genotypes import PEOPLE_RULES, POSITION_FROM  # noqa: PLC0415

    command = click.option("--replace", is_flag=True, help="A set of that name gets a new version.")(command)
    command = click.option(
        "--position-from",
        type=click.Choice(POSITION_FROM),
        default="file",
        show_default=True,
        help="Where positions come from: the file, or its rs numbers through --sites.",
    )(command)
    command = click.option(
        "--people",
        type=click.Choice(PEOPLE_RULES),
        default="same",
        show_default=True,
        help="Several files: all have the same people, or those shared by all are kept.",
    )(command)
    build = "Build of the positions, such as GRCh37; not needed where a VCF header proves it."
    command = click.option("--assembly", default="", help=build)(command)
    for name, text in reversed(_HELP.items()):
        command = click.option(f"--{name}", type=_EXISTING, help=text)(command)
    command = click.option("--name", required=True, help="Name of the set.")(command)
    command = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))(command)
    return root_option(command)


@click.command()
@_import_options
@click.option(
    "--access",
    type=click.Choice(ACCESS),
    default="private",
    show_default=True,
    help="Who may see LD and frequencies computed from it.",
)
def genotypes(root: Path, files: tuple[Path, ...], **said: Any) -> None:
    """Bring in genotypes of people: PLINK bed, PGEN, VCF or BCF, plain or packed.

    Hard calls, phase and dosages are kept; other fields of a VCF are not. Files of one set (one for each
    chromosome, say) have the same people. Genotypes themselves never leave by a page or the API; what is
    computed from them is private unless said otherwise. Every row kept, changed or dropped stands in the
    receipt (nexome genotypes show NAME --receipt).

    \b
    Examples:
      nexome import genotypes cohort.bed --name cohort --assembly GRCh38
      nexome import genotypes chr*.vcf.gz --name cohort --samples people.tsv
      nexome import genotypes old.bed --name cohort --assembly GRCh37 --chain hg19ToHg38.over.chain.gz
    """
    _run_import(root, files, kind="samples", said=said)


@click.command("ld-panel")
@_import_options
@click.option(
    "--access",
    type=click.Choice(ACCESS),
    default="open",
    show_default=True,
    help="Who may see LD and frequencies computed from it.",
)
def ld_panel(root: Path, files: tuple[Path, ...], **said: Any) -> None:
    """Bring in a reference panel, whose LD and frequencies everyone may see.

    As `nexome import genotypes`; the panel is offered wherever LD is computed. The genotypes of its people
    never leave.

    \b
    Examples:
      nexome import ld-panel 1kg_eas.vcf.gz --name 1kg-eas --samples populations.tsv
      nexome import ld-panel hapmap3.bed.gz --name hapmap3 --samples relationships.tsv \\
          --sites hapmap3_sites_grch38.tsv.gz --position-from rsid
    """
    _run_import(root, files, kind="ld-panel", said=said)


def _run_import(root: Path, files: tuple[Path, ...], *, kind: Kind, said: dict[str, Any]) -> None:
    from nexome.cli.import_output import ProgressLine  # noqa: PLC0415
    from nexome.ingest.genotypes import GenotypeOptions, import_genotypes  # noqa: PLC0415
    from nexome.store.genotypes import GenotypeStore  # noqa: PLC0415

    command = " ".join(["nexome", *(shlex.quote(part) for part in sys.argv[1:])])
    options = GenotypeOptions(kind=kind, sheet=said.pop("samples"), command=command, **said)
    with ProgressLine() as line:
        report = import_genotypes(GenotypeStore.open(root), files, options, line.show)
    _print_report(report)


def _print_report(report: GenotypeReport) -> None:
    counts = report.counts
    size = format_bytes(report.bytes)
    click.echo(
        f"{report.name}, version {report.version}: {report.variants:,} variants of "
        f"{report.people:,} people, {size}, {report.seconds:.1f} s"
    )
    click.echo(f"  rows       {counts['in']:,} in, {counts['kept']:,} kept, {counts['dropped']:,} dropped")
    for kind, text in (("dropped_by", "dropped"), ("changed_by", "changed")):
        rules = sorted(counts[kind].items(), key=lambda item: -item[1])[:_RULES_SHOWN]
        if rules:
            click.echo(f"  {text:<10} " + ", ".join(f"{name} {number:,}" for name, number in rules))
    found = counts["genotypes"]
    odd = {name.replace("_", " "): number for name, number in found.items() if number and name != "genotypes"}
    if odd:
        click.echo("  genotypes  " + ", ".join(f"{number:,} {name}" for name, number in odd.items()))
    click.echo(
        f"  phased     {'yes' if report.phased else 'no'}; dosages {'yes' if report.dosages else 'no'}"
    )
    if report.populations:
        click.echo(f"  populations {_populations(report.populations)}")
    for note in report.notes:
        click.echo(f"Note: {note}.")


def _populations(populations: dict[str, int]) -> str:
    shown = [f"{name} {people:,}" for name, people in list(populations.items())[:_POPULATIONS_SHOWN]]
    return ", ".join(shown) + (" …" if len(populations) > _POPULATIONS_SHOWN else "")


@click.command("list")
@root_option
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def list_sets(root: Path, as_json: bool) -> None:
    """List all sets of genotypes and LD panels.

    \b
    Example:
      nexome genotypes list --root associations
    """
    sets = _store(root).sets().values()
    if as_json:
        echo_json([_facts(found) for found in sets])
        return
    if not sets:
        click.echo("No genotypes yet: nexome import genotypes --help")
        return
    head = ("name", "version", "kind", "access", "variants", "people", "phased", "size")
    print_rows(head, [_row(found) for found in sets])


def _row(found: GenotypeSet) -> tuple[str, ...]:
    entry = found.entry
    numbers = (f"{entry.variants:,}", f"{entry.people:,}")
    return (
        entry.name,
        str(entry.version),
        entry.kind,
        entry.access,
        *numbers,
        "yes" if entry.phased else "no",
        format_bytes(entry.bytes),
    )


@click.command()
@root_option
@click.argument("name")
@click.option("--receipt", is_flag=True, help="The whole receipt of the import, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def show(root: Path, name: str, receipt: bool, as_json: bool) -> None:
    """Show one set: size, populations, where it came from; or its receipt.

    \b
    Examples:
      nexome genotypes show 1kg-eas
      nexome genotypes show 1kg-eas --receipt
    """
    found = _store(root).get(name)
    if receipt:
        echo_json(found.receipt())
        return
    facts = _facts(found)
    if as_json:
        echo_json(facts)
        return
    for key, value in facts.items():
        text = (
            _populations(value)
            if isinstance(value, dict)
            else format_bytes(value)
            if key == "bytes"
            else value
        )
        click.echo(f"{key:<12}{f'{text:,}' if isinstance(text, int) else text}")


def _facts(found: GenotypeSet) -> dict[str, Any]:
    entry = found.entry
    files = [source["path"] for file in found.receipt().get("files", []) for source in file["sources"][:1]]
    return {
        "name": entry.name,
        "version": entry.version,
        "kind": entry.kind,
        "access": entry.access,
        "variants": entry.variants,
        "people": entry.people,
        "phased": entry.phased,
        "dosages": entry.dosages,
        "populations": found.populations,
        "bytes": entry.bytes,
        "published": entry.published,
        "sources": ", ".join(files),
    }


@click.command()
@root_option
@click.argument("name")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write: .vcf.gz, .vcf or .bed.",
)
def export(root: Path, name: str, output: Path) -> None:
    """Write a set as a VCF (.vcf, .vcf.gz, bgzip) or as PLINK .bed, .bim, .fam.

    This is for whoever holds the root: it writes the genotypes of people. A .bed holds neither phase nor
    dosages nor half calls; A1 is ALT and A2 is REF.

    \b
    Examples:
      nexome genotypes export cohort -o cohort.vcf.gz
      nexome genotypes export cohort -o cohort.bed
    """
    from nexome.store.genotypes.export import export_set  # noqa: PLC0415

    for path in export_set(_store(root).get(name), output):
        click.echo(f"{path}  {format_bytes(path.stat().st_size)}")


@click.command()
@root_option
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the manifest and the event log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def withdraw(root: Path, name: str, reason: str, yes: bool) -> None:
    """Take a set out of the root; its files are removed at once. Backups made before still hold them.

    \b
    Example:
      nexome genotypes withdraw cohort --reason "consent withdrawn"
    """
    store = _store(root)
    found = store.get(name)
    if not yes:
        click.confirm(f"Withdraw {name} ({found.people:,} people, {found.size:,} variants)?", abort=True)
    store.withdraw(name, reason=reason)
    click.echo(f"{name} is withdrawn, and its files are removed.")


def _store(root: Path) -> GenotypeStore:
    from nexome.store.genotypes import GenotypeStore  # noqa: PLC0415

    return GenotypeStore.open(root)
