"""The plan of a project by quarters, where its form words one: each step with its months and its text.

'第一季度完成的工作有：…；第二季度…' and '2019年1-3月 …' are understood. A plan worded otherwise gives no steps; its text stays
in the paper under 'plan'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nexome.report.paper import TargetTable

_QUARTERS: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_STEP: Final = re.compile(
    r"(?:(?P<year>20\d\d)\s*年)?\s*(?:第?(?P<quarter>[一二三四1-4])季度|(?P<first>\d{1,2})(?:\s*月?\s*[-–—~～至]\s*(?P<last>\d{1,2}))?\s*月份?(?!\s*\d{1,2}\s*日))"
)


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A step of a plan: year (0: the project's), first and last month, its text, its line."""

    year: int
    first_month: int
    last_month: int
    text: str
    line: int

    @property
    def months(self) -> str:
        """Its months as people say them: 'months 1-3', 'month 6'."""
        if self.last_month > self.first_month:
            return f"months {self.first_month}-{self.last_month}"
        return f"month {self.first_month}"


def plan_of(table: TargetTable) -> list[PlanStep]:
    """The steps of a project's plan, in the order written; none where the plan names no quarters or months."""
    steps = []
    for text in table.texts_of("plan"):
        marks = [mark for mark in _STEP.finditer(text.text) if _months(mark)]
        for mark, end in zip(marks, [*(m.start() for m in marks[1:]), len(text.text)], strict=False):
            first, last = _months(mark) or (1, 12)
            words = re.sub(
                r"^(?:之?前|底)?(?:完成的工作有|的工作有)?[：:，,、\s]*", "", text.text[mark.end() : end]
            )
            steps.append(PlanStep(int(mark["year"] or 0), first, last, words.strip(" ；;"), text.line))
    return steps


def _months(mark: re.Match[str]) -> tuple[int, int] | None:
    if mark["quarter"]:
        quarter = _QUARTERS[mark["quarter"]]
        return 3 * quarter - 2, 3 * quarter
    first, last = int(mark["first"]), int(mark["last"] or mark["first"])
    return (first, last) if 1 <= first <= last <= 12 else None
