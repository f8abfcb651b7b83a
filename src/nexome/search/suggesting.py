"""Completing what is typed: names that begin as an unfinished text, in either language or in pinyin.

The heaviest of a beginning are taken a few at a time, and of very many no more than the first thousands:
what is typed next tells them apart better than any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.search.asking import WORDED
from nexome.search.opened import Opened
from nexome.search.records import Suggestion
from nexome.search.text import words
from nexome.search.variants import plain_id

Bools = npt.NDArray[np.bool_]

_TAKEN: Final = (64, 512, 4_096)  # heaviest of a beginning that are looked at, while there are too few


def suggestions(opened: Opened, text: str, allowed: Bools | None, *, limit: int) -> list[Suggestion]:
    """Names that begin as the text, the most used first; then names that have its words."""
    found: dict[int, Suggestion] = {}
    shown: set[str] = set()
    for name in _beginning(opened, words(text), text, allowed):
        record = int(opened.record_of[name])
        if record in found or (allowed is not None and not allowed[record]):
            continue
        made = _suggestion(opened, record, name)
        if made.name.casefold() not in shown:
            shown.add(made.name.casefold())
            found[record] = made
        if len(found) == limit:
            break
    return list(found.values())


def _beginning(opened: Opened, tokens: list[str], text: str, allowed: Bools | None) -> Iterator[int]:
    """Names whose keys begin as an unfinished text; then those that have its words."""
    if not tokens:
        return
    unfinished = text[-1:].isalnum() and tokens[-1].isdigit()
    key = " ".join(tokens)
    for beginning in dict.fromkeys([key, text.casefold().strip()] if unfinished else [key]):
        yield from _heaviest(opened, beginning, allowed)
    yield from opened.lexical.sharing(tokens, most=WORDED, unfinished=True).names.tolist()


def _heaviest(opened: Opened, beginning: str, allowed: Bools | None) -> Iterator[int]:
    low, high = opened.keys.range_of(beginning)
    among = None if allowed is None else (opened.record_of, allowed)
    told = 0
    for most in _TAKEN:
        places = opened.keys.heaviest(low, high, most, among)
        yield from opened.keys.owner[places[told:]].tolist()
        told = len(places)
        if told < most:
            return


def _suggestion(opened: Opened, record: int, name: int) -> Suggestion:
    row, text = opened.row(record), opened.name_text(name)
    own, note = plain_id(row["kind"], row["id"]), row["note"] or ""
    return Suggestion(row["kind"], own, text, row["label"], row["label_zh"], note, row["weight"])
