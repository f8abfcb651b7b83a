"""The demo's two cohorts: made-up people measured in different units, words and codes, as two sites would.

    <files>/lakeside.csv               English headers, mg/dL, sex 1/2, refusals as -9; one row a person
    <files>/lakeside.dictionary.csv    its dictionary, as its site would hand it over
    <files>/harbour.csv                Chinese headers, mmol/L, 男/女, GB18030; one row a visit, up to two
    <files>/harbour.dictionary.csv
    <files>/population.mapping.yaml    the variables that both are brought to, and how

One header of the first is wrong on purpose, as headers are: its uric acid says umol/L and holds mg/dL.
The mapping says so. Nobody in them exists.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.formats.dictionary import write_dictionary
from nexome.methods.simulate.cohorts import simulate_participants
from nexome.model.cohorts import Category, Dictionary, Variable

LAKESIDE: Final = "lakeside"
HARBOUR: Final = "harbour"
TARGET: Final = "population"
MAPPING: Final = f"{TARGET}.mapping.yaml"
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
    """Write the files of both sites, and the mapping. The same bytes every time."""
    _write_lakeside(folder / f"{LAKESIDE}.csv")
    _write_harbour(folder / f"{HARBOUR}.csv")
    write_dictionary(folder / f"{LAKESIDE}.dictionary.csv", _lakeside_dictionary())
    write_dictionary(folder / f"{HARBOUR}.dictionary.csv", _harbour_dictionary())
    (folder / MAPPING).write_text(_mapping(), encoding="utf-8")


def cohort_commands(files: Path) -> list[tuple[str, list[str]]]:
    """The commands that import, harmonise and build the reference: name and arguments, without the root."""
    said = {
        LAKESIDE: ("Lakeside Cohort (simulated)", "湖滨队列（模拟）"),
        HARBOUR: ("Harbour Cohort (simulated)", "港城队列（模拟）"),
    }
    imports = [
        (
            "import cohort",
            [
                *(
                    "--yes",
                    "--cohort",
                    name,
                    "--dictionary",
                    str(files / f"{name}.dictionary.csv"),
                    "--access",
                    "open",
                ),
                *("--title", title, "--title-zh", title_zh, str(files / f"{name}.csv")),
            ],
        )
        for name, (title, title_zh) in said.items()
    ]
    built = ["--cohort", TARGET, "--healthy", "diabetes = no", "--access", "open"]
    titles = ["--title", "Simulated adults", "--title-zh", "模拟成人参考值"]
    return [
        *imports,
        ("cohort harmonise", [str(files / MAPPING)]),
        ("reference build", [*built, *titles, "adults"]),
    ]


_YES_NO: Final = {"en": ("yes", "no"), "zh": ("是", "否")}


def _lakeside_dictionary() -> Dictionary:
    """As the site hands it over: English labels, the units its headers claim."""
    sexes = (Category("1", "male"), Category("2", "female"))
    smoking = (*map(Category, _SMOKING["en"]), Category("-9", "refused", missing=True))
    return Dictionary(
        (
            Variable("ID", "text", label="Participant", role="participant", sensitivity="identifying"),
            Variable("Sex (1=M 2=F)", "category", label="Sex", categories=sexes, role="sex"),
            *(_claimed(column, chinese=False) for column in _LAKESIDE),
            Variable("Smoking", "category", label="Smoking", categories=smoking),
            *(
                Variable(name, "category", label=name, categories=tuple(map(Category, _YES_NO["en"])))
                for name in ("Diabetes", "Asthma")
            ),
        )
    )


def _harbour_dictionary() -> Dictionary:
    """As the site hands it over: Chinese labels, a visit, dates."""
    visits = (Category("1", label_zh="首次"), Category("2", label_zh="三年后"))
    return Dictionary(
        (
            Variable("编号", "text", label_zh="编号", role="participant", sensitivity="identifying"),
            Variable("随访", "category", label_zh="随访", categories=visits, role="visit"),
            Variable("体检日期", "date", label_zh="体检日期", role="date", sensitivity="sensitive"),
            Variable(
                "性别", "category", label_zh="性别", role="sex",
                categories=(Category("男", "male", "男"), Category("女", "female", "女")),
            ),
            *(_claimed(column, chinese=True) for column in _HARBOUR),
            *(
                Variable(name, "category", label_zh=name, categories=tuple(map(Category, codes)))
                for name, codes in (
                    ("吸烟", _SMOKING["zh"]),
                    ("糖尿病", _YES_NO["zh"]),
                    ("哮喘", _YES_NO["zh"]),
                )
            ),
        )
    )  # fmt: skip


def _claimed(column: _Column, *, chinese: bool) -> Variable:
    """A measurement with the unit of its header, which one of them has wrong."""
    label = re.split(r"[ （(]", column.header)[0] if chinese else column.header.partition(" (")[0]
    unit = "umol/L" if "umol/L" in column.header else column.unit
    return Variable(
        column.header,
        "decimal" if column.digits else "integer",
        label="" if chinese else label,
        label_zh=label if chinese else "",
        unit=unit,
        role="age" if column.name == "age" else "",
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """A variable that both are brought to: its words, unit, plausible range, LOINC code."""

    name: str
    label: str
    label_zh: str
    unit: str
    low: float
    high: float
    loinc: str


_TARGETS: Final = (
    _Target("age", "Age", "年龄", "a", 18, 110, "30525-0"),
    _Target("height", "Height", "身高", "cm", 120, 220, "8302-2"),
    _Target("weight", "Weight", "体重", "kg", 30, 250, "29463-7"),
    _Target("waist", "Waist circumference", "腰围", "cm", 45, 200, "8280-0"),
    _Target("systolic_pressure", "Systolic blood pressure", "收缩压", "mm[Hg]", 60, 260, "8480-6"),
    _Target("diastolic_pressure", "Diastolic blood pressure", "舒张压", "mm[Hg]", 30, 160, "8462-4"),
    _Target("cholesterol_total", "Total cholesterol", "总胆固醇", "mmol/L", 1.5, 20, "14647-2"),
    _Target("cholesterol_hdl", "HDL cholesterol", "高密度脂蛋白胆固醇", "mmol/L", 0.2, 5, "14646-4"),
    _Target("cholesterol_ldl", "LDL cholesterol", "低密度脂蛋白胆固醇", "mmol/L", 0.2, 15, "22748-8"),
    _Target("triglycerides", "Triglycerides", "甘油三酯", "mmol/L", 0.2, 30, "14927-8"),
    _Target("glucose", "Fasting glucose", "空腹血糖", "mmol/L", 2, 40, "14771-0"),
    _Target("creatinine", "Creatinine", "肌酐", "umol/L", 15, 1500, "14682-9"),
    _Target("uric_acid", "Uric acid", "尿酸", "umol/L", 50, 1200, "14933-6"),
)


_ABOUT: Final = {
    "id": TARGET,
    "title": "Two sites as one (simulated)",
    "title_zh": "两站点整合（模拟）",
    "access": "open",
    "sampling": "population",
    "description": "Adults of two simulated sites, brought to one set of units and codes.",
    "description_zh": "两个模拟站点的成年人，单位与编码已统一。",
    "excluded": "Children, and adults over 82.",
    "excluded_zh": "儿童与 82 岁以上成年人。",
}


def _mapping() -> str:
    """The mapping as a data manager would write it."""
    named = {
        "sex": "{type: category, label: Sex, label_zh: 性别, role: sex, categories: "
        "[{code: male, label: male, label_zh: 男}, {code: female, label: female, label_zh: 女}]}",
        **{target.name: _target_text(target) for target in _TARGETS},
        "body_mass_index": "{type: decimal, label: Body mass index, label_zh: 体重指数, unit: kg/m2, "
        "minimum: 10, maximum: 80, terms: ['LOINC:39156-5']}",
        "smoking": "{type: category, label: Smoking, label_zh: 吸烟, categories: "
        "[{code: never, label: never, label_zh: 从不}, {code: former, label: former, label_zh: 已戒}, "
        "{code: current, label: current, label_zh: 吸烟}]}",
        **{
            name: f"{{type: category, label: {name.capitalize()}, label_zh: {chinese}, categories: "
            "[{code: 'yes', label: 'yes', label_zh: 是}, {code: 'no', label: 'no', label_zh: 否}]}"
            for name, chinese in (("diabetes", "糖尿病"), ("asthma", "哮喘"))
        },
    }
    lines = [
        "target:",
        *(f"  {name}: {text}" for name, text in _ABOUT.items()),
        "variables:",
        *(f"  {name}: {text}" for name, text in named.items()),
        "sources:",
        *_source_text(LAKESIDE, _LAKESIDE, {"sex": "Sex (1=M 2=F)", "codes": "'1': male, '2': female"}),
        "      smoking: {take: Smoking}",
        *(f"      {name}: {{take: {name.capitalize()}}}" for name in ("diabetes", "asthma")),
        "    absent: [waist]",
        *_source_text(HARBOUR, _HARBOUR, {"sex": "性别", "codes": "男: male, 女: female"}),
        "      smoking: {take: 吸烟, recode: {从不: never, 已戒: former, 吸烟: current}}",
        *(
            f"      {name}: {{take: {chinese}, recode: {{是: 'yes', 否: 'no'}}}}"
            for name, chinese in (("diabetes", "糖尿病"), ("asthma", "哮喘"))
        ),
        "    combine: first",
    ]
    return "\n".join(lines) + "\n"


def _target_text(target: _Target) -> str:
    role = ", role: age" if target.name == "age" else ""
    kind = "integer" if target.name == "age" else "decimal"
    return (
        f"{{type: {kind}, label: {target.label}, label_zh: {target.label_zh}, unit: '{target.unit}', "
        f"minimum: {target.low:g}, maximum: {target.high:g}, terms: ['LOINC:{target.loinc}']{role}}}"
    )


def _source_text(source: str, columns: Sequence[_Column], sex: Mapping[str, str]) -> Iterator[str]:
    yield from (f"  {source}:", f"    cohort: {source}", "    variables:")
    yield f"      sex: {{take: '{sex['sex']}', recode: {{{sex['codes']}}}}}"
    for column in columns:
        wrong = "umol/L" in column.header
        said = ", unit: 'mg/dL', because: its values lie where mg/dL do" if wrong else ""
        yield f"      {column.name}: {{take: '{column.header}'{said}}}"
    height, weight = (next(c.header for c in columns if c.name == name) for name in ("height", "weight"))
    yield f"      body_mass_index: {{derive: '`{weight}` / (`{height}` * `{height}`)'}}"


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
