"""The page of a term: what it means, its names, what lies above and below it, and what is about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from nexome.search.index import Neighbour, TermPlace
from nexome.search.records import Match
from nexome.store.knowledge import SourceRecord, TermRecord
from nexome.web.pages.page import Ask, Page

MOST_BESIDE: Final = 60  # terms listed above, below or equal


@dataclass(frozen=True, slots=True)
class Beside:
    """A term beside this one: its identifier, name, page, and how many things here are about it."""

    id: str
    label: str
    href: str
    held: int


@dataclass(frozen=True, slots=True)
class Held:
    """A study, trait or track about the term, or about one below it (`through`)."""

    kind: str
    label: str
    href: str
    through: str


@dataclass(frozen=True)
class TermPage(Page):
    """One term. `record` is what its sources say of it, None where the index alone knows it."""

    template: ClassVar[str] = "term.html"
    id: str
    label: str
    other_label: str
    record: TermRecord | None
    sources: tuple[SourceRecord, ...]
    names: tuple[tuple[str, str, str], ...]
    above: tuple[Beside, ...]
    below: tuple[Beside, ...]
    equal: tuple[Beside, ...]
    below_more: int
    held: tuple[Held, ...]


def build_term(ask: Ask, *, term: str) -> TermPage:
    """The page of a term by its CURIE. Raises NotFoundError for an unknown one."""
    place = ask.view.term_place(term)
    record = ask.view.term_record(term)
    chinese = ask.t.code == "zh"
    label = (place.label_zh if chinese else place.label) or place.label or place.label_zh
    other = place.label if chinese else place.label_zh
    return TermPage(
        ask.t("term.title", label=label),
        id=place.id,
        label=label,
        other_label="" if other == label else other,
        record=record,
        sources=tuple(ask.view.term_sources(record)) if record else (),
        names=_names(place),
        above=_beside(ask, place.above),
        below=_beside(ask, sorted(place.below, key=lambda n: -n.held)[:MOST_BESIDE]),
        equal=_beside(ask, place.equal),
        below_more=max(0, len(place.below) - MOST_BESIDE),
        held=tuple(_held(ask, match) for match in place.held),
    )


def _names(place: TermPlace) -> tuple[tuple[str, str, str], ...]:
    labels = {place.label, place.label_zh}
    return tuple(name for name in place.names if name[0] not in labels)


def _beside(ask: Ask, neighbours: Sequence[Neighbour]) -> tuple[Beside, ...]:
    return tuple(
        Beside(n.id, ask.t.field(n, "label") or n.label, ask.href("terms", n.id), n.held) for n in neighbours
    )


def _held(ask: Ask, match: Match) -> Held:
    study, _, trait = match.id.partition("/")
    href = ask.href("studies", study, trait=trait) if trait else ask.href("studies", study)
    label = ask.t.field(match, "label") or match.label
    return Held(match.kind, label, href, match.through if match.why == "subtype" else "")
