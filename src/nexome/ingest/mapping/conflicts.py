"""Where sources of one harmonised variable do not fit together: what is found, how large, what to draw.

    level     one source lies above or below the others at the same sex and age
    rounding  written down in other steps, or with preferred last digits (heaping)
    trend     the mean changes with age as it hardly can, or against all other sources
    shape     another form of distribution at equal median and spread
    range     values outside the plausible range were refused, or pile up at a limit of the method

A conflict is a question, not a verdict: patients differ from a population as they should. Sources drawn from
a population are compared with each other; others with those, where there are any. Thresholds stand below;
what is drawn holds no cell of fewer than five people (`methods.comparability`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from nexome.ingest.mapping.typical import TYPICAL
from nexome.methods.comparability import (
    SHOWN,
    People,
    Recording,
    Shift,
    Trend,
    adjusted_shift,
    age_trends,
    piled_share,
    recording,
    shape_distance,
    shown_percentiles,
)
from nexome.model.cohorts import Variable

Array = NDArray[np.float64]
Kind = Literal["level", "rounding", "trend", "shape", "range"]
Weight = Literal["note", "question", "strong"]

LEVEL, LEVEL_STRONG = 0.3, 0.8  # standard deviations; analytical methods of one laboratory differ by less
SHAPE, SHAPE_STRONG = 0.5, 1.0  # standard deviations in a tail
FIVES, EVEN = 0.35, 0.7  # shares of last digits 0 and 5, and of even ones, taken as preference
COARSER: Final = 5.0  # fold; steps of two sources differing by less are not told
COARSE: Final = 0.15  # of the interquartile range: a step that moves values between classes
PILED: Final = 0.03  # share of values equal to the smallest or the largest
REFUSED: Final = 0.005  # share of values refused as impossible
_DIGITS_FROM: Final = 50  # values; fewer say nothing of digits
_TREND_FROM: Final = 200  # adults of one sex, before a trend is called impossible
_ELDEST: Final = 80.0


@dataclass(frozen=True)
class Part:
    """One source's values of one variable: harmonised [n], with sex and age, and as they were written down.

    `recorded` [m] in `recorded_unit`: the source's own values (None: not looked at). `sampling` is the
    cohort's; `refused` of `offered` values were refused while harmonising.
    """

    source: str
    people: People
    recorded: Array | None = None
    recorded_unit: str = ""
    sampling: str = ""
    refused: int = 0
    offered: int = 0


@dataclass(frozen=True)
class Conflict:
    """One thing that does not fit, in two languages; `low` and `high`: 95 % interval where there is one.

    `size`: level and shape in standard deviations, trend in units per ten years, shares otherwise.
    """

    variable: str
    kind: Kind
    weight: Weight
    source: str
    size: float
    text: str
    text_zh: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class SourceFigures:
    """Arrays of one source to draw; NaN where people are too few."""

    source: str
    n: int
    sampling: str
    percentiles: Array
    shift: Shift | None
    recorded: Recording | None
    recorded_unit: str
    trends: tuple[Trend, ...]


@dataclass(frozen=True)
class VariableReport:
    """One variable: what was found, and each source's figures. `at`: the percents of the percentiles."""

    variable: str
    unit: str
    conflicts: tuple[Conflict, ...]
    sources: tuple[SourceFigures, ...]
    at: Array = field(default_factory=lambda: SHOWN)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values; NaN becomes null."""
        return {
            "variable": self.variable,
            "unit": self.unit,
            "at": self.at.tolist(),
            "conflicts": [_plain(asdict(c)) for c in self.conflicts],
            "sources": [_plain(asdict(s)) for s in self.sources],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(held) for held in value]
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return value


def compare_parts(variable: Variable, parts: Sequence[Part], *, quantity: str = "") -> VariableReport:
    """How the sources of one numeric variable fit together. `quantity`: its row of TYPICAL, '' for none."""
    figures = tuple(_figures(part, _others(part, parts)) for part in parts)
    found: list[Conflict] = []
    for part, drawn in zip(parts, figures, strict=True):
        found.extend(_level(variable, drawn))
        found.extend(_rounding(variable, drawn, figures))
        found.extend(_trend(variable, drawn, figures, quantity))
        found.extend(_shape(variable, part, _others(part, parts)))
        found.extend(_range(variable, part))
    order = {"strong": 0, "question": 1, "note": 2}
    found.sort(key=lambda conflict: (order[conflict.weight], conflict.kind, -abs(conflict.size)))
    return VariableReport(variable.name, variable.unit, tuple(found), figures)


def _others(part: Part, parts: Sequence[Part]) -> People | None:
    """Everyone a source is compared with: the population's sources but itself, else all others."""
    rest = [p for p in parts if p is not part]
    chosen = [p.people for p in rest if p.sampling == "population"] or [p.people for p in rest]
    if not chosen:
        return None
    columns = ("values", "sex", "age")
    return People(*(np.concatenate([getattr(people, name) for people in chosen]) for name in columns))


