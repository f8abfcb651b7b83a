"""Dictionaries that are inferred: types, codes, units, roles, each with its reason, none confirmed."""

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.cohorts import open_cohort
from nexome.ingest.cohorts.infer import infer_dictionary
from nexome.model.cohorts import Category
from tests.formats.cohorts.reading import read_all, written


def inferred(path, **options):
    with open_cohort(path) as reader:
        return infer_dictionary(reader, **options)


def column(tmp_path, name, values):
    """The inference for a table of one column beside a counter."""
    rows = "".join(f"{i},{value}\n" for i, value in enumerate(values, 1001))
    return inferred(written(tmp_path / "c.csv", f"number,{name}\n{rows}"))


MALE_FEMALE = (Category("1", "male", "男"), Category("2", "female", "女"))


@pytest.mark.parametrize(
    ("name", "values", "kind", "categories"),
    [
        ("sex", ["1", "2"] * 10, "category", MALE_FEMALE),
        ("gender", ["0", "1"] * 10, "category", (Category("0"), Category("1"))),
        (
            "性别",
            ["男", "女"] * 10,
            "category",
            (Category("女", "female", "女"), Category("男", "male", "男")),
        ),
        ("who", ["M", "F"] * 10, "category", (Category("F", "female", "女"), Category("M", "male", "男"))),
        ("smoker", ["Yes", "No"] * 10, "boolean", ()),
        ("吸烟", ["是", "否"] * 10, "boolean", ()),
        ("asthma", ["0", "1"] * 10, "boolean", ()),
        ("stage", ["1", "2", "3"] * 10, "category", (Category("1"), Category("2"), Category("3"))),
        ("n", [str(i) for i in range(30)], "integer", ()),
        ("x", [f"{i}.5" for i in range(30)], "decimal", ()),
        ("day", ["2020-01-31", "31.1.2021"] * 10, "date", ()),
        ("town", [f"town {i}" for i in range(30)], "text", ()),
        (
            "level",
            ["low", "high", "None"] * 10,
            "category",
            (Category("None"), Category("high"), Category("low")),
        ),
        ("empty", [""] * 20, "text", ()),
    ],
)
def test_types_and_categories(tmp_path, name, values, kind, categories):
    variable = column(tmp_path, name, values).dictionary.by_name[name]
    assert (variable.type, variable.categories) == (kind, categories)


@pytest.mark.parametrize(
    ("name", "values", "codes"),
    [
        ("sbp", ["120", "131", "-9", "999", "999", "118.5"] * 5, {"-9", "999"}),
        ("sbp", ["120", "131", "99", "88", "77"] * 5, set()),
        ("change", ["-9", "-8", "-7", "-3.5", "2"] * 5, set()),
        (
            "血糖",
            ["5.1", "拒答", "4.9", "不详", "6.0", "5.5", "5.2", "5.3", "5.4", "5.6"] * 5,
            {"拒答", "不详"},
        ),
        ("group", ["a", "b", "NA", "refused"] * 10, {"NA", "refused"}),
        ("platelets", ["210", "180", "-1", "305"] * 5, {"-1"}),
    ],
)
def test_missing_codes(tmp_path, name, values, codes):
    found = column(tmp_path, name, values)
    assert found.dictionary.by_name[name].missing_codes == codes
    assert all(g.sureness != "sure" for g in found.of(name) if g.what == "missing")


def test_a_column_of_numbers_with_other_things_in_it_is_unsure(tmp_path):
    found = column(tmp_path, "chol", [*["5.2"] * 20, "<0.5", "secret"])
    assert found.dictionary.by_name["chol"].type == "decimal"
    (guess,) = [g for g in found.of("chol") if g.what == "type"]
    assert guess.sureness == "unsure"
    assert guess.why == "numbers, but for 2 cells that hold a bound (< or >), text"
    assert "secret" not in repr(found)


YES_NO = (Category("1", "yes", "是"), Category("2", "no", "否"))
UNKNOWN = Category("9", "unknown", "不详", missing=True)


