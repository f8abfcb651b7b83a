"""What texts mean: candidates by meaning, by words and by equal names, ordered by `search.ranking`.

One way for one text and for thousands: everything but the making of matches is done for a block of Q texts
at once, in compiled code that lets other threads run. What is found for a text does not depend on the
others in its block.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from nexome.search.comparing import Cosines, compare
from nexome.search.lexical import SharedByMany
from nexome.search.lexicon import Relations
from nexome.search.opened import Opened
from nexome.search.ranking import NAMED, PARTS, Weigh, Weights
from nexome.search.records import Match, Why
from nexome.search.scope import Scope
from nexome.search.text import is_han, words
from nexome.search.variants import plain_id

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEAR: Final = 60  # records looked at by meaning
WORDED: Final = 60  # names looked at by words
_MENDED: Final = 0.8  # what a name is worth that a text equals but for typing errors
_RECORD: Final = np.int64(2**32 - 1)  # the bits of a pair that are its record; those above are its question
_SPELLED: Final = 0.5  # likeness of words from which on a match of a mistyped text is one of spelling
_WHY: Final[dict[str, Why]] = {
    "label": "label",
    "identifier": "identifier",
    "translation": "translation",
    "layperson": "layperson",
    "abbreviation": "abbreviation",
}


class _Named(NamedTuple):
    """Records that a text equals a name of, by question: the pair, the name, and what that is worth."""

    pairs: Int64s
    names: Int64s
    worth: Floats


class _Alike(NamedTuple):
    """Names that share words with texts: the pair of question and record, and the likeness."""

    pairs: Int64s
    scores: Floats


class _Worded(NamedTuple):
    """What shares words with texts, by the part of the score it adds to; which texts were mended."""

    alike: dict[str, _Alike]
    mended: Bools


class _Ranked(NamedTuple):
    """The first matches of Q questions, end to end: `bounds` int64 [Q + 1], and of each M its columns.

    `lead`: of its score over that of the first which means something else, or of the first over it.
    """

    bounds: Int64s
    records: Int64s
    names: Int64s
    worth: Floats
    scores: Floats
    lead: Floats
    parts: Floats


def meanings(
    opened: Opened, texts: Sequence[str], scope: Scope, *, limit: int, weigh: Weigh
) -> list[list[Match]]:
    """The `limit` likeliest things that each text means, likeliest first, of what a scope may find."""
    if not texts:
        return []
    tokens = [words(text) for text in texts]
    chinese = np.array([is_han(text) for text in texts], np.bool_)
    vectors = opened.encoder.encode(texts)
    worded = _worded(opened, tokens, chinese)
    named = _named(opened, [" ".join(own) for own in tokens])
    named = _mended(opened, tokens, named, worded.mended)
    near = nearest_records(opened, vectors, scope)
    near[[not own for own in tokens]] = -1
    found = (_pairs_of(near), named.pairs, *(alike.pairs for alike in worded.alike.values()))
    candidates = _candidates(opened, found, opened.allowed(scope))
    weights = [weigh(chinese=han) for han in (False, True)]
    ranked = _rank(opened, (vectors, chinese), (candidates, named, worded), weights, limit=limit)
    return _matches(opened, ranked, worded.mended, [weights[han] for han in chinese.tolist()])


def nearest_records(opened: Opened, vectors: Floats, scope: Scope) -> Int64s:
    """The records nearest in meaning to each of Q vectors, int64 [Q, NEAR], −1: no more."""
    reach = opened.reach(scope)
    if reach.few is not None:
        return opened.means.nearest_among(vectors, NEAR, reach.few).rows
    return opened.means.nearest(vectors, NEAR, allowed=reach.meant).rows


# ---------------------------------------------------------------- candidates


def _pairs_of(rows: Int64s) -> Int64s:
    """Pairs of questions and records from lines of records [Q, K], −1: none."""
    pairs = (np.arange(len(rows), dtype=np.int64)[:, None] << 32) | rows
    return np.asarray(pairs[rows >= 0])


def _each_once(*pairs: Int64s) -> Int64s:
    """All pairs, sorted, each once."""
    whole = np.sort(np.concatenate(pairs))
    return np.asarray(whole[np.diff(whole, prepend=-1) != 0])


def _related(pairs: Int64s, relation: Relations) -> Int64s:
    """Each question beside what is related to its records."""
    records = pairs & _RECORD
    sizes = relation.offsets[records + 1] - relation.offsets[records]
    return np.asarray(np.repeat(pairs & ~_RECORD, sizes) | relation.of_all(records))


def _candidates(opened: Opened, found: tuple[Int64s, ...], allowed: Bools | None) -> Int64s:
    """The pairs that are ranked, sorted: what was found, and what means the same, as far as it may be."""
    pairs = _each_once(*found)
    pairs = _each_once(pairs, _related(pairs, opened.relations["equal"]))
    return pairs if allowed is None else np.asarray(pairs[allowed[pairs & _RECORD]])


def _named(opened: Opened, keys: Sequence[str]) -> _Named:
    """Records that a key is a name of; the name that is worth most, once for each record."""
    low, high = opened.keys.places_equal(keys)
    high = np.where([not key for key in keys], low, high)
    question = np.repeat(np.arange(len(keys)), high - low)
    begins = np.cumsum(high - low) - (high - low)
    places = np.arange(len(question)) + (low - begins)[question]
    names = opened.keys.owner[places].astype(np.int64)
    _, codes, worths = opened.name_kinds
    worth = worths[codes[names]]
    pairs = (question << 32) | opened.record_of[names]
    order = np.lexsort((places, -worth, pairs))
    pairs, first = np.unique(pairs[order], return_index=True)
    return _Named(pairs, names[order][first], worth[order][first])


def _mended(opened: Opened, tokens: Sequence[list[str]], named: _Named, mended: Bools) -> _Named:
    """What a text equals a name of but for typing errors, where it equals none as it stands."""
    unknown = mended.copy()
    unknown[named.pairs >> 32] = False
    texts = np.flatnonzero(unknown)
    if not len(texts):
        return named
    more = _named(opened, [" ".join(opened.lexical.repaired(tokens[text])) for text in texts.tolist()])
    pairs = (texts[more.pairs >> 32] << 32) | (more.pairs & _RECORD)
    order = np.argsort(np.concatenate([named.pairs, pairs]))
    return _Named(
        np.concatenate([named.pairs, pairs])[order],
        np.concatenate([named.names, more.names])[order],
        np.concatenate([named.worth, more.worth * np.float32(_MENDED)])[order],
    )


def _worded(opened: Opened, tokens: Sequence[list[str]], chinese: Bools) -> _Worded:
    """Names that share words with each text; Chinese ones words of their dictionary, and pieces of words."""
    shared = opened.lexical.sharing_many(tokens, most=WORDED)
    if opened.segments is None:
        return _Worded({"spelling": _alike(opened, shared, np.ones_like(chinese))}, shared.mended)
    texts = np.flatnonzero(chinese)
    cut = opened.segments.sharing_many([tokens[text] for text in texts.tolist()], most=WORDED)
    names = np.full_like(shared.names, -1)
    scores = np.zeros_like(shared.scores)
    names[texts], scores[texts] = cut.names, cut.scores
    by_words = shared._replace(
        names=np.where(chinese[:, None], names, shared.names),
        scores=np.where(chinese[:, None], scores, shared.scores),
    )
    alike = {
        "spelling": _alike(opened, by_words, np.ones_like(chinese)),
        "pieces": _alike(opened, shared, chinese),
    }
    return _Worded(alike, shared.mended)


def _alike(opened: Opened, shared: SharedByMany, asked: Bools) -> _Alike:
    """The records of names that share words with the texts that are asked about."""
    line, column = np.nonzero((shared.names >= 0) & asked[:, None])
    records = opened.record_of[shared.names[line, column]]
    return _Alike((line << 32) | records, shared.scores[line, column])


# ---------------------------------------------------------------- ranking


def _rank(
    opened: Opened,
    asked: tuple[Floats, Bools],
    found: tuple[Int64s, _Named, _Worded],
    weights: Sequence[Weights],
    *,
    limit: int,
) -> _Ranked:
    """Score the candidates and keep the first of each question. `weights`: of other questions, of Chinese."""
    vectors, chinese = asked
    candidates, named, worded = found
    own_script = np.where(chinese, np.float32(weights[1].own_script), np.float32(0.0))
    unwritten = np.array([one.unwritten for one in weights], np.float32)[chinese.astype(int)]
    each = np.stack([one.vector() for one in weights])[chinese.astype(int)]
    compared = _each_once(candidates, _related(candidates, opened.relations["equal"]))
    pairs = (compared >> 32, compared & _RECORD)
    cosines = compare(vectors, pairs, opened.tables, own_script=own_script)
    parts, names = _parts(opened, candidates, (compared, cosines))
    lacking = _unwritten(opened, candidates, chinese)
    for part, alike in worded.alike.items():
        column = parts[:, PARTS.index(part)]
        _add_words(candidates, alike, (lacking, unwritten), column)
    worth = _add_named(candidates, named, parts, names)
    scores = np.einsum("ij,ij->i", parts, each[candidates >> 32])
    bounds = np.searchsorted(candidates >> 32, np.arange(len(vectors) + 1))
    chosen, ends, lead = _first(opened, (candidates & _RECORD, scores), bounds, limit=limit)
    records = candidates[chosen] & _RECORD
    return _Ranked(ends, records, names[chosen], worth[chosen], scores[chosen], lead, parts[chosen])


def _first(
    opened: Opened, scored: tuple[Int64s, Floats], bounds: Int64s, *, limit: int
) -> tuple[Int64s, Int64s, Floats]:
    """The first candidates of each question (rows, end to end), where each question's begin, their leads."""
    means = (opened.codes["kind"][1], opened.tables.equal_offsets, opened.tables.equal_values)
    ends = np.concatenate([[0], np.cumsum(np.minimum(limit, np.diff(bounds)))])
    chosen, lead = np.empty(ends[-1], np.int64), np.empty(ends[-1], np.float32)
    _choose((bounds, ends), scored, means, limit + NEAR, (chosen, lead))
    return chosen, ends, lead


