"""Variant keys, contig spellings, and what people write for variants and regions."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model import genome
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.genome import Contig, Interval, VariantName

HUMAN = genome.Assembly(
    "tiny", "Homo sapiens", (Contig("1", 1000), Contig("2", 2000), Contig("X", 500), Contig("MT", 99))
)
WHEAT = genome.Assembly("wheat", "Triticum aestivum", (Contig("chr1A", 10**9), Contig("scaffold_23", 10)))

bases = st.text("ACGT", min_size=1, max_size=30)


@given(bases, bases)
def test_short_alleles_come_back_from_their_key(ref: str, alt: str):
    found = genome.unpack_alleles(genome.allele_key(ref, alt))
    assert found == ((ref, alt) if len(ref + alt) <= genome.MAX_PACKED_BASES else None)


@given(bases, bases, bases, bases)
def test_different_alleles_have_different_keys(a: str, b: str, c: str, d: str):
    assert (genome.allele_key(a, b) == genome.allele_key(c, d)) == ((a, b) == (c, d))


@pytest.mark.parametrize(("ref", "alt"), [("A", "<DEL>"), ("N", "A"), ("*", "A"), ("", "A"), ("I", "D")])
def test_what_is_not_bases_is_hashed(ref: str, alt: str):
    assert genome.allele_key(ref, alt) & genome.HASHED


def test_a_named_feature_and_alleles_of_the_same_text_differ():
    assert genome.feature_key("gene", "A/T") != genome.hash_text("A/T")


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1))
def test_loci_sort_as_contig_then_position(places: list[tuple[int, int]]):
    contig, position = np.array(places, dtype=np.uint64).T
    loci = genome.loci_of(contig, position)
    assert [places[i] for i in np.argsort(loci, kind="stable")] == sorted(places)
    assert loci.tolist() == [genome.locus_of(c, p) for c, p in places]


@given(bases)
def test_reverse_complement_twice_is_nothing(allele: str):
    assert genome.reverse_complement(genome.reverse_complement(allele)) == allele


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("1", 0),
        ("chr1", 0),
        ("CHR01", 0),
        ("NC_000002.12", 1),
        ("23", 2),
        ("chrX", 2),
        ("XY", 2),
        ("25", 2),
        ("M", 3),
        ("chrM", 3),
        ("26", 3),
        ("NC_012920.1", 3),
        ("3", None),
        ("", None),
        ("chr", None),
    ],
)
def test_contig_spellings(text: str, rank: int | None):
    assert HUMAN.find_contig(text) == rank


def test_contigs_of_another_species():
    assert WHEAT.find_contig("1a") == 0
    assert WHEAT.find_contig("scaffold_23") == 1
    assert WHEAT.find_contig("23") is None


def test_an_assembly_is_its_contigs_not_its_name():
    same = genome.Assembly("other name", "Homo sapiens", HUMAN.contigs)
    longer = genome.Assembly("tiny", "Homo sapiens", (*HUMAN.contigs[:-1], Contig("MT", 100)))
    assert same.digest == HUMAN.digest != longer.digest
    assert genome.Assembly.from_dict(HUMAN.as_dict()) == HUMAN


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rs123", VariantName(rsid=123)),
        (" RS 123 ", VariantName(rsid=123)),
        ("chr2:1,234", VariantName(contig=1, position=1234)),
        ("2-150-a-gt", VariantName(contig=1, position=150, ref="A", alt="GT")),
        ("2:150:A:G", VariantName(contig=1, position=150, ref="A", alt="G")),
        ("chr2_150_A/G", VariantName(contig=1, position=150, ref="A", alt="G")),
        ("2:150 A>G", VariantName(contig=1, position=150, ref="A", alt="G")),
        ("X:5:A:<DEL>", VariantName(contig=2, position=5, ref="A", alt="<DEL>")),
    ],
)
def test_variants_as_people_write_them(text: str, name: VariantName):
    assert genome.parse_variant(text, HUMAN) == name


@pytest.mark.parametrize("text", ["", "rs", "height", "2:", ":5", "2:150:A", "1:99999999999", "rs12x", "2:,"])
def test_what_is_no_variant_is_said(text: str):
    with pytest.raises(QueryError):
        genome.parse_variant(text, HUMAN)


def test_an_unknown_contig_is_named():
    with pytest.raises(NotFoundError, match="tiny"):
        genome.parse_variant("17:5", HUMAN)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("2:10-20", Interval(1, 10, 20)),
        ("chr2:1,000..2,000", Interval(1, 1000, 2000)),
        ("1:0.5kb-1kb", Interval(0, 500, 1000)),
        ("2:150", Interval(1, 150, 150)),
        ("X", Interval(2, 1, 500)),
        ("2:0-5", Interval(1, 1, 5)),
    ],
)
def test_regions_as_people_write_them(text: str, interval: Interval):
    assert genome.parse_interval(text, HUMAN) == interval


@pytest.mark.parametrize("text", ["2:20-10", "2:a-b", "", "2:1-99999999999", "2:1..2..3", "2:.-5"])
def test_what_is_no_region_is_said(text: str):
    with pytest.raises(QueryError):
        genome.parse_interval(text, HUMAN)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parsers(text: str):
    for parse in (genome.parse_variant, genome.parse_interval):
        with contextlib.suppress(QueryError, NotFoundError):
            parse(text, HUMAN)


def test_locus_range_covers_both_ends():
    first, behind = Interval(1, 10, 20).locus_range
    assert first == genome.locus_of(1, 10)
    assert behind == genome.locus_of(1, 21)
