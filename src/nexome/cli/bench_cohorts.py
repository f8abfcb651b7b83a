"""`nexome bench cohorts`: questions over people, of a made cohort."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("cohorts")
@click.option("--people", type=click.IntRange(1_000), default=100_000, show_default=True, help="People.")
@click.option(
    "--variables", type=click.IntRange(10, 10_000), default=50, show_default=True, help="Variables."
)
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True, help="Times asked.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where to work."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="File for the report."
)
def cohorts(people: int, variables: int, rounds: int, folder: Path | None, json_file: Path | None) -> None:
    """Make a cohort, import it from CSV, ask for counts and means as three kinds of reader.

    Disclosure control is on. Everything written goes away at the end.

    \b
    Examples:
      nexome bench cohorts
      nexome bench cohorts --people 1000000 --variables 500 --json cohorts.json
    """
    import tempfile  # noqa: PLC0415 - `--help` must not wait for the rest

    import orjson  # noqa: PLC0415

    from nexome.bench.cohorts import as_markdown, run  # noqa: PLC0415
    from nexome.bench.made_cohort import CohortPlan  # noqa: PLC0415

    where = folder or Path(tempfile.gettempdir())
    report = run(
        CohortPlan(people, variables),
        where,
        rounds=rounds,
        say=lambda text: click.echo(text, err=True),
        command="nexome " + " ".join(sys.argv[1:]),
    )
    if json_file:
        json_file.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    click.echo(as_markdown(report))
