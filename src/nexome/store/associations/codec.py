"""Numbers as small integers: the three grids of the store, their special codes and lookup tables.

    plane   absolute code (int16)                      value
    z       round(1024·z), −32766 … 32766              code / 1024                      ± 1/2048
    se      round(51·ln se)                            exp(code / 51)                   ± 0.99 %
    eaf     round(64·u), u = ln 2f for f < ½,          ½·exp(code/64) for code < 0,     ± 0.79 % of
            −ln 2(1−f) else                            1 − ½·exp(−code/64) else         min(f, 1−f)

−32768 is missing in every plane. z −32767: the exact value stands in the overflow table. eaf 32766
is exactly 0, 32767 exactly 1. Ties round away from zero.

This module is plain NumPy: the statement of the grids, and the tables that the compiled passes of
`kernels` look values up in. Nothing here knows how codes lie on the disk.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.normal import neg_log10_p_from_z
from nexome.store.associations.types import Codes, Floats

MISSING: Final = -32768
OVERFLOW: Final = -32767
LIMIT: Final = 32766  # largest ordinary code, in either direction
EAF_ZERO: Final = 32766
EAF_ONE: Final = 32767
Z_STEP: Final = 1024
SE_STEP: Final = 51
EAF_STEP: Final = 64
PLANES: Final = ("z", "se", "eaf")

SMALLEST: Final = 2.0**-126  # smallest normal float32: a frequency nearer to 0 or 1 counts as 0 or 1


def round_away(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Nearest whole numbers, ties away from zero."""
    return np.trunc(values + np.copysign(0.5, values))


def encode_z(z: npt.NDArray[Any]) -> Codes:
    """Codes of z; NaN is missing, |z| > 32766/1024 is OVERFLOW."""
    scaled = np.asarray(z, np.float64) * Z_STEP
    missing, over = np.isnan(scaled), ~(np.abs(scaled) < LIMIT + 0.5)
    codes = round_away(np.where(over, 0.0, scaled)).astype(np.int16)
    return np.where(missing, MISSING, np.where(over, OVERFLOW, codes)).astype(np.int16)


def encode_se(se: npt.NDArray[Any]) -> Codes:
    """Codes of standard errors (> 0); NaN is missing."""
    missing = np.isnan(se)
    scaled = SE_STEP * np.log(np.where(missing, 1.0, np.asarray(se, np.float64)))
    return np.where(missing, MISSING, round_away(scaled)).astype(np.int16)


def encode_eaf(eaf: npt.NDArray[Any]) -> Codes:
    """Codes of frequencies (0 to 1); NaN is missing, 0 and 1 have codes of their own."""
    missing = np.isnan(eaf)
    f = np.where(missing, 0.5, np.asarray(eaf, np.float64))
    minor = np.where(f < 0.5, f, 1 - f)
    magnitude = round_away(EAF_STEP * np.log(2 * np.maximum(minor, SMALLEST)))
    codes = np.where(f < 0.5, magnitude, -magnitude)
    codes = np.where(minor < SMALLEST, np.where(f < 0.5, EAF_ZERO, EAF_ONE), codes)
    return np.where(missing, MISSING, codes).astype(np.int16)


def _code_range() -> npt.NDArray[np.float64]:
    """Every int16 in the order of its bits as uint16: 0 … 32767, −32768 … −1."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float64)


def _frozen(values: npt.NDArray[Any]) -> Floats:
    table = values.astype(np.float32)
    table.flags.writeable = False
    return table


@cache
def z_table() -> Floats:
    """Value of each z code, float32 [65536], indexed by the code's bits as uint16; NaN for the specials."""
    codes = _code_range()
    return _frozen(np.where(codes <= OVERFLOW, np.nan, codes / Z_STEP))


@cache
def se_table() -> Floats:
    """Standard error of each code, float32 [65536], indexed as z_table."""
    codes = _code_range()
    with np.errstate(over="ignore", under="ignore"):
        return _frozen(np.where(codes == MISSING, np.nan, np.exp(codes / SE_STEP)))


@cache
def eaf_table() -> Floats:
    """Frequency of each code, float32 [65536], indexed as z_table."""
    codes = _code_range()
    half = 0.5 * np.exp(-np.abs(codes) / EAF_STEP)
    values = np.where(codes < 0, half, 1 - half)
    values[EAF_ZERO], values[EAF_ONE] = 0.0, 1.0
    return _frozen(np.where(codes == MISSING, np.nan, values))


@cache
def neg_log_10_p_table() -> Floats:
    """Two-sided −log₁₀ p of each z code, float32 [65536], indexed as z_table."""
    return _frozen(neg_log10_p_from_z(z_table()))


@cache
def p_table() -> npt.NDArray[np.float64]:
    """Two-sided p of each z code, float64 [65536], indexed as z_table."""
    table = p_from_z(z_table())
    table.flags.writeable = False
    return table


def p_from_z(z: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Two-sided p; 0 below 5e-324. NaN stays NaN."""
    return np.asarray(10.0 ** -neg_log10_p_from_z(z))


def decode_z(codes: Codes) -> Floats:
    """Values of z codes; NaN where missing or kept in the overflow table."""
    return np.asarray(z_table()[codes.view(np.uint16)])


def decode_se(codes: Codes) -> Floats:
    """Standard errors of absolute codes; NaN missing."""
    return np.asarray(se_table()[codes.view(np.uint16)])


def decode_eaf(codes: Codes) -> Floats:
    """Frequencies of absolute codes; NaN missing."""
    return np.asarray(eaf_table()[codes.view(np.uint16)])
