"""One variable as rows of a reference set: groups, percentiles, curves, tests of partitions.

Everything starts from one histogram (cell × level). What may leave is told by `Permit`s from disclosure
control; a group without one has a row that says why, and no number. Numbers that leave are smoothed and
rounded: n to multiples of 5, percentiles to the measurement's own rounding, else 3 significant digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.access.reference.layout import Group, Layout
from nexome.methods.reference.distribution import Distribution
from nexome.methods.reference.histograms import Histogram
from nexome.methods.reference.limits import ROBUST_LEAST, reference_limits
from nexome.methods.reference.lms import AGES_LEAST, Curve, fit_curve
from nexome.methods.reference.outliers import OutlierRule, fences
from nexome.methods.reference.partitions import compare_groups
from nexome.methods.reference.percentiles import PERCENTILES, TAIL, percentiles_of
from nexome.methods.reference.rounding import round_to

COUNT_STEP: Final = 5
LIMITS_LEAST: Final = int(TAIL / 0.025)  # 200: fewer have under 5 people beyond a limit, and get a robust one
CURVE_LEAST: Final = 200
AGE_REACH: Final = 2.5  # years to either side whose people stand behind one age of a curve
AGE_PEOPLE: Final = 20
CURVE_LEVELS: Final = 160
FIT_SLACK: Final = 0.02  # beyond sampling error; a curve whose centiles are further off is called poor

_SHARES: Final = np.array(PERCENTILES) / 100.0
_POSITIVE_LOSS: Final = "values not above 0"


@dataclass(frozen=True, slots=True)
class Permit:
    """What disclosure control says of one group: the reason code of a refusal, '' for yes."""

    reason: str = ""


@dataclass(frozen=True)
class VariableSummary:
    """Rows of one variable for each table of a set (column → values), and what is told of its curves."""

    groups: list[dict[str, Any]] = field(default_factory=list)
    percentiles: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    partitions: list[dict[str, Any]] = field(default_factory=list)
    fits: dict[str, dict[str, Any]] = field(default_factory=dict)
    outliers: int = 0


def summarise(
    histogram: Histogram, layout: Layout, permits: Mapping[Group, Permit], *, outliers: OutlierRule = "none"
) -> VariableSummary:
    """All rows of one variable. `permits` has one for each group of the layout, those of all ages too."""
    histogram, dropped = without_outliers(histogram, layout, outliers)
    made = VariableSummary(outliers=dropped)
    known: dict[Group, Distribution] = {}
    for group, permit in permits.items():
        distribution = histogram.of_cells(group.cells)
        if permit.reason:
            made.groups.append(_place(group) | {"withheld": permit.reason})
            continue
        known[group] = distribution
        made.groups.append(_place(group) | _numbers(distribution, histogram.grid.rounding))
        made.percentiles.append(_place(group) | _percentiles(distribution, histogram.grid.rounding))
    made.partitions.extend(_tests(known))
    for index, sex in enumerate(layout.sexes if layout.by_age else ()):
        groups = [g for g in layout.groups_of(index) if g in permits]
        rows, fit = _curve(histogram, layout, index, [g for g in groups if not permits[g].reason])
        made.fits[sex or ""] = fit
        made.curves.extend({"sex": sex, **row} for row in rows)
    return made


def without_outliers(histogram: Histogram, layout: Layout, rule: OutlierRule) -> tuple[Histogram, int]:
    """The histogram without each group's outliers, and how many people that were."""
    if rule == "none":
        return histogram, 0
    people, sums = histogram.people.copy(), histogram.sums.copy()
    weight = None if histogram.weight is None else histogram.weight.copy()
    values, dropped = histogram.grid.values, 0
    for group in layout.banded_groups():
        low, high = fences(histogram.of_cells(group.cells), rule)
        beyond = (values < low) | (values > high)
        lost = people[group.cells][:, beyond].astype(np.float64)
        if not lost.sum():
            continue
        dropped += int(lost.sum())
        heavy = lost if weight is None else weight[group.cells][:, beyond]
        each = np.divide(heavy, lost, out=np.zeros_like(lost), where=lost > 0)
        x = values[beyond]
        gone = [heavy * each, heavy, heavy * x, heavy * x * x]
        sums[group.cells] -= np.stack([part.sum(1) for part in gone], axis=1)
        people[group.cells.start : group.cells.stop, beyond] = 0
        if weight is not None:
            weight[group.cells.start : group.cells.stop, beyond] = 0.0
    return replace(histogram, people=people, weight=weight, sums=np.maximum(sums, 0.0)), dropped


