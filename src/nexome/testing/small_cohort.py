"""Two small cohorts to test and look at: `town`, open, two visits for some; `clinic`, private, other units.

Nobody in them exists. Diagnoses of the town are terms of the ontology of `tests/store/edges`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.store.cohorts import CohortStore

_SEX: Final = (
    Category("1", "male", "男"),
    Category("2", "female", "女"),
    Category("9", "refused", missing=True),
)
TOWN: Final = Cohort(
    "town", "Town study", "城镇队列", "open", country="CN", years="2019–2021", sampling="population"
)
CLINIC: Final = Cohort("clinic", "Clinic study", "门诊队列", "private", country="KR", sampling="clinical")
TOWN_DICTIONARY: Final = Dictionary(
    (
        Variable("pid", "text", role="participant", sensitivity="identifying"),
        Variable("visit", "integer", role="visit", minimum=1, maximum=2),
        Variable("sex", "category", "Sex", "性别", categories=_SEX, role="sex"),
        Variable("age", "integer", "Age", "年龄", "a", role="age", minimum=0, maximum=120),
        Variable(
            "ldl",
            "decimal",
            "LDL cholesterol",
            "低密度脂蛋白胆固醇",
            "mmol/L",
            minimum=0.2,
            maximum=20,
            terms=("LOINC:22748-8",),
        ),
        Variable("bmi", "decimal", "Body mass index", "体重指数", "kg/m2", minimum=8, maximum=80),
        Variable("asthma", "boolean", "Asthma ever", "曾患哮喘", terms=("MONDO:0004979",)),
        Variable(
            "diagnosis",
            "category",
            "Main diagnosis",
            "主要诊断",
            categories=(
                Category("HP:0001250", "Seizure", "癫痫发作"),
                Category("HP:0002197", "Generalized seizure", "全面性发作"),
                Category("none", "none", "无"),
            ),
        ),
        Variable("seen", "date", role="date"),
        Variable("note", "text"),
    )
)
CLINIC_DICTIONARY: Final = Dictionary(
    (
        Variable("code", "text", role="participant", sensitivity="identifying"),
        Variable("gender", "category", "Gender", categories=(Category("F"), Category("M")), role="sex"),
        Variable("years", "decimal", "Age at visit", unit="a", role="age", minimum=0, maximum=120),
        Variable("LDLC", "decimal", "LDL-C", unit="mg/dL", minimum=5, maximum=700),
    )
)


def town_rows(people: int = 600, seed: int = 1) -> pa.Table:
    """Rows of the town in no order, one value in ten missing; every third person has a second visit."""
    rng = np.random.default_rng(seed)
    second = np.arange(0, people, 3)
    person = np.concatenate([np.arange(people), second])
    size = len(person)
    gaps = [rng.random(size) < 0.1 for _ in range(6)]
    table = {
        "pid": [f"T{number:04}" for number in person],
        "visit": pa.array(np.repeat([1, 2], [people, len(second)])),
        "sex": pa.array(np.array(["1", "2"], object)[person % 2], mask=gaps[0]),
        "age": pa.array(rng.integers(18, 85, size), mask=gaps[1]),
        "ldl": pa.array(np.round(rng.normal(3.3, 0.9, size).clip(0.5, 9), 2), mask=gaps[2]),
        "bmi": pa.array(np.round(rng.normal(24.5, 4, size).clip(14, 50), 1), mask=gaps[3]),
        "asthma": pa.array(rng.random(size) < 0.3, mask=gaps[4]),
        "diagnosis": pa.array(
            rng.choice(np.array(["HP:0001250", "HP:0002197", "none"], object), size), mask=gaps[5]
        ),
        "seen": pa.array(rng.integers(17_900, 18_900, size), pa.int32()).cast(pa.date32()),
        "note": [""] * size,
    }
    return pa.table(table).take(pa.array(rng.permutation(size)))


def clinic_rows(people: int = 300, seed: int = 2) -> pa.Table:
    """Rows of the clinic, one a person."""
    rng = np.random.default_rng(seed)
    table: dict[str, Any] = {
        "code": [f"C{number:04}" for number in range(people)],
        "gender": rng.choice(np.array(["F", "M"], object), people),
        "years": np.round(rng.uniform(20, 80, people), 1),
        "LDLC": np.round(rng.normal(130, 35, people).clip(20, 400), 0),
    }
    return pa.table(table)


def make_small_cohorts(root: Path) -> None:
    """Publish both cohorts in an existing root."""
    store = CohortStore.open(root)
    for cohort, dictionary, rows in (
        (TOWN, TOWN_DICTIONARY, town_rows()),
        (CLINIC, CLINIC_DICTIONARY, clinic_rows()),
    ):
        staged = store.stage(cohort, dictionary)
        staged.add(rows)
        staged.publish({})
