"""The doors to the graph: labels, studies about a term, and nothing of a private source for others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nexome.access.centre import Centre
from nexome.access.knowledge import REACHED_COLUMNS, TIE_COLUMNS, read_steps
from nexome.model.errors import NotFoundError, QueryError
from nexome.store.edges import Step
from nexome.store.root import open_root
from nexome.testing.mixed_root import make_root
from tests.store.edges.test_build import ONTOLOGY, load

SECRET = ONTOLOGY.replace("HP:0002197", "HP:0007359").replace("Generalized seizure", "Secret seizure")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    root = open_root(make_root(tmp_path / "root"))
    load(root, "hp", ONTOLOGY, "CC BY 4.0")
    load(root, "mine", SECRET, "private: of this hospital")
    with Centre.open(root.path) as opened:
        yield opened


def test_a_private_source_answers_its_owner_alone(centre: Centre) -> None:
    owner, other = centre.owner_view(), centre.view_for(None)
    assert owner.term("HP:0007359").label == "Secret seizure"
    with pytest.raises(NotFoundError) as hidden:
        other.term("HP:0007359")
    with pytest.raises(NotFoundError) as absent:
        other.term("HP:7777777")
    assert str(hidden.value).replace("HP:0007359", "HP:7777777") == str(absent.value)
    assert owner.descendants("HP:0001250")["term"].to_pylist() == ["HP:0002197", "HP:0007359"]
    assert other.descendants("HP:0001250")["term"].to_pylist() == ["HP:0002197"]
    assert set(other.neighbours("HP:0001250")["sources"].to_pylist()) == {"hp"}
    assert "HP:0007359" not in other.around("HP:0001250").terms
    assert other.paths("HP:0001250", [Step("is_a", "in")]).paths[0].terms == ("HP:0001250", "HP:0002197")
    assert len(owner.paths("HP:0001250", [Step("is_a", "in")]).paths) > 1


@pytest.mark.parametrize("ask", ["neighbours", "ancestors", "descendants", "around"])
def test_a_hidden_identifier_is_as_unknown_as_any(centre: Centre, ask: str) -> None:
    other = centre.view_for(None)
    with pytest.raises(NotFoundError) as hidden:
        getattr(other, ask)("HP:0007359")
    with pytest.raises(NotFoundError) as absent:
        getattr(other, ask)("HP:0007358")
    assert str(hidden.value).replace("HP:0007359", "HP:0007358") == str(absent.value)


def test_tables_have_labels_and_any_spelling_is_understood(centre: Centre) -> None:
    view = centre.view_for(None)
    above = view.ancestors("http://purl.obolibrary.org/obo/HP_0001275")
    assert above.column_names == list(REACHED_COLUMNS)
    assert above["term_label"].to_pylist() == ["Abnormality of the nervous system", None, "All"]
    ties = view.neighbours("HP:0001250", direction="out")
    assert ties.column_names == list(TIE_COLUMNS)
    assert view.common(["HP:0002197", "HP:0000707"])["term"].to_pylist() == ["HP:0001250"]
    assert view.explain("HP:0002197", "HP:0000001").paths[0].terms[0] == "HP:0002197"


def test_the_graph_follows_the_sources(centre: Centre) -> None:
    view = centre.owner_view()
    assert view.descendants("HP:0001250").num_rows == 2
    load(centre.root, "third", ONTOLOGY.replace("HP:0002197", "HP:0011097"), "CC BY 4.0")
    view.descendants("HP:0001250")
    if centre.graph._making is not None:
        centre.graph._making.join()
    assert view.descendants("HP:0001250").num_rows == 3


def test_steps_are_read_as_they_are_written() -> None:
    assert read_steps(["is_a>", "*", "causes<"]) == [Step("is_a", "out"), Step(), Step("causes", "in")]
    for text in (">", "", "is_a<>"):
        with pytest.raises(QueryError):
            read_steps([text])


def test_studies_are_tied_to_terms(centre: Centre) -> None:
    view = centre.view_for(None)
    assert view.studies_about("HP:0001250", subtypes=True).column_names == ["term", "study_id", "trait_id"]
    about = {
        (curie, name, trait.id)
        for name, published in centre.store.snapshot().studies.items()
        for trait in published.study.traits
        for curie in trait.ontology
    }
    owner = centre.owner_view()
    for curie, name, trait in about:
        found = owner.studies_about(curie).to_pylist()
        assert {"term": curie, "study_id": name, "trait_id": trait} in found
