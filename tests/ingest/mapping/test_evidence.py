"""Units told from values: made populations for every quantity and unit, and every real column there is."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.ingest.mapping.evidence import FEWEST, unit_evidence
from nexome.ingest.mapping.typical import TYPICAL, Spread, typical_of
from nexome.model.analytes import ANALYTES
from nexome.model.errors import InputError
from nexome.model.ucum import converter

NAMED = 1.8  # fold; the unit named may be off by that (bilirubin: mg/L and umol/L)
APART = 2.6  # fold; the units of one quantity nearer than that are not told apart


def made(quantity: str, *, seed: int = 1, shift: float = 0.0, wider: float = 1.0, n: int = 300) -> np.ndarray:
    """Values [n] of people whose normal scores are N(shift, wider), in the quantity's unit."""
    scores = np.random.default_rng(seed).normal(shift, wider, n)
    return TYPICAL[quantity].spread().values(scores)


def factor(unit: str, quantity: str) -> float:
    known = TYPICAL[quantity]
    return float(converter(unit, known.unit, known.analyte).factor)


def test_rows_are_ordered_and_in_the_unit_of_their_analyte() -> None:
    for row in TYPICAL.values():
        for spread in (row.male, row.female):
            assert 0 < spread.p5 < spread.p50 < spread.p95
        assert row.unit in row.units
        for unit in row.units:
            converter(unit, row.unit, row.analyte)
        if row.name in ANALYTES:
            analyte = ANALYTES[row.name]
            assert analyte.unit == row.unit
            assert analyte.minimum < row.spread().p5
            assert row.spread().p95 < analyte.maximum


def test_scores_are_undone_by_values() -> None:
    scores = np.linspace(-4, 4, 33)
    spread = Spread(1.0, 2.0, 9.0)
    np.testing.assert_allclose(spread.scores(spread.values(scores)), scores, atol=1e-12)
    np.testing.assert_allclose(spread.scores(np.array([1.0, 2.0, 9.0])), [-1.6449, 0, 1.6449], atol=1e-6)


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(TYPICAL)),
    st.integers(0, 1000),
    st.floats(-1.5, 1.5),
    st.floats(0.6, 1.6),
    st.data(),
)
def test_a_right_label_is_never_called_wrong(
    quantity: str, seed: int, shift: float, wider: float, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from(TYPICAL[quantity].units))
    values = made(quantity, seed=seed, shift=shift, wider=wider) / factor(unit, quantity)
    found = unit_evidence(values, quantity, declared=unit)
    assert found.verdict == "agrees"
    assert found.strays is None


@settings(max_examples=200)
@given(st.sampled_from(sorted(TYPICAL)), st.integers(0, 1000), st.floats(-0.7, 0.7), st.data())
def test_a_wrong_label_is_told_and_the_right_unit_named(
    quantity: str, seed: int, shift: float, data: st.DataObject
) -> None:
    units = TYPICAL[quantity].units
    true, label = data.draw(st.sampled_from(units)), data.draw(st.sampled_from(units))
    values = made(quantity, seed=seed, shift=shift) / factor(true, quantity)
    fold = abs(np.log(factor(true, quantity) / factor(label, quantity)))
    found = unit_evidence(values, quantity, declared=label)
    if fold > np.log(APART) and quantity not in {"age", "ldh"}:
        assert found.verdict == "wrong", found
        assert abs(np.log(factor(found.unit, quantity) / factor(true, quantity))) < np.log(NAMED)
    elif fold == 0:
        assert found.verdict == "agrees"


