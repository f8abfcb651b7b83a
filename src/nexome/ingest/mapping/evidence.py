"""How well each unit fits a variable's values: a label is evidence, not truth.

The values are converted from every unit the quantity is written in and compared with a reference distribution
(`typical.TYPICAL`, or another source of the root by `typical.typical_of`). `distance` is the root mean
square of the differences between the five percentiles (10, 25, 50, 75, 90) and the reference's, in normal
scores of the reference: 0 the same, 1 about one standard deviation away, 10 another unit. Only adults are
compared where ages are given. What this cannot tell: units less than about 1.5-fold apart, and a source
whose people differ from the reference as much as units do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from nexome.ingest.mapping.typical import TYPICAL, Spread, Typical
from nexome.model.errors import InputError
from nexome.model.ucum import converter, units_agree

Verdict = Literal["agrees", "wrong", "unlabelled", "unclear", "too-few"]
Array = NDArray[np.float64]

PERCENTILES: Final = (10.0, 25.0, 50.0, 75.0, 90.0)
_EXPECTED: Final = np.array([-1.2816, -0.6745, 0.0, 0.6745, 1.2816])
FEWEST: Final = 20  # values; below that five percentiles say little
ADULT: Final = 18.0
FITS: Final = 3.0  # the farthest a unit may lie and still be named: sick people lie up to about 2.5 away
DOUBTED: Final = 2.5  # the declared unit is doubted from here on …
BETTER: Final = 2.0  # … where another fits at least this many times better
_ALIKE: Final = 0.5  # units whose distances differ by less are not told apart (g/L, mmol/L of triglycerides)
_NEAR: Final = 1.5  # fold; nearer units are one to these values
_CLIP: Final = 50.0  # scores beyond are all 'impossible'
_ODD, _GAP, _USUAL = 4.0, 1.5, 3.0  # scores: of a stray value, of the gap before it, of one in its own unit
_MOSTLY: Final = 0.8  # of the values beyond the gap that must be usual in the other unit
_STRAY_SHARE, _STRAY_LEAST = 0.005, 5  # fewer strays than both are typing errors


@dataclass(frozen=True, slots=True)
class UnitFit:
    """One unit tried: the distance from the reference and the median the values would have there."""

    unit: str
    distance: float
    median: float


@dataclass(frozen=True, slots=True)
class Strays:
    """Values of a column that seem to be in another unit than the rest."""

    unit: str
    count: int
    share: float


@dataclass(frozen=True)
class UnitEvidence:
    """What the values say about their unit.

    `fits`: the best first. `unit`: what fits best, '' where none does. verdict: 'agrees' (nothing speaks
    against the label), 'wrong' (another unit fits, the declared does not), 'unlabelled' (no label, and
    `unit` fits), 'unclear' (no unit fits, or two do), 'too-few' values.
    """

    quantity: str
    declared: str
    verdict: Verdict
    unit: str
    n: int
    fits: tuple[UnitFit, ...]
    strays: Strays | None
    reason: str
    reason_zh: str


def unit_evidence(
    values: Array,
    quantity: str,
    *,
    declared: str = "",
    sex: NDArray[np.str_] | None = None,
    age: Array | None = None,
    reference: Typical | None = None,
) -> UnitEvidence:
    """What a column's values say about the unit written beside it.

    `values` [n] (NaN: missing) of a `quantity` of TYPICAL, `declared`: its UCUM unit, '' where none is given;
    `sex` [n] 'male' | 'female' | '' and `age` [n] in years make it sharper. Raises InputError for a quantity
    nothing is known of, or a declared unit of another dimension.
    """
    known = reference or _typical(quantity)
    kept = np.isfinite(values) if age is None else np.isfinite(values) & ~(age < ADULT)
    used, groups = values[kept], (None if sex is None else sex[kept])
    units = _units_tried(known, declared)
    if used.size < FEWEST:
        return _verdict(known, declared, (), used.size, None)
    scores = {unit: _scores(_converted(used, unit, known), known, groups) for unit in units}
    fits = _ranked([_fit(used, unit, known, scores[unit]) for unit in units])
    own = next((f for f in fits if declared and _same(f.unit, declared)), fits[0])
    label = own.unit if own.distance < DOUBTED else fits[0].unit
    return _verdict(known, declared, tuple(fits), used.size, _strays(scores, label))


def _typical(quantity: str) -> Typical:
    if quantity not in TYPICAL:
        raise InputError(
            f"no typical values of {quantity[:80]!r} are known",
            expected="one of " + ", ".join(TYPICAL),
            todo="Give another source as the reference.",
        )
    return TYPICAL[quantity]


def _units_tried(known: Typical, declared: str) -> tuple[str, ...]:
    if not declared or any(_same(declared, unit) for unit in known.units):
        return known.units
    converter(declared, known.unit, known.analyte)  # refuses another dimension
    return (declared, *known.units)


def _same(one: str, other: str) -> bool:
    """Whether two codes are one unit (mm[Hg] and mm[Hg], 10*9/L and 10*3/uL)."""
    return one == other or (units_agree(one, other) and converter(one, other).same)


def _converted(values: Array, unit: str, known: Typical) -> Array:
    change = converter(unit, known.unit, known.analyte)
    return change.apply(values)


def _scores(values: Array, known: Typical, sex: NDArray[np.str_] | None) -> Array:
    """Normal scores [n] of values in the reference's unit, each by its own sex; at most 50 away from 0."""
    if sex is None:
        return np.clip(known.spread().scores(values), -_CLIP, _CLIP)
    scores = np.empty(values.size)
    spreads: dict[str, Spread] = {one: known.spread(one) for one in ("male", "female", "")}
    groups = np.where(np.isin(sex, ("male", "female")), sex, "")
    for one, spread in spreads.items():
        mask = groups == one
        scores[mask] = spread.scores(values[mask])
    return np.clip(scores, -_CLIP, _CLIP)


