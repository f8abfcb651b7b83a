"""A document of the outside world as numbered lines of cells, whatever kind of file it was.

Line numbers count from 1: lines of a text file, lines of the whole PDF's text, paragraphs and table rows of a
DOCX, rows of an XLSX. `page` is 0 where a format has none. The readers of each kind stand in files of
their own (layout_text, pdf_text, docx_cells, xlsx_cells, plain_cells); this one tells the kinds apart and
knows what is refused.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from nexome.formats.stream import sha256_of
from nexome.model.errors import FormatError

# The papers read so far are 0.2 MB at most; a file beyond this is something else.
MAX_BYTES: Final = 100 << 20
MAX_UNPACKED_BYTES: Final = 300 << 20
# OOXML text packs about 10:1 to 40:1; beyond this only a bomb does.
MAX_RATIO: Final = 200

_READERS: Final = {
    ".txt": "layout_text",
    ".md": "layout_text",
    ".pdf": "pdf_text",
    ".docx": "docx_cells",
    ".xlsx": "xlsx_cells",
    ".csv": "plain_cells",
    ".yaml": "plain_cells",
    ".yml": "plain_cells",
    ".json": "plain_cells",
    ".parquet": "plain_cells",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, its text as it stands, and its page (0: none)."""

    number: int
    text: str
    page: int = 0

    @property
    def cells(self) -> list[str]:
        """The cells between tabs, trimmed; a line without a tab has one."""
        return [cell.strip() for cell in self.text.split("\t")]


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its name, kind, SHA-256, and lines; `values` where the file is data already."""

    name: str
    kind: str
    sha256: str
    lines: tuple[Line, ...]
    values: object = None


def read_document(path: Path) -> Document:
    """Read a file by its ending.

    Raises FormatError for an empty or too large file, an unknown kind, a damaged file, a PDF without text,
    a DOCX or XLSX with macros, and an archive that unpacks to far more than it should.
    """
    reader = _READERS.get(path.suffix.lower())
    if path.suffix.lower() in {".docm", ".xlsm"}:
        raise macros(path)
    if reader is None:
        raise FormatError(
            f"a file of kind {path.suffix or 'none'}",
            where=str(path),
            expected=", ".join(sorted(_READERS)),
            todo="Save the paper as one of these and import that.",
        )
    size = path.stat().st_size
    if size == 0:
        raise FormatError("an empty file", where=str(path), expected="a budget or target paper")
    if size > MAX_BYTES:
        raise FormatError(
            f"{size / 1e6:,.0f} MB", where=str(path), expected=f"a paper of at most {MAX_BYTES / 1e6:,.0f} MB"
        )
    sha256 = sha256_of(path)
    module = import_module(f"nexome.formats.{reader}")
    try:
        lines, values = module.read(path)
    except SyntaxError:  # what both XML readers raise for a part that is no whole XML
        raise FormatError(
            "a file with a broken part inside",
            where=str(path),
            expected="a whole file",
            todo="Send it again.",
        ) from None
    return Document(path.name, path.suffix.lower()[1:], sha256, lines, values)


def numbered(texts: Iterable[tuple[str, int]]) -> tuple[Line, ...]:
    """Lines from (text, page), numbered from 1; control characters that no text needs become spaces."""
    return tuple(
        Line(i, text.rstrip("\r\n").replace("\x0c", " "), page) for i, (text, page) in enumerate(texts, 1)
    )


def check_archive(path: Path, most_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Raise FormatError unless an OOXML file is a whole ZIP, without macros, that unpacks to a sane size.

    `most_bytes`: all of it unpacked, at most.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise FormatError(
            "not a whole ZIP archive", where=str(path), expected="a DOCX or XLSX file", todo="Send it again."
        ) from None
    if any(member.filename.lower().endswith("vbaproject.bin") for member in members):
        raise macros(path)
    unpacked = sum(member.file_size for member in members)
    if unpacked > most_bytes or any(m.file_size > MAX_RATIO * max(m.compress_size, 4096) for m in members):
        raise FormatError(
            f"an archive that unpacks to {unpacked / 1e6:,.0f} MB",
            where=str(path),
            expected=f"at most {most_bytes / 1e6:,.0f} MB and no part packed {MAX_RATIO}:1 or more",
        )


def macros(path: Path) -> FormatError:
    """The refusal of a file that carries macros."""
    return FormatError(
        "a file with macros",
        where=str(path),
        expected="a document without macros",
        todo="Save it as plain DOCX or XLSX and import that.",
    )
