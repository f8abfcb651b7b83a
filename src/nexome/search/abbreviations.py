"""What an abbreviation means beside other words: readings come from the loaded names, the words choose.

A reading of LF is a term that has LF as a name, or a name written "Long Form (LF)" or "LF - Long Form", or,
among terms near in meaning to the other words, a name with these initials. Nothing is listed by hand. Each
reading's fit is the likeness of the other words to its names, with a little for the kind of the name and for
usage; the share of a fit among all says how sure the reading is. Without other words nothing is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from nexome.search.text import is_han, words

if TYPE_CHECKING:
    from nexome.search.index import Scope, SearchIndex

Floats = npt.NDArray[np.float32]

_SHORT: Final = re.compile(
    r"(?<![A-Za-z0-9\-])(?=[A-Za-z0-9]*[A-Z][A-Za-z0-9]*[A-Z])[A-Za-z][A-Za-z0-9]{1,5}(?![A-Za-z0-9])"
)
_LATIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_WORD: Final = re.compile(r"[^\W_]+")
_PASSED: Final = frozenset(
    {"a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"}
)
_TERMS: Final = frozenset({"term"})
_TEMPERATURE: Final = 0.08  # of the shares of fits: a lead of 0.1 makes a reading three times as sure
_FITS: Final = 0.3  # less is no reading of this text
_KIND: Final = 0.1  # what the name's kind adds to a fit
_KNOWN: Final = 0.05  # for how many things go by the long form: one that many vocabularies have is common
_USAGE: Final = 0.02
_BELOW: Final = 50  # terms below a reading that are compared


class Reading(NamedTuple):
    """What an abbreviation may stand for: a record, the words written out, the fit to the text, its share."""

    record: int
    written_out: str
    fit: float
    share: float


class SpelledOut(NamedTuple):
    """A text with an abbreviation written out, and how sure that reading is (0–1)."""

    text: str
    share: float


def is_short(text: str) -> bool:
    """Whether a text is an abbreviation by its looks: one word of 2 to 6 letters, two of them capitals."""
    return _SHORT.fullmatch(text) is not None


def spelled_out(index: SearchIndex, text: str, scope: Scope, *, around: str = "") -> SpelledOut | None:
    """A text with its first abbreviation that has a reading written out; None where it has none to choose.

    `around`: words beside the text that help to choose.
    """
    found = list(_SHORT.finditer(text))
    if not found or (text.isupper() and len(_LATIN.findall(text)) > 1):  # a text all in capitals
        return None
    for match in found:
        others = f"{text[: match.start()]} {text[match.end() :]} {around}"
        readings = read(index, match[0], others, scope)
        if readings and readings[0].fit >= _FITS:
            best = readings[0]
            whole = f"{text[: match.start()]}{best.written_out}{text[match.end() :]}"
            return SpelledOut(whole, best.share)
    return None


def read(index: SearchIndex, short: str, others: str, scope: Scope) -> list[Reading]:
    """The readings of an abbreviation beside other words, best first; none where there are no other words."""
    if not words(others):
        return []
    scope = replace(scope, kinds=_TERMS, vocabularies=None, ids=None)
    vector = index.encoder.encode([others])[0]
    near = {
        *index.near(vector, scope).tolist(),
        *index.record_of[index.names_sharing(others, scope)].tolist(),
    }
    known = {
        **_by_initials(index, short, near),
        **_written_beside(index, short, scope),
        **_by_name(index, short, scope),
    }
    if not known:
        return []
    records = np.array(sorted(known), np.int64)
    fits = np.array([_fit(index, vector, (r, *known[r]), scope) for r in records.tolist()], np.float32)
    shares = np.exp((fits - fits.max()) / _TEMPERATURE)
    shares /= np.maximum(_of_all(index, [known[int(r)][0] for r in records], records, shares), 1e-6)
    made = [
        Reading(r, known[r][0], float(f), float(s))
        for r, f, s in zip(records.tolist(), fits, shares, strict=True)
    ]
    return sorted(made, key=lambda reading: -reading.fit)


def _fit(index: SearchIndex, vector: Floats, known: tuple[int, str, float], scope: Scope) -> float:
    """How well the other words fit a term: likeness to it or what lies below it, and how well known it is."""
    record, written_out, worth = known
    around = np.union1d(index.relations["below"].of(record)[:_BELOW], [record]).astype(np.int64)
    likeness = float(index.likeness(vector, around).max())
    named = len(index.named(" ".join(words(written_out)), scope))
    usual = _KNOWN * float(np.log1p(named)) + _USAGE * float(index.usage[record])
    return likeness + _KIND * worth + usual


def _of_all(index: SearchIndex, texts: list[str], records: npt.NDArray[np.int64], shares: Floats) -> Floats:
    """For each reading the sum of all shares; readings that mean the same count once, by the greatest."""
    equal = index.relations["equal"]
    meant: dict[str, float] = {}
    same = {record: " ".join(words(text)) for record, text in zip(records.tolist(), texts, strict=True)}
    for record in sorted(same):
        first = min((same[o] for o in equal.of(record).tolist() if o in same), default=same[record])
        same[record] = min(first, same[record])
    for record, share in zip(records.tolist(), shares.tolist(), strict=True):
        meant[same[record]] = max(share, meant.get(same[record], 0.0))
    whole = sum(meant.values())
    best = [meant[same[record]] for record in records.tolist()]
    return np.array([whole - b + s for b, s in zip(best, shares.tolist(), strict=True)], np.float32)


def _by_name(index: SearchIndex, short: str, scope: Scope) -> dict[int, tuple[str, float]]:
    """Terms that have the abbreviation as a name, written so."""
    names = index.named(" ".join(words(short)), scope)
    same = [n for n in names if index.name_text(n) == short]
    written = same or [n for n in names if index.name_text(n).casefold() == short.casefold()]
    return {int(index.record_of[n]): (index.label(int(index.record_of[n])), 1.0) for n in written}


def _written_beside(index: SearchIndex, short: str, scope: Scope) -> dict[int, tuple[str, float]]:
    """Terms with a name that holds the abbreviation beside its long form."""
    mark = re.escape(short)
    beside = re.compile(
        rf"(?P<a>.{{4,}}?)\s*[(（]{mark}[)）].*|{mark}\s+-\s+(?P<b>.{{4,}})|(?P<c>.{{4,}})\s+-\s+{mark}|{mark}\s*[(（](?P<d>.{{4,}})[)）]"
    )
    found = {}
    for name in index.names_sharing(short, scope):
        if match := beside.fullmatch(index.name_text(name)):
            found[int(index.record_of[name])] = (next(filter(None, match.groups())).strip(), 0.8)
    return found


def _by_initials(index: SearchIndex, short: str, near: Iterable[int]) -> dict[int, tuple[str, float]]:
    """Of terms near in meaning those with a name that has these initials."""
    found = {}
    for record in near:
        for name in index.names_of(record):
            text = index.name_text(name)
            if not is_han(text) and _initials(text) == short.casefold():
                found[record] = (text, 0.5)
                break
    return found


def _initials(text: str) -> str:
    return "".join(word[0] for word in _WORD.findall(text.casefold()) if word not in _PASSED)
