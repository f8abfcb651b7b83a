"""Delimited text as Arrow columns: blocks of lines, parsed on two threads, with line numbers kept.

Fast path: Arrow's CSV reader turns each block of whole lines straight into typed columns. Careful
path, for a block the fast one refuses: the cause is found and named (line, column), numbers that
cannot be read become null with a `Problem`, and a line of the wrong shape raises FormatError.

Quotes count in comma and semicolon files, and in others when the header itself is quoted (as R's
write.table does); a quoted line break is refused. The spellings of a missing value are MISSING;
'-' alone is missing only for numbers, since for alleles it means a deletion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from nexome.formats.columns import ARROW_TYPES, Kind
from nexome.formats.parallel import in_order
from nexome.formats.reader import Problem, RawBatch, ReadOptions
from nexome.formats.stream import ByteStream, LineBlock
from nexome.model.errors import FormatError, InputError

DELIMITERS: Final = {"tab": b"\t", "comma": b",", "semicolon": b";", "spaces": b" "}
ENCODINGS: Final = ("utf-8", "gb18030", "cp1252", "latin-1")
MISSING: Final = (
    "", ".", "NA", "na", "N/A", "n/a", "#N/A", "#NA", "NaN", "nan", "NAN", "-nan", "null", "NULL", "Null",
    "None", "none",
)  # fmt: skip
MAX_COLUMNS: Final = 16_384  # REGENIE's widest outputs have about 10⁴; beyond lies a matrix, not a table
EXACT_P: Final = 1e-300  # smaller p are read from their text: float64 thins out, then ends, below

_BOM: Final = b"\xef\xbb\xbf"
_NUMBER: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
_MANTISSA: Final = re.compile(r"\+?(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?")
# Positions are parsed as numbers, then checked: Arrow's integers take '0x10' for 16 and no '1e5'.
_FAST: Final = ARROW_TYPES | {"position": pa.float64()}
_MAX_EXACT_INTEGER: Final = float(1 << 53)
_PROBLEMS_PER_COLUMN: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table: names, the header's line, its delimiter (a key of DELIMITERS), quoting."""

    names: tuple[str, ...]
    line: int
    delimiter: str
    quoted: bool
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column to read: its index in the file, its name there, the name and kind it is given."""

    index: int
    source: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """How the blocks of one file are parsed. `file`: as errors say it.

    `notes`: a line that begins with one of these says nothing of the rows, wherever it stands.
    """

    file: str
    header: Header
    wanted: tuple[Wanted, ...]
    encoding: str = "utf-8"
    block_bytes: int = 8 << 20
    notes: tuple[bytes, ...] = ()


def read_header(stream: ByteStream, options: ReadOptions) -> Header:
    """Read the comment lines ('##…', '# …') and the header line of a table.

    The delimiter is a tab where the header has one, else a comma, a semicolon, or runs of blanks.
    Raises FormatError for an empty file, a file without columns, names given twice, too many columns.
    """
    if options.encoding not in ENCODINGS:
        raise InputError(f"encoding {options.encoding!r}", expected="one of " + ", ".join(ENCODINGS))
    comments: list[str] = []
    while True:
        raw = stream.read_line()
        if raw is None:
            raise _empty(stream, comments)
        raw = raw.removeprefix(_BOM) if stream.line == 1 else raw
        text = _decode(raw, options.encoding, f"{stream.name}, line {stream.line}")
        if not text.strip():
            continue
        delimiter = _delimiter_of(text, options.delimiter)
        if text.startswith("#") and _is_comment(text, delimiter, stream):
            comments.append(text)
            continue
        return _checked_header(text, delimiter, tuple(comments), stream)


def split_line(text: str, delimiter: str, *, quoted: bool = False) -> list[str]:
    """The cells of one line, without their quotes.

    >>> split_line(" a  b ", "spaces")
    ['a', 'b']
    """
    if delimiter == "spaces" and not quoted:
        return text.split()
    mark = DELIMITERS[delimiter].decode()
    if not quoted or '"' not in text:
        return text.split(mark)
    cells = re.findall(rf'(?:^|{re.escape(mark)})("(?:[^"]|"")*"|[^{re.escape(mark)}]*)', text.strip(" "))
    return [c[1:-1].replace('""', '"') if c[:1] == '"' and len(c) > 1 else c for c in cells]


def read_rows(stream: ByteStream, plan: Plan) -> Iterator[RawBatch]:
    """The rows behind the header as batches, in order. Raises FormatError naming the line."""
    rows = 0
    for batch in in_order(stream.blocks(plan.block_bytes), lambda block: _parse(block, plan)):
        rows += batch.table.num_rows
        if batch.table.num_rows:
            yield batch
    if not rows:
        raise FormatError(
            "a header and no rows",
            where=f"{plan.file}, line {plan.header.line}",
            expected="at least one row",
            todo="Check that the file was written to its end.",
        )


def neg_log_10(text: str) -> float:
    """−log₁₀ of a number ≥ 0 from its text, exact far below what float64 holds; inf for 0.

    >>> round(neg_log_10("2.5e-4000"), 4)
    3999.6021
    """
    match = _MANTISSA.fullmatch(text.strip())
    if not match:
        return float("nan")
    digits = match[1].replace(".", "")
    if not digits.strip("0"):
        return float("inf")
    whole = match[1].partition(".")[0]
    significant = digits.lstrip("0")
    exponent = int(match[2] or 0) + len(whole) - (len(digits) - len(significant)) - 1
    return -(np.log10(float(f"{significant[0]}.{significant[1:] or 0}")) + exponent).item()


def _empty(stream: ByteStream, comments: Sequence[str]) -> FormatError:
    found = "only comment lines" if comments else "the file is empty"
    return FormatError(found, where=stream.name, expected="a header line and rows")


def _decode(raw: bytes, encoding: str, where: str) -> str:
    if b"\0" in raw:
        raise _nul(where)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise _not_text(encoding, where) from None


def _nul(where: str) -> FormatError:
    return FormatError(
        "a NUL byte",
        where=where,
        expected="text",
        todo="The file is binary, in UTF-16 or damaged; save it as UTF-8 text.",
    )


def _not_text(encoding: str, where: str) -> FormatError:
    return FormatError(
        f"bytes that are not {encoding.upper()} text",
        where=where,
        expected=f"text in {encoding.upper()}",
        todo="Say the encoding: --encoding gb18030 (Chinese Windows) or --encoding cp1252 (Western Windows).",
    )


def _delimiter_of(text: str, asked: str) -> str:
    if asked:
        if asked not in DELIMITERS:
            raise InputError(f"delimiter {asked!r}", expected="one of " + ", ".join(DELIMITERS))
        return asked
    for name in ("tab", "comma", "semicolon"):
        if DELIMITERS[name].decode() in text.strip():
            return name
    return "spaces"


def _is_comment(text: str, delimiter: str, stream: ByteStream) -> bool:
    """Whether a line that starts with '#' is a comment: it is a header if the row below has its shape."""
    if text.startswith("##") or not text.strip("# \t"):
        return True
    below = [line for line in stream.peek_lines(8) if line.strip()]
    if not below or below[0].startswith(b"#"):
        return True
    row = below[0].decode(errors="replace")
    return len(split_line(text, delimiter)) != len(split_line(row, delimiter))


def _checked_header(text: str, delimiter: str, comments: tuple[str, ...], stream: ByteStream) -> Header:
    where = f"{stream.name}, line {stream.line}"
    starts_quoted = text.lstrip("# ").startswith('"')
    quoted = starts_quoted or delimiter in {"comma", "semicolon"}
    names = [n.strip().strip('"') for n in split_line(text.removeprefix("#"), delimiter, quoted=quoted)]
    if len(names) > MAX_COLUMNS:
        raise FormatError(
            f"{len(names):,} columns",
            where=where,
            expected=f"a table of associations, at most {MAX_COLUMNS:,} columns",
            todo="This looks like a matrix (genotypes, expression); give one row per feature and trait.",
        )
    if len(names) < 2:
        raise FormatError(
            f"one column ({text[:60]!r})",
            where=where,
            expected="columns separated by tabs, commas, semicolons or spaces",
            todo="Check the first lines of the file, or say --delimiter.",
        )
    if (
        twice := sorted({n for n in names if n and names.count(n) > 1})
        if len(set(names)) < len(names)
        else []
    ):
        raise FormatError(
            f"column names given twice: {', '.join(twice[:5])}",
            where=where,
            expected="each name once",
            todo="Rename one of them.",
        )
    return Header(tuple(names), stream.line, delimiter, quoted, comments)


def _parse(block: LineBlock, plan: Plan) -> RawBatch:
    content = block.content
    if b"\0" in content:
        raise _nul(f"{plan.file}, line {block.first_line + content[: content.index(0)].count(10)}")
    if plan.notes and any(note in content for note in plan.notes):
        content = _without_notes(content, plan.notes)
    if plan.encoding != "utf-8":
        content = _decode(content, plan.encoding, _span(block, plan)).encode()
    if plan.header.delimiter == "spaces":
        content = single_blanks(content)
    if plan.header.quoted and b'"' in content:
        _check_quotes(content, block, plan)
    block = replace(block, content=content)
    lines = _line_numbers(block)
    try:
        table = _whole_positions(_read(content, plan, {w.index: _FAST[w.kind] for w in plan.wanted}), plan)
        problems: list[Problem] = []
    except pa.ArrowInvalid as error:
        table, problems = _parse_carefully(block, plan, lines, error)
    table = table.rename_columns([w.name for w in plan.wanted])
    table = _with_exact_p(table, content, plan)
    if lines is not None:
        table = table.append_column("line", pa.array(lines))
    return RawBatch(block.first_line, table, tuple(problems))


def _without_notes(content: bytes, notes: tuple[bytes, ...]) -> bytes:
    """The same lines, those that are notes left empty, so that the others keep their numbers."""
    return b"\n".join(b"" if line.startswith(notes) else line for line in content.split(b"\n"))


def _read(content: bytes, plan: Plan, types: dict[int, pa.DataType]) -> pa.Table:
    """The wanted columns (keys of `types`) of a block of lines, by Arrow's CSV reader."""
    names = [str(i) for i in range(len(plan.header.names))]
    if content[:1] in {b"", b"\r", b"\n"} and not content.strip():
        return pa.table([pa.array([], t) for t in types.values()], names=[str(i) for i in types])
    return csv.read_csv(
        pa.BufferReader(content),
        read_options=csv.ReadOptions(
            column_names=names, use_threads=False, block_size=max(len(content) + 1, 1 << 12)
        ),
        parse_options=csv.ParseOptions(
            delimiter=DELIMITERS[plan.header.delimiter].decode(),
            quote_char='"' if plan.header.quoted else False,
        ),
        convert_options=csv.ConvertOptions(
            column_types={str(i): t for i, t in types.items()},
            include_columns=[str(i) for i in types],
            null_values=list(MISSING),
            strings_can_be_null=True,
        ),
    ).combine_chunks()


