"""Counts of people by group and value level: one pass over millions of rows, then everything from the counts.

A ValueGrid cuts a measurement into at most LEVELS levels: the measurement's own rounding where it shows
(then nothing is lost), else steps of 1/256 interquartile range, of the logarithm for skewed values above 0.
A level stands for its middle, so a percentile is off by at most half a step (0.3 % of an SD). What lies
outside the grid counts at its end levels; sums for mean and SD are of the values themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.methods.reference.distribution import Distribution, Floats, from_levels, from_sample
from nexome.methods.reference.outliers import prefers_logarithms
from nexome.methods.reference.rounding import measured_step

LEVELS: Final = 4096
LOOKED_AT: Final = 20_000  # values from which a grid is chosen

_PARTS: Final = 256  # steps in an interquartile range
_MARGIN: Final = 0.25  # of the range looked at, added at each end


@dataclass(frozen=True, slots=True)
class ValueGrid:
    """Levels at low + step·k, k < levels; of the logarithm when `logarithmic`.

    `rounding`: the step that all values looked at are multiples of, None without one.
    """

    low: float
    step: float
    levels: int
    logarithmic: bool
    rounding: float | None

    @property
    def values(self) -> Floats:
        """The value each level stands for [levels]."""
        at = self.low + self.step * np.arange(self.levels)
        return np.asarray(np.exp(at) if self.logarithmic else at, np.float64)


@dataclass(frozen=True, slots=True)
class Histogram:
    """People [C, K] and weight [C, K] by cell and level, and by cell Σw², Σw, Σwx, Σwx² [C, 4].

    `weight` is None where everyone weighs 1.
    """

    grid: ValueGrid
    people: npt.NDArray[np.uint32]
    weight: Floats | None
    sums: Floats

    def of_cells(self, cells: npt.NDArray[Any] | slice) -> Distribution:
        """The distribution of the people of some cells together (indices, a mask [C], or a slice)."""
        people = self.people[cells].sum(0, dtype=np.int64)
        weight = people.astype(np.float64) if self.weight is None else self.weight[cells].sum(0)
        squares, total, first, second = self.sums[cells].sum(0)
        effective = total**2 / squares if squares else 0.0
        return from_levels(self.grid.values, people, weight, effective, moments=(first, second))


def choose_grid(values: npt.NDArray[Any], *, seed: int = 1) -> ValueGrid | None:
    """The grid of a measurement, from at most LOOKED_AT of its values [n]; None where none is a number."""
    step = max(1, len(values) // LOOKED_AT)
    looked = np.asarray(values[seed % step :: step], np.float64)
    looked = looked[np.isfinite(looked)]
    if not len(looked):
        looked = np.asarray(values, np.float64)
        looked = looked[np.isfinite(looked)][:LOOKED_AT]
    if not len(looked):
        return None
    rounding = measured_step(looked)
    low, high = float(looked.min()), float(looked.max())
    if rounding and (high - low) * (1 + 2 * _MARGIN) / rounding < LEVELS - 2:
        edge = math.ceil(_MARGIN * (high - low) / rounding)
        first = round(low / rounding) - edge
        last = round(high / rounding) + edge
        first = max(first, 1 if low > 0 else 0) if low >= 0 else first
        return ValueGrid(first * rounding, rounding, last - first + 1, logarithmic=False, rounding=rounding)
    return _even_grid(looked, rounding)


def _even_grid(looked: Floats, rounding: float | None) -> ValueGrid:
    sample = from_sample(looked)
    logs = prefers_logarithms(sample)
    x = np.log(looked) if logs else looked
    low, quarter, three, high = np.quantile(x, [0, 0.25, 0.75, 1])
    margin = _MARGIN * (high - low)
    low, high = low - margin, high + margin
    if not logs and looked.min() > 0:
        low = max(low, 0.5 * looked.min())
    step = max((three - quarter) / _PARTS, (high - low) / (LEVELS - 2), 1e-300)
    levels = max(math.ceil((high - low) / step) + 1, 1) if high > low else 1
    return ValueGrid(float(low), float(step), min(levels, LEVELS), logs, rounding)


def count_people(
    values: npt.NDArray[Any],
    cells: npt.NDArray[np.int32],
    count: int,
    *,
    grid: ValueGrid,
    weights: Floats | None = None,
) -> Histogram:
    """The histogram of values [n] in cells [n] (0 … count − 1; negative: left out); NaN values are left out.

    A weight that is NaN or not above 0 leaves its person out.
    """
    people = np.zeros((count, grid.levels), np.uint32)
    weight = np.zeros((count, grid.levels) if weights is not None else (0, 0), np.float64)
    sums = np.zeros((count, 4))
    given = np.empty(0) if weights is None else np.asarray(weights, np.float64)
    table = np.asarray(values)
    _count(table, cells, given, (grid.low, grid.step, grid.levels, grid.logarithmic), people, weight, sums)
    return Histogram(grid, people, None if weights is None else weight, sums)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _count(
    values: npt.NDArray[Any],
    cells: npt.NDArray[np.int32],
    weights: Floats,
    grid: tuple[float, float, int, bool],
    people: npt.NDArray[np.uint32],
    weight: Floats,
    sums: Floats,
) -> None:
    low, step, levels, logarithmic = grid
    weighted = len(weights) > 0
    for i in range(len(values)):
        cell, x = cells[i], float(values[i])
        if cell < 0 or not math.isfinite(x):
            continue
        w = weights[i] if weighted else 1.0
        if not (w > 0.0 and math.isfinite(w)):
            continue
        at = x
        if logarithmic:
            at = math.log(x) if x > 0 else -1e308
        level = int(min(max((at - low) / step + 0.5, 0.0), levels - 1.0))
        people[cell, level] += 1
        if weighted:
            weight[cell, level] += w
        sums[cell, 0] += w * w
        sums[cell, 1] += w
        sums[cell, 2] += w * x
        sums[cell, 3] += w * x * x
