"""Dense segments: many traits on one axis, in sharded planes of small residuals.

<root>/associations/segments/<segment>/    Zarr v3 group, kind nexome-segment, layout dense; V × T
    z, se, eaf    uint16 [V, T], sharded (`shards`); words of the table below
    lag i8 [V], rho i8 [V]           prediction of z from an earlier row of the same block of 64
    baseline i16 [V, G]              eaf code of each group of studies (by ancestry)
    group i64 [T]                    group of each trait
    se_level i16 [V, G], se_offset i16 [T]   what standard errors are near: feature in group, trait
    overflow/                        exact z of special cells (`overflow`)
    n, info f32 [V, T], sharded      only where some trait varies from cell to cell

    word     z                                  se                              eaf
    0        missing                            missing                         missing
    1        special: exact z in overflow/      –                               exactly 0
    2        –                                  –                               exactly 1
    from     2: zigzag(code − p)                2: zigzag(code                  3: zigzag(code −
             p = rho[i]·c[i−lag[i]] >> 6             − se_level[i, group[j]]         baseline[i, group[j]])
                                                − se_offset[j])

`c` is the code of the earlier cell, or the prediction where that cell is missing or special; p is 0
where lag is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import DamagedError
from nexome.store.associations import chunks, codec
from nexome.store.associations.arrays import open_array, read_attributes, read_soon
from nexome.store.associations.chunks import CHUNK_COLUMNS, CHUNK_ROWS
from nexome.store.associations.overflow import OverflowTable
from nexome.store.associations.segment import Target, Window, Work
from nexome.store.associations.shards import FloatPlane, MappedPlane
from nexome.store.associations.types import Int64s, Plane

KIND: Final = "nexome-segment"
VERSION: Final = 1
LAYOUT: Final = "dense"

_CHUNKS_A_PIECE: Final = 24  # enough work that handing it to a thread is worth it


class DenseSegment:
    """One dense segment, mapped; safe to read from several threads."""

    def __init__(self, path: Path, *, optional: Sequence[str] = ()) -> None:
        self.path = path
        self._optional_names = optional
        self._planes = {name: MappedPlane(path / name) for name in codec.PLANES}
        self._overflow = OverflowTable(path)

    @property
    def shape(self) -> tuple[int, int]:
        """(V, T)."""
        return self._planes["z"].shape

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the segment's group: groups (ancestries), optional planes."""
        return read_attributes(self.path)

    @cached_property
    def baseline(self) -> npt.NDArray[np.int16]:
        """Codes of eaf, int16 [V, G], one column an ancestry group."""
        return open_array(self.path / "baseline")

    def work(self, window: Window, target: Target) -> list[Work]:
        """See `Segment.work`."""
        if not window.cells:
            return []
        layout = _Layout(window)
        work: list[Work] = [partial(self._overflow.fill, window, target)]
        work += [
            partial(self._read, name, layout, piece, target.plane(name))
            for piece in layout.pieces()
            for name in codec.PLANES
        ]
        for name in self._optional:
            plane = target.optional(name)
            work.append(partial(self._optional[name].read, window, plane))
        return work

    @cached_property
    def _optional(self) -> dict[str, FloatPlane]:
        return {n: FloatPlane(self.path / n) for n in self._optional_names}

    @cached_property
    def _prediction(self) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        return open_array(self.path / "lag"), open_array(self.path / "rho")

    @cached_property
    def _group(self) -> Int64s:
        return open_array(self.path / "group")

    @cached_property
    def _se_model(self) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        return open_array(self.path / "se_level"), open_array(self.path / "se_offset")

    def _read(
        self, name: Plane, layout: _Layout, piece: tuple[slice, slice], out: npt.NDArray[np.int16]
    ) -> None:
        a, b = piece
        rows, columns = layout.chunk_rows[a], layout.chunk_columns[b]
        where = self._planes[name].locate(rows, columns)
        rows_wanted = (layout.row_at[a.start : a.stop + 1], layout.window.rows, layout.window.out_rows)
        runs = (layout.run_at[b.start : b.stop + 1], layout.runs)
        self._read_soon(name, slice(int(rows[0]) * CHUNK_ROWS, (int(rows[-1]) + 1) * CHUNK_ROWS))
        if name == "z":
            bad = chunks.read_z(where, rows_wanted, self._prediction, runs, out)
        elif name == "eaf":
            bad = chunks.read_eaf(
                where, rows_wanted, (self.baseline, self._group, columns * CHUNK_COLUMNS), runs, out
            )
        else:
            level, offset = self._se_model
            model = (level, self._group, columns * CHUNK_COLUMNS, offset)
            bad = chunks.read_se(where, rows_wanted, model, runs, out)
        if bad >= 0:
            i, j = divmod(bad, len(columns))
            raise self._damaged(name, int(rows[i]), int(columns[j]))

    def _read_soon(self, name: Plane, rows: slice) -> None:
        if name == "z":
            for values in self._prediction:
                read_soon(values[rows])
        else:
            read_soon((self.baseline if name == "eaf" else self._se_model[0])[rows])

    def _damaged(self, name: str, i: int, j: int) -> DamagedError:
        return DamagedError(
            f"the chunk of row {i * CHUNK_ROWS} and column {j * CHUNK_COLUMNS} cannot be decompressed",
            where=str(self.path / name),
            expected="the bytes that were written",
            todo="Run `nexome verify`, then restore the store from a backup.",
        )


class _Layout:
    """A window cut along chunks: which chunk rows and columns, and what of each."""

    def __init__(self, window: Window) -> None:
        self.window = window
        chunk_row = window.rows // CHUNK_ROWS
        bounds = np.flatnonzero(np.diff(chunk_row, prepend=-1, append=-1))
        self.chunk_rows: Int64s = chunk_row[bounds[:-1]]
        self.row_at: Int64s = bounds.astype(np.int64)
        self.runs, self.chunk_columns, self.run_at = _column_runs(window.columns, window.out_columns)

    def pieces(self) -> Sequence[tuple[slice, slice]]:
        """The chunks in pieces of work: slices of chunk rows and chunk columns."""
        rows, columns = len(self.chunk_rows), len(self.chunk_columns)
        if columns >= _CHUNKS_A_PIECE or rows == 1:
            step = min(columns, _CHUNKS_A_PIECE)
            return [
                (slice(i, i + 1), slice(j, min(columns, j + step)))
                for i in range(rows)
                for j in range(0, columns, step)
            ]
        step = max(1, _CHUNKS_A_PIECE // columns)
        return [(slice(i, min(rows, i + step)), slice(0, columns)) for i in range(0, rows, step)]


def _column_runs(columns: Int64s, out_columns: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Runs of neighbouring columns inside chunks: runs [Q, 3], chunk columns [B], bounds [B + 1]."""
    breaks = (np.diff(columns) != 1) | (np.diff(out_columns) != 1) | (columns[1:] % CHUNK_COLUMNS == 0)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    lengths = np.diff(starts, append=len(columns))
    runs = np.stack([columns[starts] % CHUNK_COLUMNS, out_columns[starts], lengths], axis=1)
    chunk = columns[starts] // CHUNK_COLUMNS
    bounds = np.flatnonzero(np.diff(chunk, prepend=-1, append=-1))
    return runs.astype(np.int64), chunk[bounds[:-1]].astype(np.int64), bounds.astype(np.int64)
