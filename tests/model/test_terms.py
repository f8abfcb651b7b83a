"""Studies and traits: identifiers are safe as folder names, and records survive JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import InputError
from nexome.model.terms import Study, Trait, check_identifier


@given(st.text(max_size=120))
def test_an_accepted_identifier_is_one_plain_path_part(text: str):
    try:
        check_identifier(text)
    except InputError:
        return
    assert text.isascii()
    assert "/" not in text
    assert ".." not in text
    assert not text.startswith(".")


def test_study_survives_json():
    trait = Trait("height", "Height", "身高", ("EFO:0004339",), n=1000.0)
    study = Study("S1", title="A", access="open", effect_scale="linear", traits=(trait,))
    assert Study.from_dict(json.loads(json.dumps(study.as_dict()))) == study


@pytest.mark.parametrize(
    "change", [{"access": "public"}, {"effect_scale": "beta"}, {"feature_kind": "snp"}, {"id": "../x"}]
)
def test_a_word_out_of_the_list_is_refused(change: dict[str, str]):
    with pytest.raises(InputError):
        Study(**({"id": "S1"} | change))


def test_unknown_fields_are_named():
    with pytest.raises(InputError, match="colour"):
        Study.from_dict({"id": "S1", "colour": "red"})
