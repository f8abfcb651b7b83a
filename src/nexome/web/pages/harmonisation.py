"""The page of how a harmonised cohort was made, and, for its owner, of what does not fit together.

Rules, units and codes are for everyone who may know of the cohort. Numbers of values, and conflicts between
sources, are computed over single people and are the owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import numpy as np

from nexome.access.targets import centre_of
from nexome.ingest.mapping.conflicts import SourceFigures, VariableReport
from nexome.ingest.mapping.lineage import rule_in_words
from nexome.ingest.mapping.source_parts import conflicts
from nexome.model.errors import NotFoundError, QueryError
from nexome.store.cohorts import CohortStore
from nexome.web.pages.cohort_parts import source_text, told_of, unit_text
from nexome.web.pages.figures import Wording
from nexome.web.pages.layers import Label, Layers, Points, Strokes, layers_json, layers_picture
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of
from nexome.web.pages.plots import Drawn, Figure, Place, figure_of
from nexome.web.pages.ticks import ticks_between

WIDTH: Final = 1040
_ROW: Final = 46  # pixels of height a source takes
_LEFT: Final = 0.16  # share of the width that names take
_PERCENTS: Final = (5.0, 25.0, 50.0, 75.0, 95.0)
_BOX: Final = np.array([-5.0, -2.5, 0.0, 2.5, 5.0])  # pixels above and below, that make strokes a bar
_TICKS: Final = 8


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One variable of one source: the rule in words, and what it did ('' for who may not know)."""

    source: Link
    rule: str
    because: str
    taken: str
    changed: str
    refused: str
    given: str


@dataclass(frozen=True, slots=True)
class VariableRules:
    """A variable with its rules, one a source; `doubts` are the conflicts that were found in it."""

    variable: Link
    unit: str
    rows: tuple[RuleRow, ...]
    doubts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class HarmonisationPage(Page):
    """A harmonised cohort's rules; `figure` compares the sources of one variable (None: not the owner)."""

    template: ClassVar[str] = "harmonisation.html"
    cohort: Link
    variables: tuple[VariableRules, ...]
    owner: bool
    conflicts: int
    figure: Card[Figure] | None
    choices: tuple[Link, ...]


def build_harmonisation(ask: Ask, *, cohort: str) -> HarmonisationPage:
    """The page; parameter variable chooses the one whose sources are drawn."""
    record = ask.view.cohort(cohort)
    rows = rows_of(ask.view.variables(cohort))
    owner = ask.view.principal.kind == "owner"
    reports = {report.variable: report for report in _reports(ask, cohort)} if owner else {}
    lineage = ask.view.lineage(cohort)
    if not lineage:
        raise NotFoundError(
            f"no rules of {cohort}", expected="a harmonised cohort", todo="See the list of cohorts."
        )
    chosen = ask.query.get("variable", "") or next(iter(_by_doubt(reports)), "")
    return HarmonisationPage(
        title=ask.t("harmonisation.title", cohort=ask.t.field(record, "title") or cohort),
        cohort=Link(cohort, ask.href("cohorts", cohort)),
        variables=tuple(
            _variable(ask, cohort, row, lineage, reports) for row in rows if row["variable"] in lineage
        ),
        owner=owner,
        conflicts=sum(len(report.conflicts) for report in reports.values()),
        figure=card_of(lambda: _figure(ask, cohort, reports, chosen)) if reports else None,
        choices=tuple(_choice(ask, row, chosen) for row in rows if row["variable"] in reports),
    )


def build_harmonisation_figure(ask: Ask, *, cohort: str, variable: str, ending: str) -> Download:
    """The sources of one variable side by side, as a file; for the owner and directors."""
    reports = {report.variable: report for report in _reports(ask, cohort)}
    return _drawn(ask, _one(reports, variable))[0].file(f"{cohort}-sources", ending)


def _reports(ask: Ask, cohort: str) -> list[VariableReport]:
    ask.view.cohort(cohort)
    return list(conflicts(CohortStore.open(centre_of(ask.view).root.path), cohort))


def _by_doubt(reports: Mapping[str, VariableReport]) -> list[str]:
    order = {"strong": 0, "question": 1, "note": 2}
    worst = {name: min((order[c.weight] for c in one.conflicts), default=3) for name, one in reports.items()}
    return sorted(reports, key=lambda name: worst[name])


def _variable(
    ask: Ask,
    cohort: str,
    row: Mapping[str, Any],
    lineage: Mapping[str, Any],
    reports: Mapping[str, VariableReport],
) -> VariableRules:
    name = row["variable"]
    found = reports[name].conflicts if name in reports else ()
    return VariableRules(
        variable=Link(ask.t.named(row, "label", name), ask.href("cohorts", cohort, "variables", name)),
        unit=unit_text(row["variable_unit"], ask.t),
        rows=tuple(_rule(ask, entry) for entry in lineage[name]["sources"]),
        doubts=tuple((c.weight, c.source, ask.t.field(c, "text")) for c in found),
    )


