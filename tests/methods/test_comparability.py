"""Comparing sources: against least squares with cells as factors, and made-up ways of writing numbers
down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.comparability import (
    LEAST,
    People,
    adjusted_shift,
    age_trends,
    piled_share,
    recording,
    shape_distance,
    shown_percentiles,
)


def made_people(seed: int, n: int, *, above: float = 0.0, oldest: float = 80) -> People:
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, oldest, n)
    sex = np.where(rng.random(n) < 0.4, "male", "female")
    values = 120 + 0.5 * age + 4 * (sex == "male") + above + rng.normal(0, 10, n)
    values[rng.random(n) < 0.05] = np.nan
    return People(values, sex, age)


@given(st.integers(0, 10_000), st.integers(60, 300), st.integers(60, 300), st.floats(-20, 20))
def test_a_shift_is_that_of_least_squares_with_cells_as_factors(
    seed: int, n: int, m: int, above: float
) -> None:
    one, others = made_people(seed, n, above=above), made_people(seed + 1, m)
    found = adjusted_shift(one, others)
    a, b = one.known(), others.known()
    values = np.concatenate([a.values, b.values])
    cells = np.concatenate([a.age // 10 * 2 + (a.sex == "male"), b.age // 10 * 2 + (b.sex == "male")])
    source = np.repeat([1.0, 0.0], [a.values.size, b.values.size])
    enough = [c for c in np.unique(cells) if min((source[cells == c] == k).sum() for k in (0, 1)) >= LEAST]
    if not enough:
        assert found is None
        return
    kept = np.isin(cells, enough)
    design = np.column_stack([source[kept], cells[kept][:, None] == np.array(enough)])
    expected = np.linalg.lstsq(design, values[kept], rcond=None)[0][0]
    assert found is not None
    assert found.difference == pytest.approx(expected, abs=1e-8)
    assert found.low < found.difference < found.high
    assert found.cells == len(enough)


def test_the_interval_of_a_shift_holds_the_truth_as_often_as_it_says() -> None:
    found = [adjusted_shift(made_people(i, 200, above=3), made_people(i + 5000, 200)) for i in range(400)]
    held = [shift is not None and shift.low <= 3 <= shift.high for shift in found]
    assert 0.92 <= np.mean(held) <= 0.98


def test_sources_that_share_no_age_are_not_compared() -> None:
    young, old = made_people(1, 100, oldest=29.9), made_people(2, 100)
    old = People(old.values, old.sex, old.age + 100)
    assert adjusted_shift(young, old) is None


def test_a_difference_of_ages_alone_is_no_shift() -> None:
    young, old = made_people(1, 4000, oldest=50), made_people(2, 4000)
    raw = np.nanmean(young.values) - np.nanmean(old.values)
    found = adjusted_shift(young, old)
    assert raw < -5
    assert found is not None
    assert abs(found.difference) < 1.5


@pytest.mark.parametrize(
    ("step", "unit", "fives", "even"),
    [
        (1.0, 1.0, 0.2, 0.5),
        (2.0, 1.0, 0.2, 1.0),
        (5.0, 1.0, 1.0, 0.5),
        (0.1, 0.1, 0.2, 0.5),
        (0.5, 0.1, 1.0, 0.5),
    ],
)
def test_the_step_of_writing_down_is_found(step: float, unit: float, fives: float, even: float) -> None:
    values = np.random.default_rng(3).normal(130, 20, 5000)
    found = recording(np.round(values / step) * step)
    assert (found.step, found.unit) == (step, unit)
    assert found.fives == pytest.approx(fives, abs=0.03)
    assert found.even == pytest.approx(even, abs=0.03)


def test_decimals_kept_as_32_bit_floats_are_read_as_decimals() -> None:
    values = np.round(np.random.default_rng(3).normal(30, 5, 500), 1).astype(np.float32).astype(np.float64)
    assert recording(values).step == 0.1


def test_measured_reals_have_no_step_and_rare_digits_are_not_told() -> None:
    assert recording(np.random.default_rng(3).normal(130, 20, 500)).step == 0.0
    digits = recording(np.array([10.0] * 50 + [11.0] * 4 + [40.0] * 30)).digits
    assert np.isnan(digits[1])
    assert digits[0] == 80


def test_trends_are_means_by_band_and_a_line_with_white_s_interval() -> None:
    people = made_people(11, 3000)
    men = next(t for t in age_trends(people) if t.sex == "male")
    known = people.known()
    mask = known.sex == "male"
    x, y = known.age[mask] / 10, known.values[mask]
    design = np.column_stack([np.ones(x.size), x])
    inverse = np.linalg.inv(design.T @ design)
    line = inverse @ design.T @ y
    meat = design.T @ (design * ((y - design @ line) ** 2)[:, None])
    error = np.sqrt((inverse @ meat @ inverse)[1, 1] * x.size / (x.size - 2))
    assert men.slope == pytest.approx(line[1])
    assert men.slope_high - men.slope == pytest.approx(1.96 * error)
    assert men.mean[2] == pytest.approx(y[(x >= 4) & (x < 5)].mean())


def test_percentiles_need_people_beyond_them() -> None:
    shown = shown_percentiles(np.arange(100.0))
    assert np.isnan(shown[[0, -1]]).all()
    assert shown[1] == pytest.approx(4.95)
    assert np.isnan(shown_percentiles(np.arange(4.0))).all()


def test_shapes_are_compared_whatever_level_and_scale() -> None:
    rng = np.random.default_rng(5)
    age, sex = rng.uniform(20, 60, 4000), np.where(rng.random(4000) < 0.5, "male", "female")
    normal, skewed = rng.normal(0, 1, 4000), rng.lognormal(0, 1, 4000)
    even = People(normal, sex, age)
    assert shape_distance(even, People(100 + 7 * normal, sex, age)) < 1e-9
    assert shape_distance(even, People(skewed, sex, age)) > 1
    with_children = People(
        np.append(normal, [-9.0] * 900), np.append(sex, ["male"] * 900), np.append(age, [3.0] * 900)
    )
    assert shape_distance(even, with_children) < 1e-9
    assert np.isnan(shape_distance(People(normal[:50], sex[:50], age[:50]), even))


def test_piles_at_the_ends_are_found() -> None:
    assert piled_share(np.array([5.0, 5, 5, 7, 9, np.nan])) == (0.6, 0.2)


odd_values = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=0, max_size=40)


@given(odd_values, odd_values, st.integers(0, 5))
def test_whatever_stands_in_a_column_is_compared_without_fault(
    one: list[float], other: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for values in (one, other):
        n = len(values)
        sex = rng.choice(["male", "female", ""], n) if n else np.empty(0, dtype="<U6")
        age = rng.choice([np.nan, -1.0, 35.0, 38.0, 200.0], n)
        sides.append(People(np.array(values, float), sex, age))
    shift = adjusted_shift(*sides)
    assert shift is None or shift.cells > 0
    assert len(age_trends(sides[0])) == 2
    assert recording(sides[0].values).n <= len(one)
    assert np.isnan(shape_distance(*sides))
    assert all(0 <= share <= 1 for share in piled_share(sides[0].values))
    assert shown_percentiles(sides[0].values).size == 9
