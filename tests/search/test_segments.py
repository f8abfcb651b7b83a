"""Chinese names by words of the dictionary that they are themselves."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nexome.search.segments import Segments, cut, write_segments
from nexome.search.text import words

NAMES = ["肾病", "糖尿病", "糖尿病肾病", "2型糖尿病", "肾病综合征", "眼病"]
ROWS = np.array([3, 5, 8, 13, 21, 34], np.int32)


def opened(folder: Path) -> Segments:
    write_segments(folder, NAMES, ROWS)
    segments = Segments.open(folder)
    assert segments is not None
    return segments


def test_names_share_the_longest_words_and_not_their_characters(tmp_path: Path) -> None:
    shared = opened(tmp_path).sharing_many([words("肾病眼底")], most=10)
    assert set(shared.names[0].tolist()) == {21, 8, 34, -1}  # 肾病 as a word of them; 眼 as a character
    assert float(shared.scores[0, 0]) <= 1.0


def test_a_word_is_found_in_longer_names(tmp_path: Path) -> None:
    shared = opened(tmp_path).sharing_many([words("1型糖尿病")], most=10)
    assert shared.names[0, 0] == 13


def test_a_generation_without_chinese_names_or_without_segments_is_asked_all_the_same(tmp_path: Path) -> None:
    assert Segments.open(tmp_path) is None
    write_segments(tmp_path, [], np.zeros(0, np.int32))
    empty = Segments.open(tmp_path)
    assert empty is not None
    assert empty.sharing_many([words("肾病")], most=5).names.tolist() == [[-1] * 5]


@given(st.text("甲乙丙丁", max_size=12), st.sets(st.text("甲乙丙丁", min_size=2, max_size=4)))
def test_a_run_is_cut_into_known_words_and_characters_and_nothing_is_lost(run: str, known: set[str]) -> None:
    pieces = cut(run, known)
    assert "".join(pieces) == run
    assert all(len(piece) == 1 or piece in known for piece in pieces)
    assert len(pieces) > 1 or len(run) < 2
