"""Plain text with its layout: tables as tabs, spaces, HTML cells or broken lines, as converters do."""

from __future__ import annotations

from pathlib import Path

from nexome.formats.document import Line, numbered
from nexome.model.errors import FormatError


def read(path: Path) -> tuple[tuple[Line, ...], None]:
    """Lines of a text file, UTF-8 (with or without mark) or GB 18030; FormatError for anything else."""
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            if encoding.startswith("utf-8") and error.start > 0 and error.reason == "unexpected end of data":
                break  # UTF-8 to its last character, which is cut: as GB 18030 it would be read as nonsense
            continue
        if "\x00" not in text and text.strip():
            return numbered((line, 0) for line in text.split("\n")), None
    raise _unreadable(path, content)


def _unreadable(path: Path, content: bytes) -> FormatError:
    """Names the line of the first byte that is no UTF-8, where what comes before it is text."""
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if b"\x00" not in content and error.start > 0:
            cut = error.reason == "unexpected end of data"
            found = (
                "the file ends within a character"
                if cut
                else f"a byte that is no text, 0x{content[error.start]:02x}"
            )
            todo = "Send it again: its end is missing." if cut else "Save it as UTF-8."
            return FormatError(
                found, where=f"{path}, line {line}", expected="text in UTF-8 or GB 18030", todo=todo
            )
    return FormatError("no readable text", where=str(path), expected="text in UTF-8 or GB 18030")