def _whole_positions(table: pa.Table, plan: Plan) -> pa.Table:
    """Positions as whole numbers; raises ArrowInvalid when one is not a whole number ≥ 0."""
    for i, wanted in enumerate(plan.wanted):
        if wanted.kind == "position":
            whole = table.column(i).cast(pa.int64())
            if (least := pc.min(whole).as_py()) is not None and least < 0:
                raise pa.ArrowInvalid(f"{least} in column {wanted.source}")
            table = table.set_column(i, table.schema.field(i).name, whole)
    return table


def _line_numbers(block: LineBlock) -> npt.NDArray[np.uint64] | None:
    """Line of each row where the block holds empty lines; None where rows are consecutive."""
    content = block.content
    if b"\n\n" not in content and b"\n\r\n" not in content and content[:1] not in {b"\n", b"\r"}:
        return None
    filled = [bool(line.strip(b"\r")) for line in content.split(b"\n")]
    return np.flatnonzero(filled).astype(np.uint64) + np.uint64(block.first_line)


def single_blanks(content: bytes) -> bytes:
    """Runs of spaces and tabs as one space, none at the ends of a line."""
    if b"\t" in content:
        content = content.replace(b"\t", b" ")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    if b"  " not in content and b"\n " not in content and b" \n" not in content and content[:1] != b" ":
        return content.rstrip(b" ")
    signs = np.frombuffer(content, np.uint8)
    blank = signs == 32
    behind = np.empty_like(blank)  # the sign before is a blank or a line end, or there is none
    behind[0] = True
    np.logical_or(blank[:-1], signs[:-1] == 10, out=behind[1:])
    slim = signs[~(blank & behind)].tobytes()
    return slim.replace(b" \n", b"\n").rstrip(b" ")


