"""Money and measures as people read them, in the reader's language."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from nexome.model.measures import Measure
from nexome.web.pages.language import Language
from nexome.web.pages.numbers import MISSING


def money_text(yuan: Decimal | None, t: Language) -> str:
    """An amount: in Chinese in 万元 as budgets are printed, in English in million yuan; two decimals."""
    if yuan is None:
        return MISSING
    return t("money.unit", value=_signed(f"{_in_unit(yuan, t):,}"))


def amount_text(yuan: Decimal | None, t: Language) -> str:
    """An amount without its unit, for a column whose head names it (`money.column`)."""
    return MISSING if yuan is None else _signed(f"{_in_unit(yuan, t):,}")


def _in_unit(yuan: Decimal, t: Language) -> Decimal:
    unit = Decimal(10_000) if t.code == "zh" else Decimal(1_000_000)
    return (yuan / unit).quantize(Decimal("0.01"), ROUND_HALF_UP)


def share_text(share: Decimal | float | None, *, sign: bool = False) -> str:
    """A share as per cent, one decimal; with its sign where asked for."""
    if share is None:
        return MISSING
    text = f"{float(share) * 100:+.1f}" if sign else f"{float(share) * 100:.1f}"
    return _signed(f"{text} %")


def measure_text(value: float | None, declared: Measure, *, sign: bool = False) -> str:
    """The value of a measure with its unit: counts whole, bytes in powers of 1,000, others short."""
    if value is None:
        return MISSING
    plus = "+" if sign and value > 0 else ""
    if declared.unit == "By":
        return _signed(plus + _bytes_text(value))
    if declared.unit == "1":
        return _signed(f"{plus}{round(value):,}")
    digits = 2 if abs(value) < 10 and declared.unit != "%" else 1
    return _signed(f"{plus}{value:,.{digits}f} {declared.unit}")


def _bytes_text(value: float) -> str:
    size = abs(value)
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000 or unit == "PB":
            break
        size /= 1000
    return ("-" if value < 0 else "") + (f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}")


def day_text(day: date, t: Language) -> str:
    """A day as it is written in a language: 2026-11-21, 2026年11月21日."""
    return f"{day.year}年{day.month}月{day.day}日" if t.code == "zh" else day.isoformat()


def _signed(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
