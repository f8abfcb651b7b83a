"""Which licences let others have the data too.

Only what is known to allow it counts: a source whose licence is unknown, or unclear, is shown here and
exported nowhere, unless its loader says that it may be. This is a guard, no legal advice.
"""

from __future__ import annotations

import re
from typing import Final

from nexome.model.terms import Access

_OPEN: Final = re.compile(
    r"\bCC0\b|publicdomain/zero|\bCC[ -]BY(?:[ -]SA)?(?:[ -]\d\.\d)?(?![ -]N[CD])\b|licenses/by(?:-sa)?/"
    r"|public domain|\bODbL\b|\bODC-(?:By|ODbL)\b|\bMIT\b|\bApache-2\.0\b|\bBSD\b|\bPDDL\b",
    re.IGNORECASE,
)
_CLOSED: Final = re.compile(r"-N[CD]\b|\bBY[ -](?:NC|ND)|licenses/by-n[cd]|no redistribution", re.IGNORECASE)

_PRIVATE: Final = re.compile(r"\s*private\b", re.IGNORECASE)


def access_of_licence(licence: str) -> Access:
    """Who may see a source of which nobody said that: its owner alone where its licence begins 'private'.

    >>> access_of_licence("Private: of this hospital"), access_of_licence("CC BY 4.0")
    ('private', 'open')
    """
    return "private" if _PRIVATE.match(licence) else "open"


def allows_redistribution(licence: str) -> bool:
    """Whether a licence, by its name or address, is one that lets the data be passed on.

    >>> allows_redistribution("CC BY 4.0"), allows_redistribution("CC BY-NC 4.0"), allows_redistribution("")
    (True, False, False)
    """
    return bool(_OPEN.search(licence)) and not _CLOSED.search(licence)
