"""Genotypes two bits each, so that a machine word holds 64 people: what LD is counted from.

Rows are uint64 [V, 2, W], two planes of W = ⌈S/64⌉ words a variant; person s is bit s % 64 of word s // 64.
The genotype store keeps its packed form so (store.genotypes.kernels), and a test holds the two together.

    genotypes: alternate alleles   0  1  2  missing      haplotypes: first plane, first allele of everyone;
               low                 0  1  0  1                        second plane, second allele;
               high                0  0  1  1                        0 where missing: the genotypes say where

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


def words_of(people: int) -> int:
    """Words of a plane that holds so many people.

    >>> words_of(64), words_of(65)
    (1, 2)
    """
    return -(-people // WORD)


def pack_counts(counts: npt.NDArray[Any]) -> Packed:
    """Alternate counts int8 [V, S] (0, 1, 2; −1 missing) as packed genotypes, uint64 [V, 2, W].

    Raises InputError for any other number.
    """
    small = np.ascontiguousarray(counts, np.int8)
    packed = np.zeros((small.shape[0], 2, words_of(small.shape[1])), np.uint64)
    if not _fill(small, packed):
        raise InputError("a genotype that is no count of alleles", expected="0, 1, 2, or −1 for missing")
    return packed


def pack_haplotypes(alleles: npt.NDArray[Any]) -> tuple[Packed, Packed]:
    """Alleles int8 [V, 2S] (0, 1; −1 missing), two a person, as packed genotypes and haplotypes.

    A person with one allele missing is missing. Raises InputError for any other number.
    """
    first, second = alleles[:, 0::2], alleles[:, 1::2]
    if alleles.size and alleles.max() > 1:
        raise InputError("a haplotype's allele above 1", expected="0, 1, or −1 for missing")
    missing = (first < 0) | (second < 0)
    genotypes = pack_counts(np.where(missing, -1, first + second))
    kept = [pack_counts(np.where(missing, 0, part))[:, 0] for part in (first, second)]
    return genotypes, np.stack(kept, axis=1)


def unpack_counts(packed: Packed, people: int) -> npt.NDArray[np.int8]:
    """The alternate counts back: int8 [V, people], −1 missing."""
    planes = np.unpackbits(packed.astype("<u8").view(np.uint8), axis=-1, bitorder="little")[..., :people]
    low, high = planes[:, 0].astype(np.int8), planes[:, 1].astype(np.int8)
    return np.where(low & high == 1, np.int8(-1), low + np.int8(2) * high)


def pack_members(chosen: npt.NDArray[np.bool_]) -> Packed:
    """People who count, bool [S], as a mask of words, uint64 [W]."""
    bits = np.zeros(words_of(len(chosen)) * WORD, np.uint8)
    bits[: len(chosen)] = chosen
    return np.packbits(bits, bitorder="little").view("<u8").astype(np.uint64)


@njit(cache=True, nogil=True)
def _fill(counts: Any, packed: Any) -> Any:
    good = True
    people = counts.shape[1]
    for v in range(counts.shape[0]):
        for w in range(packed.shape[2]):
            low, high = np.uint64(0), np.uint64(0)
            for s in range(w * 64, min(people, w * 64 + 64)):
                count = counts[v, s]
                good &= (count >= -1) & (count <= 2)
                place = np.uint64(s & 63)
                low |= np.uint64((count == 1) | (count == -1)) << place
                high |= np.uint64((count == 2) | (count == -1)) << place
            packed[v, 0, w], packed[v, 1, w] = low, high
    return good
