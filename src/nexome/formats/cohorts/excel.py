"""A sheet of an Excel workbook (XLSX) as a cohort's table: values as they are stored, dates as dates.

One sheet is read: the one a person names, else the first that holds a table; the others are told. A title
above the table is passed over; merged header cells stand for each column under them ("Blood pressure" over
"systolic" and "diastolic"). Error cells (#DIV/0!) are null and told. Refused: macros, old .xls, workbooks
with a password, formulas whose values were never stored, archives that unpack to far more than a table.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa

from nexome.formats.cohorts.cells import Unread, cell_text, column_of
from nexome.formats.cohorts.header import head_of_rows
from nexome.formats.cohorts.reader import CohortOptions, CohortReader, Note, RawTable, SourceColumn
from nexome.formats.cohorts.typed import typed_table
from nexome.formats.document import check_archive
from nexome.formats.stream import sha256_of
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import FormatError, InputError

MAX_UNPACKED_BYTES: Final = 2 << 30  # a full sheet of 2²⁰ rows and 60 columns
_ROWS: Final = 5_000
_HEAD_ROWS: Final = 40
_ERRORS: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
_MERGE: Final = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_NO_VALUE: Final = re.compile(
    rb'<c r="([A-Z]+\d+)"[^>]*><f(?:/>|[^>]*/>|[^>]*>[^<]*</f>)(?:<v/>|<v></v>)?</c>'
)
_BROKEN: Final = (KeyError, ValueError, zipfile.BadZipFile, zlib.error, SyntaxError, EOFError, OSError)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Merge:
    """Merged cells, 1-based and inclusive."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True)
class _Sheet:
    """One sheet and where its table begins. `first_row`: the first row of values, 1-based."""

    path: Path
    sheet: Any
    columns: tuple[SourceColumn, ...]
    first_row: int
    date_order: str

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Rows that hold something, with their numbers, as wide as the header."""
        width = len(self.columns)
        for number, row in _rows(self.sheet, str(self.path)):
            if number >= self.first_row and any(cell is not None for cell in row):
                yield number, (*row, *[None] * width)[:width]


def open_excel(path: Path, options: CohortOptions) -> CohortReader:
    """Open a sheet of a workbook.

    Raises FormatError for what cannot be trusted, InputError where there is no such sheet.
    """
    check_archive(path, MAX_UNPACKED_BYTES)
    import openpyxl  # noqa: PLC0415  only workbooks need it

    stream = path.open("rb")  # by a handle: openpyxl refuses names it does not like
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        return _reader(path, book, stream, options)
    except _BROKEN as error:
        stream.close()
        if isinstance(error, InputError):
            raise
        raise FormatError(
            "not a whole workbook", where=str(path), expected="an XLSX file", todo="Save it again as XLSX."
        ) from None


def _reader(path: Path, book: Any, stream: IO[bytes], options: CohortOptions) -> CohortReader:
    notes: list[Note] = []
    sheet = _chosen(book, options.sheet, path, notes)
    where = f"{path}, sheet {sheet.title}"
    merges = _merges(path, sheet, where)
    columns, first_row = _head(sheet, merges, where=where, options=options, notes=notes)
    table = _Sheet(path, sheet, columns, first_row, options.date_order)
    return CohortReader(
        name=where,
        format="xlsx",
        columns=columns,
        dictionary=Dictionary(tuple(Variable(c.name, "text") for c in columns), confirmed=False),
        notes=notes,
        tables=lambda dictionary: _tables(table, dictionary),
        sampled=lambda rows: _sample(table, rows),
        sha256=lambda: sha256_of(path),
        progress=lambda: (0, path.stat().st_size),
        close=lambda: _close(book, stream),
    )


def _close(book: Any, stream: IO[bytes]) -> None:
    book.close()
    stream.close()


def _chosen(book: Any, name: str, path: Path, notes: list[Note]) -> Any:
    sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
    for sheet in sheets:
        sheet.reset_dimensions()  # programs write wrong ones, and rows would be cut to them
    if name:
        if name not in [sheet.title for sheet in sheets]:
            shown = ", ".join(sheet.title for sheet in sheets[:8])
            raise InputError(f"no sheet {name[:80]!r}", where=str(path), expected=f"one of {shown}")
        return next(sheet for sheet in sheets if sheet.title == name)
    filled = [sheet for sheet in sheets if any(_rows(sheet, str(path)))]
    if not filled:
        raise FormatError(
            "no sheet holds anything", where=str(path), expected="a sheet with a header and rows"
        )
    if others := [sheet.title for sheet in filled[1:]]:
        shown = ", ".join(others[:8])
        notes.append(
            Note(
                f"Sheet {filled[0].title} is read; the workbook has others: {shown}.",
                f"读取的是工作表 {filled[0].title}；工作簿中还有：{shown}。",
                str(path),
            )
        )
    return filled[0]


def _rows(sheet: Any, where: str) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers; an empty text is nothing."""
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = tuple(None if isinstance(c, str) and not c.strip() else c for c in row)
            if any(c is not None for c in cells):
                yield number, cells
    except _BROKEN:
        raise FormatError(
            "the sheet breaks off or is damaged",
            where=where,
            expected="a whole workbook",
            todo="Fetch the file again, or save it again as XLSX.",
        ) from None


