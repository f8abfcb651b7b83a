"""Outliers of a group, two rules; whether to leave them out is the caller's choice, and must be told.

Tukey (1977): beyond `reach` interquartile ranges from the quartiles, of the logarithms where these are the
more symmetrical. Dixon, as Reed and CLSI EP28-A3c use it: an outermost value is out when the gap to the next
is at least a third of the range.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from nexome.methods.reference.distribution import Distribution
from nexome.methods.reference.percentiles import smooth_quantiles

OutlierRule = Literal["none", "tukey", "dixon"]

OUTLIER_RULES: Final = ("none", "tukey", "dixon")
TUKEY_REACH: Final = 3.0  # 'far out': 2 in a million of a normal distribution, so that tails are not trimmed
_DIXON: Final = 1.0 / 3.0
_LEAST: Final = 8


def fences(distribution: Distribution, rule: OutlierRule) -> tuple[float, float]:
    """Lowest and highest value that is no outlier; infinite where the rule excludes nothing."""
    if rule == "none" or distribution.count < _LEAST:
        return -np.inf, np.inf
    return _tukey(distribution) if rule == "tukey" else _dixon(distribution)


def prefers_logarithms(distribution: Distribution) -> bool:
    """Whether the octiles of the logarithms are more symmetrical than those of the values (all above 0)."""
    if not distribution.count or distribution.values[0] <= 0:
        return False
    low, middle, high = smooth_quantiles(distribution, [0.125, 0.5, 0.875])[0]
    if not 0 < low < middle < high:
        return False
    plain = abs((high - middle) - (middle - low)) / (high - low)
    logs = abs(np.log(high * low / middle**2)) / np.log(high / low)
    return bool(logs < plain)


def _tukey(distribution: Distribution) -> tuple[float, float]:
    low, high = smooth_quantiles(distribution, [0.25, 0.75])[0]
    if prefers_logarithms(distribution):
        reach = TUKEY_REACH * np.log(high / low)
        return float(low * np.exp(-reach)), float(high * np.exp(reach))
    return float(low - TUKEY_REACH * (high - low)), float(high + TUKEY_REACH * (high - low))


def _dixon(distribution: Distribution) -> tuple[float, float]:
    x = distribution.values
    low, high = 0, len(x) - 1
    while high - low > 2:
        spread = x[high] - x[low]
        if distribution.people[high] == 1 and x[high] - x[high - 1] >= _DIXON * spread:
            high -= 1
        elif distribution.people[low] == 1 and x[low + 1] - x[low] >= _DIXON * spread:
            low += 1
        else:
            break
    return float(x[low]), float(x[high])
