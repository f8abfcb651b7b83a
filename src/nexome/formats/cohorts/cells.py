"""Cells as typed columns: numbers, categories, yes and no, dates, and the missing codes among them.

All rules are set-wise: categories, dates and yes/no are looked at once a distinct value. What cannot be
read becomes null and is named by its kind ("text", "a bound (<)"), never by its value.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.cohorts.dates import parse_date
from nexome.formats.cohorts.reader import ARROW_TYPES
from nexome.model.cohorts import Variable

# How programs write "nothing here" in a column of numbers, dates or yes/no. In text and categories only
# the empty cell is nothing: there 'NA' may be Namibia, 'None' an answer.
MISSING: Final = (
    "", ".", "NA", "na", "N/A", "n/a", "#N/A", "#NA", "NaN", "nan", "NAN", "-nan", "null", "NULL", "Null",
    "None", "none", "<NA>", "NaT",
)  # fmt: skip
YES: Final = frozenset({"1", "1.0", "true", "t", "yes", "y", "是", "有", "checked"})
NO: Final = frozenset({"0", "0.0", "false", "f", "no", "n", "否", "无", "無", "unchecked"})
_MAX_EXACT_INTEGER: Final = float(1 << 53)
_NUMBER: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_PLAIN_NUMBER: Final = re.compile(_NUMBER)
# What stands in columns of numbers and is none; first match names it. Checked after NFKC.
_KINDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"^[<>≤≥＜＞]=?\s*[\d.]+"), "a bound (< or >)"),
    (re.compile(r"^[+-]?\d+,\d{1,2}$"), "a number with a decimal comma"),
    (re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"), "a number with commas between thousands"),
    (re.compile(r"^[+-]?\d+\s*[-–~]\s*\d+$"), "a range"),
    (re.compile(r"^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?"), "a date"),
    (re.compile(r"^[+-]?(inf|infinity)$", re.IGNORECASE), "an infinite number"),
    (re.compile(r"^#(DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|GETTING_DATA|SPILL!|CALC!)$"), "an error cell"),
    (re.compile(r"^[+-]?[\d.]+([eE][+-]?\d+)?\s*\D+"), "a number with text behind it"),
)


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows (indices) of a column whose cells cannot be read, for one reason."""

    found: str
    expected: str
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """A column read: values, what could not be read, and the missing codes (null where none stood)."""

    values: pa.Array
    unread: tuple[Unread, ...] = ()
    codes: pa.Array | None = None


def read_cells(column: pa.Array, variable: Variable, *, date_order: str = "") -> Cells:
    """A column of any Arrow type, as the type its variable has.

    Category codes are compared as text; '1.0' is the code '1' where the dictionary has that one (programs
    write whole numbers so when cells are empty). A code the dictionary does not have is told, if it has any.
    """
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        if variable.numeric:
            return read_numbers(column.cast(pa.float64()), variable)
        column = number_text(column)
    if pa.types.is_temporal(column.type) and variable.type == "date":
        return Cells(column.cast(ARROW_TYPES["date"], safe=False))
    if pa.types.is_boolean(column.type) and variable.type == "boolean":
        return Cells(column)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
        if variable.type in {"category", "boolean", "date"}:
            column = column.dictionary_encode()
    if variable.numeric:
        return _numbers_from_text(column, variable)
    if variable.type == "text":
        return _text(column, variable)
    return _by_distinct_value(column, variable, date_order)


def read_numbers(numbers: pa.Array, variable: Variable) -> Cells:
    """float64 values as a variable's type: missing codes set apart, no infinity, whole where they must be."""
    numbers, codes = _without_codes(numbers, variable)
    values = numbers.to_numpy(zero_copy_only=False)
    unread = []
    with np.errstate(invalid="ignore"):
        odd = np.isinf(values)
    if odd.any():
        unread.append(Unread("an infinite number", "a number", np.flatnonzero(odd)))
    if variable.type == "integer":
        with np.errstate(invalid="ignore"):
            broken = ~odd & ~np.isnan(values) & ((values % 1 != 0) | (np.abs(values) > _MAX_EXACT_INTEGER))
        if broken.any():
            unread.append(
                Unread("a number that is not whole or too large", "a whole number", np.flatnonzero(broken))
            )
            odd |= broken
    if odd.any():
        numbers = pc.if_else(pa.array(odd), pa.scalar(None, pa.float64()), numbers)
    return Cells(numbers.cast(ARROW_TYPES[variable.type]), tuple(unread), codes)


