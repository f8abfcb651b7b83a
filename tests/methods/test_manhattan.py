"""Bins, bit sets and thinning against their plain meaning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.methods.manhattan import (
    HIT,
    LEVEL,
    level_runs,
    level_sets,
    position_bins,
    thin_evenly,
    thin_points,
)
from nexome.model.genome import UNPLACED, assembly_from_contigs, loci_of, locus_of

ASSEMBLY = assembly_from_contigs(
    "toy", "Examplia", [("1", 5_000_000), ("2", 3_000_000), ("s1", 900), ("MT", 0)]
)
BINS = position_bins(ASSEMBLY)


def test_bins_cover_the_assembly():
    assert 2_000 <= BINS.size <= 2_010
    ends = np.array([locus_of(i, max(c.length_bp, 1)) for i, c in enumerate(ASSEMBLY.contigs)], np.uint64)
    assert BINS.bin_of(ends).max() < BINS.size
    assert BINS.bin_of(np.array([locus_of(0, 1)], np.uint64)).tolist() == [0]
    assert BINS.bin_of(np.array([locus_of(UNPLACED, 0)], np.uint64)).tolist() == [-1]


def test_long_contigs_share_no_bin():
    last = BINS.bin_of(np.array([locus_of(0, 5_000_000)], np.uint64))[0]
    first = BINS.bin_of(np.array([locus_of(1, 1)], np.uint64))[0]
    assert first == last + 1


def test_many_scaffolds_need_no_more_bins():
    many = assembly_from_contigs("draft", "Examplia", [(f"s{i}", 1_000) for i in range(50_000)])
    assert position_bins(many).size <= 2_001


positions = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3_000_000), st.floats(0, 8)), max_size=40)


@given(positions)
def test_bit_sets_hold_every_feature_below_a_hit(rows):
    contig, base, strength = (np.array([r[i] for r in rows]) for i in range(3))
    locus = loci_of(contig.astype(np.int64), base.astype(np.int64))
    sets = level_sets(BINS, locus, strength.astype(float))
    expected = {}
    for b, s in zip(BINS.bin_of(locus), strength, strict=True):
        if s < HIT:
            expected[int(b)] = expected.get(int(b), 0) | 1 << int(s / LEVEL)
    assert {int(i): int(sets[i]) for i in np.flatnonzero(sets)} == expected


@given(st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_runs_rebuild_the_bit_sets(values):
    sets = np.array(values, dtype=np.uint64)
    rebuilt = [0] * sets.size
    for b, low, high in zip(*level_runs(sets), strict=True):
        for k in range(round(low / LEVEL), round(high / LEVEL)):
            rebuilt[b] |= 1 << k
    assert rebuilt == values


@pytest.mark.parametrize("most", [1, 100, 20_000])
def test_thinning_keeps_few_and_the_strongest(most):
    random = np.random.default_rng(5)
    place = np.sort(random.integers(0, 3_000_000_000, 300_000))
    strength = random.exponential(size=300_000)
    strength[7] = np.nan
    kept = thin_points(place, strength, most=most)
    assert 0 < kept.size <= most
    assert np.nanargmax(strength) in kept
    assert (np.diff(kept) > 0).all()
    assert 7 not in kept


def test_few_points_all_stay():
    assert thin_points(np.arange(3), np.array([1.0, np.nan, 2.0])).tolist() == [0, 2]


@given(st.integers(0, 2**32 - 1), st.integers(1, 4_000), st.integers(1, 600), st.sampled_from([1, 40, 1_000]))
@settings(max_examples=60, deadline=None)
def test_even_thinning_keeps_the_strongest_of_every_cell_within_the_limit(seed, count, most, columns):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.integers(0, 10**9, count))
    y = rng.exponential(1.0, count)
    y[rng.random(count) < 0.05] = np.nan
    kept = thin_evenly(x, y, most=most, columns=columns)
    assert (np.diff(kept) > 0).all()
    assert not np.isnan(y[kept]).any()
    assert len(kept) <= most
    known = np.flatnonzero(~np.isnan(y))
    if len(known) <= most:
        assert kept.tolist() == known.tolist()
    else:
        assert int(np.nanargmax(y)) in kept.tolist() or np.isclose(y[kept].max(), np.nanmax(y))
        left = np.setdiff1d(known, kept)
        width = (x[known].max() - x[known].min()) / min(columns, most) + 1
        for at in left[:50].tolist():  # a stronger one stands in the same column
            near = np.abs(x[kept] - x[at]) <= width
            assert (y[kept][near] >= y[at]).any()
