"""Compiled passes between float32 statistics, absolute codes and the residuals of dense segments.

One pass each, no float64 copies. Loaded only when first needed (importing Numba takes most of a
second); the machine code is cached beside this file. Every pass releases the interpreter's lock.
The slow plain statement of each stands in `codec` or in the tests.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

CHAIN_ROWS: Final = 64  # a prediction never reaches over a multiple of this many rows
MAX_LAG: Final = 8
LEVEL_SAMPLE: Final = 64

# log2(1 + m) = m·p(m) on [0, 1): Chebyshev interpolation of degree 6, error at most 1.2e-6,
# a thousandth of what the coarsest grid could notice.
_P0: Final = np.float32(1.442692983205196)
_P1: Final = np.float32(-0.7211440921783685)
_P2: Final = np.float32(0.47749636368083553)
_P3: Final = np.float32(-0.3383771976563378)
_P4: Final = np.float32(0.21394321217896714)
_P5: Final = np.float32(-0.09462680973642329)
_P6: Final = np.float32(0.02001664999754991)
_SE_PER_LOG2: Final = np.float32(51 * np.log(2))
_EAF_PER_LOG2: Final = np.float32(64 * np.log(2))
_SMALLEST: Final = np.float32(2.0**-126)
_MANTISSA: Final = np.float32(2.0**-23)


@njit(inline="always")
def _log2_bits(bits: Any) -> Any:
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    m = np.float32(bits & np.int32(0x7FFFFF)) * _MANTISSA
    poly = _P0 + m * (_P1 + m * (_P2 + m * (_P3 + m * (_P4 + m * (_P5 + m * _P6)))))
    return exponent + m * poly


@njit(inline="always")
def _round_away(value: Any) -> Any:
    half = np.float32(0.5) if value >= np.float32(0) else np.float32(-0.5)
    return np.int32(value + half)


@njit(cache=True, nogil=True)
def encode_z(z: Any, codes: Any) -> Any:
    """float32 [K] → int16 [K] as codec.encode_z; returns 1 when some value is infinite, else 0."""
    bad = np.int32(0)
    for i in range(z.shape[0]):
        v = z[i]
        scaled = v * np.float32(1024)
        size = abs(scaled)
        inside = size < np.float32(32766.5)
        code = _round_away(scaled if inside else np.float32(0))
        code = code if inside else np.int32(-32767)
        code = code if v == v else np.int32(-32768)  # noqa: PLR0124  NaN is the only value unlike itself
        bad |= np.int32(1) if abs(v) == np.float32(np.inf) else np.int32(0)
        codes[i] = code
    return bad


@njit(cache=True, nogil=True)
def encode_se(se: Any, bits: Any, codes: Any) -> Any:
    """float32 [K], the same as int32 bits [K] → int16 [K]; returns 1 when some value is not in (0, ∞)."""
    bad = np.int32(0)
    for i in range(se.shape[0]):
        v = se[i]
        usable = (v >= _SMALLEST) and (v < np.float32(np.inf))
        code = _round_away(_SE_PER_LOG2 * _log2_bits(bits[i]))
        code = code if usable else np.int32(-32768)
        bad |= np.int32(1) if (not usable) and v == v else np.int32(0)  # noqa: PLR0124  NaN
        codes[i] = code
    return bad


@njit(cache=True, nogil=True)
def encode_eaf(eaf: Any, codes: Any) -> Any:
    """float32 [K] → int16 [K] as codec.encode_eaf; returns 1 when some value is outside [0, 1]."""
    bad = np.int32(0)
    minor = np.empty(1024, np.float32)
    bits = minor.view(np.int32)
    for start in range(0, eaf.shape[0], 1024):
        part, out = eaf[start : start + 1024], codes[start : start + 1024]
        for i in range(part.shape[0]):
            f = part[i]
            minor[i] = f if f < np.float32(0.5) else np.float32(1) - f
        for i in range(part.shape[0]):
            f = part[i]
            m = minor[i]
            code = _round_away(_EAF_PER_LOG2 * (np.float32(1) + _log2_bits(bits[i])))
            low = f < np.float32(0.5)
            code = code if low else -code
            special = np.int32(32766) if low else np.int32(32767)
            code = code if m >= _SMALLEST else special
            bad |= np.int32(1) if m < np.float32(0) else np.int32(0)
            out[i] = code if f == f else np.int32(-32768)  # noqa: PLR0124  NaN
    return bad


# ---------------------------------------------------------------- dense: what residuals are taken against


@njit(cache=True, nogil=True)
def estimate_prediction(codes: Any, sample: Any, lag: Any, rho: Any) -> None:
    """Best lag (0 to 8) and rho (int8, 1/64) of each row from the sampled columns of codes [R, T].

    `sample` holds column numbers; `lag`, `rho` are int8 [R]. Rows start at a multiple of 64.
    """
    for i in range(codes.shape[0]):
        lag[i] = 0
        rho[i] = 0
        best = np.float64(0)
        for back in range(1, min(MAX_LAG, i % CHAIN_ROWS) + 1):
            product = np.int64(0)
            square = np.int64(0)
            for s in range(sample.shape[0]):
                here = np.int64(codes[i, sample[s]])
                there = np.int64(codes[i - back, sample[s]])
                if here > -32767 and there > -32767:
                    product += here * there
                    square += there * there
            if square > 0:
                slope = min(64, max(-64, int(np.rint(64 * product / square))))
                gain = 2 * slope / 64 * product - (slope / 64) ** 2 * square
                if gain > best:
                    best, lag[i], rho[i] = gain, back, slope


@njit(cache=True, nogil=True)
def levels(codes: Any, group: Any, offset: Any, out: Any) -> None:
    """Mean code of each row in each group: codes int16 [R, T] less offset int16 [T], group int64 [T].

    `out` is int16 [R, G]. At most the first 64 usable cells of a group are looked at; 0 where it has none.
    """
    groups = out.shape[1]
    total = np.zeros(groups, np.int64)
    count = np.zeros(groups, np.int64)
    for i in range(codes.shape[0]):
        total[:] = 0
        count[:] = 0
        full = 0
        for j in range(codes.shape[1]):
            g = group[j]
            c = np.int64(codes[i, j])
            if count[g] < LEVEL_SAMPLE and c != -32768 and c < 32766:
                total[g] += c - np.int64(offset[j])
                count[g] += 1
                full += 1 if count[g] == LEVEL_SAMPLE else 0
                if full == groups:
                    break
        for g in range(groups):
            out[i, g] = int(np.rint(total[g] / count[g])) if count[g] else 0


@njit(cache=True, nogil=True)
def offsets(codes: Any, level: Any, group: Any, out: Any) -> None:
    """Median of code − level[i, group[j]] of each column over up to 1,024 rows spread over [R]; int16 [T]."""
    stride = max(1, codes.shape[0] // 1024)
    values = np.empty(codes.shape[0] // stride + 1, np.int32)
    for j in range(codes.shape[1]):
        count = 0
        for i in range(0, codes.shape[0], stride):
            c = codes[i, j]
            if c != -32768:
                values[count] = np.int32(c) - np.int32(level[i, group[j]])
                count += 1
        out[j] = int(np.median(values[:count])) if count else 0


# ---------------------------------------------------------------- codes → columns


@njit(cache=True, nogil=True)
def look_up(codes: Any, table: Any, out: Any) -> None:
    """out[i] = table[codes[i]]: uint16 [K] codes, [65536] table."""
    for i in range(codes.shape[0]):
        out[i] = table[codes[i]]


@njit(cache=True, nogil=True)
def look_up_product(z: Any, se: Any, table: Any, out: Any) -> None:
    """beta[i] = z · se: int16 [K] and uint16 [K] codes, `table` of standard errors; NaN for z specials."""
    for i in range(z.shape[0]):
        c = z[i]
        value = np.float32(c) * np.float32(1.0 / 1024)
        value = value if c > -32767 else np.float32(np.nan)
        out[i] = value * table[se[i]]


# ---------------------------------------------------------------- sorted keys


@njit(cache=True, nogil=True)
def first_disorder(locus: Any, allele: Any) -> int:
    """First row whose key is not above the one before, or −1: uint64 [V] each."""
    for i in range(1, locus.shape[0]):
        if locus[i] < locus[i - 1] or (locus[i] == locus[i - 1] and allele[i] <= allele[i - 1]):
            return i
    return -1


@njit(cache=True, nogil=True)
def match_sorted(locus: Any, allele: Any, to_locus: Any, to_allele: Any, rows: Any) -> int:
    """Where each of V sorted keys stands among W sorted keys: rows int64 [V], −1 absent; returns hits."""
    there = 0
    hits = 0
    for i in range(locus.shape[0]):
        while there < to_locus.shape[0] and (
            to_locus[there] < locus[i] or (to_locus[there] == locus[i] and to_allele[there] < allele[i])
        ):
            there += 1
        if there < to_locus.shape[0] and to_locus[there] == locus[i] and to_allele[there] == allele[i]:
            rows[i] = there
            hits += 1
        else:
            rows[i] = -1
    return hits


# ---------------------------------------------------------------- columns at memory addresses


@intrinsic
def _as_int16_pointer(typing: Any, address: Any) -> Any:  # noqa: ARG001  the first argument is Numba's
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.int16)(types.uint64), generate


@njit(cache=True, nogil=True)
def gather_columns(address: Any, rows: Any, out_columns: Any, planes: Any) -> int:
    """Copy cells of mapped columns into planes; returns how many overflow.

    `address` uint64 [C] points at int16 [V, 3] blocks; rows (row, out_row): int64 [R]; `planes` are
    the z, se, eaf int16 targets.
    """
    row, out_row = rows
    z, se, eaf = planes
    overflow = 0
    for j in range(address.shape[0]):
        block = _as_int16_pointer(address[j])
        o = out_columns[j]
        for k in range(row.shape[0]):
            at = row[k] * 3
            code = block[at]
            z[out_row[k], o] = code
            se[out_row[k], o] = block[at + 1]
            eaf[out_row[k], o] = block[at + 2]
            overflow += 1 if code == -32767 else 0
    return overflow
