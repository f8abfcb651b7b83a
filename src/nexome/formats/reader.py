"""What every reader of association files gives: batches of rows under GWAS-SSF names, with their lines.

A reader changes no number and drops no row in silence: rows a format sets aside (REGENIE's other
tests, PLINK's error rows) come as `Dropped`, cells that cannot be read as `Problem`. Harmonising is
the business of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.model.errors import FormatError

if TYPE_CHECKING:
    from nexome.formats.stream import ByteStream

BLOCK_BYTES: Final = (
    8 << 20
)  # of decompressed text: about 10⁵ rows, small beside memory, large beside overhead


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person may say about a file; everything left empty is taken from the file itself.

    `format`: name of a format of `recognise.FORMATS`, else recognised. `mapping`: term → source
    column, and stronger than any rule. `ignore`: source columns to leave unread. `delimiter`: one of
    delimited.DELIMITERS. `encoding`: one of delimited.ENCODINGS. `bim`: PLINK .bim with the alleles
    a PLINK 1.9 file lacks. `sidecar`: the -meta.yaml of a GWAS-SSF file when it does not lie beside
    it. `test`: the value of a TEST column that is kept.
    """

    format: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    delimiter: str = ""
    encoding: str = "utf-8"
    bim: Path | None = None
    sidecar: Path | None = None
    test: str = "ADD"
    block_bytes: int = BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One source column, the term it is read as, and the rule that says so (for the receipt)."""

    source: str
    term: str
    rule: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One cell that cannot be read: it is null in the table, and the row's line stands here."""

    line: int
    column: str
    found: str
    expected: str

    def as_error(self, file: str) -> FormatError:
        """For formats that take no row without all its cells."""
        return FormatError(
            f"{self.found} in column {self.column}",
            where=f"{file}, line {self.line}",
            expected=self.expected,
            todo="Mend or remove the line.",
        )


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows a format sets aside by a rule of its own, with their lines (uint64)."""

    rule: str
    lines: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Rows of one stretch of a file. `table` has columns named and typed as in columns.TERMS.

    Rows are consecutive from `first_line`, unless the table has a column `line` (uint64).
    """

    first_line: int
    table: pa.Table
    problems: tuple[Problem, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    def lines(self) -> npt.NDArray[np.uint64]:
        """Line number of each row in the (decompressed) file, 1-based, uint64 [rows]."""
        if "line" in self.table.column_names:
            return self.table["line"].to_numpy()
        return np.arange(self.first_line, self.first_line + self.table.num_rows, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Reader:
    """An opened association file. Iterate once over its batches; `stream.sha256` is known after the last.

    `format`, `version`: as recognised. `columns`: how each source column is read; `unused`: source
    columns left unread. `metadata`: what the file itself says ('build', 'n', 'trait', the
    YAML of a sidecar …). `schema`: Arrow schema of every batch (less `line`).
    """

    format: str
    version: str
    stream: ByteStream
    columns: tuple[ColumnUse, ...]
    unused: tuple[str, ...]
    schema: pa.Schema
    metadata: dict[str, Any]
    batches: Iterator[RawBatch]

    def __iter__(self) -> Iterator[RawBatch]:
        return self.batches

    def close(self) -> None:
        """Let go of the file."""
        self.stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
