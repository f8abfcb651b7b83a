"""Units of target papers and of measures: what each counts, and by what factor units of one kind differ.

A unit has a dimension (what it counts) and a factor to the first unit of that dimension. Counts of things (篇, 套),
of people (人, 名) and of events (次, 人次) are three dimensions; 个, 项 and '1' say nothing about what is counted
and agree with each of the three. A unit that is not here has a dimension of its own: it agrees with itself alone.

月 and 年 are mean ones (a year of 365.25 days). Bytes are decimal (1 TB = 10^12), as storage is bought; KiB … PiB are binary.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from nexome.model.errors import InputError

Dimension = tuple[tuple[str, int], ...]  # sorted (base, exponent); () is a plain number
NUMBER: Final[Dimension] = ()
COUNTED: Final = frozenset({"thing", "person", "event"})
ANYTHING: Final = "count"
_DAY: Final = 86_400
_YEAR: Final = _DAY * 365 + _DAY // 4

_PLAIN: Final[dict[str, dict[str, Decimal]]] = {
    ANYTHING: dict.fromkeys(("个", "项", "1", "", "无"), Decimal(1)) | {"万": Decimal(10_000)},
    "thing": dict.fromkeys(
        (
            "件", "篇", "份", "套", "台", "条", "种", "类", "本", "册", "张", "家", "例", "门", "只", "部", "幅", "座", "辆", "软著", "篇文章",
            "台/套", "台套", "台(套)", "个/套", "个(套)", "册/期", "篇(部)",
        ),
        Decimal(1),
    ),
    "person": dict.fromkeys(("人", "名", "位", "人数"), Decimal(1)),
    "event": dict.fromkeys(("次", "人次", "场", "场次", "起", "期", "群次", "批", "批次", "轮"), Decimal(1)),
    "money": {"元": Decimal(1), "千元": Decimal(1000), "百万元": Decimal(10**6)},
    "information": {name: Decimal(1000**i) for i, name in enumerate(("B", "KB", "MB", "GB", "TB", "PB", "EB"))}
    | {name: Decimal(1024**i) for i, name in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"), 1)}
    | {"By": Decimal(1), "字节": Decimal(1), "kB": Decimal(1000)},
    "time": {
        "秒": Decimal(1), "s": Decimal(1), "毫秒": Decimal("0.001"), "ms": Decimal("0.001"), "分钟": Decimal(60), "小时": Decimal(3600),
        "h": Decimal(3600), "天": Decimal(_DAY), "日": Decimal(_DAY), "d": Decimal(_DAY), "周": Decimal(7 * _DAY),
        "月": Decimal(_YEAR) / 12, "个月": Decimal(_YEAR) / 12, "季度": Decimal(_YEAR) / 4, "年": Decimal(_YEAR),
    },
    "area": {"平方米": Decimal(1), "平米": Decimal(1), "m2": Decimal(1), "公顷": Decimal(10_000)},
    "word": {"字": Decimal(1)},
    "score": {"分": Decimal(1), "IF": Decimal(1)},
}  # fmt: skip
_SHARES: Final = {"%": Decimal("0.01"), "％": Decimal("0.01"), "‰": Decimal("0.001")}
_RATES: Final = {"bps": Decimal(1), "Kbps": Decimal(10**3), "Mbps": Decimal(10**6), "Gbps": Decimal(10**9)}
_PREFIXES: Final = {"百万": 10**6, "千万": 10**7, "十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name, its dimension, and how many of the dimension's first unit it is."""

    name: str
    dimension: Dimension
    factor: Decimal


def _known() -> dict[str, Unit]:
    units = {
        name: Unit(name, ((base, 1),), factor)
        for base, names in _PLAIN.items()
        for name, factor in names.items()
    }
    units |= {name: Unit(name, NUMBER, factor) for name, factor in _SHARES.items()}
    rate: Dimension = (("information", 1), ("time", -1))
    return units | {name: Unit(name, rate, factor / 8) for name, factor in _RATES.items()}


UNITS: Final[dict[str, Unit]] = _known()


@lru_cache(maxsize=1000)
def unit_of(name: str) -> Unit:
    """A unit by its name; with a prefix (万人次), as a quotient (万元/个), or unknown: of a dimension of its own.

    >>> unit_of("万人次").factor
    Decimal('10000')
    """
    text = "".join(name.replace("（", "(").replace("）", ")").split())
    if text in UNITS:
        return UNITS[text]
    for prefix, factor in _PREFIXES.items():
        if text.startswith(prefix) and (rest := text.removeprefix(prefix)) in UNITS:
            return Unit(text, UNITS[rest].dimension, UNITS[rest].factor * factor)
    above, slash, below = text.partition("/")
    if slash and above and below:
        top, bottom = unit_of(above), unit_of(below)
        return Unit(text, combine(top.dimension, bottom.dimension, sign=-1), top.factor / bottom.factor)
    return Unit(text, ((f"unit {text}", 1),), Decimal(1))


def combine(one: Dimension, other: Dimension, *, sign: int) -> Dimension:
    """The dimension of a product (sign 1) or a quotient (sign −1)."""
    powers = dict(one)
    for base, exponent in other:
        powers[base] = powers.get(base, 0) + sign * exponent
    return tuple(sorted((base, exponent) for base, exponent in powers.items() if exponent))


def agree(one: Dimension, other: Dimension) -> bool:
    """Whether two dimensions may be compared: equal, or equal where one says only that something is counted."""
    return one == other or ((_vague(one) or _vague(other)) and _loose(one) == _loose(other))


def _vague(dimension: Dimension) -> bool:
    return any(base == ANYTHING for base, _ in dimension)


def _loose(dimension: Dimension) -> Dimension:
    loosened = ((ANYTHING if base in COUNTED else base, exponent) for base, exponent in dimension)
    return combine(NUMBER, tuple(loosened), sign=1)


def convert(value: Decimal, unit: str, to: str) -> Decimal:
    """A value in another unit. Raises InputError naming both units when they do not count the same.

    >>> convert(Decimal(2), "亿元", "万元")
    Decimal('20000')
    """
    one, other = unit_of(unit), unit_of(to)
    if one.name == other.name:
        return value
    check_agree(one, other)
    return value * one.factor / other.factor


def check_agree(one: Unit, other: Unit, *, where: str = "") -> None:
    """Raise InputError naming both units unless they count the same."""
    if not agree(one.dimension, other.dimension):
        raise InputError(
            f"the unit {one.name or '(none)'}, which counts {describe(one.dimension)}",
            where=where,
            expected=f"the unit {other.name or '(none)'} ({describe(other.dimension)}) or one that converts to it",
            todo="Give the value in that unit, or link something else.",
        )


def describe(dimension: Dimension) -> str:
    """A dimension in words, for messages."""
    names = {ANYTHING: "things, people or events", "thing": "things", "person": "people", "event": "events"}
    parts = [
        names.get(base, base) + ("" if exponent == 1 else f"^{exponent}") for base, exponent in dimension
    ]
    return " × ".join(parts) or "a plain number or share"
