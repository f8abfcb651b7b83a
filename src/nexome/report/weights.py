"""What each indicator of a project is worth: the weights printed, or weights by level where none are.

All indicators together are worth what the rule leaves beside execution (90). Printed weights that add up to that are taken
as they are; else they are brought to it in proportion, and it is said. Without printed weights each level gets the weight of the rule
(levels that a table does not have leave theirs to the others), shared equally within the level, and it is said too.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from nexome.report.links import Item
from nexome.report.scoring_rule import ScoringRule

CENT: Final = Decimal("0.01")
# code → (English, Chinese)
NOTES: Final[dict[str, tuple[str, str]]] = {
    "weights-printed": ("Weights as printed.", "分值按目标表所列。"),
    "weights-scaled": ("The printed weights add up to {total}; they are brought to {points} in proportion.",
                       "目标表所列分值合计为{total}，按比例折算为{points}分。"),
    "weights-shared": ("Some indicators have no printed weight; they share what the others leave of {points}.",
                       "部分指标未列分值，平均分配其余分值（合计{points}分）。"),
    "weights-by-level": ("No weights are printed. By level: {levels}; equal within a level.",
                         "目标表未列分值。按一级指标分配：{levels}；同级指标平均分配。"),
}  # fmt: skip


class Weights(NamedTuple):
    """One weight an indicator, in their order; the code of NOTES that says where they come from, and its words."""

    weights: tuple[Decimal, ...]
    note: str
    words: dict[str, str]


def weights_of(items: Sequence[Item], rule: ScoringRule) -> Weights:
    """The weights of all indicators of a project; they add up to the points of the rule exactly."""
    points = rule.indicator_points
    printed = [item.indicator.weight for item in items]
    given = [weight for weight in printed if weight is not None]
    total = sum(given, Decimal(0))
    words = {"total": f"{total:f}", "points": f"{points:f}"}
    if len(given) == len(items) and items:
        if total == points:
            return Weights(tuple(given), "weights-printed", words)
        return Weights(share_out(points, given), "weights-scaled", words)
    if given and total < points:
        rest = share_out(points - total, [Decimal(1)] * (len(items) - len(given)))
        shares = iter(rest)
        return Weights(tuple(next(shares) if w is None else w for w in printed), "weights-shared", words)
    by_level, levels = _by_level(items, rule)
    return Weights(by_level, "weights-by-level", words | {"levels": levels})


def _by_level(items: Sequence[Item], rule: ScoringRule) -> tuple[tuple[Decimal, ...], str]:
    levels = [level_of(item) for item in items]
    present = list(dict.fromkeys(levels))
    table = dict(rule.weights_with_cost if "成本指标" in present else rule.weights) | dict(
        rule.weights_of_form
    )
    mean = sum((table[level] for level in present if level in table), Decimal(0)) / max(
        sum(level in table for level in present), 1
    )
    raw = [table.get(level, mean or Decimal(1)) for level in present]
    points = dict(zip(present, share_out(rule.indicator_points, raw), strict=True))
    within = {level: iter(share_out(points[level], [Decimal(1)] * levels.count(level))) for level in present}
    said = " ".join(f"{level or '—'} {points[level].normalize():f}" for level in present)
    return tuple(next(within[level]) for level in levels), said


def level_of(item: Item) -> str:
    """The first level that weights go by: in a department's own table it is printed in the second place."""
    first, slash, _ = item.words.level2.partition("/")
    return first if slash and first else item.words.level1


def share_out(total: Decimal, parts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """A total in proportion to parts, in cents that add up to it exactly: the largest remainders get one more."""
    if not parts:
        return ()
    whole = sum(parts, Decimal(0))
    exact = [total * part / whole for part in parts]
    cents = [value.quantize(CENT, ROUND_FLOOR) for value in exact]
    left = int(((total - sum(cents, Decimal(0))) / CENT).to_integral_value())
    order = sorted(range(len(parts)), key=lambda i: (cents[i] - exact[i], i))
    for i in order[:left]:
        cents[i] += CENT
    return tuple(cents)
