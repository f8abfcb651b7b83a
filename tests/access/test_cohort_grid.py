"""The published grid: from the dictionary alone, in the unit of the variable, without what identifies."""

import numpy as np
import pytest

from nexome.access.cohort_grid import CATEGORIES_MOST, GRID_COLUMNS, axis_of, grid_of
from nexome.model.cohorts import Category, Variable
from nexome.testing.small_cohort import CLINIC_DICTIONARY, TOWN_DICTIONARY


def test_the_grid_of_a_dictionary():
    grid = grid_of(TOWN_DICTIONARY)
    assert list(grid.axes) == ["sex", "age", "ldl", "bmi", "asthma", "diagnosis"]
    assert grid.axes["age"].cuts == tuple(float(year) for year in range(5, 91, 5))
    assert grid.axes["sex"].codes == ("1", "2")  # refused is no group
    assert grid.axes["sex"].labels("zh") == ("男", "女")
    assert tuple(grid.table().column_names) == GRID_COLUMNS
    assert grid_of(TOWN_DICTIONARY) == grid


def test_clinical_limits_come_in_the_unit_of_the_variable():
    assert grid_of(CLINIC_DICTIONARY).axes["LDLC"].cuts == (55, 70, 100, 130, 160, 190)
    grams = Variable("ldl", "decimal", unit="g/L", terms=("LOINC:2089-1",))
    assert axis_of(grams).cuts == (0.541, 0.696, 1.01, 1.31, 1.59, 1.89)
    pressure = Variable("x", "decimal", label="Systolic blood pressure", unit="mm[Hg]")
    assert axis_of(pressure).banded_by == "clinical cut points"


def test_other_numbers_are_cut_at_round_ones_in_their_plausible_range():
    axis = axis_of(Variable("steps", "integer", unit="1", minimum=0, maximum=1000))
    assert axis.banded_by == "round numbers"
    assert axis.cuts[:2] == (50, 100)
    assert axis_of(Variable("steps", "integer", unit="1")) is None


@pytest.mark.parametrize(
    "variable",
    [
        Variable("pid", "text", role="participant"),
        Variable("town", "category", sensitivity="identifying", categories=(Category("a"), Category("b"))),
        Variable("note", "text"),
        Variable("born", "date"),
        Variable("w", "decimal", role="weight", minimum=0, maximum=10),
        Variable("job", "category", categories=tuple(Category(str(n)) for n in range(CATEGORIES_MOST + 1))),
    ],
    ids=lambda variable: variable.name,
)
def test_what_is_not_on_the_grid(variable):
    assert axis_of(variable) is None


def test_a_band_holds_its_lower_limit():
    axis = grid_of(TOWN_DICTIONARY).axes["ldl"]
    assert axis.labels()[:2] == ("<1.4", "1.4–<1.8")
    assert np.searchsorted(axis.cuts, 1.4, side="right") == 1
    assert axis.holds(1.4)
    assert not axis.holds(1.5)
