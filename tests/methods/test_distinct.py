"""Distinct things counted by a sketch, beside an exact set."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.distinct import REGISTERS, add_hash, estimate, new_sketch


def hash_of(number: int) -> int:
    return int.from_bytes(hashlib.blake2b(str(number).encode(), digest_size=8).digest(), "big")


def sketch_of(numbers):
    sketch = new_sketch()
    for number in numbers:
        add_hash(sketch, hash_of(number))
    return sketch


@pytest.mark.parametrize("count", [1, 2, 10, 100, 1_000, 20_000, 200_000])
def test_the_estimate_is_within_four_standard_errors(count: int):
    found = estimate(sketch_of(range(count)))
    assert abs(found - count) <= max(0.5, 4 * 1.04 / REGISTERS**0.5 * count)


@given(st.sets(st.integers(0, 10**9), max_size=60), st.sets(st.integers(0, 10**9), max_size=60))
def test_sketches_of_parts_merge_into_that_of_the_whole(one: set[int], other: set[int]):
    merged = np.maximum(sketch_of(one), sketch_of(other))
    assert np.array_equal(merged, sketch_of(one | other))


def test_what_was_seen_before_changes_nothing():
    sketch = sketch_of(range(50))
    assert not any(add_hash(sketch, hash_of(n)) for n in range(50))


def test_nothing_is_zero_and_a_full_sketch_is_finite():
    assert estimate(new_sketch()) == 0
    assert np.isfinite(estimate(np.full(REGISTERS, 40, np.uint8)))


def test_a_hash_of_zeros_has_the_highest_rank():
    sketch = new_sketch()
    add_hash(sketch, 0)
    assert sketch.max() == 51
