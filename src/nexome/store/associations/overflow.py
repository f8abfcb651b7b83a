"""The overflow table of a segment: exact z of the few cells beyond the grid (|z| ≥ 32).

<segment>/overflow/row u32 [K], column u32 [K], value f32 [K]   sorted by (row, column)
<segment>/overflow/by_column u32 [K]                            their order by (column, row)

The folder is absent when no cell overflows.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nexome.store.associations.arrays import open_array, write_array, write_group
from nexome.store.associations.segment import Target, Window, matched
from nexome.store.associations.types import Floats, UInt32s

FOLDER = "overflow"


class OverflowTable:
    """Exact values of one segment, mapped."""

    def __init__(self, segment: Path) -> None:
        self._path = segment / FOLDER
        self._present = self._path.is_dir()

    def fill(self, window: Window, target: Target) -> None:
        """Note the exact z of the window's overflow cells in the target."""
        if not self._present or not len(window.rows):
            return
        low, high = np.searchsorted(self._row, [window.rows[0], window.rows[-1] + 1])
        if len(window.columns) == 1 and high - low > 1024:
            picked = self._of_column(int(window.columns[0]))
        else:
            picked = np.arange(low, high)
        in_rows, at_row = matched(window.rows, self._row[picked])
        in_columns, at_column = matched(window.columns, self._column[picked])
        both = in_rows & in_columns
        rows, columns = window.out_rows[at_row[both]], window.out_columns[at_column[both]]
        target.add_exact("z", rows, columns, self._value[picked[both]])

    def _of_column(self, column: int) -> npt.NDArray[Any]:
        order = open_array(self._path / "by_column")
        sorted_columns = self._column[order]
        low, high = np.searchsorted(sorted_columns, [column, column + 1])
        return order[low:high]

    @cached_property
    def _row(self) -> UInt32s:
        return open_array(self._path / "row")

    @cached_property
    def _column(self) -> UInt32s:
        return open_array(self._path / "column")

    @cached_property
    def _value(self) -> Floats:
        return open_array(self._path / "value")


def write_overflow(segment: Path, row: npt.NDArray[Any], column: npt.NDArray[Any], value: Floats) -> None:
    """Write the table of K cells in any order; nothing when K is 0."""
    if not len(row):
        return
    order = np.lexsort((column, row))
    row, column = row[order].astype(np.uint32), column[order].astype(np.uint32)
    write_group(segment / FOLDER, {})
    write_array(segment / FOLDER / "row", row)
    write_array(segment / FOLDER / "column", column)
    write_array(segment / FOLDER / "value", np.asarray(value, np.float32)[order])
    write_array(segment / FOLDER / "by_column", np.lexsort((row, column)).astype(np.uint32))
