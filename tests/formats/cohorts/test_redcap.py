"""An export of REDCap with its data dictionary: events, repeats, checkboxes."""

import pytest

from nexome.formats.cohorts import open_cohort
from nexome.formats.dictionary import fit_to_columns, read_dictionary
from nexome.model.cohorts import Category
from nexome.model.errors import FormatError
from tests.formats.cohorts.reading import written

HEAD = (
    '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",'
    '"Choices, Calculations, OR Slider Labels","Field Note","Text Validation Type OR Show Slider Number",'
    '"Text Validation Min","Text Validation Max",Identifier?,"Branching Logic (Show field only if...)"\n'
)
FIELDS = (
    "record_id,person,,text,Record ID,,,,,,,\n"
    'name,person,,text,"Full <b>name</b>",,,,,,y,\n'
    'sex,person,,radio,性别,"1, 男 | 2, 女",,,,,,\n'
    'smoke,person,,checkbox,Smoked,"1, Cigarettes | 2, Pipe | -9, Refused",,,,,,\n'
    "intro,person,,descriptive,Welcome,,,,,,,\n"
    "seen,labs,,text,Date of sample,,,date_ymd,,,,\n"
    "chol,labs,,text,Cholesterol (mmol/L),,,number,0.5,20,,\n"
    'weight,labs,,text,Weight,,"kg",number_1dp,,,,\n'
    "fasting,labs,,yesno,Fasting?,,,,,,,\n"
)
EXPORT = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,name,sex,smoke___1,smoke___2,"
    "smoke____9,person_complete,seen,chol,weight,fasting,labs_complete\n"
    "1,baseline_arm_1,,,A,1,1,0,0,2,,,,,\n"
    "1,baseline_arm_1,labs,1,,,,,,,2020-01-05,5.2,70.5,1,2\n"
    "1,baseline_arm_1,labs,2,,,,,,,2020-02-05,4.8,,0,1\n"
    "2,baseline_arm_1,,,B,2,0,0,1,0,,,,,\n"
)


@pytest.fixture
def dictionary(tmp_path):
    return read_dictionary(written(tmp_path / "dictionary.csv", HEAD + FIELDS))


def test_a_data_dictionary_of_redcap(dictionary):
    known = dictionary.by_name
    kinds = {v.name: v.type for v in dictionary}
    assert kinds == {
        "record_id": "text", "name": "text", "sex": "category", "smoke___1": "boolean",
        "smoke___2": "boolean", "smoke____9": "boolean", "seen": "date", "chol": "decimal",
        "weight": "decimal", "fasting": "boolean",
    }  # fmt: skip
    assert known["record_id"].role == "participant"
    assert (known["name"].label, known["name"].sensitivity) == ("Full name", "identifying")
    assert known["sex"].categories == (Category("1", "", "男"), Category("2", "", "女"))
    assert known["smoke___2"].label == "Smoked: Pipe"
    assert (known["chol"].unit, known["chol"].minimum, known["chol"].maximum) == ("mmol/L", 0.5, 20)
    assert known["weight"].unit == "kg"
    assert dictionary.confirmed


def test_an_export_with_repeats(tmp_path, dictionary):
    path = written(tmp_path / "export.csv", EXPORT)
    with open_cohort(path) as reader:
        assert reader.format == "csv of REDCap"
        fitted = fit_to_columns(dictionary, reader.names)
        assert {v.name for v in fitted} == set(reader.names)
        assert fitted.by_name["redcap_visit"].role == "visit"
        assert fitted.by_name["redcap_event_name"].role == ""
        assert fitted.by_name["labs_complete"].categories[2].label == "Complete"
        assert reader.sample(1)["redcap_visit"].to_pylist() == ["baseline_arm_1"]
        (raw,) = reader.read(fitted)
    assert raw.table["redcap_visit"].to_pylist() == [
        "baseline_arm_1",
        "baseline_arm_1 / labs 1",
        "baseline_arm_1 / labs 2",
        "baseline_arm_1",
    ]
    assert raw.table["smoke____9"].to_pylist() == [False, None, None, True]
    assert raw.table["chol"].to_pylist() == [None, 5.2, 4.8, None]
    assert not raw.problems


def test_the_visit_alone_can_be_read(tmp_path, dictionary):
    with open_cohort(written(tmp_path / "export.csv", EXPORT)) as reader:
        visit = reader.dictionary.by_name["redcap_visit"]
        (raw,) = reader.read(type(dictionary)((visit,)))
        assert raw.table.column_names == ["redcap_visit"]


def test_events_without_repeats_are_the_visit(tmp_path):
    path = written(
        tmp_path / "export.csv", "record_id,redcap_event_name,x\n1,first_arm_1,2\n1,second_arm_1,3\n"
    )
    with open_cohort(path) as reader:
        assert reader.names == ("record_id", "redcap_event_name", "x")
        assert reader.dictionary.of_role("visit").name == "redcap_event_name"


def test_a_table_that_is_no_export_is_left_alone(tmp_path, dictionary):
    assert fit_to_columns(dictionary, ("record_id", "interview_complete", "other")) is dictionary


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('x,f,,radio,X,"male | female",,,,,,\n', "row 3, column Choices.*a choice without a code"),
        ("x,f,,hologram,X,,,,,,,\n", "row 3, column Field Type: a field type 'hologram'"),
        (",f,,text,X,,,,,,,\n", "row 3: a field without a name"),
    ],
)
def test_fields_that_cannot_be_read_are_named(tmp_path, row, said):
    path = written(tmp_path / "d.csv", HEAD + "id,f,,text,ID,,,,,,,\n" + row)
    with pytest.raises(FormatError, match=said):
        read_dictionary(path)
