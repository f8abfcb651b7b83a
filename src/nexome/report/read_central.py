"""Target tables of central units (项目绩效目标表): from tabbed cells, and from cells broken into lines.

One table: title, (year), name, department and unit, funds by source, goals, indicators of three levels with weights.
In broken lines a line without a trailing space goes on in the next one; labels printed letter by letter are put together again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from nexome.formats.document import Line
from nexome.report.blocks import LEVEL1, LEVEL2, indicator, weight_of, without_tags
from nexome.report.figures import amount_of, plain, squeeze
from nexome.report.paper import Fund, Indicator, TargetTable, Text, Unread

YEAR: Final = re.compile(r"\s*[(（]\s*(\d{4})\s*年度?\s*[)）]\s*")
_SOURCES: Final = (
    ("年度资金总额", "total"),
    ("财政拨款", "source"),
    ("上年结转", "source"),
    ("其他资金", "source"),
)
_FUNDS: Final = re.compile(
    r"(年度资金总额|财政拨款|上年结转(?:资金)?|其他资金)\s*[：:]?\s*([\d,]+(?:\.\d+)?|-)"
)
_MONEY_UNIT: Final = re.compile(r"资\s*金\s*[（(]\s*((?:千|万|百万|亿)?元)\s*[)）]")
_OPERATORS: Final = frozenset("≥≤=<>≈")

Found = tuple[list[TargetTable], list[Unread], set[int]]


def find_central(lines: Sequence[Line]) -> Found:
    """All such tables, lines in them not understood, and the lines they take."""
    tables: list[TargetTable] = []
    unread: list[Unread] = []
    taken: set[int] = set()
    years = [i for i, line in enumerate(lines) if YEAR.fullmatch(line.text) and _named_after(lines, i)]
    starts = [_title_start(lines, i) for i in years]
    for year, start, end in zip(years, starts, [*starts[1:], len(lines)], strict=False):
        title = "".join(line.text.strip() for line in lines[start:year])
        body = [line for line in lines[year + 1 : end] if line.text.strip()]
        read = _read_tabbed if any("\t" in line.text for line in body) else _read_broken
        match = YEAR.fullmatch(lines[year].text)
        table, left = read(title, match[1] if match else "", lines[start].number, body)
        tables.append(table)
        unread += left
        taken |= {line.number for line in lines[start:end]}
    return tables, unread, taken


def _named_after(lines: Sequence[Line], year: int) -> bool:
    after = (line.text for line in lines[year + 1 : year + 6] if line.text.strip())
    return next(after, "").strip().startswith("项目名称")


def _title_start(lines: Sequence[Line], year: int) -> int:
    start = year - 1
    while not lines[start].text.strip():
        start -= 1
    if squeeze(lines[start].text) in {"项目绩效目标表", "绩效目标表"}:
        start -= 1
        while not lines[start].text.strip():
            start -= 1
    return start


# ---------------------------------------------------------------- tabbed


def _read_tabbed(title: str, year: str, first: int, body: Sequence[Line]) -> tuple[TargetTable, list[Unread]]:
    words = {"项目名称": "", "主管部门": "", "实施单位": ""}
    funds: list[Fund] = []
    texts: list[Text] = []
    leaves: list[Indicator] = []
    unread: list[Unread] = []
    state, level1, level2 = "head", "", ""
    unit = _money_unit(body)
    for line in body:
        cells = [cell for cell in line.cells if cell]
        tight = [squeeze(cell) for cell in cells]
        if "三级指标" in tight:
            state = "indicators"
        elif "年度目标" in tight:
            state = "goals"
        elif state == "goals":
            texts.append(Text("goal", without_tags(" ".join(cells)), line.number))
        elif state == "indicators":
            made = _tabbed_leaf(cells, level1, level2, line.number)
            if made is None:
                unread.append(Unread(line.number, line.text, "not an indicator of five, four or three cells"))
            else:
                leaves.append(made)
                level1, level2 = made.level1, made.level2
        elif fund := _tabbed_fund(cells, tight, line.number, unit):
            funds.append(fund)
        else:
            for label, value in pairwise(cells):
                if (key := squeeze(label).replace("及代码", "")) in words:
                    words[key] = value
    return _table(title, year, first, words, funds, texts, leaves), unread


def _tabbed_leaf(cells: list[str], level1: str, level2: str, line: int) -> Indicator | None:
    weight = weight_of(cells[-1])
    if weight is None or not 4 <= len(cells) + 1 <= 6:
        return None
    head, (name, value) = cells[:-3], cells[-3:-1]
    if len(head) == 2:
        level1, level2 = head
    elif len(head) == 1:
        level1, level2 = (head[0], level2) if squeeze(head[0]) in LEVEL1 else (level1, head[0])
    return indicator((level1, level2, name, value), weight, line)


def _money_unit(body: Sequence[Line]) -> str:
    """The unit printed beside 项目资金; 万元, as the form has it, where none is."""
    match = _MONEY_UNIT.search(plain("".join(line.text for line in body)))
    return match[1] if match else "万元"


def _tabbed_fund(cells: list[str], tight: list[str], line: int, unit: str) -> Fund | None:
    for i, cell in enumerate(tight):
        for name, role in _SOURCES:
            if name in cell and i + 1 < len(cells) and (amount := amount_of(cells[i + 1], unit, line)):
                return Fund(role, name, amount)
    return None


def _table(
    title: str, year: str, first: int, words: dict[str, str], funds: list[Fund], texts: list[Text],
    leaves: list[Indicator],
) -> TargetTable:  # fmt: skip
    return TargetTable(
        "project", squeeze(title), "", words["项目名称"], words["主管部门"], words["实施单位"], year, "", "",
        tuple(funds), tuple(texts), tuple(leaves), first,
    )  # fmt: skip


# ---------------------------------------------------------------- broken into lines


def _read_broken(title: str, year: str, first: int, body: Sequence[Line]) -> tuple[TargetTable, list[Unread]]:
    heads = [i for i, line in enumerate(body) if "指标值" in squeeze(line.text)]
    cut = heads[0] if heads else len(body)
    flat = "".join(line.text for line in body[:cut])
    words = {
        "项目名称": _between(flat, "项目名称", "主管部门"),
        "主管部门": _between(flat, r"主管部门\s*(?:及\s*代码)?", "实施单位"),
        "实施单位": squeeze(_between(flat, "实施单位", "项目资金")),
    }
    funds, unit = [], _money_unit(body[:cut])
    for line in body[:cut]:
        if match := _FUNDS.search(line.text):
            name = match[1].removesuffix("资金") if match[1].startswith("上年") else match[1]
            if amount := amount_of(match[2], unit, line.number):
                funds.append(Fund(dict(_SOURCES)[name], name, amount))
    leaves, unread = _broken_leaves(body[cut:])
    goals = list(_broken_goals(body[:cut]))
    return _table(title, year, first, words, funds, goals, leaves), unread


def _between(text: str, start: str, end: str) -> str:
    match = re.search(rf"{start}(.*?){end}", text, re.DOTALL)
    return match[1].strip() if match else ""


def _broken_goals(head: Sequence[Line]) -> Iterator[Text]:
    """Paragraphs between the funds and the indicators, without the labels printed letter by letter."""
    start = max((i for i, line in enumerate(head) if "其他资金" in line.text), default=len(head))
    part, first = "", 0
    for line in head[start + 1 :]:
        text = line.text.strip()
        if text in {"执行率", "分值", "（10）", "年度目标", "一级", "指标"} or (
            len(text) <= 1 and text in "年度总体目标绩效指标"
        ):
            continue
        first = first or line.number
        part += text
        if line.text.endswith(" "):
            yield Text("goal", part, first)
            part, first = "", 0
    if part:
        yield Text("goal", part, first)


def _broken_leaves(tail: Sequence[Line]) -> tuple[list[Indicator], list[Unread]]:
    leaves: list[Indicator] = []
    row: list[str] = []
    first, level1, level2, glue = 0, "", "", False
    for line in tail[1:]:
        tokens = line.text.split()
        if not leaves and not row and squeeze(line.text) in {"分值", "（90）", "权重", "分值权重"}:
            continue
        first = first or line.number
        if glue and row:
            row[-1] += tokens.pop(0)
        row += tokens
        glue = not line.text.endswith(" ")
        if len(row) > 1 and weight_of(row[-1]) and row[-2] not in _OPERATORS:
            level1, level2, rest = _levels(row[:-1], level1, level2)
            name, value = _name_value(rest)
            leaves.append(indicator((level1, level2, name, value), weight_of(row[-1]), first))
            row, first, glue = [], 0, False
    return leaves, [Unread(first, " ".join(row), "an indicator without a weight")] if row else []


def _levels(row: list[str], level1: str, level2: str) -> tuple[str, str, list[str]]:
    for labels, which in ((LEVEL1, 1), (LEVEL2, 2)):
        for count in range(1, min(6, len(row)) + 1):
            if (label := "".join(row[:count])) in labels:
                row = row[count:]
                level1, level2 = (label, level2) if which == 1 else (level1, label)
                break
    return level1, level2, row


def _name_value(rest: list[str]) -> tuple[str, str]:
    count = 2 if len(rest) > 2 and rest[0] + rest[1] in LEVEL2 else 1
    return "".join(rest[:count]), " ".join(rest[count:])
