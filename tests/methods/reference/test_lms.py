"""LMS curves: published identities, the likelihood against base R's own optimiser, known curves recovered."""

import json
import math
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special, stats

from nexome.methods.reference.lms import fit_curve, value_at, value_error, z_error, z_of
from nexome.model.errors import InputError

# CDC 2000 growth charts, weight of boys of 9 months: the published L, M, S and, with the method's
# description, the 5th percentile 7.90 kg and z 0.207 of 9.7 kg
CDC = (-0.1600954, 9.476500305, 0.11218624)


def simulate(n, seed):
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    power = -0.4 + 0.01 * (age - 20)
    median = np.exp(1.2 + 0.25 * np.sin(age / 18))
    variation = 0.12 + 0.001 * (age - 20)
    return age, value_at(rng.normal(size=n), power, median, variation), (power, median, variation)


def table_of(age, value, step=1.0):
    """Weights by year of age and exact value."""
    years = np.floor(age / step) * step
    ages, at = np.unique(years, return_inverse=True)
    values, which = np.unique(value, return_inverse=True)
    weight = np.zeros((len(ages), len(values)))
    np.add.at(weight, (at, which), 1.0)
    return ages + step / 2, values, weight


def test_published_growth_charts_are_met():
    assert float(z_of(9.7, *CDC)) == pytest.approx(0.207, abs=5e-4)
    assert float(value_at(special.ndtri(0.05), *CDC)) == pytest.approx(7.90, abs=0.005)
    assert float(value_at(0.0, *CDC)) == pytest.approx(CDC[1])


@given(st.floats(-3, 3), st.floats(-2.5, 2.5), st.floats(0.1, 500), st.floats(0.01, 0.12))
@example(1.0, 5e-324, 1.0, 0.0625)
def test_value_and_z_undo_each_other(z, power, median, variation):
    value = value_at(z, power, median, variation)
    assert float(z_of(value, power, median, variation)) == pytest.approx(z, abs=1e-6)


@given(st.floats(0.2, 5), st.floats(0.05, 0.4))
def test_the_logarithm_is_the_limit(ratio, variation):
    near, zero = z_of(ratio, 1e-9, 1.0, variation), z_of(ratio, 0.0, 1.0, variation)
    assert float(near) == pytest.approx(float(zero), rel=1e-6, abs=1e-9)
    assert float(zero) == pytest.approx(math.log(ratio) / variation)


def test_what_cannot_be_has_no_number():
    assert math.isnan(float(z_of(0.0, 1.0, 5.0, 0.1)))
    assert math.isnan(float(value_at(-30.0, 1.0, 5.0, 0.1)))
    with pytest.raises(InputError, match="not above 0"):
        fit_curve(np.arange(5.0), np.array([-1.0, 2.0]), np.ones((5, 2)))


def test_too_few_ages_have_no_curve():
    assert fit_curve(np.arange(3.0), np.array([1.0, 2.0]), np.ones((3, 2))) is None


