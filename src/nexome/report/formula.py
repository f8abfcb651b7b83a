"""Formulas of measures, series and numbers: a small language of our own, checked for units before it is kept.

    formula  = term (('+' | '−') term)*          term = factor (('×' | '÷') factor)*
    factor   = '−' factor | number ['[' unit ']'] | name | '(' formula ')' | ('min' | 'max') '(' formula (',' formula)* ')'

`-`, `*`, `/` and full-width brackets and commas are understood too. A name is letters, digits, '_' and '.', and stands for a
measure, a series, another indicator's value (i_…) or spent, budget, execution of the project. Nothing is ever evaluated by Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from nexome.model.errors import InputError
from nexome.model.units import NUMBER, Dimension, Unit, agree, combine, describe, unit_of

MAX_CHARACTERS: Final = 1_000
MAX_DEPTH: Final = 40
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_一-鿿][\w.]*)|(?P<unit>\[[^\[\]]{0,20}\])|(?P<sign>[+×÷(),−]))"
)
_SAME: Final = str.maketrans("（），-*/－＋", "(),−×÷−+")


class Quantity(NamedTuple):
    """A value in the first unit of its dimension; the value is None where only units are checked."""

    value: Decimal | None
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: kind number, name, negative, one of + − × ÷, min or max; its place counts from 1."""

    kind: str
    place: int
    text: str = ""
    unit: str = ""
    parts: tuple[Node, ...] = ()


Lookup = Callable[[str], Quantity]


def parse_formula(text: str) -> Node:
    """A formula as a tree. Raises InputError with the character at which it cannot go on."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"a formula of {len(text)} characters", expected=f"at most {MAX_CHARACTERS}")
    return _Parser(text).whole()


def names_of(node: Node) -> Iterator[str]:
    """Every name in a formula, in order, doubles included."""
    if node.kind == "name":
        yield node.text
    for part in node.parts:
        yield from names_of(part)


def evaluate(node: Node, lookup: Lookup) -> Quantity:
    """The quantity a formula gives; `lookup` raises for a name it does not know.

    Raises InputError for units that cannot be added, and for a division by zero.
    """
    if node.kind == "number":
        unit = unit_of(node.unit) if node.unit else Unit("", NUMBER, Decimal(1))
        return Quantity(Decimal(node.text) * unit.factor, unit.dimension)
    if node.kind == "name":
        return lookup(node.text)
    parts = [evaluate(part, lookup) for part in node.parts]
    if node.kind == "negative":
        value = parts[0].value
        return Quantity(None if value is None else -value, parts[0].dimension)
    if node.kind in "×÷":
        return _product(node, *parts)
    for other in parts[1:]:
        if not agree(parts[0].dimension, other.dimension):
            raise InputError(
                f"{describe(parts[0].dimension)} {node.kind} {describe(other.dimension)}",
                where=f"formula, character {node.place}",
                expected="one dimension on both sides; a number may carry its unit, such as 10[万元]",
            )
    values = [part.value for part in parts if part.value is not None]
    known = len(values) == len(parts)
    return Quantity(_join(node.kind, values) if known else None, parts[0].dimension)


def _join(kind: str, values: list[Decimal]) -> Decimal:
    if kind == "min":
        return min(values)
    if kind == "max":
        return max(values)
    return values[0] + values[1] if kind == "+" else values[0] - values[1]


def _product(node: Node, one: Quantity, other: Quantity) -> Quantity:
    times = node.kind == "×"
    dimension = combine(one.dimension, other.dimension, sign=1 if times else -1)
    if one.value is None or other.value is None:
        return Quantity(None, dimension)
    if times:
        return Quantity(one.value * other.value, dimension)
    if not other.value:
        raise InputError(
            "a division by zero", where=f"formula, character {node.place}", expected="something to divide by"
        )
    return Quantity(one.value / other.value, dimension)


class _Parser:
    """Recursive descent over tokens (kind, text, place)."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._sum()
        if self._at < len(self._tokens):
            self._fail("an end or one of + − × ÷")
        return node

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self, expected: str) -> tuple[str, str, int]:
        if self._at >= len(self._tokens):
            self._fail(expected)
        self._at += 1
        return self._tokens[self._at - 1]

    def _fail(self, expected: str) -> None:
        at_end = self._at >= len(self._tokens)
        found = "the end" if at_end else repr(self._tokens[self._at][1])
        place = "the end" if at_end else f"character {self._tokens[self._at][2]}"
        raise InputError(f"{found} in a formula", where=f"formula, {place}", expected=expected)

    def _sum(self) -> Node:
        return self._chain("+−", self._term)

    def _term(self) -> Node:
        return self._chain("×÷", self._factor)

    def _chain(self, signs: str, below: Callable[[], Node]) -> Node:
        node = below()
        while self._peek() and self._peek() in signs:
            _, sign, place = self._next("")
            node = Node(sign, place, parts=(node, below()))
        return node

    def _factor(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} levels of brackets")
        kind, text, place = self._next("a number, a name or (")
        node = self._of(kind, text, place)
        self._depth -= 1
        return node

    def _of(self, kind: str, text: str, place: int) -> Node:
        if kind == "number":
            unit = self._next("")[1][1:-1] if self._peek().startswith("[") else ""
            return Node("number", place, text, unit)
        if kind == "name" and text in {"min", "max"} and self._peek() == "(":
            return Node(text, place, parts=self._arguments())
        if kind == "name":
            return Node("name", place, text)
        if text == "−":
            return Node("negative", place, parts=(self._factor(),))
        if text == "(":
            node = self._sum()
            self._close()
            return node
        self._at -= 1
        self._fail("a number, a name or (")
        raise AssertionError

    def _arguments(self) -> tuple[Node, ...]:
        self._next("(")
        parts = [self._sum()]
        while self._peek() == ",":
            self._next(",")
            parts.append(self._sum())
        self._close()
        return tuple(parts)

    def _close(self) -> None:
        if self._peek() != ")":
            self._fail(")")
        self._next(")")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    plain, at = text.translate(_SAME), 0
    while plain[at:].strip():
        match = _TOKEN.match(plain, at)
        if match is None:
            at += len(plain[at:]) - len(plain[at:].lstrip())
            raise InputError(
                f"{text[at]!r} in a formula",
                where=f"formula, character {at + 1}",
                expected="numbers, names, + − × ÷, brackets, min, max",
            )
        kind = match.lastgroup or ""
        yield kind, match[kind], match.start(kind) + 1
        at = match.end()