def _parts(opened: Opened, candidates: Int64s, told: tuple[Int64s, Cosines]) -> tuple[Floats, Int64s]:
    """The parts of the scores of P candidates [P, PARTS], without words and names; the nearest names."""
    compared, cosines = told
    parts = np.zeros((len(candidates), len(PARTS)), np.float32)
    records = candidates & _RECORD
    at = np.searchsorted(compared, candidates)
    t = opened.tables
    _add_equal(
        (compared, candidates, at),
        (cosines.best, cosines.mean),
        (t.spans, t.equal_spans, t.equal_offsets, t.equal_values),
        parts,
    )
    parts[:, PARTS.index("crowd")] = opened.crowd[records]
    parts[:, PARTS.index("usage")] = opened.usage[records]
    return parts, cosines.name[at]


@numba.njit(cache=True, nogil=True)
def _add_equal(told: Any, cosines: Any, tables: Any, parts: Any) -> None:
    """Columns 0 to 3: the cosines of a record itself, and with those of what means the same."""
    compared, candidates, own = told
    best, mean = cosines
    spans, equal_spans, offsets, values = tables
    for row in range(len(candidates)):
        question, record = candidates[row] & ~_RECORD, candidates[row] & _RECORD
        at = own[row]
        equal_best, total = best[at], mean[at] * spans[record]
        for other in values[offsets[record] : offsets[record + 1]]:
            place = np.searchsorted(compared, question | other)
            equal_best = max(equal_best, best[place])
            total += spans[other] * mean[place]
        parts[row, 0], parts[row, 1] = best[at], mean[at]
        parts[row, 2] = equal_best
        parts[row, 3] = total / max(equal_spans[record], np.float32(1e-6))


