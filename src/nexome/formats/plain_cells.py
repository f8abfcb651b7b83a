"""CSV, Parquet, JSON and YAML for those who start clean: rows of named text columns, or one mapping.

The columns are those that `nexome targets export` writes.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from nexome.formats.document import Line
from nexome.formats.layout_text import read as read_text
from nexome.model.errors import FormatError


def read(path: Path) -> tuple[tuple[Line, ...], object]:
    """The lines (none for Parquet) and the values; FormatError names the line that cannot be read."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        return (), _parquet_rows(path)
    lines, _ = read_text(path)
    text = "\n".join(line.text for line in lines)
    try:
        if kind == ".csv":
            return lines, _csv_rows(text)
        return lines, json.loads(text) if kind == ".json" else yaml.safe_load(text)
    except (csv.Error, json.JSONDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = getattr(error, "lineno", None) or (mark.line + 1 if mark else 1)
        raise FormatError(
            "cannot be read", where=f"{path}, line {line}", expected=f"whole {kind[1:].upper()}"
        ) from None


def _csv_rows(text: str) -> list[dict[str, str]]:
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    head = next(reader, [])
    for row in reader:
        if len(row) != len(head):
            raise csv.Error(f"{len(row)} cells")
        rows.append(dict(zip(head, row, strict=True)))
    return rows


def _parquet_rows(path: Path) -> list[dict[str, str]]:
    try:
        rows: list[dict[str, str]] = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError):
        raise FormatError("cannot be read", where=str(path), expected="a whole Parquet file") from None
    return rows
