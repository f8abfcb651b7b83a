"""The values of an expression over whole columns at once: arrays in, arrays out, missing as in SQL.

A number with a missing part is missing; `and`, `or`, `not` follow three-valued logic (false and missing is false);
min, max, mean, sum and coalesce pass over missing parts and are missing where all are. What has no value
(a division by zero, the logarithm or root of a negative number) is missing. Units and codes are settled by
`bind` before: here numbers are compared as they stand and a text with the categories of the column beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from nexome.model.expressions.lexing import fail
from nexome.model.expressions.tree import (
    Between,
    Binary,
    Call,
    Case,
    Expression,
    In,
    Missing,
    Name,
    Negative,
    Not,
    Number,
    Text,
    Truth,
)

Array = NDArray[Any]


class Values(Protocol):
    """What a column must have."""

    @property
    def values(self) -> Array:
        """Numbers, bools, or int32 codes into `categories` [rows]."""

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where there is no value [rows]."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The codes of a category; () for everything else."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """values [rows]: float64, bool, or int32 codes into `categories`; where `missing` the value says nothing.

    Dates are days since 1970-01-01.
    """

    values: Array
    missing: NDArray[np.bool_]
    categories: tuple[str, ...] = ()

    @property
    def coded(self) -> bool:
        """Whether values are codes, of a category or a text; a column of all missing may have no categories."""
        return bool(self.values.dtype == np.int32)


_COMPARE: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_ARITHMETIC: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
}  # fmt: skip
_ONE: Final[dict[str, Callable[[Array], Array]]] = {
    "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp, "ln": np.log, "log10": np.log10, "log2": np.log2, "floor": np.floor,
    "ceil": np.ceil,
}  # fmt: skip
BOOLEAN: Final = ("false", "true")  # how a yes or no is kept: codes of these two
_NEVER: Final = np.zeros((), dtype=bool)
_ONE_PART: Final = Column(np.ones(()), _NEVER)


def evaluate(expression: Expression, columns: Mapping[str, Values], rows: int | None = None) -> Column:
    """The column an expression gives over columns of equal length [rows].

    `rows` is needed only where no column is named. Raises InputError for a name without a column and for parts
    of the wrong kind (a number where a condition belongs).
    """
    with np.errstate(all="ignore"):
        column = _of(expression, columns)
    lengths = {len(columns[name].values) for name in columns} if rows is None else {rows}
    shape = (lengths.pop(),) if lengths else column.values.shape
    values, missing = np.broadcast_to(column.values, shape), np.broadcast_to(column.missing, shape)
    return Column(values, missing, column.categories)


def is_true(column: Column) -> NDArray[np.bool_]:
    """The rows [rows] at which a condition holds; a missing one does not."""
    kept: NDArray[np.bool_] = column.values & ~column.missing
    return kept


def _of(expression: Expression, columns: Mapping[str, Values]) -> Column:  # noqa: C901, PLR0911  one line a kind of part
    match expression:
        case Number(value=value):
            return Column(np.asarray(value, dtype=np.float64), _NEVER)
        case Text(value=text):
            return Column(np.zeros((), dtype=np.int32), _NEVER, (text,))
        case Truth(value=truth):
            return Column(np.asarray(truth), _NEVER)
        case Name(name=name, place=place):
            return _named(name, place, columns)
        case Missing(part=part):
            return Column(_of(part, columns).missing, _NEVER)
        case Not(part=part):
            inside = _condition(part, columns)
            return Column(~inside.values, inside.missing)
        case Negative(part=part):
            inside = _number(part, columns)
            return Column(-inside.values, inside.missing)
        case Binary():
            return _binary(expression, columns)
        case Between(part=part, low=low, high=high, place=place):
            inside = _of(part, columns)
            above = _compare(">=", inside, _of(low, columns), place)
            return _logic("and", above, _compare("<=", inside, _of(high, columns), place))
        case In():
            return _in(expression, columns)
        case Case(whens=whens, otherwise=otherwise):
            return _case(whens, otherwise, columns)
        case Call():
            return _call(expression, columns)


def _named(name: str, place: int, columns: Mapping[str, Values]) -> Column:
    if name not in columns:
        fail(f"the name {name[:80]!r}", place, "the name of a variable")
    column = columns[name]
    categories = tuple(column.categories)
    if categories == BOOLEAN:
        return Column(column.values == 1, column.missing)
    return Column(column.values, column.missing, categories)


def _condition(part: Expression, columns: Mapping[str, Values]) -> Column:
    column = _of(part, columns)
    if column.values.dtype != bool:
        fail("a value", part.place, "a condition that is true or false")
    return column


def _number(part: Expression, columns: Mapping[str, Values]) -> Column:
    column = _of(part, columns)
    if column.coded:
        fail("a text or category", part.place, "a number")
    if column.values.dtype == np.float64:
        return column
    return Column(column.values.astype(np.float64), column.missing)


def _binary(node: Binary, columns: Mapping[str, Values]) -> Column:
    if node.op in {"and", "or"}:
        return _logic(node.op, _condition(node.left, columns), _condition(node.right, columns))
    if node.op in _COMPARE:
        return _compare(node.op, _of(node.left, columns), _of(node.right, columns), node.place)
    left, right = _number(node.left, columns), _number(node.right, columns)
    values = _ARITHMETIC[node.op](left.values, right.values)
    return Column(values, left.missing | right.missing | ~np.isfinite(values))


def _logic(op: str, left: Column, right: Column) -> Column:
    settles = op == "or"  # the truth that decides alone
    settled = ((left.values == settles) & ~left.missing) | ((right.values == settles) & ~right.missing)
    missing = (left.missing | right.missing) & ~settled
    return Column(settled if settles else ~settled & ~missing, missing)


def _compare(op: str, left: Column, right: Column, place: int) -> Column:
    missing = left.missing | right.missing
    if left.coded or right.coded:
        if op not in {"=", "!="} or not (left.coded and right.coded):
            fail(f"a category with {op}", place, "= or != between a category and one of its codes")
        codes = {code: number for number, code in enumerate(left.categories)}
        same = left.values == _recode(right, codes)
        return Column(same if op == "=" else ~same, missing)
    return Column(_COMPARE[op](left.values, right.values), missing)


def _recode(column: Column, codes: dict[str, int]) -> Array:
    """The column's codes as those of another: `codes` gives the number of each text; −1 where it has none."""
    table = np.array([*(codes.get(code, -1) for code in column.categories), -1], dtype=np.int32)
    recoded: Array = table[np.where(column.missing, -1, column.values)]
    return recoded


