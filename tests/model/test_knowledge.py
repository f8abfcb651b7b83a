"""One spelling of each identifier, whatever it was written as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.knowledge import (
    PREFIXES,
    identify,
    normalise_curie,
    normalise_predicate,
    preferred_prefix,
    vocabulary_of,
)


@pytest.mark.parametrize(
    ("written", "curie"),
    [
        ("http://purl.obolibrary.org/obo/HP_0002648", "HP:0002648"),
        ("<http://purl.obolibrary.org/obo/DOID_8718>", "DOID:8718"),
        ("http://www.ebi.ac.uk/efo/EFO_0000203", "EFO:0000203"),
        ("http://www.orpha.net/ORDO/Orphanet_124", "Orphanet:124"),
        ("ORPHA:124", "Orphanet:124"),
        ("Orphanet:ORPHA124", "Orphanet:124"),
        ("http://identifiers.org/medgen/C0001", "MEDGEN:C0001"),
        ("https://identifiers.org/NANDO:1200001", "NANDO:1200001"),
        ("http://identifiers.org/hgnc/HGNC:5", "HGNC:5"),
        ("https://bioregistry.io/mondo:0005148", "MONDO:0005148"),
        ("http://id.who.int/icd/entity/1435254666", "icd11.foundation:1435254666"),
        ("SNOMEDCT_US_2018_03_01:201248003", "SNOMEDCT:201248003"),
        ("SCTID:201248003", "SNOMEDCT:201248003"),
        ("UMLS_CUI:C0011127", "UMLS:C0011127"),
        ("MSH:D009203", "MESH:D009203"),
        ("mesh:D009203", "MESH:D009203"),
        ("NCI:C50706", "NCIT:C50706"),
        ("EFO_0000305", "EFO:0000305"),
        ("HGNC:HGNC:5", "HGNC:5"),
        ("OMIM:PS115150", "OMIMPS:115150"),
        ("https://doi.org/10.1000/ABC", "doi:10.1000/abc"),
        ("  HP:0000001 ", "HP:0000001"),
    ],
)
def test_an_identifier_has_one_spelling(written, curie):
    assert identify(written) == (curie, True)


@pytest.mark.parametrize("written", ["Fyler:1234", "https://example.org/thing/1"])
def test_what_no_table_has_stays_as_it_is(written):
    assert identify(written) == (written, False)


@pytest.mark.parametrize("written", ["", "heart attack", "PMID:", ":1", "http://a b", "glioma\\, malignant"])
def test_what_is_no_identifier_gives_nothing(written):
    assert identify(written).curie == ""


def test_a_files_own_prefixes_are_stronger_than_the_table():
    declared = {"x": "http://purl.obolibrary.org/obo/HP_", "y": "https://example.org/"}
    assert normalise_curie("x:0000001", declared) == "HP:0000001"
    assert normalise_curie("y:1", declared) == "y:1"
    assert normalise_curie("MSH:D1", declared) == "MESH:D1"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("rdfs:subClassOf", "is_a"),
        ("http://purl.obolibrary.org/obo/BFO_0000050", "part_of"),
        ("http://www.w3.org/2004/02/skos/core#exactMatch", "skos:exactMatch"),
        ("MONDO:equivalentTo", "skos:exactMatch"),
        ("develops_from", "develops_from"),
    ],
)
def test_a_relation_has_one_name(written, name):
    assert normalise_predicate(written) == name


def test_no_two_vocabularies_claim_one_spelling():
    spellings = [s.casefold() for p in PREFIXES for s in {p.preferred, *p.synonyms}]
    own = {p.preferred: {s.casefold() for s in (p.preferred, *p.synonyms)} for p in PREFIXES}
    assert len(own) == len(PREFIXES)
    assert len(set(spellings)) == sum(len(spelled) for spelled in own.values())


@given(st.text(max_size=60))
def test_normalising_twice_is_normalising_once(text):
    once = identify(text)
    if once.curie:
        assert identify(once.curie) == once
        assert vocabulary_of(once.curie)


@given(st.sampled_from(PREFIXES), st.text("0123456789abcXYZ", min_size=1, max_size=8))
def test_each_spelling_of_a_prefix_leads_to_the_preferred_one(prefix, local):
    for spelling in (prefix.preferred, *prefix.synonyms):
        assert preferred_prefix(spelling.upper()) == prefix.preferred
        assert identify(f"{spelling}:{local}").known
