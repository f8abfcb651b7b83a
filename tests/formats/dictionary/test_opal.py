"""Dictionaries of Opal and Maelstrom, as workbooks written in the test."""

import openpyxl
import pytest

from nexome.formats.dictionary import read_dictionary
from nexome.model.cohorts import Category
from nexome.model.errors import FormatError, InputError

VARIABLES = [
    ["table", "name", "valueType", "unit", "label:en", "label:zh", "repeatable", "terms"],
    ["t", "id", "text", None, "Identifier", "编号", 0, None],
    ["t", "sex", "integer", None, "Sex", "性别", 0, None],
    ["t", "chol", "decimal", "mmol/L", "Cholesterol", "总胆固醇", 0, "LOINC:14647-2"],
    ["t", "born", "date", None, None, None, 0, None],
]
CATEGORIES = [
    ["table", "variable", "name", "missing", "label:en", "label:zh"],
    ["t", "sex", 1, 0, "Male", "男"],
    ["t", "sex", 2, 0, "Female", "女"],
    ["t", "sex", 9, 1, "Refused", "拒答"],
    ["t", "chol", -9, "true", "Not done", "未做"],
]


def book(path, variables=VARIABLES, categories=CATEGORIES):
    workbook = openpyxl.Workbook()
    workbook.active.title = "Variables"
    for row in variables:
        workbook.active.append(row)
    if categories:
        sheet = workbook.create_sheet("Categories")
        for row in categories:
            sheet.append(row)
    workbook.save(path)
    return path


def test_labels_in_both_languages_categories_and_types(tmp_path):
    dictionary = read_dictionary(book(tmp_path / "d.xlsx"))
    known = dictionary.by_name
    assert [v.type for v in dictionary] == ["text", "category", "decimal", "date"]
    assert (known["sex"].label, known["sex"].label_zh) == ("Sex", "性别")
    assert known["sex"].categories == (
        Category("1", "Male", "男"),
        Category("2", "Female", "女"),
        Category("9", "Refused", "拒答", missing=True),
    )
    assert (known["chol"].unit, known["chol"].terms) == ("mmol/L", ("LOINC:14647-2",))
    assert known["chol"].missing_codes == {"-9"}
    assert known["born"].title() == "born"


def test_a_workbook_without_categories(tmp_path):
    assert len(read_dictionary(book(tmp_path / "d.xlsx", categories=None))) == 4


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["t", "x", "point", None, None, None, 0, None], "row 6, column valueType: a value type 'point'"),
        (["t", "x", "text", None, None, None, 1, None], "row 6: a repeatable variable"),
        (["u", "x", "text", None, None, None, 0, None], "2 tables in one dictionary: t, u"),
        (["t", "sex", "text", None, None, None, 0, None], "variables named twice: sex"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, row, said):
    with pytest.raises(InputError) as caught:
        read_dictionary(book(tmp_path / "d.xlsx", [*VARIABLES, row]))
    assert said in str(caught.value)


def test_categories_of_absent_variables_are_named(tmp_path):
    with pytest.raises(FormatError, match="categories of variables that are not there: height"):
        read_dictionary(book(tmp_path / "d.xlsx", categories=[*CATEGORIES, ["t", "height", 1, 0, "x", "y"]]))
