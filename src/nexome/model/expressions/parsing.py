"""From text to a tree, by recursive descent.

    either     = both ('or' both)*                     both    = refusal ('and' refusal)*
    refusal    = 'not' refusal | comparison
    comparison = sum [('=' | '!=' | '<' | '<=' | '>' | '>=') sum | ['not'] 'in' '(' sum (',' sum)* ')'
                     | ['not'] 'between' sum 'and' sum | 'is' ['not'] 'missing']
    sum        = product (('+' | '-') product)*         product = power (('*' | '/') power)*
    power      = '-' power | value ['^' power]
    value      = number [unit] | name | text | 'true' | 'false' | '(' either ')' | function '(' either (',' either)* ')'
               | 'case' ('when' either 'then' either)+ ['else' either] 'end'

Comparisons do not chain: `1 < x < 2` is refused, `x between 1 and 2` says it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from nexome.model.expressions.lexing import Token, fail, tokens
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
    parts_of,
)

MAX_BRACKETS: Final = 40  # within one another
MAX_DEPTH: Final = 2 * MAX_BRACKETS + 2
MAX_TREE: Final = (
    120  # operators in a row make a tree as deep as they are many; Python's own stack has an end
)
# function: fewest and most parts
FUNCTIONS: Final[dict[str, tuple[int, int]]] = {
    "if": (3, 3), "min": (1, 50), "max": (1, 50), "mean": (1, 50), "sum": (1, 50), "coalesce": (1, 50), "round": (1, 2),
    "abs": (1, 1), "sqrt": (1, 1), "exp": (1, 1), "ln": (1, 1), "log10": (1, 1), "log2": (1, 1), "floor": (1, 1),
    "ceil": (1, 1), "year": (1, 1), "month": (1, 1), "day": (1, 1), "age": (2, 2), "days": (2, 2), "date": (1, 3),
}  # fmt: skip
_COMPARE: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


def parse(text: str) -> Expression:
    """An expression as a tree. Raises InputError with the character at which it cannot go on.

    >>> parse("ldl > 4.1 mmol/L")
    Binary(op='>', left=Name(name='ldl', place=1), right=Number(value=4.1, unit='mmol/L', place=7), place=5)
    """
    return _Parser(text).whole()


def _depth(expression: Expression) -> int:
    """How many parts lie within one another, counted without Python's own stack."""
    level, depth = [expression], 0
    while level:
        level = [part for above in level for part in parts_of(above)]
        depth += 1
    return depth


class _Parser:
    """The tokens and how far they are read; `_depth` guards Python's own stack."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._either()
        if self._now.kind != "end":
            self._fail("an operator or the end")
        if _depth(expression) > MAX_TREE:
            fail("so many operators", 1, f"at most {MAX_TREE} in a row", "Use in (…), or sum(…).")
        return expression

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, *texts: str) -> Token | None:
        return self._take() if self._now.kind in {"sign", "word"} and self._now.text in texts else None

    def _expect(self, text: str) -> Token:
        return self._accept(text) or self._fail(repr(text))

    def _fail(self, expected: str, todo: str = "") -> NoReturn:
        now = self._now
        found = "the end of the expression" if now.kind == "end" else repr(now.text[:60])
        fail(found, now.place, expected, todo)

    def _chain(self, ops: tuple[str, ...], below: Callable[[], Expression]) -> Expression:
        left = below()
        while token := self._accept(*ops):
            left = Binary(token.text, left, below(), token.place)
        return left

    def _either(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"at most {MAX_BRACKETS} brackets within one another")
        expression = self._chain(("or",), lambda: self._chain(("and",), self._refusal))
        self._depth -= 1
        return expression

    def _refusal(self) -> Expression:
        refusals = []
        while token := self._accept("not"):
            refusals.append(token.place)
            if len(refusals) > MAX_DEPTH:
                self._fail(f"at most {MAX_DEPTH} times 'not'")
        expression = self._comparison()
        for place in reversed(refusals):
            expression = Not(expression, place)
        return expression

    def _comparison(self) -> Expression:
        left = self._sum()
        if self._now.kind == "sign" and self._now.text in _COMPARE:
            token = self._take()
            compared = Binary(token.text, left, self._sum(), token.place)
            if self._now.text in _COMPARE:
                self._fail("and, or or the end", "Say `x between 1 and 2` for two limits.")
            return compared
        if asked := self._accept("is"):
            return self._missing(left, asked.place)
        denied = self._accept("not")
        test = self._membership(left)
        if test is None:
            return self._fail("'in' or 'between'") if denied else left
        return Not(test, denied.place) if denied else test

    def _missing(self, left: Expression, place: int) -> Expression:
        denied = self._accept("not")
        if not self._accept("missing", "null"):
            self._fail("'missing' or 'not missing'", "Compare with = to ask for a value.")
        return Not(Missing(left, place), place) if denied else Missing(left, place)

    def _membership(self, left: Expression) -> Expression | None:
        if token := self._accept("in"):
            return In(left, self._bracketed(self._sum), token.place)
        if token := self._accept("between"):
            low = self._sum()
            self._expect("and")
            return Between(left, low, self._sum(), token.place)
        return None

    def _bracketed(self, below: Callable[[], Expression]) -> tuple[Expression, ...]:
        self._expect("(")
        parts = [below()]
        while self._accept(","):
            parts.append(below())
        self._expect(")")
        return tuple(parts)

    def _sum(self) -> Expression:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._power))

    def _power(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} signs and powers within one another")
        if minus := self._accept("-"):
            expression: Expression = Negative(self._power(), minus.place)
        else:
            expression = self._value()
            if power := self._accept("^"):
                expression = Binary("^", expression, self._power(), power.place)
        self._depth -= 1
        return expression

    def _value(self) -> Expression:
        token = self._now
        if token.kind == "number":
            self._take()
            return Number(float(token.text), token.unit, token.place)
        if token.kind == "text":
            self._take()
            return Text(token.text, token.place)
        if token.kind == "name":
            self._take()
            return self._call(token) if self._now.text == "(" else Name(token.text, token.place)
        if token.kind == "word":
            return self._word(token)
        if self._accept("("):
            inside = self._either()
            self._expect(")")
            return inside
        return self._fail("a name, a number, a text in quotes or '('")

    def _word(self, token: Token) -> Expression:
        if self._accept("true", "false"):
            return Truth(token.text == "true", token.place)
        if self._accept("if"):
            return self._call(token)
        if self._accept("case"):
            return self._case(token.place)
        return self._fail(
            "a name, a number, a text in quotes or '('", "Put a variable of that name in backquotes."
        )

    def _call(self, token: Token) -> Expression:
        function = token.text.lower()
        if function not in FUNCTIONS:
            todo = "Write log10 or ln: which log is meant is not guessed." if function == "log" else ""
            fail(f"the function {token.text[:60]!r}", token.place, "one of " + ", ".join(FUNCTIONS), todo)
        parts = self._bracketed(self._either)
        fewest, most = FUNCTIONS[function]
        if not fewest <= len(parts) <= most:
            some = str(fewest) if fewest == most else f"{fewest} to {most}"
            fail(f"{len(parts)} parts in {function}(…)", token.place, some)
        return Call(function, parts, token.place)

    def _case(self, place: int) -> Expression:
        whens = []
        while self._accept("when"):
            condition = self._either()
            self._expect("then")
            whens.append((condition, self._either()))
        if not whens:
            self._fail("'when'")
        otherwise = self._either() if self._accept("else") else None
        self._expect("end")
        return Case(tuple(whens), otherwise, place)
