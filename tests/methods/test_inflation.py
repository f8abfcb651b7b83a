"""λGC from z and from counts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.inflation import lambda_gc, lambda_gc_from_counts
from nexome.methods.quantiles import Z_BINS, Z_STEP, count_abs_z
from nexome.model.errors import InputError


def test_null_and_inflated():
    z = np.random.default_rng(1).standard_normal(200_001)
    assert lambda_gc(z) == pytest.approx(1.0, abs=0.02)  # 3 standard errors are 0.017
    assert lambda_gc(z * math.sqrt(1.3)) == pytest.approx(1.3 * lambda_gc(z), rel=1e-12)


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.7])
def test_counts_agree_with_z(scale):
    z = (np.random.default_rng(2).standard_normal(200_000) * scale).astype(np.float32)
    assert lambda_gc_from_counts(count_abs_z(z)) == pytest.approx(lambda_gc(z), abs=1e-3)


@given(st.lists(st.floats(-39, 39), min_size=1, max_size=40))
def test_counts_are_within_a_bin_of_a_middle_value(values):
    size = np.sort(np.abs(values))
    low, high = size[(size.size - 1) // 2], size[size.size // 2]
    median = math.sqrt(lambda_gc_from_counts(count_abs_z(np.array(values))) * 0.45493642311957283)
    assert low - Z_STEP - 1e-9 <= median <= high + Z_STEP + 1e-9


def test_nothing_known():
    assert math.isnan(lambda_gc(np.array([np.nan])))
    assert math.isnan(lambda_gc_from_counts(np.zeros(Z_BINS)))
    with pytest.raises(InputError):
        lambda_gc_from_counts(np.zeros(7))
