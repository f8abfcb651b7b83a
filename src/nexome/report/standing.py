"""How projects stand on a day, and how measures moved in a month: what the cockpit and the project page show.

Nothing is computed twice: scores and progress come from `scoring` and `progress`, papers are read once a version.

    health of a project   late      an indicator is behind time, or missed
                          on-time   none is, and some are measured
                          reached   every indicator is reached
                          unknown   nothing measures it yet
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final

from nexome.model.measures import Measure
from nexome.report.checks import check_paper
from nexome.report.dates import period_in
from nexome.report.findings import Finding
from nexome.report.kept_scores import circumstances_of, today
from nexome.report.link_values import Reading
from nexome.report.links import Project, projects_of
from nexome.report.paper import Paper
from nexome.report.progress import Progress, Step, progress_of
from nexome.report.records import paper_from_values
from nexome.report.scoring import Circumstances, IndicatorScore, Score, score_project
from nexome.store.papers import paper_names, paper_versions, read_kept
from nexome.store.root import Root

HEALTHS: Final = ("late", "unknown", "on-time", "reached")  # what needs a look comes first
STATES: Final = ("missed", "behind", "unknown", "on-time", "reached")
MONTH: Final = timedelta(days=30)
MONEY_LAG: Final = Decimal("0.2")  # spent less than time by this much: worth telling, no fault by itself
KEPT_PAPERS: Final = 32


@dataclass(frozen=True, slots=True)
class Standing:
    """A project on a day: its score, its progress, its health, indicators by state, share of time gone."""

    project: Project
    score: Score
    progress: Progress
    health: str
    states: dict[str, int]
    time: Decimal

    @property
    def budget(self) -> Decimal:
        """Money of the year, in yuan."""
        return self.score.funds[0].budget if self.score.funds else Decimal(0)

    @property
    def spent(self) -> Decimal:
        """Money spent in the year, in yuan."""
        return self.score.funds[0].spent if self.score.funds else Decimal(0)

    @property
    def money_lags(self) -> bool:
        """Whether spending, where any is recorded, is far behind time."""
        return bool(self.spent and self.budget) and self.spent / self.budget < self.time - MONEY_LAG

    @property
    def indicators(self) -> list[tuple[IndicatorScore, Step | None]]:
        """Each indicator's score with its newest step; None where the year has not begun."""
        pairs = zip(self.score.indicators, self.progress.indicators, strict=True)
        return [(score, progress.steps[-1] if progress.steps else None) for score, progress in pairs]


def kept_paper(root: Path, name: str, *, version: int | None = None) -> Paper:
    """A kept paper, the newest version by default; decoded once, versions never change."""
    chosen = version or max(paper_versions(root, name), default=0) or None
    return _decoded(root, name, chosen) if chosen else _decoded.__wrapped__(root, name, None)


@lru_cache(maxsize=KEPT_PAPERS)
def _decoded(root: Path, name: str, version: int | None) -> Paper:
    return paper_from_values(read_kept(root, name, version=version).values, name, "")


@lru_cache(maxsize=KEPT_PAPERS)
def _found(root: Path, name: str, version: int) -> tuple[Finding, ...]:
    return tuple(check_paper(_decoded(root, name, version)))


def findings_of(root: Path, name: str) -> tuple[Finding, ...]:
    """The findings on the newest version of a paper, worked out once."""
    return _found(root, name, paper_versions(root, name)[-1])


def newest_projects(root: Path, name: str) -> list[Project]:
    """The projects of the newest version of a paper."""
    version = max(paper_versions(root, name), default=0)
    return projects_of(kept_paper(root, name), name=name, version=version)


def year_of(project: Project) -> int:
    """The year a project is of; the present one where its paper names none."""
    return int(project.year) if project.year.isdigit() else today().year


def years_of(root: Path) -> list[int]:
    """The years of all projects, newest first."""
    years = {year_of(project) for name in paper_names(root) for project in newest_projects(root, name)}
    return sorted(years, reverse=True)


def standing_of(project: Project, given: Circumstances) -> Standing:
    """How a project stands on the day of `given`."""
    score, progress = score_project(project, given), progress_of(project, given)
    states = Counter(each.steps[-1].state for each in progress.indicators if each.steps)
    first, last = period_in(project.table, given.year)
    gone, whole = (given.as_of - first).days + 1, (last - first).days + 1
    time = min(max(Decimal(gone) / Decimal(whole), Decimal(0)), Decimal(1))
    return Standing(project, score, progress, _health(states), dict(states), time)


def _health(states: Counter[str]) -> str:
    if states["missed"] or states["behind"]:
        return "late"
    if states["reached"] and states["reached"] == states.total():
        return "reached"
    return "on-time" if states["on-time"] or states["reached"] else "unknown"


def standings(root: Root, year: int, *, as_of: date | None = None) -> list[Standing]:
    """All projects of a year, what needs a look first, then the larger money first."""
    found = []
    for name in paper_names(root.path):
        projects = [p for p in newest_projects(root.path, name) if year_of(p) == year and p.items]
        if projects:
            given = circumstances_of(root, name, year=year, as_of=as_of)
            found += [standing_of(project, given) for project in projects]
    return sorted(found, key=lambda s: (HEALTHS.index(s.health), -s.budget, s.project.key))


# ---------------------------------------------------------------- measures through time


@dataclass(frozen=True, slots=True)
class Change:
    """How a measure moved in the last 30 days: from, to, and the rise of the 30 days before (None: not known)."""

    before: float
    now: float
    rise_before: float | None

    @property
    def rise(self) -> float:
        """By how much."""
        return self.now - self.before

    @property
    def share(self) -> float | None:
        """Against what was there; None where that was nothing."""
        return self.rise / self.before if self.before else None


def month_change(declared: Measure, history: Sequence[Reading], now: Reading) -> Change | None:
    """The change since the newest sample that is 30 days old; None where no sample is that old."""
    if now.value is None:
        return None
    moment = _moment(now.time)
    old = _last_before(history, moment - MONTH)
    if old is None:
        return None
    older = _last_before(history, moment - 2 * MONTH) if declared.kind == "counter" else None
    return Change(old, now.value, None if older is None else old - older)


def daily_values(history: Iterable[Reading], *, most: int) -> list[tuple[date, float]]:
    """The last sample of each day, oldest first, the newest `most` days."""
    days = {_moment(r.time).date(): r.value for r in history if r.value is not None}
    return sorted(days.items())[-most:]


def _last_before(history: Sequence[Reading], moment: datetime) -> float | None:
    held = [r.value for r in history if r.value is not None and _moment(r.time) <= moment]
    return held[-1] if held else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
