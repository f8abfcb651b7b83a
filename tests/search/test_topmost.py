"""The best few are those of a sorted list, in whatever order they were offered."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nexome.search.topmost import best_first, empty_heaps, offer


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 12), st.randoms())
def test_the_best_are_kept_and_the_smaller_row_of_equal_ones(scores: list[int], size: int, order) -> None:
    heaps = empty_heaps(1, size)
    rows = list(range(len(scores)))
    order.shuffle(rows)
    for row in rows:
        offer(np.float32(scores[row]), row, heaps[0][0], heaps[1][0])
    kept_scores, kept_rows = best_first(*heaps)
    expected = sorted(rows, key=lambda row: (-scores[row], row))[:size]
    free = size - len(expected)
    assert kept_rows[0].tolist() == expected + [-1] * free
    assert kept_scores[0].tolist() == [scores[row] for row in expected] + [-np.inf] * free
