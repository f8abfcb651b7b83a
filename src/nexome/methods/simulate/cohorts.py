"""Made-up participants of a population cohort: measurements that hang together as people's do.

Age and sex drive body size, pressure, lipids, glucose, creatinine and uric acid; what is above follows from
what is below (LDL from total cholesterol, HDL and triglycerides by Friedewald; diabetes from glucose). Units
are those of `UNITS`. Coefficients are rounded, set by hand to lie in the range of adult surveys, and describe
nobody. Arrays out; nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

UNITS: Final[Mapping[str, str]] = {
    "age": "a",
    "height": "cm",
    "weight": "kg",
    "waist": "cm",
    "systolic_pressure": "mm[Hg]",
    "diastolic_pressure": "mm[Hg]",
    "cholesterol_total": "mmol/L",
    "cholesterol_hdl": "mmol/L",
    "cholesterol_ldl": "mmol/L",
    "triglycerides": "mmol/L",
    "glucose": "mmol/L",
    "creatinine": "umol/L",
    "uric_acid": "umol/L",
}
OLDEST: Final = 79


def simulate_participants(
    seed: int, people: int, *, youngest: int = 20, shift: Mapping[str, float] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Columns of `people` participants, an array [P] each.

    The measurements of UNITS are float64; `sex` (0 man, 1 woman), `diabetes`, `asthma` and `smoking`
    (0 never, 1 former, 2 current) are int64. `shift` multiplies measurements, to make a cohort whose
    level differs ({"triglycerides": 1.1}).
    """
    random = np.random.default_rng(seed)
    sex = random.integers(0, 2, people)
    age = np.floor(youngest + (OLDEST + 1 - youngest) * random.beta(1.5, 1.8, people))
    frame = random.normal(size=people)  # how heavy somebody is for their height
    values = _bodies(random, age, sex, frame) | _blood(random, age, sex, frame)
    for name, factor in (shift or {}).items():
        values[name] = values[name] * factor
    values["cholesterol_ldl"] = np.clip(
        values["cholesterol_total"] - values["cholesterol_hdl"] - values["triglycerides"] / 2.2, 0.6, None
    )
    return {"age": age, "sex": sex, **values, **_conditions(random, age, sex, values["glucose"])}


def _bodies(random: np.random.Generator, age: Floats, sex: Any, frame: Floats) -> dict[str, Floats]:
    n = len(age)
    height = np.where(sex == 0, 172.5, 160.0) - 0.07 * (age - 45) + 6.2 * random.normal(size=n)
    index = np.exp(np.log(24.4) + 0.13 * frame + 0.0016 * np.minimum(age - 45, 20))
    waist = 84 + 9.5 * frame + np.where(sex == 0, 5, -2) + 0.18 * (age - 45) + 4 * random.normal(size=n)
    rise = np.where(sex == 0, 0.45, 0.68) * (age - 45)
    skewed = np.exp(2.6 + 0.5 * random.normal(size=n)) - 15 + 6.5 * random.normal(size=n)
    systolic = 124 + rise + 4.0 * frame - 3.0 * sex + skewed
    diastolic = 77 + 0.42 * (systolic - 124) + 6.5 * random.normal(size=n) - 0.08 * np.maximum(age - 55, 0)
    return {
        "height": height,
        "weight": index * (height / 100) ** 2,
        "waist": waist,
        "systolic_pressure": systolic,
        "diastolic_pressure": diastolic,
    }


def _blood(random: np.random.Generator, age: Floats, sex: Any, frame: Floats) -> dict[str, Floats]:
    n = len(age)

    def log_normal(centre: Any, spread: float) -> Floats:
        return np.asarray(np.exp(np.log(centre) + spread * random.normal(size=n)))

    later = np.where(sex == 1, np.clip(age - 50, 0, 15) * 0.035, 0.0)  # cholesterol after the menopause
    total = 4.75 + 0.018 * (np.minimum(age, 60) - 45) + later + 0.10 * frame + 0.85 * random.normal(size=n)
    glucose = log_normal(5.15 + 0.010 * (age - 45) + 0.10 * frame, 0.085)
    ill = random.random(n) < 0.07 * np.exp(0.03 * (age - 50) + 0.5 * frame)
    return {
        "cholesterol_total": np.clip(total, 2.2, None),
        "cholesterol_hdl": log_normal(np.where(sex == 0, 1.22, 1.46) * np.exp(-0.06 * frame), 0.19),
        "triglycerides": log_normal(np.where(sex == 0, 1.35, 1.10) * np.exp(0.18 * frame), 0.42),
        "glucose": np.where(ill, glucose * log_normal(1.55, 0.18), glucose),
        "creatinine": log_normal(np.where(sex == 0, 80.0, 61.0) + 0.18 * (age - 45), 0.15),
        "uric_acid": log_normal(np.where(sex == 0, 355.0, 268.0) * np.exp(0.06 * frame), 0.19),
    }


def _conditions(random: np.random.Generator, age: Floats, sex: Any, glucose: Floats) -> dict[str, Any]:
    n = len(age)
    smoking = np.where(random.random(n) < np.where(sex == 0, 0.55, 0.12), 2, 0)
    stopped = (smoking == 2) & (random.random(n) < (age - 20) / 110)
    return {
        "diabetes": ((glucose >= 7.0) & (random.random(n) < 0.85)).astype(np.int64),
        "asthma": (random.random(n) < 0.06 + 0.02 * sex).astype(np.int64),
        "smoking": np.where(stopped, 1, smoking),
    }
