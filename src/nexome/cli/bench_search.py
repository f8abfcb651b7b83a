"""`nexome bench search`: how quick search is over a made-up vocabulary of any size."""

from __future__ import annotations

from pathlib import Path

import click

from nexome.cli.bench_report import measure, report_options


@click.command("search")
@click.option("--terms", type=click.IntRange(1_000), default=20_000, show_default=True, help="Terms.")
@click.option("--names", type=click.IntRange(1, 50), default=10, show_default=True, help="Names of each.")
@click.option("--questions", type=click.IntRange(10), default=300, show_default=True, help="Of each kind.")
@click.option("--texts", type=click.IntRange(10), default=4_000, show_default=True, help="Texts normalised.")
@report_options
def search(
    *, terms: int, names: int, questions: int, texts: int, folder: Path | None, json_file: Path | None
) -> None:
    """Index a made-up vocabulary, complete, find and normalise, and say how long each took.

    \b
    Examples:
      nexome bench search
      nexome bench search --terms 1000000 --json search.json
    """
    from nexome.bench.search import SearchPlan, as_markdown, run  # noqa: PLC0415

    plan = SearchPlan(terms, names, questions, texts)
    measure(run, plan, as_markdown=as_markdown, folder=folder, json_file=json_file)
