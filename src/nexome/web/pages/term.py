"""The page of a term: what it means, what lies above and below it, what is about it, and what it is tied to.

It stands on what the sources say and, where there is a search index, on what of this centre is about the term
or a kind of it. Each card stands alone: what cannot be read leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from nexome.model.errors import NexomeError, NotFoundError, RefusedError
from nexome.model.knowledge import EXACT, IS_A
from nexome.search.records import Match, Neighbour, TermPlace
from nexome.store.knowledge import SourceRecord, TermRecord
from nexome.web.pages.page import API, Ask, Card, Page, card_of, rows_of, variant_id
from nexome.web.pages.ties import Ties, is_tied, kind_of, named, sources_of, ties_of

MOST_BESIDE: Final = 60  # terms listed above, below or equal
MOST_NAMES: Final = 80
_EQUALS: Final = 8  # terms that mean the same whose ties are shown too
_TRAITS: Final = 8  # whose strongest associations are shown
_LEADS: Final = 3  # of each


@dataclass(frozen=True, slots=True)
class Beside:
    """A term beside this one: identifier, name, page, how many things here are about it, its kinds."""

    id: str
    label: str
    href: str
    held: int
    kinds: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A study, trait or variable about the term, or about one below it (`through`)."""

    kind: str
    label: str
    href: str
    through: str


@dataclass(frozen=True, slots=True)
class Lead:
    """The strongest variant of a locus of a trait about the term: names, pages, nearest gene, −log₁₀ p."""

    variant: str
    href: str
    gene: str
    gene_href: str
    trait: str
    trait_href: str
    neg_log_10_p_value: float


@dataclass(frozen=True)
class TermPage(Page):
    """One term. `record`: what its sources say of it, None where only the index or statements name it."""

    template: ClassVar[str] = "term.html"
    id: str
    asked: str
    label: str
    other_label: str
    kind: str
    record: TermRecord | None
    definitions: tuple[tuple[str, str], ...]
    sources: tuple[SourceRecord, ...]
    names: tuple[tuple[str, str, str], ...]
    names_left: int
    above: tuple[Beside, ...]
    below: tuple[Beside, ...]
    equal: tuple[Beside, ...]
    below_more: int
    held: tuple[Held, ...]
    variables: tuple[Held, ...]
    leads: Card[tuple[Lead, ...]]
    ties: Card[tuple[Ties, ...]]
    equal_ties: Card[tuple[Ties, ...]]
    graph_href: str
    gene_href: str
    variant_href: str
    api: str


def build_term(ask: Ask, *, term: str) -> TermPage:
    """The page of a term by its CURIE. Raises NotFoundError for an unknown one."""
    record = _record(ask, term)
    place = _place(ask, record.id if record else term)
    if record is None and place is None and not is_tied(ask, term):
        raise NotFoundError(f"no term {term[:100]!r}", todo="Search for it by name.")
    identifier = record.id if record else term
    label, other = _labels(ask, identifier, record, place)
    names = _names(record, place, {label, other})
    below = sorted(place.below, key=lambda n: -n.held) if place else []
    held = place.held if place else ()
    above = _beside(ask, place.above) if place else _tied(ask, identifier, IS_A, "out")
    children = _beside(ask, below[:MOST_BESIDE]) if place else _tied(ask, identifier, IS_A, "in")
    equal = _beside(ask, place.equal) if place else _tied(ask, identifier, EXACT, "both")
    same = [other.id for other in equal[:_EQUALS]]
    ties = card_of(lambda: ties_of(ask, [identifier]) if record or not place else ())
    equal_ties = card_of(lambda: ties_of(ask, same, besides=[identifier]))
    return TermPage(
        ask.t("term.title", label=label),
        id=identifier,
        asked=term if record and record.asked != record.id else "",
        label=label,
        other_label="" if other == label else other,
        kind=kind_of(identifier),
        record=record,
        definitions=_definitions(ask, record),
        sources=tuple(
            ask.view.sources_named(
                {
                    *(record.sources if record else ()),
                    *sources_of(ties.content),
                    *sources_of(equal_ties.content),
                }
            )
        ),
        names=names[:MOST_NAMES],
        names_left=max(0, len(names) - MOST_NAMES),
        above=_counted(ask, above),
        below=_counted(ask, children),
        equal=equal,
        below_more=max(0, len(below) - MOST_BESIDE),
        held=tuple(_held(ask, match) for match in held if match.kind != "variable"),
        variables=tuple(_held(ask, match) for match in held if match.kind == "variable"),
        leads=card_of(lambda: _leads(ask, held)),
        ties=ties,
        equal_ties=equal_ties,
        graph_href=ask.href("terms", identifier, "graph") if record or not place else "",
        gene_href=_gene(ask, identifier, label),
        variant_href=_variant(ask, identifier),
        api=f"{API}/terms/{identifier}",
    )


