"""XLSX: each row of each sheet as tabbed cells, values as shown, sheet names as lines. Macros are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexome.formats.document import Line, check_archive, numbered
from nexome.model.errors import FormatError


def read(path: Path) -> tuple[tuple[Line, ...], object]:
    """Lines of all sheets in order; `values` are the rows of a sheet named 'records' (an export of ours)."""
    check_archive(path)
    import openpyxl  # noqa: PLC0415  only XLSX files need it
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError):
        raise FormatError("not an XLSX file", where=str(path), expected="a workbook") from None
    if book.sheetnames == ["records"]:
        rows = list(book["records"].iter_rows(values_only=True))
        head = [str(name) for name in rows[0]]
        return (), [dict(zip(head, map(_exact, row), strict=True)) for row in rows[1:]]
    return numbered((text, page) for page, sheet in enumerate(book, 1) for text in _lines(sheet)), None


def _lines(sheet: Any) -> Iterator[str]:
    yield str(sheet.title)
    for row in sheet.iter_rows(values_only=True):
        yield "\t".join(_shown(value) for value in row).rstrip("\t")  # a sheet pads rows to its width
    yield ""


def _shown(value: object) -> str:
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return "" if value is None else " ".join(str(value).split("\n")).replace("\t", " ")


def _exact(value: object) -> str:
    return "" if value is None else str(value)
