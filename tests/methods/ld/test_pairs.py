"""The fast passes against plain ones, on small random genotypes with every kind of gap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nexome.methods.ld.dosages import ld_of_dosages
from nexome.methods.ld.measures import MEASURED, MONOMORPHIC, TOO_FEW, share_of_double_heterozygotes
from nexome.methods.ld.packed import pack_counts, pack_haplotypes, pack_members, unpack_counts, words_of
from nexome.methods.ld.pairs import MATRIX_MAX, ld_of_all, ld_of_haplotypes, ld_with_one
from nexome.model.errors import InputError
from nexome.store.genotypes import kernels
from tests.methods.ld import oracle

COUNTS = st.integers(1, 140).flatmap(
    lambda people: hnp.arrays(np.int8, (4, people), elements=st.sampled_from([0, 0, 1, 1, 2, -1]))
)


def floats(counts):
    return np.where(counts < 0, np.nan, counts.astype(np.float64))


def same(found, wanted):
    return np.isnan(found) if wanted is None else abs(float(found) - wanted) < 1e-6


@given(COUNTS)
def test_packing_and_back(counts):
    assert (unpack_counts(pack_counts(counts), counts.shape[1]) == counts).all()


@given(COUNTS, st.randoms())
def test_r_of_counts_is_pearson_over_members_called_in_both(counts, random):
    chosen = np.array([random.random() < 0.8 for _ in range(counts.shape[1])])
    packed = pack_counts(counts)
    found = ld_with_one(packed[0], packed, pack_members(chosen), measures="r")
    plain = floats(counts)[:, chosen]
    for i in range(len(counts)):
        both = int((~np.isnan(plain[0]) & ~np.isnan(plain[i])).sum())
        wanted = oracle.r_of_pair(plain[0], plain[i])
        assert same(found.r[i], wanted)
        assert found.called[i] == both
        assert found.state[i] == (TOO_FEW if both < 2 else MONOMORPHIC if wanted is None else MEASURED)
        assert np.isnan(found.d_prime[i])


@given(COUNTS)
def test_haplotypes_of_a_pair_are_the_likeliest(counts):
    packed, everyone = pack_counts(counts), pack_members(np.ones(counts.shape[1], bool))
    found = ld_with_one(packed[0], packed[1:], everyone, measures="haplotype r and d_prime")
    for i, row in enumerate(floats(counts)[1:]):
        if found.state[i] != MEASURED:
            continue
        both, first, second, _ = oracle.haplotypes_of_pair(floats(counts)[0], row, steps=4001)
        p, q = both + first, both + second
        d_prime = float(found.d_prime[i])
        most = min(p * (1 - q), q * (1 - p)) if d_prime >= 0 else min(p * q, (1 - p) * (1 - q))
        known, double = oracle.tally(floats(counts)[0], row)
        ours, best = oracle.likelihood(known, double, np.array([p * q + d_prime * most, both]))
        assert ours >= best - 1e-6  # frequencies are compared with PLINK's; likelihoods cannot be tied


def test_only_double_heterozygotes_have_no_direction():
    assert share_of_double_heterozygotes((0.0, 0.0, 0.0, 0.0), 10.0) == pytest.approx(10)


@given(st.integers(1, 100), st.randoms())
def test_haplotypes_are_counted_exactly(people, random):
    alleles = np.array(
        [[random.choice([0, 0, 1, 1, -1]) for _ in range(2 * people)] for _ in range(3)], np.int8
    )
    genotypes, haplotypes = pack_haplotypes(alleles)
    everyone = pack_members(np.ones(people, bool))
    found = ld_of_haplotypes((genotypes[0], haplotypes[0]), (genotypes, haplotypes), everyone)
    plain = floats(alleles)
    gone = np.isnan(plain).reshape(3, people, 2).any(axis=2).repeat(2, axis=1)
    plain[gone] = np.nan
    for i in range(3):
        wanted = oracle.r_of_pair(plain[0], plain[i])
        assert same(found.r[i], wanted)
        if wanted is not None:
            both = ~np.isnan(plain[0]) & ~np.isnan(plain[i])
            x, y = plain[0][both], plain[i][both]
            assert same(found.d_prime[i], oracle.d_prime((x * y).mean(), x.mean(), y.mean()))


@given(COUNTS)
def test_swapping_alleles_of_one_variant_turns_the_sign(counts):
    everyone = pack_members(np.ones(counts.shape[1], bool))
    swapped = counts.copy()
    swapped[1:] = np.where(counts[1:] < 0, -1, 2 - counts[1:])
    here, there = pack_counts(counts), pack_counts(swapped)
    first, second = (ld_with_one(here[0], rows[1:], everyone) for rows in (here, there))
    np.testing.assert_allclose(first.r, -second.r, atol=1e-6)


@given(COUNTS)
def test_dosages_that_are_counts_have_the_r_of_counts(counts):
    packed, everyone = pack_counts(counts), pack_members(np.ones(counts.shape[1], bool))
    dosages = floats(counts).astype(np.float32)
    found, wanted = ld_of_dosages(dosages[0], dosages), ld_with_one(packed[0], packed, everyone)
    np.testing.assert_allclose(found.r, wanted.r, atol=1e-6)
    assert (found.state == wanted.state).all()
    assert (found.called == wanted.called).all()


def test_dosages_between_counts():
    rng = np.random.default_rng(2)
    dosages = (2 * rng.random((5, 60))).astype(np.float32)
    dosages[rng.random(dosages.shape) < 0.1] = np.nan
    found = ld_of_dosages(dosages[2], dosages)
    assert all(
        same(found.r[i], oracle.r_of_pair(dosages[2].astype(float), row)) for i, row in enumerate(dosages)
    )


def test_all_pairs_are_the_rows_of_one_with_many():
    rng = np.random.default_rng(4)
    counts = rng.integers(-1, 3, (12, 75)).astype(np.int8)
    packed, everyone = pack_counts(counts), pack_members(np.ones(75, bool))
    whole = ld_of_all(lambda i: ld_with_one(packed[i], packed[i:], everyone), len(packed))
    for i in range(len(counts)):
        row = ld_with_one(packed[i], packed, everyone)
        for part in ("r", "d_prime", "called", "state"):
            np.testing.assert_allclose(getattr(whole, part)[i], getattr(row, part), rtol=1e-6)


def test_what_cannot_be_asked():
    rows, few = pack_counts(np.zeros((2, 70), np.int8)), pack_members(np.ones(64, bool))
    with pytest.raises(InputError, match="same people"):
        ld_with_one(rows[0], rows, few)
    with pytest.raises(InputError, match="at most 5,000"):
        ld_of_all(lambda _: None, MATRIX_MAX + 1)
    with pytest.raises(InputError, match="no count"):
        pack_counts(np.full((1, 3), 3, np.int8))
    with pytest.raises(InputError, match="above 1"):
        pack_haplotypes(np.full((1, 2), 2, np.int8))


@given(st.integers(1, 140), st.randoms(use_true_random=False))
def test_the_genotype_store_packs_alike(people, random):
    values = [[random.choice([0, 0, 1, -1]) for _ in range(2 * people)] for _ in range(3)]
    alleles = np.array(values, np.int8)
    calls = alleles.reshape(3, people, 2)
    stored, phased = kernels.pack_calls(calls, words_of(people))
    genotypes, haplotypes = pack_haplotypes(alleles)
    assert (stored == genotypes).all()
    assert (phased == haplotypes).all()