def _merges(path: Path, sheet: Any, where: str) -> list[_Merge]:
    """Merged cells of a sheet, which a reader of rows does not give; refuses formulas without values."""
    held = b""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as member:  # noqa: SLF001
        while chunk := member.read(4 << 20):
            held += chunk
            if found := _NO_VALUE.search(held):
                raise FormatError(
                    "a formula whose value was never stored",
                    where=f"{where}, cell {found[1].decode()}",
                    expected="values",
                    todo="Open the workbook in Excel or LibreOffice, save it, and give it again.",
                )
            if b"<mergeCells" not in held:
                held = held[-4096:]
    return [
        _Merge(int(top), int(bottom), _column(left), _column(right))
        for left, top, right, bottom in _MERGE.findall(held)
    ]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _head(
    sheet: Any, merges: Sequence[_Merge], *, where: str, options: CohortOptions, notes: list[Note]
) -> tuple[tuple[SourceColumn, ...], int]:
    """The columns, and the number of the first row of values."""
    rows = list(islice(_rows(sheet, where), _HEAD_ROWS))
    if not rows:
        raise FormatError("the sheet is empty", where=where, expected="a header and rows")
    rows = _without_title(rows, where, notes)
    top = rows[0][0]
    width = max(len(row) for _, row in rows)
    depth = _depth(merges, top, rows)
    above = {number: row for number, row in rows if number < top + depth}
    names = [_name(above, merges, top, depth, column) for column in range(1, width + 1)]
    while names and not names[-1] and all(len(row) < len(names) or row[-1] is None for _, row in rows):
        names.pop()
    if depth > 1:
        notes.append(
            Note(
                f"The header takes {depth} rows with merged cells: texts are joined, one name a column.",
                f"表头占 {depth} 行并有合并单元格：已将各行文字合并为一个列名。",
                where,
            )
        )
    below = [[cell_text(cell) for cell in row] for number, row in rows if number >= top + depth]
    padded = [(row + [""] * len(names))[: len(names)] for row in below]
    head = head_of_rows(names, padded, file=where, line=top + depth - 1, header=options.header)
    notes += head.notes
    _tell_merged_values(merges, top + depth, where, notes)
    return head.columns, (top if not head.line else top + depth + head.units_rows)


def _without_title(rows: list[tuple[int, Row]], where: str, notes: list[Note]) -> list[tuple[int, Row]]:
    """A row with one text alone above wider rows is a title."""
    first, rest = rows[0], rows[1:]
    filled = [cell for cell in first[1] if cell is not None]
    wider = rest and sum(cell is not None for cell in rest[0][1]) > 1
    if len(filled) == 1 and wider and isinstance(filled[0], str):
        notes.append(
            Note(
                f"Row {first[0]} holds a title, not names of columns: passed over.",
                f"第 {first[0]} 行是标题而不是列名：已跳过。",
                where,
            )
        )
        return _without_title(rest, where, notes)
    return rows


def _depth(merges: Sequence[_Merge], top: int, rows: Sequence[tuple[int, Row]]) -> int:
    """How many rows the names take: as deep as the merged cells that begin in the first."""
    of_head = [m for m in merges if m.first_row == top]
    depth = max((m.last_row - top + 1 for m in of_head), default=1)
    across = any(m.last_column > m.first_column for m in of_head)
    below = next((row for number, row in rows if number == top + 1), ())
    if depth == 1 and across and all(c is None or isinstance(c, str) for c in below):
        return 2
    return depth


def _name(above: dict[int, Row], merges: Sequence[_Merge], top: int, depth: int, column: int) -> str:
    parts: list[str] = []
    for row in range(top, top + depth):
        place = next(
            (
                (m.first_row, m.first_column)
                for m in merges
                if m.first_row <= row <= m.last_row and m.first_column <= column <= m.last_column
            ),
            (row, column),
        )
        cells = above.get(place[0], ())
        text = cell_text(cells[place[1] - 1]) if place[1] <= len(cells) else ""
        if text and text not in parts:
            parts.append(text)
    return " ".join(parts)


def _tell_merged_values(merges: Sequence[_Merge], first_row: int, where: str, notes: list[Note]) -> None:
    if rows := [m.first_row for m in merges if m.first_row >= first_row]:
        notes.append(
            Note(
                f"{len(rows)} merged cells among the values (the first in row {min(rows)}): "
                "the value stands in the first cell of each, the others are empty.",
                f"数据区有 {len(rows)} 处合并单元格（最先出现在第 {min(rows)} 行）："
                "取值只在第一个单元格，其余为空。",
                where,
            )
        )


def _tables(table: _Sheet, dictionary: Dictionary) -> Iterator[RawTable]:
    place = {column.name: i for i, column in enumerate(table.columns)}
    rows, any_row = table.rows(), False
    while batch := list(islice(rows, _ROWS)):
        any_row = True
        lines = np.array([number for number, _ in batch], np.uint64)
        columns, unread = {}, {}
        for variable in dictionary:
            cells = [row[place[variable.name]] for _, row in batch]
            errors = [i for i, cell in enumerate(cells) if isinstance(cell, str) and cell in _ERRORS]
            if errors:
                cells = [None if isinstance(c, str) and c in _ERRORS else c for c in cells]
                unread[variable.name] = (Unread("an error cell", "a value", np.array(errors)),)
            columns[variable.name] = column_of(cells)
        yield typed_table(columns, dictionary, lines, date_order=table.date_order, unread=unread)
    if not any_row:
        raise FormatError("a header and no rows", where=f"{table.path}", expected="at least one row")


def _sample(table: _Sheet, rows: int) -> pa.Table:
    batch = [row for _, row in islice(table.rows(), rows)]
    columns = [column_of([row[i] for row in batch]) for i in range(len(table.columns))]
    return pa.Table.from_arrays(columns, names=[c.name for c in table.columns])
