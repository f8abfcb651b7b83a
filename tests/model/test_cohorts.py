"""Variables, dictionaries and cohorts: back from JSON as they were; nothing unknown is taken in silence."""

import json

import pytest

from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.model.errors import InputError

SEX = Variable(
    "sex", "category", label="Sex", label_zh="性别", role="sex",
    categories=(Category("1", "male", "男"), Category("2", "female", "女"), Category("9", missing=True)),
)  # fmt: skip
LDL = Variable("ldl", "decimal", unit="mmol/L", minimum=0.1, maximum=20, terms=("LOINC:22748-8",))


def test_a_dictionary_comes_back_from_json_as_it_was():
    dictionary = Dictionary((SEX, LDL), confirmed=False)
    assert Dictionary.from_dict(json.loads(json.dumps(dictionary.as_dict()))) == dictionary


def test_a_cohort_comes_back_from_json_as_it_was():
    cohort = Cohort("lake", title="Lake", title_zh="湖区", purposes=("DUO:0000042",), people="region")
    assert Cohort.from_dict(json.loads(json.dumps(cohort.as_dict()))) == cohort


def test_missing_codes_roles_and_titles():
    dictionary = Dictionary((SEX, LDL))
    assert SEX.missing_codes == {"9"}
    assert dictionary.of_role("sex") is SEX
    assert dictionary.of_role("age") is None
    assert (SEX.title("zh"), LDL.title("zh"), SEX.title()) == ("性别", "ldl", "Sex")
    assert LDL.numeric
    assert not SEX.numeric


@pytest.mark.parametrize(
    "wrong", [{"type": "number"}, {"role": "name"}, {"sensitivity": "high"}, {"hgr_class": "x"}]
)
def test_words_outside_the_lists_are_refused(wrong):
    with pytest.raises(InputError, match="expected one of"):
        Variable.from_dict({"name": "x", "type": "decimal"} | wrong)


def test_a_name_twice_and_unknown_fields_are_refused():
    with pytest.raises(InputError, match="named twice: ldl"):
        Dictionary((LDL, LDL))
    with pytest.raises(InputError, match="unknown fields colour"):
        Cohort.from_dict({"id": "lake", "colour": "blue"})
    with pytest.raises(InputError, match="unknown fields colour"):
        Variable.from_dict({"name": "x", "type": "decimal", "colour": "blue"})


@pytest.mark.parametrize(
    ("label", "label_zh", "english", "chinese"),
    [("male", "男", "male", "男"), ("male", "", "male", "male"), ("", "男", "男", "男"), ("", "", "1", "1")],
)
def test_a_category_is_called_by_its_label_else_by_its_code(label, label_zh, english, chinese):
    category = Category("1", label, label_zh)
    assert (category.title(), category.title("zh")) == (english, chinese)