def _without_codes(numbers: pa.Array, variable: Variable) -> tuple[pa.Array, pa.Array | None]:
    coded = {float(c): c for c in variable.missing_codes if _PLAIN_NUMBER.match(c)}
    if not coded:
        return numbers, None
    place = pc.index_in(numbers, value_set=pa.array(list(coded), pa.float64()), skip_nulls=True)
    if place.null_count == len(place):
        return numbers, None
    codes = pa.array(list(coded.values()), pa.string()).take(place)
    return pc.if_else(pc.is_valid(place), pa.scalar(None, pa.float64()), numbers), codes


def _numbers_from_text(text: pa.Array, variable: Variable) -> Cells:
    trimmed = pc.utf8_trim_whitespace(text)
    textual = [c for c in variable.missing_codes if not _PLAIN_NUMBER.match(c)]
    codes = _where(pc.is_in(trimmed, value_set=pa.array(textual, pa.string())), trimmed) if textual else None
    nothing = pc.is_in(trimmed, value_set=pa.array([*MISSING, *textual]), skip_nulls=True)
    trimmed = pc.if_else(nothing, pa.scalar(None, pa.string()), trimmed)
    readable = pc.match_substring_regex(trimmed, _NUMBER)
    if pc.any(pc.invert(readable)).as_py():  # full-width digits and signs, rare: looked at once a value
        trimmed = _plain_width(trimmed)
        readable = pc.match_substring_regex(trimmed, _NUMBER)
    plus = pc.utf8_ltrim(_where(readable, trimmed), "+")
    cells = read_numbers(plus.cast(pa.float64()), variable)
    bad = np.flatnonzero(pc.fill_null(pc.invert(readable), fill_value=False).to_numpy(zero_copy_only=False))
    expected = "a whole number" if variable.type == "integer" else "a number"
    unread = (*cells.unread, *_by_kind(trimmed, bad, expected))
    return Cells(cells.values, unread, _merged(codes, cells.codes))


def _by_kind(text: pa.Array, rows: npt.NDArray[np.int64], expected: str) -> tuple[Unread, ...]:
    if not len(rows):
        return ()
    coded = text.take(pa.array(rows)).dictionary_encode()
    kinds = np.array([kind_of(value) for value in coded.dictionary.to_pylist()])
    of_rows = kinds[coded.indices.to_numpy()]
    return tuple(
        Unread(str(kind), expected, rows[of_rows == kind]) for kind in dict.fromkeys(of_rows.tolist())
    )


def kind_of(value: str) -> str:
    """What kind of thing stands where a number should, without saying it.

    >>> kind_of("<0.01"), kind_of("5,3"), kind_of("refused")
    ('a bound (< or >)', 'a number with a decimal comma', 'text')
    """
    plain = unicodedata.normalize("NFKC", value).strip()
    return next((name for pattern, name in _KINDS if pattern.match(plain)), "text")


def _plain_width(text: pa.Array) -> pa.Array:
    coded = text.dictionary_encode()
    plain = [unicodedata.normalize("NFKC", value).strip() for value in coded.dictionary.to_pylist()]
    return pa.array([p.replace("−", "-") for p in plain], pa.string()).take(coded.indices)


def _text(text: pa.Array, variable: Variable) -> Cells:
    if pa.types.is_dictionary(text.type):
        text = text.cast(pa.string())
    missing = list(variable.missing_codes)
    coded = pc.is_in(text, value_set=pa.array(missing, pa.string()), skip_nulls=True) if missing else None
    codes = _where(coded, text) if coded is not None and pc.any(coded).as_py() else None
    nothing = pc.equal(text, "") if codes is None else pc.or_(pc.equal(text, ""), coded)
    return Cells(
        pc.if_else(pc.fill_null(nothing, fill_value=False), pa.scalar(None, pa.string()), text), (), codes
    )


def _by_distinct_value(coded: pa.DictionaryArray, variable: Variable, date_order: str) -> Cells:
    """A dictionary-encoded column, each distinct value read once."""
    distinct = [(v or "").strip() for v in coded.dictionary.cast(pa.string()).to_pylist()]
    missing = variable.missing_codes
    reads: list[_Read] = []
    convert = _converter(variable, date_order)
    for value in distinct:
        code = _known_code(value, missing)
        reads.append(_Read(code=code) if code is not None else convert(value))
    values = pa.array([r.value for r in reads], _plain_type(variable)).take(coded.indices)
    if variable.type == "category":
        values = values.dictionary_encode().cast(ARROW_TYPES["category"])
    codes = pa.array([r.code for r in reads], pa.string())
    unread = _unread_of(coded, reads, _expected(variable))
    return Cells(values, unread, None if codes.null_count == len(codes) else codes.take(coded.indices))


