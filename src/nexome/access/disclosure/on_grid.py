"""What grid readers may ask: the published grid, few variables at once; and get: perturbed counts.

A condition is on the grid when its limits are cut points of its variable, or it is one listed category; an
axis when it is cut there too. Beside sex and age at most `Rules.grid_variables` are in one question, the
one asked about included: each further variable would be another way to add the same people up, and noise
averages out.

Means, standard deviations and percentiles are arithmetic on perturbed counts of the bands of the variable:
each band stands at its middle (an open end: half a band beyond its last cut point, not past the plausible
range).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.access.disclosure.rules import Rules
from nexome.access.disclosure.words import Condition, GridAxis, GridLike, Question, Released, Split
from nexome.model.cohorts import Dictionary

FREE_ROLES: Final = frozenset({"sex", "age"})
_CLOSE: Final = 1e-9

Floats = npt.NDArray[np.float64]


def nearest_question(
    question: Question, grid: GridLike, *, dictionary: Dictionary, rules: Rules
) -> str | None:
    """None where a question is on the grid; else the nearest one that is, in words ('' for everyone)."""
    if question.conditions is None:
        return "the parts of the question one by one, joined by 'and'"
    near = [_nearest(condition, grid) for condition in question.conditions]
    kept = [condition for condition in near if condition is not None]
    allowed = _few_enough(kept, question, dictionary=dictionary, rules=rules)
    splits = [split for split in question.by if _splits_on(split, grid)]
    named = _free_of(question.variables, dictionary)
    fits = all(_same(a, b) for a, b in zip(question.conditions, near, strict=True))
    if fits and len(splits) == len(question.by) and len(named) <= rules.grid_variables:
        return None
    return _worded(allowed, splits)


def _nearest(condition: Condition, grid: GridLike) -> Condition | None:
    axis: GridAxis | None = grid.axes.get(condition.variable)
    if axis is None:
        return None
    if axis.codes:
        listed = tuple(code for code in condition.codes if code in axis.codes)
        return Condition(condition.variable, codes=listed[:1]) if listed else None
    return Condition(
        condition.variable, _snapped(condition.low, axis.cuts), _snapped(condition.high, axis.cuts)
    )


def _snapped(limit: float, cuts: tuple[float, ...]) -> float:
    return limit if math.isinf(limit) else min(cuts, key=lambda cut: abs(cut - limit))


def _same(asked: Condition, near: Condition | None) -> bool:
    if near is None or asked.codes != near.codes:
        return False
    pairs = ((asked.low, near.low), (asked.high, near.high))
    return all(a == b or math.isclose(a, b, rel_tol=_CLOSE) for a, b in pairs)


def _splits_on(split: Split, grid: GridLike) -> bool:
    axis: GridAxis | None = grid.axes.get(split.variable)
    if axis is None:
        return False
    cut = all(any(math.isclose(a, b, rel_tol=_CLOSE) for b in axis.cuts) for a in split.cuts)
    return cut and set(split.codes) <= set(axis.codes)


def _free_of(names: Iterable[str], dictionary: Dictionary) -> list[str]:
    known = dictionary.by_name
    return [n for n in dict.fromkeys(names) if n not in known or known[n].role not in FREE_ROLES]


def _few_enough(
    conditions: list[Condition], question: Question, *, dictionary: Dictionary, rules: Rules
) -> list[Condition]:
    needed = _free_of([s.variable for s in question.by], dictionary)
    kept, counted = [], set(needed)
    for condition in conditions:
        extra = set(_free_of([condition.variable], dictionary)) - counted
        if len(counted) + len(extra) <= rules.grid_variables:
            counted |= extra
            kept.append(condition)
    return kept


def _worded(conditions: list[Condition], splits: list[Split]) -> str:
    text = " and ".join(map(str, conditions)) or "everyone"
    return text + (f", by {', '.join(s.variable for s in splits)}" if splits else "")


# ---------------------------------------------------------------- arithmetic on perturbed counts


def band_edges(axis: GridAxis) -> Floats:
    """Edges [B + 1] of the bands of an axis, its open ends closed."""
    cuts = np.asarray(axis.cuts, np.float64)
    first = (cuts[1] - cuts[0]) if len(cuts) > 1 else abs(cuts[0]) or 1.0
    last = (cuts[-1] - cuts[-2]) if len(cuts) > 1 else first
    low, high = cuts[0] - first, cuts[-1] + last
    if axis.variable.minimum is not None:
        low = max(low, min(axis.variable.minimum, cuts[0]))
    if axis.variable.maximum is not None:
        high = min(high, max(axis.variable.maximum, cuts[-1]))
    return np.concatenate([[low], cuts, [high]])


def from_bands(
    label: Any, counts: npt.NDArray[np.int64], edges: Floats, *, probabilities: Iterable[float], rules: Rules
) -> Released:
    """Mean, SD and percentiles of published counts [B] of bands."""
    n = int(counts.sum())
    if n < rules.min_cell:
        return Released(label, reason="few_people")
    middles = (edges[:-1] + edges[1:]) / 2
    mean = float((counts * middles).sum() / n)
    sd = math.sqrt(float((counts * (middles - mean) ** 2).sum()) / max(n - 1, 1))
    shares: Mapping[float, float] = {}
    if n >= rules.percentile_people:
        below = np.concatenate([[0], np.cumsum(counts)]) / n
        wanted = [p for p in probabilities if n * min(p, 1 - p) >= rules.tail_people]
        shares = {p: float(f"{np.interp(p, below, edges):.3g}") for p in wanted}
    return Released(label, n, float(f"{mean:.4g}"), float(f"{sd:.3g}"), shares)
