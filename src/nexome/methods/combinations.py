"""Which sums and differences of known populations come close to a new one.

A new population P is close to known ones when some P + a·A + b·B + c·C − w·W, with a, b, c of −1, 0 or 1 and
W everyone, is zero for all but fewer than `threshold` people, and not for all. Sketches (`populations`) of
K known populations are folded to `threshold` groups: where fewer people than groups are left over, one group
at least is exactly zero (pigeonhole), and there −(b·B + c·C) = P + a·A − w·W. The right side is tried for
every A in every group against a Bloom filter of all pairs; a hit is resolved to B and C by looking up single
populations, and what is found is proved on the whole sketches. Nothing close is missed; costs grow with K
for a question and with K for a new population, memory with K² (48 bytes a pair for a threshold of 5… see
`bits_per_entry`). The plain triple loop stands in the tests.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from nexome.methods.populations import GROUPS, fold

BITS_PER_ENTRY: Final = 48  # of the filter: a wrong hit in some ten thousand tries
FIRST_CAPACITY: Final = 128

U64 = npt.NDArray[np.uint64]

_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)  # MurmurHash3's finaliser
_GROUP_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_NEVER: Final = 99  # a multiple of everyone that is not tried
_BITS: Final = 5  # of one word, set for each entry


class CombinationIndex:
    """Known populations and their pairs, in memory. Not safe from several threads at once."""

    def __init__(self, threshold: int) -> None:
        self.threshold = threshold
        self._count: int
        self._make_room(FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._count - 1  # the first is nobody: it stands for 'no population' in a combination

    def add(self, sketch: U64) -> None:
        """Take a population's sketch [GROUPS] in."""
        if self._count == len(self._whole):
            kept = self._whole[1 : self._count]
            self._make_room(2 * (len(self._whole) - 1))
            for old in kept:
                self._add(old)
        self._add(sketch)

    def truncate(self, length: int) -> None:
        """Forget all but the first. Bits of the filter that those added since `settle` set are unset.

        What stays in it of pairs added before costs time alone: each is looked at to no end.
        """
        for _ in range(min(len(self._undo), self._count - 1 - length)):
            _take_back(self._filter, *self._undo.pop())
        self._count = length + 1
        self._singles[:] = 0
        for at in range(1, self._count):
            _add_single(self._singles, self._folded, at)

    def settle(self) -> None:
        """What is known now stays: what it takes to forget it is let go."""
        self._undo.clear()

    def is_close(self, sketch: U64, whole: U64, *, settled: bool = False) -> bool:
        """Whether a population comes close to known ones; `whole` is the sketch of everyone.

        `settled`: it is everyone, or everyone but a known population. What it comes close to, everyone
        subtracted once, was then tried when the last of those was added, and is not tried again.
        """
        folded = fold(np.stack([sketch, whole]), self.threshold)
        known = (self._whole, self._folded, self._count, self._singles, self._filter)
        tried = 1 if settled else _NEVER
        return bool(_is_close((sketch, whole), (folded[0], folded[1]), known, tried))

    def _make_room(self, capacity: int) -> None:
        self._whole = np.zeros((capacity + 1, GROUPS), np.uint64)
        self._folded = np.zeros((capacity + 1, self.threshold), np.uint64)
        self._singles = np.zeros((self.threshold, 4 * capacity), np.int32)
        words = capacity * capacity * self.threshold * BITS_PER_ENTRY // 64
        self._filter = np.zeros(1 << max(10, words.bit_length()), np.uint64)
        self._count = 1
        self._undo: list[tuple[npt.NDArray[np.int64], U64]] = []

    def _add(self, sketch: U64) -> None:
        at = self._count
        self._whole[at] = sketch
        self._folded[at] = fold(sketch[None, :], self.threshold)[0]
        _add_single(self._singles, self._folded, at)
        self._undo.append(_add_pairs(self._filter, self._folded, at))
        self._count += 1


@njit(cache=True, nogil=True, inline="always")
def _key(value: Any, group: Any) -> Any:
    negative = np.uint64(0) - value
    small = min(value, negative)
    mixed = (small ^ (np.uint64(group) * _GROUP_MIX)) * _MIX
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIX
    return mixed ^ (mixed >> np.uint64(29))


@njit(cache=True, nogil=True, inline="always")
def _bits(key: Any) -> Any:
    made = np.uint64(0)
    for part in range(_BITS):
        made |= np.uint64(1) << ((key >> np.uint64(6 * part)) & np.uint64(63))
    return made


