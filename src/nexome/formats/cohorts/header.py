"""The head of a delimited table: comment lines, names of columns, units beside them or in the row below.

Names are made unique and never empty; whatever was renamed, taken for a unit or found missing is told.
cBioPortal's four comment lines (labels, descriptions, types, priorities) are read as what they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nexome.formats.cohorts.header_codes import codes_of_header
from nexome.formats.cohorts.reader import Note, SourceColumn
from nexome.formats.cohorts.units import looks_like_unit, unit_of_header
from nexome.model.errors import FormatError, InputError

DELIMITERS: Final = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "spaces": " "}
HEADERS: Final = ("", "yes", "no", "units")
_TOLD: Final = 5
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the rows. `lines`: how many lines it takes; `line`: that of the names (0: none).

    `delimiter`: a key of DELIMITERS. `comments`: cells of each comment line with as many cells as names.
    """

    columns: tuple[SourceColumn, ...]
    delimiter: str
    quoted: bool
    line: int
    lines: int
    comments: tuple[tuple[str, ...], ...]
    notes: tuple[Note, ...]


def read_head(lines: Sequence[str], *, file: str, delimiter: str = "", header: str = "") -> Head:
    """The head of a table from its first lines (as many as a reader has at hand, 20 or more).

    Raises FormatError where there is nothing to read, InputError for an unknown option.
    """
    _check(delimiter, header)
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if start is None:
        raise FormatError("no line with names of columns", where=file, expected="a header line and rows")
    found = delimiter or find_delimiter(lines[start:])
    quoted = found in {"comma", "semicolon", "pipe"} or lines[start].lstrip().startswith('"')
    text, used = _whole_row(lines, start, quoted=quoted)
    names = split_row(text, found, quoted=quoted)
    below = _rows_of(lines[start + used :], found, quoted=quoted)
    rows = head_of_rows(names, below, file=file, line=start + 1, header=header)
    comments = _comment_cells(lines[:start], found, len(rows.columns))
    taken = start + (used if rows.line else 0) + rows.units_rows
    return Head(rows.columns, found, quoted, rows.line, taken, comments, rows.notes)


@dataclass(frozen=True, slots=True)
class RowsHead:
    """Names taken from rows of cells.

    `line`: that of the names (0: none). `units_rows`: 1 where units stand below them.
    """

    columns: tuple[SourceColumn, ...]
    line: int
    units_rows: int
    notes: tuple[Note, ...]


def head_of_rows(
    names: Sequence[str], below: Sequence[Sequence[str]], *, file: str, line: int, header: str = ""
) -> RowsHead:
    """Names and units from a row of names (on `line`) and the rows below it."""
    notes: list[Note] = []
    cells = list(names)
    if header == "no" or (not header and _holds_values(cells)):
        notes.append(_no_header(file, line, said=header == "no"))
        columns = name_columns([""] * len(cells), None, file=file, notes=notes)
        return RowsHead(columns, 0, 0, tuple(notes))
    cells = _as_wide_as_rows(cells, below, file, notes)
    units = _units_below(cells, below) if header != "yes" else None
    if units is None and header == "units" and below:
        units = (*below[0], *[""] * len(cells))[: len(cells)]
    if units is not None:
        notes.append(_units_row(file, line + 1))
    columns = name_columns(cells, units, file=file, notes=notes)
    return RowsHead(columns, line, int(units is not None), tuple(notes))


def split_row(line: str, delimiter: str, *, quoted: bool) -> list[str]:
    """The cells of one line.

    >>> split_row('a,"b,c",', "comma", quoted=True)
    ['a', 'b,c', '']
    """
    if delimiter == "spaces":
        return line.split()
    if not quoted or '"' not in line:
        return line.split(DELIMITERS[delimiter])
    return next(csv.reader([line], delimiter=DELIMITERS[delimiter]), [])


