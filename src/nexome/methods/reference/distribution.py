"""Values of one group of people in increasing levels, with how many people and how much weight is at each.

The form every statistic of a group starts from: made from a plain sample here, or from the counts of
millions of rows by `histograms`. n is people; the effective n of a weighted sample is Kish's
(Σw)² / Σw², which is what intervals are computed with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Increasing `values` [K], `people` and `weight` at each [K], Kish's `effective` n, weighted mean and SD.

    `sd` divides by Σw·(1 − 1/effective), which is n − 1 without weights; NaN below 2 people.
    """

    values: Floats
    people: Counts
    weight: Floats
    effective: float
    mean: float
    sd: float

    @property
    def count(self) -> int:
        """How many people."""
        return int(self.people.sum())

    def shares_below(self) -> Floats:
        """Share of the weight at or below each level [K]; ends at 1."""
        total = self.weight.sum()
        return np.cumsum(self.weight) / total if total > 0 else np.cumsum(self.weight)

    def share_under(self, value: float) -> float:
        """Share of the weight below a value, half of what is at it included; NaN of nobody."""
        if not self.count:
            return float("nan")
        below = self.weight[self.values < value].sum() + 0.5 * self.weight[self.values == value].sum()
        return float(below / self.weight.sum())

    def sample(self) -> tuple[Floats, Floats]:
        """Each person's value and weight [n], as far as levels keep them apart; for small groups."""
        at = np.repeat(np.arange(len(self.values)), self.people)
        return self.values[at], (self.weight / np.maximum(self.people, 1))[at]

    def within(self, low: float, high: float) -> Distribution:
        """The part of the people with low ≤ value ≤ high."""
        keep = (self.values >= low) & (self.values <= high)
        share = self.weight[keep].sum() / self.weight.sum() if self.count else 0.0
        return from_levels(self.values[keep], self.people[keep], self.weight[keep], self.effective * share)


def from_sample(values: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Distribution:
    """The distribution of a plain sample [n], NaN values and weights that are NaN or not above 0 left out.

    Raises InputError when the lengths differ.

    >>> from_sample([1.0, 2.0, 2.0]).mean
    1.6666666666666667
    """
    x = np.asarray(values, np.float64).ravel()
    w = np.ones_like(x) if weights is None else np.asarray(weights, np.float64).ravel()
    if len(x) != len(w):
        raise InputError(f"{len(x)} values and {len(w)} weights", expected="one weight a value")
    keep = np.isfinite(x) & np.isfinite(w) & (w > 0)
    x, w = x[keep], w[keep]
    levels, at, people = np.unique(x, return_inverse=True, return_counts=True)
    squares = float((w * w).sum())
    effective = float(w.sum() ** 2 / squares) if squares else 0.0
    return from_levels(levels, people, np.bincount(at, w, len(levels)).astype(np.float64), effective)


def from_levels(
    values: Floats,
    people: npt.NDArray[Any],
    weight: Floats,
    effective: float,
    *,
    moments: tuple[float, float] | None = None,
) -> Distribution:
    """A distribution from levels [K] (those of nobody are left out).

    `moments`: the exact Σwx and Σwx² where the levels are coarser than the values.
    """
    keep = np.asarray(people) > 0
    x, n, w = values[keep], np.asarray(people)[keep].astype(np.int64), weight[keep].astype(np.float64)
    total = float(w.sum())
    if not total:
        return Distribution(x, n, w, 0.0, float("nan"), float("nan"))
    if moments is None:
        mean = float(w @ x) / total
        spread = float(w @ (x - mean) ** 2)
    else:
        mean = moments[0] / total
        spread = max(moments[1] - total * mean * mean, 0.0)
    sd = (
        float(np.sqrt(spread / (total * (1.0 - 1.0 / effective)))) if effective > 1.0 + 1e-9 else float("nan")
    )
    return Distribution(x, n, w, effective, mean, sd)
