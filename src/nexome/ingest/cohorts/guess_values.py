"""What a column's values say: its type, its categories, its missing codes. Each guess with its reason.

Nothing is trusted: a guess says how sure it is, and the dictionary made of them is not confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.formats.cohorts.cells import kind_of
from nexome.formats.cohorts.dates import parse_date
from nexome.ingest.cohorts.profile import Profile
from nexome.ingest.cohorts.words import (
    FEMALE,
    MALE,
    MISSING_NUMBERS,
    NO_ANSWER,
    NO_WORDS,
    YES_WORDS,
    plain,
)
from nexome.model.cohorts import Category, VariableType

Sureness = Literal["sure", "likely", "unsure"]
_MOST_NUMBERS: Final = 0.9  # a column with so many numbers is one of numbers; the others are told
_MOST_DATES: Final = 0.9
_CODES_OF_NUMBERS: Final = 6  # more distinct whole numbers than this are a count or a score
_LARGEST_CODE: Final = 20
_CODES_OF_TEXT: Final = 40
_ROWS_A_CODE: Final = 5
_GAP: Final = 1.5  # a missing code lies this many times beyond the largest value
_TOLD_DATES: Final = 200  # distinct dates looked at


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing guessed of one variable, why, and how sure.

    `what`: type, categories, missing, unit, role, label, range, sensitivity, date_order, term.
    """

    variable: str
    what: str
    value: str
    why: str
    why_zh: str
    sureness: Sureness


@dataclass(frozen=True, slots=True)
class ValueGuess:
    """The type, categories (missing codes among them) and the guesses they rest on."""

    type: VariableType
    categories: tuple[Category, ...]
    guesses: tuple[Guess, ...]


def guess_values(
    column: Profile, *, unit: str = "", sex: bool = False, identifying: bool = False
) -> ValueGuess:
    """Type, categories and missing codes of a column.

    `unit`: as the header says. `sex`: its name says sex. `identifying`: its name says who somebody is, so
    that its words are no codes.
    """
    words = _words_for_nothing(column)
    here = np.array([v not in words for v in column.values], bool) & ~column.nothing
    missing = tuple(Category(v, *NO_ANSWER[plain(v)], missing=True) for v in words)
    if not column.counts[here].sum():
        why = "it holds no value" if not missing else "it holds nothing but missing codes"
        guess = _type(column, "text", why, "没有任何取值" if not missing else "只有缺失代码", "unsure")
        return ValueGuess("text", (), (guess,))
    numeric = here & ~np.isnan(column.numbers)
    share = column.share(numeric) / column.share(here)
    if share >= _MOST_NUMBERS:
        return _numbers(column, numeric, here, missing, with_unit=bool(unit), sex=sex)
    return _dates(column, here, missing) or _words(column, here, missing, sex=sex, identifying=identifying)


def _words_for_nothing(column: Profile) -> dict[str, None]:
    """Words for 'no answer' among the values; a program's plain NA counts only where it stands in words."""
    return {
        v: None
        for v, nothing in zip(column.values, column.nothing, strict=True)
        if not nothing and plain(v) in NO_ANSWER
    }


