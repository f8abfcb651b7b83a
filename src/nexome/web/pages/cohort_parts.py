"""What the pages of cohorts share: units as people read them, options of forms, people by band.

A figure names its cohort by the row of the list of cohorts (`told_of`): version and date as readers see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nexome.access.cohort_answers import CohortAnswer
from nexome.web.pages.cohort_figures import BandPlot, Outline, trimmed
from nexome.web.pages.language import Language
from nexome.web.pages.page import Ask, rows_of

_UNITS: Final = {
    "mm[Hg]": "mmHg",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "[IU]": "IU",
    "10*": "10^",
    "m2": "m²",
    "m3": "m³",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a form."""

    value: str
    text: str
    chosen: bool


def unit_text(unit: str | None, t: Language) -> str:
    """A UCUM code as people read it ('mm[Hg]': mmHg, 'umol/L': µmol/L, 'a': years); '' for none."""
    if unit in {"a", "mo", "d"}:
        return t.of("cohorts.time_unit", unit)
    plain = "" if unit in {None, "1"} else str(unit)
    for code, shown in _UNITS.items():
        plain = plain.replace(code, shown)
    return f"µ{plain[1:]}" if plain.startswith("u") and plain[1:2].isalpha() else plain


def told_of(ask: Ask, cohort: str) -> Mapping[str, Any]:
    """The row of a cohort, which may be known of, in the list of cohorts."""
    return next(row for row in rows_of(ask.view.cohorts()) if row["cohort"] == cohort)


def source_text(ask: Ask, told: Mapping[str, Any]) -> str:
    """What a figure says of where its numbers are from."""
    return ask.t(
        "cohorts.source", cohort=told["cohort"], version=told["cohort_version"], date=told["published"][:10]
    )


def how_counted(ask: Ask, answer: CohortAnswer) -> str:
    """How numbers of people are to be read: exact, rounded, or perturbed."""
    said = [ask.t.of("cohorts.reader", answer.release.reader)]
    if answer.repeated:
        said.append(ask.t("cohorts.first_visit"))
    return " ".join(said)


def bands_of(ask: Ask, answer: CohortAnswer) -> tuple[BandPlot, str, str]:
    """An answer whose last axis has bands, as a figure; its largest group, and where most of that is."""
    axis = answer.by[-1]
    plot = trimmed(BandPlot(np.array(axis.cuts), axis.labels(ask.t.code), tuple(_outlines(ask, answer))))
    most = max(plot.outlines, key=lambda one: float(np.nansum(one.people)))
    return plot, most.name, plot.bands[int(np.nan_to_num(most.people).argmax())]


def _outlines(ask: Ask, answer: CohortAnswer) -> Iterator[Outline]:
    """An outline a group, the last one in the accent."""
    cells = answer.release.cells
    people = np.array([np.nan if cell.count is None else float(cell.count) for cell in cells])
    groups = people.reshape(-1, len(answer.by[-1]))
    names = answer.by[0].labels(ask.t.code) if len(answer.by) > 1 else (ask.t("cohorts.everyone"),)
    for at, (name, counts) in enumerate(zip(names, groups, strict=True)):
        yield Outline(name, counts, 2 if at == len(groups) - 1 else at % 2)
