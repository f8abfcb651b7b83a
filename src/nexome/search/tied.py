"""What hangs on terms: studies, traits and tracks about them or about what lies below, and a term's place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.search.opened import Opened
from nexome.search.records import Match, Neighbour, TermPlace, Why
from nexome.search.scope import Scope
from nexome.search.variants import plain_id

Bools = npt.NDArray[np.bool_]

SURE_TERM: Final = 0.5  # sureness from which on a term is taken to be meant
_CALLED_SO: Final = frozenset({"label", "synonym", "layperson", "translation", "identifier"})
EXPANDED: Final = 3  # terms whose subtypes are followed
_NEAR_TO_A_NAME: Final = 0.5  # cosine from which on things are told that are near what has the text's name
_MOST_BELOW: Final = 5_000
_MOST_HELD: Final = 200  # studies and traits told of a term
_STEP_DOWN: Final = 0.02  # of the score, for a subtype
_VARIANTS: Final = 4  # one in so many of what is shown may be a variant tied to a term that is meant


def worth_telling(matches: Sequence[Match]) -> list[Match]:
    """Matches without those that are a little similar at best, where something is called as the text is."""
    if not any(match.why in _CALLED_SO for match in matches):
        return list(matches)
    return [m for m in matches if m.why != "similar" or m.parts["best"] >= _NEAR_TO_A_NAME]


def tied(
    opened: Opened, matches: Sequence[Match], allowed: Bools | None, relation: str = "holders"
) -> Iterator[Match]:
    """Studies, traits … that are about the terms meant, and about what lies below those.

    Meant is also a term that the text is a name of: where several vocabularies have it, none of them is sure.
    """
    terms = [m for m in matches if m.kind == "term" and (m.sureness >= SURE_TERM or m.why in _CALLED_SO)]
    told: set[int] = set()
    for match in terms[:EXPANDED]:
        top = opened.place("term", match.id)
        for depth, term in _below(opened, top):
            for record in opened.relations[relation].of(term).tolist():
                if record in told or (allowed is not None and not allowed[record]):
                    continue
                told.add(record)
                yield _tied(opened, record, match, term, depth=depth)


def tied_variants(opened: Opened, terms: Sequence[Match], scope: Scope, *, limit: int) -> list[Match]:
    """Variants about the terms meant and what lies below, each once: a share of what is shown."""
    kinds = scope.kinds or frozenset({"variant", "term"})
    most = 0 if "variant" not in kinds else limit if len(kinds) == 1 else limit // _VARIANTS
    found: dict[str, Match] = {}
    for match in tied(opened, terms, opened.allowed(scope), "variants") if most else ():
        found.setdefault(match.id, match)
        if len(found) == most:
            break
    return list(found.values())


def best_of(matches: Iterable[Match], variants: Collection[str], limit: int) -> list[Match]:
    """The best matches, the chosen variants always among them."""
    ordered = sorted(matches, key=lambda match: -match.score)
    chosen = [match for match in ordered if match.kind == "variant" and match.id in variants]
    others = [match for match in ordered if match.kind != "variant" or match.id not in variants]
    return sorted([*others[: limit - len(chosen)], *chosen], key=lambda match: -match.score)


def term_place(opened: Opened, term: str, allowed: Bools | None) -> TermPlace:
    """A term among others, with what is about it. Raises NotFoundError for one that is not here."""
    record = opened.place("term", term)
    row, own = opened.row(record), opened.names_of(record)
    names = opened.names.slice(own.start, len(own)).to_pylist()
    beside = {
        name: tuple(_neighbour(opened, int(other), allowed) for other in opened.relations[name].of(record))
        for name in ("above", "below", "equal")
    }
    match = Match("term", term, row["label"], row["label_zh"], row["label"], "label", 0.0, 1.0)
    held = tuple(islice(tied(opened, [match], allowed), _MOST_HELD))
    told = tuple((n["text"], n["kind"], n["language"]) for n in names)
    return TermPlace(term, row["label"], row["label_zh"], told, held=held, **beside)


def _tied(opened: Opened, record: int, match: Match, term: int, *, depth: int) -> Match:
    row, above = opened.row(record), opened.row(term)
    why: Why = "subtype" if depth else "about"
    return replace(
        match,
        kind=row["kind"],
        id=plain_id(row["kind"], row["id"]),
        label=row["label"],
        label_zh=row["label_zh"],
        name=opened.name_text(int(opened.tables.first[record])),
        why=why,
        score=match.score - _STEP_DOWN * (depth + 1),
        note=row["note"] or "",
        through=above["label"],
        through_zh=above["label_zh"] or _chinese_elsewhere(opened, term),
    )


def _chinese_elsewhere(opened: Opened, term: int) -> str:
    """The Chinese name of what means the same as a term in another vocabulary; '' where there is none."""
    named = (opened.row(other)["label_zh"] for other in opened.relations["equal"].of(term).tolist())
    return next((name for name in named if name), "")


def _neighbour(opened: Opened, record: int, allowed: Bools | None) -> Neighbour:
    row = opened.row(record)
    terms = (term for _, term in _below(opened, record))
    held = {h for term in terms for h in opened.relations["holders"].of(term).tolist()}
    seen = sum(1 for h in held if allowed is None or allowed[h])
    return Neighbour(row["id"], row["label"], row["label_zh"], seen)


def _below(opened: Opened, top: int) -> Iterator[tuple[int, int]]:
    """(depth, record) of a term, its equivalents, and everything below, nearest first; each once."""
    level = [top, *opened.relations["equal"].of(top).tolist()]
    seen, depth = set(level), 0
    while level and len(seen) < _MOST_BELOW:
        yield from ((depth, term) for term in level)
        below = (child for term in level for child in opened.relations["below"].of(term).tolist())
        level = [child for child in dict.fromkeys(below) if child not in seen]
        seen.update(level)
        depth += 1