def _rule(ask: Ask, entry: Mapping[str, Any]) -> RuleRow:
    counts = {name: f"{entry[name]:,}" if name in entry else "" for name in ("taken", "changed", "given")}
    refused = [
        f"{n:,} {ask.t.of('harmonisation.refused', why)}" for why, n in entry.get("refused", {}).items()
    ]
    return RuleRow(
        source=Link(entry["source"], ask.href("cohorts", entry["cohort"])),
        rule=rule_in_words(entry),
        because=entry["rule"].get("because", ""),
        refused=", ".join(refused) or ("0" if "refused" in entry else ""),
        **counts,
    )


def _choice(ask: Ask, row: Mapping[str, Any], chosen: str) -> Link:
    name = row["variable"]
    return Link(ask.t.named(row, "label", name), ask.again(variable=name), name == chosen)


# ---------------------------------------------------------------- the figure


def _one(reports: Mapping[str, VariableReport], variable: str) -> VariableReport:
    if variable not in reports:
        raise QueryError(f"a variable {variable[:80]!r}", where="variable", expected=", ".join(reports)[:300])
    return reports[variable]


def _figure(ask: Ask, cohort: str, reports: Mapping[str, VariableReport], variable: str) -> Figure:
    report = _one(reports, variable)
    drawn, wording = _drawn(ask, report)
    place = Place(
        "sources",
        ask.href("harmonisation", cohort, "sources", variable),
        f"{API}/cohorts/compare?{urlencode({'variable': variable})}",
    )
    source = source_text(ask, told_of(ask, cohort))
    return figure_of(drawn, wording, place, subtitle=ask.t("harmonisation.figure_note"), source=source)


def _drawn(ask: Ask, report: VariableReport) -> tuple[Drawn, Wording]:
    """A row a source: 5 to 95 % thin, 25 to 75 % thick, the median a dot."""
    unit = unit_text(report.unit, ask.t)
    at = [int(np.flatnonzero(report.at == percent)[0]) for percent in _PERCENTS]
    shown = [source for source in report.sources if np.isfinite(source.percentiles[at]).all()]
    if not shown:
        raise QueryError(
            "too few people", where=report.variable, expected="sources with a hundred people or more"
        )
    medians = {source.source: float(source.percentiles[at[2]]) for source in shown}
    low, high = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    wording = Wording(
        title=ask.t("harmonisation.figure_title"),
        sentence=ask.t(
            "harmonisation.figure_sentence",
            low=low,
            lowest=f"{medians[low]:.4g}",
            high=high,
            highest=f"{medians[high]:.4g}",
            unit=unit,
        ),
        x=unit,
        y="",
    )
    plot = _layers(shown, at)
    table: dict[str, list[Any]] = {
        "source": [source.source for source in shown],
        "n": [source.n for source in shown],
    }
    for index, percent in zip(at, _PERCENTS, strict=True):
        table[f"p{percent:g}"] = [round(float(source.percentiles[index]), 6) for source in shown]
    drawn = Drawn(
        picture=lambda: layers_picture(plot, wording),
        json=lambda: layers_json(plot, wording),
        table=lambda: table,
    )
    return drawn, wording


def _layers(shown: list[SourceFigures], at: list[int]) -> Layers:
    values = np.array([source.percentiles[at] for source in shown])
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 1e-9)

    def x(value: Any) -> Any:
        return _LEFT + (np.asarray(value, np.float64) - low) / span * (0.97 - _LEFT)

    y = 1 - (np.arange(len(shown)) + 0.5) / len(shown)
    pale, strong = np.zeros(len(shown), np.int64), np.ones(len(shown), np.int64)
    lines = [(values[:, 0], values[:, 4], y, pale)]
    lines += [(values[:, 1], values[:, 3], y + offset, strong) for offset in _BOX / (150 + _ROW * len(shown))]
    strokes = Strokes(
        np.concatenate([x(begin) for begin, *_ in lines]),
        np.concatenate([at for *_, at, _ in lines]),
        np.concatenate([x(end) for _, end, *_ in lines]),
        np.concatenate([at for *_, at, _ in lines]),
        np.concatenate([role for *_, role in lines]),
    )
    labels = [
        Label(0.01, float(place) - 0.02, source.source, role=0)
        for place, source in zip(y, shown, strict=True)
    ]
    medians = Points(x(values[:, 2]), y, np.full(len(shown), 2), [s.source for s in shown])
    ticks = [(float(x(tick)), f"{tick:g}") for tick in ticks_between(low, high, _TICKS)]
    return Layers(
        WIDTH,
        110 + _ROW * len(shown),
        x_ticks=ticks,
        y_ticks=[],
        points=medians,
        strokes=strokes,
        thick=3.0,
        labels=labels,
        dot_sizes=(3.2, 3.2, 8.0),
    )
