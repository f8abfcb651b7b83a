"""The names of terms, and which terms are parents or equals of which: what an encoder learns from.

Rows are names, sorted by term, the label of a term first. Relations are between terms, as CSR: those of
term t are `values[offsets[t]:offsets[t + 1]]`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from nexome.model.knowledge import Name, NamedTerm
from nexome.search.keys import mapped
from nexome.search.text import fold, is_han

__all__ = ["Lexicon", "Name", "NamedTerm", "Relations", "unseen_left_out"]

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
_BRACKETS: Final = re.compile(r"[\[［]([^\[\]［］]+)[\]］]")


@dataclass(frozen=True)
class Relations:
    """Term → terms, as CSR; `offsets` int64 [T + 1], `values` int32."""

    offsets: Int64s
    values: Int32s

    def of(self, term: int) -> Int32s:
        """The related terms of one."""
        return self.values[self.offsets[term] : self.offsets[term + 1]]

    def of_all(self, terms: Int64s) -> Int64s:
        """The related terms of several, end to end."""
        begins = self.offsets[terms]
        sizes = self.offsets[terms + 1] - begins
        ends = np.cumsum(sizes)
        rows = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begins - ends + sizes, sizes)
        return np.asarray(self.values[rows], np.int64)

    @classmethod
    def open(cls, folder: Path, name: str, *, things: int) -> Self:
        """The relation of some name in a folder; one without any pair where it was not written."""
        path = folder / f"{name}_offsets.npy"
        if not path.exists():
            return cls(np.zeros(things + 1, np.int64), np.zeros(0, np.int32))
        return cls(mapped(path), mapped(folder / f"{name}_values.npy"))

    @classmethod
    def from_sets(cls, sets: Sequence[Collection[int]]) -> Self:
        """Relations of T terms from T collections of terms."""
        offsets = np.zeros(len(sets) + 1, np.int64)
        np.cumsum([len(related) for related in sets], out=offsets[1:])
        values = np.fromiter((r for related in sets for r in sorted(related)), np.int32, int(offsets[-1]))
        return cls(offsets, values)


@dataclass(frozen=True)
class Lexicon:
    """N names of T terms.

    `texts`, `kinds`, `languages` [N]; `term` int32 [N], sorted, points into `terms` [T].
    """

    terms: Sequence[str]
    texts: Sequence[str]
    kinds: Sequence[str]
    languages: Sequence[str]
    term: Int32s
    parents: Relations
    equivalents: Relations
    first: Int64s = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", np.searchsorted(self.term, np.arange(len(self.terms) + 1)))

    def __len__(self) -> int:
        return len(self.texts)

    def names_of(self, term: int) -> range:
        """Rows of the names of a term."""
        return range(int(self.first[term]), int(self.first[term + 1]))

    @classmethod
    def build(
        cls,
        terms: Iterable[NamedTerm],
        *,
        exclude_texts: Collection[str] = (),
        exclude_terms: Collection[str] = (),
    ) -> Self:
        """A lexicon of `terms`, without the terms and without the names that must stay unseen.

        Names are compared as `fold` writes them. Relations to terms that are not in it are left out.
        """
        unseen = {fold(text) for text in exclude_texts}
        kept = sorted((t for t in terms if t.id not in exclude_terms), key=lambda term: term.id)
        named = [(t, unseen_left_out(t.names, unseen)) for t in kept]
        named = [(t, names) for t, names in named if names]
        place = {t.id: row for row, (t, _) in enumerate(named)}
        flat = [(row, name) for row, (_, names) in enumerate(named) for name in names]
        return cls(
            terms=[t.id for t, _ in named],
            texts=[name.text for _, name in flat],
            kinds=[name.kind for _, name in flat],
            languages=[name.language for _, name in flat],
            term=np.array([row for row, _ in flat], np.int32),
            parents=Relations.from_sets([_known(t.parents, place) for t, _ in named]),
            equivalents=Relations.from_sets(_both_ways([_known(t.equivalents, place) for t, _ in named])),
        )


def unseen_left_out(names: Iterable[Name], unseen: Collection[str]) -> list[Name]:
    """A term's names and those written within them, without the unseen ones (as `fold` writes them).

    Chinese classifications write another name, or what explains it, in square brackets: 麻风[汉森病].
    """
    kept = [name for name in names if name.text.strip() and fold(name.text) not in unseen]
    told = {name.text for name in kept}
    inner = dict.fromkeys(inner for name in kept for inner in _written_within(name))
    return kept + [name for name in inner if name.text not in told and fold(name.text) not in unseen]


def _written_within(name: Name) -> Iterator[Name]:
    """A Chinese name without its brackets; what stands in them at its end, which stands for all of it."""
    last = list(_BRACKETS.finditer(name.text))[-1:] if is_han(name.text) else []
    plain = _BRACKETS.sub("", name.text).strip()
    if not last or not plain:
        return
    yield Name(plain, "exact", name.language)
    if last[0].end() == len(name.text.rstrip()):
        yield Name(last[0][1].strip(), "related", name.language)


def _known(ids: Iterable[str], place: Mapping[str, int]) -> set[int]:
    return {place[i] for i in ids if i in place}


def _both_ways(sets: list[set[int]]) -> list[set[int]]:
    whole = [set(related) - {row} for row, related in enumerate(sets)]
    for row, related in enumerate(sets):
        for other in related - {row}:
            whole[other].add(row)
    return whole
