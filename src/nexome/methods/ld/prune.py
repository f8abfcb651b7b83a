"""Pruning: variants of which no two nearby ones are in LD, chosen without looking at any trait.

As PLINK 1.9's --indep-pairwise, step by step, so that the same variants are kept.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from nexome.methods.ld.measures import MEASURED, ratio_r, state_of
from nexome.methods.ld.packed import Packed
from nexome.methods.ld.pairs import member_planes, tally_counts
from nexome.model.errors import InputError

_BASES: Final = np.uint64(0xFFFFFFFF)


def prune(
    rows: Packed,
    members: Packed,
    locus: npt.NDArray[np.uint64],
    *,
    r2: float,
    window_variants: int = 0,
    window_bp: int = 0,
    step: int = 1,
) -> npt.NDArray[np.bool_]:
    """Which of V variants to keep, bool [V], so that no pair within a window has r² above `r2`.

    As --indep-pairwise: a window of `window_variants`, moved by `step`, or of `window_bp` bases, moved by
    one; of a pair above the threshold the one with the rarer minor allele goes. A variant that does not
    vary among `members` is not kept. `rows` [V, 2, W] are packed genotypes, `locus` [V] is sorted. Raises
    InputError unless exactly one window is given.
    """
    if (window_variants > 1) == (window_bp > 0):
        raise InputError("no window, or two", expected="window_variants of 2 or more, or window_bp")
    kept = np.ones(len(rows), bool)
    frequency = _minor_frequencies(rows, members)
    kept[~(frequency > 0)] = False
    contigs = locus >> np.uint64(32)
    edges = np.flatnonzero(
        np.diff(contigs, prepend=np.uint64(0xFFFFFFFFFFFFFFFF), append=np.uint64(2**64 - 1))
    )
    for low, high in pairwise(edges.tolist()):
        alive = np.flatnonzero(kept[low:high]) + low
        position = (locus[alive] & _BASES).astype(np.int64)
        last = _window_ends(position, window_variants, window_bp)
        gone = np.zeros(len(alive), bool)
        _prune_contig(
            rows[alive], members, frequency[alive], last, max(1, step if window_variants else 1), r2, gone
        )
        kept[alive[gone]] = False
    return kept


def _window_ends(position: npt.NDArray[np.int64], variants: int, bp: int) -> npt.NDArray[np.int64]:
    """Behind the last variant of the window that begins at each."""
    if variants:
        return np.minimum(np.arange(len(position)) + variants, len(position))
    return np.searchsorted(position, position + bp, side="right")


@njit(cache=True, nogil=True)
def _minor_frequencies(rows: Any, members: Any) -> Any:
    """Minor allele frequency among members; 0 where nobody is called."""
    out = np.zeros(rows.shape[0])
    for v in range(rows.shape[0]):
        planes = member_planes(rows[v], members)
        _, sums = tally_counts(planes, rows[v])
        if sums[4] > 0:
            share = (sums[0] + sums[1]) / (2 * sums[4])
            out[v] = min(share, 1 - share)
    return out


@njit(cache=True, nogil=True)
def _above(planes: Any, other: Any, r2: Any) -> Any:
    pairs, sums = tally_counts(planes, other)
    x1, x2, y1, y2, both = sums
    x, y = x1 + x2, y1 + y2
    spread_x, spread_y = both * (x1 + 3 * x2) - x * x, both * (y1 + 3 * y2) - y * y
    if state_of(both, spread_x, spread_y) != MEASURED:
        return False
    r = ratio_r(both * (pairs[0] + pairs[1] + pairs[2] + pairs[3]) - x * y, spread_x, spread_y)
    return r * r > r2


@njit(cache=True, nogil=True)
def _prune_contig(rows: Any, members: Any, frequency: Any, last: Any, step: Any, r2: Any, gone: Any) -> None:
    seen = np.arange(1, rows.shape[0] + 1)  # pairs (i, j) with j < seen[i] are known to be below
    begin = 0
    while begin < rows.shape[0]:
        pruned = True
        while pruned:
            pruned = False
            for i in range(begin, last[begin]):
                if gone[i]:
                    continue
                planes = member_planes(rows[i], members)
                j = max(seen[i], i + 1)
                while j < last[begin]:
                    if not gone[j] and _above(planes, rows[j], r2):
                        pruned = True
                        loser = i if frequency[i] < frequency[j] * (1 - 1e-12) else j
                        gone[loser] = True
                        break
                    j += 1
                if not gone[i]:
                    seen[i] = j
        begin += step
