"""The pages of cohorts: their list with what each measured, and one cohort with its people and variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from nexome.access.cohort_answers import CohortAnswer
from nexome.model.cohorts import Cohort
from nexome.model.errors import NotFoundError, QueryError, RefusedError
from nexome.search.text import is_han
from nexome.web.pages.cohort_figures import draw_bands
from nexome.web.pages.cohort_parts import bands_of, how_counted, source_text, told_of, unit_text
from nexome.web.pages.figures import Wording
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, Paging, card_of, paging_of, rows_of
from nexome.web.pages.plots import Drawn, Figure, Place, figure_of

ROWS: Final = 100
MATRIX_ROWS: Final = 60
QUANTITIES: Final = 14  # that cohorts may be chosen by
FOUND: Final = 50
FACETS: Final = {"kind": "cohort_kind", "country": "country", "sampling": "sampling", "access": "access"}
_SHEET: Final = ("country", "years", "sampling", "licence", "publication", "source", "permit")


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One cohort of the list: its page, identifier, and what is told of it; '' where it is not."""

    link: Link
    id: str
    kind: str
    country: str
    years: str
    people: int
    ages: str
    variables: int
    access: str
    published: str


@dataclass(frozen=True, slots=True)
class QuantityRow:
    """One quantity: its name, and for each cohort of the list the variable that measures it, if any."""

    name: str
    cells: tuple[Link | None, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that cohorts are told apart by: its name and what may be chosen, 'all' first."""

    name: str
    choices: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A variable that was found by words, and the cohort that has it."""

    variable: Link
    cohort: Link
    unit: str


@dataclass(frozen=True)
class CohortsPage(Page):
    """Cohorts a reader may know of, by facets and words, and what more than one of them measured.

    `found`: variables of all cohorts that `words` mean.
    """

    template: ClassVar[str] = "cohorts.html"
    words: str
    found: tuple[Found, ...]
    facets: tuple[Facet, ...]
    rows: tuple[CohortRow, ...]
    columns: tuple[Link, ...]
    quantities: tuple[QuantityRow, ...]


@dataclass(frozen=True, slots=True)
class VariableRow:
    """One variable of a cohort: its page, unit or categories, terms and question."""

    link: Link
    name: str
    type: str
    unit: str
    categories: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class CohortPage(Page):
    """One cohort: its data sheet as (name, value), its people by age and sex, its variables."""

    template: ClassVar[str] = "cohort.html"
    id: str
    about: str
    excluded: str
    facts: tuple[tuple[str, str], ...]
    figure: Card[Figure]
    variables: tuple[VariableRow, ...]
    paging: Paging | None
    words: str
    sources: tuple[Link, ...]
    builder: str


def build_cohorts(ask: Ask) -> CohortsPage:
    """The list of cohorts; parameters q (words of variables), FACETS and measured (a quantity)."""
    every = rows_of(ask.view.cohorts())
    matrix = rows_of(ask.view.variable_matrix())
    words = ask.query.get("q", "").strip()
    rows = tuple(_cohort_row(ask, row) for row in _chosen(ask, every, matrix))
    return CohortsPage(
        title=ask.t("cohorts.title"),
        words=words,
        found=tuple(_found(ask, words)) if words else (),
        facets=tuple(_facets(ask, every, matrix)),
        rows=rows,
        columns=tuple(Link(row.id, row.link.href) for row in rows),
        quantities=tuple(_quantities(ask, matrix, [row.id for row in rows])),
    )


def build_cohort(ask: Ask, *, cohort: str) -> CohortPage:
    """One cohort; parameters q (words its variables are found by) and page."""
    record = ask.view.cohort(cohort)
    words = ask.query.get("q", "").strip()
    variables = rows_of(ask.view.variables(cohort, words or None))
    paging = paging_of(ask, total=len(variables), size=ROWS)
    start = max(0, paging.first - 1)
    told = told_of(ask, cohort)
    return CohortPage(
        title=ask.t.field(record, "title") or cohort,
        id=cohort,
        about=ask.t.field(record, "description"),
        excluded=ask.t.field(record, "excluded"),
        facts=tuple(_facts(ask, record, told)),
        figure=card_of(lambda: _people(ask, cohort, told)),
        variables=tuple(_variable_row(ask, cohort, row) for row in variables[start : start + ROWS]),
        paging=paging,
        words=words,
        sources=tuple(_sources(ask, cohort)),
        builder=ask.href("cohort-builder", cohort=cohort),
    )


def build_cohort_figure(ask: Ask, *, cohort: str, ending: str) -> Download:
    """The people of a cohort by age and sex, as a file."""
    ask.view.cohort(cohort)
    return _people_drawn(ask, cohort)[0].file(f"{cohort}-people", ending)


# ---------------------------------------------------------------- the list


def _cohort_row(ask: Ask, row: Mapping[str, Any]) -> CohortRow:
    return CohortRow(
        link=Link(ask.t.named(row, "title", row["cohort"]), ask.href("cohorts", row["cohort"])),
        id=row["cohort"],
        kind=ask.t.of("cohorts.kind", row["cohort_kind"]),
        country=row["country"] or "",
        years=row["years"] or "",
        people=row["participants"],
        ages=_ages(row),
        variables=row["variables_count"],
        access=ask.t.of("access", row["access"]),
        published=row["published"][:10],
    )


def _ages(row: Mapping[str, Any]) -> str:
    if row["age_from"] is None:
        return ""
    return f"{row['age_from']:g}–{row['age_to']:g}" if row["age_to"] is not None else f"≥ {row['age_from']:g}"


def _chosen(
    ask: Ask, every: Sequence[Mapping[str, Any]], matrix: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """Cohorts with the value asked for of each facet, and that measured what is asked for."""
    wanted = {column: ask.query.get(name, "") for name, column in FACETS.items()}
    measured = ask.query.get("measured", "")
    have = {row["cohort"] for row in matrix if row["quantity"] == measured}
    for row in every:
        fits = all(not value or (row[column] or "") == value for column, value in wanted.items())
        if fits and (not measured or row["cohort"] in have):
            yield row


def _facets(
    ask: Ask, every: Sequence[Mapping[str, Any]], matrix: Sequence[Mapping[str, Any]]
) -> Iterator[Facet]:
    """What tells the cohorts apart, each value with how many have it."""
    for name, column in FACETS.items():
        counts = Counter(row[column] for row in every if row[column])
        texts = {value: ask.t.of(f"cohorts.{name}", value) for value in counts}
        if name == "access":
            texts = {value: ask.t.of("access", value) for value in counts}
        yield Facet(ask.t.of("cohorts.facet", name), tuple(_choices(ask, name, counts, texts)))
    quantities = Counter(quantity for quantity, _ in {(row["quantity"], row["cohort"]) for row in matrix})
    by_quantity: dict[str, list[Mapping[str, Any]]] = {}
    for row in matrix:
        by_quantity.setdefault(row["quantity"], []).append(row)
    labels = {quantity: _quantity(ask, quantity, rows) for quantity, rows in by_quantity.items()}
    common = Counter({q: n for q, n in quantities.most_common(QUANTITIES) if n > 1})
    yield Facet(ask.t("cohorts.facet.measured"), tuple(_choices(ask, "measured", common, labels)))


def _choices(ask: Ask, name: str, counts: Mapping[str, int], texts: Mapping[str, str]) -> Iterator[Link]:
    chosen = ask.query.get(name, "")
    yield Link(ask.t("cohorts.all"), ask.again(**{name: ""}), not chosen)
    for value, count in counts.items():
        yield Link(texts[value], ask.again(**{name: value}), chosen == value, count)


def _found(ask: Ask, words: str) -> Iterator[Found]:
    """Variables of all cohorts that some words mean, the first FOUND of them."""
    for row in rows_of(ask.view.find_variables(words))[:FOUND]:
        cohort, variable = row["cohort"], row["variable"]
        yield Found(
            Link(ask.t.named(row, "label", variable), ask.href("cohorts", cohort, "variables", variable)),
            Link(cohort, ask.href("cohorts", cohort)),
            unit_text(row["variable_unit"], ask.t),
        )


def _quantities(
    ask: Ask, matrix: Sequence[Mapping[str, Any]], cohorts: Sequence[str]
) -> Iterator[QuantityRow]:
    """Quantities that more than one of these cohorts has, in the matrix's order."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in matrix:
        if row["cohort"] in cohorts:
            found.setdefault(row["quantity"], {}).setdefault(row["cohort"], row)
    for quantity, held in list(found.items())[:MATRIX_ROWS]:
        if len(held) < 2:
            continue
        cells = tuple(_measured(ask, held.get(cohort)) for cohort in cohorts)
        yield QuantityRow(_quantity(ask, quantity, [*held.values()]), cells)


def _quantity(ask: Ask, quantity: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """What cohorts call a quantity: the first name in the reader's script, else the first."""
    names = [ask.t.named(row, "label", quantity) for row in rows]
    return next((name for name in names if is_han(name) == (ask.t.code == "zh")), names[0])


def _measured(ask: Ask, row: Mapping[str, Any] | None) -> Link | None:
    if row is None:
        return None
    text = unit_text(row["variable_unit"], ask.t) if row["variable_unit"] else row["variable"]
    return Link(text, ask.href("cohorts", row["cohort"], "variables", row["variable"]))


# ---------------------------------------------------------------- one cohort


def _facts(ask: Ask, record: Cohort, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield ask.t("cohorts.column.people"), f"{told['participants']:,}"
    if ages := _ages(told):
        yield ask.t("cohorts.column.ages"), ages
    for name in _SHEET:
        if value := getattr(record, name):
            yield (
                ask.t.of("cohorts.fact", name),
                ask.t.of("cohorts.sampling", value) if name == "sampling" else value,
            )
    yield ask.t("cohorts.column.access"), ask.t.of("access", told["access"])
    version = ask.t("cohorts.version", n=told["cohort_version"], date=told["published"][:10])
    yield ask.t("cohorts.fact.version"), version


def _sources(ask: Ask, cohort: str) -> Iterator[Link]:
    """The cohorts that a harmonised one is made of, as far as they may be known of."""
    rows = (row for row in rows_of(ask.view.variable_matrix()) if row["cohort"] == cohort)
    names = {name for row in rows for name in (row["source_variables"] or "").split(" | ") if name}
    known = {row["cohort"] for row in rows_of(ask.view.cohorts())}
    yield from (Link(name, ask.href("cohorts", name)) for name in sorted(names & known))


def _variable_row(ask: Ask, cohort: str, row: Mapping[str, Any]) -> VariableRow:
    return VariableRow(
        link=Link(
            ask.t.named(row, "label", row["variable"]),
            ask.href("cohorts", cohort, "variables", row["variable"]),
        ),
        name=row["variable"],
        type=ask.t.of("cohorts.type", row["variable_type"]),
        unit=unit_text(row["variable_unit"], ask.t),
        categories=row["category_codes"] or "",
        terms=tuple((row["variable_terms"] or "").split(" | ")) if row["variable_terms"] else (),
    )


def _people(ask: Ask, cohort: str, told: Mapping[str, Any]) -> Figure:
    drawn, wording, note = _people_drawn(ask, cohort)
    place = Place(
        "cohort_people", ask.href("cohorts", cohort, "people"), f"{API}/cohorts/{cohort}/count?by=sex&by=age"
    )
    return figure_of(drawn, wording, place, subtitle=note, source=source_text(ask, told))


def _people_drawn(ask: Ask, cohort: str) -> tuple[Drawn, Wording, str]:
    """People by age band and sex; NotFoundError where the cohort has no ages."""
    by_sex = _answer(ask, cohort, ["sex", "age"])
    plot, group, band = bands_of(ask, by_sex)
    wording = Wording(
        title=ask.t("cohorts.people_title"),
        sentence=ask.t("cohorts.people_sentence", group=group, band=band),
        x=ask.t("cohorts.age_axis"),
        y=ask.t("cohorts.share_axis"),
    )
    return draw_bands(plot, wording), wording, how_counted(ask, by_sex)


def _answer(ask: Ask, cohort: str, by: list[str]) -> CohortAnswer:
    """Counts by these roles, fewer where the cohort lacks one or the table may not be told."""
    try:
        return ask.view.count(cohort, by=by)
    except (QueryError, NotFoundError, RefusedError):
        if len(by) == 1:
            raise
        return ask.view.count(cohort, by=by[1:])
