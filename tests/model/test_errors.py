"""The tree of errors, as drawn at the top of the module."""

import inspect

import pytest

from nexome.model import errors

LEAVES = [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, errors.NexomeError)]


def test_every_error_stands_in_the_drawing():
    assert [e.__name__ for e in LEAVES if e.__name__ not in (errors.__doc__ or "")] == []


def test_codes_are_unique():
    assert len({e.code for e in LEAVES}) == len(LEAVES)


def test_message_says_where_what_expected_and_what_to_do():
    error = errors.FormatError("4 columns", where="a.tsv, line 7", expected="5", todo="Mend the line.")
    assert str(error) == "a.tsv, line 7: 4 columns; expected 5. Mend the line."
    assert str(error.at("manifest.tsv")).startswith("manifest.tsv, a.tsv, line 7: ")


def test_refusal_carries_its_reason():
    refused = errors.RefusedError("study closed", reason="private")
    assert refused.as_dict()["reason"] == "private"
    with pytest.raises(PermissionError):
        raise refused
