"""Asking one generation of the search index: find, suggest, normalise.

Every question takes what its reader may know of: `visible`, the visibility keys held; None is everyone's
and every key. What is not visible is in no hit, no count and no suggestion. How a generation is written
stands in `search.generation`; how matches are ordered in `search.ranking`.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.errors import InputError, NotFoundError
from nexome.search.abbreviations import spelled_out
from nexome.search.generation import KIND, RELATIONS, VERSION, Encodes
from nexome.search.keys import SortedKeys, mapped
from nexome.search.lexical import LexicalIndex, Shared
from nexome.search.lexicon import Relations
from nexome.search.ranking import (
    NAMED,
    PARTS,
    SURENESS,
    Tables,
    Weigh,
    Weights,
    nearest_means,
    nearest_of_many,
    similarities,
    weights_of,
)
from nexome.search.records import OPEN, Match, Neighbour, Normalised, Suggestion, TermPlace, Why
from nexome.search.segments import Segments
from nexome.search.text import is_han, words
from nexome.search.variants import plain_id
from nexome.search.vectors import VectorIndex
from nexome.store.disk import read_stamped

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LONGEST_TEXT: Final = 2_000  # characters of a question that are read
ABSTAIN_BELOW: Final = 0.35  # sureness
_NEAR: Final = 60  # records looked at by meaning
_WORDED: Final = 60  # names looked at by words
_FEW: Final = 60_000  # records of a restricted search that are all compared
_WIDER: Final = 20  # times more are looked at where most will not be shown
_EXPANDED: Final = 3  # terms whose subtypes are followed
_MENDED: Final = 0.8  # what a name is worth that a text equals but for typing errors
_SURE_TERM: Final = 0.5
_MOST_BELOW: Final = 5_000
_MOST_HELD: Final = 200  # studies and traits told of a term
_STEP_DOWN: Final = 0.02  # of the score, for a subtype
_VARIANTS: Final = 4  # one in so many of what is shown may be a variant tied to a term that is meant
_AT_ONCE: Final = 4_096  # texts encoded together
_TOGETHER: Final = 64  # texts from which on threads share them
_PIECE: Final = 32  # texts that a thread takes at a time
_WHY: Final[dict[str, Why]] = {
    "label": "label",
    "identifier": "identifier",
    "translation": "translation",
    "layperson": "layperson",
    "abbreviation": "abbreviation",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question may find: keys of what may be known of, kinds, vocabularies, identifiers; None: all."""

    visible: frozenset[str] | None = frozenset()
    kinds: frozenset[str] | None = None
    vocabularies: frozenset[str] | None = None
    ids: frozenset[str] | None = None


EVERYTHING: Final = Scope(visible=None)


