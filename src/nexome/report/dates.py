"""Days in target papers: deadlines as they are worded, quarters of a year, the period of a project."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Final

from nexome.report.figures import plain, squeeze
from nexome.report.paper import TargetTable

_DEADLINE: Final = re.compile(
    r"(?:(20\d\d)年|本?年度?)(?:(\d{1,2})月(?:(\d{1,2})日|底|末)?|年?底|年?末|内)?(?:之?前|以前|内)?(?:完成)?"
)
_PERIOD: Final = re.compile(r"(20\d\d)[-/年.](\d{1,2})(?:[-/月.](\d{1,2}))?")


def deadline_of(text: str, year: str) -> date | None:
    """The last day a deadline allows; `year` stands in for 本年度. None for what is no deadline.

    >>> deadline_of("2025 年 12 月", "")
    datetime.date(2025, 12, 31)
    """
    match = _DEADLINE.fullmatch(squeeze(plain(text)).rstrip("。"))
    if match is None or not (match[1] or year.isdigit()):
        return None
    return _day(int(match[1] or year), int(match[2] or 12), int(match[3] or 0))


def _day(year: int, month: int, day: int) -> date | None:
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def quarter_end(year: int, quarter: int) -> date:
    """The last day of a quarter, 1 to 4."""
    return _day(year, 3 * quarter, 0) or date(year, 12, 31)


def period_in(table: TargetTable, year: int) -> tuple[date, date]:
    """First and last day of a project within a year: its printed period where it meets the year, else the year."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    start, end = _printed(table.start), _printed(table.end)
    if start and end and start <= last and end >= first and start <= end:
        return max(first, start), min(last, end)
    return first, last


def _printed(text: str) -> date | None:
    match = _PERIOD.match(squeeze(text))
    return _day(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None
