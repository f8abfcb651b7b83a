"""Loci by distance: which of many strong features stand for themselves, and how far each reaches.

Greedy, strongest first (as PLINK's --clump without LD, and PheWeb): a lead takes every feature still free
within the distance on its contig. No LD is used, so one long block of LD may give two loci.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError
from nexome.model.genome import UNPLACED

GENOME_WIDE: Final = 7.301029995663981  # −log₁₀ 5e-8
DISTANCE_BP: Final = 500_000

Loci64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Loci:
    """L loci in genome order: index of the lead in the input, first and last base, features taken."""

    lead: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    end: npt.NDArray[np.uint32]
    count: npt.NDArray[np.int32]


@numba.njit(cache=True, nogil=True)
def _claim(
    locus: Loci64, order: npt.NDArray[np.int64], distance_bp: int, owner: npt.NDArray[np.int64]
) -> None:
    # Leads lie further apart than the distance, so a feature is visited at most twice: O(n) after the sort.
    reach = np.uint64(distance_bp)
    for lead in order:
        if owner[lead] >= 0:
            continue
        contig = locus[lead] >> np.uint64(32)
        for step in (-1, 1):
            i = lead
            while 0 <= i < locus.size and locus[i] >> np.uint64(32) == contig:
                gap = locus[lead] - locus[i] if step < 0 else locus[i] - locus[lead]
                if gap > reach:
                    break
                if owner[i] < 0:
                    owner[i] = lead
                i += step


def find_loci(
    locus: npt.NDArray[Any],
    neg_log10_p: npt.NDArray[Any],
    *,
    threshold: float = GENOME_WIDE,
    distance_bp: int = DISTANCE_BP,
) -> Loci:
    """Loci of features at or above `threshold` (−log₁₀ p), at most `distance_bp` from their lead.

    `locus` [V] (`model.genome.locus_of`) must not decrease; equal strengths go by position. NaN and
    features without a position are left out. O(V + H log H) for H features above the threshold.
    Raises InputError when `locus` is not sorted.

    >>> found = find_loci(np.array([100, 200, 900_000], np.uint64), np.array([9.0, 12.0, 8.0]))
    >>> found.lead.tolist(), found.start.tolist(), found.end.tolist(), found.count.tolist()
    ([1, 2], [100, 900000], [200, 900000], [2, 1])
    """
    place = np.asarray(locus, dtype=np.uint64)
    if np.any(place[1:] < place[:-1]):
        raise InputError("features out of genome order", expected="locus sorted from small to large")
    strong = np.flatnonzero((neg_log10_p >= threshold) & (place < np.uint64(UNPLACED << 32)))
    kept = place[strong]
    owner = np.full(strong.size, -1, dtype=np.int64)
    _claim(kept, np.argsort(-neg_log10_p[strong], kind="stable"), distance_bp, owner)
    leads, count = np.unique(owner, return_counts=True)
    bases = (kept & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    first = np.full(strong.size, 0xFFFFFFFF, dtype=np.uint32)
    last = np.zeros(strong.size, dtype=np.uint32)
    np.minimum.at(first, owner, bases)
    np.maximum.at(last, owner, bases)
    return Loci(strong[leads], first[leads], last[leads], count.astype(np.int32))
