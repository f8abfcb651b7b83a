"""Means, dominance and percentiles of cells, against plain statements of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.disclosure import Cells, Rules
from nexome.access.disclosure.values import percentiles_of, round_to_error, sums_of, valid_cell
from nexome.methods.populations import people_of

RULES = Rules()


def sums(values, cell=None, weights=None, keys=None):
    values = np.asarray(values, float)
    keys = np.arange(len(values), dtype=np.uint64) if keys is None else keys
    cell = np.zeros(len(values), np.int32) if cell is None else np.asarray(cell, np.int32)
    cells = Cells(keys, cell, list(range(int(cell.max()) + 1)), values, weights)
    return sums_of(cells, valid_cell(cells), people=people_of(keys, (1, 2)), rules=RULES)


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-100, 100)), min_size=9, max_size=60))
def test_means_and_deviations_are_numpys(rows):
    cell, values = np.array([c for c, _ in rows]), np.array([v for _, v in rows])
    cell[:3] = (0, 1, 2)
    found = sums(values, cell)
    for at in range(3):
        mine = values[cell == at]
        assert found.people[at] == len(mine)
        assert found.mean[at] == pytest.approx(mine.mean(), abs=1e-9)
        if len(mine) > 1:
            assert found.sd[at] == pytest.approx(mine.std(ddof=1), abs=1e-9)


def test_weights_and_repeated_people_make_the_mean_of_persons():
    keys = np.array([1, 1, 2, 3], np.uint64)
    found = sums([2.0, 4.0, 6.0, np.nan], keys=keys, weights=np.array([1.0, 1.0, 2.0, 1.0]))
    assert found.people[0] == 2
    assert found.mean[0] == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("values", "dominated"),
    [
        ([1, 1.1, 0.9, 1.2, 1.05, 1_000], True),
        ([100, 100.1, 99.9, 100.2, 100.05, 500], True),
        ([500, 480, 1, 1, 1, 1, 1], True),
        ([4, 5, 6, 5.5, 4.5, 5.2, 7], False),
        (list(range(10, 40)), False),
    ],
)
def test_one_or_two_who_make_up_the_sum_or_its_spread_are_seen(values, dominated):
    assert bool(sums(values).dominated[0]) is dominated


def test_a_value_that_most_share_is_found():
    found = sums([0, 0, 3, 0, 1, 0, 0], cell=[0] * 7)
    assert (found.spike[0], found.differ[0]) == (0, 2)
    assert np.isnan(sums([1, 2, 3, 4, 5]).spike[0])


@pytest.mark.parametrize("n", [40, 200, 3_000])
def test_percentiles_are_close_to_the_true_ones_and_never_a_value_of_a_person(n):
    values = np.random.default_rng(n).normal(0, 1, n)
    shares = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
    found = percentiles_of(values, np.ones(n), shares, RULES)
    assert set(found) == {p for p in shares if n * min(p, 1 - p) >= 5}
    for p, value in found.items():
        assert abs(value - np.quantile(values, p)) < 4 / np.sqrt(n)
        assert value not in values


def test_no_percentile_of_fewer_than_ten():
    assert percentiles_of(np.arange(9.0), np.ones(9), (0.5,), RULES) == {}


def test_all_percentiles_are_made_of_means_of_five():
    values = np.sort(np.random.default_rng(1).random(50))
    found = percentiles_of(values, np.ones(50), tuple(np.linspace(0.11, 0.89, 500)), RULES)
    heights = np.clip(values, values[2], values[-3]).reshape(10, 5).mean(axis=1)
    middles = (np.arange(10) + 0.5) / 10
    for p, value in found.items():
        assert value == pytest.approx(np.interp(p, middles, heights))


def test_an_outlier_is_in_no_percentile():
    values = np.append(np.random.default_rng(2).normal(0, 1, 99), 1e6)
    assert max(percentiles_of(values, np.ones(100), (0.5, 0.9, 0.95), RULES).values()) < 10


@pytest.mark.parametrize(
    ("number", "sd", "n", "rounded"), [(123.456, 15, 100, 123.5), (5.4321, 1, 10_000, 5.432)]
)
def test_rounding_goes_by_the_standard_error(number, sd, n, rounded):
    assert round_to_error(number, sd, n) == rounded
