"""Units of measurement: UCUM codes, the spellings people use for them, and exact conversions between them.

A unit is read by ucumvert and pint with fractions: mg/dL is 1/100 kg/m³, not nearly so. The plain units of laboratories
stand in a table here (tests compare it with pint), since loading pint takes over a second. What the two leave open is
settled here: arbitrary units ([IU], [arb'U] …) have a dimension of their own,
as UCUM §24 asks (pint counts them as plain numbers), and so have equivalents and osmoles, which are moles of charge
and of particles. Mass and amount of substance agree only through an analyte (`model.analytes`).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nexome.model.analytes import ANALYTES, Analyte, analyte_of
from nexome.model.errors import InputError

Dimension = tuple[tuple[str, Fraction], ...]  # sorted (base, exponent); () is a plain number
MAX_CHARACTERS: Final = 60
PLAIN: Final = "1"
_APART: Final = {"equivalents": "equivalent", "osmole": "osmole"}  # moles in pint, of something else
_ZERO_AT: Final = {"degree_Celsius": Fraction("273.15"), "degree_Fahrenheit": Fraction("459.67") * 5 / 9}
# pint's names of units that UCUM marks as arbitrary
_ARBITRARY: Final = (
    "international_unit",
    "arbitrary_unit",
    "US_pharmacopeia_unit",
    "GPL_unit",
    "MPL_unit",
    "APL_unit",
    "Bethesda_unit",
    "anti_factor_Xa_unit",
    "Todd_unit",
    "Dye_unit",
    "Somogyi_unit",
    "Bodansky_unit",
    "King_Armstrong_unit",
    "Kunkel_unit",
    "Mac_Lagan_unit",
    "tuberculin_unit",
    "plaque_forming_unit",
    "focus_forming_units",
    "colony_forming_unit",
    "allergene_index_of_reactivity",
    "bioequivalent_allergen_unit",
    "allergen_unit",
    "protein_nitrogen_unit",
    "limit_of_flocculation",
    "D_antigen_unit",
    "fibrinogen_equivalent_unit",
    "ELISA_unit",
    "Ehrlich_unit",
)


@dataclass(frozen=True, slots=True)
class UcumUnit:
    """A unit: its UCUM code, its dimension, and value · `factor` + `offset` in base units (kg, m, s, mol, K …)."""

    code: str
    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)

    def times(self, other: UcumUnit) -> UcumUnit:
        """The unit of a product."""
        return self._joined(other, 1)

    def over(self, other: UcumUnit) -> UcumUnit:
        """The unit of a quotient."""
        return self._joined(other, -1)

    def power(self, exponent: Fraction) -> UcumUnit:
        """The unit of a power; a fractional one keeps the factor to 15 digits."""
        dimension = tuple((base, e * exponent) for base, e in self.dimension if exponent)
        whole = exponent.denominator == 1
        factor = self.factor**exponent.numerator if whole else Fraction(float(self.factor) ** float(exponent))
        return UcumUnit(f"({self.code})^{exponent}", dimension, factor)

    def _joined(self, other: UcumUnit, sign: int) -> UcumUnit:
        if self.code == PLAIN and sign > 0:
            return other
        if other.code == PLAIN:
            return self
        powers = dict(self.dimension)
        for base, exponent in other.dimension:
            powers[base] = powers.get(base, Fraction(0)) + sign * exponent
        dimension = tuple(sorted((base, exponent) for base, exponent in powers.items() if exponent))
        factor = self.factor * other.factor**sign
        below = f"({other.code})" if sign < 0 and re.search(r"[./]", other.code) else other.code
        code = f"{self.code}{'.' if sign > 0 else '/'}{below}"
        return UcumUnit(code if dimension or factor != 1 else PLAIN, dimension, factor)


@dataclass(frozen=True, slots=True)
class Conversion:
    """value · `factor` + `offset` gives the value in the other unit; `steps` says in words what was used."""

    factor: Fraction
    offset: Fraction = Fraction(0)
    steps: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the values stay as they are."""
        return self.factor == 1 and self.offset == 0

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values [n] in the other unit; NaN stays NaN. One rounding where numerator and denominator are exact."""
        if self.same:
            return values
        converted = values * float(self.factor.numerator) / float(self.factor.denominator)
        return converted + float(self.offset) if self.offset else converted

    def reversed(self) -> Conversion:
        """The conversion back."""
        return Conversion(1 / self.factor, -self.offset / self.factor, tuple(reversed(self.steps)))


@lru_cache(maxsize=4096)
def parse_unit(code: str) -> UcumUnit:
    """A unit by its UCUM code or a usual spelling. Raises InputError where it is none.

    >>> parse_unit("mg/dl").code
    'mg/dL'
    """
    found = _spelled(code)
    if found is None:
        raise InputError(
            f"the unit {code[:MAX_CHARACTERS]!r}",
            expected="a UCUM code such as mmol/L, mg/dL, mm[Hg], kg/m2, %, or a usual spelling of one",
        )
    return found


def read_unit(text: str) -> str:
    """The UCUM code of a unit as people spell it (毫摩尔/升, mg/100ml, mmol/l); '' where it is none."""
    found = _spelled(text)
    return found.code if found else ""


# whole units whose spelling would be read as something else, or has no UCUM shape; all in lower case
_WHOLE: Final = {
    "mg%": "mg/dL", "g%": "g/dL", "mg/100ml": "mg/dL", "g/100ml": "g/dL", "ug/100ml": "ug/dL", "k/ul": "10*3/uL",
    "cells/ul": "{cells}/uL", "/hpf": "/[HPF]", "次/分": "/min", "次/分钟": "/min", "bpm": "/min", "beats/min": "/min",
    "kg/sqm": "kg/m2", "none": "1", "ratio": "1", "unitless": "1", "percent": "%", "百分比": "%", "ph": "[pH]",
    "ml/min/1.73m2": "mL/min/{1.73_m2}", "ml/min/1.73m^2": "mL/min/{1.73_m2}", "ml/min/1.73 m2": "mL/min/{1.73_m2}",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}",
}  # fmt: skip
# parts of a unit between its slashes, in lower case
_PART: Final = {
    "mmhg": "mm[Hg]", "mm hg": "mm[Hg]", "毫米汞柱": "mm[Hg]", "cmh2o": "cm[H2O]", "degc": "Cel", "°c": "Cel", "摄氏度": "Cel",
    "celsius": "Cel", "degf": "[degF]", "°f": "[degF]", "years": "a", "year": "a", "yrs": "a", "yr": "a", "y": "a", "岁": "a",
    "年": "a", "months": "mo", "month": "mo", "个月": "mo", "月": "mo", "月龄": "mo", "weeks": "wk", "week": "wk", "周": "wk",
    "days": "d", "day": "d", "天": "d", "日": "d", "hours": "h", "hour": "h", "hr": "h", "hrs": "h", "小时": "h", "时": "h",
    "minutes": "min", "minute": "min", "分钟": "min", "分": "min", "seconds": "s", "second": "s", "sec": "s", "秒": "s",
    "iu": "[IU]", "miu": "m[IU]", "uiu": "u[IU]", "kiu": "k[IU]", "国际单位": "[IU]", "单位": "U", "u": "U", "mu": "mU", "uu": "uU",
    "mcg": "ug", "mcl": "uL", "cc": "mL", "kgs": "kg", "lb": "[lb_av]", "lbs": "[lb_av]", "pound": "[lb_av]",
    "pounds": "[lb_av]", "oz": "[oz_av]", "in": "[in_i]", "inch": "[in_i]", "inches": "[in_i]", "ft": "[ft_i]",
    "feet": "[ft_i]", "英寸": "[in_i]", "公斤": "kg", "千克": "kg", "克": "g", "毫克": "mg", "微克": "ug", "纳克": "ng", "皮克": "pg",
    "米": "m", "厘米": "cm", "毫米": "mm", "平方米": "m2", "升": "L", "分升": "dL", "毫升": "mL", "微升": "uL", "飞升": "fL",
    "摩尔": "mol", "毫摩尔": "mmol", "微摩尔": "umol", "纳摩尔": "nmol", "皮摩尔": "pmol", "毫当量": "meq", "meq": "meq", "eq": "eq",
    "ueq": "ueq", "l": "L", "dl": "dL", "cl": "cL", "ml": "mL", "ul": "uL", "nl": "nL", "pl": "pL", "fl": "fL", "千帕": "kPa",
    "kpa": "kPa", "hpf": "[HPF]", "m^2": "m2", "m^3": "m3", "mosm": "mosm", "osm": "osm",
}  # fmt: skip
# a spelling in the wrong case is read only where no other case of it is a unit too
_LOWER: Final = frozenset(
    ("mg", "ug", "ng", "pg", "g", "kg", "mol", "mmol", "umol", "nmol", "pmol", "fmol", "cm", "mm")
)
_POWER_OF_TEN: Final = re.compile(r"(?:[x×*]\s*)?10\s*[*^]?\s*(\d{1,2})(?!\d)")
_SHAPE: Final = re.compile(r"[!-z|~{}]+")


@lru_cache(maxsize=4096)
def _spelled(text: str) -> UcumUnit | None:
    plain = unicodedata.normalize("NFKC", text).strip().replace("μ", "u").replace("µ", "u")
    if not plain or len(plain) > MAX_CHARACTERS:
        return None
    lower = plain.lower()
    plain = _WHOLE.get(lower) or "/".join(_part(part) for part in plain.split("/"))
    if plain == PLAIN or re.fullmatch(r"\{[^{}]*\}", plain):
        return UcumUnit(plain, (), Fraction(1))
    return (_plain_unit(plain) or _by_pint(plain)) if _SHAPE.fullmatch(plain) else None


def _part(part: str) -> str:
    bare = part.strip()
    if match := _POWER_OF_TEN.fullmatch(bare):
        return f"10*{match.group(1)}"
    lower = bare.lower()
    if lower in _PART and bare not in {"Eq", "M"}:
        return _PART[lower]
    return lower if lower in _LOWER else bare


_MOLE: Final = (("mole", 1),)
_CUBE: Final = (("meter", 3),)
_PRESSURE: Final = (("kilogram", 1), ("meter", -1), ("second", -2))
# atoms that take prefixes: bases and how many of them
_PREFIXED: Final[dict[str, tuple[tuple[tuple[str, int], ...], str]]] = {
    "g": ((("kilogram", 1),), "1/1000"), "L": (_CUBE, "1/1000"), "m": ((("meter", 1),), "1"), "mol": (_MOLE, "1"),
    "[IU]": ((("international_unit", 1),), "1"), "U": ((("mole", 1), ("second", -1)), "1/60000000"),
    "kat": ((("mole", 1), ("second", -1)), "1"), "eq": ((("equivalent", 1),), "1"), "osm": ((("osmole", 1),), "1"),
    "Pa": (_PRESSURE, "1"),
}  # fmt: skip
_SINGLE: Final[dict[str, tuple[tuple[tuple[str, int], ...], str]]] = {
    "s": ((("second", 1),), "1"), "min": ((("second", 1),), "60"), "h": ((("second", 1),), "3600"),
    "d": ((("second", 1),), "86400"), "wk": ((("second", 1),), "604800"), "mo": ((("second", 1),), "2629800"),
    "a": ((("second", 1),), "31557600"), "mm[Hg]": (_PRESSURE, "133.322387415"), "%": ((), "1/100"), "1": ((), "1"),
    "K": ((("kelvin", 1),), "1"), "[in_i]": ((("meter", 1),), "0.0254"), "[ft_i]": ((("meter", 1),), "0.3048"),
    "[lb_av]": ((("kilogram", 1),), "0.45359237"),
}  # fmt: skip
_PREFIXES: Final = {"": 0, "k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_TERM: Final = re.compile(r"(^|[./])([^./{]*(?:\{[^{}]*\})?)")
_POWERED: Final = re.compile(r"(?P<atom>[^{]*?)(?P<power>[2-9]?)(?P<said>\{[^{}]*\})?")


def _plain_atom(text: str) -> tuple[tuple[tuple[str, int], ...], Fraction] | None:
    if text in _SINGLE:
        return _SINGLE[text][0], Fraction(_SINGLE[text][1])
    for prefix, power in _PREFIXES.items():
        if text.startswith(prefix) and (found := _PREFIXED.get(text.removeprefix(prefix))):
            return found[0], Fraction(found[1]) * Fraction(10) ** power
    return None


def _plain_unit(code: str) -> UcumUnit | None:
    """A unit of plain atoms between slashes and dots; None where it is more, and pint has to read it."""
    if code == "Cel":
        return UcumUnit(code, (("kelvin", Fraction(1)),), Fraction(1), _ZERO_AT["degree_Celsius"])
    powers: dict[str, Fraction] = {}
    factor = Fraction(1)
    for sign, part in _TERM.findall(code):
        if not part and not sign:
            continue
        term = _plain_term(part)
        if term is None:
            return None
        turned = -1 if sign == "/" else 1
        factor *= term[1] ** turned
        for base, exponent in term[0]:
            powers[base] = powers.get(base, Fraction(0)) + exponent * turned
    return UcumUnit(code, tuple(sorted((base, e) for base, e in powers.items() if e)), factor)


def _plain_term(part: str) -> tuple[tuple[tuple[str, int], ...], Fraction] | None:
    """One part between slashes: a power of ten, an annotation alone, or an atom with its power."""
    if ten := re.fullmatch(r"10\*(\d{1,2})", part):
        return (), Fraction(10) ** int(ten.group(1))
    match = _POWERED.fullmatch(part)
    if match is None or not part:
        return None
    if not match["atom"]:
        return ((), Fraction(1)) if match["said"] and not match["power"] else None
    atom, power = _plain_atom(match["atom"]), int(match["power"] or 1)
    if atom is None or (power > 1 and not atom[0]):
        return None
    return tuple((base, exponent * power) for base, exponent in atom[0]), atom[1] ** power


@lru_cache(maxsize=1)
def _registry() -> Any:
    """The registry of pint with UCUM's units, in fractions; made once, as it takes over a second."""
    import pint  # noqa: PLC0415  heavy: only where units are read
    import ucumvert  # noqa: PLC0415

    logging.getLogger("pint").setLevel(logging.ERROR)
    return pint, ucumvert.PintUcumRegistry(non_int_type=Fraction)


