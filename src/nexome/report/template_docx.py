"""Filling a DOCX template: single words in paragraphs and cells, table rows with a group repeated with their style.

A placeholder may be split over runs by a word processor: the paragraph's text then takes the look of its first run.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from nexome.formats.document import check_archive
from nexome.model.errors import FormatError
from nexome.report.self_assessment import Filling, check_placeholders, group_of, placeholders


def load_template(path: Path) -> Any:
    """A document that is a template. Raises FormatError for what is no DOCX, has macros, or no (known) placeholder."""
    check_archive(path)
    import docx  # noqa: PLC0415  only DOCX files need it
    from docx.opc.exceptions import PackageNotFoundError  # noqa: PLC0415

    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, KeyError, ValueError, SyntaxError):  # the last: broken XML
        raise FormatError("not a DOCX file", where=str(path), expected="a Word document") from None
    texts = [(f"paragraph {i}", paragraph.text) for i, paragraph in enumerate(_paragraphs(document), 1)]
    check_placeholders(texts, str(path))
    return document


def fill_document(document: Any, filling: Filling) -> bytes:
    """The document, filled, as the bytes of a DOCX."""
    for table in list(_tables(document)):
        _fill_table(table, filling)
    for paragraph in _paragraphs(document):
        _fill_paragraph(paragraph, filling, None)
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def _tables(container: Any) -> Iterator[Any]:
    """The tables of a document or cell, and those within their cells."""
    for table in container.tables:
        yield table
        for row in table.rows:
            for cell in row.cells:
                yield from _tables(cell)


def _paragraphs(document: Any) -> Iterator[Any]:
    yield from document.paragraphs
    for table in _tables(document):
        for row in table.rows:
            for cell in row.cells:
                yield from cell.paragraphs
    for section in document.sections:
        yield from section.header.paragraphs
        yield from section.footer.paragraphs


def _fill_table(table: Any, filling: Filling) -> None:
    from docx.table import _Row  # noqa: PLC0415

    for row in list(table.rows):
        group = group_of(" ".join(cell.text for cell in row.cells))
        if not group:
            continue
        made = []
        for values in filling.rows[group]:
            copied = deepcopy(row._tr)  # noqa: SLF001  python-docx copies no rows by itself
            row._tr.addprevious(copied)  # noqa: SLF001
            made.append((_Row(copied, table), values))
        merged = [any(merge for _, merge in placeholders(cell.text)) for cell in row.cells]
        table._tbl.remove(row._tr)  # noqa: SLF001
        for new, values in made:
            for cell in new.cells:
                for paragraph in cell.paragraphs:
                    _fill_paragraph(paragraph, filling, values)
        _merge_equal([new for new, _ in made], merged)


def _fill_paragraph(paragraph: Any, filling: Filling, row: dict[str, str] | None) -> None:
    text = paragraph.text
    if not placeholders(text) or (row is None and group_of(text)):
        return
    if "".join(run.text for run in paragraph.runs) != text:
        raise FormatError(
            "a placeholder in a paragraph with a link or field",
            where=f"the text {text[:60]!r}",
            expected="plain text there",
        )
    first, *rest = paragraph.runs
    for run in rest:
        run.text = ""
    first.text = filling.fill(text, row)


def _merge_equal(rows: list[Any], merged: list[bool]) -> None:
    """Join equal cells below one another in the marked columns, within what was joined to their left."""
    borders = {0, len(rows)}
    for column in (i for i, asked in enumerate(merged) if asked):
        first = 0
        texts = [row.cells[column].text for row in rows]
        for at in range(1, len(rows) + 1):
            if at < len(rows) and at not in borders and texts[at] == texts[first]:
                continue
            for row in rows[first + 1 : at]:
                for paragraph in row.cells[column].paragraphs:
                    paragraph.clear()
            if at - first > 1:
                _join(rows[first:at], column)
            borders.add(at)
            first = at


def _join(rows: list[Any], column: int) -> None:
    """Mark cells of one column as one (vMerge): python-docx's own merge reads the whole table each time."""
    from docx.oxml.ns import qn  # noqa: PLC0415
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415

    for number, row in enumerate(rows):
        properties = row._tr.tc_lst[column].get_or_add_tcPr()  # noqa: SLF001
        mark = OxmlElement("w:vMerge")
        mark.set(qn("w:val"), "continue" if number else "restart")
        before = [
            found for name in ("w:tcW", "w:gridSpan") if (found := properties.find(qn(name))) is not None
        ]
        if before:  # the schema wants this order
            before[-1].addnext(mark)
        else:
            properties.insert(0, mark)
