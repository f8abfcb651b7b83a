"""The page of one variable of a cohort: what it means, how it is spread, what other cohorts have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from nexome.access.cohort_answers import CohortAnswer
from nexome.model.cohorts import NUMERIC
from nexome.model.errors import NotFoundError, QueryError, RefusedError
from nexome.web.pages.cohort_figures import draw_bands
from nexome.web.pages.cohort_parts import bands_of, how_counted, source_text, told_of, unit_text
from nexome.web.pages.figures import Wording
from nexome.web.pages.numbers import MISSING
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of
from nexome.web.pages.place import curves_figure
from nexome.web.pages.plots import Drawn, Figure, Place, figure_of

SOURCE: Final = "source"  # the column of a harmonised cohort that says which source a row is from
_SUMMARY: Final = ("mean", "standard_deviation", "p5", "p25", "p50", "p75", "p95")


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One code of a variable, what it stands for, and how many people have it ('' not told)."""

    code: str
    label: str
    missing: bool
    people: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """The quantity in one cohort: its page, people and numbers in one unit, or why they are withheld."""

    cohort: Link
    people: str
    numbers: tuple[str, ...]
    withheld: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The quantity in every cohort that has it; `unit` of all their numbers."""

    unit: str
    rows: tuple[SourceRow, ...]


@dataclass(frozen=True)
class VariablePage(Page):
    """A variable: definition as (name, value), terms, categories or a distribution, other cohorts.

    `curves` are percentiles by age, one a sex, of the newest reference set of the cohort that has the
    variable, `files` what of that set can be downloaded; none where there is no set.
    """

    template: ClassVar[str] = "variable.html"
    cohort: Link
    name: str
    other_title: str
    facts: tuple[tuple[str, str], ...]
    terms: tuple[Link, ...]
    question: str
    categories: tuple[CategoryRow, ...]
    figure: Card[Figure] | None
    curves: tuple[Card[Figure], ...]
    files: tuple[Link, ...]
    sources: Card[Sources] | None
    summary: tuple[str, ...]
    place: str
    builder: str


def build_variable(ask: Ask, *, cohort: str, variable: str) -> VariablePage:
    """A variable of a cohort by its name."""
    row = _row(ask, cohort, variable)
    title, other = ask.t.both(row["label"], row["label_zh"])
    numeric = row["variable_type"] in NUMERIC
    banded = bool(row["banded_by"])
    reference = _reference(ask, cohort, variable)
    return VariablePage(
        title=title or variable,
        cohort=Link(cohort, ask.href("cohorts", cohort)),
        name=variable,
        other_title=other if other != title else "",
        facts=tuple(_facts(ask, row)),
        terms=tuple(_terms(ask, row)),
        question=row["question"] or "",
        categories=tuple(_categories(ask, cohort, row)),
        figure=card_of(lambda: _figure(ask, cohort, row)) if numeric and banded else None,
        curves=tuple(_curves(ask, variable, reference)) if reference else (),
        files=tuple(_files(ask, variable, reference)) if reference else (),
        sources=card_of(lambda: _sources(ask, row)) if numeric else None,
        summary=tuple(ask.t.of("variable.summary", name) for name in _SUMMARY),
        place=ask.href("place", variable=variable) if numeric else "",
        builder=ask.href("cohort-builder", cohort=cohort, by=variable) if banded else "",
    )


def build_variable_figure(ask: Ask, *, cohort: str, variable: str, ending: str) -> Download:
    """The distribution of a variable as a file."""
    return _drawn(ask, cohort, _row(ask, cohort, variable))[0].file(f"{cohort}-distribution", ending)


def _row(ask: Ask, cohort: str, variable: str) -> Mapping[str, Any]:
    rows = rows_of(ask.view.variables(cohort))
    found = next((row for row in rows if row["variable"] == variable), None)
    if found is None:
        raise NotFoundError(f"no variable {variable[:80]!r}", where=f"cohort {cohort}")
    return found


def _facts(ask: Ask, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield ask.t("cohorts.type_column"), ask.t.of("cohorts.type", row["variable_type"])
    unit = unit_text(row["variable_unit"], ask.t)
    if unit:
        yield ask.t("variable.unit"), unit
    low, high = row["plausible_low"], row["plausible_high"]
    if low is not None and high is not None:
        yield ask.t("variable.range"), f"{low:g}–{high:g} {unit}".rstrip()
    for name in ("sensitivity", "hgr_class"):
        yield ask.t.of("variable.fact", name), ask.t.of(f"variable.{name}", row[name])


def _terms(ask: Ask, row: Mapping[str, Any]) -> Iterator[Link]:
    names = (row["variable_terms"] or "").split(" | ") if row["variable_terms"] else ()
    yield from (Link(name, ask.href("terms", name)) for name in names)


def _categories(ask: Ask, cohort: str, row: Mapping[str, Any]) -> Iterator[CategoryRow]:
    """Codes of a category with the people who have each, as far as it may be told."""
    if row["variable_type"] not in {"category", "boolean"} or not row["banded_by"]:
        return
    answer = ask.view.count(cohort, by=[row["variable"]])
    for code, label, cell in zip(
        answer.by[0].codes, answer.by[0].labels(ask.t.code), answer.release, strict=True
    ):
        yield CategoryRow(
            code, label, missing=False, people=MISSING if cell.count is None else f"{cell.count:,}"
        )


# ---------------------------------------------------------------- the distribution


def _figure(ask: Ask, cohort: str, row: Mapping[str, Any]) -> Figure:
    drawn, wording, answer = _drawn(ask, cohort, row)
    variable = row["variable"]
    place = Place(
        "distribution",
        ask.href("cohorts", cohort, "variables", variable, "distribution"),
        f"{API}/cohorts/{cohort}/histogram?{urlencode({'variable': variable})}",
    )
    source = source_text(ask, told_of(ask, cohort))
    return figure_of(drawn, wording, place, subtitle=how_counted(ask, answer), source=source)


def _drawn(ask: Ask, cohort: str, row: Mapping[str, Any]) -> tuple[Drawn, Wording, CohortAnswer]:
    """The distribution by source where a cohort is made of several, else by sex, else of everyone."""
    answer = _answer(ask, cohort, row["variable"])
    plot, group, band = bands_of(ask, answer)
    unit = unit_text(row["variable_unit"], ask.t)
    wording = Wording(
        title=ask.t("variable.spread_title"),
        sentence=ask.t("variable.spread_sentence", group=group, band=f"{band} {unit}".rstrip()),
        x=unit,
        y=ask.t("variable.density"),
    )
    return draw_bands(plot, wording), wording, answer


def _answer(ask: Ask, cohort: str, variable: str) -> CohortAnswer:
    rows = rows_of(ask.view.variables(cohort))
    groups = [r["variable"] for r in rows if r["variable"] == SOURCE or r["variable_role"] == "sex"]
    groups.sort(key=lambda name: name != SOURCE)
    for by in (*([name] for name in groups if name != variable), []):
        try:
            return ask.view.histogram(cohort, variable, by=by)
        except (QueryError, RefusedError):
            if not by:
                raise
    raise NotFoundError(f"no bands of {variable}")


# ---------------------------------------------------------------- reference values


def _reference(ask: Ask, cohort: str, variable: str) -> str:
    """The newest reference set of a cohort that has a variable and may tell of it; '' where there is none."""
    sets = [row for row in rows_of(ask.view.reference_sets()) if row["cohort"] == cohort]
    sets = [row for row in sets if row["set_state"] != "stale"]
    sets.sort(key=lambda row: str(row["published"]), reverse=True)
    names = (str(row["reference_set"]) for row in sets)
    return next((name for name in names if variable in ask.view.reference_set(name).variables), "")


def _curves(ask: Ask, variable: str, reference: str) -> Iterator[Card[Figure]]:
    """A figure a sex that has a curve."""
    fits = ask.view.reference_set(reference).variable(variable)["curves"]
    for sex in ("female", "male"):
        if fits.get(sex, {}).get("curve", "none") != "none":
            asked = {"sex": sex, "set": reference}
            yield card_of(partial(curves_figure, ask, variable, asked))


def _files(ask: Ask, variable: str, reference: str) -> Iterator[Link]:
    for name in ("groups", "percentiles", "lms"):
        query = urlencode({"variable": variable, "format": "tsv"})
        yield Link(ask.t.of("variable.file", name), f"{API}/reference/{quote(reference)}/{name}?{query}")


# ---------------------------------------------------------------- other cohorts


def _sources(ask: Ask, row: Mapping[str, Any]) -> Sources:
    unit = row["variable_unit"] or None
    table = ask.view.compare_sources(row["variable"], unit=unit)
    return Sources(unit_text(unit, ask.t), tuple(_source_row(ask, one) for one in rows_of(table)))


def _source_row(ask: Ask, row: Mapping[str, Any]) -> SourceRow:
    href = ask.href("cohorts", row["cohort"], "variables", row["variable"])
    people = row["participants"]
    return SourceRow(
        cohort=Link(ask.t.named(row, "title", row["cohort"]), href),
        people=MISSING if people is None else f"{people:,}",
        numbers=tuple(MISSING if row[name] is None else f"{row[name]:.4g}" for name in _SUMMARY),
        withheld=ask.t.of("reason", row["withheld"]) if row["withheld"] else "",
    )
