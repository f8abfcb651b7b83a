"""DOCX: paragraphs as lines, table rows as tabbed cells; a merged cell stands once. Macros are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexome.formats.document import Line, check_archive, numbered
from nexome.model.errors import FormatError


def read(path: Path) -> tuple[tuple[Line, ...], None]:
    """Lines of the body in order; FormatError for a file that is no DOCX or carries macros."""
    check_archive(path)
    import docx  # noqa: PLC0415  only DOCX files need it
    from docx.opc.exceptions import PackageNotFoundError  # noqa: PLC0415

    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, KeyError, ValueError):
        raise FormatError("not a DOCX file", where=str(path), expected="a Word document") from None
    return numbered((text, 0) for text in _lines(document)), None


def _lines(document: Any) -> Iterator[str]:
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            seen: set[Any] = set()
            for row in block.rows:
                yield "\t".join(_once(cell, seen) for cell in row.cells)
            yield ""
        else:
            yield from block.text.split("\n")


def _once(cell: Any, seen: set[Any]) -> str:
    """A cell's text at its first place, nothing at the places merged into it."""
    if cell._tc in seen:  # noqa: SLF001  python-docx has no public name for 'the same merged cell'
        return ""
    seen.add(cell._tc)  # noqa: SLF001
    return " ".join(cell.text.split())