def _unwritten(opened: Opened, candidates: Int64s, chinese: Bools) -> Bools:
    """Which candidates have no name in the script of their text."""
    question, record = candidates >> 32, candidates & _RECORD
    first = opened.tables.first
    size = np.where(chinese[question], 0, first[record + 1] - first[record])
    return np.asarray(opened.chinese_names[record] == size)


def _add_words(candidates: Int64s, alike: _Alike, lacking: tuple[Bools, Floats], part: Floats) -> None:
    """Write the greatest likeness of words of each candidate; of one that lacks them a share of the most."""
    unwritten, share = lacking
    at = np.searchsorted(candidates, alike.pairs)
    known = at < len(candidates)
    known[known] = candidates[at[known]] == alike.pairs[known]
    np.maximum.at(part, at[known], alike.scores[known])
    question = candidates >> 32
    most = np.zeros(len(share), np.float32)
    np.maximum.at(most, question, part)
    part[unwritten] = (share * most)[question[unwritten]]


def _add_named(candidates: Int64s, named: _Named, parts: Floats, names: Int64s) -> Floats:
    """Add what a name that the text equals is worth; it is the nearest, also where written as pinyin."""
    worth = np.zeros(len(candidates), np.float32)
    at = np.searchsorted(candidates, named.pairs)
    known = at < len(candidates)
    known[known] = candidates[at[known]] == named.pairs[known]
    at = at[known]
    worth[at] = parts[at, PARTS.index("named")] = named.worth[known]
    parts[at, 0] = parts[at, 2] = 1.0
    names[at] = named.names[known]
    return worth


