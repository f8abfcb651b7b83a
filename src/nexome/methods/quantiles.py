"""Counts of |z| in fixed bins, and the quantile–quantile (QQ) points drawn from them.

Bin k of `Z_BINS` holds k·Z_STEP ≤ |z| < (k+1)·Z_STEP; the last holds everything above as well. Counts of
parts add up, so a study is counted while it is written and never read again for its QQ plot or λGC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from scipy import special

from nexome.methods.normal import Floats, neg_log10_p_from_z
from nexome.model.errors import InputError

Z_STEP: Final = 1.0 / 64.0  # at |z| = 10 half a bin is 0.034 of −log₁₀ p: below a pixel
Z_BINS: Final = 2560  # up to |z| = 40, p ≈ 10⁻³⁵⁰

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class QuantilePoints:
    """QQ points, strongest last: expected and observed −log₁₀ p, and the band of the expected ranks.

    `count` is how many values a point stands for; arrays of P points, P ≤ Z_BINS.
    """

    expected: Floats
    observed: Floats
    lower: Floats
    upper: Floats
    count: Counts


@numba.njit(cache=True, nogil=True)
def _count(z: npt.NDArray[Any], counts: Counts) -> None:
    for value in z:
        if not np.isnan(value):
            counts[min(int(min(abs(value), 1e6) / Z_STEP), Z_BINS - 1)] += 1


def count_abs_z(z: npt.NDArray[Any]) -> Counts:
    """Counts [Z_BINS] of |z| from z of any shape; NaN is not counted, ±inf falls in the last bin.

    >>> int(count_abs_z(np.array([0.0, -0.01, 1.0, np.nan])).sum())
    3
    """
    counts = np.zeros(Z_BINS, dtype=np.int64)
    _count(np.ravel(z), counts)
    return counts


def check_counts(counts: npt.NDArray[Any]) -> Counts:
    """`counts` as int64, or InputError when its shape is not [Z_BINS]."""
    if counts.shape != (Z_BINS,):
        raise InputError(f"a histogram of shape {counts.shape}", expected=f"|z| counts of shape ({Z_BINS},)")
    return counts.astype(np.int64, copy=False)


def quantile_points(counts: npt.NDArray[Any], *, confidence: float = 0.95) -> QuantilePoints:
    """QQ points and confidence band from |z| counts [Z_BINS] (`count_abs_z`), one a filled bin.

    A bin's values are drawn at its middle (the last, open bin at its lower edge) against the mean of
    their expected −log₁₀ p under the null, approximated at their middle rank r of N: (r − ½)/N. The band
    is the `confidence` interval of the r-th smallest of N independent uniform p, Beta(r, N − r + 1).
    Neighbouring variants are correlated, so true null results leave the band more often than it says.
    Source: Casella & Berger, Statistical Inference, 5.4.4 (order statistics).
    """
    held = check_counts(counts)
    filled = np.flatnonzero(held)
    total = int(held.sum())
    above = total - np.cumsum(held)[filled]  # values stronger than the bin
    rank = above + (held[filled] + 1) / 2.0
    edge = filled + np.where(filled == Z_BINS - 1, 0.0, 0.5)
    tail = (1.0 - confidence) / 2.0
    return QuantilePoints(
        expected=-np.log10((rank - 0.5) / max(total, 1)),
        observed=neg_log10_p_from_z(edge * Z_STEP),
        lower=-np.log10(special.betaincinv(rank, total - rank + 1.0, 1.0 - tail)),
        upper=-np.log10(special.betaincinv(rank, total - rank + 1.0, tail)),
        count=held[filled],
    )
