"""Progress of a project's indicators against target and time, at the end of each quarter.

A quarter that has not begun has no state; the running one is as of the day asked for. Time is the share of the project's period
(within the year) that has gone by; an indicator is behind when its share of the target is smaller than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from nexome.report.dates import period_in, quarter_end
from nexome.report.links import Project
from nexome.report.plans import PlanStep, plan_of
from nexome.report.scoring import Circumstances, IndicatorScore, is_reached, score_project
from nexome.report.scoring_rule import ScoringRule

# code → (English, Chinese)
STATES: Final[dict[str, tuple[str, str]]] = {
    "reached": ("reached", "已达标"),
    "on-time": ("on time", "进度正常"),
    "behind": ("behind", "进度滞后"),
    "missed": ("missed", "到期未达标"),
    "unknown": ("no value", "无数据"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """An indicator at the end of a quarter: day, value as written, shares of target and time (0 to 1), state (STATES)."""

    quarter: int
    day: str
    shown: str
    share: Decimal
    time: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class IndicatorProgress:
    """One indicator through the quarters that have begun."""

    id: str
    number: int
    name: str
    target: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A project through a year: points and execution in per cent by quarter, its indicators, and its plan if worded by time."""

    project: str
    name: str
    year: int
    points: tuple[Decimal, ...]
    execution: tuple[Decimal | None, ...]
    indicators: tuple[IndicatorProgress, ...]
    plan: tuple[PlanStep, ...]


def progress_of(project: Project, given: Circumstances) -> Progress:
    """The progress of a project in the quarters of a year that have begun by the day of `given`."""
    days = [
        min(quarter_end(given.year, quarter), given.as_of)
        for quarter in (1, 2, 3, 4)
        if date(given.year, 3 * quarter - 2, 1) <= given.as_of
    ]
    scores = [score_project(project, replace(given, as_of=day)) for day in days]
    times = [_time_share(project, given.year, day) for day in days]
    indicators = tuple(
        IndicatorProgress(
            item.id, item.number, item.indicator.name, scores[-1].indicators[i].target,
            tuple(_step(q, day, score.indicators[i], time, given.rule)
                  for q, (day, score, time) in enumerate(zip(days, scores, times, strict=True), 1)),
        )
        for i, item in enumerate(project.items)
    ) if scores else ()  # fmt: skip
    rates = tuple(score.funds[0].rate for score in scores)
    points = tuple(score.total.value for score in scores)
    plan = tuple(plan_of(project.table))
    return Progress(project.key, project.table.name, given.year, points, rates, indicators, plan)


def _time_share(project: Project, year: int, day: date) -> Decimal:
    first, last = period_in(project.table, year)
    gone, whole = (day - first).days + 1, (last - first).days + 1
    return min(max(Decimal(gone) / Decimal(whole), Decimal(0)), Decimal(1))


def _step(quarter: int, day: date, score: IndicatorScore, time: Decimal, rule: ScoringRule) -> Step:
    share = score.completion.value
    if score.value is None:
        state = "unknown"
    elif is_reached(score, rule):
        state = "reached"
    elif time >= 1:
        state = "missed"
    else:
        state = "on-time" if share >= time else "behind"
    return Step(quarter, day.isoformat(), score.shown, share, time, state)
