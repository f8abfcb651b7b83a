"""Whose consent permits a purpose: codes of the Data Use Ontology (DUO, 2022) against those of a project.

A consent names what it permits, and what it asks of users. A project names its purpose, and with it what
it fulfils. A consent of several permissions permits what any of them does.

    consent                                permits a project with the purpose
    DUO:0000004 no restriction             any
    DUO:0000042 general research use       any research: 0000042, 0000006, 0000007, 0000011
    DUO:0000006 health, medical, biomedical   0000006, 0000007
    DUO:0000007 disease specific           0000007, with the same disease (a MONDO or other term beside it)
    DUO:0000011 ancestry research          0000011
    DUO:0000043 clinical care              0000043
    any other code (non-profit use, ethics approval, …)   only where the project names it too

People without a code of their own are under those of the whole cohort; where neither has one, the owner's
grant decides. A reader without a project asks under general research use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

NO_RESTRICTION: Final = "DUO:0000004"
GENERAL_RESEARCH: Final = "DUO:0000042"
HEALTH: Final = "DUO:0000006"
DISEASE: Final = "DUO:0000007"
ANCESTRY: Final = "DUO:0000011"
CLINICAL_CARE: Final = "DUO:0000043"

_RESEARCH: Final = frozenset({GENERAL_RESEARCH, HEALTH, DISEASE, ANCESTRY})
_PERMITTED: Final = {
    NO_RESTRICTION: _RESEARCH | {CLINICAL_CARE, NO_RESTRICTION},
    GENERAL_RESEARCH: _RESEARCH,
    HEALTH: frozenset({HEALTH, DISEASE}),
    DISEASE: frozenset({DISEASE}),
    ANCESTRY: frozenset({ANCESTRY}),
    CLINICAL_CARE: frozenset({CLINICAL_CARE}),
}
_CODE: Final = re.compile(r"[A-Za-z][\w.]*[:_]\w+")


def read_codes(text: str) -> tuple[str, ...]:
    """Codes in a text, however they are parted: 'DUO:0000042; DUO_0000018' gives two."""
    found = (code.replace("_", ":", 1) for code in _CODE.findall(text))
    return tuple(
        dict.fromkeys(f"{prefix.upper()}:{rest}" for prefix, _, rest in (c.partition(":") for c in found))
    )


def permits(consent: Iterable[str], purposes: Iterable[str]) -> bool:
    """Whether a consent with these codes permits a project with those."""
    codes, wanted = frozenset(consent), frozenset(purposes) or {GENERAL_RESEARCH}
    if not codes:
        return True
    permissions = codes & _PERMITTED.keys()
    diseases = {code for code in codes if not code.startswith("DUO:")}
    asked = wanted & (_RESEARCH | {CLINICAL_CARE, NO_RESTRICTION}) or {GENERAL_RESEARCH}
    if not permissions or not all(any(one in _PERMITTED[p] for p in permissions) for one in asked):
        return False
    only_disease = DISEASE in permissions and not permissions & {NO_RESTRICTION, GENERAL_RESEARCH, HEALTH}
    if only_disease and not (diseases and {c for c in wanted if not c.startswith("DUO:")} <= diseases):
        return False
    return codes - permissions - diseases <= wanted
