"""The demo's two cohorts: made-up people measured in different units, words and codes, as two sites would.

    <files>/lakeside.csv               English headers, mg/dL, sex 1/2, refusals as -9; one row a person
    <files>/lakeside.dictionary.csv    its dictionary, as its site would hand it over
    <files>/harbour.csv                Chinese headers, mmol/L, 男/女, GB18030; one row a visit, up to two
    <files>/harbour.dictionary.csv
    <files>/reference.dictionary.csv   the variables both are brought to
    <files>/reference.mapping.yaml     how

One header of the first is wrong on purpose, as headers are: its uric acid says umol/L and holds mg/dL.
Nobody in them exists.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.methods.simulate.cohorts import simulate_participants

LAKESIDE: Final = "lakeside"
HARBOUR: Final = "harbour"
TARGET: Final = "reference"
LAKESIDE_PEOPLE: Final = 3_200
HARBOUR_PEOPLE: Final = 2_600
_SEEDS: Final = {LAKESIDE: 101, HARBOUR: 202}
_BLANK: Final = 0.03  # of all measurements are not there
_AGAIN: Final = 0.6  # of the harbour's people come a second time
_REFUSED: Final = 0.01

_FORMULA: Final = {  # molar mass in g/mol, of what one site reports as mass
    "cholesterol_total": 386.65,
    "cholesterol_hdl": 386.65,
    "cholesterol_ldl": 386.65,
    "triglycerides": 885.4,
    "glucose": 180.156,
    "creatinine": 113.12,
    "uric_acid": 168.11,
}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a site's file: its header, the measurement, its unit there, digits after the point."""

    header: str
    name: str
    unit: str
    digits: int


_LAKESIDE: Final = (
    _Column("Age (years)", "age", "a", 0),
    _Column("Height (cm)", "height", "cm", 1),
    _Column("Weight (kg)", "weight", "kg", 1),
    _Column("SBP (mmHg)", "systolic_pressure", "mm[Hg]", 0),
    _Column("DBP (mmHg)", "diastolic_pressure", "mm[Hg]", 0),
    _Column("Total cholesterol (mg/dL)", "cholesterol_total", "mg/dL", 0),
    _Column("HDL-C (mg/dL)", "cholesterol_hdl", "mg/dL", 0),
    _Column("LDL-C (mg/dL)", "cholesterol_ldl", "mg/dL", 0),
    _Column("Triglycerides (mg/dL)", "triglycerides", "mg/dL", 0),
    _Column("Glucose (mg/dL)", "glucose", "mg/dL", 0),
    _Column("Creatinine (mg/dL)", "creatinine", "mg/dL", 2),
    _Column("Uric acid (umol/L)", "uric_acid", "mg/dL", 1),
)
_HARBOUR: Final = (
    _Column("年龄（岁）", "age", "a", 0),
    _Column("身高（cm）", "height", "cm", 0),
    _Column("体重（kg）", "weight", "kg", 1),
    _Column("腰围（cm）", "waist", "cm", 0),
    _Column("收缩压（mmHg）", "systolic_pressure", "mm[Hg]", 0),
    _Column("舒张压（mmHg）", "diastolic_pressure", "mm[Hg]", 0),
    _Column("总胆固醇（mmol/L）", "cholesterol_total", "mmol/L", 2),
    _Column("高密度脂蛋白胆固醇（mmol/L）", "cholesterol_hdl", "mmol/L", 2),
    _Column("低密度脂蛋白胆固醇（mmol/L）", "cholesterol_ldl", "mmol/L", 2),
    _Column("甘油三酯（mmol/L）", "triglycerides", "mmol/L", 2),
    _Column("空腹血糖（mmol/L）", "glucose", "mmol/L", 2),
    _Column("肌酐（μmol/L）", "creatinine", "umol/L", 0),
    _Column("尿酸（μmol/L）", "uric_acid", "umol/L", 0),
)
_SMOKING: Final = {"en": ("never", "former", "current"), "zh": ("从不", "已戒", "吸烟")}


