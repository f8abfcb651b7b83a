"""Sorted texts on disk: equal ones and those that begin alike are found without reading the others.

A folder of memory-mapped arrays (K keys, sorted by their UTF-8 bytes):

    blob.npy      uint8: all keys end to end
    offsets.npy   int64 [K + 1]
    owner.npy     int32 [K]: what the key belongs to
    weight.npy    int32 [K]: heavier ones are completed first
    peaks.npy     int32 [K / 256]: heaviest of each block: the heaviest of a million come from few blocks
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Int32s = npt.NDArray[np.int32]

_BLOCK: Final = 256
_NAMES: Final = ("blob", "offsets", "owner", "weight", "peaks")


@dataclass(frozen=True)
class SortedKeys:
    """An opened folder; see the module."""

    blob: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    owner: Int32s
    weight: Int32s
    peaks: Int32s

    def __len__(self) -> int:
        return len(self.owner)

    @classmethod
    def build(cls, folder: Path, keys: pa.Array, owner: Int32s, *, weight: Int32s) -> Self:
        """Write `keys` (large strings), each with what owns it and its weight."""
        folder.mkdir(parents=True, exist_ok=True)
        order = pc.sort_indices(keys)
        ordered = keys.take(order)
        rows = order.to_numpy()
        offsets = np.frombuffer(ordered.buffers()[1], np.int64)[: len(ordered) + 1]
        blob = np.frombuffer(ordered.buffers()[2] or b"", np.uint8)[: offsets[-1]]
        weights = weight[rows].astype(np.int32)
        peaks = (
            np.maximum.reduceat(weights, np.arange(0, len(weights), _BLOCK))
            if len(weights)
            else weights.copy()
        )
        for name, array in zip(
            _NAMES, (blob, offsets, owner[rows].astype(np.int32), weights, peaks), strict=True
        ):
            np.save(folder / f"{name}.npy", array)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The keys in a folder, mapped."""
        arrays: list[Any] = [mapped(folder / f"{name}.npy") for name in _NAMES]
        return cls(*arrays)

    def text(self, place: int) -> str:
        """The key at a place."""
        return bytes(self.blob[self.offsets[place] : self.offsets[place + 1]]).decode()

    def range_of(self, prefix: str) -> tuple[int, int]:
        """Places of the keys that begin with `prefix`."""
        wanted = _bytes(prefix)
        low = _lower(self.blob, self.offsets, wanted, 0)
        return low, _lower(self.blob, self.offsets, wanted, 1)

    def equal(self, text: str) -> Int32s:
        """Owners of the keys that are `text`."""
        # Sorted by bytes, a key stands before its continuations, the first of which would go on with a NUL.
        low, high = (_lower(self.blob, self.offsets, _bytes(text + end), 0) for end in ("", "\0"))
        return np.asarray(self.owner[low:high])

    def heaviest(self, low: int, high: int) -> Iterator[int]:
        """Places in a range, heaviest first; equal ones in order."""
        if high - low <= 4 * _BLOCK:
            yield from low + np.argsort(-self.weight[low:high].astype(np.int64), kind="stable")
            return
        blocks = np.arange(low // _BLOCK, (high - 1) // _BLOCK + 1)
        order = blocks[np.argsort(-self.peaks[blocks].astype(np.int64), kind="stable")]
        waiting: list[tuple[int, int]] = []
        for block in order:
            peak = int(self.peaks[block])
            ready = sorted(item for item in waiting if -item[0] > peak)
            yield from (place for _, place in ready)
            waiting = [item for item in waiting if -item[0] <= peak]
            first, last = max(low, block * _BLOCK), min(high, (block + 1) * _BLOCK)
            waiting += [(-int(w), place) for place, w in enumerate(self.weight[first:last], first)]
        yield from (place for _, place in sorted(waiting))


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def mapped(path: Path) -> Any:
    """An array of a file: mapped where it is of any size (an empty one cannot be)."""
    return np.asarray(np.load(path, mmap_mode="r" if path.stat().st_size > 4096 else None))


@numba.njit(cache=True, nogil=True)
def _lower(blob: Any, offsets: Any, wanted: Any, after: int) -> int:
    """The first place whose key is not before `wanted`; with `after`, that neither begins with it."""
    low, high = 0, len(offsets) - 1
    while low < high:
        middle = (low + high) // 2
        begin, end = offsets[middle], offsets[middle + 1]
        order = 0
        for i in range(len(wanted)):
            if begin + i >= end:
                order = -1
                break
            if blob[begin + i] != wanted[i]:
                order = -1 if blob[begin + i] < wanted[i] else 1
                break
        if order < 0 or (order == 0 and after == 1):
            low = middle + 1
        else:
            high = middle
    return low
