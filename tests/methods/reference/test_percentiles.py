"""Percentiles against scipy and R, intervals against the binomial distribution and the guideline's ranks."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.mstats import hdquantiles

from nexome.methods.reference.distribution import from_sample
from nexome.methods.reference.percentiles import percentiles_of, rank_interval, smooth_quantiles

SHARES = np.array([0.01, 0.025, 0.1, 0.5, 0.9, 0.99])

# CLSI EP28-A3c, ranks of the 90 % interval of the lower limit: n from, lower rank, upper rank
GUIDELINE = [
    *[(120, 1, 7), (133, 1, 8), (161, 1, 9), (188, 2, 9), (190, 2, 10), (219, 2, 11), (250, 3, 12)],
    *[(280, 3, 13), (308, 4, 13), (310, 4, 14), (341, 4, 15), (364, 5, 15), (373, 5, 16), (404, 5, 17)],
]


def test_small_samples_are_as_scipy_has_them():
    x = np.random.default_rng(1).lognormal(1, 0.6, 180)
    ours, error = smooth_quantiles(from_sample(x), SHARES)
    assert ours == pytest.approx(np.asarray(hdquantiles(x, SHARES)), rel=1e-9)
    assert np.isfinite(error).all()


def test_the_standard_error_is_that_of_maritz_and_jarrett():
    x = np.sort(np.random.default_rng(2).normal(50, 9, 80))
    n, p = len(x), 0.3
    a, b = (n + 1) * p, (n + 1) * (1 - p)  # the beta weights of Harrell and Davis
    weights = np.diff(stats.beta(a, b).cdf(np.arange(n + 1) / n))
    expected = np.sqrt(weights @ x**2 - (weights @ x) ** 2)
    assert smooth_quantiles(from_sample(x), [p])[1][0] == pytest.approx(expected, rel=1e-9)


def test_large_samples_agree_with_the_exact_weights():
    x = np.random.default_rng(3).gamma(3, 2, 20_000)
    exact = np.asarray(hdquantiles(x, SHARES))
    ours, error = smooth_quantiles(from_sample(x), SHARES)
    assert np.abs(ours - exact).max() < 0.05 * error.min()


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=60), st.integers(2, 5))
def test_a_weight_is_as_many_people(values, times):
    """Everyone twice with weight 1 has the quantiles of everyone once with weight 2, at one effective n."""
    repeated = from_sample(np.repeat(values, times))
    weighted = from_sample(values, np.full(len(values), float(times)))
    assert weighted.count * times == repeated.count
    assert weighted.mean == pytest.approx(repeated.mean)
    assert weighted.effective == pytest.approx(len(values))
    assert smooth_quantiles(weighted, [0.3])[0] == pytest.approx(
        smooth_quantiles(from_sample(values), [0.3])[0]
    )


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=80))
def test_quantiles_ascend_and_stay_within_the_values(values):
    ours = smooth_quantiles(from_sample(values), np.linspace(0.05, 0.95, 19))[0]
    slack = 1e-9 * max(1.0, np.ptp(values))
    assert np.all(np.diff(ours) >= -slack)
    assert min(values) - slack <= ours[0]
    assert ours[-1] <= max(values) + slack


@pytest.mark.parametrize(("n", "first", "last"), GUIDELINE)
def test_ranks_are_those_of_the_guideline(n, first, last):
    assert [int(r) for r in rank_interval(n, 0.025, level=0.90)] == [first, last]
    assert [int(r) for r in rank_interval(n - 1, 0.025, level=0.90)] != [first, last] or n == 120


@given(st.integers(20, 3_000), st.floats(0.02, 0.98), st.sampled_from([0.9, 0.95]))
def test_each_side_misses_with_at_most_half_of_the_rest(n, p, level):
    first, last = (int(r) for r in rank_interval(n, p, level=level))
    side = (1 - level) / 2 + 1e-9
    assert stats.binom.cdf(first - 1, n, p) <= side  # the quantile lies below the first rank
    assert stats.binom.sf(last - 1, n, p) <= side
    assert stats.binom.cdf(first, n, p) >= side - 2e-9  # and no narrower interval would do


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, shares = np.random.default_rng(4), np.array([0.05, 0.5, 0.95])
    truth = stats.norm.ppf(shares)
    held = np.zeros(3)
    for _ in range(400):
        q = percentiles_of(from_sample(rng.normal(size=400)), shares)
        held += (q.low <= truth) & (truth <= q.high)
    assert np.all(held / 400 > 0.92)


@pytest.mark.parametrize(
    ("n", "p", "shown"), [(500, 0.01, True), (499, 0.01, False), (10, 0.5, True), (9, 0.5, False)]
)
def test_a_percentile_is_shown_with_five_people_beyond(n, p, shown):
    assert bool(percentiles_of(from_sample(np.arange(n)), [p]).shown[0]) is shown


def test_ends_are_no_order_statistics_near_the_tails():
    q = percentiles_of(from_sample(np.arange(200.0)), [0.03, 0.5])
    assert q.exact.tolist() == [False, True]
    assert q.low[0] < q.estimate[0] < q.high[0]


@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs R")
def test_order_statistics_and_means_are_those_of_r(tmp_path):
    """Base R: weighted.mean, sd, qbinom ranks, and Harrell–Davis weights by pbeta."""
    x = np.round(np.random.default_rng(5).lognormal(3, 0.4, 150), 3)
    w = np.round(np.random.default_rng(6).uniform(0.5, 3, 150), 3)
    (tmp_path / "x.csv").write_text("x,w\n" + "\n".join(f"{a},{b}" for a, b in zip(x, w, strict=True)))
    script = """
    d <- read.csv('x.csv'); n <- nrow(d); p <- 0.1; s <- sort(d$x)
    hd <- sum(diff(pbeta((0:n)/n, (n+1)*p, (n+1)*(1-p))) * s)
    cat(sprintf('[%.12g,%.12g,%.12g,', weighted.mean(d$x, d$w), sd(d$x), hd))
    cat(sprintf('%d,%d]', qbinom(.05, n, .025), qbinom(.95, n, .025) + 1))
    """
    done = subprocess.run(["Rscript", "-e", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    mean, sd, hd, first, last = json.loads(done.stdout)
    assert from_sample(x, w).mean == pytest.approx(mean, rel=1e-10)
    assert from_sample(x).sd == pytest.approx(sd, rel=1e-10)
    assert smooth_quantiles(from_sample(x), [0.1])[0][0] == pytest.approx(hd, rel=1e-10)
    assert [int(r) for r in rank_interval(150, 0.025, level=0.90)] == [first, last]
