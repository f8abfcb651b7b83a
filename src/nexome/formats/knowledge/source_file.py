"""One file being read as knowledge: its lines, its table, or all of it, and what it says of itself."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from nexome.formats.stream import ByteStream
from nexome.model.errors import FormatError

HEAD_LINES: Final = 60
HEAD_BYTES: Final = 1 << 16
MAX_WHOLE_BYTES: Final = 512 << 20  # a document that must be read whole takes five to ten times its size
_BLOCK: Final = 1 << 20
_SKIPPED: Final = "﻿"

csv.field_size_limit(1 << 24)


@dataclass(frozen=True, slots=True)
class KnowledgeOptions:
    """What a person may say of a file; what is empty is told by the file.

    `format`: a name of recognise.FORMATS. `prefix`: put before identifiers that have none (`I21` →
    `ICD10:I21`). `language`: of labels. `mapping`: term of a table (id, label, synonyms, definition,
    parent, subject, predicate, object …) → column. `predicate`: of an edge list without such a column.
    """

    format: str = ""
    prefix: str = ""
    language: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    predicate: str = ""


@dataclass(frozen=True, slots=True)
class DelimitedTable:
    """A head and rows with the line of each; rows are as long as the head, missing cells ''."""

    head: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows by name of column."""
        return ((line, dict(zip(self.head, row, strict=True))) for line, row in self.rows)


@dataclass(slots=True)
class KnowledgeFile:
    """An opened file, and its first characters.

    `facts`: what readers find that it says of itself (release, licence, title).
    """

    path: Path
    stream: ByteStream
    options: KnowledgeOptions
    facts: dict[str, str] = field(default_factory=dict)
    head: str = field(init=False)

    def __post_init__(self) -> None:
        # Taken once: a peek while lines are being read would take lines away from their reader.
        start = self.stream.peek_bytes(HEAD_BYTES)[:HEAD_BYTES]
        self.head = start.decode("utf-8", "replace").lstrip(_SKIPPED)

    @property
    def stem(self) -> str:
        """Its name without endings."""
        return self.path.name.partition(".")[0]

    def lines(self) -> Iterator[tuple[int, str]]:
        """All lines with their numbers, without line ends."""
        for block in self.stream.blocks(_BLOCK):
            text = block.content.decode("utf-8", "replace")
            if block.first_line == 1:
                text = text.lstrip(_SKIPPED)
            lines = text.split("\n")
            if not lines[-1]:
                lines.pop()
            yield from enumerate((line.removesuffix("\r") for line in lines), block.first_line)

    def table(self, delimiter: str, *, comment: str = "", head: tuple[str, ...] = ()) -> DelimitedTable:
        """A delimited table; `comment`: how lines before the head begin; `head`: of a file without one.

        Quotes mean something in comma separated tables alone. A line feed within quotes is read.
        """
        lines = self.lines()
        if comment:
            lines = self._without_comments(lines, comment)
        if not head:
            first = next(((n, t) for n, t in lines if t.strip()), (0, ""))[1]
            cells = next(csv.reader([first]), []) if delimiter == "," else first.split(delimiter)
            head = tuple(cell.strip().strip('"') for cell in cells)
        rows = _quoted(lines) if delimiter == "," else ((n, t.split(delimiter)) for n, t in lines if t)
        return DelimitedTable(head, _even(rows, len(head)))

    def json(self) -> Any:
        """The whole of a JSON document. Raises FormatError with the line where it is none, or too large."""
        content = self.whole()
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise FormatError(
                f"line {error.lineno}, column {error.colno}: {error.msg}",
                where=str(self.path),
                expected="a JSON document",
            ) from None

    def whole(self) -> bytes:
        """All its bytes, without a byte order mark. Raises FormatError for more than MAX_WHOLE_BYTES."""
        content = self.stream.read_bytes(MAX_WHOLE_BYTES + 1)
        if len(content) > MAX_WHOLE_BYTES:
            raise FormatError(
                f"more than {MAX_WHOLE_BYTES >> 20} MiB",
                where=str(self.path),
                expected="a document that fits in memory",
                todo="Take the same source as OBO or as tables, which are read in pieces.",
            )
        return content.removeprefix(_SKIPPED.encode())

    def require(self, head: tuple[str, ...], *columns: str) -> None:
        """Raises FormatError naming the columns a table lacks."""
        if missing := [column for column in columns if column not in head]:
            raise FormatError(
                f"no column {', '.join(missing)}",
                where=str(self.path),
                expected=", ".join(columns),
                todo=f"The head has: {', '.join(head[:20])}.",
            )

    def prefixed(self, local: str) -> str:
        """An identifier with the prefix that was said, where it has none of its own."""
        local = local.strip()
        bare = self.options.prefix and ":" not in local and local
        return f"{self.options.prefix}:{local}" if bare else local

    def _without_comments(self, lines: Iterator[tuple[int, str]], comment: str) -> Iterator[tuple[int, str]]:
        for number, line in lines:
            if not line.startswith(comment):
                return itertools.chain([(number, line)], lines)
        return iter(())


def _quoted(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows of comma separated lines, each with the line it ends on."""
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for number, text in lines:  # noqa: B007  the number is read outside
            yield text + "\n"

    for row in csv.reader(texts()):
        if row:
            yield number, row


def _even(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    for line, row in rows:
        missing = width - len(row)
        yield line, row if not missing else row + [""] * missing if missing > 0 else row[:width]
