"""An expression settled against variables: names exist, kinds fit, units agree, words are codes.

    bmi = weight / (height * height)     kg/cm2, and says so; who keeps kg/m2 converts
    ldl > 160 mg/dL                      160 in the unit of ldl, by the molar mass of what ldl is
    sex = female                         the code whose label is female
    visit_date >= '2010-05-01'           days since 1970-01-01

A number without a unit takes the unit of the variable it is compared with or added to; in products, and
beside them, it is a plain number: `weight / (height * height) > 30` is refused, `… > 30 kg/m2` is right.
A variable without a unit agrees with such numbers alone: nothing is guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final, Literal, NoReturn

from nexome.model.analytes import Analyte, analyte_of
from nexome.model.cohorts import Variable
from nexome.model.errors import InputError
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
from nexome.model.ucum import PLAIN, UcumUnit, conversion_between, describe, parse_unit

Kind = Literal["number", "condition", "category", "date", "text"]
_KINDS: Final[dict[str, Kind]] = {
    "integer": "number", "decimal": "number", "category": "category", "boolean": "condition", "date": "date",
    "text": "text",
}  # fmt: skip
_YES: Final = frozenset({"yes", "y", "true", "1", "是", "有"})
_NO: Final = frozenset({"no", "n", "false", "0", "否", "无"})
_UNIX_EPOCH: Final = date(1970, 1, 1).toordinal()
_LEVEL: Final = ("min", "max", "mean", "sum", "coalesce")
_SAME_UNIT: Final = ("abs", "round", "floor", "ceil")
_OF_PLAIN: Final = ("exp", "ln", "log10", "log2")
_OF_DATE: Final = ("year", "month", "day")


@dataclass(frozen=True, slots=True)
class Bound:
    """A settled expression: what it gives and, of a number, in which unit (None: not known).

    `free`: a bare number. `made`: its unit comes from a product; a bare number beside it is a plain one.
    `variable` is set where the expression is that variable itself; `analyte` where all its parts are of one.
    """

    expression: Expression
    kind: Kind
    unit: UcumUnit | None = None
    free: bool = False
    made: bool = False
    variable: Variable | None = None
    analyte: Analyte | None = None


def bind(expression: Expression, variables: Mapping[str, Variable]) -> Bound:
    """The expression settled against the variables of a table, ready for `evaluate`.

    Raises InputError with the character of the expression: a name that is no variable (the nearest are
    named), a code that is not in the dictionary, kinds that do not fit, units that do not agree.
    """
    return _Binder(variables).of(expression)


def infer_unit(expression: Expression, units: Mapping[str, str]) -> UcumUnit | None:
    """The unit of an expression over variables with these units ('': unknown); None where it cannot be known.

    Raises InputError where units do not agree.
    """
    return bind(expression, {name: Variable(name, "decimal", unit=unit) for name, unit in units.items()}).unit


class _Binder:
    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = variables

    def of(self, node: Expression) -> Bound:  # noqa: C901, PLR0911  one line a kind of part
        match node:
            case Number(unit=unit):
                settled = replace(node, unit="")
                return Bound(settled, "number", parse_unit(unit) if unit else None, free=not unit)
            case Text():
                return Bound(node, "text")
            case Truth():
                return Bound(node, "condition")
            case Name(name=name, place=place):
                return self._name(name, place)
            case Negative(part=part):
                inside = self._number(part)
                return replace(inside, expression=replace(node, part=inside.expression), variable=None)
            case Not(part=part):
                return Bound(replace(node, part=self._condition(part)), "condition")
            case Missing(part=part):
                return Bound(replace(node, part=self.of(part).expression), "condition")
            case Binary():
                return self._binary(node)
            case Between(part=part, low=low, high=high, place=place):
                left, limits = self.of(part), self._limits((low, high))
                tests = [
                    self._test(op, left, part, each, place)
                    for op, each in zip((">=", "<="), limits, strict=True)
                ]
                return Bound(Between(left.expression, tests[0], tests[1], place), "condition")
            case In(part=part, choices=choices, place=place):
                left = self.of(part)
                tests = [self._test("=", left, part, choice, place) for choice in self._limits(choices)]
                return Bound(In(left.expression, tuple(tests), place), "condition")
            case Case():
                return self._case(node)
            case Call():
                return self._call(node)

    def _name(self, name: str, place: int) -> Bound:
        variable = self._variables.get(name)
        if variable is None:
            self._unknown(name, place)
        kind = _KINDS[variable.type]
        known = kind == "number" and variable.unit
        analyte = _analyte(variable) if known else None
        unit = parse_unit(variable.unit) if known else None
        return Bound(Name(name, place), kind, unit, variable=variable, analyte=analyte)

    def _unknown(self, name: str, place: int) -> NoReturn:
        near = nearest(name, self._variables)
        todo = f"Did you mean {' or '.join(near)}?" if near else "Put a text in quotes."
        fail(f"the name {name[:80]!r}", place, f"one of {len(self._variables)} variables", todo)

    def _number(self, node: Expression) -> Bound:
        return _as_number(self.of(node), node)

    def _date(self, node: Expression) -> Bound:
        return _as_date(self.of(node), node)

    def _condition(self, node: Expression) -> Expression:
        bound = self.of(node)
        if bound.kind != "condition":
            _misfit(bound, node, "a condition that is true or false")
        if bound.variable is not None:  # a stored yes or no, of whatever type the column has
            return Binary("=", bound.expression, Truth(value=True, place=node.place), node.place)
        return bound.expression

    def _binary(self, node: Binary) -> Bound:
        if node.op in {"and", "or"}:
            left, right = self._condition(node.left), self._condition(node.right)
            return Bound(replace(node, left=left, right=right), "condition")
        if node.op in {"+", "-"}:
            return self._sum(node)
        if node.op in {"*", "/"}:
            return self._product(node)
        if node.op == "^":
            return self._power(node)
        return Bound(self._compare(node), "condition")

    def _sum(self, node: Binary) -> Bound:
        left, right = self.of(node.left), self.of(node.right)
        if "date" in {left.kind, right.kind}:
            return self._date_sum(node, left, right)
        sides = _level([_as_number(left, node.left), _as_number(right, node.right)], node.place)
        return replace(
            _joined(sides), expression=replace(node, left=sides[0].expression, right=sides[1].expression)
        )

    def _date_sum(self, node: Binary, left: Bound, right: Bound) -> Bound:
        """A date minus a date is a number of days; date ± time is a date."""
        if node.op == "-" and (right.kind == "date" or isinstance(node.right, Text)):
            first, second = _as_date(left, node.left), _as_date(right, node.right)
            difference = replace(node, left=first.expression, right=second.expression)
            return Bound(difference, "number", parse_unit("d"))
        if left.kind != "date" or right.kind != "number":
            _misfit(right if left.kind == "date" else left, node, "a date minus a date, or a date and a time")
        days = right if right.free else _in_unit(right, parse_unit("d"), node.place)
        return Bound(replace(node, left=left.expression, right=days.expression), "date")

    def _product(self, node: Binary) -> Bound:
        left, right = self._number(node.left), self._number(node.right)
        joined = replace(node, left=left.expression, right=right.expression)
        if left.free and right.free:
            return Bound(joined, "number", free=True)
        units = [_plain_unit(left), _plain_unit(right)]
        for unit in units:
            _no_offset(unit, node.place)
        one, other = units
        if node.op == "/" and (alike := _ratio(left, right, node.place)):
            return replace(alike, expression=replace(node, left=left.expression, right=alike.expression))
        if one is None or other is None:
            return Bound(joined, "number")
        unit = one.times(other) if node.op == "*" else one.over(other)
        scaled = right.free or (left.free and node.op == "*")
        made = left.made or right.made or not scaled
        return Bound(
            joined, "number", unit, made=made, analyte=None if made else left.analyte or right.analyte
        )

    def _power(self, node: Binary) -> Bound:
        base, exponent = self._number(node.left), self._number(node.right)
        unit, place = base.unit, node.place
        if exponent.unit is not None and exponent.unit.dimension:
            fail(f"an exponent in {exponent.unit.code}", place, "a plain number as exponent")
        right = _as_plain(exponent, "exponent", place)
        if unit is None or not unit.dimension:
            power = replace(node, left=_as_plain(base, "power", place), right=right)
            return Bound(power, "number", unit and parse_unit(PLAIN), free=base.free, made=not base.free)
        power = replace(node, left=base.expression, right=right)
        _no_offset(unit, place)
        value = _constant(exponent.expression)
        if value is None:
            fail(
                f"{unit.code} to the power of a variable",
                place,
                "a written exponent, or a base without a unit",
            )
        return Bound(power, "number", unit.power(Fraction(value).limit_denominator(1000)), made=True)

    def _compare(self, node: Binary, given: Bound | None = None) -> Expression:
        """A comparison settled; `given`: its left side, where that is settled already."""
        left, right = given or self._side(node.left), self._side(node.right)
        for side, other, node_of in ((left, right, node.right), (right, left, node.left)):
            if (
                side is not None
                and side.variable is not None
                and side.kind in {"category", "condition", "text"}
            ):
                code = self._code(node, side, other, node_of)
                ends = (side.expression, code) if side is left else (code, side.expression)
                return replace(node, left=ends[0], right=ends[1])
        left, right = left or self.of(node.left), right or self.of(node.right)
        if "date" in {left.kind, right.kind}:
            left, right = _as_date(left, node.left), _as_date(right, node.right)
        elif left.kind == right.kind == "number":
            left, right = _level([left, right], node.place)
        elif left.kind != right.kind or node.op not in {"=", "!="}:
            _misfit(right, node, f"a {left.kind} on both sides")
        return replace(node, left=left.expression, right=right.expression)

    def _side(self, node: Expression) -> Bound | None:
        """A side of a comparison; None where it is a word that is no variable: the other side tells it."""
        return None if isinstance(node, Name) and node.name not in self._variables else self.of(node)

    def _code(self, node: Binary, side: Bound, other: Bound | None, written_as: Expression) -> Expression:
        """What stands beside a category, a text or a yes and no: such a variable, a code, an expression."""
        variable = side.variable
        if variable is None:
            raise AssertionError
        if node.op not in {"=", "!="}:
            fail(f"{variable.name} {node.op} …", node.place, f"= or != with a {variable.type}")
        if other is not None and other.variable is not None:
            return (
                other.expression
                if other.kind == side.kind
                else _misfit(other, node, f"a {variable.type} like {variable.name}")
            )
        written = _written(written_as)
        if written is None:
            kinds = {"category", "text"} if side.kind != "condition" else {"condition"}
            if other is None or other.kind not in kinds:
                _misfit(other or side, written_as, f"a code of {variable.name}")
            return other.expression
        if side.kind == "condition":
            return _truth(variable, written, written_as.place)
        return code_of(variable, written, written_as.place)

    def _limits(self, limits: Sequence[Expression]) -> tuple[Expression, ...]:
        """Limits with the unit one of them carries: in `between 40 and 60 years` both are years."""
        units = {limit.unit for limit in limits if isinstance(limit, Number) and limit.unit}
        if len(units) != 1:
            return tuple(limits)
        (unit,) = units
        return tuple(
            replace(limit, unit=unit) if isinstance(limit, Number) and not limit.unit else limit
            for limit in limits
        )

    def _test(self, op: str, left: Bound, part: Expression, other: Expression, place: int) -> Expression:
        """The settled right side of one test of in and between; the left stays as it is for all of them."""
        compared = self._compare(Binary(op, part, other, place), left)
        if not isinstance(compared, Binary) or compared.left != left.expression:
            fail("a value in another unit than its limits", place, "a variable, or the unit of the limits")
        return compared.right

    def _case(self, node: Case) -> Bound:
        conditions = [self._condition(condition) for condition, _ in node.whens]
        parts = [value for _, value in node.whens] + ([node.otherwise] if node.otherwise is not None else [])
        values = self._alike(parts, node.place)
        expressions = [value.expression for value in values]
        otherwise = expressions.pop() if node.otherwise is not None else None
        settled = replace(node, whens=tuple(zip(conditions, expressions, strict=True)), otherwise=otherwise)
        return replace(_joined(values), expression=settled)

    def _alike(self, parts: Sequence[Expression], place: int) -> list[Bound]:
        values = [self.of(part) for part in parts]
        kinds = {"category" if value.kind == "text" else value.kind for value in values}
        if "date" in kinds and kinds <= {"date", "category"}:
            return [_as_date(value, part) for value, part in zip(values, parts, strict=True)]
        if len(kinds) > 1:
            odd = next(i for i, value in enumerate(values) if value.kind != values[0].kind)
            _misfit(values[odd], parts[odd], f"a {values[0].kind} like the other values")
        return _level(values, place) if kinds == {"number"} else values

    def _call(self, node: Call) -> Bound:
        function, parts = node.function, node.parts
        if function == "if":
            values = self._alike(parts[1:], node.place)
            settled = replace(node, parts=(self._condition(parts[0]), *(v.expression for v in values)))
            return replace(_joined(values), expression=settled)
        if function in _LEVEL:
            values = self._alike(parts, node.place)
            if function != "coalesce" and values[0].kind != "number":
                _misfit(values[0], parts[0], f"numbers in {function}(…)")
            return replace(
                _joined(values), expression=replace(node, parts=tuple(v.expression for v in values))
            )
        if function in _OF_DATE or function in {"age", "days", "date"}:
            return self._date_call(node)
        given = [self._number(part) for part in parts]
        return self._number_call(node, given)

    def _number_call(self, node: Call, given: list[Bound]) -> Bound:
        function, first = node.function, given[0]
        settled = replace(node, parts=tuple(value.expression for value in given))
        if function in _SAME_UNIT:
            return replace(first, expression=settled, variable=None)
        if function in _OF_PLAIN:
            plain = _as_plain(first, function, node.place)
            return Bound(replace(settled, parts=(plain,)), "number", parse_unit(PLAIN))
        unit = (
            first.unit.power(Fraction(1, 2))
            if first.unit is not None and first.unit.dimension
            else first.unit
        )
        return Bound(settled, "number", unit, free=first.free, made=not first.free)

    def _date_call(self, node: Call) -> Bound:
        if node.function == "date":
            if len(node.parts) == 1 and isinstance(node.parts[0], Text):
                return Bound(_day(node.parts[0]), "date")
            numbers = tuple(self._number(part).expression for part in node.parts)
            return Bound(replace(node, parts=numbers), "date")
        settled = replace(node, parts=tuple(self._date(part).expression for part in node.parts))
        unit = {"age": "a", "days": "d"}.get(node.function, PLAIN)
        return Bound(settled, "number", parse_unit(unit))


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like one that is not known."""
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), lower, n=count, cutoff=0.6)
    longer = [each for each in lower if each.startswith(name.lower())]  # `LDL` where `LDL (mg/dL)` is meant
    return [lower[each] for each in dict.fromkeys((*longer, *near))][:count]