def _numbers(
    column: Profile,
    numeric: npt.NDArray[np.bool_],
    here: npt.NDArray[np.bool_],
    missing: tuple[Category, ...],
    *,
    with_unit: bool,
    sex: bool,
) -> ValueGuess:
    guesses: list[Guess] = []
    values = column.numbers[numeric]
    coded = _missing_numbers(values, column.counts[numeric])
    kept = values[~np.isin(values, coded)]
    texts = [v for v, n in zip(column.values, column.numbers, strict=True) if n in coded]
    missing = (*missing, *(Category(v, "missing", "缺失", missing=True) for v in _short(texts)))
    if coded:
        guesses.append(_missing_guess(column, _short(texts)))
    whole = bool(np.all(kept % 1 == 0))
    distinct = np.unique(kept)
    codes = whole and not with_unit and _are_codes(distinct, column.counts[numeric].sum())
    other = here & ~numeric
    if codes and not other.any():
        return _codes(column, distinct, missing, guesses, sex=sex)
    kind: VariableType = "integer" if whole else "decimal"
    sureness: Sureness = "likely" if whole else "sure"
    why = "all values are whole numbers" if whole else "all values are numbers"
    why_zh = "取值均为整数" if whole else "取值均为数值"
    if other.any():
        kinds = dict.fromkeys(kind_of(v) for v, o in zip(column.values, other, strict=True) if o)
        cells = int(column.counts[other].sum())
        why = f"numbers, but for {cells} cells that hold {', '.join(kinds)}"
        why_zh = f"多为数值，但有 {cells} 个单元格不是数值（{'、'.join(kinds)}）"
        sureness = "unsure"
    return ValueGuess(kind, missing, (_type(column, kind, why, why_zh, sureness), *guesses))


def _are_codes(distinct: npt.NDArray[np.float64], rows: int) -> bool:
    few = len(distinct) <= _CODES_OF_NUMBERS and rows >= _ROWS_A_CODE * len(distinct)
    return bool(few and len(distinct) > 1 and distinct.min() >= 0 and distinct.max() <= _LARGEST_CODE)


def _codes(
    column: Profile,
    distinct: npt.NDArray[np.float64],
    missing: tuple[Category, ...],
    guesses: Sequence[Guess],
    *,
    sex: bool,
) -> ValueGuess:
    names = [f"{d:g}" for d in distinct]
    if sex and set(names) == {"1", "2"}:
        categories = (Category("1", "male", "男"), Category("2", "female", "女"), *missing)
        told = Guess(
            column.name,
            "categories",
            "1 = male, 2 = female",
            "the codes of ISO/IEC 5218; nothing in the file says so",
            "按 ISO/IEC 5218 的编码推断；文件本身没有说明",
            "unsure",
        )
        sex_type = _type(column, "category", "a column of sex", "性别列", "sure")
        return ValueGuess("category", categories, (sex_type, told, *guesses))
    if names == ["0", "1"] and not sex:
        why = "0 and 1 alone: taken for no and yes"
        told = _type(column, "boolean", why, "只有 0 和 1：按“否/是”推断", "likely")
        return ValueGuess("boolean", missing, (told, *guesses))
    why = f"{len(names)} whole numbers from {names[0]} to {names[-1]}: taken for codes of unknown meaning"
    why_zh = f"只有 {len(names)} 个整数（{names[0]} 至 {names[-1]}）：按编码推断，含义未知"
    told = _type(column, "category", why, why_zh, "sure" if sex else "unsure")
    return ValueGuess("category", (*(Category(n) for n in names), *missing), (told, *guesses))


