"""Words mistyped by one or two letters are those of the definition of an error."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.search.keys import SortedKeys
from nexome.search.mistyped import KnownWords, write_facts


def made(folder: Path, known: list[str]) -> KnownWords:
    rows = np.arange(len(known), dtype=np.int32)
    words = SortedKeys.build(folder / "words", pa.array(known, pa.large_string()), rows, weight=rows)
    write_facts(folder, words)
    return KnownWords.open(folder, words)


def test_short_words_and_numbers_are_not_mended(tmp_path: Path) -> None:
    known = made(tmp_path, ["cat", "cl2000x"])
    assert known.near("bat") == []
    assert known.near("cl2001x") == []


@pytest.mark.parametrize("length", [254, 255, 256, 300])
def test_a_word_of_any_length_can_be_asked(tmp_path: Path, length: int) -> None:
    known = made(tmp_path, ["a" * 254, "a" * 300])
    assert len(known.near("a" * length)) == (length < 257)


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
    tmp_path_factory: pytest.TempPathFactory, words: list[str], asked: str
) -> None:
    known = made(tmp_path_factory.mktemp("mistyped"), words)
    most = 0 if len(asked) < 4 else 1 if len(asked) < 8 else 2
    spelled = {known.words.text(place): errors for place, errors in known.near(asked)}
    expected = {w: _distance(asked, w) for w in words if most and _distance(asked, w) <= most}
    assert spelled == expected
