"""Summaries against a slow plain count of the same cells."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.methods.inflation import lambda_gc
from nexome.methods.manhattan import level_sets, position_bins
from nexome.methods.normal import neg_log10_p_from_z
from nexome.methods.quantiles import Z_BINS, count_abs_z
from nexome.model.errors import DamagedError, NotFoundError
from nexome.model.genome import UNPLACED, allele_key, assembly_from_contigs, hash_text, loci_of
from nexome.store.associations import codec, summary_builder
from nexome.store.associations.summaries import HITS_NAME, Summary
from nexome.store.associations.summary_builder import SummaryBuilder
from nexome.store.associations.types import Exact, Features

ASSEMBLY = assembly_from_contigs("small", "", [("1", 9_000_000), ("2", 4_000_000), ("MT", 16_000)])


def make_features(rng, count, *, unplaced=0):
    contig = np.sort(rng.integers(0, 3, count))
    position = rng.integers(1, 15_000, count) * np.where(contig == 2, 1, 200)
    locus = loci_of(contig, position)
    locus[count - unplaced :] = UNPLACED << 32
    order = np.argsort(locus, kind="stable")
    alleles = np.array([allele_key("A", "ACGT"[1 + i % 3] * (1 + i // 3)) for i in range(12)], np.uint64)
    allele = np.sort(rng.choice(alleles, count)) if count else np.zeros(0, np.uint64)
    return Features(locus[order], allele, rng.integers(0, 99, count).astype(np.uint32))


def make_codes(rng, features, traits):
    z = rng.normal(0, 2.2, (len(features), traits)).astype(np.float32)
    z[rng.random(z.shape) < 0.1] = np.nan
    z[rng.random(z.shape) < 0.02] *= 20
    se = np.where(np.isnan(z), np.nan, rng.uniform(0.01, 1, z.shape)).astype(np.float32)
    eaf = np.where(np.isnan(z), np.nan, rng.uniform(0, 1, z.shape)).astype(np.float32)
    codes = (codec.encode_z(z), codec.encode_se(se), codec.encode_eaf(eaf))
    row, column = np.nonzero(codes[0] == codec.OVERFLOW)
    exact = Exact(row.astype(np.int32), column.astype(np.int32), z[row, column])
    return codes, exact, values_of(codes[0], exact)


def values_of(z_codes, exact):
    values = codec.decode_z(z_codes).copy()
    values[exact.row, exact.column] = exact.value
    return values


def slow_loci(locus, strength, threshold):
    left = [i for i in range(len(locus)) if strength[i] >= threshold and locus[i] >> 32 != UNPLACED]
    found = []
    while left:
        lead = max(left, key=lambda i: (strength[i], -i))
        same = [i for i in left if locus[i] >> 32 == locus[lead] >> 32]
        near = [i for i in same if abs(int(locus[i]) - int(locus[lead])) <= 500_000]
        found.append((lead, min(locus[i] for i in near), max(locus[i] for i in near), len(near)))
        left = [i for i in left if i not in near]
    return found


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(0, 300), traits=st.integers(1, 40), parts=st.integers(1, 3)
)
def test_a_summary_is_what_a_plain_count_gives(tmp_path_factory, seed, count, traits, parts):
    rng = np.random.default_rng(seed)
    features = make_features(rng, count, unplaced=min(count, 2))
    codes, exact, z = make_codes(rng, features, traits)
    builder = SummaryBuilder(ASSEMBLY, traits)
    cuts = np.linspace(0, count, parts + 1).astype(int)
    for low, high in pairwise(cuts):
        inside = (exact.row >= low) & (exact.row < high)
        part = Exact(exact.row[inside] - low, exact.column[inside], exact.value[inside])
        rows = np.arange(low, high)
        builder.add(features.take(rows), tuple(c[low:high] for c in codes), exact_z=part)
    folder = tmp_path_factory.mktemp("summary")
    builder.finish().write(folder)
    summary = Summary(folder)
    bins = position_bins(ASSEMBLY)
    for j in range(traits):
        trait = summary.trait(j)
        strength = neg_log10_p_from_z(z[:, j])
        assert trait.cells == np.count_nonzero(~np.isnan(z[:, j]))
        assert trait.missing == np.count_nonzero(np.isnan(z[:, j]))
        np.testing.assert_array_equal(trait.manhattan, level_sets(bins, features.locus, strength))
        np.testing.assert_array_equal(trait.qq, count_abs_z(z[:, j]))
        check_hits(trait, features, z[:, j], strength)


def check_hits(trait, features, z, strength):
    rows = [i for i in range(len(z)) if strength[i] >= 4]
    by_key = sorted(rows, key=lambda i: (features.locus[i], features.allele[i]))
    hits = trait.hits()
    assert trait.hit_count == len(hits) == len(rows)
    assert sorted(hits.features.locus.tolist()) == [features.locus[i] for i in by_key]
    assert sorted(hits.z.tolist()) == sorted(z[i] for i in rows)
    by_p = trait.hits(order="p")
    assert by_p.rank.tolist() == list(range(len(rows)))
    assert np.all(np.diff(np.abs(by_p.z)) <= 0)
    assert trait.hits(order="p", limit=3, offset=1).z.tolist() == by_p.z[1:4].tolist()
    loci = slow_loci(hits.features.locus, neg_log10_p_from_z(hits.z), 7.301029995663981)
    suggestive = not loci
    if suggestive:
        loci = slow_loci(hits.features.locus, neg_log10_p_from_z(hits.z), 5.0)
    found = trait.loci()
    assert len(found) == len(loci)
    assert sorted(found.features_in_locus.tolist()) == sorted(n for *_, n in loci)
    assert sorted(found.locus_end.tolist()) == sorted(int(e) & 0xFFFFFFFF for _, _, e, _ in loci)
    assert found.suggestive.tolist() == [suggestive] * len(loci)


def test_lambda_of_a_null_study_is_one(tmp_path):
    rng = np.random.default_rng(3)
    z = codec.encode_z(rng.normal(size=(400_000, 1)).astype(np.float32))
    locus = np.arange(1, 400_001, dtype=np.uint64)
    features = Features(
        locus, np.full(400_000, allele_key("A", "C"), np.uint64), np.zeros(400_000, np.uint32)
    )
    builder = SummaryBuilder(ASSEMBLY, 1)
    builder.add(features, (z, np.zeros_like(z), np.zeros_like(z)))
    builder.finish().write(tmp_path)
    exact = lambda_gc(codec.decode_z(z))
    assert Summary(tmp_path).trait().lambda_gc == pytest.approx(exact, abs=0.002)


def test_a_part_of_the_traits_goes_to_its_own_folder(tmp_path):
    rng = np.random.default_rng(4)
    features = make_features(rng, 200)
    codes, exact, z = make_codes(rng, features, 5)
    builder = SummaryBuilder(ASSEMBLY, 5)
    builder.add(features, codes, exact_z=exact)
    counted = builder.finish()
    counted.write(tmp_path, first_trait=3, traits=2)
    summary = Summary(tmp_path)
    assert summary.facts["traits"] == 2
    assert summary.trait(1).cells == np.count_nonzero(~np.isnan(z[:, 4]))
    assert set(summary.hits().trait.tolist()) <= {0, 1}
    with pytest.raises(NotFoundError):
        summary.trait(2)


def test_a_study_of_very_many_traits_keeps_its_strongest_hits(tmp_path, monkeypatch):
    monkeypatch.setattr(summary_builder, "GROUPED_FROM", 2)
    monkeypatch.setattr(summary_builder, "HITS_MOST", 5)
    rng = np.random.default_rng(5)
    features = make_features(rng, 200)
    codes, exact, z = make_codes(rng, features, 4)
    builder = SummaryBuilder(ASSEMBLY, 4)
    for j in range(4):
        for low in (0, 100):
            mine = (exact.column == j) & (exact.row >= low) & (exact.row < low + 100)
            own = Exact(exact.row[mine] - low, exact.column[mine] * 0, exact.value[mine])
            part = tuple(c[low : low + 100, j : j + 1] for c in codes)
            builder.add(features.take(np.arange(low, low + 100)), part, exact_z=own, first_trait=j)
    builder.finish().write(tmp_path)
    summary = Summary(tmp_path)
    assert not summary.has_plots
    for j in range(4):
        strong = np.sort(np.abs(z[neg_log10_p_from_z(z[:, j]) >= 4, j]))[::-1]
        assert summary.trait(j).hit_count == len(strong) > 5
        np.testing.assert_array_equal(np.abs(summary.hits(j, order="p").z), strong[:5])
        assert summary.trait(j).cells == np.count_nonzero(~np.isnan(z[:, j]))
    np.testing.assert_array_equal(summary.trait(0).qq, count_abs_z(z))
    assert summary.trait(0).qq.shape == (Z_BINS,)


def test_hits_spell_long_alleles(tmp_path):
    key = hash_text("A/" + "T" * 40)
    features = Features(
        np.array([5], np.uint64), np.array([key], np.uint64), np.zeros(1, np.uint32), {key: "A/" + "T" * 40}
    )
    codes = tuple(np.full((1, 1), c, np.int16) for c in (9000, 5, 5))
    builder = SummaryBuilder(ASSEMBLY, 1)
    builder.add(features, codes)
    builder.finish().write(tmp_path)
    assert Summary(tmp_path).hits().features.text(0) == "A/" + "T" * 40


def test_a_cut_summary_is_named(tmp_path):
    builder = SummaryBuilder(ASSEMBLY, 1)
    builder.finish().write(tmp_path)
    path = tmp_path / HITS_NAME
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DamagedError, match=r"hits\.arrow"):
        Summary(tmp_path).hits()