def _in(node: In, columns: Mapping[str, Values]) -> Column:
    inside = _of(node.part, columns)
    if inside.coded and all(isinstance(choice, Text) for choice in node.choices):
        wanted = {choice.value for choice in node.choices if isinstance(choice, Text)}
        table = np.array([*(code in wanted for code in inside.categories), False])
        return Column(table[np.where(inside.missing, -1, inside.values)], inside.missing)
    joined = Column(np.asarray(False), _NEVER)  # noqa: FBT003  an array of one truth
    for choice in node.choices:
        joined = _logic("or", joined, _compare("=", inside, _of(choice, columns), node.place))
    return joined


def _case(
    whens: tuple[tuple[Expression, Expression], ...],
    otherwise: Expression | None,
    columns: Mapping[str, Values],
) -> Column:
    conditions = [is_true(_condition(condition, columns)) for condition, _ in whens]
    parts = [value for _, value in whens] + ([otherwise] if otherwise is not None else [])
    given, categories = _alike([_of(part, columns) for part in parts], parts)
    last = given[-1] if otherwise is not None else Column(given[0].values, np.ones((), dtype=bool))
    values, missing = last.values, last.missing
    for condition, column in reversed(list(zip(conditions, given, strict=False))):
        values = np.where(condition, column.values, values)
        missing = np.where(condition, column.missing, missing)
    return Column(values, missing, categories)


def _alike(given: list[Column], parts: list[Expression]) -> tuple[list[Column], tuple[str, ...]]:
    """Columns of one kind: all numbers, all conditions, or all categories with one list of codes."""
    kinds = [_kind(column) for column in given]
    if "category" in kinds and set(kinds) != {"category"}:
        odd = kinds.index(next(kind for kind in kinds if kind != kinds[0]))
        fail(f"a {kinds[odd]}", parts[odd].place, f"a {kinds[0]} like the other values")
    if kinds[0] != "category":
        return given, ()
    categories = tuple(dict.fromkeys(code for column in given for code in column.categories))
    codes = {code: number for number, code in enumerate(categories)}
    return [Column(_recode(column, codes), column.missing) for column in given], categories


