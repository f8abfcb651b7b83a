"""Filters: what is written is what is meant, and set-wise is row by row."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.cohort_filters import (
    EVERYONE,
    NOBODY,
    All,
    Among,
    Any,
    Measured,
    Within,
    leaves,
    rows_of,
    tidy,
    variables_of,
)
from nexome.access.cohort_rows import least_code, most_code

CODES = ("1", "2", "3")
SIZE = 12


@dataclass
class Plain:
    """Columns as lists: None is missing. The plain statement of what a filter holds for."""

    columns: dict

    @property
    def rows(self):
        return SIZE

    def within(self, variable, low, high):
        return np.array([v is not None and low <= v <= high for v in self.columns[variable]])

    def among(self, variable, codes):
        return np.array([v is not None and v in codes for v in self.columns[variable]])

    def measured(self, variable):
        return np.array([v is not None for v in self.columns[variable]])


def holds(asked, row):
    """The filter of one row, by the words of its docstring."""
    match asked:
        case All(parts=parts):
            return all(holds(part, row) for part in parts)
        case Any(parts=parts):
            return any(holds(part, row) for part in parts)
        case Within(variable=name, low=low, high=high):
            return row[name] is not None and low <= row[name] <= high
        case Among(variable=name, codes=codes):
            return row[name] in codes
        case Measured(variable=name, present=present):
            return (row[name] is not None) == present


numbers = st.sampled_from([-math.inf, 0.0, 1.5, 2.0, 3.25, math.inf])
leaf = st.one_of(
    st.builds(Within, st.sampled_from("xy"), numbers, numbers),
    st.builds(Among, st.just("c"), st.lists(st.sampled_from(CODES), unique=True).map(tuple)),
    st.builds(Measured, st.sampled_from("xyc"), st.booleans()),
)
filters = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Any, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
cell = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 1.5, 2.0, 2.5, 3.25, 4.0]))
tables = st.fixed_dictionaries(
    {
        "x": st.lists(cell, min_size=SIZE, max_size=SIZE),
        "y": st.lists(cell, min_size=SIZE, max_size=SIZE),
        "c": st.lists(st.one_of(st.none(), st.sampled_from(CODES)), min_size=SIZE, max_size=SIZE),
    }
)


@given(filters, tables)
def test_rows_of_is_the_filter_of_each_row(asked, columns):
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert rows_of(asked, Plain(columns)).tolist() == [holds(asked, row) for row in rows]


@given(filters, tables)
def test_tidy_keeps_what_is_meant_and_is_settled(asked, columns):
    tidied = tidy(asked)
    plain = Plain(columns)
    assert rows_of(tidied, plain).tolist() == rows_of(asked, plain).tolist()
    assert tidy(tidied) == tidied
    assert set(variables_of(tidied)) <= set(variables_of(asked))


@given(st.permutations([Within("x", 1, 2), Among("c", ("2", "1")), Measured("y"), Within("x", low=1.5)]))
def test_the_order_of_writing_does_not_matter(parts):
    assert tidy(All(tuple(parts))) == tidy(All((Within("x", 1.5, 2), Among("c", ("1", "2")), Measured("y"))))


def test_nobody_and_everyone():
    assert tidy(All((Among("c", ("1",)), Among("c", ("2",))))) == NOBODY
    assert tidy(All((Within("x", low=3), Within("x", high=2)))) == NOBODY
    assert tidy(Any((Among("c", ()), Measured("x")))) == Measured("x")
    assert tidy(All()) == EVERYONE
    assert list(leaves(EVERYONE)) == []


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (Within("age", 40, 60, "a"), "age >= 40 a and age <= 60 a"),
        (Within("age", float(np.nextafter(40, 99))), "age > 40"),
        (Within("ldl", high=float(np.nextafter(4.1, 0)), unit="mmol/L"), "ldl < 4.1 mmol/L"),
        (Within("x y", 2, 2), "`x y` = 2"),
        (Among("sex", ("2",)), "sex = '2'"),
        (Among("a", ("it's", "b")), "a in ('b', 'it''s')"),
        (Measured("x", present=False), "x is missing"),
        (Any((Measured("x"), Measured("y"))), "(x is not missing) or (y is not missing)"),
    ],
)
def test_a_filter_is_written_one_way(asked, text):
    assert str(asked) == text


@given(st.floats(-1e4, 1e4), st.integers(0, 6))
def test_limits_of_packed_numbers(value, decimals):
    scale = 10.0**decimals
    least, most = least_code(value, decimals), most_code(value, decimals)
    assert least / scale >= value > (least - 1) / scale
    assert most / scale <= value < (most + 1) / scale
