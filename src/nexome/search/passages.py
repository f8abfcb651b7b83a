"""Concepts inside a text: a clinical note, the header of a file; where each stands and whether it is denied.

Names of terms are found first, the longest at each place: in English word by word (the last one in the
singular too), in Chinese character by character, so that the loaded names are the dictionary that segments.
What is left of a clause is asked by its meaning, and kept only where that is surer than `SURE`. A name of
capitals (ALL, HIS) is found where the text writes capitals too; of several readings the words around choose.
Words that deny, and relatives, are read by `search.cues`. Times, doubts, doses and relations are not read.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from nexome.search.abbreviations import is_short
from nexome.search.cues import Cues, Reach, sentences
from nexome.search.index import EVERYTHING, Scope, SearchIndex
from nexome.search.records import Match, Normalised
from nexome.search.text import Unit, key_of, units

LONGEST_NOTE: Final = 100_000  # characters of a text that are read
SURE: Final = 0.7  # sureness of what is found by meaning alone, from which on it is told
_LONGEST_NAME: Final = 24  # units of a name that are compared
_LONGEST_REST: Final = 6  # words of what is asked by meaning: more are no name of anything
_LONGEST_REST_ZH: Final = 12
_AROUND: Final = 200  # characters on either side that choose between readings, at most
_MOST_READ: Final = 1_000  # abbreviations of a text that are read by the words around them
_FEW: Final = 12  # characters of a sentence that choose nothing: then those beside it do
_SHORTEST: Final = 4  # letters of a single word that is asked by meaning
_BREAKS: Final = re.compile(r"[^\s\-\u2010-\u2013/'\u2019]")
_FUNCTION_WORDS: Final = """
a about after again all also am an and any are as at be because been before being both but by can could
did do does due during each few for from further had has have having he her here him his how if in into
is it its may more most my no nor not of off on only or other our out over own per same she should since
so some such than that the their them then there these they this those through to too under until up very
was we were what when where which while who whom why will with without would you your
"""
_FUNCTION: Final = frozenset(_FUNCTION_WORDS.split())
_FUNCTION_ZH: Final = frozenset("的了和及与或有无并伴于在为是被等史者约后前时因予给年月日天周次余患其行示")


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept in a text: from character `start` to before `end`, what it means, and how it is said.

    `match.why` says how it was found, `match.sureness` how sure; `alternatives` are its other readings.
    `negated`: said not to be so; `family`: said of a relative.
    """

    start: int
    end: int
    text: str
    match: Match
    alternatives: tuple[Match, ...]
    negated: bool
    family: bool


def annotate(
    index: SearchIndex, text: str, scope: Scope = EVERYTHING, *, sure: float = SURE, limit: int = 4
) -> list[Mention]:
    """The concepts of a text, in their order; each place belongs to one. At most `limit` − 1 alternatives."""
    text = text[:LONGEST_NOTE]
    whole = units(text)
    plain = _plain(text, whole)
    reaches = sentences(text)
    starts = [unit.start for unit in whole]
    parts = [whole[bisect_left(starts, low) : bisect_left(starts, high)] for low, high in reaches]
    named = [span for part in parts for span in _names(index, text, part, scope)]
    cues = Cues(plain, reaches, [(span[0].start, span[-1].end) for span in named])
    taken = bytearray(len(text))
    for start, end in (*((s[0].start, s[-1].end) for s in named), *cues.cues):
        taken[start:end] = b"\x01" * (end - start)
    rest = [span for part in parts for span in _rest(text, part, taken)]
    asked = [*((span, False) for span in named), *((span, True) for span in rest)]
    answers = _ask(index, text, ([span for span, _ in asked], reaches), scope, limit=limit)
    found: list[Mention] = []
    for (span, by_meaning), answer in zip(asked, answers, strict=True):
        best = answer.best
        start, end = span[0].start, span[-1].end
        short = is_short(text[start:end])
        if best is None or (
            by_meaning and best.sureness < sure and not (short and best.why == "abbreviation")
        ):
            continue
        if by_meaning and any(told.start <= start and end <= told.end for told in found):
            continue  # the run that it is a piece of was told
        said = (cues.denied(start, end), cues.of_family(start, end))
        found.append(Mention(start, end, text[start:end], best, tuple(answer.matches[1:]), *said))
    return sorted(found, key=lambda mention: mention.start)


