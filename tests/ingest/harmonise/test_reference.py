import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.harmonise.alleles import Match
from nexome.ingest.harmonise.reference import Window, match_reference, normalise, normalise_text
from nexome.model.genome import allele_key, hash_text, unpack_alleles

bases = st.text("AC", min_size=30, max_size=60)


def apply(text, position, ref, alt):
    """The sequence with the variant in it: two spellings of one variant give the same."""
    assert text[position - 1 : position - 1 + len(ref)] == ref
    return text[: position - 1] + alt + text[position - 1 + len(ref) :]


@given(bases, st.integers(8, 25), st.integers(1, 4), st.text("AC", min_size=1, max_size=4))
def test_a_normalised_indel_is_the_same_variant_once(text, position, length, alt):
    ref = text[position - 1 : position - 1 + length]
    if ref == alt:
        return
    window = Window.of(1, text)
    where, keys, _ = normalise(np.array([position]), np.array([allele_key(ref, alt)], np.uint64), window, {})
    new_ref, new_alt = unpack_alleles(int(keys[0]))
    assert apply(text, int(where[0]), new_ref, new_alt) == apply(text, position, ref, alt)
    again, same, changed = normalise(where, keys, window, {})
    assert (again[0], same[0], changed[0]) == (where[0], keys[0], False)
    slow = normalise_text(position, f"{ref}/{alt}", window)
    if slow is not None:
        assert slow == (int(where[0]), new_ref, new_alt)


def test_orientation_by_the_reference():
    window = Window.of(10, "ACGTACGT")
    cases = [(10, "A", "G"), (10, "G", "A"), (10, "T", "C"), (10, "C", "T"), (11, "G", "A"), (11, "A", "T"),
             (10, "AC", "A"), (10, "A", "AC"), (99, "A", "C")]  # fmt: skip
    keys = np.array([allele_key(r, a) for _, r, a in cases], np.uint64)
    match = match_reference(np.array([p for p, _, _ in cases]), keys, window, {})
    want = [Match.SAME, Match.SWAPPED, Match.COMPLEMENT, Match.COMPLEMENT_SWAPPED, Match.COMPLEMENT,
            Match.OTHER_ALLELES, Match.SAME, Match.SWAPPED, Match.NONE]  # fmt: skip
    assert match.tolist() == want


def test_an_empty_allele_is_anchored_on_the_base_before():
    spelled = {hash_text("-/GG"): "-/GG"}
    window = Window.of(1, "TTACGT")
    where, keys, changed = normalise(np.array([4]), np.array([hash_text("-/GG")], np.uint64), window, spelled)
    assert (where[0], unpack_alleles(int(keys[0])), changed[0]) == (3, ("A", "AGG"), True)
