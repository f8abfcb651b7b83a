"""The graph by the commands a user types: ties, above and below, what is shared, paths, KGX, verify."""

import csv
import io

import orjson
import pytest

TERMS = """format-version: 1.2

[Term]
id: HP:0000707
name: Abnormality of the nervous system

[Term]
id: HP:0001250
name: Seizure
is_a: HP:0000707

[Term]
id: HP:0002197
name: Generalized seizure
is_a: HP:0001250

[Term]
id: HP:0001263
name: Global developmental delay
is_a: HP:0000707
"""
TIES = """subject\tsubject_label\tpredicate\tobject\tscore\tpublication
NCBIGene:6323\tSCN1A\tbiolink:has_phenotype\tHP:0002197\t0.9\tPMID:1
NCBIGene:6323\tSCN1A\tbiolink:has_phenotype\tHP:0001263\t0.5\t
NCBIGene:10015\tPDCD6IP\tbiolink:has_phenotype\tHP:0001250\t0.4\t
"""


@pytest.fixture
def root(nexome, tmp_path):
    nexome("init", tmp_path / "root", "--assembly", "GRCh38")
    (tmp_path / "hp.obo").write_text(TERMS, "utf-8")
    (tmp_path / "ties.tsv").write_text(TIES, "utf-8")
    files = (tmp_path / "hp.obo", tmp_path / "ties.tsv")
    nexome("knowledge", "load", "--root", tmp_path / "root", *files, "--licence", "CC0-1.0")
    return tmp_path / "root"


@pytest.fixture
def ask(nexome, root):
    def asked(*words):
        told = nexome("knowledge", *words, "--root", root).stdout
        return list(csv.DictReader(io.StringIO(told), delimiter="\t"))

    return asked


def test_ties_strongest_first(ask):
    rows = ask("neighbours", "NCBIGene:6323")
    assert [(row["term"], row["term_label"]) for row in rows] == [
        ("HP:0002197", "Generalized seizure"),
        ("HP:0001263", "Global developmental delay"),
    ]
    assert (rows[0]["direction"], rows[0]["publications"], rows[0]["sources"]) == ("out", "PMID:1", "ties")
    assert [row["term"] for row in ask("neighbours", "HP:0001250", "--vocabulary", "NCBIGene")] == [
        "NCBIGene:10015"
    ]
    assert [row["term"] for row in ask("neighbours", "HP:0001250", "--predicate", "is_a", "--limit", 1)] == [
        "HP:0000707"
    ]


def test_above_and_below(ask):
    assert [(row["term"], row["hops"]) for row in ask("ancestors", "HP:0002197")] == [
        ("HP:0001250", "1"),
        ("HP:0000707", "2"),
    ]
    assert {row["term"] for row in ask("descendants", "HP:0000707")} == {
        "HP:0001250",
        "HP:0001263",
        "HP:0002197",
    }


def test_what_two_things_share(ask):
    shared = ask("common", "HP:0001250", "HP:0001263", "--vocabulary", "NCBIGene")
    assert shared == []
    [row] = ask("common", "HP:0001250", "HP:0001263", "--subtypes", "--vocabulary", "NCBIGene")
    assert (row["term"], row["term_label"]) == ("NCBIGene:6323", "SCN1A")


def test_paths_typed_and_explained(ask):
    rows = ask("paths", "HP:0001250", "--step", "is_a<", "--step", "*<", "--vocabulary", "NCBIGene")
    assert [(row["hop"], row["from"], row["to"]) for row in rows] == [
        ("1", "HP:0001250", "HP:0002197"),
        ("2", "HP:0002197", "NCBIGene:6323"),
    ]
    rows = [row for row in ask("paths", "NCBIGene:6323", "NCBIGene:10015") if row["path"] == "1"]
    assert [rows[0]["from"], *(row["to"] for row in rows)] == [
        "NCBIGene:6323",
        "HP:0002197",
        "HP:0001250",
        "NCBIGene:10015",
    ]
    assert [row["source"] for row in rows] == ["ties", "hp", "ties"]


def test_answers_come_as_json_too(nexome, root):
    told = orjson.loads(
        nexome("knowledge", "ancestors", "HP:0002197", "--root", root, "--format", "json").stdout
    )
    assert "HP:0000707" in str(told)


@pytest.mark.parametrize(
    ("words", "found", "code"),
    [
        (("neighbours", "HP:7777777"), "no statement names", 1),
        (("neighbours", "HP:0001250", "--predicate", "is_b"), "no predicate 'is_b'", 1),
        (("common", "HP:0001250"), "1 terms", 1),
        (("paths", "HP:0001250", "--step", "<"), "step '<'", 1),
        (("paths", "HP:0001250"), "Give an END", 2),
    ],
)
def test_what_cannot_be_asked_is_said_plainly(nexome, root, words, found, code):
    assert found in nexome("knowledge", *words, "--root", root, code=code).output


def test_a_kgx_file_gives_the_same_graph_elsewhere(nexome, root, tmp_path):
    nexome("knowledge", "graph", "--kgx", tmp_path / "kgx", "--root", root)
    other = tmp_path / "other"
    nexome("init", other, "--assembly", "GRCh38")
    nexome("knowledge", "load", tmp_path / "kgx" / "edges.tsv", "--root", other)

    def edges(of):
        told = nexome("knowledge", "graph", "--root", of).output
        return told.partition(" of ")[0], told.partition("predicates, ")[2]

    assert edges(other) == edges(root)
    nodes = (tmp_path / "kgx" / "nodes.tsv").read_text("utf-8").splitlines()
    assert nodes[0].split("\t") == ["id", "category", "name", "description", "provided_by"]
    assert "NCBIGene:6323\tbiolink:Gene\tSCN1A\t\tties" in nodes


def test_verify_compares_the_graph_with_the_statements(nexome, root):
    nexome("knowledge", "graph", "--root", root)
    assert "All is as it was written" in nexome("verify", root).output
    [rows] = (root / "knowledge" / "graph").glob("*/out/others.bin")
    content = bytearray(rows.read_bytes())
    content[0] ^= 1
    rows.write_bytes(content)
    told = nexome("verify", root, code=1).output
    assert "out/others.bin" in told
    assert "not what the statements make" in told
    nexome("rebuild", root)
    assert "All is as it was written" in nexome("verify", root).output
