"""Keys on disk are found as a sorted list in memory finds them."""

from bisect import bisect_left
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.search.keys import SortedKeys

TEXTS = st.text(alphabet="abz 糖尿\x00", max_size=5)


def made(folder: Path, keys: list[str], weights: list[int]) -> SortedKeys:
    owner = np.arange(len(keys), dtype=np.int32)
    return SortedKeys.build(
        folder, pa.array(keys, pa.large_string()), owner, weight=np.array(weights, np.int32)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=40), TEXTS)
def test_equal_ones_and_beginnings_are_those_of_a_list(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], asked: str
) -> None:
    index = made(tmp_path_factory.mktemp("keys"), keys, [0] * len(keys))
    ordered = sorted(key.encode() for key in keys)
    low, high = index.range_of(asked)
    assert low == bisect_left(ordered, asked.encode())
    assert high - low == sum(key.startswith(asked) for key in keys)
    assert sorted(index.equal(asked).tolist()) == [row for row, key in enumerate(keys) if key == asked]
    assert [index.text(place).encode() for place in range(len(index))] == ordered


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(1, 700), st.integers(0, 3))
def test_the_heaviest_of_any_range_come_first_and_of_those_that_may(
    tmp_path_factory: pytest.TempPathFactory, one: int, other: int, most: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights, groups = random.integers(0, 40, 5_000), random.integers(0, 50, 5_000).astype(np.int32)
    index = made(tmp_path_factory.mktemp("keys"), [f"{n:05d}" for n in range(5_000)], weights.tolist())
    low, high = sorted((one, other))
    expected = sorted(range(low, high), key=lambda row: (-weights[row], row))
    assert index.heaviest(low, high, most).tolist() == expected[:most]
    allowed = random.random(50) < 0.2
    expected = [row for row in expected if allowed[groups[row]]]
    assert index.heaviest(low, high, most, (groups, allowed)).tolist() == expected[:most]
