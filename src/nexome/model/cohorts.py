"""The words of cohorts: variables with their dictionary, and what is known of a cohort as a whole.

cohort       people measured under one protocol; kept as immutable versions of one table
row          one participant at one visit; a wide table has one row a participant and no visit
participant  a person, known by one 64-bit key through which samples and molecular data are tied to them
variable     one column, described by the dictionary: type, unit, categories, missing codes, meaning
unit         a UCUM code ('mmol/L', 'mm[Hg]', '1' for a plain number, '' where there is none)

A dictionary that was worked out from the data is marked `confirmed=False` until a person says it is right.
No input or output here; files are read by `formats.cohorts`, tables kept by `store.cohorts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Final, Literal, Self

from nexome.model.errors import InputError
from nexome.model.terms import Access, check_identifier

VariableType = Literal["integer", "decimal", "category", "boolean", "date", "text"]
Role = Literal["", "participant", "visit", "date", "sex", "age", "weight", "consent", "purposes", "withdrawn"]
Sensitivity = Literal["open", "personal", "sensitive", "identifying"]
HgrClass = Literal["excluded", "genetic-information", "material"]

VARIABLE_TYPES: Final = ("integer", "decimal", "category", "boolean", "date", "text")
ROLES: Final = (
    "",
    "participant",
    "visit",
    "date",
    "sex",
    "age",
    "weight",
    "consent",
    "purposes",
    "withdrawn",
)
SENSITIVITIES: Final = ("open", "personal", "sensitive", "identifying")
HGR_CLASSES: Final = ("excluded", "genetic-information", "material")
NUMERIC: Final = frozenset({"integer", "decimal"})


@dataclass(frozen=True, slots=True)
class Category:
    """One code of a variable and what it stands for; `missing`: for no answer (refused, not done)."""

    code: str
    label: str = ""
    label_zh: str = ""
    missing: bool = False

    def title(self, language: str = "en") -> str:
        """The label in a language, else in the other, else the code."""
        return _titled(self.label, self.label_zh, language) or self.code


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of a cohort's table. Texts may be '': unknown is not guessed.

    `minimum` and `maximum` are the plausible range in `unit`. `categories` of a number or date hold its
    missing codes alone. `terms` are CURIEs (LOINC:2093-3, HP:…, EFO:…). `question` is the source's own
    wording. `role` says which variable is the participant, the visit, the age … of its table.
    """

    name: str
    type: VariableType
    label: str = ""
    label_zh: str = ""
    unit: str = ""
    categories: tuple[Category, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    terms: tuple[str, ...] = ()
    question: str = ""
    sensitivity: Sensitivity = "personal"
    hgr_class: HgrClass = "excluded"
    role: Role = ""

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("type", self.type, VARIABLE_TYPES),
            ("sensitivity", self.sensitivity, SENSITIVITIES),
            ("hgr_class", self.hgr_class, HGR_CLASSES),
            ("role", self.role, ROLES),
        ):
            if value not in allowed:
                where = f"variable {self.name[:80]}"
                raise InputError(
                    f"{name} {value!r}", where=where, expected="one of " + ", ".join(filter(None, allowed))
                )

    @property
    def numeric(self) -> bool:
        """Whether values are numbers with (perhaps) a unit."""
        return self.type in NUMERIC

    @property
    def missing_codes(self) -> frozenset[str]:
        """Codes that stand for no answer."""
        return frozenset(c.code for c in self.categories if c.missing)

    def title(self, language: str = "en") -> str:
        """The label in a language, else in the other, else the name."""
        return _titled(self.label, self.label_zh, language) or self.name

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The variable back from plain JSON values; unknown names are refused."""
        _refuse_unknown(cls, values)
        categories = tuple(Category(**c) for c in values.get("categories", ()))
        return cls(**(dict(values) | {"categories": categories, "terms": tuple(values.get("terms", ()))}))


@dataclass(frozen=True)
class Dictionary:
    """The variables of a table in column order, names unique. `confirmed`: a person wrote or approved it."""

    variables: tuple[Variable, ...]
    confirmed: bool = True

    def __post_init__(self) -> None:
        if len(self.by_name) != len(self.variables):
            names = [v.name for v in self.variables]
            twice = sorted({n for n in names if names.count(n) > 1})[:5] if len(names) < 10_000 else []
            raise InputError(
                f"variables named twice: {', '.join(twice) or 'some'}", expected="one entry a variable"
            )

    @cached_property
    def by_name(self) -> dict[str, Variable]:
        """Each variable by its name."""
        return {v.name: v for v in self.variables}

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)

    def of_role(self, role: Role) -> Variable | None:
        """The variable with a role; None where the table has none."""
        return next((v for v in self.variables if v.role == role), None)

    def as_dict(self) -> dict[str, Any]:
        """The dictionary as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The dictionary back from `as_dict`."""
        variables = tuple(Variable.from_dict(v) for v in values["variables"])
        return cls(variables, confirmed=bool(values.get("confirmed", True)))


@dataclass(frozen=True, slots=True)
class Cohort:
    """What is known of a cohort beside its values; what its data sheet says. Texts may be ''.

    `people` names who shares participant identifiers: two cohorts with the same `people` and the same
    identifier are about one person ('': this cohort alone). `excluded` says who is not in it. `purposes`
    are DUO codes that the consent of the whole cohort permits; participants may have fewer.
    `sampling`: 'population' (drawn from the general population), 'clinical' (patients), 'other'.
    """

    id: str
    title: str = ""
    title_zh: str = ""
    access: Access = "private"
    description: str = ""
    description_zh: str = ""
    country: str = ""
    years: str = ""
    sampling: str = ""
    excluded: str = ""
    excluded_zh: str = ""
    licence: str = ""
    publication: str = ""
    source: str = ""
    permit: str = ""
    purposes: tuple[str, ...] = ()
    people: str = ""

    def __post_init__(self) -> None:
        check_identifier(self.id, where="cohort")

    def as_dict(self) -> dict[str, Any]:
        """The cohort as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The cohort back from `as_dict`; unknown names are refused."""
        _refuse_unknown(cls, values)
        return cls(**(dict(values) | {"purposes": tuple(values.get("purposes", ()))}))


def _refuse_unknown(record: type, values: Mapping[str, Any]) -> None:
    known = {f.name for f in fields(record)}
    if unknown := sorted(set(values) - known):
        raise InputError(
            f"unknown fields {', '.join(map(str, unknown))[:200]}",
            where=record.__name__.lower(),
            expected=", ".join(sorted(known)),
        )


def _titled(label: str, label_zh: str, language: str) -> str:
    own, other = (label_zh, label) if language == "zh" else (label, label_zh)
    return own or other
