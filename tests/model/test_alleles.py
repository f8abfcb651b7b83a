import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model import alleles
from nexome.model.genome import allele_key, reverse_complement, unpack_alleles

bases = st.text("ACGTacgt", min_size=1, max_size=16)
odd = st.sampled_from(["-", "I", "D", "<DEL>", "N", "AN", "*", "A" * 40])
allele = st.one_of(bases, bases, odd)
pairs = st.lists(st.tuples(allele, allele), max_size=30)


def columns(rows):
    return pa.array([r for r, _ in rows], pa.string()), pa.array([a for _, a in rows], pa.string())


@given(pairs)
def test_keys_are_those_of_the_slow_way(rows):
    packed = alleles.pack_alleles(*columns(rows))
    assert packed.keys.tolist() == [allele_key(r, a) for r, a in rows]
    assert not packed.absent.any()
    for row in packed.hashed:
        text = "/".join(rows[row]).upper()
        assert packed.spelled[int(packed.keys[row])] == text


@given(pairs)
def test_slices_wide_text_and_dictionaries_give_the_same(rows):
    padded = [("G", "T"), *rows]
    ref, alt = columns(padded)
    want = [allele_key(r, a) for r, a in rows]
    assert alleles.pack_alleles(ref[1:], alt[1:]).keys.tolist() == want
    wide = pa.large_string()
    assert alleles.pack_alleles(ref.cast(wide)[1:], alt.cast(wide)[1:]).keys.tolist() == want
    coded = ref.dictionary_encode(), alt.dictionary_encode()
    assert alleles.pack_alleles(coded[0][1:], coded[1][1:]).keys.tolist() == want


@given(pairs)
def test_flip_and_complement(rows):
    keys = alleles.pack_alleles(*columns(rows)).keys
    packed = ~alleles.are_hashed(keys)
    rows = [row for row, keep in zip(rows, packed, strict=True) if keep]
    keys = keys[packed]
    flipped, turned = alleles.flip_keys(keys), alleles.complement_keys(keys)
    assert flipped.tolist() == [allele_key(a, r) for r, a in rows]
    assert turned.tolist() == [allele_key(reverse_complement(r), reverse_complement(a)) for r, a in rows]
    np.testing.assert_array_equal(alleles.flip_keys(flipped), keys)
    np.testing.assert_array_equal(alleles.complement_keys(turned), keys)


def test_absent_alleles_are_told():
    packed = alleles.pack_alleles(pa.array(["A", None, ""]), pa.array(["", "C", "G"]))
    assert packed.absent.tolist() == [True, True, True]
    assert packed.keys.tolist() == [0, 0, 0]


def test_digits_stand_for_letters():
    packed = alleles.pack_alleles(pa.array(["1", "2"]), pa.array(["3", "4"]), letters=alleles.DIGITS)
    assert [unpack_alleles(int(k)) for k in packed.keys] == [("A", "G"), ("C", "T")]


@pytest.mark.parametrize(
    ("ref", "alt", "answer"),
    [("A", "T", True), ("C", "G", True), ("A", "G", False), ("AT", "A", False), ("<DEL>", "A", False)],
)
def test_palindromes(ref, alt, answer):
    keys = alleles.pack_alleles(pa.array([ref]), pa.array([alt])).keys
    assert alleles.are_palindromic(keys).tolist() == [answer]
