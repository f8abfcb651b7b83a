"""Ways through the graph: typed paths of two or three hops, the best explanation, what lies around a term.

A path's strength is the product of its edges' (an edge without a score counts UNSCORED). An explanation is
the cheapest way between two things: an edge costs 2 less its strength, a node on the way HUB_COST for each
doubling of its edges, so that a way through what everything is tied to loses against a longer one through
what is particular. Searches are bounded, and say when a bound was met.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from nexome.model.errors import NotFoundError, QueryError
from nexome.store.edges.graph import Direction, Graph, Sources, strength_of, weight_of

MOST_HOPS: Final = 3
FAN: Final = 300  # strongest edges of a node and block that a typed path follows
BEAM: Final = 20_000  # paths kept from hop to hop
AROUND_MOST: Final = 300  # nodes of a picture
OPENED_MOST: Final = 30  # nodes that a term opened in a picture adds
HUB_COST: Final = 0.2
HUB_DEGREE: Final = 20_000  # a node with more edges is not gone through
EXPLAIN_FAN: Final = 200
EXPLAIN_NODES: Final = 3_000  # nodes looked at before giving up

_TURN: Final[dict[Direction, Direction]] = {"out": "in", "in": "out", "both": "both"}


class Step(NamedTuple):
    """One hop: along which predicate (None: any but denied ones), and which way."""

    predicate: str | None = None
    direction: Direction = "both"


class Hop(NamedTuple):
    """One edge of a path as it is walked: `turned` where it goes from object to subject."""

    predicate: str
    turned: bool
    strength: float | None
    source: str
    edge: int


@dataclass(frozen=True, slots=True)
class Path:
    """Terms in their order, the edges between them, and how strong (0 to 1) or costly the whole is."""

    terms: tuple[str, ...]
    hops: tuple[Hop, ...]
    strength: float
    cost: float


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths, best first; `cut`: a bound was met, so that there may be others."""

    paths: tuple[Path, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Around:
    """Terms around one (it is the first), hops from it, and the edges among all of them."""

    terms: tuple[str, ...]
    hops: tuple[int, ...]
    edges: tuple[tuple[int, str, int, float | None, str], ...]
    cut: bool


class _Trail(NamedTuple):
    """Paths on their way: nodes of each, its edges, its strength."""

    nodes: tuple[int, ...]
    edges: tuple[tuple[int, int, int, bool], ...]
    weight: float


def find_paths(
    graph: Graph,
    start: str,
    steps: Sequence[Step],
    *,
    end: str | None = None,
    vocabulary: str | None = None,
    sources: Sources = None,
    limit: int = 50,
) -> Paths:
    """Paths of one to three typed hops from a term, strongest first, to `end` or to terms of a vocabulary.

    No term comes twice. Raises NotFoundError for unknown terms and predicates, QueryError for a number of
    steps that cannot be.
    """
    if not 1 <= len(steps) <= MOST_HOPS:
        raise QueryError(f"{len(steps)} steps", expected=f"1 to {MOST_HOPS}")
    bounds = _bounds(graph, end, vocabulary, sources)
    first = graph.node(start, sources)
    frontier = _Frontier(np.array([[first]], np.int32), np.empty((1, 0, 4), np.int64), np.ones(1))
    cut = False
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        frontier, more = _advance(graph, frontier, step, sources, bounds if last else None)
        cut |= more
        most = limit if last else BEAM
        cut |= not last and len(frontier.weight) > most
        frontier = frontier.strongest(most)
    return Paths(tuple(_path(graph, trail) for trail in frontier.trails()), bool(cut))


def explain(
    graph: Graph, start: str, end: str, *, sources: Sources = None, limit: int = 3, most_hops: int = 6
) -> Paths:
    """The best ways from one thing to another, cheapest first; none where none is within the bounds.

    The first is the cheapest that the bounds allow; the others meet at other nodes. Raises NotFoundError,
    QueryError where both are the same.
    """
    ends = (graph.node(start, sources), graph.node(end, sources))
    if ends[0] == ends[1]:
        raise QueryError("both are the same", expected="two different identifiers")
    search = _Search(graph, graph.chosen(None, sources), ends, most_hops)
    search.run()
    best = sorted(search.meetings.items(), key=lambda item: (item[1], item[0]))
    found: dict[tuple[int, ...], Path] = {}
    for node, cost in best:
        trail = search.trail(node)
        if trail is not None and trail.nodes not in found:
            found[trail.nodes] = _path(graph, trail, cost)
        if len(found) == limit:
            break
    return Paths(tuple(found.values()), search.cut)


def look_around(
    graph: Graph,
    term: str,
    *,
    sources: Sources = None,
    limit: int = 60,
    opened: Sequence[str] = (),
) -> Around:
    """A term, the strongest of what is tied to it, then of what is tied to those; at most `limit`.

    Predicates take turns, so that one with many edges does not fill the picture. `opened`: terms of the
    picture whose own neighbours are added, at most OPENED_MOST each; those not in it are passed over. There
    are AROUND_MOST terms at most in all.
    """
    limit = max(1, min(limit, AROUND_MOST))
    chosen = graph.chosen(None, sources)
    hops = {graph.node(term, sources): 0}
    cut, frontier = False, list(hops)
    for _ in range(2):
        frontier, more = _beside(graph, chosen, hops, frontier, most=limit)
        cut |= more
        if not frontier or len(hops) >= limit:
            break
    for one in _places(graph, opened, sources):
        if one in hops:
            most = min(AROUND_MOST, len(hops) + OPENED_MOST)
            cut |= _beside(graph, chosen, hops, [one], most=most)[1]
    return _drawn(graph, hops, chosen, cut=cut)


def _beside(
    graph: Graph, chosen: Collection[int], hops: dict[int, int], frontier: list[int], *, most: int
) -> tuple[list[int], bool]:
    """Adds to `hops` what is tied to the frontier, up to `most` in all; what is new, and whether more is."""
    found = graph.walk(np.array(frontier, np.int32), chosen, direction="both", fan=most)
    nearest = min(hops[node] for node in frontier)
    new: list[int] = []
    for row in _in_turns(found):
        other = int(found.other[row])
        if other not in hops:
            if len(hops) >= most:
                return new, True
            hops[other] = nearest + 1
            new.append(other)
    return new, bool(found.cut)


def _places(graph: Graph, terms: Iterable[str], sources: Sources) -> Iterator[int]:
    """Nodes of terms, those without one left out."""
    for term in terms:
        with suppress(NotFoundError):
            yield graph.node(term, sources)


# ---------------------------------------------------------------- typed paths


@dataclass(frozen=True)
class _Frontier:
    """P paths: nodes [P, hops + 1], edges [P, hops, 4] (block, edge, code, turned), weight [P]."""

    nodes: Any
    edges: Any
    weight: Any

    def strongest(self, most: int) -> _Frontier:
        keys = [self.nodes[:, i] for i in reversed(range(self.nodes.shape[1]))]
        order = np.lexsort((*keys, -self.weight))[:most]
        return _Frontier(self.nodes[order], self.edges[order], self.weight[order])

    def trails(self) -> list[_Trail]:
        rows = zip(self.nodes.tolist(), self.edges.tolist(), self.weight.tolist(), strict=True)
        return [
            _Trail(tuple(nodes), tuple((b, e, c, bool(t)) for b, e, c, t in edges), weight)
            for nodes, edges, weight in rows
        ]


def _bounds(
    graph: Graph, end: str | None, vocabulary: str | None, sources: Sources
) -> tuple[int, int] | None:
    if end is not None:
        node = graph.node(end, sources)
        return node, node + 1
    return None if vocabulary is None else graph.vocabulary_range(vocabulary)


def _advance(
    graph: Graph, frontier: _Frontier, step: Step, sources: Sources, bounds: tuple[int, int] | None
) -> tuple[_Frontier, bool]:
    """Every path one hop on; at the last hop only into nodes within `bounds`, looked up from one end."""
    chosen = graph.chosen(None if step.predicate is None else [step.predicate], sources)
    heads, place = np.unique(frontier.nodes[:, -1], return_inverse=True)
    if bounds is not None and bounds[1] == bounds[0] + 1:
        back = graph.walk(np.array([bounds[0]], np.int32), chosen, direction=_TURN[step.direction])
        at = np.searchsorted(heads, back.other)
        hit = at < len(heads)
        hit[hit] = heads[at[hit]] == back.other[hit]
        found = back._replace(
            place=at[hit].astype(np.int32),
            block=back.block[hit],
            edge=back.edge[hit],
            other=np.full(int(hit.sum()), bounds[0], np.int32),
            code=back.code[hit],
            turned=~back.turned[hit],
        )
    else:
        found = graph.walk(heads, chosen, direction=step.direction, fan=FAN)
    by_head = np.argsort(found.place, kind="stable")
    counts = np.bincount(found.place, minlength=len(heads))
    firsts = np.cumsum(counts) - counts
    per_path = counts[place]
    path = np.repeat(np.arange(len(place)), per_path)
    within = np.arange(len(path)) - np.repeat(np.cumsum(per_path) - per_path, per_path)
    row = by_head[firsts[place][path] + within]
    keep = np.ones(len(row), bool)
    if bounds is not None:
        keep = (found.other[row] >= bounds[0]) & (found.other[row] < bounds[1])
    keep &= (frontier.nodes[path] != found.other[row][:, None]).all(1)
    path, row = path[keep], row[keep]
    columns = [c[row].astype(np.int64) for c in (found.block, found.edge, found.code, found.turned)]
    nodes = np.concatenate([frontier.nodes[path], found.other[row][:, None]], axis=1)
    edges = np.concatenate([frontier.edges[path], np.stack(columns, axis=1)[:, None, :]], axis=1)
    return _Frontier(nodes, edges, frontier.weight[path] * weight_of(found.code[row])), found.cut


def _path(graph: Graph, trail: _Trail, cost: float = 0.0) -> Path:
    hops = []
    for number, (block, _, code, turned) in enumerate(trail.edges):
        facts = graph.blocks[block]
        ends = trail.nodes[number : number + 2]
        subject, object_ = ends[::-1] if turned else ends
        edge = graph.edge_number(block, subject, object_, code)
        hops.append(Hop(facts.predicate, turned, strength_of(code), facts.source, edge))
    terms = tuple(graph.nodes.text(node) for node in trail.nodes)
    return Path(terms, tuple(hops), round(trail.weight, 6), round(cost, 6))


# ---------------------------------------------------------------- explanation


@dataclass
class _Half:
    """What is known from one end: costs, hops and where each node was come to from."""

    cost: dict[int, float]
    queue: list[tuple[float, int]]
    came: dict[int, tuple[int, tuple[int, int, int, bool]]] = field(default_factory=dict)
    hops: dict[int, int] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, node: int) -> _Half:
        return cls({node: 0.0}, [(0.0, node)], hops={node: 0})


