"""The doors of a View to cohorts: what there is, and how many, how much, at what age and sex.

    cohorts, cohort, variables, grid          the catalogue: dictionaries, no values
    count, means, percentiles, histogram      questions over people, each through `access.disclosure`
    variable_matrix, compare_sources          the same quantity in several cohorts

A filter is written as in `model.expressions`: `sex = female and age between 40 and 60 and ldl > 4.1 mmol/L`.
A person counts once, by the first visit at which everything asked for fits. A cohort that a reader may not
know of is as unknown as one that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa

from nexome.access.cohort_answers import GROUPS_MOST, CohortAnswer
from nexome.access.cohort_catalogue import (
    COHORT_COLUMNS,
    COMPARE_COLUMNS,
    FOUND_COLUMNS,
    MATRIX_COLUMNS,
    VARIABLE_COLUMNS,
    cohort_row,
    matrix_row,
    variable_row,
)
from nexome.access.cohort_filters import (
    All,
    Among,
    Filter,
    Measured,
    Within,
    tidy,
    variables_of,
)
from nexome.access.cohort_grid import Axis, Grid
from nexome.access.cohort_rows import gather
from nexome.access.cohort_words import Understood, Words, line_between
from nexome.access.disclosure import Condition, Question, Split, guard_of
from nexome.access.disclosure.words import Kind
from nexome.access.policy import decide_cohort
from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.errors import NotFoundError, QueryError, RefusedError
from nexome.model.fields import schema_of
from nexome.store.cohorts import CohortEntry, CohortTable

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal

PROBABILITIES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
CLINICAL_NEAR: Final = 0.02  # 4.1 mmol/L is 158.5 mg/dL, and 160 to who reads mg/dL
SAME: Final = 1e-12  # a limit and its neighbour in floating point
_COUNTED: Final = ("taken", "changed", "refused", "given")
_DIGITS: Final = 8  # of a number that was brought to another unit


@dataclass(frozen=True, slots=True)
class Asking:
    """How a question is asked. `project`: that in which a controlled reader asks. `unit`: of the answer.

    `version`: of the cohort, else the newest. `min_cell` may raise the smallest cell, never lower it.
    """

    variable: str | None = None
    unit: str | None = None
    project: str | None = None
    version: int | None = None
    probabilities: Sequence[float] = ()
    min_cell: int = 0


class _Asking(Protocol):
    """What of a View these doors lean on."""

    _centre: Centre
    principal: Principal

    def _count(self, kind: str) -> None: ...

    def _cohort(self, cohort: str, version: int | None = None) -> CohortTable: ...

    def _cohort_words(self, table: CohortTable) -> Words: ...

    def _visible_cohorts(self) -> dict[str, CohortEntry]: ...

    def _ask(self, kind: Kind, cohort: str, where: str, by: Sequence[str], **asked: Any) -> CohortAnswer: ...

    def percentiles(self, cohort: str, variable: str, where: str = "", **asked: Any) -> CohortAnswer: ...


class Counting:
    """Mixed into View; it is not made by itself.

    Raises NotFoundError for a cohort or variable that is not there (it says what is near), QueryError for a
    filter that cannot be understood, RefusedError, with a reason and where there is one the coarser question
    that would be answered. `by` are up to three variables, cut as on the grid of the cohort. How a question
    is asked is named as in `Asking`: `project`, `unit`, `version`, `min_cell`.
    """

    def cohorts(self: _Asking) -> pa.Table:
        """Cohorts this reader may know of, by name (COHORT_COLUMNS)."""
        store = self._centre.cohorts
        rows = [cohort_row(self._centre, store.get(name)) for name in self._visible_cohorts()]
        return pa.Table.from_pylist(rows, schema=schema_of(COHORT_COLUMNS))

    @property
    def has_cohorts(self: _Asking) -> bool:
        """Whether there is any cohort this reader may know of."""
        return bool(self._visible_cohorts())

    def cohort(self: _Asking, cohort: str) -> Cohort:
        """Everything known of a cohort: its data sheet."""
        return self._cohort(cohort).cohort

    def lineage(self: _Asking, cohort: str) -> dict[str, Any]:
        """How each variable of a harmonised cohort was made, a rule a source; {} of a cohort as collected.

        How many values a rule took, changed, refused and gave is the owner's to know.
        """
        table = self._cohort(cohort)
        if table.kind != "harmonised":
            return {}
        told = {variable.name: table.lineage(variable.name) for variable in table.variables}
        made = {name: entries for name, entries in told.items() if entries.get("sources")}
        if self.principal.kind == "owner":
            return made
        return {
            name: {"sources": [{k: v for k, v in e.items() if k not in _COUNTED} for e in entries["sources"]]}
            for name, entries in made.items()
        }

    def variables(self: _Asking, cohort: str, search: str | None = None) -> pa.Table:
        """Variables of a cohort in the order of its table (VARIABLE_COLUMNS); with `search`, those meant."""
        table = self._cohort(cohort)
        words = self._cohort_words(table)
        chosen = list(table.dictionary) if not search else words.search(search)
        rows = [variable_row(variable) for variable in chosen]
        return pa.Table.from_pylist(rows, schema=schema_of(VARIABLE_COLUMNS))

    def find_variables(self: _Asking, text: str) -> pa.Table:
        """Variables of all cohorts that a text means, or whose texts have all its words (FOUND_COLUMNS)."""
        rows = []
        for name in self._visible_cohorts():
            table = self._cohort(name)
            found = self._cohort_words(table).search(text)
            rows += [variable_row(variable) | {"cohort": name} for variable in found]
        return pa.Table.from_pylist(rows, schema=schema_of(FOUND_COLUMNS))

    def grid(self: _Asking, cohort: str) -> Grid:
        """The published grid of a cohort: bands, categories and cut points, from its dictionary alone."""
        return self._centre.cohort_words.grid(self._cohort(cohort))

    def count(
        self: _Asking, cohort: str, where: str = "", by: Sequence[str] = (), **asked: Any
    ) -> CohortAnswer:
        """How many people a filter holds for, in groups.

        view.count("town", "sex = female and age between 40 and 60 and ldl > 4.1 mmol/L and asthma = yes")
        view.count("town", by=["sex", "age"]).table()
        """
        return self._ask("count", cohort, where, by, **asked)

    def means(
        self: _Asking, cohort: str, variable: str, where: str = "", by: Sequence[str] = (), **asked: Any
    ) -> CohortAnswer:
        """Mean and standard deviation of a variable, in groups; in another `unit` where one is named.

        view.means("town", "LDL", by=["sex", "age"], unit="mg/dL").table()
        """
        return self._ask("mean", cohort, where, by, variable=variable, **asked)

    def percentiles(
        self: _Asking, cohort: str, variable: str, where: str = "", by: Sequence[str] = (), **asked: Any
    ) -> CohortAnswer:
        """Percentiles of a variable (`probabilities`, 0 to 1), in groups; never a minimum or maximum."""
        asked.setdefault("probabilities", PROBABILITIES)
        return self._ask("percentiles", cohort, where, by, variable=variable, **asked)

    def histogram(
        self: _Asking, cohort: str, variable: str, where: str = "", by: Sequence[str] = (), **asked: Any
    ) -> CohortAnswer:
        """How many people in each band of a variable as the grid cuts it, in groups."""
        return self._ask("histogram", cohort, where, [*by, variable], variable=variable, **asked)

    def variable_matrix(self: _Asking) -> pa.Table:
        """Which cohort measured what (MATRIX_COLUMNS): a row a quantity and cohort, the most shared first."""
        store = self._centre.cohorts
        tables = [store.get(name) for name in self._visible_cohorts()]
        found: dict[str, list[dict[str, Any]]] = {}
        for table in tables:
            for variable in table.variables:
                row = matrix_row(table, variable)
                found.setdefault(row["quantity"], []).append(row)
        shared = sorted(found.values(), key=lambda rows: -len({row["cohort"] for row in rows}))
        rows = [row for group in shared for row in group]
        return pa.Table.from_pylist(rows, schema=schema_of(MATRIX_COLUMNS))

    def compare_sources(
        self: _Asking, variable: str, where: str = "", *, unit: str | None = None, **asked: Any
    ) -> pa.Table:
        """A quantity in every cohort that has it, in one unit (COMPARE_COLUMNS).

        The unit is that of the first cohort where none is named. A cohort in which the filter cannot be
        understood, or that may not answer, has a row that says why.
        """
        rows: list[dict[str, Any]] = []
        for name in self._visible_cohorts():
            table = self._cohort(name)
            found = self._cohort_words(table).find(variable)
            if len(found) != 1 or not found[0].numeric:
                continue
            unit = unit or found[0].unit
            rows.append(_compared(self, table, found[0], where, unit=unit, asked=asked))
        if not rows:
            raise NotFoundError(
                f"no cohort with one variable {variable[:80]!r}", todo="See the matrix of variables."
            )
        return pa.Table.from_pylist(rows, schema=schema_of(COMPARE_COLUMNS))

    # ------------------------------------------------------------ how a question is asked

    def _ask(
        self: _Asking, kind: Kind, cohort: str, where: str, by: Sequence[str], **asked: Any
    ) -> CohortAnswer:
        how = Asking(**asked)
        table = self._cohort(cohort, how.version)
        words, grid = self._cohort_words(table), self._centre.cohort_words.grid(table)
        guard = guard_of(self._centre, self.principal, how.project)
        understood, snapped = fitted(words.read(where), grid if guard.reader == "grid" else None)
        axes = tuple(_axis(words, grid, name) for name in _few(by))
        measured = None if how.variable is None else _numeric(words, how.variable)
        line = (1.0, 0.0)
        if measured is not None and how.unit:
            line = line_between(measured.unit or "1", how.unit, measured, where="unit")
        question = _question(kind, table, understood, axes=axes, measured=measured, how=how)
        cells = gather(table, understood.filter, axes, variable=measured.name if measured else None)
        if kind == "histogram":  # of people, not of values
            cells = replace(cells, values=None)
        release = guard.release(question, cells, of=table, grid=grid)
        self._count("cohort")
        return CohortAnswer(
            cohort=table.id,
            version=table.version,
            release=_in_unit(release, *line),
            understood=understood,
            by=axes,
            variable=measured,
            unit=(how.unit or measured.unit) if measured else "",
            snapped=snapped,
            repeated=table.people != table.rows,
        )

    def _visible_cohorts(self: _Asking) -> dict[str, CohortEntry]:
        entries = self._centre.cohorts.manifest().newest
        return {n: e for n, e in entries.items() if decide_cohort(self.principal, n, e.access).allowed}

    def _cohort(self: _Asking, cohort: str, version: int | None = None) -> CohortTable:
        visible = self._visible_cohorts()
        if cohort not in visible:
            raise NotFoundError(
                f"no cohort {cohort[:80]!r}",
                expected=", ".join(list(visible)[:20]) or "none yet",
                todo="See the list of cohorts.",
            )
        return self._centre.cohorts.get(cohort, version)

    def _cohort_words(self: _Asking, table: CohortTable) -> Words:
        return self._centre.cohort_words.words(table, self)


def _question(
    kind: Kind,
    table: CohortTable,
    understood: Understood,
    *,
    axes: Sequence[Axis],
    measured: Variable | None,
    how: Asking,
) -> Question:
    names = [*variables_of(understood.filter), *(axis.variable.name for axis in axes)]
    if measured is not None:
        names.append(measured.name)
    return Question(
        kind=kind,
        cohort=table.id,
        version=table.version,
        text=_wording(kind, measured, understood, axes),
        variables=tuple(dict.fromkeys(names)),
        conditions=conditions_of(understood.filter, table.dictionary),
        by=tuple(Split(axis.variable.name, axis.cuts, axis.codes) for axis in axes),
        measured=measured.name if measured is not None else "",
        probabilities=tuple(how.probabilities),
        min_cell=how.min_cell,
    )


def conditions_of(asked: Filter, dictionary: Dictionary) -> tuple[Condition, ...] | None:
    """A filter as conditions joined by 'and', the upper end left out; None where it is not one."""
    found = []
    for part in asked.parts if isinstance(asked, All) else (asked,):
        match part:
            case Within(variable=name, low=low, high=high):
                found.append(Condition(name, *_half_open(dictionary.by_name[name], low, high)))
            case Among(variable=name, codes=codes):
                found.append(Condition(name, codes=codes))
            case Measured(variable=name, present=True):
                found.append(Condition(name))
            case _:
                return None
    return tuple(found)


def _half_open(variable: Variable, low: float, high: float) -> tuple[float, float]:
    if variable.type in {"integer", "date"}:
        low = low if math.isinf(low) else float(math.ceil(low))
        return low, high if math.isinf(high) else float(math.floor(high) + 1)
    return low, high if math.isinf(high) else float(np.nextafter(high, math.inf))


def fitted(understood: Understood, grid: Grid | None) -> tuple[Understood, tuple[str, ...]]:
    """A filter with its limits fitted to a grid (a band holds its lower limit), and what changed by it."""
    if grid is None:
        return understood, ()
    changed: list[str] = []

    def fit(part: Filter) -> Filter:
        if isinstance(part, All):
            return All(tuple(map(fit, part.parts)))
        axis = grid.axes.get(part.variable) if isinstance(part, Within) else None
        if not isinstance(part, Within) or axis is None:
            return part
        near = CLINICAL_NEAR if part.variable in understood.converted else SAME
        fitted = replace(part, low=_at_cut(axis, part.low, near), high=_below_cut(axis, part.high, near))
        if fitted != part:
            changed.append(str(fitted))
        return fitted

    found = tidy(fit(understood.filter))
    return replace(understood, filter=found, text=str(found)), tuple(changed)


def _at_cut(axis: Axis, limit: float, near: float) -> float:
    """The cut point a limit stands for, else the limit."""
    if not axis.cuts or math.isinf(limit):
        return limit
    nearest = min(axis.cuts, key=lambda cut: abs(cut - limit))
    return nearest if math.isclose(nearest, limit, rel_tol=near) else limit


def _below_cut(axis: Axis, limit: float, near: float) -> float:
    cut = _at_cut(axis, limit, near)
    return float(np.nextafter(cut, -math.inf)) if cut in axis.cuts else limit


def _few(by: Sequence[str]) -> Iterator[str]:
    if isinstance(by, str) or len(by) > GROUPS_MOST:
        raise QueryError(
            "too many groups", where="by", expected=f"at most {GROUPS_MOST} variables, as a list"
        )
    yield from by


def _axis(words: Words, grid: Grid, name: str) -> Axis:
    variable = words.variable(name, where="by")
    axis = grid.axes.get(variable.name)
    if axis is None:
        raise QueryError(
            f"{variable.name} has no bands",
            where="by",
            expected="a variable on the grid of the cohort",
            todo="A number needs a plausible range in the dictionary, a category at most 40 codes.",
        )
    return axis


def _numeric(words: Words, name: str) -> Variable:
    variable = words.variable(name)
    if not variable.numeric:
        raise QueryError(f"{variable.name} is a {variable.type}", where="variable", expected="a number")
    return variable


def _wording(kind: str, measured: Variable | None, understood: Understood, axes: Sequence[Axis]) -> str:
    parts = [kind if measured is None else f"{kind} of {measured.name}"]
    if axes:
        parts.append("by " + ", ".join(axis.variable.name for axis in axes))
    return " ".join([*parts, f"where {understood.text}" if understood.text else ""]).strip()


def _in_unit(release: Any, factor: float, offset: float) -> Any:
    """A release with its values brought to another unit: y = factor · x + offset."""
    if (factor, offset) == (1.0, 0.0):
        return release

    def moved(value: float | None) -> float | None:
        return None if value is None else float(f"{factor * value + offset:.{_DIGITS}g}")

    def of(cell: Any) -> Any:
        sd = None if cell.sd is None else float(f"{abs(factor) * cell.sd:.{_DIGITS}g}")
        percentiles = {share: moved(value) for share, value in cell.percentiles.items()}
        return replace(cell, mean=moved(cell.mean), sd=sd, percentiles=percentiles)

    margins = {at: of(cell) for at, cell in release.margins.items()}
    return replace(release, cells=tuple(map(of, release.cells)), total=of(release.total), margins=margins)


def _compared(
    view: _Asking, table: CohortTable, variable: Variable, where: str, *, unit: str, asked: dict[str, Any]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cohort": table.id,
        "title": table.cohort.title or None,
        "title_zh": table.cohort.title_zh or None,
        "variable": variable.name,
        "variable_unit": unit or None,
    }
    try:
        answer = view.percentiles(table.id, variable.name, where, unit=unit or None, **asked)
    except RefusedError as error:
        return row | {"withheld": error.reason}
    except (QueryError, NotFoundError) as error:
        return row | {"withheld": error.code}
    cell = answer.release.cells[0]
    shares = {f"p{round(100 * share)}": cell.percentiles.get(share) for share in PROBABILITIES}
    numbers = {"participants": cell.count, "mean": cell.mean, "standard_deviation": cell.sd}
    return row | numbers | shares | {"withheld": cell.reason or None}
