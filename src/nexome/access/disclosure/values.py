"""Means and percentiles of cells, and whether they would tell of one or two of the people behind them.

Only what is counted, averaged and sorted is here; who may have it is decided in `guard`. Sources: (n, k) and
p% rules after Hundepool et al., Statistical Disclosure Control (2012), chapter 4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from nexome.access.disclosure.rules import Rules
from nexome.access.disclosure.words import Cells
from nexome.methods.populations import People

SAMPLE: Final = 1_001  # people of a cell whose median stands for its centre
BLOCKS_MOST: Final = 1_000  # finer than any percentile that is shown
OUTERMOST: Final = 2  # values at either end that count as the next: one or two outliers shape no block

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """What one pass over the values of C cells gives; each array [C].

    `spike` is the value that at least half of a cell's people share, NaN where there is none; `differ` are
    those with another value. `dominated`: one or two people make up nearly all of the sum, or of what it
    differs by from the cell's centre.
    """

    people: npt.NDArray[np.int64]
    mean: Floats
    sd: Floats
    spike: Floats
    differ: npt.NDArray[np.int64]
    dominated: npt.NDArray[np.bool_]


def valid_cell(cells: Cells) -> npt.NDArray[np.int32]:
    """The cell of each row [R] that counts: −1 where a value or a weight is missing, or a weight is 0."""
    counted = np.asarray(cells.cell, np.int32)
    if cells.values is not None:
        counted = np.where(np.isfinite(cells.values), counted, np.int32(-1))
    if cells.weights is not None:
        counted = np.where(cells.weights > 0, counted, np.int32(-1))
    return counted


def sums_of(cells: Cells, counted: npt.NDArray[np.int32], *, people: People, rules: Rules) -> Sums:
    """Sums over the rows whose `counted` cell is not −1; persons with several rows are added up."""
    size = len(cells.labels)
    cell, values, weights = one_a_person(cells, counted, people)
    n, total, weighted, spike, sample = _scan(cell, values, weights, size, SAMPLE)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weighted / total
    centre = np.array(
        [np.median(s[: min(k, SAMPLE)]) if k else np.nan for s, k in zip(sample, n, strict=True)]
    )
    square, differ, tops = _compare(cell, values, weights, mean, spike, centre)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(square / total * n / np.maximum(n - 1, 1))
    shared = n - differ >= n / 2
    dominated = _dominates(tops[:, 0], rules) | _dominates(tops[:, 1], rules)
    return Sums(n, mean, sd, np.where(shared, spike, np.nan), differ, dominated)


def one_a_person(
    cells: Cells, counted: npt.NDArray[np.int32], people: People
) -> tuple[npt.NDArray[np.int32], Floats, Floats]:
    """Cell, value and weight with one row a person and cell: the weighted mean and the sum of weights."""
    values = cells.values if cells.values is not None else np.ones(len(counted))
    weights = cells.weights if cells.weights is not None else np.ones(len(counted))
    if people.run is None:
        return counted, values, weights
    rows = np.flatnonzero(counted >= 0)
    run = people.run[rows]
    if (run[1:] > run[:-1]).all():  # each person in one row already: what a sort of a million would find
        return counted, values, weights
    pairs = np.stack([counted[rows].astype(np.int64), run])
    kept, which = np.unique(pairs, axis=1, return_inverse=True)
    which = which.reshape(-1)
    weight = np.bincount(which, weights[rows], kept.shape[1])
    total = np.bincount(which, weights[rows] * values[rows], kept.shape[1])
    cell: npt.NDArray[np.int32] = kept[0].astype(np.int32)
    return cell, total / weight, weight.astype(np.float64)


def percentiles_of(
    values: Floats, weights: Floats, probabilities: Iterable[float], rules: Rules
) -> dict[float, float]:
    """Percentiles of one cell that may be shown, by probability; the others are absent.

    Values are sorted and cut into blocks of at least `min_cell` people; what is read off is a line through
    the means of the blocks at their middles. Whatever probabilities are asked, all answers are made of these
    means, so that asking for many tells no more than asking for all. The two least and the two greatest
    values count as the third.
    """
    n = len(values)
    wanted = [
        p for p in probabilities if n >= rules.percentile_people and n * min(p, 1 - p) >= rules.tail_people
    ]
    if not wanted:
        return {}
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    if not rules.block_percentiles:
        return {p: float(np.quantile(values, p)) for p in wanted}
    heights, middles = _blocks(values, weights, rules)
    return {
        p: float(np.interp(p, middles, heights))
        for p in wanted
        if len(middles) and middles[0] <= p <= middles[-1]
    }


def _blocks(values: Floats, weights: Floats, rules: Rules) -> tuple[Floats, Floats]:
    n = len(values)
    blocks = min(n // rules.min_cell, BLOCKS_MOST)
    starts = np.arange(blocks) * n // blocks
    weight = np.add.reduceat(weights, starts)
    inner = np.clip(values, values[OUTERMOST], values[-1 - OUTERMOST])
    heights = np.add.reduceat(weights * inner, starts) / weight
    return heights, (np.cumsum(weight) - weight / 2) / weight.sum()


def round_to_error(number: float, sd: float, n: int) -> float:
    """A number rounded to between a tenth and a hundredth of its standard error sd/√n."""
    if not math.isfinite(number) or not sd > 0 or n < 1:
        return number
    digits = 1 - math.floor(math.log10(sd / math.sqrt(n)))
    return round(number, digits)


def _dominates(tops: Floats, rules: Rules) -> npt.NDArray[np.bool_]:
    """Whether the largest [C, 3: total, first, second] make up too much of a total."""
    total, first, second = tops[:, 0], tops[:, 1], tops[:, 2]
    two = first + second > rules.dominant_two * total
    rest = total - first - second < rules.dominant_rest * first
    return (total > 0) & (two | rest)


@njit(cache=True, nogil=True)
def _scan(cell: Any, values: Any, weights: Any, cells: int, sample: int) -> Any:
    """People, weight, weighted sum, majority candidate (Boyer and Moore 1981), first values: of each cell."""
    n = np.zeros(cells, np.int64)
    total = np.zeros(cells)
    weighted = np.zeros(cells)
    candidate = np.full(cells, np.nan)
    lead = np.zeros(cells, np.int64)
    kept = np.zeros((cells, sample))
    for row in range(len(cell)):
        at = cell[row]
        if at < 0:
            continue
        value = values[row]
        if n[at] < sample:
            kept[at, n[at]] = value
        n[at] += 1
        total[at] += weights[row]
        weighted[at] += weights[row] * value
        if lead[at] == 0:
            candidate[at] = value
        lead[at] += 1 if candidate[at] == value else -1
    return n, total, weighted, candidate, kept


@njit(cache=True, nogil=True)
def _compare(cell: Any, values: Any, weights: Any, mean: Any, spike: Any, centre: Any) -> Any:
    """Squares about the mean, people apart from the spike, (total, first, second) of |v| and |v − centre|."""
    cells = len(mean)
    square = np.zeros(cells)
    differ = np.zeros(cells, np.int64)
    tops = np.zeros((cells, 2, 3))
    for row in range(len(cell)):
        at = cell[row]
        if at < 0:
            continue
        square[at] += weights[row] * (values[row] - mean[at]) ** 2
        if values[row] != spike[at]:
            differ[at] += 1
        for which in range(2):
            part = abs(weights[row] * (values[row] - (centre[at] if which else 0.0)))
            tops[at, which, 0] += part
            if part > tops[at, which, 1]:
                tops[at, which, 2] = tops[at, which, 1]
                tops[at, which, 1] = part
            elif part > tops[at, which, 2]:
                tops[at, which, 2] = part
    return square, differ, tops
