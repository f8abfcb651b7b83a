"""What adults' values typically are: one row a quantity, by sex, to tell units apart.

The numbers are this project's own: rounded 5th, 50th and 95th percentiles of adults in general populations,
set from published adult ranges (textbooks of laboratory medicine, national health surveys) and wide enough
for differences between countries. They tell a unit from another (most differ tenfold) and one code of sex
from the other. They are not reference limits: those are built from people (`nexome reference build`).

`units`: those in which the quantity is written somewhere, the most usual first; an analyte's are those of
`model.analytes`, and so is its name. `trend`: how much the mean of
adults changes in ten years of age, at least and at most; outside it a source is asked about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from nexome.model.analytes import ANALYTES

Sex = Literal["male", "female"]
SOURCE_KIND: Final = "typical adult values, rounded, set by hand from published ranges"
_Z95: Final = 1.6449  # the 95th percentile of the standard normal
_LEAST_SIGMA: Final = 0.01  # a source of nearly equal values is still no spike


@dataclass(frozen=True, slots=True)
class Spread:
    """5th, 50th and 95th percentile of one sex, in the quantity's unit."""

    p5: float
    p50: float
    p95: float

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each value as a normal score: 0 at the median, ±1.645 at p5 and p95, logarithmic.

        `values` [n] in the quantity's unit. Zero and below have no logarithm: −inf.
        """
        logs = np.full(values.shape, -np.inf)
        np.log(values / self.p50, out=logs, where=values > 0)
        lower, upper = self._sigmas()
        return np.where(np.isnan(values), np.nan, np.where(logs >= 0, logs / upper, logs / lower))

    def values(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values that have these scores; the inverse of `scores`."""
        lower, upper = self._sigmas()
        return self.p50 * np.exp(scores * np.where(scores >= 0, upper, lower))

    def _sigmas(self) -> tuple[float, float]:
        """Standard deviations of the logarithm below and above the median."""
        lower, upper = math.log(self.p50 / self.p5) / _Z95, math.log(self.p95 / self.p50) / _Z95
        return max(lower, _LEAST_SIGMA), max(upper, _LEAST_SIGMA)


@dataclass(frozen=True, slots=True)
class Typical:
    """One quantity: its unit, adults' percentiles by sex, its usual units and trend with age."""

    name: str
    unit: str
    male: Spread
    female: Spread
    units: tuple[str, ...]
    trend: tuple[float, float] | None = None

    def spread(self, sex: str = "") -> Spread:
        """The percentiles of one sex; of both together where the sex is not known ('')."""
        if sex in {"male", "female"}:
            return self.male if sex == "male" else self.female
        both = (self.male, self.female)
        return Spread(min(s.p5 for s in both), sum(s.p50 for s in both) / 2, max(s.p95 for s in both))

    @property
    def analyte(self) -> str:
        """The substance whose molar mass ties mass to amount; '' for a measurement of the body."""
        return self.name if self.name in ANALYTES else ""

    @property
    def sex_difference(self) -> float:
        """How far men's median lies above women's, in scores of both together (below 0: lower)."""
        medians = np.array([self.male.p50, self.female.p50])
        scores = self.spread().scores(medians)
        return float(scores[0] - scores[1])


_MASS: Final = ("kg", "g", "[lb_av]")
_LENGTH: Final = ("cm", "m", "mm", "[in_i]", "[ft_i]")
_PRESSURE: Final = ("mm[Hg]", "kPa", "cm[Hg]")
_CELLS: Final = ("10*9/L", "10*3/uL", "10*6/L", "/uL")


def _row(
    name: str,
    unit: str,
    spreads: tuple[tuple[float, float, float], tuple[float, float, float]],
    units: tuple[str, ...] = (),
    *,
    trend: tuple[float, float] | None = None,
) -> Typical:
    male, female = (Spread(*s) for s in spreads)
    return Typical(name, unit, male, female, units or ANALYTES[name].units, trend)


