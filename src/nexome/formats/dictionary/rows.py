"""A dictionary's table as rows of texts, from any file that a cohort's table may come in."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nexome.formats.cohorts import CohortOptions, open_cohort
from nexome.formats.document import check_archive
from nexome.model.errors import FormatError, NotFoundError

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Rows:
    """Rows of a table, all text; `lines`: the line (row of a sheet) of each."""

    file: str
    names: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    lines: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Each row with its place, as errors say it."""
        for line, row in zip(self.lines, self.rows, strict=True):
            yield f"{self.file}, row {line}", row


def read_rows(path: Path, sheet: str = "") -> Rows:
    """The rows of a file (of a sheet). Raises FormatError for a file without any."""
    with open_cohort(path, CohortOptions(sheet=sheet, header="yes")) as reader:
        rows: list[Mapping[str, str]] = []
        lines: list[int] = []
        for raw in reader:
            texts = {v.name: raw.table[v.name].to_pylist() for v in reader.dictionary}
            rows += [
                {name: str(column[i] or "").strip() for name, column in texts.items()}
                for i in range(raw.table.num_rows)
            ]
            lines += raw.lines.tolist()
        return Rows(reader.name, reader.names, tuple(rows), tuple(lines))


def sheet_names(path: Path) -> tuple[str, ...]:
    """The sheets of a workbook; none for another file."""
    try:
        with path.open("rb") as stream:
            if stream.read(4) != _ZIP:
                return ()
    except FileNotFoundError:
        raise NotFoundError("there is no such file", where=str(path)) from None
    check_archive(path)
    import openpyxl  # noqa: PLC0415  only workbooks need it

    with path.open("rb") as stream:
        try:
            book = openpyxl.load_workbook(stream, read_only=True)
        except (KeyError, ValueError, zipfile.BadZipFile, SyntaxError, OSError):
            raise FormatError("not a whole workbook", where=str(path), expected="an XLSX file") from None
        return tuple(book.sheetnames)
