"""The search page: one meaning leads straight to its page, several are listed, none says how to write it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import pyarrow.compute as pc

from nexome.access.answers import ASSOCIATION_COLUMNS, SearchHit
from nexome.search.records import TERMS
from nexome.search.variants import is_variant
from nexome.web.pages.associations import Association, associations_of
from nexome.web.pages.page import Ask, Card, Page, Redirect, card_of
from nexome.web.pages.reading import read_href

MOST_HITS: Final = 50
OF_EACH: Final = 8  # hits of a kind that are shown among all kinds
STRONGEST: Final = 50  # associations listed for a region
REGION_MIN_NEG_LOG_10_P: Final = 5.0  # weaker ones of a region are left to the API


@dataclass(frozen=True, slots=True)
class Found:
    """One thing the text may mean: its kind, name, note, page; `why` it was found by meaning, '' by words."""

    kind: str
    label: str
    note: str
    href: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The region a text means, with its strongest associations; `id` is how it is asked for."""

    kind: str
    id: str
    name: str
    where: str
    strongest: Card[tuple[Association, ...]]


@dataclass(frozen=True)
class SearchPage(Page):
    """What a text may mean.

    `text` as typed; `found` likeliest first; `place` when it names a region.
    """

    template: ClassVar[str] = "search.html"
    text: str
    found: tuple[Found, ...]
    place: Place | None
    kinds: tuple[tuple[str, int, str], ...] = ()
    """Kinds found, how many of each, and the page of that kind alone; '' is all."""
    kind: str = ""
    more: tuple[tuple[str, int, str], ...] = ()
    """Kinds of which only the first are shown among all: how many are not, and the page of that kind."""
    read_href: str = ""
    """Where a whole text is read, '' where nothing is found by meaning."""


def build_search(ask: Ask) -> SearchPage | Redirect:
    """The search page of parameter `q`; a redirect where only one thing is meant."""
    text = " ".join(ask.query.get("q", "").split())[:200]
    if not text:
        return SearchPage(ask.t("search.title"), "", (), None, read_href=read_href(ask))
    hits = ask.view.search(text, limit=MOST_HITS)
    certain = [hit for hit in hits if hit.certain]
    only = certain[0] if len(certain) == 1 else hits[0] if len(hits) == 1 else None
    if only and (href := _href(ask, only)):
        return Redirect(href)
    places = [hit for hit in hits if hit.kind == "region"]
    place = _place(ask, places[0]) if places and (only or places[0] is hits[0]) else None
    found = tuple(_found(ask, hit) for hit in hits if not (place and hit is places[0]))
    kinds = Counter(hit.kind for hit in found)
    links = tuple((kind, n, ask.href("search", q=text, kind=kind)) for kind, n in kinds.most_common())
    kind = ask.query.get("kind", "")
    if kind in kinds:
        found = tuple(_found(ask, hit) for hit in ask.view.search(text, limit=MOST_HITS, kinds=(kind,)))
    title = ask.t("search.title_of", text=text)
    if kind not in kinds:
        kind, found = "", _few_of_each(found) if len(kinds) > 1 else found
    shown = Counter(hit.kind for hit in found)
    more = tuple((k, n - shown[k], href) for k, n, href in links if not kind and n > shown[k])
    return SearchPage(title, text, found, place, links if len(links) > 1 else (), kind, more, read_href(ask))


def _few_of_each(found: Sequence[Found]) -> tuple[Found, ...]:
    """The first OF_EACH of each kind, in their order: twenty variants do not hide a second meaning."""
    seen: Counter[str] = Counter()
    kept = []
    for hit in found:
        seen[hit.kind] += 1
        if seen[hit.kind] <= OF_EACH:
            kept.append(hit)
    return tuple(kept)


def _href(ask: Ask, hit: SearchHit) -> str:
    """Page of a hit; '' for regions, which are shown on this page."""
    first, _, second = hit.id.partition("/")
    if hit.kind == "variant" and is_variant(hit.id):  # a variation of ClinVar without an rs number
        return ask.href("terms", hit.id)
    page, _, place = hit.id.partition("#")
    found = {
        "gene": ("genes", hit.id),
        "variant": ("variants", hit.id),
        "study": ("studies", hit.id),
        "track": ("browse",),
        "variable": ("cohorts", first, "variables", second),
        "page": tuple(page.split("/")),
        **dict.fromkeys(TERMS, ("terms", hit.id)),
    }
    if hit.kind == "trait":
        return ask.href("studies", first, trait=second)
    if hit.kind not in found:
        return ""
    return ask.href(*found[hit.kind]) + (f"#{place}" if hit.kind == "page" and place else "")


def _found(ask: Ask, hit: SearchHit) -> Found:
    why = ask.t(f"why.{hit.why}", through=ask.t.field(hit, "through")) if hit.why else ""
    href = _href(ask, hit) or ask.href("search", q=hit.id)
    return Found(hit.kind, ask.t.field(hit, "label"), ask.t.field(hit, "note"), href, why)


def _place(ask: Ask, hit: SearchHit) -> Place:
    return Place(hit.kind, hit.id, ask.t.field(hit, "label"), hit.note, card_of(lambda: _strongest(ask, hit)))


def _strongest(ask: Ask, hit: SearchHit) -> tuple[Association, ...]:
    planes = ask.view.region_planes(hit.id)
    table = planes.table(ASSOCIATION_COLUMNS)
    table = table.filter(pc.greater_equal(table["neg_log_10_p_value"], REGION_MIN_NEG_LOG_10_P))
    strongest = table.sort_by([("neg_log_10_p_value", "descending")]).slice(0, STRONGEST)
    return tuple(associations_of(ask, strongest, planes.trait_table))