class _Search:
    """Dijkstra from both ends; a node on the way is paid for when it is left."""

    def __init__(self, graph: Graph, chosen: Any, ends: tuple[int, int], most_hops: int) -> None:
        self._graph, self._chosen, self._ends, self._most_hops = graph, chosen, ends, most_hops
        self._halves = (_Half.of(ends[0]), _Half.of(ends[1]))
        self._toll: dict[int, float] = {}
        self.meetings: dict[int, float] = {}
        self.cut = False

    def run(self) -> None:
        best, looked = math.inf, 0
        while all(half.queue for half in self._halves):
            tops = [half.queue[0][0] for half in self._halves]
            if sum(tops) >= best:
                return
            if looked >= EXPLAIN_NODES:
                self.cut = True
                return
            side = int(tops[1] < tops[0])
            best = min(best, self._expand(self._halves[side], self._halves[1 - side]))
            looked += 1

    def _expand(self, mine: _Half, other: _Half) -> float:
        """Settle the nearest node of one half; the cost of the best way found by it."""
        cost, node = heapq.heappop(mine.queue)
        best = math.inf
        if node in mine.done:
            return best
        mine.done.add(node)
        toll = self._toll_of(node)
        if not math.isfinite(toll) or mine.hops[node] >= self._most_hops:
            return best
        found = self._graph.walk(np.array([node], np.int32), self._chosen, direction="both", fan=EXPLAIN_FAN)
        self.cut |= found.cut
        costs = (cost + toll + 2 - weight_of(found.code)).tolist()
        columns = (found.other, found.block, found.edge, found.code, found.turned)
        for step, to, *edge in zip(costs, *(c.tolist() for c in columns), strict=True):
            if step < mine.cost.get(to, math.inf) - 1e-12:
                mine.cost[to], mine.hops[to] = step, mine.hops[node] + 1
                mine.came[to] = (node, (edge[0], edge[1], edge[2], edge[3]))
                heapq.heappush(mine.queue, (step, to))
            if to in other.cost and mine.hops[to] + other.hops[to] <= self._most_hops:
                whole = mine.cost[to] + other.cost[to] + self._toll_of(to)
                self.meetings[to] = min(whole, self.meetings.get(to, math.inf))
                best = min(best, whole)
        return best

    def _toll_of(self, node: int) -> float:
        """What it costs to go through a node: nothing at the ends, without bound at a hub."""
        if node in self._ends:
            return 0.0
        if node not in self._toll:
            edges = self._graph.degree(node, self._chosen)
            self._toll[node] = math.inf if edges > HUB_DEGREE else HUB_COST * math.log2(1 + edges)
            self.cut |= edges > HUB_DEGREE
        return self._toll[node]

    def trail(self, meeting: int) -> _Trail | None:
        """The way through a node; None where it goes through one twice."""
        there, edges_there = self._back(self._halves[0], meeting)
        here, edges_here = self._back(self._halves[1], meeting)
        nodes = (*reversed(there), meeting, *here)
        if len(set(nodes)) < len(nodes):
            return None
        turned = [(b, e, c, not t) for b, e, c, t in edges_here]
        edges = (*reversed(edges_there), *turned)
        weight = float(np.prod(weight_of(np.array([e[2] for e in edges]))))
        return _Trail(nodes, edges, weight)

    @staticmethod
    def _back(half: _Half, node: int) -> tuple[list[int], list[tuple[int, int, int, bool]]]:
        nodes, edges = [], []
        while node in half.came:
            node, edge = half.came[node]
            nodes.append(node)
            edges.append(edge)
        return nodes, edges


