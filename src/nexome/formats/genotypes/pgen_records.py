"""One variant record of a PGEN file: its tracks, by the PLINK 2 File Format Specification (draft).

A record has a main track (two bits a person: 0 two REF, 1 one of each, 2 two ALT, 3 missing; packed in one
of seven ways), then, by the bits of its type: calls of further alternate alleles (8), phase of heterozygous
calls (16), dosages (32 and 64), phase of dosages (128, not read: nothing stands behind it). Compiled, and
checked against the end of the record at every step: a damaged record gives a status, never a wild read.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

MULTIALLELIC: Final = 8
PHASED: Final = 16
DOSAGES: Final = 96

OK: Final = 0
DAMAGED: Final = 1
RESERVED: Final = 2

Bytes = npt.NDArray[np.uint8]


@numba.njit(cache=True, nogil=True)
def _varint(content: Bytes, at: int) -> tuple[int, int]:
    """A base-128 number and where the next begins; (0, −1) behind the end."""
    value, shift = 0, 0
    while at < len(content) and shift < 35:
        byte = int(content[at])
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
    return 0, -1


@numba.njit(cache=True, nogil=True)
def _difflist(content: Bytes, at: int, people: int, valued: int) -> tuple[Any, Any, int]:
    """Persons and their two-bit values of a difflist (values 0 where it has none); −1 for a damaged one."""
    none = np.zeros(0, np.int64)
    no_values = np.zeros(0, np.uint8)
    size, at = _varint(content, at)
    if at < 0 or size > people:
        return none, no_values, -1
    if size == 0:
        return none, no_values, at
    width = 1 if people <= 1 << 8 else 2 if people <= 1 << 16 else 3 if people <= 1 << 24 else 4
    groups = -(-size // 64)
    first = at
    at += groups * width + groups - 1
    packed = at
    if valued:
        at += -(-size // 4)
    if at > len(content):
        return none, no_values, -1
    persons, values = np.empty(size, np.int64), np.zeros(size, np.uint8)
    for k in range(size):
        if k % 64 == 0:
            person = 0
            for byte in range(width):
                person |= int(content[first + k // 64 * width + byte]) << 8 * byte
        else:
            step, at = _varint(content, at)
            if at < 0 or step == 0:
                return none, no_values, -1
            person = persons[k - 1] + step
        if person >= people:
            return none, no_values, -1
        persons[k] = person
        if valued:
            values[k] = content[packed + k // 4] >> 2 * (k & 3) & 3
    return persons, values, at


@numba.njit(cache=True, nogil=True)
def _read_plain(content: Bytes, out: Bytes) -> tuple[int, int]:
    end = -(-len(out) // 4)
    if end > len(content):
        return DAMAGED, 0
    for s in range(len(out)):
        out[s] = content[s >> 2] >> 2 * (s & 3) & 3
    return OK, end


@numba.njit(cache=True, nogil=True)
def read_main(content: Bytes, kind: int, base: Bytes, out: Bytes) -> tuple[int, int]:
    """Fill out [S] with categories of the main track; `base` [S] is the last record not relative to another.

    Gives status and where the next track begins.
    """
    people, packing, at = len(out), kind & 7, 0
    if packing == 5:
        return RESERVED, 0
    if packing == 0:
        return _read_plain(content, out)
    if packing == 1:
        at = 1 + -(-people // 8)
        if at > len(content):
            return DAMAGED, 0
        low, apart = content[0] >> 2, content[0] & 3
        for s in range(people):
            out[s] = low + apart * (content[1 + (s >> 3)] >> (s & 7) & 1)
    elif packing < 4:
        out[:] = base
    else:
        out[:] = packing - 4
    persons, values, at = _difflist(content, at, people, 1)
    if at < 0:
        return DAMAGED, 0
    for k in range(len(persons)):
        out[persons[k]] = values[k]
    if packing == 3:  # REF and ALT change places last: PLINK 2 writes the list as it is before
        _exchange(out)
    return OK, at


@numba.njit(cache=True, nogil=True)
def _exchange(out: Bytes) -> None:
    for s in range(len(out)):
        if out[s] < 3:
            out[s] = 2 - out[s]


@numba.njit(cache=True, nogil=True)
def _patched(content: Bytes, at: int, listed: int, category: Bytes, wanted: int) -> tuple[Any, int]:
    """Persons of one patch set, by a bit array over those of the category (listed 0) or a difflist (1)."""
    people = len(category)
    if listed == 1:
        persons, _, at = _difflist(content, at, people, 0)
        return persons, at
    members = np.flatnonzero(category == wanted)
    end = at + -(-len(members) // 8)
    if listed != 0 or end > len(content):
        return members[:0], -1
    keep = np.zeros(len(members), np.bool_)
    for k in range(len(members)):
        keep[k] = content[at + (k >> 3)] >> (k & 7) & 1
    return members[keep], end


@numba.njit(cache=True, nogil=True)
def _bits(content: Bytes, at: int, number: int, width: int) -> int:
    """The number-th value of `width` bits of a packed array."""
    if width == 0:
        return 0
    if width < 8:
        each = 8 // width
        return int(content[at + number // each]) >> width * (number % each) & ((1 << width) - 1)
    value = 0
    for byte in range(width // 8):
        value |= int(content[at + number * (width // 8) + byte]) << 8 * byte
    return value


@numba.njit(cache=True, nogil=True)
def _width(largest: int) -> int:
    """Bits that a value up to `largest` is stored in: 0, 1, 2, 4, 8, 16 or 24."""
    for width in (0, 1, 2, 4, 8, 16):
        if largest < 1 << width:
            return width
    return 24


@numba.njit(cache=True, nogil=True)
def read_alternates(
    content: Bytes, at: int, category: Bytes, alternates: int, alleles: Any
) -> tuple[int, int]:
    """Correct alleles int16 [S, 2] of calls of the second and further alternate alleles; (status, next)."""
    if at >= len(content):
        return DAMAGED, 0
    first, second = content[at] & 15, content[at] >> 4
    at += 1
    if first != 15:
        persons, at = _patched(content, at, first, category, 1)
        width = _width(alternates - 2)
        if at < 0 or at + -(-len(persons) * width // 8) > len(content):
            return DAMAGED, 0
        for k in range(len(persons)):
            alleles[persons[k], 1] = 2 + _bits(content, at, k, width)
        at += -(-len(persons) * width // 8)
    if second != 15:
        persons, at = _patched(content, at, second, category, 2)
        width = _width(alternates - 1) if alternates > 2 else 1
        each = 1 if alternates == 2 else 2
        if at < 0 or at + -(-len(persons) * width * each // 8) > len(content):
            return DAMAGED, 0
        for k in range(len(persons)):
            if alternates == 2:
                alleles[persons[k], 0] = 1 + _bits(content, at, k, 1)
                alleles[persons[k], 1] = 2
            else:
                alleles[persons[k], 0] = 1 + _bits(content, at, 2 * k, width)
                alleles[persons[k], 1] = 1 + _bits(content, at, 2 * k + 1, width)
        at += -(-len(persons) * width * each // 8)
    return OK, at


@numba.njit(cache=True, nogil=True)
def read_phase(content: Bytes, at: int, alleles: Any, phased: Any) -> tuple[int, int]:
    """Mark phased [S] and exchange alleles [S, 2] of swapped heterozygous calls; (status, next)."""
    carriers = np.flatnonzero((alleles[:, 0] != alleles[:, 1]) & (alleles[:, 0] >= 0))
    if at >= len(content):
        return DAMAGED, 0
    explicit = content[at] & 1
    end = at + -(-(1 + len(carriers)) // 8)
    if end > len(content):
        return DAMAGED, 0
    if explicit:
        keep = np.zeros(len(carriers), np.bool_)
        for k in range(len(carriers)):
            keep[k] = content[at + (k + 1 >> 3)] >> (k + 1 & 7) & 1
        carriers = carriers[keep]
        at, skip = end, 0
        end = at + -(-len(carriers) // 8)
        if end > len(content):
            return DAMAGED, 0
    else:
        skip = 1
    for k in range(len(carriers)):
        s = carriers[k]
        phased[s] = True
        if content[at + (k + skip >> 3)] >> (k + skip & 7) & 1:
            alleles[s, 0], alleles[s, 1] = alleles[s, 1], alleles[s, 0]
    return OK, end


@numba.njit(cache=True, nogil=True)
def read_dosages(content: Bytes, at: int, kind: int, out: Any) -> int:
    """Fill out float32 [S] with the dosages a record states, NaN where it states none; the status."""
    people, stated = len(out), kind & DOSAGES
    if stated == 32:
        persons, _, at = _difflist(content, at, people, 0)
    elif stated == 96:
        everyone = np.zeros(people, np.uint8)
        persons, at = _patched(content, at, 0, everyone, 0)
    else:
        persons = np.arange(people)
    if at < 0 or at + 2 * len(persons) > len(content):
        return DAMAGED
    for k in range(len(persons)):
        value = int(content[at + 2 * k]) | int(content[at + 2 * k + 1]) << 8
        if value != 65535:
            out[persons[k]] = np.float32(value) / np.float32(16384.0)
    return OK
