"""The graph of a root: made from its sources, made again when it is gone, exported where that is allowed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import InputError, NewerVersionError, NotFoundError, RefusedError
from nexome.model.genome import assembly_from_contigs
from nexome.store.edges import Graph, build_graph, export_kgx, export_parquet, rebuild_graph
from nexome.store.edges.layout import FOLDER, NAME
from nexome.store.edges.strings import SortedStrings, StringTable, write_texts
from nexome.store.knowledge import NewSource, load_source, withdraw_source
from nexome.store.root import Root, create_root
from tests.store.edges.test_graph import PLENTY

ONTOLOGY = """format-version: 1.2
data-version: releases/2025-01-16

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000707
name: Abnormality of the nervous system
is_a: HP:0000001 ! All

[Term]
id: HP:0001250
name: Seizure
alt_id: HP:0001275
is_a: HP:0000707
is_a: HP:0099999

[Term]
id: HP:0002197
name: Generalized seizure
is_a: HP:0001275
"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    made = create_root(tmp_path / "root", assembly=assembly_from_contigs("toy", "Zea mays", [("1", 100)]))
    load(made, "hp", ONTOLOGY, "CC BY 4.0")
    return made


def load(root: Root, name: str, text: str, licence: str) -> None:
    path = root.path.parent / f"{name}.obo"
    path.write_text(text, encoding="utf-8")
    load_source(root, NewSource(name, [path], licence=licence))


def answers(graph: Graph) -> list[object]:
    names = [graph.nodes.text(node) for node in range(len(graph.nodes))]
    return [graph.neighbours(name).to_pylist() for name in names]


def test_alternative_and_dangling_ids_are_walked(root: Root) -> None:
    graph = Graph.open(root.path)
    above = graph.ancestors("HP:0002197").table.to_pylist()
    assert {row["term"]: row["hops"] for row in above} == {
        "HP:0001250": 1,
        "HP:0000707": 2,
        "HP:0099999": 2,
        "HP:0000001": 3,
    }


def test_the_graph_is_derived(root: Root) -> None:
    before = answers(Graph.open(root.path))
    shutil.rmtree(root.path / FOLDER)
    assert answers(Graph.open(root.path)) == before
    again = rebuild_graph(root.path)
    assert again is not None
    assert answers(again) == before


def test_another_source_makes_another_graph_and_the_old_one_goes(root: Root) -> None:
    first = build_graph(root.path)
    held = Graph(first)
    load(root, "more", ONTOLOGY.replace("HP:0002197", "HP:0007359"), "")
    second = build_graph(root.path)
    assert second != first
    assert [path.name for path in (root.path / FOLDER).iterdir()] == [second.name]
    assert held.ancestors("HP:0002197").table.num_rows == 4
    assert Graph(second).descendants("HP:0001250").table["term"].to_pylist() == ["HP:0002197", "HP:0007359"]
    withdraw_source(root, "more", reason="test")
    with pytest.raises(NotFoundError):
        Graph.open(root.path).node("HP:0007359")


def test_a_root_without_knowledge_has_an_empty_graph(tmp_path: Path) -> None:
    empty = create_root(tmp_path / "none", assembly=assembly_from_contigs("toy", "Zea mays", [("1", 100)]))
    assert rebuild_graph(empty.path) is None
    assert Graph.open(empty.path).edges == 0


def test_a_newer_graph_is_refused(root: Root) -> None:
    path = build_graph(root.path) / NAME
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'), encoding="utf-8")
    with pytest.raises(NewerVersionError):
        Graph(path.parent)


def test_kgx_and_parquet_hold_the_same(root: Root, tmp_path: Path) -> None:
    export_kgx(root.path, tmp_path / "kgx")
    export_parquet(root.path, tmp_path / "parquet")
    with (tmp_path / "kgx" / "edges.tsv").open(encoding="utf-8", newline="") as stream:
        edges = list(csv.DictReader(stream, delimiter="\t"))
    assert {(e["subject"], e["predicate"], e["object"], e["knowledge_source"]) for e in edges} == {
        ("HP:0000707", "biolink:subclass_of", "HP:0000001", "hp"),
        ("HP:0001250", "biolink:subclass_of", "HP:0000707", "hp"),
        ("HP:0001250", "biolink:subclass_of", "HP:0099999", "hp"),
        ("HP:0002197", "biolink:subclass_of", "HP:0001250", "hp"),
    }
    table = pq.read_table(tmp_path / "parquet" / "edges.parquet")
    assert table["subject"].to_pylist() == [edge["subject"] for edge in edges]
    nodes = pq.read_table(tmp_path / "parquet" / "nodes.parquet").to_pylist()
    assert {(n["id"], n["name"], n["category"]) for n in nodes} >= {
        ("HP:0001250", "Seizure", "biolink:PhenotypicFeature")
    }
    with pytest.raises(InputError):
        export_kgx(root.path, tmp_path / "kgx")


def test_what_may_not_be_passed_on_is_not_written(root: Root, tmp_path: Path) -> None:
    load(root, "closed", ONTOLOGY, "CC BY-NC 4.0")
    with pytest.raises(RefusedError, match="closed"):
        export_kgx(root.path, tmp_path / "kgx")
    assert not (tmp_path / "kgx").exists()
    assert export_kgx(root.path, tmp_path / "kgx", sources=["hp"])
    with pytest.raises(NotFoundError):
        export_parquet(root.path, tmp_path / "other", sources=["absent"])


@PLENTY
@given(
    batches=st.lists(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=30), max_size=5),
    start=st.integers(0, 3),
)
def test_texts_are_numbered_as_a_dictionary_would(batches, start, tmp_path_factory) -> None:
    table, known = StringTable(), {}
    for batch in batches:
        codes = table.add(pa.array(batch, pa.string()).slice(start))
        wanted = [known.setdefault(text or "", len(known)) for text in batch[start:]]
        assert codes.tolist() == wanted
    assert table.array().to_pylist() == list(known)
    path = tmp_path_factory.mktemp("t") / "texts.arrow"
    ordered = sorted(known, key=str.encode)
    write_texts(path, pa.array(ordered, pa.large_string()))
    strings = SortedStrings.open(path)
    assert [strings.find(text) for text in ordered] == list(range(len(ordered)))
    assert strings.find("not there: longer") == -1
    for prefix in {text[:1] for text in ordered}:
        low, high = strings.range_of(prefix)
        assert ordered[low:high] == [text for text in ordered if text.startswith(prefix)]
