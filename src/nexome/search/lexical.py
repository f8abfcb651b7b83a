"""Names that share words with a text: stems of English words, characters and pairs of Chinese ones.

Similarity is the cosine of vectors of rarity-weighted stems (Salton and Buckley 1988), between 0 and 1
whatever the length. A word that no name has stands for those within one or two typing errors of it.

A folder of memory-mapped arrays (W words as written, S stems, N names):

    words/        SortedKeys of words as written; owner: its stem, weight: in how many names
    signs.npy     uint64 [W]: which letters a word has; lengths.npy uint8 [W]
    rarity.npy    float32 [S]
    offsets.npy   int64 [S + 1], names.npy int32: names that have a stem
    norms.npy     float32 [N]
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import snowballstemmer

from nexome.search.keys import SortedKeys, mapped
from nexome.search.text import is_han

Floats = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Pieces = Callable[[str], Sequence[str]]

_COMMON: Final = 5_000  # a stem of more names, and of more than a thousandth, finds none where rarer ones do
_ENOUGH: Final = 1_000  # names that rare stems found, from which on others find none by themselves
_READ: Final = 200_000  # names of a stem that are read at most: more tell nothing apart
_ONE_ERROR: Final = 4  # letters from which on a word may have a typing error, and from which on two
_TWO_ERRORS: Final = 8
_MOST_KEPT: Final = 20_000  # mistyped words whose likely meanings are kept
_SPELLED: Final = 4  # known words that an unknown one may stand for
_PENALTY: Final = (1.0, 0.7, 0.45)  # weight of a word that is 0, 1, 2 errors away


class Shared(NamedTuple):
    """Names that share words with a text: rows, similarities 0–1; `mended` words were not known as typed."""

    names: Int32s
    scores: Floats
    mended: bool


class LexicalWriter:
    """Takes texts one after another and writes the folder at the end. `pieces`: of a run of Chinese."""

    def __init__(self, pieces: Pieces | None = None) -> None:
        self._pieces = pieces or _pieces
        self._stems: dict[str, int] = {}
        self._words: dict[str, list[int]] = {}
        self._pairs = array("i")
        self._sizes = array("i")

    def add(self, tokens: Sequence[str]) -> None:
        """The words (`text.words`) of the next name."""
        stems: set[int] = set()
        for word in tokens:
            if is_han(word):
                stems.update(self._stem(piece) for piece in self._pieces(word))
                continue
            known = self._words.get(word)
            if known is None:
                known = self._words[word] = [self._stem(_stemmed(word)), 0]
            known[1] += 1
            stems.add(known[0])
        self._pairs.extend(stems)
        self._sizes.append(len(stems))

    def _stem(self, stem: str) -> int:
        return self._stems.setdefault(stem, len(self._stems))

    def write(self, folder: Path) -> None:
        """Write everything that was added."""
        folder.mkdir(parents=True, exist_ok=True)
        stems = np.frombuffer(self._pairs, np.int32) if self._pairs else np.zeros(0, np.int32)
        sizes = np.frombuffer(self._sizes, np.int32) if self._sizes else np.zeros(0, np.int32)
        name = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        counts = np.bincount(stems, minlength=len(self._stems))
        rarity = np.log1p(len(sizes) / np.maximum(counts, 1)).astype(np.float32)
        squares = np.bincount(name, weights=rarity[stems].astype(np.float64) ** 2, minlength=len(sizes))
        np.save(folder / "names.npy", name[np.argsort(stems, kind="stable")])
        np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
        np.save(folder / "rarity.npy", rarity)
        np.save(folder / "norms.npy", np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32))
        facts = np.array(list(self._words.values()), np.int32).reshape(-1, 2)
        keys = pa.array(list(self._words), pa.large_string())
        written = SortedKeys.build(folder / "words", keys, facts[:, 0], weight=facts[:, 1])
        spelled = [written.text(place).encode() for place in range(len(written))]
        np.save(folder / "signs.npy", np.array([_sign(word) for word in spelled], np.uint64))
        np.save(folder / "lengths.npy", np.array([min(255, len(word)) for word in spelled], np.uint8))
        stem_keys = pa.array(list(self._stems), pa.large_string())
        rows = np.arange(len(self._stems), dtype=np.int32)
        SortedKeys.build(folder / "stems", stem_keys, rows, weight=np.zeros(len(rows), np.int32))


@dataclass(frozen=True)
class LexicalIndex:
    """An opened folder; see the module. Safe to ask from several threads."""

    words: SortedKeys
    stems: SortedKeys
    signs: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.uint8]
    rarity: Floats
    offsets: npt.NDArray[np.int64]
    names: Int32s
    norms: Floats
    pieces: Pieces
    _scratch: threading.local = field(default_factory=threading.local)
    _near_kept: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, pieces: Pieces | None = None) -> Self:
        """The index in a folder, mapped. `pieces`: of a run of Chinese, as it was written."""
        arrays: dict[str, Any] = {
            name: mapped(folder / f"{name}.npy")
            for name in ("signs", "lengths", "rarity", "offsets", "names", "norms")
        }
        words, stems = (SortedKeys.open(folder / name) for name in ("words", "stems"))
        return cls(words=words, stems=stems, pieces=pieces or _pieces, **arrays)

    def sharing(self, tokens: Sequence[str], *, most: int, unfinished: bool = False) -> Shared:
        """Up to `most` names that share words with `tokens` (`text.words`), most similar first.

        `unfinished`: the last word may go on.
        """
        weights, mended = self._weigh(tokens, unfinished=unfinished)
        if not weights:
            return Shared(np.zeros(0, np.int32), np.zeros(0, np.float32), mended)
        stems = np.array(sorted(weights, key=lambda stem: -self.rarity[stem]), np.int64)
        given = np.array([weights[stem] for stem in stems.tolist()], np.float32)
        length = float(np.sqrt(sum((weights[s] * float(self.rarity[s])) ** 2 for s in stems.tolist())))
        touched, scores = self._add_up(stems, given * self.rarity[stems] ** 2 / max(length, 1e-6), most)
        if len(scores) > most:
            best = np.argpartition(scores, -most)[-most:]
            touched, scores = touched[best], scores[best]
        order = np.lexsort((touched, -scores))
        return Shared(touched[order], np.minimum(scores[order], 1.0).astype(np.float32), mended)

    def near_words(self, word: str) -> list[tuple[int, int]]:
        """Places in `words` of what a mistyped word may be, with the errors between them; likeliest first."""
        kept = self._near_kept.get(word)
        if kept is None:
            if len(self._near_kept) > _MOST_KEPT:
                self._near_kept.clear()
            kept = self._near_kept[word] = self._look_near(word)
        return kept

    def _look_near(self, word: str) -> list[tuple[int, int]]:
        length = len(word)
        if length < _ONE_ERROR or is_han(word) or any(c.isdigit() for c in word):
            return []
        most = 2 if length >= _TWO_ERRORS else 1
        wanted = np.frombuffer(word.encode(), np.uint8)
        close = _near(
            (wanted, np.uint64(_sign(wanted.tobytes())), most),
            (self.words.blob, self.words.offsets, self.signs, self.lengths),
        )
        found = [(int(errors), -int(self.words.weight[place]), int(place)) for place, errors in close]
        return [(place, errors) for errors, _, place in sorted(found)[:_SPELLED]]

    def repaired(self, tokens: Sequence[str]) -> list[str]:
        """The words with each unknown one replaced by the likeliest that it may be a typing error of."""
        return [self._repaired(word) for word in tokens]

    def _repaired(self, word: str) -> str:
        if is_han(word) or len(self.words.equal(word)):
            return word
        near = self.near_words(word)
        return self.words.text(near[0][0]) if near else word

    def _weigh(self, tokens: Sequence[str], *, unfinished: bool) -> tuple[dict[int, float], bool]:
        weights: dict[int, float] = {}
        mended = False
        for number, word in enumerate(tokens, 1):
            if is_han(word):
                found = [(int(s), 1.0) for piece in self.pieces(word) for s in self.stems.equal(piece)]
            elif len(known := self.words.equal(word)) or len(known := self.stems.equal(_stemmed(word))):
                found = [(int(known[0]), 1.0)]
            elif unfinished and number == len(tokens):
                low, high = self.words.range_of(word)
                places = [p for p, _ in zip(self.words.heaviest(low, high), range(_SPELLED), strict=False)]
                found = [(int(self.words.owner[p]), 1.0) for p in places]
            else:
                near = self.near_words(word)
                mended = mended or bool(near)
                found = [(int(self.words.owner[p]), _PENALTY[errors]) for p, errors in near]
            for stem, weight in found:
                weights[stem] = max(weight, weights.get(stem, 0.0))
        return weights, mended

    def _add_up(self, stems: Any, given: Floats, most: int) -> tuple[Int32s, Floats]:
        """At least the `most` names of the highest sums, and their similarities; few more."""
        if not hasattr(self._scratch, "totals"):
            self._scratch.totals = np.zeros(len(self.norms), np.float32)
        size = int(np.minimum(self.offsets[stems + 1] - self.offsets[stems], _READ).sum())
        room = (self._scratch.totals, np.empty(size, np.int32), np.empty(size, np.float32))
        count = _add_postings(stems, given, self.offsets, self.names, room)
        kept = _keep_most(count, most, self.norms, room)
        return room[1][:kept].copy(), room[2][:kept].copy()


def _pieces(run: str) -> list[str]:
    """Characters of a Chinese run, and each two that follow each other."""
    return [*run, *(run[i : i + 2] for i in range(len(run) - 1))]


@lru_cache(maxsize=1 << 18)
def _stemmed(word: str) -> str:
    return str(_stemmer().stemWord(word)) if len(word) > 3 and word.isascii() else word


@cache
def _stemmer() -> Any:
    return snowballstemmer.stemmer("english")


def _sign(word: bytes) -> int:
    """Which letters a word has, one bit each: an error changes at most two of them."""
    sign = 0
    for letter in word:
        sign |= 1 << (letter & 63)
    return sign


@numba.njit(cache=True, nogil=True)
def _add_postings(stems: Any, given: Any, offsets: Any, names: Any, room: Any) -> int:
    """Add each stem's weight to the totals of its names; stems come rarest first. How many names have any.

    A common stem finds no name by itself where a rarer one did, nor does any once many are found: names that
    have it are looked up among those.
    """
    totals, touched, _ = room
    size, common = 0, max(_COMMON, len(totals) // 1_000)
    for place in range(len(stems)):
        begin, end = offsets[stems[place]], offsets[stems[place] + 1]
        if size > _ENOUGH or (size > 0 and end - begin > common):
            those = names[begin:end]
            for at in range(size):
                name = touched[at]
                row = np.searchsorted(those, name)
                if row < end - begin and those[row] == name:
                    totals[name] += given[place]
            continue
        for row in range(begin, min(end, begin + _READ)):
            name = names[row]
            if totals[name] == 0.0:
                touched[size] = name
                size += 1
            totals[name] += given[place]
    return size


@numba.njit(cache=True, nogil=True)
def _step(similarity: Any) -> int:
    return int(min(np.float32(1024.0), similarity * np.float32(1024.0)))


@numba.njit(cache=True, nogil=True)
def _keep_most(count: int, most: int, norms: Any, room: Any) -> int:
    """Move the names of the highest similarities to the front of `room`, at least `most`; how many.

    Totals are 0 again afterwards. Similarities are told apart in steps of 1/1024.
    """
    totals, touched, scores = room
    steps = np.zeros(1025, np.int64)
    for place in range(count):
        name = touched[place]
        score = totals[name] / norms[name]
        totals[name] = np.float32(0.0)
        scores[place] = score
        steps[_step(score)] += 1
    least, above = 1024, steps[1024]
    while above < most and least > 0:
        least -= 1
        above += steps[least]
    kept = 0
    for place in range(count):
        if _step(scores[place]) >= least:
            touched[kept], scores[kept] = touched[place], scores[place]
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _near(question: Any, known: Any) -> Any:
    """(place, errors) of all words within the errors allowed."""
    word, sign, most = question
    blob, offsets, signs, lengths = known
    found = [(np.int64(0), np.int64(0)) for _ in range(0)]
    size = len(word)
    for place in range(len(signs)):
        if abs(np.int64(lengths[place]) - size) > most:
            continue
        differ = sign ^ signs[place]
        bits = 0
        while differ:
            differ &= differ - np.uint64(1)
            bits += 1
        if bits > 2 * most:
            continue
        errors = _errors(word, blob[offsets[place] : offsets[place + 1]], most)
        if errors <= most:
            found.append((np.int64(place), np.int64(errors)))
    return found


@numba.njit(cache=True, nogil=True)
def _errors(one: Any, other: Any, most: int) -> int:
    """Letters put in, left out, changed or swapped with the next (optimal string alignment)."""
    width = len(other) + 1
    before, last, here = np.zeros(width, np.int64), np.arange(width), np.zeros(width, np.int64)
    for i in range(1, len(one) + 1):
        here[0] = i
        least = i
        for j in range(1, width):
            cost = 0 if one[i - 1] == other[j - 1] else 1
            value = min(last[j] + 1, here[j - 1] + 1, last[j - 1] + cost)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                value = min(value, before[j - 2] + 1)
            here[j] = value
            least = min(least, value)
        if least > most + 1:
            return most + 1
        before, last, here = last, here, before
    return last[width - 1]