def _fit(values: Array, unit: str, known: Typical, scores: Array) -> UnitFit:
    found = np.percentile(scores, PERCENTILES)
    distance = float(np.sqrt(np.mean((found - _EXPECTED) ** 2)))
    median = float(np.median(_converted(values, unit, known)))
    return UnitFit(unit, distance, median)


def _ranked(fits: list[UnitFit]) -> list[UnitFit]:
    """The best first; of units that the values cannot tell apart, the more usual one (the order given)."""
    nearest = min(f.distance for f in fits)
    first = next(f for f in fits if f.distance <= nearest + _ALIKE)
    return [first, *sorted((f for f in fits if f is not first), key=lambda f: f.distance)]


def _strays(scores: dict[str, Array], label: str) -> Strays | None:
    """Values beyond a gap that are impossible in the label's unit and usual in one other: two units in one.

    A long tail of sick people reaches as far, but without a gap.
    """
    least = max(_STRAY_LEAST, _STRAY_SHARE * scores[label].size)
    for side in (scores[label], -scores[label]):
        order = np.argsort(side)
        ranked = side[order]
        for gap in np.flatnonzero((np.diff(ranked) > _GAP) & (ranked[1:] > _ODD)):
            beyond = order[gap + 1 :]
            usual = {u: int((np.abs(s[beyond]) < _USUAL).sum()) for u, s in scores.items() if u != label}
            unit = max(usual, key=lambda u: usual[u], default="")
            if unit and usual[unit] >= max(least, _MOSTLY * beyond.size):
                return Strays(unit, usual[unit], usual[unit] / side.size)
    return None


def _verdict(
    known: Typical, declared: str, fits: Sequence[UnitFit], n: int, strays: Strays | None
) -> UnitEvidence:
    if not fits:
        return UnitEvidence(known.name, declared, "too-few", "", n, (), None, *_few(n))
    best = fits[0]
    own = next((f for f in fits if declared and _same(f.unit, declared)), None)
    rivals = [f for f in fits if not best.median / _NEAR < f.median < best.median * _NEAR]
    alone = all(f.distance >= BETTER * max(best.distance, 0.5) for f in rivals)
    verdict: Verdict
    if own is None:
        verdict = "unlabelled" if best.distance <= FITS and alone else "unclear"
    elif own.distance < DOUBTED or own is best:
        verdict = "agrees" if own.distance <= FITS else "unclear"
    else:
        wrong = best.distance <= FITS and own.distance >= BETTER * best.distance
        verdict = "wrong" if wrong else "unclear"
    unit = (own.unit if own else best.unit) if verdict == "agrees" else best.unit
    named = unit if verdict != "unclear" else ""
    texts = _reasons(known, verdict, best, own)
    return UnitEvidence(known.name, declared, verdict, named, n, tuple(fits), strays, *texts)


def _few(n: int) -> tuple[str, str]:
    return (
        f"{n} values of adults, at least {FEWEST} are needed to tell a unit",
        f"成人数值仅 {n} 个，判断单位至少需要 {FEWEST} 个",
    )


def _reasons(known: Typical, verdict: Verdict, best: UnitFit, own: UnitFit | None) -> tuple[str, str]:
    typical = f"{known.spread().p50:.4g} {known.unit}"
    told = {f.unit: f"{f.median:.4g} {known.unit}" for f in (best, own or best)}
    if verdict == "agrees" and own:
        return (
            f"read as {own.unit} the median is {told[own.unit]}, typical is {typical}",
            f"按 {own.unit} 计，中位数为 {told[own.unit]}，典型值为 {typical}，相符",
        )
    if verdict == "wrong" and own:
        found = f"labelled {own.unit}, which makes the median {told[own.unit]} where {typical} is typical"
        found_zh = f"标注为 {own.unit}，则中位数为 {told[own.unit]}，而典型值为 {typical}"
        return (
            f"{found}; read as {best.unit} it is {told[best.unit]}: the values are in {best.unit}",
            f"{found_zh}；按 {best.unit} 计则为 {told[best.unit]}：数值实际以 {best.unit} 计",
        )
    if verdict == "unlabelled":
        return (
            f"no unit is given; read as {best.unit} the median is {told[best.unit]}, typical is {typical}",
            f"未标注单位；按 {best.unit} 计，中位数为 {told[best.unit]}，典型值为 {typical}",
        )
    if own is not None and own is best:
        far = f"{own.unit} fits best, but its median {told[own.unit]} lies far from the typical {typical}"
        far_zh = f"{own.unit} 最为相符，但中位数 {told[own.unit]} 与典型值 {typical} 相差较大"
        return f"{far}: sick people, or another quantity", f"{far_zh}：可能是患者人群，也可能是另一指标"
    shown = told[(own or best).unit]
    return (
        f"no unit explains the values: the median would be {shown}, typical is {typical}",
        f"没有单位能解释这些数值：中位数将为 {shown}，典型值为 {typical}",
    )
