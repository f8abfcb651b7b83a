"""Target forms of Shanghai (财政支出项目绩效目标申报表): labels with their values, in tabbed cells or in plain lines.

A label ends where the next one begins; text in between belongs to it. Money is in yuan. Checkboxes are HTML inputs with the
label before the box. Indicators have two or three levels and no weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from nexome.formats.document import Line
from nexome.report.blocks import LEVEL1, boxes, indicator, without_tags
from nexome.report.figures import amount_of, squeeze
from nexome.report.paper import Fund, Indicator, TargetTable, Text, Unread

_TITLE: Final = re.compile(r"\s*\S*财政支出项目绩效目标申报表\s*")
_YEAR: Final = re.compile(r"\s*[(（]\s*(\d{4})\s*年\s*[)）]\s*")
_UNIT: Final = re.compile(r"\s*申报单位名称[：:]\s*(.*?)(?:（盖章）)?\s*")
_WORDS: Final = ("项目名称", "项目负责人", "联系人", "联系电话", "开始时间", "结束时间")
_MONEY: Final = (
    "项目总预算（元）",
    "项目当年预算（元）",
    "同名项目上年预算额（元）",
    "同名项目上年预算执行数（元）",
)
_BOXES: Final = ("项目类型", "资金用途")
_TEXTS: Final = {
    "项目概况": "overview", "立项依据": "basis", "项目设立的必要性": "necessity", "保证项目实施的制度、措施": "measures",
    "项目实施计划": "plan", "项目总目标": "overall goal", "年度绩效目标": "goal", "备注": "remark",
}  # fmt: skip


@dataclass
class _Form:
    """What was read of one form so far."""

    words: dict[str, str] = field(default_factory=dict)
    funds: list[Fund] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    leaves: list[Indicator] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    state: str = ""
    levels: tuple[str, str] = ("", "")


def find_forms(lines: Sequence[Line]) -> tuple[list[TargetTable], list[Unread], set[int]]:
    """All forms, lines in them not understood, and the lines they take."""
    tables, unread, taken = [], [], set()
    starts = [i for i, line in enumerate(lines) if _TITLE.fullmatch(line.text)]
    for here, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        form = _Form()
        for line in lines[here + 1 : end]:
            if line.text.strip():
                _read_line(form, line)
        words = {name: form.words.get(name, "") for name in (*_WORDS, "unit", "year")}
        tables.append(
            TargetTable(
                "project",
                squeeze(lines[here].text),
                "",
                words["项目名称"],
                "",
                words["unit"],
                words["year"],
                words["开始时间"],
                words["结束时间"],
                tuple(form.funds),
                tuple(form.texts),
                tuple(form.leaves),
                lines[here].number,
            )
        )
        unread += form.unread
        taken |= {line.number for line in lines[here:end]}
    return tables, unread, taken


def _read_line(form: _Form, line: Line) -> None:
    if match := _YEAR.fullmatch(line.text):
        form.words["year"] = match[1]
    elif match := _UNIT.fullmatch(line.text):
        form.words["unit"] = match[1]
    elif not _labelled(form, line):
        _continued(form, line)


def _labelled(form: _Form, line: Line) -> bool:
    """Take a line that begins with a label; False when it goes on with what was before."""
    cells = [cell for cell in line.cells if cell]
    if "\t" not in line.text and cells:
        first, _, rest = cells[0].partition(" ")
        whole = first in _BOXES or first in _TEXTS
        cells = (
            [first, *([rest] if whole and rest else rest.split())]
            if first in (*_WORDS, *_BOXES, *_TEXTS)
            else cells
        )
    label = squeeze(cells[0]) if cells else ""
    if label in _TEXTS:
        form.state = _TEXTS[label]
        if text := without_tags(" ".join(cells[1:])):
            form.texts.append(Text(form.state, text, line.number))
    elif label in _BOXES:
        form.state = label
        form.texts += boxes(label, " ".join(cells[1:]), line.number)
    elif label in {*_WORDS, *_MONEY}:
        form.state = ""
        _pairs(form, cells, line.number)
    elif any(squeeze(cell) == "子项目名称" for cell in cells):
        form.state = "sub-projects"
    elif squeeze(cells[-1]) == "指标目标值" or label == "分解目标":
        form.state = "indicators"
    else:
        return False
    return True


def _pairs(form: _Form, cells: list[str], line: int) -> None:
    labels = {*_WORDS, *_MONEY}
    for label, value in zip(cells, [*cells[1:], ""], strict=True):
        if (name := squeeze(label)) not in labels or squeeze(value) in labels:
            continue
        if name in _MONEY:
            if amount := amount_of(value, "元", line):
                form.funds.append(Fund("budget", name.removesuffix("（元）"), amount))
        else:
            form.words[name] = value
            if name in {"项目负责人", "联系人", "联系电话"} and value:
                form.texts.append(Text(name, value, line))


def _continued(form: _Form, line: Line) -> None:
    cells = [cell for cell in line.cells if cell]
    if form.state in _BOXES:
        form.texts += boxes(form.state, " ".join(cells), line.number)
    elif form.state in _TEXTS.values():
        form.texts.append(Text(form.state, without_tags(" ".join(cells)), line.number))
    elif form.state == "sub-projects":
        named = [cell for cell in cells if squeeze(cell) != "项目当年投入资金构成"]
        amount = amount_of(named[-1], "元", line.number)
        if amount and len(named) == 2:
            form.funds.append(Fund("sub-project", named[0], amount))
        else:
            form.unread.append(Unread(line.number, line.text, "not a sub-project with its money"))
    elif form.state == "indicators" and 2 <= len(cells) <= 4:
        _leaf(form, cells, line.number)
    else:
        form.unread.append(Unread(line.number, line.text, "under no known label"))


def _leaf(form: _Form, cells: list[str], line: int) -> None:
    level1, level2 = form.levels
    if cells[-2].endswith("目标") and squeeze(cells[0]) in LEVEL1:
        cells = [*cells, ""]  # levels and a name, but no value printed
    for head in cells[:-2]:
        level1, level2 = (head, "") if squeeze(head) in LEVEL1 else (level1, head)
    form.levels = (level1, level2)
    form.leaves.append(indicator((level1, level2, *cells[-2:]), None, line))
