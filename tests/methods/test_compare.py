"""Signs, a line with errors in both axes, correlation: against R, by known truth, by symmetry."""

import math
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nexome.methods.compare import effect_line, mirror_correlation, sign_concordance

NEEDS_R = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
POINT = st.tuples(
    st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 0.5), st.floats(0.01, 0.5), st.booleans()
)


def _r(code):
    """Numbers that a line of R prints."""
    done = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def _vector(values):
    return "c(" + ",".join(repr(float(v)) for v in values) + ")"


def _simulated(slope, points, seed=4):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1, points)
    sx, sy = rng.uniform(0.02, 0.3, points), rng.uniform(0.02, 0.4, points)
    return truth + rng.normal(0, sx), slope * truth + rng.normal(0, sy), sx, sy


@NEEDS_R
@pytest.mark.parametrize(("same", "tested"), [(0, 5), (5, 5), (37, 52), (1, 1), (260, 400)])
def test_the_interval_of_signs_is_that_of_binom_test(same, tested):
    a = np.ones(tested)
    b = np.where(np.arange(tested) < same, 1.0, -1.0)
    found = sign_concordance(a, b)
    low, high, p = _r(f"t <- binom.test({same}, {tested}); cat(format(c(t$conf.int, t$p.value), digits=15))")
    assert (found.same, found.tested) == (same, tested)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.p == pytest.approx(p, rel=1e-9)


@NEEDS_R
@pytest.mark.parametrize(("slope", "points"), [(0.7, 30), (-1.8, 12), (0.0, 40), (25.0, 20)])
def test_the_line_is_where_r_finds_the_least_sum(slope, points):
    """R's optimize of the same sum over the slope, its hessian, and χ² tail."""
    x, y, sx, sy = _simulated(slope, points)
    found = effect_line(x, y, x_error=sx, y_error=sy)
    code = (
        f"x<-{_vector(x)};y<-{_vector(y)};sx<-{_vector(sx)};sy<-{_vector(sy)};"
        "f<-function(b) sum((y-b*x)^2/(sy^2+b^2*sx^2));"
        f"o<-optimize(f, c({slope - 3}, {slope + 3}), tol=1e-10);"
        "h<-optimHess(o$minimum, f, control=list(ndeps=1e-4));"
        "cat(format(c(o$minimum, sqrt(2/h[1,1]), o$objective, pchisq(o$objective, length(x)-1, lower=FALSE)),"
        " digits=15))"
    )
    best, error, q, p = _r(code)
    assert found.slope == pytest.approx(best, rel=1e-5, abs=1e-6)
    assert found.standard_error == pytest.approx(error, rel=2e-3)
    assert found.q == pytest.approx(q, rel=1e-8)
    assert found.p_heterogeneity == pytest.approx(p, rel=1e-6)


def test_the_line_covers_the_truth_about_as_often_as_it_says():
    held = 0
    for seed in range(200):
        x, y, sx, sy = _simulated(0.6, 25, seed=seed)
        found = effect_line(x, y, x_error=sx, y_error=sy)
        held += found.low <= 0.6 <= found.high
    assert held >= 180  # 190 expected; the interval is widened where points scatter, never narrowed


def test_without_error_in_x_it_is_the_weighted_line():
    x, y, _, sy = _simulated(0.4, 30)
    found = effect_line(x, y, x_error=np.full(30, 1e-9), y_error=sy)
    weighted = float(np.sum(x * y / sy**2) / np.sum(x * x / sy**2))
    assert found.slope == pytest.approx(weighted, rel=1e-6)
    assert found.standard_error == pytest.approx(1 / math.sqrt(np.sum(x * x / sy**2)), rel=1e-3)


@given(st.lists(POINT, min_size=3, max_size=20))
def test_calling_the_other_allele_the_effect_allele_changes_nothing(points):
    x, y, sx, sy, turned = (np.array(values) for values in zip(*points, strict=True))
    assume(np.abs(x).max() > 0.1)
    turn = np.where(turned, -1.0, 1.0)
    first = effect_line(x, y, x_error=sx, y_error=sy)
    second = effect_line(x * turn, y * turn, x_error=sx, y_error=sy)
    assert second.q == pytest.approx(first.q, rel=1e-6, abs=1e-9)
    assert sign_concordance(x * turn, y * turn) == sign_concordance(x, y)
    r = [mirror_correlation(x * t, y * t).r for t in (1.0, turn)]
    assert r[1] == pytest.approx(r[0], nan_ok=True)


@given(st.lists(POINT, min_size=3, max_size=20))
def test_swapping_the_axes_turns_the_line_over(points):
    x, y, sx, sy, _ = (np.array(values) for values in zip(*points, strict=True))
    there = effect_line(x, y, x_error=sx, y_error=sy)
    back = effect_line(y, x, x_error=sy, y_error=sx)
    assert back.q == pytest.approx(there.q, rel=1e-5, abs=1e-7)


def test_the_unit_of_an_axis_goes_with_the_slope():
    x, y, sx, sy = _simulated(0.6, 25)
    plain = effect_line(x, y, x_error=sx, y_error=sy)
    scaled = effect_line(x * 1e-4, y * 50, x_error=sx * 1e-4, y_error=sy * 50)
    assert scaled.slope == pytest.approx(plain.slope * 5e5, rel=1e-6)
    assert scaled.standard_error == pytest.approx(plain.standard_error * 5e5, rel=1e-4)


def test_correlation_is_that_of_the_points_and_their_mirror_images():
    x, y, _, _ = _simulated(0.8, 40)
    found = mirror_correlation(x, y)
    both = np.corrcoef(np.concatenate([x, -x]), np.concatenate([y, -y]))[0, 1]
    assert found.r == pytest.approx(both, rel=1e-12)
    assert found.low < found.r < found.high


def test_nothing_is_told_of_too_little():
    none = np.zeros(0)
    assert sign_concordance(none, none).tested == 0
    assert math.isnan(sign_concordance(np.array([0.0, np.nan]), np.array([1.0, 1.0])).share)
    two = np.array([1.0, 2.0])
    assert math.isnan(effect_line(two, two, x_error=two, y_error=two).slope)
    assert math.isnan(mirror_correlation(two, two).r)
    assert math.isnan(mirror_correlation(np.zeros(9), np.ones(9)).r)


def test_missing_numbers_are_left_out():
    x, y, sx, sy = _simulated(0.6, 25)
    gaps = np.append(x, [np.nan, 1.0, 1.0])
    found = effect_line(
        gaps,
        np.append(y, [1.0, np.nan, 1.0]),
        x_error=np.append(sx, [1, 1, np.nan]),
        y_error=np.append(sy, [1, 1, 1]),
    )
    assert found == effect_line(x, y, x_error=sx, y_error=sy)