@njit(cache=True, nogil=True)
def _add_single(singles: Any, folded: Any, at: int) -> None:
    last = np.uint64(singles.shape[1] - 1)
    for group in range(singles.shape[0]):
        slot = (folded[at, group] * _MIX >> np.uint64(16)) & last
        while singles[group, slot]:
            slot = (slot + np.uint64(1)) & last
        singles[group, slot] = at


@njit(cache=True, nogil=True)
def _add_pairs(words: Any, folded: Any, at: int) -> Any:
    """Set the bits of the pairs of `at` with all before; which words [K] got which bits [K]."""
    mask = np.uint64(len(words) - 1)
    places = np.empty(2 * at * folded.shape[1], np.int64)
    fresh = np.empty(len(places), np.uint64)
    done = 0
    for group in range(folded.shape[1]):
        for other in range(at):
            for value in (folded[at, group] + folded[other, group], folded[at, group] - folded[other, group]):
                key = _key(value, group)
                place, bits = np.int64((key >> np.uint64(30)) & mask), _bits(key)
                places[done], fresh[done] = place, bits & ~words[place]
                words[place] |= bits
                done += 1
    return places, fresh


@njit(cache=True, nogil=True)
def _take_back(words: Any, places: Any, fresh: Any) -> None:
    for done in range(len(places)):
        words[places[done]] &= ~fresh[done]


@njit(cache=True, nogil=True)
def _leftover(sketch: Any, whole: Any, known: Any, signs: Any, which: Any, times: int) -> int:
    """Groups of sketch + Σ signs·known − times·whole that are not zero."""
    found = 0
    for group in range(len(sketch)):
        left = sketch[group] - np.uint64(times) * whole[group]
        for term in range(3):
            if which[term]:
                value = known[which[term], group]
                left = left + value if signs[term] > 0 else left - value
        if left:
            found += 1
    return found


@njit(cache=True, nogil=True)
def _resolve(left: Any, group: int, folded: Any, singles: Any, prove: Any) -> bool:
    """Whether left + b·B + c·C is zero in a group, with some B and C that `prove` to be close."""
    sketch, whole, known, signs, which, times = prove
    which[1], which[2] = 0, 0
    threshold = folded.shape[1]
    if not left:
        return 0 < _leftover(sketch, whole, known, signs, which, times) < threshold
    last = np.uint64(singles.shape[1] - 1)
    for second in range(len(folded)):
        for sign_second in (1, -1):
            value = folded[second, group]
            rest = left + value if sign_second > 0 else left - value
            for sign_third in (1, -1):
                wanted = np.uint64(0) - rest if sign_third > 0 else rest
                slot = (wanted * _MIX >> np.uint64(16)) & last
                while singles[group, slot]:
                    third = singles[group, slot]
                    slot = (slot + np.uint64(1)) & last
                    if third <= second or folded[third, group] != wanted:
                        continue
                    which[1], which[2] = second, third
                    signs[1], signs[2] = sign_second, sign_third
                    if 0 < _leftover(sketch, whole, known, signs, which, times) < threshold:
                        return True
            if not second:
                break
    return False


@njit(cache=True, nogil=True)
def _is_close(asked: Any, asked_folded: Any, index: Any, tried: int) -> bool:
    sketch, whole = asked
    mine, everyone = asked_folded
    known, folded, count, singles, words = index
    mask = np.uint64(len(words) - 1)
    signs = np.ones(3, np.int64)
    which = np.zeros(3, np.int64)
    for group in range(folded.shape[1]):
        for first in range(count):
            for sign in (1, -1):
                if not first and sign < 0:
                    continue
                value = folded[first, group]
                # everyone is in P and at most two or three of the others: other multiples cannot come close
                least, most = (-1, 3) if sign > 0 else (-2, 2)
                start = mine[group] + value if sign > 0 else mine[group] - value
                for times in range(least, most + 1):
                    if times == tried:
                        continue
                    left = start - np.uint64(times) * everyone[group]
                    key = _key(left, group)
                    bits = _bits(key)
                    if left and words[np.int64((key >> np.uint64(30)) & mask)] & bits != bits:
                        continue
                    which[0], signs[0] = first, sign
                    prove = (sketch, whole, known, signs, which, times)
                    if _resolve(left, group, folded[:count], singles, prove):
                        return True
    return False
