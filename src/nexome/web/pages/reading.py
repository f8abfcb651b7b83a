"""The page that reads a text: its concepts marked where they stand, or the concept of each name of a list.

The text comes by POST, so that it is in no address and no log; it is read through the View and kept nowhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from nexome.access.searching import WORTH_SHOWING, read_note
from nexome.model.errors import NexomeError, QueryError
from nexome.model.knowledge import PREFIXES
from nexome.search.answer_rows import write_mentions, write_normalised
from nexome.search.passages import LONGEST_NOTE, Mention
from nexome.search.records import Match, Normalised
from nexome.web.api.meaning import TEXTS_MAX
from nexome.web.pages.forms import Form, first
from nexome.web.pages.page import Ask, Card, Download, Page, card_of
from nexome.web.pages.ties import KINDS, kind_of

BYTES_MAX: Final = 12 * LONGEST_NOTE + 20_000  # a character is four bytes at most, each written as %XX
ROWS_MAX: Final = 1_000  # of the table; the file has all
WAYS: Final = ("note", "list")
USUAL: Final = ("HP", "MONDO", "NXDEMO")
"""Vocabularies chosen where nobody chose: with all of them *mother* and *year* are concepts too."""
_FIRST: Final = ("disease", "phenotype")  # kinds of vocabularies that are offered first
_ADDRESSES: Final = frozenset(("http", "https"))
_NAMES: Final = {prefix.preferred: prefix.name for prefix in PREFIXES}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A vocabulary to choose: prefix, name ('' where unknown), number of terms, whether it is chosen."""

    prefix: str
    name: str
    terms: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Concept:
    """A term: identifier, name in the reader's language and in the other, page, sureness 0–1."""

    id: str
    label: str
    other: str
    href: str
    sureness: str


