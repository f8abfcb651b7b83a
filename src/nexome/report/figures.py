"""Figures as printed: amounts of money, and target values with comparison, number or range, and unit.

Full-width digits and signs, thousands separators (1,234.5  1 234.5  1，234.5  1.234,5) and broken spacing are understood; what is
doubtful (84,863770) is read as far as it can be and says so.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final, NamedTuple

from nexome.report.paper import Amount

YUAN: Final = {"元": 1, "千元": 1000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
_GROUPED: Final = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
_EUROPEAN: Final = re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d{1,2}")
_COMMA_POINT: Final = re.compile(r"(-?\d+),(\d+)")
_WIDE_COMMA: Final = re.compile(r"(?<!\d)\d{1,3}(?:，\d{3})+(?!\d)")
_DECIMAL_COMMA: Final = re.compile(r"(?<![\d,.])\d{1,3}(?:\.\d{3})*,\d{1,2}(?!\d)")
_NUMBER: Final = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
_COMPARISON: Final = re.compile(
    r"\s*(≥|≤|>=|<=|\\geq|\\leq|≧|≦|=|≈|<|>|不低于|不少于|不超过|不高于|大于等于|小于等于|大于|小于|约)\s*"
)
_SIGNS: Final = {
    ">=": "≥", "<=": "≤", "\\geq": "≥", "\\leq": "≤", "≧": "≥", "≦": "≤", "不低于": "≥", "不少于": "≥", "大于等于": "≥",
    "不超过": "≤", "不高于": "≤", "小于等于": "≤", "大于": ">", "小于": "<", "约": "≈",
}  # fmt: skip
_DATE: Final = re.compile(r"(?:19|20)\d{2}\s*年|\d{1,2}\s*月\s*\d{1,2}\s*日|年底")
_LISTED: Final = re.compile(r"\d{1,2}、")  # '1、合规 2、适用' counts its parts, not itself
_UNIT: Final = re.compile(r"(?:%|[A-Za-z/]+|[^\W\d_]{1,3}(?:/[^\W\d_]{1,2})?)")


class Target(NamedTuple):
    """A target value taken apart; `low` is None for text."""

    comparison: str
    low: Decimal | None
    high: Decimal | None
    unit: str


def plain(text: str) -> str:
    """A text with full-width digits, signs and letters made narrow; Chinese punctuation stays as it is."""
    return "".join(
        unicodedata.normalize("NFKC", c) if "！" <= c <= "～" and c not in "，。；：？！（）" else c
        for c in text
    )


def narrow_sentence(text: str) -> str:
    """A sentence with its figures in one spelling, so that patterns find them.

    >>> narrow_sentence("支出８，３４２．２万元，占３５．６７％；其他 1.234,50 万元")
    '支出8,342.2万元，占35.67%；其他 1234.50 万元'
    """
    narrow = _WIDE_COMMA.sub(lambda match: match[0].replace("，", ","), plain(text))
    return _DECIMAL_COMMA.sub(lambda match: match[0].replace(".", "").replace(",", "."), narrow)


def squeeze(text: str) -> str:
    """A text without any white space."""
    return "".join(text.split())


def number_of(text: str) -> tuple[Decimal, str] | None:
    """A whole cell as a number and a doubt ('' for none); None when it is no number.

    >>> number_of("1, 608. 200000")
    (Decimal('1608.200000'), '')
    >>> number_of("84,863770")
    (Decimal('84.863770'), 'comma')
    """
    cell = squeeze(plain(text).replace("，", ",").replace("'", ""))
    if _GROUPED.fullmatch(cell):
        return Decimal(cell.replace(",", "")), ""
    if _EUROPEAN.fullmatch(cell):
        return Decimal(cell.replace(".", "").replace(",", ".")), ""
    if match := _COMMA_POINT.fullmatch(cell):
        return Decimal(f"{match[1]}.{match[2]}"), "comma"
    return None


def amount_of(text: str, unit: str, line: int) -> Amount | None:
    """A cell of money; '-' and '' are empty cells (None), as is anything that is no number."""
    number = number_of(text)
    if number is None:
        return None
    return Amount(number[0] * YUAN[unit], text.strip(), unit, line, number[1])


def target_of(text: str) -> Target:
    """A printed target value: '≥5 篇' is (≥, 5, 5, 篇), '1-3项' (=, 1, 3, 项), '显著' qualitative.

    A date keeps no number: it is compared as a date; a numbered list is text. Words after the unit are remarks, kept in the text only.
    """
    rest = plain(text).strip()
    sign = _COMPARISON.match(rest)
    comparison = _SIGNS.get(sign[1], sign[1]) if sign else ""
    rest = rest[sign.end() :] if sign else rest
    number = _NUMBER.match(rest)
    if number is None or _LISTED.match(rest):
        return Target(comparison or "qualitative", None, None, "")
    if _DATE.match(rest):
        return Target(comparison, None, None, "date")
    low = high = Decimal(number[0].replace(",", ""))
    rest = rest[number.end() :]
    if second := re.match(r"\s*[-~～—至]\s*(\d+(?:\.\d+)?)", rest):
        high = Decimal(second[1])
        rest = rest[second.end() :]
    unit = _UNIT.match(rest.strip())
    return Target(comparison or "=", low, high, unit[0] if unit else "")
