"""Dictionaries of Opal and Maelstrom: a workbook with the sheets Variables and Categories.

Labels by language (`label:en`, `label:zh`), Opal's value types, units as text, categories with `missing`,
terms of taxonomies left out but for columns that hold CURIEs (`ontology`, `terms`). Repeatable variables
are refused: their values are lists. Several tables in one workbook must be told apart by `table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nexome.formats.dictionary.rows import Rows, read_rows, sheet_names
from nexome.model.cohorts import NUMERIC, Category, Dictionary, Variable, VariableType
from nexome.model.errors import FormatError

_TYPES: Final[Mapping[str, VariableType]] = {
    "integer": "integer",
    "decimal": "decimal",
    "text": "text",
    "boolean": "boolean",
    "date": "date",
    "datetime": "date",
    "locale": "text",
}
_TRUE: Final = frozenset({"1", "true", "yes", "y"})


def read(path: Path) -> Dictionary:
    """The dictionary in a workbook. Raises FormatError naming sheet, row and what was expected."""
    rows = read_rows(path, "Variables")
    _one_table(rows)
    categories = _categories(path) if "Categories" in sheet_names(path) else {}
    variables = [_variable(row, categories.pop(row.get("name", ""), ()), where) for where, row in rows]
    if categories:
        raise FormatError(
            f"categories of variables that are not there: {', '.join(list(categories)[:5])[:200]}",
            where=f"{path}, sheet Categories",
            expected="variables of the sheet Variables",
        )
    return Dictionary(tuple(variables))


def _one_table(rows: Rows) -> None:
    if "name" not in rows.names or "valueType" not in rows.names:
        raise FormatError("no columns name and valueType", where=rows.file, expected="Opal's sheet Variables")
    tables = {row.get("table", "") for _, row in rows}
    if len(tables) > 1:
        raise FormatError(
            f"{len(tables)} tables in one dictionary: {', '.join(sorted(tables)[:5])[:200]}",
            where=rows.file,
            expected="one table",
            todo="Give a workbook for each table.",
        )


def _categories(path: Path) -> dict[str, tuple[Category, ...]]:
    found: dict[str, tuple[Category, ...]] = {}
    for where, row in read_rows(path, "Categories"):
        variable, code = row.get("variable", ""), row.get("name", "")
        if not variable or not code:
            raise FormatError("a category without variable or name", where=where, expected="both")
        missing = row.get("missing", "").lower() in _TRUE
        category = Category(code, _label(row, "en"), _label(row, "zh"), missing=missing)
        found[variable] = (*found.get(variable, ()), category)
    return found


def _variable(row: Mapping[str, str], categories: tuple[Category, ...], where: str) -> Variable:
    stated = row["valueType"].lower() or "text"
    if stated not in _TYPES:
        raise FormatError(
            f"a value type {stated[:40]!r}", where=f"{where}, column valueType", expected=", ".join(_TYPES)
        )
    if row.get("repeatable", "").lower() in _TRUE:
        raise FormatError("a repeatable variable", where=where, expected="one value a row")
    kind = _TYPES[stated]
    if kind in {"integer", "text"} and any(not c.missing for c in categories):
        kind = "category"
    terms = row.get("terms", "") or row.get("ontology", "")
    return Variable(
        row["name"],
        kind,
        label=_label(row, "en"),
        label_zh=_label(row, "zh"),
        unit=row.get("unit", "") if kind in NUMERIC else "",
        categories=categories if kind != "boolean" else tuple(c for c in categories if c.missing),
        terms=tuple(t.strip() for t in terms.replace(",", "|").split("|") if ":" in t),
        question=row.get("description:en", "") or row.get("description:zh", "") or row.get("description", ""),
    )


def _label(row: Mapping[str, str], language: str) -> str:
    tags = ("zh", "zh-CN", "zh-Hans") if language == "zh" else (language,)
    spellings = [f"label{sign}{tag}" for tag in tags for sign in (":", "::", "_")]
    found = next((row[s] for s in spellings if row.get(s)), "")
    return found or (row.get("label", "") if language == "en" else "")
