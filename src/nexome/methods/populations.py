"""Populations as linear sketches: tiny numbers that add and subtract as sets of people do.

Each person has a secret 64-bit number, a keyed hash (SipHash-2-4) of their participant key, and by it belongs
to one of GROUPS groups. The sketch of a population is, for each group, the sum modulo 2⁶⁴ of its people's
numbers. A sum or difference of populations has the sum or difference of their sketches; a group of it is zero
when nobody in that group is left over (else by chance, once in 2⁶⁴). So the number of groups that are not
zero is never more than the number of people by which two combinations differ: `differing_groups(…) ≥ t`
proves that at least t people differ, and for few people the two are nearly always equal.

A row that is a person's second, third … in its table has a number of its own in the same group, so that
leaving out one visit of a person is seen as a difference in that person.

Who a sketch is of cannot be told from it without the key. The plain statement stands in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

GROUPS: Final = 256

U64 = npt.NDArray[np.uint64]

_V0: Final = np.uint64(0x736F6D6570736575)
_V1: Final = np.uint64(0x646F72616E646F6D)
_V2: Final = np.uint64(0x6C7967656E657261)
_V3: Final = np.uint64(0x7465646279746573)
_LENGTH: Final = np.uint64(16 << 56)
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴/φ: the group's bits are a mix of all bits of the number


@dataclass(frozen=True)
class People:
    """The R rows of a table as sketches see them.

    `unit` [R] is the number of a row, `person` [R] that of its person (the same array where nobody repeats),
    `group` uint8 [R]. `run` int64 [R] numbers the persons in order of appearance; None where nobody repeats.
    """

    unit: U64
    person: U64
    group: npt.NDArray[np.uint8]
    run: npt.NDArray[np.int64] | None

    @property
    def repeats(self) -> bool:
        """Whether a person has more than one row."""
        return self.run is not None


def people_of(participants: U64, key: tuple[int, int]) -> People:
    """The People of participant keys [R]; a person's rows count in the order of the table."""
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    keys = np.ascontiguousarray(participants)
    steps = np.ones(0, bool) if len(keys) < 2 else keys[1:] > keys[:-1]
    if steps.all():
        numbers = _numbers(keys, np.zeros(0, np.int64), k0, k1)
        return People(numbers, numbers, _groups(numbers), None)
    _, run = np.unique(keys, return_inverse=True)
    run = run.reshape(-1).astype(np.int64)
    occurrence = _occurrences(run, int(run.max()) + 1)
    if not occurrence.any():
        numbers = _numbers(keys, np.zeros(0, np.int64), k0, k1)
        return People(numbers, numbers, _groups(numbers), None)
    person = _numbers(keys, np.zeros(0, np.int64), k0, k1)
    return People(_numbers(keys, occurrence, k0, k1), person, _groups(person), run)


def sketch_rows(people: People, cell: npt.NDArray[np.int32], cells: int) -> tuple[npt.NDArray[np.int64], U64]:
    """Rows [C] and sketches [C, GROUPS] of each cell; cell −1 is none."""
    return _sketch(people.unit, people.group, cell, cells)


def sketch_people(
    people: People, cell: npt.NDArray[np.int32], cells: int
) -> tuple[npt.NDArray[np.int64], U64]:
    """Distinct persons [C] and sketches [C, GROUPS] of each cell; cell −1 is none."""
    if people.run is None:
        return _sketch(people.unit, people.group, cell, cells)
    first = _first_in_cell(people.run, cell)
    return _sketch(people.person, people.group, np.where(first, cell, np.int32(-1)), cells)


def differing_groups(sketch: U64) -> int:
    """Groups that are not zero: at most as many as people differ."""
    return int(np.count_nonzero(sketch))


def fold(sketches: U64, groups: int) -> U64:
    """Sketches [M, GROUPS] folded to fewer groups [M, groups], by the remainder of the group's number."""
    return np.stack([sketches[:, g::groups].sum(axis=1, dtype=np.uint64) for g in range(groups)], axis=1)


@njit(cache=True, nogil=True)
def _rotate(x: Any, bits: Any) -> Any:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v1 = _rotate(v1, 13) ^ v0
    v0 = _rotate(v0, 32)
    v2 += v3
    v3 = _rotate(v3, 16) ^ v2
    v0 += v3
    v3 = _rotate(v3, 21) ^ v0
    v2 += v1
    v1 = _rotate(v1, 17) ^ v2
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


@njit(cache=True, nogil=True)
def siphash(first: Any, second: Any, k0: Any, k1: Any) -> Any:
    """SipHash-2-4 (Aumasson and Bernstein 2012) of two 64-bit words, little-endian, under a 128-bit key."""
    v0, v1, v2, v3 = _V0 ^ k0, _V1 ^ k1, _V2 ^ k0, _V3 ^ k1
    for word in (first, second, _LENGTH):
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@njit(cache=True, nogil=True)
def _numbers(keys: Any, occurrence: Any, k0: Any, k1: Any) -> Any:
    made = np.empty(len(keys), np.uint64)
    for row in range(len(keys)):
        which = np.uint64(occurrence[row]) if len(occurrence) else np.uint64(0)
        made[row] = siphash(keys[row], which, k0, k1)
    return made


@njit(cache=True, nogil=True)
def _groups(numbers: Any) -> Any:
    made = np.empty(len(numbers), np.uint8)
    for row in range(len(numbers)):
        made[row] = np.uint8((numbers[row] * _SPREAD) >> np.uint64(56))
    return made


@njit(cache=True, nogil=True)
def _occurrences(run: Any, persons: int) -> Any:
    seen = np.zeros(persons, np.int64)
    made = np.empty(len(run), np.int64)
    for row in range(len(run)):
        made[row] = seen[run[row]]
        seen[run[row]] += 1
    return made


@njit(cache=True, nogil=True)
def _sketch(numbers: Any, group: Any, cell: Any, cells: int) -> Any:
    counts = np.zeros(cells, np.int64)
    sums = np.zeros((cells, GROUPS), np.uint64)
    for row in range(len(cell)):
        at = cell[row]
        if at >= 0:
            counts[at] += 1
            sums[at, group[row]] += numbers[row]
    return counts, sums


def _first_in_cell(run: npt.NDArray[np.int64], cell: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether a row is its person's first in its cell."""
    cells = int(cell.max(initial=-1)) + 1
    if len(run) < 2 or (run[1:] >= run[:-1]).all():
        return _first_of_runs(run, cell, cells)
    order = np.argsort(run, kind="stable")
    first = np.empty(len(run), bool)
    first[order] = _first_of_runs(run[order], cell[order], cells)
    return first


@njit(cache=True, nogil=True)
def _first_of_runs(run: Any, cell: Any, cells: int) -> Any:
    last = np.full(cells, np.int64(-1))
    first = np.zeros(len(run), np.bool_)
    for row in range(len(run)):
        at = cell[row]
        if at >= 0 and last[at] != run[row]:
            last[at] = run[row]
            first[row] = True
    return first
