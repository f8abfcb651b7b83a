import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import InputError
from nexome.model.genome import HASHED, Interval, allele_key, feature_key, locus_of
from nexome.store.associations.axis import Axis, unite, write_axis
from nexome.store.associations.types import FeatureKey, Features

LONG = "A/" + "T" * 40
KEYS = [allele_key("A", "C"), allele_key("G", "T"), allele_key("A", "T" * 40)]
SPELLED = {KEYS[2]: LONG}

rows = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(1, 40), st.sampled_from(KEYS)), st.integers(0, 9), min_size=1
)


def features_of(table):
    keys = sorted((locus_of(c, p), a) for c, p, a in table)
    rsid = {(locus_of(c, p), a): r for (c, p, a), r in table.items()}
    return Features(
        np.array([k[0] for k in keys], np.uint64),
        np.array([k[1] for k in keys], np.uint64),
        np.array([rsid[k] for k in keys], np.uint32),
        SPELLED,
    )


@given(rows, st.integers(0, 2), st.integers(1, 40), st.integers(0, 20))
def test_an_axis_finds_what_a_plain_list_finds(tmp_path_factory, table, contig, start, length):
    features = features_of(table)
    folder = tmp_path_factory.mktemp("axis")
    write_axis(folder, features)
    axis = Axis(folder)
    keys = list(zip(features.locus.tolist(), features.allele.tolist(), strict=True))
    assert [axis.find(FeatureKey(*key)) for key in keys] == list(range(len(keys)))
    assert axis.find(FeatureKey(keys[0][0], 7)) == -1
    low, high = axis.rows_in(Interval(contig, start, start + length))
    inside = [
        i
        for i, (locus, _) in enumerate(keys)
        if locus >> 32 == contig and start <= locus & 0xFFFFFFFF <= start + length
    ]
    assert list(range(low, high)) == inside
    for rsid in range(1, 10):
        assert axis.find_rsid(rsid) == [i for i, r in enumerate(features.rsid.tolist()) if r == rsid]
    assert axis.find_hashed(KEYS[2]) == [i for i, (_, a) in enumerate(keys) if a == KEYS[2]]
    assert axis.match(features).tolist() == list(range(len(keys)))
    for i, (_, allele) in enumerate(keys):
        assert axis.features().text(i) == {KEYS[0]: "A/C", KEYS[1]: "G/T", KEYS[2]: LONG}[allele]


@given(rows, rows)
def test_united_axes_hold_each_feature_once(one, other):
    parts = [features_of(one), features_of(other)]
    both = unite(parts)
    keys = list(zip(both.locus.tolist(), both.allele.tolist(), strict=True))
    expected = {k for p in parts for k in zip(p.locus.tolist(), p.allele.tolist(), strict=True)}
    assert keys == sorted(expected)
    known: dict = {}
    for part in reversed(parts):
        for locus, allele, rsid in zip(
            part.locus.tolist(), part.allele.tolist(), part.rsid.tolist(), strict=True
        ):
            known[locus, allele] = rsid or known.get((locus, allele), 0)
    assert both.rsid.tolist() == [known[k] for k in keys]


def test_loci_beyond_53_bits_are_told_apart(tmp_path):
    locus = np.array([(2**31 << 32) | p for p in (5, 6, 7)], np.uint64)
    write_axis(tmp_path, Features(locus, np.full(3, KEYS[0], np.uint64), np.zeros(3, np.uint32)))
    assert Axis(tmp_path).rows_in(Interval(2**31, 6, 6)) == (1, 2)


def test_named_features_are_found_by_kind_and_name(tmp_path):
    key = feature_key("cpg", "cg001")
    assert key >= HASHED
    one = Features(
        np.array([9], np.uint64), np.array([key], np.uint64), np.zeros(1, np.uint32), {key: "cpg:cg001"}
    )
    write_axis(tmp_path, one)
    axis = Axis(tmp_path)
    assert axis.find_hashed(key) == [0]
    assert axis.features().text(0) == "cpg:cg001"
    assert [a.to_pylist() for a in axis.features().alleles] == [[None], [None], ["cg001"]]


def test_disorder_and_unspelled_hashes_are_refused(tmp_path):
    zero = np.zeros(2, np.uint32)
    with pytest.raises(InputError, match="row 1 is not above"):
        write_axis(tmp_path, Features(np.array([5, 5], np.uint64), np.array([1, 1], np.uint64), zero))
    with pytest.raises(InputError, match="without its text"):
        write_axis(tmp_path, Features(np.array([5, 6], np.uint64), np.array([1, HASHED], np.uint64), zero))
