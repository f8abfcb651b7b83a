"""A cohort's table as delimited text (CSV, TSV, …, packed or not), in typed batches.

Fast path: Arrow's CSV reader turns a block of whole rows into typed columns, two blocks at a time; columns of
numbers whose dictionary has textual missing codes are read as text. A block that Arrow refuses is read as
text column by column: the columns at fault stay text for the rest of the file, the others fast. Quoted line
breaks are kept; every row knows its line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from nexome.formats.cohorts.cells import MISSING, read_cells, read_numbers
from nexome.formats.cohorts.encoding import UTF8_MARK, Decoder, decode_lines, open_text
from nexome.formats.cohorts.header import DELIMITERS, Head, read_head
from nexome.formats.cohorts.reader import ARROW_TYPES, CohortOptions, CohortReader, Note, RawTable
from nexome.formats.cohorts.typed import raw_table
from nexome.formats.cohorts.units import unit_of_header
from nexome.formats.delimited import single_blanks
from nexome.formats.parallel import in_order
from nexome.formats.stream import ByteStream, LineBlock, open_stream
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import FormatError

_BLOCK_BYTES: Final = 8 << 20
# A block of few, very wide rows spends its time on columns, not on cells: 10⁵ columns want more bytes.
_BLOCK_BYTES_A_COLUMN: Final = 1 << 11
_MAX_BLOCK_BYTES: Final = 32 << 20
_MAX_OPEN_QUOTE: Final = 16 << 20  # a quote open for longer was never meant to open
_HEAD_LINES: Final = 40
_SAMPLE_BYTES: Final = 32 << 20


@dataclass(frozen=True)
class _Table:
    """One file being read: what its blocks are parsed by.

    `as_text`: columns (indices) that should hold numbers and do not everywhere.
    """

    file: str
    head: Head
    decoder: Decoder
    date_order: str
    as_text: set[int] = field(default_factory=set)

    @property
    def width(self) -> int:
        return len(self.head.columns)


def open_delimited(
    path: Path | str, options: CohortOptions, *, stdin: IO[bytes] | None = None
) -> CohortReader:
    """Open a delimited file ('-': standard input). Raises FormatError where there is no table."""
    source = open_stream(path, stdin=stdin, text=False)
    try:
        return read_delimited(source, options)
    except BaseException:
        source.close()
        raise


def read_delimited(source: ByteStream, options: CohortOptions) -> CohortReader:
    """A reader of a stream that stands at its start."""
    stream = open_text(source, options.encoding)
    if stream.peek_bytes(3) == UTF8_MARK:
        stream.read_bytes(3)
    decoder = Decoder(stream.name, options.encoding)
    lines = decode_lines(Decoder(stream.name, options.encoding), stream.peek_lines(_HEAD_LINES))
    if not lines:
        raise FormatError("the file is empty", where=stream.name, expected="a header line and rows")
    if "\r" in lines[0]:
        raise FormatError(
            "lines that end with CR alone (old Macintosh)",
            where=stream.name,
            expected="lines that end with LF or CRLF",
            todo="Save it again, or convert it: tr '\\r' '\\n'.",
        )
    head = read_head(lines, file=stream.name, delimiter=options.delimiter, header=options.header)
    decode_lines(decoder, (stream.read_line() or b"" for _ in range(head.lines)))
    table = _Table(stream.name, head, decoder, options.date_order)
    notes = _Notes(list(head.notes), decoder)
    labels, _, _ = _cbioportal(head)
    columns = tuple(
        replace(c, unit=c.unit or unit_of_header(label)[1])
        for c, label in zip(head.columns, labels, strict=True)
    )
    return CohortReader(
        name=stream.name,
        format={"comma": "csv", "tab": "tsv"}.get(head.delimiter, "delimited"),
        columns=columns,
        dictionary=_own_dictionary(head),
        notes=notes,
        tables=lambda dictionary: _tables(stream, table, dictionary, notes),
        sampled=lambda rows: _sample(stream, table, rows),
        sha256=lambda: source.sha256,
        progress=lambda: (source.source_bytes, source.source_size),
        close=source.close,
    )


class _Notes(list[Note]):
    """Notes of the head, then those of the encodings met: told once the file has been read."""

    def __init__(self, notes: list[Note], decoder: Decoder) -> None:
        super().__init__(notes)
        self._decoder = decoder

    def finish(self) -> None:
        self.extend(self._decoder.notes())


def _own_dictionary(head: Head) -> Dictionary:
    """What the head says: labels and types of cBioPortal's comment lines, else names alone."""
    labels, questions, kinds = _cbioportal(head)
    return Dictionary(
        tuple(
            Variable(
                column.name,
                "decimal" if kind == "NUMBER" else "boolean" if kind == "BOOLEAN" else "text",
                label=label,
                question=question,
            )
            for column, label, question, kind in zip(head.columns, labels, questions, kinds, strict=True)
        ),
        confirmed=False,
    )


