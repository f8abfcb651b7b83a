"""Files of SAS, Stata and SPSS, written by pyreadstat itself."""

import datetime as dt

import pandas as pd
import pyreadstat
import pytest

from nexome.formats.cohorts import open_cohort, statistics_files
from nexome.model.cohorts import Category
from nexome.model.errors import FormatError
from tests.formats.cohorts.reading import at, read_all, variable, written

TABLE = {
    "id": ["a", "b", "c", ""],
    "sex": [1.0, 2.0, 9.0, None],
    "chol": [5.1, -9.0, -8.0, 4.2],
    "day": [dt.date(2020, 1, 2), None, dt.date(2021, 1, 1), dt.date(2020, 2, 29)],
}


def frame():
    return pd.DataFrame(TABLE)


def write_spss(path, **options):
    pyreadstat.write_sav(
        frame(),
        path,
        column_labels={"sex": "Sex", "chol": "总胆固醇 (mmol/L)"},
        variable_value_labels={"sex": {1: "male", 2: "female", 9: "refused"}},
        missing_ranges={"sex": [9], "chol": [{"lo": -9, "hi": -7}]},
        variable_measure={"sex": "nominal"},
        **options,
    )
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_spss_with_labels_and_user_missing_values(tmp_path, packed):
    path = write_spss(tmp_path / "c.sav", compress=packed)
    with open_cohort(path) as reader:
        known = reader.dictionary.by_name
        assert reader.format == ("zsav" if packed else "sav")
        assert [c.unit for c in reader.columns] == ["", "", "mmol/L", ""]
        assert not reader.dictionary.confirmed
    assert (known["sex"].type, known["sex"].label) == ("category", "Sex")
    assert known["sex"].categories == (
        Category("1", "male"),
        Category("2", "female"),
        Category("9", "refused", missing=True),
    )
    assert known["chol"].label_zh == "总胆固醇 (mmol/L)"
    assert known["chol"].missing_codes == {"-9", "-8", "-7"}
    values, problems, codes, _ = read_all(path)
    assert values["id"] == ["a", "b", "c", None]
    assert values["sex"] == ["1", "2", None, None]
    assert values["chol"] == [5.1, None, None, 4.2]
    assert values["day"][0] == at(2020, 1, 2)
    assert codes == {"sex": [None, None, "9", None], "chol": [None, "-9", "-8", None]}
    assert not problems


def test_a_whole_range_of_missing_values_is_told(tmp_path):
    path = tmp_path / "c.sav"
    pyreadstat.write_sav(frame(), path, missing_ranges={"chol": [{"lo": -1000, "hi": -7}]})
    values, _, _, notes = read_all(path)
    assert values["chol"] == [5.1, -9.0, -8.0, 4.2]
    assert notes == ["Column chol: a whole range is declared missing; it is read as values. List its codes."]


def test_labels_of_the_ends_of_a_scale_leave_it_a_number(tmp_path):
    path = tmp_path / "c.sav"
    pain = pd.DataFrame({"pain": [float(i) for i in range(11)] * 3})
    pyreadstat.write_sav(pain, path, variable_value_labels={"pain": {0: "none", 10: "worst"}})
    with open_cohort(path) as reader:
        assert reader.dictionary.by_name["pain"].type == "decimal"
        assert "labels of 2 of them are left out" in reader.notes[0].text


def test_stata_with_its_missing_codes(tmp_path):
    table = frame().astype({"chol": object})
    table.loc[1, "chol"] = "a"
    path = tmp_path / "c.dta"
    labels = {"sex": {1: "male", 2: "female", 9: "refused"}}
    pyreadstat.write_dta(table, path, variable_value_labels=labels, missing_user_values={"chol": ["a"]})
    values, problems, codes, _ = read_all(path)
    assert values["chol"] == [5.1, None, -8.0, 4.2]
    assert codes == {"chol": [None, "a", None, None]}
    assert values["sex"] == ["1", "2", "9", None]
    assert values["day"][3] == at(2020, 2, 29)
    assert not problems


@pytest.mark.parametrize("version", [5, 8])
def test_sas_transport(tmp_path, version):
    path = tmp_path / "c.xpt"
    pyreadstat.write_xport(
        frame(), path, file_format_version=version, column_labels={"chol": "Cholesterol (mg/dL)"}
    )
    values, problems, _, _ = read_all(path)
    assert values["chol"] == [5.1, -9.0, -8.0, 4.2]
    assert values["day"][0] == at(2020, 1, 2)
    with open_cohort(path) as reader:
        assert reader.format == "xpt"
        assert reader.columns[2].unit == "mg/dL"
    assert not problems


def test_portable_spss(tmp_path):
    path = tmp_path / "c.por"
    pyreadstat.write_por(frame().rename(columns=str.upper), path)
    values, *_ = read_all(path)
    assert values["CHOL"] == pytest.approx([5.1, -9.0, -8.0, 4.2])


def test_rows_come_in_chunks_with_their_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(statistics_files, "_CELLS", 1)
    path = tmp_path / "c.sav"
    pyreadstat.write_sav(pd.DataFrame({"x": [float(i) for i in range(2500)]}), path)
    with open_cohort(path) as reader:
        tables = list(reader.read(type(reader.dictionary)((variable("x", "integer"),))))
    assert [t.first_line for t in tables] == [1, 1001, 2001]
    assert [x for t in tables for x in t.table["x"].to_pylist()] == list(range(2500))


@pytest.mark.parametrize("cut", [40, 300, -8])
def test_a_truncated_file_is_refused(tmp_path, cut):
    whole = write_spss(tmp_path / "c.sav").read_bytes()
    path = written(tmp_path / "cut.sav", whole[:cut])
    with pytest.raises(FormatError, match=r"fewer rows than the file says|damaged or cut"):
        read_all(path)
