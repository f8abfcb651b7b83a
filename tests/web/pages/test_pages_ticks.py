"""Ticks are few, round and inside."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.web.pages.ticks import nice_ticks, round_step, ticks_between


@given(st.floats(1e-9, 1e12))
def test_a_step_is_the_next_round_number(raw):
    step = round_step(raw)
    assert raw <= step <= 2.5 * raw * (1 + 1e-9)
    assert f"{step:.6e}"[0] in "125"
    assert float(f"{step:.0e}") == pytest.approx(step)


@given(st.floats(1e-6, 1e6))
def test_ticks_from_zero_are_few_and_inside(top):
    ticks = nice_ticks(top)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= top * (1 + 1e-9)


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5), st.integers(3, 9))
def test_ticks_between_two_numbers_are_all_the_multiples_of_one_step(low, span, count):
    high = low + span
    ticks = ticks_between(low, high, count)
    step = round_step((high - low) / count)
    slack = step * 1e-6
    assert count / 2.5 - 1 <= len(ticks) <= count + 1
    assert [tick / step for tick in ticks] == pytest.approx([round(tick / step) for tick in ticks])
    assert [b - a for a, b in pairwise(ticks)] == pytest.approx([step] * (len(ticks) - 1), abs=slack)
    assert low - slack <= ticks[0] < low + step + slack
    assert high - step - slack < ticks[-1] <= high + slack


def test_where_there_is_no_span_a_tick_stands_there():
    assert ticks_between(2.0, 2.0) == [2.0]
    assert nice_ticks(0) == [0.0]
