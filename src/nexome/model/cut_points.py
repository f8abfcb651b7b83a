"""Published limits at which a measured value is cut into bands: clinical ones, and round numbers elsewhere.

A limit begins a band: 4.1 stands for 'below 4.1' and '4.1 and more'. Nothing here ever looks at data.
Sources: lipids, Chinese guideline for lipid management 2023 and NCEP ATP III; glucose and HbA1c, WHO 2011 and
ADA; blood pressure, Chinese guideline 2018 and ESC/ESH 2018; body mass index, WHO and WS/T 428-2013; uric
acid, Chinese guideline 2019; the rest, round numbers about the usual reference limits. Each unit has limits
of its own, as its readers use them (LDL 4.1 mmol/L, 160 mg/dL): they are not conversions of each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

AGE_BAND_YEARS: Final = 5
AGE_TOP_YEARS: Final = 90  # the oldest are one band: there are few of them, and they are known
ROUND_MOST: Final = 20
"""At most this many round cut points within a plausible range."""


@dataclass(frozen=True, slots=True)
class CutPoints:
    """Limits of a quantity, ascending, by UCUM unit; other units convert the first.

    `quantity` is an analyte's name (`model.analytes`), else `loinc` and `words` say which variables it is.
    """

    quantity: str
    points: Mapping[str, tuple[float, ...]]
    loinc: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


CUT_POINTS: Final = (
    CutPoints("cholesterol_total", {"mmol/L": (3.1, 4.1, 5.2, 6.2, 7.2), "mg/dL": (120, 160, 200, 240, 280)}),
    CutPoints("cholesterol_hdl", {"mmol/L": (0.9, 1.0, 1.3, 1.6), "mg/dL": (35, 40, 50, 60)}),
    CutPoints(
        "cholesterol_ldl",
        {"mmol/L": (1.4, 1.8, 2.6, 3.4, 4.1, 4.9), "mg/dL": (55, 70, 100, 130, 160, 190)},
    ),
    CutPoints(
        "triglycerides",
        {"mmol/L": (0.6, 1.1, 1.7, 2.3, 5.6, 11.3), "mg/dL": (50, 100, 150, 200, 500, 1000)},
    ),
    CutPoints("glucose", {"mmol/L": (3.9, 5.6, 6.1, 7.0, 7.8, 11.1), "mg/dL": (70, 100, 110, 126, 140, 200)}),
    CutPoints("hba1c", {"%": (5.0, 5.7, 6.0, 6.5, 7.0, 8.0, 9.0), "mmol/mol": (31, 39, 42, 48, 53, 64, 75)}),
    CutPoints(
        "creatinine",
        {"umol/L": (45, 60, 75, 90, 105, 130, 180), "mg/dL": (0.5, 0.7, 0.9, 1.0, 1.2, 1.5, 2.0)},
    ),
    CutPoints("urate", {"umol/L": (180, 240, 300, 360, 420, 480, 540), "mg/dL": (3, 4, 5, 6, 7, 8, 9)}),
    CutPoints(
        "body mass index",
        {"kg/m2": (16, 18.5, 23, 24, 25, 27.5, 28, 30, 35, 40)},
        ("39156-5", "89270-3"),
        ("bmi", "body mass index", "体重指数", "体质指数", "身体质量指数"),
    ),
    CutPoints(
        "systolic pressure",
        {"mm[Hg]": (90, 100, 110, 120, 130, 140, 150, 160, 180), "kPa": (12, 14, 16, 18, 20, 22, 24)},
        ("8480-6", "8459-0", "76534-7"),
        ("sbp", "systolic blood pressure", "systolic pressure", "systolic bp", "收缩压"),
    ),
    CutPoints(
        "diastolic pressure",
        {"mm[Hg]": (60, 70, 80, 85, 90, 100, 110), "kPa": (8, 9, 10, 11, 12, 13, 14)},
        ("8462-4", "8453-3", "76535-4"),
        ("dbp", "diastolic blood pressure", "diastolic pressure", "diastolic bp", "舒张压"),
    ),
    CutPoints(
        "height",
        {"cm": tuple(range(60, 201, 10)), "m": tuple(n / 10 for n in range(6, 21))},
        ("8302-2", "3137-7"),
        ("height", "body height", "standing height", "身高"),
    ),
    CutPoints(
        "weight",
        {"kg": (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 150)},
        ("29463-7", "3141-9"),
        ("weight", "body weight", "体重"),
    ),
    CutPoints(
        "waist",
        {"cm": (60, 70, 80, 85, 88, 90, 94, 102, 110, 120)},
        ("8280-0", "56086-2"),
        ("waist", "waist circumference", "腰围"),
    ),
)


def round_points(low: float, high: float, *, most: int = ROUND_MOST) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 · 10^k strictly between two numbers: as many as fit, at most `most`.

    >>> round_points(0, 100, most=5)
    (20.0, 40.0, 60.0, 80.0)
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high - low < 1e-300:
        return ()
    exponent = math.floor(math.log10((high - low) / most)) - 1
    steps = (factor * 10.0**power for power in range(exponent, exponent + 4) for factor in (1, 2, 5))
    for step in steps:
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first - 1 <= most:
            points = (float(f"{number * step:.12g}") for number in range(first, last + 1))
            return tuple(point for point in points if low < point < high)[:most]
    return ()
