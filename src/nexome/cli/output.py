"""Where an answer goes: a file that appears whole or not at all, or the screen or pipe."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from nexome.formats.answers import table_as_json, table_as_tsv
from nexome.store.disk import space_errors


def write_table(table: pa.Table, format_: str, output: Path | None) -> None:
    """Write one table as 'tsv', 'json', 'parquet' or 'arrow'."""
    write_batches(iter([table]), table.schema, format_, output)


def write_batches(
    batches: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema, format_: str, output: Path | None
) -> None:
    """Write batches of one schema, one after the other; JSON alone needs them all in memory."""
    write = {"tsv": _tsv, "json": _json, "parquet": _parquet, "arrow": _arrow}[format_]
    with _opened(output) as stream:
        write((_table(batch) for batch in batches), schema, stream)


def _table(batch: pa.RecordBatch | pa.Table) -> pa.Table:
    return batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])


def _tsv(tables: Iterator[pa.Table], schema: pa.Schema, stream: BinaryIO) -> None:
    stream.write(("\t".join(schema.names) + "\n").encode())
    stream.writelines(table_as_tsv(table, header=False) for table in tables)


def _json(tables: Iterator[pa.Table], schema: pa.Schema, stream: BinaryIO) -> None:
    whole = pa.concat_tables([schema.empty_table(), *tables], promote_options="none")
    stream.write(b'{"data":' + table_as_json(whole.unify_dictionaries()) + b"}\n")


def _parquet(tables: Iterator[pa.Table], schema: pa.Schema, stream: BinaryIO) -> None:
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)


def _arrow(tables: Iterator[pa.Table], schema: pa.Schema, stream: BinaryIO) -> None:
    options = ipc.IpcWriteOptions(emit_dictionary_deltas=False)
    with ipc.new_stream(stream, schema, options=options) as writer:
        for table in tables:
            writer.write_table(table)


@contextmanager
def _opened(output: Path | None) -> Iterator[Any]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    beside = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    with space_errors(output):
        try:
            with beside.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(output)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
