"""Many texts as numbers: a table that grows while a graph is built, and a sorted one that is mapped.

`StringTable` gives each distinct text the next number (open addressing, texts compared, not only their
hashes). `SortedStrings` is an Arrow IPC file with one column of texts in order of their UTF-8 bytes, so
that a prefix is a range of numbers. Nothing here knows what the texts mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.store.disk import damaged

Codes = npt.NDArray[np.int32]

_FNV_START: Final = np.uint64(14_695_981_039_346_656_037)
_FNV_PRIME: Final = np.uint64(1_099_511_628_211)
_FIRST_SLOTS: Final = 1 << 12
_NEAR: Final = 3  # texts on either side of where an unknown one would stand


class StringTable:
    """Texts numbered in the order in which they first come. Not thread-safe."""

    def __init__(self) -> None:
        self._bytes = np.empty(1 << 12, np.uint8)
        self._ends = np.zeros(1 << 8, np.int64)  # end of text i; its start is the end of the one before
        self._hashes = np.empty(1 << 8, np.uint64)
        self._slots = np.full(_FIRST_SLOTS, -1, np.int32)
        self.size = 0

    def add(self, column: pa.Array) -> Codes:
        """The number of each text of a column of strings, new texts numbered; a null is ''."""
        column = pc.fill_null(column, "").cast(pa.large_string())
        count = len(column)
        if not count:
            return np.empty(0, np.int32)
        _, offsets, content = column.buffers()
        ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + count + 1]
        data = np.frombuffer(content, np.uint8) if content is not None else np.empty(0, np.uint8)
        self._make_room(count, int(ends[-1] - ends[0]))
        codes = np.empty(count, np.int32)
        kept = (self._bytes, self._ends, self._hashes, self._slots)
        self.size = _number_texts(data, ends, *kept, self.size, codes)
        return codes

    def array(self) -> pa.Array:
        """All texts, by number."""
        offsets = np.concatenate(([0], self._ends[: self.size]))
        used = self._bytes[: offsets[-1]]
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(used)]
        return pa.LargeStringArray.from_buffers(self.size, buffers[1], buffers[2])

    def _make_room(self, texts: int, size: int) -> None:
        used = int(self._ends[self.size - 1]) if self.size else 0
        self._bytes = _grown(self._bytes, used + size)
        self._ends = _grown(self._ends, self.size + texts)
        self._hashes = _grown(self._hashes, self.size + texts)
        slots = len(self._slots)
        while slots < 2 * (self.size + texts):
            slots *= 2
        if slots != len(self._slots):
            self._slots = np.full(slots, -1, np.int32)
            _fill_slots(self._slots, self._hashes, self.size)


def write_texts(path: Path, texts: pa.Array) -> None:
    """Write texts as an Arrow IPC file of one batch, so that it can be mapped whole."""
    batch = pa.record_batch([texts.cast(pa.large_string())], names=["text"])
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, batch.schema) as writer:
        writer.write_batch(batch)


class SortedStrings:
    """Texts of a mapped file by number; where they are sorted, also numbers by text. Thread-safe."""

    def __init__(self, texts: pa.Array) -> None:
        self._texts = texts
        _, offsets, content = texts.buffers()
        self._ends = np.frombuffer(offsets, np.int64)[texts.offset :]
        self._content: Any = memoryview(content) if content is not None else b""

    @classmethod
    def open(cls, path: Path) -> SortedStrings:
        """Map what `write_texts` wrote. Raises DamagedError."""
        try:
            with pa.memory_map(str(path)) as stream:
                return cls(pa.ipc.open_file(stream).get_batch(0).column(0))
        except (OSError, pa.ArrowException, IndexError) as error:
            raise damaged(path, f"cannot be read ({type(error).__name__})", "texts in Arrow IPC") from None

    def __len__(self) -> int:
        return len(self._texts)

    def text(self, number: int) -> str:
        """One text."""
        return str(self._bytes(number), "utf-8")

    def take(self, numbers: npt.NDArray[np.integer]) -> pa.Array:
        """The texts of several numbers."""
        return self._texts.take(pa.array(numbers, pa.int64())).cast(pa.string())

    def find(self, text: str) -> int:
        """The number of a text; -1 where it is not there."""
        wanted = text.encode()
        place = self._first_not_below(wanted)
        return place if place < len(self) and self._bytes(place) == wanted else -1

    def range_of(self, prefix: str) -> tuple[int, int]:
        """First number, and the one behind the last, of the texts that begin so."""
        start = prefix.encode()
        return self._first_not_below(start), self._first_not_below(start + b"\xff")

    def near(self, text: str) -> list[str]:
        """Texts that stand beside where this one would, of those that share its first half."""
        place = self._first_not_below(text.encode())
        beside = range(max(0, place - _NEAR), min(len(self), place + _NEAR))
        start = text[: max(1, len(text) // 2)]
        return [found for found in map(self.text, beside) if found.startswith(start)]

    def _bytes(self, number: int) -> bytes:
        return bytes(self._content[self._ends[number] : self._ends[number + 1]])

    def _first_not_below(self, wanted: bytes) -> int:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low


def _grown(array: npt.NDArray[Any], needed: int) -> npt.NDArray[Any]:
    if needed <= len(array):
        return array
    larger = np.empty(max(needed, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


@numba.njit(cache=True, nogil=True)
def _number_texts(  # noqa: PLR0913, PLR0917  buffers of one table, in compiled code
    data: Any, ends: Any, kept: Any, kept_ends: Any, hashes: Any, slots: Any, size: int, codes: Any
) -> int:
    mask = len(slots) - 1
    used = kept_ends[size - 1] if size else 0
    for i in range(len(codes)):
        first, last = ends[i], ends[i + 1]
        code = _hash(data, first, last)
        slot = np.int64(code & np.uint64(mask))
        while slots[slot] >= 0 and not (
            hashes[slots[slot]] == code and _same(data, first, last, kept, kept_ends, slots[slot])
        ):
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            slots[slot] = size
            hashes[size] = code
            for j in range(first, last):
                kept[used + j - first] = data[j]
            used += last - first
            kept_ends[size] = used
            size += 1
        codes[i] = slots[slot]
    return size


@numba.njit(cache=True, nogil=True)
def _hash(data: Any, first: int, last: int) -> Any:
    code = _FNV_START
    for j in range(first, last):
        code = (code ^ np.uint64(data[j])) * _FNV_PRIME
    return code ^ (code >> np.uint64(29))


@numba.njit(cache=True, nogil=True)
def _same(data: Any, first: int, last: int, kept: Any, kept_ends: Any, number: int) -> bool:
    start = kept_ends[number - 1] if number else 0
    if kept_ends[number] - start != last - first:
        return False
    for j in range(last - first):  # noqa: SIM110  compiled
        if kept[start + j] != data[first + j]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _fill_slots(slots: Any, hashes: Any, size: int) -> None:
    mask = len(slots) - 1
    for number in range(size):
        slot = np.int64(hashes[number] & np.uint64(mask))
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = number
