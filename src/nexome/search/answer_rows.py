"""Rows of the tables that concepts are written to: the same from the command line and from a page.

Columns and rows of `normalise` and of `annotate`; alternatives stand in one cell, apart by '|'.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from nexome.search.passages import Mention
from nexome.search.records import Match, Normalised

NORMALISED_COLUMNS: Final = (
    *("text", "id", "label", "label_zh", "name", "why", "sureness", "abstained", "alternatives"),
)
MENTION_COLUMNS: Final = (
    *("from_character", "to_character", "text", "id", "label", "label_zh", "why", "sureness"),
    *("negated", "family", "alternatives"),
)


class _Sink(Protocol):
    def write(self, text: str, /) -> object: ...


def write_normalised(sink: _Sink, answers: Iterable[Normalised]) -> None:
    """Tab-separated text: a row a text; one of which none is sure enough has `abstained` 1 and no id."""
    _write(sink, NORMALISED_COLUMNS, map(_normalised, answers))


def write_mentions(sink: _Sink, mentions: Iterable[Mention]) -> None:
    """Tab-separated text: a row a mention, from which character to before which, counted from 0."""
    _write(sink, MENTION_COLUMNS, map(_mention, mentions))


def _write(sink: _Sink, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    writer = csv.writer(sink, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _normalised(answer: Normalised) -> tuple[object, ...]:
    best = answer.best
    told = _told(answer.matches[1 if best else 0 :])
    if best is None:
        return (answer.text, "", "", "", "", "", "", 1, told)
    return (
        *(answer.text, best.id, best.label, best.label_zh, best.name, best.why),
        *(f"{best.sureness:.3f}", 0, told),
    )


def _mention(mention: Mention) -> tuple[object, ...]:
    match = mention.match
    return (
        *(mention.start, mention.end, mention.text, match.id, match.label, match.label_zh),
        *(match.why, f"{match.sureness:.3f}", int(mention.negated), int(mention.family)),
        _told(mention.alternatives),
    )


def _told(matches: Sequence[Match]) -> str:
    return "|".join(f"{match.id} {match.label or match.label_zh} ({match.sureness:.2f})" for match in matches)
