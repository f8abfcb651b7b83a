"""What the words of a filter mean in a cohort: variables, categories, units, and terms above what is held.

A name is looked for, in this order: the variable's own name; its label in English or Chinese; its LOINC or
other term; the substance it measures (`model.analytes`); a term above one that a variable or category is tied
to, by identifier or name. The last is an expansion: 'respiratory disease' stands for asthma where asthma is
what was asked about, and the answer says so. A number with a unit is converted into the variable's; one
without is taken in it, and the answer says that too.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final, NoReturn, Protocol

import numpy as np

from nexome.access.cohort_filters import (
    DATE,
    EVERYONE,
    All,
    Among,
    Any,
    Filter,
    Measured,
    Within,
    tidy,
    written_name,
)
from nexome.access.cohort_grid import substance_of
from nexome.model.analytes import analyte_of
from nexome.model.cohorts import Category, Dictionary, Variable
from nexome.model.errors import InputError, NotFoundError, QueryError
from nexome.model.expressions import Expression, Name, parse
from nexome.model.expressions.tree import (
    Between,
    Binary,
    In,
    Missing,
    Negative,
    Not,
    Number,
    Text,
    Truth,
)
from nexome.search.text import words as words_of
from nexome.store.cohorts.columns import valid_codes

YES: Final = frozenset({"yes", "true", "y", "1", "是", "有", "阳性", "present"})
NO: Final = frozenset({"no", "false", "n", "0", "否", "无", "阴性", "absent"})
_SEXES: Final = (
    frozenset({"female", "f", "woman", "women", "girl", "女", "女性"}),
    frozenset({"male", "m", "man", "men", "boy", "男", "男性"}),
)
YES_NO_UNSURE: Final = 3  # codes of a question of yes or no, at most
_ROLE_WORDS: Final = {"sex": ("sex", "gender", "性别"), "age": ("age", "年龄"), "date": ("date", "日期")}
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
_NEAR: Final = 6


class Ties(Protocol):
    """What is known of terms, as far as the reader may know it."""

    def above(self, curie: str) -> frozenset[str]:
        """The term and all that it is a kind of."""

    def names(self, curie: str) -> tuple[str, ...]:
        """What a term is called, in any language."""


class NoTies:
    """Where no ontology is loaded: a term is itself alone."""

    def above(self, curie: str) -> frozenset[str]:
        """The term."""
        return frozenset({curie})

    def names(self, curie: str) -> tuple[str, ...]:  # noqa: ARG002  the protocol's
        """None are known."""
        return ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word that was taken for what lies below it: `stands_for` are the conditions it was read as."""

    asked: str
    term: str
    stands_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """A filter as it was read. `text` is its one written form.

    `taken_in`: (variable, unit) where none was written; `converted`: variables whose limits came in another.
    """

    filter: Filter
    text: str
    expansions: tuple[Expansion, ...] = ()
    taken_in: tuple[tuple[str, str], ...] = ()
    converted: frozenset[str] = frozenset()


