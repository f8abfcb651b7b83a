"""The list of studies: found by words, filtered, sorted and paged by plain links.

What stands in the View's table of studies can be sorted by, and for studies of one trait their effective
sample size, number of loci and λGC, from what was summarised when they were published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nexome.access.quality import FEW_PEOPLE, effective_size
from nexome.web.pages.numbers import is_missing
from nexome.web.pages.page import Ask, Card, Link, Page, Paging, card_of, paging_of, rows_of

ROWS: Final = 50
SORTS: Final = {
    "id": ("study_id", "ascending"),
    "title": ("title", "ascending"),
    "ancestry": ("ancestry", "ascending"),
    "traits": ("trait_count", "descending"),
    "cells": ("cell_count", "descending"),
    "access": ("access", "ascending"),
    "date": ("published", "descending"),
    "n": ("people", "descending"),
    "loci": ("loci", "descending"),
    "lambda": ("lambda_gc", "descending"),
}
OUTCOMES: Final = ("people", "loci", "lambda_gc")  # what View.outcomes knows of studies of one trait
FILTERS: Final = ("access", "ancestry", "feature_kind")
MOST_CHOICES: Final = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """Sizes of a trait's sample, in people (None unknown); `small` flags those to be read with care."""

    n: float | None
    n_cases: float | None
    n_controls: float | None

    @property
    def small(self) -> bool:
        """Whether the effective size is below FEW_PEOPLE."""
        return effective_size(self.n, self.n_cases, self.n_controls) < FEW_PEOPLE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study found: λGC and number of genome-wide significant loci of its first trait."""

    lambda_gc: float
    loci: int


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One line of the list. `trait` is that of a study with one, else ''; `outcome` is for those alone."""

    id: str
    href: str
    title: str
    trait: str
    traits: int
    sample: Sample | None
    ancestry: str
    access: str
    published: str
    cells: int
    outcome: Card[Outcome]


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow the list: its name and the choices as links, the first being 'all'."""

    name: str
    choices: tuple[Link, ...]


@dataclass(frozen=True)
class StudiesPage(Page):
    """The list. `words` as typed, `sorts` by name as links, `rows` of this page of the list."""

    template: ClassVar[str] = "studies.html"
    words: str
    filters: tuple[Filter, ...]
    sorts: dict[str, Link]
    rows: tuple[StudyRow, ...]
    paging: Paging


def build_studies(ask: Ask) -> StudiesPage:
    """The list of studies by parameters q, access, ancestry, feature_kind, sort and page."""
    words = " ".join(ask.query.get("q", "").split())[:200]
    found = ask.view.studies(words or None)
    table = _narrow(ask, found)
    sort = ask.choice("sort", {**SORTS, "match": ()}, "match" if words else "id")
    if sort != "match":
        column, direction = SORTS[sort]
        key = _outcomes(ask, table, column) if column in OUTCOMES else _plain(table[column])
        keys = pa.table({"key": key, "study_id": _plain(table["study_id"])})
        table = table.take(pc.sort_indices(keys, [("key", direction), ("study_id", "ascending")]))
    paging = paging_of(ask, total=table.num_rows, size=ROWS)
    shown = table.slice(max(paging.first - 1, 0), ROWS)
    return StudiesPage(
        title=ask.t("studies.title"),
        words=words,
        filters=tuple(_filter(ask, found, name) for name in FILTERS),
        sorts={s: Link(ask.t.of("studies.sort", s), ask.again(sort=s, page=None), s == sort) for s in SORTS},
        rows=tuple(_row(ask, row) for row in rows_of(shown)),
        paging=paging,
    )


def sample_of(row: dict[str, Any]) -> Sample:
    """Sample sizes of a row of the table of traits."""
    return Sample(*(None if is_missing(row[name]) else row[name] for name in ("n", "n_cases", "n_controls")))


def _narrow(ask: Ask, table: pa.Table) -> pa.Table:
    for name in FILTERS:
        if value := ask.query.get(name):
            table = table.filter(pc.equal(_plain(table[name]), value))
    return table


def _outcomes(ask: Ask, table: pa.Table, name: str) -> pa.Array:
    """People (effective), loci or λGC of each study; null, hence last, where there are several traits."""
    outcomes = ask.view.outcomes()
    values = [getattr(outcomes.get(study), name, None) for study in table["study_id"].to_pylist()]
    return pa.array(values, pa.float64(), from_pandas=True)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column that can be sorted and compared: texts as plain strings, '' where there is none."""
    if pa.types.is_integer(column.type):
        return column
    return pc.fill_null(column.cast(pa.string()), "")


def _filter(ask: Ask, table: pa.Table, name: str) -> Filter:
    """The commonest values of a column as links, with how many studies have each."""
    counted = pc.value_counts(table[name].cast(pa.string())).to_pylist()
    values = sorted(((c["counts"], c["values"]) for c in counted if c["values"]), key=lambda c: (-c[0], c[1]))
    now = ask.query.get(name, "")
    every = Link(ask.t("studies.all"), ask.again(**{name: None, "page": None}), not now)
    links = [
        Link(ask.t.of(f"studies.{name}", v), ask.again(**{name: v, "page": None}), v == now, n)
        for n, v in values[:MOST_CHOICES]
    ]
    return Filter(ask.t.of("studies.filter", name), (every, *links))


def _row(ask: Ask, row: dict[str, Any]) -> StudyRow:
    study, one = row["study_id"], row["trait_count"] == 1
    first = rows_of(ask.view.traits(study, limit=1))[:1]
    trait = (first[0].get(f"trait_{ask.t.code}") or first[0]["trait"]) if first and one else ""
    return StudyRow(
        id=study,
        href=ask.href("studies", study),
        title=row.get(f"title_{ask.t.code}") or row["title"] or "",
        trait=trait,
        traits=row["trait_count"],
        sample=sample_of(first[0]) if first else None,
        ancestry=ask.t.of("studies.ancestry", row["ancestry"] or ""),
        access=row["access"],
        published=row["published"][:10],
        cells=row["cell_count"],
        outcome=card_of(lambda: _outcome(ask, study)) if one else Card(),
    )


def _outcome(ask: Ask, study: str) -> Outcome:
    summary = ask.view.summary(study)
    strong = summary.loci()
    return Outcome(summary.lambda_gc, int(np.count_nonzero(~strong.suggestive)))
