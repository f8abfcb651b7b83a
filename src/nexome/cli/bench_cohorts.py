"""`nexome bench cohorts`: questions over people, of a made cohort."""

from __future__ import annotations

from pathlib import Path

import click

from nexome.cli.bench_report import measure, report_options


@click.command("cohorts")
@click.option("--people", type=click.IntRange(1_000), default=100_000, show_default=True, help="People.")
@click.option(
    "--variables", type=click.IntRange(10, 10_000), default=50, show_default=True, help="Variables."
)
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True, help="Times asked.")
@report_options
def cohorts(people: int, variables: int, rounds: int, folder: Path | None, json_file: Path | None) -> None:
    """Make a cohort, import it from CSV, ask for counts and means as three kinds of reader.

    Disclosure control is on. Everything written goes away at the end.

    \b
    Examples:
      nexome bench cohorts
      nexome bench cohorts --people 1000000 --variables 500 --json cohorts.json
    """
    from nexome.bench.cohorts import as_markdown, run  # noqa: PLC0415
    from nexome.bench.made_cohort import CohortPlan  # noqa: PLC0415

    plan = CohortPlan(people, variables)
    measure(run, plan, as_markdown=as_markdown, folder=folder, json_file=json_file, rounds=rounds)
