"""Whose rows answer a question: a filter and groups carried out on the packed columns of a cohort.

A person is one row: the first visit at which everything asked for fits at once (and the variable is
measured). So cells never share a person, and their counts add up. Rows of a table are sorted by participant,
then visit. A person who has no value of a grouping variable in that row is in no cell. No number leaves from
here: `access.disclosure` makes numbers of cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.access.cohort_filters import Filter, Mask, rows_of
from nexome.access.cohort_grid import Axis
from nexome.access.disclosure.words import Cells
from nexome.store.cohorts import CohortTable

Rows = npt.NDArray[np.intp]
SHORT_BYTES: Final = 2  # integers of so many bytes find their band by a table of all of them


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a cohort as filters read them (`cohort_filters.Columns`)."""

    table: CohortTable

    @property
    def rows(self) -> int:
        """R."""
        return self.table.rows

    def within(self, variable: str, low: float, high: float) -> Mask:
        """Whether low ≤ value ≤ high [R], compared as packed: 13.7 with one decimal is 137."""
        column = self.table.column(variable)
        raw = column.raw
        if raw.dtype.kind != "f":
            least, most = int(np.iinfo(raw.dtype).min) + 1, int(np.iinfo(raw.dtype).max)
            low, high = least_code(low, column.decimals), most_code(high, column.decimals)
            if low > most or high < least:
                return np.zeros(len(raw), bool)
            low, high = max(low, least), min(high, most)
            low, high = raw.dtype.type(low), raw.dtype.type(high)
        held = raw >= low if low > -math.inf else ~np.isnan(raw)
        if high < math.inf:
            held &= raw <= high
        return held

    def among(self, variable: str, codes: tuple[str, ...]) -> Mask:
        """Whether the category is one of some [R]."""
        column = self.table.column(variable)
        chosen = [number for number, code in enumerate(column.categories) if code in codes]
        held = np.zeros(len(column.raw), bool)
        for number in chosen:
            held |= column.raw == number
        return held

    def measured(self, variable: str) -> Mask:
        """Whether there is a value [R]."""
        return ~self.table.column(variable).missing

    def bands(self, axis: Axis, rows: Rows | None) -> npt.NDArray[np.int32]:
        """Band of an axis at some rows (None: all); −1 where the value is missing."""
        column = self.table.column(axis.variable.name)
        raw = column.raw if rows is None else column.raw[rows]
        if raw.dtype.kind == "f":
            bands = np.searchsorted(np.asarray(axis.cuts), raw, side="right").astype(np.int32)
            bands[np.isnan(raw)] = -1
            return bands
        if axis.codes:
            bands = _code_bands(column.categories, axis)
            return bands[np.maximum(raw, -1)]
        limits = np.array([least_code(cut, column.decimals) for cut in axis.cuts], np.float64)
        if raw.dtype.itemsize <= SHORT_BYTES:
            whole = np.dtype(f"u{raw.dtype.itemsize}")
            every = np.arange(1 << 8 * whole.itemsize).astype(whole).view(raw.dtype)
            table = np.searchsorted(limits, every, side="right").astype(np.int32)
            table[every == np.iinfo(raw.dtype).min] = -1
            return table[raw.view(whole)]
        bands = np.searchsorted(limits, raw, side="right").astype(np.int32)
        bands[raw == np.iinfo(raw.dtype).min] = -1
        return bands


def least_code(value: float, decimals: int) -> float:
    """The smallest whole number that divided by 10^decimals is `value` or more; ±inf for ±inf."""
    if math.isinf(value):
        return value
    scale = float(10**decimals)
    code = math.floor(value * scale)
    while code / scale < value:
        code += 1
    while (code - 1) / scale >= value:
        code -= 1
    return code


def most_code(value: float, decimals: int) -> float:
    """The largest whole number that divided by 10^decimals is `value` or less; ±inf for ±inf."""
    return -least_code(-value, decimals)


def gather(
    table: CohortTable, asked: Filter, by: Sequence[Axis] = (), *, variable: str | None = None
) -> Cells:
    """The cells of a question: each person in at most one, by the row that stands for them.

    `variable`: only rows with a value of it count, and its values go along.
    """
    columns = TableColumns(table)
    held = rows_of(asked, columns)
    if variable is not None:
        held &= columns.measured(variable)
    rows = first_rows(table, held)
    cell = np.full(table.rows, -1, np.int32)
    cell[rows] = _cells(columns, rows, by)
    values = None if variable is None else np.asarray(table.column(variable).values, np.float64)
    labels = list(product(*(axis.codes or axis.labels() for axis in by)))
    shape = tuple(len(axis) for axis in by) or (1,)
    return Cells(table.participants, cell, labels, values, shape=shape)


def first_rows(table: CohortTable, held: Mask) -> Rows:
    """The first of each participant's rows among those held."""
    rows = np.flatnonzero(held)
    if table.people == table.rows:
        return rows
    keys = table.participants[rows]
    first = np.empty(len(rows), bool)
    first[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return rows[first]


def _cells(columns: TableColumns, rows: Rows, by: Sequence[Axis]) -> npt.NDArray[np.int32]:
    """Cell of each row, the last axis running fastest; −1 where a value of an axis is missing."""
    cell = np.zeros(len(rows), np.int32)
    outside = np.zeros(len(rows), bool)
    for axis in by:
        band = columns.bands(axis, rows)
        outside |= band < 0
        cell *= np.int32(len(axis))
        cell += band
    cell[outside] = -1
    return cell


def _code_bands(categories: tuple[str, ...], axis: Axis) -> npt.NDArray[np.int32]:
    """Band of each ordinal; the last, which a missing one is (−128, −1 …), stands for none."""
    place = {code: number for number, code in enumerate(axis.codes)}
    return np.array([*(place.get(code, -1) for code in categories), -1], np.int32)
