"""The page of a project: goals, money, indicators against target and time, what measures them, evidence.

For the owner and directors (`access.targets`). Values, states and points are those of `report.scoring` and
`report.progress`; an indicator nobody has tied to a number says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import ClassVar, Final

from markupsafe import Markup

from nexome.access.centre import Centre
from nexome.access.targets import centre_of
from nexome.model.errors import NotFoundError
from nexome.model.measures import MEASURES
from nexome.report.kept_scores import circumstances_of, today
from nexome.report.links import Link as Tie
from nexome.report.links import Project, Series
from nexome.report.progress import Step
from nexome.report.scoring import Circumstances, FundScore, IndicatorScore
from nexome.report.standing import Standing, daily_values, newest_projects, standing_of, year_of
from nexome.store.links import check_evidence
from nexome.web.pages.drawings import bar, spark
from nexome.web.pages.money import amount_text, measure_text, share_text
from nexome.web.pages.page import Ask, Card, Download, Page, card_of

SPARK_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator: target, value, bar with the mark of time, state, points of its weight, its source."""

    name: str
    target: str
    value: str
    bar: Markup
    share: str
    state: str
    points: str
    weight: str
    tie: str
    tied: bool
    spark: Markup
    notes: tuple[str, ...]
    reason: str
    line_href: str


@dataclass(frozen=True, slots=True)
class IndicatorGroup:
    """Indicators of one level: its names, and the rows."""

    level1: str
    level2: str
    rows: tuple[IndicatorRow, ...]