def _check_quotes(content: bytes, block: LineBlock, plan: Plan) -> None:
    signs = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(signs == 10)
    open_quotes = np.searchsorted(np.flatnonzero(signs == 34), np.append(ends, len(signs))) & 1
    if open_quotes.any():
        line = block.first_line + int(open_quotes.argmax())
        raise FormatError(
            "a quote that is not closed on its line",
            where=f"{plan.file}, line {line}",
            expected='quotes in pairs ("…"), no line break inside',
            todo="Close or remove it.",
        )


def _with_exact_p(table: pa.Table, content: bytes, plan: Plan) -> pa.Table:
    """Add −log₁₀ p from the text where float64 does not hold p; null elsewhere."""
    wanted = next((w for w in plan.wanted if w.name == "p_value"), None)
    if wanted is None or "neg_log_10_p_value" in table.column_names:
        return table
    exact = pa.nulls(table.num_rows, pa.float64())
    p = table["p_value"].to_numpy()
    tiny = np.flatnonzero((p >= 0) & (p < EXACT_P))
    if len(tiny):
        text = _read(content, plan, {wanted.index: pa.string()}).column(0).take(pa.array(tiny))
        coded = text.combine_chunks().dictionary_encode()
        values = np.array([neg_log_10(t) for t in coded.dictionary.to_pylist()])
        filled = np.full(table.num_rows, np.nan)
        filled[tiny] = values[coded.indices.to_numpy()]
        exact = pa.array(filled, from_pandas=True)
    return table.append_column("neg_log_10_p_value", exact)


