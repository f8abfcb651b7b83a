"""How far a value reaches its target: a share of 0 to 1 with the formula it follows, and how far it deviates.

    ≥ >          value ÷ target, at most 1
    ≤ <          1 up to the target, above it target ÷ value
    =            the smaller of value ÷ target and target ÷ value (rule: exact_over full counts more as reached)
    range        1 within; below it value ÷ low, above it high ÷ value
    ≈            1 within the tolerance, else as =
    a deadline   1 up to the day, then less by days late ÷ late_days
    a level      the share a person judged, within the ranges of the rule

A target of 0 is reached by 0, and by anything where more is better. All in decimals.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from nexome.report.dates import deadline_of
from nexome.report.links import Item, kind_of
from nexome.report.scoring_rule import ScoringRule

ONE = Decimal(1)
ZERO = Decimal(0)


class Completion(NamedTuple):
    """A share of 0 to 1, the formula with its numbers, and the deviation from the target (None: cannot be told)."""

    share: Decimal
    formula: str
    deviation: Decimal | None


def completion_of(item: Item, value: Decimal, *, rule: ScoringRule, year: str) -> Completion:
    """How far a value reaches an indicator's target; a date comes as its ordinal, a level as 0 to 100."""
    kind = kind_of(item, year)
    if kind == "level":
        return Completion(value / 100, f"{shown(value)} %", None)
    if kind == "date":
        return _in_time(item, value, rule, year)
    leaf = item.indicator
    low = leaf.low if leaf.low is not None else ZERO
    high = leaf.high if leaf.high is not None else low
    return _number(leaf.comparison, (low, max(low, high)), value, rule)


def _in_time(item: Item, value: Decimal, rule: ScoringRule, year: str) -> Completion:
    deadline = deadline_of(item.indicator.value, year)
    if deadline is None:
        raise AssertionError("an indicator judged by its date has a deadline")
    done = date.fromordinal(int(value))
    late = max((done - deadline).days, 0)
    share = max(ONE - Decimal(late) / rule.late_days, ZERO)
    formula = f"1 ({done} ≤ {deadline})" if not late else f"1 − {late} ÷ {rule.late_days}"
    return Completion(share, formula, Decimal(late) / rule.late_days if late else None)


def _number(sign: str, target: tuple[Decimal, Decimal], value: Decimal, rule: ScoringRule) -> Completion:
    low, high = target
    edge = low if value < low else high
    deviation = (
        (value - edge) / edge if edge and not low <= value <= high else (None if edge != value else ZERO)
    )
    deviation = ZERO if low <= value <= high else deviation
    reached, text = _reached(sign, target, value, rule)
    if reached:
        return Completion(ONE, f"1 ({text})", deviation)
    if value <= 0:  # a formula may give less than nothing
        return Completion(ZERO, "0", deviation)
    if value < low:
        return Completion(value / low, f"{shown(value)} ÷ {shown(low)}", deviation)
    share = high / value
    return Completion(share, f"{shown(high)} ÷ {shown(value)}", deviation)


def _reached(
    sign: str, target: tuple[Decimal, Decimal], value: Decimal, rule: ScoringRule
) -> tuple[bool, str]:
    low, high = target
    if sign in {"≥", ">"}:
        return value >= low, f"{shown(value)} {sign} {shown(low)}"
    if sign in {"≤", "<"}:
        return value <= high, f"{shown(value)} {sign} {shown(high)}"
    if sign == "≈":
        near = low * (1 - rule.tolerance) <= value <= high * (1 + rule.tolerance)
        return near, f"{shown(value)} ≈ {shown(low)} (±{shown(rule.tolerance * 100)} %)"
    over = rule.exact_over == "full" and value > high
    between = f"{shown(low)}–{shown(high)}" if low != high else shown(low)
    return (
        over or low <= value <= high,
        f"{shown(value)} {'>' if over else '∈' if low != high else '='} {between}",
    )


def shown(number: Decimal) -> str:
    """A number without needless zeros, with at most six decimals.

    >>> shown(Decimal("500.00"))
    '500'
    """
    rounded = number.quantize(Decimal("0.000001")) if abs(number) < Decimal(10) ** 18 else number
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
