"""Pairs of packed variants: one with many, and all with all.

Only people called in both variants of a pair count (pairwise complete, as PLINK does), and only those
in the mask of members. A pair without a measure is NaN and its `state` says why; nothing warns.
The slow plain statement of each measure stands in tests/methods/ld/oracle.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

from nexome.methods.ld.measures import (
    MEASURED,
    d_prime_of,
    ratio_r,
    share_of_double_heterozygotes,
    state_of,
)
from nexome.methods.ld.packed import Packed
from nexome.model.errors import InputError

Measures = Literal["r", "r and d_prime", "haplotype r and d_prime"]

R_ALONE: Final = 0
R_OF_COUNTS: Final = 1
R_OF_HAPLOTYPES: Final = 2
_CODES: Final[dict[Measures, int]] = {
    "r": R_ALONE,
    "r and d_prime": R_OF_COUNTS,
    "haplotype r and d_prime": R_OF_HAPLOTYPES,
}

MATRIX_MAX: Final = 5_000  # 25 million pairs: 225 MB of answers, some seconds


@dataclass(frozen=True, slots=True)
class PairLd:
    """LD of pairs, of any shape: `r`, `d_prime` float32 with the sign of D, `called` int32; NaN: see `state`.

    `called` are the people (phased: haplotypes) in whom both are called. `state` is MEASURED, MONOMORPHIC
    or TOO_FEW (methods.ld.measures). `d_prime` is NaN throughout where it was not asked for.
    """

    r: npt.NDArray[np.float32]
    d_prime: npt.NDArray[np.float32]
    called: npt.NDArray[np.int32]
    state: npt.NDArray[np.uint8]

    @property
    def r2(self) -> npt.NDArray[np.float32]:
        """r², float32, NaN where r is."""
        return np.square(self.r)

    @classmethod
    def empty(cls, *shape: int) -> PairLd:
        """Room for pairs, nothing measured."""
        nan = np.full(shape, np.nan, np.float32)
        return cls(nan, nan.copy(), np.zeros(shape, np.int32), np.zeros(shape, np.uint8))


def ld_with_one(
    index: Packed, rows: Packed, members: Packed, *, measures: Measures = "r and d_prime"
) -> PairLd:
    """LD of one variant with V others, of genotypes: [V].

    `index` uint64 [2, W] and `rows` [V, 2, W] are packed genotypes, `members` [W] the people who count
    (`packed.pack_members`). r is that of alternate counts, D′ that of the likeliest haplotypes; with
    'haplotype r and d_prime' both are of the likeliest haplotypes. Raises InputError where widths differ.

    >>> from nexome.methods.ld.packed import pack_counts, pack_members
    >>> rows = pack_counts(np.array([[0, 1, 2, 1], [0, 1, 2, 1], [2, 1, 0, 1], [0, 0, 0, 0]]))
    >>> found = ld_with_one(rows[0], rows, pack_members(np.ones(4, bool)))
    >>> found.r.tolist(), found.state.tolist()
    ([1.0, 1.0, -1.0, nan], [0, 0, 0, 1])
    """
    _check_widths(index.shape[-1], rows.shape[-1], members.shape[-1])
    found = PairLd.empty(len(rows))
    planes = member_planes(np.ascontiguousarray(index), members)
    out = (found.r, found.d_prime, found.called, found.state)
    _counts_with_one(planes, np.ascontiguousarray(rows), _CODES[measures], out)
    return found


def ld_of_haplotypes(
    index: tuple[Packed, Packed],
    rows: tuple[Packed, Packed],
    members: Packed,
    *,
    measures: Measures = "r and d_prime",
) -> PairLd:
    """As `ld_with_one`, exact, of phased people.

    `index` and `rows` are (genotypes, haplotypes) as `pack_haplotypes` gives; `called` counts haplotypes.
    """
    _check_widths(*(part.shape[-1] for part in (*index, *rows, members)))
    found = PairLd.empty(len(rows[0]))
    called = member_planes(np.ascontiguousarray(index[0]), members)[2]
    planes = np.stack([index[1][0] & called, index[1][1] & called, called])
    both = (np.ascontiguousarray(rows[0]), np.ascontiguousarray(rows[1]))
    _haplotypes_with_one(planes, both, measures != "r", (found.r, found.d_prime, found.called, found.state))
    return found


def ld_of_all(one: Callable[[int], PairLd], variants: int) -> PairLd:
    """LD of all pairs of V variants: [V, V], symmetric; r of a variant with itself is 1 where it varies.

    `one(i)` gives the LD of variant i with variants i … V − 1 (`ld_with_one` and the like). Raises
    InputError beyond MATRIX_MAX variants.
    """
    if variants > MATRIX_MAX:
        raise InputError(f"all pairs of {variants:,} variants", expected=f"at most {MATRIX_MAX:,} variants")
    whole = PairLd.empty(variants, variants)
    for i in range(variants):
        row = one(i)
        for part in ("r", "d_prime", "called", "state"):
            square = getattr(whole, part)
            square[i, i:] = square[i:, i] = getattr(row, part)
    return whole


def _check_widths(*widths: int) -> None:
    if len(set(widths)) > 1:
        raise InputError(
            f"packed rows of {', '.join(map(str, widths))} words", expected="the same people in all"
        )


@intrinsic
def _ones(typing: Any, word: Any) -> Any:  # noqa: ARG001  numba's signature
    """How many bits of a uint64 are 1, as the processor's own instruction."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


