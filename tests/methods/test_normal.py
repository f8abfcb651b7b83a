"""z ↔ −log₁₀ p against R, against a continued fraction in 50 digits, and as properties."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.methods.normal import (
    CHI2_MEDIAN,
    format_p,
    format_ps,
    neg_log10_p_from_z,
    z_from_neg_log10_p,
    z_from_p_and_sign,
)

# R 4.x: -(pnorm(-z, log.p = TRUE) + log(2)) / log(10)
FROM_R = {
    0.5: 0.20966199360125953,
    1: 0.49851554582798935,
    1.959963984540054: 1.3010299956639808,
    5: 6.241615676726672,
    10: 22.817023409822092,
    38: 315.2387597082985,
    100: 2173.5705128733703,
    137: 4077.8713690625818,
    200: 8688.288738855897,
}


def exact_neg_log10_p(z: float) -> float:
    """Laplace's continued fraction of the normal tail (Abramowitz & Stegun 26.2.14), in 50 digits."""
    with localcontext() as context:
        context.prec = 50
        x = Decimal(z)
        fraction = x
        for k in range(4000, 0, -1):
            fraction = x + k / fraction
        pi = Decimal("3.14159265358979323846264338327950288419716939937510")
        log_tail = -x * x / 2 - (2 * pi).ln() / 2 - fraction.ln() + Decimal(2).ln()
        return float(-log_tail / Decimal(10).ln())


@pytest.mark.parametrize(("z", "expected"), FROM_R.items())
def test_agrees_with_r(z, expected):
    assert neg_log10_p_from_z(z) == pytest.approx(expected, rel=1e-12)
    assert neg_log10_p_from_z(-z) == neg_log10_p_from_z(z)


@pytest.mark.parametrize("z", [2, 5, 8.5, 20, 38.6, 75, 137, 200])
def test_agrees_with_fifty_digits(z):
    assert neg_log10_p_from_z(z) == pytest.approx(exact_neg_log10_p(z), rel=1e-13)


@given(st.floats(0.001, 200))
def test_there_and_back(z):
    assert z_from_neg_log10_p(neg_log10_p_from_z(z)) == pytest.approx(z, rel=1e-11, abs=1e-12)


@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=20))
def test_larger_z_is_never_less_strong(values):
    z = np.sort(np.array(values))
    assert np.all(np.diff(neg_log10_p_from_z(z)) >= 0)


def test_edges():
    assert neg_log10_p_from_z(0.0) == 0
    assert neg_log10_p_from_z([np.inf, -np.inf]).tolist() == [np.inf, np.inf]
    assert np.isnan(neg_log10_p_from_z(np.nan))
    assert z_from_neg_log10_p(0.0) == 0
    assert z_from_neg_log10_p(np.inf) == np.inf
    assert np.isnan(z_from_neg_log10_p([-0.1, np.nan])).all()


def test_p_and_sign():
    z = z_from_p_and_sign([0.05, 0.05, 1.0, 0.0, 0.5, 1.2, -0.1, np.nan], [2, -0.1, 0, -1, 0, 1, 1, 1])
    assert z[:4] == pytest.approx([1.959963984540054, -1.959963984540054, 0.0, -np.inf])
    assert np.isnan(z[4:]).all()


def test_chi_square_median():
    assert z_from_p_and_sign(0.5, 1) ** 2 == pytest.approx(CHI2_MEDIAN, rel=1e-14)


@pytest.mark.parametrize(
    ("neg_log10_p", "text"),
    [
        (0.0, "1"),
        (-math.log10(0.05), "0.05"),
        (-math.log10(0.00123), "0.0012"),
        (-math.log10(3.2) + 412, "3.2e-412"),
        (-math.log10(9.97) + 412, "1.0e-411"),
        (-math.log10(5e-8), "5.0e-08"),
        (-math.log10(9.99e-4), "1.0e-03"),
        (8688.5, "3.2e-8689"),
        (math.inf, "0"),
        (math.nan, ""),
    ],
)
def test_p_as_text(neg_log10_p, text):
    assert format_p(neg_log10_p) == text


def test_p_as_text_digits_and_arrays():
    assert format_p(-math.log10(3.247) + 12, digits=3) == "3.25e-12"
    assert format_p(-math.log10(3.247) + 12, digits=1) == "3e-12"
    assert format_ps(np.array([1.0, np.nan])) == ["0.1", ""]


@given(st.floats(0, 1e4))
def test_p_as_text_reads_back(neg_log10_p):
    mantissa, _, exponent = format_p(neg_log10_p, digits=4).partition("e")
    assert 1 <= float(mantissa) < 10 if exponent else float(mantissa) <= 1
    assert -math.log10(float(mantissa)) - int(exponent or 0) == pytest.approx(neg_log10_p, abs=3e-4)