@dataclass
class Words:
    """The words of one cohort. Made once a version and reader; thread-safe (nothing changes but caches)."""

    dictionary: Dictionary
    ties: Ties = field(default_factory=NoTies)

    def variable(self, text: str, *, where: str = "variable") -> Variable:
        """The one variable a text means. Raises NotFoundError naming near ones, QueryError for several."""
        found = self.find(text)
        if not found:
            self.fail_unknown(text, where)
        if len(found) > 1:
            raise QueryError(
                f"{text[:80]!r} may be {len(found)} variables",
                where=where,
                expected="one of " + ", ".join(variable.name for variable in found[:_NEAR]),
            )
        return found[0]

    def find(self, text: str) -> tuple[Variable, ...]:
        """Variables of a name, label, term or substance; the closest kind of match alone."""
        own = self.dictionary.by_name.get(text)
        if own is not None:
            return (own,)
        key = _key(text)
        for index in (self._by_words, self._by_term, self._by_role):
            if found := index.get(key):
                return found
        analyte = analyte_of(text)
        return self._by_analyte.get(analyte.name, ()) if analyte is not None else ()

    def search(self, text: str) -> list[Variable]:
        """Variables a text means or that have all its words in a name, label, term or question."""
        found = dict.fromkeys(self.find(text))
        wanted = _key(text).split()
        for variable in self.dictionary:
            told = (variable.name, variable.label, variable.label_zh, variable.question, *variable.terms)
            about = " ".join(map(_key, told))
            if all(word in about for word in wanted):
                found.setdefault(variable)
        return list(found)

    def read(self, text: str) -> Understood:
        """A filter as people write it. Raises QueryError with the place that cannot be understood."""
        if not text.strip():
            return Understood(EVERYONE, "")
        reading = _Reading(self)
        try:
            found = tidy(reading.condition(parse(text)))
        except QueryError:
            raise
        except InputError as error:
            raise QueryError(
                error.found, where=error.where, expected=error.expected, todo=error.todo
            ) from None
        taken_in = tuple(dict.fromkeys(reading.taken_in))
        return Understood(
            found, str(found), tuple(reading.expansions), taken_in, frozenset(reading.converted)
        )

    def below(self, text: str) -> tuple[str, tuple[Filter, ...]]:
        """A term above what is held, and the conditions that are tied to it or below it."""
        key = _key(text)
        for term in sorted(self._held_below):
            if key == _key(term) or key in {_key(name) for name in self.ties.names(term)}:
                return term, self._held_below[term]
        return "", ()

    def fail_unknown(self, text: str, where: str) -> NoReturn:
        """Raise NotFoundError with the nearest names."""
        near = nearest(text, self._spellings)
        raise NotFoundError(
            f"no variable {text[:80]!r}",
            where=where,
            expected="such as " + ", ".join(near) if near else "a variable of the cohort",
            todo="See the cohort's variables.",
        )

    @cached_property
    def _by_words(self) -> dict[str, tuple[Variable, ...]]:
        return _index(self.dictionary, lambda v: (_key(v.name), _key(v.label), _key(v.label_zh)))

    @cached_property
    def _by_term(self) -> dict[str, tuple[Variable, ...]]:
        return _index(
            self.dictionary, lambda v: [_key(s) for term in v.terms for s in (term, term.partition(":")[2])]
        )

    @cached_property
    def _by_role(self) -> dict[str, tuple[Variable, ...]]:
        return _index(self.dictionary, lambda v: _ROLE_WORDS.get(v.role, ()))

    @cached_property
    def _by_analyte(self) -> dict[str, tuple[Variable, ...]]:
        def names(variable: Variable) -> list[str]:
            analyte = substance_of(variable) if variable.numeric else None
            return [analyte.name] if analyte is not None else []

        return _index(self.dictionary, names)

    @cached_property
    def _spellings(self) -> tuple[str, ...]:
        texts = (text for v in self.dictionary for text in (v.name, v.label, v.label_zh) if text)
        return tuple(dict.fromkeys(texts))

    @cached_property
    def _held_below(self) -> dict[str, tuple[Filter, ...]]:
        """Term → conditions on variables and categories tied to it or to a term below it."""
        found: dict[str, list[Filter]] = {}
        for term, condition in self._tied():
            for above in self.ties.above(term):
                found.setdefault(above, []).append(condition)
        return {term: tuple(conditions) for term, conditions in found.items()}

    def _tied(self) -> Iterable[tuple[str, Filter]]:
        for variable in self.dictionary:
            if variable.type == "boolean":
                yes = yes_codes(variable)
                yield from ((term, Among(variable.name, yes)) for term in variable.terms if yes)
            elif variable.type == "category":
                for category in variable.categories:
                    if not category.missing and ":" in category.code:
                        yield category.code, Among(variable.name, (category.code,))
                if yes := yes_codes(variable):
                    yield from ((term, Among(variable.name, yes)) for term in variable.terms)


