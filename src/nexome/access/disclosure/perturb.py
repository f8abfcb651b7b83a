"""Noise that belongs to people: the same participants give the same perturbed count, always and everywhere.

The *cell key* of a population is the sum modulo 2⁶⁴ of its participants' secret numbers, which come from
their keys and the secret of the root alone. From the key come two uniform numbers; the first picks the noise
from NOISE (symmetric, at most ±5, variance 3.74), the second rounds what falls between 0 and the smallest
cell t to 0 or to t, upward with probability v/t so that nothing is shifted on average.

    true count    published
    0             0
    1, 2, …       n + noise; below 0 becomes 0; between 0 and t becomes 0 or t

So |published − true| < 5 + t, and ≤ 5 where the true count is 5 + t or more. Nothing is stored: there is no
state to lose, exhaust or reset. Cell keys after Fraser and Wooton (2005); the table is our own.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

# How many of 1,000 populations get a noise of so much.
NOISE: Final = {0: 206, 1: 180, 2: 120, 3: 62, 4: 25, 5: 10}
MOST_NOISE: Final = max(NOISE)
_PARTS: Final = 1_000
_STEPS: Final = np.array([d for d in range(-MOST_NOISE, MOST_NOISE + 1) for _ in range(NOISE[abs(d)])])


def noise_variance() -> float:
    """Variance of the noise before rounding of small counts."""
    return sum(2 * d * d * share for d, share in NOISE.items()) / _PARTS


def perturb(
    counts: npt.NDArray[np.int64], cell_keys: npt.NDArray[np.uint64], smallest: int
) -> npt.NDArray[np.int64]:
    """Published counts of populations [C] with true counts and cell keys [C]."""
    high = (cell_keys >> np.uint64(40)).astype(np.int64)  # 24 bits each, of a key that is uniform
    low = ((cell_keys >> np.uint64(8)) & np.uint64(0xFFFFFF)).astype(np.int64)
    noisy = np.maximum(counts + _STEPS[high * _PARTS >> 24], 0)
    rounded_up = low * smallest >> 24 < noisy  # uniform over 0 … t − 1, below v with probability v/t
    between = (noisy > 0) & (noisy < smallest)
    published = np.where(between, np.where(rounded_up, smallest, 0), noisy)
    return np.where(counts == 0, 0, published).astype(np.int64)


def bounds_of(published: int, smallest: int) -> tuple[int, int]:
    """The least and the greatest true count that a published one can stand for (zero stands for zero too)."""
    if published == 0:
        return 0, MOST_NOISE + smallest - 1
    low = 1 if published == smallest else published - MOST_NOISE
    return max(1, low), published + MOST_NOISE
