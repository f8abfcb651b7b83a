"""Clumping: associations that LD makes one signal stand behind the strongest of them.

As PLINK 1.9's --clump: strongest first (equal ones by position), a variant still free with p ≤ p1 becomes an
index and takes every free variant with p < p2 that lies nearer than the window and has r² at or above the
threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError

P1: Final = 1e-4
P2: Final = 1e-2
R2: Final = 0.5
WINDOW_BP: Final = 250_000

_ROUNDING: Final = 1e-6  # r² is kept in float32: equal to the threshold within this is at it
_BASES: Final = np.uint64(0xFFFFFFFF)

_NOTHING: Final = (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))

R2Of = Callable[[int, npt.NDArray[np.int64]], npt.NDArray[np.float32]]
"""r² of one variant with others, given as places in the arrays of `clump`; NaN where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Clumps:
    """C clumps, strongest first: places of the indices, and of the M members with r² and their clump.

    `index` int64 [C]; `member` int64 [M] by clump, then by position; `clump` int32 [M] points into
    `index`; `r2` float32 [M]. An index is no member of its own clump.
    """

    index: npt.NDArray[np.int64]
    member: npt.NDArray[np.int64]
    clump: npt.NDArray[np.int32]
    r2: npt.NDArray[np.float32]


def clump(
    locus: npt.NDArray[np.uint64],
    neg_log10_p: npt.NDArray[Any],
    r2_of: R2Of,
    *,
    p1: float = P1,
    p2: float = P2,
    r2: float = R2,
    window_bp: int = WINDOW_BP,
) -> Clumps:
    """Clumps of V associations: `locus` uint64 [V] sorted (`model.genome.locus_of`), `neg_log10_p` [V].

    `r2_of` is asked once for each index, with the free variants of p < p2 nearer than `window_bp`. NaN in
    p leaves a variant out; a NaN of `r2_of` leaves it free. Raises InputError for a p2 below p1 or locus
    out of order.

    >>> locus, strength = np.array([10, 20, 900], np.uint64), np.array([9.0, 5.0, 8.0])
    >>> found = clump(locus, strength, lambda i, others: np.full(len(others), 0.9, np.float32), window_bp=100)
    >>> found.index.tolist(), found.member.tolist()
    ([0, 2], [1])
    """
    if not 0 < p1 <= p2 <= 1:
        raise InputError(f"p1 = {p1:g}, p2 = {p2:g}", expected="0 < p1 ≤ p2 ≤ 1")
    if np.any(locus[1:] < locus[:-1]):
        raise InputError("associations out of genome order", expected="locus sorted from small to large")
    strength = np.nan_to_num(np.asarray(neg_log10_p, np.float64), nan=-1.0)
    free = strength > -np.log10(p2)
    taken = np.zeros(len(strength), bool)
    starts = np.flatnonzero(strength >= -np.log10(p1))
    indices: list[int] = []
    parts = [_NOTHING]
    for lead in starts[np.argsort(-strength[starts], kind="stable")].tolist():
        if taken[lead]:
            continue
        free[lead] = False
        near = _near(locus, lead, free, window_bp)
        shared = r2_of(lead, near) if len(near) else np.zeros(0, np.float32)
        together = shared >= r2 - _ROUNDING
        members = near[together]
        free[members], taken[members] = False, True
        parts.append((members, np.full(len(members), len(indices), np.int32), shared[together]))
        indices.append(lead)
    member, owner, share = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Clumps(np.array(indices, np.int64), member, owner, share)


def _near(
    locus: npt.NDArray[np.uint64], lead: int, free: npt.NDArray[np.bool_], window_bp: int
) -> npt.NDArray[np.int64]:
    """Free variants nearer than the window on the lead's contig."""
    here = int(locus[lead])
    base, bases = here & ~int(_BASES), here & int(_BASES)
    low = np.searchsorted(locus, np.uint64(base | max(0, bases - window_bp + 1)), side="left")
    high = np.searchsorted(locus, np.uint64(min(base | int(_BASES), here + window_bp - 1)), side="right")
    return np.flatnonzero(free[low:high]) + int(low)
