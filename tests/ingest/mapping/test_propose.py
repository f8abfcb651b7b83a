"""Proposals against truth made by hand: precision and recall over real sources, and what is not proposed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from nexome.formats.cohorts import CohortOptions, open_cohort
from nexome.ingest.cohorts.infer import infer_dictionary
from nexome.ingest.mapping.propose import Proposal, likeness, propose
from nexome.ingest.mapping.quantities import quantities_in
from nexome.ingest.mapping.sexes import tell_sexes
from nexome.ingest.mapping.typical import TYPICAL
from nexome.model.cohorts import Category, Dictionary, Variable


@dataclass
class Values:
    """A column as the store gives it."""

    values: np.ndarray
    categories: tuple[str, ...] = ()

    @property
    def missing(self) -> np.ndarray:
        return self.values < 0 if self.categories else np.isnan(self.values)


@dataclass
class Table:
    """A cohort held in memory."""

    id: str
    dictionary: Dictionary
    columns: dict[str, Values] = field(default_factory=dict)

    def column(self, name: str) -> Values:
        return self.columns[name]


def table_of(path: Path) -> Table:
    """A file under the dictionary worked out from it: no unit and no label but what its header says."""
    with open_cohort(path, CohortOptions()) as reader:
        dictionary = infer_dictionary(reader).dictionary
        read = pa.concat_tables([raw.table for raw in reader.read(dictionary)])
    return Table(
        path.name, dictionary, {name: values_of(read[name].combine_chunks()) for name in read.column_names}
    )


def values_of(column: pa.Array) -> Values:
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        column = pc.dictionary_encode(pc.cast(column, pa.string()))
    if pa.types.is_dictionary(column.type):
        codes = np.array(pc.fill_null(column.indices, -1)).astype(np.int32)
        return Values(codes, tuple(column.dictionary.to_pylist()) or ("",))
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.int64())
    return Values(np.array(column.to_numpy(zero_copy_only=False), float))


def number(name: str, label: str, label_zh: str, unit: str) -> Variable:
    return Variable(name, "decimal", label, label_zh, unit)


SEX = Variable(
    "sex",
    "category",
    "Sex",
    "性别",
    categories=(Category("male", "male", "男"), Category("female", "female", "女")),
)
TARGET = Dictionary(
    (
        number("age", "Age", "年龄", "a"),
        SEX,
        number("height", "Height", "身高", "cm"),
        number("weight", "Weight", "体重", "kg"),
        number("body_mass_index", "Body mass index", "体重指数", "kg/m2"),
        number("systolic_pressure", "Systolic blood pressure", "收缩压", "mm[Hg]"),
        number("diastolic_pressure", "Diastolic blood pressure", "舒张压", "mm[Hg]"),
        number("cholesterol_total", "Total cholesterol", "总胆固醇", "mmol/L"),
        number("cholesterol_hdl", "HDL cholesterol", "高密度脂蛋白胆固醇", "mmol/L"),
        number("cholesterol_ldl", "LDL cholesterol", "低密度脂蛋白胆固醇", "mmol/L"),
        number("triglycerides", "Triglycerides", "甘油三酯", "mmol/L"),
        number("glucose", "Glucose", "葡萄糖", "mmol/L"),
        number("creatinine", "Creatinine", "肌酐", "umol/L"),
        number("urate", "Uric acid", "尿酸", "umol/L"),
        number("haemoglobin", "Haemoglobin", "血红蛋白", "g/L"),
        number("platelets", "Platelets", "血小板", "10*9/L"),
        number("white_cells", "White blood cells", "白细胞", "10*9/L"),
        number("albumin", "Albumin", "白蛋白", "g/L"),
    )
)
_TONGJI = {
    "age": "age",
    "sex": "gender",
    "cholesterol_total": "Total cholesterol",
    "glucose": "glucose",
    "creatinine": "creatinine",
    "urate": "Uric acid",
    "haemoglobin": "hemoglobin",
    "platelets": "Platelet count",
    "white_cells": "White blood cell count",
    "albumin": "albumin",
}
_ZH = {
    "age": "年龄",
    "gender": "性别",
    "Total cholesterol": "总胆固醇",
    "glucose": "葡萄糖",
    "creatinine": "肌酐",
    "Uric acid": "尿酸",
    "hemoglobin": "血红蛋白",
    "Platelet count": "血小板计数",
    "White blood cell count": "白细胞计数",
    "albumin": "白蛋白",
}
_PBC = {
    "age": "age",
    "sex": "sex",
    "cholesterol_total": "chol",
    "platelets": "platelet",
    "albumin": "albumin",
}
TRUTH = {
    "nhanes_2009_2012": {
        "age": "Age",
        "sex": "Sex",
        "height": "Height",
        "weight": "Weight",
        "body_mass_index": "BMI",
        "systolic_pressure": "BPSysAve",
        "diastolic_pressure": "BPDiaAve",
        "cholesterol_total": "TotChol",
        "cholesterol_hdl": "DirectChol",
    },
    "acs_korea_mgdl": {
        "age": "age",
        "sex": "sex",
        "height": "height",
        "weight": "weight",
        "body_mass_index": "BMI",
        "cholesterol_total": "TC",
        "cholesterol_ldl": "LDLC",
        "cholesterol_hdl": "HDLC",
        "triglycerides": "TG",
    },
    "seychelles_cardiorisk_mislabelled": {
        "age": "age",
        "sex": "sex",
        "body_mass_index": "bmi",
        "cholesterol_total": "choles",
        "triglycerides": "trig",
        "cholesterol_hdl": "hdl",
        "cholesterol_ldl": "ldl",
        "systolic_pressure": "sys",
        "diastolic_pressure": "dia",
        "urate": "Uric",
    },
    "nhefs": {
        "age": "age",
        "sex": "sex",
        "height": "ht",
        "weight": "wt71",
        "systolic_pressure": "sbp",
        "diastolic_pressure": "dbp",
        "cholesterol_total": "cholesterol",
    },
    "uci_cleveland_heart": {
        "age": "Age",
        "sex": "Sex",
        "systolic_pressure": "BP",
        "cholesterol_total": "Cholesterol",
    },
    "tongji_covid_375_en": _TONGJI,
    "tongji_covid_375_zh": {target: _ZH[name] for target, name in _TONGJI.items()},
    "flchain": {"age": "age", "sex": "sex", "creatinine": "creatinine"},
    "pbc_mayo": _PBC | {"triglycerides": "trig"},
    "pbcseq": _PBC,
    "chop_covid_testing": {"age": "age", "sex": "gender"},
}
SEX_CODES = {
    "seychelles_cardiorisk_mislabelled": {"0": "female", "1": "male"},
    "nhefs": {"0": "male", "1": "female"},
    "tongji_covid_375_en": {"1": "male", "2": "female"},
    "tongji_covid_375_zh": {"1": "male", "2": "female"},
    "pbc_mayo": {"m": "male", "f": "female"},
}
UNITS = {
    "acs_korea_mgdl": "mg/dL",
    "nhefs": "mg/dL",
    "uci_cleveland_heart": "mg/dL",
    "pbc_mayo": "mg/dL",
    "nhanes_2009_2012": "mmol/L",
    "seychelles_cardiorisk_mislabelled": "mmol/L",
    "tongji_covid_375_zh": "mmol/L",
}


@pytest.fixture(scope="module")
def proposals(shared: Path) -> dict[str, list[Proposal]]:
    folder = shared / "phenotypes"
    return {name: propose([table_of(folder / f"{name}.csv.gz")], TARGET) for name in TRUTH}


@pytest.mark.shared
def test_precision_and_recall_over_the_real_sources(proposals: dict[str, list[Proposal]]) -> None:
    accepted = {(n, p.target, p.variable) for n, found in proposals.items() for p in found if p.accepted}
    truth = {(n, target, variable) for n, pairs in TRUTH.items() for target, variable in pairs.items()}
    right = len(accepted & truth)
    assert (right, len(truth)) == (75, 75), truth - accepted
    assert len(accepted) == 75, accepted - truth


@pytest.mark.shared
def test_chinese_and_english_headers_of_one_table_are_proposed_alike(
    proposals: dict[str, list[Proposal]],
) -> None:
    english, chinese = (proposals[f"tongji_covid_375_{language}"] for language in ("en", "zh"))
    assert [(p.target, p.score, p.unit, p.codes, p.accepted) for p in english] == [
        (p.target, p.score, p.unit, p.codes, p.accepted) for p in chinese
    ]


@pytest.mark.shared
def test_units_and_codes_are_those_the_values_are_in(proposals: dict[str, list[Proposal]]) -> None:
    chosen = {(n, p.target): p for n, found in proposals.items() for p in found if p.accepted}
    for name, unit in UNITS.items():
        assert chosen[name, "cholesterol_total"].unit == unit
    assert chosen["flchain", "creatinine"].unit == "mg/dL"
    assert chosen["seychelles_cardiorisk_mislabelled", "urate"].unit == "umol/L"
    for name, codes in SEX_CODES.items():
        assert dict(chosen[name, "sex"].codes) == codes, name
    for proposal in chosen.values():
        assert proposal.reasons
        assert all(english and chinese for english, chinese in (*proposal.reasons, *proposal.warnings))


@pytest.mark.shared
def test_a_wrong_label_is_a_warning_with_the_unit_that_fits(shared: Path) -> None:
    table = table_of(shared / "phenotypes" / "seychelles_cardiorisk_mislabelled.csv.gz")
    labelled = [replace(v, unit="mg/dL") if v.name == "choles" else v for v in table.dictionary]
    found = propose([replace(table, dictionary=Dictionary(tuple(labelled)))], TARGET)
    (proposal,) = (p for p in found if p.variable == "choles" and p.accepted)
    assert proposal.unit == "mmol/L"
    assert any(
        "the label says mg/dL, the values are in mmol/L" in english for english, _ in proposal.warnings
    )


def adults(quantity: str, sex: np.ndarray, seed: int = 1) -> np.ndarray:
    known, scores = TYPICAL[quantity], np.random.default_rng(seed).normal(size=sex.size)
    return np.where(sex == "male", known.male.values(scores), known.female.values(scores))


def test_codes_of_sex_are_told_by_what_was_measured_and_told_apart_from_guessing() -> None:
    sex = np.where(np.arange(400) % 3 == 0, "male", "female")
    codes = np.where(sex == "male", "2", "1")
    told = tell_sexes(codes, {"height": adults("height", sex), "creatinine": adults("creatinine", sex, 2)})
    assert (told.male, told.female) == ("2", "1")
    assert "code 2 is male" in told.reason
    shuffled = np.random.default_rng(7).permutation(sex)
    none = tell_sexes(codes, {"sodium": adults("sodium", sex), "height": adults("height", shuffled)})
    assert (none.male, none.female) == ("", "")
    assert tell_sexes(np.array(["1", "2", "3"] * 100), {}).male == ""


def test_labels_that_contradict_the_values_are_a_warning() -> None:
    sex = np.where(np.arange(400) % 2 == 0, "male", "female")
    swapped = Variable("sex", "category", categories=(Category("1", "female"), Category("2", "male")))
    height = Variable("height", "decimal", unit="cm")
    codes = Values(np.where(sex == "male", 0, 1).astype(np.int32), ("1", "2"))
    columns = {
        "sex": codes,
        "height": Values(adults("height", sex)),
        "weight": Values(adults("weight", sex, 3)),
    }
    dictionary = Dictionary((swapped, height, Variable("weight", "decimal", unit="kg")))
    (proposal,) = (p for p in propose([Table("made", dictionary, columns)], Dictionary((SEX,))) if p.accepted)
    assert any("opposite" in english for english, _ in proposal.warnings)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("choles", "cholesterol_total"),
        ("Chol (mg/dL)", "cholesterol_total"),
        ("BPSys1", "systolic_pressure"),
        ("平均收缩压", "systolic_pressure"),
        ("LOINC:8480-6", "systolic_pressure"),
        ("wt71", "weight"),
        ("HbA1c (%)", "hba1c"),
        ("空腹血糖", "glucose"),
        ("Systolic blood pressure", "systolic_pressure"),
    ],
)
def test_words_are_known(text: str, quantity: str) -> None:
    assert [q for q, _ in quantities_in(text)] == [quantity]


@pytest.mark.parametrize(
    "text",
    [
        "wt82_71",
        "monocytes(%)",
        "平均血红蛋白含量",
        "Age1stBaby",
        "AgeMonths",
        "DiabetesAge",
        "HeadCirc",
        "waisthip",
        "eGFR",
    ],
)
def test_other_quantities_are_not_taken_for_them(text: str) -> None:
    assert quantities_in(text) == ()


def test_units_of_another_dimension_forbid_a_proposal() -> None:
    values = {"glucose": Values(np.linspace(4, 8, 100))}
    table = Table("made", Dictionary((Variable("glucose", "decimal", unit="mm[Hg]"),)), values)
    assert propose([table], TARGET) == []


def test_unknown_quantities_are_proposed_by_their_names() -> None:
    wanted = Dictionary(
        (Variable("smoking_status", "category", categories=(Category("yes"), Category("no"))),)
    )
    source = Variable("SmokingStatus", "category", categories=(Category("1", "Yes"), Category("0", "No")))
    other = Variable("season", "category", categories=(Category("w"),))
    codes = Values(np.array([0, 1] * 20, np.int32), ("1", "0"))
    table = Table("made", Dictionary((other, source)), {"SmokingStatus": codes, "season": codes})
    (proposal,) = propose([table], wanted)
    assert (proposal.variable, proposal.codes, proposal.accepted) == (
        "SmokingStatus",
        (("0", "no"), ("1", "yes")),
        True,
    )
    assert likeness("abc", "abc") == 1.0
    assert likeness("ab", "cd") == 0.0
