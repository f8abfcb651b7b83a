"""Published limits: ascending, in units that are units, of quantities that are known."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.analytes import ANALYTES
from nexome.model.cut_points import CUT_POINTS, ROUND_MOST, round_points
from nexome.model.ucum import parse_unit


@pytest.mark.parametrize("known", CUT_POINTS, ids=lambda known: known.quantity)
def test_limits_are_ascending_and_of_a_known_quantity(known):
    assert known.quantity in ANALYTES or known.words
    for unit, points in known.points.items():
        assert parse_unit(unit).code == unit
        assert list(points) == sorted(set(points))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, ROUND_MOST))
def test_round_points_are_few_even_and_inside(low, width, most):
    points = round_points(low, low + width, most=most)
    assert len(points) <= most
    assert all(low < point < low + width for point in points)
    steps = [b - a for a, b in pairwise(points)]
    assert steps == pytest.approx(steps[:1] * len(steps), rel=1e-3)
    if most >= 5 and width > 1e-2 * abs(low):
        assert points


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (math.nan, 1), (0, math.inf)])
def test_no_range_no_points(low, high):
    assert round_points(low, high) == ()