def rounded_count(people: float) -> int:
    """People rounded to a multiple of 5."""
    return COUNT_STEP * round(people / COUNT_STEP)


# ---------------------------------------------------------------- groups


def _place(group: Group) -> dict[str, Any]:
    return {"sex": group.sex, "age_from": group.age_from, "age_to": group.age_to}


def _numbers(distribution: Distribution, rounding: float | None) -> dict[str, Any]:
    limits = reference_limits(distribution, people_least=LIMITS_LEAST)
    fine = rounding / 10 if rounding else None
    ends = [
        limits.lower,
        limits.lower_low,
        limits.lower_high,
        limits.upper,
        limits.upper_low,
        limits.upper_high,
    ]
    lower, lower_low, lower_high, upper, upper_low, upper_high = map(_known, round_to(ends, rounding))
    return {
        "participants": rounded_count(distribution.count),
        "effective_n": float(rounded_count(distribution.effective)),
        "mean": _known(round_to(distribution.mean, fine, digits=4)),
        "standard_deviation": _known(round_to(distribution.sd, fine, digits=3)),
        "lower_limit": lower,
        "lower_limit_low": lower_low,
        "lower_limit_high": lower_high,
        "upper_limit": upper,
        "upper_limit_low": upper_low,
        "upper_limit_high": upper_high,
        "limit_method": limits.method,
    }


def _percentiles(distribution: Distribution, rounding: float | None) -> dict[str, Any]:
    q = percentiles_of(distribution, _SHARES)
    shown = q.shown & np.isfinite(q.estimate)
    estimate, low, high = (round_to(x[shown], rounding) for x in (q.estimate, q.low, q.high))
    return {
        "percentile": np.array(PERCENTILES, np.float64)[shown],
        "percentile_value": estimate,
        "value_low": np.minimum(low, estimate),
        "value_high": np.maximum(high, estimate),
        "interval_method": np.where(q.exact[shown], "order statistics", "standard error"),
    }


