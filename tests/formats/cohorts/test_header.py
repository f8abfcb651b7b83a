"""Heads of tables: units, names given twice or not at all, no header, comment lines."""

import pytest

from nexome.formats.cohorts.header import read_head
from nexome.formats.cohorts.units import looks_like_unit, unit_of_header, unit_of_last_word


def names(head):
    return [column.name for column in head.columns]


@pytest.mark.parametrize(
    ("header", "bare", "unit"),
    [
        ("Chol (mg/dL)", "Chol", "mg/dL"),
        ("总胆固醇（mmol/L）", "总胆固醇", "mmol/L"),
        ("LDL-C[mg/dL]", "LDL-C", "mg/dL"),
        ("(%)lymphocyte", "lymphocyte", "%"),
        ("WBC (10^9/L)", "WBC", "10^9/L"),
        ("血糖【毫摩尔/升】", "血糖", "毫摩尔/升"),
        ("Weight, kg", "Weight", "kg"),
        ("Sex (1=male)", "Sex (1=male)", ""),
        ("淋巴细胞(#)", "淋巴细胞(#)", ""),
        ("Group (A)", "Group (A)", ""),
    ],
)
def test_units_beside_names(header, bare, unit):
    assert unit_of_header(header) == (bare, unit)


def test_a_last_word_is_a_unit_only_where_it_can_be_nothing_else():
    assert unit_of_last_word("weight_kg") == ("weight", "kg")
    assert unit_of_last_word("age years") == ("age", "years")
    for name in ("sample.yr", "study_day", "wt71", "group_m", "kg"):
        assert unit_of_last_word(name) == ("", "")
    assert not looks_like_unit("")


def test_a_row_of_units_below_the_names():
    head = read_head(["id,chol,sex", ",mmol/L,", "1,5.2,m", "2,4.1,f"], file="f")
    assert [c.unit for c in head.columns] == ["", "mmol/L", ""]
    assert head.lines == 2
    assert "Line 2 holds units" in head.notes[0].text
    plain = read_head(["id,chol,sex", "a,high,m", "b,low,f"], file="f")
    assert (plain.lines, plain.notes) == (1, ())


def test_names_given_twice_or_not_at_all():
    head = read_head(["x,,x, x_2 ,x", "1,2,3,4,5"], file="f")
    assert names(head) == ["x", "column_2", "x_3", "x_2", "x_4"]
    assert len(set(names(head))) == 5
    assert [n.text for n in head.notes] == [
        "Column names given twice (x): the second is read as NAME_2, and so on.",
        "Columns without a name (2): read as column_NUMBER.",
    ]


def test_no_header_is_told():
    head = read_head(["160,12.0,Present,49", "144,0.01,Absent,55"], file="f")
    assert (names(head), head.line, head.lines) == (["column_1", "column_2", "column_3", "column_4"], 0, 0)
    assert "No header: line 1 holds values" in head.notes[0].text
    said = read_head(["1990,1991", "1,2"], file="f", header="yes")
    assert names(said) == ["1990", "1991"]
    assert read_head(["a,b", "c,d"], file="f", header="no").lines == 0


def test_row_names_of_r_and_a_trailing_delimiter():
    assert names(read_head(['"x","y"', '"1",2,3', '"2",4,5'], file="f")) == ["row", "x", "y"]
    assert names(read_head(["x,y", "1,2,", "3,4,"], file="f")) == ["x", "y", "column_3"]


def test_a_header_cell_may_hold_a_line_break():
    head = read_head(['id,"chol', '(mg/dL)"', "1,200"], file="f")
    assert [(c.name, c.unit) for c in head.columns] == [("id", ""), ("chol (mg/dL)", "mg/dL")]
    assert head.lines == 2


def test_comment_lines_of_cbioportal():
    head = read_head(
        ["#Patient\tMonths", "#Identifier\tSurvival", "#STRING\tNUMBER", "ID\tOS", "a\t1"], file="f"
    )
    assert names(head) == ["ID", "OS"]
    assert head.comments[2] == ("STRING", "NUMBER")
