"""A version as a file: CSV, TSV or Parquet, for whoever holds the root.

Texts have the missing codes of the source where a value is missing; Parquet has nulls, and beside it
<name>.missing.parquet (row, variable, code) where there are codes. People stand by their keys (16
hexadecimal digits), or, where asked, by the identifiers of the source. Harmonised tables are kept as any
other: their export reads and writes as much.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from nexome.formats.parallel import in_order
from nexome.model.cohorts import Variable
from nexome.model.errors import InputError
from nexome.store.cohorts.columns import PARTICIPANT, to_stored, to_working
from nexome.store.cohorts.packed import SECONDS_A_DAY
from nexome.store.cohorts.people import read_identities
from nexome.store.cohorts.table import VALUES, CohortTable
from nexome.store.disk import space_errors

DELIMITERS: Final = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
BATCH_ROWS: Final = 1 << 15
_KEY_DIGITS: Final = 16


def export_cohort(
    root: Path,
    table: CohortTable,
    path: Path,
    *,
    names: Sequence[str] | None = None,
    identifiers: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Path]:
    """Write a version to `path` (.csv, .tsv, .parquet), mode 0600; returns the files made.

    `names`: only these variables. Raises InputError for another ending, NotFoundError for a variable that
    is not there, SpaceError.
    """
    suffix = path.suffix.lower()
    if suffix not in {*DELIMITERS, ".parquet"}:
        raise InputError(f"the ending {path.suffix!r}", where=str(path), expected=".csv, .tsv or .parquet")
    work = _Export(root, table, _chosen(table, names), identifiers=identifiers)
    beside = path.with_name(f".{path.name}.part")
    with space_errors(path):
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                if suffix == ".parquet":
                    work.write_parquet(stream, progress)
                else:
                    work.write_text(stream, DELIMITERS[suffix], progress)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    codes = work.missing_rows()
    if suffix != ".parquet" or not codes.num_rows:
        return [path]
    other = path.with_suffix(".missing.parquet")
    pq.write_table(codes, other, compression="zstd")
    other.chmod(0o600)
    return [path, other]


def _chosen(table: CohortTable, names: Sequence[str] | None) -> list[Variable]:
    return list(table.variables) if names is None else [table.variable(name) for name in names]


@dataclass
class _Export:
    """One version on its way out."""

    root: Path
    table: CohortTable
    variables: list[Variable]
    identifiers: bool

    def __post_init__(self) -> None:
        person = self.table.dictionary.of_role("participant")
        self.person = person.name if self.identifiers and person else PARTICIPANT
        self._codes = {v.name: self.table.missing_of(v.name) for v in self._coded()}
        self._known = read_identities(self.root, self.table.entry.people_of) if self.identifiers else None

    def _coded(self) -> list[Variable]:
        met = set(self.table.missing_codes["variable"].unique().cast(pa.string()).to_pylist())
        return [v for v in self.variables if v.name in met]

    def missing_rows(self) -> pa.Table:
        """Missing codes of the variables exported."""
        codes = self.table.missing_codes
        names = pa.array([v.name for v in self.variables], pa.string())
        return codes.filter(pc.is_in(codes["variable"].cast(pa.string()), value_set=names))

    def write_text(
        self, stream: BinaryIO, delimiter: str, progress: Callable[[str, int, int], None] | None
    ) -> None:
        """All rows as delimited text, quoted where needed."""
        options = csv.WriteOptions(include_header=False, delimiter=delimiter)
        dates = {v.name for v in self.variables if v.type == "date" and self._is_whole(v.name)}

        def text_of(batch: tuple[int, pa.RecordBatch]) -> tuple[int, bytes]:
            start, rows = batch
            sink = pa.BufferOutputStream()
            csv.write_csv(self._as_text(rows, start, dates), sink, options)
            return rows.num_rows, sink.getvalue().to_pybytes()

        empty = pa.table({name: pa.array([], pa.string()) for name in self._header()})
        csv.write_csv(empty, stream, csv.WriteOptions(delimiter=delimiter, quoting_style="needed"))
        done = 0
        for rows, content in in_order(self._batches(), text_of):
            stream.write(content)
            done += rows
            if progress is not None:
                progress(f"cohort {self.table.id}", done, self.table.rows)

    def write_parquet(self, stream: BinaryIO, progress: Callable[[str, int, int], None] | None) -> None:
        """All rows as Parquet, in the types of the store."""
        writer: Any = None
        done = 0
        for _, batch in self._batches():
            columns = [self._people(batch.column(0))]
            for variable, column in zip(self.variables, batch.columns[1:], strict=True):
                working = pa.chunked_array([to_working(column, variable)])
                columns.append(to_stored(working, variable).combine_chunks())
            rows = pa.table(columns, names=self._header())
            writer = writer or pq.ParquetWriter(stream, rows.schema, compression="zstd")
            writer.write_table(rows)
            done += batch.num_rows
            if progress is not None:
                progress(f"cohort {self.table.id}", done, self.table.rows)
        if writer is not None:
            writer.close()

    def _header(self) -> list[str]:
        return [self.person, *(v.name for v in self.variables)]

    def _batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        names = [PARTICIPANT, *(v.name for v in self.variables)]
        start = 0
        with pq.ParquetFile(self.table.path / VALUES, memory_map=True) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=names):
                yield start, batch.select(names)
                start += batch.num_rows

    def _as_text(self, batch: pa.RecordBatch, start: int, dates: set[str]) -> pa.Table:
        columns = [self._people(batch.column(0))]
        for variable, column in zip(self.variables, batch.columns[1:], strict=True):
            plain = column.cast(pa.date32()) if variable.name in dates else column
            if variable.name in self._codes:
                plain = self._with_codes(plain.cast(pa.string()), variable.name, start)
            columns.append(plain)
        return pa.table(columns, names=self._header())

    def _with_codes(self, texts: pa.Array, name: str, start: int) -> pa.Array:
        rows, codes = self._codes[name]
        first, last = np.searchsorted(rows, [start, start + len(texts)])
        if first == last:
            return texts
        place = np.zeros(len(texts), bool)
        place[rows[first:last] - start] = True
        return pc.replace_with_mask(texts, pa.array(place), codes[int(first) : int(last)])

    def _people(self, keys: pa.Array) -> pa.Array:
        numbers = keys.to_numpy()
        if self._known is None:
            return pa.array([f"{key:0{_KEY_DIGITS}x}" for key in numbers.tolist()], pa.string())
        place = np.searchsorted(self._known["participant"].to_numpy(), numbers)
        return self._known["identifier"].combine_chunks().take(pa.array(place))

    def _is_whole(self, name: str) -> bool:
        """Whether no date of a variable has a time of day."""
        values = self.table.column(name).values
        return bool((np.nan_to_num(values * SECONDS_A_DAY) % SECONDS_A_DAY == 0).all())
