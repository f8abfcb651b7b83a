"""OBO, OBO Graphs and OWL say the same of one ontology; what is broken is told by its line."""

import gzip

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import FormatError
from tests.formats.knowledge.reading import read_path, read_text

OBO = """format-version: 1.2
data-version: hp/releases/2025-01-16
property_value: http://purl.org/dc/terms/license https://creativecommons.org/licenses/by/4.0/

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0001627
name: Abnormal heart morphology
alt_id: HP:0001632
def: "A \\"structural\\" anomaly\\nof the heart." [HPO:probinson]
synonym: "Heart defect" EXACT layperson [ORCID:0000-0001]
synonym: "AHM" EXACT ABBREVIATION []
synonym: "Cardiac malformation" RELATED []
xref: UMLS:C0018798 {source="x"}
xref: SNOMEDCT_US:13213009
is_a: HP:0000001 ! All
relationship: part_of UBERON:0000948 ! heart

[Term]
id: HP:0000057
name: obsolete Clitoromegaly
is_obsolete: true
replaced_by: HP:0008665

[Typedef]
id: part_of
name: part of
"""


def test_obo(tmp_path):
    read = read_text(tmp_path, OBO)
    assert read.format == "obo"
    assert read.facts["release"] == "hp/releases/2025-01-16"
    assert read.facts["licence"].startswith("https://creativecommons.org")
    assert read.labels == {
        "HP:0000001": "All",
        "HP:0001627": "Abnormal heart morphology",
        "HP:0000057": "obsolete Clitoromegaly",
    }
    heart = read.terms[1]
    assert heart["definition"] == 'A "structural" anomaly\nof the heart.'
    assert (heart["alternatives"], heart["line"]) == (["HP:0001632"], 10)
    assert (read.terms[2]["obsolete"], read.terms[2]["replaced_by"]) == (True, ["HP:0008665"])
    assert read.said >= {
        ("HP:0001627", "Abnormal heart morphology", "label", "en"),
        ("HP:0001627", "Heart defect", "layperson", "en"),
        ("HP:0001627", "AHM", "abbreviation", "en"),
        ("HP:0001627", "Cardiac malformation", "related", "en"),
    }
    assert read.triples == {
        ("HP:0001627", "oboInOwl:hasDbXref", "UMLS:C0018798"),
        ("HP:0001627", "oboInOwl:hasDbXref", "SNOMEDCT:13213009"),
        ("HP:0001627", "is_a", "HP:0000001"),
        ("HP:0001627", "part_of", "UBERON:0000948"),
    }
    assert not read.problems


def test_broken_lines_of_obo_are_refused_one_by_one(tmp_path):
    broken = OBO.replace(
        "name: All\n", "name: All\nthis is no tag\nsynonym: no quotes EXACT []\nis_a: HP:0000001\n"
    )
    read = read_text(tmp_path, broken + "\n[Term]\nname: nobody\n\n[Term]\nid: no identifier\nname: x\n")
    assert read.rules == {"broken_line": 2, "self_loop": 1, "missing_id": 1, "bad_identifier": 1}
    assert read.at("broken_line") == [8, 9]
    assert read.at("self_loop") == [10]
    assert len(read.terms) == 3


def test_a_second_name_is_kept_and_told(tmp_path):
    read = read_text(tmp_path, OBO.replace("name: All\n", "name: All\nname: Everything\n"))
    assert read.rules == {"duplicate_id": 1}
    assert ("HP:0000001", "Everything", "exact", "en") in read.said


GRAPH = {
    "graphs": [
        {
            "id": "http://purl.obolibrary.org/obo/hp.owl",
            "meta": {"version": "http://purl.obolibrary.org/obo/hp/releases/2025-01-16/hp.json"},
            "nodes": [
                {"id": "http://purl.obolibrary.org/obo/HP_0000001", "type": "CLASS", "lbl": "All"},
                {
                    "id": "http://purl.obolibrary.org/obo/HP_0001627",
                    "type": "CLASS",
                    "lbl": "Abnormal heart morphology",
                    "meta": {
                        "definition": {"val": "An anomaly."},
                        "synonyms": [
                            {"pred": "hasExactSynonym", "val": "Heart defect", "synonymType": "x#layperson"},
                            {"pred": "hasRelatedSynonym", "val": "Cardiac malformation"},
                        ],
                        "xrefs": [{"val": "UMLS:C0018798"}],
                        "basicPropertyValues": [
                            {
                                "pred": "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId",
                                "val": "HP:0001632",
                            },
                            {
                                "pred": "http://www.w3.org/2004/02/skos/core#exactMatch",
                                "val": "MONDO:0005453",
                            },
                        ],
                    },
                },
                {"id": "http://purl.obolibrary.org/obo/BFO_0000050", "type": "PROPERTY", "lbl": "part of"},
                {"id": "", "type": "CLASS", "lbl": "nobody"},
            ],
            "edges": [
                {
                    "sub": "http://purl.obolibrary.org/obo/HP_0001627",
                    "pred": "is_a",
                    "obj": "http://purl.obolibrary.org/obo/HP_0000001",
                },
                {"sub": "x:1", "pred": "subPropertyOf", "obj": "x:2"},
            ],
            "equivalentNodesSets": [{"nodeIds": ["HP:0001627", "DOID:114"]}],
        }
    ]
}


