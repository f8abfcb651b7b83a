"""The best few of many, offered one by one in compiled code.

A heap of K places: `scores` [K], floats, and `rows` int64 [K], the worst first; free places are −∞ and −1.
Of equal scores the smaller row is the better, so that what is kept does not depend on the order of offers.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Int64s = npt.NDArray[np.int64]


def empty_heaps(count: int, size: int, dtype: type = np.float32) -> tuple[Floats, Int64s]:
    """`count` heaps of `size` free places: scores and rows, each [count, size]."""
    return np.full((count, size), -np.inf, dtype), np.full((count, size), -1, np.int64)


def best_first(scores: Floats, rows: Int64s) -> tuple[Floats, Int64s]:
    """Heaps [count, size], each in order: the best first, free places last."""
    order = np.lexsort((rows, -scores), axis=-1)
    return np.take_along_axis(scores, order, axis=-1), np.take_along_axis(rows, order, axis=-1)


@numba.njit(cache=True, nogil=True)
def offer(score: Any, row: Any, scores: Any, rows: Any) -> None:
    """Keep a row in place of the worst kept, if it is better."""
    if not _worse(scores[0], rows[0], score, row):
        return
    size, place = len(scores), 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _worse(scores[child + 1], rows[child + 1], scores[child], rows[child]):
            child += 1
        if not _worse(scores[child], rows[child], score, row):
            break
        scores[place], rows[place] = scores[child], rows[child]
        place = child
    scores[place], rows[place] = score, row


@numba.njit(cache=True, nogil=True, inline="always")
def _worse(score: Any, row: Any, other: Any, other_row: Any) -> bool:
    return bool(score < other or (score == other and row > other_row))
