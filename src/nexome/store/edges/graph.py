"""The graph of all statements, asked: neighbours, what is above and below a term, what things share.

Answers are tables of CURIEs; `strength` is 0 to 1 (null: no score given), `score` as given within 8 bits.
`sources` of each question says which sources may answer; None: all. Denied statements ('not …') are
neighbours, by their own predicate, and are walked along by nothing else. Mapped files, made by `build`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.model.errors import NotFoundError, QueryError
from nexome.model.knowledge import EXACT, IS_A, PART_OF, identify
from nexome.store.disk import remove_folder
from nexome.store.edges.build import build_graph
from nexome.store.edges.kernels import Side, climb, degree, find_edge, gather
from nexome.store.edges.layout import (
    DENIED,
    NODES,
    STRONGEST,
    TEXTS,
    Evidence,
    graph_folder,
    open_side,
    read_blocks,
    read_facts,
)
from nexome.store.edges.strings import SortedStrings
from nexome.store.knowledge import Knowledge

Direction = Literal["out", "in", "both"]
Nodes = npt.NDArray[np.int32]
Sources = Collection[str] | None

DIRECTIONS: Final[tuple[Direction, ...]] = ("out", "in", "both")
MOST_REACHED: Final = 1_000_000  # terms above or below one
MOST_SAME: Final = 64  # identifiers that mean one thing
ALL: Final = 1 << 40  # edges of a node: no limit
UNSCORED: Final = 0.5  # what an edge without a score counts where edges are weighed

NEIGHBOUR_SCHEMA: Final = pa.schema(
    [
        ("direction", pa.string()),
        ("predicate", pa.string()),
        ("term", pa.string()),
        ("strength", pa.float32()),
        ("score", pa.float32()),
        ("sources", pa.string()),
        ("through", pa.string()),
        ("edge", pa.int64()),
    ]
)
REACHED_SCHEMA: Final = pa.schema([("term", pa.string()), ("hops", pa.int32())])
COMMON_SCHEMA: Final = pa.schema([("term", pa.string()), ("strength", pa.float32())])


class Edges(NamedTuple):
    """Edges as they are walked: where from, to which node, in which block, which way, how strong."""

    place: npt.NDArray[np.int32]
    block: npt.NDArray[np.int32]
    edge: npt.NDArray[np.int64]
    other: Nodes
    code: npt.NDArray[np.uint8]
    turned: npt.NDArray[np.bool_]
    cut: bool


class Reached(NamedTuple):
    """What is above or below a term (REACHED_SCHEMA), nearest first, and whether there is more."""

    table: pa.Table
    cut: bool


class Graph:
    """One generation of the graph, mapped. Thread-safe; made by `Graph.open`."""

    def __init__(self, folder: Path) -> None:
        facts = read_facts(folder)
        self.digest: str = facts["digest"]
        self.edges: int = facts["edges"]
        self.left_out: dict[str, int] = facts["left_out"]
        self.blocks = read_blocks(facts)
        self.nodes = SortedStrings.open(folder / NODES)
        self.out: Side = open_side(folder, "out", facts)
        self.into: Side = open_side(folder, "in", facts)
        self._texts = SortedStrings.open(folder / TEXTS)
        self._evidence = Evidence(folder)
        self._chosen = lru_cache(maxsize=1024)(self._choose)

    @classmethod
    def open(cls, root: Path) -> Self:
        """The graph of a root's sources as they are now; made first where it is not there."""
        return cls(build_graph(root))

    @property
    def predicates(self) -> list[str]:
        """All predicates, denied ones too."""
        return sorted({block.predicate for block in self.blocks})

    # ------------------------------------------------------------ names

    def node(self, text: str, sources: Sources = None) -> int:
        """The number of an identifier in any spelling. Raises NotFoundError, naming near ones.

        Of some `sources`, one that they make no statement about is as unknown as any other.
        """
        curie = identify(text).curie or text
        found = self.nodes.find(curie)
        if not self._is_known(found, sources):
            near = ", ".join(n for n in self.nodes.near(curie) if self._is_known(self.nodes.find(n), sources))
            raise NotFoundError(
                f"no statement names {text[:80]!r}",
                expected=f"such as {near}" if near else "an identifier such as HP:0001250",
            )
        return found

    def _is_known(self, node: int, sources: Sources) -> bool:
        if node < 0 or sources is None:
            return node >= 0
        return self.degree(node, self.chosen(None, sources, denied=True)) > 0

    def chosen(self, predicates: Collection[str] | None, sources: Sources, *, denied: bool = False) -> Any:
        """Numbers of the blocks that may be walked, int64. Raises NotFoundError for an unknown predicate.

        `predicates` None: all, denied ones only with `denied`.
        """
        wanted = None if predicates is None else frozenset(predicates)
        return self._chosen(wanted, None if sources is None else frozenset(sources), denied)

    def _choose(self, wanted: frozenset[str] | None, sources: frozenset[str] | None, denied: bool) -> Any:  # noqa: FBT001
        visible = [(i, b) for i, b in enumerate(self.blocks) if sources is None or b.source in sources]
        known = {b.predicate for _, b in visible}
        for name in sorted((wanted or frozenset()) - known - {IS_A, PART_OF, EXACT}):
            near = difflib.get_close_matches(name, known, 5, 0.4) or sorted(known)[:10]
            raise NotFoundError(f"no predicate {name[:80]!r}", expected=", ".join(near) or "none yet")
        rows = [
            i
            for i, b in visible
            if (b.predicate in wanted if wanted is not None else denied or not b.predicate.startswith(DENIED))
        ]
        return np.array(rows, np.int64)

    # ------------------------------------------------------------ questions

    def neighbours(
        self,
        term: str,
        predicate: str | None = None,
        *,
        direction: Direction = "both",
        limit: int = 50,
        vocabulary: str | None = None,
        sources: Sources = None,
        equivalents: bool = False,
    ) -> pa.Table:
        """What a term is tied to, strongest first, then by identifier (NEIGHBOUR_SCHEMA).

        A tie that several sources state is one row, which names them. `equivalents`: also what is tied to
        identifiers that mean the same, `through` says which. Raises NotFoundError, QueryError.
        """
        if limit < 1:
            raise QueryError(f"limit {limit}", expected="1 or more")
        chosen = self.chosen(None if predicate is None else [predicate], sources, denied=True)
        nodes = self._meant(self.node(term, sources), sources, equivalents=equivalents)
        fan = limit if vocabulary is None and len(nodes) == 1 else ALL
        found = self.walk(nodes, chosen, direction=direction, fan=fan)
        keep = self._in_vocabulary(found.other, vocabulary)
        if len(nodes) > 1:
            keep &= ~np.isin(found.other, nodes)
        order = np.flatnonzero(keep)
        order = order[np.lexsort((found.other[order], -found.code[order].astype(np.int16)))]
        return self._neighbour_table(found, order, nodes, limit)

    def ancestors(self, term: str, **asked: Any) -> Reached:
        """All that a term is a kind of, nearest first, not itself, also where is_a runs in a circle.

        `part_of`: also what it is a part of; `sources`, `limit`, `equivalents` as elsewhere.
        """
        return self._reach(term, self.out, **asked)

    def descendants(self, term: str, **asked: Any) -> Reached:
        """All kinds of a term, nearest first. See `ancestors`."""
        return self._reach(term, self.into, **asked)

    def common(
        self,
        terms: Sequence[str],
        predicate: str | None = None,
        *,
        direction: Direction = "both",
        vocabulary: str | None = None,
        subtypes: bool = False,
        sources: Sources = None,
        equivalents: bool = False,
    ) -> pa.Table:
        """What is tied to each of several terms, strongest first (COMMON_SCHEMA).

        A tie's strength is that of its weakest part, each part the strongest there is. `subtypes`: a tie
        to a kind of a term is one to the term. Raises NotFoundError, QueryError for fewer than two terms.
        """
        if len(set(terms)) < 2:
            raise QueryError(f"{len(set(terms))} terms", expected="two or more")
        chosen = self.chosen(None if predicate is None else [predicate], sources)
        shared: Nodes | None = None
        strength = np.empty(0, np.int16)
        for term in terms:
            nodes = self._meant(self.node(term, sources), sources, equivalents=equivalents)
            if subtypes:
                nodes = climb(self.into, self.chosen([IS_A], sources), nodes, MOST_REACHED)[0]
            mine, code = self._tied(nodes, chosen, direction)
            if shared is None:
                shared, strength = mine, code
            else:
                shared, here, there = np.intersect1d(shared, mine, assume_unique=True, return_indices=True)
                strength = np.minimum(strength[here], code[there])
        assert shared is not None  # noqa: S101  two terms or more
        keep = np.flatnonzero(self._in_vocabulary(shared, vocabulary))
        keep = keep[np.lexsort((shared[keep], -strength[keep]))]
        columns = [self.nodes.take(shared[keep]), _strengths(strength[keep])]
        return pa.Table.from_arrays(columns, schema=COMMON_SCHEMA)

    def evidence(self, edge: int) -> list[dict[str, Any]]:
        """What an edge rests on: score as given, publication, method, qualifier, line of the source."""
        rows = self._evidence.of(edge).to_pylist()
        texts = ("publication", "method", "qualifier")
        return [
            {"score": row["score"], **{n: self._texts.text(row[n]) for n in texts}, "line": row["line"]}
            for row in rows
        ]

    # ------------------------------------------------------------ walking

    def walk(self, nodes: Nodes, chosen: Any, *, direction: Direction, fan: int = ALL) -> Edges:
        """Edges of nodes in the chosen blocks; `fan`: the strongest of each node and block."""
        if direction not in DIRECTIONS:
            raise QueryError(f"direction {direction!r}", expected=", ".join(DIRECTIONS))
        parts = []
        if direction != "in":
            parts.append((*gather(self.out, chosen, nodes, fan), False))
        if direction != "out":
            parts.append((*gather(self.into, chosen, nodes, fan), True))
        joined = [np.concatenate([p[i] for p in parts]) if len(parts) > 1 else parts[0][i] for i in range(5)]
        turned = np.concatenate([np.full(len(p[0]), p[6]) for p in parts])
        place, block, edge, other, code = joined
        return Edges(place, block, edge, other, code, turned, any(p[5] for p in parts))

    def degree(self, node: int, chosen: Any) -> int:
        """Edges of a node, both ways."""
        return int(degree(self.out, chosen, node)) + int(degree(self.into, chosen, node))

    def same(self, node: int, sources: Sources) -> Nodes:
        """A node and those that are stated to mean the same, however many steps away."""
        chosen = self.chosen([EXACT], sources)
        found = np.array([node], np.int32)
        while len(found) < MOST_SAME:
            more = self.walk(found, chosen, direction="both").other
            wider = np.concatenate([found, np.setdiff1d(more, found)])
            if len(wider) == len(found):
                break
            found = wider[:MOST_SAME]
        return found

    def vocabulary_range(self, vocabulary: str) -> tuple[int, int]:
        """First node of a vocabulary and the one behind the last; equal where it has none."""
        return self.nodes.range_of(f"{vocabulary}:")

    def _meant(self, node: int, sources: Sources, *, equivalents: bool) -> Nodes:
        return self.same(node, sources) if equivalents else np.array([node], np.int32)

    def _in_vocabulary(self, nodes: Nodes, vocabulary: str | None) -> npt.NDArray[np.bool_]:
        if vocabulary is None:
            return np.ones(len(nodes), bool)
        low, high = self.vocabulary_range(vocabulary)
        return (nodes >= low) & (nodes < high)

    def _tied(self, nodes: Nodes, chosen: Any, direction: Direction) -> tuple[Nodes, npt.NDArray[np.int16]]:
        found = self.walk(nodes, chosen, direction=direction)
        order = np.lexsort((-found.code.astype(np.int16), found.other))
        others, first = np.unique(found.other[order], return_index=True)
        return others, found.code[order][first].astype(np.int16)

    def _reach(
        self,
        term: str,
        side: Side,
        *,
        part_of: bool = False,
        sources: Sources = None,
        equivalents: bool = False,
        limit: int = MOST_REACHED,
    ) -> Reached:
        chosen = self.chosen([IS_A, PART_OF] if part_of else [IS_A], sources)
        node = self.node(term, sources)
        start = self._meant(node, sources, equivalents=equivalents)
        nodes, hops, cut = climb(side, chosen, start, limit)
        while equivalents and not cut:
            wider = np.concatenate([start, *(self.same(int(n), sources) for n in nodes)])
            wider = np.unique(wider)
            if len(np.setdiff1d(wider, nodes)) == 0:
                break
            start = wider
            nodes, hops, cut = climb(side, chosen, start, limit)
        keep = nodes != node
        columns = [self.nodes.take(nodes[keep]), pa.array(hops[keep])]
        return Reached(pa.Table.from_arrays(columns, schema=REACHED_SCHEMA), bool(cut))

    def _neighbour_table(self, found: Edges, order: Any, nodes: Nodes, limit: int) -> pa.Table:
        """Rows in an order, those that say the same of one node joined, at most `limit`."""
        rows: dict[tuple[bool, str, int], dict[str, Any]] = {}
        columns = (found.turned, found.block, found.other, found.code, found.place, found.edge)
        for turned, block, other, code, place, edge in zip(
            *(c[order].tolist() for c in columns), strict=True
        ):
            facts = self.blocks[block]
            row = rows.get((turned, facts.predicate, other))
            if row is not None:
                if facts.source not in row["sources"].split("|"):
                    row["sources"] += f"|{facts.source}"
                continue
            if len(rows) == limit:
                continue
            rows[turned, facts.predicate, other] = {
                "direction": "in" if turned else "out",
                "predicate": facts.predicate,
                "strength": strength_of(code),
                "score": facts.score_of(code),
                "sources": facts.source,
                "through": self.nodes.text(int(nodes[place])),
                "edge": self.edge_number(block, other, int(nodes[place]), code) if turned else edge,
            }
        table = {name: [row.get(name) for row in rows.values()] for name in NEIGHBOUR_SCHEMA.names}
        table["term"] = [self.nodes.text(other) for _, _, other in rows]
        return pa.table(table, schema=NEIGHBOUR_SCHEMA)

    def edge_number(self, block: int, subject: int, object_: int, code: int) -> int:
        """The number by which the evidence of an edge is kept; -1 where there is no such edge."""
        return int(find_edge(self.out, block, subject, object_, code))


def strength_of(code: int) -> float | None:
    """0 to 1; None where no score was given."""
    return None if code == 0 else (code - 1) / (STRONGEST - 1)


def weight_of(codes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """What edges count in a chain, 0.01 to 1; UNSCORED where no score was given."""
    return np.where(codes == 0, UNSCORED, np.maximum(0.01, (codes.astype(np.float64) - 1) / (STRONGEST - 1)))


def _strengths(codes: npt.NDArray[np.int16]) -> pa.Array:
    return pa.array((codes - 1) / (STRONGEST - 1), pa.float32(), mask=codes == 0)


def rebuild_graph(root: Path) -> Graph | None:
    """Make the graph of a root anew, whatever is there; None where no knowledge was loaded."""
    knowledge = Knowledge.open(root)
    if not knowledge.sequence:
        return None
    remove_folder(graph_folder(root, knowledge.digest))
    return Graph.open(root)
