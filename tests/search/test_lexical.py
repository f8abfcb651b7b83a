"""Names that share words, as a plain loop finds them; and words mistyped by one or two letters."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_short_words_and_numbers_are_not_mended(tmp_path: Path) -> None:
    index = made(tmp_path, ["cat", "cl2000x"])
    assert index.near_words("bat") == []
    assert index.near_words("cl2001x") == []


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


def _distance(one: str, other: str) -> int:
    """Optimal string alignment, from its definition."""
    table = {(-1, j): j + 1 for j in range(-1, len(other))} | {(i, -1): i + 1 for i in range(-1, len(one))}
    for i in range(len(one)):
        for j in range(len(other)):
            cost = one[i] != other[j]
            value = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost)
            if i and j and one[i] == other[j - 1] and one[i - 1] == other[j]:
                value = min(value, table[i - 2, j - 2] + 1)
            table[i, j] = value
    return table[len(one) - 1, len(other) - 1]


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.text(alphabet="abcd", min_size=3, max_size=10), min_size=1, max_size=4, unique=True),
    st.text(alphabet="abcd", min_size=3, max_size=10),
)
def test_near_words_are_those_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, known: list[str], asked: str
) -> None:
    index = made(tmp_path_factory.mktemp("lexical"), known)
    most = 0 if len(asked) < 4 else 1 if len(asked) < 8 else 2
    spelled = {index.words.text(place): errors for place, errors in index.near_words(asked)}
    held = {w for name in known for w in words(name)}
    expected = {w: _distance(asked, w) for w in held if most and _distance(asked, w) <= most}
    assert spelled == expected