@pytest.mark.parametrize(
    ("header", "values", "categories", "label"),
    [
        ("Sex (1=M 2=F)", ["1", "2"], MALE_FEMALE, ("Sex", "")),
        ("Gender [2: female; 1: male]", ["1", "2"], MALE_FEMALE[::-1], ("Gender", "")),
        ("性别（1男 2女）", ["1", "2"], MALE_FEMALE, ("", "性别")),
        ("性别（男=1，女=2）", ["1.0", "2.0"], MALE_FEMALE, ("", "性别")),
        ("性别:1=男 2=女", ["1", "2", "", "NA"], MALE_FEMALE, ("", "性别")),
        (
            "Sex (M=male F=female)",
            ["M", "F"],
            (Category("M", "male", "男"), Category("F", "female", "女")),
            ("Sex", ""),
        ),
        ("糖尿病（1是 2否 9不详）", ["1", "2", "9"], (*YES_NO, UNKNOWN), ("", "糖尿病")),
        (
            "Smoking (0=never; 1=former; 2=current)",
            ["0", "1"],
            (Category("0", "never"), Category("1", "former"), Category("2", "current")),
            ("Smoking", ""),
        ),
        (
            "Agree (1=not at all 3=wholly)",
            ["1", "2", "3"],
            (Category("1", "not at all"), Category("3", "wholly"), Category("2")),
            ("Agree", ""),
        ),
    ],
)
def test_codes_that_the_header_names(tmp_path, header, values, categories, label):
    quoted = f'"{header}"'
    found = column(tmp_path, quoted, values * 10)
    variable = found.dictionary.by_name[header]
    assert (variable.type, variable.categories) == ("category", categories)
    assert (variable.label, variable.label_zh) == label
    assert variable.role == (
        "sex" if "sex" in header.lower() + label[0].lower() or "性别" in header else variable.role
    )
    assert [g.sureness for g in found.of(header) if g.what == "categories"] == ["sure"]


def test_what_the_header_does_not_name_is_told_and_made_no_code(tmp_path):
    found = column(tmp_path, "Sex (1=M 2=F)", [*["1", "2"] * 10, "secret"])
    variable = found.dictionary.by_name["Sex (1=M 2=F)"]
    assert variable.categories == MALE_FEMALE
    (guess,) = [g for g in found.of(variable.name) if g.what == "categories"]
    assert (guess.sureness, guess.why) == ("unsure", "the header names the codes, but 1 cells hold others")
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("Pain (0=none 100=worst)", [str(i) for i in range(100)], "integer"),
        ("Asthma (0=no 1=yes)", ["0", "1"] * 10, "boolean"),
        ("Ward (1=A 2=B)", ["x", "y"] * 10, "category"),
        ("Glucose (2 h)", ["5.5", "6.1"] * 10, "decimal"),
    ],
)
def test_a_header_is_not_believed_against_the_values(tmp_path, header, values, kind):
    variable = column(tmp_path, header, values).dictionary.by_name[header]
    assert variable.type == kind
    assert not any(c.label for c in variable.categories)


@pytest.mark.parametrize(
    ("header", "unit", "sureness"),
    [
        ("Chol (mg/dL)", "mg/dL", "sure"),
        ("总胆固醇（mmol/L）", "mmol/L", "sure"),
        ("血糖【毫摩尔/升】", "mmol/L", "sure"),
        ("weight_kg", "kg", "likely"),
        ("SBP[mmHg]", "mm[Hg]", "sure"),
        ("sample.yr", "", None),
    ],
)
def test_units_come_from_headers(tmp_path, header, unit, sureness):
    found = column(tmp_path, header, [f"{i}.5" for i in range(20)])
    assert found.dictionary.by_name[header].unit == unit
    assert [g.sureness for g in found.of(header) if g.what == "unit"] == ([sureness] if sureness else [])


def test_ranges_are_of_known_analytes_in_their_unit_alone(tmp_path):
    values = [f"{i}.5" for i in range(180, 200)]
    known = column(tmp_path, "Total cholesterol (mg/dL)", values).dictionary.variables[1]
    in_mmol = column(
        tmp_path, "总胆固醇（mmol/L）", [f"{i / 40:.2f}" for i in range(180, 200)]
    ).dictionary.variables[1]
    assert known.minimum == pytest.approx(in_mmol.minimum * 38.67, rel=1e-3)
    assert known.maximum == pytest.approx(in_mmol.maximum * 38.67, rel=1e-3)
    for name in ("Total cholesterol", "something (mg/dL)"):
        assert column(tmp_path, name, values).dictionary.variables[1].maximum is None


def test_a_range_that_most_values_miss_puts_the_unit_in_doubt_and_takes_nothing_away(tmp_path):
    inferred = column(tmp_path, "Total cholesterol (mg/dL)", [f"{i / 40:.2f}" for i in range(180, 200)])
    variable = inferred.dictionary.variables[1]
    assert (variable.unit, variable.minimum, variable.maximum) == ("mg/dL", None, None)
    (told,) = (g for g in inferred.of(variable.name) if g.what == "range")
    assert told.sureness == "unsure"
    assert told.why.endswith("they fit the unit mmol/L, not mg/dL")
    few = column(tmp_path, "Total cholesterol (mg/dL)", ["5.2", "4.9", "5.1"])
    assert "the unit may be another" in few.of(variable.name)[-1].why


