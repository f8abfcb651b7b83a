"""r of imputed dosages: Pearson's correlation over the people in whom both are given.

D′ is not defined on dosages: it counts haplotypes, and a dosage of 0.9 is none. Where hard calls exist,
D′ comes from them (methods.ld.pairs).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from nexome.methods.ld.measures import MEASURED, ratio_r, state_of
from nexome.methods.ld.pairs import PairLd


def ld_of_dosages(index: npt.NDArray[np.float32], rows: npt.NDArray[np.float32]) -> PairLd:
    """LD of one variant's dosages with V others: `index` float32 [S], `rows` [V, S], NaN missing → [V].

    `d_prime` is NaN throughout. A variant whose dosages all agree within a millionth does not vary.

    >>> rows = np.array([[0.1, 1.0, 1.9], [2.0, 1.1, 0.2], [1, 1, 1]], np.float32)
    >>> found = ld_of_dosages(rows[0], rows)
    >>> found.r.round(3).tolist(), found.state.tolist()
    ([1.0, -1.0, nan], [0, 0, 1])
    """
    found = PairLd.empty(len(rows))
    _dosages_with_one(
        np.ascontiguousarray(index, np.float32),
        np.ascontiguousarray(rows, np.float32),
        found.r,
        found.called,
        found.state,
    )
    return found


@njit(cache=True, nogil=True)
def _dosages_with_one(index: Any, rows: Any, r: Any, called: Any, state: Any) -> None:
    for v in range(rows.shape[0]):
        n = 0
        sum_x = sum_y = sum_xx = sum_yy = sum_xy = 0.0
        for s in range(rows.shape[1]):
            # about 1, the middle of the range: nothing large is taken from anything large
            x, y = np.float64(index[s]) - 1.0, np.float64(rows[v, s]) - 1.0
            if np.isnan(x) or np.isnan(y):
                continue
            n += 1
            sum_x, sum_y = sum_x + x, sum_y + y
            sum_xx, sum_yy, sum_xy = sum_xx + x * x, sum_yy + y * y, sum_xy + x * y
        least = 1e-12 * n * n  # a standard deviation of a millionth
        spread_x, spread_y = n * sum_xx - sum_x * sum_x, n * sum_yy - sum_y * sum_y
        called[v] = n
        state[v] = state_of(n, max(0.0, spread_x - least), max(0.0, spread_y - least))
        if state[v] == MEASURED:
            r[v] = ratio_r(n * sum_xy - sum_x * sum_y, spread_x, spread_y)
