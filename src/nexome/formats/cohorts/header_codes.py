"""Keys of codes that stand in headers: `Sex (1=M 2=F)`, `性别（1男 2女）`, `吸烟[0:从不;1:已戒;2:吸烟]`.

Says which code has which label in the header's own words, at least two of them. What labels mean (a sex,
yes and no, no answer) is the business of ingest.cohorts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_ZH: Final = r"\u3400-\u9fff"
_BRACKETED: Final = re.compile(r"^(.*?)\s*[(\[【{<]\s*(.*?)\s*[)\]】}>]\s*$")
_BARE: Final = re.compile(rf"^(\D*?[^\s:,_\d])[\s:,_]*(-?\d\s*(?:=|[{_ZH}]).*)$")  # 性别:1=男,2=女
_CODE: Final = r"-?\d{1,4}|[A-Za-z]{1,3}"
_SAID: Final = re.compile(rf"({_CODE})\s*[=:]\s*(\S.*)")  # 1=male
_JOINED: Final = re.compile(rf"(-?\d{{1,4}})\s*[-.]?\s*([{_ZH}][^=:]*)")  # 1男, 1-男
_TURNED: Final = re.compile(r"([^=:\d]*[^=:\d\s])\s*[=:]?\s*(-?\d{1,4})")  # 男=1, 男1
_BETWEEN: Final = re.compile(
    rf"\s*[;,|/、]\s*|\s+(?=(?:{_CODE})\s*[=:])|(?<=[{_ZH}])\s*(?=-?\d+\s*[-.=:]?\s*[{_ZH}])|(?<=[{_ZH}])\s+(?=\d)"
)
_BETWEEN_TURNED: Final = re.compile(r"\s*[;,|/、]\s*|(?<=\d)\s*(?=[^\d\s=:;,|/、])")
_LISTED: Final = re.compile(r"(\d)\s*[、)]\s*(?=[^\d\s])")  # 1、男 2、女
_LONGEST: Final = 60

Codes = tuple[tuple[str, str], ...]


def codes_of_header(header: str) -> tuple[str, Codes]:
    """A header as (name, codes with their labels); no codes where there is no key of at least two.

    >>> codes_of_header("Sex (1=M 2=F)"), codes_of_header("性别（1男 2女）")
    (('Sex', (('1', 'M'), ('2', 'F'))), ('性别', (('1', '男'), ('2', '女'))))
    >>> codes_of_header("Glucose (2 h)")
    ('Glucose (2 h)', ())
    """
    plain = unicodedata.normalize("NFKC", header).strip()
    m = _BRACKETED.match(plain) or _BARE.match(plain)
    codes = _codes(m[2]) if m and m[1].strip() else ()
    return (m[1].strip(), codes) if m and codes else (header, ())


def _codes(text: str) -> Codes:
    """The pairs of a key; nothing unless all of it is pairs, and no code stands twice."""
    listed = _LISTED.sub(r"\1=", text)
    pieces, turned = (pattern.split(listed) for pattern in (_BETWEEN, _BETWEEN_TURNED))
    for pairs in (_pairs(pieces, (_SAID, _JOINED)), _swapped(_pairs(turned, (_TURNED,)))):
        if len(pairs) > 1 and len({code for code, _ in pairs}) == len(pairs):
            return pairs
    return ()


def _pairs(pieces: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> Codes:
    found = []
    for piece in filter(None, pieces):
        m = next(filter(None, (pattern.fullmatch(piece) for pattern in patterns)), None)
        if m is None or len(m[2]) > _LONGEST:
            return ()
        found.append((m[1], m[2].strip()))
    numbers = [label for _, label in found if label.lstrip("-").isdigit()]
    return () if len(numbers) == len(found) and patterns[0] is _SAID else tuple(found)  # M=1 F=2 is turned


def _swapped(pairs: Codes) -> Codes:
    return tuple((code, label) for label, code in pairs)
