"""The graph against what plain Python finds in the same statements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, NotFoundError, QueryError
from nexome.model.knowledge import EXACT
from nexome.store.edges.graph import Graph
from tests.store.edges.oracle import Row, closure, distinct, make_graph

TERMS = [f"{prefix}:{number}" for prefix in ("HP", "HGNC") for number in range(8)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(TERMS),
        st.sampled_from(["is_a", "part_of", "causes"]),
        st.sampled_from(TERMS),
        st.sampled_from([None, 0.0, 0.25, 1.0]),
    ),
    min_size=1,
    max_size=60,
)
PLENTY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def named(graph: Graph) -> list[str]:
    return [graph.nodes.text(number) for number in range(len(graph.nodes))]


@PLENTY
@given(rows=ROWS, limit=st.integers(1, 6))
def test_neighbours_are_the_strongest(rows: list[Row], limit: int, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    edges = distinct(rows)
    for term in named(graph):
        best: dict[tuple[str, str, str], float] = {}
        for (_, subject, predicate, other), score in edges.items():
            worth = -1.0 if score is None else score
            for here, there, way in ((subject, other, "out"), (other, subject, "in")):
                if here == term:
                    key = (way, predicate, there)
                    best[key] = max(best.get(key, -1.0), worth)
        found = graph.neighbours(term, limit=limit).to_pylist()
        assert len(found) == min(limit, len(best))
        told = [-1.0 if r["strength"] is None else r["strength"] for r in found]
        assert np.allclose(told, sorted(best.values(), reverse=True)[:limit], atol=1 / 254)
        for row, worth in zip(found, told, strict=True):
            assert abs(best[row["direction"], row["predicate"], row["term"]] - worth) < 1 / 254
            assert graph.evidence(row["edge"])


@PLENTY
@given(rows=ROWS, source=st.sampled_from(["a", "b"]))
def test_a_source_not_seen_tells_nothing(rows: list[Row], source: str, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    alone = [row for row in rows if row[0] == source]
    for term in named(graph):
        if not any(term in (s, o) for _, s, _, o, _ in alone if s != o):
            with pytest.raises(NotFoundError):
                graph.neighbours(term, sources={source})
            continue
        found = graph.neighbours(term, sources={source}, limit=500).to_pylist()
        wanted = {(p, o) for _, s, p, o, _ in alone if s == term != o}
        assert {(r["predicate"], r["term"]) for r in found if r["direction"] == "out"} == wanted
        assert all(r["sources"] == source for r in found)


@PLENTY
@given(rows=ROWS, part_of=st.booleans())
def test_ancestors_and_descendants_survive_circles(rows: list[Row], part_of: bool, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    predicates = {"is_a", "part_of"} if part_of else {"is_a"}
    for term in named(graph):
        for ask, up in ((graph.ancestors, True), (graph.descendants, False)):
            found = ask(term, part_of=part_of).table.to_pylist()
            told = {row["term"]: row["hops"] for row in found}
            assert told == closure(rows, term, up=up, predicates=predicates)
            assert [r["hops"] for r in found] == sorted(told.values())


@PLENTY
@given(rows=ROWS, subtypes=st.booleans())
def test_what_two_things_share(rows: list[Row], subtypes: bool, tmp_path_factory) -> None:
    graph = make_graph(rows, tmp_path_factory.mktemp("g") / "graph")
    terms = named(graph)[:2]
    if len(terms) < 2:
        return
    sets = []
    for term in terms:
        kinds = {term} | (set(closure(rows, term, up=False, predicates={"is_a"})) if subtypes else set())
        sets.append(
            {o for _, s, _, o, _ in rows if s in kinds and s != o}
            | {s for _, s, _, o, _ in rows if o in kinds and s != o}
        )
    found = graph.common(terms, subtypes=subtypes)["term"].to_pylist()
    assert set(found) == sets[0] & sets[1]
    genes = {term for term in found if term.startswith("HGNC:")}
    if any(name.startswith("HGNC:") for name in named(graph)):
        assert set(graph.common(terms, subtypes=subtypes, vocabulary="HGNC")["term"].to_pylist()) == genes


def test_statements_that_are_no_edges_are_counted(tmp_path) -> None:
    rows: list[Row] = [
        ("a", "HP:1", "is_a", "HP:1", None),
        ("a", "", "is_a", "HP:2", None),
        ("a", "HP:3", "is_a", "HP:4", None),
        ("a", "HP:3", "is_a", "HP:4", None),
    ]
    graph = make_graph(rows, tmp_path / "g")
    assert graph.edges == 1
    assert graph.left_out == {"no identifier": 1, "to itself": 1}
    assert len(graph.evidence(0)) == 2


def test_what_is_denied_is_a_predicate_of_its_own(tmp_path) -> None:
    rows: list[Row] = [("a", "OMIM:1", "has_phenotype", "HP:1", None)]
    graph = make_graph(rows, tmp_path / "g", qualifier="not;frequency=1/2", publication="PMID:1")
    assert graph.neighbours("OMIM:1")["predicate"].to_pylist() == ["not has_phenotype"]
    assert not len(graph.chosen(None, None))
    assert graph.evidence(0)[0] | {"score": None} == {
        "score": None,
        "publication": "PMID:1",
        "method": "",
        "qualifier": "not;frequency=1/2",
        "line": 1,
    }


def test_identity_is_walked_through_when_asked(tmp_path) -> None:
    rows: list[Row] = [
        ("a", "MONDO:1", EXACT, "DOID:1", None),
        ("a", "OMIM:1", EXACT, "DOID:1", None),
        ("a", "OMIM:1", "caused_by", "HGNC:1", None),
        ("a", "DOID:1", "is_a", "DOID:2", None),
    ]
    graph = make_graph(rows, tmp_path / "g")
    assert "HGNC:1" not in graph.neighbours("MONDO:1")["term"].to_pylist()
    found = graph.neighbours("MONDO:1", equivalents=True).to_pylist()
    assert [(r["term"], r["through"]) for r in found if r["predicate"] == "caused_by"] == [
        ("HGNC:1", "OMIM:1")
    ]
    assert graph.ancestors("MONDO:1").table.num_rows == 0
    assert "DOID:2" in graph.ancestors("MONDO:1", equivalents=True).table["term"].to_pylist()


def test_scores_beyond_one_are_told_as_given(tmp_path) -> None:
    rows: list[Row] = [("a", "HP:1", "p", f"HP:{n}", float(100 * n)) for n in range(2, 9)]
    found = make_graph(rows, tmp_path / "g").neighbours("HP:1").to_pylist()
    assert [row["term"] for row in found] == [f"HP:{n}" for n in range(8, 1, -1)]
    assert all(abs(row["score"] - 100 * int(row["term"][3:])) < 600 / 254 for row in found)


def test_what_is_unknown_is_told_with_what_is_near(tmp_path) -> None:
    graph = make_graph([("a", "HP:0001", "is_a", "HP:0002", None)], tmp_path / "g")
    with pytest.raises(NotFoundError, match="HP:0001"):
        graph.node("HP:0003")
    with pytest.raises(NotFoundError, match="is_a"):
        graph.neighbours("HP:0001", "is_b")
    assert not graph.neighbours("HP:0001", vocabulary="NONE").num_rows
    with pytest.raises(QueryError):
        graph.common(["HP:0001", "HP:0001"])


def test_a_cut_file_is_named(tmp_path) -> None:
    make_graph([("a", "HP:0001", "is_a", "HP:0002", None)], tmp_path / "g")
    path = tmp_path / "g" / "out" / "rows.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=r"rows\.bin"):
        Graph(tmp_path / "g")
