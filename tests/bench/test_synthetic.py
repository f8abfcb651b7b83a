"""The standard synthetic store against the words that describe it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.bench.synthetic import LD_BLOCK, RHO, SIGNAL_DECAY, SyntheticStore
from nexome.model.genome import allele_key, unpack_alleles

LENGTHS = np.array([248_956_422, 242_193_529, 198_295_559], np.int64)


@pytest.fixture(scope="module")
def store():
    return SyntheticStore(20_000, 40)


@pytest.fixture(scope="module")
def whole(store):
    return store.rows(0, 20_000)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 19_990), height=st.integers(1, 700))
def test_any_block_equals_the_same_rows_of_the_whole(store, whole, start, height):
    stop = min(start + height, 20_000)
    part = store.rows(start, stop)
    for name in ("z", "se", "eaf"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[start:stop], equal_nan=True)


def test_blocks_give_every_row_once(store, whole):
    z = np.concatenate([rows.z.copy() for rows in store.blocks(4_096)])
    assert np.array_equal(z, whole.z, equal_nan=True)


def test_rows_outside_the_store_are_refused(store):
    with pytest.raises(ValueError, match="of 20000"):
        store.rows(19_999, 20_001)


def test_frequencies_are_clipped_flipped_and_shifted(store):
    first, second = store.frequency.T
    assert first.min() >= 0.001
    assert first.max() <= 0.999
    assert abs((first > 0.5).mean() - 0.5 * (1 - (first == 0.5).mean())) < 0.02
    shift = np.log(second / (1 - second)) - np.log(first / (1 - first))
    assert abs(shift.mean()) < 0.02
    assert abs(shift.std() - 0.4) < 0.01


def test_five_percent_are_missing_in_runs_and_in_all_planes(whole):
    missing = np.isnan(whole.z)
    assert np.array_equal(missing, np.isnan(whole.se))
    assert np.array_equal(missing, np.isnan(whole.eaf))
    assert abs(missing.mean() - 0.05) < 0.003
    begins = (~missing[:-1] & missing[1:]).sum() + missing[0].sum()
    assert abs(missing.sum() / begins - 20) < 1


def test_z_without_signals_is_a_restarted_chain(store, whole):
    planted = np.zeros_like(whole.z)
    for feature, trait, peak in store.signals:
        planted[:, trait] += peak * np.exp(-np.abs(np.arange(20_000) - feature) / SIGNAL_DECAY)
    noise = whole.z - planted
    assert abs(np.nanvar(noise) - 1) < 0.05
    lag = noise[1:] * noise[:-1]
    inside = np.arange(1, 20_000) % LD_BLOCK != 0
    assert abs(np.nanmean(lag[inside]) - RHO) < 0.05
    assert abs(np.nanmean(lag[~inside])) < 0.05


def test_there_is_one_signal_per_two_hundred_thousand_cells(store):
    assert len(store.signals) == 4
    assert (np.abs(store.signals["peak"]) >= 4).all()
    assert (np.abs(store.signals["peak"]) <= 30).all()


def test_se_and_eaf_carry_one_percent_noise(store, whole):
    f = store.frequency[:, store.group]
    expected = store.sigma / np.sqrt(2 * store.n * f * (1 - f))
    assert abs(np.nanstd(whole.se / expected - 1) - 0.01) < 5e-4
    inner = f < 0.95  # above, clipping at 1 narrows the noise
    assert abs(np.nanstd((whole.eaf / f - 1)[inner]) - 0.01) < 5e-4
    assert np.nanmax(whole.eaf) <= 1
    assert (store.n >= 5e3).all()
    assert (store.n <= 4.5e5).all()


def test_the_axis_is_sorted_dense_as_ten_million_and_spelled_like_variants(store):
    features = store.features(LENGTHS)
    assert (features.locus[1:] > features.locus[:-1]).all()
    on_first = features.locus[features.locus >> np.uint64(32) == 0] & np.uint64(0xFFFFFFFF)
    assert abs(np.diff(on_first.astype(np.int64)).mean() - 287) < 15
    spelled = [unpack_alleles(int(key)) for key in features.allele]
    assert [allele_key(*pair) for pair in spelled] == features.allele.tolist()
    assert all(ref != alt for ref, alt in spelled)
    indels = sum(len(ref) != len(alt) for ref, alt in spelled) / len(spelled)
    assert abs(indels - 0.05) < 0.01


def test_ten_million_features_fit_the_contigs():
    dense = SyntheticStore(2_000, 1).features(np.array([100_000], np.int64))
    assert int(dense.locus[-1]) < 110_000 + 10_000
    assert (dense.locus[1:] > dense.locus[:-1]).all()


def test_studies_alternate_between_groups_and_some_are_private(store):
    studies = store.studies()
    assert [s.ancestry for s in studies[:2]] == ["EUR", "EAS"]
    assert sum(s.access == "private" for s in studies) == 4
    assert studies[3].traits[0].n == store.n[3]
