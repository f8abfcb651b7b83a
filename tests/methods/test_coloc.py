"""Colocalisation: the numbers printed by the R package, an oracle that counts configurations, properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.coloc import Priors, at_priors, coloc_abf, sensitivity
from nexome.methods.finemap import log_bayes_factors, trait_sd, variance_from_frequency
from nexome.methods.normal import z_from_neg_log10_p
from nexome.model.errors import InputError
from tests.methods.test_finemap import SD_Y, VIGNETTE

LOG_BF = st.lists(st.tuples(st.floats(-5, 600), st.floats(-5, 600)), min_size=2, max_size=12)


@pytest.fixture(scope="module")
def traits():
    """Of each trait of the vignette: z, variance; and the frequencies."""
    table = np.genfromtxt(VIGNETTE, names=True, skip_header=3, dtype=None, encoding="utf-8")
    pairs = [(table[f"beta{k}"] / table[f"se{k}"], table[f"se{k}"] ** 2) for k in (1, 2)]
    return pairs, table["maf"]


def _posterior(traits, sd):
    log_bf = [log_bayes_factors(z, v, prior_sd=0.15 * s) for (z, v), s in zip(traits, sd, strict=True)]
    return coloc_abf(*log_bf).posterior


def test_with_known_sd_the_posteriors_are_those_printed_by_coloc(traits):
    """Vignette a03_enumeration of coloc 4.0-4, coloc.abf with sdY: seven printed digits."""
    printed = [1.413084e-37, 2.585470e-25, 5.465483e-16, 2.410934e-11, 1.0]
    assert _posterior(traits[0], SD_Y) == pytest.approx(printed, rel=3e-7)


def test_with_estimated_sd_too(traits):
    """The same without sdY, which coloc then estimates."""
    pairs, maf = traits
    n = np.full(50, 10_000.0)
    printed = [1.408198e-37, 2.582454e-25, 5.452944e-16, 2.405889e-11, 1.0]
    found = _posterior(pairs, [trait_sd(v, maf, n) for _, v in pairs])
    assert found == pytest.approx(printed, rel=3e-7)


def test_from_p_and_frequency_too(traits):
    """The same from p values, MAF and N alone: z is that of the p value of a t test."""
    pairs, maf = traits
    from scipy import stats  # noqa: PLC0415  only this test needs Student's t

    variance = variance_from_frequency(maf, np.full(50, 10_000.0))
    log_bf = []
    for t, _ in pairs:
        minus_log10_p = -(stats.t.logsf(np.abs(t), 9_998) + math.log(2)) / math.log(10)
        log_bf.append(log_bayes_factors(z_from_neg_log10_p(minus_log10_p), variance, prior_sd=0.15))
    printed = [2.356833e-37, 3.778986e-25, 6.236681e-16, 2.622333e-11, 1.0]
    assert coloc_abf(*log_bf).posterior == pytest.approx(printed, rel=3e-7)


def _by_counting(a, b, priors):
    """H0…H4 by adding up every configuration of at most one causal variant a trait."""
    sums = [1.0, 0.0, 0.0, 0.0, 0.0]
    for i, x in enumerate(a):
        sums[1] += priors.p1 * math.exp(x)
        sums[2] += priors.p2 * math.exp(b[i])
        for j, y in enumerate(b):
            if i == j:
                sums[4] += priors.p12 * math.exp(x + y)
            else:
                sums[3] += priors.p1 * priors.p2 * math.exp(x + y)
    return np.array(sums) / sum(sums)


@pytest.mark.parametrize("seed", range(8))
def test_posteriors_are_those_of_counting_every_configuration(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(2, 5, 60), rng.normal(2, 5, 60)
    priors = Priors(p1=3e-4, p2=2e-5, p12=float(10 ** rng.uniform(-7, -4)))
    found = coloc_abf(a, b, priors=priors)
    assert found.posterior == pytest.approx(_by_counting(a, b, priors), rel=1e-9)


@given(LOG_BF)
def test_posteriors_add_up_and_swapping_the_traits_swaps_h1_and_h2(pairs):
    a, b = (np.array(values) for values in zip(*pairs, strict=True))
    found, swapped = coloc_abf(a, b), coloc_abf(b, a)
    assert float(found.posterior.sum()) == pytest.approx(1.0)
    assert (found.posterior >= 0).all()
    assert swapped.posterior == pytest.approx(found.posterior[[0, 2, 1, 3, 4]], rel=1e-6, abs=1e-12)
    assert float(np.nansum(found.shared)) == pytest.approx(1.0)
    assert swapped.shared == pytest.approx(found.shared)


@given(LOG_BF, st.permutations(range(12)))
def test_the_order_of_variants_does_not_matter(pairs, order):
    order = [k for k in order if k < len(pairs)]
    a, b = (np.array(values) for values in zip(*pairs, strict=True))
    assert coloc_abf(a[order], b[order]).posterior == pytest.approx(coloc_abf(a, b).posterior, abs=1e-9)


def test_one_variant_cannot_be_two():
    found = coloc_abf(np.array([20.0]), np.array([20.0]))
    assert found.posterior[3] == 0.0
    assert found.posterior[4] > 0.99


def test_huge_signals_do_not_overflow():
    a, b = np.array([20_000.0, 3.0]), np.array([19_000.0, 2.0])
    found = coloc_abf(a, b)
    assert found.posterior[4] == pytest.approx(1.0)
    apart = coloc_abf(np.array([20_000.0, 0.0]), np.array([0.0, 19_000.0]))
    assert apart.posterior[3] == pytest.approx(1.0)


def test_variants_of_one_study_alone_are_left_out():
    a, b = np.array([5.0, np.nan, 1.0]), np.array([4.0, 9.0, np.nan])
    found = coloc_abf(a, b)
    assert found.variants == 1
    assert np.isnan(found.shared).tolist() == [False, True, True]
    with pytest.raises(InputError):
        coloc_abf(a, np.array([np.nan, 1.0, np.nan]))
    with pytest.raises(InputError):
        coloc_abf(a, b[:2])


def test_sharing_grows_with_its_prior_and_the_odds_follow_it():
    rng = np.random.default_rng(5)
    found = coloc_abf(rng.normal(3, 3, 30), rng.normal(3, 3, 30))
    grid = np.logspace(-7, -4, 9)
    by = sensitivity(found, grid)
    assert by.sum(axis=1) == pytest.approx(np.ones(9))
    assert (np.diff(by[:, 4]) > 0).all()
    odds = by[:, 4] / by[:, 3]
    assert odds / grid == pytest.approx(np.full(9, odds[0] / grid[0]), rel=1e-9)
    assert at_priors(found.log_sums, found.priors) == pytest.approx(found.posterior)


def test_a_change_of_the_prior_moves_the_published_posteriors_as_published():
    """coloc's vignettes a03 and a04 print D1, D2 at p12 1e-5 and 1e-6: H4 / H3 falls by ten."""
    at_6 = np.array([1.724212e-07, 7.150108e-06, 2.606288e-04, 8.188382e-04, 9.989132e-01])
    log_sums = np.log(at_6) - np.log([1, 1e-4, 1e-4, 1e-8, 1e-6])
    at_5 = at_priors(log_sums, Priors())
    assert at_5[4] / at_5[3] == pytest.approx(10 * at_6[4] / at_6[3], rel=1e-9)
    assert at_5[4] == pytest.approx(0.999891, abs=1e-6)


@pytest.mark.parametrize("bad", [{"p1": 0.0}, {"p2": 1.0}, {"p12": -1e-5}, {"p12": math.nan}])
def test_a_prior_that_is_no_probability_is_refused(bad):
    with pytest.raises(InputError):
        Priors(**bad)
