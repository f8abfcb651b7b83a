"""Genotypes two bits each, so that a machine word holds 64 people: what LD is counted from.

Rows are uint64 [V, 2, W], two planes of W words a variant; person s is bit s % 64 of word s // 64.

    genotypes, W = ⌈S/64⌉        plane 0    plane 1
    alternate count 0               0          0
                    1               1          0
                    2               1          1
    missing                         0          1

    haplotypes, W = ⌈2S/64⌉      plane 0    plane 1
    reference allele                0          0
    alternate allele                1          0
    missing                         0          1

Bits behind the last person are 0 and left out by the mask of members. No input or output here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from nexome.model.errors import InputError

Packed = npt.NDArray[np.uint64]

WORD: Final = 64
MISSING: Final = -1


def words_of(people: int) -> int:
    """Words of a plane that holds so many people, or haplotypes.

    >>> words_of(64), words_of(65)
    (1, 2)
    """
    return -(-people // WORD)


def pack_counts(counts: npt.NDArray[Any]) -> Packed:
    """Alternate counts int8 [V, S] (0, 1, 2; −1 missing) as packed rows, uint64 [V, 2, W].

    Raises InputError for any other number.
    """
    return _pack(counts, most=2)


def pack_haplotypes(alleles: npt.NDArray[Any]) -> Packed:
    """Alleles of haplotypes int8 [V, 2S] (0, 1; −1 missing) as packed rows, uint64 [V, 2, W].

    Raises InputError for any other number.
    """
    return _pack(alleles, most=1)


def unpack_counts(packed: Packed, people: int) -> npt.NDArray[np.int8]:
    """The alternate counts, or alleles, back: int8 [V, people], −1 missing."""
    planes = np.unpackbits(packed.astype("<u8").view(np.uint8), axis=-1, bitorder="little")[..., :people]
    present, upper = planes[:, 0].astype(np.int8), planes[:, 1].astype(np.int8)
    return np.where((present == 0) & (upper == 1), np.int8(MISSING), present + upper)


def pack_members(chosen: npt.NDArray[np.bool_]) -> Packed:
    """People who count, bool [S], as a mask of words, uint64 [W]."""
    bits = np.zeros(words_of(len(chosen)) * WORD, np.uint8)
    bits[: len(chosen)] = chosen
    return np.packbits(bits, bitorder="little").view("<u8").astype(np.uint64)


def _pack(values: npt.NDArray[Any], *, most: int) -> Packed:
    small = np.ascontiguousarray(values, np.int8)
    packed = np.zeros((small.shape[0], 2, words_of(small.shape[1])), np.uint64)
    if not _fill(small, most, packed):
        raise InputError("a genotype that is no count of alleles", expected=f"0 to {most}, or −1 for missing")
    return packed


@njit(cache=True, nogil=True)
def _fill(values: Any, most: int, packed: Any) -> Any:
    good = True
    people = values.shape[1]
    for v in range(values.shape[0]):
        for w in range(packed.shape[2]):
            present, upper = np.uint64(0), np.uint64(0)
            for s in range(w * 64, min(people, w * 64 + 64)):
                value = values[v, s]
                good &= (value >= -1) & (value <= most)
                place = np.uint64(s & 63)
                present |= np.uint64(value >= 1) << place
                upper |= np.uint64((value == 2) | (value == -1)) << place
            packed[v, 0, w], packed[v, 1, w] = present, upper
    return good
