"""Two studies side by side: their features matched by key, allele for allele, in one pass over both.

Both are read in order of position, a batch at a time, and cut at the same locus; memory is that of a few
batches whatever the size of the studies. A feature stored with its two alleles the other way around is the
same feature, its effect turned; a palindromic one (A/T, C/G) is not, as nobody can tell whether the alleles
or the strand were turned: it is counted and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.quantiles import Z_BINS, Counts, count_abs_z
from nexome.model.alleles import are_hashed, are_palindromic, flip_keys
from nexome.store.associations import query

if TYPE_CHECKING:
    from nexome.store.associations import Features, Snapshot

Keys = npt.NDArray[np.uint64]
Floats32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

BATCH_ROWS: Final = 262_144
NULL_Z: Final = 1.959963984540054  # |z| below which a feature is taken for one without an effect


@dataclass(frozen=True, slots=True)
class Match:
    """Rows of two sorted sets of features that are the same: `first`, `second` (int64 [M]).

    `turned` [M] is true where the second's effect is that of the other allele; `ambiguous` counts
    palindromic features left out.
    """

    first: Rows
    second: Rows
    turned: npt.NDArray[np.bool_]
    ambiguous: int


@dataclass(frozen=True)
class Overlap:
    """What one pass over two traits found: counts, and z statistics of the features both have.

    `counts_first`, `counts_second` are |z| counts (`methods.quantiles`) of shared features; `same_sign`
    of `signed` have effects of one direction. `null_count` features have |z| < 1.96 in both, and
    `null_correlation` is Pearson's r of their z, which leans towards 0 as its range is cut.
    """

    shared: int
    turned: int
    ambiguous: int
    only_first: int
    only_second: int
    counts_first: Counts
    counts_second: Counts
    signed: int
    same_sign: int
    null_count: int
    null_correlation: float


def match_features(locus: Keys, allele: Keys, other_locus: Keys, other_allele: Keys) -> Match:
    """Match two sets of features, each sorted by (locus, allele); every feature at most once."""
    from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

    place = np.empty(len(locus), np.int64)
    kernels.match_sorted(locus, allele, other_locus, other_allele, place)
    first = np.flatnonzero(place >= 0)
    second = place[first]
    free = np.ones(len(other_locus), bool)
    free[second] = False
    mine, theirs = _turned(locus, allele, np.flatnonzero(place < 0), other_locus, other_allele, free)
    unclear = are_palindromic(allele[mine])
    ambiguous = int(unclear.sum())
    mine, theirs = mine[~unclear], theirs[~unclear]
    rows = np.concatenate([first, mine])
    order = np.argsort(rows, kind="stable")
    turned = np.concatenate([np.zeros(len(first), bool), np.ones(len(mine), bool)])
    return Match(rows[order], np.concatenate([second, theirs])[order], turned[order], ambiguous)


def _turned(
    locus: Keys, allele: Keys, rows: Rows, other_locus: Keys, other_allele: Keys, free: npt.NDArray[np.bool_]
) -> tuple[Rows, Rows]:
    """Rows that are among the other's free rows once their alleles change place, and those rows."""
    from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

    none = np.zeros(0, np.int64)
    rows = rows[~are_hashed(allele[rows])]
    if not len(rows) or not free.any():
        return none, none
    at = np.searchsorted(other_locus, locus[rows])
    there = (at < len(other_locus)) & (other_locus[np.minimum(at, len(other_locus) - 1)] == locus[rows])
    rows = rows[there]
    flipped = flip_keys(allele[rows])
    order = np.lexsort((flipped, locus[rows]))
    place = np.empty(len(rows), np.int64)
    kernels.match_sorted(locus[rows][order], flipped[order], other_locus, other_allele, place)
    found = (place >= 0) & free[np.maximum(place, 0)]
    return rows[order][found], place[found]


