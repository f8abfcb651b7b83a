"""A document becomes a paper: every reader takes its lines, the rest is prose, and what looks like a table is listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from nexome.formats.document import Document, Line, read_document
from nexome.model.errors import FormatError
from nexome.report.figures import narrow_sentence
from nexome.report.paper import Fact, Paper, TargetTable, Text, Unread
from nexome.report.read_budgets import find_budgets
from nexome.report.read_central import find_central
from nexome.report.read_form import find_forms
from nexome.report.read_register import find_register
from nexome.report.records import paper_from_values

_BROKEN_SHARE: Final = (
    0.3  # of lines ending in a space, above which a missing space means that the line goes on
)
_FULL_SHARE: Final = 0.85  # of the longest line of a PDF, from which a line counts as full
_ROW_TABS: Final = 2
# What a sentence declares: name, then a figure and a unit.
_FACTS: Final = (
    ("政府采购预算总额", r"政府采购预算总额\s*([\d,.]+)\s*(万元)"),
    ("政府采购货物预算", r"货物预算\s*([\d,.]+)\s*(万元)"),
    ("政府采购工程预算", r"工程预算\s*([\d,.]+)\s*(万元)"),
    ("政府采购服务预算", r"服务预算\s*([\d,.]+)\s*(万元)"),
    ("车辆", r"共有车辆\s*(\d+)\s*(辆)"),
    ("部级领导干部用车", r"部级领导干部用车\s*(\d+)\s*(辆)"),
    ("机要通信用车", r"机要通信用车\s*(\d+)\s*(辆)"),
    ("应急保障用车", r"应急保障用车\s*(\d+)\s*(辆)"),
    ("特种专业技术用车", r"特种专业技术用车\s*(\d+)\s*(辆)"),
    ("其他用车", r"其他用车\s*(\d+)\s*(辆)[，,]其他用车主"),
    ("购置车辆", r"购置车辆\s*(\d+)\s*(辆)"),
    ("设备", r"(?<!购置)单位价值\s*100\s*万元以上设备\s*(\d+)\s*(台)"),
    ("绩效管理预算拨款", r"涉及预算拨款\s*([\d,.]+)\s*(万元)"),
    ("绩效管理一般公共预算拨款", r"其中：一般公共预算拨款\s*([\d,.]+)\s*(万元)、"),
    ("绩效管理政府性基金预算拨款", r"、政府性基金预算拨款\s*([\d,.]+)\s*(万元)"),
    ("科研支撑部门", r"(\d+)\s*(个)科研支撑部门"),
    ("管理部门", r"(\d+)\s*(个)管理部门"),
)  # fmt: skip


def read_paper(path: Path) -> Paper:
    """Read a paper, whatever kind of file it is.

    Raises FormatError (see formats.document), also when no budget or target table is found in it, or when a
    table's name stands there without any row of it: all or nothing.
    """
    document = read_document(path)
    if document.values is not None:
        return paper_from_values(document.values, document.name, document.sha256)
    return paper_of(document)


def paper_of(document: Document) -> Paper:
    """The paper in a document of lines."""
    lines = document.lines
    budgets, unread, taken = find_budgets(lines)
    targets: list[TargetTable] = []
    for find in (find_central, find_forms, find_register):
        tables, left, lines_of = find(lines)
        targets += tables
        unread += left
        taken |= lines_of
    if not budgets and not targets:
        raise FormatError(
            "no budget or target table",
            where=document.name,
            expected="one of the prescribed budget tables, or a 绩效目标表",
            todo="See docs/targets for the layouts that are read; a CSV in the layout of `nexome targets export` is too.",
        )
    for table in targets:
        if not table.name or not table.indicators:
            raise FormatError(
                "a target table cut off: no " + ("indicator" if table.name else "project name"),
                where=f"{document.name}, line {table.line}",
                expected="name, money, goals and indicators",
            )
    for budget in budgets:
        if not budget.rows:
            raise FormatError(
                "a table without rows",
                where=f"{document.name}, line {budget.line}",
                expected=f"rows of {budget.title}",
            )
    rest = [line for line in lines if line.number not in taken and line.text.strip()]
    unread += [Unread(line.number, line.text, "a row of no known table") for line in rest if _is_row(line)]
    prose = tuple(_paragraphs([line for line in lines if line.number not in taken or _is_note(line)]))
    return Paper(
        document.name, document.sha256, _issuer(targets), _year(targets, prose), tuple(budgets), tuple(targets),
        tuple(_facts(prose)), prose, tuple(sorted(unread, key=lambda item: item.line)),
    )  # fmt: skip


def _is_row(line: Line) -> bool:
    return line.text.count("\t") >= _ROW_TABS


def _is_note(line: Line) -> bool:
    return line.text.lstrip().startswith("注")


def _issuer(targets: Sequence[TargetTable]) -> str:
    units = dict.fromkeys(re.sub(r"\s*\(", "（", t.unit).replace(")", "）") for t in targets if t.unit)
    return "、".join(units)


def _year(targets: Sequence[TargetTable], prose: Sequence[Text]) -> str:
    years = Counter(table.year for table in targets if table.year)
    if not years:
        years = Counter(year for text in prose for year in re.findall(r"(20\d\d)\s*年", text.text))
    return years.most_common(1)[0][0] if years else ""


def _paragraphs(lines: Sequence[Line]) -> Iterator[Text]:
    """Sentences put together again: where a line goes on in the next (`_goes_on`), they are one paragraph."""
    filled = [line for line in lines if line.text.strip()]
    broken = sum(line.text.endswith(" ") for line in filled) > _BROKEN_SHARE * len(filled)
    full = max((_width(line.text) for line in filled if line.page), default=0.0)
    text, first = "", 0
    for line in filled:
        if _is_row(line):
            continue
        first = first or line.number
        text += line.text.strip()
        if not _goes_on(line, full, broken=broken):
            yield Text("prose", " ".join(text.split()), first)
            text, first = "", 0
    if text:
        yield Text("prose", " ".join(text.split()), first)


def _goes_on(line: Line, full: float, *, broken: bool) -> bool:
    """Whether a sentence goes on in the next line.

    In broken layouts a line without a trailing space does; on a page (PDF) one that fills its width without ending a sentence.
    """
    if line.text.strip().endswith("。"):
        return False
    if line.page:
        return _width(line.text) >= _FULL_SHARE * full
    return broken and not line.text.endswith(" ")


def _width(text: str) -> float:
    """How wide a text is printed, in Chinese characters."""
    return sum(1.0 if ord(character) > 0x2E7F else 0.5 for character in text)


def _facts(prose: Sequence[Text]) -> Iterator[Fact]:
    for name, pattern in _FACTS:
        for paragraph in prose:
            if match := re.search(pattern, narrow_sentence(paragraph.text)):
                figure, unit = (match[1], match[2]) if match[1][0].isdigit() else (match[2], match[1])
                number = Decimal(figure.replace(",", "").rstrip("."))
                yield Fact(name, number, figure, unit, paragraph.text, paragraph.line)
                break