def code_of(variable: Variable, written: str, place: int) -> Text:
    """The code that a written code or label stands for. Raises InputError with the codes there are."""
    if variable.type == "text" and not variable.categories:
        return Text(written, place)
    lower = written.lower()
    for kept in (
        [c for c in variable.categories if c.code == written],
        [c for c in variable.categories if lower in {c.code.lower(), c.label.lower(), c.label_zh.lower()}],
        [
            c
            for c in variable.categories
            if truth_of(c.label or c.code) is not None and truth_of(c.label or c.code) == truth_of(lower)
        ],
    ):
        if len(kept) > 1:
            fail(f"{written[:80]!r}, which is several codes of {variable.name}", place, "one of their codes")
        if kept and kept[0].missing:
            fail(
                f"{written[:80]!r}, a missing code of {variable.name}",
                place,
                "a code that says something",
                f"Ask for `{variable.name} is missing`.",
            )
        if kept:
            return Text(kept[0].code, place)
    codes = [
        f"{c.code} ({c.label})" if c.label and c.label != c.code else c.code
        for c in variable.categories
        if not c.missing
    ]
    listed = ", ".join(codes[:12]) + (" …" if len(codes) > 12 else "")
    return fail(
        f"{written[:80]!r}, no code of {variable.name}",
        place,
        f"one of {listed}" if codes else "a code of its dictionary",
    )