def _cbioportal(head: Head) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    blank = ("",) * len(head.columns)
    if len(head.comments) >= 3 and set(head.comments[2]) <= {"STRING", "NUMBER", "BOOLEAN"}:
        return head.comments[0], head.comments[1], head.comments[2]
    return blank, blank, blank


def _tables(stream: ByteStream, table: _Table, dictionary: Dictionary, notes: _Notes) -> Iterator[RawTable]:
    place = {column.name: i for i, column in enumerate(table.head.columns)}
    wanted = [(place[v.name], v) for v in dictionary]
    size = min(max(_BLOCK_BYTES, table.width * _BLOCK_BYTES_A_COLUMN), _MAX_BLOCK_BYTES)
    rows = 0
    for raw in in_order(_whole_rows(stream, table, size), lambda block: _parse(block, table, wanted)):
        rows += raw.table.num_rows
        if len(raw.lines):
            yield raw
    notes.finish()
    if not rows:
        raise FormatError(
            "a header and no rows",
            where=f"{table.file}, line {table.head.line}",
            expected="at least one row",
            todo="Check that the file was written to its end.",
        )


def _whole_rows(stream: ByteStream, table: _Table, size: int) -> Iterator[LineBlock]:
    """Blocks that end at the end of a row: a quote that is open at a block's end goes on in the next."""
    if not table.head.quoted:
        yield from stream.blocks(size)
        return
    held: LineBlock | None = None
    for block in stream.blocks(size):
        whole = block if held is None else _joined(held, block)
        if whole.content.count(b'"') % 2 == 0:
            yield whole
            held = None
            continue
        cut = _last_closed(whole.content)
        if len(whole.content) - cut > _MAX_OPEN_QUOTE:
            raise _open_quote(whole, cut, table)
        first = LineBlock(whole.first_line, whole.content[:cut], whole.content.count(b"\n", 0, cut))
        if cut:
            yield first
        held = LineBlock(whole.first_line + first.lines, whole.content[cut:], whole.lines - first.lines)
    if held is not None:
        raise _open_quote(held, 0, table)


def _joined(one: LineBlock, other: LineBlock) -> LineBlock:
    return LineBlock(one.first_line, one.content + other.content, one.lines + other.lines)


def _last_closed(content: bytes) -> int:
    """Behind the last line end at which no quote is open; 0 where there is none."""
    signs = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(signs == 10)
    is_closed = np.searchsorted(np.flatnonzero(signs == 34), ends) % 2 == 0
    return int(ends[is_closed][-1]) + 1 if is_closed.any() else 0


def _open_quote(block: LineBlock, cut: int, table: _Table) -> FormatError:
    line = block.first_line + block.content.count(b"\n", 0, cut)
    return FormatError(
        "a quote that is never closed",
        where=f"{table.file}, line {line}",
        expected='quotes in pairs ("…")',
        todo="Close or remove it; a quote within a quoted cell is written twice.",
    )


def _parse(block: LineBlock, table: _Table, wanted: list[tuple[int, Variable]]) -> RawTable:
    content = table.decoder.utf8(block)
    if table.head.delimiter == "spaces":
        content = single_blanks(content)
    block = replace(block, content=content)
    types = {i: _fast_type(variable, i in table.as_text) for i, variable in wanted}
    try:
        columns = _arrow_columns(block, table, types)
    except pa.ArrowInvalid:
        columns = _carefully(block, table, wanted)
    cells = [
        read_numbers(column, variable)
        if variable.numeric and pa.types.is_floating(column.type)
        else read_cells(column, variable, date_order=table.date_order)
        for column, (_, variable) in zip(columns, wanted, strict=True)
    ]
    rows = len(columns[0]) if columns else 0
    return raw_table([v for _, v in wanted], cells, _lines(block, table, rows))


def _fast_type(variable: Variable, as_text: bool) -> pa.DataType:  # noqa: FBT001
    if variable.type == "text":
        return pa.string()
    if not variable.numeric:
        return ARROW_TYPES["category"]
    textual = any(not code.lstrip("+-.").isdigit() for code in variable.missing_codes)
    return pa.string() if as_text or textual else pa.float64()