def _ask(
    index: SearchIndex, text: str, spans: tuple[list[list[Unit]], list[Reach]], scope: Scope, *, limit: int
) -> list[Normalised]:
    """What each span means, equal ones asked once; abbreviations together with the words around them."""
    questions, read = [], 0
    for span in spans[0]:
        start, end = span[0].start, span[-1].end
        read += is_short(text[start:end])
        short = is_short(text[start:end]) and read <= _MOST_READ
        questions.append((text[start:end], _around(text, start, end, spans[1]) if short else ""))
    asked = list(dict.fromkeys(questions))
    told = index.normalise([q for q, _ in asked], scope, limit=limit, around=[a for _, a in asked])
    answers = dict(zip(asked, told, strict=True))
    return [answers[question] for question in questions]


def _around(text: str, start: int, end: int, reaches: Sequence[Reach]) -> str:
    """The words beside a span: of its sentence, or of more where that has few."""
    low, high = reaches[bisect_right(reaches, start, key=itemgetter(0)) - 1]
    if high - low - (end - start) < _FEW:
        low, high = low - _AROUND, high + _AROUND
    low, high = max(low, start - _AROUND, 0), min(high, end + _AROUND)
    return f"{text[low:start]} {text[end:high]}"


def _plain(text: str, whole: Sequence[Unit]) -> str:
    """The text in lower case, Chinese simplified, every character at its place."""
    plain = [low if len(low := c.lower()) == 1 else c for c in text]
    for unit in whole:
        if unit.is_han:
            plain[unit.start] = unit.words[0]
    return "".join(plain)


def _names(index: SearchIndex, text: str, part: Sequence[Unit], scope: Scope) -> Iterator[list[Unit]]:
    """The longest names of a sentence, from left to right."""
    at = 0
    while at < len(part):
        size = _longest(index, text, part[at : at + _LONGEST_NAME], scope)
        if size:
            yield list(part[at : at + size])
        at += size or 1


def _longest(index: SearchIndex, text: str, ahead: Sequence[Unit], scope: Scope) -> int:
    """How many units from here on are a name; 0 for none."""
    longest = 0
    for size in range(1, len(ahead) + 1):
        key = key_of(ahead[:size])
        written = text[ahead[0].start : ahead[size - 1].end]
        if any(_is_name(index, written, form, scope) for form in (key, _singular(key))):
            longest = size
        low, high = index.keys.range_of(key)
        if low == high:
            break
    return longest


def _is_name(index: SearchIndex, written: str, key: str, scope: Scope) -> bool:
    if len(key) < 2 or key in _FUNCTION or key.replace(" ", "").isdigit():
        return False
    names = index.named(key, scope)
    return any(is_short(written) or not is_short(index.name_text(name)) for name in names)


def _singular(key: str) -> str:
    """A key whose last word may be a plural, with its singular; '' for others."""
    if len(key) < _SHORTEST or not key.endswith("s") or key.endswith(("ss", "us", "is")):
        return ""
    return key[:-3] + "y" if key.endswith("ies") else key[:-1]


def _rest(text: str, part: Sequence[Unit], taken: bytearray) -> Iterator[list[Unit]]:
    """Runs of a sentence that are in no name and no cue, between marks and words that mean nothing alone.

    A run with an abbreviation among its words comes before its pieces: the abbreviation, what is beside it.
    """
    run: list[Unit] = []
    for unit in part:
        apart = bool(run) and _BREAKS.search(text, run[-1].end, unit.start) is not None
        dull = unit.words[0] in (_FUNCTION_ZH if unit.is_han else _FUNCTION)
        covered = any(taken[unit.start : unit.end])
        if run and (apart or dull or covered or unit.is_han != run[-1].is_han):
            yield from _pieces(text, run)
            run = []
        if not covered and not dull:
            run.append(unit)
        elif not covered and is_short(text[unit.start : unit.end]):
            yield [unit]
    yield from _pieces(text, run)


def _pieces(text: str, run: list[Unit]) -> Iterator[list[Unit]]:
    """A run, as far as it is worth asking; where it has abbreviations, they and its other words too."""
    short = [is_short(text[unit.start : unit.end]) for unit in run]
    if not all(short):
        yield from _worth_asking(run)
    if any(short):
        for alone, group in groupby(zip(short, run, strict=True), key=itemgetter(0)):
            piece = [unit for _, unit in group]
            yield from ([unit] for unit in piece) if alone else _worth_asking(piece)


def _worth_asking(run: list[Unit]) -> Iterator[list[Unit]]:
    if not run or len(run) > (_LONGEST_REST_ZH if run[0].is_han else _LONGEST_REST):
        return
    letters = "".join(word for unit in run for word in unit.words if not word.isdigit())
    if len(letters) >= (2 if run[0].is_han else _SHORTEST):
        yield run