def truth_of(word: str) -> bool | None:
    """What a word says of yes and no; None: nothing."""
    lower = word.lower()
    return True if lower in _YES else False if lower in _NO else None


def _truth(variable: Variable, written: str, place: int) -> Truth:
    truth = truth_of(written)
    if truth is None:
        fail(f"{written[:80]!r} beside {variable.name}", place, "yes or no")
    return Truth(truth, place)


def _written(node: Expression) -> str | None:
    """What is written where a code may stand; None where an expression stands there."""
    match node:
        case Text(value=value):
            return value
        case Name(name=name):
            return name
        case Truth(value=value):
            return "true" if value else "false"
        case Number(value=value, unit=""):
            return f"{value:.15g}"
        case Negative(part=Number(value=value, unit="")):
            return f"{-value:.15g}"
        case _:
            return None


def _analyte(variable: Variable) -> Analyte | None:
    return analyte_of((*variable.terms, variable.name, variable.label, variable.label_zh))


def _level(values: list[Bound], place: int) -> list[Bound]:
    """Numbers in the unit of the first that has one; bare numbers stay as they are."""
    first = next((value for value in values if value.variable is not None and value.unit), None)
    first = first or next((value for value in values if value.unit is not None), None)
    if first is None or first.unit is None:
        return values
    plain = parse_unit(PLAIN)
    levelled = [replace(value, unit=plain) if value.free and first.made else value for value in values]
    return [
        v if v.unit is None and v.free else _in_unit(v, first.unit, place, first.analyte) for v in levelled
    ]