def _by_pint(code: str) -> UcumUnit | None:
    if code == "[pH]":
        return UcumUnit(code, (("pH_value", Fraction(1)),), Fraction(1))
    pint, registry = _registry()
    try:
        quantity = registry.from_ucum(code)
        base = registry.Quantity(Fraction(1), quantity.units).to_base_units()
    except (pint.PintError, ValueError, TypeError, AttributeError, KeyError, *_lark_errors()):
        return None
    written = {name: Fraction(e) for name, e in quantity.units._units.items()}  # noqa: SLF001
    powers = {name: Fraction(e) for name, e in base.units._units.items()}  # noqa: SLF001
    for name, exponent in written.items():
        _set_apart(name, exponent, powers)
    dimension = tuple(sorted((name, e) for name, e in powers.items() if e))
    zero = next((_ZERO_AT[name] for name in written if name in _ZERO_AT), Fraction(0))
    if zero and len(written) > 1:
        return None
    scale = Fraction(format(float(quantity.magnitude), ".15g"))
    return UcumUnit(code, dimension, (Fraction(base.magnitude) - zero) * scale, zero)


def _set_apart(name: str, exponent: Fraction, powers: dict[str, Fraction]) -> None:
    """Give an arbitrary unit, an equivalent or an osmole a base of its own."""
    for pint_name, base in _APART.items():
        if name.endswith(pint_name):
            powers["mole"] = powers.get("mole", Fraction(0)) - exponent
            powers[base] = powers.get(base, Fraction(0)) + exponent
    for arbitrary in _ARBITRARY:
        if name.endswith(arbitrary):
            powers[arbitrary] = exponent