def test_obo_graphs(tmp_path):
    read = read_text(tmp_path, orjson.dumps(GRAPH))
    assert read.format == "obo-graphs"
    assert read.labels == {"HP:0000001": "All", "HP:0001627": "Abnormal heart morphology"}
    assert read.terms[1]["alternatives"] == ["HP:0001632"]
    assert ("HP:0001627", "Heart defect", "layperson", "en") in read.said
    assert read.triples == {
        ("HP:0001627", "oboInOwl:hasDbXref", "UMLS:C0018798"),
        ("HP:0001627", "skos:exactMatch", "MONDO:0005453"),
        ("HP:0001627", "is_a", "HP:0000001"),
        ("HP:0001627", "skos:exactMatch", "DOID:114"),
    }
    assert read.rules == {"missing_id": 1}


OWL = """<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [<!ENTITY obo "http://purl.obolibrary.org/obo/">]>
<rdf:RDF xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:obo="http://purl.obolibrary.org/obo/"
  xmlns:oio="http://www.geneontology.org/formats/oboInOwl#" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
  <owl:Ontology rdf:about="x"><owl:versionIRI rdf:resource="http://x/2025-01-16/hp.owl"/></owl:Ontology>
  <owl:ObjectProperty rdf:about="&obo;BFO_0000050"><rdfs:label>part of</rdfs:label></owl:ObjectProperty>
  <owl:Class rdf:about="&obo;HP_0001627">
    <rdfs:label xml:lang="en">Abnormal heart morphology</rdfs:label>
    <rdfs:label xml:lang="zh">心脏形态异常</rdfs:label>
    <obo:IAO_0000115>An anomaly.</obo:IAO_0000115>
    <oio:hasExactSynonym>Heart defect</oio:hasExactSynonym>
    <oio:hasDbXref>UMLS:C0018798</oio:hasDbXref>
    <oio:hasAlternativeId>HP:0001632</oio:hasAlternativeId>
    <skos:exactMatch rdf:resource="&obo;MONDO_0005453"/>
    <rdfs:subClassOf rdf:resource="&obo;HP_0000001"/>
    <rdfs:subClassOf><owl:Restriction>
      <owl:onProperty rdf:resource="&obo;BFO_0000050"/>
      <owl:someValuesFrom rdf:resource="&obo;UBERON_0000948"/>
    </owl:Restriction></rdfs:subClassOf>
  </owl:Class>
  <owl:Axiom>
    <owl:annotatedSource rdf:resource="&obo;HP_0001627"/>
    <owl:annotatedProperty rdf:resource="http://www.geneontology.org/formats/oboInOwl#hasExactSynonym"/>
    <owl:annotatedTarget>Heart defect</owl:annotatedTarget>
    <oio:hasSynonymType rdf:resource="http://purl.obolibrary.org/obo/hp#layperson"/>
  </owl:Axiom>
  <owl:Class rdf:about="&obo;HP_0000057"><owl:deprecated>true</owl:deprecated>
    <rdfs:label>obsolete</rdfs:label><obo:IAO_0100001 rdf:resource="&obo;HP_0008665"/></owl:Class>
</rdf:RDF>
"""


def test_owl(tmp_path):
    read = read_text(tmp_path, OWL)
    assert read.format == "owl"
    assert read.facts["release"] == "http://x/2025-01-16/hp.owl"
    assert read.labels == {"HP:0001627": "Abnormal heart morphology", "HP:0000057": "obsolete"}
    assert read.terms[0]["alternatives"] == ["HP:0001632"]
    assert (read.terms[1]["obsolete"], read.terms[1]["replaced_by"]) == (True, ["HP:0008665"])
    assert read.said >= {
        ("HP:0001627", "心脏形态异常", "translation", "zh"),
        ("HP:0001627", "Heart defect", "layperson", "en"),
    }
    assert read.triples == {
        ("HP:0001627", "oboInOwl:hasDbXref", "UMLS:C0018798"),
        ("HP:0001627", "skos:exactMatch", "MONDO:0005453"),
        ("HP:0001627", "is_a", "HP:0000001"),
        ("HP:0001627", "part_of", "UBERON:0000948"),
    }
    assert read.terms[0]["line"] == 8


def test_owl_that_is_cut_names_its_line(tmp_path):
    with pytest.raises(FormatError, match=r"line 12, column"):
        read_text(tmp_path, "\n".join(OWL.splitlines()[:12]))


def test_entities_that_multiply_are_refused(tmp_path):
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    bomb = OWL.replace("<!ENTITY obo", f'<!ENTITY l0 "lol">{laughs}<!ENTITY obo').replace(
        "An anomaly.", "&l9;"
    )
    with pytest.raises(FormatError, match="amplification"):
        read_text(tmp_path, bomb)


@given(st.binary(max_size=400))
def test_no_bytes_behind_a_head_raise_anything_but_our_errors(tmp_path_factory, tail):
    folder = tmp_path_factory.mktemp("any")
    for head in (b"format-version: 1.2\n[Term]\n", b"# curie_map:\nsubject_id\tpredicate_id\tobject_id\n"):
        try:
            read = read_text(folder, head + tail)
        except FormatError:
            continue
        assert all(problem.line >= 0 for problem in read.problems)


@pytest.mark.shared
def test_the_real_hpo(shared):
    path = shared / "knowledge" / "hp.obo.gz"
    read = read_path(path)
    text = gzip.decompress(path.read_bytes()).decode()
    # zcat hp.obo.gz | grep -c '^\[Term\]' → 19484;  '^synonym: ' → 23519;  '^is_a: ' → 23392
    assert len(read.terms) == text.count("\n[Term]\n") == 19484
    assert sum(1 for name in read.names if name["kind"] != "label") == 23519
    assert sum(1 for edge in read.edges if edge["predicate"] == "is_a") == 23392
    assert set(read.rules) == {"unknown_prefix"}
