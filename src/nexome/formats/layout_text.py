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
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and text.strip():
            return numbered((line, 0) for line in text.split("\n")), None
    raise FormatError("no readable text", where=str(path), expected="text in UTF-8 or GB 18030")
