"""Ways through the graph against plain searches."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import QueryError
from nexome.store.edges.graph import UNSCORED
from nexome.store.edges.paths import HUB_COST, Step, explain, find_paths, look_around
from tests.store.edges.oracle import Row, cheapest, distinct, make_graph
from tests.store.edges.test_graph import PLENTY, ROWS, named

STEPS = st.lists(
    st.tuples(st.sampled_from([None, "is_a", "causes"]), st.sampled_from(["out", "in", "both"])),
    min_size=1,
    max_size=3,
)


def worth(score: float | None) -> float:
    return UNSCORED if score is None else max(0.01, round(score * 254) / 254)


def every_path(rows: list[Row], start: str, steps: list[tuple[str | None, str]]) -> dict[tuple, float]:
    """(nodes, source and predicate of each hop) → strength, of every typed path."""
    found: dict[tuple, float] = {((start,), ()): 1.0}
    for predicate, direction in steps:
        longer = {}
        for (nodes, hops), weight in found.items():
            for (source, subject, named_, other), score in distinct(rows).items():
                for here, there, way in ((subject, other, "out"), (other, subject, "in")):
                    if here != nodes[-1] or there in nodes or direction not in (way, "both"):
                        continue
                    if predicate in (None, named_):
                        longer[(*nodes, there), (*hops, (source, named_, way))] = weight * worth(score)
        found = longer
    return found


@PLENTY
@given(rows=ROWS, steps=STEPS, to_end=st.booleans())
def test_typed_paths(rows, steps, to_end, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    if any(predicate not in (None, "is_a", *graph.predicates) for predicate, _ in steps):
        return
    names = named(graph)
    if not names:
        return
    start, end = names[0], names[-1] if to_end and len(names) > 1 else None
    wanted = every_path(rows, start, steps)
    if end is not None:
        wanted = {key: weight for key, weight in wanted.items() if key[0][-1] == end}
    found = find_paths(graph, start, [Step(*step) for step in steps], end=end, limit=10_000).paths
    told = {
        (
            path.terms,
            tuple((h.source, h.predicate, "in" if h.turned else "out") for h in path.hops),
        ): path.strength
        for path in found
    }
    assert told.keys() == wanted.keys()
    assert all(math.isclose(told[key], wanted[key], abs_tol=2e-6) for key in told)
    assert [p.strength for p in found] == sorted((p.strength for p in found), reverse=True)
    assert all(graph.evidence(hop.edge) for path in found for hop in path.hops)


@PLENTY
@given(rows=ROWS)
def test_the_explanation_is_the_cheapest_way(rows, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    names = named(graph)
    if len(names) < 2:
        return
    links: dict[tuple[str, str], float] = {}
    edges = dict.fromkeys(names, 0)
    for (_, subject, _, other), score in distinct(rows).items():
        for pair in ((subject, other), (other, subject)):
            links[pair] = min(links.get(pair, math.inf), 2 - worth(score))
            edges[pair[0]] += 1
    toll = {name: HUB_COST * math.log2(1 + count) for name, count in edges.items()}
    start, end = names[0], names[-1]
    least = cheapest(links, toll, start, end)
    found = explain(graph, start, end, most_hops=50).paths
    assert bool(found) == math.isfinite(least)
    if found:
        assert math.isclose(found[0].cost, least, abs_tol=1e-5)
        for path in found:
            assert (path.terms[0], path.terms[-1]) == (start, end)
            assert len(set(path.terms)) == len(path.terms)
            price = sum(links[pair] for pair in pairwise(path.terms))
            assert path.cost >= price + sum(toll[t] for t in path.terms[1:-1]) - 1e-5


def test_a_hub_is_gone_around(tmp_path) -> None:
    rows: list[Row] = [("a", f"X:{n}", "near", "HUB:1", None) for n in range(400)]
    rows += [("a", "X:0", "near", "Y:1", None), ("a", "Y:1", "near", "X:1", None)]
    found = explain(make_graph(rows, tmp_path / "g"), "X:0", "X:1").paths
    assert found[0].terms == ("X:0", "Y:1", "X:1")
    assert found[0].cost < found[1].cost


@PLENTY
@given(rows=ROWS, limit=st.integers(1, 12))
def test_around_a_term(rows, limit, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    names = named(graph)
    if not names:
        return
    found = look_around(graph, names[0], limit=limit)
    assert found.terms[0] == names[0]
    assert len(set(found.terms)) == len(found.terms) <= limit
    wanted = {(s, p, o) for (_, s, p, o) in distinct(rows) if s in found.terms and o in found.terms}
    assert {(found.terms[a], p, found.terms[b]) for a, p, b, _, _ in found.edges} == wanted


@PLENTY
@given(rows=ROWS, limit=st.integers(1, 6), count=st.integers(0, 4))
def test_opened_terms_add_what_is_tied_to_them(rows, limit, count, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    names = named(graph)
    if not names:
        return
    before = look_around(graph, names[0], limit=limit)
    opened = [*before.terms[-count:], "NO:1"] if count else []
    found = look_around(graph, names[0], limit=limit, opened=opened)
    assert found.terms[: len(before.terms)] == before.terms
    tied = {(s, o) for (_, s, _, o) in distinct(rows)} | {(o, s) for (_, s, _, o) in distinct(rows)}
    beside = {other for one in opened for (name, other) in tied if name == one}
    assert set(found.terms) == set(before.terms) | beside
    hops = dict(zip(found.terms, found.hops, strict=True))
    nearer = {name: {hops[o] for (n, o) in tied if n == name and o in hops} for name in found.terms[1:]}
    assert all(hops[name] - 1 in nearer[name] for name in found.terms[1:])


def test_a_picture_around_hubs_keeps_the_edges_it_was_made_by(tmp_path) -> None:
    rows: list[Row] = [("a", f"X:{n}", "near", f"HUB:{h}", None) for n in range(700) for h in (1, 2)]
    rows += [("a", "HUB:1", "near", f"Y:{n}", None) for n in range(700)]
    found = look_around(make_graph(rows, tmp_path / "g"), "HUB:1", limit=300, opened=["X:1", "HUB:2"])
    assert len(found.terms) == 300
    assert found.cut
    tied = {end for a, _, b, _, _ in found.edges for end in (a, b)}
    assert tied == set(range(300))


def test_more_than_three_steps_are_refused(tmp_path) -> None:
    graph = make_graph([("a", "X:1", "p", "X:2", None)], tmp_path / "g")
    with pytest.raises(QueryError):
        find_paths(graph, "X:1", [Step()] * 4)
    with pytest.raises(QueryError):
        explain(graph, "X:1", "X:1")
