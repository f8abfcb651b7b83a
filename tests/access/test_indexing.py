"""The index follows what is published: behind after each change, built again, deleted and made anew."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexome.access.centre import Centre
from nexome.access.indexing import build_index, follow, is_behind
from nexome.access.view import View
from nexome.model.errors import NotFoundError
from nexome.search.sources import OWNER_FOLDER
from nexome.store.disk import RootLock
from nexome.store.knowledge import NewSource, load_source, switch_source_access, withdraw_source
from nexome.store.root import open_root
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_cohort import make_small_cohorts
from nexome.testing.small_search import make_small_search

OPEN = """format-version: 1.2
ontology: hp

[Term]
id: HP:0001250
name: Seizure

[Term]
id: HP:0002197
name: Generalized seizure
is_a: HP:0001250
"""
SECRET = """format-version: 1.2
ontology: hp

[Term]
id: HP:0001250
name: Seizure
alt_id: HP:0000009
def: "Called Zanzibar on our wards." []
synonym: "Zanzibar" EXACT []
is_a: HP:0007359

[Term]
id: HP:0007359
name: Quokka sign
"""
WORKS = "@article{a, title={A map of quokkas}, doi={10.1000/xyz}, pmid={123}}\n"
METADATA = '{"data": {"attributes": {"doi": "10.1000/set", "titles": [{"title": "Wombat counts"}]}}}'
ZANZIBAR = ("zanzibar", "Zanzibar", "quokka", "quokka sign", "HP:0007359", "HP:0000009", "zanzi")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = make_small_centre(tmp_path / "root", variants=300)
    make_small_search(made.path)
    with Centre.open(made.path) as opened:
        build_index(opened)
        yield opened


def load(centre: Centre, name: str, text: str, access: str = "open") -> None:
    file = centre.root.path.parent / name
    file.write_text(text, encoding="utf-8")
    with RootLock(centre.root.path):
        load_source(open_root(centre.root.path), NewSource(name.partition(".")[0], [file], access=access))


def found(view: View, text: str) -> set[tuple[str, str]]:
    matches = view.find(text, limit=100)
    return {(m.kind, m.id) for m in matches if m.why not in ("similar", "about", "subtype")}


def test_each_change_leaves_it_behind_until_it_has_followed(centre: Centre) -> None:
    view, root = centre.owner_view(), open_root(centre.root.path)
    assert not is_behind(centre)
    assert follow(centre) is None
    load(centre, "hp.obo", OPEN)
    assert is_behind(centre)
    assert follow(centre) is not None
    assert ("term", "HP:0001250") in found(view, "seizure")
    with RootLock(root.path):
        withdraw_source(root, "hp", reason="a test")
    follow(centre)
    assert ("term", "HP:0001250") not in found(view, "seizure")
    study = next(iter(centre.store.snapshot().studies))
    before = len(centre.search_index.get())
    centre.store.withdraw(study, reason="a test")
    assert is_behind(centre)
    follow(centre)
    assert len(centre.search_index.get()) < before
    assert not is_behind(centre)


def test_deleted_and_built_again_it_answers_the_same(centre: Centre) -> None:
    load(centre, "hp.obo", OPEN)
    build_index(centre)
    texts = ("seizure", "心梗", "height", "credible set", "连锁不平衡")
    asked = [[(m.kind, m.id, round(m.score, 4)) for m in centre.owner_view().find(t)] for t in texts]
    for path in (centre.root.path / "search").iterdir():
        if path.name != "encoder":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with Centre.open(centre.root.path) as again:
        with pytest.raises(NotFoundError):
            again.owner_view().find("seizure")
        assert follow(again) is None  # nobody asked for an index
        build_index(again)
        view = again.owner_view()
        assert [[(m.kind, m.id, round(m.score, 4)) for m in view.find(t)] for t in texts] == asked


def test_an_index_of_some_vocabularies_is_left_as_it_is(centre: Centre) -> None:
    build_index(centre, ("HP",))
    load(centre, "hp.obo", OPEN)
    assert not is_behind(centre)


def test_genes_works_data_sets_and_pages_are_found(centre: Centre) -> None:
    load(centre, "papers.bib", WORKS)
    load(centre, "sets.json", METADATA)
    follow(centre)
    view = centre.view_for(None)
    assert ("publication", "PMID:123") in found(view, "a map of quokkas")
    assert ("dataset", "doi:10.1000/set") in found(view, "Wombat counts")
    assert ("page", "help#credible_set") in found(view, "credible set")
    assert ("page", "help#ld") in found(view, "连锁不平衡")
    gene = centre.genes.record(0).symbol
    assert ("gene", gene) in found(view, gene)
    assert {hit.kind for hit in view.search("wombat counts")} >= {"dataset"}


def test_variables_are_found_by_who_may_know_of_their_cohort(centre: Centre) -> None:
    make_small_cohorts(centre.root.path)
    assert is_behind(centre)
    follow(centre)
    everyone, owner = centre.view_for(None), centre.owner_view()
    for text in ("LDL cholesterol", "低密度脂蛋白胆固醇"):
        assert ("variable", "town/ldl") in found(everyone, text)
    assert ("variable", "clinic/LDLC") in found(owner, "LDL-C")
    told = [hit.id for hit in (*everyone.search("LDL-C"), *everyone.suggestions("LDL-C"))]
    told += [match.id for match in everyone.find("LDL-C", limit=100)]
    assert not any(name.startswith("clinic/") for name in told)
    assert not any(hit[1].endswith(("/pid", "/code")) for hit in found(owner, "pid"))
    hit = next(hit for hit in everyone.search("LDL cholesterol") if hit.kind == "variable")
    assert (hit.label_zh, hit.note) == ("低密度脂蛋白胆固醇", "Town study")
    centre.cohorts.withdraw("town", reason="a test")
    assert ("variable", "town/ldl") not in found(everyone, "LDL cholesterol")  # at once
    assert is_behind(centre)


def test_nothing_of_a_private_source_comes_to_anyone_but_its_owner(centre: Centre) -> None:
    load(centre, "hp.obo", OPEN)
    follow(centre)
    everyone, owner = centre.view_for(None), centre.owner_view()
    plain = _all_told(everyone)
    load(centre, "mine.obo", SECRET, "private")
    follow(centre)
    assert _all_told(everyone) == plain  # the same answers, scores and sureness as without the source
    assert ("term", "HP:0007359") in found(owner, "quokka sign")
    assert ("term", "HP:0001250") in found(owner, "zanzibar")
    assert [n.id for n in owner.term_place("HP:0001250").above] == ["HP:0007359"]
    assert everyone.term_place("HP:0001250").above == ()
    assert "Zanzibar" in owner.term("HP:0000009").definition
    for ask in (everyone.term, everyone.term_place):
        with pytest.raises(NotFoundError):
            ask("HP:0000009" if ask == everyone.term else "HP:0007359")
    assert everyone.term_record("HP:0001250").names == (("Seizure", "label", "en", "hp"),)
    assert [source.name for source in everyone.knowledge_sources()] == ["hp"]
    with RootLock(centre.root.path):
        switch_source_access(open_root(centre.root.path), "mine", "open")
    follow(centre)
    assert ("term", "HP:0007359") in found(everyone, "quokka sign")
    assert not (centre.root.path / OWNER_FOLDER).exists()


def _all_told(view: View) -> list[object]:
    """All that every door of search tells of the words that a private source brought."""
    told: list[object] = []
    for text in (*ZANZIBAR, "seizure", "Generalized seizure"):
        told += [(m.kind, m.id, m.name, m.why, m.score, m.sureness) for m in view.find(text, limit=100)]
        told += [(h.kind, h.id, h.note, h.why) for h in (*view.search(text), *view.suggestions(text))]
        told += [(c.kind, c.id, c.name) for c in view.completions(text)]
    for answer in view.normalise(ZANZIBAR):
        told += [(answer.text, m.id, m.score) for m in answer.matches]
    return told


def test_the_owner_is_answered_openly_where_the_index_is_behind(centre: Centre) -> None:
    load(centre, "mine.obo", SECRET, "private")
    assert ("term", "NXDEMO:9") not in found(centre.owner_view(), "quokka sign")  # still the open index
    assert not (centre.root.path / OWNER_FOLDER).exists()