def _kind(column: Column) -> str:
    if column.coded:
        return "category"
    return "condition" if column.values.dtype == bool else "number"


def _call(node: Call, columns: Mapping[str, Values]) -> Column:
    parts = node.parts
    if node.function == "if":
        return _case(((parts[0], parts[1]),), parts[2], columns)
    if node.function == "coalesce":
        return _coalesce(parts, columns)
    given = [_number(part, columns) for part in parts]
    if node.function in _ONE:
        values = _ONE[node.function](given[0].values)
        return Column(values, given[0].missing | ~np.isfinite(values))
    if node.function in {"min", "max", "mean", "sum"}:
        return _over_given(node.function, given)
    if node.function == "round":
        return _round(given)
    return _dates(node, given)


def _coalesce(parts: tuple[Expression, ...], columns: Mapping[str, Values]) -> Column:
    given, categories = _alike([_of(part, columns) for part in parts], list(parts))
    values, missing = given[-1].values, given[-1].missing
    for column in reversed(given[:-1]):
        values = np.where(column.missing, values, column.values)
        missing = column.missing & missing
    return Column(values, missing, categories)


def _over_given(function: str, given: list[Column]) -> Column:
    """min, max, mean or sum of the parts that are not missing."""
    empty = {"min": np.inf, "max": -np.inf}.get(function, 0.0)
    join = {"min": np.minimum, "max": np.maximum}.get(function, np.add)
    total: Array = np.asarray(empty)
    count: Array = np.asarray(0)
    for column in given:
        total = join(total, np.where(column.missing, empty, column.values))
        count = count + ~column.missing
    return Column(total / count if function == "mean" else total, count == 0)


def rounded(values: Array, decimals: Array) -> Array:
    """Values with so many decimals, half away from zero as people round; numpy's own rounds half to even."""
    scale = 10.0**decimals
    scaled = values * scale
    return np.copysign(np.floor(np.abs(scaled) + 0.5), scaled) / scale


def _round(given: list[Column]) -> Column:
    decimals = given[1] if len(given) > 1 else Column(np.zeros(()), _NEVER)
    return Column(rounded(given[0].values, decimals.values), given[0].missing | decimals.missing)


def _dates(node: Call, given: list[Column]) -> Column:
    missing = given[0].missing
    for column in given[1:]:
        missing = missing | column.missing
    if node.function == "days":
        return Column(given[1].values - given[0].values, missing)
    if node.function == "date":
        return _made_date(given, missing)
    year, month, day = _calendar(given[0])
    if node.function == "age":
        other_year, other_month, other_day = _calendar(given[1])
        before = (other_month * 32 + other_day) < (month * 32 + day)
        return Column((other_year - year - before).astype(np.float64), missing)
    return Column({"year": year, "month": month, "day": day}[node.function].astype(np.float64), missing)


def _calendar(column: Column) -> tuple[Array, Array, Array]:
    days = np.where(column.missing, 0, column.values).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]")
    year = years.astype(np.int64) + 1970
    month = (months - years.astype("datetime64[M]")).astype(np.int64) + 1
    return year, month, (days - months.astype("datetime64[D]")).astype(np.int64) + 1


def _made_date(given: list[Column], missing: NDArray[np.bool_]) -> Column:
    """The date of a year, a month and a day (the first where not given); impossible ones are missing."""
    year, month, day = (
        np.where(column.missing, 1, column.values) for column in (*given, *[_ONE_PART] * 2)[:3]
    )
    wrong = (month < 1) | (month > 12) | (day < 1) | (day > 31) | (year < 1) | (year > 9999)
    months = (np.where(wrong, 0, (year - 1970) * 12 + month - 1)).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(wrong, 0, day - 1).astype("timedelta64[D]")
    wrong = wrong | (days.astype("datetime64[M]") != months)
    return Column(days.astype(np.int64).astype(np.float64), missing | wrong)
