"""The small parts all target readers share: labels, HTML left by converters, text between labels, indicators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from nexome.report.figures import number_of, squeeze, target_of
from nexome.report.paper import Indicator, Text

LEVEL1: Final = (
    "成本指标", "产出指标", "效益指标", "满意度指标", "投入和管理目标", "产出目标", "效果目标", "影响力目标",
)  # fmt: skip
LEVEL2: Final = (
    "数量指标", "质量指标", "时效指标", "经济成本指标", "社会成本指标", "生态环境成本指标", "经济效益指标", "社会效益指标", "生态效益指标",
    "可持续影响指标", "服务对象满意度指标",
)  # fmt: skip
_TAG: Final = re.compile(r"</?(?:p|ol|ul|li|b|i|br|div|span)\b[^>]*>")
_BOX: Final = re.compile(r"<input\b([^>]*)>")
_ROW: Final = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL: Final = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)


def without_tags(text: str) -> str:
    """A text without the HTML tags of paragraphs and lists; `<关于…>` and '<' before figures stay."""
    return " ".join(_TAG.sub(" ", text).split())


def html_rows(text: str) -> list[list[str]]:
    """The cells of an HTML table inside a line, row by row."""
    return [[cell.strip() for cell in _CELL.findall(row)] for row in _ROW.findall(text)]


def boxes(label: str, text: str, line: int) -> list[Text]:
    """Checkboxes of a form: 'group/label' with '1' or '0'; the label stands before its box."""
    found, start = [], 0
    for box in _BOX.finditer(text):
        name = squeeze(text[start : box.start()])
        found.append(Text(f"{label}/{name}", "1" if "checked" in box[1] else "0", line))
        start = box.end()
    if rest := squeeze(text[start:]):
        found.append(Text(f"{label}/{rest}", "", line))
    return found


def indicator(cells: Sequence[str], weight: Decimal | None, line: int, *, part: int = 0) -> Indicator:
    """An indicator from (level1, level2, name, value as printed)."""
    level1, level2, name, value = (" ".join(cell.split()) for cell in cells)
    target = target_of(value)
    return Indicator(
        squeeze(level1), squeeze(level2), name.rstrip("：: ."), target.comparison, value, target.low, target.high,
        target.unit, weight, line, part,
    )  # fmt: skip


def weight_of(text: str) -> Decimal | None:
    """A printed weight (a whole or decimal number up to 100); None for anything else."""
    number = number_of(text)
    return number[0] if number and 0 < number[0] <= 100 else None