def _lark_errors() -> tuple[type[Exception], ...]:
    from lark.exceptions import LarkError  # noqa: PLC0415  comes with ucumvert

    return (LarkError,)


def units_agree(one: str, other: str) -> bool:
    """Whether values in one unit can be told in the other without knowing what is measured."""
    return parse_unit(one).dimension == parse_unit(other).dimension


def describe(unit: UcumUnit) -> str:
    """The dimension of a unit in words, for messages."""
    names = {
        "kilogram": "mass",
        "mole": "amount",
        "meter": "length",
        "second": "time",
        "kelvin": "temperature",
    }
    parts = [
        names.get(base, base.replace("_", " ")) + ("" if e == 1 else f"^{e}") for base, e in unit.dimension
    ]
    return " × ".join(parts) or "a plain number"


def converter(unit: str, to: str, analyte: str | Analyte = "") -> Conversion:
    """The conversion of values from a unit to another; `analyte` by name where mass and amount meet.

    Raises InputError naming both units and what is missing. With HbA1c the master equation
    of NGSP and IFCC is used, though % and mmol/mol are both plain numbers.
    """
    return conversion_between(parse_unit(unit), parse_unit(to), analyte)


@lru_cache(maxsize=4096)
def conversion_between(one: UcumUnit, other: UcumUnit, analyte: str | Analyte = "") -> Conversion:
    """As `converter`, of units already read or made by products and quotients."""
    if one.code == other.code:
        return Conversion(Fraction(1))
    substance = _analyte(analyte)
    if substance and (found := _by_convention(one, other, substance)):
        return found
    if one.dimension == other.dimension:
        factor = one.factor / other.factor
        offset = (one.offset - other.offset) / other.factor
        return Conversion(factor, offset, (f"{one.code} → {other.code}",))
    if substance and (found := _by_substance(one, other, substance)):
        return found
    raise InputError(
        f"{one.code} measures {describe(one)}, {other.code} measures {describe(other)}",
        where="conversion of units",
        expected="two units of one kind"
        if substance is None
        else f"units in which {substance.name} can be told",
        todo=_what_is_missing(one, other, substance),
    )