def _figures(part: Part, others: People | None) -> SourceFigures:
    known = part.people.known()
    written = part.recorded if part.recorded is not None else None
    return SourceFigures(
        source=part.source,
        n=known.values.size,
        sampling=part.sampling,
        percentiles=shown_percentiles(known.values),
        shift=adjusted_shift(part.people, others) if others is not None else None,
        recorded=recording(written) if written is not None else None,
        recorded_unit=part.recorded_unit,
        trends=age_trends(part.people, oldest=_ELDEST),
    )


def _level(variable: Variable, drawn: SourceFigures) -> Iterator[Conflict]:
    shift = drawn.shift
    if shift is None or abs(shift.standardised) < LEVEL or shift.low <= 0 <= shift.high:
        return
    weight: Weight = "strong" if abs(shift.standardised) >= LEVEL_STRONG else "question"
    amount = f"{shift.difference:+.3g} {variable.unit} ({shift.low:+.3g} to {shift.high:+.3g})"
    amount_zh = f"{shift.difference:+.3g} {variable.unit}（{shift.low:+.3g} 至 {shift.high:+.3g}）"
    patients = drawn.sampling == "clinical"
    yield Conflict(
        variable.name,
        "level",
        weight,
        drawn.source,
        shift.standardised,
        f"{amount} from the others at the same sex and age, {shift.standardised:+.2f} SD"
        + (": patients" if patients else ""),
        f"同性别、同年龄下与其他来源相差 {amount_zh}，{shift.standardised:+.2f} SD"
        + ("：患者人群" if patients else ""),
        shift.low,
        shift.high,
    )


def _rounding(
    variable: Variable, drawn: SourceFigures, figures: Sequence[SourceFigures]
) -> Iterator[Conflict]:
    own = drawn.recorded
    if own is None or own.n < _DIGITS_FROM:
        return
    if own.fives >= FIVES or own.even >= EVEN:
        yield _preference(variable, drawn.source, own)
    same = [f for f in figures if f.recorded and f.recorded.step and f.recorded_unit == drawn.recorded_unit]
    finest = min((f.recorded.step for f in same if f.recorded), default=0.0)
    if finest and own.step >= COARSER * finest * (1 - 1e-9):
        yield Conflict(
            variable.name,
            "rounding",
            "question" if own.step >= COARSE * own.spread else "note",
            drawn.source,
            own.step,
            f"written down in steps of {own.step:g} {drawn.recorded_unit}, others in {finest:g}",
            f"记录步长为 {own.step:g} {drawn.recorded_unit}，其他来源为 {finest:g}",
        )


def _preference(variable: Variable, source: str, own: Recording) -> Conflict:
    """Which last digits are preferred; a part written with fewer decimals is a note alone."""
    zero, five = (np.nan_to_num(own.digits[[0, 5]]) / own.n).tolist()
    if own.unit < 1 and zero >= 0.3 and five <= 0.15:
        text = f"{zero:.0%} of the values have one decimal less than the rest, 10% would by chance"
        text_zh = f"{zero:.0%} 的数值比其余少记一位小数，随机时约为 10%"
        return Conflict(variable.name, "rounding", "note", source, zero, text, text_zh)
    fives = own.fives >= FIVES
    share, expected = (own.fives, "20%") if fives else (own.even, "50%")
    which, which_zh = ("0 or 5", "0 或 5") if fives else ("even", "偶数")
    weight: Weight = "strong" if share >= 0.9 else "question"
    text = f"{share:.0%} of the last digits are {which}, {expected} would be by chance"
    text_zh = f"{share:.0%} 的末位数字为 {which_zh}，随机时约为 {expected}"
    return Conflict(variable.name, "rounding", weight, source, share, text, text_zh)


