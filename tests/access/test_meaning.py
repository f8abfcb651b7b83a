"""What is found by meaning is what its reader may know of: by every door, at once after a change."""

from collections.abc import Iterator

import pytest

from nexome.access.centre import Centre
from nexome.model.errors import NotFoundError
from nexome.testing.small_centre import SmallCentre, make_small_centre
from nexome.testing.small_search import make_small_search


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallCentre:
    made = make_small_centre(tmp_path_factory.mktemp("meaning") / "root", variants=600)
    make_small_search(made.path)
    return made


@pytest.fixture
def centre(small: SmallCentre) -> Iterator[Centre]:
    with Centre.open(small.path) as opened:
        yield opened


def private_ids(centre: Centre) -> set[str]:
    studies = centre.store.snapshot().studies.values()
    return {published.study.id for published in studies if published.study.access == "private"}


def test_no_door_tells_of_a_private_study(centre: Centre) -> None:
    hidden = private_ids(centre)
    assert hidden
    everyone, owner = centre.view_for(None), centre.owner_view()
    told = 0
    for study in hidden:
        published = centre.store.snapshot().studies[study].study
        texts = [study, published.title, *(trait.label for trait in published.traits)]
        for text in filter(None, texts):
            for view, may in ((everyone, False), (owner, True)):
                found = [match.id for match in view.find(text, limit=100)]
                found += [hit.id for hit in (*view.search(text), *view.suggestions(text))]
                found += [suggestion.id for suggestion in view.completions(text)]
                of_study = [name for name in found if name.partition("/")[0] == study]
                told += len(of_study)
                assert may or not of_study
    assert told  # its owner does find it


def test_a_study_made_private_is_found_no_more_without_a_new_index(centre: Centre) -> None:
    view = centre.view_for(None)
    before = {
        match.id.partition("/")[0] for match in view.find("height", limit=100, kinds=("study", "trait"))
    }
    study = min(before)
    centre.store.switch_access(study, "private")
    try:
        after = {match.id.partition("/")[0] for match in view.find("height", limit=100)}
    finally:
        centre.store.switch_access(study, "open")
    assert study not in after


def test_search_says_what_was_meant_in_either_language(centre: Centre) -> None:
    view = centre.view_for(None)
    hits = {hit.id: hit for hit in view.search("心梗")}
    assert hits["NXDEMO:8"].label == "myocardial infarction"
    assert hits["NXALSO:8"].why in ("label", "translation")
    assert [hit.id for hit in view.suggestions("xinji") if hit.kind == "term"] == ["NXDEMO:8"]


def test_texts_are_normalised(centre: Centre) -> None:
    answers = list(centre.owner_view().normalise(["stature", "贫血", "?!"], vocabularies=["NXDEMO"]))
    assert [answer.best.id if answer.best else None for answer in answers] == ["NXDEMO:2", "NXDEMO:9", None]


def test_concepts_inside_a_note_are_told_with_what_is_said_of_them(centre: Centre) -> None:
    note = "\ufeffHis uncle had a heart attack.\x07 No anaemia; 既往2型糖尿病，否认心肌梗死。"
    found = centre.view_for(None).annotate(note, vocabularies=["NXDEMO"])
    assert [(m.text, m.match.id, m.negated, m.family) for m in found] == [
        ("heart attack", "NXDEMO:8", False, True),
        ("anaemia", "NXDEMO:9", True, False),
        ("2型糖尿病", "NXDEMO:7", False, False),
        ("心肌梗死", "NXDEMO:8", True, False),
    ]
    assert all(note[m.start : m.end] == m.text for m in found)
    assert all(0 < m.match.sureness <= 1 and m.alternatives for m in found)


def test_no_mention_is_of_a_study(centre: Centre) -> None:
    for published in centre.store.snapshot().studies.values():
        for view in (centre.view_for(None), centre.owner_view()):
            text = f"{published.study.id}: {published.study.title}"
            matches = [match for m in view.annotate(text) for match in (m.match, *m.alternatives)]
            assert {match.kind for match in matches} <= {"term"}


def test_without_an_index_search_goes_by_words_and_find_says_what_to_do(tmp_path) -> None:
    made = make_small_centre(tmp_path / "root", variants=300)
    with Centre.open(made.path) as centre:
        view = centre.owner_view()
        assert any(hit.kind in ("study", "trait") for hit in view.search("height"))
        with pytest.raises(NotFoundError, match="nexome search index"):
            view.find("height")
