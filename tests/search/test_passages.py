"""Concepts inside notes and headers, in both languages; abbreviations read by the words around them."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.knowledge import Name, NamedTerm
from nexome.model.terms import Study
from nexome.search.abbreviations import is_short, read, spelled_out
from nexome.search.generation import build_generation
from nexome.search.index import Scope, SearchIndex
from nexome.search.lexicon import Lexicon
from nexome.search.passages import Mention, annotate
from nexome.search.records import SearchRecord
from nexome.search.sources import study_records, term_records
from nexome.search.text import key_of, units, words
from nexome.search.training import TrainingOptions, train_encoder

SMALL = TrainingOptions(dimensions=32, features=2_000, hashed=100, epochs=8, batch=32)
TERMS_ONLY = Scope(kinds=frozenset({"term"}))


def term(identifier: str, *names: str, zh: str = "", above: str = "") -> NamedTerm:
    kinds = ["label"] + ["exact"] * len(names)
    told = [Name(text, kind, "en") for text, kind in zip(names, kinds, strict=False)]
    return NamedTerm(identifier, [*told, *([Name(zh, "translation", "zh")] if zh else [])], above.split())


TERMS = [
    term("T:1", "diabetes mellitus", "diabetes", zh="糖尿病"),
    term("T:2", "type 2 diabetes mellitus", "T2DM", zh="2型糖尿病", above="T:1"),
    term("T:3", "hypertension", "high blood pressure", zh="高血压"),
    term("T:4", "chest pain", "pain in the chest", zh="胸痛"),
    term("T:5", "multiple sclerosis", "MS", "optic nerve demyelination", zh="多发性硬化"),
    term("T:6", "mitral valve stenosis", "Mitral stenosis (MS)", "narrowed mitral valve", zh="二尖瓣狭窄"),
    term("T:7", "acute lymphoblastic leukaemia", "ALL", zh="急性淋巴细胞白血病"),
    term("T:8", "azoospermia", zh="无精子症"),
    term("T:9", "headache", "pain in the head", zh="头痛"),
    term("T:10", "coronary heart disease", "narrowed arteries of the heart", zh="冠心病"),
    term("T:11", "congenital hip dislocation", "hip out of place at birth", zh="先天性髋关节脱位"),
    term("T:12", "breast cancer", "malignant tumour of the breast", zh="乳腺癌"),
    term("T:13", "diabetic kidney disease", "kidney damage by sugar", zh="糖尿病肾病", above="T:1"),
    term(
        "T:14", "increased LDL cholesterol concentration", "high bad cholesterol", zh="低密度脂蛋白胆固醇升高"
    ),
]


def records() -> Iterator[SearchRecord]:
    yield from term_records(TERMS)
    yield from study_records([Study("SECRET", "fatigue in shift workers")])


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    encoder = train_encoder(Lexicon.build(TERMS), SMALL)
    return SearchIndex.open(build_generation(tmp_path_factory.mktemp("search"), records(), encoder), encoder)


def told(index: SearchIndex, text: str, **asked: float) -> list[tuple[str, str]]:
    return [(mention.text, mention.match.id) for mention in annotate(index, text, TERMS_ONLY, **asked)]


def test_the_concepts_of_an_english_note_are_found_where_they_stand(index: SearchIndex) -> None:
    note = (
        "A 61-year-old woman with Type II diabetes mellitus and HIGH blood pressure has chest\npain. "
        "She denies headaches. Her sister had breast cancer."
    )
    found = annotate(index, note, TERMS_ONLY)
    assert [(m.text, m.match.id, m.negated, m.family) for m in found] == [
        ("Type II diabetes mellitus", "T:2", False, False),
        ("HIGH blood pressure", "T:3", False, False),
        ("chest\npain", "T:4", False, False),
        ("headaches", "T:9", True, False),
        ("breast cancer", "T:12", False, True),
    ]
    assert all(note[m.start : m.end] == m.text for m in found)


def test_a_line_that_begins_anew_is_another_text(index: SearchIndex) -> None:
    assert ("pain in the\nhead", "T:9") in told(index, "pain in the\nhead")
    assert ("pain in the\nHead", "T:9") not in told(index, "pain in the\nHead")


def test_the_concepts_of_a_chinese_note_are_the_longest_names(index: SearchIndex) -> None:
    note = "患者女，66岁，2型糖尿病10余年，併發糖尿病腎病，否认高血压、冠心病史，外祖母患乳腺癌。"
    found = annotate(index, note, TERMS_ONLY)
    assert [(m.text, m.match.id, m.negated, m.family) for m in found] == [
        ("2型糖尿病", "T:2", False, False),
        ("糖尿病腎病", "T:13", False, False),
        ("高血压", "T:3", True, False),
        ("冠心病", "T:10", True, False),
        ("乳腺癌", "T:12", False, True),
    ]
    assert all(note[m.start : m.end] == m.text for m in found)


def test_a_name_that_begins_with_a_denial_is_a_name(index: SearchIndex) -> None:
    [mention] = annotate(index, "诊断：无精子症。", TERMS_ONLY)
    assert (mention.match.id, mention.negated) == ("T:8", False)


def test_a_name_of_capitals_is_found_in_capitals_alone(index: SearchIndex) -> None:
    assert told(index, "We saw all of them, ms Jones too.") == []
    assert told(index, "Treated for ALL at six years, leukaemia in remission") != []


def test_what_is_no_name_is_kept_where_its_meaning_is_sure(index: SearchIndex) -> None:
    text = "Since then hypertenshion, and some bicycle repairs."
    assert told(index, text) == [("hypertenshion", "T:3")]
    assert told(index, text, sure=1.0) == []


def test_an_abbreviation_among_words_is_asked_with_them(index: SearchIndex) -> None:
    assert told(index, "Increased LDL cholesterol, fever.", sure=0.4) == [
        ("Increased LDL cholesterol", "T:14")
    ]


def test_the_words_around_choose_what_an_abbreviation_means(index: SearchIndex) -> None:
    nerve = annotate(index, "MS with demyelination of the optic nerve", TERMS_ONLY)[0]
    valve = annotate(index, "MS, the mitral valve is narrowed", TERMS_ONLY)[0]
    assert (nerve.text, nerve.match.id, nerve.match.why) == ("MS", "T:5", "abbreviation")
    assert (valve.text, valve.match.id, valve.match.why) == ("MS", "T:6", "abbreviation")


def test_initials_are_read_where_the_other_words_fit_alone(index: SearchIndex) -> None:
    heart = read(index, "CHD", "narrowed arteries", Scope())
    assert heart[0].written_out == "coronary heart disease"
    birth = read(index, "CHD", "hip out of place at birth", Scope())
    assert birth[0].written_out == "congenital hip dislocation"
    assert read(index, "CHD", "", Scope()) == []
    assert sum(reading.share for reading in heart) == pytest.approx(1.0)


def test_an_abbreviation_in_a_question_is_written_out_where_that_is_surer(index: SearchIndex) -> None:
    found = index.find("severe narrowed valve, MS", TERMS_ONLY)[0]
    assert found.id == "T:6"
    whole = spelled_out(index, "MS of the mitral valve", TERMS_ONLY)
    assert whole is not None
    assert whole.text.casefold() == "mitral stenosis of the mitral valve"


@pytest.mark.parametrize(
    "text",
    ["diabetes", "narrowed arteries", "冠心病", "T:5", "PAIN IN THE HEAD", "hypertenshion", "ms", "MS"],
)
def test_a_question_without_an_abbreviation_to_choose_is_answered_as_before(
    index: SearchIndex, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = index.find(text, TERMS_ONLY)
    monkeypatch.setattr("nexome.search.index.spelled_out", lambda *_args, **_more: None)
    assert index.find(text, TERMS_ONLY) == found


@pytest.mark.parametrize(
    ("text", "short"),
    [("MI", True), ("HbA1c", True), ("T2DM", True), ("mi", False), ("Mi", False), ("HEART ATTACK", False)],
)
def test_an_abbreviation_is_known_by_its_looks(text: str, short: bool) -> None:
    assert is_short(text) is short


def test_what_may_not_be_seen_is_in_no_mention_and_shapes_none(index: SearchIndex) -> None:
    text = "fatigue in shift workers with diabetes"
    assert [m.match.id for m in annotate(index, text, Scope(visible=frozenset({"SECRET"})))] == [
        "SECRET",
        "T:1",
    ]
    hidden = annotate(index, text, Scope())
    assert "SECRET" not in [match.id for m in hidden for match in (m.match, *m.alternatives)]
    assert ("diabetes", "T:1") in [(m.text, m.match.id) for m in hidden]


@settings(deadline=None, max_examples=150)
@given(st.text(st.sampled_from("ab 1.,;，。无否认糖尿病2型綜ＭＳMS\u0301\u2019s\x00\n-ßİ"), max_size=60))
def test_any_text_is_read_and_every_span_is_a_piece_of_it(index: SearchIndex, text: str) -> None:
    last = 0
    for mention in annotate(index, text, TERMS_ONLY):
        assert isinstance(mention, Mention)
        assert last <= mention.start < mention.end <= len(text)
        assert text[mention.start : mention.end] == mention.text
        last = mention.end


@given(st.text(st.sampled_from("aB1 心肌梗死2型綜αâ"), max_size=30))
def test_units_of_a_text_make_the_key_of_its_name(text: str) -> None:
    assert key_of(units(text)) == " ".join(words(text))
