"""The table of analytes: molar masses from formulas, LOINC check digits, words that name one analyte each."""

import re

import pytest

from nexome.model.analytes import ANALYTES, analyte_of
from nexome.model.ucum import converter, parse_unit

# abridged standard atomic weights, IUPAC 2021
WEIGHTS = {
    "H": 1.008,
    "C": 12.011,
    "N": 14.007,
    "O": 15.999,
    "Na": 22.990,
    "Mg": 24.305,
    "P": 30.974,
    "S": 32.06,
    "Cl": 35.45,
    "K": 39.098,
    "Ca": 40.078,
    "Fe": 55.845,
    "Co": 58.933,
    "Cu": 63.546,
    "Zn": 65.38,
    "I": 126.904,
    "Pb": 207.2,
}


@pytest.mark.parametrize("analyte", [a for a in ANALYTES.values() if a.formula], ids=lambda a: a.name)
def test_molar_mass_is_that_of_the_formula(analyte):
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", analyte.formula)
    assert "".join(a + n for a, n in atoms) == analyte.formula
    mass = sum(WEIGHTS[atom] * int(number or 1) for atom, number in atoms)
    assert float(analyte.molar_mass) == pytest.approx(mass, abs=0.0006)


def test_a_mass_without_formula_is_a_stated_convention():
    stated = {a.name: a.molar_mass for a in ANALYTES.values() if a.molar_mass and not a.formula}
    assert stated == {"triglycerides": "885.4", "haemoglobin": "16114.5"}


@pytest.mark.parametrize("analyte", ANALYTES.values(), ids=lambda a: a.name)
def test_each_row_is_whole(analyte):
    assert parse_unit(analyte.unit)
    assert analyte.unit in analyte.units or not analyte.units
    assert 0 < analyte.minimum < analyte.maximum
    assert analyte.label
    assert analyte.label_zh
    for unit in analyte.units:
        there = converter(unit, analyte.unit, analyte)
        assert there.factor > 0
        assert there.reversed().factor * there.factor == 1
    for code in analyte.loinc:
        assert check_digit(code), code


def check_digit(code):
    """Modulus 10, as LOINC's users' guide says."""
    digits, check = code.split("-")
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10 == int(check)


def test_a_wrong_check_digit_is_seen():
    assert check_digit("2093-3")
    assert not check_digit("2093-4")


def test_no_word_names_two_analytes():
    seen = {}
    for analyte in ANALYTES.values():
        for word in {analyte.name, analyte.label, analyte.label_zh, *analyte.words, *analyte.loinc}:
            found = analyte_of(word)
            assert found is not None, word
            assert found.name == analyte.name, word
            assert seen.setdefault(word.lower(), analyte.name) == analyte.name


def test_there_are_at_least_forty():
    assert len(ANALYTES) >= 40


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("LOINC:2093-3", "cholesterol_total"),
        ("LDL-C", "cholesterol_ldl"),
        ("Serum creatinine", "creatinine"),
        ("血清肌酐", "creatinine"),
        ("总胆固醇", "cholesterol_total"),
        ("空腹血糖", "glucose"),
        ("BUN", "urea_nitrogen"),
        ("尿素氮", "urea_nitrogen"),
        ("尿素", "urea"),
        ("Glucose (mg/dL)", "glucose"),
        ("Fasting Glucose", "glucose"),
        ("HbA1c", "hba1c"),
        ("甘油三酯", "triglycerides"),
        ("total_cholesterol", "cholesterol_total"),
    ],
)
def test_words_in_two_languages(written, name):
    assert analyte_of(written).name == name


@pytest.mark.parametrize("written", ["", "height", "身高", "question 12", "serum", "LOINC:0000-0"])
def test_what_is_no_analyte(written):
    assert analyte_of(written) is None
    assert analyte_of((written, "ldl")).name == "cholesterol_ldl"
