"""The graph as plain Python would hold it: what the fast one is compared with."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from nexome.model.knowledge import EDGES
from nexome.store.edges.build import build_graph_from
from nexome.store.edges.graph import Graph

Row = tuple[str, str, str, str, float | None]  # source, subject, predicate, object, score


def make_graph(rows: list[Row], folder: Path, **more: str) -> Graph:
    """Build and open a graph of rows; `more`: columns that are equal in all."""
    batches = []
    for source in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == source]
        columns = {"subject": 1, "predicate": 2, "object": 3, "score": 4}
        values = {name: [row[place] for row in mine] for name, place in columns.items()}
        texts = {name: [more.get(name, "")] * len(mine) for name in ("publication", "method", "qualifier")}
        table = pa.table({**values, **texts, "line": range(1, len(mine) + 1)}, schema=EDGES)
        batches += [(source, batch) for batch in table.to_batches(max_chunksize=3)]
    return Graph(build_graph_from(batches, folder))


def distinct(rows: list[Row]) -> dict[tuple[str, str, str, str], float | None]:
    """Edges by source, each once with its best score; none to itself."""
    found: dict[tuple[str, str, str, str], float | None] = {}
    for source, subject, predicate, other, score in rows:
        if subject == other:
            continue
        key = (source, subject, predicate, other)
        before = found.get(key)
        found[key] = before if score is None or (before is not None and before >= score) else score
    return found


def closure(rows: list[Row], term: str, *, up: bool, predicates: set[str]) -> dict[str, int]:
    """Hops to all that lies above (or below) a term."""
    steps = defaultdict(set)
    for _, subject, predicate, other, _score in rows:
        if predicate in predicates:
            steps[subject if up else other].add(other if up else subject)
    hops, queue = {term: 0}, [term]
    for node in queue:
        for other in steps[node]:
            if other not in hops:
                hops[other] = hops[node] + 1
                queue.append(other)
    del hops[term]
    return hops


def cheapest(links: dict[tuple[str, str], float], toll: dict[str, float], start: str, end: str) -> float:
    """Least cost from one node to another: its edges, and a toll for each node on the way."""
    queue, done = [(0.0, start)], set()
    while queue:
        cost, node = heapq.heappop(queue)
        if node == end:
            return cost
        if node in done:
            continue
        done.add(node)
        leave = 0.0 if node == start else toll[node]
        for (one, other), price in links.items():
            if one == node and other not in done:
                heapq.heappush(queue, (cost + leave + price, other))
    return math.inf


def is_chain(terms: tuple[str, ...], links: set[tuple[str, str]]) -> bool:
    """Whether each term is linked to the next."""
    return all(pair in links for pair in pairwise(terms))
