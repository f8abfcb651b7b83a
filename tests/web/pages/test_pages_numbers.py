"""Numbers as people read them, held against plain arithmetic."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.web.pages import numbers
from nexome.web.pages.numbers import (
    bases_text,
    count_text,
    effect_text,
    frequency_text,
    p_text,
    ratio_text,
)

DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(numbers).failed == 0


@given(st.floats(0, 5_000))
def test_a_printed_p_is_the_p_to_two_digits(strength):
    text = p_text(strength)
    if "×10" in text:
        mantissa, exponent = text.split("×10")
        assert 1 <= float(mantissa) < 10
        back = -(math.log10(float(mantissa)) + int(exponent.translate(DIGITS)))
    else:
        back = -math.log10(float(text))
    assert back == pytest.approx(strength, abs=0.022)  # two digits: 1.0 to 1.05 is the coarsest step


@given(st.floats(-1e9, 1e9).filter(lambda v: abs(v) > 1e-30))
def test_an_effect_is_printed_to_three_digits(value):
    text = effect_text(value).replace(",", "")
    mantissa, _, exponent = text.partition("×10")
    back = float(mantissa.translate(DIGITS)) * 10 ** int(exponent.translate(DIGITS) or 0)
    assert back == pytest.approx(value, rel=0.0051)


@given(st.floats(0, 1))
def test_a_frequency_keeps_its_meaning(value):
    assert float(frequency_text(value)) == pytest.approx(value, abs=0.0006)
    if value not in {0, 1}:
        assert frequency_text(value) != "0.000"


@pytest.mark.parametrize("text", [p_text, effect_text, frequency_text, ratio_text, count_text])
def test_a_missing_number_is_a_dash(text):
    assert text(math.nan) == text(None) == "–"


def test_lengths_and_counts_have_units():
    assert bases_text(1) == "1 bp"
    assert bases_text(999_999) == "1e+03 kb" or bases_text(999_999) == "1000 kb"
    assert count_text(10_000_000_000) == "10,000,000,000"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("≥2000000 条", "≥2,000,000 条"),
        ("1176473条", "1,176,473 条"),
        ("0次", "0 次"),
        ("≥5 %", "≥5 %"),
        ("260.50 万元", "260.50 万元"),
        ("2026年6月底前", "2026年6月底前"),
        ("2026-06-30", "2026-06-30"),
        ("优良中低差", "优良中低差"),
        ("", ""),
    ],
)
def test_a_quantity_is_written_as_people_read_it(written, shown):
    assert numbers.quantity_text(written) == shown


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (1.3, 3, "1.30"),
        (6.104, 4, "6.104"),
        (-0.05, 3, "−0.0500"),
        (0, 3, "0"),
        (float("nan"), 3, "–"),
        (None, 3, "–"),
    ],
)
def test_zeros_at_the_end_stay(value, digits, shown):
    assert numbers.significant_text(value, digits) == shown
