"""Numbers as people read them: p from −log10 p, effects, frequencies, counts, positions.

Every function gives text and gives a dash for a missing number. The minus is a true minus (U+2212), so
that columns of numbers line up. No words here: words depend on the language (language.py).
"""

from __future__ import annotations

import math
import re
from typing import Final

MISSING: Final = "–"
_QUANTITY: Final = re.compile(r"([≥≤<>=＞＜]*)\s*(\d+)(\.\d+)?\s*([^\d年.-][^\d]{0,11})?")
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_missing(value: float | None) -> bool:
    """Whether a number is absent: None or NaN."""
    return value is None or math.isnan(value)


def p_text(neg_log_10_p: float | None) -> str:
    """A p value from its −log10, two significant digits, at any size.

    >>> p_text(411.5), p_text(1.3), p_text(7.9999), p_text(float("inf"))
    ('3.2×10⁻⁴¹²', '0.050', '1.0×10⁻⁸', '0')
    """
    if neg_log_10_p is None or math.isnan(neg_log_10_p):
        return MISSING
    if math.isinf(neg_log_10_p):
        return "0"
    if neg_log_10_p < 3:
        return f"{10**-neg_log_10_p:#.2g}".rstrip(".")
    exponent = math.ceil(neg_log_10_p)
    mantissa = f"{10 ** (exponent - neg_log_10_p):.1f}"
    if mantissa == "10.0":
        mantissa, exponent = "1.0", exponent - 1
    return f"{mantissa}×10{str(-exponent).translate(_SUPERSCRIPT)}"


def effect_text(value: float | None) -> str:
    """An effect or standard error to three significant digits.

    >>> effect_text(-0.01234), effect_text(1234.5), effect_text(0.0)
    ('−0.0123', '1,230', '0')
    """
    if value is None or math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-4 or size >= 1e6:
        mantissa, exponent = f"{size:.2e}".split("e")
        text = f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    else:
        decimals = max(0, 2 - math.floor(math.log10(size)))
        text = f"{round(size, 2 - math.floor(math.log10(size))):,.{decimals}f}"
    return f"−{text}" if value < 0 else text


def frequency_text(value: float | None) -> str:
    """A frequency between 0 and 1: three decimals, more where it is rare.

    >>> frequency_text(0.4321), frequency_text(0.00012), frequency_text(1.0)
    ('0.432', '0.00012', '1')
    """
    if value is None or math.isnan(value):
        return MISSING
    if value in {0, 1}:
        return str(int(value))
    if 0.001 <= value <= 0.999:
        return f"{value:.3f}"
    return f"{value:.2g}" if value < 0.5 else f"{value:.5f}"


def power_text(value: float) -> str:
    """A small probability as a power of ten, one digit: a prior, a tick.

    >>> power_text(1e-5), power_text(5e-6)
    ('10⁻⁵', '5×10⁻⁶')
    """
    mantissa, exponent = f"{value:.0e}".split("e")
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return power if mantissa == "1" else f"{mantissa}×{power}"


def ratio_text(value: float | None) -> str:
    """A ratio such as λGC, three decimals.

    >>> ratio_text(1.0432)
    '1.043'
    """
    return MISSING if value is None or math.isnan(value) else f"{value:.3f}"


def count_text(value: float | None) -> str:
    """A whole number with thousands separated.

    >>> count_text(1234567), count_text(None)
    ('1,234,567', '–')
    """
    return MISSING if value is None or math.isnan(value) else f"{round(value):,}"


def quantity_text(text: str) -> str:
    """A number with its unit as people write it: thousands apart, a space before the unit; else unchanged.

    >>> quantity_text("≥2000000条"), quantity_text("62.50 %"), quantity_text("2026年6月底前")
    ('≥2,000,000 条', '62.50 %', '2026年6月底前')
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        return text
    sign, whole, rest, unit = found.groups("")
    return f"{sign}{int(whole):,}{rest} {unit}".rstrip()


def significant_text(value: float | None, digits: int = 3) -> str:
    """A number to some significant digits, zeros at the end kept so that a column lines up.

    >>> significant_text(1.3), significant_text(5.36, 4), significant_text(1234.5), significant_text(None)
    ('1.30', '5.360', '1,234', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}".replace("-", "−")


def bases_text(value: int) -> str:
    """A length in bases with a fitting unit.

    >>> bases_text(950), bases_text(64_000), bases_text(1_250_000)
    ('950 bp', '64 kb', '1.25 Mb')
    """
    if value < 1_000:
        return f"{value} bp"
    if value < 1_000_000:
        return f"{value / 1_000:.3g} kb"
    return f"{value / 1_000_000:.4g} Mb"