@njit(cache=True, nogil=True)
def member_planes(row: Any, members: Any) -> Any:
    """Of one packed variant, among members: count ≥ 1, count 2, called; uint64 [3, W]."""
    planes = np.empty((3, row.shape[1]), np.uint64)
    for w in range(row.shape[1]):
        low, high, here = row[0, w], row[1, w], members[w]
        planes[0, w] = (low ^ high) & here
        planes[1, w] = high & ~low & here
        planes[2, w] = ~(low & high) & here
    return planes


@njit(cache=True, nogil=True)
def tally_counts(planes: Any, row: Any) -> Any:
    """Nine sums over people called in both: x ≥ 1 and y ≥ 1, x ≥ 1 and y = 2, … (x the index, y the row)."""
    n11 = n12 = n21 = n22 = np.uint64(0)
    x1 = x2 = y1 = y2 = both = np.uint64(0)
    for w in range(row.shape[1]):
        low, high = row[0, w], row[1, w]
        one, two, called = low ^ high, high & ~low, ~(low & high)
        one_x, two_x, called_x = planes[0, w], planes[1, w], planes[2, w]
        n11 += _ones(one_x & one)
        n12 += _ones(one_x & two)
        n21 += _ones(two_x & one)
        n22 += _ones(two_x & two)
        x1 += _ones(one_x & called)
        x2 += _ones(two_x & called)
        y1 += _ones(called_x & one)
        y2 += _ones(called_x & two)
        both += _ones(called_x & called)
    return (
        (np.int64(n11), np.int64(n12), np.int64(n21), np.int64(n22)),
        (np.int64(x1), np.int64(x2), np.int64(y1), np.int64(y2), np.int64(both)),
    )


@njit(cache=True, nogil=True)
def _both_alternate(pairs: Any, sums: Any) -> Any:
    """Frequency of haplotypes with both alternate alleles, by maximum likelihood."""
    n11, n12, n21, n22 = pairs
    x1, x2, y1, y2, both = sums
    double = n11 - n12 - n21 + n22  # heterozygous in both
    a = 2 * n22 + (n21 - n22) + (n12 - n22)
    # haplotypes with the first alternate: x1 + x2 in all; of double heterozygotes one each
    b = (x1 + x2) - double - a
    c = (y1 + y2) - double - a
    d = 2 * both - 2 * double - a - b - c
    share = share_of_double_heterozygotes(
        (np.float64(a), np.float64(b), np.float64(c), np.float64(d)), np.float64(double)
    )
    return (a + share) / (2 * both)


@njit(cache=True, nogil=True)
def _counts_with_one(planes: Any, rows: Any, measure: Any, out: Any) -> None:
    r, d_prime, called, state = out
    for v in range(rows.shape[0]):
        pairs, sums = tally_counts(planes, rows[v])
        x1, x2, y1, y2, both = sums
        x, y = x1 + x2, y1 + y2  # alternate alleles
        called[v] = both
        if measure != R_OF_HAPLOTYPES:
            spread_x, spread_y = both * (x1 + 3 * x2) - x * x, both * (y1 + 3 * y2) - y * y
            state[v] = state_of(both, spread_x, spread_y)
            if state[v] == MEASURED:
                r[v] = ratio_r(both * (pairs[0] + pairs[1] + pairs[2] + pairs[3]) - x * y, spread_x, spread_y)
        else:
            state[v] = state_of(both, x * (2 * both - x), y * (2 * both - y))
        if measure == R_ALONE or state[v] != MEASURED:
            continue
        p, q = x / (2 * both), y / (2 * both)
        together = _both_alternate(pairs, sums)
        d_prime[v] = d_prime_of(together, p, q)
        if measure == R_OF_HAPLOTYPES:
            r[v] = ratio_r(together - p * q, p * (1 - p), q * (1 - q))


@njit(cache=True, nogil=True)
def _tally_haplotypes(planes: Any, genotypes: Any, haplotypes: Any) -> Any:
    """Haplotypes with both alternate alleles, with the first, with the second, and all, called in both."""
    together = x = y = people = np.uint64(0)
    for w in range(genotypes.shape[1]):
        called = ~(genotypes[0, w] & genotypes[1, w])
        first, second = haplotypes[0, w], haplotypes[1, w]
        together += _ones(planes[0, w] & first) + _ones(planes[1, w] & second)
        x += _ones(planes[0, w] & called) + _ones(planes[1, w] & called)
        y += _ones(planes[2, w] & first) + _ones(planes[2, w] & second)
        people += _ones(planes[2, w] & called)
    return np.int64(together), np.int64(x), np.int64(y), 2 * np.int64(people)


@njit(cache=True, nogil=True)
def _haplotypes_with_one(planes: Any, rows: Any, with_d: Any, out: Any) -> None:
    genotypes, haplotypes = rows
    r, d_prime, called, state = out
    for v in range(genotypes.shape[0]):
        together, x, y, total = _tally_haplotypes(planes, genotypes[v], haplotypes[v])
        spread_x, spread_y = x * (total - x), y * (total - y)
        called[v] = total
        state[v] = state_of(total, spread_x, spread_y)
        if state[v] != MEASURED:
            continue
        r[v] = ratio_r(total * together - x * y, spread_x, spread_y)
        if with_d:
            d_prime[v] = d_prime_of(together / total, x / total, y / total)
