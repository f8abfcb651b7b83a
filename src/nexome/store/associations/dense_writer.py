"""Writing a dense segment: codes come in by rows, bands of whole shards go out, memory stays flat.

While one band is encoded, compressed and written by two threads, the next is being filled. What
lies on the disk afterwards is described in `dense`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.store.associations import codec, kernels
from nexome.store.associations.arrays import write_array, write_group
from nexome.store.associations.dense import KIND, LAYOUT, VERSION
from nexome.store.associations.overflow import write_overflow
from nexome.store.associations.shards import PlaneWriter, shard_shape
from nexome.store.associations.types import Codes, Floats
from nexome.store.disk import space_errors

SAMPLED_TRAITS: Final = 64
ENCODER_THREADS: Final = 2


class DenseWriter:
    """Writes one dense segment of V × T cells; `groups` names the ancestry group of each trait [T]."""

    def __init__(self, path: Path, *, features: int, groups: Sequence[str], axis: str) -> None:
        self.path, self.features, self.traits = path, features, len(groups)
        names = sorted(set(groups))
        self._group = np.array([names.index(g) for g in groups], np.int64)
        attributes = {"kind": KIND, "version": VERSION, "layout": LAYOUT, "axis": axis, "groups": names}
        write_group(path, attributes)
        self._planes = {n: PlaneWriter(path / n, features, self.traits) for n in codec.PLANES}
        self._band_rows = shard_shape(self.traits)[0]
        self._lag = np.zeros(features, np.int8)
        self._rho = np.zeros(features, np.int8)
        self._baseline = np.zeros((features, len(names)), np.int16)
        self._offset: Codes | None = None
        self._overflow: list[tuple[npt.NDArray[Any], npt.NDArray[Any], Floats]] = []
        self._sample = np.unique(np.linspace(0, self.traits - 1, SAMPLED_TRAITS).astype(np.int64))
        self._pool = ThreadPoolExecutor(ENCODER_THREADS, thread_name_prefix="encode")
        self._pending: list[Future[None]] = []
        self._spare: list[_Band] = []
        self._band = _Band(min(self._band_rows, features), self.traits)
        self._first = 0
        self._filled = 0

    @property
    def rows_written(self) -> int:
        """Rows given so far."""
        return self._first + self._filled

    def room(self) -> tuple[Codes, Codes, Codes]:
        """Views of the unfilled rest of the present band, to write codes z, se, eaf into [R, T]."""
        left = min(len(self._band.z), self.features - self._first)
        return tuple(p[self._filled : left] for p in (self._band.z, self._band.se, self._band.eaf))  # type: ignore[return-value]

    def advance(self, rows: int) -> None:
        """Say that the first `rows` rows of `room()` are filled."""
        self._filled += rows
        if self._filled == len(self._band.z) or self.rows_written == self.features:
            self._flush()

    def add_overflow(self, row: npt.NDArray[Any], column: npt.NDArray[Any], value: Floats) -> None:
        """Exact z of K cells whose code is OVERFLOW: segment rows, columns, float32."""
        if len(row):
            self._overflow.append((row.astype(np.uint32), column.astype(np.uint32), value.astype(np.float32)))

    def add_codes(self, z: Codes, se: Codes, eaf: Codes) -> None:
        """Absolute codes of the next R rows, int16 [R, T] each."""
        done = 0
        while done < len(z):
            room = self.room()
            count = min(len(room[0]), len(z) - done)
            for target, source in zip(room, (z, se, eaf), strict=True):
                target[:count] = source[done : done + count]
            self.advance(count)
            done += count

    def finish(self) -> None:
        """Write what is left and the small tables. All V rows must have been given."""
        self._wait()
        self._pool.shutdown()
        small = {"lag": self._lag, "rho": self._rho, "baseline": self._baseline, "group": self._group}
        small["se_offset"] = np.zeros(self.traits, np.int16) if self._offset is None else self._offset
        for name, values in small.items():
            write_array(self.path / name, values)
        if self._overflow:
            write_overflow(self.path, *(np.concatenate(part) for part in zip(*self._overflow, strict=True)))

    def close(self) -> None:
        """Stop without finishing; what was written stays for the caller to remove."""
        self._pool.shutdown(cancel_futures=True)

    def _flush(self) -> None:
        band, first, count = self._band, self._first, self._filled
        self._wait()
        self._first, self._filled = first + count, 0
        self._band = self._spare.pop() if self._spare else _Band(len(band.z), self.traits)
        self._pending = [
            self._pool.submit(self._write_z, band, first, count),
            self._pool.submit(self._write_levels, band, first, count),
        ]
        self._busy = band

    def _wait(self) -> None:
        for future in self._pending:
            future.result()
        if self._pending:
            self._spare.append(self._busy)
        self._pending = []

    def _write_z(self, band: _Band, first: int, count: int) -> None:
        codes, rows = band.z[:count], slice(first, first + count)
        words = band.words[0][:count]
        kernels.estimate_prediction(codes, self._sample, self._lag[rows], self._rho[rows])
        if kernels.residuals_z(codes, self._lag[rows], self._rho[rows], words):
            self._note_misfits(codes, words, first)
        with space_errors(self.path):
            self._planes["z"].write(first, words)

    def _note_misfits(self, codes: Codes, words: npt.NDArray[np.uint16], first: int) -> None:
        """Cells on the grid whose residual does not fit are special too: their value goes to the table."""
        row, column = np.nonzero((words == 1) & (codes != codec.OVERFLOW))
        value = codec.decode_z(codes[row, column])
        self.add_overflow(row + first, column, value)

    def _write_levels(self, band: _Band, first: int, count: int) -> None:
        """The eaf plane, then the se plane, which leans on the same baseline."""
        eaf, se, words = band.eaf[:count], band.se[:count], band.words[1][:count]
        baseline = self._baseline[first : first + count]
        shape = codec.se_shape_table()
        kernels.baselines(eaf, self._group, baseline)
        if self._offset is None:
            self._offset = np.zeros(self.traits, np.int16)
            kernels.se_offsets(se, baseline, self._group, shape, self._offset)
        kernels.residuals_eaf(eaf, baseline, self._group, words)
        with space_errors(self.path):
            self._planes["eaf"].write(first, words)
        kernels.residuals_se(se, baseline, self._group, self._offset, shape, words)
        with space_errors(self.path):
            self._planes["se"].write(first, words)


class _Band:
    """Buffers of one band of rows: int16 codes of three planes, and words of the two writers."""

    def __init__(self, rows: int, traits: int) -> None:
        self.z, self.se, self.eaf = (np.empty((rows, traits), np.int16) for _ in range(3))
        self.words = [np.empty((rows, traits), np.uint16) for _ in range(2)]
