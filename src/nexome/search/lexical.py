"""Names that share words with a text: stems of English words, characters and pairs of Chinese ones.

Similarity is the cosine of vectors of rarity-weighted stems (Salton and Buckley 1988), between 0 and 1
whatever the length. A word that no name has stands for those within one or two typing errors of it.

A folder of memory-mapped arrays (W words as written, S stems, N names):

    words/        SortedKeys of words as written; owner: its stem, weight: in how many names
    signs.npy     uint64 [W], lengths.npy uint8 [W]: see search.mistyped
    rarity.npy    float32 [S]
    offsets.npy   int64 [S + 1], names.npy int32: names that have a stem
    norms.npy     float32 [N]
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import snowballstemmer

from nexome.search.keys import SortedKeys, mapped
from nexome.search.mistyped import KnownWords, write_facts
from nexome.search.text import is_han
from nexome.search.topmost import best_first, empty_heaps, offer

Floats = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Pieces = Callable[[str], Sequence[str]]

_COMMON: Final = 5_000  # a stem of more names, and of more than a thousandth, finds none where rarer ones do
_ENOUGH: Final = 1_000  # names that rare stems found, from which on others find none by themselves
_READ: Final = 50_000  # names of a stem that are read at most: more tell nothing apart
_SEARCHED: Final = 20  # names read one after another in the time that one is looked up among many
_BESIDE: Final = 64  # names from one to the next within which a search goes on where it was
_BEGUN: Final = 4  # known words that an unfinished one may become
_PENALTY: Final = (1.0, 0.7, 0.45)  # weight of a word that is 0, 1, 2 errors away


_OF_THREAD: Final = threading.local()


class Shared(NamedTuple):
    """Names that share words with a text: rows, similarities 0–1; `mended` words were not known as typed."""

    names: Int64s
    scores: Floats
    mended: bool


class SharedByMany(NamedTuple):
    """The same of Q texts: rows int64 [Q, most], −1: no more; similarities float32; mended bool [Q]."""

    names: Int64s
    scores: Floats
    mended: npt.NDArray[np.bool_]


class _Meant(NamedTuple):
    """Stems that a word stands for, each with its weight; `mended`: the word is not known as typed."""

    stems: Sequence[tuple[int, float]]
    mended: bool = False


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
        write_facts(folder, written)
        stem_keys = pa.array(list(self._stems), pa.large_string())
        rows = np.arange(len(self._stems), dtype=np.int32)
        SortedKeys.build(folder / "stems", stem_keys, rows, weight=np.zeros(len(rows), np.int32))


@dataclass(frozen=True)
class LexicalIndex:
    """An opened folder; see the module. Safe to ask from several threads."""

    words: SortedKeys
    stems: SortedKeys
    mistyped: KnownWords
    rarity: Floats
    offsets: Int64s
    names: Int32s
    norms: Floats
    pieces: Pieces
    _scratch: threading.local = field(default_factory=threading.local)

    @classmethod
    def open(cls, folder: Path, pieces: Pieces | None = None) -> Self:
        """The index in a folder, mapped. `pieces`: of a run of Chinese, as it was written."""
        arrays: dict[str, Any] = {
            name: mapped(folder / f"{name}.npy") for name in ("rarity", "offsets", "names", "norms")
        }
        words, stems = (SortedKeys.open(folder / name) for name in ("words", "stems"))
        known = KnownWords.open(folder, words)
        return cls(words=words, stems=stems, mistyped=known, pieces=pieces or _pieces, **arrays)

    def sharing(self, tokens: Sequence[str], *, most: int, unfinished: bool = False) -> Shared:
        """Up to `most` names that share words with `tokens` (`text.words`), most similar first.

        `unfinished`: the last word may go on.
        """
        shared = self.sharing_many([tokens], most=most, unfinished=unfinished)
        kept = shared.names[0] >= 0
        return Shared(shared.names[0][kept], shared.scores[0][kept], bool(shared.mended[0]))

    def sharing_many(
        self, texts: Sequence[Sequence[str]], *, most: int, unfinished: bool = False
    ) -> SharedByMany:
        """`sharing` of each of Q texts."""
        known = self._meant({word for tokens in texts for word in tokens})
        scores, names = empty_heaps(len(texts), most)
        asked: list[tuple[list[int], list[float]]] = []
        mended = np.zeros(len(texts), np.bool_)
        for number, tokens in enumerate(texts):
            meant = [known[word] for word in tokens]
            if unfinished and tokens and self._goes_on(tokens[-1], meant[-1]):
                meant[-1] = self._begun(tokens[-1])
            mended[number] = any(word.mended for word in meant)
            asked.append(self._weighed(meant))
        if names.size:
            self._add_up(asked, scores, names)
        scores, names = best_first(scores, names)
        return SharedByMany(names, np.minimum(scores, np.float32(1.0)), mended)

    def repaired(self, tokens: Sequence[str]) -> list[str]:
        """The words with each unknown one replaced by the likeliest that it may be a typing error of."""
        return [self._repaired(word) for word in tokens]

    def _repaired(self, word: str) -> str:
        if is_han(word) or len(self.words.equal(word)):
            return word
        near = self.mistyped.near(word)
        return self.words.text(near[0][0]) if near else word

    def _meant(self, tokens: Iterable[str]) -> Mapping[str, _Meant]:
        """What each of some words stands for."""
        chinese = {word: self.pieces(word) for word in tokens if is_han(word)}
        latin = [word for word in tokens if word not in chinese]
        pieces = _owners(self.stems, list({piece for cut in chinese.values() for piece in cut}))
        written = _owners(self.words, latin)
        stemmed = _owners(self.stems, list({_stemmed(word) for word in latin if word not in written}))
        found = {
            word: _Meant([(pieces[p], 1.0) for p in cut if p in pieces]) for word, cut in chinese.items()
        }
        for word in latin:
            stem = written.get(word, stemmed.get(_stemmed(word)))
            found[word] = self._mended(word) if stem is None else _Meant([(stem, 1.0)])
        return found

    def _mended(self, word: str) -> _Meant:
        near = self.mistyped.near(word)
        stems = [(int(self.words.owner[place]), _PENALTY[errors]) for place, errors in near]
        return _Meant(stems, mended=bool(near))

    def _goes_on(self, word: str, meant: _Meant) -> bool:
        """Whether an unfinished word is not one by itself."""
        return not is_han(word) and (meant.mended or not meant.stems)

    def _begun(self, word: str) -> _Meant:
        places = self.words.heaviest(*self.words.range_of(word), _BEGUN)
        return _Meant([(int(self.words.owner[place]), 1.0) for place in places])

    def _weighed(self, meant: Sequence[_Meant]) -> tuple[list[int], list[float]]:
        """The stems of a text, the rarest first, and what each adds to the similarity of a name."""
        weights: dict[int, float] = {}
        for word in meant:
            for stem, weight in word.stems:
                weights[stem] = max(weight, weights.get(stem, 0.0))
        rarity = {stem: float(self.rarity[stem]) for stem in weights}
        stems = sorted(weights, key=lambda stem: -rarity[stem])
        length = max(sum((weights[s] * rarity[s]) ** 2 for s in stems) ** 0.5, 1e-6)
        return stems, [weights[s] * rarity[s] ** 2 / length for s in stems]

    def _add_up(self, asked: Sequence[tuple[list[int], list[float]]], scores: Floats, names: Int64s) -> None:
        """Fill the heaps with the names of the highest similarities."""
        stems = np.array([stem for own, _ in asked for stem in own], np.int64)
        given = np.array([share for _, own in asked for share in own], np.float32)
        bounds = np.concatenate([[0], np.cumsum([len(own) for own, _ in asked], dtype=np.int64)])
        if not hasattr(self._scratch, "totals"):
            self._scratch.totals = np.zeros(len(self.norms), np.float32)
        sizes = np.minimum(self.offsets[stems + 1] - self.offsets[stems], _READ)
        ends = np.concatenate([[0], np.cumsum(sizes)])
        room = int((ends[bounds[1:]] - ends[bounds[:-1]]).max())
        found = (self._scratch.totals, np.empty(room, np.int32))
        index = (self.offsets, self.names, self.norms, self.rarity)
        _share((stems, given, bounds), index, found, (scores, names))


def _owners(keys: SortedKeys, texts: Sequence[str]) -> dict[str, int]:
    """The owner of the key that each text equals, of those that equal one."""
    low, high = keys.places_equal(texts)
    return {
        text: int(keys.owner[at])
        for text, at, end in zip(texts, low.tolist(), high.tolist(), strict=True)
        if end > at
    }


def _pieces(run: str) -> list[str]:
    """Characters of a Chinese run, and each two that follow each other."""
    return [*run, *(run[i : i + 2] for i in range(len(run) - 1))]


@lru_cache(maxsize=1 << 18)
def _stemmed(word: str) -> str:
    return str(_stemmer().stemWord(word)) if len(word) > 3 and word.isascii() else word


def _stemmer() -> Any:
    """The stemmer of this thread: it keeps the word it is at."""
    if not hasattr(_OF_THREAD, "stemmer"):
        _OF_THREAD.stemmer = snowballstemmer.stemmer("english")
    return _OF_THREAD.stemmer


@numba.njit(cache=True, nogil=True)
def _share(asked: Any, index: Any, room: Any, kept: Any) -> None:
    """Offer each text the names that its stems lead to; the totals are 0 again afterwards."""
    (stems, given, bounds), norms = asked, index[2]
    (totals, touched), (best, rows) = room, kept
    for text in range(len(bounds) - 1):
        own = slice(bounds[text], bounds[text + 1])
        count = _add_postings(stems[own], given[own], index, room, best.shape[1])
        for place in range(count):
            name = touched[place]
            offer(totals[name] / norms[name], name, best[text], rows[text])
            totals[name] = np.float32(0.0)


@numba.njit(cache=True, nogil=True)
def _add_postings(stems: Any, given: Any, index: Any, room: Any, most: int) -> int:
    """Add each stem's weight to the totals of its names; stems come rarest first. How many names have any.

    A common stem finds no name by itself where a rarer one did, nor does any once many are found, or once as
    many as are asked for are more similar than a name can be that has no rarer stem: names that have it are
    looked up among those. Names that can no longer be among the `most` are left.
    """
    (offsets, names, norms, rarity), (totals, touched) = index, room
    size, common, least = 0, max(_COMMON, len(totals) // 1_000), np.float32(0.0)
    for place in range(len(stems)):
        begin, end = offsets[stems[place]], offsets[stems[place] + 1]
        left = given[place:]
        if size > most:
            least = _least_kept(touched[:size], totals, norms, most)
            size = _drop(touched[:size], totals, norms, (least, left.sum()))
        beaten = size >= most and _greatest(left, rarity[stems[place:]]) < least
        if beaten or size > _ENOUGH or (size > 0 and end - begin > common):
            _add_known(names[begin:end], given[place], totals, touched[:size])
            continue
        for row in range(begin, min(end, begin + _READ)):
            name = names[row]
            if totals[name] == 0.0:
                touched[size] = name
                size += 1
            totals[name] += given[place]
    return size


@numba.njit(cache=True, nogil=True)
def _greatest(given: Any, rarity: Any) -> Any:
    """The greatest similarity of a name that has some of these stems and no other that was asked for."""
    total = np.float32(0.0)
    for place in range(len(given)):
        total += (given[place] / rarity[place]) ** 2
    return np.float32(1.0001) * np.sqrt(total)


@numba.njit(cache=True, nogil=True)
def _least_kept(touched: Any, totals: Any, norms: Any, most: int) -> Any:
    """What the last of the `most` similar names has so far."""
    best, rows = np.full(most, -np.inf, np.float32), np.full(most, -1, np.int64)
    for name in touched:
        offer(totals[name] / norms[name], name, best, rows)
    return best[0]


@numba.njit(cache=True, nogil=True)
def _drop(touched: Any, totals: Any, norms: Any, reach: Any) -> int:
    """Leave names that fall short of the least even with all that is left to be given; how many stay."""
    least, left = reach
    kept = 0
    for name in touched:
        if np.float32(1.0001) * (totals[name] + left) < least * norms[name]:
            totals[name] = np.float32(0.0)
        else:
            touched[kept] = name
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _add_known(those: Any, share: Any, totals: Any, touched: Any) -> None:
    """Add a stem's weight to the names found before that have it, the shorter way."""
    if len(those) < _SEARCHED * len(touched):
        for name in those:
            if totals[name] > 0.0:
                totals[name] += share
        return
    row, before = 0, -_BESIDE
    for name in touched:  # those of one thing stand together; others lie spread over all names
        if not 0 <= name - before < _BESIDE:
            row = int(name * (len(those) / len(totals)))
        row, before = _place_of(name, those, row), name
        if row < len(those) and those[row] == name:
            totals[name] += share


@numba.njit(cache=True, nogil=True)
def _place_of(name: int, those: Any, start: int) -> int:
    """The first place from which on sorted names are not before `name`, looked for around `start`."""
    low = high = min(start, len(those))
    step = 1
    while high < len(those) and those[high] < name:
        low = high + 1
        high += step
        step *= 2
    while low > 0 and those[low - 1] >= name:
        high = low - 1
        low = max(0, low - step)
        step *= 2
    high = min(high, len(those))
    while low < high:
        middle = (low + high) // 2
        if those[middle] < name:
            low = middle + 1
        else:
            high = middle
    return low