@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs R")
def test_the_maximum_is_the_one_of_base_r(tmp_path):
    """L constant, log M and log S linear in age: R's own optim, on the raw values, finds the same numbers."""
    rng = np.random.default_rng(3)
    age = np.repeat(np.arange(20.0, 30.0), 120)
    value = np.round(value_at(rng.normal(size=len(age)), -0.7, np.exp(0.5 + 0.03 * (age - 20)), 0.2), 4)
    lines = "\n".join(f"{a},{v}" for a, v in zip(age, value, strict=True))
    (tmp_path / "d.csv").write_text("age,y\n" + lines)
    script = """
    d <- read.csv('d.csv'); t <- (d$age - 20) / 9
    nll <- function(b) { L <- b[1]; M <- exp(b[2] + b[3] * t); S <- exp(b[4])
      z <- ((d$y / M)^L - 1) / (L * S); -sum(L * log(d$y / M) - log(S) - z^2 / 2) }
    f <- optim(c(.5, .5, .2, -1.6), nll, method = 'BFGS', hessian = TRUE,
               control = list(reltol = 1e-14, maxit = 500))
    all <- c(f$par, f$value, sqrt(diag(solve(f$hessian))))
    cat(sprintf('[%s]', paste(sprintf('%.10g', all), collapse = ',')))
    """
    done = subprocess.run(["Rscript", "-e", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    ages, values, weight = table_of(age, value)
    curve = fit_curve(ages - 0.5, values, weight)
    assert curve.shape == (1, 2, 1)  # chosen by BIC
    assert curve.log_likelihood == pytest.approx(-found[4], rel=1e-9)
    assert curve.coefficients == pytest.approx(found[:4], abs=2e-4)
    # R's errors are of the observed information, ours a sandwich: alike where the model is right
    assert np.sqrt(np.diag(curve.covariance)) == pytest.approx(found[5:], rel=0.15)


@pytest.mark.parametrize("seed", [1, 2])
def test_known_curves_are_found_within_their_errors(seed):
    age, value, _ = simulate(40_000, seed)
    ages, values, weight = table_of(age, np.round(value, 2))
    curve = fit_curve(ages, values, weight)
    at = np.array([25.5, 40.5, 55.5, 74.5])
    power, median, variation = curve.at(at)
    truth = (-0.4 + 0.01 * (at - 20), 1.2 + 0.25 * np.sin(at / 18), np.log(0.12 + 0.001 * (at - 20)))
    error = np.sqrt(np.diagonal(curve.covariances(at), axis1=1, axis2=2)).T
    off = np.abs(np.array([power, np.log(median), np.log(variation)]) - np.array(truth)) / error
    assert off[1:].max() < 4.5  # M and S
    assert np.abs(power - truth[0]).max() < 0.12
    assert curve.deviation < 0.005
    for share in (0.03, 0.5, 0.97):
        expected = value_at(special.ndtri(share), truth[0], np.exp(truth[1]), np.exp(truth[2]))
        assert value_at(special.ndtri(share), power, median, variation) == pytest.approx(expected, rel=0.02)


def test_errors_are_as_large_as_the_scatter_of_fits():
    at, fitted, told = 50.5, [], []
    for seed in range(25):
        age, value, _ = simulate(1_500, seed)
        ages, values, weight = table_of(age, np.round(value, 2), step=2.0)
        curve = fit_curve(ages, values, weight)
        fitted.append(float(np.log(curve.at(at)[1][0])))
        told.append(float(np.sqrt(curve.covariances(at)[0, 1, 1])))
    assert 0.6 < np.std(fitted) / np.mean(told) < 1.6


def test_the_errors_of_z_and_value_are_those_of_small_steps():
    at, value = (0.6, 5.0, 0.2), 6.5
    covariance = np.array([[0.04, 0.001, 0.002], [0.001, 1e-4, 1e-5], [0.002, 1e-5, 4e-4]])
    step = 1e-6

    def z(parts):
        return float(z_of(value, parts[0], math.exp(parts[1]), math.exp(parts[2])))

    def log_value(parts):
        return math.log(float(value_at(1.3, parts[0], math.exp(parts[1]), math.exp(parts[2]))))

    start = np.array([at[0], math.log(at[1]), math.log(at[2])])
    for function, ours in (
        (z, z_error(value, at, covariance)),
        (log_value, float(value_error(1.3, tuple(np.array([p]) for p in at), covariance[None])[0])),
    ):
        slope = np.array(
            [(function(start + step * e) - function(start - step * e)) / (2 * step) for e in np.eye(3)]
        )
        assert ours == pytest.approx(math.sqrt(slope @ covariance @ slope), rel=1e-5)


def test_a_curve_that_misses_the_data_says_so():
    rng = np.random.default_rng(9)
    age = rng.uniform(20, 60, 20_000)
    value = np.where(
        rng.random(20_000) < 0.5, rng.normal(4, 0.2, 20_000), rng.normal(9, 0.2, 20_000)
    )  # two humps
    curve = fit_curve(*table_of(age, np.round(value, 1), step=2.0))
    assert curve.deviation > 0.05


def test_no_age_is_extrapolated():
    age, value, _ = simulate(2_000, 4)
    curve = fit_curve(*table_of(age, np.round(value, 2)))
    with pytest.raises(InputError, match="outside"):
        curve.at(90.0)


def test_scores_climb_to_a_maximum_of_the_density():
    """At the maximum z is standard normal in mean and variance, as the likelihood's equations ask."""
    age, value, _ = simulate(5_000, 6)
    ages, values, weight = table_of(age, np.round(value, 2))
    power, median, variation = (p[:, None] for p in fit_curve(ages, values, weight).at(ages))
    z = z_of(values[None, :], power, median, variation)
    mean = (weight * z).sum() / weight.sum()
    assert mean == pytest.approx(0.0, abs=0.02)
    assert (weight * z * z).sum() / weight.sum() == pytest.approx(1.0, abs=0.01)
    assert stats.kstest(z[weight > 0], "norm").statistic < 0.1
