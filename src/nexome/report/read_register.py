"""The register of a large department (项目支出绩效目标表): all projects in one long table, and the table of the department.

Cells of project, money and goal are merged over many rows and pages. A converter prints them once, somewhere, so
rows at the top of a page may come before the line that names their project. What decides:

- indicators of one project stand together by level (产出/数量, 产出/时效, …): a level that comes back after another
  one belongs to the next project;
- a row cut off at the foot of a page (levels, but no value) begins the next project;
- a cost above all the money of this project, or a Latin word (CDMO) of the next project's name, belongs there.

A converter may also print a page's HTML table and then its cells twice more: the echoes are counted, not kept.
Lines with money and a goal but no code are further portions of the same project (one per subordinate unit); a portion
that repeats the goal of the project before it word for word belongs to that one, although the next name was printed on its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from nexome.formats.document import Line
from nexome.report.blocks import LEVEL1, LEVEL2, html_rows, indicator, without_tags
from nexome.report.figures import amount_of, number_of, squeeze
from nexome.report.paper import COMPARISONS, Fund, Indicator, TargetTable, Text, Unread

_START: Final = re.compile(r"项目支出绩效目标表\s*$")
_WHOLE: Final = re.compile(r"部门整体支出绩效目标表\s*$")
_CODE: Final = re.compile(r"(\d{8}[A-Z]\d{5})\s*(\d{7})-(.*)")
_OLD: Final = re.compile(r"\d{8}[A-Z]\d{5}")
_MONEY_UNIT: Final = re.compile(r"单位[：:]\s*((?:千|万|百万|亿)?元)")
_ECHO_TABS: Final = 30  # an echo of an HTML table is padded to the width of all its cells in a row
_LATIN: Final = re.compile(r"[A-Za-z]{4,}")


@dataclass
class _Part:
    """One portion of a project: its printed name if any, money, goal, indicators as read."""

    name: str = ""
    line: int = 0
    money: list[tuple[str, int]] = field(default_factory=list)
    goal: str = ""
    leaves: list[Indicator] = field(default_factory=list)
    early: int = 0  # how many of the indicators stand before the line of the name


@dataclass
class _Reader:
    """The parts read so far, and rows whose project is not known yet."""

    parts: list[_Part] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    pending: list[Indicator] = field(default_factory=list)
    stubs: set[int] = field(default_factory=set)
    unit: str = "万元"  # as printed above the table
    opened: bool = False  # the last part still collects name, money and goal line by line


def find_register(lines: Sequence[Line]) -> tuple[list[TargetTable], list[Unread], set[int]]:
    """All projects of the register and the department's own table."""
    start = next(
        (i for i, line in enumerate(lines) if _START.search(line.text) and "\t" not in line.text), None
    )
    if start is None:
        return [], [], set()
    whole = next((i for i, line in enumerate(lines) if _WHOLE.search(line.text) and i > start), len(lines))
    reader = _Reader()
    echoes = 0
    for line in lines[start + 1 : whole]:
        if line.text.endswith("\t" * _ECHO_TABS):
            echoes += 1
        elif match := _MONEY_UNIT.search(line.text):
            reader.unit = match[1]
        elif line.text.strip() and "单位：" not in line.text:
            _read_row(reader, line)
    _settle(reader, None)
    unread = reader.unread
    tables = _projects(reader.parts, reader.unit)
    if whole < len(lines):
        table, left = _department(lines[whole:])
        tables.append(table)
        unread += left
    return tables, unread, {line.number for line in lines[start:]}


# ---------------------------------------------------------------- rows


def _read_row(reader: _Reader, line: Line) -> None:
    cells = [cell for cell in line.cells if cell]
    at = next((i for i, cell in enumerate(cells) if squeeze(cell) in LEVEL1 or "<table" in cell), len(cells))
    head = cells[:at]
    if head and not _is_header(cells):
        _open_part(reader, head, line)
    if at == len(cells):
        return
    reader.opened = False
    rows = html_rows(cells[at]) or [cells[at:]]
    for row in rows:
        leaf = _leaf(row, line.number)
        if leaf is None:
            reader.unread.append(Unread(line.number, "\t".join(row), "an indicator cut off: no value"))
            if not head:
                leaf = indicator(
                    (row[0], row[1] if len(row) > 1 else "", "".join(row[2:3]), ""), None, line.number
                )
                reader.stubs.add(line.number)
        if leaf is not None:
            (reader.parts[-1].leaves if head and reader.parts else reader.pending).append(leaf)


