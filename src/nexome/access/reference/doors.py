"""The doors of a View to reference values: which sets there are, their tables, and where a value lies.

A private set is the owner's; to anyone else it is as unknown as none. A set of people of whom one has
withdrawn since tells nothing (RefusedError, reason 'stale') until it is built again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pyarrow as pa

from nexome.access.cohort_words import convert_value
from nexome.access.reference.placing import (
    CURVE_ANSWER_COLUMNS,
    CURVE_PERCENTILES,
    Person,
    Placement,
    find_person,
    percentile_curves,
    place_among,
)
from nexome.model.cohorts import Variable
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.fields import schema_of
from nexome.model.ucum import read_unit
from nexome.store.reference import TABLES, ReferenceSet, ReferenceStore

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal

REFERENCE_SET_COLUMNS: Final = (
    *("reference_set", "set_version", "title", "title_zh", "access", "cohort", "cohort_version"),
    *("published", "variables_count", "set_state"),
)
PLAIN_UNITS: Final = frozenset({"", "1"})

__all__ = ["CURVE_ANSWER_COLUMNS", "CURVE_PERCENTILES", "REFERENCE_SET_COLUMNS", "Placement", "Referenced"]


class _Asking(Protocol):
    """What of a View these doors lean on."""

    @property
    def _centre(self) -> Centre: ...

    @property
    def principal(self) -> Principal: ...

    def _sets(self) -> dict[str, ReferenceSet]: ...

    def reference_set(self, name: str, version: int | None = None) -> ReferenceSet: ...


class Referenced:
    """Part of View; it is not made by itself."""

    def _sets(self: _Asking) -> dict[str, ReferenceSet]:
        mine = self.principal.kind == "owner"
        sets = ReferenceStore.open(self._centre.root.path).sets()
        return {s.entry.name: s for s in sets if mine or s.entry.access == "open"}

    def reference_sets(self: _Asking) -> pa.Table:
        """Sets this principal may know of, by name, the newest version of each (REFERENCE_SET_COLUMNS)."""
        rows = [_row(opened) for opened in self._sets().values()]
        return pa.Table.from_pylist(rows, schema=schema_of(REFERENCE_SET_COLUMNS))

    def reference_set(self: _Asking, name: str, version: int | None = None) -> ReferenceSet:
        """One set: .entry, .state, .facts, .variables, .table(name, variable), .sheet(language).

        Raises NotFoundError for one that this principal may not know of.
        """
        known = self._sets()
        if name not in known:
            todo = "The owner builds sets: nexome reference build --help." if not known else ""
            raise NotFoundError(
                f"no reference set {name[:80]!r}", expected=", ".join(known)[:300] or "none yet", todo=todo
            )
        if version is None or version == known[name].entry.version:
            return known[name]
        return ReferenceStore.open(self._centre.root.path).get(name, version)

    def reference_table(
        self: _Asking, name: str, table: str = "reference", variable: str | None = None
    ) -> pa.Table:
        """A table of a set: 'reference', 'percentiles', 'curves' or 'partitions', whole or of one variable.

        Raises NotFoundError, QueryError, RefusedError ('stale').
        """
        if table not in TABLES:
            raise QueryError(f"a table {table[:40]!r}", where="table", expected=", ".join(TABLES))
        opened = self.reference_set(name)
        chosen = None if variable is None else find_variable(opened, variable)
        return opened.table(table, chosen)

    def reference_file(self: _Asking, name: str, file: str) -> Path:
        """A file of a set, to be sent as it lies. Raises NotFoundError, RefusedError ('stale')."""
        return self.reference_set(name).file(file)

    def curves(
        self: _Asking,
        variable: str,
        sex: str | None = None,
        *,
        reference: str | None = None,
        percentiles: Sequence[float] = CURVE_PERCENTILES,
    ) -> pa.Table:
        """Percentiles by age from the LMS curves, with 95 % intervals (CURVE_ANSWER_COLUMNS).

        Of one sex, or all. No rows where there is no curve; a curve told as poor is given too: see
        `reference_set(…).variables`. Raises NotFoundError, QueryError, RefusedError ('stale').
        """
        if bad := [p for p in percentiles if not 0 < p < 100]:
            raise QueryError(f"percentile {bad[0]:g}", where="percentiles", expected="above 0, below 100")
        opened, name = find_set(self._sets(), variable, reference)
        fits = opened.variable(name)["curves"]
        known = [s for s in fits if fits[s]["curve"] != "none"]
        if sex is not None:
            known = [s for s in known if s == _sex_in(opened, sex)]
        return percentile_curves(opened, name, known, percentiles)

    def place(
        self: _Asking,
        variable: str,
        sex: str | None = None,
        age: float | None = None,
        *,
        value: float,
        unit: str = "",
        reference: str | None = None,
    ) -> Placement:
        """Where a value lies among the people of its sex and age.

        `unit`: UCUM or as people write it, converted into that of the set; needed wherever the variable has
        one. `reference`: the set, else the newest that has the variable. Raises NotFoundError; QueryError for
        a unit that does not convert, an unknown sex, an age without people; RefusedError ('stale').
        """
        if not math.isfinite(value):
            raise QueryError("no number", where="value", expected="a number")
        opened, name = find_set(self._sets(), variable, reference)
        opened.check_current()
        told = opened.variable(name)
        own = _in_unit(value, unit, name, told)
        known, years = find_person(opened, told, sex, age)
        entry = opened.entry
        return Placement(
            reference=entry.name,
            version=entry.version,
            published=entry.published,
            state=opened.state,
            cohort=entry.cohort,
            cohort_version=entry.cohort_version,
            variable=name,
            label=told["label"],
            label_zh=told["label_zh"],
            sex=known,
            age=years,
            value=value,
            unit=unit or told["unit"],
            value_in_set=own,
            unit_of_set=told["unit"],
            **place_among(opened, name, Person(known, years, own)),
        )


def find_set(
    sets: Mapping[str, ReferenceSet], variable: str, reference: str | None
) -> tuple[ReferenceSet, str]:
    """The set asked, or the newest that has the variable (current ones first), and the variable's name there.

    Raises NotFoundError.
    """
    if reference is not None:
        if reference not in sets:
            raise NotFoundError(
                f"no reference set {reference[:80]!r}", expected=", ".join(sets)[:300] or "none yet"
            )
        return sets[reference], find_variable(sets[reference], variable)
    found = [(opened, name) for opened in sets.values() if (name := _named(opened, variable))]
    if not found:
        known = sorted({name for opened in sets.values() for name in opened.variables})
        raise NotFoundError(
            f"no reference set has a variable {variable[:80]!r}",
            expected=", ".join(known[:20]) or "a set built before",
            todo="See `nexome reference list`."
            if known
            else "The owner builds sets: nexome reference build.",
        )
    return max(found, key=lambda f: (f[0].state != "stale", f[0].entry.published, f[0].entry.name))


def find_variable(opened: ReferenceSet, text: str) -> str:
    """The name of the variable a text means: its name, label or term. Raises NotFoundError."""
    name = _named(opened, text)
    if name is None:
        opened.variable(text)  # says what there is
        raise AssertionError
    return name


def _named(opened: ReferenceSet, text: str) -> str | None:
    if text in opened.variables:
        return text
    plain = text.strip().casefold()
    for name, told in opened.variables.items():
        if plain in {w.casefold() for w in (name, told["label"], told["label_zh"], *told["terms"]) if w}:
            return name
    return None


def _sex_in(opened: ReferenceSet, sex: str) -> str:
    from nexome.access.reference.layout import read_sex  # noqa: PLC0415

    known = {s.casefold(): s for s in opened.facts["sexes"]}
    if read_sex(sex) not in known:
        raise QueryError(
            f"the sex {sex[:40]!r}",
            where="sex",
            expected=" or ".join(opened.facts["sexes"]) or "none: one group",
        )
    return known[read_sex(sex)]


def _in_unit(value: float, unit: str, name: str, told: Mapping[str, Any]) -> float:
    """A value in the unit of the set. Raises QueryError for no unit or one that does not convert."""
    own = told["unit"]
    if not unit.strip():
        if own in PLAIN_UNITS:
            return value
        raise QueryError("no unit", where="unit", expected=f"{own}, or a unit that converts to it")
    code = read_unit(unit)
    if not code:
        raise QueryError(
            f"the unit {unit[:40]!r}", where="unit", expected=f"{own}, or a unit that converts to it"
        )
    terms, words = tuple(told["terms"]), (told["label"], told["label_zh"])
    variable = Variable(name, told["type"], *words, unit=own, terms=terms)
    return convert_value(value, code, variable, where="unit")


def _row(opened: ReferenceSet) -> dict[str, Any]:
    entry = opened.entry
    return {
        "reference_set": entry.name,
        "set_version": entry.version,
        "title": entry.title or None,
        "title_zh": entry.title_zh or None,
        "access": entry.access,
        "cohort": entry.cohort,
        "cohort_version": entry.cohort_version,
        "published": entry.published,
        "variables_count": entry.variables,
        "set_state": opened.state,
    }
