"""Asking one generation of the search index: find, suggest, normalise.

Every question takes what its reader may know of: `visible`, the visibility keys held; None is everyone's
and every key. What is not visible is in no hit, no count and no suggestion. How a generation is written
stands in `search.generation`, what is opened of it in `search.opened`, how matches are found in
`search.asking` and ordered in `search.ranking`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.search.abbreviations import SpelledOut, spelled_out
from nexome.search.asking import WORDED, meanings, nearest_records
from nexome.search.comparing import compare
from nexome.search.opened import Opened
from nexome.search.ranking import Weigh, weights_of
from nexome.search.records import Match, Normalised, Suggestion, TermPlace
from nexome.search.scope import EVERYTHING, Scope
from nexome.search.suggesting import suggestions
from nexome.search.text import words
from nexome.search.tied import EXPANDED, SURE_TERM, best_of, term_place, tied, tied_variants, worth_telling

__all__ = ["ABSTAIN_BELOW", "EVERYTHING", "LONGEST_TEXT", "Scope", "SearchIndex"]

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

LONGEST_TEXT: Final = 2_000  # characters of a question that are read
ABSTAIN_BELOW: Final = 0.35  # sureness
_AT_ONCE: Final = 2_048  # texts that a thread takes at a time
_FEWEST: Final = 64
_THREADS: Final = 8  # at most: each holds a number for every name
_Asked = tuple[str, str]  # a text, and words beside it


@dataclass(frozen=True, eq=False)
class SearchIndex(Opened):
    """An opened generation, to be asked. Safe to ask from several threads."""

    def find(
        self, text: str, scope: Scope = EVERYTHING, *, limit: int = 20, weigh: Weigh = weights_of
    ) -> list[Match]:
        """What a text may mean, likeliest first; then what is tied to the terms it means, and to subtypes."""
        asked = [(text[:LONGEST_TEXT], "")]
        matches = worth_telling(self._meant(asked, scope, limit=limit, weigh=weigh)[0])
        terms = matches
        if scope.kinds and "term" not in scope.kinds:  # what is asked for may be tied to terms that are not
            by_terms = replace(scope, kinds=frozenset({"term"}))
            terms = self._meant(asked, by_terms, limit=EXPANDED, weigh=weigh)[0]
        variants = tied_variants(self, terms, scope, limit=limit)
        found: dict[tuple[str, str], Match] = {}
        for match in chain(matches, tied(self, terms, self.allowed(scope)), variants):
            known = found.get((match.kind, match.id))
            if known is None or known.score < match.score:
                found[match.kind, match.id] = match
        return best_of(found.values(), {match.id for match in variants}, limit)

    def suggest(self, text: str, scope: Scope = EVERYTHING, *, limit: int = 8) -> list[Suggestion]:
        """Names that begin as the unfinished text, the most used first; pinyin counts as a name."""
        return suggestions(self, text[:LONGEST_TEXT], self.allowed(scope), limit=limit)

    def normalise(
        self,
        texts: Sequence[str],
        scope: Scope = EVERYTHING,
        *,
        limit: int = 5,
        abstain_below: float = ABSTAIN_BELOW,
        weigh: Weigh = weights_of,
        around: Sequence[str] = (),
    ) -> Iterator[Normalised]:
        """For each text the concept it means, with alternatives; in their order.

        `around`: for each text words beside it, which help to read an abbreviation; none are needed.
        """
        threads = min(os.cpu_count() or 1, _THREADS)
        for start in range(0, len(texts), _AT_ONCE * threads):
            block = [text[:LONGEST_TEXT] for text in texts[start : start + _AT_ONCE * threads]]
            beside = around[start : start + len(block)] or [""] * len(block)
            asked = list(zip(block, beside, strict=True))
            answers = self._by_threads(list(dict.fromkeys(asked)), scope, threads, limit=limit, weigh=weigh)
            for one in asked:
                matches = answers[one]
                yield Normalised(one[0], matches, not matches or matches[0].sureness < abstain_below)

    def names_sharing(self, text: str, scope: Scope = EVERYTHING) -> list[int]:
        """Names that share words with a text, most similar first, of records that may be found."""
        allowed = self.allowed(scope)
        names = self.lexical.sharing(words(text), most=WORDED).names.tolist()
        return [n for n in names if allowed is None or allowed[self.record_of[n]]]

    def near(self, vector: Floats, scope: Scope = EVERYTHING) -> Int64s:
        """Records nearest in meaning to a vector, that may be found."""
        rows = nearest_records(self, vector[None], scope)[0]
        return np.asarray(rows[rows >= 0])

    def likeness(self, vector: Floats, records: Int64s) -> Floats:
        """How like a vector each of some records is: by its nearest name or the mean of all."""
        found = compare(vector[None], (np.zeros(len(records), np.int64), records), self.tables)
        return np.maximum(found.best, found.mean)

    def place_of(self, term: str, scope: Scope = EVERYTHING) -> TermPlace:
        """A term among others, with what is about it. Raises NotFoundError for one that is not here."""
        return term_place(self, term, self.allowed(scope))

    def _by_threads(
        self, asked: Sequence[_Asked], scope: Scope, threads: int, *, limit: int, weigh: Weigh
    ) -> dict[_Asked, list[Match]]:
        """What each of some texts means; in threads where they are many: compiled code shares the cores."""
        size = max(_FEWEST, -(-len(asked) // threads))
        pieces = [asked[at : at + size] for at in range(0, len(asked), size)]

        def mean(piece: Sequence[_Asked]) -> list[list[Match]]:
            return self._meant(piece, scope, limit=limit, weigh=weigh)

        if len(pieces) < 2:
            return {one: found for piece in pieces for one, found in zip(piece, mean(piece), strict=True)}
        with ThreadPoolExecutor(threads) as pool:
            said = zip(pieces, pool.map(mean, pieces), strict=True)
            return {one: found for piece, own in said for one, found in zip(piece, own, strict=True)}

    def _meant(self, asked: Sequence[_Asked], scope: Scope, *, limit: int, weigh: Weigh) -> list[list[Match]]:
        """The matches of texts, with abbreviations written out where nothing sure was found."""
        found = meanings(self, [text for text, _ in asked], scope, limit=limit, weigh=weigh)
        whole = {
            place: written
            for place, ((text, around), matches) in enumerate(zip(asked, found, strict=True))
            if (written := self._written_out(text, around, matches, scope))
        }
        read = meanings(self, [one.text for one in whole.values()], scope, limit=limit, weigh=weigh)
        for (place, written), others in zip(whole.items(), read, strict=True):
            found[place] = _surer(found[place], others, written.share, around=bool(asked[place][1]))[:limit]
        return found

    def _written_out(
        self, text: str, around: str, matches: Sequence[Match], scope: Scope
    ) -> SpelledOut | None:
        """A text with an abbreviation written out, where nothing sure was found or words stand around it."""
        sure = bool(matches) and matches[0].sureness >= SURE_TERM and not around
        return None if sure else spelled_out(self, text, scope, around=around)


def _surer(found: list[Match], read: Sequence[Match], share: float, *, around: bool) -> list[Match]:
    """The matches of a text, or those with its abbreviation written out, where these are surer."""
    read = [replace(m, why="abbreviation", sureness=m.sureness * share) for m in read]
    if not around and found and (not read or read[0].sureness <= found[0].sureness):
        return found
    told = {(match.kind, match.id) for match in read}
    return [*read, *(match for match in found if (match.kind, match.id) not in told)]