@dataclass(frozen=True, slots=True)
class FundRow:
    """Money of one source: its name, budget, spent, share as a bar with the mark of time."""

    name: str
    whole: bool
    budget: str
    spent: str
    share: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A piece of evidence: file and its address, what it shows, day and value of the entry."""

    href: str
    file: str
    shows: str
    day: str
    value: str


@dataclass(frozen=True, slots=True)
class Stand:
    """How the project stands: health, points and grade, money, indicators, flags in words."""

    health: str
    points: str
    grade: str
    time: str
    funds: tuple[FundRow, ...]
    groups: tuple[IndicatorGroup, ...]
    notes: tuple[str, ...]
    weights: str


@dataclass(frozen=True)
class ProjectPage(Page):
    """One project of a kept paper: facts as (name, value), goals, other texts, how it stands, evidence."""

    template: ClassVar[str] = "project.html"
    paper: str
    paper_href: str
    facts: tuple[tuple[str, str], ...]
    goals: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    year: int
    as_of: str
    stand: Card[Stand]
    evidence: Card[tuple[EvidenceRow, ...]]


def build_project(ask: Ask, *, paper: str, project: str) -> ProjectPage:
    """A project by its paper and key, in the year the paper is of."""
    centre = centre_of(ask.view)
    found = _find(centre, paper, project)
    year = year_of(found)
    given = circumstances_of(centre.root, paper, year=year, as_of=max(today(), _first(year)))
    table = found.table
    others = [
        t for t in table.texts if t.label != "goal" and not t.label.startswith("box") and len(t.text) > 1
    ]
    return ProjectPage(
        title=table.name or table.title,
        paper=paper,
        paper_href=ask.href("papers", paper),
        facts=_facts(ask, found),
        goals=tuple(text.text for text in table.texts_of("goal")),
        texts=tuple((ask.t.of("project.text", text.label.split("/")[0]), text.text) for text in others),
        year=year,
        as_of=given.as_of.isoformat(),
        stand=card_of(lambda: _stand(ask, standing_of(found, given), given)),
        evidence=card_of(lambda: tuple(_evidence(ask, found, given))),
    )


def build_evidence(ask: Ask, *, paper: str, sha256: str) -> Download:
    """A piece of evidence as the file it came as, compared with its checksum before it leaves."""
    centre = centre_of(ask.view)
    links = circumstances_of(centre.root, paper, year=today().year).links
    entries = [entry for series in (*links.series, *links.spending) for entry in series.entries]
    kept = next((item for entry in entries for item in entry.evidence if item.sha256 == sha256), None)
    if kept is None:
        raise NotFoundError(f"no evidence {sha256[:64]!r}", where=f"paper {paper[:80]}")
    path = check_evidence(centre.root.path, paper, sha256)
    return Download(path.read_bytes(), "application/octet-stream", kept.name)


def _find(centre: Centre, paper: str, key: str) -> Project:
    found = next((p for p in newest_projects(centre.root.path, paper) if p.key == key), None)
    if found is None:
        raise NotFoundError(
            f"no project {key[:80]!r}", where=f"paper {paper[:80]}", todo="See the paper's page."
        )
    return found


def _first(year: int) -> date:
    return date(year, 1, 1)


def _facts(ask: Ask, found: Project) -> tuple[tuple[str, str], ...]:
    table = found.table
    period = " – ".join(part for part in (table.start, table.end) if part)
    facts = (
        ("code", table.code),
        ("department", table.department),
        ("unit", table.unit),
        ("year", found.year),
        ("period", period),
        ("version", str(found.version)),
    )
    return tuple((ask.t.of("project.fact", name), value) for name, value in facts if value)


# ---------------------------------------------------------------- how it stands


def _stand(ask: Ask, standing: Standing, given: Circumstances) -> Stand:
    score, zh = standing.score, ask.t.code == "zh"
    notes = [score.flag_text(flag, zh=zh) for flag in score.flags]
    if standing.money_lags:
        notes.append(ask.t("project.money_lags"))
    rows = list(zip(standing.indicators, standing.project.items, strict=True))
    groups = [
        IndicatorGroup(*levels, tuple(_indicator(ask, standing, given, s, step) for (s, step), _ in members))
        for levels, members in groupby(rows, key=lambda row: (row[0][0].level1, row[0][0].level2))
    ]
    return Stand(
        standing.health,
        f"{score.total.value:.2f}",
        score.grade,
        share_text(standing.time),
        tuple(_fund(ask, fund, standing.time) for fund in score.funds),
        tuple(groups),
        tuple(notes),
        score.weights_note[int(zh)],
    )


def _fund(ask: Ask, fund: FundScore, time: Decimal) -> FundRow:
    share = fund.rate / 100 if fund.rate is not None else None
    sentence = ask.t("cockpit.money_sentence", share=share_text(share), time=share_text(time))
    return FundRow(
        fund.name,
        fund.role == "total",
        amount_text(fund.budget, ask.t),
        amount_text(fund.spent, ask.t),
        share_text(share),
        bar(float(share or 0), time=float(time), state="on-time", sentence=sentence),
    )


def _indicator(
    ask: Ask, standing: Standing, given: Circumstances, score: IndicatorScore, step: Step | None
) -> IndicatorRow:
    tie = given.links.link(score.id)
    state = step.state if step else "unknown"
    share, time = (step.share, step.time) if step else (Decimal(0), standing.time)
    sentence = ask.t("project.bar_sentence", share=share_text(share), time=share_text(time))
    zh = ask.t.code == "zh"
    return IndicatorRow(
        name=score.name,
        target=score.target,
        value=score.shown,
        bar=bar(float(share), time=float(time), state=state, sentence=sentence),
        share=share_text(share) if score.value is not None else "",
        state=state,
        points=f"{score.points.value:.2f}",
        weight=f"{score.weight:.2f}".rstrip("0").rstrip("."),
        tie=_tie_text(ask, tie),
        tied=tie is not None,
        spark=_spark(ask, tie, given),
        notes=tuple(standing.score.flag_text(flag, zh=zh) for flag in score.flags if flag != "no-link"),
        reason=score.reason,
        line_href=ask.href("papers", standing.project.paper, text="whole", page=_page_of(score.line))
        + f"#l{score.line}",
    )


def _page_of(line: int) -> str:
    from nexome.web.pages.papers import LINES  # noqa: PLC0415 - the size of a page of text has its home there

    number = (line - 1) // LINES + 1
    return str(number) if number > 1 else ""


def _tie_text(ask: Ask, tie: Tie | None) -> str:
    if tie is None:
        return ask.t("project.not_tied")
    if tie.source == "measure" and tie.of in MEASURES:
        declared = MEASURES[tie.of]
        title = getattr(declared, f"title_{ask.t.code}", declared.title_en)
        return ask.t("project.tied_measure", measure=title, takes=ask.t.of("project.takes", tie.takes))
    if tie.source == "series":
        own = tie.of == tie.indicator  # a series without a name of its own is the indicator's
        return ask.t("project.tied_own") if own else ask.t("project.tied_series", series=tie.of)
    return ask.t("project.tied_formula", formula=tie.of)


def _spark(ask: Ask, tie: Tie | None, given: Circumstances) -> Markup:
    """The measure an indicator is tied to, day by day."""
    if tie is None or tie.source != "measure" or tie.of not in MEASURES:
        return Markup("")
    days = daily_values(given.readings.get(tie.of, ()), most=SPARK_DAYS)
    declared = MEASURES[tie.of]
    title = getattr(declared, f"title_{ask.t.code}", declared.title_en)
    last = measure_text(days[-1][1], declared) if days else ""
    sentence = ask.t("project.spark", title=title, days=len(days), last=last)
    return spark([value for _, value in days] if len(days) > 1 else [], sentence=sentence)


# ---------------------------------------------------------------- evidence


def _evidence(ask: Ask, found: Project, given: Circumstances) -> Iterator[EvidenceRow]:
    own = {item.id: item.indicator.name for item in found.items}
    ties = [tie for tie in given.links.links if tie.indicator in own and tie.source == "series"]
    for tie in ties:
        if (series := given.links.named(tie.of)) is not None:
            yield from _rows_of(ask, found, series, own[tie.indicator])
    yield from _rows_of(ask, found, given.links.spent(found.key), ask.t("project.spending"))


def _rows_of(ask: Ask, found: Project, series: Series, shows: str) -> Iterator[EvidenceRow]:
    for entry in series.valid:
        for item in entry.evidence:
            href = ask.href("papers", found.paper, "evidence", item.sha256)
            yield EvidenceRow(href, item.name, shows, entry.day, f"{entry.value} {entry.unit}".strip())
