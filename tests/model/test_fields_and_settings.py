"""Every field and setting has a meaning in both languages; settings are checked."""

from dataclasses import fields

import pytest

from nexome.model.errors import SettingsError
from nexome.model.fields import FIELDS, schema_of
from nexome.model.settings import Settings


def test_fields_speak_both_languages():
    for field in FIELDS.values():
        assert all((field.title_en, field.title_zh, field.meaning_en, field.meaning_zh, field.missing))
        assert schema_of([field.name]).field(0).metadata[b"meaning"].decode() == field.meaning_en


def test_settings_speak_both_languages():
    assert [f.name for f in fields(Settings) if not (f.metadata["en"] and f.metadata["zh"])] == []


def test_text_is_read_as_the_settings_type():
    assert Settings.from_mapping({"port": "80"}).port == 80


@pytest.mark.parametrize("values", [{"prot": 1}, {"port": "eighty"}])
def test_a_wrong_setting_names_itself(values: dict[str, object]):
    with pytest.raises(SettingsError, match=next(iter(values))):
        Settings.from_mapping(values, where="nexome.toml")
