"""The normal distribution in log space: z ↔ −log₁₀ p, and p as text, far beyond what a float64 p can hold.

All p are two-sided. z = 200 is p ≈ 10⁻⁸⁶⁸⁹; a float64 p ends at 5·10⁻³²⁴ (|z| ≈ 38.5). Nothing is kept on
disk here, and no p read from a file is judged here: callers decide what a p of 0 in a source means.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

CHI2_MEDIAN: Final = 0.45493642311957283  # median of χ² with 1 degree of freedom: qchisq(0.5, 1) in R
_LN2: Final = math.log(2.0)
_LN10: Final = math.log(10.0)
_PLAIN_FROM: Final = 1e-3  # p this large is written 0.012, smaller ones 1.2e-05


def neg_log10_p_from_z(z: npt.ArrayLike) -> Floats:
    """−log₁₀ of the two-sided p of `z`, any shape, computed in log space.

    NaN stays NaN, ±inf gives inf. Relative error below 1e-13 up to |z| = 200 (checked against a
    continued fraction in 50 decimal digits). Source: Φ through `scipy.special.log_ndtr`.

    >>> float(neg_log10_p_from_z(5.0).round(4))
    6.2416
    """
    log_tail = special.log_ndtr(-np.abs(np.asarray(z, dtype=np.float64)))
    return np.maximum(-(log_tail + _LN2) / _LN10, 0.0)  # log_ndtr(0) + ln 2 may be 1 ulp above 0


def z_from_neg_log10_p(neg_log10_p: npt.ArrayLike) -> Floats:
    """|z| of a two-sided p given as −log₁₀ p (≥ 0), any shape; the inverse of `neg_log10_p_from_z`.

    Negative input (p above 1) gives NaN, inf gives inf. Below −log₁₀ p ≈ 1e-8 (p ≈ 1) the answer
    keeps its absolute, not its relative, precision. Source: `scipy.special.ndtri_exp`.

    >>> float(z_from_neg_log10_p(-math.log10(0.05)).round(4))
    1.96
    """
    value = np.asarray(neg_log10_p, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        size = np.abs(special.ndtri_exp(-value * _LN10 - _LN2))
        return np.where(value >= 0, size, np.nan)


def z_from_p_and_sign(p: npt.ArrayLike, sign: npt.ArrayLike) -> Floats:
    """Z from a two-sided p in [0, 1] and a number that carries the sign of the effect; any shape.

    `sign` may be a beta or a log odds ratio; a sign of 0 gives z = 0 when p = 1, else NaN, because
    the direction is unknown. p outside [0, 1] gives NaN. p = 0 gives ±inf: an underflown p, of which
    the source knows no more; use `z_from_neg_log10_p` where the p is known as text.

    >>> z_from_p_and_sign([0.05, 1.0], [-0.3, 0.0]).round(4).tolist()
    [-1.96, 0.0]
    """
    value = np.asarray(p, dtype=np.float64)
    direction = np.sign(np.asarray(sign, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = z_from_neg_log10_p(-np.log10(np.where(value >= 0, value, np.nan)))
        return np.where((direction == 0) & (size > 0), np.nan, np.where(size == 0, 0.0, direction * size))


def format_p(neg_log10_p: float, *, digits: int = 2) -> str:
    """A p as people write it, from −log₁₀ p: '0.012', '3.2e-412'; '' for NaN, '0' for inf.

    `digits` are significant digits, 1 or more.

    >>> format_p(411.49485), format_p(1.92), format_p(0.0)
    ('3.2e-412', '0.012', '1')
    """
    if math.isnan(neg_log10_p):
        return ""
    if math.isinf(neg_log10_p):
        return "0"
    if (p := 10.0**-neg_log10_p) >= _PLAIN_FROM:
        return f"{p:.{digits}g}"
    exponent = math.floor(-neg_log10_p)
    mantissa = f"{10.0 ** (-neg_log10_p - exponent):.{digits - 1}f}"
    if mantissa.startswith("10"):  # 9.97 rounds up into the next decade
        exponent, mantissa = exponent + 1, f"{1.0:.{digits - 1}f}"
    return f"{mantissa}e-{-exponent:02d}"


def format_ps(neg_log10_p: npt.NDArray[Any], *, digits: int = 2) -> list[str]:
    """`format_p` for an array of V values.

    >>> format_ps(np.array([7.301, 0.3]))
    ['5.0e-08', '0.5']
    """
    return [format_p(value, digits=digits) for value in neg_log10_p.tolist()]
