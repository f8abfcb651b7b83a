"""The published grid of a cohort: the only bands, categories and cut points that grid readers ask by.

Made from the dictionary alone, so that it is the same for everyone and says nothing of anyone: ages in bands
of five years; the categories of a variable with at most 40; of a number the cut points of `model.cut_points`
in the variable's unit, else round numbers within its plausible range. Never a quantile of the values.
Variables that identify, texts and dates are not on it. A band holds its lower limit and not its upper one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from nexome.model.analytes import ANALYTES, Analyte, analyte_of
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.cut_points import AGE_BAND_YEARS, AGE_TOP_YEARS, CUT_POINTS, CutPoints, round_points
from nexome.model.errors import InputError
from nexome.model.fields import schema_of
from nexome.store.cohorts.columns import valid_codes

CATEGORIES_MOST: Final = 40
YEARS: Final = "a"
GRID_COLUMNS: Final = ("variable", "label", "label_zh", "banded_by", "variable_unit", "bands")

BandedBy = Literal["age bands", "clinical cut points", "round numbers", "categories"]
_BY_NAME: Final = {known.quantity: known for known in CUT_POINTS}
_BY_LOINC: Final = {f"LOINC:{code}": known for known in CUT_POINTS for code in known.loinc}
_BY_WORD: Final = {word: known for known in CUT_POINTS for word in known.words}
_WORDS: Final = re.compile(r"[^\W_]+")
_NOT_CUT: Final = frozenset({"participant", "visit", "weight", "consent", "purposes", "withdrawn"})


@dataclass(frozen=True)
class Axis:
    """How one variable is cut: by `cuts` (ascending, in `variable.unit`) or into `codes` of categories."""

    variable: Variable
    banded_by: BandedBy
    cuts: tuple[float, ...] = ()
    codes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes) if self.codes else len(self.cuts) + 1

    def labels(self, language: str = "en") -> tuple[str, ...]:
        """What each band is called, in their order."""
        if self.codes:
            titles = {category.code: category.title(language) for category in self.variable.categories}
            return tuple(titles.get(code, code) for code in self.codes)
        texts = [f"{cut:.12g}" for cut in self.cuts]
        inner = (f"{low}–<{high}" for low, high in pairwise(texts))
        return (f"<{texts[0]}", *inner, f"≥{texts[-1]}")

    def holds(self, limit: float) -> bool:
        """Whether a limit is one of the cut points, or none at all."""
        if not np.isfinite(limit):
            return True
        return bool(np.isclose(self.cuts, limit, rtol=1e-9, atol=0).any())


@dataclass(frozen=True)
class Grid:
    """The axes of a cohort by variable."""

    axes: Mapping[str, Axis]

    def __iter__(self) -> Iterator[Axis]:
        return iter(self.axes.values())

    def table(self) -> pa.Table:
        """One row a variable on the grid (GRID_COLUMNS): its bands as they are written in a question."""
        rows = [
            {
                "variable": axis.variable.name,
                "label": axis.variable.label or None,
                "label_zh": axis.variable.label_zh or None,
                "banded_by": axis.banded_by,
                "variable_unit": axis.variable.unit or None,
                "bands": " | ".join(axis.codes or (f"{cut:.12g}" for cut in axis.cuts)),
            }
            for axis in self
        ]
        return pa.Table.from_pylist(rows, schema=schema_of(GRID_COLUMNS))


def grid_of(dictionary: Dictionary) -> Grid:
    """The grid of a dictionary: the same for equal dictionaries, whoever asks and whatever the values are."""
    axes = (axis_of(variable) for variable in dictionary)
    return Grid({axis.variable.name: axis for axis in axes if axis is not None})


def axis_of(variable: Variable) -> Axis | None:
    """The axis of one variable; None where it is not on the grid."""
    if variable.sensitivity == "identifying" or variable.role in _NOT_CUT:
        return None
    if variable.type in {"category", "boolean"}:
        codes = valid_codes(variable)
        return Axis(variable, "categories", codes=codes) if 0 < len(codes) <= CATEGORIES_MOST else None
    cuts, banded_by = _cuts_of(variable) if variable.numeric else ((), "round numbers")
    return Axis(variable, banded_by, cuts=cuts) if cuts else None


def _cuts_of(variable: Variable) -> tuple[tuple[float, ...], BandedBy]:
    if variable.role == "age":
        return _age_cuts(variable), "age bands"
    if cuts := _clinical_cuts(variable):
        return cuts, "clinical cut points"
    if variable.minimum is None or variable.maximum is None:
        return (), "round numbers"
    return round_points(variable.minimum, variable.maximum), "round numbers"


def _age_cuts(variable: Variable) -> tuple[float, ...]:
    years = range(AGE_BAND_YEARS, AGE_TOP_YEARS + 1, AGE_BAND_YEARS)
    factor = 1.0
    if variable.unit and variable.unit != YEARS:
        factor = _line(YEARS, variable.unit, "")[0]
    return tuple(float(f"{year * factor:.6g}") for year in years)


def _clinical_cuts(variable: Variable) -> tuple[float, ...]:
    """The clinical cut points in the variable's unit; none where it is no known quantity or has no unit."""
    known = quantity_of(variable)
    if known is None or not variable.unit:
        return ()
    points = known.points.get(variable.unit)
    if points is None:
        unit = next(iter(known.points))
        try:
            factor, offset = _line(unit, variable.unit, known.quantity if known.quantity in ANALYTES else "")
        except InputError:
            return ()
        points = tuple(float(f"{point * factor + offset:.3g}") for point in known.points[unit])
    low = -np.inf if variable.minimum is None else variable.minimum
    high = np.inf if variable.maximum is None else variable.maximum
    return tuple(sorted({float(point) for point in points if low < point < high}))


def quantity_of(variable: Variable) -> CutPoints | None:
    """The quantity that a variable measures, by its LOINC code, name or label."""
    for term in variable.terms:
        if term in _BY_LOINC:
            return _BY_LOINC[term]
    for text in (variable.name, variable.label, variable.label_zh):
        words = " ".join(_WORDS.findall(text.casefold()))
        if words in _BY_WORD:
            return _BY_WORD[words]
    analyte = substance_of(variable)
    return _BY_NAME.get(analyte.name) if analyte is not None else None


def substance_of(variable: Variable) -> Analyte | None:
    """The analyte a variable measures, by its terms, name or label."""
    texts = (*variable.terms, variable.name, variable.label, variable.label_zh)
    return next((found for text in texts if text and (found := analyte_of(text)) is not None), None)


def _line(unit: str, to: str, analyte: str) -> tuple[float, float]:
    """Factor and offset from one unit to another."""
    if unit == to:
        return 1.0, 0.0
    from nexome.model.ucum import converter  # noqa: PLC0415  units are slow to load and seldom differ

    conversion = converter(unit, to, analyte)
    return float(conversion.factor), float(conversion.offset)