@dataclass(frozen=True, slots=True)
class Row:
    """What was read: as written, the concept (None: not sure enough), why, other readings.

    `number` is the row's, from 1; `times` how often it stands in the text.
    """

    number: int
    text: str
    concept: Concept | None
    why: str
    others: tuple[Concept, ...]
    negated: bool = False
    family: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text; `row` is what it means, None for what stands between concepts."""

    text: str
    row: Row | None = None


@dataclass(frozen=True)
class Reading:
    """What was found: the pieces of a running text in their order (none for a list), rows, counts.

    `places`: mentions in the text, or names of the list; `settled`: names with a concept; `left`: rows
    that are not shown.
    """

    pieces: tuple[Piece, ...]
    rows: tuple[Row, ...]
    places: int
    settled: int
    left: int = 0


@dataclass(frozen=True)
class ReadPage(Page):
    """A form for a text, and what was read in it.

    `note` is the text as it was read; `way` note or list; `cut` says what was too long; `offered` are groups
    of vocabularies: the kind of things they name, and the vocabularies.
    """

    template: ClassVar[str] = "read.html"
    note: str
    way: str
    cut: str
    offered: Card[tuple[tuple[str, tuple[Vocabulary, ...]], ...]]
    reading: Card[Reading] | None
    first_kinds: tuple[str, ...] = _FIRST
    characters: int = LONGEST_NOTE
    names: int = TEXTS_MAX


def build_read(ask: Ask, *, form: Form | None = None) -> ReadPage | Download:
    """The page; with a form what was read, or the file of it. Raises QueryError for what cannot be chosen."""
    form = form or {}
    sent = first(form, "text").replace("\r\n", "\n")
    text = read_note(sent, LONGEST_NOTE)
    way = first(form, "way") or WAYS[0]
    if way not in WAYS:
        raise QueryError(f"way {way[:40]!r}", where="way", expected=" or ".join(WAYS))
    offered = card_of(lambda: _offered(ask, form))
    chosen = [v.prefix for _, group in offered.content or () for v in group if v.chosen]
    lines = text.rstrip().split("\n") if text.strip() else []
    if first(form, "file") and lines:
        return _file(ask, text, lines[:TEXTS_MAX] if way == "list" else None, chosen)
    reading = None
    if lines and offered.content:
        asked = lines[:TEXTS_MAX]
        reading = card_of(
            lambda: _listed(ask, asked, chosen) if way == "list" else _marked(ask, text, chosen)
        )
    return ReadPage(ask.t("read.title"), text, way, _cut(ask, sent, way, lines), offered, reading)


def read_href(ask: Ask) -> str:
    """Address of this page; '' where there is no index that could read."""
    try:
        return ask.href("read") if ask.view.searched_vocabularies() else ""
    except NexomeError:
        return ""


def _cut(ask: Ask, sent: str, way: str, lines: Sequence[str]) -> str:
    """What of a text was not read, in words; '' where all was."""
    told = []
    if len(sent) > LONGEST_NOTE:
        told.append(ask.t("read.cut", most=LONGEST_NOTE, n=len(sent)))
    if way == "list" and len(lines) > TEXTS_MAX:
        told.append(ask.t("read.cut_list", most=TEXTS_MAX, n=len(lines)))
    return " ".join(told)


def _offered(ask: Ask, form: Form) -> tuple[tuple[str, tuple[Vocabulary, ...]], ...]:
    """The vocabularies that are loaded, by what they name. Raises QueryError for a chosen one that is not."""
    loaded = {p: n for p, n in ask.view.searched_vocabularies().items() if p not in _ADDRESSES}
    wanted = set(form.get("vocabulary", ())) if form else set(USUAL)
    if form and (unknown := sorted(wanted - set(loaded))):
        raise QueryError(
            f"no vocabulary {unknown[0][:40]!r}", where="vocabulary", expected="one of " + ", ".join(loaded)
        )
    groups: dict[str, list[Vocabulary]] = {kind: [] for kind in (*_FIRST, *KINDS)}
    for prefix, terms in loaded.items():
        one = Vocabulary(prefix, _NAMES.get(prefix, ""), terms, prefix in wanted)
        groups[kind_of(f"{prefix}:")].append(one)
    return tuple((kind, tuple(group)) for kind, group in groups.items() if group)


def _file(ask: Ask, text: str, lines: Sequence[str] | None, chosen: Sequence[str]) -> Download:
    """What was read as tab-separated text, as the command line writes it."""
    sink = io.StringIO()
    if lines is None:
        write_mentions(sink, ask.view.annotate(text, vocabularies=chosen))
    else:
        write_normalised(sink, ask.view.normalise(lines, vocabularies=chosen, limit=4))
    return Download(sink.getvalue().encode(), "text/tab-separated-values; charset=utf-8", "concepts.tsv")


# ---------------------------------------------------------------- reading


def _marked(ask: Ask, text: str, chosen: Sequence[str]) -> Reading:
    """A running text with its concepts marked; equal mentions share a row."""
    mentions = ask.view.annotate(text, vocabularies=chosen)
    rows = _rows(ask, mentions)
    pieces = tuple(_pieces(text, mentions, rows))
    listed = tuple(rows.values())
    return Reading(
        pieces, listed[:ROWS_MAX], len(mentions), len(mentions), left=max(0, len(listed) - ROWS_MAX)
    )


def _key(mention: Mention) -> tuple[str, str, bool, bool]:
    return mention.text.casefold(), mention.match.id, mention.negated, mention.family


def _rows(ask: Ask, mentions: Iterable[Mention]) -> dict[tuple[str, str, bool, bool], Row]:
    together: dict[tuple[str, str, bool, bool], list[Mention]] = {}
    for mention in mentions:
        together.setdefault(_key(mention), []).append(mention)
    return {
        key: Row(
            number,
            found[0].text,
            _concept(ask, found[0].match),
            _why(ask, found[0].match),
            _others(ask, found[0].alternatives),
            *key[2:],
            times=len(found),
        )
        for number, (key, found) in enumerate(together.items(), 1)
    }


def _pieces(
    text: str, mentions: Iterable[Mention], rows: dict[tuple[str, str, bool, bool], Row]
) -> Iterator[Piece]:
    at = 0
    for mention in mentions:
        if mention.start > at:
            yield Piece(text[at : mention.start])
        yield Piece(mention.text, rows[_key(mention)])
        at = mention.end
    if text[at:].strip():
        yield Piece(text[at:].rstrip())


def _listed(ask: Ask, lines: Sequence[str], chosen: Sequence[str]) -> Reading:
    """The concept of each name of a list."""
    answers = list(ask.view.normalise(lines, vocabularies=chosen, limit=4))
    rows = tuple(_named(ask, number, answer) for number, answer in enumerate(answers, 1))
    return Reading((), rows, len(rows), sum(row.concept is not None for row in rows))


def _named(ask: Ask, number: int, answer: Normalised) -> Row:
    best = answer.best
    others = _others(ask, answer.matches[1 if best else 0 :])
    if best is None:
        return Row(number, answer.text, None, "", others)
    return Row(number, answer.text, _concept(ask, best), _why(ask, best), others)


def _concept(ask: Ask, match: Match) -> Concept:
    label, other = ask.t.both(match.label, match.label_zh)
    href = ask.href("terms", match.id)
    return Concept(
        match.id, label or match.id, "" if other == label else other, href, f"{match.sureness:.2f}"
    )


def _others(ask: Ask, matches: Iterable[Match]) -> tuple[Concept, ...]:
    """Other readings, but those that hardly anybody would mean: the file has them too."""
    return tuple(_concept(ask, match) for match in matches if match.sureness >= WORTH_SHOWING)


def _why(ask: Ask, match: Match) -> str:
    return ask.t(f"why.{match.why}", through=match.through)
