"""Which code of a variable with two codes is which sex, told by how men and women differ.

Men are taller, their creatinine, urate and haemoglobin higher, HDL lower (`typical.TYPICAL`). Each such
measure weighs by how sure its difference is; the sum is a logarithm of odds. It is evidence about the table,
never about one person, and never applied without being confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nexome.ingest.cohorts.words import FEMALE, MALE, plain
from nexome.ingest.mapping.typical import TYPICAL
from nexome.model.cohorts import Category, Variable

Array = NDArray[np.float64]
FEWEST: Final = 20  # people of each code
SURE: Final = 3.0  # logarithm of odds: 20 to 1
_DIFFERS: Final = 0.4  # medians of the sexes at least that far apart, in scores, to be asked
_BETWEEN: Final = 0.35  # standard deviation between populations of how far the sexes differ
_MOST: Final = 4.0  # no single measure decides alone by more


@dataclass(frozen=True)
class SexCodes:
    """`male` and `female` codes ('' where unsure), the logarithm of odds, and each measure's part.

    `measures`: (quantity, difference of the first code from the second in scores, part of the odds).
    """

    male: str
    female: str
    log_odds: float
    measures: tuple[tuple[str, float, float], ...]
    reason: str
    reason_zh: str


def sex_words(variable: Variable, codes: Sequence[str]) -> list[str]:
    """What each code's own words say: 'male', 'female' or ''."""
    return [_sex_word(variable, code) for code in codes]


def _sex_word(variable: Variable, code: str) -> str:
    known = next((c for c in variable.categories if c.code == code), Category(code))
    for text in (known.label, known.label_zh, known.code):
        if plain(text) in MALE:
            return "male"
        if plain(text) in FEMALE:
            return "female"
    return ""


def tell_sexes(codes: NDArray[np.str_], measures: Mapping[str, Array]) -> SexCodes:
    """Which of two codes is male.

    `codes` [n] ('' missing); `measures`: quantity of TYPICAL -> values [n] in
    its unit.

    Unsure (both '') where there are not two codes, too few people, or the measures do not tell.
    """
    found = [code for code in np.unique(codes) if code]
    if len(found) != 2:
        return _unsure("not two codes", "编码不是两个")
    first, second = (codes == code for code in found)
    parts = [
        part
        for quantity, values in measures.items()
        if quantity in TYPICAL and (part := _part(quantity, values[first], values[second])) is not None
    ]
    odds = sum(part[2] for part in parts)
    if abs(odds) < SURE:
        return _unsure(
            "what was measured does not tell the codes apart", "所测指标不足以区分编码", odds, tuple(parts)
        )
    male, female = found if odds > 0 else found[::-1]
    strongest = sorted(parts, key=lambda part: -abs(part[2]))[:3]
    sign = 1 if odds > 0 else -1
    shown = ", ".join(f"{quantity} {sign * gap:+.1f} SD" for quantity, gap, _ in strongest)
    return SexCodes(
        str(male),
        str(female),
        odds,
        tuple(parts),
        f"code {male} is male and {female} female by what was measured ({male} against {female}: {shown})",
        f"从测量值看，编码 {male} 为男、{female} 为女（{male} 相对 {female}：{shown}）",
    )


def _part(quantity: str, first: Array, second: Array) -> tuple[str, float, float] | None:
    """One measure's difference in scores and its part of the odds; None where it cannot tell."""
    known = TYPICAL[quantity]
    if abs(known.sex_difference) < _DIFFERS:
        return None
    scores = [known.spread().scores(side[np.isfinite(side) & (side > 0)]) for side in (first, second)]
    if min(s.size for s in scores) < FEWEST:
        return None
    gap = float(np.median(scores[0]) - np.median(scores[1]))
    variance = sum(1.57 * float(np.var(s)) / s.size for s in scores) + _BETWEEN**2
    odds = float(np.clip(2 * gap * known.sex_difference / variance, -_MOST, _MOST))
    return quantity, gap, odds


def _unsure(
    why: str, why_zh: str, odds: float = 0.0, parts: tuple[tuple[str, float, float], ...] = ()
) -> SexCodes:
    return SexCodes("", "", odds, parts, why, why_zh)
