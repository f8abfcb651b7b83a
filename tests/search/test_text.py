"""Texts are folded alike whoever wrote them, and features are what the encoder was trained on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.search.text import features, fold, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sjögren syndrome", "sjogren SYNDROME"),
        ("Crohn's disease", "Crohn’s disease"),
        ("haemophilia", "hemophilia"),
        ("tumour", "tumor"),
        ("oedema", "edema"),
        ("TNF-α", "tnf alpha"),
        ("diabetes mellitus, type II", "Diabetes mellitus type 2"),
        ("糖尿病", "糖尿病"),
        ("綜合徵", "综合征"),
        ("ＨＤＬ", "hdl"),
    ],
)
def test_spellings_of_one_thing_are_equal(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(("one", "other"), [("IL6", "IL8"), ("高血压", "低血压"), ("type 1", "type 2")])
def test_what_differs_in_meaning_stays_apart(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_a_short_word_is_its_own_piece_once() -> None:
    assert features("of") == ["wof", "c<of", "cof>"]
    assert features("a") == ["wa", "c<a>"]


def test_a_text_without_letters_has_no_features() -> None:
    assert features("—  , ;") == []
    assert features("") == []


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=50))
def test_any_text_has_features_of_known_kinds(text: str) -> None:
    assert all(feature[0] in "wcz" and len(feature) > 1 for feature in features(text))


def test_a_very_long_text_is_read_at_its_beginning() -> None:
    assert len(features("abc " * 1_000_000)) < 5_000