def _missing_numbers(values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> list[float]:
    """Values that stand far beyond all others and are usual codes for no answer."""
    candidates = np.isin(values, MISSING_NUMBERS)
    rest = values[~candidates]
    if not len(rest):
        return []
    found = []
    if rest.min() >= 0 and (below := values[values < 0]).size and np.isin(below, MISSING_NUMBERS).all():
        found += below.tolist()
    top = max(rest.max(), *values[candidates & (values >= 0) & (values <= rest.max() * _GAP)], 0)
    for value, count in zip(values[candidates], counts[candidates], strict=True):
        if value > 0 and value > top * _GAP and count > 1:
            found.append(float(value))
    return found


def _missing_guess(column: Profile, codes: Sequence[str]) -> Guess:
    shown = ", ".join(codes)
    return Guess(
        column.name,
        "missing",
        shown,
        f"{shown}: far from every other value, and a usual code for no answer",
        f"{shown}：远离其他取值，且是常用的缺失代码",
        "likely",
    )


def _short(texts: Sequence[str]) -> list[str]:
    """Codes as a dictionary writes them: -9.0 is -9."""
    return list(dict.fromkeys(f"{float(t):g}" for t in texts))


def _dates(column: Profile, here: npt.NDArray[np.bool_], missing: tuple[Category, ...]) -> ValueGuess | None:
    values = [v for v, h in zip(column.values, here, strict=True) if h][:_TOLD_DATES]
    read = [parse_date(v) for v in values]
    unclear = sum(r == "a date whose day and month cannot be told apart" for r in read)
    dates = sum(not isinstance(r, str) for r in read)
    if (dates + unclear) < _MOST_DATES * len(values):
        return None
    guesses = [_type(column, "date", "values are dates", "取值为日期", "sure" if not unclear else "likely")]
    if unclear:
        guesses.append(_date_order(column, values))
    return ValueGuess("date", missing, tuple(guesses))


def _date_order(column: Profile, values: Sequence[str]) -> Guess:
    """Which order the dates that can be told speak for; none where they disagree or are silent."""
    read = {order: sum(isinstance(parse_date(v, order), str) for v in values) for order in ("dmy", "mdy")}
    best = min(read, key=lambda order: read[order])
    if read["dmy"] == read["mdy"]:
        why = "no date tells the day from the month: say the order"
        return Guess(column.name, "date_order", "", why, "日与月无法区分：请指明顺序", "unsure")
    why = "dates with a day above 12 stand so; say it if it is right"
    return Guess(column.name, "date_order", best, why, "日大于 12 的日期按此顺序；如无误请指明", "likely")


def _words(
    column: Profile,
    here: npt.NDArray[np.bool_],
    missing: tuple[Category, ...],
    *,
    sex: bool,
    identifying: bool,
) -> ValueGuess:
    values = [v for v, h in zip(column.values, here, strict=True) if h]
    empty = [v for v, nothing in zip(column.values, column.nothing, strict=True) if nothing]
    answers = [v for v in empty if plain(v) == "none"]  # 'None, Several, Most' are answers
    values, empty = [*values, *answers], [v for v in empty if v not in answers]
    words = {plain(v) for v in values}
    if words <= YES_WORDS | NO_WORDS and len(words & YES_WORDS) <= 1 and not (sex and words <= FEMALE | MALE):
        told = _type(column, "boolean", "values are yes and no", "取值为“是/否”", "sure")
        return ValueGuess("boolean", missing, (told,))
    missing = (*missing, *(Category(v, "missing", "缺失", missing=True) for v in empty))
    if words <= MALE | FEMALE and (sex or len(words) == 2):
        categories = tuple(
            Category(v, *(("male", "男") if plain(v) in MALE else ("female", "女"))) for v in sorted(values)
        )
        told = _type(column, "category", "values are words for sexes", "取值为性别用词", "sure")
        return ValueGuess("category", (*categories, *missing), (told,))
    if sum(kind_of(v) == "a number with a decimal comma" for v in values) * 2 > len(values):
        why = "numbers with a decimal comma, which are not read: write them with a point"
        told = _type(column, "text", why, "小数点写成了逗号，无法按数值读取：请改用小数点", "unsure")
        return ValueGuess("text", missing, (told,))
    rows = int(column.counts[here].sum())
    if not identifying and len(values) <= _CODES_OF_TEXT and rows >= _ROWS_A_CODE * len(values):
        why = f"{len(values)} distinct words in {rows} rows"
        told = _type(column, "category", why, f"{rows} 行中只有 {len(values)} 个不同的词", "likely")
        return ValueGuess("category", (*(Category(v) for v in sorted(values)), *missing), (told,))
    told = _type(column, "text", "many different words", "取值为各不相同的文字", "likely")
    return ValueGuess("text", missing, (told,))


def _type(column: Profile, kind: VariableType, why: str, why_zh: str, sureness: Sureness) -> Guess:
    return Guess(column.name, "type", kind, why, why_zh, sureness)
