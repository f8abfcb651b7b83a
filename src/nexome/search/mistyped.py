"""Known words that a mistyped one may stand for: within one or two typing errors of it.

An error is a letter put in, left out, changed or swapped with the next. Only words of about its length and
with about its letters are compared (two small facts of each word, beside the words themselves).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numba
import numpy as np
import numpy.typing as npt

from nexome.search.keys import SortedKeys, mapped
from nexome.search.text import is_han

_ONE_ERROR: Final = 4  # letters from which on a word may have a typing error, and from which on two
_TWO_ERRORS: Final = 8
_MOST_KEPT: Final = 20_000  # mistyped words whose likely meanings are kept
_LIKELY: Final = 4  # known words that one may stand for


@dataclass(frozen=True)
class KnownWords:
    """Words in order of their lengths: `signs` uint64 [W] say which letters each has, `places` where it lies.

    `begins` int64 [257]: the first of each length. Safe to ask from several threads.
    """

    words: SortedKeys
    signs: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int32]
    begins: npt.NDArray[np.int64]
    _kept: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, words: SortedKeys) -> Self:
        """The words of a folder with signs.npy and lengths.npy; see `write_facts`."""
        lengths = np.asarray(mapped(folder / "lengths.npy"))
        places = np.argsort(lengths, kind="stable").astype(np.int32)
        begins = np.searchsorted(lengths[places], np.arange(257)).astype(np.int64)
        return cls(words, np.asarray(mapped(folder / "signs.npy"))[places], places, begins)

    def near(self, word: str) -> list[tuple[int, int]]:
        """Places in `words` of what a word may be, with the errors between them; likeliest first."""
        kept = self._kept.get(word)
        if kept is None:
            if len(self._kept) > _MOST_KEPT:
                self._kept.clear()
            kept = self._kept[word] = self._look(word)
        return kept

    def _look(self, word: str) -> list[tuple[int, int]]:
        length = len(word)
        if length < _ONE_ERROR or is_han(word) or any(c.isdigit() for c in word):
            return []
        most = 2 if length >= _TWO_ERRORS else 1
        wanted = np.frombuffer(word.encode(), np.uint8)
        close = _near(
            (wanted, np.uint64(sign_of(wanted.tobytes())), most),
            (self.words.blob, self.words.offsets, self.signs, self.places, self.begins),
        )
        found = [(int(errors), -int(self.words.weight[place]), int(place)) for place, errors in close]
        return [(place, errors) for errors, _, place in sorted(found)[:_LIKELY]]


def write_facts(folder: Path, words: SortedKeys) -> None:
    """Write what `KnownWords` reads beside the words: signs.npy uint64 [W], lengths.npy uint8 [W]."""
    spelled = [words.text(place).encode() for place in range(len(words))]
    np.save(folder / "signs.npy", np.array([sign_of(word) for word in spelled], np.uint64))
    np.save(folder / "lengths.npy", np.array([min(255, len(word)) for word in spelled], np.uint8))


def sign_of(word: bytes) -> int:
    """Which letters a word has, one bit each: an error changes at most two of them."""
    sign = 0
    for letter in word:
        sign |= 1 << (letter & 63)
    return sign


@numba.njit(cache=True, nogil=True)
def _near(question: Any, known: Any) -> Any:
    """(place, errors) of all words within the errors allowed."""
    word, sign, most = question
    blob, offsets, signs, places, begins = known
    found = [(np.int64(0), np.int64(0)) for _ in range(0)]
    size = len(word)
    room = np.empty((3, size + most + 3), np.int64)
    for row in range(begins[min(256, max(0, size - most))], begins[min(256, size + most + 1)]):
        place = places[row]
        longer = abs(offsets[place + 1] - offsets[place] - size)
        # a letter put in or left out changes one bit, another error two
        if longer > most or _bits(sign ^ signs[row]) > 2 * most - longer:
            continue
        errors = _errors(word, blob[offsets[place] : offsets[place + 1]], most, room)
        if errors <= most:
            found.append((np.int64(place), np.int64(errors)))
    return found


@numba.njit(cache=True, nogil=True)
def _bits(value: Any) -> int:
    """How many bits of 64 are 1."""
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    low = np.uint64(0x3333333333333333)
    value = (value & low) + ((value >> np.uint64(2)) & low)
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


@numba.njit(cache=True, nogil=True)
def _errors(one: Any, other: Any, most: int, room: Any) -> int:
    """Letters put in, left out, changed or swapped with the next (optimal string alignment), up to `most`.

    One more says that there are more. `room` int64 [3, at least 2 more than letters]: only so many places
    beside the diagonal of the table are worked out.
    """
    before, last, here = room[0], room[1], room[2]
    width, many = len(other) + 1, most + 1
    for j in range(min(width, most + 2)):
        last[j] = j
    least = 0
    for i in range(1, len(one) + 1):
        low, high = max(1, i - most), min(width - 1, i + most)
        here[low - 1] = i if low == 1 else many
        least_before, least = least, here[low - 1]
        for j in range(low, high + 1):
            value = min(last[j] + 1, here[j - 1] + 1, last[j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                value = min(value, before[j - 2] + 1)
            here[j] = value
            least = min(least, value)
        if least > most and least_before > most:
            return many
        here[high + 1] = many
        before, last, here = last, here, before
    return int(min(last[width - 1], many))
