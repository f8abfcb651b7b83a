"""Counter-based standard normals: a number is a function of its key and place, never of what came before.

Single precision, made for loops a compiler vectorises. For synthetic data and simulations only:
neither cryptographic nor meant for tails beyond 6.6 standard deviations.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Bits = npt.NDArray[np.uint32]


@numba.njit(nogil=True, cache=True, inline="always")
def mix64(x: np.uint64) -> np.uint64:
    """SplitMix64's next number after state `x` (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195)."""
    x = np.uint64(x + np.uint64(0x9E3779B97F4A7C15))
    x = np.uint64((x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    x = np.uint64((x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    return np.uint64(x ^ (x >> np.uint64(31)))


@numba.njit(nogil=True, cache=True)
def fill_bits(key: np.uint64, bits: Bits) -> None:
    """Fill `bits` with one 32-bit random number a place, from the key and the place alone.

    Two rounds of a 32-bit finaliser (Wellons' lowbias32) with half the key before each: plain
    32-bit arithmetic, which becomes vector instructions where 64-bit products would not.
    """
    low, high = np.uint32(key), np.uint32(key >> np.uint64(32))
    for i in range(bits.size):
        x = np.uint32(np.uint32(i) * np.uint32(0x9E3779B9) + low)
        x = np.uint32(np.uint32(x ^ np.uint32(x >> np.uint32(16))) * np.uint32(0x7FEB352D))
        x = np.uint32(np.uint32(x ^ np.uint32(x >> np.uint32(15))) * np.uint32(0x846CA68B))
        x = np.uint32(np.uint32(x ^ np.uint32(x >> np.uint32(16))) + high)
        x = np.uint32(np.uint32(x ^ np.uint32(x >> np.uint32(16))) * np.uint32(0x7FEB352D))
        x = np.uint32(np.uint32(x ^ np.uint32(x >> np.uint32(15))) * np.uint32(0x846CA68B))
        bits[i] = np.uint32(x ^ np.uint32(x >> np.uint32(16)))


@numba.njit(nogil=True, cache=True, fastmath=True)
def fill_normals(bits: Bits, scratch: npt.NDArray[np.int32], out: Float32) -> None:
    """Fill `out` [2 h] with standard normals made of `bits` [2 h]: Box and Muller (1958).

    `scratch`, int32 [h], is overwritten. Largest magnitude 6.7. ln, cos and sin are polynomials
    (Cephes logf, cosf, sinf; relative error below 3e-7).
    """
    half = bits.size // 2
    _fill_radii(bits[:half], scratch, out[:half])
    radius = scratch.view(np.float32)
    _turn(bits[half:], radius, out)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _fill_radii(bits: Bits, scratch: npt.NDArray[np.int32], exponents: Float32) -> None:
    """sqrt(−2 ln u) into the floats that share memory with `scratch`; `exponents` is scratch too."""
    uniform = scratch.view(np.float32)
    for i in range(bits.size):
        uniform[i] = np.float32(bits[i]) * np.float32(2.0**-32) + np.float32(2.0**-33)
    for i in range(bits.size):
        word = scratch[i]
        exponents[i] = np.float32((word >> 23) - 127)
        scratch[i] = (word & 0x7FFFFF) | 0x3F800000
    for i in range(bits.size):
        fold = uniform[i] > np.float32(1.41421356)
        x = (np.float32(0.5) * uniform[i] if fold else uniform[i]) - np.float32(1.0)
        exponent = exponents[i] + np.float32(1.0) if fold else exponents[i]
        y = np.float32(7.0376836292e-2) * x - np.float32(1.1514610310e-1)
        y = y * x + np.float32(1.1676998740e-1)
        y = y * x - np.float32(1.2420140846e-1)
        y = y * x + np.float32(1.4249322787e-1)
        y = y * x - np.float32(1.6668057665e-1)
        y = y * x + np.float32(2.0000714765e-1)
        y = y * x - np.float32(2.4999993993e-1)
        y = y * x + np.float32(3.3333331174e-1)
        log = x + (y * x - np.float32(0.5)) * x * x + exponent * np.float32(0.69314718)
        uniform[i] = np.sqrt(np.maximum(np.float32(-2.0) * log, np.float32(0.0)))


@numba.njit(nogil=True, cache=True, fastmath=True)
def _turn(bits: Bits, radius: Float32, out: Float32) -> None:
    """Radius × cos and × sin of the angle in `bits`: two bits of quarter turns, thirty within ±45°."""
    half = bits.size
    for i in range(half):
        quarter = np.int32(bits[i] >> np.uint32(30))
        part = np.float32(np.int32(bits[i] & np.uint32(0x3FFFFFFF))) * np.float32(2.0**-30)
        angle = (part - np.float32(0.5)) * np.float32(1.57079633)
        q = angle * angle
        s = np.float32(8.3321608736e-3) - q * np.float32(1.9515295891e-4)
        s = angle + angle * q * (np.float32(-1.6666654611e-1) + q * s)
        c = np.float32(-1.388731625e-3) + q * np.float32(2.443315711e-5)
        c = np.float32(1.0) - np.float32(0.5) * q + q * q * (np.float32(4.166664568e-2) + q * c)
        odd = (quarter & 1) == 1
        first, second = (s if odd else c), (c if odd else s)
        first = -first if (quarter + 1) & 2 else first  # second and third quarter
        second = -second if quarter >= 2 else second
        out[i] = radius[i] * first
        out[half + i] = radius[i] * second
