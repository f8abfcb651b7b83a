"""Whether two groups need reference limits of their own.

Harris & Boyd (1990): z of the difference of means above 3·√((n₁ + n₂)/240), or one SD more than 1.5 times
the other. Lahti and others (2004): the shares of each group outside the limits of both together: limits
of their own where one is at least 4.1 % or at most 0.9 %, common limits where all lie within 1.8 to 3.2 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from nexome.methods.reference.distribution import Distribution, from_levels
from nexome.methods.reference.percentiles import smooth_quantiles

Advice = Literal["separate", "common", "undecided"]

SD_RATIO: Final = 1.5
LAHTI_SEPARATE: Final = (0.009, 0.041)
LAHTI_COMMON: Final = (0.018, 0.032)


@dataclass(frozen=True, slots=True)
class PartitionTest:
    """z and its critical value, the ratio of SDs (larger over smaller), shares outside common limits, advice.

    `shares`: below and above for the first group, then for the second; NaN where a group is below 60 people.
    """

    z: float
    z_critical: float
    sd_ratio: float
    shares: tuple[float, float, float, float]
    harris_boyd: Advice
    lahti: Advice


_NONE: Final = (math.nan,) * 4
_LAHTI_LEAST: Final = 60


def compare_groups(a: Distribution, b: Distribution) -> PartitionTest:
    """Both tests of two groups, each with its own mean, SD and effective n."""
    z, critical, ratio = harris_boyd((a.mean, a.sd, a.effective), (b.mean, b.sd, b.effective))
    shares = lahti_shares(a, b) if min(a.effective, b.effective) >= _LAHTI_LEAST else _NONE
    separate: Advice = "separate" if abs(z) > critical or ratio > SD_RATIO else "common"
    return PartitionTest(
        z, critical, ratio, shares, "undecided" if math.isnan(z) else separate, _advice(shares)
    )


def harris_boyd(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    """z, its critical value and the SD ratio of two groups, each (mean, SD, n).

    >>> [round(v, 3) for v in harris_boyd((10.0, 2.0, 120), (11.0, 2.0, 120))]
    [-3.873, 3.0, 1.0]
    """
    (mean_a, sd_a, n_a), (mean_b, sd_b, n_b) = a, b
    variance = sd_a**2 / n_a + sd_b**2 / n_b if n_a and n_b else math.nan
    z = (mean_a - mean_b) / math.sqrt(variance) if variance > 0 else math.nan
    low, high = min(sd_a, sd_b), max(sd_a, sd_b)
    return z, 3.0 * math.sqrt((n_a + n_b) / 240.0), high / low if low > 0 else math.nan


def lahti_shares(a: Distribution, b: Distribution) -> tuple[float, float, float, float]:
    """Shares of each group below and above the 2.5 and 97.5 % limits of both together."""
    low, high = smooth_quantiles(_united(a, b), [0.025, 0.975])[0]
    return (a.share_under(low), 1 - a.share_under(high), b.share_under(low), 1 - b.share_under(high))


def _united(a: Distribution, b: Distribution) -> Distribution:
    values, at = np.unique(np.concatenate([a.values, b.values]), return_inverse=True)
    people = np.bincount(at, np.concatenate([a.people, b.people]), len(values)).astype(np.int64)
    weight = np.bincount(at, np.concatenate([a.weight, b.weight]), len(values)).astype(np.float64)
    return from_levels(values, people, weight, a.effective + b.effective)


def _advice(shares: tuple[float, ...]) -> Advice:
    if any(math.isnan(s) for s in shares):
        return "undecided"
    if max(shares) >= LAHTI_SEPARATE[1] or min(shares) <= LAHTI_SEPARATE[0]:
        return "separate"
    return "common" if LAHTI_COMMON[0] <= min(shares) and max(shares) <= LAHTI_COMMON[1] else "undecided"