def write_cohorts(folder: Path) -> None:
    """Write the files of both sites. The same bytes every time."""
    _write_lakeside(folder / f"{LAKESIDE}.csv")
    _write_harbour(folder / f"{HARBOUR}.csv")


def _write_lakeside(path: Path) -> None:
    random = np.random.default_rng(_SEEDS[LAKESIDE])
    people = simulate_participants(_SEEDS[LAKESIDE], LAKESIDE_PEOPLE)
    blank = random.random((LAKESIDE_PEOPLE, len(_LAKESIDE))) < _BLANK
    refused = random.random(LAKESIDE_PEOPLE) < _REFUSED
    header = ["ID", "Sex (1=M 2=F)", *(c.header for c in _LAKESIDE), "Smoking", "Diabetes", "Asthma"]

    def rows() -> Iterator[list[str]]:
        for at in range(LAKESIDE_PEOPLE):
            one = {name: values[at].item() for name, values in people.items()}
            yield [
                f"L{at + 1:05d}",
                str(one["sex"] + 1),
                *_measured(one, _LAKESIDE, blank[at]),
                "-9" if refused[at] else _SMOKING["en"][one["smoking"]],
                *("yes" if one[name] else "no" for name in ("diabetes", "asthma")),
            ]

    _write(path, header, rows(), encoding="utf-8")


def _write_harbour(path: Path) -> None:
    random = np.random.default_rng(_SEEDS[HARBOUR])
    shift = {"triglycerides": 1.06, "systolic_pressure": 1.01}
    people = simulate_participants(_SEEDS[HARBOUR], HARBOUR_PEOPLE, shift=shift)
    header = ["编号", "随访", "体检日期", "性别", *(c.header for c in _HARBOUR), "吸烟", "糖尿病", "哮喘"]

    def rows() -> Iterator[list[str]]:
        for at in range(HARBOUR_PEOPLE):
            one = {name: values[at].item() for name, values in people.items()}
            for visit in range(1 + int(random.random() < _AGAIN)):
                seen = _later(one, random) if visit else one
                yield [
                    f"HB{at + 1:05d}",
                    str(visit + 1),
                    f"{2021 + 3 * visit}/{random.integers(1, 13)}/{random.integers(1, 29)}",
                    "女" if one["sex"] else "男",
                    *_measured(seen, _HARBOUR, random.random(len(_HARBOUR)) < _BLANK),
                    _SMOKING["zh"][one["smoking"]],
                    *("是" if one[name] else "否" for name in ("diabetes", "asthma")),
                ]

    _write(path, header, rows(), encoding="gb18030")


def _later(one: Mapping[str, Any], random: np.random.Generator) -> dict[str, Any]:
    """The same person three years on: older, what is measured a few per cent away."""
    away = {name: one[name] * float(np.exp(0.05 * random.normal())) for name in (*_FORMULA, "weight")}
    pressures = ("systolic_pressure", "diastolic_pressure")
    return {
        **one,
        **away,
        **{name: one[name] + 5 * random.normal() for name in pressures},
        "age": one["age"] + 3,
    }


def _measured(one: Mapping[str, Any], columns: Sequence[_Column], blank: Any) -> list[str]:
    return [
        "" if empty else f"{_in_unit(column, one[column.name]):.{column.digits}f}"
        for column, empty in zip(columns, blank, strict=True)
    ]


def _in_unit(column: _Column, value: float) -> float:
    """mmol/L or umol/L → mg/dL where a site reports mass."""
    if column.unit != "mg/dL":
        return value
    millimoles = value / 1000 if column.name in {"creatinine", "uric_acid"} else value
    return millimoles * _FORMULA[column.name] / 10


def _write(path: Path, header: Sequence[str], rows: Iterator[list[str]], *, encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