def find_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that gives the header and the rows below it most cells, as many in each."""
    best, most = "comma", 1
    for name in ("tab", "comma", "semicolon", "pipe"):
        quoted = name != "tab" or lines[0].lstrip().startswith('"')
        counts = [len(row) for row in _rows_of(lines, name, quoted=quoted)[:12]]
        agree = sum(abs(count - counts[0]) <= 1 for count in counts)
        if counts and counts[0] > most and agree * 2 > len(counts):
            best, most = name, counts[0]
    if most == 1:
        widths = [len(line.split()) for line in lines[:12] if line.strip()]
        if len(widths) > 1 and widths[0] > 1 and set(widths[1:]) <= {widths[0], widths[0] + 1}:
            return "spaces"
    return best


def _rows_of(lines: Sequence[str], delimiter: str, *, quoted: bool) -> list[list[str]]:
    """Rows of cells, quoted line breaks kept together; the last may be cut short by the end of the lines."""
    if not quoted:
        return [split_row(line, delimiter, quoted=False) for line in lines if line.strip()]
    text = io.StringIO("\n".join(lines), newline="")
    try:
        return [row for row in csv.reader(text, delimiter=DELIMITERS[delimiter]) if row]
    except csv.Error:  # a cell of more than 128 KiB: another delimiter
        return []


def name_columns(
    cells: Sequence[str], units: Sequence[str] | None, *, file: str, notes: list[Note]
) -> tuple[SourceColumn, ...]:
    """Names for header cells: trimmed, unique, never empty; what was renamed goes to `notes`."""
    headers = [" ".join(cell.split()) for cell in cells]
    _tell_names(headers, file, notes)
    taken: Counter[str] = Counter()
    present = set(headers)
    columns = []
    for i, header in enumerate(headers, 1):
        name = base = header or f"column_{i}"
        taken[base] += 1
        count = taken[base]
        while (count > 1 or not header) and name in present:
            count = max(count, 2)
            name = f"{base}_{count}"
            count += 1
        present.add(name)
        bare, unit = unit_of_header(header)
        bare, codes = (bare, ()) if unit else codes_of_header(header)
        below = units[i - 1].strip() if units else ""
        columns.append(SourceColumn(name, header, below or unit, bare, codes))
    return tuple(columns)


def _check(delimiter: str, header: str) -> None:
    if delimiter and delimiter not in DELIMITERS:
        raise InputError(f"delimiter {delimiter[:40]!r}", expected="one of " + ", ".join(DELIMITERS))
    if header not in HEADERS:
        raise InputError(f"header {header[:40]!r}", expected="one of " + ", ".join(filter(None, HEADERS)))


def _whole_row(lines: Sequence[str], start: int, *, quoted: bool) -> tuple[str, int]:
    """A header may hold line breaks within quotes: the row, and how many lines it takes."""
    text, used = lines[start], 1
    while quoted and text.count('"') % 2 and start + used < len(lines):
        text += " " + lines[start + used]
        used += 1
    return text, used


def _holds_values(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in filled)
    return bool(filled) and numbers * 2 >= len(filled)


def _as_wide_as_rows(
    cells: list[str], below: Sequence[Sequence[str]], file: str, notes: list[Note]
) -> list[str]:
    """The header with as many cells as the rows: R leaves out the name above its row names."""
    rows = below[:10]
    if not rows or any(len(row) != len(cells) + 1 for row in rows):
        return cells
    if all(not row[-1].strip() for row in rows):
        return [*cells, ""]
    notes.append(
        Note(
            "The header has one name fewer than the rows have cells: the first column is R's row names.",
            "表头比数据行少一列：第一列没有列名（R 的行名）。",
            file,
        )
    )
    return ["row", *cells] if "row" not in cells else ["", *cells]


def _units_below(cells: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Units of the row below the names: no number in it, at least two units (or all that is filled)."""
    if len(below) < 2 or len(below[0]) != len(cells):
        return None
    row = [cell.strip().strip("()（）[]") for cell in below[0]]
    filled = [cell for cell in row if cell]
    if not filled or any(_NUMBER.fullmatch(cell) for cell in filled):
        return None
    units = [looks_like_unit(cell) for cell in filled]
    values_follow = any(_NUMBER.fullmatch(cell.strip()) for cell in below[1])
    if sum(units) * 2 < len(filled) or not values_follow:
        return None
    return tuple(cell if looks_like_unit(cell) else "" for cell in row)


def _comment_cells(lines: Sequence[str], delimiter: str, width: int) -> tuple[tuple[str, ...], ...]:
    found = [
        tuple(cell.strip() for cell in split_row(line.lstrip("#"), delimiter, quoted=False))
        for line in lines
        if line.startswith("#")
    ]
    return tuple(cells for cells in found if len(cells) == width)


def _tell_names(headers: Sequence[str], file: str, notes: list[Note]) -> None:
    twice = [name for name, count in Counter(headers).items() if count > 1 and name]
    if twice:
        shown = ", ".join(twice[:_TOLD]) + (" …" if len(twice) > _TOLD else "")
        notes.append(
            Note(
                f"Column names given twice ({shown}): the second is read as NAME_2, and so on.",
                f"列名重复（{shown}）：第二个读作“列名_2”，依此类推。",
                file,
            )
        )
    empty = [i for i, name in enumerate(headers, 1) if not name]
    if empty and len(empty) < len(headers):
        shown = ", ".join(map(str, empty[:_TOLD])) + (" …" if len(empty) > _TOLD else "")
        notes.append(
            Note(
                f"Columns without a name ({shown}): read as column_NUMBER.",
                f"有的列没有列名（第 {shown} 列）：读作“column_序号”。",
                file,
            )
        )


def _no_header(file: str, line: int, *, said: bool) -> Note:
    if said:
        return Note(
            "No header, as said: columns are column_1, column_2 …",
            "按所说没有表头：各列读作 column_1、column_2……",
            file,
        )
    return Note(
        f"No header: line {line} holds values where names are expected. Columns are column_1, column_2 …; "
        "give a file with names, or a dictionary.",
        f"没有表头：第 {line} 行是数值而不是列名。各列暂读作 column_1、column_2……；"
        "请给带列名的文件或数据字典。",
        file,
    )


def _units_row(file: str, line: int) -> Note:
    return Note(
        f"Line {line} holds units, not values: read as the units of the columns.",
        f"第 {line} 行是单位而不是数值：已读作各列的单位。",
        file,
    )
