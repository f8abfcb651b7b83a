"""`nexome targets link …`, `record`, `spend`, `withdraw`, `reason`: what measures indicators."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nexome.cli.options import print_rows, root_option

if TYPE_CHECKING:
    from nexome.report.links import Item, Project
    from nexome.report.propose import Proposal
    from nexome.store.root import Root

paper_option = click.option("--paper", default="", help="The paper, where several have such a project.")
_by = click.option("--by", default=getpass.getuser, show_default="your name here", help="Who says so.")
_language = click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of the sentences."
)
_evidence = click.option(
    "--evidence",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A file that shows it; may be given several times.",
)
_date = click.option("--date", "day", required=True, help="The day it holds for, such as 2025-06-30.")


def found_project(root: Path, project: str, paper: str) -> tuple[Root, Project]:
    """The root, opened, and the project of a word a person typed."""
    from nexome.report.links import find_project  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    return open_root(root), find_project(root, project, paper=paper)


def found_item(root: Path, project: str, indicator: str, paper: str) -> tuple[Root, Project, Item]:
    """The root, the project and its indicator, by the words a person typed."""
    from nexome.report.links import find_item  # noqa: PLC0415

    opened, one = found_project(root, project, paper)
    return opened, one, find_item(one, indicator)


# ---------------------------------------------------------------- links


@click.command()
@root_option
@paper_option
@_language
@click.argument("project", required=False)
def propose(root: Path, paper: str, language: str, project: str | None) -> None:
    """Propose, by name, unit and meaning, what could measure each indicator of a project (or of all).

    Nothing is tied until you confirm it. What is not listed only a person can tell: nexome targets record.

    \b
    Examples:
      nexome targets link propose --root centre "变异知识库"
    """
    from nexome.report.links import kept_projects  # noqa: PLC0415
    from nexome.report.propose import propose_links  # noqa: PLC0415
    from nexome.store.papers import paper_names  # noqa: PLC0415
    from nexome.store.root import open_root  # noqa: PLC0415

    open_root(root)
    names = [paper] if paper else paper_names(root)
    named = [found_project(root, project, paper)[1]] if project else []
    for one in named or [p for name in names for p in kept_projects(root, name)]:
        proposals = propose_links(one)
        if proposals or project:
            click.echo(f"{one.paper}: {one.key}, {len(proposals)} proposals for {len(one.items)} indicators")
        for proposal in proposals:
            _print_proposal(one, proposal, language)


def _print_proposal(project: Project, proposal: Proposal, language: str) -> None:
    from nexome.report.scoring import target_text  # noqa: PLC0415

    item = project.items[proposal.number - 1]
    click.echo(f"  {proposal.number}  {item.indicator.name} {target_text(item)}")
    click.echo(f"     {proposal.source} {proposal.of}, {proposal.score}: {getattr(proposal, language)}")


@click.command()
@root_option
@paper_option
@_by
@click.option("--measure", help="A measure of the centre (nexome measures).")
@click.option("--series", help="A manual series of this paper.")
@click.option("--formula", help="Of measures, series and numbers: 'downloads ÷ visits'.")
@click.option("--takes", default="", help="How values of a year become one: last, rise, mean, sum or max.")
@click.option("--note", default="", help="Why this is the right measure.")
@click.argument("project")
@click.argument("indicator")
def confirm(
    root: Path,
    paper: str,
    by: str,
    measure: str | None,
    series: str | None,
    formula: str | None,
    takes: str,
    note: str,
    project: str,
    indicator: str,
) -> None:
    """Tie an indicator (its number, name or a part of it) to a measure, a manual series or a formula.

    Without any of the three, the best proposal is taken. Units must agree; both are said when they do not.

    \b
    Examples:
      nexome targets link confirm --root centre "变异知识库" 访问量 --measure visits
      nexome targets link confirm --root centre "变异知识库" 3 --formula "downloads ÷ visits"
    """
    from nexome.report.recording import Choice, confirm_link  # noqa: PLC0415

    given = [(k, v) for k, v in (("measure", measure), ("series", series), ("formula", formula)) if v]
    if len(given) > 1:
        raise click.UsageError("Give one of --measure, --series and --formula.")
    opened, one, item = found_item(root, project, indicator, paper)
    source, of = given[0] if given else _best(one, item)
    link = confirm_link(opened, one, item, Choice(source, of, takes, note), by=by)
    click.echo(
        f"{item.number} {item.indicator.name}: {source} {of} ({link.takes}), in {link.unit or 'no unit'}"
    )


def _best(project: Project, item: Item) -> tuple[str, str]:
    from nexome.model.errors import InputError  # noqa: PLC0415
    from nexome.report.propose import propose_for  # noqa: PLC0415

    proposals = propose_for(project, item)
    if not proposals:
        raise InputError(
            "no proposal",
            where=item.indicator.name,
            expected="--measure, --series or --formula",
            todo="Or record its values by hand: nexome targets record.",
        )
    return proposals[0].source, proposals[0].of


@click.command("list")
@root_option
@paper_option
@click.argument("project")
def list_links(root: Path, paper: str, project: str) -> None:
    """List a project's indicators with their numbers and what measures them, and links without an indicator.

    \b
    Examples:
      nexome targets link list --root centre "变异知识库"
    """
    from nexome.report.links import load_links, not_carried  # noqa: PLC0415
    from nexome.report.scoring import target_text  # noqa: PLC0415

    _, one = found_project(root, project, paper)
    links = load_links(root, one.paper)
    rows = []
    for item in one.items:
        link = links.link(item.id)
        said = f"{link.source} {link.of} ({link.takes}), {link.by} {link.confirmed[:10]}" if link else "-"
        rows.append((str(item.number), item.id, item.indicator.name, target_text(item), said))
    print_rows(("number", "id", "indicator", "target", "measured by"), rows)
    for lost, likely in not_carried(root, one.paper):
        near = f"; most like {likely.number} {likely.words.name}" if likely else ""
        click.echo(f"not carried: {lost.indicator} {lost.words.name}: {lost.source} {lost.of}{near}")


@click.command()
@root_option
@paper_option
@_by
@click.argument("project")
@click.argument("indicator")
def remove(root: Path, paper: str, by: str, project: str, indicator: str) -> None:
    """Untie an indicator, or a link that lost its indicator (by its id); values and evidence stay.

    \b
    Examples:
      nexome targets link remove --root centre "变异知识库" 访问量
    """
    from nexome.report.links import find_item, load_links  # noqa: PLC0415
    from nexome.report.recording import remove_link  # noqa: PLC0415

    opened, one = found_project(root, project, paper)
    known = {link.indicator for link in load_links(root, one.paper).links}
    link = remove_link(opened, one, indicator if indicator in known else find_item(one, indicator).id, by=by)
    click.echo(f"{link.words.name}: no longer measured by {link.source} {link.of}")


# ---------------------------------------------------------------- what people record


@click.command()
@root_option
@paper_option
@_by
@_evidence
@_date
@click.option(
    "--value", required=True, help="A number; a day for a deadline; 0 to 100 for a qualitative one."
)
@click.option("--unit", default="", help="Its unit; the indicator's by default.")
@click.option("--note", default="", help="What it is and where it comes from.")
@click.option("--series", default="", help="Name of the series; the indicator's own by default.")
@click.option("--takes", default="", help="last (a state, the default), sum (values add up), mean or max.")
@click.argument("project")
@click.argument("indicator")
def record(
    root: Path,
    paper: str,
    by: str,
    files: tuple[Path, ...],
    day: str,
    value: str,
    unit: str,
    note: str,
    series: str,
    takes: str,
    project: str,
    indicator: str,
) -> None:
    """Record a value of an indicator by hand, with the files that show it; the first one ties it.

    A qualitative indicator takes the share a person judged: 80 to 100 achieved, 60 to 80 partly, below not.
    An indicator with a deadline takes the day it was done.

    \b
    Examples:
      nexome targets record --root centre "变异知识库" 文章数量 --value 2 --date 2025-09-30 --evidence a.pdf
      nexome targets record --root centre "变异知识库" 5 --value 2025-11-20 --date 2025-11-20
    """
    from nexome.report.recording import Given, record_value  # noqa: PLC0415

    opened, one, item = found_item(root, project, indicator, paper)
    given = Given(value, unit, day, by, note, files)
    entry, link = record_value(opened, one, item, given, series=series, takes=takes)
    click.echo(
        f"{item.number} {item.indicator.name}: entry {entry.number}, {entry.value} {entry.unit} on {day}"
    )
    if link.source != "series":
        click.echo(f"It is kept; the indicator stays tied to {link.source} {link.of}.")


@click.command()
@root_option
@paper_option
@_by
@_evidence
@_date
@click.option("--amount", required=True, help="The money spent.")
@click.option("--unit", default="元", show_default=True, help="元, 万元 or 亿元.")
@click.option("--source", default="", help="The source as printed: 财政拨款, 上年结转, 其他资金 …")
@click.option("--note", default="", help="What it was spent on.")
@click.argument("project")
def spend(
    root: Path,
    paper: str,
    by: str,
    files: tuple[Path, ...],
    day: str,
    amount: str,
    unit: str,
    source: str,
    note: str,
    project: str,
) -> None:
    """Record money spent by a project; amounts of a year add up to what was executed.

    \b
    Examples:
      nexome targets spend --root centre "变异知识库" --amount 120.5 --unit 万元 --date 2025-06-30
    """
    from nexome.report.recording import Given, record_payment  # noqa: PLC0415

    opened, one = found_project(root, project, paper)
    entry = record_payment(opened, one, Given(amount, unit, day, by, note, files), source=source)
    click.echo(f"{one.key}: payment {entry.number}, {entry.value} {unit} on {day}")


@click.command()
@root_option
@paper_option
@_by
@click.option("--indicator", help="Of this indicator's values; a payment of the project if none is named.")
@click.option("--reason", required=True, help="Why it no longer counts.")
@click.argument("project")
@click.argument("entry", type=int)
def withdraw(
    root: Path, paper: str, by: str, indicator: str | None, reason: str, project: str, entry: int
) -> None:
    """Take back a recorded value or payment: it stays, with the reason, and no longer counts.

    \b
    Examples:
      nexome targets withdraw --root centre "变异知识库" 2 --indicator 文章数量 --reason "counted twice"
    """
    from nexome.report.links import find_item  # noqa: PLC0415
    from nexome.report.recording import withdraw_entry  # noqa: PLC0415

    opened, one = found_project(root, project, paper)
    item = find_item(one, indicator) if indicator else None
    name = withdraw_entry(opened, one, entry, item=item, reason=reason, by=by)
    click.echo(f"{item.indicator.name if item else name}: entry {entry} no longer counts")


@click.command()
@root_option
@paper_option
@_by
@click.option("--year", type=int, required=True, help="The year scored.")
@click.option("--text", required=True, help="The reason and what is done about it.")
@click.argument("project")
@click.argument("indicator")
def reason(root: Path, paper: str, by: str, year: int, text: str, project: str, indicator: str) -> None:
    """Say why an indicator's value is far from its target; it goes into the self-assessment.

    \b
    Examples:
      nexome targets reason --root centre "变异知识库" 文章数量 --year 2025 --text "两篇论文提前发表。"
    """
    from nexome.report.recording import give_reason  # noqa: PLC0415

    opened, one, item = found_item(root, project, indicator, paper)
    give_reason(opened, one, item, year=year, text=text, by=by)
    click.echo(f"{item.number} {item.indicator.name}: a reason for {year}")