def test_a_grid_of_made_up_populations_under_right_and_wrong_labels() -> None:
    rng = np.random.default_rng(0)
    right: Counter[str] = Counter()
    wrong: Counter[bool] = Counter()
    for quantity, known in TYPICAL.items():
        factors = {unit: factor(unit, quantity) for unit in known.units}
        for unit in known.units:
            for shift in (-1.5, -0.75, 0, 0.75, 1.5):
                for wider in (0.6, 1, 1.6):
                    values = known.spread().values(rng.normal(shift, wider, 300)) / factors[unit]
                    right[unit_evidence(values, quantity, declared=unit).verdict] += 1
        for true in known.units:
            for label in known.units:
                if abs(np.log(factors[true] / factors[label])) <= np.log(1.5):
                    continue
                for shift in (-0.7, 0, 0.7):
                    values = known.spread().values(rng.normal(shift, 1, 300)) / factors[true]
                    found = unit_evidence(values, quantity, declared=label)
                    near = abs(np.log(factors.get(found.unit, 1e9) / factors[true])) < np.log(1.5)
                    wrong[found.verdict == "wrong" and near] += 1
    assert right == {"agrees": 1755}
    assert wrong == {True: 671, False: 13}


def test_without_a_label_the_unit_is_named_where_it_can_be_told() -> None:
    assert unit_evidence(made("glucose") * 18.0156, "glucose").unit == "mg/dL"
    assert unit_evidence(made("glucose") * 18.0156, "glucose").verdict == "unlabelled"


def test_few_values_say_nothing() -> None:
    found = unit_evidence(made("glucose", n=FEWEST - 1), "glucose", declared="mg/dL")
    assert (found.verdict, found.unit, found.fits) == ("too-few", "", ())


def test_children_are_left_aside_where_ages_are_given() -> None:
    heights = np.concatenate([made("height"), np.full(900, 88.0)])
    age = np.concatenate([np.full(300, 40.0), np.full(900, 2.0)])
    assert unit_evidence(heights, "height", declared="cm", age=age).n == 300
    assert unit_evidence(heights, "height", declared="cm", age=age).verdict == "agrees"
    assert unit_evidence(heights, "height", declared="cm").verdict != "wrong"


def test_two_units_in_one_column_are_found_and_a_long_tail_is_not() -> None:
    mixed = made("haemoglobin", n=1000)
    mixed[:30] /= 10
    found = unit_evidence(mixed, "haemoglobin", declared="g/L")
    assert found.strays is not None
    assert (found.verdict, found.strays.unit, found.strays.count) == ("agrees", "g/dL", 30)
    sick = np.concatenate([made("bilirubin_total", n=900), np.geomspace(30, 400, 100)])
    assert unit_evidence(sick, "bilirubin_total", declared="umol/L").strays is None


def test_another_source_can_be_the_reference() -> None:
    patients = made("creatinine", shift=4)
    assert unit_evidence(patients, "creatinine", declared="umol/L").verdict == "unclear"
    own = typical_of(patients, TYPICAL["creatinine"])
    assert (
        unit_evidence(
            made("creatinine", seed=9, shift=4), "creatinine", declared="umol/L", reference=own
        ).verdict
        == "agrees"
    )


def test_an_unknown_quantity_and_a_unit_of_another_dimension_are_refused() -> None:
    with pytest.raises(InputError, match="no typical values"):
        unit_evidence(made("glucose"), "shoe_size")
    with pytest.raises(InputError):
        unit_evidence(made("glucose"), "glucose", declared="mm[Hg]")


