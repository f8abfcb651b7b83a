"""`nexome targets progress`, `score`, `report`, `template`: how far a project is, and its self-assessment."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nexome.cli.options import echo_json, print_rows, root_option
from nexome.cli.target_links import found_project, paper_option

if TYPE_CHECKING:
    from nexome.report.scoring import PaperScore, Score

_year = click.option("--year", type=click.IntRange(2000, 2100), required=True, help="The year assessed.")
_as_of = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Values up to this day; today or the year's last day by default.",
)
_rules = click.option(
    "--rules",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file with the scoring rule; the setting scoring_rules by default.",
)
_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines or JSON.",
)


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _json(values: Any) -> None:
    from dataclasses import asdict  # noqa: PLC0415

    from nexome.report.records import plain_values  # noqa: PLC0415

    echo_json(plain_values(asdict(values)))


@click.command()
@root_option
@paper_option
@_year
@_as_of
@_rules
@_format
@click.argument("project")
def score(
    root: Path, paper: str, year: int, as_of: datetime | None, rules: Path | None, format_: str, project: str
) -> None:
    """Score a project, or (with the name of a paper) all its projects and the whole by money.

    What has no value scores nothing and is flagged. JSON holds for each number its formula and its inputs.

    \\b
    Examples:
      nexome targets score --root centre --year 2025 "变异知识库"
      nexome targets score --root centre --year 2025 --format json targets2025
    """
    from nexome.report.kept_scores import circumstances_of  # noqa: PLC0415
    from nexome.report.links import kept_projects  # noqa: PLC0415
    from nexome.report.scoring import score_paper, score_project  # noqa: PLC0415
    from nexome.store.papers import paper_names  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    if not paper and project in paper_names(root):
        given = circumstances_of(open_root(root), project, year=year, as_of=_day(as_of), rule=rules)
        whole = score_paper(kept_projects(root, project), given)
        _json(whole) if format_ == "json" else _print_paper(whole)
        return
    opened, one = found_project(root, project, paper)
    given = circumstances_of(opened, one.paper, year=year, as_of=_day(as_of), rule=rules)
    made = score_project(one, given)
    _json(made) if format_ == "json" else _print_score(made)


def _print_score(score: Score) -> None:
    click.echo(
        f"{score.name}, {score.year}, as of {score.as_of}: {score.total.value:.2f} of 100, {score.grade}"
    )
    click.echo(
        f"  execution {score.execution.value:.2f} of {score.rule.execution_points}: {score.execution.formula}"
    )
    click.echo(f"  {score.weights_note[0]}")
    rows = []
    for item in score.indicators:
        flags = "; ".join(score.flag_text(code, zh=False) for code in item.flags)
        points = f"{item.points.value:.2f}/{item.weight:f}"
        rows.append((str(item.number), item.name, item.target, item.shown or "-", points, flags))
    print_rows(("number", "indicator", "target", "value", "points", "open"), rows)
    for code in score.flags:
        click.echo(f"  {score.flag_text(code, zh=False)}")


def _print_paper(whole: PaperScore) -> None:
    rows = []
    for one in whole.projects:
        budget = one.funds[0].budget if one.funds else 0
        gaps = sum(item.value is None for item in one.indicators)
        rows.append(
            (one.code or "-", one.name, f"{budget:,.2f}", f"{one.total.value:.2f}", one.grade, str(gaps))
        )
    print_rows(("code", "project", "budget (yuan)", "points", "grade", "without value"), rows)
    click.echo(f"{whole.paper}, {whole.year}: {whole.total.value:.2f} of 100 by money, {whole.grade}")
    if whole.whole:
        click.echo(f"the department's own table: {whole.whole.total.value:.2f}, {whole.whole.grade}")


@click.command()
@root_option
@paper_option
@_year
@_as_of
@_format
@click.argument("project")
def progress(root: Path, paper: str, year: int, as_of: datetime | None, format_: str, project: str) -> None:
    """Show a project's progress against target and time, at the end of each quarter that has begun.

    \\b
    Examples:
      nexome targets progress --root centre --year 2025 "变异知识库"
    """
    from nexome.report.kept_scores import circumstances_of  # noqa: PLC0415
    from nexome.report.progress import progress_of  # noqa: PLC0415

    opened, one = found_project(root, project, paper)
    made = progress_of(one, circumstances_of(opened, one.paper, year=year, as_of=_day(as_of)))
    if format_ == "json":
        _json(made)
        return
    days = [step.day for step in made.indicators[0].steps] if made.indicators else []
    time = (
        [f"{step.time * 100:.0f} % of time" for step in made.indicators[0].steps] if made.indicators else []
    )
    rows = [("", "", "", *time), ("", "points", "100", *(f"{points:.2f}" for points in made.points))]
    rows.append(("", "money", "100 %", *("-" if r is None else f"{r:.2f} %" for r in made.execution)))
    rows += [
        (str(item.number), item.name, item.target, *(f"{s.shown or '-'} ({s.state})" for s in item.steps))
        for item in made.indicators
    ]
    print_rows(("number", "indicator", "target", *days), rows)
    for step in made.plan:
        click.echo(f"  plan, {step.months}: {step.text[:100]}")


@click.command()
@root_option
@paper_option
@_year
@_as_of
@_rules
@click.option("--template", type=click.Path(path_type=Path), help="Your own XLSX or DOCX with placeholders.")
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=".xlsx, .docx or .pdf",
)
@click.argument("project")
def report(
    root: Path,
    paper: str,
    year: int,
    as_of: datetime | None,
    rules: Path | None,
    template: Path | None,
    output: Path,
    project: str,
) -> None:
    """Write the self-assessment (绩效自评表) of a project, every number traced to its source.

    PDF needs LibreOffice. A template of your own has placeholders such as {{project}}; see targets template.

    \\b
    Examples:
      nexome targets report --root centre --year 2025 -o 自评表.xlsx "变异知识库"
      nexome targets report --root centre --year 2025 --template ours.docx -o 自评表.pdf "变异知识库"
    """
    from nexome.report.kept_scores import circumstances_of  # noqa: PLC0415
    from nexome.report.scoring import score_project  # noqa: PLC0415
    from nexome.report.write_report import report_bytes  # noqa: PLC0415
    from nexome.store.disk import write_atomic  # noqa: PLC0415

    opened, one = found_project(root, project, paper)
    made = score_project(one, circumstances_of(opened, one.paper, year=year, as_of=_day(as_of), rule=rules))
    write_atomic(output, report_bytes(one, made, ending=output.suffix.lower(), template=template))
    gaps = sum(bool(item.flags) for item in made.indicators)
    click.echo(f"{output}: {made.total.value:.2f} of 100, {made.grade}; {gaps} indicators with open points")


@click.command()
@click.option(
    "--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), help=".xlsx or .docx"
)
def template(output: Path) -> None:
    """Write our template of the self-assessment, to change and give back with `report --template`.

    \\b
    Examples:
      nexome targets template -o ours.docx
    """
    from nexome.report.write_report import template_bytes  # noqa: PLC0415
    from nexome.store.disk import write_atomic  # noqa: PLC0415

    write_atomic(output, template_bytes(output.suffix.lower()))