@dataclass(frozen=True, slots=True)
class _Read:
    value: object = None
    found: str = ""
    code: str | None = None


def _converter(variable: Variable, date_order: str) -> Callable[[str], _Read]:
    known = frozenset(c.code for c in variable.categories)

    def category(value: str) -> _Read:
        if not value:
            return _Read()
        code = _known_code(value, known) if known else value
        return _Read(code) if code is not None else _Read(found="a code that the dictionary does not have")

    def boolean(value: str) -> _Read:
        if value in MISSING:
            return _Read()
        plain = unicodedata.normalize("NFKC", value).casefold()
        if plain in YES or plain in NO:
            return _Read(plain in YES)
        return _Read(found=_kind_of_other(value))

    def date(value: str) -> _Read:
        if value in MISSING:
            return _Read()
        found = parse_date(value, date_order)
        return _Read(found=found) if isinstance(found, str) else _Read(found)

    return {"category": category, "boolean": boolean, "date": date}[variable.type]


def _kind_of_other(value: str) -> str:
    return "a number" if _PLAIN_NUMBER.match(value) else kind_of(value)


def _known_code(value: str, codes: frozenset[str]) -> str | None:
    if value in codes:
        return value
    plain = unicodedata.normalize("NFKC", value)
    if plain in codes:
        return plain
    if _PLAIN_NUMBER.match(plain):
        short = format(float(plain), "g") if len(plain) < 16 else plain
        return short if short in codes else None
    return None


def _expected(variable: Variable) -> str:
    if variable.type == "category":
        return f"one of {len(variable.categories)} codes"
    return (
        "yes or no (1/0, true/false, yes/no, 是/否)"
        if variable.type == "boolean"
        else "a date such as 2020-01-31"
    )


def _plain_type(variable: Variable) -> pa.DataType:
    return pa.string() if variable.type == "category" else ARROW_TYPES[variable.type]


def _unread_of(coded: pa.DictionaryArray, reads: list[_Read], expected: str) -> tuple[Unread, ...]:
    if not any(r.found for r in reads):
        return ()
    of_value = np.array([*(r.found for r in reads), ""])
    of_rows = of_value[pc.fill_null(coded.indices, len(reads)).to_numpy(zero_copy_only=False)]
    kinds = dict.fromkeys(r.found for r in reads if r.found)
    return tuple(Unread(k, expected, rows) for k in kinds if len(rows := np.flatnonzero(of_rows == k)))


def number_text(column: pa.Array) -> pa.Array:
    """Numbers as text, whole ones without a point.

    >>> number_text(pa.array([1.0, 2.5, None])).to_pylist()
    ['1', '2.5', None]
    """
    if pa.types.is_integer(column.type):
        return column.cast(pa.string())
    coded = pc.dictionary_encode(column)
    texts = [
        None if v is None or math.isnan(v) else repr(v).removesuffix(".0")
        for v in coded.dictionary.to_pylist()
    ]
    return pa.array(texts, pa.string()).take(coded.indices)


def column_of(cells: Sequence[Any]) -> pa.Array:
    """Python values of a column as one Arrow array: numbers, dates or yes/no where all are, else text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {int, float}:
        return pa.array([None if c is None else float(c) for c in cells], pa.float64())
    if kinds == {bool}:
        return pa.array(cells, pa.bool_())
    if kinds and kinds <= {datetime, date}:
        return pa.array([_moment(cell) for cell in cells], pa.timestamp("s"))
    return pa.array([None if cell is None else cell_text(cell) for cell in cells], pa.string())


def cell_text(cell: object) -> str:
    """A Python value as text: whole numbers without a point, dates as ISO.

    >>> cell_text(1.0), cell_text(date(2020, 1, 31)), cell_text(True)
    ('1', '2020-01-31', 'true')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return "" if math.isnan(cell) else repr(cell).removesuffix(".0")
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    return str(cell).strip()


def _moment(cell: object) -> datetime | None:
    if isinstance(cell, datetime):
        return cell.replace(microsecond=0, tzinfo=None)
    return datetime(cell.year, cell.month, cell.day) if isinstance(cell, date) else None  # noqa: DTZ001


def _where(keep: pa.Array, text: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(keep, fill_value=False), text, pa.scalar(None, pa.string()))


def _merged(one: pa.Array | None, other: pa.Array | None) -> pa.Array | None:
    if one is None or one.null_count == len(one):
        return other
    return one if other is None else pc.coalesce(one, other)
