"""Simulated participants: the same for a seed, and like adults of a survey in what the demo shows."""

import numpy as np
import pytest

from nexome.methods.simulate.cohorts import UNITS, simulate_participants

PEOPLE = simulate_participants(7, 20_000)


def test_the_same_seed_gives_the_same_people():
    again = simulate_participants(7, 20_000)
    assert all(np.array_equal(PEOPLE[name], again[name]) for name in PEOPLE)
    assert not np.array_equal(PEOPLE["glucose"], simulate_participants(8, 20_000)["glucose"])


def test_every_measurement_is_there_finite_and_positive():
    assert set(UNITS) <= set(PEOPLE)
    for name in UNITS:
        assert np.isfinite(PEOPLE[name]).all(), name
        assert (PEOPLE[name] > 0).all(), name
    assert PEOPLE["age"].min() >= 20
    assert PEOPLE["age"].max() <= 79


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("height", 160, 172), ("weight", 60, 75), ("systolic_pressure", 116, 132),
     ("diastolic_pressure", 72, 84), ("cholesterol_total", 4.4, 5.3),
     ("cholesterol_ldl", 2.4, 3.4), ("glucose", 4.9, 5.6)],
)  # fmt: skip
def test_medians_are_those_of_adults(name, low, high):
    assert low < np.median(PEOPLE[name]) < high


def test_sexes_and_ages_differ_as_they_do():
    man = PEOPLE["sex"] == 0
    for name, sign in (("height", 1), ("creatinine", 1), ("uric_acid", 1), ("cholesterol_hdl", -1)):
        assert sign * (np.median(PEOPLE[name][man]) - np.median(PEOPLE[name][~man])) > 0
    old = PEOPLE["age"] > 60
    assert np.median(PEOPLE["systolic_pressure"][old]) > np.median(PEOPLE["systolic_pressure"][~old]) + 5
    assert PEOPLE["diabetes"][old].mean() > PEOPLE["diabetes"][~old].mean()


def test_a_shift_moves_one_measurement():
    moved = simulate_participants(7, 20_000, shift={"creatinine": 1.2})
    assert moved["creatinine"] == pytest.approx(1.2 * PEOPLE["creatinine"])
    assert np.array_equal(moved["height"], PEOPLE["height"])
