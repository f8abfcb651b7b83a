"""The strongest feature of each bin against a slow plain search of the same cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, NewerVersionError
from nexome.model.genome import UNPLACED, Stretch, allele_key, assembly_from_contigs, loci_of
from nexome.store.associations import zoom
from nexome.store.associations.types import Features
from nexome.store.associations.zoom import check_of, read_zoom, write_zoom, zoom_bins
from nexome.store.associations.zoom_builder import StrongestBuilder

ASSEMBLY = assembly_from_contigs("small", "", [("1", 100_000), ("2", 40_001), ("scaffold", 0), ("MT", 900)])
MISSING = -32768


def make_features(rng, count):
    contig = rng.integers(0, 4, count)
    position = rng.integers(1, 902, count) * np.where(contig == 3, 1, 100)
    locus = loci_of(contig, position)
    locus[rng.random(count) < 0.05] = UNPLACED << 32
    alleles = np.array([allele_key("A", "C" * (1 + i)) for i in range(5)], np.uint64)
    allele = rng.choice(alleles, count)
    order = np.lexsort((allele, locus))
    kept = order[np.concatenate([[True], np.diff(locus[order]) > 0])] if count else order
    return Features(locus[kept], allele[kept], np.zeros(len(kept), np.uint32))


def slow(features, codes, bits):
    """{(contig, bin in it): (|code|, locus, check)} of one trait."""
    best = {}
    checks = check_of(features.allele, bits).tolist()
    for locus, check, code in zip(features.locus.tolist(), checks, codes.tolist(), strict=True):
        contig, base = locus >> 32, locus & 0xFFFFFFFF
        if contig == UNPLACED or code == MISSING:
            continue
        if (base - 1) >> 14 >= -(-ASSEMBLY.contigs[contig].length_bp >> 14):  # beyond the last bin
            continue
        place = (contig, (base - 1) >> bits)
        if place not in best or abs(code) > best[place][0]:
            best[place] = (abs(code), locus, check)
    return best


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(0, 300), traits=st.integers(1, 70), parts=st.integers(1, 4)
)
def test_the_strongest_of_each_bin_is_what_a_plain_search_finds(tmp_path_factory, seed, count, traits, parts):
    rng = np.random.default_rng(seed)
    features = make_features(rng, count)
    codes = rng.integers(-40, 41, (len(features), traits)).astype(np.int16)
    codes[rng.random(codes.shape) < 0.2] = MISSING
    codes[rng.random(codes.shape) < 0.02] = -32767
    builder = StrongestBuilder(ASSEMBLY, traits)
    for rows in rng.permutation(np.arange(parts)):  # blocks may come in any order
        own = np.array_split(np.arange(len(features)), parts)[rows]
        builder.add(features.take(own), codes[own])
    path = tmp_path_factory.mktemp("zoom") / "zoom.arrow"
    write_zoom(path, builder.bins, map(builder.trait, range(traits)))
    for trait in range(traits):
        found = read_zoom(path, ASSEMBLY, trait)
        expected = slow(features, codes[:, trait], found.bins.bits)
        assert found.locus.tolist() == [expected[p][1] for p in sorted(expected)]
        assert np.abs(found.z.astype(int)).tolist() == [expected[p][0] for p in sorted(expected)]
        assert found.check.tolist() == [expected[p][2] for p in sorted(expected)]
        assert found.same(builder.trait(trait))


def test_wider_bins_hold_the_same_strength():
    rng = np.random.default_rng(3)
    features = make_features(rng, 400)
    codes = rng.integers(-9_000, 9_000, (len(features), 1)).astype(np.int16)
    builder = StrongestBuilder(ASSEMBLY, 1)
    builder.add(features, codes)
    fine = builder.trait(0)
    for bits in (14, 15, 16, 20):
        expected = slow(features, codes[:, 0], bits)
        _, strongest = fine.coarser(bits)
        assert np.abs(strongest.astype(int)).tolist() == [expected[p][0] for p in sorted(expected)]
        rows = fine.rows_in(Stretch(0, 1, 3, 900), bits=bits)
        assert fine.locus[rows].tolist() == [expected[p][1] for p in sorted(expected)]
    weaker = zoom.ZoomTrait(fine.bins, fine.bin, fine.place, (fine.z // 2).astype(np.int16))
    assert not fine.same(weaker)


def test_many_traits_at_once_get_wider_bins():
    human = assembly_from_contigs("long", "", [("1", 3_100_000_000)])
    assert zoom_bins(human).bits == zoom.BIN_BITS
    assert zoom_bins(human, traits=1_000).bits == zoom.BIN_BITS
    assert zoom_bins(human, traits=4_000).bits == zoom.BIN_BITS + 2
    for traits in (1, 1_000, 4_000):
        assert traits * zoom_bins(human, traits=traits).size * 6 <= zoom.BYTES_MOST * 1.01


def test_a_damaged_or_newer_file_is_said_to_be_so(tmp_path, monkeypatch):
    path = tmp_path / "zoom.arrow"
    with pytest.raises(FileNotFoundError):
        read_zoom(path, ASSEMBLY, 0)
    path.write_bytes(b"not an Arrow file")
    with pytest.raises(DamagedError, match="nexome rebuild"):
        read_zoom(path, ASSEMBLY, 0)
    builder = StrongestBuilder(ASSEMBLY, 1)
    monkeypatch.setattr(zoom, "VERSION", 2)
    write_zoom(path, builder.bins, [builder.trait(0)])
    monkeypatch.undo()
    with pytest.raises(NewerVersionError):
        read_zoom(path, ASSEMBLY, 0)