def overlap_of(snapshot: Snapshot, first: tuple[str, str], second: tuple[str, str]) -> Overlap:
    """One pass over two (study, trait) pairs."""
    tally = _Tally()
    for left, right in _side_by_side(_stretches(snapshot, *first), _stretches(snapshot, *second)):
        tally.add(left, right)
    return tally.overlap()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Consecutive features of a trait with their z; the next stretch begins at a later locus."""

    locus: Keys
    allele: Keys
    z: Floats32

    def __len__(self) -> int:
        return len(self.locus)

    def cut(self, at: int) -> tuple[_Stretch, _Stretch]:
        """Rows before `at`, and the rest."""
        return (
            _Stretch(self.locus[:at], self.allele[:at], self.z[:at]),
            _Stretch(self.locus[at:], self.allele[at:], self.z[at:]),
        )


_EMPTY: Final = _Stretch(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.float32))


def _stretches(snapshot: Snapshot, study: str, trait: str) -> Iterator[_Stretch]:
    for cells in query.study_batches(snapshot, study, trait, rows=BATCH_ROWS):
        features: Features = cells.features
        yield _Stretch(np.asarray(features.locus), np.asarray(features.allele), cells.column("z")[:, 0])


def _side_by_side(
    first: Iterator[_Stretch], second: Iterator[_Stretch]
) -> Iterator[tuple[_Stretch, _Stretch]]:
    """The two, cut so that each pair covers the same loci; one is empty where the other has ended."""
    left, right = next(first, _EMPTY), next(second, _EMPTY)
    while len(left) and len(right):
        last = min(left.locus[-1], right.locus[-1])
        here, left = left.cut(int(np.searchsorted(left.locus, last, side="right")))
        there, right = right.cut(int(np.searchsorted(right.locus, last, side="right")))
        yield here, there
        left = left if len(left) else next(first, _EMPTY)
        right = right if len(right) else next(second, _EMPTY)
    while len(left):
        yield left, _EMPTY
        left = next(first, _EMPTY)
    while len(right):
        yield _EMPTY, right
        right = next(second, _EMPTY)


class _Tally:
    """Sums over pairs of stretches."""

    def __init__(self) -> None:
        self._rows = np.zeros(2, np.int64)
        self._matched = np.zeros(3, np.int64)  # shared, turned, ambiguous
        self._signs = np.zeros(2, np.int64)  # signed, same
        self._counts = np.zeros((2, Z_BINS), np.int64)
        self._null = np.zeros(6)  # n, Σa, Σb, Σa², Σb², Σab

    def add(self, left: _Stretch, right: _Stretch) -> None:
        """Count a pair of stretches of the same loci."""
        self._rows += len(left), len(right)
        if not len(left) or not len(right):
            return
        match = match_features(left.locus, left.allele, right.locus, right.allele)
        a = left.z[match.first].astype(np.float64)
        b = right.z[match.second].astype(np.float64)
        b[match.turned] *= -1
        self._matched += len(a), int(match.turned.sum()), match.ambiguous
        self._counts += count_abs_z(a), count_abs_z(b)
        product = a * b
        self._signs += int(np.count_nonzero(product)), int((product > 0).sum())
        weak = (np.abs(a) < NULL_Z) & (np.abs(b) < NULL_Z)
        x, y = a[weak], b[weak]
        self._null += np.array([x.size, x.sum(), y.sum(), x @ x, y @ y, x @ y])

    def overlap(self) -> Overlap:
        """What was counted."""
        shared, turned, ambiguous = (int(v) for v in self._matched)
        return Overlap(
            shared=shared,
            turned=turned,
            ambiguous=ambiguous,
            only_first=int(self._rows[0]) - shared,
            only_second=int(self._rows[1]) - shared,
            counts_first=self._counts[0],
            counts_second=self._counts[1],
            signed=int(self._signs[0]),
            same_sign=int(self._signs[1]),
            null_count=int(self._null[0]),
            null_correlation=_pearson(self._null),
        )


def _pearson(sums: npt.NDArray[Any]) -> float:
    """Pearson's r from n, Σa, Σb, Σa², Σb², Σab; NaN for fewer than three points or no spread."""
    n, a, b, aa, bb, ab = (float(v) for v in sums)
    if n < 3:
        return float("nan")
    spread = (aa - a * a / n) * (bb - b * b / n)
    return (ab - a * b / n) / spread**0.5 if spread > 0 else float("nan")
