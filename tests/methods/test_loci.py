"""Greedy loci against a slow plain version."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.loci import find_loci
from nexome.model.errors import InputError
from nexome.model.genome import UNPLACED, locus_of


def plain_loci(locus, strength, threshold, distance):
    free = {i for i, s in enumerate(strength) if s >= threshold and locus[i] >> 32 != UNPLACED}
    found = []
    while free:
        lead = min(free, key=lambda i: (-strength[i], i))
        taken = {
            i for i in free if locus[i] >> 32 == locus[lead] >> 32 and abs(locus[i] - locus[lead]) <= distance
        }
        free -= taken
        bases = [locus[i] & 0xFFFFFFFF for i in taken]
        found.append((lead, min(bases), max(bases), len(taken)))
    return sorted(found)


features = st.tuples(
    st.sampled_from([0, 1, 5, UNPLACED]), st.integers(0, 60), st.integers(0, 9) | st.just(np.nan)
)


@given(st.lists(features, max_size=60), st.integers(0, 20))
def test_agrees_with_the_plain_version(rows, distance):
    rows = sorted((locus_of(c, 0 if c == UNPLACED else p), s) for c, p, s in rows)
    locus = [r[0] for r in rows]
    strength = np.array([r[1] for r in rows], dtype=float)
    found = find_loci(np.array(locus, dtype=np.uint64), strength, threshold=4, distance_bp=distance)
    fast = zip(found.lead, found.start, found.end, found.count, strict=True)
    assert [tuple(map(int, row)) for row in fast] == plain_loci(locus, strength.tolist(), 4, distance)


def test_loci_do_not_cross_contigs():
    locus = np.array([locus_of(0, 2**32 - 1), locus_of(1, 1)], dtype=np.uint64)
    assert find_loci(locus, np.array([10.0, 9.0])).lead.tolist() == [0, 1]


def test_unsorted_is_refused():
    with pytest.raises(InputError, match="genome order"):
        find_loci(np.array([2, 1], np.uint64), np.array([9.0, 9.0]))
