"""Phenopackets written by the reference library: people, features, diseases, measurements over time."""

import gzip

import phenopackets as pp
import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp

from nexome.formats.cohorts import open_cohort
from nexome.model.errors import FormatError
from tests.formats.cohorts.reading import read_all, told, written


def term(code, label):
    return pp.OntologyClass(id=code, label=label)


def quantity(value, unit, code="LOINC:2093-3", label="Cholesterol", day=""):
    measured = pp.Measurement(
        assay=term(code, label),
        value=pp.Value(quantity=pp.Quantity(unit=term(f"UCUM:{unit}", unit), value=value)),
    )
    if day:
        moment = Timestamp()
        moment.FromJsonString(f"{day}T00:00:00Z")
        measured.time_observed.timestamp.CopyFrom(moment)
    return measured


def packet(name, sex=pp.Sex.FEMALE, *, age="P40Y6M", features=(), measured=(), diseases=()):
    return pp.Phenopacket(
        id=f"packet-{name}",
        subject=pp.Individual(
            id=name, sex=sex, time_at_last_encounter=pp.TimeElement(age=pp.Age(iso8601duration=age))
        ),
        phenotypic_features=features,
        measurements=measured,
        diseases=diseases,
        meta_data=pp.MetaData(phenopacket_schema_version="2.0"),
    )


def test_people_features_diseases_and_measurements(tmp_path):
    seizure, short = term("HP:0001250", "Seizure"), term("HP:0004322", "Short stature")
    one = packet(
        "A",
        features=[pp.PhenotypicFeature(type=seizure), pp.PhenotypicFeature(type=short, excluded=True)],
        measured=[quantity(5.2, "mmol/L"), quantity(90, "mm[Hg]", "LOINC:8462-4", "Diastolic")],
        diseases=[pp.Disease(term=term("MONDO:0005148", "type 2 diabetes"))],
    )
    two = packet("B", pp.Sex.UNKNOWN_SEX, age="P7Y", measured=[quantity(180, "mg/dL")])
    for person in (one, two):
        written(tmp_path / f"{person.subject.id}.json", MessageToJson(person))
    with open_cohort(tmp_path) as reader:
        known = reader.dictionary.by_name
        assert reader.format == "phenopackets"
        assert reader.sample(1).num_rows == 1
    assert (known["LOINC:2093-3"].unit, known["LOINC:2093-3"].terms) == ("mmol/L", ("LOINC:2093-3",))
    assert known["HP:0001250"].label == "Seizure"
    values, problems, codes, _ = read_all(tmp_path)
    assert values == {
        "id": ["A", "B"],
        "sex": ["FEMALE", None],
        "age": [40.5, 7.0],
        "HP:0001250": [True, None],
        "HP:0004322": [False, None],
        "MONDO:0005148": [True, None],
        "LOINC:2093-3": [5.2, None],
        "LOINC:8462-4": [90.0, None],
        "LOINC:2093-3 mg/dL": [None, 180.0],
    }
    assert codes == {"sex": [None, "UNKNOWN_SEX"]}
    assert not problems


def test_measurements_over_time_are_visits(tmp_path):
    person = packet(
        "A", measured=[quantity(5.2, "mmol/L", day="2020-01-05"), quantity(4.9, "mmol/L", day="2021-01-05")]
    )
    person.subject.date_of_birth.FromJsonString("1980-01-05T00:00:00Z")
    values, *_ = read_all(written(tmp_path / "p.json", MessageToJson(person)))
    assert values["visit"] == [None, "2020-01-05T00:00:00Z", "2021-01-05T00:00:00Z"]
    assert values["LOINC:2093-3"] == [None, 5.2, 4.9]
    assert values["age"] == pytest.approx([40.5, 40, 41], abs=0.01)


def test_categories_and_complex_values(tmp_path):
    blood = pp.Measurement(
        assay=term("LOINC:883-9", "ABO group"), value=pp.Value(ontology_class=term("NCIT:C76251", "group A"))
    )
    pressure = pp.Measurement(
        assay=term("LOINC:85354-9", "Blood pressure"),
        complex_value=pp.ComplexValue(
            typed_quantities=[
                pp.TypedQuantity(
                    type=term("NCIT:C25298", "Systolic"),
                    quantity=pp.Quantity(unit=term("UCUM:mm[Hg]", "mmHg"), value=120),
                )
            ]
        ),
    )
    values, *_ = read_all(
        written(tmp_path / "p.json", MessageToJson(packet("A", measured=[blood, pressure])))
    )
    assert values["LOINC:883-9"] == ["NCIT:C76251"]
    assert values["LOINC:85354-9 NCIT:C25298"] == [120.0]


def test_a_second_value_at_one_time_is_told(tmp_path):
    person = packet("A", measured=[quantity(5.2, "mmol/L"), quantity(9.9, "mmol/L")])
    values, problems, _, _ = read_all(written(tmp_path / "p.json", MessageToJson(person)))
    assert values["LOINC:2093-3"] == [5.2]
    assert told(problems) == [("LOINC:2093-3", "a second value of one measurement at one time", [1])]


def test_lines_arrays_families_snake_case_and_packing(tmp_path):
    people = [packet(name) for name in "AB"]
    lines = "\n".join(MessageToJson(p, indent=None) for p in people)
    array = "[" + ",".join(MessageToJson(p) for p in people) + "]"
    family = pp.Family(id="f", proband=people[0], relatives=[people[1]])
    snake = MessageToJson(people[0], preserving_proto_field_name=True)
    cases = {"lines": lines, "array": array, "family": MessageToJson(family)}
    for name, text in cases.items():
        assert read_all(written(tmp_path / f"{name}.json", text))[0]["id"] == ["A", "B"]
    assert read_all(written(tmp_path / "snake.json", snake))[0]["age"] == [40.5]
    assert read_all(written(tmp_path / "l.json.gz", gzip.compress(lines.encode())))[0]["id"] == ["A", "B"]


def test_what_is_not_read_is_told(tmp_path):
    person = packet("A")
    person.biosamples.add(id="sample")
    _, _, _, notes = read_all(written(tmp_path / "p.json", MessageToJson(person)))
    assert notes == ["1 phenopackets hold biosamples, which are not read."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"subject": {"id": "A"}, "metaData": {"phenopacketSchemaVersion": "1.0"}}', "schema version 1.0"),
        ('{"subject": {"sex": "MALE"}}', "packet 1: a packet without a subject's id"),
        (
            '{"subject": {"id": "A"}, "measurements": [{"assay": 5}]}',
            "a structure that the schema does not have",
        ),
        ('{"subject": {"id": "A"}}\n{"subject": ', "line 2: no whole JSON"),
        ("[]", "no whole|no phenopacket|one column|a header and no rows"),
    ],
)
def test_what_is_no_phenopacket_is_refused(tmp_path, text, said):
    with pytest.raises(FormatError, match=said):
        read_all(written(tmp_path / "p.json", text))
