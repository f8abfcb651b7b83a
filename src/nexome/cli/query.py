"""`nexome query …`: the questions of a View from the command line, as a table or a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from nexome.cli.options import open_centre, root_option

if TYPE_CHECKING:
    import pyarrow as pa

    from nexome.access.view import View

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS: Final = ("tsv", "json", "parquet", "arrow")
TOKEN_VARIABLE: Final = "NEXOME_TOKEN"  # noqa: S105  the name of a variable

_PARAMETERS: Final = (
    root_option,
    click.option("--format", "format_", type=click.Choice(FORMATS), help="By the output's name; else tsv."),
    click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; else the screen."),
    click.option("--token", envvar=TOKEN_VARIABLE, help="Ask as the holder of this token."),
    click.option("--anonymous", is_flag=True, help="Ask as anyone without a token."),
)
_STUDIES: Final = click.option(
    "--study", "study_ids", multiple=True, metavar="ID", help="Only this study; may be given again."
)
_MINIMUM: Final = click.option(
    "--min-neg-log-10-p", type=float, metavar="X", help="Only associations with −log₁₀ p of X or more."
)


def question(command: Command) -> Command:
    """Give a command what every question takes: root, format, output, token."""
    for parameter in reversed(_PARAMETERS):
        command = parameter(command)
    return command


@click.command()
@click.argument("variant")
@_STUDIES
@_MINIMUM
@question
def phewas(variant: str, study_ids: tuple[str, ...], min_neg_log_10_p: float | None, **asked: Any) -> None:
    """Show one variant across all traits.

    A variant may be an rs number, a position, or position and alleles, as people write them. The
    effect is always that of `effect_allele`.

    \b
    Examples:
      nexome query phewas rs7903146 --root associations
      nexome query phewas 10-112998590-C-T --min-neg-log-10-p 7.3 --format json
    """
    with asked_view(asked) as view:
        write_answer(
            view.phewas(variant, studies=study_ids or None, min_neg_log_10_p=min_neg_log_10_p), asked
        )


@click.command()
@click.argument("where")
@_STUDIES
@_MINIMUM
@question
def region(where: str, study_ids: tuple[str, ...], min_neg_log_10_p: float | None, **asked: Any) -> None:
    """Show all associations of a region or a gene.

    \b
    Examples:
      nexome query region 2:165000000-166000000 --study T2D -o region.parquet
      nexome query region MTNR1B --min-neg-log-10-p 5
    """
    with asked_view(asked) as view:
        write_answer(view.region(where, studies=study_ids or None, min_neg_log_10_p=min_neg_log_10_p), asked)


@click.command()
@click.argument("variants", nargs=-1)
@click.option("--file", "file", type=click.File("r"), help="Variants, one a line; '-': from a pipe.")
@_STUDIES
@question
def lookup(variants: tuple[str, ...], file: Any, study_ids: tuple[str, ...], **asked: Any) -> None:
    """Show many variants across studies. Variants that are not held are named on stderr.

    \b
    Examples:
      nexome query lookup rs7903146 rs10830963 --study T2D
      cut -f1 my_variants.txt | nexome query lookup --file - -o found.tsv
    """
    names = list(variants) + [line.strip() for line in file or () if line.strip()]
    if not names:
        raise click.UsageError("Give variants, or a --file of them.")
    with asked_view(asked) as view:
        write_answer(view.lookup(names, studies=study_ids or None), asked)
        unknown = view.unknown_variants(names)
    if unknown:
        shown = ", ".join(unknown[:10]) + (" …" if len(unknown) > 10 else "")
        click.echo(f"nexome: {len(unknown)} of {len(names)} variants are not held: {shown}", err=True)


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option("--trait", help="Only this trait.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Most rows.")
@click.option(
    "--order", type=click.Choice(["p", "position"]), default="p", help="Strongest first (p), or by position."
)
@click.option("--loci", "loci_only", is_flag=True, help="One lead variant for each locus.")
@question
def top(study_id: str, trait: str | None, limit: int, order: Any, loci_only: bool, **asked: Any) -> None:
    """Show the strongest associations of a study (p < 1e-4), or the leads of its loci.

    \b
    Examples:
      nexome query top T2D --limit 20
      nexome query top T2D --loci
    """
    with asked_view(asked) as view:
        if loci_only:
            found = view.loci(study_id, trait=trait, limit=limit)
        else:
            found = view.top(study_id, trait=trait, limit=limit, order=order)
        write_answer(found, asked)
        if not found.num_rows:
            least = "1e-5, where a locus begins" if loci_only else "1e-4, from where the strongest are kept"
            click.echo(f"nexome: nothing in {study_id} has p below {least}. Ask for a region.", err=True)


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option("--trait", help="Only this trait.")
@click.option("--interval", help="Only this region or gene.")
@question
def study(study_id: str, trait: str | None, interval: str | None, **asked: Any) -> None:
    """Write all associations of a study, in flat memory.

    For a file others can read, with its metadata, see `nexome export`.

    \b
    Examples:
      nexome query study T2D -o t2d.parquet
      nexome query study T2D --interval 10:112000000-114000000
    """
    from nexome.access.answers import ASSOCIATION_COLUMNS  # noqa: PLC0415
    from nexome.cli.output import write_batches  # noqa: PLC0415
    from nexome.model.fields import schema_of  # noqa: PLC0415

    with asked_view(asked) as view:
        batches = view.associations(study_id, trait, interval=interval)
        write_batches(batches, schema_of(ASSOCIATION_COLUMNS), *_target(asked))


@click.command()
@click.argument("symbol")
@click.option("--flank", type=click.IntRange(min=0), default=0, help="Bases around it too.")
@question
def gene(symbol: str, flank: int, **asked: Any) -> None:
    """Show the best association of every trait in a gene.

    Needs genes: see `nexome import genes`.

    \b
    Examples:
      nexome query gene MTNR1B
      nexome query gene ENSG00000134640 --flank 100000
    """
    with asked_view(asked) as view:
        write_answer(view.gene(symbol, flank_bp=flank).best, asked)


@click.command()
@click.argument("text")
@question
def variant(text: str, **asked: Any) -> None:
    """Tell what a spelling of a variant means here, and what else lies at its position.

    \b
    Examples:
      nexome query variant rs7903146
      nexome query variant "chr10:112,998,590"
    """
    import pyarrow as pa  # noqa: PLC0415

    with asked_view(asked) as view:
        found = view.variant(text)
    rows = [
        {
            "variant": each.id,
            "rsid": each.rsid or None,
            "feature_name": each.name or None,
            "asked": each is found.feature,
            "swapped": each is found.feature and found.swapped,
        }
        for each in (found.feature, *found.others)
    ]
    write_answer(pa.Table.from_pylist(rows), asked)


@click.command()
@click.argument("text")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most hits.")
@question
def search(text: str, limit: int, **asked: Any) -> None:
    """Find variants, regions, genes, studies and traits, in English or Chinese.

    \b
    Examples:
      nexome query search glucose
      nexome query search 血糖
    """
    from dataclasses import asdict  # noqa: PLC0415

    import pyarrow as pa  # noqa: PLC0415

    names = ("kind", "id", "label", "label_zh", "note")
    with asked_view(asked) as view:
        hits = [asdict(hit) for hit in view.search(text, limit=limit)]
    write_answer(
        pa.table({name: pa.array([hit[name] for hit in hits], pa.string()) for name in names}), asked
    )


@click.command()
@click.argument("words", required=False)
@question
def studies(words: str | None, **asked: Any) -> None:
    """List the studies, or those that hold some words.

    \b
    Examples:
      nexome query studies
      nexome query studies "fasting glucose" --format json
    """
    with asked_view(asked) as view:
        write_answer(view.studies(words), asked)


# ---------------------------------------------------------------- who asks, and where the answer goes


@contextmanager
def asked_view(asked: dict[str, Any]) -> Iterator[View]:
    """The View of who asks: the owner, the holder of --token, or anyone."""
    with open_centre(asked["root"]) as centre:
        if asked["token"] or asked["anonymous"]:
            yield centre.view_for(asked["token"], purpose="query")
        else:
            yield centre.owner_view(purpose="query")


def _target(asked: dict[str, Any]) -> tuple[str, Path | None]:
    output: Path | None = asked["output"]
    format_ = asked["format_"] or (output.suffix.lstrip(".") if output else "tsv")
    if format_ not in FORMATS:
        raise click.UsageError(f"Which format is {output}? Give --format {'|'.join(FORMATS)}.")
    if output is None and format_ in {"parquet", "arrow"} and sys.stdout.isatty():
        raise click.UsageError(f"{format_} is not for a screen: give --output.")
    return format_, output


def write_answer(table: pa.Table, asked: dict[str, Any]) -> None:
    """Write an answer where and as the options say."""
    from nexome.cli.output import write_table  # noqa: PLC0415

    write_table(table, *_target(asked))
