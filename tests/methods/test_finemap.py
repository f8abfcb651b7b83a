"""Approximate Bayes factors, posteriors and credible sets: published numbers, a slow oracle, properties."""

import math
from decimal import Decimal, getcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.finemap import (
    credible_set,
    log_bayes_factors,
    log_sum,
    posteriors,
    signal_probability,
    trait_sd,
    variance_from_frequency,
)
from nexome.model.errors import InputError

VIGNETTE = Path(__file__).with_name("coloc_vignette.tsv")
SD_Y = (2.0025756446429641, 2.0060311943258435)

Z = st.floats(-60, 60)
SIGNALS = st.lists(st.tuples(Z, st.floats(1e-6, 1.0)), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def vignette():
    return np.genfromtxt(VIGNETTE, names=True, skip_header=3, dtype=None, encoding="utf-8")


def test_bayes_factors_are_those_printed_by_coloc(vignette):
    """finemap.abf of the vignette a03_enumeration: first and last rows of its table."""
    variance = vignette["se1"] ** 2
    found = log_bayes_factors(vignette["beta1"] / vignette["se1"], variance, prior_sd=0.15 * SD_Y[0])
    first = [-1.731428, -1.813361, -1.812731, -1.756994, -1.837804, -1.785466]
    last = [-1.841125, -1.825979, -1.865372, -1.721043, -1.653548]
    assert found[:6] == pytest.approx(first, abs=6e-7)
    assert found[45:] == pytest.approx(last, abs=6e-7)
    assert posteriors(found)[:2] == pytest.approx([9.675623e-18, 8.914476e-18], rel=1e-6)


def test_the_null_of_a_region_is_that_printed_by_coloc(vignette):
    variance = vignette["se1"] ** 2
    found = log_bayes_factors(vignette["beta1"] / vignette["se1"], variance, prior_sd=0.15 * SD_Y[0])
    # 1 − p loses digits near 1; the odds keep them: p / (1 − p) = prior · ΣBF / (1 − prior · V)
    odds = math.log(1e-4) + log_sum(found) - math.log1p(-50e-4)
    assert math.exp(-odds) == pytest.approx(5.438155e-13, rel=1e-6)
    assert signal_probability(found) == pytest.approx(1 - 5.438155e-13, abs=1e-15)


def test_a_bayes_factor_from_frequency_is_that_printed_by_coloc():
    """SNP.25 of the vignette, from p values, MAF 0.10205 and N 10,000."""
    variance = variance_from_frequency([0.10205], [10_000])
    assert variance == pytest.approx([0.0005456383], rel=1e-6)
    assert log_bayes_factors([8.959397], variance, prior_sd=0.15) == pytest.approx([37.3135], abs=6e-5)
    assert log_bayes_factors([11.12424], variance, prior_sd=0.15) == pytest.approx([58.53776], abs=6e-5)


def test_the_variance_of_a_log_odds_counts_cases():
    quantitative = variance_from_frequency([0.2], [5_000])
    assert variance_from_frequency([0.2], [5_000], case_share=0.1) == pytest.approx(quantitative / 0.09)
    assert np.isnan(variance_from_frequency([0.0, np.nan, 0.3], [100, 100, np.nan])).all()


def test_a_traits_sd_is_found_again():
    rng = np.random.default_rng(3)
    f = rng.uniform(0.05, 0.95, 4_000)
    n = np.full(4_000, 50_000.0)
    variance = 3.7**2 / (2 * n * f * (1 - f))
    assert trait_sd(variance, f, n) == pytest.approx(3.7, rel=1e-9)
    assert math.isnan(trait_sd(variance, np.full(4_000, np.nan), n))
    assert trait_sd(np.append(variance, np.nan), np.append(f, 0.5), np.append(n, 1.0)) == pytest.approx(3.7)


def test_posteriors_are_those_of_exact_arithmetic():
    getcontext().prec = 60
    rng = np.random.default_rng(8)
    z, variance = rng.normal(0, 6, 40), rng.uniform(1e-4, 0.01, 40)
    z[7] = 212.0
    found = log_bayes_factors(z, variance, prior_sd=0.2)
    prior = Decimal("0.2") ** 2
    exact = []
    for a, v in zip(z.tolist(), variance.tolist(), strict=True):
        total = Decimal(v) + prior
        exact.append((Decimal(v) / total).sqrt() * (Decimal(a) ** 2 / 2 * prior / total).exp())
    for have, want in zip(found.tolist(), exact, strict=True):
        assert have == pytest.approx(float(want.ln()), rel=1e-12, abs=1e-12)
    whole = sum(exact)
    for have, want in zip(posteriors(found).tolist(), exact, strict=True):
        assert have == pytest.approx(float(want / whole), rel=1e-9, abs=1e-300)


@given(SIGNALS)
def test_posteriors_add_up_and_go_with_their_variants(signals):
    z, variance = (np.array(values) for values in zip(*signals, strict=True))
    found = posteriors(log_bayes_factors(z, variance, prior_sd=0.15))
    assert float(found.sum()) == pytest.approx(1.0)
    assert (found >= 0).all()
    turned = posteriors(log_bayes_factors(-z[::-1], variance[::-1], prior_sd=0.15))
    assert turned[::-1] == pytest.approx(found)


@given(SIGNALS, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_credible_set_is_the_smallest_that_covers(signals, coverage):
    z, variance = (np.array(values) for values in zip(*signals, strict=True))
    posterior = posteriors(log_bayes_factors(z, variance, prior_sd=0.15))
    members = credible_set(posterior, coverage=coverage)
    assert posterior[members].sum() >= coverage - 1e-9
    assert (np.diff(posterior[members]) <= 0).all()
    strongest = np.sort(posterior)[::-1]
    assert strongest[: len(members) - 1].sum() < coverage  # one fewer would not cover


def test_missing_numbers_are_no_members():
    variance = [0.01, np.nan, 0.0, -1.0, 0.01]
    found = log_bayes_factors([3.0, 3.0, 3.0, 3.0, np.nan], variance, prior_sd=0.15)
    assert np.isnan(found).tolist() == [False, True, True, True, True]
    assert credible_set(posteriors(found)).tolist() == [0]
    assert credible_set(np.array([np.nan])).tolist() == []
    assert math.isnan(signal_probability(np.array([np.nan])))


def test_what_cannot_be_asked_is_refused():
    for prior_sd in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError):
            log_bayes_factors([1.0], [1.0], prior_sd=prior_sd)
    for coverage in (0.0, 1.5, math.nan):
        with pytest.raises(InputError):
            credible_set(np.array([1.0]), coverage=coverage)
    with pytest.raises(InputError):
        signal_probability(np.zeros(20_000))