@dataclass
class _Reading:
    """One filter being read."""

    words: Words
    expansions: list[Expansion] = field(default_factory=list)
    taken_in: list[tuple[str, str]] = field(default_factory=list)
    converted: set[str] = field(default_factory=set)

    def condition(self, part: Expression, *, denied: bool = False) -> Filter:  # noqa: PLR0911  one a kind
        """The filter of a true-or-false part; `denied`: of its opposite."""
        match part:
            case Not(part=inner):
                return self.condition(inner, denied=not denied)
            case Binary(op="and" | "or" as op, left=left, right=right):
                parts = (self.condition(left, denied=denied), self.condition(right, denied=denied))
                return All(parts) if (op == "and") != denied else Any(parts)
            case Binary(op=op, left=left, right=right) if op in _FLIPPED:
                return self._comparison(part, denied=denied)
            case Between(part=inner, low=low, high=high):
                ends = (Binary(">=", inner, low, part.place), Binary("<=", inner, high, part.place))
                both = tuple(self.condition(end, denied=denied) for end in ends)
                return Any(both) if denied else All(both)
            case In(part=inner, choices=choices):
                each = (Binary("=", inner, choice, part.place) for choice in choices)
                found = tuple(self.condition(one, denied=denied) for one in each)
                return All(found) if denied else Any(found)
            case Missing(part=Name(name=name, place=place)):
                return Measured(self.words.variable(name, where=_place(place)).name, present=denied)
            case Name(place=place) | Text(place=place):
                return self._comparison(Binary("=", part, Truth(value=True), place), denied=denied)
            case Truth(value=value):
                return All() if value != denied else Any()
            case _:
                raise QueryError(
                    "neither true nor false",
                    where=_place(part.place),
                    expected="a comparison, such as age >= 40",
                )

    def _comparison(self, part: Binary, *, denied: bool) -> Filter:
        op, left, right = part.op, part.left, part.right
        if not isinstance(left, Name | Text) and isinstance(right, Name | Text):
            op, left, right = _FLIPPED[op], right, left
        if not isinstance(left, Name | Text):
            raise QueryError(
                "no variable on either side",
                where=_place(part.place),
                expected="a variable compared with a number or a category",
                todo="Derive a variable by a mapping to ask by a formula.",
            )
        op = _OPPOSITE[op] if denied else op
        name = left.name if isinstance(left, Name) else left.value
        found = self.words.find(name)
        if len(found) == 1:
            return self._of_variable(found[0], op, right)
        term, conditions = self.words.below(name)
        if not conditions:
            self.words.variable(name, where=_place(left.place))
        return self._of_term(name, term, conditions, wanted=_wanted(op, right))

    def _of_term(self, name: str, term: str, conditions: tuple[Filter, ...], *, wanted: bool) -> Filter:
        one = tidy(Any(conditions))
        parts = one.parts if isinstance(one, Any) else (one,)
        self.expansions.append(Expansion(name, term, tuple(map(str, parts))))
        if wanted:
            return Any(conditions)
        return All(tuple(self._opposite(part) for part in conditions if isinstance(part, Among)))

    def _of_variable(self, variable: Variable, op: str, right: Expression) -> Filter:
        if variable.type == "date":
            return _interval(variable.name, op, _days(right), DATE)
        if variable.numeric and not isinstance(right, Name | Text | Truth):
            return _interval(variable.name, op, self._value(variable, right), variable.unit)
        if variable.type not in {"category", "boolean"} or op not in {"=", "!="}:
            kind = "a number" if variable.numeric else f"= or !=, as {variable.name} is a {variable.type}"
            raise QueryError(
                f"{variable.name} {op} something else",
                where=_place(right.place),
                expected=kind,
            )
        chosen = Among(variable.name, self._codes(variable, right))
        return chosen if op == "=" else self._opposite(chosen)

    def _opposite(self, chosen: Among) -> Among:
        known = valid_codes(self.words.dictionary.by_name[chosen.variable])
        return Among(chosen.variable, tuple(code for code in known if code not in chosen.codes))

    def _codes(self, variable: Variable, right: Expression) -> tuple[str, ...]:
        """Codes of the category a word means: code, label in either language, or a term above."""
        text, known = _written(right), valid_codes(variable)
        key = _key(text)
        held = [c for c in variable.categories if not c.missing]
        chosen = {text} & set(known) or {c.code for c in held if key in (_key(c.label), _key(c.label_zh))}
        chosen = chosen or set(_synonyms(variable, key))
        below = self._codes_below(variable, [text, *(code for code in chosen if ":" in code)])
        if below - chosen:
            listed = tuple(code for code in known if code in below | chosen)
            self.expansions.append(Expansion(text, self.words.below(next(iter(chosen), text))[0], listed))
        chosen |= below
        if not chosen:
            _fail_category(variable, text, right.place)
        return tuple(code for code in known if code in chosen)

    def _codes_below(self, variable: Variable, texts: Iterable[str]) -> set[str]:
        """Codes of a variable that are terms below those texts."""
        if not any(":" in category.code for category in variable.categories):
            return set()
        conditions = (part for text in texts for part in self.words.below(text)[1])
        mine = (part for part in conditions if isinstance(part, Among) and part.variable == variable.name)
        return {code for part in mine for code in part.codes}

    def _value(self, variable: Variable, right: Expression) -> float:
        sign = 1.0
        if isinstance(right, Negative):
            sign, right = -1.0, right.part
        if not isinstance(right, Number):
            raise QueryError(
                "no plain number",
                where=_place(right.place),
                expected=f"a number, in {variable.unit}" if variable.unit else "a number",
            )
        if not right.unit:
            if variable.unit:
                self.taken_in.append((variable.name, variable.unit))
            return sign * right.value
        if right.unit != variable.unit:
            self.converted.add(variable.name)
        return convert_value(sign * right.value, right.unit, variable, where=_place(right.place))


def convert_value(value: float, unit: str, variable: Variable, *, where: str = "") -> float:
    """A value in the unit of a variable, at 12 digits. Raises QueryError for one that cannot become it."""
    factor, offset = line_between(unit, variable.unit or "1", variable, where=where or variable.name)
    return float(f"{value * factor + offset:.12g}")


