"""What words mean: names in two languages, units, categories, terms; errors for those that mean nothing."""

import pytest

from nexome.access.cohort_words import Words
from nexome.model.errors import NexomeError, NotFoundError, QueryError
from nexome.testing.small_cohort import CLINIC_DICTIONARY, TOWN_DICTIONARY

UP = {
    "HP:0002197": {"HP:0001250", "HP:0000707"},
    "HP:0001250": {"HP:0000707"},
    "MONDO:0004979": {"MONDO:0005087"},
}
NAMES = {
    "HP:0000707": ("Abnormality of the nervous system", "神经系统异常"),
    "HP:0001250": ("Seizure",),
    "MONDO:0005087": ("respiratory system disease", "呼吸系统疾病"),
}


class Ties:
    """A small ontology: seizures are abnormalities, asthma a disease of the airways."""

    def above(self, curie):
        return frozenset({curie} | UP.get(curie, set()))

    def names(self, curie):
        return NAMES.get(curie, ())


@pytest.fixture(scope="module")
def town():
    return Words(TOWN_DICTIONARY, Ties())


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("", ""),
        ("sex = female", "sex = '2'"),
        ("性别 = 女", "sex = '2'"),
        ("Sex = 2", "sex = '2'"),
        ("sex != male", "sex = '2'"),
        ("not sex = male", "sex = '2'"),
        ("sex in (male, female)", "sex in ('1', '2')"),
        ("age between 40 and 60", "age >= 40 a and age <= 60 a"),
        ("not (age between 40 and 60)", "(age < 40 a) or (age > 60 a)"),
        ("40 <= age", "age >= 40 a"),
        ("年龄 >= 40 且 低密度脂蛋白胆固醇 > 4.1 毫摩尔/升", "age >= 40 a and ldl > 4.1 mmol/L"),
        ("`LOINC:22748-8` > 4.1", "ldl > 4.1 mmol/L"),
        ("cholesterol_ldl > 4.1", "ldl > 4.1 mmol/L"),
        ("ldl > 160 mg/dL", "ldl > 4.13795957213 mmol/L"),
        ("age > 480 mo", "age > 40 a"),
        ("bmi != 25", "(bmi < 25 kg/m2) or (bmi > 25 kg/m2)"),
        ("ldl is missing", "ldl is missing"),
        ("not ldl is missing", "ldl is not missing"),
        ("asthma", "asthma = 'true'"),
        ("not asthma", "asthma = 'false'"),
        ("asthma = yes", "asthma = 'true'"),
        ("曾患哮喘 = 否", "asthma = 'false'"),
        ("asthma = true and asthma", "asthma = 'true'"),
        ("seen >= '2020-01-01'", "seen >= '2020-01-01'"),
        ("diagnosis = none", "diagnosis = 'none'"),
        ("diagnosis = 全面性发作", "diagnosis = 'HP:0002197'"),
        ("diagnosis = seizure", "diagnosis in ('HP:0001250', 'HP:0002197')"),
        ("diagnosis = 神经系统异常", "diagnosis in ('HP:0001250', 'HP:0002197')"),
        ("'Abnormality of the nervous system' = yes", "diagnosis in ('HP:0001250', 'HP:0002197')"),
        ("`HP:0000707`", "diagnosis in ('HP:0001250', 'HP:0002197')"),
        ("呼吸系统疾病 = 是", "asthma = 'true'"),
        ("`respiratory system disease` = no", "asthma = 'false'"),
    ],
)
def test_a_filter_is_read(town, asked, read):
    understood = town.read(asked)
    assert understood.text == read
    assert town.read(read).filter == understood.filter  # what is written reads as itself


def test_an_expansion_is_said(town):
    (expansion,) = town.read("呼吸系统疾病").expansions
    assert (expansion.asked, expansion.term) == ("呼吸系统疾病", "MONDO:0005087")
    assert expansion.stands_for == ("asthma = 'true'",)
    (seizures,) = town.read("diagnosis = seizure").expansions
    assert seizures.stands_for == ("HP:0001250", "HP:0002197")
    assert town.read("diagnosis = 'HP:0002197'").expansions == ()


def test_units_taken_and_converted_are_said(town):
    read = town.read("age > 40 and ldl > 160 mg/dL")
    assert read.taken_in == (("age", "a"),)
    assert read.converted == {"ldl"}


@pytest.mark.parametrize(
    ("asked", "kind", "told"),
    [
        ("agee > 4", NotFoundError, ["character 1", "agee", "age"]),
        ("sexx = female", NotFoundError, ["sex"]),
        ("胆固醇 > 4", NotFoundError, ["低密度脂蛋白胆固醇"]),
        ("sex = femal", QueryError, ["character 7", "female"]),
        ("sex = 性", QueryError, ["sex"]),
        ("sex > female", QueryError, ["= or !="]),
        ("ldl > 4 kg", QueryError, ["character 7", "kg"]),
        ("ldl = female", QueryError, ["number"]),
        ("age + 3", QueryError, ["true nor false"]),
        ("weight / 2 > 3", QueryError, ["formula"]),
        ("(age > 3", QueryError, ["character 9", "')'"]),
        ("age > > 3", QueryError, ["character 7"]),
        ("note = x", QueryError, ["text"]),
        ("seen > 3", QueryError, ["date"]),
        ("seen > '2020-13-01'", QueryError, ["date"]),
        ("`HP:0000707` = 3", QueryError, ["yes"]),
        ("", None, []),
    ],
)
def test_what_cannot_be_read_is_told(town, asked, kind, told):
    if kind is None:
        assert town.read(asked).text == ""
        return
    with pytest.raises(kind) as caught:
        town.read(asked)
    assert isinstance(caught.value, NexomeError)
    for part in told:
        assert part in str(caught.value)


def test_the_same_words_in_another_cohort():
    words = Words(CLINIC_DICTIONARY)
    read = words.read("sex = female and age >= 40 and ldl > 4.1 mmol/L")
    assert read.text == "LDLC > 158.53224 mg/dL and gender = 'F' and years >= 40 a"


def test_several_variables_of_one_name_are_told_apart():
    doubled = type(CLINIC_DICTIONARY)(
        tuple(v for v in TOWN_DICTIONARY if v.name != "pid")
        + tuple(v for v in CLINIC_DICTIONARY if v.name == "LDLC")
    )
    with pytest.raises(NotFoundError, match=r"."):
        Words(doubled).variable("unheard of")
    with pytest.raises(QueryError, match="may be 2 variables"):
        Words(doubled).variable("cholesterol_ldl")


def test_search_finds_by_any_text(town):
    assert [v.name for v in town.search("胆固醇")] == ["ldl"]
    assert [v.name for v in town.search("diagnosis")] == ["diagnosis"]
    assert town.search("nothing like it") == []
