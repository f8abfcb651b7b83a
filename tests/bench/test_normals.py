"""Counter-based normals against the textbook formula in double precision, and their distribution."""

import numpy as np
import pytest
from scipy import stats

from nexome.bench.normals import fill_bits, fill_normals, mix64

SIZE = 200_000


def _draw(key: int, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    bits, scratch = np.empty(size, np.uint32), np.empty(size // 2, np.int32)
    normals = np.empty(size, np.float32)
    fill_bits(np.uint64(key), bits)
    fill_normals(bits, scratch, normals)
    return bits, normals


def test_mix64_gives_the_published_first_numbers_of_splitmix64():
    # First outputs of the reference program (Vigna, splitmix64.c) from state 1234567.
    state, published = 1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423]
    for expected in published:
        assert int(mix64(np.uint64(state))) == expected
        state = (state + 0x9E3779B97F4A7C15) % 2**64


def test_normals_are_the_box_muller_formula():
    bits, normals = _draw(7)
    half = SIZE // 2
    # The uniform itself is a single: near 1 its step is what limits the smallest radii.
    uniform = bits[:half].astype(np.float32) * np.float32(2.0**-32) + np.float32(2.0**-33)
    radius = np.sqrt(-2 * np.log(uniform.astype(float)))
    turn = (bits[half:] >> 30).astype(float)
    angle = ((bits[half:] & 0x3FFFFFFF) / 2**30 - 0.5) * np.pi / 2 + turn * np.pi / 2
    assert np.allclose(normals[:half], radius * np.cos(angle), atol=3e-6)
    assert np.allclose(normals[half:], radius * np.sin(angle), atol=3e-6)


@pytest.mark.parametrize("bits", [0, 2**32 - 1])
def test_the_ends_of_the_range_are_finite(bits):
    out = np.empty(2, np.float32)
    fill_normals(np.full(2, bits, np.uint32), np.empty(1, np.int32), out)
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 6.8


def test_normals_are_normal_and_streams_are_independent():
    (_, first), (_, second) = _draw(1), _draw(2)
    assert stats.kstest(first, "norm").pvalue > 1e-3
    assert abs(stats.kurtosis(first)) < 0.05
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.01


def test_bits_depend_on_key_and_place_alone():
    whole, part = np.empty(1000, np.uint32), np.empty(10, np.uint32)
    fill_bits(np.uint64(5), whole)
    fill_bits(np.uint64(5), part)
    assert np.array_equal(whole[:10], part)
    assert len(set(whole.tolist())) > 995
