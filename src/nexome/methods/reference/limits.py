"""Reference limits: the central 95 % of a group, each limit with a 90 % interval (CLSI EP28-A3c).

Non-parametric from `people_least` people on: the smoothed 2.5th and 97.5th percentiles, with the intervals of
`percentiles` (the guideline's ranks). Fewer, from 20 on: the robust method of Horn, Pesce & Copeland (1998),
biweight location and scale with the constants 3.7 and 205.6, with a seeded bootstrap; of the logarithms where
these are the more symmetrical, or a limit of what is above 0 would fall below. Which it was is said in
`method`; fewer than 20 have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from nexome.methods.reference.distribution import Distribution, Floats
from nexome.methods.reference.outliers import prefers_logarithms
from nexome.methods.reference.percentiles import TAIL, percentiles_of

PEOPLE_LEAST: Final = 120
ROBUST_LEAST: Final = 20
LIMITS: Final = (0.025, 0.975)
LEVEL: Final = 0.90
BOOTSTRAPS: Final = 500

_ROUNDS: Final = 50
_SETTLED: Final = 5e-6
_NARROW, _WIDE = 3.7, 205.6
_MAD_OF_SD: Final = 0.6745


@dataclass(frozen=True, slots=True)
class Limits:
    """Lower and upper reference limit, each with its interval; NaN where `method` is 'none'.

    `method`: 'non-parametric', 'robust', 'robust, logarithms', 'none'.
    """

    method: str
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float


def reference_limits(
    distribution: Distribution,
    *,
    people_least: int = PEOPLE_LEAST,
    level: float = LEVEL,
    seed: int = 1,
    tail: float = TAIL,
) -> Limits:
    """The reference limits of one group by the method its size allows.

    `people_least`: from how many people the non-parametric method is used, 120 by the guideline; a
    publisher who shows no percentile with fewer than 5 people beyond asks for 200.
    """
    n = min(distribution.effective, distribution.count)
    if n >= people_least:
        q = percentiles_of(distribution, LIMITS, level=level, tail=tail)
        ends = np.stack([q.estimate, q.low, q.high], axis=1)
        return Limits("non-parametric", *map(float, ends.ravel()))
    if n < ROBUST_LEAST or not distribution.sd > 0:
        return Limits("none", *[float("nan")] * 6)
    return _robust_with_interval(distribution, level=level, seed=seed)


def _robust_with_interval(distribution: Distribution, *, level: float, seed: int) -> Limits:
    if prefers_logarithms(distribution):
        return _robust(distribution, level=level, seed=seed, logarithms=True)
    found = _robust(distribution, level=level, seed=seed, logarithms=False)
    if distribution.values[0] > 0 > found.lower_low:  # no limit below 0 of what is always above
        return _robust(distribution, level=level, seed=seed, logarithms=True)
    return found


def _robust(distribution: Distribution, *, level: float, seed: int, logarithms: bool) -> Limits:
    values, weights = distribution.sample()
    values = np.log(values) if logarithms else values
    chance = weights / weights.sum()
    draws = np.random.default_rng(seed).choice(len(values), (BOOTSTRAPS, len(values)), p=chance)
    n = distribution.effective
    lower, upper = robust_limits(values[None, :], weights[None, :], effective=n)
    lows, highs = robust_limits(values[draws], effective=n)
    sides = [(1 - level) / 2, (1 + level) / 2]
    ends = np.array([lower[0], *np.nanquantile(lows, sides), upper[0], *np.nanquantile(highs, sides)])
    shown = np.exp(ends) if logarithms else ends
    return Limits("robust, logarithms" if logarithms else "robust", *map(float, shown))


def robust_limits(
    values: Floats, weights: Floats | None = None, *, effective: float | None = None, share: float = 0.95
) -> tuple[Floats, Floats]:
    """Horn's robust limits of samples [B, n]: lower [B], upper [B]; NaN where half the values are one number.

    `effective` is n of the t distribution where weights make it other than the number of values.
    """
    w = np.ones_like(values) if weights is None else weights * (values.shape[1] / weights.sum())
    n = float(values.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = _weighted_median(values, w)
        mad = _weighted_median(np.abs(values - middle), w) / _MAD_OF_SD
        centre = _location(values, w, middle, _NARROW * mad)
        wide = _scale(values - middle, w, _WIDE * mad, factor=n)
        narrow = _scale(values - middle, w, _NARROW * mad, factor=n)
        error = _scale(values - centre, w, _NARROW * narrow, factor=1.0)
        margin = stats.t.ppf((1 + share) / 2, (effective or n) - 1) * np.sqrt(wide**2 + error**2)
    return (centre - margin)[:, 0], (centre + margin)[:, 0]


def _location(values: Floats, weights: Floats, start: Floats, reach: Floats) -> Floats:
    """Tukey's biweight location of each row, iterated from `start` [B, 1] until it has settled."""
    centre = start
    for _ in range(_ROUNDS):
        u = (values - centre) / reach
        w = weights * np.where(np.abs(u) < 1, (1 - u * u) ** 2, 0.0)
        after = (w * values).sum(1, keepdims=True) / w.sum(1, keepdims=True)
        settled = np.nanmax(np.abs(after - centre), initial=0.0) < _SETTLED
        centre = after
        if settled:
            break
    return centre


def _scale(apart: Floats, weights: Floats, reach: Floats, *, factor: float) -> Floats:
    """Biweight scale of distances [B, n]; `factor` n gives that of values, 1 that of their location."""
    u = apart / reach
    inside = np.abs(u) < 1
    above = (weights * np.where(inside, u**2 * (1 - u**2) ** 4, 0.0)).sum(1, keepdims=True)
    below = (weights * np.where(inside, (1 - u**2) * (1 - 5 * u**2), 0.0)).sum(1, keepdims=True)
    scale: Floats = reach * np.sqrt(factor * above / (below * np.maximum(1.0, below - 1.0)))
    return scale


def _weighted_median(values: Floats, weights: npt.NDArray[Any]) -> Floats:
    """Weighted median of each row [B, 1]; the plain one where weights are equal."""
    order = np.argsort(values, axis=1)
    x = np.take_along_axis(values, order, 1)
    share = np.cumsum(np.take_along_axis(np.broadcast_to(weights, values.shape), order, 1), axis=1)
    half = share[:, -1:] / 2
    near = 1e-9 * share[:, -1:]
    low = np.take_along_axis(x, np.argmax(share >= half - near, axis=1)[:, None], 1)
    high = np.take_along_axis(x, np.argmax(share > half + near, axis=1)[:, None], 1)
    return (low + high) / 2