def _analyte(name: str | Analyte) -> Analyte | None:
    if isinstance(name, Analyte) or not name:
        return name or None
    found = ANALYTES.get(name) or analyte_of(name)
    if found is None:
        raise InputError(
            f"the analyte {name[:80]!r}", expected="a name, LOINC code or usual word of a known analyte"
        )
    return found


def _what_is_missing(one: UcumUnit, other: UcumUnit, analyte: Analyte | None) -> str:
    bases = {base for base, _ in (*one.dimension, *other.dimension)}
    if analyte is None and {"kilogram", "mole"} <= bases:
        return "Say which analyte is measured: mass and amount agree only through its molar mass."
    if analyte is not None and {"kilogram", "mole"} <= bases and not analyte.molar_mass:
        return f"{analyte.label} has no one molar mass, so mass and amount cannot be told from each other."
    return "Check the unit of the source, or which variable is meant."


def _by_convention(one: UcumUnit, other: UcumUnit, analyte: Analyte) -> Conversion | None:
    """A conversion that a convention states (HbA1c, insulin …), with plain steps before and after."""
    for convention in analyte.conventions:
        for back in (False, True):
            ends = (convention.unit, convention.to) if not back else (convention.to, convention.unit)
            start, end = parse_unit(ends[0]), parse_unit(ends[1])
            if not (_meets(one, start, convention.exact_unit) and _meets(other, end, convention.exact_unit)):
                continue
            stated = Conversion(Fraction(convention.factor), Fraction(convention.offset))
            stated = stated.reversed() if back else stated
            before, after = one.factor / start.factor, end.factor / other.factor
            step = f"{start.code} → {end.code}: {convention.source}"
            return Conversion(before * stated.factor * after, stated.offset * after, (step,))
    return None


