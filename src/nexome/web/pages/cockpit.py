"""The director's cockpit: all projects by health, what is late, money against time, the centre's measures.

For the owner and directors (`access.targets`). Read on a wall and on a telephone: every number has its name
beside it, every colour its word.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from markupsafe import Markup

from nexome.access.centre import Centre
from nexome.access.targets import centre_of
from nexome.model.errors import QueryError
from nexome.model.measures import GROUPS, MEASURES
from nexome.report.kept_scores import today
from nexome.report.measures import Reading, measure, read_history
from nexome.report.standing import (
    HEALTHS,
    STATES,
    Change,
    Standing,
    daily_values,
    month_change,
    standings,
    years_of,
)
from nexome.store.measures import last_sample
from nexome.store.papers import paper_names
from nexome.web.pages.drawings import bar, spark, states_bar
from nexome.web.pages.money import day_text, measure_text, money_text, share_text
from nexome.web.pages.page import Ask, Card, Link, Page, card_of

SPARK_DAYS: Final = 90
MOST_LATE: Final = 20


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of the first row: its health (''), its name, the number."""

    health: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project: page, name, paper, health, indicators by state as a bar and in words, money against time."""

    href: str
    name: str
    paper: str
    health: str
    states: Markup
    states_text: str
    money: Markup
    money_text: str
    points: str
    lags: bool


@dataclass(frozen=True, slots=True)
class LateRow:
    """An indicator that is late: its project, what it is, target, value, the share of time that has gone."""

    href: str
    project: str
    name: str
    state: str
    target: str
    value: str
    expected: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class MeasureTile:
    """A measure: title, value, the change of 30 days in words ('': not known), spark line, what it means."""

    title: str
    value: str
    change: str
    spark: Markup
    meaning: str


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """Measures of one kind: held, used or kept; `absent` names those without a source."""

    name: str
    tiles: tuple[MeasureTile, ...]
    absent: str


@dataclass(frozen=True, slots=True)
class Money:
    """All money of the year: budget, spent, its share, the share of time gone, and a bar of both."""

    budget: str
    spent: str
    share: str
    time: str
    bar: Markup
    recorded: bool


@dataclass(frozen=True, slots=True)
class Year:
    """All projects of the year that is shown."""

    tiles: tuple[Tile, ...]
    money: Money
    projects: tuple[ProjectRow, ...]
    late: tuple[LateRow, ...]
    late_more: int


@dataclass(frozen=True)
class CockpitPage(Page):
    """The cockpit of one year.

    `years` as links; `papers` says whether any paper is kept; `sampled` is the time of the sample that
    projects are measured by ('': none), while the measures themselves are as of now.
    """

    template: ClassVar[str] = "cockpit.html"
    years: tuple[Link, ...]
    as_of: str
    sampled: str
    papers: bool
    year: Card[Year]
    measures: Card[tuple[MeasureGroup, ...]]


def build_cockpit(ask: Ask) -> CockpitPage:
    """The cockpit by parameter `year`: the present one where it has projects, else the newest that has."""
    centre = centre_of(ask.view)
    years = years_of(centre.root.path)
    year = _year(ask, years)
    return CockpitPage(
        title=ask.t(
            "cockpit.title", site=getattr(ask.settings, f"title_{ask.t.code}") or ask.settings.title_en
        ),
        years=tuple(Link(str(y), ask.again(year=y), y == year) for y in years),
        as_of=day_text(today(), ask.t),
        sampled=last_sample(centre.root.path).replace("T", " ").removesuffix("Z"),
        papers=bool(paper_names(centre.root.path)),
        year=card_of(lambda: _year_of(ask, standings(centre.root, year))),
        measures=card_of(lambda: _measures(ask, centre)),
    )


def _year(ask: Ask, years: list[int]) -> int:
    asked = ask.query.get("year")
    if asked is None:
        return today().year if today().year in years or not years else years[0]
    if not asked.isdecimal() or int(asked[:6]) not in years:
        raise QueryError(f"year {asked[:20]!r}", where="year", expected=", ".join(map(str, years)) or "none")
    return int(asked)


def _year_of(ask: Ask, found: list[Standing]) -> Year:
    healths = Counter(standing.health for standing in found)
    tiles = [Tile("", ask.t("cockpit.projects"), f"{len(found):,}")]
    tiles += [Tile(health, ask.t.of("health", health), f"{healths[health]:,}") for health in HEALTHS]
    late = [row for standing in found for row in _late(ask, standing)]
    return Year(
        tuple(tiles),
        _money(ask, found),
        tuple(_project(ask, standing) for standing in found),
        tuple(late[:MOST_LATE]),
        max(0, len(late) - MOST_LATE),
    )


def project_href(ask: Ask, standing: Standing) -> str:
    """The page of a project."""
    return ask.href("papers", standing.project.paper, "projects", standing.project.key)


def _money(ask: Ask, found: list[Standing]) -> Money:
    counted = [s for s in found if s.project.table.kind == "project"]
    budget, spent = sum((s.budget for s in counted), Decimal(0)), sum((s.spent for s in counted), Decimal(0))
    weighted = sum((s.time * s.budget for s in counted), Decimal(0))
    time = weighted / budget if budget else (counted[0].time if counted else Decimal(0))
    share = spent / budget if budget else Decimal(0)
    sentence = ask.t("cockpit.money_sentence", share=share_text(share), time=share_text(time))
    return Money(
        money_text(budget, ask.t),
        money_text(spent, ask.t),
        share_text(share),
        share_text(time),
        bar(float(share), time=float(time), state="on-time", sentence=sentence),
        bool(spent),
    )


def _project(ask: Ask, standing: Standing) -> ProjectRow:
    words = [
        ask.t("cockpit.state_count", state=ask.t.of("state", state), count=standing.states[state])
        for state in reversed(STATES)
        if standing.states.get(state)
    ]
    text = ask.t("list.comma").join(words) or ask.t("cockpit.no_indicators")
    share = standing.spent / standing.budget if standing.budget else None
    money = ask.t(
        "cockpit.money_of", spent=money_text(standing.spent, ask.t), budget=money_text(standing.budget, ask.t)
    )
    return ProjectRow(
        project_href(ask, standing),
        standing.project.table.name or standing.project.table.title,
        standing.project.paper,
        standing.health,
        states_bar(standing.states, sentence=text),
        text,
        bar(float(share or 0), time=float(standing.time), state="on-time", sentence=money),
        money,
        f"{standing.score.total.value:.1f}",
        standing.money_lags,
    )


def _late(ask: Ask, standing: Standing) -> list[LateRow]:
    rows = []
    for score, step in standing.indicators:
        if step is None or step.state not in {"behind", "missed"}:
            continue
        sentence = ask.t("project.bar_sentence", share=share_text(step.share), time=share_text(step.time))
        rows.append(
            LateRow(
                href=project_href(ask, standing),
                project=standing.project.table.name,
                name=score.name,
                state=step.state,
                target=score.target,
                value=step.shown,
                expected=share_text(step.time),
                bar=bar(float(step.share), time=float(step.time), state=step.state, sentence=sentence),
            )
        )
    return rows


# ---------------------------------------------------------------- measures


def _measures(ask: Ask, centre: Centre) -> tuple[MeasureGroup, ...]:
    history: dict[str, list[Reading]] = {}
    for reading in read_history(centre.root.path):
        history.setdefault(reading.name, []).append(reading)
    now = {reading.name: reading for reading in measure(centre)}
    groups = []
    for group, names in GROUPS.items():
        held = [now[name] for name in names if now[name].value is not None]
        absent = [_title(ask, name) for name in names if now[name].value is None]
        tiles = tuple(measure_tile(ask, reading, history.get(reading.name, [])) for reading in held)
        groups.append(MeasureGroup(ask.t.of("measure_group", group), tiles, ask.t("list.comma").join(absent)))
    return tuple(groups)


def measure_tile(ask: Ask, now: Reading, history: list[Reading]) -> MeasureTile:
    """A measure as a tile: its value now, its change of 30 days, two days or more as a spark line."""
    declared = MEASURES[now.name]
    days = daily_values([*history, now], most=SPARK_DAYS)
    title = _title(ask, now.name)
    sentence = ask.t("measure.spark", title=title, days=len(days))
    return MeasureTile(
        title,
        measure_text(now.value, declared),
        _change_text(ask, now.name, month_change(declared, history, now)),
        spark([value for _, value in days] if len(days) > 1 else [], sentence=sentence),
        getattr(declared, f"meaning_{ask.t.code}", declared.meaning_en),
    )


def _change_text(ask: Ask, name: str, change: Change | None) -> str:
    if change is None:
        return ""
    rise = measure_text(change.rise, MEASURES[name], sign=True)
    if change.rise == 0:
        return ask.t("measure.unchanged")
    if change.share is None:
        return ask.t("measure.rise", rise=rise)
    return ask.t("measure.rise_share", rise=rise, share=share_text(change.share, sign=True))


def _title(ask: Ask, name: str) -> str:
    declared = MEASURES[name]
    return str(getattr(declared, f"title_{ask.t.code}", declared.title_en))
