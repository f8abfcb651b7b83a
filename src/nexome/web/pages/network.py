"""The page of what lies around a term: a drawing of at most 300 things, and the same as a table.

The term stands in the middle, what is tied to it on a ring, what is tied to those on a second one; things of
one kind lie together. Each mark is a link to the drawing around it. Laid out here: it needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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
_RINGS: Final = (205.0, 395.0)  # radii at least, in the drawing's own units, which are pixels or fewer
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
    """One thing: name, kind, page of the drawing around it, how it is tied to `through`, and who says so."""

    id: str
    label: str
    kind: str
    href: str
    term_href: str
    hops: int
    predicate: str
    through: str
    source: str


@dataclass(frozen=True)
class NetworkPage(Page):
    """What lies around a term. `nodes`: all but the term itself; `cut`: there is more."""

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


def build_network(ask: Ask, *, term: str) -> NetworkPage:
    """The page; parameter `limit` says how many things. Raises NotFoundError for an unknown term."""
    limit = ask.choice("limit", LIMITS, DEFAULT)
    found = ask.view.around(term, limit=int(limit))
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
    )


def _name(ask: Ask, term: str, label: tuple[str, str]) -> str:
    return ask.t.either(*label) or term


def _parents(found: Around) -> dict[int, tuple[int, int]]:
    """Each thing but the first → what it hangs on, one hop nearer, and by which edge."""
    parents: dict[int, tuple[int, int]] = {}
    for at, (subject, _, object_, _, _) in enumerate(found.edges):
        for one, other in ((subject, object_), (object_, subject)):
            if found.hops[one] == found.hops[other] + 1:
                parents.setdefault(one, (other, at))
    return parents


def _nodes(ask: Ask, found: Around, names: list[str]) -> Iterator[Node]:
    parents = _parents(found)
    for at, term in enumerate(found.terms):
        if not at:
            continue
        through, edge = parents[at]
        subject, predicate, _, _, source = found.edges[edge]
        yield Node(
            term,
            names[at],
            kind_of(term),
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
    places, angles, outside = _layout(found)
    parts = [_line(places[a], places[b]) for a, _, b, _, _ in found.edges]
    for at, term in enumerate(found.terms):
        short = names[at] if len(names[at]) <= _LONGEST else names[at][: _LONGEST - 1].rstrip() + "…"
        told = "" if short == names[at] else f' aria-label="{escape(short)} {escape(names[at])}"'
        parts.append(
            f'<a href="{escape(_around(ask, term) if at else ask.href("terms", term))}"{told}>'
            f"{_mark(places[at], kind_of(term), middle=not at)}"
            f"{_label(places[at], angles[at], short, middle=not at)}</a>"
        )
    half = outside + _MARGIN
    size = "network wide" if 2 * half > _WIDE else "network"
    return Markup(  # noqa: S704  every text in it is escaped above
        f'<svg class="{size}" viewBox="{-half:.0f} {-half:.0f} {2 * half:.0f} {2 * half:.0f}" role="group" '
        f'aria-label="{escape(sentence)}">{"".join(parts)}</svg>'
    )


def _layout(found: Around) -> tuple[list[tuple[float, float]], list[float], float]:
    """Places of all things, the angle of each in turns, the outermost radius.

    Those of a kind, and those of one parent, lie together; rings are as large as their labels need.
    """
    parents = _parents(found)
    below: dict[int, list[int]] = {}
    for child, (parent, _) in parents.items():
        below.setdefault(parent, []).append(child)

    def order(things: list[int]) -> list[int]:
        return sorted(things, key=lambda at: (KINDS.index(kind_of(found.terms[at])), found.terms[at]))

    angles = [0.0] * len(found.terms)
    first = order(below.get(0, []))
    widths = [max(1.0, float(len(below.get(at, [])))) for at in first]
    turn, whole = 0.0, sum(widths) or 1.0
    for at, width in zip(first, widths, strict=True):
        share = width / whole
        angles[at] = turn + share / 2
        outer = order(below.get(at, []))
        for number, child in enumerate(outer):
            angles[child] = turn + share * (number + 0.5) / len(outer)
        turn += share
    needed = [found.hops.count(hops) * _ROOM / (2 * math.pi) for hops in (1, 2)]
    inner = max(_RINGS[0] if 2 in found.hops else _ALONE, needed[0])
    outer_ring = max(_RINGS[1], inner + _RINGS[1] - _RINGS[0], needed[1]) if 2 in found.hops else inner
    radii = (0.0, inner, outer_ring)
    return [_at(angles[at], radii[hops]) for at, hops in enumerate(found.hops)], angles, outer_ring


def _at(turn: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * (turn - 0.25)
    return radius * math.cos(angle), radius * math.sin(angle)


def _line(one: tuple[float, float], other: tuple[float, float]) -> str:
    return (
        f'<line x1="{one[0]:.1f}" y1="{one[1]:.1f}" x2="{other[0]:.1f}" y2="{other[1]:.1f}" '
        f'stroke="{COLOURS["line"]}"/>'
    )


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
    anchor, shift = ("end", -11) if left else ("start", 11)
    rotation = degrees + 180 if left else degrees
    return (
        f'<text text-anchor="{anchor}" dx="{shift}" dy="4" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({rotation:.1f})">{escape(text)}</text>'
    )


def _legend(kind: str) -> Markup:
    mark = _mark((0, 0), kind, middle=False)
    return Markup(f'<svg class="network-mark" viewBox="-9 -9 18 18" aria-hidden="true">{mark}</svg>')  # noqa: S704
