"""Whether sources that measured one thing are comparable: level, rounding, trend with age, shape, ends.

Arrays in, numbers out; what they mean for a harmonised table is judged by `ingest.mapping.conflicts`. What is
given back holds no single person's value: percentiles need `LEAST` people beyond them, cells and bands
`LEAST` people, counts below it are NaN. Comparisons of levels are within sex and ten years of age, over the
cells both sides have: nothing is extrapolated to ages that one side lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Text = NDArray[np.str_]

LEAST: Final = 5
BAND: Final = 10.0  # years
SEXES: Final = ("male", "female")
SHOWN: Final = np.array([1, 5, 10, 25, 50, 75, 90, 95, 99], np.float64)
_Z: Final = 1.96
_POWERS: Final = (100.0, 10.0, 1.0, 0.1, 0.01, 0.001)
_STEPS: Final = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
_MULTIPLES: Final = 0.98  # share of values that are multiples of a step
_SHAPE_AT: Final = np.array([5, 10, 25, 75, 90, 95], np.float64)
_NORMAL_IQR: Final = 1.349


@dataclass(frozen=True)
class People:
    """One source's values [n] with sex [n] ('male', 'female', '') and age in years [n]; NaN: missing."""

    values: Array
    sex: Text
    age: Array

    def known(self) -> People:
        """Those with a value."""
        kept = np.isfinite(self.values)
        return People(self.values[kept], self.sex[kept], self.age[kept])


@dataclass(frozen=True, slots=True)
class Shift:
    """Mean of one side minus the other's within sex and age, with 95 % interval, in the values' unit.

    `standardised`: in standard deviations within cells. `cells`: how many of sex × ten years both sides have;
    `share`: how much of the first side's people stand in them.
    """

    difference: float
    low: float
    high: float
    standardised: float
    cells: int
    share: float


@dataclass(frozen=True)
class Recording:
    """How finely values were written down. `digits`: [10] how often each last digit occurs (NaN: too few).

    `step`: the largest step of which 98 % are multiples (0: none). `unit`: the place of the last digit.
    `spread`: the interquartile range. `fives`: share of last digits 0 and 5 (0.2 expected); `even`: share of
    even ones (0.5). Both NaN where the values spread over so few units that digits cannot be even anyway.
    """

    n: int
    step: float
    unit: float
    digits: Array
    fives: float
    even: float
    spread: float


@dataclass(frozen=True)
class Trend:
    """Mean by ten years of age [B] of one sex with 95 % interval, and the change in ten years of adults."""

    sex: str
    ages: Array
    n: Array
    mean: Array
    low: Array
    high: Array
    slope: float
    slope_low: float
    slope_high: float


def shown_percentiles(values: Array, at: Array = SHOWN) -> Array:
    """Percentiles [P] of values [n]; NaN where fewer than LEAST people lie beyond one."""
    known = values[np.isfinite(values)]
    found = np.full(at.size, np.nan)
    enough = known.size * np.minimum(at, 100 - at) / 100 >= LEAST
    if enough.any():
        found[enough] = np.percentile(known, at[enough])
    return found


def adjusted_shift(one: People, others: People) -> Shift | None:
    """How far one source lies above others at the same sex and age; None where they share no cell.

    Differences of means in each cell of sex × ten years with at least LEAST people on both sides, weighted by
    n₁n₂/(n₁+n₂) (the weights of least squares with cells as factors); the interval from variances within
    cells.
    """
    one, others = one.known(), others.known()
    cells, others_cells = _cells(one), _cells(others)
    shared = [c for c in np.intersect1d(cells, others_cells) if c >= 0]
    weights, differences, variances, spread = [], [], [], []
    for cell in shared:
        a, b = one.values[cells == cell], others.values[others_cells == cell]
        if min(a.size, b.size) < LEAST:
            continue
        weights.append(a.size * b.size / (a.size + b.size))
        differences.append(a.mean() - b.mean())
        variances.append(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size)
        spread.append(
            (a.size, a.var(ddof=1) * (a.size - 1) + b.var(ddof=1) * (b.size - 1), a.size + b.size - 2)
        )
    if not weights:
        return None
    w = np.array(weights) / np.sum(weights)
    difference = float(w @ np.array(differences))
    half = _Z * float(np.sqrt(w**2 @ np.array(variances)))
    people, squares, freedom = np.array(spread, np.float64).sum(axis=0)
    sd = float(np.sqrt(squares / freedom))
    relative = difference / sd if sd else 0.0
    return Shift(
        difference, difference - half, difference + half, relative, len(weights), people / cells.size
    )


def _cells(people: People) -> NDArray[np.int64]:
    """A number a cell of sex × ten years [n]; −1 where sex or age is unknown."""
    sex = np.select([people.sex == "male", people.sex == "female"], [0, 1], -1)
    known = (sex >= 0) & np.isfinite(people.age)
    band = np.where(known, people.age, 0) // BAND
    return np.where(known, band * 2 + sex, -1).astype(np.int64)


