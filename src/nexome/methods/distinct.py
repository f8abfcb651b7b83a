"""How many different things were seen, without keeping them: a HyperLogLog sketch.

A sketch is uint8 [REGISTERS]; sketches of parts merge into that of the whole. The standard error is
1.04/√REGISTERS = 0.8 %; below a few hundred the count is all but exact. It takes 64-bit hashes made by
the caller, all values equally likely.

Source: Flajolet et al. 2007 (HyperLogLog); estimator of Ertl 2017, arXiv:1702.01284, algorithm 6.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

PRECISION: Final = 14
REGISTERS: Final = 1 << PRECISION
_RANK_BITS: Final = 64 - PRECISION

Sketch = npt.NDArray[np.uint8]


def new_sketch() -> Sketch:
    """A sketch of nothing."""
    return np.zeros(REGISTERS, np.uint8)


def add_hash(sketch: Sketch, hash_: int) -> bool:
    """Add one thing by its 64-bit hash; whether the sketch changed."""
    place, rest = hash_ & (REGISTERS - 1), hash_ >> PRECISION
    rank = _RANK_BITS - rest.bit_length() + 1
    if sketch[place] >= rank:
        return False
    sketch[place] = rank
    return True


def estimate(sketch: Sketch) -> float:
    """How many different things were added, estimated.

    >>> estimate(new_sketch())
    0.0
    """
    counts = np.bincount(sketch, minlength=_RANK_BITS + 2).astype(np.float64)
    z = REGISTERS * _tau(1 - counts[_RANK_BITS + 1] / REGISTERS)
    for rank in range(_RANK_BITS, 0, -1):
        z = 0.5 * (z + counts[rank])
    z += REGISTERS * _sigma(counts[0] / REGISTERS)
    return float(REGISTERS**2 / (2 * math.log(2) * z)) if math.isfinite(z) else 0.0


def _sigma(x: float) -> float:
    if x >= 1:
        return math.inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in {0.0, 1.0}:
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before = math.sqrt(x), z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3
