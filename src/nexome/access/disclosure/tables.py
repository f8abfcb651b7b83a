"""Secondary suppression: which cells go with the small ones, so that margins do not give them away.

Whoever has a table knows that a withheld cell has people and that cells add up to the margins. For each
cell that leaves an interval (linear programming). `protect` withholds further cells, the smallest first,
until in every published sum the withheld cells are none, or two and more with at least `threshold` people
together, and until no withheld cell with people has an interval narrower than `threshold`. Where that
cannot be done, or would take too long, margins are not published. Which of the withheld cells were small is
not said.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

CHECKED_MOST: Final = 40  # withheld cells whose intervals are worked out; a table with more has no margins


def sums_of_table(shape: tuple[int, ...]) -> list[npt.NDArray[np.int64]]:
    """The cells of each published sum: the total, and where there are two axes and more each margin."""
    index = np.arange(int(np.prod(shape))).reshape(shape)
    sums = [index.reshape(-1)]
    if len(shape) > 1:
        sums += [
            np.take(index, at, axis=axis).reshape(-1)
            for axis in range(len(shape))
            for at in range(shape[axis])
        ]
    return sums


def protect(counts: Counts, primary: Bools, shape: tuple[int, ...], threshold: int) -> Bools | None:
    """Cells [C] to withhold so that margins may be published; None where they may not."""
    if not primary.any():
        return primary.copy()
    sums = sums_of_table(shape)
    withheld = primary.copy()
    while True:
        weak = next((s for s in sums if _is_weak(counts, withheld, s, threshold)), None)
        if weak is None:
            narrow = (
                narrow_cells(counts, withheld, shape, threshold) if withheld.sum() <= CHECKED_MOST else None
            )
            if narrow is None:
                return None
            if not narrow.size:
                return withheld
            weak = _sums_through(sums, int(narrow[0]))
        if not _withhold_smallest(counts, withheld, weak):
            return None


def narrow_cells(
    counts: Counts, withheld: Bools, shape: tuple[int, ...], threshold: int
) -> npt.NDArray[np.int64]:
    """Withheld cells with people whose interval, given the margins, is narrower than `threshold`."""
    low, high = intervals(counts, withheld, shape)
    cells = np.flatnonzero(withheld)
    return cells[(counts[cells] > 0) & (high - low < threshold - 1e-6)]


def intervals(counts: Counts, withheld: Bools, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Least and greatest value of each withheld cell that the published numbers allow (none is empty)."""
    from scipy.optimize import linprog  # noqa: PLC0415  slow to load, seldom needed

    cells = np.flatnonzero(withheld)
    rows = [np.isin(cells, s).astype(float) for s in sums_of_table(shape)]
    left = [float(counts[s][withheld[s]].sum()) for s in sums_of_table(shape)]
    ends = np.zeros((2, len(cells)))
    for at in range(len(cells)):
        for which, sign in enumerate((1.0, -1.0)):
            goal = np.zeros(len(cells))
            goal[at] = sign
            ends[which, at] = sign * linprog(goal, A_eq=np.array(rows), b_eq=left, bounds=(1, None)).fun
    return ends[0], ends[1]


def _is_weak(counts: Counts, withheld: Bools, cells: npt.NDArray[np.int64], threshold: int) -> bool:
    hidden = cells[withheld[cells]]
    people = int(counts[hidden].sum())
    return people > 0 and (len(hidden) < 2 or people < threshold)


def _sums_through(sums: list[npt.NDArray[np.int64]], cell: int) -> npt.NDArray[np.int64]:
    return np.unique(np.concatenate([s for s in sums[1:] or sums if cell in s]))


def _withhold_smallest(counts: Counts, withheld: Bools, cells: npt.NDArray[np.int64]) -> bool:
    """Withhold the smallest shown cell with people among some; False where there is none."""
    shown = cells[~withheld[cells] & (counts[cells] > 0)]
    if not shown.size:
        return False
    withheld[shown[np.argmin(counts[shown])]] = True
    return True