@numba.njit(cache=True, nogil=True)
def _choose(bounds: Any, candidates: Any, means: Any, looked: int, out: Any) -> None:
    """The first candidates of each question, and the lead of each; equal scores in order of records.

    The rival of the first is the first of its kind that means something else, among those `looked` at.
    """
    (begins, ends), (records, scores), (chosen, lead) = bounds, candidates, out
    for question in range(len(begins) - 1):
        begin = begins[question]
        if begin == begins[question + 1]:
            continue
        order = begin + np.argsort(-scores[begin : begins[question + 1]], kind="mergesort")
        rival = _rival(order[:looked], records, scores, means)
        for place in range(ends[question + 1] - ends[question]):
            row = order[place]
            against = rival if scores[row] > rival else scores[order[0]]
            chosen[ends[question] + place], lead[ends[question] + place] = row, scores[row] - against


@numba.njit(cache=True, nogil=True)
def _rival(order: Any, records: Any, scores: Any, means: Any) -> Any:
    kinds, offsets, values = means
    first = records[order[0]]
    same = values[offsets[first] : offsets[first + 1]]
    for row in order[1:]:
        if kinds[records[row]] != kinds[first]:
            continue
        other = True
        for record in same:
            other = other and record != records[row]
        if other:
            return scores[row]
    return np.float32(0.0)


# ---------------------------------------------------------------- matches


def _matches(opened: Opened, ranked: _Ranked, mended: Bools, weights: Sequence[Weights]) -> list[list[Match]]:
    """The matches of each question; `weights` are those of each."""
    rows, texts = opened.rows(ranked.records), opened.name_texts(ranked.names)
    kinds, codes, _ = opened.name_kinds
    of_names = codes[ranked.names].tolist()
    question = np.repeat(np.arange(len(mended)), np.diff(ranked.bounds))
    parts = ranked.parts.tolist()
    spelled = mended[question] & ((ranked.worth > 0) | (ranked.parts[:, 5] > _SPELLED))
    columns = (question, ranked.worth, ranked.scores, ranked.lead, spelled)
    made = []
    for at, (asked, worth, score, lead, misspelled) in enumerate(
        zip(*(c.tolist() for c in columns), strict=True)
    ):
        row, own = rows[at], dict(zip(PARTS, parts[at], strict=True))
        made.append(
            Match(
                row["kind"],
                plain_id(row["kind"], row["id"]),
                row["label"],
                row["label_zh"],
                texts[at],
                _why(kinds[of_names[at]], worth, mended=misspelled),
                score,
                weights[asked].sureness.of(own["best"], named=worth, lead=lead),
                row["note"] or "",
                parts=own,
            )
        )
    ends = ranked.bounds.tolist()
    return [made[begin:end] for begin, end in pairwise(ends)]


def _why(kind: str, worth: float, *, mended: bool) -> Why:
    if worth == NAMED["identifier"] and kind != "label":
        return "identifier"
    if worth and not mended:
        return _WHY.get(kind, "synonym")
    return "spelling" if mended else "similar"
