"""Sketches add up as sets do, and count those who differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.populations import (
    GROUPS,
    differing_groups,
    fold,
    people_of,
    siphash,
    sketch_people,
    sketch_rows,
)

KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)


def test_siphash_is_the_published_one():
    # test vector of 16 bytes 00 … 0f under the key 00 … 0f (reference implementation, vectors.h)
    words = (np.uint64(0x0706050403020100), np.uint64(0x0F0E0D0C0B0A0908))
    assert int(siphash(*words, np.uint64(KEY[0]), np.uint64(KEY[1]))) == 0x3F2ACC7F57C29BDB


def plain_sketch(participants, cell, cells, *, rows):
    """Person by person."""
    made = np.zeros((cells, GROUPS), np.uint64)
    occurrence, seen = {}, set()
    for key, at in zip(participants, cell, strict=True):
        nth = occurrence.get(key, 0)
        occurrence[key] = nth + 1
        person = people_of(np.array([key], np.uint64), KEY)
        number = siphash(np.uint64(key), np.uint64(nth if rows else 0), np.uint64(KEY[0]), np.uint64(KEY[1]))
        if at >= 0 and (rows or (key, at) not in seen):
            with np.errstate(over="ignore"):
                made[at, person.group[0]] += number
            seen.add((key, at))
    return made


@pytest.mark.parametrize("rows", [True, False])
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(-1, 2)), min_size=1, max_size=30), st.booleans())
def test_sketches_are_the_plain_ones(rows, table, ordered):
    table = sorted(table) if ordered else table
    keys, cell = np.array([k for k, _ in table], np.uint64), np.array([c for _, c in table], np.int32)
    sketch = sketch_rows if rows else sketch_people
    counts, found = sketch(people_of(keys, KEY), cell, 3)
    np.testing.assert_array_equal(found, plain_sketch(keys.tolist(), cell.tolist(), 3, rows=rows))
    pairs = [(k, c) for k, c in table if c >= 0]
    assert counts.tolist() == [
        len([p for p in (pairs if rows else set(pairs)) if p[1] == c]) for c in range(3)
    ]


@given(st.sets(st.integers(0, 499)), st.sets(st.integers(0, 499)))
def test_groups_that_differ_are_never_more_than_people_who_do(one, other):
    people = people_of(np.arange(1, 501, dtype=np.uint64), KEY)
    sketches = [
        sketch_people(people, np.where(np.isin(np.arange(500), list(s)), 0, -1).astype(np.int32), 1)[1][0]
        for s in (one, other)
    ]
    differ = len(one ^ other)
    groups = differing_groups(sketches[0] - sketches[1])
    assert groups <= differ
    assert (groups == 0) == (differ == 0)


def test_folded_sketches_keep_the_sum():
    sketches = np.random.default_rng(0).integers(0, 2**64, (3, GROUPS), dtype=np.uint64)
    folded = fold(sketches, 7)
    assert folded.shape == (3, 7)
    np.testing.assert_array_equal(folded.sum(axis=1), sketches.sum(axis=1))
