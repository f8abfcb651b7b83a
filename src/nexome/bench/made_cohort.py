"""A made cohort of any size as a CSV file: who belongs to nobody, with gaps and second visits.

Variables: sex, age, and then by turns measured quantities with one or two decimals, whole numbers, categories
and yes/no questions; the first are those a real question asks by (LDL cholesterol in mmol/L, asthma). One in
twenty values is missing; one person in five has a second visit a few years later.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.csv as pacsv

from nexome.model.cohorts import Category, Cohort, Dictionary, Variable

COHORT: Final = Cohort(
    "made", title="Made cohort", title_zh="模拟队列", access="open", sampling="other", people="made"
)
TARGET: Final = "made-harmonised"
MISSING: Final = 0.05
SECOND_VISIT: Final = 0.2
BLOCK: Final = 50_000  # rows written at once
_FIRST: Final = (
    Variable("id", "text", role="participant", sensitivity="identifying"),
    Variable("visit", "integer", role="visit", minimum=1, maximum=2),
    Variable(
        "sex",
        "category",
        "Sex",
        "性别",
        role="sex",
        categories=(Category("1", "male", "男"), Category("2", "female", "女")),
    ),
    Variable("age", "integer", "Age", "年龄", "a", role="age", minimum=0, maximum=110),
    Variable(
        "ldl", "decimal", "LDL cholesterol", "低密度脂蛋白胆固醇", "mmol/L", terms=("LOINC:2089-1",),
        minimum=0.1, maximum=20,
    ),
    Variable("sbp", "integer", "Systolic pressure", "收缩压", "mm[Hg]", minimum=50, maximum=280),
    Variable("asthma", "boolean", "Asthma", "哮喘", terms=("MONDO:0004979",)),
    Variable("smoking", "category", "Smoking", "吸烟", categories=tuple(
        Category(str(code), label) for code, label in enumerate(("never", "former", "current"), 1)
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """People and variables (besides identifier and visit) of the made cohort."""

    people: int = 100_000
    variables: int = 50
    seed: int = 1


def made_dictionary(plan: CohortPlan) -> Dictionary:
    """The dictionary of a plan's cohort."""
    more = (_variable(number) for number in range(plan.variables - (len(_FIRST) - 2)))
    return Dictionary((*_FIRST, *more))


def _variable(number: int) -> Variable:
    name = f"v{number:04}"
    match number % 10:
        case 0 | 1:
            codes = tuple(Category(str(code), f"level {code}") for code in range(1, 3 + number % 4))
            return Variable(name, "category", f"Category {number}", categories=codes)
        case 2:
            return Variable(name, "boolean", f"Question {number}")
        case 3 | 4:
            return Variable(name, "integer", f"Count {number}", unit="1", minimum=0, maximum=500)
        case _:
            return Variable(name, "decimal", f"Quantity {number}", unit="g/L", minimum=0, maximum=200)


def made_mapping(plan: CohortPlan) -> str:
    """A mapping (YAML) of the whole cohort: LDL into mg/dL, sex recoded, everything else as it is."""
    targets, taken = [], []
    for variable in made_dictionary(plan):
        if variable.role == "participant":
            continue
        target = asdict(variable) | {"categories": [asdict(c) for c in variable.categories]}
        rule: dict[str, Any] = {"take": variable.name}
        if variable.name == "ldl":
            target |= {"unit": "mg/dL", "minimum": 4, "maximum": 800}
        if variable.role == "sex":
            target["categories"] = [{"code": "male"}, {"code": "female"}]
            rule["recode"] = {"1": "male", "2": "female"}
        targets.append((variable.name, target))
        taken.append((variable.name, rule))
    mapping = {
        "target": {"id": TARGET, "title": "Made cohort, harmonised", "access": "private"},
        "variables": {name: _without_defaults(target) for name, target in targets},
        "sources": {COHORT.id: {"variables": dict(taken)}},
    }
    return orjson.dumps(mapping).decode()  # JSON is YAML


def _without_defaults(target: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value for name, value in target.items() if name != "name" and value not in ("", (), [], None)
    }
    if "categories" in kept:
        kept["categories"] = [
            {name: value for name, value in category.items() if value not in ("", False)}
            for category in kept["categories"]
        ]
    return kept


def write_csv(plan: CohortPlan, path: Path) -> int:
    """Write the cohort as CSV, participants in no order; the number of rows."""
    rng = np.random.default_rng(plan.seed)
    dictionary = made_dictionary(plan)
    people = rng.permutation(plan.people)
    again = people[rng.random(plan.people) < SECOND_VISIT]
    rows = 0
    schema = pa.schema([(v.name, _arrow(v)) for v in dictionary])
    # pyarrow's writer quotes no text with "needed", as most tables are written.
    options = pacsv.WriteOptions(quoting_style="needed")
    with pacsv.CSVWriter(path, schema, write_options=options) as writer:
        for visit, chosen in ((1, people), (2, again)):
            for start in range(0, len(chosen), BLOCK):
                part = chosen[start : start + BLOCK]
                writer.write_table(_block(dictionary, part, visit, rng))
                rows += len(part)
    return rows


def _arrow(variable: Variable) -> pa.DataType:
    kinds = {"integer": pa.int32(), "decimal": pa.float64(), "boolean": pa.int8()}
    return kinds.get(variable.type, pa.string())


def _block(
    dictionary: Dictionary, people: npt.NDArray[np.int64], visit: int, rng: np.random.Generator
) -> pa.Table:
    size = len(people)
    columns: list[pa.Array] = []
    for variable in dictionary:
        if variable.role == "participant":
            columns.append(pa.array([f"P{person:08}" for person in people]))
        elif variable.role == "visit":
            columns.append(pa.array(np.full(size, visit, np.int32)))
        else:
            values = _values(variable, people, rng)
            gaps = None if variable.role else rng.random(size, np.float32) < MISSING
            columns.append(pa.array(values, mask=gaps))
    return pa.Table.from_arrays(columns, names=[v.name for v in dictionary])


def _values(variable: Variable, people: npt.NDArray[np.int64], rng: np.random.Generator) -> Any:
    """Values [N]; those of sex belong to the person."""
    size = len(people)
    if variable.role == "sex":
        return np.array(["1", "2"], object)[people % 2]
    if variable.role == "age":
        return rng.integers(18, 90, size, np.int32)
    match variable.type:
        case "category":
            codes = np.array([c.code for c in variable.categories], object)
            return codes[rng.integers(0, len(codes), size)]
        case "boolean":
            return (rng.random(size, np.float32) < 0.1).astype(np.int8)
        case "integer":
            low, high = variable.minimum or 0, variable.maximum or 1
            return rng.integers(int(low) + 1, int(high), size, np.int32)
        case _:
            middle = 3.2 if variable.name == "ldl" else 60.0
            values = rng.normal(middle, middle / 4, size)
            return np.round(np.clip(values, 0.2, 199.0), 2 if variable.name == "ldl" else 1)
