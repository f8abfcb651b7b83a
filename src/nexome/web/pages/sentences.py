"""What errors say, in the reader's language: patterns of English sentences and their translations.

Errors are raised in English, with their facts filled in (model.errors). `web/locale/sentences/<code>.toml`
holds, for a language, each sentence with {names} where the facts stand, and the same in that language.
A sentence without a translation stays English, and says so, that it be marked and read out as English.
A test reads the sources of what pages can meet, and holds that each sentence there has its translation.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

_NAME: Final = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it is shown; `english`: it is English on a page of another language."""

    text: str
    english: bool = False


def translate(text: str, code: str) -> Sentence:
    """A sentence of an error in a language.

    >>> translate("no study 'X'", "zh").text
    "没有研究 'X'"
    >>> translate("something new", "zh")
    Sentence(text='something new', english=True)
    """
    if not text or code == "en":
        return Sentence(text)
    for pattern, translation in _patterns(code):
        if match := pattern.fullmatch(text):
            return Sentence(translation.format(**match.groupdict()))
    return Sentence(text, english=True)


@cache
def _patterns(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns of a language, those with most words of their own first."""
    file = resources.files("nexome.web") / "locale" / "sentences" / f"{code}.toml"
    if not file.is_file():
        return ()
    table: Mapping[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    ordered = sorted(table, key=lambda s: -len(re.sub(r"\{\w+\}", "", s)))
    return tuple((_pattern(sentence), table[sentence]) for sentence in ordered)


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(_NAME.sub(r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL)