# every column of the real sources that measures one of TYPICAL: file, sex column, codes, age, {column:
# (quantity, unit)}
PRESSURE = "mm[Hg]"
REAL = (
    (
        "nhanes_2009_2012",
        "Sex",
        {"male": "male", "female": "female"},
        "Age",
        {
            "Weight": ("weight", "kg"),
            "Height": ("height", "cm"),
            "BMI": ("body_mass_index", "kg/m2"),
            "BPSysAve": ("systolic_pressure", PRESSURE),
            "BPDiaAve": ("diastolic_pressure", PRESSURE),
            "BPSys1": ("systolic_pressure", PRESSURE),
            "BPDia1": ("diastolic_pressure", PRESSURE),
            "BPSys2": ("systolic_pressure", PRESSURE),
            "BPDia2": ("diastolic_pressure", PRESSURE),
            "BPSys3": ("systolic_pressure", PRESSURE),
            "BPDia3": ("diastolic_pressure", PRESSURE),
            "Pulse": ("heart_rate", "/min"),
            "Age": ("age", "a"),
            "DirectChol": ("cholesterol_hdl", "mmol/L"),
            "TotChol": ("cholesterol_total", "mmol/L"),
        },
    ),
    (
        "acs_korea_mgdl",
        "sex",
        {"Male": "male", "Female": "female"},
        "age",
        {
            "age": ("age", "a"),
            "height": ("height", "cm"),
            "weight": ("weight", "kg"),
            "BMI": ("body_mass_index", "kg/m2"),
            "TC": ("cholesterol_total", "mg/dL"),
            "LDLC": ("cholesterol_ldl", "mg/dL"),
            "HDLC": ("cholesterol_hdl", "mg/dL"),
            "TG": ("triglycerides", "mg/dL"),
        },
    ),
    (
        "nhefs",
        "sex",
        {0: "male", 1: "female"},
        "age",
        {
            "age": ("age", "a"),
            "ht": ("height", "cm"),
            "wt71": ("weight", "kg"),
            "wt82": ("weight", "kg"),
            "sbp": ("systolic_pressure", PRESSURE),
            "dbp": ("diastolic_pressure", PRESSURE),
            "cholesterol": ("cholesterol_total", "mg/dL"),
        },
    ),
    (
        "uci_cleveland_heart",
        "Sex",
        {"Male": "male", "Female": "female"},
        "Age",
        {
            "Age": ("age", "a"),
            "BP": ("systolic_pressure", PRESSURE),
            "Cholesterol": ("cholesterol_total", "mg/dL"),
        },
    ),
    (
        "flchain",
        "sex",
        {"M": "male", "F": "female"},
        "age",
        {"age": ("age", "a"), "creatinine": ("creatinine", "mg/dL")},
    ),
    (
        "pbc_mayo",
        "sex",
        {"m": "male", "f": "female"},
        "age",
        {
            "age": ("age", "a"),
            "bili": ("bilirubin_total", "mg/dL"),
            "chol": ("cholesterol_total", "mg/dL"),
            "albumin": ("albumin", "g/dL"),
            "trig": ("triglycerides", "mg/dL"),
            "platelet": ("platelets", "10*9/L"),
            "ast": ("ast", "U/L"),
            "alk.phos": ("alp", "U/L"),
        },
    ),
    (
        "tongji_covid_375_en",
        "gender",
        {1: "male", 2: "female"},
        "age",
        {
            "age": ("age", "a"),
            "hemoglobin": ("haemoglobin", "g/L"),
            "Serum chloride": ("chloride", "mmol/L"),
            "Alkaline phosphatase": ("alp", "U/L"),
            "albumin": ("albumin", "g/L"),
            "Total bilirubin": ("bilirubin_total", "umol/L"),
            "Platelet count": ("platelets", "10*9/L"),
            "total protein": ("protein_total", "g/L"),
            "hematocrit": ("haematocrit", "%"),
            "White blood cell count": ("white_cells", "10*9/L"),
            "Urea": ("urea", "mmol/L"),
            "lymphocyte count": ("lymphocytes", "10*9/L"),
            "Red blood cell count": ("red_cells", "10*12/L"),
            "Serum potassium": ("potassium", "mmol/L"),
            "glucose": ("glucose", "mmol/L"),
            "neutrophils count": ("neutrophils", "10*9/L"),
            "Total cholesterol": ("cholesterol_total", "mmol/L"),
            "aspartate aminotransferase": ("ast", "U/L"),
            "Uric acid": ("urate", "umol/L"),
            "calcium": ("calcium", "mmol/L"),
            "Lactate dehydrogenase": ("ldh", "U/L"),
            "monocytes count": ("monocytes", "10*9/L"),
            "globulin": ("globulin", "g/L"),
            "γ-glutamyl transpeptidase": ("ggt", "U/L"),
            "serum sodium": ("sodium", "mmol/L"),
            "glutamic-pyruvic transaminase": ("alt", "U/L"),
            "creatinine": ("creatinine", "umol/L"),
        },
    ),
)
SEYCHELLES = {
    "choles": ("cholesterol_total", "mmol/L"),
    "trig": ("triglycerides", "mmol/L"),
    "hdl": ("cholesterol_hdl", "mmol/L"),
    "ldl": ("cholesterol_ldl", "mmol/L"),
    "Uric": ("urate", "umol/L"),
    "apoa": ("apolipoprotein_a1", "g/L"),
}