def _meets(unit: UcumUnit, stated: UcumUnit, exact: bool) -> bool:  # noqa: FBT001
    return unit.code == stated.code if exact else unit.dimension == stated.dimension


def _by_substance(one: UcumUnit, other: UcumUnit, analyte: Analyte) -> Conversion | None:
    """Mass, amount and charge of one substance: kg = mol · molar mass, equivalents = mol · charge."""
    first, second = _as_amount(one, analyte), _as_amount(other, analyte)
    if first is None or second is None or first[0] != second[0]:
        return None
    step = f"{one.code} → {other.code} by {analyte.label}" + (
        f", {analyte.molar_mass} g/mol" if analyte.molar_mass else ""
    )
    return Conversion(first[1] / second[1], steps=(step,))


def _as_amount(unit: UcumUnit, analyte: Analyte) -> tuple[Dimension, Fraction] | None:
    powers, factor = dict(unit.dimension), unit.factor
    per_mole = {
        "kilogram": Fraction(str(analyte.molar_mass)) / 1000 if analyte.molar_mass else None,
        "equivalent": Fraction(analyte.charge) if analyte.charge else None,
    }
    for base, one_mole in per_mole.items():
        exponent = powers.pop(base, Fraction(0))
        if not exponent:
            continue
        if one_mole is None or exponent.denominator != 1:
            return None
        powers["mole"] = powers.get("mole", Fraction(0)) + exponent
        factor /= one_mole**exponent.numerator
    return tuple(sorted((base, e) for base, e in powers.items() if e)), factor