def _span(block: LineBlock, plan: Plan) -> str:
    return f"{plan.file}, lines {block.first_line} to {block.first_line + block.lines - 1}"


def _parse_carefully(
    block: LineBlock, plan: Plan, lines: npt.NDArray[np.uint64] | None, error: pa.ArrowInvalid
) -> tuple[pa.Table, list[Problem]]:
    """A block the fast path refused: every wanted column as text, then read cell by cell."""
    try:
        raw = _read(block.content, plan, {w.index: pa.binary() for w in plan.wanted})
    except pa.ArrowInvalid:
        raise _ragged(block, plan, error) from None
    if lines is None:
        lines = np.arange(block.first_line, block.first_line + raw.num_rows, dtype=np.uint64)
    problems: list[Problem] = []
    columns = []
    for wanted, column in zip(plan.wanted, raw.columns, strict=True):
        text = _as_text(column.combine_chunks(), wanted, lines, plan)
        values, unread, expected = convert_text(text, wanted.kind)
        for i in unread[:_PROBLEMS_PER_COLUMN].tolist():
            found = repr(text[i].as_py()[:40])
            problems.append(Problem(int(lines[i]), wanted.source, found, expected))
        columns.append(values)
    return pa.table(columns, names=raw.column_names), problems


def _as_text(
    raw: pa.BinaryArray, wanted: Wanted, lines: npt.NDArray[np.uint64], plan: Plan
) -> pa.StringArray:
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        for i, value in enumerate(raw.to_pylist()):
            try:
                (value or b"").decode()
            except UnicodeDecodeError:
                where = f"{plan.file}, line {lines[i]}, column {wanted.source}"
                raise _not_text("utf-8", where) from None
        raise


def convert_text(text: pa.StringArray, kind: Kind) -> tuple[pa.Array, npt.NDArray[np.int64], str]:
    """Text as a column of a kind: values, the rows that cannot be read (null there), what was expected."""
    none = np.empty(0, np.int64)
    if kind == "text":
        return text, none, ""
    if kind == "category":
        return text.dictionary_encode().cast(ARROW_TYPES["category"]), none, ""
    trimmed = pc.utf8_trim_whitespace(text)
    missing = pc.is_in(trimmed, value_set=pa.array([*MISSING, "-"]), skip_nulls=True)
    trimmed = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    readable = pc.match_substring_regex(trimmed, _NUMBER)
    numbers = pc.if_else(readable, trimmed, pa.scalar(None, pa.string())).cast(pa.float64())
    bad = pc.fill_null(pc.invert(readable), fill_value=False).to_numpy(zero_copy_only=False)
    if kind == "number":
        return numbers, np.flatnonzero(bad), "a number"
    values = numbers.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        odd = ~np.isnan(values) & ~((values % 1 == 0) & (values >= 0) & (values < _MAX_EXACT_INTEGER))
    whole = np.where(odd | np.isnan(values), 0, values).astype(np.int64)
    positions = pa.array(whole, mask=odd | np.isnan(values))
    return positions, np.flatnonzero(bad | odd), "a whole number ≥ 0"


def _ragged(block: LineBlock, plan: Plan, error: pa.ArrowInvalid) -> FormatError:
    """What is wrong with the shape of a block: the first line whose cells are not as many as the header's."""
    header = plan.header
    for i, raw in enumerate(block.content.split(b"\n")):
        text = raw.decode(errors="replace").removesuffix("\r")
        cells = len(split_line(text, header.delimiter, quoted=header.quoted))
        if text and cells != len(header.names):
            return FormatError(
                f"{cells} columns",
                where=f"{plan.file}, line {block.first_line + i}",
                expected=f"{len(header.names)}, as in line {header.line} (separator: {header.delimiter})",
                todo="The line is cut off or has a stray separator. Is it another one? Say --delimiter.",
            )
    return FormatError(
        str(error).partition("\n")[0][:200], where=_span(block, plan), expected="rows like the header"
    )
