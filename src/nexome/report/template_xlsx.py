"""Filling an XLSX template: single words in their cells, rows with a group repeated with their style, merges moved along.

A workbook keeps its sheets, widths, styles and print settings; formulas in a template stay text for the office program.
"""

from __future__ import annotations

import io
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nexome.formats.document import check_archive
from nexome.model.errors import FormatError
from nexome.report.self_assessment import Filling, check_placeholders, group_of, placeholders

_LINE_POINTS = 14.5  # height of a line of 10.5-point text
_PER_CHARACTER = 2.1  # widths of a column that a Chinese character takes


@dataclass
class _Cell:
    column: int
    value: Any
    style: Any


def load_template(path: Path) -> Any:
    """A workbook that is a template. Raises FormatError for what is no XLSX, has macros, or no (known) placeholder."""
    check_archive(path)
    import openpyxl  # noqa: PLC0415  half a second, and only XLSX needs it
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = openpyxl.load_workbook(path)
    except (InvalidFileException, KeyError, ValueError, SyntaxError):  # the last: broken XML
        raise FormatError("not an XLSX file", where=str(path), expected="a workbook") from None
    check_workbook(book, str(path))
    return book


def check_workbook(book: Any, where: str) -> None:
    """Raise FormatError unless a workbook has placeholders, all of them known."""
    cells = [(f"{sheet.title}!{cell.coordinate}", str(cell.value)) for sheet in book for row in sheet.iter_rows()
             for cell in row if cell.value is not None]  # fmt: skip
    check_placeholders(cells, where)


def fill_workbook(book: Any, filling: Filling) -> bytes:
    """The workbook, filled, as the bytes of an XLSX."""
    for sheet in book:
        _fill_sheet(sheet, filling)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _fill_sheet(sheet: Any, filling: Filling) -> None:
    merges = [(m.min_row, m.min_col, m.max_row, m.max_col) for m in list(sheet.merged_cells.ranges)]
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    rows = [(row[0].row, [_taken(cell) for cell in row]) for row in sheet.iter_rows()]
    heights = {number: dim.height for number, dim in sheet.row_dimensions.items() if dim.height}
    sheet.delete_rows(1, sheet.max_row)
    for number in list(sheet.row_dimensions):
        sheet.row_dimensions[number].height = None
    at, starts, counts = 1, dict[int, int](), dict[int, int]()
    for number, cells in rows:
        group = next((g for c in cells if isinstance(c.value, str) and (g := group_of(c.value))), "")
        given: list[dict[str, str] | None] = [*filling.rows[group]] if group else [None]
        starts[number], counts[number] = at, len(given)
        for row in given:
            _write_row(sheet, at, cells, filling, row)
            _set_height(sheet, at, heights.get(number), [m for m in merges if m[0] == number], cells)
            at += 1
        if group:
            _merge_equal(sheet, cells, starts[number], len(given))
    _merge_again(sheet, merges, starts, counts)


def _taken(cell: Any) -> _Cell:
    return _Cell(cell.column, cell.value, copy(cell._style))  # noqa: SLF001  openpyxl has no public name for it


def _write_row(sheet: Any, at: int, cells: list[_Cell], filling: Filling, row: dict[str, str] | None) -> None:
    for given in cells:
        cell = sheet.cell(at, given.column)
        cell._style = copy(given.style)  # noqa: SLF001
        if isinstance(given.value, str):
            cell.value = filling.fill(given.value, row)
            cell.data_type = "s"  # '=100%' is a target, not a formula
        else:
            cell.value = given.value


def _set_height(
    sheet: Any, at: int, height: float | None, merges: list[tuple[int, int, int, int]], cells: list[_Cell]
) -> None:
    """A row as high as its longest text needs at the widths of its columns, and at least as the template's."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    spans = {m[1]: m[3] for m in merges}
    lines = 1
    for given in cells:
        text = sheet.cell(at, given.column).value
        if not isinstance(text, str) or not text:
            continue
        columns = range(given.column, spans.get(given.column, given.column) + 1)
        width = sum(sheet.column_dimensions[get_column_letter(c)].width or 8.4 for c in columns)
        per_line = max(width / _PER_CHARACTER, 1)
        used = sum(max(-(-int(_width(part) * 10) // int(per_line * 10)), 1) for part in text.split("\n"))
        lines = max(lines, used)
    sheet.row_dimensions[at].height = min(max(height or 0, lines * _LINE_POINTS + 6), 400)


def _width(text: str) -> float:
    """A text's width in Chinese characters."""
    return sum(1.0 if ord(c) > 0x2E7F else 0.55 for c in text)


def _merge_equal(sheet: Any, cells: list[_Cell], start: int, count: int) -> None:
    """Join equal cells below one another where the template asks for it, within what was joined to their left."""
    borders = {start, start + count}
    for given in cells:
        if not (isinstance(given.value, str) and any(merge for _, merge in placeholders(given.value))):
            continue
        first = start
        for at in range(start + 1, start + count + 1):
            same = at < start + count and at not in borders
            if same and sheet.cell(at, given.column).value == sheet.cell(first, given.column).value:
                continue
            if at - first > 1:
                sheet.merge_cells(None, first, given.column, at - 1, given.column)
            borders.add(at)
            first = at


def _merge_again(
    sheet: Any, merges: list[tuple[int, int, int, int]], starts: dict[int, int], counts: dict[int, int]
) -> None:
    """The template's merged cells at their new places; one inside a repeated row for each of its copies."""
    for top, left, bottom, right in merges:
        if top == bottom:
            for copy_ in range(counts[top]):
                sheet.merge_cells(None, starts[top] + copy_, left, starts[top] + copy_, right)
        else:
            sheet.merge_cells(None, starts[top], left, starts[bottom] + counts[bottom] - 1, right)
