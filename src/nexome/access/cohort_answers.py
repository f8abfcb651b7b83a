"""What the doors to cohorts answer with: a release of disclosure control, as a table, and how it was read.

A count or number that may not leave is null and `withheld` says why (`policy.REASONS`). Groups stand in
`group_1` … in the order of `by`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from nexome.access.cohort_grid import Axis
from nexome.access.cohort_words import Expansion, Understood
from nexome.access.disclosure import Release, Released
from nexome.model.cohorts import Variable
from nexome.model.fields import schema_of

GROUPS_MOST: Final = 3
_GROUPS: Final = tuple(f"group_{number + 1}" for number in range(GROUPS_MOST))
_PEOPLE: Final = ("participants", "participants_low", "participants_high")
COUNT_COLUMNS: Final = (*_GROUPS, *_PEOPLE, "withheld")
MEAN_COLUMNS: Final = (*_GROUPS, "participants", "mean", "standard_deviation", "withheld")
PERCENTILE_COLUMNS: Final = (*_GROUPS, "percentile", "percentile_value", "participants", "withheld")
HISTOGRAM_COLUMNS: Final = (*_GROUPS, "bin_low", "bin_high", *_PEOPLE, "withheld")


@dataclass(frozen=True, slots=True)
class CohortAnswer:
    """An answer about a cohort.

    `understood` is the filter as it was read; `snapped` what was fitted to the grid; `repeated`: people may
    have several visits, of which the first that fits counted. `by` are the axes of its groups; `variable`
    and `unit` what values are of, and in.
    """

    cohort: str
    version: int
    release: Release
    understood: Understood
    by: tuple[Axis, ...] = ()
    variable: Variable | None = None
    unit: str = ""
    snapped: tuple[str, ...] = ()
    repeated: bool = False

    @property
    def count(self) -> int | None:
        """Participants in all; None where that may not be told."""
        return self.release.total.count

    @property
    def expansions(self) -> tuple[Expansion, ...]:
        """Words that stood for terms below them."""
        return self.understood.expansions

    def table(self) -> pa.Table:
        """One row a group (COUNT_, MEAN_, PERCENTILE_ or HISTOGRAM_COLUMNS by the kind of question)."""
        kind = self.release.question.kind
        columns = _COLUMNS[kind]
        rows = list(self._rows(kind))
        return pa.Table.from_pylist(rows, schema=schema_of(columns))

    def meta(self) -> dict[str, Any]:
        """How it was read and by which rules it was answered, as plain values."""
        total = self.release.total
        return {
            "cohort": self.cohort,
            "cohort_version": self.version,
            "reader": self.release.reader,
            "filter": self.understood.text,
            "by": [axis.variable.name for axis in self.by],
            "variable": self.variable.name if self.variable else None,
            "unit": self.unit or None,
            "participants": total.count,
            "participants_low": total.low,
            "participants_high": total.high,
            "withheld": total.reason or None,
            "perturbed": self.release.perturbed,
            "coarser": self.release.coarser or None,
            "expansions": [
                {"asked": e.asked, "term": e.term, "stands_for": list(e.stands_for)} for e in self.expansions
            ],
            "taken_in": dict(self.understood.taken_in),
            "on_the_grid": list(self.snapped),
            "first_visit": self.repeated,
        }

    def _rows(self, kind: str) -> Iterable[dict[str, Any]]:
        for cell in self.release.cells:
            row: dict[str, Any] = dict(zip(_GROUPS, _label(cell.label), strict=False))
            row |= {"withheld": cell.reason or None, "participants": cell.count}
            if kind == "percentiles":
                yield from _percentile_rows(row, cell)
            elif kind == "mean":
                yield row | {"mean": cell.mean, "standard_deviation": cell.sd}
            else:
                row |= {"participants_low": cell.low, "participants_high": cell.high}
                yield row | (self._bin(cell) if kind == "histogram" else {})

    def _bin(self, cell: Released) -> dict[str, float | None]:
        axis = self.by[-1]
        name = _label(cell.label)[-1]
        at = (axis.codes or axis.labels()).index(name)
        limits = (None, *axis.cuts, None)
        low, high = (limits[at], limits[at + 1]) if axis.cuts else (None, None)
        return {"bin_low": low, "bin_high": high}


_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "count": COUNT_COLUMNS,
    "mean": MEAN_COLUMNS,
    "percentiles": PERCENTILE_COLUMNS,
    "histogram": HISTOGRAM_COLUMNS,
}


def _label(label: Any) -> tuple[str, ...]:
    return tuple(label) if isinstance(label, tuple) else (str(label),) if label else ()


def _percentile_rows(row: dict[str, Any], cell: Released) -> Iterable[dict[str, Any]]:
    if not cell.percentiles:
        yield row | {"percentile": 50.0, "percentile_value": None, "withheld": cell.reason or "tail"}
    for share, value in sorted(cell.percentiles.items()):
        yield row | {"percentile": round(100 * share, 6), "percentile_value": value}