_ROWS: Final = (
    _row("age", "a", ((20, 46, 78), (20, 46, 78)), ("a", "mo", "d")),
    _row("height", "cm", ((158, 173, 187), (147, 161, 174)), _LENGTH, trend=(-4.0, 0.6)),
    _row("weight", "kg", ((54, 76, 112), (45, 65, 102)), _MASS),
    _row("body_mass_index", "kg/m2", ((18.8, 25.3, 35), (18, 25, 38)), ("kg/m2",)),
    _row("waist", "cm", ((72, 92, 120), (66, 86, 116)), _LENGTH),
    _row("hip", "cm", ((86, 100, 120), (86, 101, 128)), _LENGTH),
    _row("systolic_pressure", "mm[Hg]", ((104, 125, 160), (98, 120, 162)), _PRESSURE, trend=(0.0, 10.0)),
    _row("diastolic_pressure", "mm[Hg]", ((60, 77, 98), (57, 74, 95)), _PRESSURE, trend=(-4.0, 6.0)),
    _row("heart_rate", "/min", ((52, 70, 92), (55, 73, 95)), ("/min", "Hz")),
    _row(
        "cholesterol_total",
        "mmol/L",
        ((3.4, 4.9, 6.8), (3.5, 5.0, 7.0)),
        trend=(-0.4, 0.8),
    ),
    _row("cholesterol_hdl", "mmol/L", ((0.8, 1.2, 1.8), (0.95, 1.45, 2.2))),
    _row("cholesterol_ldl", "mmol/L", ((1.6, 2.9, 4.6), (1.6, 2.9, 4.7))),
    _row("triglycerides", "mmol/L", ((0.55, 1.3, 3.8), (0.5, 1.05, 2.8))),
    _row("apolipoprotein_a1", "g/L", ((1.0, 1.35, 1.8), (1.1, 1.5, 2.1)), ("g/L", "g/dL", "mg/dL", "mg/L")),
    _row("apolipoprotein_b", "g/L", ((0.55, 0.95, 1.5), (0.55, 0.9, 1.45)), ("g/L", "g/dL", "mg/dL", "mg/L")),
    _row("glucose", "mmol/L", ((4.2, 5.3, 8.5), (4.1, 5.1, 8.0))),
    _row("creatinine", "umol/L", ((60, 82, 115), (45, 64, 92))),
    _row("urate", "umol/L", ((220, 345, 500), (155, 260, 410))),
    _row("urea", "mmol/L", ((2.8, 5.2, 8.8), (2.4, 4.6, 8.2))),
    _row("bilirubin_total", "umol/L", ((5, 10, 24), (4, 8, 18))),
    _row("calcium", "mmol/L", ((2.17, 2.36, 2.54), (2.16, 2.35, 2.54))),
    _row("sodium", "mmol/L", ((135, 140, 145), (135, 140, 145))),
    _row("potassium", "mmol/L", ((3.6, 4.2, 5.0), (3.5, 4.2, 4.9))),
    _row("chloride", "mmol/L", ((98, 103, 108), (98, 103, 108))),
    _row("albumin", "g/L", ((37, 43, 50), (36, 42, 48))),
    _row("protein_total", "g/L", ((63, 72, 81), (63, 72, 81))),
    _row("globulin", "g/L", ((21, 28, 37), (21, 29, 38)), ("g/L", "g/dL")),
    _row("haemoglobin", "g/L", ((128, 150, 169), (110, 133, 152))),
    _row("haematocrit", "%", ((38, 45, 51), (34, 40, 46)), ("%", "1")),
    _row("platelets", "10*9/L", ((145, 230, 360), (155, 255, 400)), _CELLS),
    _row("white_cells", "10*9/L", ((4.0, 6.6, 11), (3.9, 6.4, 11)), _CELLS),
    _row("neutrophils", "10*9/L", ((1.9, 3.8, 7.5), (1.8, 3.7, 7.6)), _CELLS),
    _row("lymphocytes", "10*9/L", ((1.1, 1.9, 3.3), (1.1, 1.9, 3.3)), _CELLS),
    _row("monocytes", "10*9/L", ((0.25, 0.5, 0.95), (0.22, 0.45, 0.85)), _CELLS),
    _row(
        "red_cells",
        "10*12/L",
        ((4.2, 5.0, 5.7), (3.8, 4.5, 5.2)),
        ("10*12/L", "10*6/uL", "10*9/L"),
    ),
    _row("alt", "U/L", ((10, 24, 65), (8, 17, 45))),
    _row("ast", "U/L", ((14, 23, 45), (13, 20, 37))),
    _row("alp", "U/L", ((40, 68, 115), (36, 66, 120))),
    _row("ggt", "U/L", ((10, 27, 105), (8, 17, 65))),
    _row("ldh", "U/L", ((120, 175, 245), (120, 175, 245))),
)
TYPICAL: Final = {row.name: row for row in _ROWS}


def typical_of(values: NDArray[np.float64], like: Typical, *, sex: NDArray[np.str_] | None = None) -> Typical:
    """The percentiles of a source taken as the reference instead of the table: another cohort of the root.

    `values` [n] in `like.unit` (NaN: none), `sex` [n] 'male' | 'female' | ''. A sex with fewer than 40 values
    takes the percentiles of all.
    """
    everyone = np.isfinite(values) & (values > 0)
    made: list[Spread] = []
    for one in ("male", "female"):
        mask = everyone if sex is None else everyone & (sex == one)
        mask = mask if mask.sum() >= 40 else everyone
        made.append(Spread(*np.percentile(values[mask], [5, 50, 95]).tolist()))
    return Typical(like.name, like.unit, made[0], made[1], like.units, like.trend)
