"""The parts of an expression: frozen, comparable without their place, printed back in one canonical spelling.

`place` is the character, counted from 1, at which a part begins. Nothing is evaluated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_PLACE: Final[Any] = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, with its UCUM unit ('': none was written)."""

    value: float
    unit: str = ""
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Text:
    """A text: the code of a category, or a date as YYYY-MM-DD."""

    value: str
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""

    value: bool
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; or, beside a category, the code or label of one (`bind` tells which)."""

    name: str
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Negative:
    """−part."""

    part: Expression
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Not:
    """not part."""

    part: Expression
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Binary:
    """left op right; op is one of + - * / ^ = != < <= > >= and or."""

    op: str
    left: Expression
    right: Expression
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Call:
    """function(part, …)."""

    function: str
    parts: tuple[Expression, ...]
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class In:
    """part in (choice, …)."""

    part: Expression
    choices: tuple[Expression, ...]
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Between:
    """part between low and high, both included."""

    part: Expression
    low: Expression
    high: Expression
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Missing:
    """part is missing."""

    part: Expression
    place: int = _PLACE


@dataclass(frozen=True, slots=True)
class Case:
    """case when condition then value … else otherwise end; `otherwise` None: missing."""

    whens: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None = None
    place: int = _PLACE


Expression = Number | Text | Truth | Name | Negative | Not | Binary | Call | In | Between | Missing | Case


def parts_of(expression: Expression) -> tuple[Expression, ...]:  # noqa: PLR0911  one line a kind of part
    """The parts directly below, in the order written."""
    match expression:
        case Negative(part=part) | Not(part=part) | Missing(part=part):
            return (part,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(parts=parts):
            return parts
        case In(part=part, choices=choices):
            return (part, *choices)
        case Between(part=part, low=low, high=high):
            return (part, low, high)
        case Case(whens=whens, otherwise=otherwise):
            below = tuple(side for pair in whens for side in pair)
            return below if otherwise is None else (*below, otherwise)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Every part, itself first."""
    yield expression
    for part in parts_of(expression):
        yield from walk(part)


def names(expression: Expression) -> tuple[str, ...]:
    """Every name once, in the order written; of a bound expression these are its variables."""
    return tuple(dict.fromkeys(part.name for part in walk(expression) if isinstance(part, Name)))


def canonical(expression: Expression) -> str:  # noqa: C901, PLR0911  one line a kind of part
    """The expression in one spelling: the same tree gives the same text, and that parses to the same tree."""
    match expression:
        case Number(value=value, unit=unit):
            return f"{value:.17g}" + (f" {unit}" if unit else "")
        case Text(value=value):
            return "'" + value.replace("'", "''") + "'"
        case Truth(value=value):
            return "true" if value else "false"
        case Name(name=name):
            return f"`{name}`"
        case Negative(part=part):
            return f"(-{canonical(part)})"
        case Not(part=part):
            return f"(not {canonical(part)})"
        case Missing(part=part):
            return f"({canonical(part)} is missing)"
        case Binary(op=op, left=left, right=right):
            return f"({canonical(left)} {op} {canonical(right)})"
        case Call(function=function, parts=parts):
            return f"{function}({', '.join(map(canonical, parts))})"
        case In(part=part, choices=choices):
            return f"({canonical(part)} in ({', '.join(map(canonical, choices))}))"
        case Between(part=part, low=low, high=high):
            return f"({canonical(part)} between {canonical(low)} and {canonical(high)})"
        case Case(whens=whens, otherwise=otherwise):
            when = " ".join(f"when {canonical(c)} then {canonical(v)}" for c, v in whens)
            return f"case {when}" + ("" if otherwise is None else f" else {canonical(otherwise)}") + " end"
