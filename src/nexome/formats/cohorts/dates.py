"""Dates as people write them, checked against the calendar: ISO, slashes, points, month names, Chinese.

    2020-01-31   2020/1/31   2020.1.31   20200131   2020-01-31 13:05(:22)   2020-01-31T13:05:22(.5)(Z)
    31/01/2020   01/31/2020  31.01.2020  31-Jan-2020   January 31, 2020      2020年1月31日   民国109年1月31日

Where the day and the month cannot be told apart (03/04/2020), nothing is guessed: a person says the order.
A year of the Republic of China has 民国 before it: 民国109年1月31日, 民國109/01/31, 民国元年 (1912).
Full-width digits are digits. A time zone is dropped: the clock's time stays as it was written. Not read, and
told by kind: years of two digits, of three without 民国, days as a spreadsheet counts them, the lunar
calendar, Chinese numerals.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final

_TIME: Final = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CHINESE: Final = re.compile(
    r"((?:中[华華])?民[国國])?\s*(\d{1,4}|(?<=[国國])元)\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]?"
    + _TIME
)
_MINGUO: Final = re.compile(r"(?:中[华華])?民[国國]\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + _TIME)
_DAY_NAME: Final = re.compile(r"(\d{1,2})[-\s.]*([A-Za-z]{3,9})[-\s.,]*(\d{4})" + _TIME)
_NAME_DAY: Final = re.compile(r"([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})" + _TIME)
_SHORT_YEAR: Final = re.compile(r"\d{1,2}[-/.]([A-Za-z]{3}|\d{1,2})[-/.]\d{2}\b")
_NO_DAY: Final = re.compile(r"\d{4}([-/.]\d{1,2}|年(\d{1,2}月)?)?$|[A-Za-z]{3,9} \d{4}$")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_REPUBLIC: Final = 1911  # the year before the first of the Republic
_FIRST_YEAR, _LAST_YEAR = 1800, 2100
_DAY_COUNTS: Final = range(10_000, 73_051)  # spreadsheets' numbers of the days from 1927 to 2100
_LUNAR: Final = (
    r"[农農夏旧舊阴陰][历曆]|[正冬腊臘闰閏]月|月[初廿十卅]|初[一二三四五六七八九十]"
    r"|[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年"
)
_KINDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(_LUNAR), "a date of the lunar calendar"),
    (re.compile(r"民[国國]"), "a date of the Republic of China that is not read"),
    (re.compile(r"^[〇○零一二三四五六七八九十]+年"), "a date in Chinese numerals"),
    (
        re.compile(r"^\d{3}([-/.年]\d{1,2}[-/.月]\d{1,2}\b|(0[1-9]|1[0-2])([0-2]\d|3[01])$)"),
        "a date with a three-digit year",
    ),
)


def parse_date(text: str, order: str = "") -> datetime | str:
    """The date, or the kind of what stood there.

    >>> parse_date("2020年1月31日")
    datetime.datetime(2020, 1, 31, 0, 0)
    >>> parse_date("2020-02-30"), parse_date("03/04/2020")
    ('a day that the calendar does not have', 'a date whose day and month cannot be told apart')
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    parts = _parts(plain, order)
    if isinstance(parts, str):
        return parts
    year, month, day, hour, minute, second = parts
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return "a year that is out of range"
    if not 1 <= month <= 12:
        swapped = " (day and month swapped?)" if 12 < month <= 31 and 1 <= day <= 12 else ""
        return f"a month that the calendar does not have{swapped}"
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  files say no zone
    except ValueError:
        fault = (
            "a time of day that the clock does not have" if hour > 23 or minute > 59 or second > 59 else ""
        )
        return fault or "a day that the calendar does not have"


def _parts(plain: str, order: str) -> tuple[int, int, int, int, int, int] | str:
    if m := _YEAR_FIRST.fullmatch(plain):
        return int(m[1]), int(m[3]), int(m[4]), *_time(m, 5)
    if m := _COMPACT.fullmatch(plain):
        return int(m[1]), int(m[2]), int(m[3]), 0, 0, 0
    if m := _CHINESE.fullmatch(plain):
        year = _year(m[2]) if m[1] else int(m[2])
        fault = "a date with a three-digit year" if year > 99 else "a date with a short year"
        return (year, int(m[3]), int(m[4]), *_time(m, 5)) if m[1] or year >= 1000 else fault
    if m := _MINGUO.fullmatch(plain):
        return _year(m[1]), int(m[3]), int(m[4]), *_time(m, 5)
    if m := _YEAR_LAST.fullmatch(plain):
        return _ordered(m, order)
    return _named_month(plain) or _kind_of(plain)


def _year(of_republic: str) -> int:
    """The year of the common calendar; 0, which is out of range, for a year 0 of the Republic."""
    year = 1 if of_republic == "元" else int(of_republic)
    return year + _REPUBLIC if year else 0


def _named_month(plain: str) -> tuple[int, int, int, int, int, int] | None:
    for pattern, month, day in ((_DAY_NAME, 2, 1), (_NAME_DAY, 1, 2)):
        if (m := pattern.fullmatch(plain)) and m[month][:3].lower() in _MONTHS:
            return int(m[3]), _MONTHS.index(m[month][:3].lower()) + 1, int(m[day]), *_time(m, 4)
    return None


def _ordered(m: re.Match[str], order: str) -> tuple[int, int, int, int, int, int] | str:
    first, second, year = int(m[1]), int(m[3]), int(m[4])
    if order == "dmy" or (
        not order and (m[2] == "." or first > 12 >= second)
    ):  # points: day first everywhere
        return year, second, first, *_time(m, 5)
    if order == "mdy" or (not order and (second > 12 >= first)) or first == second:
        return year, first, second, *_time(m, 5)
    if first > 12 and second > 12:
        return "a month that the calendar does not have"
    return "a date whose day and month cannot be told apart"


def _time(m: re.Match[str], group: int) -> tuple[int, int, int]:
    return int(m[group] or 0), int(m[group + 1] or 0), int(m[group + 2] or 0)


def _kind_of(plain: str) -> str:
    if _SHORT_YEAR.match(plain):
        return "a date with a short year"
    if _NO_DAY.fullmatch(plain):
        return "a date without a day"
    if kind := next((kind for pattern, kind in _KINDS if pattern.search(plain)), ""):
        return kind
    if m := re.fullmatch(r"(\d+)(\.\d*)?", plain):
        counted = len(m[1]) == 5 and int(m[1]) in _DAY_COUNTS
        return "a number, perhaps a spreadsheet's count of days" if counted else "a number"
    return "a number" if re.fullmatch(r"[\d.]+", plain) else "text"
