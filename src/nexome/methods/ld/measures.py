"""From counts of two variants to r and D′: the arithmetic, one pair at a time, compiled.

Alternate alleles are counted: r > 0 where the two alternate alleles are found together.

- `r_of_counts`: Pearson's correlation of alternate counts over the people in whom both are called,
  Rogers & Huff (2009); what PLINK's --r prints. All sums are whole numbers, so only the last division rounds.
- `share_of_double_heterozygotes`: how many double heterozygotes carry both alternate alleles on one
  haplotype, by maximum likelihood under random mating. EM's fixed points are the roots of a cubic
  (Gaunt et al. 2007); the root with the highest likelihood is taken, where EM may stop at another.
- `d_prime_of`: Lewontin (1964): D over the largest D that the two frequencies allow, with D's sign.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

MEASURED: Final = 0
MONOMORPHIC: Final = 1
TOO_FEW: Final = 2
STATES: Final = ("measured", "monomorphic", "too_few")
"""What the three codes are called."""

_STEPS: Final = 60  # halving an interval of 2³² people down to a double's last bit
_SAME: Final = 1e-9  # log-likelihoods per haplotype nearer than this are one


@njit(inline="always")
def state_of(people: Any, spread_x: Any, spread_y: Any) -> Any:
    """MEASURED; TOO_FEW: fewer than two people are called in both; MONOMORPHIC: one does not vary in them."""
    if people < 2:
        return TOO_FEW
    return MEASURED if spread_x > 0 and spread_y > 0 else MONOMORPHIC


@njit(inline="always")
def ratio_r(shared: Any, spread_x: Any, spread_y: Any) -> Any:
    """A covariance over the root of two variances, all times the same number; kept within −1 … 1."""
    r = shared / (np.sqrt(np.float64(spread_x)) * np.sqrt(np.float64(spread_y)))
    return min(1.0, max(-1.0, r))


@njit(inline="always")
def d_prime_of(both: Any, p: Any, q: Any) -> Any:
    """D′ from the frequency of haplotypes with both alternate alleles and the two frequencies p, q."""
    d = both - p * q
    most = min(p * (1 - q), (1 - p) * q) if d >= 0 else min(p * q, (1 - p) * (1 - q))
    return min(1.0, max(-1.0, d / most)) if most > 0 else np.nan


@njit(cache=True, nogil=True)
def share_of_double_heterozygotes(known: Any, double: Any) -> Any:
    """How many (x) of `double` people carry both alternate alleles on one haplotype, 0 ≤ x ≤ double.

    `known` (a, b, c, d) counts the haplotypes of everyone else: both alternate, the first alone, the
    second alone, neither. x solves x(b + h − x)(c + h − x) = (h − x)(a + x)(d + x), h = `double`.
    Where two solutions are equally likely (only double heterozygotes) the smaller |D| wins.
    """
    a, b, c, d = known
    h = np.float64(double)
    if h == 0:
        return 0.0
    k2 = a + d - b - c - 3 * h
    k1 = (b + h) * (c + h) - h * (a + d) + a * d
    k0 = -h * a * d
    edges = _monotone_stretches(k2, k1, h)
    best, best_x, best_d = -np.inf, 0.0, np.inf
    for i in range(5):
        x = 0.0 if i == 0 else (h if i == 1 else _root(k2, k1, k0, edges[i - 2], edges[i - 1]))
        if x < 0:
            continue
        likely = _log_likelihood(a, b, c, d, h, x)
        size = abs((a + x) * (d + x) - (b + h - x) * (c + h - x))
        if likely > best + _SAME or (likely > best - _SAME and size < best_d):
            best, best_x, best_d = likely, x, size
    return best_x


@njit(inline="always")
def _monotone_stretches(k2: Any, k1: Any, h: Any) -> Any:
    """0, the turning points of 2x³ + k2·x² + k1·x between 0 and h, and h: four edges, in order."""
    inner = k2 * k2 - 6 * k1
    if inner <= 0:
        return (0.0, 0.0, h, h)
    root = np.sqrt(inner)
    low = min(h, max(0.0, (-k2 - root) / 6))
    high = min(h, max(0.0, (-k2 + root) / 6))
    return (0.0, low, high, h)


@njit(inline="always")
def _root(k2: Any, k1: Any, k0: Any, low: Any, high: Any) -> Any:
    """The root of 2x³ + k2·x² + k1·x + k0 in a stretch without turning points; −1 where there is none."""
    at_low = ((2 * low + k2) * low + k1) * low + k0
    at_high = ((2 * high + k2) * high + k1) * high + k0
    if low >= high or at_low * at_high > 0:
        return -1.0
    x = (low + high) / 2
    for _ in range(_STEPS):
        value = ((2 * x + k2) * x + k1) * x + k0
        if (value > 0) == (at_high > at_low):
            high = x
        else:
            low = x
        slope = (6 * x + 2 * k2) * x + k1
        after = x - value / slope if slope != 0 else low
        if not low < after < high:  # Newton's step leaves the stretch: halve it
            after = (low + high) / 2
        if abs(after - x) <= 1e-12 * high:
            return after
        x = after
    return x


@njit(inline="always")
def _log_likelihood(a: Any, b: Any, c: Any, d: Any, h: Any, x: Any) -> Any:
    total = a + b + c + d + 2 * h
    p11, p12, p21, p22 = (a + x) / total, (b + h - x) / total, (c + h - x) / total, (d + x) / total
    unknown = p11 * p22 + p12 * p21
    if unknown <= 0:
        return -np.inf
    return (_xlog(a, p11) + _xlog(b, p12) + _xlog(c, p21) + _xlog(d, p22) + h * np.log(unknown)) / total


@njit(inline="always")
def _xlog(count: Any, share: Any) -> Any:
    if count == 0:
        return 0.0
    return count * np.log(share) if share > 0 else -np.inf
