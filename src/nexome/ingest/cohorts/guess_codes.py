"""Codes as a column's header names them, `Sex (1=M 2=F)`, laid over what the values say.

The header is believed where the values are such codes. What else stands among them is told, and made no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from nexome.ingest.cohorts.guess_values import Guess, Sureness, ValueGuess
from nexome.ingest.cohorts.profile import Profile
from nexome.ingest.cohorts.words import CHINESE, FEMALE, MALE, NO_ANSWER, NO_WORDS, YES_WORDS, plain
from nexome.model.cohorts import Category

_MOST_CODES: Final = 0.9  # the share of a column's values that must be codes of the header
_KINDS: Final = frozenset({"category", "boolean", "integer", "text"})
_WORDS: Final = (
    (MALE, "male", "男"),
    (FEMALE, "female", "女"),
    (YES_WORDS, "yes", "是"),
    (NO_WORDS, "no", "否"),
)


def with_header_codes(column: Profile, guess: ValueGuess, codes: Sequence[tuple[str, str]]) -> ValueGuess:
    """The guess with the codes (code, label) of the header; as it is where the values are no such codes."""
    if not codes or guess.type not in _KINDS:
        return guess
    named = categories_of(codes)
    known = {c.code for c in named}
    others = tuple(c for c in guess.categories if c.code not in known)
    values = np.array([_code(v) for v in column.values], str)
    nothing = column.nothing | np.isin(values, [c.code for c in others if c.missing])
    filled = column.share(~nothing)
    strays = ~nothing & ~np.isin(values, sorted(known))
    share = 1 - column.share(strays) / filled if filled else 0.0
    if share < _MOST_CODES and (guess.type != "category" or share == 0):
        return guess
    if guess.type == "boolean" and {c.code: c.label for c in named} == {"0": "no", "1": "yes"}:
        return replace(guess, guesses=(_told(column, "type", "boolean", "sure"), *_kept(guess)))
    here = {c.code for c in others}
    unknown = int(column.counts[strays & ~np.isin(values, sorted(here))].sum())
    shown = ", ".join(f"{c.code} = {label}" for c, (_, label) in zip(named, codes, strict=True))
    told = _told(column, "categories", shown, "unsure" if unknown else "sure", unknown)
    kind = _told(column, "type", "category", "sure")
    return ValueGuess("category", (*named, *others), (kind, told, *_kept(guess)))


def categories_of(codes: Sequence[tuple[str, str]]) -> tuple[Category, ...]:
    """Codes with labels in the language they stand in; sexes, yes and no, and no answer in both.

    >>> categories_of([("1", "M"), ("2", "F")])[0]
    Category(code='1', label='male', label_zh='男', missing=False)
    """
    words = {plain(label) for _, label in codes if plain(label) not in NO_ANSWER}
    both = words <= MALE | FEMALE or words <= YES_WORDS | NO_WORDS
    return tuple(Category(code, *_labels(label, both=both)) for code, label in codes)


def _labels(label: str, *, both: bool) -> tuple[str, str, bool]:
    word = plain(label)
    if word in NO_ANSWER:
        return (*NO_ANSWER[word], True)
    if both:
        english, chinese = next((e, z) for known, e, z in _WORDS if word in known)
        return english, chinese, False
    return ("", label, False) if CHINESE.search(label) else (label, "", False)


def _code(value: str) -> str:
    """A cell as codes are written: 1.0 is 1."""
    short = plain(value).removesuffix(".0")
    return short if short.lstrip("-").isdigit() else value


def _kept(guess: ValueGuess) -> list[Guess]:
    """What was guessed beside the type and its codes."""
    return [g for g in guess.guesses if g.what not in {"type", "categories"}]


def _told(column: Profile, what: str, value: str, sureness: Sureness, unknown: int = 0) -> Guess:
    why = "the header names the codes"
    why_zh = "列名中写明了编码"
    if unknown:
        why += f", but {unknown} cells hold others"
        why_zh += f"，但有 {unknown} 个单元格是其他取值"
    return Guess(column.name, what, value, why, why_zh, sureness)
