"""What every reader of a cohort's table gives: its columns, what the file says of them, typed rows.

Values come in the Arrow type of their variable (ARROW_TYPES). A cell that cannot be read, and every
missing code, is null in the table; which code stood there is in `RawTable.codes`, what could not be read
in `RawTable.problems`. No problem and no note holds a value of a person: they name the kind of what stood
there ("text", "a bound (<)"), the column and the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.model.cohorts import Dictionary

# A date may carry a time of day; both are one type so that a column needs no second look.
ARROW_TYPES: Final[Mapping[str, pa.DataType]] = {
    "integer": pa.int64(),
    "decimal": pa.float64(),
    "category": pa.dictionary(pa.int32(), pa.string()),
    "boolean": pa.bool_(),
    "date": pa.timestamp("s"),
    "text": pa.string(),
}
SAMPLE_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class CohortOptions:
    """What a person may say about a file; everything left empty is taken from the file itself.

    `format`: a name of FORMATS. `encoding`: one of encoding.ENCODINGS. `delimiter`: one of
    header.DELIMITERS. `sheet`: name of an Excel sheet. `header`: 'no' for a file without names of columns
    (they are then column_1, column_2 …), 'units' where units stand in the second row, 'yes' where line 1
    is nothing but names. `date_order`: 'dmy' or 'mdy' for dates such as 03/04/2020, which are not read
    without it. `visit`: the visit that every row of this file belongs to.
    """

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header: str = ""
    date_order: str = ""
    visit: str = ""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column as the file has it: the name it is read by, its header, and the unit found in the header.

    `name` is the header trimmed, made unique and never empty. `unit` is the source's own wording ('' if
    none), not yet a UCUM code. `codes`: (code, label) that the header names. `bare`: the header without both.
    """

    name: str
    header: str
    unit: str = ""
    bare: str = ""
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know about how a file was read, in both languages."""

    text: str
    text_zh: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Cells of one column that cannot be read, for one reason: null in the table.

    `found`: the kind of what stood there, never the value. `lines`: uint64, 1-based (rows of a sheet,
    records of a binary file).
    """

    column: str
    found: str
    expected: str
    lines: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of one stretch of a file. `lines`: the line of each row, uint64 [rows], 1-based.

    `codes`: for each variable with missing codes that occur here, a string array [rows]: the code that
    stood in the cell, null where a value stands (or nothing).
    """

    table: pa.Table
    lines: npt.NDArray[np.uint64]
    problems: tuple[Problem, ...] = ()
    codes: Mapping[str, pa.Array] = field(default_factory=dict)

    @property
    def first_line(self) -> int:
        """Line of the first row."""
        return int(self.lines[0])


@dataclass(frozen=True)
class CohortReader:
    """An opened file of a cohort. Read it once, with a dictionary; `sha256()` is whole after the last batch.

    `dictionary` is what the file itself says (types, labels, categories, missing codes; confirmed=False);
    text files say little: every column is text there. `types_known`: whether the file has types of its
    own. `notes` grows while the file is read. `progress()`: (bytes of the source read, all or None).
    """

    name: str
    format: str
    columns: tuple[SourceColumn, ...]
    dictionary: Dictionary
    notes: list[Note]
    tables: Callable[[Dictionary], Iterator[RawTable]]
    sampled: Callable[[int], pa.Table]
    sha256: Callable[[], str]
    progress: Callable[[], tuple[int, int | None]]
    close: Callable[[], None]
    types_known: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    def read(self, dictionary: Dictionary | None = None) -> Iterator[RawTable]:
        """The rows, typed by a dictionary (that of the file itself if none is given), in its column order.

        Variables that the file lacks are left out; columns that the dictionary lacks are not read: compare
        `names` with it first. Raises FormatError, naming the line, where the file breaks off or a row has
        another shape.
        """
        wanted = self.dictionary if dictionary is None else dictionary
        here = set(self.names)
        yield from self.tables(Dictionary(tuple(v for v in wanted if v.name in here), wanted.confirmed))

    def __iter__(self) -> Iterator[RawTable]:
        return self.read()

    def sample(self, rows: int = SAMPLE_ROWS) -> pa.Table:
        """The first rows (about `rows`) as the file has them, text as text; they stay in the file."""
        return self.sampled(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
