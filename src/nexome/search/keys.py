"""Sorted texts on disk: equal ones and those that begin alike are found without reading the others.

A folder of memory-mapped arrays (K keys, sorted by their UTF-8 bytes):

    blob.npy      uint8: all keys end to end
    offsets.npy   int64 [K + 1]
    owner.npy     int32 [K]: what the key belongs to
    weight.npy    int32 [K]: heavier ones are completed first
    peaks.npy     int32 [K / 256]: heaviest of each block: the heaviest of a million come from few blocks
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.search.topmost import best_first, empty_heaps, offer

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

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
        low, high = self.places_equal([text])
        return np.asarray(self.owner[low[0] : high[0]])

    def places_equal(self, texts: Sequence[str]) -> tuple[Int64s, Int64s]:
        """For each of Q texts the places of the keys that are equal: from, and before which, int64 [Q]."""
        # Sorted by bytes, a key stands before its continuations, the first of which would go on with a NUL.
        written = [text.encode() + end for end in (b"", b"\0") for text in texts]
        ends = np.cumsum([0, *map(len, written)], dtype=np.int64)
        found = np.empty(len(written), np.int64)
        blob = np.frombuffer(b"".join(written) or b"\0", np.uint8)
        _lower_of_many(self.blob, self.offsets, blob, ends, found)
        return found[: len(texts)], found[len(texts) :]

    def heaviest(self, low: int, high: int, most: int, among: tuple[Int32s, Bools] | None = None) -> Int64s:
        """Up to `most` places in a range, heaviest first; equal ones in order.

        `among`: the group of each owner int32, and which groups may be found; None: all.
        """
        weights, places = empty_heaps(1, max(0, min(most, high - low)), np.float64)
        if weights.shape[1] == 0:
            return np.zeros(0, np.int64)
        blocks = np.arange(low // _BLOCK, (high - 1) // _BLOCK + 1)
        order = blocks[np.argsort(-self.peaks[blocks].astype(np.int64), kind="stable")]
        keys = (self.owner, self.weight, self.peaks)
        _offer_heaviest((low, high), order, keys, among or _EVERYONE, (weights[0], places[0]))
        places = best_first(weights, places)[1][0]
        return np.asarray(places[places >= 0])


_EVERYONE: Final = (np.zeros(0, np.int32), np.zeros(0, np.bool_))


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


@numba.njit(cache=True, nogil=True)
def _lower_of_many(blob: Any, offsets: Any, wanted: Any, ends: Any, found: Any) -> None:
    for text in range(len(ends) - 1):
        found[text] = _lower(blob, offsets, wanted[ends[text] : ends[text + 1]], 0)


@numba.njit(cache=True, nogil=True)
def _offer_heaviest(bounds: Any, blocks: Any, keys: Any, among: Any, kept: Any) -> None:
    """Offer the keys of blocks, the heaviest blocks first, until none can be better than what is kept."""
    (owners, weights, peaks), (groups, allowed), (best, places) = keys, among, kept
    for block in blocks:
        first = max(bounds[0], block * _BLOCK)
        peak = np.float64(peaks[block])
        if peak < best[0] or (peak == best[0] and first > places[0]):
            break
        for place in range(first, min(bounds[1], (block + 1) * _BLOCK)):
            weight = np.float64(weights[place])
            if weight >= best[0] and (len(allowed) == 0 or allowed[groups[owners[place]]]):
                offer(weight, place, best, places)
