"""Our own dictionary: what is written reads back the same; rows that cannot be read are named."""

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.dictionary import read_dictionary, write_dictionary
from nexome.model.cohorts import (
    HGR_CLASSES,
    ROLES,
    SENSITIVITIES,
    VARIABLE_TYPES,
    Category,
    Dictionary,
    Variable,
)
from nexome.model.errors import InputError, NotFoundError
from tests.formats.cohorts.reading import written

WORDS = st.text(st.sampled_from("abZ09男女 ,;|=\\\"'#\n（mg/dL）-:"), max_size=12).map(str.strip)
NAMES = WORDS.filter(bool)
CODES = NAMES
CATEGORIES = st.lists(
    st.builds(Category, code=CODES, label=WORDS, label_zh=WORDS, missing=st.booleans()),
    max_size=4,
    unique_by=lambda c: c.code,
).map(tuple)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TERMS = st.lists(st.sampled_from(["LOINC:2093-3", "HP:0003124", "EFO:0004574"]), max_size=3).map(tuple)
VARIABLES = st.builds(
    Variable,
    name=NAMES,
    type=st.sampled_from(VARIABLE_TYPES),
    label=WORDS,
    label_zh=WORDS,
    unit=st.sampled_from(["", "mmol/L", "mm[Hg]", "1"]),
    categories=CATEGORIES,
    minimum=NUMBERS,
    maximum=NUMBERS,
    terms=TERMS,
    question=WORDS,
    sensitivity=st.sampled_from(SENSITIVITIES),
    hgr_class=st.sampled_from(HGR_CLASSES),
    role=st.sampled_from(ROLES),
)
DICTIONARIES = st.builds(
    Dictionary,
    st.lists(VARIABLES, min_size=1, max_size=5, unique_by=lambda v: v.name).map(tuple),
    confirmed=st.booleans(),
)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".yaml"])
@given(dictionary=DICTIONARIES)
def test_what_is_written_reads_back_the_same(dictionary, ending, tmp_path_factory):
    path = tmp_path_factory.mktemp("d") / f"dictionary{ending}"
    write_dictionary(path, dictionary, {dictionary.variables[0].name: "why it was guessed"})
    assert read_dictionary(path) == dictionary


def test_a_table_that_a_person_wrote(tmp_path):
    text = (
        "变量名,类型,标签,单位,编码,缺失代码,备注\n"
        "编号,文本,,,,,\n性别,分类,性别,,1=male=男|2=female=女,9=unknown=不详,x\n血糖,小数,,mmol/L,,-9|-8,\n"
    )
    dictionary = read_dictionary(written(tmp_path / "d.csv", text, "gb18030"))
    sex, glucose = dictionary.variables[1:]
    assert sex.categories == (
        Category("1", "male", "男"),
        Category("2", "female", "女"),
        Category("9", "unknown", "不详", missing=True),
    )
    assert (glucose.type, glucose.unit, glucose.missing_codes) == ("decimal", "mmol/L", {"-9", "-8"})
    assert dictionary.confirmed


def test_one_row_that_is_not_confirmed_leaves_all_unconfirmed(tmp_path):
    path = written(tmp_path / "d.csv", "name,type,confirmed\na,text,yes\nb,text,\n")
    assert not read_dictionary(path).confirmed


def test_a_label_is_never_a_formula(tmp_path):
    path = tmp_path / "d.xlsx"
    write_dictionary(path, Dictionary((Variable("x", "text", label="=1+1"),)))
    sheet = openpyxl.load_workbook(path).active
    assert sheet["C2"].data_type == "s"
    assert read_dictionary(path).variables[0].label == "=1+1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,type\na,number\n", "row 2, variable a: type 'number'; expected one of integer, decimal"),
        ("name,type\n,text\n", "row 2, column name: a variable without a name"),
        ("name,type\na,text\na,text\n", "variables named twice: a"),
        ("name,type,minimum\na,decimal,low\n", "row 2, column minimum: 'low'; expected a number"),
        ("name,type,colour\na,text,red\n", "an unknown column 'colour'"),
        ("name,type,categories\na,category,1=x=y=z\n", "row 2, column categories: a category"),
        ("name,type,role\na,text,boss\n", "role 'boss'"),
        ("first,second\n1,2\n", "a table of 2 columns that is no data dictionary"),
        ("name,type\n", "a header and no rows"),
    ],
)
def test_rows_that_cannot_be_read_are_named(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        read_dictionary(written(tmp_path / "d.csv", text))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("variables: [", "line"),
        ("cohort: x\n", "no list of variables"),
        ("variables:\n- name: a\n", "variable 1: no variable"),
        ("variables:\n- {name: a, type: text, colour: red}\n", "unknown fields colour"),
        ("variables:\n- {name: a, type: category, categories: [1, 2]}\n", "categories that cannot be read"),
        ("variables: []\n", "no variables"),
    ],
)
def test_yaml_that_cannot_be_read_is_named(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        read_dictionary(written(tmp_path / "d.yaml", text))
    assert said in str(caught.value)


def test_numbers_as_codes_in_yaml_are_codes(tmp_path):
    text = "variables:\n- {name: sex, type: category, categories: [{code: 1, label: male}, {code: 2}]}\n"
    dictionary = read_dictionary(written(tmp_path / "d.yaml", text))
    assert dictionary.variables[0].categories == (Category("1", "male"), Category("2"))
    assert dictionary.confirmed


def test_absent_files_and_unknown_endings(tmp_path):
    for name in ("d.csv", "d.yaml", "d.xlsx"):
        with pytest.raises(NotFoundError):
            read_dictionary(tmp_path / name)
    with pytest.raises(InputError, match=r"a file of kind \.txt"):
        write_dictionary(tmp_path / "d.txt", Dictionary((Variable("x", "text"),)))