def _arrow_columns(block: LineBlock, table: _Table, types: dict[int, pa.DataType]) -> list[pa.Array]:
    """The wanted columns of a block of rows, by Arrow's CSV reader."""
    content = block.content
    if content[:1] in {b"", b"\r", b"\n"} and not content.strip():
        return [pa.array([], t) for t in types.values()]
    names = [str(i) for i in range(table.width)]
    read = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=max(len(content) + 1, 1 << 12)
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=DELIMITERS[table.head.delimiter],
            quote_char='"' if table.head.quoted else False,
            newlines_in_values=table.head.quoted and b'"' in content,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={str(i): t for i, t in types.items()},
            include_columns=[str(i) for i in types],
            null_values=list(MISSING),
            strings_can_be_null=False,
        ),
    )
    return [column.combine_chunks() for column in read.columns]


def _carefully(block: LineBlock, table: _Table, wanted: list[tuple[int, Variable]]) -> list[pa.Array]:
    """A block that the fast path refused: columns of numbers as text, then as numbers where they are."""
    try:
        columns = _arrow_columns(
            block,
            table,
            {i: pa.string() if v.numeric else _fast_type(v, as_text=True) for i, v in wanted},
        )
    except pa.ArrowInvalid:
        raise _ragged(block, table) from None
    for (i, variable), column in zip(wanted, columns, strict=True):
        if variable.numeric and read_cells(column, variable).unread:
            table.as_text.add(i)
    return columns


def _lines(block: LineBlock, table: _Table, rows: int) -> npt.NDArray[np.uint64]:
    """The line on which each row begins."""
    first = np.uint64(block.first_line)
    if rows == block.lines:
        return np.arange(first, first + np.uint64(rows), dtype=np.uint64)
    if not table.head.quoted or b'"' not in block.content:
        filled = [bool(line.strip(b"\r")) for line in block.content.split(b"\n")]
        return np.flatnonzero(filled).astype(np.uint64) + first
    signs = np.frombuffer(block.content, np.uint8)
    ends = np.flatnonzero(signs == 10)
    outside = np.searchsorted(np.flatnonzero(signs == 34), ends) % 2 == 0
    starts = np.concatenate([[0], ends[outside] + 1])
    starts = starts[starts < len(signs)]
    kept = starts[~np.isin(signs[starts], (10, 13))]
    return np.searchsorted(ends, kept).astype(np.uint64) + first


def _ragged(block: LineBlock, table: _Table) -> FormatError:
    """What is wrong with the shape of a block: the first row whose cells are not as many as the header's."""
    head = table.head
    for i, cells in _shapes(block.content.decode(), head):
        if cells and cells != table.width:
            return FormatError(
                f"{cells} cells",
                where=f"{table.file}, line {block.first_line + i - 1}",
                expected=f"{table.width}, as in line {head.line} (separator: {head.delimiter})",
                todo="The line is cut off or has a stray separator. Is it another one? Say --delimiter.",
            )
    return FormatError(
        "rows of another shape",
        where=f"{table.file}, lines {block.first_line} to {block.first_line + block.lines - 1}",
        expected="rows like the header",
    )


def _shapes(text: str, head: Head) -> Iterator[tuple[int, int]]:
    """(line within the text, cells) of each row; a row of several lines is at its last."""
    mark = DELIMITERS[head.delimiter]
    if not head.quoted:
        for i, line in enumerate(text.split("\n"), 1):
            yield i, line.count(mark) + 1 if line.strip("\r") else 0
        return
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    with suppress(csv.Error):  # a cell of more than 128 KiB
        for row in rows:
            yield rows.line_num, len(row)


def _sample(stream: ByteStream, table: _Table, rows: int) -> pa.Table:
    """The first rows as text, left in the stream."""
    content = stream.peek_bytes(min(_SAMPLE_BYTES, max(1 << 16, rows * table.width * 16)))
    whole = LineBlock(stream.line + 1, content, content.count(b"\n") + 1)
    if len(content) != len(stream.peek_bytes(len(content) + 1)):
        cut = _last_closed(content) if table.head.quoted else content.rfind(b"\n") + 1
        whole = LineBlock(whole.first_line, content[:cut], content.count(b"\n", 0, cut))
    block = replace(whole, content=Decoder(table.file, table.decoder.encoding).utf8(whole))
    if table.head.delimiter == "spaces":
        block = replace(block, content=single_blanks(block.content))
    try:
        columns = _arrow_columns(block, table, dict.fromkeys(range(table.width), pa.string()))
    except pa.ArrowInvalid:
        raise _ragged(block, table) from None
    names = [column.name for column in table.head.columns]
    return pa.Table.from_arrays(columns, names=names).slice(0, rows)