def _is_header(cells: list[str]) -> bool:
    return (
        "一级指标" in cells
        or "项目总额" in cells
        or set(cells) <= {"财政资金", "其他资金"}
        or _is_rule(cells)
    )


def _is_rule(cells: list[str]) -> bool:
    return all(set(cell) <= {"-", "|"} for cell in cells)


def _leaf(row: list[str], line: int) -> Indicator | None:
    filled = [cell for cell in row if cell]
    if len(filled) >= 5 and filled[3] == "定性":
        remark = filled[5] if len(filled) > 5 else ""
        made = indicator((filled[0], filled[1], filled[2], filled[4]), None, line)
        return replace(made, comparison="qualitative", low=None, high=None, unit=remark)
    if len(filled) < 5 or number_of(filled[4]) is None:
        return None
    made = indicator((filled[0], filled[1], filled[2], filled[3] + filled[4]), None, line)
    return replace(made, value=filled[4], unit=filled[5] if len(filled) > 5 else "")


def _open_part(reader: _Reader, head: list[str], line: Line) -> None:
    """Name, money and goal: on one line, or (where a page was set differently) on a line each."""
    name = squeeze(head[0]) if not number_of(head[0]) else ""
    coded = bool(_OLD.match(name))
    money = [cell for cell in head if number_of(cell) is not None]
    rest = [cell for cell in head if number_of(cell) is None and squeeze(cell) != name]
    if _OLD.match(name) and not _CODE.match(name):
        reader.opened = True
    elif reader.opened and reader.parts and not coded:
        part = reader.parts[-1]
        part.money += [(cell, line.number) for cell in money]
        if not money and not part.money:
            part.name += name
        elif not money:
            part.goal += without_tags(" ".join(head))
        return
    if not coded and not money:
        if reader.parts and not reader.parts[-1].leaves:
            reader.parts[-1].goal += without_tags(" ".join(head))
        else:
            reader.unread.append(Unread(line.number, line.text, "no project, money or indicator"))
        return
    part = _Part(
        name if coded else "",
        line.number,
        [(cell, line.number) for cell in money],
        without_tags(" ".join(rest)),
    )
    reader.opened = reader.opened or not (money and part.goal)
    _settle(reader, part)
    reader.parts.append(part)


def _settle(reader: _Reader, following: _Part | None) -> None:
    """Give the rows seen since the last named line to the project before or to the one that now begins."""
    rows, reader.pending = reader.pending, []
    if not reader.parts:
        if following is not None:
            following.leaves += rows
        return
    before = reader.parts[-1]
    cut = _cut(before, rows, following, reader.stubs) if following is not None else len(rows)
    before.leaves += [row for row in rows[:cut] if row.value]
    if following is not None:
        following.leaves += [row for row in rows[cut:] if row.value]
        following.early = len(following.leaves)


def _cut(before: _Part, rows: list[Indicator], following: _Part, stubs: set[int]) -> int:
    """How many of the rows still belong to the project before."""
    seen = _levels(before)
    for i, row in enumerate(rows):
        level = (row.level1, row.level2)
        back = level in seen and seen[-1] != level
        if back or row.line in stubs or _nearer(row.name, following.name, before) or _dearer(row, before):
            return i
        seen.append(level)
    return len(rows)


def _levels(part: _Part) -> list[tuple[str, str]]:
    """The levels met so far; those before the name's line count only while they go on after it."""
    levels = [(leaf.level1, leaf.level2) for leaf in part.leaves]
    early, later = levels[: part.early], levels[part.early :]
    broken = early and later and later[0] in early and later[0] != early[-1]
    return later if broken else levels


def _nearer(text: str, following: str, before: _Part) -> bool:
    """Whether a row shares a Latin word with the next project's name that this project never uses."""
    words = (word for word in _LATIN.findall(text) if word in following)
    return any(word not in before.name and word not in before.goal for word in words)


def _dearer(row: Indicator, before: _Part) -> bool:
    """Whether a row's cost is above all the money of the project before."""
    money = number_of(before.money[0][0]) if before.money else None
    cost = "成本" in row.level1 and row.unit == "万元" and row.low is not None
    return bool(cost and money and row.low is not None and row.low > money[0])


# ---------------------------------------------------------------- projects from parts


