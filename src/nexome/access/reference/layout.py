"""Who counts towards reference values, and in which group: sexes, ages in fine cells, bands of ages.

A cell is one sex at one fine step of age; a group is a stretch of cells: a sex in a band of ages, a sex at
all ages. People whose sex or age is missing where groups are made by it are in no group, not even in
those of all ages, so that no group differs from the sum of its parts by a few. Ages are in years.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.cohorts import Variable
from nexome.model.errors import InputError

if TYPE_CHECKING:
    from nexome.store.cohorts import CohortTable

AXES: Final = ("sex", "age")
BAND_LEAST: Final = 1.0
AGE_CELLS: Final = 128  # the finest step of age is taken that needs no more
AGE_STEPS: Final = (1 / 12, 0.25, 0.5, 1.0)
AGE_MOST: Final = 130.0

_WORDS: Final = {
    "female": frozenset({"f", "female", "woman", "women", "女", "女性"}),
    "male": frozenset({"m", "male", "man", "men", "男", "男性"}),
}

Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Group:
    """A sex (None: all), ages from and to (None: all, or open); its cells `first` to that before `behind`."""

    sex: str | None
    age_from: float | None
    age_to: float | None
    first: int
    behind: int

    @property
    def cells(self) -> slice:
        """Its cells, first to the one before `behind`."""
        return slice(self.first, self.behind)

    @property
    def banded(self) -> bool:
        """Whether it is one band of ages."""
        return self.age_from is not None or self.age_to is not None


@dataclass(frozen=True)
class Layout:
    """Cell of each row (−1: none) [rows], cells counted by sex, then age.

    `sexes`: (None,) where groups are not made by sex. `edges`: bands of ages, ascending, the last possibly
    infinite; empty where groups are not made by age. Age cell a holds first_age + age_step·a up to the next.
    `completed_years`: ages are whole numbers, so 45 stands for 45 to 46.
    """

    cell: Int32s
    sexes: tuple[str | None, ...]
    first_age: float
    age_step: float
    ages: int
    edges: tuple[float, ...]
    completed_years: bool

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.sexes) * self.ages

    @cached_property
    def bands(self) -> tuple[tuple[float, float, int, int], ...]:
        """Each band: age from, age to, its first age cell and the one behind its last."""
        found = []
        for low, high in pairwise(self.edges):
            first, last = (min(max(self._age_cell(e), 0), self.ages) for e in (low, high))
            if last > first:
                found.append((low, high, first, last))
        return tuple(found)

    @property
    def by_age(self) -> bool:
        """Whether ages are told apart."""
        return bool(self.edges)

    def age_middles(self) -> npt.NDArray[np.float64]:
        """The middle of each age cell [ages]."""
        return np.asarray(self.first_age + self.age_step * (np.arange(self.ages) + 0.5), np.float64)

    def banded_groups(self) -> list[Group]:
        """Each sex in each band of ages; each sex where there are no bands. By sex, then age."""
        return [g for index in range(len(self.sexes)) for g in self.groups_of(index)]

    def groups_of(self, sex_index: int) -> list[Group]:
        """The bands of one sex."""
        base = sex_index * self.ages
        sex = self.sexes[sex_index]
        if not self.by_age:
            return [Group(sex, None, None, base, base + self.ages)]
        return [
            Group(sex, low, None if math.isinf(high) else high, base + first, base + last)
            for low, high, first, last in self.bands
        ]

    def whole_group(self, sex_index: int) -> Group | None:
        """One sex at all ages of the bands; None where that is a group already, or there is no band."""
        if not self.by_age or not self.bands:
            return None
        base = sex_index * self.ages
        first, behind = base + self.bands[0][2], base + self.bands[-1][3]
        return Group(self.sexes[sex_index], None, None, first, behind)

    def band_of_rows(self) -> Int32s:
        """The number of each row's group among `banded_groups`, −1 for none [rows]."""
        number = np.full(self.cells + 1, -1, np.int32)  # the last place is that of cell −1
        for index, group in enumerate(self.banded_groups()):
            number[group.cells] = index
        return number[self.cell]

    def _age_cell(self, age: float) -> int:
        return self.ages if math.isinf(age) else round((age - self.first_age) / self.age_step)


