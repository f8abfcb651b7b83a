"""Founder haplotypes against coalescent theory."""

import numpy as np
import pytest

from nexome.methods.simulate.coalescent import Demography, founder_haplotypes

ONE_GROUP = Demography(group_size=(1.0,))


def draw(seed, *, length_bp=2_000_000, founders=40, groups=1, demography=ONE_GROUP):
    group = np.arange(founders) % groups
    random = np.random.default_rng(seed)
    return founder_haplotypes(random, length_bp, group, least_count=1, demography=demography)


def test_same_seed_same_haplotypes():
    first, second, other = draw(1), draw(1), draw(2)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])


def test_positions_and_alleles_are_sound():
    position, alleles = draw(3)
    assert alleles.shape == (position.size, 40)
    assert (np.diff(position) > 0).all()
    assert position.min() >= 1
    assert position.max() <= 2_000_000
    assert set(np.unique(alleles)) == {0, 1}
    assert ((alleles.sum(axis=1) > 0) & (alleles.sum(axis=1) < 40)).all()


def test_diversity_and_spectrum_agree_with_theory():
    # Hudson 1990: E[S] = θ·Σ1/i, E[π] = θ, E[ξᵢ] = θ/i, with θ = 4NμL = 1,000 here; 8 draws of 2 Mb
    theta, founders = 4 * 10_000 * 1.25e-8 * 2_000_000, 40
    counts = np.concatenate([draw(10 + i)[1].sum(axis=1) for i in range(8)])
    expected = theta / np.arange(1, founders)
    seen = np.bincount(counts, minlength=founders)[1:founders] / 8
    assert seen.sum() == pytest.approx(expected.sum(), rel=0.05)
    assert seen[:5] == pytest.approx(expected[:5], rel=0.12)
    pairs = counts * (founders - counts) / (founders * (founders - 1) / 2)
    assert pairs.sum() / 8 == pytest.approx(theta, rel=0.10)


def test_linkage_disequilibrium_decays():
    position, alleles = draw(4, founders=200)
    common = np.minimum(alleles.mean(axis=1), 1 - alleles.mean(axis=1)) > 0.1
    position, scaled = position[common], alleles[common].astype(float)
    scaled = (scaled - scaled.mean(axis=1, keepdims=True)) / scaled.std(axis=1, keepdims=True)
    squared = (scaled @ scaled.T / 200) ** 2
    distance = np.abs(position[:, None] - position)
    near = squared[(distance > 0) & (distance < 2_000)].mean()
    middle = squared[(distance > 10_000) & (distance < 30_000)].mean()
    far = squared[distance > 500_000].mean()
    # Ohta & Kimura: r² ≈ (10 + ρ)/(22 + 13ρ + ρ²), ρ = 4Nr·d = 8 at 20 kb: 0.095; sampling adds 1/200
    assert near > 0.3
    assert 0.05 < middle < 0.2
    assert far < 0.03


def test_groups_drift_apart():
    split = Demography(group_size=(0.5, 0.5), split=4_000)
    _, alleles = draw(5, founders=100, groups=2, demography=split)
    one, two = alleles[:, ::2].mean(axis=1), alleles[:, 1::2].mean(axis=1)
    within = (one * (1 - one) + two * (1 - two)).sum() * 50 / 49
    between = (one * (1 - two) + two * (1 - one)).sum()
    fst = 1 - within / between
    # Hudson's Fst is 1 − T(within)/T(between). Two of one group (half as large, split 0.2 units ago) meet
    # after 0.5·(1 − exp(−0.4)) + exp(−0.4) = 0.835 units, two of different groups after 0.2 + 1: 0.304
    assert fst == pytest.approx(0.304, abs=0.07)


def test_rare_sites_are_left_out():
    random = np.random.default_rng(6)
    _, alleles = founder_haplotypes(random, 300_000, np.zeros(50), least_count=5, demography=ONE_GROUP)
    count = alleles.sum(axis=1)
    assert np.minimum(count, 50 - count).min() >= 5
