"""The compiled features are those of `text.features`, whatever the text."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.search.feature_rows import KnownFeatures, feature_rows
from nexome.search.text import features

SAYINGS = [
    "gout 痛风",
    "TNF-α in type II diabetes",
    "a",
    "",
    "日本語の単語",
    "Привет мир",
    "<x>",
    "ﬁ 糖尿病肾病 kidney",
]


def plain_rows(texts, known, first, hashed):
    """One feature after another, by a dictionary."""
    row = {feature: place for place, feature in enumerate(known)}
    found, ends = [], [0]
    for text in texts:
        for feature in features(text):
            place = row.get(feature, first + zlib.crc32(feature.encode()) % hashed if hashed else -1)
            if place >= 0:
                found.append(place)
        ends.append(len(found))
    return found, ends


def same(texts, known, hashed):
    rows, offsets = feature_rows(texts, KnownFeatures.of(known), len(known), hashed)
    wanted, ends = plain_rows(texts, known, len(known), hashed)
    assert rows.tolist() == wanted
    assert offsets.tolist() == ends


@pytest.mark.parametrize("hashed", [0, 7, 16_000])
def test_known_and_shared_rows_are_the_plain_ones(hashed):
    known = sorted({feature for text in SAYINGS[:4] for feature in features(text)})
    same(SAYINGS, known, hashed)
    same([], known, hashed)
    same(SAYINGS, [], hashed)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=6), st.integers(0, 1))
def test_any_text_has_its_plain_rows(texts, half):
    every = sorted({feature for text in texts for feature in features(text)})
    same(texts, every[:: 1 + half], 11)


@given(st.text("ab心脏é <>", max_size=40))
def test_marks_and_mixed_scripts(text):
    same([text, text], ["wa", "c<a>", "z心", "z心脏"], 5)


def test_equal_hash_places_keep_all_features():
    known = [f"w{n}" for n in range(5_000)]
    rows, _ = feature_rows([feature[1:] for feature in known], KnownFeatures.of(known), 5_000, 0)
    assert np.array_equal(rows, np.arange(5_000))
