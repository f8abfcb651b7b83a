"""Writing a dense segment: codes come in by rows, bands of whole shards go out, memory stays flat.

While one band is encoded, compressed and written by two threads, the next is being filled. What
lies on the disk afterwards is described in `dense`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.store.associations import codec, kernels, pack
from nexome.store.associations.arrays import write_array, write_group
from nexome.store.associations.chunks import CHUNK_COLUMNS, CHUNK_ROWS
from nexome.store.associations.dense import KIND, LAYOUT, VERSION
from nexome.store.associations.overflow import write_overflow
from nexome.store.associations.shards import FloatPlane, PlaneWriter, shard_shape
from nexome.store.associations.types import Codes, Floats

SAMPLED_TRAITS: Final = 64
ENCODER_THREADS: Final = 2


class DenseWriter:
    """Writes one dense segment of V × T cells; `groups` names the ancestry group of each trait [T]."""

    def __init__(
        self,
        path: Path,
        *,
        features: int,
        groups: Sequence[str],
        axis: str,
        optional: Sequence[str] = (),
    ) -> None:
        self.path, self.features, self.traits = path, features, len(groups)
        names = sorted(set(groups))
        self._group = np.array([names.index(g) for g in groups], np.int64)
        attributes = {"kind": KIND, "version": VERSION, "layout": LAYOUT, "axis": axis, "groups": names}
        write_group(path, attributes | {"optional": list(optional)})
        self._planes = {n: PlaneWriter(path / n, features, self.traits) for n in codec.PLANES}
        self._floats = {n: FloatPlane.create(path / n, features, self.traits) for n in optional}
        self._band_rows = shard_shape(self.traits)[0]
        self._lag = np.zeros(features, np.int8)
        self._rho = np.zeros(features, np.int8)
        self._baseline = np.zeros((features, len(names)), np.int16)
        self._se_level = np.zeros((features, len(names)), np.int16)
        self._offset: Codes | None = None
        self._overflow: list[tuple[npt.NDArray[Any], npt.NDArray[Any], Floats]] = []
        self._sample = np.unique(np.linspace(0, self.traits - 1, SAMPLED_TRAITS).astype(np.int64))
        self._pool = ThreadPoolExecutor(ENCODER_THREADS, thread_name_prefix="encode")
        self._thread = threading.local()
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

    def put_floats(self, planes: Mapping[str, Floats]) -> None:
        """Write the optional planes of the rows about to be advanced over, float32 [R, T] each."""
        for name, values in planes.items():
            self._floats[name].write(self.rows_written, values)

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
        small: dict[str, npt.NDArray[Any]] = {
            "lag": self._lag,
            "rho": self._rho,
            "baseline": self._baseline,
            "se_level": self._se_level,
            "group": self._group,
        }
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
        self._busy = band
        self._model(band, first, count)
        width = self._planes["z"].shard[1]
        self._pending = [
            self._pool.submit(write, band, first, (count, slice(start, min(start + width, self.traits))))
            for start in range(0, self.traits, width)
            for write in (self._write_z, self._write_eaf, self._write_se)
        ]

    def _wait(self) -> None:
        for future in self._pending:
            future.result()
        if self._pending:
            self._spare.append(self._busy)
        self._pending = []

    def _model(self, band: _Band, first: int, count: int) -> None:
        """What the residuals of a band are taken against."""
        rows = slice(first, first + count)
        kernels.estimate_prediction(band.z[:count], self._sample, self._lag[rows], self._rho[rows])
        zero = np.zeros(self.traits, np.int16)
        kernels.levels(band.eaf[:count], self._group, zero, self._baseline[rows])
        se, level = band.se[:count], self._se_level[rows]
        if self._offset is None:  # a fit in two rounds: traits, features, traits
            self._offset = np.zeros_like(zero)
            kernels.offsets(se, level, self._group, self._offset)
            kernels.levels(se, self._group, self._offset, level)
            kernels.offsets(se, level, self._group, self._offset)
        kernels.levels(se, self._group, self._offset, level)

    def _write_z(self, band: _Band, first: int, part: tuple[int, slice]) -> None:
        count, columns = part
        codes, rows = band.z[:count, columns], slice(first, first + count)
        model = (self._lag[rows], self._rho[rows])
        out, index = self._buffers(codes)
        misfits = np.zeros((0, 2), np.int64)
        size, found = pack.pack_z(codes, model, out, index, misfits, pack.codec_name())
        if found:  # cells on the grid whose residual does not fit are special too
            misfits = np.zeros((found, 2), np.int64)
            pack.pack_z(codes, model, out, index, misfits, pack.codec_name())
            row, column = misfits[:, 0], misfits[:, 1]
            self.add_overflow(row + first, column + columns.start, codec.decode_z(codes[row, column]))
        self._write("z", first, columns, out[:size], index)

    def _write_eaf(self, band: _Band, first: int, part: tuple[int, slice]) -> None:
        count, columns = part
        codes = band.eaf[:count, columns]
        model = (self._baseline[first : first + count], self._group[columns])
        out, index = self._buffers(codes)
        size = pack.pack_eaf(codes, model, out, index, pack.codec_name())
        self._write("eaf", first, columns, out[:size], index)

    def _write_se(self, band: _Band, first: int, part: tuple[int, slice]) -> None:
        assert self._offset is not None  # noqa: S101  made with the first band
        count, columns = part
        codes = band.se[:count, columns]
        model = (self._se_level[first : first + count], self._group[columns], self._offset[columns])
        out, index = self._buffers(codes)
        size = pack.pack_se(codes, model, out, index, pack.codec_name())
        self._write("se", first, columns, out[:size], index)

    def _buffers(self, codes: Codes) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
        """Room for the packed chunks of [R, C] codes (kept by each thread), and a new index."""
        a, b = -(-codes.shape[0] // CHUNK_ROWS), -(-codes.shape[1] // CHUNK_COLUMNS)
        kept: npt.NDArray[np.uint8] | None = getattr(self._thread, "out", None)
        if kept is None or len(kept) < a * b * pack.CHUNK_MOST:
            kept = self._thread.out = np.empty(a * b * pack.CHUNK_MOST, np.uint8)
        return kept, np.empty((a, b, 2), np.uint64)

    def _write(
        self,
        name: str,
        first: int,
        columns: slice,
        content: npt.NDArray[np.uint8],
        index: npt.NDArray[np.uint64],
    ) -> None:
        plane = self._planes[name]
        plane.write_shard(first // plane.shard[0], columns.start // plane.shard[1], content, index)


class _Band:
    """Buffers of one band of rows: int16 codes of three planes."""

    def __init__(self, rows: int, traits: int) -> None:
        self.z, self.se, self.eaf = (np.empty((rows, traits), np.int16) for _ in range(3))
