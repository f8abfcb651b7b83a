"""`nexome bench search`: how quick search is over a made-up vocabulary of any size."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("search")
@click.option("--terms", type=click.IntRange(1_000), default=20_000, show_default=True, help="Terms.")
@click.option("--names", type=click.IntRange(1, 50), default=10, show_default=True, help="Names of each.")
@click.option("--questions", type=click.IntRange(10), default=300, show_default=True, help="Of each kind.")
@click.option("--texts", type=click.IntRange(10), default=4_000, show_default=True, help="Texts normalised.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where to work."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="File for the report."
)
def search(
    *, terms: int, names: int, questions: int, texts: int, folder: Path | None, json_file: Path | None
) -> None:
    """Index a made-up vocabulary, complete, find and normalise, and say how long each took.

    \b
    Examples:
      nexome bench search
      nexome bench search --terms 1000000 --json search.json
    """
    import tempfile  # noqa: PLC0415 - `--help` must not wait for the rest

    import orjson  # noqa: PLC0415

    from nexome.bench.search import SearchPlan, as_markdown, run  # noqa: PLC0415

    plan = SearchPlan(terms, names, questions, texts)
    command = "nexome " + " ".join(sys.argv[1:])
    where = folder or Path(tempfile.gettempdir())
    report = run(plan, where, say=lambda text: click.echo(text, err=True), command=command)
    if json_file:
        json_file.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    click.echo(as_markdown(report))
