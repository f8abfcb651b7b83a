"""The nearest vectors are those of a plain search, but for what lies in cells not opened."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, NotFoundError
from nexome.search.vectors import VectorIndex


def made(count: int, *, seed: int = 0, dimensions: int = 16, groups: int = 40) -> np.ndarray:
    """Vectors [count, D] around `groups` centres, of length 1."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((groups, dimensions))
    vectors = centres[random.integers(groups, size=count)] + 0.4 * random.standard_normal((count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def index_of(vectors: np.ndarray, folder: Path, *, block: int = 700) -> VectorIndex:
    blocks = (vectors[start : start + block] for start in range(0, len(vectors), block))
    return VectorIndex.build(folder, blocks, count=len(vectors))


def plain(vectors: np.ndarray, question: np.ndarray, k: int) -> np.ndarray:
    return np.sort(vectors @ question)[::-1][:k]


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 400), st.integers(1, 12), st.integers(0, 9))
def test_with_all_cells_open_it_is_a_plain_search(
    tmp_path_factory: pytest.TempPathFactory, count: int, k: int, seed: int
) -> None:
    vectors = made(count, seed=seed)
    index = index_of(vectors, tmp_path_factory.mktemp("vectors"))
    questions = made(3, seed=seed + 1)
    found = index.nearest(questions, k, probes=10_000)
    for place, question in enumerate(questions):
        expected = plain(vectors, question, k)
        held = found.rows[place] >= 0
        assert held.sum() == len(expected)
        np.testing.assert_allclose(found.scores[place][held], expected, atol=0.02)
        np.testing.assert_allclose(vectors[found.rows[place][held]] @ question, expected, atol=0.02)


def test_few_cells_find_most_neighbours(tmp_path: Path) -> None:
    vectors = made(20_000, dimensions=32)
    index = index_of(vectors, tmp_path)
    questions = made(100, seed=5, dimensions=32)
    found = index.nearest(questions, 10, probes=24)
    true = np.argsort(-(questions @ vectors.T), axis=1)[:, :10]
    recall = np.mean(
        [len(set(a) & set(b)) / 10 for a, b in zip(found.rows.tolist(), true.tolist(), strict=True)]
    )
    assert recall > 0.9


def test_one_question_and_many_give_the_same(tmp_path: Path) -> None:
    vectors = made(3_000)
    index = index_of(vectors, tmp_path)
    questions = made(100, seed=2)
    together = index.nearest(questions, 5)
    apart = [index.nearest(question[None], 5) for question in questions]
    np.testing.assert_array_equal(together.rows, np.concatenate([one.rows for one in apart]))


def test_of_crowded_cells_the_farthest_are_not_opened(tmp_path: Path) -> None:
    few = made(2_000, seed=3)
    vectors = np.concatenate([np.repeat(few[:4], 1_000, axis=0), few])
    index = index_of(vectors[np.random.default_rng(0).permutation(6_000)], tmp_path)
    cells = index._cells_of(few[:200], 24)
    close = few[:200] @ index.centres.T
    nearest = np.take_along_axis(close, cells[:, :1], axis=1)[:, 0]
    np.testing.assert_allclose(nearest, close.max(axis=1), rtol=1e-5)
    sizes = np.where(cells >= 0, np.diff(index.offsets)[cells], 0)
    assert (cells < 0).any()
    others = sizes.sum(axis=1)[(cells >= 0).sum(axis=1) > 1]
    assert others.max() <= 1.5 * 24 * 6_000 / len(index.centres)


def test_what_may_not_be_found_is_passed_over(tmp_path: Path) -> None:
    vectors = made(600)
    index = index_of(vectors, tmp_path)
    allowed = np.random.default_rng(1).random(600) < 0.1
    questions = made(70, seed=2)
    found = index.nearest(questions, 9, probes=10_000, allowed=allowed)
    for line, question in enumerate(questions):
        rows = found.rows[line]
        assert allowed[rows].all()
        np.testing.assert_allclose(vectors[rows] @ question, plain(vectors[allowed], question, 9), atol=0.02)


def test_of_few_none_is_missed(tmp_path: Path) -> None:
    vectors = made(600)
    index = index_of(vectors, tmp_path)
    few = np.random.default_rng(1).choice(600, 50, replace=False)
    places = np.argsort(index.rows)[few]
    questions = made(70, seed=2)
    found = index.nearest_among(questions, 60, places)
    for line, question in enumerate(questions):
        assert sorted(found.rows[line].tolist()) == [-1] * 10 + sorted(few.tolist())
        np.testing.assert_allclose(found.scores[line][:50], plain(vectors[few], question, 50), atol=0.02)


def test_an_opened_index_answers_as_the_built_one(tmp_path: Path) -> None:
    built = index_of(made(500), tmp_path)
    question = made(1, seed=9)
    again = VectorIndex.open(tmp_path)
    np.testing.assert_array_equal(again.nearest(question, 7).rows, built.nearest(question, 7).rows)


def test_nothing_and_little_are_searched_too(tmp_path: Path) -> None:
    empty = VectorIndex.build(tmp_path / "empty", iter([np.zeros((0, 8), np.float32)]), count=0)
    assert empty.nearest(np.ones((1, 8), np.float32), 3).rows.tolist() == [[-1, -1, -1]]
    one = index_of(made(1), tmp_path / "one")
    assert one.nearest(made(1), 3).rows.tolist() == [[0, -1, -1]]


def test_a_vector_of_zeros_is_near_to_nothing(tmp_path: Path) -> None:
    vectors = made(50)
    vectors[7] = 0
    found = index_of(vectors, tmp_path).nearest(vectors[:1], 50, probes=1_000)
    assert found.scores[0][found.rows[0] == 7].tolist() == [0.0]


def test_files_that_do_not_fit_are_noticed(tmp_path: Path) -> None:
    index_of(made(100), tmp_path)
    np.save(tmp_path / "codes.npy", np.zeros((3, 16), np.int8))
    with pytest.raises(DamagedError, match="do not fit"):
        VectorIndex.open(tmp_path)
    (tmp_path / "codes.npy").unlink()
    with pytest.raises(DamagedError, match="rebuild"):
        VectorIndex.open(tmp_path)
    with pytest.raises(NotFoundError):
        VectorIndex.open(tmp_path / "elsewhere")
