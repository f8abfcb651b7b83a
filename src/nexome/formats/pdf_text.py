"""PDF with a text layer: table rows as tabbed cells where rules are drawn, other text line by line.

A scanned PDF has no text; that is said, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexome.formats.document import Line, numbered
from nexome.model.errors import FormatError


def read(path: Path) -> tuple[tuple[Line, ...], None]:
    """Lines of all pages, top to bottom; FormatError for a damaged, locked or scanned file."""
    import pdfplumber  # noqa: PLC0415  half a second, and only PDFs need it
    from pdfminer.pdfexceptions import PDFException  # noqa: PLC0415
    from pdfplumber.utils.exceptions import PdfminerException  # noqa: PLC0415

    texts: list[tuple[str, int]] = []
    try:
        with pdfplumber.open(path) as pdf:
            for number, page in enumerate(pdf.pages, 1):
                texts += [(text, number) for text in _page_lines(page)]
                page.close()
    except (PDFException, PdfminerException, ValueError, KeyError) as error:
        raise FormatError(
            f"a PDF that cannot be read ({type(error).__name__})",
            where=str(path),
            expected="a whole PDF, not locked",
        ) from None
    if not any(text.strip() for text, _ in texts):
        raise FormatError(
            "a PDF without any text: a scan",
            where=str(path),
            expected="a PDF with a text layer",
            todo="Ask for the original, or run text recognition and check its result before importing.",
        )
    return numbered(texts), None


def _page_lines(page: Any) -> Iterator[str]:
    """Table rows and the lines between them, by their height on the page."""
    tables = page.find_tables()
    placed: list[tuple[float, str]] = []
    for table in tables:
        rows = zip(table.rows, table.extract(), strict=True)
        placed += [(row.bbox[1], "\t".join(_one_line(cell) for cell in cells)) for row, cells in rows]
    boxes = [table.bbox for table in tables]
    outside = page.filter(lambda thing: not any(_within(thing, box) for box in boxes))
    placed += [(line["top"], line["text"]) for line in outside.extract_text_lines(return_chars=False)]
    return (text for _, text in sorted(placed, key=lambda item: item[0]))


def _within(thing: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    """Whether the middle of a character lies in a table: a line set close below a rule is no part of it."""
    across, down = (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2
    return box[0] <= across <= box[2] and box[1] <= down <= box[3]


def _one_line(cell: str | None) -> str:
    return "" if cell is None else "".join(cell.split("\n")).replace("\t", " ")
