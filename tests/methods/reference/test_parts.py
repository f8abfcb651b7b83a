"""Histograms against plain samples, outliers, rounding, partitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.reference.distribution import from_sample
from nexome.methods.reference.histograms import choose_grid, count_people
from nexome.methods.reference.outliers import fences, prefers_logarithms
from nexome.methods.reference.partitions import compare_groups, harris_boyd
from nexome.methods.reference.percentiles import smooth_quantiles
from nexome.methods.reference.rounding import measured_step, round_to
from nexome.model.errors import InputError


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(-1, 2), st.integers(0, 3)), min_size=4, max_size=120),
    st.booleans(),
)
def test_rounded_values_lose_nothing_in_a_histogram(rows, weighted):
    values, cells = np.array([r[0] / 10 for r in rows]), np.array([r[1] for r in rows], np.int32)
    weights = np.array([float(r[2]) for r in rows]) if weighted else None
    grid = choose_grid(values)
    histogram = count_people(values, cells, 3, grid=grid, weights=weights)
    for cell in range(3):
        mine = cells == cell
        ours = histogram.of_cells(np.array([cell]))
        plain = from_sample(values[mine], None if weights is None else weights[mine])
        assert ours.count == plain.count
        assert ours.values == pytest.approx(plain.values)
        assert ours.mean == pytest.approx(plain.mean, nan_ok=True)
        assert ours.sd == pytest.approx(plain.sd, nan_ok=True, abs=1e-6)
        assert ours.effective == pytest.approx(plain.effective)


@pytest.mark.parametrize("draw", [lambda r: r.lognormal(0, 1, 30_000), lambda r: r.normal(0, 1, 30_000)])
def test_percentiles_of_a_histogram_are_those_of_the_values(draw):
    values = draw(np.random.default_rng(2))
    histogram = count_people(values, np.zeros(len(values), np.int32), 1, grid=choose_grid(values))
    shares = np.array([0.01, 0.1, 0.5, 0.9, 0.99])
    ours = smooth_quantiles(histogram.of_cells(slice(0, 1)), shares)[0]
    exact, error = smooth_quantiles(from_sample(values), shares)
    assert np.abs(ours - exact).max() / error.max() < 0.5
    assert histogram.of_cells(slice(0, 1)).sd == pytest.approx(np.std(values, ddof=1), rel=1e-9)


def test_missing_values_and_weights_are_in_no_cell():
    values = np.array([1.0, np.nan, 3.0, 4.0, np.inf])
    weights = np.array([1.0, 1.0, 0.0, np.nan, 1.0])
    grid = choose_grid(values)
    assert count_people(values, np.zeros(5, np.int32), 1, grid=grid, weights=weights).people.sum() == 1
    assert choose_grid(np.array([np.nan])) is None


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([120, 122, 136], 2),
        ([5, 10, 25], 5),
        ([5.1, 5.25], 0.05),
        ([0.123, 0.2], 0.001),
        ([np.pi, np.e], None),
    ],
)
def test_the_rounding_of_a_measurement_is_found(values, step):
    assert measured_step(values) == step


@given(st.floats(0.001, 1e5), st.sampled_from([None, 0.1, 0.05, 2.0]))
def test_rounding_twice_is_rounding_once(value, step):
    once = round_to(value, step)
    assert round_to(once, step) == once
    assert abs(float(once) - value) <= (step / 2 if step else 0.005 * value) * (1 + 1e-9) + 1e-12


def test_outliers_by_two_rules():
    x = np.append(np.random.default_rng(4).normal(10, 1, 50), 30.0)
    for rule in ("tukey", "dixon"):
        low, high = fences(from_sample(x), rule)
        assert ((x < low) | (x > high)).tolist() == [False] * 50 + [True], rule
    assert fences(from_sample(x), "none") == (-np.inf, np.inf)
    skewed = np.random.default_rng(5).lognormal(0, 1, 5_000)
    low, high = fences(from_sample(skewed), "tukey")
    assert ((skewed < low) | (skewed > high)).sum() <= 3  # logarithms are looked at: the tail stays
    assert prefers_logarithms(from_sample(skewed))
    assert not prefers_logarithms(from_sample(skewed - 5))


def test_harris_and_boyd_by_hand():
    z, critical, ratio = harris_boyd((10.0, 2.0, 120), (11.0, 3.2, 120))
    assert z == pytest.approx(-1 / np.sqrt(4 / 120 + 10.24 / 120))
    assert (critical, ratio) == (pytest.approx(3.0), pytest.approx(1.6))


def test_groups_that_differ_and_groups_that_do_not():
    rng = np.random.default_rng(6)
    a, b, c = (from_sample(rng.normal(m, 1, 4_000)) for m in (10, 10, 11))
    assert (compare_groups(a, b).harris_boyd, compare_groups(a, b).lahti) == ("common", "common")
    apart = compare_groups(a, c)
    assert (apart.harris_boyd, apart.lahti) == ("separate", "separate")
    pooled = np.quantile(np.concatenate([a.sample()[0], c.sample()[0]]), [0.025, 0.975])
    assert apart.shares[0] == pytest.approx(np.mean(a.sample()[0] < pooled[0]), abs=0.002)
    few = from_sample(rng.normal(10, 1, 30))
    assert compare_groups(a, few).lahti == "undecided"


def test_a_weight_belongs_to_each_value():
    with pytest.raises(InputError, match="2 values and 1 weights"):
        from_sample([1.0, 2.0], [1.0])