@dataclass(frozen=True)
class SearchIndex:
    """An opened generation. Safe to ask from several threads."""

    facts: dict[str, Any]
    encoder: Encodes
    records: pa.Table
    names: pa.Table
    keys: SortedKeys
    lexical: LexicalIndex
    means: VectorIndex
    tables: Tables
    crowd: Floats
    usage: Floats
    record_of: npt.NDArray[np.int32]
    chinese_names: Int64s
    relations: dict[str, Relations]
    segments: Segments | None
    _codes: dict[str, Any]

    @classmethod
    def open(cls, folder: Path, encoder: Encodes) -> Self:
        """The generation in a folder. Raises InputError where it was built with another encoder."""
        facts = read_stamped(folder / "index.json", kind=KIND, version=VERSION)
        if (facts["model"], facts["revision"]) != (encoder.model, encoder.revision):
            raise InputError(
                f"an index built with the encoder {facts['model']} {facts['revision']}",
                where=str(folder),
                expected=f"{encoder.model} {encoder.revision}, the one in use",
                todo="Build it again: nexome search index.",
            )
        records = _table(folder / "records.arrow")
        first = mapped(folder / "first.npy")
        relations = {name: Relations.open(folder, name, things=len(first) - 1) for name in RELATIONS}
        means = VectorIndex.open(folder / "means")
        tables = Tables(
            first=first,
            codes=mapped(folder / "codes.npy"),
            scales=mapped(folder / "scales.npy"),
            places=np.argsort(means.rows).astype(np.int32),
            mean_codes=means.codes,
            mean_scales=means.scales,
            spans=mapped(folder / "spans.npy"),
            equal_offsets=relations["equal"].offsets,
            equal_values=relations["equal"].values,
            equal_spans=mapped(folder / "equal_spans.npy"),
            chinese=mapped(folder / "chinese.npy"),
        )
        return cls(
            facts=facts,
            encoder=encoder,
            records=records,
            names=_table(folder / "names.arrow"),
            keys=SortedKeys.open(folder / "keys"),
            lexical=LexicalIndex.open(folder / "words"),
            means=means,
            tables=Tables(*(np.asarray(array) for array in tables)),
            crowd=mapped(folder / "crowd.npy"),
            usage=np.log1p(records["weight"].to_numpy()).astype(np.float32),
            record_of=np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first)),
            chinese_names=np.add.reduceat(tables.chinese, first[:-1], dtype=np.int64),
            relations=relations,
            segments=Segments.open(folder),
            _codes={name: _codes(records[name]) for name in ("kind", "visibility")}
            | {"vocabulary": _vocabularies(records["id"])},
        )

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def _columns(self) -> dict[str, Any]:
        return {name: _whole(self.records[name]) for name in self.records.column_names}

    @cached_property
    def _texts(self) -> Any:
        return _whole(self.names["text"])

    @cached_property
    def _kinds(self) -> Any:
        return _whole(self.names["kind"])

    @cached_property
    def _variants(self) -> Bools:
        """Which records are variants."""
        kinds, rows = self._codes["kind"]
        return np.array([kind == "variant" for kind in kinds], bool)[rows]

    # ------------------------------------------------------------ questions

    def find(
        self, text: str, scope: Scope = EVERYTHING, *, limit: int = 20, weigh: Weigh = weights_of
    ) -> list[Match]:
        """What a text may mean, likeliest first; then what is tied to the terms it means, and to subtypes."""
        text = text[:LONGEST_TEXT]
        if not words(text):
            return []
        vector = self.encoder.encode([text])[0]
        allowed = self._allowed(scope)
        weights = weigh(chinese=is_han(text))
        matches = self._meant(text, vector, scope, limit=limit, weights=weights)
        terms = matches
        if scope.kinds and "term" not in scope.kinds:  # what is asked for may be tied to terms that are not
            by_terms = replace(scope, kinds=frozenset({"term"}))
            terms = self._meant(text, vector, by_terms, limit=_EXPANDED, weights=weights)
        variants = self._tied_variants(terms, scope, allowed, limit=limit)
        found: dict[tuple[str, str], Match] = {}
        for match in chain(matches, self._tied(terms, allowed), variants):
            known = found.get((match.kind, match.id))
            if known is None or known.score < match.score:
                found[match.kind, match.id] = match
        return _best(found.values(), {match.id for match in variants}, limit)

    def suggest(self, text: str, scope: Scope = EVERYTHING, *, limit: int = 8) -> list[Suggestion]:
        """Names that begin as the unfinished text, the most used first; pinyin counts as a name."""
        allowed = self._allowed(scope)
        found: dict[tuple[str, str], Suggestion] = {}
        shown: set[str] = set()
        for place in self._beginning(text[:LONGEST_TEXT]):
            name = int(self.keys.owner[place])
            record = int(self.record_of[name])
            if allowed is not None and not allowed[record]:
                continue
            made = self._suggestion(record, name)
            if made.name.casefold() in shown:
                continue
            shown.add(made.name.casefold())
            found.setdefault((made.kind, made.id), made)
            if len(found) == limit:
                break
        return list(found.values())

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
        allowed = self._allowed(scope)
        for start in range(0, len(texts), _AT_ONCE):
            block = [text[:LONGEST_TEXT] for text in texts[start : start + _AT_ONCE]]
            vectors = self.encoder.encode(block)
            near = self._near(vectors, allowed)

            def rank(asked: tuple[str, Floats, Int64s, str]) -> list[Match]:
                text, vector, close, beside = asked
                weights = weigh(chinese=is_han(text))
                return self._meant(
                    text, vector, scope, limit=limit, weights=weights, near=close, around=beside
                )

            beside = around[start : start + _AT_ONCE] or [""] * len(block)
            asked = list(zip(block, vectors, near, beside, strict=True))
            for text, matches in zip(block, _together(rank, asked), strict=True):
                yield Normalised(text, matches, not matches or matches[0].sureness < abstain_below)

    def named(self, key: str, scope: Scope = EVERYTHING) -> list[int]:
        """Names and identifiers that are written as a key, of records that may be found; no pinyin."""
        allowed = self._allowed(scope)
        found = dict.fromkeys(self.keys.equal(key).tolist())
        may = [n for n in found if allowed is None or allowed[self.record_of[n]]]
        return [n for n in may if " ".join(words(self.name_text(n))) == key or self._identifies(n, key)]

    def vocabularies(self, scope: Scope = EVERYTHING) -> dict[str, int]:
        """Vocabularies of what may be found, by prefix, and how many things of each; the largest first."""
        prefixes, rows = self._codes["vocabulary"]
        allowed = self._allowed(scope)
        counts = np.bincount(rows if allowed is None else rows[allowed], minlength=len(prefixes))
        told = zip(prefixes, counts.tolist(), strict=True)
        return {prefix: n for prefix, n in sorted(told, key=lambda one: (-one[1], one[0])) if prefix and n}

    def name_text(self, name: int) -> str:
        """The text of a name."""
        return str(self._texts[name].as_py())

    def label(self, record: int) -> str:
        """The label of a record."""
        return str(self._columns["label"][record].as_py())

    def names_of(self, record: int) -> range:
        """The names of a record."""
        return range(int(self.tables.first[record]), int(self.tables.first[record + 1]))

    def names_sharing(self, text: str, scope: Scope = EVERYTHING) -> list[int]:
        """Names that share words with a text, most similar first, of records that may be found."""
        allowed = self._allowed(scope)
        names = self.lexical.sharing(words(text), most=_WORDED).names.tolist()
        return [n for n in names if allowed is None or allowed[self.record_of[n]]]

    def near(self, vector: Floats, scope: Scope = EVERYTHING) -> Int64s:
        """Records nearest in meaning to a vector, that may be found."""
        return self._near(vector[None], self._allowed(scope))[0]

    def likeness(self, vector: Floats, records: Int64s) -> Floats:
        """How like a vector each of some sorted records is: by its nearest name or the mean of all."""
        return np.asarray(similarities(vector, records, self.tables)[0][:, :2].max(axis=1), np.float32)

    def _identifies(self, name: int, key: str) -> bool:
        return " ".join(words(self._columns["id"][int(self.record_of[name])].as_py())) == key

    def place_of(self, term: str, scope: Scope = EVERYTHING) -> TermPlace:
        """A term among others, with what is about it. Raises NotFoundError for one that is not here."""
        record, allowed = self._place("term", term), self._allowed(scope)
        row = self._row(record)
        names = self.names.slice(int(self.tables.first[record]), self._size(record)).to_pylist()
        beside = {
            name: tuple(self._neighbour(int(other), allowed) for other in self.relations[name].of(record))
            for name in ("above", "below", "equal")
        }
        match = self._match(record, int(self.tables.first[record]), why="label", score=0.0, sureness=1.0)
        held = tuple(islice(self._tied([match], allowed), _MOST_HELD))
        told = tuple((n["text"], n["kind"], n["language"]) for n in names)
        return TermPlace(term, row["label"], row["label_zh"], told, held=held, **beside)

    def _size(self, record: int) -> int:
        return int(self.tables.first[record + 1] - self.tables.first[record])

    def _neighbour(self, record: int, allowed: Bools | None) -> Neighbour:
        row = self._row(record)
        terms = (term for _, term in self._below(record))
        held = {h for term in terms for h in self.relations["holders"].of(term).tolist()}
        seen = sum(1 for h in held if allowed is None or allowed[h])
        return Neighbour(row["id"], row["label"], row["label_zh"], seen)

    # ------------------------------------------------------------ ranking

    def _meant(
        self,
        text: str,
        vector: Floats,
        scope: Scope,
        *,
        limit: int,
        weights: Weights,
        near: Int64s | None = None,
        around: str = "",
    ) -> list[Match]:
        """The matches of a text; where none is sure, with an abbreviation written out if that is surer."""
        allowed = self._allowed(scope)
        matches = self._rank(text, vector, allowed, limit=limit, weights=weights, near=near)
        sure = bool(matches) and matches[0].sureness >= _SURE_TERM and not around
        whole = None if sure else spelled_out(self, text, scope, around=around)
        if whole is None:
            return matches
        vector = self.encoder.encode([whole.text])[0]
        read = self._rank(whole.text, vector, allowed, limit=limit, weights=weights)
        read = [replace(m, why="abbreviation", sureness=m.sureness * whole.share) for m in read]
        if not around and matches and (not read or read[0].sureness <= matches[0].sureness):
            return matches
        told = {(match.kind, match.id) for match in read}
        return [*read, *(match for match in matches if (match.kind, match.id) not in told)][:limit]

    def _rank(
        self,
        text: str,
        vector: Floats,
        allowed: Bools | None,
        *,
        limit: int,
        weights: Weights,
        near: Int64s | None = None,
    ) -> list[Match]:
        tokens = words(text)
        if not tokens:
            return []
        close = self._near(vector[None], allowed)[0] if near is None else near
        named = self._named(tokens)
        shared = self.lexical.sharing(tokens, most=_WORDED)
        cut = self._by_dictionary(tokens, chinese=is_han(text))
        if shared.mended and not named:
            mended = self._named(self.lexical.repaired(tokens))
            named = {record: (name, _MENDED * worth) for record, (name, worth) in mended.items()}
        alike = {"spelling": shared} if cut is None else {"spelling": cut, "pieces": shared}
        worded = [self.record_of[found.names] for found in alike.values()]
        candidates = np.unique(np.concatenate([close, np.array(list(named), np.int64), *worded]))
        candidates = self._with_equals(candidates, allowed)
        if not len(candidates):
            return []
        four, nearest = similarities(
            vector, candidates, self.tables, chinese=weights.own_script if is_han(text) else 0.0
        )
        parts = np.zeros((len(candidates), len(PARTS)), np.float32)
        parts[:, :4] = four
        parts[:, 4] = self.crowd[candidates]
        unwritten = self._unwritten(candidates, chinese=is_han(text))
        for name, found in alike.items():
            part = parts[:, PARTS.index(name)]
            self._add_likeness(part, candidates, found)
            part[unwritten] = weights.unwritten * part.max()
        for record, (_, worth) in named.items():
            place = int(np.searchsorted(candidates, record))
            if place < len(candidates) and candidates[place] == record:
                parts[place, 6] = worth
                parts[place, [0, 2]] = 1.0  # also where it was written in pinyin
        parts[:, 7] = self.usage[candidates]
        scores = parts @ weights.vector()
        order = np.lexsort((candidates, -scores))[: limit + _NEAR]
        ranked = (candidates[order], parts[order], scores[order], nearest[order])
        return self._matches(ranked, named, limit=limit, mended=shared.mended)

    def _by_dictionary(self, tokens: Sequence[str], *, chinese: bool) -> Shared | None:
        """Names that share words of the dictionary with a Chinese question; None for any other."""
        if self.segments is None or not chinese:
            return None
        return self.segments.sharing(tokens, most=_WORDED)

    def _add_likeness(self, part: Any, candidates: Int64s, found: Shared) -> None:
        """Write into `part` [C] the greatest likeness of words of each candidate's names."""
        records = self.record_of[found.names]
        at = np.searchsorted(candidates, records)
        known = (at < len(candidates)) & (candidates[np.minimum(at, len(candidates) - 1)] == records)
        np.maximum.at(part, at[known], found.scores[known])

    def _unwritten(self, candidates: Int64s, *, chinese: bool) -> Bools:
        """Which candidates have no name in the script of a question."""
        first, written = self.tables.first, self.chinese_names
        size = (first[candidates + 1] - first[candidates]).astype(np.int64)
        return np.asarray(written[candidates] == (0 if chinese else size))

    def _matches(
        self,
        ranked: tuple[Any, Any, Any, Any],
        named: dict[int, tuple[int, float]],
        *,
        limit: int,
        mended: bool,
    ) -> list[Match]:
        candidates, parts, scores, nearest = ranked
        rival = self._rival(candidates, scores)
        made = []
        for place, record in enumerate(candidates[:limit].tolist()):
            name, worth = named.get(record, (int(nearest[place]), 0.0))
            lead = float(scores[place] - (rival if scores[place] > rival else scores[0]))
            made.append(
                self._match(
                    record,
                    name,
                    why=self._why(name, worth, mended=mended and (worth > 0 or parts[place, 5] > 0.5)),
                    score=float(scores[place]),
                    sureness=SURENESS.of(float(parts[place, 0]), named=worth, lead=lead),
                    parts=dict(zip(PARTS, parts[place].tolist(), strict=True)),
                )
            )
        return made

    def _rival(self, candidates: Int64s, scores: Floats) -> float:
        """The score of the first candidate of the very first's kind that means something else."""
        first, kinds = int(candidates[0]), self._codes["kind"][1]
        same = {first, *self.relations["equal"].of(first).tolist()}
        others = (
            float(score)
            for c, score in zip(candidates.tolist(), scores, strict=True)
            if c not in same and kinds[c] == kinds[first]
        )
        return next(others, 0.0)

    def _match(self, record: int, name: int, **more: Any) -> Match:
        row = self._row(record)
        text = self._texts[name].as_py()
        own = plain_id(row["kind"], row["id"])
        return Match(row["kind"], own, row["label"], row["label_zh"], text, note=row["note"] or "", **more)

    def _row(self, record: int) -> dict[str, Any]:
        """A record's own columns."""
        return {name: column[record].as_py() for name, column in self._columns.items()}

    def _why(self, name: int, worth: float, *, mended: bool) -> Why:
        if worth == NAMED["identifier"] and self._kind_of(name) != "label":
            return "identifier"
        if worth and not mended:
            return _WHY.get(self._kind_of(name), "synonym")
        return "spelling" if mended else "similar"

    def _kind_of(self, name: int) -> str:
        return str(self._kinds[name].as_py())

    def _named(self, tokens: Sequence[str]) -> dict[int, tuple[int, float]]:
        """Records that the text equals a name of: the name, and what that is worth."""
        found: dict[int, tuple[int, float]] = {}
        for name in self.keys.equal(" ".join(tokens)).tolist():
            worth = NAMED.get(self._kind_of(name), 0.5)
            record = int(self.record_of[name])
            if worth > found.get(record, (0, 0.0))[1]:
                found[record] = (name, worth)
        return found

    def _near(self, vectors: Floats, allowed: Bools | None) -> list[Int64s]:
        """For each vector the records nearest in meaning that may be found; variants mean nothing."""
        few = None if allowed is None else _few_of(allowed)
        if few is None:
            most = _NEAR if allowed is None else _NEAR * _WIDER
            nearest = (rows[rows >= 0] for rows in self.means.nearest(vectors, most).rows)
            may = (kept if allowed is None else kept[allowed[kept]] for kept in nearest)
            return [kept[~self._variants[kept]][:_NEAR] for kept in may]
        few, t = few[~self._variants[few]], self.tables
        if len(vectors) >= _TOGETHER:
            return nearest_of_many(vectors, few, t, most=_NEAR)
        found = []
        for vector in vectors:
            cosines = nearest_means(vector, few, t.places, t.mean_codes, t.mean_scales)
            best = np.argpartition(cosines, -_NEAR)[-_NEAR:] if len(few) > _NEAR else np.arange(len(few))
            found.append(few[best])
        return found

    def _with_equals(self, candidates: Int64s, allowed: Bools | None) -> Int64s:
        """Candidates and what means the same elsewhere, as far as it may be found."""
        whole = np.unique(np.concatenate([candidates, self.relations["equal"].of_all(candidates)]))
        return whole if allowed is None else whole[allowed[whole]]

    # ------------------------------------------------------------ what is tied to terms

    def _tied_variants(
        self, terms: Sequence[Match], scope: Scope, allowed: Bools | None, *, limit: int
    ) -> list[Match]:
        """Variants about the terms meant and what lies below, each once: a share of what is shown."""
        kinds = scope.kinds or frozenset({"variant", "term"})
        most = 0 if "variant" not in kinds else limit if len(kinds) == 1 else limit // _VARIANTS
        found: dict[str, Match] = {}
        for match in self._tied(terms, allowed, "variants") if most else ():
            found.setdefault(match.id, match)
            if len(found) == most:
                break
        return list(found.values())

    def _tied(
        self, matches: Sequence[Match], allowed: Bools | None, relation: str = "holders"
    ) -> Iterator[Match]:
        """Studies, traits … that are about the terms meant, and about what lies below those."""
        terms = [m for m in matches if m.kind == "term" and m.sureness >= _SURE_TERM][:_EXPANDED]
        told: set[int] = set()
        for match in terms:
            top = self._place("term", match.id)
            for depth, term in self._below(top):
                for record in self.relations[relation].of(term).tolist():
                    if record in told or (allowed is not None and not allowed[record]):
                        continue
                    told.add(record)
                    yield self._tied_match(record, match, term, depth=depth)

    def _tied_match(self, record: int, match: Match, term: int, *, depth: int) -> Match:
        name = int(self.tables.first[record])
        through = {name: self.records[name][term].as_py() or "" for name in ("label", "label_zh")}
        why: Why = "subtype" if depth else "about"
        score = match.score - _STEP_DOWN * (depth + 1)
        made = self._match(record, name, why=why, score=score, sureness=match.sureness, parts=match.parts)
        return replace(made, through=through["label"], through_zh=through["label_zh"])

    def _below(self, top: int) -> Iterator[tuple[int, int]]:
        """(depth, record) of a term, its equivalents, and everything below, nearest first; each once."""
        level = [top, *self.relations["equal"].of(top).tolist()]
        seen, depth = set(level), 0
        while level and len(seen) < _MOST_BELOW:
            yield from ((depth, term) for term in level)
            below = (child for term in level for child in self.relations["below"].of(term).tolist())
            level = [child for child in dict.fromkeys(below) if child not in seen]
            seen.update(level)
            depth += 1

    def _place(self, kind: str, identifier: str) -> int:
        for name in self.keys.equal(" ".join(words(identifier))).tolist():
            record = int(self.record_of[name])
            row = self._row(record)
            if (row["kind"], row["id"]) == (kind, identifier):
                return record
        raise NotFoundError(
            f"no {kind} {identifier[:100]!r}",
            todo="Search for it by name; load its vocabulary if it is missing.",
        )

    # ------------------------------------------------------------ beginnings, and what may be seen

    def _beginning(self, text: str) -> Iterator[int]:
        """Places of keys that begin as an unfinished text; then of those that have its words."""
        tokens = words(text)
        if not tokens:
            return
        unfinished = text[-1:].isalnum() and tokens[-1].isdigit()
        beginnings = dict.fromkeys(
            [" ".join(tokens), text.casefold().strip()] if unfinished else [" ".join(tokens)]
        )
        for beginning in beginnings:
            yield from self.keys.heaviest(*self.keys.range_of(beginning))
        shared = self.lexical.sharing(tokens, most=_WORDED, unfinished=True)
        for name in shared.names.tolist():
            key = " ".join(words(self._texts[name].as_py()))
            places = self.keys.range_of(key)
            yield from (
                p for p in range(places[0], min(places[1], places[0] + 8)) if self.keys.owner[p] == name
            )

    def _suggestion(self, record: int, name: int) -> Suggestion:
        row = self._row(record)
        text = self._texts[name].as_py()
        own, note = plain_id(row["kind"], row["id"]), row["note"] or ""
        return Suggestion(row["kind"], own, text, row["label"], row["label_zh"], note, row["weight"])

    def _allowed(self, scope: Scope) -> Bools | None:
        """Which records a scope may find, bool [R]; None for all."""
        return _allowed_records(_Frozen(self), scope)


