import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.harmonise.alleles import (
    Match,
    StrandEvidence,
    detect_letters,
    judge_palindromes,
    match_sites,
    orient,
    read_alleles,
    sorted_sites,
)
from nexome.ingest.harmonise.build import RsidIndex, canonical_build, compare_positions
from nexome.ingest.harmonise.frequency import FrequencyEvidence, compare_frequencies
from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.model.alleles import DIGITS, LETTERS
from nexome.model.genome import allele_key, reverse_complement

base = st.sampled_from("ACGT")
allele = st.one_of(base, st.sampled_from(["AT", "GGC", "T" * 30]))
pair = st.tuples(allele, allele).filter(lambda p: p[0] != p[1])


def table(rows):
    locus = np.array([p for p, _, _ in rows], np.uint64)
    keys = np.array([allele_key(r, a) for _, r, a in rows], np.uint64)
    return locus, keys, {allele_key(r, a): f"{r}/{a}" for _, r, a in rows}


def plain(row, sites):
    position, ref, alt = row
    here = [(r, a) for p, r, a in sites if p == position]
    ways = [(ref, alt), (alt, ref)]
    if len(ref) == len(alt) == 1:
        other = (reverse_complement(ref), reverse_complement(alt))
        ways += [other, other[::-1]]
    for number, way in enumerate(ways, 1):
        if way in here:
            return number
    return Match.OTHER_ALLELES if here else Match.NONE


rows = st.lists(st.tuples(st.integers(1, 6), pair).map(lambda r: (r[0], *r[1])), min_size=1, max_size=12)


@given(rows, rows)
def test_rows_match_sites_as_one_by_one(mine, theirs):
    mine.sort()
    locus, keys, spelled = table(mine)
    site_locus, site_keys, _ = table(theirs)
    nothing = np.zeros(len(theirs))
    sites = sorted_sites(site_locus, site_keys, nothing.astype(np.float32), nothing.astype(np.uint32))
    match, _ = match_sites(locus, keys, sites, spelled=spelled)
    assert match.tolist() == [plain(row, theirs) for row in mine]
    oriented, _, _ = orient(keys, match, spelled=spelled)
    again, _ = match_sites(locus, oriented, sites, spelled=spelled)
    matched = (match > 0) & (match < Match.OTHER_ALLELES)
    assert (again[matched] == Match.SAME).all()


def test_what_is_no_allele_is_dropped_and_an_absent_other_one_is_n():
    verdicts = Verdicts(7)
    effect = pa.array(["a", "A", "?", "A", "XX", "A", "I"]).dictionary_encode()
    other = pa.array(["g", None, "A", "A", "A", "A/C", "D"]).dictionary_encode()
    packed = read_alleles(effect, other, verdicts)
    want = [0, 0, Drop.NO_EFFECT_ALLELE, Drop.SAME_ALLELES, Drop.UNREADABLE_ALLELE, Drop.UNREADABLE_ALLELE, 0]
    assert verdicts.drop.tolist() == want
    assert verdicts.change[1] == Change.OTHER_ALLELE_UNKNOWN
    assert packed.spelled[int(packed.keys[1])] == "N/A"
    assert packed.keys[0] == allele_key("G", "A")


@pytest.mark.parametrize(
    ("values", "letters"),
    [(["1", "4", None], DIGITS), (["A", "1"], LETTERS), ([None, "0"], LETTERS), (["a"], LETTERS)],
)
def test_how_alleles_are_written(values, letters):
    assert detect_letters(pa.array(values, pa.string()), None) == letters


def test_palindromes_by_rule():
    frequency = np.array([0.1, 0.9, 0.45, np.nan], np.float32)
    known = np.array([0.1, 0.1, 0.45, 0.1], np.float32)

    def judge(rule, strand):
        turned, dropped = judge_palindromes(frequency, known, rule=rule, strand=strand)
        return turned.tolist(), dropped.tolist()

    no, yes = [False] * 4, [True] * 4
    by_frequency = [False, True, False, False], [False, False, True, True]
    assert judge("keep", "mixed") == (no, no)
    assert judge("drop", "forward") == (no, yes)
    assert judge("infer", "forward") == by_frequency
    assert judge("auto", "mixed") == by_frequency
    assert judge("auto", "forward") == judge("auto", "unknown") == (no, no)
    assert judge("auto", "reverse") == (yes, no)


@pytest.mark.parametrize(
    ("forward", "reverse", "verdict"),
    [(19, 0, "unknown"), (99, 1, "forward"), (98, 2, "mixed"), (0, 20, "reverse")],
)
def test_strand_of_a_file(forward, reverse, verdict):
    assert StrandEvidence(forward, reverse).verdict == verdict


@given(st.integers(0, 2**32), st.floats(0, 0.15))
def test_frequency_evidence_adds_up_and_turns_over(seed, noise):
    rng = np.random.default_rng(seed)
    known = rng.uniform(0.01, 0.99, 400).astype(np.float32)
    own = np.clip(known + rng.normal(0, noise, 400), 0, 1).astype(np.float32)
    whole = compare_frequencies(own, known)
    parts = compare_frequencies(own[:150], known[:150]) + compare_frequencies(own[150:], known[150:])
    assert (parts.compared, parts.nearer_other) == (whole.compared, whole.nearer_other)
    assert parts.correlation == pytest.approx(whole.correlation)
    informative = np.abs(known - 0.5) >= 0.1
    assert whole.correlation == pytest.approx(
        np.corrcoef(own[informative], known[informative])[0, 1], abs=1e-6
    )
    assert whole.verdict == "effect allele"
    assert compare_frequencies(1 - own, known).verdict == "other allele"
    assert FrequencyEvidence().verdict == "not compared"


def test_unrelated_frequencies_are_unclear():
    rng = np.random.default_rng(1)
    answer = compare_frequencies(*rng.uniform(0, 1, (2, 500)).astype(np.float32))
    assert answer.verdict == "unclear"


def test_builds_by_rs_number():
    locus = np.arange(1, 101, dtype=np.uint64) << np.uint64(4)
    rsid = np.append(np.arange(1, 100), 1).astype(np.uint32)  # rs1 stands at two places
    sites = sorted_sites(locus, locus, np.zeros(100, np.float32), rsid)
    index = RsidIndex.of(sites)
    assert len(index.rsid) == 98
    mine = np.arange(1, 101, dtype=np.uint32)
    right = compare_positions(mine, locus, index)
    assert (right.compared, right.agree, right.verdict) == (98, 98, "this build")
    assert compare_positions(mine, locus + np.uint64(1), index).verdict == "another build"
    half = compare_positions(mine, np.where(mine < 50, locus, locus + np.uint64(1)), index)
    assert half.verdict == "mixed builds"
    assert (right + half).compared == 196


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hg19", "GRCh37"),
        ("HG19/GRCh37", "GRCh37"),
        ("GRCh38.p14", "GRCh38"),
        ("b36", "NCBI36"),
        ("IRGSP-1.0", "IRGSP-1.0"),
    ],
)
def test_names_of_builds(text, name):
    assert canonical_build(text) == name