def test_roles(tmp_path):
    rows = "".join(
        f"{i // 2},2020-01-{i % 28 + 1:02},{40 + i % 30},{i % 2 + 1},Li,{i}.5\n" for i in range(60)
    )
    path = written(tmp_path / "c.csv", f"Patient ID,exam date,age,Sex,first_name,wtmec2yr\n{rows}")
    found = inferred(path)
    assert {v.name: v.role for v in found.dictionary if v.role} == {
        "Patient ID": "participant",
        "exam date": "date",
        "age": "age",
        "Sex": "sex",
        "wtmec2yr": "weight",
    }
    known = found.dictionary.by_name
    assert known["Patient ID"].sensitivity == known["first_name"].sensitivity == "identifying"
    assert known["first_name"].type == "text"
    assert not found.dictionary.confirmed


def test_repeated_participants_without_a_visit_are_told(tmp_path):
    found = inferred(written(tmp_path / "c.csv", "id,x\n" + "".join(f"{i % 10},{i}\n" for i in range(30))))
    assert "10 identifiers in 30 rows" in found.notes[-1].text


def test_every_guess_is_told_in_both_languages(tmp_path):
    path = written(
        tmp_path / "c.csv", "id,性别,x (mg/dL)\n" + "".join(f"{i},{i % 2 + 1},{i}.5\n" for i in range(30))
    )
    for guess in inferred(path).guesses:
        assert guess.why.isascii()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in guess.why_zh)


def test_dates_whose_order_is_open(tmp_path):
    found = column(tmp_path, "seen", ["03/04/2020", "13/04/2020", "05/06/2020"] * 5)
    assert found.dictionary.by_name["seen"].type == "date"
    assert [(g.value, g.sureness) for g in found.of("seen") if g.what == "date_order"] == [("dmy", "likely")]
    found = column(tmp_path, "seen", ["03/04/2020", "05/06/2020"] * 5)
    assert [(g.value, g.sureness) for g in found.of("seen") if g.what == "date_order"] == [("", "unsure")]


CELL = st.sampled_from(
    ["", "1", "2", "9", "-9", "5.5", "NA", "男", "yes", "no", "2020-01-31", "x", "拒答", "<3", "None"]
)


@given(values=st.lists(CELL, min_size=1, max_size=40))
def test_what_was_inferred_reads_the_file(values, tmp_path_factory):
    """Nothing is unreadable under a dictionary of the whole file, but in columns told to be unsure."""
    path = tmp_path_factory.mktemp("c") / "c.csv"
    written(path, "number,v\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values, 1001)))
    found = inferred(path)
    read, problems, codes, _ = read_all(path, *found.dictionary)
    unsure = any(g.sureness == "unsure" and "but for" in g.why for g in found.of("v"))
    assert unsure or not problems
    for value, cell, code in zip(values, read["v"], codes.get("v", [None] * len(values)), strict=True):
        assert cell is not None or code is not None or value in {"", "NA", "None", "<3"} or unsure


def test_what_the_file_says_is_kept(tmp_path):
    rows = "".join(f"{i},baseline_arm_1,labs,{n},{n}.5\n" for i in range(9) for n in (1, 2))
    head = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,x"
    found = inferred(written(tmp_path / "export.csv", f"{head}\n{rows}"))
    assert {v.name: v.role for v in found.dictionary if v.role} == {
        "record_id": "participant",
        "redcap_visit": "visit",
    }
    pyreadstat.write_sav(
        pd.DataFrame({"gender": [1.0, 2.0] * 10, "chol": [5.5, -9.0] * 10}),
        tmp_path / "c.sav",
        column_labels={"chol": "总胆固醇 (mmol/L)"},
        variable_value_labels={"gender": {1: "woman", 2: "man"}},
        missing_ranges={"chol": [-9]},
    )
    sex, cholesterol = inferred(tmp_path / "c.sav").dictionary
    assert sex.categories == (Category("1", "woman"), Category("2", "man"))
    assert (sex.role, cholesterol.unit, cholesterol.missing_codes) == ("sex", "mmol/L", {"-9"})
    assert cholesterol.maximum is not None


def test_decimal_commas_are_told(tmp_path):
    path = written(tmp_path / "c.csv", "id;x\n" + "".join(f"{i};{i},5\n" for i in range(20)))
    found = inferred(path)
    assert [(g.value, g.sureness) for g in found.of("x") if g.what == "type"] == [("text", "unsure")]
    assert "decimal comma" in found.of("x")[0].why


@pytest.mark.parametrize(
    ("ids", "role"), [(["1"], "participant"), (["1", "1"], "participant"), (["k"] * 9, "")]
)
def test_a_constant_names_nobody(tmp_path, ids, role):
    path = written(tmp_path / "c.csv", "id,x\n" + "".join(f"{i},{n}\n" for n, i in enumerate(ids)))
    assert inferred(path).dictionary.by_name["id"].role == role


def test_a_sample_is_a_sample(tmp_path):
    path = written(tmp_path / "c.csv", "id,x\n" + "".join(f"{i},{i}\n" for i in range(100)) + "100,x\n")
    assert inferred(path, rows=50).rows == 50
    assert inferred(path).rows == 101