def read(shared: Path, name: str) -> pyarrow.Table:
    with gzip.open(shared / "phenotypes" / f"{name}.csv.gz") as stream:
        return pyarrow.csv.read_csv(stream)


def numbers(table: pyarrow.Table, column: str) -> np.ndarray:
    return np.array(table[column].to_numpy(zero_copy_only=False), float)


@pytest.mark.shared
@pytest.mark.parametrize("told", [True, False], ids=["sex and age known", "sex and age unknown"])
def test_no_real_column_with_a_right_unit_is_called_wrong(shared: Path, told: bool) -> None:
    verdicts: Counter[str] = Counter()
    strays = {}
    for name, sex_column, codes, age_column, columns in REAL:
        table = read(shared, name)
        sex = np.array([codes.get(code, "") for code in table[sex_column].to_pylist()])
        known = {"sex": sex, "age": numbers(table, age_column)} if told else {}
        for column, (quantity, unit) in columns.items():
            found = unit_evidence(numbers(table, column), quantity, declared=unit, **known)
            verdicts[found.verdict] += 1
            if found.strays:
                strays[name, column] = found.strays.unit
    assert verdicts["wrong"] == 0
    assert sum(verdicts.values()) == 70
    assert verdicts["agrees"] >= 65  # the rest are patients' enzymes, albumin and lymphocytes: 'unclear'
    assert strays == {("tongji_covid_375_en", "hemoglobin"): "g/dL"}  # 18 values between 6 and 19 among g/L


@pytest.mark.shared
@pytest.mark.parametrize("told", [True, False], ids=["sex and age known", "sex and age unknown"])
def test_every_analyte_of_the_mislabelled_table_is_caught(shared: Path, told: bool) -> None:
    table = read(shared, "seychelles_cardiorisk_mislabelled")
    sex = np.where(numbers(table, "sex") == 1, "male", "female")
    known = {"sex": sex, "age": numbers(table, "age")} if told else {}
    for column, (quantity, unit) in SEYCHELLES.items():
        found = unit_evidence(numbers(table, column), quantity, declared="mg/dL", **known)
        assert (found.verdict, found.unit, found.strays) == ("wrong", unit, None), column
        assert unit in found.reason
        assert unit in found.reason_zh
        assert unit_evidence(numbers(table, column), quantity, declared=unit, **known).verdict == "agrees"
    for column, quantity in (("sys", "systolic_pressure"), ("dia", "diastolic_pressure")):
        assert unit_evidence(numbers(table, column), quantity, declared=PRESSURE, **known).verdict == "agrees"


@given(
    st.sampled_from(sorted(TYPICAL)),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    st.sampled_from(["", "label"]),
)
def test_whatever_stands_in_a_column_there_is_a_verdict(
    quantity: str, values: list[float], label: str
) -> None:
    declared = TYPICAL[quantity].unit if label else ""
    found = unit_evidence(np.array(values, float), quantity, declared=declared)
    assert found.verdict in {"agrees", "wrong", "unlabelled", "unclear", "too-few"}
    assert found.reason


@pytest.mark.parametrize("value", [0.0, -5.0, 1e300, 1e-300])
def test_a_column_of_one_impossible_value_has_no_unit(value: float) -> None:
    found = unit_evidence(np.full(100, value), "glucose", declared="mmol/L")
    assert (found.verdict, found.unit, found.strays) == ("unclear", "", None)
