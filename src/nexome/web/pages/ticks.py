"""Round numbers for the axes of figures."""

from __future__ import annotations

from typing import Final

import numpy as np

_STEPS: Final = (1, 2, 5, 10)


def round_step(raw: float) -> float:
    """The round number next above `raw` (above 0): 1, 2 or 5 times a power of ten.

    >>> round_step(0.3), round_step(170_000)
    (0.5, 200000.0)
    """
    scale = 10.0 ** np.floor(np.log10(raw))
    return float(next(s * scale for s in _STEPS if s * scale >= raw))


def nice_ticks(top: float, count: int = 5) -> list[float]:
    """About `count` round numbers from 0 up to `top`.

    >>> nice_ticks(23)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    return ticks_between(0.0, top, count) if top > 0 else [0.0]


def ticks_between(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers from `low` to `high`; those about `low` where the two are one.

    >>> ticks_between(18, 61), ticks_between(-0.31, 0.12)
    ([20.0, 30.0, 40.0, 50.0, 60.0], [-0.3, -0.2, -0.1, 0.0, 0.1])
    """
    step = round_step((high - low) / count or 1.0)
    numbers = range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)
    return [round(number * step, 12) for number in numbers]
