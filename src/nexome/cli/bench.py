"""`nexome bench …`: measure this machine with synthetic data, beside other engines where installed."""

from __future__ import annotations

from pathlib import Path

import click

from nexome.cli.bench_cohorts import cohorts
from nexome.cli.bench_report import measure, report_options
from nexome.cli.bench_search import search


@click.group(short_help="Measure this machine with synthetic data.")
def bench() -> None:
    """Measure how fast and how small the store is on this machine, with synthetic data."""


@bench.command()
@click.option(
    "--features", type=click.IntRange(1_000), default=100_000, show_default=True, help="Features (rows)."
)
@click.option(
    "--traits", type=click.IntRange(2, 65_536), default=200, show_default=True, help="Traits (columns)."
)
@click.option("--peers", default="", metavar="NAMES", help="clickhouse,duckdb,parquet,tabix: any, by commas.")
@click.option(
    "--single-imports", type=click.IntRange(0), default=0, metavar="N", help="Publish N studies singly."
)
@click.option(
    "--single-features",
    type=click.IntRange(0),
    default=0,
    metavar="V",
    help="Features of each; else --features.",
)
@click.option("--http", is_flag=True, help="Ask the server over HTTP too.")
@click.option(
    "--http-seconds", type=click.FloatRange(1, 60), default=10.0, show_default=True, help="Of each part."
)
@click.option(
    "--import-rows", type=click.IntRange(0), default=0, metavar="N", help="Import a GWAS-SSF of N rows."
)
@click.option(
    "--rounds", type=click.IntRange(1), default=200, show_default=True, help="Warm rounds a question."
)
@click.option("--cold-rounds", type=click.IntRange(1), default=10, show_default=True, help="Cold ones.")
@click.option(
    "--budget", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Most seconds a question."
)
@report_options
def associations(
    *,
    features: int,
    traits: int,
    peers: str,
    single_imports: int,
    single_features: int,
    http: bool,
    http_seconds: float,
    import_rows: int,
    rounds: int,
    cold_rounds: int,
    budget: float,
    folder: Path | None,
    json_file: Path | None,
) -> None:
    """Build the standard synthetic store, ask it every kind of question, say how long each took.

    Peers hold the same rows in the same run. Free disk is looked at first; everything written goes
    away at the end. The report's JSON is described in docs/formats/bench.schema.json.

    \b
    Examples:
      nexome bench associations
      nexome bench associations --features 200000 --traits 1000 --peers clickhouse,duckdb --json report.json
    """
    from nexome.bench.associations import Plan, run  # noqa: PLC0415
    from nexome.bench.ours import Asking  # noqa: PLC0415
    from nexome.bench.report import as_markdown  # noqa: PLC0415

    plan = Plan(
        features,
        traits,
        peers=tuple(name.strip() for name in peers.split(",") if name.strip()),
        single_imports=single_imports,
        single_features=single_features,
        http_s=http_seconds if http else 0.0,
        import_rows=import_rows,
        asking=Asking(rounds, cold_rounds, budget),
    )
    measure(run, plan, as_markdown=as_markdown, folder=folder, json_file=json_file)


@bench.command("ld")
@click.option("--people", type=click.IntRange(50), default=2_500, show_default=True, help="Of the panel.")
@click.option(
    "--variants", type=click.IntRange(200, 50_000), default=25_000, show_default=True, help="In each 1 Mb."
)
@click.option(
    "--matrix", type=click.IntRange(2, 1_000), default=1_000, show_default=True, help="All pairs of."
)
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True, help="Times asked again.")
@report_options
def ld(
    *, people: int, variants: int, matrix: int, rounds: int, folder: Path | None, json_file: Path | None
) -> None:
    """Make a simulated panel, ask for LD in regions of 1 Mb through Python and HTTP, say how long it took.

    \b
    Examples:
      nexome bench ld
      nexome bench ld --variants 5000 --json ld.json
    """
    from nexome.bench.ld import LdPlan, as_markdown, run  # noqa: PLC0415

    plan = LdPlan(people, variants, min(matrix, variants // 2), rounds)
    measure(run, plan, as_markdown=as_markdown, folder=folder, json_file=json_file)


@bench.command("explorer")
@click.option(
    "--features", type=click.IntRange(10_000), default=10_000_000, show_default=True, help="Of each study."
)
@click.option("--traits", type=click.IntRange(4, 1_000), default=20, show_default=True, help="Studies.")
@click.option(
    "--panel-people", type=click.IntRange(50), default=2_500, show_default=True, help="People LD comes from."
)
@click.option("--people", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Who browse.")
@click.option(
    "--seconds", type=click.FloatRange(2, 3_600), default=120.0, show_default=True, help="How long."
)
@click.option(
    "--think", type=click.FloatRange(0.1, 60), default=5.0, show_default=True, help="Mean seconds a page."
)
@click.option(
    "--browser",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="web/drawn.mjs, to time pages in Chromium too.",
)
@report_options
def explorer(
    *,
    features: int,
    traits: int,
    panel_people: int,
    people: int,
    seconds: float,
    think: float,
    browser: Path | None,
    folder: Path | None,
    json_file: Path | None,
) -> None:
    """Serve a synthetic centre, let people browse it all at once, say how long their pages took.

    A visit goes from the home page through search, study, explorer, variant, gene and comparison to a
    region coloured by LD, with everything its pages ask for. Needs 4 bytes of disk a cell; all is removed.

    \b
    Examples:
      nexome bench explorer --browser web/drawn.mjs --json explorer.json
      nexome bench explorer --features 200000 --people 10 --seconds 20
    """
    from nexome.bench.browsing import BrowsingPlan, as_markdown, run  # noqa: PLC0415
    from nexome.bench.browsing_people import Crowd  # noqa: PLC0415

    plan = BrowsingPlan(features, traits, panel_people, Crowd(people, seconds, think), browser)
    measure(run, plan, as_markdown=as_markdown, folder=folder, json_file=json_file)


@bench.command("knowledge")
@click.option(
    "--edges", type=click.IntRange(1_000), default=1_000_000, show_default=True, help="Of the graph."
)
@click.option("--nodes", type=click.IntRange(100), help="Of the graph; else a tenth of its edges.")
@click.option("--rounds", type=click.IntRange(10), default=500, show_default=True, help="Of each question.")
@report_options
def knowledge(
    *, edges: int, nodes: int | None, rounds: int, folder: Path | None, json_file: Path | None
) -> None:
    """Make a graph of statements with hubs, load it, ask it, say how long it took and how large it is.

    Takes about 60 bytes of disk and of memory an edge; all is removed.

    \b
    Examples:
      nexome bench knowledge
      nexome bench knowledge --edges 100000000 --nodes 10000000 --json knowledge.json
    """
    from nexome.bench.knowledge import GraphPlan, as_markdown, run  # noqa: PLC0415

    plan = GraphPlan(edges, nodes or max(100, edges // 10), rounds)
    measure(run, plan, as_markdown=as_markdown, folder=folder, json_file=json_file)


bench.add_command(search)
bench.add_command(cohorts)
