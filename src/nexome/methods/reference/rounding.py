"""The rounding of a measurement, found in its values, and published numbers brought to it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DIGITS: Final = 3  # significant digits of a number whose measurement has no rounding of its own
_STEPS: Final = tuple(m * 10.0**e for e in range(3, -5, -1) for m in (5, 2, 1))
_STEPS_MOST: Final = 5_000  # a step finer than this part of the spread is not a rounding one would see
_NEAR: Final = 1e-6


def measured_step(values: npt.ArrayLike) -> float | None:
    """The coarsest step (1, 2 or 5 times a power of ten) that all values are multiples of; None if none is.

    >>> measured_step([118.0, 122.0, 120.0, 136.0])
    2.0
    """
    x = np.asarray(values, np.float64).ravel()
    x = x[np.isfinite(x)]
    if len(x) < 2:
        return None
    spread = float(np.ptp(x))
    for step in _STEPS:
        if spread / step > _STEPS_MOST:
            return None
        at = x / step
        if np.all(np.abs(at - np.round(at)) <= _NEAR * np.maximum(1.0, np.abs(at) * 1e-6)):
            return step
    return None


def round_to(values: npt.ArrayLike, step: float | None = None, *, digits: int = DIGITS) -> Floats:
    """Values rounded to multiples of `step`, or to significant `digits` where there is none.

    >>> round_to([5.1849, 0.012345]).tolist()
    [5.18, 0.0123]
    """
    x = np.asarray(values, np.float64)
    if step is not None:
        decimals = max(0, int(np.ceil(-np.log10(step))) + 1)
        return np.round(np.round(x / step) * step, decimals)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = digits - 1 - np.floor(np.log10(np.abs(x)))
    scale = np.power(10.0, np.where(np.isfinite(places), places, 0.0))
    return np.asarray(np.round(x * scale) / scale, np.float64)
