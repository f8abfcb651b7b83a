"""`nexome knowledge neighbours`, `ancestors`, `descendants`, `common`, `paths`, `graph`: the graph asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.options import root_option
from nexome.cli.query import asked_view, question, write_answer

if TYPE_CHECKING:
    from nexome.store.edges import Step

_DIRECTION = click.option(
    "--direction",
    type=click.Choice(["out", "in", "both"]),
    default="both",
    show_default=True,
    help="out: the term is the subject.",
)
_PREDICATE = click.option("--predicate", metavar="NAME", help="Only this predicate.")
_VOCABULARY = click.option("--vocabulary", metavar="PREFIX", help="Only identifiers such as HGNC.")
_SAME = click.option("--equivalents", is_flag=True, help="Also through identifiers that mean the same.")
_PART_OF = click.option("--part-of", is_flag=True, help="Also along part_of.")
_LIMIT = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most rows."
)


@click.command()
@click.argument("term")
@_PREDICATE
@_DIRECTION
@_VOCABULARY
@_SAME
@_LIMIT
@question
def neighbours(
    term: str,
    predicate: str | None,
    direction: str,
    vocabulary: str | None,
    equivalents: bool,
    limit: int,
    **asked: Any,
) -> None:
    """Show what a term is tied to, strongest first, with sources and publications.

    \b
    Examples:
      nexome knowledge neighbours HP:0001250
      nexome knowledge neighbours MONDO:0005148 --vocabulary HGNC --equivalents
    """
    chosen = {"direction": direction, "vocabulary": vocabulary, "equivalents": equivalents, "limit": limit}
    with asked_view(asked) as view:
        write_answer(view.neighbours(term, predicate, **chosen), asked)


@click.command()
@click.argument("term")
@_PART_OF
@_SAME
@question
def ancestors(term: str, part_of: bool, equivalents: bool, **asked: Any) -> None:
    """Show all that a term is a kind of, nearest first.

    \b
    Examples:
      nexome knowledge ancestors HP:0001250
      nexome knowledge ancestors UBERON:0000955 --part-of
    """
    with asked_view(asked) as view:
        write_answer(view.ancestors(term, part_of=part_of, equivalents=equivalents), asked)


@click.command()
@click.argument("term")
@_PART_OF
@_SAME
@question
def descendants(term: str, part_of: bool, equivalents: bool, **asked: Any) -> None:
    """Show all kinds of a term, nearest first.

    \b
    Example:
      nexome knowledge descendants HP:0001250
    """
    with asked_view(asked) as view:
        write_answer(view.descendants(term, part_of=part_of, equivalents=equivalents), asked)


@click.command()
@click.argument("terms", nargs=-1, required=True)
@_PREDICATE
@_DIRECTION
@_VOCABULARY
@click.option("--subtypes", is_flag=True, help="Kinds of a term count as the term.")
@_SAME
@_LIMIT
@question
def common(
    terms: tuple[str, ...],
    predicate: str | None,
    direction: str,
    vocabulary: str | None,
    subtypes: bool,
    equivalents: bool,
    limit: int,
    **asked: Any,
) -> None:
    """Show what several terms are all tied to: the genes of two diseases, the diseases of two genes.

    \b
    Examples:
      nexome knowledge common HP:0001250 HP:0001263 --vocabulary NCBIGene
      nexome knowledge common MONDO:0005148 MONDO:0005147 --subtypes --vocabulary HGNC
    """
    chosen: dict[str, Any] = {"direction": direction, "vocabulary": vocabulary, "subtypes": subtypes}
    with asked_view(asked) as view:
        found = view.common(terms, predicate, limit=limit, equivalents=equivalents, **chosen)
        write_answer(found, asked)


@click.command()
@click.argument("start")
@click.argument("end", required=False)
@click.option(
    "--step", "steps", multiple=True, metavar="PREDICATE[>|<]", help="A hop; '*': any. Up to three."
)
@_VOCABULARY
@click.option("--limit", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Most paths.")
@question
def paths(
    start: str, end: str | None, steps: tuple[str, ...], vocabulary: str | None, limit: int, **asked: Any
) -> None:
    """Show paths along given predicates, or, without --step, the best explanations of START and END.

    A predicate with > behind it is followed from subject to object, with < the other way round.

    \b
    Examples:
      nexome knowledge paths HP:0001250 NCBIGene:6323
      nexome knowledge paths HP:0001250 --step "*<" --step "*>" --vocabulary NCBIGene
    """
    import pyarrow as pa  # noqa: PLC0415

    if not steps and end is None:
        raise click.UsageError("Give an END, or --step.")
    with asked_view(asked) as view:
        if steps:
            found = view.paths(start, _read_steps(steps), end=end, vocabulary=vocabulary, limit=limit)
        else:
            found = view.explain(start, str(end), limit=limit)
        rows = [
            {"path": number, "hop": place, "from": one, "predicate": hop.predicate}
            | {"direction": "in" if hop.turned else "out", "to": other, "strength": hop.strength}
            | {"source": hop.source}
            for number, path in enumerate(found.paths, 1)
            for place, (one, other, hop) in enumerate(
                zip(path.terms[:-1], path.terms[1:], path.hops, strict=True), 1
            )
        ]
    texts = ("from", "predicate", "direction", "to")
    numbers = [("path", pa.int32()), ("hop", pa.int32())]
    told = [("strength", pa.float32()), ("source", pa.string())]
    schema = pa.schema([*numbers, *((name, pa.string()) for name in texts), *told])
    write_answer(pa.Table.from_pylist(rows, schema=schema), asked)
    if found.cut:
        click.echo("A bound of the search was met: there may be others.", err=True)


@click.command("graph")
@root_option
@click.option("--kgx", type=click.Path(path_type=Path, file_okay=False), help="Folder for KGX TSV.")
@click.option("--parquet", type=click.Path(path_type=Path, file_okay=False), help="Folder for Parquet.")
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source; again for more.")
def graph(root: Path, kgx: Path | None, parquet: Path | None, sources: tuple[str, ...]) -> None:
    """Make the graph of all statements where it is not there, count it, export it as KGX TSV or Parquet.

    A source whose licence does not let it be passed on is refused.

    \b
    Examples:
      nexome knowledge graph
      nexome knowledge graph --kgx kgx --source hp --source mondo
    """
    from nexome.store.edges import Graph, export_kgx, export_parquet  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    open_root(root)
    for folder, export in ((kgx, export_kgx), (parquet, export_parquet)):
        if folder is not None:
            for path in export(root, folder, sources=sources or None):
                click.echo(f"{path}: {path.stat().st_size:,} bytes")
    if kgx is None and parquet is None:
        made = Graph.open(root)
        left = "".join(f"; {count:,} left out: {rule}" for rule, count in made.left_out.items())
        click.echo(
            f"{made.edges:,} edges of {len(made.predicates)} predicates, {len(made.nodes):,} nodes{left}."
        )


def _read_steps(texts: tuple[str, ...]) -> list[Step]:
    from nexome.access.knowledge import read_steps  # noqa: PLC0415

    return read_steps(texts)
