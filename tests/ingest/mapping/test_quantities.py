"""Names as surveys and hospitals write them: which quantity each means, and which mean another."""

from __future__ import annotations

import pytest

from nexome.ingest.mapping.quantities import quantities_in, quantities_of, word_key
from nexome.model.cohorts import Variable

KNOWN = {
    "age": "Age in years at screening|Age at recruitment|年龄（岁）|age_years|AgeAtEnrollment",
    "sex": "Gender|Sex of participant|受试者性别",
    "height": "Standing Height (cm)|Standing height|height_cm|身高(cm)|体检身高",
    "weight": "Weight (kg)|Body weight|体重（kg）|weight_kg",
    "body_mass_index": "Body Mass Index (kg/m**2)|Body mass index (BMI)|BMI（kg/m²）|体质指数BMI",
    "systolic_pressure": "Systolic blood pressure, automated reading|SBP_mean|收缩压(mmHg)|SystolicBP|sbp1",
    "diastolic_pressure": "DBP (mmHg)|Diastolic blood pressure, automated reading|舒张压（mmHg）|DiastolicBP",
    "cholesterol_total": "Total Cholesterol( mg/dL)|Cholesterol|血清总胆固醇|CHOL|TC（mmol/L）|总胆固醇(TC)",
    "cholesterol_hdl": "Direct HDL-Cholesterol (mg/dL)|HDL cholesterol|HDL-C|高密度脂蛋白胆固醇(HDL-C)",
    "cholesterol_ldl": "LDL-cholesterol (mg/dL)|LDL direct|低密度脂蛋白胆固醇 LDL-C|LDL_C",
    "triglycerides": "Triglyceride (mg/dL)|Triglycerides|甘油三酯(TG)|TRIG",
    "glucose": "Fasting Glucose (mg/dL)|Glucose|空腹血糖(mmol/L)|FPG|Glucose, refrigerated serum (mg/dL)",
    "creatinine": "Creatinine (mg/dL)|血肌酐 μmol/L|Creatinine, refrigerated serum (mg/dL)|SCr|肌酐(Cr)",
    "urate": "Uric acid (mg/dL)|Urate|尿酸（μmol/L）|血尿酸 UA|SUA",
    "haemoglobin": "Hemoglobin (g/dL)|Haemoglobin concentration|血红蛋白(Hb)|HGB",
    "platelets": "Platelet count (1000 cells/uL)|PLT|血小板计数(PLT)",
    "white_cells": "White blood cell count (1000 cells/uL)|WBC|白细胞计数(WBC)",
    "waist": "Waist Circumference (cm)|腰围(cm)",
    "heart_rate": "Pulse rate|心率(次/分)",
}
OTHERS = (
    "Urine creatinine (mg/dL)|尿肌酐|尿肌酐 μmol/L|尿 Cr"
    "|Age started smoking|Age at menarche|Age at first birth|Mother's age"
    "|Mean cell hemoglobin|平均血红蛋白浓度MCHC|尿微量白蛋白|白蛋白/球蛋白"
    "|Birth weight|出生体重|LDL/HDL ratio|Urine glucose"
    "|Glucose, urine|尿糖|Weight loss last year|Height of father|Waist-hip ratio|Systolic pressure treatment"
    "|Cholesterol medication|sample weight|WTMEC2YR weight|Sitting height"
    "|坐高|白细胞介素6|Interleukin 6|HIV抗体定量"
)


@pytest.mark.parametrize(
    ("quantity", "text"), [(q, t) for q, texts in KNOWN.items() for t in texts.split("|")]
)
def test_what_is_written_is_known(quantity: str, text: str) -> None:
    assert [q for q, _ in quantities_in(text)] == [quantity]


@pytest.mark.parametrize("text", OTHERS.split("|"))
def test_what_means_something_else_is_left_alone(text: str) -> None:
    assert quantities_in(text) == ()


def test_a_term_outweighs_a_name_that_says_less() -> None:
    told = quantities_of(Variable("bp", "integer", terms=("LOINC:8462-4",)))
    assert [t.quantity for t in told] == ["diastolic_pressure"]
    assert told[0].where == "term"
    assert {t.quantity for t in quantities_of(Variable("bp", "integer"))} == {
        "systolic_pressure",
        "diastolic_pressure",
    }


def test_words_are_compared_without_width_case_and_signs() -> None:
    assert word_key(" ＨＤＬ－Ｃ (mmol/L)") == word_key("hdl_c mmol l")
