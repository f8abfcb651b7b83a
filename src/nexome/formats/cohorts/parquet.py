"""A Parquet file as a cohort's table: types of its own, read row group by row group.

Columns of lists and records are not read, and told. The index that pandas writes without a name is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nexome.formats.cohorts.header import name_columns
from nexome.formats.cohorts.reader import CohortOptions, CohortReader, Note, RawTable
from nexome.formats.cohorts.typed import typed_table
from nexome.formats.stream import sha256_of
from nexome.model.cohorts import Dictionary, Variable, VariableType
from nexome.model.errors import FormatError

_CELLS: Final = 8_000_000  # of one batch


def open_parquet(path: Path, options: CohortOptions) -> CohortReader:
    """Open a Parquet file. Raises FormatError where it is damaged or holds nothing."""
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
    except (pa.ArrowInvalid, OSError):
        raise _damaged(path) from None
    notes: list[Note] = []
    flat = [field for field in schema if not pa.types.is_nested(field.type)]
    if nested := [field.name for field in schema if pa.types.is_nested(field.type)]:
        shown = ", ".join(nested[:5])
        text = f"Columns of lists or records are not read: {shown}."
        notes.append(Note(text, f"列表或嵌套类型的列未读取：{shown}。", str(path)))
    if not flat:
        raise FormatError("no column of plain values", where=str(path), expected="a table")
    columns = name_columns([field.name for field in flat], None, file=str(path), notes=notes)
    variables = tuple(Variable(c.name, type_of(f.type)) for c, f in zip(columns, flat, strict=True))
    source = {c.name: f.name for c, f in zip(columns, flat, strict=True)}
    return CohortReader(
        name=str(path),
        format="parquet",
        columns=columns,
        dictionary=Dictionary(variables, confirmed=False),
        notes=notes,
        tables=lambda dictionary: _tables(file, path, dictionary, source, options.date_order),
        sampled=lambda rows: _sample(file, path, source, rows),
        sha256=lambda: sha256_of(path),
        progress=lambda: (0, path.stat().st_size),
        close=file.close,
        types_known=True,
    )


def type_of(kind: pa.DataType) -> VariableType:
    """The type of variable that an Arrow type is for."""
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "decimal"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "date"
    return "category" if pa.types.is_dictionary(kind) else "text"


def _tables(
    file: pq.ParquetFile, path: Path, dictionary: Dictionary, source: dict[str, str], date_order: str
) -> Iterator[RawTable]:
    names = {v.name: source[v.name] for v in dictionary}
    rows = max(1_000, _CELLS // max(len(names), 1))
    line = 1
    if not file.metadata.num_rows:
        raise FormatError("no rows", where=str(path), expected="at least one row")
    for batch in _batches(file, path, list(names.values()), rows):
        lines = np.arange(line, line + batch.num_rows, dtype=np.uint64)
        line += batch.num_rows
        columns = {name: _plain(batch[own]) for name, own in names.items()}
        yield typed_table(columns, dictionary, lines, date_order=date_order)


def _batches(file: pq.ParquetFile, path: Path, names: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    try:
        yield from file.iter_batches(batch_size=rows, columns=names)
    except (pa.ArrowInvalid, OSError):
        raise _damaged(path) from None


def _sample(file: pq.ParquetFile, path: Path, source: dict[str, str], rows: int) -> pa.Table:
    batch = next(_batches(file, path, list(source.values()), rows), None)
    if batch is None:
        return pa.table({name: pa.array([], pa.string()) for name in source})
    return pa.table({name: _plain(batch[own]) for name, own in source.items()})


def _plain(column: pa.Array) -> pa.Array:
    """Decimals as floats, dictionaries with text; the rest as it is."""
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode().cast(pa.string()).dictionary_encode()
    return column


def _damaged(path: Path) -> FormatError:
    return FormatError(
        "not a whole Parquet file", where=str(path), expected="a Parquet file", todo="Fetch it again."
    )
