"""Intervals of a genome: BED with 3 to 12 columns, bedGraph, ENCODE's peaks, and UCSC's cytoBand.

BED counts from 0 and leaves the end out; what comes from here is 1-based with both ends included. Lines may
come in any order, `track`, `browser` and `#` lines anywhere. Of peaks (BED6+3, BED6+4) the first six columns
are read. Whether a place lies inside its chromosome is not known here.
Sources: UCSC, "Data File Formats" (BED, bedGraph, narrowPeak); GA4GH BED v1.0; UCSC table cytoBand.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.bbi import bigbed_as_bed, kind_of
from nexome.formats.columns import Kind
from nexome.formats.delimited import Header, Plan, Wanted, read_rows, split_line
from nexome.formats.reader import RawBatch
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

INTERVAL_SCHEMA: Final = pa.schema(
    [
        ("chromosome", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("feature_name", pa.string()),
        ("score", pa.float64()),
        ("strand", pa.string()),
        ("thick_start", pa.int64()),
        ("thick_end", pa.int64()),
        ("colour", pa.string()),
        ("block_starts", pa.list_(pa.int64())),
        ("block_ends", pa.list_(pa.int64())),
    ]
)
BAND_SCHEMA: Final = pa.schema(
    [
        ("chromosome", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("band", pa.string()),
        ("stain", pa.string()),
    ]
)
NOTES: Final = (b"#", b"track", b"browser")

_BED: Final[tuple[tuple[str, Kind], ...]] = (
    ("chromosome", "text"),
    ("start", "position"),
    ("end", "position"),
    ("feature_name", "text"),
    ("score", "number"),
    ("strand", "text"),
    ("thick_start", "position"),
    ("thick_end", "position"),
    ("colour", "text"),
    ("block_count", "position"),
    ("block_sizes", "text"),
    ("block_offsets", "text"),
)
_BAND: Final = (*_BED[:3], ("band", "text"), ("stain", "text"))
_GRAPH: Final = (*_BED[:3], ("score", "number"))
_TODO: Final = (
    "BED counts from 0 and leaves the end out: the one base at 100 is written 99, 100. "
    "If the file counts from 1, say --first-base 1."
)


@dataclass(frozen=True, slots=True)
class IntervalFile:
    """Intervals of a file (INTERVAL_SCHEMA), its format ('BED6' …), and how many columns were not read."""

    format: str
    table: pa.Table
    unread_columns: int = 0


def read_intervals(path: Path | str, *, first_base: int = 0) -> IntervalFile:
    """The intervals of a BED, bedGraph or bigBed file, in the order of the file.

    `first_base` 1 is for files that only look like BED and count from 1 with both ends included. Raises
    FormatError naming the line of an interval that ends before it starts, or cannot be read.
    """
    stream = _open(path)
    try:
        cells, delimiter, line = _first_cells(stream)
        columns = _columns_of(cells, stream)
        unread = len(cells) - len(columns)
        plan = _plan(stream.name, columns, unread=unread, delimiter=delimiter, line=line)
        parts = [_one_based(batch, first_base, stream.name) for batch in read_rows(stream, plan)]
    finally:
        stream.close()
    graph = columns is _GRAPH
    name = "bedGraph" if graph else f"BED{len(columns)}{f'+{unread}' if unread else ''}"
    return IntervalFile(name, pa.concat_tables([_whole(part, INTERVAL_SCHEMA) for part in parts]), unread)


def read_cytobands(path: Path | str) -> pa.Table:
    """The bands of a UCSC cytoBand table (BAND_SCHEMA), in the order of the file. Raises FormatError."""
    stream = open_stream(path)
    try:
        cells, delimiter, line = _first_cells(stream)
        if len(cells) < len(_BAND) or not cells[4].startswith(("g", "acen", "stalk")):
            raise FormatError(
                f"{len(cells)} columns: {' '.join(cells)[:60]!r}",
                where=f"{stream.name}, line {line}",
                expected="chrom, chromStart, chromEnd, name, gieStain (gneg, gpos25 … acen, gvar, stalk)",
            )
        unread = len(cells) - len(_BAND)
        plan = _plan(stream.name, _BAND, unread=unread, delimiter=delimiter, line=line)
        parts = [_one_based(batch, 0, stream.name) for batch in read_rows(stream, plan)]
    finally:
        stream.close()
    return pa.concat_tables([_whole(part, BAND_SCHEMA) for part in parts])


def _open(path: Path | str) -> ByteStream:
    """A file as lines of BED; a bigBed as those it was made from."""
    if Path(path).is_file() and kind_of(Path(path)) == "bigbed":
        return ByteStream(str(path), io.BytesIO(bigbed_as_bed(Path(path))), size=None)
    return open_stream(path)


# ---------------------------------------------------------------- layout


def _first_cells(stream: ByteStream) -> tuple[list[str], str, int]:
    """Cells of the first interval, its delimiter and its line."""
    for at, line in enumerate(stream.peek_lines(1000)):
        if not line.strip() or line.startswith(NOTES):
            continue
        delimiter = "tab" if b"\t" in line else "spaces"
        cells = split_line(line.decode("utf-8", "replace"), delimiter)
        if len(cells) < 3 or not (cells[1].isdigit() and cells[2].isdigit()):
            raise FormatError(
                f"{' '.join(cells)[:60]!r}",
                where=f"{stream.name}, line {at + 1}",
                expected="BED: chromosome, start, end, and then name, score, strand …",
                todo="BED has no header line; mark one with '#'." if at == 0 else "",
            )
        return cells, delimiter, at + 1
    raise FormatError("no interval", where=stream.name, expected="lines of chromosome, start, end")


def _columns_of(cells: list[str], stream: ByteStream) -> tuple[tuple[str, Kind], ...]:
    """The leading columns that are BED's: past the sixth, only where they can be what BED says."""
    notes = b" ".join(line for line in stream.peek_lines(100) if line.startswith(b"track")).lower()
    names = (".bedgraph", ".bedgraph.gz", ".bdg", ".bdg.gz")
    if len(cells) == 4 and (b"bedgraph" in notes or stream.name.lower().endswith(names)):
        return _GRAPH
    count = min(len(cells), len(_BED))
    if count > 4 and not _is_number(cells[4]):
        return _BED[:4]
    if count > 5 and cells[5] not in {"+", "-", ".", ""}:
        return _BED[:5]
    thick = count >= 8 and cells[6].isdigit() and cells[7].isdigit()
    inside = thick and int(cells[1]) <= int(cells[6]) <= int(cells[7]) <= int(cells[2])
    if count > 6 and not inside:
        return _BED[:6]
    return _BED[:9] if 9 < count < 12 else _BED[:count]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in {".", ""}
    return True