def _known(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


# ---------------------------------------------------------------- tests of partitions


def _tests(known: Mapping[Group, Distribution]) -> list[dict[str, Any]]:
    """Sexes at all ages against each other, and each band against the next of its sex."""
    groups = list(known)
    pairs: list[tuple[str, Group, Group]] = []
    whole = [g for g in groups if not g.banded and g.sex is not None]
    pairs += [("sex", a, b) for i, a in enumerate(whole) for b in whole[i + 1 :]]
    banded = [g for g in groups if g.banded]
    pairs += [("age", a, b) for a, b in pairwise(banded) if _next_to(a, b)]
    return [_test(by, a, b, known) for by, a, b in pairs if _both_large(known[a], known[b])]


def _next_to(a: Group, b: Group) -> bool:
    return a.sex == b.sex and a.age_to == b.age_from


def _both_large(a: Distribution, b: Distribution) -> bool:
    return min(a.count, b.count) >= ROBUST_LEAST


def _test(by: str, a: Group, b: Group, known: Mapping[Group, Distribution]) -> dict[str, Any]:
    found = compare_groups(known[a], known[b])
    z, critical, ratio = (_known(round_to(x)) for x in (found.z, found.z_critical, found.sd_ratio))
    return {
        "compared_by": by,
        "group_a": group_text(a),
        "group_b": group_text(b),
        "difference_z": z,
        "z_critical": critical,
        "sd_ratio": ratio,
        "harris_boyd": found.harris_boyd,
        "lahti": found.lahti,
    }


def group_text(group: Group) -> str:
    """A group for people: 'female', 'female 20–29', '60+'. Ages in completed years where they are whole."""
    return " ".join(filter(None, [group.sex or "", ages_text(group.age_from, group.age_to)])) or "all"


def ages_text(low: float | None, high: float | None) -> str:
    """Ages from and to (not included) for people: '20–29', '60+', '' for all."""
    if low is None:
        return ""
    if high is None:
        return f"{low:g}+"
    return f"{low:g}–{high - 1:g}" if float(high).is_integer() and high - low > 1 else f"{low:g}–<{high:g}"


# ---------------------------------------------------------------- curves


def _curve(
    histogram: Histogram, layout: Layout, sex: int, groups: Sequence[Group]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of one sex's curve by age, and what is told of the fit: where there is none, why."""
    people = np.zeros((layout.ages, histogram.grid.levels), np.float64)
    base = sex * layout.ages
    for group in groups:  # what disclosure control withholds is in no curve either
        people[group.cells.start - base : group.cells.stop - base] = histogram.people[group.cells]
    count = people.sum()
    shown = _ages_shown(layout, people.sum(1))
    told: dict[str, Any] = {"curve": "none", "ages": _reach(layout, shown)}
    weight = people
    if histogram.weight is not None:
        weight = np.where(people > 0, histogram.weight[base : base + layout.ages], 0.0)
    if count < CURVE_LEAST:
        return [], told | {"why": f"fewer than {CURVE_LEAST} people"}
    values, coarse = _coarser(histogram.grid.values, weight)
    if values[0] <= 0:
        return [], told | {"why": _POSITIVE_LOSS}
    squares, total = histogram.sums[base : base + layout.ages, :2].sum(0)
    curve = fit_curve(layout.age_middles(), values, coarse, effective=min(count, total**2 / squares))
    if curve is None:
        return [], told | {"why": f"fewer than {AGES_LEAST} ages, or no curve fits"}
    rows = _curve_rows(curve, layout, people.sum(1), shown)
    if not rows:
        return [], told | {"why": "too few people at any age"}
    told |= {
        "curve": "good" if curve.deviation <= FIT_SLACK else "poor",
        "deviation": round(curve.deviation, 3),
        "coefficients": list(curve.shape),
    }
    return rows, told


def _coarser(
    values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Levels joined until at most CURVE_LEVELS are left: mean value and weight of each that anyone is in."""
    total = weight.sum(0)
    used = np.flatnonzero(total > 0)
    first, last = used[0], used[-1] + 1
    step = max(1, -(-(last - first) // CURVE_LEVELS))
    starts = np.arange(0, last - first, step)
    joined = np.add.reduceat(weight[:, first:last], starts, axis=1)
    mass = np.add.reduceat(total[first:last], starts)
    means = np.add.reduceat((total * values)[first:last], starts) / np.where(mass > 0, mass, 1.0)
    return means[mass > 0], joined[:, mass > 0]


def _near(layout: Layout, people: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """People within AGE_REACH of each age cell [ages]."""
    running = np.concatenate([[0.0], np.cumsum(people)])
    reach = max(1, round(AGE_REACH / layout.age_step))
    at = np.arange(layout.ages)
    return running[np.minimum(at + reach + 1, layout.ages)] - running[np.maximum(at - reach, 0)]


def _ages_shown(layout: Layout, people: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Age cells that enough people stand behind.

    AGE_PEOPLE lie at or beyond each end, so that no end is one person's age.
    """
    running = np.cumsum(people)
    total = running[-1]
    return (
        (_near(layout, people) >= AGE_PEOPLE)
        & (running >= AGE_PEOPLE)
        & (total - running + people >= AGE_PEOPLE)
    )


def _reach(layout: Layout, shown: npt.NDArray[np.bool_]) -> list[float]:
    """Ages from and to (not included) that are shown; none where no age is."""
    at = np.flatnonzero(shown)
    if not len(at):
        return []
    return [round(layout.first_age + layout.age_step * edge, 4) for edge in (int(at[0]), int(at[-1]) + 1)]


def _curve_rows(
    curve: Curve, layout: Layout, people: npt.NDArray[np.float64], shown: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """L, M, S and their covariance at the middle of each age cell that is shown."""
    ages, near = layout.age_middles(), _near(layout, people)
    inside = shown & (ages >= curve.low) & (ages <= curve.high)
    if not inside.any():
        return []
    power, median, variation = curve.at(ages[inside])
    covariance = curve.covariances(ages[inside])
    names = (("ll", 0, 0), ("lm", 0, 1), ("ls", 0, 2), ("mm", 1, 1), ("ms", 1, 2), ("ss", 2, 2))
    columns: dict[str, Any] = {
        "age": np.round(ages[inside], 4),
        "participants": (COUNT_STEP * np.round(near[inside] / COUNT_STEP)).astype(np.int64),
        "lms_l": np.round(power, 4),
        "lms_m": round_to(median, digits=5),
        "lms_s": round_to(variation, digits=5),
        **{f"lms_cov_{name}": round_to(covariance[:, i, j]) for name, i, j in names},
    }
    listed = {name: column.tolist() for name, column in columns.items()}
    return [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]
