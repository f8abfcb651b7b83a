"""Numbers outside the dictionary's range: missing and counted, unless they are most of a column.

A typing error here and there is expected. Where more than half of a file's column lies outside, the unit or
the range is wrong, and clearing the values would lose the column unseen: the import stops, and names the unit
that the values would fit (`ingest.mapping.evidence`). Of such columns alone some values are held, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.ingest.cohorts.cell_tally import CellTally, Rule
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import FormatError, InputError

MOST_OUTSIDE: Final = 0.5  # share of a column's values
_HELD: Final = 2_000  # values of one column by which its unit is looked for
_COLUMNS_HELD: Final = 100
_TOLD: Final = 5
_TODO: Final = (
    "Correct the unit or the range in the dictionary; or let such values become missing: "
    "--bad-values missing (counted in the receipt)."
)

Array = npt.NDArray[np.float64]
Lines = npt.NDArray[np.uint64]


def unit_that_fits(values: Array, variable: Variable) -> str:
    """The unit that the values [n] of a variable would fit, by what its names say it measures; '' if none."""
    from nexome.ingest.mapping.evidence import unit_evidence  # noqa: PLC0415  loads the units
    from nexome.ingest.mapping.quantities import quantities_of  # noqa: PLC0415

    told = quantities_of(variable)
    try:
        return unit_evidence(values, told[0].quantity, declared=variable.unit).unit if told else ""
    except InputError:  # nothing typical is known of it, or the unit is of another dimension
        return ""


@dataclass
class _Seen:
    """What one column of one file held."""

    variable: Variable
    values: int = 0
    outside: int = 0
    held: Array = field(default_factory=lambda: np.zeros(0))


@dataclass
class RangeCheck:
    """The dictionary's ranges, and what was met of them in all files."""

    dictionary: Dictionary
    tally: CellTally
    _seen: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    _columns_held: int = 0

    def __post_init__(self) -> None:
        bounded = [v for v in self.dictionary if v.minimum is not None or v.maximum is not None]
        self._ranged = [v for v in bounded if v.numeric]

    def clear(self, table: pa.Table, file: str, lines: Lines) -> pa.Table:
        """The table without numbers outside their range, which are counted. `lines` [rows]."""
        here = set(table.column_names)
        for variable in self._ranged:
            if variable.name not in here:
                continue
            column = table[variable.name]
            seen = self._seen.setdefault((file, variable.name), _Seen(variable))
            seen.values += len(column) - column.null_count
            outside = _outside(column, variable)
            count = int(outside.sum())
            if not count:
                continue
            seen.outside += count
            self._hold(seen, column, count)
            rule = Rule(file, variable.name, "out_of_range", "a number out of range", _range(variable))
            self.tally.count(rule, lines[outside])
            table = without_cells(table, variable.name, outside)
        return table

    def _hold(self, seen: _Seen, column: pa.ChunkedArray, outside: int) -> None:
        """Hold the block's first values, where most of them are outside."""
        filled = len(column) - column.null_count
        if outside <= MOST_OUTSIDE * filled or len(seen.held) or self._columns_held >= _COLUMNS_HELD:
            return
        self._columns_held += 1
        seen.held = column.drop_null()[:_HELD].cast(pa.float64()).to_numpy()

    def refuse(self) -> None:
        """Raise FormatError where more than half of a file's column lies outside its range."""
        wrong = [
            (file, seen)
            for (file, _), seen in self._seen.items()
            if seen.outside > MOST_OUTSIDE * seen.values
        ]
        if not wrong:
            return
        told = [f"{s.variable.name[:60]}: {_told(s)}" for _, s in wrong[1 : _TOLD + 1]]
        file, first = wrong[0]
        more = [f"and {len(wrong) - _TOLD - 1:,} columns more"] if len(wrong) > _TOLD + 1 else []
        raise FormatError(
            "; ".join([_told(first), *told, *more]),
            where=f"{file}, column {first.variable.name}",
            expected=_range(first.variable),
            todo=_TODO,
        )


def without_cells(table: pa.Table, name: str, gone: npt.NDArray[np.bool_]) -> pa.Table:
    """The table with the cells `gone` [rows] of one column missing."""
    column = table[name].combine_chunks()
    emptied = pc.if_else(pa.array(gone), pa.scalar(None, column.type), column)
    return table.set_column(table.column_names.index(name), name, emptied)


def _told(seen: _Seen) -> str:
    """How many values lie outside, and which unit they would fit; never a value."""
    text = f"{seen.outside:,} of {seen.values:,} values lie outside the dictionary's range"
    unit, declared = unit_that_fits(seen.held, seen.variable), seen.variable.unit
    if not unit:
        return f"{text}: the unit or the range is wrong"
    if unit == declared:
        return f"{text}, and fit the unit {unit}: the range is wrong"
    return f"{text}; they fit the unit {unit}" + (f", not {declared}" if declared else "")


def _outside(column: pa.ChunkedArray, variable: Variable) -> npt.NDArray[np.bool_]:
    """Where numbers are below the minimum or above the maximum."""
    numbers = column.combine_chunks()
    values = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    outside = np.zeros(len(values), bool)
    if variable.minimum is not None:
        outside |= values < variable.minimum
    if variable.maximum is not None:
        outside |= values > variable.maximum
    return outside & numbers.is_valid().to_numpy(zero_copy_only=False)


def _range(variable: Variable) -> str:
    return f"{_bound(variable.minimum)} to {_bound(variable.maximum)} {variable.unit}".strip()


def _bound(number: float | None) -> str:
    return "any" if number is None else f"{number:g}"
