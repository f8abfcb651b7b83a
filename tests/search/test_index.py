"""What is found, why, and by whom: a small vocabulary in two languages, studies open and private."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nexome.model.errors import InputError, NotFoundError
from nexome.model.knowledge import Name, NamedTerm
from nexome.model.terms import Study, Trait
from nexome.search.encoder import Encoder
from nexome.search.generation import build_generation, current_generation
from nexome.search.index import Scope, SearchIndex
from nexome.search.lexicon import Lexicon
from nexome.search.ranking import CHINESE, PARTS, Weights
from nexome.search.records import SearchRecord
from nexome.search.sources import study_records, term_records
from nexome.search.training import TrainingOptions, train_encoder

SMALL = TrainingOptions(dimensions=32, features=2_000, hashed=100, epochs=8, batch=32)


def term(identifier: str, *names: str, zh: str = "", above: str = "", equal: str = "") -> NamedTerm:
    kinds = ["label"] + ["exact"] * len(names)
    all_names = [Name(text, kind, "en") for text, kind in zip(names, kinds, strict=False)]
    if zh:
        all_names.append(Name(zh, "translation", "zh"))
    return NamedTerm(identifier, all_names, above.split(), equal.split())


TERMS = [
    term("HP:1", "Diabetes mellitus", "diabetes", zh="糖尿病"),
    term("HP:2", "Type II diabetes mellitus", "adult-onset diabetes", zh="2型糖尿病", above="HP:1"),
    term("HP:3", "Type I diabetes mellitus", "juvenile diabetes", zh="1型糖尿病", above="HP:1"),
    term("HP:4", "Myocardial infarction", "heart attack", "MI", zh="心肌梗死", equal="EFO:4"),
    term("EFO:4", "myocardial infarction", "cardiac infarction"),
    term("HP:5", "Haemorrhage of the eye", "eye bleeding", zh="眼出血"),
    term("HP:6", "Anaemia", "low haemoglobin", zh="贫血"),
]
STUDIES = [
    Study("OPEN", "Adult diabetes in Harbin", access="open", traits=(Trait("t", "T2D", ontology=("HP:2",)),)),
    Study("SECRET", "Hidden sugar study", traits=(Trait("t", "Type II diabetes", ontology=("HP:2",)),)),
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return train_encoder(Lexicon.build(TERMS), SMALL)


@pytest.fixture(scope="module")
def index(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    folder = tmp_path_factory.mktemp("search")
    return SearchIndex.open(build_generation(folder, records(), encoder, sequence=3), encoder)


def records() -> Iterator[SearchRecord]:
    yield from term_records(TERMS)
    yield from study_records(STUDIES)


@pytest.mark.parametrize(
    ("text", "found", "why"),
    [
        ("heart attack", "HP:4", "synonym"),
        ("MYOCARDIAL  infarction", "HP:4", "label"),
        ("心肌梗死", "HP:4", "translation"),
        ("糖尿病", "HP:1", "translation"),
        ("type 2 diabetes mellitus", "HP:2", "label"),
        ("hemorrhage of the eye", "HP:5", "label"),
        ("tangniaobing", "HP:1", "translation"),
        ("diabetis melitus", "HP:1", "spelling"),
        ("HP:6", "HP:6", "label"),
    ],
)
def test_the_thing_meant_comes_first_and_says_why(
    index: SearchIndex, text: str, found: str, why: str
) -> None:
    first = index.find(text, Scope(visible=None, kinds=frozenset({"term"}), vocabularies=frozenset({"HP"})))[
        0
    ]
    assert (first.id, first.why) == (found, why)


def test_a_score_is_the_sum_of_its_parts(index: SearchIndex) -> None:
    weights = Weights(spelling=0.7, usage=0.3)

    def weigh(*, chinese: bool) -> Weights:
        return CHINESE if chinese else weights

    for match in index.find("heart disease", limit=5, weigh=weigh):
        total = sum(getattr(weights, part) * match.parts[part] for part in PARTS)
        if match.why not in ("about", "subtype"):
            assert match.score == pytest.approx(total, abs=1e-5)


def test_a_chinese_question_is_weighed_as_one(index: SearchIndex) -> None:
    match = index.find("心脏病", limit=1)[0]
    assert match.score == pytest.approx(
        sum(getattr(CHINESE, part) * match.parts[part] for part in PARTS), abs=1e-5
    )


def test_what_is_tied_to_a_subtype_is_found_and_marked(index: SearchIndex) -> None:
    found = {match.id: match for match in index.find("diabetes", limit=30)}
    assert found["OPEN/t"].why == "subtype"
    assert found["OPEN/t"].through == "Type II diabetes mellitus"
    assert found["OPEN/t"].through_zh == "2型糖尿病"


def test_a_private_study_is_in_no_hit_suggestion_count_or_term(index: SearchIndex) -> None:
    closed, held = Scope(visible=frozenset({"OPEN"})), Scope(visible=frozenset({"OPEN", "SECRET"}))
    for text in ("hidden sugar study", "Type II diabetes", "diabetes", "SECRET"):
        hidden = [m.id for m in index.find(text, closed, limit=50) if m.id.startswith("SECRET")]
        assert hidden == []
        assert any(m.id.startswith("SECRET") for m in index.find(text, held, limit=50))
    assert [s.id for s in index.suggest("hidden", closed)] == []
    assert [s.id for s in index.suggest("hidden", held)] == ["SECRET"]
    for scope, count in ((closed, 2), (held, 4)):  # a study and its trait each
        place = index.place_of("HP:1", scope)
        assert [(n.id, n.held) for n in place.below] == [("HP:2", count), ("HP:3", 0)]
        assert len(place.held) == count


def test_a_reader_without_any_key_finds_terms_alone(index: SearchIndex) -> None:
    assert {m.kind for m in index.find("diabetes", Scope(), limit=50)} == {"term"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("diab", "diabetes"),
        ("xjg", "心肌梗死"),
        ("xinjiges", None),
        ("xinji", "心肌梗死"),
        ("心肌", "心肌梗死"),
        ("attack", "heart attack"),
        ("myocardial i", "Myocardial infarction"),
    ],
)
def test_an_unfinished_text_is_completed(index: SearchIndex, text: str, name: str | None) -> None:
    names = [suggestion.name.casefold() for suggestion in index.suggest(text)]
    assert (name.casefold() in names) if name else names == []


def test_many_texts_are_normalised_and_nonsense_is_left(index: SearchIndex) -> None:
    scope = Scope(visible=None, vocabularies=frozenset({"HP"}))
    answers = list(index.normalise(["heart attack", "zxqv wkjh", "", "贫血", "\x00\x01"], scope))
    assert [a.best.id if a.best else None for a in answers] == ["HP:4", None, None, "HP:6", None]


def test_one_by_one_and_in_bulk_the_answers_are_the_same(index: SearchIndex) -> None:
    texts = ["diabetes", "cardiac arrest", "血", "MI", "eye"] * 30
    scope = Scope(visible=None, kinds=frozenset({"term"}))
    together = [[m.id for m in a.matches] for a in index.normalise(texts, scope, limit=3)]
    alone = [[m.id for m in next(index.normalise([text], scope, limit=3)).matches] for text in texts]
    assert together == alone


def test_an_index_of_another_encoder_is_refused(index: SearchIndex, encoder: Encoder, tmp_path: Path) -> None:
    build_generation(tmp_path, records(), encoder)
    other = Encoder(encoder.table, np.roll(encoder.codes, 1, axis=1), encoder.scales, encoder.facts)
    generation = current_generation(tmp_path)
    assert generation is not None
    with pytest.raises(InputError, match="built with the encoder"):
        SearchIndex.open(generation, other)


def test_the_newest_generation_is_asked_and_the_one_before_is_kept(encoder: Encoder, tmp_path: Path) -> None:
    made = [build_generation(tmp_path, term_records(TERMS[: n + 1]), encoder, sequence=n) for n in range(4)]
    assert current_generation(tmp_path) == made[-1]
    assert [folder.exists() for folder in made] == [False, False, True, True]
    assert len(SearchIndex.open(made[-1], encoder)) == 4


def test_a_failed_build_leaves_what_is_asked(encoder: Encoder, tmp_path: Path) -> None:
    made = build_generation(tmp_path, term_records(TERMS), encoder)
    with pytest.raises(InputError):
        build_generation(tmp_path, term_records([TERMS[0], TERMS[0]]), encoder)
    assert current_generation(tmp_path) == made
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([made.name, "current.json"])


def test_an_unknown_term_is_not_found(index: SearchIndex) -> None:
    with pytest.raises(NotFoundError):
        index.place_of("HP:404")


def test_many_texts_are_normalised_as_each_by_itself(index: SearchIndex) -> None:
    scope = Scope(visible=None, kinds=frozenset({"term"}), vocabularies=frozenset({"HP"}))
    texts = ["heart attack", "diabetes", "high blood sugar", "心脏病", "nothing of the kind"] * 20
    together = [answer.matches for answer in index.normalise(texts, scope, limit=3)]
    alone = [next(iter(index.normalise([text], scope, limit=3))).matches for text in texts]
    assert [[m.id for m in matches] for matches in together] == [[m.id for m in matches] for matches in alone]


def test_vocabularies_are_those_of_what_may_be_found(index: SearchIndex) -> None:
    terms = Scope(visible=frozenset(), kinds=frozenset({"term"}))
    assert index.vocabularies(terms) == {"HP": 6, "EFO": 1}
    assert list(index.vocabularies(terms)) == ["HP", "EFO"]
    assert index.vocabularies(Scope(kinds=frozenset({"study"}))) == {}


def test_where_a_name_is_found_what_is_a_little_similar_is_not_told(index: SearchIndex) -> None:
    named = index.find("心肌梗死", limit=50)
    assert named[0].why == "translation"
    assert all(match.parts["best"] >= 0.5 for match in named if match.why == "similar")
    assert len(next(index.normalise(["心肌梗死"], limit=50)).matches) > len(named)
    guessed = index.find("raised levels of uric substances", limit=50)
    assert any(match.why == "similar" and match.parts["best"] < 0.5 for match in guessed)