def _record(ask: Ask, term: str) -> TermRecord | None:
    try:
        return ask.view.term(term) if ask.view.knows else None
    except NotFoundError:
        return None


def _place(ask: Ask, term: str) -> TermPlace | None:
    """Where the index has a term; None where there is no index, or it has no such term."""
    try:
        return ask.view.term_place(term)
    except NotFoundError:
        return None


def _labels(ask: Ask, term: str, record: TermRecord | None, place: TermPlace | None) -> tuple[str, str]:
    """The name in the reader's language and in the other one."""
    if place:
        english, chinese = place.label, place.label_zh
    else:
        english, chinese = ask.view.labels_of([term])[0]
        english = english or (record.label if record else "")
    own, other = ask.t.both(english, chinese)
    return own or term.removeprefix("dbSNP:"), other  # an rs number is a name


def _definitions(ask: Ask, record: TermRecord | None) -> tuple[tuple[str, str], ...]:
    """Language and definition, the reader's own language first."""
    told = [("zh", record.definition_zh), ("en", record.definition)] if record else []
    return tuple(sorted(((c, text) for c, text in told if text), key=lambda one: one[0] != ask.t.code))


def _names(
    record: TermRecord | None, place: TermPlace | None, shown: set[str]
) -> tuple[tuple[str, str, str], ...]:
    found: Iterable[tuple[str, str, str]] = (
        (name[:3] for name in record.names) if record else place.names if place else ()
    )
    return tuple(name for name in found if name[0] not in shown)


def _beside(ask: Ask, neighbours: Sequence[Neighbour]) -> tuple[Beside, ...]:
    return tuple(
        Beside(n.id, ask.t.field(n, "label") or n.label, ask.href("terms", n.id), n.held) for n in neighbours
    )


def _tied(ask: Ask, term: str, predicate: str, direction: str) -> tuple[Beside, ...]:
    try:
        table = ask.view.neighbours(term, predicate, direction=direction, limit=MOST_BESIDE)
    except NotFoundError:
        return ()
    return tuple(
        Beside(row["term"], named(ask, row), ask.href("terms", row["term"]), 0) for row in rows_of(table)
    )


def _counted(ask: Ask, terms: Sequence[Beside]) -> tuple[Beside, ...]:
    """Terms with the number of their kinds, where statements are loaded."""
    if not ask.view.knows:
        return tuple(terms)
    counts = ask.view.kinds_below([term.id for term in terms])
    return tuple(replace(term, kinds=count) for term, count in zip(terms, counts, strict=True))


def _held(ask: Ask, match: Match) -> Held:
    first, _, second = match.id.partition("/")
    if match.kind == "variable":
        href = ask.href("cohorts", first, "variables", second)
    else:
        href = ask.href("studies", first, trait=second)
    label, through = (ask.t.field(match, name) for name in ("label", "through"))
    return Held(match.kind, label, href, through if match.why == "subtype" else "")


def _leads(ask: Ask, held: Sequence[Match]) -> tuple[Lead, ...]:
    """The strongest loci of the first traits about the term, strongest first."""
    found = []
    for match in [match for match in held if match.kind == "trait"][:_TRAITS]:
        study, _, trait = match.id.partition("/")
        try:
            rows = rows_of(ask.view.loci(study, trait=trait, limit=_LEADS))
        except (NotFoundError, RefusedError):  # it may be known of, not read
            continue
        label = ask.t.field(match, "label") or match.label
        found += [
            Lead(
                row["rsid"] or variant_id(row),
                ask.href("variants", variant_id(row)),
                row["nearest_gene"] or "",
                ask.href("genes", row["nearest_gene"]) if row["nearest_gene"] else "",
                label,
                ask.href("studies", study, trait=trait),
                row["neg_log_10_p_value"],
            )
            for row in rows
        ]
    return tuple(sorted(found, key=lambda lead: -lead.neg_log_10_p_value))


def _gene(ask: Ask, term: str, label: str) -> str:
    """The page of the gene that a term is, where this centre has it; '' elsewhere."""
    if kind_of(term) != "gene":
        return ""
    try:
        return ask.href("genes", ask.view.genes_named(label)[0].symbol)
    except NotFoundError:
        return ""


def _variant(ask: Ask, term: str) -> str:
    """The page of the variant that an rs number means, where a study here has it; '' elsewhere."""
    rsid = term.removeprefix("dbSNP:")
    if rsid == term:
        return ""
    try:
        return ask.href("variants", ask.view.variant(rsid).feature.rsid)
    except NexomeError:
        return ""
