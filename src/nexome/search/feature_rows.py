"""Which rows of an encoder's table the features of many texts have, worked out in compiled code.

The same features as `text.features`, which stays the plain definition: a word, pieces of three to five
letters of it with its ends marked, and runs of one to three Chinese characters. A known feature is found in
an open-addressed table by a 64-bit hash of its UTF-8 bytes (FNV-1a); any other shares one of the `hashed`
rows by the CRC-32 of the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from nexome.search.text import words

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

_FILLED: Final = 4  # places of the table for each known feature
_FNV_START: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
_SPACE: Final = ord(" ")
_NEWLINE: Final = ord("\n")
_ROOM: Final = 8  # features for each byte of a text, at the most


def _crc_table() -> npt.NDArray[np.uint32]:
    made = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        made = np.where(made & 1, (made >> 1) ^ np.uint32(0xEDB88320), made >> 1).astype(np.uint32)
    return made


_CRC: Final = _crc_table()


class KnownFeatures(NamedTuple):
    """Known features by their hashes: an open-addressed table of a power of two places, −1 where empty."""

    hashes: npt.NDArray[np.uint64]
    rows: Int32s

    @classmethod
    def of(cls, known: Sequence[str]) -> KnownFeatures:
        """The table of features in their order."""
        size = 1 << max(4, (_FILLED * len(known)).bit_length())
        texts = [feature.encode() for feature in known]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        blob = np.frombuffer(b"".join(texts), np.uint8)
        table = cls(np.zeros(size, np.uint64), np.full(size, -1, np.int32))
        _fill(blob, ends, table.hashes, table.rows)
        return table


def feature_rows(
    texts: Sequence[str], known: KnownFeatures, first: int, hashed: int
) -> tuple[Int32s, Int64s]:
    """Rows of the features of N texts, end to end int32 [F], and where each text begins int64 [N + 1].

    `first`: the first of the `hashed` rows that unknown features share; with `hashed` 0 they have none.
    """
    written = "\n".join([" ".join(words(text)) for text in texts]).encode()
    blob = np.frombuffer(written + b"\n", np.uint8)
    offsets = np.zeros(len(texts) + 1, np.int64)
    rows = np.empty(_ROOM * len(blob), np.int32)
    count = _find(blob, known.hashes, known.rows, (first, hashed, _CRC), (rows, offsets))
    return rows[:count].copy(), offsets


@numba.njit(cache=True, nogil=True)
def _fill(blob: Any, ends: Any, hashes: Any, rows: Any) -> None:
    for row in range(len(ends) - 1):
        key = _FNV_START
        for at in range(ends[row], ends[row + 1]):
            key = (key ^ np.uint64(blob[at])) * _FNV_PRIME
        place = np.int64(key & np.uint64(len(rows) - 1))
        while rows[place] >= 0 and hashes[place] != key:
            place = (place + 1) & (len(rows) - 1)
        hashes[place], rows[place] = key, row


@numba.njit(cache=True, nogil=True)
def _find(blob: Any, hashes: Any, table: Any, shared: Any, out: Any) -> int:
    """Write the rows of all texts; how many."""
    rows, offsets = out
    text, count, begin = 0, 0, 0
    marked = np.empty(len(blob) + 3, np.uint8)  # kind, '<', the word, '>'
    starts = np.empty(len(blob) + 3, np.int64)  # of its characters
    for at in range(len(blob)):
        if blob[at] != _SPACE and blob[at] != _NEWLINE:
            continue
        if at > begin:
            count = _word(blob[begin:at], (marked, starts), (hashes, table, shared), rows, count)
        begin = at + 1
        if blob[at] == _NEWLINE:
            text += 1
            offsets[text] = count
    return count


@numba.njit(cache=True, nogil=True)
def _word(word: Any, room: Any, known: Any, rows: Any, count: int) -> int:
    """Write the rows of one word's features; how many there are now."""
    marked, starts = room
    marked[1] = ord("<")
    marked[2 : 2 + len(word)] = word
    marked[2 + len(word)] = ord(">")
    if _is_han(word):
        characters = _characters(marked, 2, 2 + len(word), starts)
        for size in range(1, 4):
            count = _pieces((marked, starts, characters, size), ord("z"), known, rows, count)
        return count
    marked[1] = ord("w")
    count = _keep(marked, 1, 2 + len(word), known, rows, count)
    marked[1] = ord("<")
    characters = _characters(marked, 1, 3 + len(word), starts)
    for size in range(3, 6):
        if size > 3 and characters <= size:  # a word shorter than its pieces is a piece itself, once
            break
        count = _pieces((marked, starts, characters, size), ord("c"), known, rows, count)
    return count


@numba.njit(cache=True, nogil=True)
def _pieces(cut: Any, kind: int, known: Any, rows: Any, count: int) -> int:
    marked, starts, characters, size = cut
    for first in range(characters - size + 1):
        before = marked[starts[first] - 1]
        marked[starts[first] - 1] = kind
        count = _keep(marked, starts[first] - 1, starts[first + size], known, rows, count)
        marked[starts[first] - 1] = before
    return count


@numba.njit(cache=True, nogil=True)
def _keep(marked: Any, begin: int, end: int, known: Any, rows: Any, count: int) -> int:
    """Write the row of the feature that these bytes spell, if it has one; how many there are now."""
    hashes, table, (first, hashed, crc_table) = known
    key = _FNV_START
    for at in range(begin, end):
        key = (key ^ np.uint64(marked[at])) * _FNV_PRIME
    place = np.int64(key & np.uint64(len(table) - 1))
    while table[place] >= 0:
        if hashes[place] == key:
            rows[count] = table[place]
            return count + 1
        place = (place + 1) & (len(table) - 1)
    if hashed == 0:
        return count
    crc = np.uint32(0xFFFFFFFF)
    for at in range(begin, end):
        crc = crc_table[(crc ^ np.uint32(marked[at])) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    rows[count] = first + np.int64(crc ^ np.uint32(0xFFFFFFFF)) % hashed
    return count + 1


@numba.njit(cache=True, nogil=True)
def _characters(marked: Any, begin: int, end: int, starts: Any) -> int:
    """Where each character of UTF-8 bytes begins, and the end; how many there are."""
    count = 0
    for at in range(begin, end):
        if (marked[at] & 0xC0) != 0x80:
            starts[count] = at
            count += 1
    starts[count] = end
    return count


@numba.njit(cache=True, nogil=True)
def _is_han(word: Any) -> bool:
    """Whether the first character is a Chinese one (3 bytes of UTF-8)."""
    if len(word) < 3 or word[0] < 0xE0 or word[0] >= 0xF0:
        return False
    code = (np.int64(word[0] & 0x0F) << 12) | (np.int64(word[1] & 0x3F) << 6) | np.int64(word[2] & 0x3F)
    return bool(0x3400 <= code <= 0x4DBF or 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF)