def _in_unit(value: Bound, unit: UcumUnit, place: int, analyte: Analyte | None = None) -> Bound:
    if value.unit is None:
        fail(
            f"a number of unknown unit beside one in {unit.code}",
            place,
            "units on both sides",
            "Give the variable its unit in the dictionary.",
        )
    try:
        conversion = conversion_between(value.unit, unit, analyte or value.analyte or "")
    except InputError as error:
        raise error.at(f"expression, character {place}") from error
    if conversion.same:
        return replace(value, unit=unit)
    expression = value.expression
    if isinstance(expression, Number):
        exact = Fraction(expression.value) * conversion.factor + conversion.offset
        return replace(value, expression=Number(float(exact), place=expression.place), unit=unit)
    scaled: Expression = Binary("*", expression, Number(float(conversion.factor)), place)
    if conversion.offset:
        scaled = Binary("+", scaled, Number(float(conversion.offset)), place)
    return replace(value, expression=scaled, unit=unit, variable=None)


def _joined(values: Sequence[Bound]) -> Bound:
    """What several values of one kind and unit give together, the expression still to be set."""
    unit = next((value.unit for value in values if value.unit is not None), None)
    analytes = {value.analyte for value in values if not value.free}
    return Bound(
        values[0].expression,
        values[0].kind,
        unit,
        free=all(value.free for value in values),
        made=any(value.made for value in values),
        analyte=analytes.pop() if len(analytes) == 1 else None,
    )


