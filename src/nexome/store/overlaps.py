"""Which of many sorted intervals overlap a place: two binary searches and one look at what lies between.

The intervals of a contig sorted by start have ends in any order; the furthest end so far never falls, so
it too can be searched. What lies between the two answers is then compared one by one: a long interval far
to the left widens that stretch, which for genes and tracks stays short. Nothing is read or written here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nexome.model.genome import Interval

Rows = npt.NDArray[np.int64]


class Overlaps:
    """An index of N intervals, `contig` (rank), `start`, `end` (1-based, both ends included), all [N].

    They must be sorted by contig and start. Thread-safe.
    """

    def __init__(self, contig: npt.NDArray[Any], start: npt.NDArray[Any], end: npt.NDArray[Any]) -> None:
        self._contig = contig
        self._start = start
        self._end = end
        reach = contig.astype(np.uint64) << np.uint64(32) | end.astype(np.uint64)
        self._furthest = np.maximum.accumulate(reach) if len(reach) else reach

    def rows(self, where: Interval) -> Rows:
        """The rows that share at least one base with a place, in order, int64 [found]."""
        low, high = self._stretch(where)
        return low + np.flatnonzero(self._end[low:high] >= where.start)

    def _stretch(self, where: Interval) -> tuple[int, int]:
        first, last = np.searchsorted(self._contig, [where.contig, where.contig + 1]).tolist()
        high = first + int(np.searchsorted(self._start[first:last], where.end, side="right"))
        reached = where.contig << 32 | where.start
        low = first + int(np.searchsorted(self._furthest[first:high], np.uint64(reached)))
        return low, high