def recording(values: Array) -> Recording:
    """How finely values [n] were written down, and whether some last digits are preferred.

    Sources stored as 32-bit floats are read as the decimal they stand for.
    """
    known = np.abs(values[np.isfinite(values)])
    step = next((s for s in _STEPS if _share_of_multiples(known, s) >= _MULTIPLES), 0.0)
    unit = next((p for p in _POWERS if _share_of_multiples(known, p) >= _MULTIPLES), 0.0)
    spread = float(np.subtract(*np.percentile(known, [75, 25]))) if known.size else np.nan
    if not known.size or not unit:
        return Recording(known.size, step, unit, np.full(10, np.nan), np.nan, np.nan, spread)
    last = np.mod(np.rint(known / unit), 10).astype(np.int64)
    counts = np.bincount(last, minlength=10).astype(np.float64)
    fives, even = counts[[0, 5]].sum() / known.size, counts[::2].sum() / known.size
    if spread < 10 * unit:
        fives = even = np.nan
    shown = np.where(counts < LEAST, np.nan, counts)
    return Recording(known.size, step, unit, shown, float(fives), float(even), spread)


def _share_of_multiples(values: Array, step: float) -> float:
    if not values.size:
        return 0.0
    steps = values / step
    near = np.abs(steps - np.rint(steps)) < 1e-6 + 4e-7 * steps
    return float(near.mean())


def age_trends(people: People, *, adult: float = 20.0, oldest: float = 80.0) -> tuple[Trend, ...]:
    """Means by ten years of age for each sex, with the slope of a straight line through adults' values.

    The line's interval allows for unequal variances (White 1980, HC1). A sex with fewer than 2·LEAST adults,
    or adults of less than ten years' range, has no slope (NaN).
    """
    known = people.known()
    return tuple(_trend(known, sex, (adult, oldest)) for sex in SEXES)


def _trend(people: People, sex: str, adults: tuple[float, float]) -> Trend:
    mask = (people.sex == sex) & np.isfinite(people.age)
    age, values = people.age[mask], people.values[mask]
    rows = []
    for band in np.unique(age // BAND):
        held = values[age // BAND == band]
        if held.size >= LEAST:
            half = _Z * held.std(ddof=1) / np.sqrt(held.size)
            rows.append(
                (band * BAND + BAND / 2, held.size, held.mean(), held.mean() - half, held.mean() + half)
            )
    columns = np.array(rows, np.float64).reshape(-1, 5).T
    within = (age >= adults[0]) & (age <= adults[1])
    slope, slope_low, slope_high = _slope(age[within] / 10, values[within])
    ages, n, mean, low, high = columns
    return Trend(sex, ages, n, mean, low, high, slope, slope_low, slope_high)


def _slope(x: Array, y: Array) -> tuple[float, float, float]:
    if x.size < 2 * LEAST or np.ptp(x) < 1:
        return (np.nan, np.nan, np.nan)
    centred = x - x.mean()
    squares = float(centred @ centred)
    slope = float(centred @ y) / squares
    rest = y - y.mean() - slope * centred
    error = np.sqrt(float((centred * rest) @ (centred * rest)) * x.size / (x.size - 2)) / squares
    return slope, slope - _Z * error, slope + _Z * error


def shape_distance(one: People, others: People) -> float:
    """How differently two distributions are shaped once median and spread are made equal.

    Only people of sex × ten years that both sides have at least LEAST of: children on one side are no shape.

    The largest difference among six percentiles, each side centred at its median and divided by its
    interquartile range / 1.349: 0 the same shape, 1 a whole standard deviation apart in a tail. NaN where
    one side has fewer than 100 values or no spread.
    """
    one, others = one.known(), others.known()
    cells, others_cells = _cells(one), _cells(others)
    shared = [
        c
        for c in np.intersect1d(cells, others_cells)
        if c >= 0 and min((cells == c).sum(), (others_cells == c).sum()) >= LEAST
    ]
    scaled = []
    for side in (one.values[np.isin(cells, shared)], others.values[np.isin(others_cells, shared)]):
        if side.size < 100:
            return np.nan
        low, median, high = np.percentile(side, [25, 50, 75])
        if high == low:
            return np.nan
        scaled.append((np.percentile(side, _SHAPE_AT) - median) / (high - low) * _NORMAL_IQR)
    return float(np.abs(scaled[0] - scaled[1]).max())


def piled_share(values: Array) -> tuple[float, float]:
    """Share of values equal to the smallest, and to the largest: a pile there is a limit of the method."""
    known = values[np.isfinite(values)]
    if not known.size:
        return (0.0, 0.0)
    return float((known == known.min()).mean()), float((known == known.max()).mean())
