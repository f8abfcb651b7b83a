"""Cosines of questions and records are those of a plain loop over their names."""

import numpy as np
import pytest

from nexome.search import comparing
from nexome.search.comparing import compare
from nexome.search.ranking import Tables

NAMES = [3, 1, 2, 4]  # of each record


def made() -> tuple[Tables, np.ndarray, np.ndarray]:
    """Tables of four records; the vectors of their names and their means as they were rounded."""
    random = np.random.default_rng(4)
    first = np.concatenate([[0], np.cumsum(NAMES)]).astype(np.int64)
    codes, means = (random.integers(-127, 128, (n, 8)).astype(np.int8) for n in (first[-1], 4))
    scales, mean_scales = (random.random(n).astype(np.float32) / 300 for n in (first[-1], 4))
    places = np.array([2, 0, 3, 1], np.int32)
    nothing = np.zeros(5, np.int64)
    chinese = np.arange(first[-1], dtype=np.uint8) % 2
    tables = Tables(
        first, codes, scales, places, means, mean_scales, nothing, nothing, nothing, nothing, chinese
    )
    return tables, codes * scales[:, None], means[places] * mean_scales[places, None]


@pytest.mark.parametrize("at_once", [2, 16_384])
@pytest.mark.parametrize("own_script", [None, np.array([0.0, -0.4, 0.3], np.float32)])
def test_pairs_are_compared_as_a_plain_loop_does(
    monkeypatch: pytest.MonkeyPatch, at_once: int, own_script: np.ndarray | None
) -> None:
    monkeypatch.setattr(comparing, "_AT_ONCE", at_once)
    tables, names, means = made()
    questions = np.random.default_rng(5).standard_normal((3, 8)).astype(np.float32)
    asking, records = np.array([2, 0, 1, 1, 0]), np.array([3, 0, 0, 2, 1])
    found = compare(questions, (asking, records), tables, own_script=own_script)
    for pair, (question, record) in enumerate(zip(asking, records, strict=True)):
        rows = slice(tables.first[record], tables.first[record + 1])
        added = 0.0 if own_script is None else own_script[question]
        cosines = names[rows] @ questions[question] + added * tables.chinese[rows]
        assert found.best[pair] == pytest.approx(cosines.max(), abs=1e-5)
        assert found.name[pair] == tables.first[record] + cosines.argmax()
        assert found.mean[pair] == pytest.approx(means[record] @ questions[question], abs=1e-5)
