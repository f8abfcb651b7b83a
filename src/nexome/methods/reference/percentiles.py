"""Percentiles of a distribution, smoothed, with standard errors and intervals.

Estimate: Harrell & Davis (1982), the mean of all order statistics, each weighted by how likely it is the
percentile (a beta distribution); with weights, of the weighted distribution with Kish's effective n
(Akinshin 2022). Where n·min(p, 1 − p) ≥ 100 the beta weights are taken from the normal distribution of the
same mean and SD. Standard error: Maritz & Jarrett (1978), from the same weights.

Interval: the distribution-free one of two order statistics (binomial; Conover 1999, 3.2), each replaced by
its Harrell–Davis mean, so that nobody's own value is an end. Where one of the two would lie among the
`tail` outermost people, estimate ± z·standard error instead, and `exact` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
import numpy.typing as npt
from scipy import special, stats

from nexome.methods.reference.distribution import Distribution, Floats

PERCENTILES: Final = tuple(range(1, 100))
TAIL: Final = 5.0  # people beyond a shown percentile, at least
LEVEL: Final = 0.95

_NORMAL_FROM: Final = 100.0
_REACH: Final = 8.0  # SDs of the beta weights that are summed; beyond lie 1e-15 of them
_EFFECTIVE_LEAST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles at shares `p` [P]: estimate, standard error, interval; NaN where nothing can be said.

    `exact` [P]: the interval comes from order statistics, else from the standard error. `shown` [P]: at
    least `tail` people lie on either side.
    """

    p: Floats
    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    exact: npt.NDArray[np.bool_]
    shown: npt.NDArray[np.bool_]


def percentiles_of(
    distribution: Distribution, p: npt.ArrayLike, *, level: float = LEVEL, tail: float = TAIL
) -> Percentiles:
    """Percentiles of one group at shares `p` between 0 and 1, with intervals of confidence `level`.

    Nothing is hidden: `shown` says which may be shown.
    """
    shares = np.asarray(p, np.float64)
    n = distribution.effective
    estimate, error = smooth_quantiles(distribution, shares)
    first, last = rank_interval(int(n), shares, level=level)
    exact = (first >= tail) & (last <= int(n) + 1 - tail)
    ends = np.concatenate([np.maximum(first, 1), np.minimum(last, max(int(n), 1))]) / (int(n) + 1.0)
    smooth = smooth_quantiles(distribution, ends)[0]
    margin = stats.norm.isf((1 - level) / 2) * error
    low = np.where(exact, smooth[: len(shares)], estimate - margin)
    high = np.where(exact, smooth[len(shares) :], estimate + margin)
    shown = distribution.count * np.minimum(shares, 1 - shares) >= tail - 1e-9
    shown &= n * np.minimum(shares, 1 - shares) >= tail - 1e-9
    return Percentiles(shares, estimate, error, low, high, exact, shown)


def rank_interval(
    n: int, p: npt.ArrayLike, *, level: float = LEVEL
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ranks (from 1) of the two order statistics of n that enclose the quantile at share p.

    Each side misses with at most (1 − level)/2. Rank 0 or n + 1: there is no such order statistic. With
    p = 0.025 and level 0.90 these are the ranks of CLSI EP28-A3c.

    >>> [int(r) for r in rank_interval(120, 0.025, level=0.9)]
    [1, 7]
    """
    side = (1.0 - level) / 2
    shares = np.asarray(p, np.float64)
    first = stats.binom.ppf(side, n, shares)
    last = stats.binom.ppf(1 - side, n, shares) + 1
    return first.astype(np.int64), last.astype(np.int64)


def smooth_quantiles(distribution: Distribution, p: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Harrell–Davis quantiles at shares p [P], their Maritz–Jarrett standard errors; NaN below 2 people."""
    shares = np.asarray(p, np.float64)
    estimate, error = np.full(len(shares), np.nan), np.full(len(shares), np.nan)
    n = distribution.effective
    if n < _EFFECTIVE_LEAST - 1e-9:
        return estimate, error
    below = np.concatenate([[0.0], distribution.shares_below()])
    large = n * np.minimum(shares, 1 - shares) >= _NORMAL_FROM
    if large.any():
        estimate[large], error[large] = _by_normal(distribution.values, below, shares[large], n)
    if not large.all():
        estimate[~large], error[~large] = _by_beta(distribution.values, below, shares[~large], n)
    return estimate, error


def _by_beta(values: Floats, below: Floats, p: Floats, n: float) -> tuple[Floats, Floats]:
    weights = np.diff(
        special.betainc(((n + 1) * p)[:, None], ((n + 1) * (1 - p))[:, None], below[None, :]), axis=1
    )
    estimate = weights @ values
    spread = np.einsum("pk,pk->p", weights, (values[None, :] - estimate[:, None]) ** 2)
    return estimate, np.sqrt(spread)


@numba.njit(cache=True, nogil=True)
def _by_normal(values: Floats, below: Floats, p: Floats, n: float) -> tuple[Floats, Floats]:
    estimate, error = np.empty(len(p)), np.empty(len(p))
    for i in range(len(p)):
        scale = math.sqrt(p[i] * (1 - p[i]) / (n + 2)) * math.sqrt(2.0)
        k = max(np.searchsorted(below, p[i] - _REACH * scale) - 1, 0)
        before = 0.0 if k == 0 else 0.5 * math.erfc((p[i] - below[k]) / scale)
        total = first = second = 0.0
        base = values[min(k, len(values) - 1)]
        while k < len(values):
            after = 1.0 if k == len(values) - 1 else 0.5 * math.erfc((p[i] - below[k + 1]) / scale)
            weight, x = after - before, values[k] - base
            total += weight
            first += weight * x
            second += weight * x * x
            if below[k + 1] > p[i] + _REACH * scale:
                break
            before = after
            k += 1
        centre = first / total
        estimate[i] = base + centre
        error[i] = math.sqrt(max(second / total - centre * centre, 0.0))
    return estimate, error