def lay_out(table: CohortTable, by: Sequence[str], bands: str, kept: Bools) -> Layout:
    """The layout of a cohort's rows by 'sex' and/or 'age'; rows that are not `kept` are in no cell.

    `bands`: width in years ('10'), or edges ('18,30,45,60': the last is open). Raises InputError for a cohort
    without the variable, or bands that cannot be.
    """
    if unknown := [name for name in by if name not in AXES]:
        raise InputError(f"groups by {', '.join(unknown)[:80]}", where="by", expected="sex, age or both")
    sexes, sex = _sexes(table) if "sex" in by else ((None,), np.zeros(table.rows, np.int32))
    cell = np.where(kept, sex, -1).astype(np.int32)
    if "age" not in by:
        return Layout(cell, sexes, 0.0, 1.0, 1, (), completed_years=False)
    age = _ages(table)
    usable = np.isfinite(age) & (cell >= 0) & (age >= 0) & (age <= AGE_MOST)
    if not usable.any():
        raise InputError(
            "nobody with an age who counts", where=f"cohort {table.id}", expected="ages in years"
        )
    low, high = float(age[usable].min()), float(age[usable].max())
    edges = read_bands(bands, low=low, high=high)
    usable &= (age >= edges[0]) & (age < edges[-1])
    first, step, count = _age_cells(max(low, edges[0]), high)
    place = np.floor((np.where(usable, age, 0.0) - first) / step + 1e-9).astype(np.int32)
    cell = np.where(usable, cell * np.int32(count) + np.clip(place, 0, count - 1), -1).astype(np.int32)
    whole = bool(np.all(age[usable] == np.floor(age[usable])))
    return Layout(cell, sexes, first, step, count, edges, completed_years=whole)


def read_bands(text: str, *, low: float, high: float) -> tuple[float, ...]:
    """Edges of the bands of ages a text means, for ages from `low` to `high`. Raises InputError.

    >>> read_bands("20", low=18, high=71)
    (0.0, 20.0, 40.0, 60.0, 80.0)
    >>> read_bands("18,30,45", low=18, high=71)
    (18.0, 30.0, 45.0, inf)
    """
    try:
        numbers = [float(part) for part in text.replace("，", ",").split(",")]
    except ValueError:
        numbers = []
    ordered = all(a < b for a, b in pairwise(numbers))
    if not numbers or not ordered or not all(0 <= x < AGE_MOST for x in numbers):
        raise InputError(
            f"bands of ages {text[:80]!r}",
            where="age bands",
            expected="a width in years (10), or edges that ascend (18,30,45,60)",
        )
    if len(numbers) == 1:
        width = max(numbers[0], BAND_LEAST)
        first, last = math.floor(low / width), math.floor(high / width) + 1
        return tuple(width * k for k in range(first, last + 1))
    if min(b - a for a, b in pairwise(numbers)) < BAND_LEAST:
        raise InputError("a band below one year", where="age bands", expected="bands of a year or more")
    return (*numbers, math.inf)


def sex_of(variable: Variable, code: str) -> str:
    """'female' or 'male' where a category's code or label says so, else its label."""
    category = next((c for c in variable.categories if c.code == code), None)
    texts = [code] if category is None else [category.label, category.label_zh, category.code]
    for word, spellings in _WORDS.items():
        if any(text.strip().casefold() in spellings for text in texts):
            return word
    return next((text for text in texts if text), code)


def read_sex(text: str) -> str:
    """What a person typed for a sex, as 'female' or 'male' where it is one of the words for it."""
    plain = text.strip().casefold()
    return next((word for word, spellings in _WORDS.items() if plain in spellings), plain)


def _sexes(table: CohortTable) -> tuple[tuple[str | None, ...], Int32s]:
    variable = _of_role(table, "sex")
    column = table.column(variable.name)
    if not column.categories:
        raise InputError(
            f"{variable.name} is {variable.type}",
            where=f"cohort {table.id}",
            expected="a sex of type category",
        )
    labels = [sex_of(variable, code) for code in column.categories]
    sexes = tuple(dict.fromkeys(labels))
    number = np.array([*(sexes.index(label) for label in labels), -1], np.int32)
    codes = np.where(column.missing, -1, np.asarray(column.values))
    return sexes, number[codes.astype(np.int32)]


def _ages(table: CohortTable) -> npt.NDArray[np.float64]:
    variable = _of_role(table, "age")
    values = np.asarray(table.column(variable.name).values, np.float64)
    if variable.unit in {"", "a"}:
        return values
    from nexome.model.ucum import converter  # noqa: PLC0415  units are slow to load

    return converter(variable.unit, "a").apply(values)


def _of_role(table: CohortTable, role: Any) -> Variable:
    variable = table.dictionary.of_role(role)
    if variable is None:
        raise InputError(
            f"no variable with the role {role}",
            where=f"cohort {table.id}",
            expected=f"one whose role in the dictionary is {role}",
            todo=f"Give the variable its role in the dictionary, or leave {role} out of --by.",
        )
    return variable


def _age_cells(low: float, high: float) -> tuple[float, float, int]:
    """First age, step and number of age cells that hold ages from low to high."""
    for step in AGE_STEPS:
        first = math.floor(low)
        count = math.floor((high - first) / step + 1e-9) + 1
        if count <= AGE_CELLS or step == AGE_STEPS[-1]:
            return float(first), step, count
    raise AssertionError
