"""Writing a paper as JSON, CSV, XLSX or Parquet; `read_paper` reads each of them back to the same paper."""

from __future__ import annotations

import csv
import io
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from nexome.model.errors import InputError
from nexome.report.paper import Paper
from nexome.report.records import COLUMNS, paper_records, paper_values

FORMATS: Final = ("json", "csv", "xlsx", "parquet")
_CELL_LIMIT: Final = 32_767  # characters an XLSX cell can hold


def export_bytes(paper: Paper, format_: str) -> bytes:
    """The paper as bytes of a format; InputError for a text too long for XLSX."""
    if format_ == "json":
        return orjson.dumps(paper_values(paper), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    rows = paper_records(paper)
    if format_ == "csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()
    if format_ == "parquet":
        sink = io.BytesIO()
        schema = pa.schema([(name, pa.string()) for name in COLUMNS])
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
        return sink.getvalue()
    return _xlsx(rows)


def _xlsx(rows: list[dict[str, str]]) -> bytes:
    import openpyxl  # noqa: PLC0415  half a second, and only XLSX needs it

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("records")
    sheet.append(list(COLUMNS))
    for number, row in enumerate(rows, 2):
        if any(len(value) > _CELL_LIMIT for value in row.values()):
            raise InputError(
                "a text too long for a cell", where=f"row {number}", expected="JSON, CSV or Parquet"
            )
        cells = [openpyxl.cell.WriteOnlyCell(sheet, row[name]) for name in COLUMNS]
        for cell in cells:
            cell.data_type = "s"  # '=100%' is a target, not a formula
        sheet.append(cells)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()