# ---------------------------------------------------------------- around a term


def _in_turns(found: Any) -> list[int]:
    """Rows, strongest first, one of each block and direction in turn."""
    group = found.block.astype(np.int64) * 2 + found.turned
    order = np.lexsort((found.other, -found.code.astype(np.int16), group))
    groups = group[order]
    first = np.searchsorted(groups, groups)
    turn = np.arange(len(order)) - first
    return order[np.argsort(turn, kind="stable")].tolist()


def _drawn(graph: Graph, hops: dict[int, int], chosen: Collection[int], *, cut: bool) -> Around:
    """The edges among some nodes: seen from both ends, so that those by which they were found are there."""
    nodes = np.fromiter(hops, np.int32, len(hops))
    found = graph.walk(nodes, chosen, direction="both", fan=AROUND_MOST)
    place = {int(node): i for i, node in enumerate(nodes)}
    inside = np.flatnonzero(np.isin(found.other, nodes)).tolist()
    edges: dict[tuple[int, str, int], tuple[int, str, int, float | None, str]] = {}
    for row in inside:
        facts = graph.blocks[int(found.block[row])]
        ends = int(found.place[row]), place[int(found.other[row])]
        subject, object_ = reversed(ends) if found.turned[row] else ends
        key = (subject, facts.predicate, object_)
        edges.setdefault(key, (*key, strength_of(int(found.code[row])), facts.source))
    terms = tuple(graph.nodes.text(int(node)) for node in nodes)
    return Around(terms, tuple(hops.values()), tuple(edges.values()), cut)
