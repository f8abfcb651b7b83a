"""Consent against purpose, by table."""

import pytest

from nexome.access.disclosure.consent import permits, read_codes

NRES, GRU, HMB, DS, POA, CC, NPU = (
    f"DUO:{code}" for code in ("0000004", "0000042", "0000006", "0000007", "0000011", "0000043", "0000018")
)
DIABETES, CANCER = "MONDO:0005015", "MONDO:0004992"


@pytest.mark.parametrize(
    ("consent", "purposes", "permitted"),
    [
        ((), (HMB,), True),
        ((NRES,), (CC,), True),
        ((GRU,), (HMB,), True),
        ((GRU,), (CC,), False),
        ((HMB,), (HMB,), True),
        ((HMB,), (GRU,), False),
        ((HMB,), (POA,), False),
        ((HMB,), (DS, DIABETES), True),
        ((DS, DIABETES), (DS, DIABETES), True),
        ((DS, DIABETES), (DS, CANCER), False),
        ((DS, DIABETES), (HMB,), False),
        ((POA,), (HMB,), False),
        ((GRU, NPU), (HMB,), False),
        ((GRU, NPU), (HMB, NPU), True),
        ((HMB, POA), (HMB, POA), True),
        ((HMB,), (), False),
        ((GRU,), (), True),
        ((NPU,), (NPU,), False),
    ],
)
def test_a_consent_permits_what_its_codes_say(consent, purposes, permitted):
    assert permits(consent, purposes) is permitted


@pytest.mark.parametrize(
    "text", ["DUO:0000042; DUO_0000018", "duo:0000042,DUO:0000018", "DUO:0000042|DUO:0000018 "]
)
def test_codes_are_read_however_they_are_written(text):
    assert read_codes(text) == (GRU, NPU)
