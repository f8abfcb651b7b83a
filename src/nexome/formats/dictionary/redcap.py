"""REDCap's data dictionary (the CSV that "Download the current Data Dictionary" gives, in English headings).

Checkbox fields become one yes/no variable a choice, named as exports name them (`field___code`). Descriptive
fields hold nothing and are left out. The first field is the participant. Field types and validations are
those of REDCap 14; matrix, branching logic and calculations are not read.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from nexome.formats.cohorts.units import unit_of_header
from nexome.formats.dictionary.rows import Rows
from nexome.model.cohorts import NUMERIC, Category, Dictionary, Sensitivity, Variable, VariableType
from nexome.model.errors import FormatError

NAME: Final = "Variable / Field Name"
_TYPE: Final = "Field Type"
_LABEL: Final = "Field Label"
_CHOICES: Final = "Choices, Calculations, OR Slider Labels"
_VALIDATION: Final = "Text Validation Type OR Show Slider Number"
_MIN, _MAX = "Text Validation Min", "Text Validation Max"
_IDENTIFIER: Final = "Identifier?"
_NOTE: Final = "Field Note"
# The type of each field; '' where the validation or the choices say it.
_FIELD_TYPES: Final[Mapping[str, VariableType | Literal[""]]] = {
    "text": "",
    "notes": "text",
    "radio": "",
    "dropdown": "",
    "sql": "",
    "checkbox": "boolean",
    "yesno": "boolean",
    "truefalse": "boolean",
    "calc": "decimal",
    "slider": "integer",
    "file": "text",
    "signature": "text",
}
_NUMBERS: Final = ("number", "number_1dp", "number_2dp", "number_3dp", "number_4dp")
_COMPLETE: Final = (
    Category("0", "Incomplete", "未完成"),
    Category("1", "Unverified", "未核实"),
    Category("2", "Complete", "完成"),
)
_TAG: Final = re.compile(r"<[^>]*>")
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
_STATUS: Final = re.compile(r"\w+_complete")
_STAMP: Final = re.compile(r"\w+_timestamp")


def detects(rows: Rows) -> bool:
    """Whether a table has REDCap's columns."""
    return NAME in rows.names and _TYPE in rows.names


def read(rows: Rows) -> Dictionary:
    """The dictionary in REDCap's rows. Raises FormatError naming the row of a field that cannot be read."""
    variables: list[Variable] = []
    for where, row in rows:
        variables += _variables(row, where, first=not variables)
    return Dictionary(tuple(variables))


def form_status(name: str) -> Variable | None:
    """The variable of a column that REDCap adds for a form; None for another column."""
    if _STATUS.fullmatch(name):
        form = name.removesuffix("_complete")
        return Variable(name, "category", f"Form {form}: status", f"表单 {form}：状态", categories=_COMPLETE)
    if _STAMP.fullmatch(name):
        form = name.removesuffix("_timestamp")
        return Variable(name, "date", f"Form {form}: time of the survey", f"表单 {form}：填写时间")
    return None


def _variables(row: Mapping[str, str], where: str, *, first: bool) -> list[Variable]:
    kind = row[_TYPE].lower()
    if kind == "descriptive":
        return []
    if not row[NAME]:
        raise FormatError("a field without a name", where=where, expected=NAME)
    if kind not in _FIELD_TYPES:
        raise FormatError(
            f"a field type {kind[:40]!r}",
            where=f"{where}, column {_TYPE}",
            expected="one of REDCap's: " + ", ".join(_FIELD_TYPES),
        )
    if first:
        return [_made(row, "text", role="participant", sensitivity="identifying")]
    if kind == "checkbox":
        return _checkbox(row, where)
    if kind in {"radio", "dropdown", "sql"}:
        choices = _choices(row, where)
        return [_made(row, "category" if choices else "text", categories=choices)]
    return [_made(row, _FIELD_TYPES[kind] or _validated(row.get(_VALIDATION, "")))]


def _validated(validation: str) -> VariableType:
    if validation == "integer":
        return "integer"
    if validation in _NUMBERS:
        return "decimal"
    return "date" if validation.startswith(("date_", "datetime_")) else "text"


def _made(
    row: Mapping[str, str],
    kind: VariableType,
    *,
    categories: tuple[Category, ...] = (),
    role: str = "",
    sensitivity: Sensitivity = "personal",
) -> Variable:
    label = _words(row.get(_LABEL, ""))
    unit = unit_of_header(label)[1] or unit_of_header(f"x ({_words(row.get(_NOTE, ''))})")[1]
    numeric = kind in NUMERIC
    if row.get(_IDENTIFIER, "").lower() == "y":
        sensitivity = "identifying"
    chinese = bool(_CHINESE.search(label))
    return Variable(
        row[NAME],
        kind,
        label="" if chinese else label,
        label_zh=label if chinese else "",
        unit=unit if numeric else "",
        categories=categories,
        minimum=_limit(row.get(_MIN, "")) if numeric else None,
        maximum=_limit(row.get(_MAX, "")) if numeric else None,
        question=label,
        sensitivity=sensitivity,
        role=role,  # type: ignore[arg-type]
    )


def _checkbox(row: Mapping[str, str], where: str) -> list[Variable]:
    made = _made(row, "boolean")
    variables = []
    for choice in _choices(row, where):
        # Exports write the code in lower case, and '_' for what names of columns may not hold.
        code = re.sub(r"[^a-z0-9_]", "_", choice.code.lower())
        label, label_zh = (f"{one}: {choice.label}" if one else "" for one in (made.label, made.label_zh))
        variables.append(replace(made, name=f"{made.name}___{code}", label=label, label_zh=label_zh))
    return variables


def _choices(row: Mapping[str, str], where: str) -> tuple[Category, ...]:
    """`1, Male | 2, Female`: a code, a comma, a label."""
    found = []
    for part in row.get(_CHOICES, "").split("|"):
        code, comma, label = (text.strip() for text in part.partition(","))
        if not code and not label:
            continue
        if not comma or not code:
            raise FormatError(
                "a choice without a code",
                where=f"{where}, column {_CHOICES}",
                expected="1, First | 2, Second",
            )
        words = _words(label)
        chinese = bool(_CHINESE.search(words))
        found.append(Category(code, "" if chinese else words, words if chinese else ""))
    return tuple(found)


def _limit(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None  # empty, a date, or another field's name in brackets


def _words(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())
