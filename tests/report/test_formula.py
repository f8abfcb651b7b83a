"""Formulas: values by hand, the places of what is wrong, units, and a plain oracle."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import InputError
from nexome.model.units import NUMBER, unit_of
from nexome.report.formula import MAX_DEPTH, Quantity, evaluate, names_of, parse_formula

VALUES = {
    "downloads": ("30", "次"),
    "visits": ("120", "人次"),
    "files": ("4", "篇"),
    "money": ("2", "万元"),
    "people": ("5", "人"),
}


def lookup(name):
    value, unit = VALUES[name]
    return Quantity(Decimal(value) * unit_of(unit).factor, unit_of(unit).dimension)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 × 3", "7"),
        ("(1+2)*3", "9"),
        ("（1＋2）×3", "9"),
        ("7 − 2 − 1", "4"),
        ("16 ÷ 4 / 2", "2"),
        ("−3 + 5", "2"),
        ("2 × −3", "-6"),
        ("downloads ÷ visits", "0.25"),
        ("min(downloads, visits) + max(1[次]，2[次])", "32"),
        ("money + 5000[元]", "25000"),
        ("money ÷ people", "4000"),
        ("0.5 × downloads", "15"),
        ("files + 3[项]", "7"),
    ],
)
def test_values_by_hand(text, value):
    assert evaluate(parse_formula(text), lookup).value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        ("1 +", "the end", "the end"),
        ("1 2", "character 3", "'2'"),
        ("(1", "the end", "the end"),
        ("1)", "character 2", "')'"),
        ("2 ; 3", "character 3", "';'"),
        ("__import__(os)", "character 11", "'('"),
        ("min()", "character 5", "')'"),
        ("5[元", "character 2", "'['"),
        ("", "the end", "the end"),
        ("(" * (MAX_DEPTH + 1) + "1", f"character {MAX_DEPTH + 1}", "'('"),
        ("1" * 1001, "", "1001 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, where, found):
    with pytest.raises(InputError) as error:
        evaluate(parse_formula(text), lambda _: Quantity(Decimal(1), NUMBER))
    assert where in error.value.where
    assert found in error.value.found


@pytest.mark.parametrize(
    "text", ["money + people", "files − people", "max(visits, files)", "downloads + 1", "1 − money"]
)
def test_units_that_do_not_add_up(text):
    with pytest.raises(InputError, match="one dimension on both sides"):
        evaluate(parse_formula(text), lookup)


def test_a_division_by_zero_is_told():
    with pytest.raises(InputError, match="division by zero"):
        evaluate(parse_formula("1 ÷ (2 − 2)"), lookup)


def test_names_in_their_order():
    assert list(names_of(parse_formula("a × (b + 某数据) ÷ min(a, c.d)"))) == ["a", "b", "某数据", "a", "c.d"]


expressions = st.recursive(
    st.integers(1, 99).map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+−×"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
    max_leaves=12,
)


@given(expressions)
def test_the_same_as_python_says(text):
    expected = eval(
        text.replace("×", "*").replace("−", "-")
    )  # the oracle; the formula itself is never evaluated so
    assert evaluate(parse_formula(text), lookup).value == expected


@given(st.text(max_size=40))
def test_any_text_is_a_formula_or_an_error(text):
    with contextlib.suppress(InputError):  # anything else would be a fault
        evaluate(parse_formula(text), lambda _: Quantity(Decimal(1), NUMBER))
