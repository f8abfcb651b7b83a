"""The noise is what the docs say: symmetric, bounded, of the people alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.disclosure.perturb import MOST_NOISE, NOISE, bounds_of, noise_variance, perturb

KEYS = np.random.default_rng(0).integers(0, 2**64, 200_000, dtype=np.uint64)


def test_the_table_is_a_distribution():
    assert NOISE[0] + 2 * sum(share for size, share in NOISE.items() if size) == 1_000
    assert noise_variance() == pytest.approx(3.736)


@pytest.mark.parametrize("count", [10, 11, 400])
def test_larger_counts_have_the_noise_of_the_table(count):
    noise = perturb(np.full(len(KEYS), count), KEYS, 5) - count
    assert abs(noise.mean()) < 0.02
    assert noise.var() == pytest.approx(noise_variance(), rel=0.02)
    assert noise.min() == -MOST_NOISE
    assert noise.max() == MOST_NOISE


@pytest.mark.parametrize("count", [5, 6, 8])
def test_counts_near_the_smallest_cell_are_not_shifted_on_average(count):
    published = perturb(np.full(len(KEYS), count), KEYS, 5)
    assert published.mean() == pytest.approx(count, abs=0.04)
    assert not np.isin(published, (1, 2, 3, 4)).any()


def test_nobody_stays_nobody():
    assert not perturb(np.zeros(len(KEYS), np.int64), KEYS, 5).any()


@given(st.integers(0, 60), st.integers(0, 2**64 - 1), st.integers(3, 12))
def test_the_true_count_lies_within_the_bounds_told(count, key, smallest):
    published = int(perturb(np.array([count]), np.array([key], np.uint64), smallest)[0])
    low, high = bounds_of(published, smallest)
    assert low <= count <= high
    assert abs(published - count) < MOST_NOISE + smallest