def line_between(unit: str, to: str, variable: Variable, *, where: str) -> tuple[float, float]:
    """Factor and offset that bring values of a variable from one unit to another. Raises QueryError."""
    if unit == to:
        return 1.0, 0.0
    from nexome.model.ucum import converter  # noqa: PLC0415  units are slow to load and seldom differ

    analyte = substance_of(variable)
    try:
        conversion = converter(unit, to, analyte.name if analyte else "")
    except InputError as error:
        raise QueryError(error.found, where=where, expected=error.expected, todo=error.todo) from None
    return float(conversion.factor), float(conversion.offset)


def yes_codes(variable: Variable) -> tuple[str, ...]:
    """Codes that say yes; none where the variable is no question of yes or no."""
    return tuple(_of_words(variable, YES)) if len(valid_codes(variable)) <= YES_NO_UNSURE else ()


def nearest(text: str, among: Iterable[str]) -> list[str]:
    """The nearest spellings, likeliest first: by letters, then by what they share of Chinese."""
    by_key = {_key(known): known for known in reversed(list(among))}
    key = _key(text)
    close = difflib.get_close_matches(key, by_key, n=_NEAR, cutoff=0.55)
    within = [known for known in by_key if key and known and (key in known or known in key)]
    return [by_key[name] for name in dict.fromkeys([*close, *within])][:_NEAR]


def _fail_category(variable: Variable, text: str, place: int) -> NoReturn:
    held = (c for c in variable.categories if not c.missing)
    texts = [t for c in held for t in (c.code, c.label, c.label_zh) if t] or list(valid_codes(variable))
    raise QueryError(
        f"no category {text[:80]!r} of {variable.name}",
        where=_place(place),
        expected="such as " + ", ".join(nearest(text, texts) or texts[:_NEAR]),
    )


def _synonyms(variable: Variable, key: str) -> list[str]:
    if variable.role == "sex":
        group = next((words for words in _SEXES if key in words), frozenset())
        return _of_words(variable, group)
    for group in (YES, NO):
        if key in group:
            return _of_words(variable, group)
    return []


def _of_words(variable: Variable, group: frozenset[str]) -> list[str]:
    """Codes whose label (else code) is one of some words."""
    known = {c.code: c for c in variable.categories if not c.missing}
    found = []
    for code in valid_codes(variable):
        category = known.get(code, Category(code))
        labels = [_key(text) for text in (category.label, category.label_zh) if text]
        if any(label in group for label in labels or [_key(code)]):
            found.append(code)
    return found


def _interval(variable: str, op: str, value: float, unit: str) -> Filter:
    above, beneath = float(np.nextafter(value, math.inf)), float(np.nextafter(value, -math.inf))
    match op:
        case "=":
            return Within(variable, value, value, unit)
        case "!=":
            return Any((Within(variable, high=beneath, unit=unit), Within(variable, above, unit=unit)))
        case ">" | ">=":
            return Within(variable, value if op == ">=" else above, unit=unit)
        case _:
            return Within(variable, high=value if op == "<=" else beneath, unit=unit)


def _days(right: Expression) -> float:
    text = right.value if isinstance(right, Text) else ""
    try:
        return float((date.fromisoformat(text) - date(1970, 1, 1)).days)
    except ValueError:
        where = _place(right.place)
        raise QueryError("no date", where=where, expected="a date in quotes, as '2010-06-30'") from None


def _wanted(op: str, right: Expression) -> bool:
    key = _key(_written(right))
    if op not in {"=", "!="} or key not in YES | NO:
        raise QueryError(
            "a term compared with something else", where=_place(right.place), expected="= yes or = no"
        )
    return (key in YES) == (op == "=")


def _written(right: Expression) -> str:
    match right:
        case Name(name=text) | Text(value=text):
            return text
        case Truth(value=value):
            return "true" if value else "false"
        case Number(value=number):
            return f"{number:.12g}"
        case _:
            raise QueryError("no category", where=_place(right.place), expected="a code or label")


def _index(
    variables: Iterable[Variable], keys: Callable[[Variable], Sequence[str]]
) -> dict[str, tuple[Variable, ...]]:
    found: dict[str, dict[str, Variable]] = {}
    for variable in variables:
        for key in keys(variable):
            if key:
                found.setdefault(key, {})[variable.name] = variable
    return {key: tuple(held.values()) for key, held in found.items()}


def _key(text: str) -> str:
    """A text as it is compared: its words, folded; '+' and signs alone as they stand."""
    return " ".join(words_of(text.replace("_", " "))) or text.strip().casefold()


def _place(place: int) -> str:
    return f"expression, character {place}" if place else "expression"


__all__ = [
    "Expansion",
    "NoTies",
    "Ties",
    "Understood",
    "Words",
    "convert_value",
    "line_between",
    "nearest",
    "written_name",
    "yes_codes",
]
