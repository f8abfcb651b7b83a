"""|z| counts and QQ points against the plain sorted way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.normal import neg_log10_p_from_z
from nexome.methods.quantiles import Z_BINS, Z_STEP, count_abs_z, quantile_points


@given(st.lists(st.floats(-60, 60, width=32) | st.just(np.nan) | st.just(np.inf), max_size=60))
def test_counts_agree_with_numpy(values):
    z = np.array(values, dtype=np.float32)
    edges = np.append(np.arange(Z_BINS) * Z_STEP, np.inf)
    expected, _ = np.histogram(np.abs(z[~np.isnan(z)]), bins=edges)
    assert count_abs_z(z).tolist() == expected.tolist()


def test_parts_add_up():
    z = np.random.default_rng(3).standard_normal((50, 40))
    assert (count_abs_z(z[:20]) + count_abs_z(z[20:]) == count_abs_z(z)).all()


def test_points_follow_the_sorted_values():
    z = np.random.default_rng(4).standard_normal(100_000)
    points = quantile_points(count_abs_z(z))
    assert points.count.sum() == z.size
    assert (np.diff(points.expected) > 0).all()
    assert (np.diff(points.observed) > 0).all()
    observed = np.sort(neg_log10_p_from_z(z))
    expected = np.sort(-np.log10((np.arange(z.size) + 0.5) / z.size))
    assert points.observed == pytest.approx(np.interp(points.expected, expected, observed), abs=0.06)
    inside = (points.lower <= points.observed) & (points.observed <= points.upper)
    assert inside[points.expected < 3].mean() > 0.5
    assert (points.lower <= points.expected).all()


def test_band_is_the_beta_of_the_rank():
    counts = np.zeros(Z_BINS, dtype=np.int64)
    counts[:98] = 1  # 100 values; the third strongest lies alone in bin 97
    counts[[300, 400]] = 1
    points = quantile_points(counts)
    assert points.expected[-3] == pytest.approx(-np.log10(2.5 / 100))
    # the 0.025 and 0.975 quantiles of Beta(3, 98) by qbeta in R 4.x
    assert [points.lower[-3], points.upper[-3]] == pytest.approx(
        -np.log10([0.0703839324710701097, 0.0062299715383063968]), rel=1e-9
    )


def test_nothing_counted():
    assert quantile_points(np.zeros(Z_BINS)).expected.size == 0
