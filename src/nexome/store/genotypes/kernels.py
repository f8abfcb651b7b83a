"""Genotypes as bits: packing, unpacking and counting of alleles.

Two bits a genotype, as two planes of bits so that AND and population count do the arithmetic: word
p >> 6, bit p & 63 of `low` and `high` belong to person p.

    alternate alleles   0  1  2  missing
    low                 0  1  0  1
    high                0  0  1  1

A haploid call counts twice (0 or 2), as in a PLINK bed; a half call is missing. Haplotypes are one plane
each (first and second allele of every person, 0 where missing); a haploid call stands in both. Bits
behind the last person are 0. Arrays in, arrays out.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.store.genotypes.types import Bools, Calls, Words

WORD_BITS: Final = 64
_MISSING_CODE: Final = 3


def words_of(people: int) -> int:
    """Words of 64 bits that hold one bit of each person."""
    return -(-people // WORD_BITS)


@numba.njit(cache=True, nogil=True)
def pack_calls(calls: Calls, words: int) -> tuple[Words, Words]:
    """Genotype planes and haplotype planes, uint64 [V, 2, W] each, of calls int8 [V, S, 2]."""
    rows, people = calls.shape[0], calls.shape[1]
    genotypes = np.zeros((rows, 2, words), np.uint64)
    haplotypes = np.zeros((rows, 2, words), np.uint64)
    for i in range(rows):
        for s in range(people):
            first, second = calls[i, s, 0], calls[i, s, 1]
            if second == -2:
                second = first
            bit = np.uint64(1) << np.uint64(s & 63)
            word = s >> 6
            if first < 0 or second < 0:
                genotypes[i, 0, word] |= bit
                genotypes[i, 1, word] |= bit
                continue
            count = first + second
            if count == 1:
                genotypes[i, 0, word] |= bit
            elif count == 2:
                genotypes[i, 1, word] |= bit
            if first == 1:
                haplotypes[i, 0, word] |= bit
            if second == 1:
                haplotypes[i, 1, word] |= bit
    return genotypes, haplotypes


@numba.njit(cache=True, nogil=True)
def unpack_counts(genotypes: Words, people: npt.NDArray[np.int64]) -> Calls:
    """Alternate alleles int8 [V, K] of the K people named by row, −1 missing, from planes [V, 2, W]."""
    counts = np.empty((genotypes.shape[0], len(people)), np.int8)
    for i in range(genotypes.shape[0]):
        for k in range(len(people)):
            word, shift = people[k] >> 6, np.uint64(people[k] & 63)
            low = (genotypes[i, 0, word] >> shift) & np.uint64(1)
            high = (genotypes[i, 1, word] >> shift) & np.uint64(1)
            code = np.int8(low) + np.int8(2) * np.int8(high)
            counts[i, k] = -1 if code == _MISSING_CODE else code
    return counts


@numba.njit(cache=True, nogil=True)
def unpack_haplotypes(genotypes: Words, haplotypes: Words, people: npt.NDArray[np.int64]) -> Calls:
    """Haplotypes int8 [V, 2K]: first and second of each of the K people named by row, −1 missing."""
    found = np.empty((genotypes.shape[0], 2 * len(people)), np.int8)
    for i in range(genotypes.shape[0]):
        for k in range(len(people)):
            word, shift = people[k] >> 6, np.uint64(people[k] & 63)
            missing = (genotypes[i, 0, word] & genotypes[i, 1, word]) >> shift & np.uint64(1)
            for h in range(2):
                bit = np.int8(haplotypes[i, h, word] >> shift & np.uint64(1))
                found[i, 2 * k + h] = -1 if missing else bit
    return found


@numba.njit(cache=True, nogil=True)
def count_alleles(calls: Calls, groups: npt.NDArray[np.int64], size: int) -> tuple[Any, Any]:
    """Alternate alleles and all alleles of V variants by group, int32 [V, G] each.

    `groups` int64 [L, S] gives the group of each person in each of L divisions, −1 none. Half calls
    count as missing; a haploid call is one allele.
    """
    alternate = np.zeros((calls.shape[0], size), np.int32)
    known = np.zeros((calls.shape[0], size), np.int32)
    for i in range(calls.shape[0]):
        for s in range(calls.shape[1]):
            first, second = calls[i, s, 0], calls[i, s, 1]
            if first < 0 or second == -1:
                continue
            for division in range(groups.shape[0]):
                group = groups[division, s]
                if group >= 0:
                    alternate[i, group] += first + max(second, 0)
                    known[i, group] += 1 if second == -2 else 2
    return alternate, known


@numba.njit(cache=True, nogil=True)
def encode_calls(calls: Calls, phased: Bools) -> npt.NDArray[np.uint8]:
    """One byte a genotype, uint8 [V, S], for scratch: two bits an allele (2 missing, 3 none), then phased."""
    codes = np.empty(calls.shape[:2], np.uint8)
    for i in range(calls.shape[0]):
        for s in range(calls.shape[1]):
            first, second = calls[i, s, 0], calls[i, s, 1]
            a = first if first >= 0 else 1 - first
            b = second if second >= 0 else 1 - second
            codes[i, s] = a | b << 2 | np.uint8(phased[i, s]) << 4
    return codes


@numba.njit(cache=True, nogil=True)
def decode_calls(codes: npt.NDArray[np.uint8]) -> tuple[Calls, Bools]:
    """Calls int8 [V, S, 2] and phased bool [V, S] back from `encode_calls`."""
    calls = np.empty((*codes.shape, 2), np.int8)
    phased = np.empty(codes.shape, np.bool_)
    for i in range(codes.shape[0]):
        for s in range(codes.shape[1]):
            code = codes[i, s]
            a, b = np.int8(code & 3), np.int8(code >> 2 & 3)
            calls[i, s, 0] = a if a < 2 else 1 - a
            calls[i, s, 1] = b if b < 2 else 1 - b
            phased[i, s] = (code >> 4) == 1
    return calls, phased


@numba.njit(cache=True, nogil=True)
def unphased_heterozygotes(codes: npt.NDArray[np.uint8]) -> int:
    """How many genotypes (`encode_calls`) have one of each allele and no phase."""
    found = 0
    for i in range(codes.shape[0]):
        for s in range(codes.shape[1]):
            found += codes[i, s] == 1 or codes[i, s] == 4
    return found


@numba.njit(cache=True, nogil=True)
def find_rows(locus: Words, allele: Words, want_locus: Words, want_allele: Words) -> Any:
    """Rows of K keys in V sorted ones, int64 [K], −1 absent."""
    rows = np.full(len(want_locus), -1, np.int64)
    for k in range(len(want_locus)):
        low, high = 0, len(locus)
        while low < high:
            middle = (low + high) >> 1
            before = locus[middle] < want_locus[k]
            if locus[middle] == want_locus[k]:
                before = allele[middle] < want_allele[k]
            if before:
                low = middle + 1
            else:
                high = middle
        if low < len(locus) and locus[low] == want_locus[k] and allele[low] == want_allele[k]:
            rows[k] = low
    return rows


@numba.njit(cache=True, nogil=True)
def census(calls: Calls) -> Any:
    """Of V × S genotypes, int64 [5]: all, missing, half calls, haploid calls; and variants of one allele."""
    found = np.zeros(5, np.int64)
    for i in range(calls.shape[0]):
        seen = np.zeros(2, np.int64)
        for s in range(calls.shape[1]):
            first, second = calls[i, s, 0], calls[i, s, 1]
            found[0] += 1
            unknown = (first == -1) + (second == -1)
            found[1] += unknown == 2 or (unknown == 1 and second == -2)
            found[2] += unknown == 1 and second != -2
            found[3] += second == -2
            if first >= 0:
                seen[first] += 1
            if second >= 0:
                seen[second] += 1
        found[4] += seen[0] == 0 or seen[1] == 0
    return found