def _trend(
    variable: Variable, drawn: SourceFigures, figures: Sequence[SourceFigures], quantity: str
) -> Iterator[Conflict]:
    known = TYPICAL.get(quantity)
    for trend in drawn.trends:
        if np.isnan(trend.slope) or trend.n.sum() < _TREND_FROM:
            continue
        amount = f"{trend.slope:+.3g} {variable.unit} ({trend.slope_low:+.3g} to {trend.slope_high:+.3g})"
        sex_zh = {"male": "男性", "female": "女性"}[trend.sex]
        sized = (trend.slope, trend.slope_low, trend.slope_high)
        limits = known.trend if known else None
        if limits and (trend.slope_high < limits[0] or trend.slope_low > limits[1]):
            yield _trend_conflict(
                (variable.name, drawn.source),
                "strong",
                sized,
                f"{trend.sex}: {amount} in ten years of age, where {limits[0]:g} to {limits[1]:g} is usual",
                f"{sex_zh}：每 10 岁变化 {amount}，通常为 {limits[0]:g} 至 {limits[1]:g}",
            )
        elif (against := _against(trend, drawn, figures)) is not None:
            weight: Weight = "note" if drawn.sampling == "clinical" else "question"
            yield _trend_conflict(
                (variable.name, drawn.source),
                weight,
                sized,
                f"{trend.sex}: {amount} in ten years of age, all others {against:+.3g}",
                f"{sex_zh}：每 10 岁变化 {amount}，其他来源均为 {against:+.3g}",
            )


def _against(trend: Trend, drawn: SourceFigures, figures: Sequence[SourceFigures]) -> float | None:
    """The others' mean slope, where every one of at least two is sure and of the other sign; else None."""
    others = [
        t
        for f in figures
        if f is not drawn
        for t in f.trends
        if t.sex == trend.sex and not np.isnan(t.slope) and t.n.sum() >= _TREND_FROM
    ]
    sure = trend.slope_low > 0 or trend.slope_high < 0
    opposed = [
        t for t in others if (t.slope_low > 0 and trend.slope < 0) or (t.slope_high < 0 and trend.slope > 0)
    ]
    if not sure or len(others) < 2 or len(opposed) < len(others):
        return None
    return float(np.mean([t.slope for t in others]))


def _trend_conflict(
    place: tuple[str, str], weight: Weight, sized: tuple[float, float, float], text: str, text_zh: str
) -> Conflict:
    return Conflict(place[0], "trend", weight, place[1], sized[0], text, text_zh, sized[1], sized[2])


def _shape(variable: Variable, part: Part, others: People | None) -> Iterator[Conflict]:
    if others is None:
        return
    distance = shape_distance(part.people, others)
    if np.isnan(distance) or distance < SHAPE:
        return
    yield Conflict(
        variable.name,
        "shape",
        "question" if distance >= SHAPE_STRONG else "note",
        part.source,
        distance,
        f"another shape: at equal median and spread a tail lies {distance:.1f} SD away from the others'",
        f"分布形状不同：中位数与离散度对齐后，尾部与其他来源相差 {distance:.1f} SD",
    )


def _range(variable: Variable, part: Part) -> Iterator[Conflict]:
    if part.offered and part.refused / part.offered >= REFUSED:
        share = part.refused / part.offered
        yield Conflict(
            variable.name,
            "range",
            "question" if share < 0.05 else "strong",
            part.source,
            share,
            f"{part.refused:,} of {part.offered:,} values were refused",
            f"{part.offered:,} 个数值中有 {part.refused:,} 个被拒收",
        )
    written = part.recorded if part.recorded is not None else part.people.values
    for share, end, end_zh in zip(
        piled_share(written), ("lowest", "highest"), ("最小值", "最大值"), strict=True
    ):
        if share >= PILED and np.isfinite(written).sum() >= _DIGITS_FROM and np.unique(written).size > 20:
            yield Conflict(
                variable.name,
                "range",
                "note",
                part.source,
                share,
                f"{share:.0%} of the values equal the {end}: a limit of the method, or cut off",
                f"{share:.0%} 的数值等于{end_zh}：可能是检测限或截断",
            )
