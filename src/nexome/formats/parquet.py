"""Tables as one Parquet file, zstd, written batch by batch in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nexome.model.errors import InputError


def write_parquet(path: Path, batches: Iterable[pa.Table], metadata: Mapping[str, str] | None = None) -> int:
    """Write tables of one schema to `path`; gives the number of rows.

    `metadata` goes into the file's key-value metadata. Raises InputError when there is no batch: a
    Parquet file needs a schema.
    """
    writer: pq.ParquetWriter | None = None
    rows = 0
    try:
        for table in batches:
            if writer is None:
                about = {k.encode(): v.encode() for k, v in (metadata or {}).items()}
                schema = table.schema.with_metadata({**(table.schema.metadata or {}), **about})
                writer = pq.ParquetWriter(path, schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise InputError("nothing to write", where=str(path), expected="at least one table")
    return rows
