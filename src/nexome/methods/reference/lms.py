"""Curves over age by the LMS method (Cole & Green 1992): Box–Cox power L, median M, variation S.

z = ((y/M)^L − 1)/(L·S), log(y/M)/S at L = 0, is taken as standard normal at every age; y > 0. L, log M and
log S are natural cubic splines of age whose number of coefficients is chosen by BIC. The likelihood (Box–Cox
Cole and Green, 'BCCG') is maximised by Fisher scoring over a table age × value, so that a million people
cost as much as a thousand. The cut of the distribution at y = 0 (gamlss divides by Φ(1/(S·|L|))) is left
out, as in published growth charts; `Curve.cut` says how much of the distribution lies there.

Errors are the sandwich of the expected information and the observed scores; with weights scaled to the
effective n they know nothing of strata or clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from scipy import special

from nexome.methods.reference.distribution import Floats
from nexome.model.errors import InputError

AGES_LEAST: Final = 4
SHAPES_M: Final = (1, 2, 3, 4, 5, 6, 8, 10)
SHAPES_S: Final = (1, 2, 3, 4, 5)
SHAPES_L: Final = (1, 2, 3)
CHECKED: Final = (0.03, 0.10, 0.25, 0.50, 0.75, 0.90, 0.97)

_ROUNDS: Final = 60
_HALVINGS: Final = 12
_SETTLED: Final = 1e-9
_TINY: Final = 1e-4  # |L·log(y/M)| below which the series is the more exact
_RIDGE: Final = 1e-9
_POWERS: Final = 8.0  # |L| beyond this describes no measurement; the search stays within


@dataclass(frozen=True, slots=True)
class Curve:
    """Fitted L, M and S at ages: knots and coefficients, covariance of all coefficients, how well it fits.

    `low` and `high` are the ages it holds for. `deviation`: by how much, over seven centiles and four
    quarters of age, the share of people below a centile is off its nominal value at most, beyond what
    sampling explains (3 standard errors). `cut`: the largest share of the fitted distribution below 0.
    """

    low: float
    high: float
    knots: tuple[Floats, Floats, Floats]
    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    people: float
    deviation: float = math.nan
    cut: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of coefficients of L, M and S."""
        sizes = [_columns(knots) for knots in self.knots]
        return sizes[0], sizes[1], sizes[2]

    def at(self, ages: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """L, M and S at ages [A]. Raises InputError for an age outside: nothing is extrapolated."""
        design = self._design(ages)
        split = np.cumsum(self.shape)[:-1]
        power, median, variation = (
            b @ c for b, c in zip(design, np.split(self.coefficients, split), strict=True)
        )
        return power, np.exp(median), np.exp(variation)

    def covariances(self, ages: npt.ArrayLike) -> Floats:
        """Covariance of (L, log M, log S) at each age [A, 3, 3]."""
        design = self._design(ages)
        blocks = np.zeros((len(design[0]), 3, len(self.coefficients)))
        at = 0
        for i, basis in enumerate(design):
            blocks[:, i, at : at + basis.shape[1]] = basis
            at += basis.shape[1]
        return np.einsum("aik,kl,ajl->aij", blocks, self.covariance, blocks)

    def _design(self, ages: npt.ArrayLike) -> list[Floats]:
        x = np.atleast_1d(np.asarray(ages, np.float64))
        if np.any((x < self.low - 1e-9) | (x > self.high + 1e-9)):
            raise InputError("an age outside the curve", expected=f"{self.low:g} to {self.high:g} years")
        return [_basis(x, knots) for knots in self.knots]


def z_of(
    values: npt.ArrayLike, power: npt.ArrayLike, median: npt.ArrayLike, variation: npt.ArrayLike
) -> Floats:
    """Z of values under L, M, S (broadcast): ((y/M)^L − 1)/(L·S), log(y/M)/S at L = 0; NaN for y ≤ 0.

    >>> round(float(z_of(9.7, -0.1600954, 9.476500305, 0.11218624)), 3)  # CDC 2000, boys of 9 months
    0.207
    """
    y, m = np.asarray(values, np.float64), np.asarray(median, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(y > 0, np.log(np.where(y > 0, y, 1.0) / m), np.nan)
    return np.asarray(special.boxcox(np.exp(x), power) / np.asarray(variation, np.float64))


def value_at(
    z: npt.ArrayLike, power: npt.ArrayLike, median: npt.ArrayLike, variation: npt.ArrayLike
) -> Floats:
    """The value with a given z: M·(1 + L·S·z)^(1/L); NaN where the fitted distribution has none.

    >>> round(float(value_at(-1.645, -0.1600954, 9.476500305, 0.11218624)), 2)  # 5th percentile
    7.9
    """
    lam = np.asarray(power, np.float64)
    lam = np.where(np.abs(lam) < 1e-12, 0.0, lam)  # else what is divided by it vanishes
    scaled = np.asarray(z, np.float64) * np.asarray(variation, np.float64)
    inside = 1 + lam * scaled > 0
    return np.asarray(
        np.where(inside, np.asarray(median) * special.inv_boxcox(np.where(inside, scaled, 0.0), lam), np.nan)
    )


def z_error(value: float, at: tuple[float, float, float], covariance: Floats) -> float:
    """Standard error of the z of one value, from the covariance [3, 3] of (L, log M, log S) at its age."""
    power, median, variation = at
    z = float(z_of(value, power, median, variation))
    x = math.log(value / median)
    near = abs(power * x) < _TINY
    by_power = x * x / (2 * variation) if near else (x / variation + power * x * z - z) / power
    slope = np.array([by_power, -(1 + power * variation * z) / variation, -z])
    return math.sqrt(max(float(slope @ covariance @ slope), 0.0))


def value_error(z: float, at: tuple[Floats, Floats, Floats], covariance: Floats) -> Floats:
    """Standard error of the logarithm of the value with one z, at ages [A]; `covariance` [A, 3, 3]."""
    power, _, variation = at
    scaled = variation * z
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = 1 + power * scaled
        exact = scaled / (power * inside) - np.log(inside) / (power * power)
    near = np.abs(power * scaled) < _TINY
    by_power = np.where(near, -scaled * scaled / 2, exact)
    slope = np.stack([by_power, np.ones_like(scaled), scaled / inside], axis=-1)
    variance = np.einsum("ai,aij,aj->a", slope, covariance, slope)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def fit_curve(
    ages: npt.ArrayLike, values: npt.ArrayLike, weight: npt.ArrayLike, *, effective: float | None = None
) -> Curve | None:
    """The curve of a table of people: ages [A], values [K] above 0, weight [A, K] at each pair.

    `effective`: the effective n that weights are scaled to (their sum where None). None where there are fewer
    than 4 ages or the likelihood has no maximum within reach. Raises InputError for values not above 0.
    """
    x, y = np.asarray(ages, np.float64), np.asarray(values, np.float64)
    w = np.asarray(weight, np.float64)
    held = w.sum(1) > 0
    if np.any(y[w.sum(0) > 0] <= 0):
        raise InputError("values not above 0", expected="values above 0 for an LMS curve")
    if held.sum() < AGES_LEAST:
        return None
    x, w = x[held], w[held]
    w = w * ((effective or w.sum()) / w.sum())
    used = w.sum(0) > 0
    table = _Table(x, np.log(y[used]), np.ascontiguousarray(w[:, used]))
    best = _chosen(table)
    return None if best is None else _checked(best, table)


@dataclass(frozen=True, slots=True)
class _Table:
    """Ages [A], logarithms of values [K], weight [A, K]."""

    ages: Floats
    logs: Floats
    weight: Floats


def _chosen(table: _Table) -> Curve | None:
    """The curve with the lowest BIC: shapes of M, S and L tried one after the other, then M once more."""
    shape, best = {"L": 1, "M": 2, "S": 1}, None
    tried: dict[tuple[int, ...], Curve | None] = {}
    most = len(table.ages) - 1
    for part, sizes in (("M", SHAPES_M), ("S", SHAPES_S), ("L", SHAPES_L), ("M", SHAPES_M)):
        for size in (s for s in sizes if s <= most):
            key = tuple((shape | {part: size}).values())
            if key not in tried:
                tried[key] = _fitted(table, key, start=best)
            found = tried[key]
            if found is not None and (best is None or _bic(found) < _bic(best)):
                best = found
        if best is not None:
            shape = dict(zip("LMS", best.shape, strict=True))
    return best


def _bic(curve: Curve) -> float:
    return -2 * curve.log_likelihood + len(curve.coefficients) * math.log(curve.people)


def _fitted(table: _Table, shape: tuple[int, ...], *, start: Curve | None) -> Curve | None:
    """Fisher scoring with halved steps; None where it does not settle."""
    knots = tuple(_knots(table, size) for size in shape)
    design = [_basis(table.ages, k) for k in knots]
    theta = _start(table, design, start)
    likelihood, scores, _ = _scores(table, design, theta)
    for _ in range(_ROUNDS):
        step = np.asarray(
            np.linalg.solve(_information(table, design, theta), _gathered(design, scores)), np.float64
        )
        theta, after, scores, moved = _climbed(table, design, theta, step, likelihood)
        gain, likelihood = after - likelihood, after
        if not moved or gain < _SETTLED * (1 + abs(likelihood)):
            break
    else:
        return None
    if np.abs(design[0] @ theta[: shape[0]]).max() > _POWERS:
        return None
    inverse = np.linalg.inv(_information(table, design, theta))
    outer = _scores(table, design, theta)[2]
    covariance = inverse @ _sandwiched(design, outer) @ inverse
    low, high = float(table.ages[0]), float(table.ages[-1])
    return Curve(low, high, knots, theta, covariance, likelihood, float(table.weight.sum()))  # type: ignore[arg-type]


def _climbed(
    table: _Table, design: list[Floats], theta: Floats, step: Floats, likelihood: float
) -> tuple[Floats, float, Floats, bool]:
    """The furthest of theta + step, + step/2, … that is no worse; theta itself where none is."""
    for k in range(_HALVINGS):
        trial = theta + step / 2**k
        after, scores, _ = _scores(table, design, trial)
        if math.isfinite(after) and after >= likelihood:
            return trial, after, scores, True
    return theta, likelihood, _scores(table, design, theta)[1], False


def _start(table: _Table, design: list[Floats], start: Curve | None) -> Floats:
    """Where scoring starts: the curve before, brought to these knots, else means and SD of the logarithms."""
    if start is None:
        total = table.weight.sum(1)
        centre = table.weight @ table.logs / total
        spread = math.sqrt(float((table.weight * (table.logs - centre[:, None]) ** 2).sum() / total.sum()))
        goals = [np.full(len(total), 0.5), centre, np.full(len(total), math.log(max(spread, 1e-6)))]
    else:
        power, median, variation = start.at(table.ages)
        goals = [power, np.log(median), np.log(variation)]
    return np.concatenate([np.linalg.lstsq(b, g, rcond=None)[0] for b, g in zip(design, goals, strict=True)])


def _parts(design: list[Floats], theta: Floats) -> tuple[Floats, Floats, Floats]:
    split = np.cumsum([b.shape[1] for b in design])[:-1]
    power, median, variation = (b @ c for b, c in zip(design, np.split(theta, split), strict=True))
    return power, median, np.exp(np.clip(variation, -30, 5))


def _scores(table: _Table, design: list[Floats], theta: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, score by (L, log M, log S) at each age [A, 3] and sums of its products [A, 3, 3]."""
    power, median, variation = _parts(design, theta)
    return _sum_scores(table.logs, table.weight, power, median, variation)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _sum_scores(
    logs: Floats, weight: Floats, power: Floats, median: Floats, variation: Floats
) -> tuple[float, Floats, Floats]:
    ages, levels = weight.shape
    scores, outer = np.zeros((ages, 3)), np.zeros((ages, 3, 3))
    likelihood = 0.0
    for a in range(ages):
        lam, s = power[a], variation[a]
        base = math.log(s)
        for k in range(levels):
            w = weight[a, k]
            if w == 0.0:
                continue
            x = logs[k] - median[a]
            t = lam * x
            if abs(t) < _TINY:
                z = x / s * (1 + t / 2 + t * t / 6)
                apart = x * x / s * (0.5 + t / 6)  # (z − x/S)/L
            else:
                z = math.expm1(t) / (lam * s)
                apart = (z - x / s) / lam
            likelihood += w * (t - base - 0.5 * z * z)
            by_power = z * apart - x * (z * z - 1)
            by_median = z / s + lam * (z * z - 1)
            by_variation = z * z - 1
            scores[a, 0] += w * by_power
            scores[a, 1] += w * by_median
            scores[a, 2] += w * by_variation
            outer[a, 0, 0] += w * by_power * by_power
            outer[a, 0, 1] += w * by_power * by_median
            outer[a, 0, 2] += w * by_power * by_variation
            outer[a, 1, 1] += w * by_median * by_median
            outer[a, 1, 2] += w * by_median * by_variation
            outer[a, 2, 2] += w * by_variation * by_variation
        outer[a, 1, 0], outer[a, 2, 0], outer[a, 2, 1] = outer[a, 0, 1], outer[a, 0, 2], outer[a, 1, 2]
    return likelihood, scores, outer


def _gathered(design: list[Floats], scores: Floats) -> Floats:
    return np.concatenate([b.T @ scores[:, i] for i, b in enumerate(design)]).astype(np.float64)


def _information(table: _Table, design: list[Floats], theta: Floats) -> Floats:
    """Expected information (Cole & Green 1992, appendix), by L, log M and log S."""
    power, _, s = _parts(design, theta)
    each = np.empty((len(power), 3, 3))
    each[:, 0, 0] = 7 * s * s / 4
    each[:, 1, 1] = 1 / (s * s) + 2 * power * power
    each[:, 2, 2] = 2.0
    each[:, 0, 1] = each[:, 1, 0] = -0.5
    each[:, 0, 2] = each[:, 2, 0] = power * s * s
    each[:, 1, 2] = each[:, 2, 1] = 2 * power
    matrix = _sandwiched(design, each * table.weight.sum(1)[:, None, None])
    return matrix + np.diag(_RIDGE * np.diag(matrix))


def _sandwiched(design: list[Floats], each: Floats) -> Floats:
    """Σ over ages of designᵀ · each · design, as one matrix of all coefficients."""
    return np.block(
        [[bi.T @ (each[:, i, j, None] * bj) for j, bj in enumerate(design)] for i, bi in enumerate(design)]
    )


def _columns(knots: Floats) -> int:
    return max(len(knots), 1)


def _knots(table: _Table, size: int) -> Floats:
    """Knots of a natural spline with `size` coefficients: at even shares of people; none for a constant."""
    if size == 1:
        return np.empty(0)
    ages, total = table.ages, table.weight.sum(1)
    if size == 2:
        return np.array([ages[0], ages[-1]])
    share = np.cumsum(total) / total.sum()
    even = 0.5 * share + 0.5 * (ages - ages[0]) / (ages[-1] - ages[0])  # half by people, half by age
    inner = np.interp(np.arange(1, size - 1) / (size - 1), even, ages)
    return np.concatenate([[ages[0]], inner, [ages[-1]]])


def _basis(ages: Floats, knots: Floats) -> Floats:
    """Natural cubic spline basis [A, size] (Hastie, Tibshirani & Friedman, 5.2.1), on ages scaled to 0…1."""
    if len(knots) == 0:
        return np.ones((len(ages), 1))
    low, width = knots[0], knots[-1] - knots[0]
    x, k = (ages - low) / width, (knots - low) / width
    columns = [np.ones_like(x), x]
    if len(k) > 2:
        last = _cubic(x, k[-2], k[-1])
        columns += [_cubic(x, knot, k[-1]) - last for knot in k[:-2]]
    return np.stack(columns, axis=1)


def _cubic(x: Floats, knot: Any, last: Any) -> Floats:
    top: Floats = np.maximum(x - knot, 0) ** 3 - np.maximum(x - last, 0) ** 3
    return top / (last - knot)


def _checked(curve: Curve, table: _Table) -> Curve:
    """The curve with its deviation (seven centiles, four quarters of age by people) and cut.

    A level stands for all values that are rounded to it: a centile within it has a part of its people below.
    """
    power, median, variation = curve.at(table.ages)
    edges = _edges(np.exp(table.logs))
    z = z_of(edges[None, :], power[:, None], median[:, None], variation[:, None])
    total = table.weight.sum(1)
    quarter = np.minimum((4 * (np.cumsum(total) - total / 2) / total.sum()).astype(int), 3)
    largest = 0.0
    for share in CHECKED:
        part = np.clip((special.ndtri(share) - z[:, :-1]) / np.diff(z, axis=1), 0.0, 1.0)
        below = (table.weight * part).sum(1)
        for q in range(4):
            n = total[quarter == q].sum()
            if n > 0:
                sampling = 3 * math.sqrt(share * (1 - share) / n)
                largest = max(largest, abs(float(below[quarter == q].sum() / n) - share) - sampling)
    with np.errstate(divide="ignore"):
        cut = float(special.ndtr(-1 / (variation * np.abs(power))).max())
    return replace(curve, deviation=largest, cut=cut)


def _edges(values: Floats) -> Floats:
    """Edges of levels [K + 1]: half-way to their neighbours, above 0."""
    if len(values) == 1:
        return np.array([0.5, 1.5]) * values
    between = (values[1:] + values[:-1]) / 2
    first = max(2 * values[0] - between[0], values[0] / 2)
    return np.concatenate([[first], between, [2 * values[-1] - between[-1]]])
