"""Linear and logistic scans against slow plain versions, on data with every kind of hole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.methods.scan import scan_linear, scan_logistic
from nexome.methods.scan.linear import neg_log10_p_from_t
from nexome.model.errors import InputError
from nexome.testing.scan_data import make_scan_data


def complete(g, y, c):
    """Samples that count for one variant and trait, and their design with the variant last."""
    kept = ~(np.isnan(g) | np.isnan(y) | np.isnan(c).any(axis=1))
    return np.column_stack([np.ones(kept.sum()), c[kept], g[kept]]), y[kept]


def plain_linear(g, y, c):
    design, outcome = complete(g, y, c)
    beta = np.linalg.lstsq(design, outcome, rcond=None)[0]
    rest = outcome - design @ beta
    variance = rest @ rest / (len(outcome) - design.shape[1])
    error = np.sqrt(variance * np.linalg.inv(design.T @ design)[-1, -1])
    return beta[-1], error, len(outcome), design[:, -1].mean() / 2


def plain_logistic(g, y, c):
    design, outcome = complete(g, y, c)
    beta = np.zeros(design.shape[1])
    for _ in range(60):
        mean = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        beta = beta + np.linalg.solve(information, design.T @ (outcome - mean))
    return beta[-1], np.sqrt(np.linalg.inv(information)[-1, -1]), len(outcome), design[:, -1].mean() / 2


def assert_agrees(result, plain, data, rel):
    genotypes, phenotypes, covariates = data
    for v in range(genotypes.shape[0]):
        for t in range(phenotypes.shape[1]):
            beta, error, n, frequency = plain(genotypes[v], phenotypes[:, t], covariates)
            assert result.beta[v, t] == pytest.approx(beta, rel=rel, abs=rel)
            assert result.standard_error[v, t] == pytest.approx(error, rel=rel)
            assert result.z[v, t] == pytest.approx(beta / error, rel=rel, abs=rel)
            assert result.n[v, t] == n
            assert result.effect_allele_frequency[v, t] == pytest.approx(frequency)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.02, 0.2]))
def test_linear_agrees_with_the_plain_version(seed, holes):
    data = make_scan_data(seed, holes=holes)
    assert_agrees(scan_linear(*data), plain_linear, data, 1e-7)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("holes", [0.0, 0.05])
def test_logistic_agrees_with_the_plain_version(seed, holes):
    data = make_scan_data(seed, samples=300, holes=holes, kind="logistic")
    assert_agrees(scan_logistic(*data, threads=2), plain_logistic, data, 1e-4)


def test_integer_genotypes_mean_the_same():
    genotypes, phenotypes, covariates = make_scan_data(1)
    packed = np.where(np.isnan(genotypes), -1, genotypes).astype(np.int8)
    for scan, outcome in ((scan_linear, phenotypes), (scan_logistic, (phenotypes > 1.5).astype(float))):
        first, second = scan(genotypes, outcome, covariates), scan(packed, outcome, covariates)
        assert np.array_equal(first.beta, second.beta, equal_nan=True)
        assert np.array_equal(first.n, second.n)


def test_repeated_covariate_changes_nothing():
    genotypes, phenotypes, covariates = make_scan_data(2)
    doubled = np.column_stack([covariates, 3 * covariates[:, 1]])
    assert scan_linear(genotypes, phenotypes, doubled).z == pytest.approx(
        scan_linear(genotypes, phenotypes, covariates).z, rel=1e-8
    )


def test_allele_flip_turns_the_sign():
    genotypes, phenotypes, covariates = make_scan_data(3, samples=200)
    for scan, outcome in ((scan_linear, phenotypes), (scan_logistic, (phenotypes > 1.5).astype(float))):
        there, back = scan(genotypes, outcome, covariates), scan(2 - genotypes, outcome, covariates)
        assert there.z == pytest.approx(-back.z, abs=1e-4)
        assert there.effect_allele_frequency == pytest.approx(1 - back.effect_allele_frequency)


def test_what_cannot_be_estimated_is_missing():
    genotypes, phenotypes, covariates = make_scan_data(4, holes=0.0)
    genotypes[0] = 1.0  # monomorphic
    genotypes[1] = np.nan  # never seen
    genotypes[2] = covariates[:, 0]  # a covariate again
    for scan, outcome in ((scan_linear, phenotypes), (scan_logistic, (phenotypes > 1.5).astype(float))):
        result = scan(genotypes, outcome, covariates)
        assert np.isnan(result.beta[:3]).all()
        assert np.isnan(result.standard_error[:3]).all()
        assert result.n[1].tolist() == [0, 0, 0]
        assert np.isnan(result.effect_allele_frequency[1]).all()


def test_separation_is_missing_not_infinite():
    genotype = np.zeros((1, 200))
    genotype[0, :6] = 1.0
    outcome = (np.arange(200) < 100).astype(float)[:, None]  # all carriers are cases
    assert np.isnan(scan_logistic(genotype, outcome).beta).all()


def test_no_cases_is_missing():
    genotypes, _, covariates = make_scan_data(5)
    assert np.isnan(scan_logistic(genotypes, np.zeros((60, 1)), covariates).beta).all()


def test_null_z_is_standard_normal():
    random = np.random.default_rng(7)
    genotypes = random.binomial(2, 0.3, (4000, 400)).astype(np.int8)
    quantitative = scan_linear(genotypes, random.normal(size=(400, 1)))
    binary = scan_logistic(genotypes, random.integers(0, 2, (400, 1)).astype(float))
    for result in (quantitative, binary):  # 4 standard errors of a mean and of a variance of 4,000
        assert abs(result.z.mean()) < 4 / np.sqrt(4000)
        assert abs(result.z.var() - 1) < 4 * np.sqrt(2 / 4000)


@pytest.mark.parametrize(
    ("genotypes", "phenotypes", "covariates"),
    [
        (np.zeros((2, 3)), np.zeros((4, 1)), None),
        (np.zeros((2, 3)), np.zeros(3), None),
        (np.zeros((2, 3)), np.zeros((3, 1)), np.zeros((2, 1))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(genotypes, phenotypes, covariates):
    with pytest.raises(InputError, match="expected"):
        scan_linear(genotypes, phenotypes, covariates)


def test_logistic_refuses_other_codes():
    with pytest.raises(InputError, match="besides 0 and 1"):
        scan_logistic(np.zeros((1, 3)), np.array([[1.0], [2.0], [1.0]]))


def test_p_of_t_agrees_with_r():
    # R 4.x: 2 * pt(-3.5, 20) and 2 * pt(-30, 500)
    assert 10 ** -neg_log10_p_from_t(3.5, 20) == pytest.approx(0.002255123153057165, rel=1e-10)
    assert neg_log10_p_from_t(30, 500) == pytest.approx(-np.log10(7.2142888884282899e-114), rel=1e-10)