def _ratio(left: Bound, right: Bound, place: int) -> Bound | None:
    """The right side in the unit of the left where an analyte makes them alike (µmol/L over mg/dL)."""
    analyte = left.analyte or right.analyte
    if (
        analyte is None
        or left.unit is None
        or right.unit is None
        or left.unit.dimension == right.unit.dimension
    ):
        return None
    try:
        alike = _in_unit(right, left.unit, place, analyte)
    except InputError:
        return None
    return Bound(alike.expression, "number", parse_unit(PLAIN), made=True)


def _plain_unit(value: Bound) -> UcumUnit | None:
    return parse_unit(PLAIN) if value.free else value.unit


def _no_offset(unit: UcumUnit | None, place: int) -> None:
    if unit is not None and unit.offset:
        fail(f"a product of {unit.code}", place, "a unit with its zero at nothing, such as K")


def _as_plain(value: Bound, function: str, place: int) -> Expression:
    if value.free or value.unit is None:
        return value.expression
    if value.unit.dimension:
        fail(
            f"{function}(…) of a number in {value.unit.code} ({describe(value.unit)})",
            place,
            "a plain number",
            f"Divide by 1 {value.unit.code} first.",
        )
    return _in_unit(value, parse_unit(PLAIN), place).expression


def _constant(node: Expression) -> float | None:
    match node:
        case Number(value=value):
            return value
        case Negative(part=part):
            inside = _constant(part)
            return None if inside is None else -inside
        case Binary(op="/", left=left, right=right):
            above, below = _constant(left), _constant(right)
            return above / below if above is not None and below else None
        case _:
            return None


def _as_number(bound: Bound, node: Expression) -> Bound:
    return bound if bound.kind == "number" else _misfit(bound, node, "a number")


def _as_date(bound: Bound, node: Expression) -> Bound:
    if bound.kind == "text" and isinstance(node, Text):
        return Bound(_day(node), "date")
    return bound if bound.kind == "date" else _misfit(bound, node, "a date")


def _day(node: Text) -> Number:
    try:
        day = date.fromisoformat(node.value)
    except ValueError:
        fail("a text beside a date", node.place, "a date as '2010-05-01'")
    return Number(float(day.toordinal() - _UNIX_EPOCH), place=node.place)


def _misfit(found: Bound, node: Expression, expected: str) -> NoReturn:
    what = (
        f"{found.variable.name}, a {found.variable.type}" if found.variable is not None else f"a {found.kind}"
    )
    fail(what, node.place, expected)
