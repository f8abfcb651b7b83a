"""The page of what lies around a term: a drawing of at most 300 things, and the same as a table beside it.

The term stands in the middle, what is tied to it on a ring, what is tied to those on the next; things of one
kind lie together. Each mark is a link that adds what is tied to it to the drawing, or takes it away again;
what was opened stands in the address, so that it can be shared. Laid out here: it needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, ClassVar, Final

from markupsafe import Markup

from nexome.web.pages.page import Ask, Link, Page
from nexome.web.pages.svg import COLOURS, SHAPES
from nexome.web.pages.ties import KINDS, kind_of, phrase

if TYPE_CHECKING:
    from nexome.store.edges import Around

LIMITS: Final = ("30", "60", "120", "300")
DEFAULT: Final = "60"
MOST_OPENED: Final = 40
_FIRST_RING: Final = 205.0  # radius at least, in the drawing's own units, which are pixels or fewer
_BETWEEN: Final = 190.0  # rings
_ALONE: Final = 330.0  # radius of a ring without one outside
_ROOM: Final = 11.5  # units of a ring that a label needs
_MARGIN: Final = 175.0  # for labels outside
_WIDE: Final = 1_250.0  # a drawing larger than this is scrolled, not shrunk
_LONGEST: Final = 24  # characters of a label
_MARKS: Final = {
    "disease": "ld2",
    "gene": "ld3",
    "protein": "ld3",
    "phenotype": "ld4",
    "variant": "lead",
    "drug": "ld5",
}
"""Kind → shape and colour; all others are small grey circles."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing: name, kind, pages, how it is tied to `through`, and who says so.

    `open_href` adds what is tied to it to the drawing, or takes it away where it is `opened`.
    """

    id: str
    label: str
    kind: str
    opened: bool
    open_href: str
    href: str
    term_href: str
    hops: int
    predicate: str
    through: str
    source: str


@dataclass(frozen=True)
class NetworkPage(Page):
    """What lies around a term. `nodes`: all but the term itself; `cut`: there is more.

    `fold_href` is the drawing with nothing opened, '' where nothing is.
    """

    template: ClassVar[str] = "network.html"
    id: str
    label: str
    term_href: str
    drawing: Markup
    sentence: str
    nodes: tuple[Node, ...]
    kinds: tuple[tuple[str, int, Markup], ...]
    limits: tuple[Link, ...]
    cut: bool
    fold_href: str


def build_network(ask: Ask, *, term: str) -> NetworkPage:
    """The page; `limit` says how many things, `open` whose neighbours are added to them.

    Raises NotFoundError for an unknown term.
    """
    limit = ask.choice("limit", LIMITS, DEFAULT)
    opened = _opened(ask)
    found = ask.view.around(term, limit=int(limit), opened=opened)
    names = [
        _name(ask, one, label)
        for one, label in zip(found.terms, ask.view.labels_of(found.terms), strict=True)
    ]
    nodes = tuple(_nodes(ask, found, names))
    counted = {kind: sum(node.kind == kind for node in nodes) for kind in KINDS}
    sentence = ask.t("network.sentence", term=names[0], n=len(nodes), ties=len(found.edges))
    return NetworkPage(
        title=ask.t("network.title", term=names[0]),
        id=found.terms[0],
        label=names[0],
        term_href=ask.href("terms", found.terms[0]),
        drawing=_draw(ask, found, names, sentence),
        sentence=sentence,
        nodes=nodes,
        kinds=tuple((kind, n, _legend(kind)) for kind, n in counted.items() if n),
        limits=tuple(Link(text, ask.again(limit=text), text == limit) for text in LIMITS),
        cut=found.cut,
        fold_href=ask.again(open="") if opened else "",
    )


def _opened(ask: Ask) -> list[str]:
    """Terms that were opened, in their order."""
    named = (part.strip() for part in ask.query.get("open", "").split(","))
    return list(dict.fromkeys(part for part in named if part))[:MOST_OPENED]


def _opening(ask: Ask, term: str) -> str:
    """Address of this drawing with a term opened, or folded where it is open."""
    opened = _opened(ask)
    kept = [one for one in opened if one != term] if term in opened else [*opened, term]
    return ask.again(open=",".join(kept)) + "#drawing"


def _name(ask: Ask, term: str, label: tuple[str, str]) -> str:
    return ask.t.either(*label) or term


def _parents(found: Around, opened: Collection[str]) -> dict[int, tuple[int, int]]:
    """Each thing but the first → what it hangs on, one hop nearer, and by which edge; best on one opened."""
    parents: dict[int, tuple[int, int]] = {}
    for at, (subject, _, object_, _, _) in enumerate(found.edges):
        for one, other in ((subject, object_), (object_, subject)):
            if found.hops[one] != found.hops[other] + 1:
                continue
            known = parents.setdefault(one, (other, at))
            if found.terms[other] in opened and found.terms[known[0]] not in opened:
                parents[one] = (other, at)
    return parents


def _nodes(ask: Ask, found: Around, names: list[str]) -> Iterator[Node]:
    opened = _opened(ask)
    parents = _parents(found, opened)
    for at, term in enumerate(found.terms):
        if not at:
            continue
        through, edge = parents[at]
        subject, predicate, _, _, source = found.edges[edge]
        yield Node(
            term,
            names[at],
            kind_of(term),
            term in opened,
            _opening(ask, term),
            _around(ask, term),
            ask.href("terms", term),
            found.hops[at],
            phrase(ask, predicate, turned=subject != at),
            names[through],
            source,
        )


def _around(ask: Ask, term: str) -> str:
    return ask.href("terms", term, "graph", limit=ask.query.get("limit", ""))


# ---------------------------------------------------------------- drawing


def _draw(ask: Ask, found: Around, names: list[str], sentence: str) -> Markup:
    """The drawing as an <svg> element."""
    opened = _opened(ask)
    places, angles, outside = _layout(found, opened)
    parts = [_line(places[a], places[b]) for a, _, b, _, _ in found.edges]
    for at, term in enumerate(found.terms):
        short = names[at] if len(names[at]) <= _LONGEST else names[at][: _LONGEST - 1].rstrip() + "…"
        deed = "" if not at else ask.t("network.fold" if term in opened else "network.open")
        told = " ".join(filter(None, (short, names[at] if short != names[at] else "", deed and f"({deed})")))
        href = _opening(ask, term) if at else ask.href("terms", term)
        parts.append(
            f'<a href="{escape(href)}" aria-label="{escape(told)}"><title>{escape(told)}</title>'
            f"{_ring(places[at]) if term in opened else ''}"
            f"{_mark(places[at], kind_of(term), middle=not at)}"
            f"{_label(places[at], angles[at], short, middle=not at)}</a>"
        )
    half = outside + _MARGIN
    size = "network wide" if 2 * half > _WIDE else "network"
    return Markup(  # noqa: S704  every text in it is escaped above
        f'<svg class="{size}" viewBox="{-half:.0f} {-half:.0f} {2 * half:.0f} {2 * half:.0f}" role="group" '
        f'aria-label="{escape(sentence)}">{"".join(parts)}</svg>'
    )


def _layout(found: Around, opened: Collection[str]) -> tuple[list[tuple[float, float]], list[float], float]:
    """Places of all things, the angle of each in turns, the outermost radius.

    Those of a kind, and those of one parent, lie together; rings are as large as their labels need.
    """
    below: dict[int, list[int]] = {}
    for child, (parent, _) in sorted(_parents(found, opened).items()):
        below.setdefault(parent, []).append(child)
    for things in below.values():
        things.sort(key=lambda at: (KINDS.index(kind_of(found.terms[at])), found.terms[at]))
    last = max(found.hops)
    radii = [0.0, _FIRST_RING if last > 1 else _ALONE]
    radii += [_FIRST_RING + _BETWEEN * number for number in range(1, last)]
    needed = _needed(found, below, radii)
    grown = max(1.0, needed[0] / (2 * math.pi))
    angles = [0.0] * len(found.terms)
    _spread(below, needed, angles, (0, 0.0, 1.0))
    radii = [radius * grown for radius in radii]
    return [_at(angles[at], radii[hops]) for at, hops in enumerate(found.hops)], angles, radii[last]


def _needed(found: Around, below: dict[int, list[int]], radii: list[float]) -> list[float]:
    """The angle that each thing and all behind it need for their labels, in radians."""
    needed = [0.0] * len(found.terms)
    for at in sorted(range(len(found.terms)), key=lambda at: -found.hops[at]):
        own = _ROOM / radii[found.hops[at]] if found.hops[at] else 0.0
        needed[at] = max(own, sum(needed[child] for child in below.get(at, [])))
    return needed


def _spread(
    below: dict[int, list[int]], needed: list[float], angles: list[float], reach: tuple[int, float, float]
) -> None:
    """Gives all behind a thing their angles in its reach: the thing, where it begins, how far it goes."""
    waiting = [reach]
    while waiting:
        at, start, width = waiting.pop()
        children = below.get(at, [])
        whole = sum(needed[child] for child in children) or 1.0
        for child in children:
            share = width * needed[child] / whole
            angles[child] = start + share / 2
            waiting.append((child, start, share))
            start += share


def _at(turn: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * (turn - 0.25)
    return radius * math.cos(angle), radius * math.sin(angle)


def _line(one: tuple[float, float], other: tuple[float, float]) -> str:
    return (
        f'<line x1="{one[0]:.1f}" y1="{one[1]:.1f}" x2="{other[0]:.1f}" y2="{other[1]:.1f}" '
        f'stroke="{COLOURS["line"]}"/>'
    )


def _ring(place: tuple[float, float]) -> str:
    """What marks a thing whose neighbours were added."""
    return f'<circle class="opened" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="10"/>'


def _mark(place: tuple[float, float], kind: str, *, middle: bool) -> str:
    shape = _MARKS.get(kind, "")
    size = 2.6 if middle else 1.5
    drawn = SHAPES[shape or "ld2"]
    colour = COLOURS[shape] if shape else COLOURS["even"]
    scale = size if shape or middle else 1.0
    return (
        f'<path class="mark {shape or "even"}" fill="{colour}" d="{drawn}" '
        f'transform="translate({place[0]:.1f} {place[1]:.1f}) scale({scale:g})"/>'
    )


def _label(place: tuple[float, float], turn: float, text: str, *, middle: bool) -> str:
    """A label along the ray from the middle, never upside down; that of the middle lies flat above it."""
    x, y = place
    if middle:
        return f'<text class="strong" x="{x:.1f}" y="{y - 16:.1f}" text-anchor="middle">{escape(text)}</text>'
    degrees = 360 * (turn - 0.25)
    left = 0.5 < turn < 1.0
    anchor, shift = ("end", -13) if left else ("start", 13)
    rotation = degrees + 180 if left else degrees
    return (
        f'<text text-anchor="{anchor}" dx="{shift}" dy="4" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({rotation:.1f})">{escape(text)}</text>'
    )


def _legend(kind: str) -> Markup:
    mark = _mark((0, 0), kind, middle=False)
    return Markup(f'<svg class="network-mark" viewBox="-9 -9 18 18" aria-hidden="true">{mark}</svg>')  # noqa: S704