def _projects(parts: list[_Part], unit: str) -> list[TargetTable]:
    groups: list[list[_Part]] = []
    names: list[str] = []
    waiting = ""
    for part in parts:
        same = bool(groups) and bool(part.goal) and part.goal == groups[-1][-1].goal
        if part.name and not same:
            groups.append([part])
            names.append(part.name)
        elif part.name:  # the next project's name, printed on a line of this one
            waiting = part.name
            groups[-1].append(part)
        elif waiting and not same:
            groups.append([part])
            names.append(waiting)
            waiting = ""
        elif groups:
            groups[-1].append(part)
    return [_project(name, group, unit) for name, group in zip(names, groups, strict=True)]


def _project(name: str, group: list[_Part], unit: str) -> TargetTable:
    match = _CODE.fullmatch(name)
    code, title = (match[1] + match[2], match[3]) if match else ("", name)
    funds: list[Fund] = []
    for index, part in enumerate(group):
        funds += _funds(part, index, unit)
    leaves = tuple(replace(leaf, part=index) for index, part in enumerate(group) for leaf in part.leaves)
    goals = dict.fromkeys((part.goal, 0) for part in group if part.goal)
    lines = {part.goal: part.line for part in reversed(group)}
    texts = tuple(Text("goal", goal, lines[goal]) for goal, _ in goals)
    return TargetTable(
        "project",
        "项目支出绩效目标表",
        code,
        title,
        "",
        "",
        "",
        "",
        "",
        tuple(funds),
        texts,
        leaves,
        group[0].line,
    )


def _funds(part: _Part, index: int, unit: str) -> list[Fund]:
    """Total, fiscal money, other money; with two figures the second is fiscal when equal to the total."""
    amounts = [amount for text, line in part.money if (amount := amount_of(text, unit, line))]
    roles = [("total", "项目总额"), ("source", "财政资金"), ("source", "其他资金")]
    return [Fund(role, name, amount, index) for (role, name), amount in zip(roles, amounts, strict=False)]


# ---------------------------------------------------------------- the department as a whole


def _department(lines: Sequence[Line]) -> tuple[TargetTable, list[Unread]]:
    name, year = "", ""
    funds: list[Fund] = []
    texts: list[Text] = []
    leaves: list[Indicator] = []
    unread: list[Unread] = []
    labels = (
        "预算支出总额",
        "财政拨款",
        "财政拨款：基本支出",
        "财政拨款：项目支出",
        "其他资金",
        "其他资金：基本支出",
        "其他资金：项目支出",
    )
    for line in lines[1:]:
        cells = [cell for cell in line.cells if cell]
        if not cells or (len(cells) > 1 and cells[1] == "绩效指标") or cells[0] in {"合计", "其他说明"}:
            continue
        if match := re.fullmatch(r"[(（](\d{4})年度?[)）]", squeeze(line.text)):
            year = match[1]
        elif cells[0] == "部门名称":
            name = cells[1]
        elif cells[0] == "整体绩效目标":
            texts.append(Text("goal", " ".join(cells[1:]), line.number))
        elif number_of(cells[0]):
            amounts = [amount_of(cell, "万元", line.number) for cell in cells]
            funds += [
                Fund("total" if i == 0 else "source", label, amount)
                for i, (label, amount) in enumerate(zip(labels, amounts, strict=False))
                if amount
            ]
        elif leaf := _activity(cells, line.number):
            leaves.append(leaf)
        elif "总体资金情况" not in squeeze(cells[0]):
            unread.append(Unread(line.number, line.text, "not a row of the department's table"))
    return (
        TargetTable(
            "department",
            squeeze(lines[0].text),
            "",
            name,
            name,
            name,
            year,
            "",
            "",
            tuple(funds),
            tuple(texts),
            tuple(leaves),
            lines[0].number,
        ),
        unread,
    )


def _activity(cells: list[str], line: int) -> Indicator | None:
    """A row: activity, then level1, level2 and name run together, comparison, value, unit.

    The activity becomes level1, the two printed levels together level2.
    """
    if len(cells) < 4 or cells[2] not in {*COMPARISONS, "定性"}:
        return None
    text = squeeze(cells[1])
    level1 = next((label for label in LEVEL1 if text.startswith(label)), "")
    text = text.removeprefix(level1)
    level2 = next((label for label in LEVEL2 if text.startswith(label)), "")
    made = indicator((cells[0], f"{level1}/{level2}", text.removeprefix(level2), cells[3]), None, line)
    if cells[2] == "定性":
        return replace(made, comparison="qualitative", low=None, high=None, unit="")
    number = number_of(cells[3])
    low = Decimal(number[0]) if number else None
    return replace(made, comparison=cells[2], low=low, high=low, unit=cells[4] if len(cells) > 4 else "")
