"""Which format a cohort's file is in, and its reader. The first bytes tell, never a name alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Final

from nexome.formats.cohorts.added import of_visit
from nexome.formats.cohorts.delimited import open_delimited
from nexome.formats.cohorts.excel import open_excel
from nexome.formats.cohorts.parquet import open_parquet
from nexome.formats.cohorts.phenopackets import holds_packets, open_phenopackets
from nexome.formats.cohorts.reader import CohortOptions, CohortReader
from nexome.formats.cohorts.redcap import with_visits
from nexome.formats.cohorts.statistics_files import READERS, open_statistics
from nexome.formats.stream import STDIN, open_stream
from nexome.model.errors import FormatError, InputError, NotFoundError

FORMATS: Final = ("delimited", "xlsx", "parquet", *READERS, "phenopackets")
_LOOK: Final = 8192
_MAGIC: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = (
    (re.compile(rb"PAR1"), "parquet"),
    (re.compile(rb"\$FL2"), "sav"),
    (re.compile(rb"\$FL3"), "zsav"),
    (re.compile(rb"HEADER RECORD\*{7}(LIBRARY|LIBV8) "), "xpt"),
    (re.compile(rb"\x00{12}\xc2\xea\x81\x60"), "sas7bdat"),
    (re.compile(rb"<stata_dta>"), "dta"),
    (re.compile(rb"[\x69\x6c\x6e\x6f\x71-\x76][\x01\x02]\x01\x00"), "dta"),
    (re.compile(rb"(?s).{0,200}ASCII SPSS PORT FILE"), "por"),
    (re.compile(rb"(?s)PK\x03\x04.{26,200}?(\[Content_Types\]\.xml|_rels/|docProps/|xl/)"), "xlsx"),
)
# What is handed over by mistake: first bytes, what it is, what to do.
_REFUSED: Final[tuple[tuple[bytes, str, str], ...]] = (
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook (.xls), or one with a password",
        "Save it as XLSX, without a password.",
    ),
    (b"\x89HDF", "an HDF5 file", "Write the table in it as CSV or Parquet."),
    (b"ARROW1", "an Arrow file", "Write it as Parquet."),
    (b"%PDF", "a PDF document", "Give the table itself as a file."),
    (b"RDX", "an R data file", "Write the table with write.csv or haven::write_sav."),
    (b"SQLite format 3", "an SQLite database", "Write the table in it as CSV."),
    (b"<!DOCTYPE html", "a web page", "Was a log-in page saved? Fetch the file again."),
    (b"<html", "a web page", "Was a log-in page saved? Fetch the file again."),
    (b"\x7fELF", "a program", "Give the table itself as a file."),
)


def open_cohort(
    path: Path | str, options: CohortOptions | None = None, *, stdin: IO[bytes] | None = None
) -> CohortReader:
    """Open a cohort's file ('-': standard input, text alone) of any known format; a folder of phenopackets.

    Raises NotFoundError when there is no file, FormatError when it is none that is read, InputError for an
    unknown option.
    """
    options = options or CohortOptions()
    if options.format and options.format not in FORMATS:
        raise InputError(f"--format {options.format[:40]!r}", expected="one of " + ", ".join(FORMATS))
    reader = _opened(path, options, stdin)
    if not options.visit:
        return reader
    try:
        return of_visit(reader, options.visit)
    except InputError:
        reader.close()
        raise


def _opened(path: Path | str, options: CohortOptions, stdin: IO[bytes] | None) -> CohortReader:
    if str(path) == STDIN:
        return with_visits(open_delimited(path, options, stdin=stdin))
    path = Path(path)
    if not path.exists():
        raise NotFoundError("there is no such file", where=str(path))
    kind = options.format or ("phenopackets" if path.is_dir() else _kind_of(path))
    if kind == "xlsx":
        return with_visits(open_excel(path, options))
    if kind == "parquet":
        return open_parquet(path, options)
    if kind == "phenopackets":
        return open_phenopackets(path, options)
    if kind in READERS:
        return open_statistics(path, kind, options)
    return with_visits(open_delimited(path, options))


def _kind_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(_LOOK)
    except OSError as error:
        raise InputError(f"cannot open it: {error.strerror}", where=str(path)) from None
    if not head:
        raise FormatError("the file is empty", where=str(path), expected="a table with a header and rows")
    if kind := _by_bytes(head, path):
        return kind
    source = open_stream(path, text=False)
    try:
        unpacked = source.peek_bytes(_LOOK)
    finally:
        source.close()
    inner = _by_bytes(unpacked, path)
    if inner and source.kind != "plain" and inner != "phenopackets":
        raise FormatError(
            f"a {inner} file packed with {source.kind}",
            where=str(path),
            expected="the file itself",
            todo="Unpack it first.",
        )
    return inner or "delimited"


def _by_bytes(head: bytes, path: Path) -> str:
    if head[30:38] == b"mimetype" and head.startswith(b"PK\x03\x04"):
        todo = "Save the sheet as XLSX or CSV."
        raise FormatError("an OpenDocument file", where=str(path), expected="a table of a cohort", todo=todo)
    for magic, what, todo in _REFUSED:
        if head.startswith(magic):
            raise FormatError(f"this is {what}", where=str(path), expected="a table of a cohort", todo=todo)
    found = next((kind for pattern, kind in _MAGIC if pattern.match(head)), "")
    return found or ("phenopackets" if holds_packets(head) else "")
