"""The forest of a variant: its effects with 95 % intervals across studies, in one unit, sorted.

Effects are compared in one unit at a time ("SD", "log odds"): a forest of different units would compare
what cannot be compared. Knows no store and no language: texts come in with `Wording`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nexome.web.pages.associations import Association
from nexome.web.pages.figures import Wording
from nexome.web.pages.numbers import effect_text, p_text
from nexome.web.pages.plots import Drawn
from nexome.web.pages.svg import Picture
from nexome.web.pages.ticks import round_step

MOST_ROWS: Final = 30
ROW_STEP: Final = 5  # heights of the plot come in steps of so many rows (site.css: .plot.rows-5 …)
_Z95: Final = 1.959963984540054
_NAMES: Final = 0.36  # share of the width for the names of the rows
_LETTERS: Final = 34  # of a name that are shown; the table has all


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One effect with the ends of its 95 % interval; `strong`: p < 5e-8."""

    label: str
    study: str
    href: str
    beta: float
    standard_error: float
    low: float
    high: float
    neg_log_10_p: float
    n: float


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows sorted by effect, largest first, in one `unit`; `left_out`: weaker ones beyond MOST_ROWS."""

    unit: str
    rows: Sequence[ForestRow]
    left_out: int

    @property
    def shape(self) -> str:
        """The class of the plot's height."""
        return f"rows-{max(1, math.ceil(len(self.rows) / ROW_STEP)) * ROW_STEP}"


def units_of(rows: Sequence[Association]) -> dict[str, int]:
    """Units that at least two effects with a standard error have, with how many; the commonest first."""
    counts: dict[str, int] = {}
    for row in rows:
        if _usable(row):
            counts[row.unit] = counts.get(row.unit, 0) + 1
    return {u: n for u, n in sorted(counts.items(), key=lambda c: (-c[1], c[0])) if n > 1}


def forest_of(rows: Sequence[Association], unit: str) -> Forest:
    """The forest of the strongest MOST_ROWS effects in a unit."""
    usable = sorted((r for r in rows if r.unit == unit and _usable(r)), key=lambda r: -r.neg_log_10_p_value)
    shown = [_row(r) for r in usable[:MOST_ROWS]]
    return Forest(unit, sorted(shown, key=lambda r: -r.beta), max(0, len(usable) - MOST_ROWS))


def draw_forest(forest: Forest, wording: Wording) -> Drawn:
    """The forest as SVG and TSV."""
    rows = forest.rows
    return Drawn(
        picture=lambda: _picture(forest, wording),
        json=dict,
        table=lambda: {
            "trait": [r.label for r in rows],
            "study_id": [r.study for r in rows],
            "beta": [r.beta for r in rows],
            "ci_lower": [r.low for r in rows],
            "ci_upper": [r.high for r in rows],
            "neg_log_10_p_value": [round(r.neg_log_10_p, 3) for r in rows],
            "n": [math.nan if np.isnan(r.n) else int(r.n) for r in rows],
        },
    )


def _usable(row: Association) -> bool:
    return not (np.isnan(row.beta) or np.isnan(row.standard_error) or np.isnan(row.neg_log_10_p_value))


def _row(row: Association) -> ForestRow:
    half = _Z95 * row.standard_error
    return ForestRow(
        row.trait,
        row.study,
        row.trait_href,
        row.beta,
        row.standard_error,
        row.beta - half,
        row.beta + half,
        row.neg_log_10_p_value,
        row.n,
    )


def _picture(forest: Forest, wording: Wording) -> Picture:
    rows = forest.rows
    picture = Picture(1040, 80 + 26 * len(rows), wording.sentence)
    low, high, ticks = _axis([r.low for r in rows], [r.high for r in rows])

    def across(value: float) -> float:
        return _NAMES + (1 - _NAMES) * (value - low) / (high - low)

    step = ticks[-1] - ticks[-2] if len(ticks) > 1 else 1.0
    for tick in ticks:
        picture.upright(across(tick))
        style = "tick minor text" if round(tick / step) % 2 else "tick text"
        picture.x_tick(across(tick), f"{tick:g}".replace("-", "−"), style=style)
    zero = np.full(2, across(0.0))
    picture.curve(zero, np.array([0.0, 1.0]), colour="rule")
    for at, row in enumerate(rows):
        y = 1 - (at + 0.5) / len(rows)
        strong = not row.low <= 0 <= row.high
        colour = "hit" if strong else "even"
        picture.across(across(row.low), across(row.high), y, colour=colour)
        picture.dots(np.array([across(row.beta)]), np.array([y]), colour=colour, size=7)
        name = row.label if len(row.label) <= _LETTERS else row.label[: _LETTERS - 1] + "…"
        style = "row strong" if strong else "row text"
        picture.label(0, y, name, style=style, shift=(-44, 4), href=row.href)
        picture.spots(np.array([across(row.beta)]), np.array([y]), [_said(row)], size=22)
    picture.label(1, 0, wording.x, style="title text", anchor="end", shift=(0, 36))
    return picture


def _said(row: ForestRow) -> str:
    """What a pointer is told over an effect."""
    interval = f"{effect_text(row.beta)} [{effect_text(row.low)}, {effect_text(row.high)}]"
    return f"{row.label} · {row.study} · {interval} · p = {p_text(row.neg_log_10_p)}"


def _axis(low: Sequence[float], high: Sequence[float]) -> tuple[float, float, list[float]]:
    """Ends of the axis, always around 0, and round numbers on it."""
    first, last = min([0.0, *low]), max([0.0, *high])
    if first == last:
        return -1.0, 1.0, [0.0]
    step = round_step((last - first) / 5)
    start, end = math.floor(first / step), math.ceil(last / step)
    return start * step, end * step, [round(k * step, 12) for k in range(start, end + 1)]
