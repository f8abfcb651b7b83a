"""Units: factors by hand, dimensions that do not mix, prefixes and quotients."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import InputError
from nexome.model.measures import MEASURES
from nexome.model.units import UNITS, agree, convert, unit_of


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        ("2", "亿元", "万元", "20000"),
        ("1.5", "万元", "元", "15000"),
        ("3", "万人次", "次", "30000"),
        ("2", "PB", "TB", "2000"),
        ("1", "TiB", "B", "1099511627776"),
        ("99.5", "%", "‰", "995"),
        ("3", "篇", "项", "3"),
        ("7", "万个", "条", "70000"),
        ("90", "分钟", "小时", "1.5"),
        ("1", "年", "月", "12"),
        ("8", "Mbps", "B/s", "1000000"),
        ("2", "万元/个", "元/个", "20000"),
        ("5", "稀奇单位", "稀奇单位", "5"),
        ("4", "篇（部）", "篇", "4"),
    ],
)
def test_factors_counted_by_hand(value, unit, to, expected):
    assert convert(Decimal(value), unit, to) == Decimal(expected)


@pytest.mark.parametrize(
    ("unit", "to"),
    [
        ("人", "篇"),
        ("人", "次"),
        ("元", "个"),
        ("%", "个"),
        ("TB", "元"),
        ("稀奇单位", "个"),
        ("月", "次/年"),
    ],
)
def test_a_mismatch_names_both_units(unit, to):
    with pytest.raises(InputError) as error:
        convert(Decimal(1), unit, to)
    assert f"the unit {unit}" in str(error.value)
    assert f"the unit {to}" in str(error.value)


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_has_a_unit_of_the_table(name):
    measure = MEASURES[name]
    assert (measure.unit_zh if measure.unit == "1" else measure.unit) in UNITS


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_agreement_goes_both_ways_and_conversion_comes_back(one, other):
    first, second = unit_of(one), unit_of(other)
    assert agree(first.dimension, second.dimension) == agree(second.dimension, first.dimension)
    if agree(first.dimension, second.dimension):
        there = convert(Decimal(12), one, other)
        assert abs(convert(there, other, one) - 12) < Decimal("1e-20")
