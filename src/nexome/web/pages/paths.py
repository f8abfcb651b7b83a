"""The page of how two things hang together: the best explanations, step by step, each with its source.

Things are named by identifier, by symbol of a gene, or by any name that search understands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from nexome.model.errors import NexomeError, NotFoundError
from nexome.search.records import TERMS
from nexome.store.edges import Path
from nexome.web.pages.page import Ask, Card, Page, card_of
from nexome.web.pages.ties import phrase

WAYS: Final = 5
_LONGEST: Final = 200  # characters of a name that are read


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing on the way: name, identifier, page, and how it is tied to the one before it."""

    id: str
    label: str
    href: str
    predicate: str
    source: str
    strength: str


@dataclass(frozen=True)
class Ways:
    """Explanations, best first; `cut`: a bound of the search was met."""

    ways: tuple[tuple[Stop, ...], ...]
    cut: bool


@dataclass(frozen=True)
class PathsPage(Page):
    """Two things as they were typed, what they were taken for, and how they hang together."""

    template: ClassVar[str] = "paths.html"
    start: str
    end: str
    found: Card[Ways] | None


def build_paths(ask: Ask) -> PathsPage:
    """The page of parameters `start` and `end`; a bare form without both."""
    start, end = (" ".join(ask.query.get(name, "").split())[:_LONGEST] for name in ("start", "end"))
    found = card_of(lambda: _ways(ask, start, end)) if start and end else None
    title = ask.t("paths.title_of", start=start, end=end) if found else ask.t("paths.title")
    return PathsPage(title, start, end, found)


def _ways(ask: Ask, start: str, end: str) -> Ways:
    found = ask.view.explain(_meant(ask, start), _meant(ask, end), limit=WAYS)
    return Ways(tuple(_stops(ask, path) for path in found.paths), found.cut)


def _meant(ask: Ask, text: str) -> str:
    """The identifier that a text means: its own, a gene's, or of the first term that search finds."""
    try:
        return ask.view.term(text).id
    except NotFoundError:
        pass
    for term in ask.view.gene_terms(text.upper()):
        try:
            return ask.view.term(term).id
        except NotFoundError:
            continue
    try:
        matches = ask.view.find(text, limit=1, kinds=tuple(TERMS))
    except NexomeError:  # no index: identifiers alone are understood
        matches = []
    if not matches or matches[0].sureness < 0.2:
        raise NotFoundError(
            f"nothing called {text[:80]!r}", expected="an identifier such as HP:0001250, a gene, or a name"
        )
    return matches[0].id


def _stops(ask: Ask, path: Path) -> tuple[Stop, ...]:
    labels = ask.view.labels_of(path.terms)
    stops = []
    for at, (term, (label, chinese)) in enumerate(zip(path.terms, labels, strict=True)):
        hop = path.hops[at - 1] if at else None
        strength = "" if hop is None or hop.strength is None else f"{hop.strength:.2f}"
        stops.append(
            Stop(
                term,
                ask.t.either(label, chinese) or term,
                ask.href("terms", term),
                phrase(ask, hop.predicate, turned=hop.turned) if hop else "",
                hop.source if hop else "",
                strength,
            )
        )
    return tuple(stops)
