"""Reference limits: which method when, Horn's method against base R, and against known distributions."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from nexome.methods.reference.distribution import from_sample
from nexome.methods.reference.limits import reference_limits, robust_limits
from nexome.methods.reference.percentiles import rank_interval, smooth_quantiles

RNG = np.random.default_rng(11)

HORN = """
d <- scan('x.txt', quiet = TRUE); n <- length(d); med <- median(d); t <- med
mad <- median(abs(d - med)) / 0.6745
repeat { u <- (d - t) / (3.7 * mad); w <- ifelse(abs(u) < 1, (1 - u^2)^2, 0); new <- sum(w * d) / sum(w)
         if (abs(new - t) < 5e-6) { t <- new; break }; t <- new }
scale <- function(x, r, k) { u <- x / r; u <- u[abs(u) < 1]; b <- sum((1 - u^2) * (1 - 5 * u^2))
         r * sqrt(k * sum(u^2 * (1 - u^2)^4) / (b * max(1, b - 1))) }
s1 <- scale(d - med, 205.6 * mad, n); s2 <- scale(d - med, 3.7 * mad, n); s3 <- scale(d - t, 3.7 * s2, 1)
m <- qt(.975, n - 1) * sqrt(s1^2 + s3^2)
cat(sprintf('[%.12g,%.12g]', t - m, t + m))
"""


@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs R")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_robust_limits_are_those_of_r(tmp_path, seed):
    x = np.append(np.random.default_rng(seed).normal(100, 12, 60), [190.0, 30.0])
    (tmp_path / "x.txt").write_text("\n".join(f"{v:.17g}" for v in x))
    done = subprocess.run(["Rscript", "-e", HORN], cwd=tmp_path, capture_output=True, text=True, check=True)
    lower, upper = robust_limits(x[None, :])
    assert [lower[0], upper[0]] == pytest.approx(json.loads(done.stdout), rel=1e-6)


def test_the_size_of_a_group_chooses_the_method():
    sizes = (19, 20, 119, 120)
    methods = [reference_limits(from_sample(RNG.normal(5, 1, n))).method for n in sizes]
    assert methods[0] == "none"
    assert methods[1].startswith("robust")
    assert methods[2].startswith("robust")
    assert methods[3] == "non-parametric"
    assert reference_limits(from_sample(RNG.normal(5, 1, 150)), people_least=200).method.startswith("robust")


def test_the_interval_is_of_the_guideline_s_ranks_smoothed():
    d = from_sample(RNG.normal(140, 3, 400))
    found = reference_limits(d)
    ranks = np.array(rank_interval(400, 0.025, level=0.90)) / 401
    assert [found.lower_low, found.lower_high] == pytest.approx(smooth_quantiles(d, ranks)[0])


def test_skewed_values_are_logged_and_the_truth_is_found():
    truth, rng = np.exp(1 + np.array([-1.96, 1.96]) * 0.6), np.random.default_rng(5)
    held, logged = np.zeros(2), 0
    for _ in range(60):
        found = reference_limits(from_sample(rng.lognormal(1, 0.6, 110)))
        logged += found.method == "robust, logarithms"
        held += (found.lower_low < truth[0] < found.lower_high, found.upper_low < truth[1] < found.upper_high)
    assert logged >= 57
    assert held.min() >= 46  # 90 % of 60 is 54, with an SD of 2.3; the bootstrap is a little short


def test_robust_limits_follow_outliers_less_than_mean_and_sd():
    """Not by much: the constant 205.6 reaches far, which is why outliers are looked for first."""
    x = np.append(np.random.default_rng(8).normal(50, 5, 80), [90.0, 95.0])
    upper = float(robust_limits(x[None, :])[1][0])
    plain = x.mean() + 1.96 * x.std(ddof=1)
    assert upper < plain


def test_what_is_above_0_has_no_limit_below():
    x = np.abs(np.random.default_rng(12).normal(2, 1, 60)) + 0.01
    found = reference_limits(from_sample(x))
    assert found.lower_low > 0
    assert reference_limits(from_sample(x - 2)).lower < 0


def test_the_bootstrap_is_seeded_and_weights_count():
    x = RNG.normal(10, 2, 90)
    assert reference_limits(from_sample(x)) == reference_limits(from_sample(x))
    heavy = reference_limits(from_sample(x, np.where(x > 10, 5.0, 1.0)))
    assert heavy.lower > reference_limits(from_sample(x)).lower


def test_one_value_for_everyone_has_no_limits():
    assert reference_limits(from_sample(np.full(50, 3.0))).method == "none"
