"""Column segments: one or a few traits on an axis, uncompressed, mapped; where new studies wait.

<root>/associations/segments/<segment>/    Zarr v3 group, kind nexome-segment, layout column; T × V
    codes i16 [T, V, 3]      absolute codes of z, se, eaf side by side: one page read a trait and feature
    overflow/                exact z of cells beyond the grid (`overflow`)
    n f32 [T, V], info       only where they vary from cell to cell
    exact f32 [T, V, 3]      layout exact only: z, se, eaf as given

All column segments of an axis are read together (`ColumnSet`), so that a thousand of them cost one
pass and not a thousand calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.store.associations import codec, kernels
from nexome.store.associations.arrays import open_array
from nexome.store.associations.overflow import OverflowTable
from nexome.store.associations.segment import Target, Window, Work
from nexome.store.associations.types import Codes, Floats, Int64s, Plane

KIND: Final = "nexome-segment"
VERSION: Final = 1

_COLUMNS_A_PIECE: Final = 256
_CELLS_A_PIECE: Final = 1 << 18


class ColumnSegment:
    """One column segment, mapped."""

    def __init__(self, path: Path, *, optional: Sequence[str] = (), layout: str = "column") -> None:
        self.path = path
        self.codes: Codes = open_array(path / "codes")
        self.overflow = OverflowTable(path)
        self.layout = layout
        self._optional = optional

    @property
    def traits(self) -> int:
        """Number of columns T."""
        return self.codes.shape[0]

    @property
    def special(self) -> bool:
        """Whether there is more to read than codes."""
        return bool(self._optional) or self.layout == "exact"

    @cached_property
    def optional(self) -> dict[str, Floats]:
        """Float planes [T, V] by name: n, info."""
        return {name: open_array(self.path / name) for name in self._optional}

    @cached_property
    def exact(self) -> Floats | None:
        """Values as given, [T, V, 3], for studies that asked for it."""
        return open_array(self.path / "exact") if self.layout == "exact" else None


class ColumnSet:
    """Column segments of one axis side by side: their traits are numbered through."""

    def __init__(self, segments: Sequence[ColumnSegment]) -> None:
        self._segments = segments
        counts = [s.traits for s in segments]
        self._first: Int64s = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._address = _addresses([s.codes for s in segments])
        # Few segments carry more than codes: only those are looked at one by one.
        self._special = np.array([s.special for s in segments], bool)

    def work(self, window: Window, target: Target) -> list[Work]:
        """See `Segment.work`."""
        if not window.cells:
            return []
        step = max(1, min(_COLUMNS_A_PIECE, _CELLS_A_PIECE // len(window.rows)))
        work: list[Work] = [
            partial(self._read, _columns_of(window, slice(at, at + step)), target)
            for at in range(0, len(window.columns), step)
        ]
        owner = np.searchsorted(self._first, window.columns, side="right") - 1
        special = np.unique(owner[self._special[owner]]).tolist()
        own = {segment: _columns_of(window, owner == segment) for segment in special}
        return work + [partial(self._read_special, segment, own[segment], target) for segment in special]

    def _read(self, window: Window, target: Target) -> None:
        address = self._address[window.columns]
        planes = (target.z, target.se, target.eaf)
        rows = (window.rows, window.out_rows)
        if kernels.gather_columns(address, rows, window.out_columns, planes):
            self._fill_overflow(window, target)

    def _fill_overflow(self, window: Window, target: Target) -> None:
        part = target.z[np.ix_(window.out_rows, window.out_columns)]
        owner = np.searchsorted(self._first, window.columns, side="right") - 1
        for segment in np.unique(owner[(part == codec.OVERFLOW).any(axis=0)]).tolist():
            own = _columns_of(window, owner == segment)
            self._segments[segment].overflow.fill(self._inside(segment, own), target)

    def _read_special(self, number: int, window: Window, target: Target) -> None:
        segment, inside = self._segments[number], self._inside(number, window)
        for name, plane in segment.optional.items():
            place = np.ix_(window.out_rows, window.out_columns)
            target.optional(name)[place] = plane[np.ix_(inside.columns, window.rows)].T
        if segment.exact is not None:
            _fill_exact(segment.exact, inside, target)

    def _inside(self, segment: int, window: Window) -> Window:
        columns = window.columns - self._first[segment]
        return Window(window.rows, window.out_rows, columns, window.out_columns)


def _fill_exact(values: Floats, window: Window, target: Target) -> None:
    picked = values[np.ix_(window.columns, window.rows)]
    planes: tuple[Plane, ...] = ("z", "se", "eaf")
    for number, name in enumerate(planes):
        column, row = np.nonzero(~np.isnan(picked[:, :, number]))
        place = window.out_rows[row], window.out_columns[column]
        target.add_exact(name, *place, picked[column, row, number])


def _columns_of(window: Window, which: Any) -> Window:
    return Window(window.rows, window.out_rows, window.columns[which], window.out_columns[which])


def _addresses(codes: Sequence[Codes]) -> npt.NDArray[np.uint64]:
    """Memory address of each trait's [V, 3] block, uint64; the arrays must stay alive."""
    parts = [
        np.uint64(block.ctypes.data) + np.arange(len(block), dtype=np.uint64) * np.uint64(block.strides[0])
        for block in codes
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)