class _Frozen:
    """An index as a key of a cache: the same one is the same key."""

    def __init__(self, index: SearchIndex) -> None:
        self.index = index

    def __hash__(self) -> int:
        return id(self.index)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and other.index is self.index


@lru_cache(maxsize=64)
def _allowed_records(frozen: _Frozen, scope: Scope) -> Bools | None:
    codes = frozen.index._codes  # noqa: SLF001  the index's own
    chosen = {
        "visibility": None if scope.visible is None else scope.visible | {OPEN},
        "kind": scope.kinds,
        "vocabulary": scope.vocabularies,
    }
    allowed: Bools | None = None
    for name, wanted in chosen.items():
        if wanted is None:
            continue
        values, rows = codes[name]
        mask = np.array([value in wanted for value in values], bool)[rows]
        allowed = mask if allowed is None else allowed & mask
    if scope.ids is not None:
        mask = pc.is_in(frozen.index.records["id"], pa.array(sorted(scope.ids), pa.string()))
        listed = mask.to_numpy(zero_copy_only=False)
        allowed = listed if allowed is None else allowed & listed
    return None if allowed is None or allowed.all() else allowed


def _together(ask: Callable[[Any], list[Match]], asked: Sequence[Any]) -> Iterator[list[Match]]:
    """What `ask` says of each, in order; on all cores where they are many: compiled code shares them."""
    if len(asked) < _TOGETHER:
        yield from map(ask, asked)
        return
    pieces = [asked[at : at + _PIECE] for at in range(0, len(asked), _PIECE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(lambda piece: list(map(ask, piece)), pieces):
            yield from said


def _best(matches: Iterable[Match], variants: Collection[str], limit: int) -> list[Match]:
    """The best matches, the chosen variants always among them."""
    ordered = sorted(matches, key=lambda match: -match.score)
    chosen = [match for match in ordered if match.kind == "variant" and match.id in variants]
    others = [match for match in ordered if match.kind != "variant" or match.id not in variants]
    return sorted([*others[: limit - len(chosen)], *chosen], key=lambda match: -match.score)


def _few_of(allowed: Bools) -> Int64s | None:
    rows = np.flatnonzero(allowed)
    return rows if len(rows) <= _FEW else None


def _table(path: Path) -> pa.Table:
    with path.open("rb") as stream:
        whole = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.py_buffer(whole)).read_all()


def _whole(column: Any) -> Any:
    """A column as one array: an element of it is found at once."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _codes(column: Any) -> tuple[list[str], Any]:
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    return cast("list[str]", coded.dictionary.to_pylist()), coded.indices.to_numpy()


def _vocabularies(ids: Any) -> tuple[list[str], Any]:
    """The prefix of each identifier, '' where it has none."""
    return _codes(pc.if_else(pc.match_substring(ids, ":"), pc.replace_substring_regex(ids, ":.*", ""), ""))