def _plan(file: str, columns: Any, *, unread: int, delimiter: str, line: int) -> Plan:
    wanted = tuple(Wanted(at, name, name, kind) for at, (name, kind) in enumerate(columns))
    names = (*(name for name, _ in columns), *(f"column {len(columns) + at + 1}" for at in range(unread)))
    return Plan(file, Header(names, line, delimiter, quoted=False), wanted, notes=NOTES)


# ---------------------------------------------------------------- rows


def _one_based(batch: RawBatch, first_base: int, file: str) -> pa.Table:
    """A batch with positions from 1, both ends included. Raises FormatError naming the line."""
    if batch.problems:
        raise batch.problems[0].as_error(file)
    table = batch.table
    for name in ("chromosome", "start", "end"):
        if table[name].null_count:
            row = int(np.flatnonzero(table[name].is_null().to_numpy())[0])
            raise FormatError(f"no {name}", where=f"{file}, line {batch.lines()[row]}", expected="a place")
    shift = 1 - first_base
    start, end = (table[name].to_numpy().astype(np.int64) for name in ("start", "end"))
    wrong = np.flatnonzero((start + shift > end) | (start + shift < 1))
    if len(wrong):
        row = int(wrong[0])
        raise FormatError(
            f"an interval from {start[row]} to {end[row]}",
            where=f"{file}, line {batch.lines()[row]}",
            expected="start < end" if first_base == 0 else "1 ≤ start ≤ end",
            todo=_TODO if first_base == 0 and start[row] == end[row] else "Mend or remove the line.",
        )
    if "block_offsets" in table.column_names:
        table = _with_blocks(table, start + shift, batch, file)
    table = _set(table, "start", start + shift)
    if "thick_start" in table.column_names:
        thick = pc.add(table["thick_start"], shift)
        none = pc.less(table["thick_end"], thick)  # nothing is drawn thick: written as start, start
        absent = pa.scalar(None, pa.int64())
        table = _set(table, "thick_start", pc.if_else(none, absent, thick))
        table = _set(table, "thick_end", pc.if_else(none, absent, table["thick_end"]))
    return table


def _with_blocks(table: pa.Table, start: npt.NDArray[np.int64], batch: RawBatch, file: str) -> pa.Table:
    """BED's blockSizes and blockStarts, relative lists of text, as first and last bases."""
    sizes, counts = _numbers(table["block_sizes"], batch, file)
    offsets, others = _numbers(table["block_offsets"], batch, file)
    wrong = np.flatnonzero((counts != others) | (counts != table["block_count"].to_numpy()))
    if len(wrong):
        row = int(wrong[0])
        raise FormatError(
            f"{counts[row]} block sizes and {others[row]} block starts",
            where=f"{file}, line {batch.lines()[row]}",
            expected=f"{table['block_count'][row].as_py()} of each (blockCount)",
            todo="Mend or remove the line.",
        )
    first = np.repeat(start, counts) + offsets
    cuts = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    table = table.append_column("block_starts", pa.ListArray.from_arrays(cuts, pa.array(first)))
    return table.append_column("block_ends", pa.ListArray.from_arrays(cuts, pa.array(first + sizes - 1)))


def _numbers(
    column: pa.ChunkedArray, batch: RawBatch, file: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The numbers of 'a,b,c,' texts end to end, and how many each has."""
    texts = pc.utf8_rtrim(pc.fill_null(column, ""), ",").combine_chunks()
    readable = pc.match_substring_regex(texts, r"^\d+(,\d+)*$").to_numpy(zero_copy_only=False)
    if not readable.all():
        row = int(np.flatnonzero(~readable)[0])
        raise FormatError(
            f"{texts[row].as_py()[:40]!r}",
            where=f"{file}, line {batch.lines()[row]}",
            expected="whole numbers separated by commas (blockSizes, blockStarts)",
        )
    parts = pc.split_pattern(texts, ",")
    counts = pc.list_value_length(parts).to_numpy().astype(np.int64)
    return parts.flatten().cast(pa.int64()).to_numpy(), counts


def _set(table: pa.Table, name: str, values: Any) -> pa.Table:
    column = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values)
    return table.set_column(table.column_names.index(name), name, column)


def _whole(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`; null where a file has none. '.' and '0' say nothing of name and colour."""
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table[field.name]
        if field.name in {"feature_name", "strand", "colour"}:
            nothing = pc.is_in(
                column, value_set=pa.array([".", "0", ""] if field.name == "colour" else [".", ""])
            )
            column = pc.if_else(nothing, pa.scalar(None, pa.string()), column)
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)
