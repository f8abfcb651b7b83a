"""Reading the prescribed budget tables, from tabbed rows and from rows that a converter broke into lines.

Both layouts end as rows of cells; what the cells mean depends on the kind of the table alone (report.prescribed). In broken
lines a trailing space ends a cell, its absence means that the cell goes on, and an empty cell is one more space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from nexome.formats.document import Line
from nexome.report.figures import amount_of, number_of, plain, squeeze
from nexome.report.paper import Amount, BudgetRow, BudgetTable, Unread
from nexome.report.prescribed import COLUMNS, table_kind

Cells = tuple[int, list[str]]

_TITLE: Final = re.compile(r"\s*(?:预算\d+表|预算表\d+|表\s*\d+)?\s*[^\s关于].*表\s*")
_UNIT: Final = re.compile(r"单位\s*[：:]\s*(亿元|百万元|万元|千元|元)")
_END: Final = re.compile(r"\s*(关于.*说明|注[：:]|[一二三四五六七八九]、其他事项|附表)")
_CODE: Final = re.compile(r"(\d{3,7})(?:-(.*))?")
_BROKEN_START: Final = re.compile(
    r"\s*(?:\d{3,7}\s|\d{3,7}$|合\s*计|[（(]?[一二三四五六七八九十]+[）)、]|本年收入|使用非财政|上年结转|收\s*入\s*总\s*计|人员经费合计)"
)
_HEAD_LINES: Final = 12  # between a title and its unit at most


def find_budgets(lines: Sequence[Line]) -> tuple[list[BudgetTable], list[Unread], set[int]]:
    """All budget tables of a document, the lines in them that were not understood, and the lines they take."""
    tables, unread, taken = [], [], set()
    starts = [i for i, line in enumerate(lines) if _is_title(line.text) and _unit_after(lines, i)]
    for here, after in pairwise([*starts, len(lines)]):
        kind = table_kind(squeeze(lines[here].text))
        if not kind or "目标" in lines[here].text:
            continue
        end = next((j for j in range(here + 1, after) if _END.match(lines[j].text)), after)
        unit, first = _unit_after(lines, here) or ("元", here)
        body = lines[first + 1 : end]
        table, left = _read_table(kind, lines[here], unit, body)
        tables.append(table)
        unread += left
        taken |= {line.number for line in lines[here:end]}
    return tables, unread, taken


def _is_title(text: str) -> bool:
    return len(text) < 90 and "\t" not in text and bool(_TITLE.fullmatch(squeeze(text)))


def _unit_after(lines: Sequence[Line], start: int) -> tuple[str, int] | None:
    for i in range(start + 1, min(start + _HEAD_LINES, len(lines))):
        if match := _UNIT.search(lines[i].text):
            return match[1], i
        if _is_title(lines[i].text) and table_kind(lines[i].text):
            return None
    return None


def _read_table(kind: str, title: Line, unit: str, body: Sequence[Line]) -> tuple[BudgetTable, list[Unread]]:
    if any("\t" in line.text for line in body):
        rows: list[Cells] = [(line.number, line.cells) for line in body if line.text.strip()]
    else:
        rows = list(_joined(kind, body))
    found: list[BudgetRow] = []
    unread: list[Unread] = []
    for line, cells in rows:
        made = _rows_of(kind, cells, unit, line)
        if made is None:
            if not _is_head(cells):
                unread.append(Unread(line, "\t".join(cells), f"not a row of {squeeze(title.text)}"))
            continue
        found += made
    head = squeeze("".join(line.text for line in body))
    columns = _columns(kind, max((len(row.amounts) for row in found), default=0), head)
    fitted = tuple(_fit(row, len(columns)) for row in found)
    return BudgetTable(kind, squeeze(title.text), unit, columns, fitted, title.number), unread


def _columns(kind: str, width: int, head: str) -> tuple[str, ...]:
    """The narrowest prescribed columns that hold `width` of them (or the widest), in the order of the head."""
    choices = sorted(COLUMNS[kind], key=len)
    enough = [names for names in choices if len(names) >= width] or choices[-1:]
    same = [names for names in enough if len(names) == len(enough[0])]
    vehicles_last = 0 <= head.find("公务接待费") < head.find("公务用车购置及运行")
    return same[-1] if vehicles_last else same[0]


def _fit(row: BudgetRow, width: int) -> BudgetRow:
    amounts = (*row.amounts, *(None for _ in range(width)))[:width]
    return BudgetRow(row.codes, row.name, row.section, amounts, row.line)


def _is_head(cells: list[str]) -> bool:
    text = "".join(cells)
    return "年" in text or not any(number_of(cell) for cell in cells)


# ---------------------------------------------------------------- what cells mean, by kind


def _rows_of(kind: str, cells: list[str], unit: str, line: int) -> list[BudgetRow] | None:
    """The rows that a line of cells holds (two-sided and three-group tables hold several); None for none."""
    if kind in {"fiscal", "balance"}:
        return _two_sided(cells, unit, line)
    if kind in {"income", "official"}:
        return _figures_only(kind, cells, unit, line)
    if kind == "basic" and "-" not in cells[0] and squeeze("".join(cells[:2])) != "合计":
        return _grouped(cells, unit, line)
    if kind == "procurement":
        return _named(cells, 1, unit, line)
    if kind == "services":
        return _named(cells, 3, unit, line)
    return _coded(kind, cells, unit, line)


def _two_sided(cells: list[str], unit: str, line: int) -> list[BudgetRow] | None:
    padded = [*cells, "", "", "", ""][:4]
    if squeeze("".join(cells)) in {"收入支出", "项目预算数项目预算数"}:
        return None
    sides = (("income", padded[0], padded[1]), ("expenditure", padded[2], padded[3]))
    rows = [
        BudgetRow((), _name(name), side, (amount_of(cell, unit, line),), line)
        for side, name, cell in sides
        if squeeze(name)
    ]
    return rows or None


def _figures_only(kind: str, cells: list[str], unit: str, line: int) -> list[BudgetRow] | None:
    filled = [cell for cell in cells if cell]
    if len(filled) < 3 or not all(number_of(cell) for cell in filled):
        return None
    width = max((len(names) for names in COLUMNS[kind] if len(names) <= len(cells)), default=len(cells))
    amounts = tuple(amount_of(cell, unit, line) for cell in cells[:width])
    return [BudgetRow((), "合计", "", amounts, line)]


def _grouped(cells: list[str], unit: str, line: int) -> list[BudgetRow] | None:
    rows = []
    for i in range(0, len(cells) - 1, 3):
        code, name, figure = (*cells[i : i + 3], "", "")[:3]
        if squeeze(code).isdigit() and name:
            rows.append(
                BudgetRow((squeeze(plain(code)),), _name(name), "", (amount_of(figure, unit, line),), line)
            )
        elif "合计" in squeeze(name or code):
            rows.append(BudgetRow((), squeeze(name or code), "", (amount_of(figure, unit, line),), line))
    if rows or len(cells) < 2:
        return rows or None
    return None


def _named(cells: list[str], names: int, unit: str, line: int) -> list[BudgetRow] | None:
    amount = amount_of(cells[-1], unit, line)
    label = [squeeze(cell) for cell in cells[:-1] if cell]
    if amount is None or not label:
        return None
    codes = tuple(cell.partition("-")[0] for cell in label if "-" in cell)
    return [
        BudgetRow(
            codes, "合计" if label[0] == "合计" else label[min(names, len(label)) - 1], "", (amount,), line
        )
    ]


def _coded(kind: str, cells: list[str], unit: str, line: int) -> list[BudgetRow] | None:
    joined = squeeze("".join(cells[:2]))
    if joined == "合计":
        return [BudgetRow((), "合计", "", _last(kind, cells, unit, line), line)]
    split = [_split_code(cell) for cell in cells]
    codes = [pair for pair in split[:3] if pair]
    if not codes:
        return None
    if codes[0][1]:  # 2050803-培训支出
        tail = cells[len(codes) :]
        name = "|".join(pair[1] for pair in codes)
        codes_only = tuple(pair[0] for pair in codes)
    else:
        tail, name, codes_only = cells[2:], cells[1], (codes[0][0],)
    return [BudgetRow(codes_only, _name(name), "", tuple(amount_of(c, unit, line) for c in tail), line)]


def _last(kind: str, cells: list[str], unit: str, line: int) -> tuple[Amount | None, ...]:
    """Amounts of the total row: they start after the label, wherever the label cells end."""
    first = next((i for i, cell in enumerate(cells) if number_of(cell)), len(cells))
    tail = tuple(amount_of(cell, unit, line) for cell in cells[first:])
    return tail[: max(len(names) for names in COLUMNS[kind])]


def _split_code(cell: str) -> tuple[str, str] | None:
    match = _CODE.fullmatch(squeeze(plain(cell)))
    return (match[1], match[2] or "") if match else None


def _name(text: str) -> str:
    return squeeze(text.replace("维修（护）", "维修(护)"))


# ---------------------------------------------------------------- rows broken into lines


def _joined(kind: str, body: Sequence[Line]) -> Iterator[Cells]:
    """Rows of cells from broken lines: a row begins at a code or a known first word."""
    start, parts = 0, ""
    open_cell = False
    for line in body:
        text = line.text
        if not text.strip():
            continue
        figures = kind in {"income", "official"} and sum(number_of(p) is not None for p in text.split()) >= 5
        if (
            _BROKEN_START.match(text)
            or figures
            or (not open_cell and kind == "basic" and text.startswith("   "))
        ):
            if parts:
                yield start, _cells(kind, parts)
            start, parts = line.number, ""
        start = start or line.number
        parts += text if text.endswith(" ") or number_of(text.split()[-1]) else text + "\u0000"
        open_cell = parts.endswith("\u0000")
    if parts:
        yield start, _cells(kind, parts)


def _cells(kind: str, parts: str) -> list[str]:
    text = parts.replace("\u0000", "").rstrip("\n")
    if kind == "basic":
        return _basic_cells(text)
    if kind in {"balance", "fiscal"}:
        return _sided_cells(text)
    text = text.strip(" ") if kind in {"income", "official"} else text
    if kind in {"income", "official"}:
        return text.split()
    head = re.match(r"\s*(\d{3,7})\s+(.*?)\s(?=-?[\d,]+\.\d)|\s*(合\s*计)\s(?!\s*[一-鿿])", text)
    if not head:
        return [text.strip()]
    tail = text[head.end() :].rstrip()
    tail = re.sub(r"(?<=\d)  ?(?=\s*$)", "", tail)
    return [head[1] or "合计", squeeze(head[2] or ""), *tail.split(" ")]


def _sided_cells(text: str) -> list[str]:
    left_empty = text.startswith("   ")
    tight = re.sub(r"(?<=[收支出入总合])\s+(?=[入出总计])", "", text)
    if "预算数" in tight:
        return ["项目预算数项目预算数"]
    cells = re.sub(r"(?<=\d) +(?=[^\d\s])", " ", tight.strip()).split(" ")
    words = [cell for cell in cells if cell and not number_of(cell)]
    return ["", "", *cells] if left_empty and len(words) == 1 else cells


def _basic_cells(text: str) -> list[str]:
    """Triples of code, name, figure; an empty figure is an extra space, so codes are what to split at."""
    cells: list[str] = []
    if "合计" in squeeze(text):
        for name, figure in re.findall(r"([一-鿿]*经费合计)\s+([\d,]+\.\d+)", text):
            cells += ["", name, figure]
        return cells or [text.strip()]
    for code, name, figure in re.findall(r"(\d{3,5})\s+([^\d\s]\S*)(?:\s([\d,]+\.\d+))?", text):
        cells += [code, name, figure]
    return cells or [text.strip()]
