"""Names that share words, as a plain loop finds them; and words mistyped by one or two letters."""

import math
import random
import sys
from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.search import lexical
from nexome.search.lexical import LexicalIndex, LexicalWriter
from nexome.search.text import words

NAMES = [
    "diabetes mellitus",
    "diabetic foot",
    "heart attack",
    "haemorrhage of the heart",
    "糖尿病",
    "糖尿病足",
    "ulcer of the foot",
    "hypertension",
]


def made(folder: Path, names: list[str]) -> LexicalIndex:
    writer = LexicalWriter()
    for name in names:
        writer.add(words(name))
    writer.write(folder)
    return LexicalIndex.open(folder)


@pytest.mark.parametrize(
    ("text", "first", "mended"),
    [
        ("mellitus", 0, False),
        ("hearts", 2, False),
        ("hemorrhage", 3, False),
        ("糖尿", 4, False),
        ("hypertenson", 7, True),
        ("hyprtensoin", 7, True),
        ("atack", 2, True),
    ],
)
def test_words_lead_to_names(tmp_path: Path, text: str, first: int, mended: bool) -> None:
    found = made(tmp_path, NAMES).sharing(words(text), most=5)
    assert (found.names[0], found.mended) == (first, mended)


@given(st.sets(st.integers(0, 300), max_size=40), st.integers(-2, 302), st.integers(0, 45))
def test_a_place_is_found_from_wherever_the_search_begins(held: set[int], name: int, start: int) -> None:
    those = sorted(held)
    place = lexical._place_of(name, np.array(those, np.int32), start)
    assert place == bisect_left(those, name)


WORDS = ("one", "two", "six", "ten", "red", "sun", "sky")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), min_size=1, max_size=60)


@settings(deadline=None, max_examples=40)
@given(TEXTS, st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), st.integers(1, 5))
def test_what_is_left_out_on_the_way_could_not_have_been_kept(
    tmp_path_factory: pytest.TempPathFactory, names: list[list[str]], asked: list[str], most: int
) -> None:
    index = made(tmp_path_factory.mktemp("lexical"), [" ".join(name) for name in names])
    every, few = index.sharing(asked, most=len(names)), index.sharing(asked, most=most)
    assert few.scores.tolist() == pytest.approx(every.scores.tolist()[:most], abs=1e-6)


SHORT = st.lists(st.sampled_from(["foot", "heart", "ulcer", "gout", "rash"]), min_size=1, max_size=4)


@settings(deadline=None, max_examples=50)
@given(st.lists(SHORT, min_size=1, max_size=20), SHORT)
def test_similarity_is_the_cosine_of_rarities(
    tmp_path_factory: pytest.TempPathFactory, names: list[list[str]], asked: list[str]
) -> None:
    index = made(tmp_path_factory.mktemp("lexical"), [" ".join(name) for name in names])
    rarity = {w: math.log1p(len(names) / sum(w in n for n in names)) for n in names for w in n}

    def length(some: set[str]) -> float:
        return math.sqrt(sum(rarity[w] ** 2 for w in some))

    known = set(asked) & set(rarity)
    found = index.sharing(asked, most=100)
    expected = {
        row: sum(rarity[w] ** 2 for w in known & set(name)) / (length(known) * length(set(name)))
        for row, name in enumerate(names)
        if known & set(name)
    }
    assert dict(zip(found.names.tolist(), found.scores.tolist(), strict=True)) == pytest.approx(
        expected, abs=1e-5
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(SHORT, min_size=1, max_size=20), st.lists(SHORT, max_size=5), st.integers(1, 6))
def test_many_texts_share_words_as_each_by_itself(
    tmp_path_factory: pytest.TempPathFactory, names: list[list[str]], asked: list[list[str]], most: int
) -> None:
    index = made(tmp_path_factory.mktemp("lexical"), [" ".join(name) for name in names])
    together = index.sharing_many(asked, most=most)
    for line, tokens in enumerate(asked):
        alone = index.sharing(tokens, most=most)
        kept = together.names[line] >= 0
        assert together.names[line][kept].tolist() == alone.names.tolist()
        assert together.scores[line][kept].tolist() == alone.scores.tolist()


@pytest.mark.parametrize("searched", [0, 10**9])
def test_a_common_word_is_looked_up_among_what_rarer_ones_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, searched: int
) -> None:
    names = ["common rare", "common", "rare", *["common filler"] * 50]
    index = made(tmp_path, names)
    plain = index.sharing(["common", "rare"], most=2)
    assert plain.names.tolist() == [0, 2]
    # compiled functions hold the numbers they were compiled with: their plain Python is asked
    monkeypatch.setattr(lexical, "_COMMON", 10)
    monkeypatch.setattr(lexical, "_SEARCHED", searched)
    for name in ("_add_postings", "_add_known"):
        monkeypatch.setattr(lexical, name, getattr(lexical, name).py_func)
    monkeypatch.setattr(lexical, "_share", lexical._share.py_func)
    again = index.sharing(["common", "rare"], most=9)
    assert again.names.tolist() == [0, 2]  # those with the common word alone are not found
    assert again.scores.tolist() == pytest.approx(plain.scores.tolist())


def test_words_are_stemmed_alike_by_several_threads_at_once() -> None:
    known = [f"{a}{b}{end}" for a in "abcdefgh" for b in "aeiou" for end in ("tional", "fulness", "izations")]
    lexical._stemmed.cache_clear()
    plain = [lexical._stemmed(word) for word in known]
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for _ in range(20):
                lexical._stemmed.cache_clear()
                orders = [random.Random(n).sample(range(len(known)), len(known)) for n in range(4)]
                stems = pool.map(lambda order: {at: lexical._stemmed(known[at]) for at in order}, orders)
                assert all(own == dict(enumerate(plain)) for own in stems)
    finally:
        sys.setswitchinterval(switching)
