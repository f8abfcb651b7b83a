"""Chinese names by words of a dictionary, which is the Chinese names themselves: the longest at each place.

Asked for the likeness of Chinese questions; what is typed unfinished is still found by characters and pairs
(`search.lexical`). A folder in a generation; one without it is asked by characters and pairs alone:

    segments/       a LexicalIndex of the names with Chinese characters
      rows.npy      int32 [S]: which name each of them is
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from nexome.search.keys import mapped
from nexome.search.lexical import LexicalIndex, LexicalWriter, SharedByMany
from nexome.search.text import is_han, words

FOLDER: Final = "segments"
_LONGEST: Final = 10  # characters of a word


def cut(run: str, known: Collection[str]) -> list[str]:
    """A run of Chinese characters as the longest known words, from left to right; never the run as a whole.

    >>> cut("急性心肌梗死", {"心肌", "梗死", "心肌梗死", "急性心肌梗死"})
    ['急', '性', '心肌梗死']
    """
    pieces, at = [], 0
    while at < len(run):
        sizes = range(min(_LONGEST, len(run) - at, len(run) - 1), 1, -1)
        size = next((size for size in sizes if run[at : at + size] in known), 1)
        pieces.append(run[at : at + size])
        at += size
    return pieces


def write_segments(folder: Path, texts: Sequence[str], rows: npt.NDArray[np.int32]) -> None:
    """Write the folder: the names with Chinese characters, and which names they are, int32 [S]."""
    named = [words(text) for text in texts]
    known = {run for tokens in named for run in tokens if is_han(run) and 2 <= len(run) <= _LONGEST}
    writer = LexicalWriter(lambda run: cut(run, known))
    for tokens in named:
        writer.add(tokens)
    writer.write(folder / FOLDER)
    np.save(folder / FOLDER / "rows.npy", rows.astype(np.int32))


@dataclass(frozen=True)
class Segments:
    """An opened folder; see the module. Safe to ask from several threads."""

    index: LexicalIndex
    rows: npt.NDArray[np.int32]

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """The segments of a generation; None where it has none."""
        if not (folder / FOLDER / "rows.npy").exists():
            return None
        stems = LexicalIndex.open(folder / FOLDER).stems
        known = frozenset(
            text for text in map(stems.text, range(len(stems))) if len(text) > 1 and is_han(text)
        )
        pieces: Callable[[str], list[str]] = lambda run: cut(run, known)  # noqa: E731
        return cls(LexicalIndex.open(folder / FOLDER, pieces), mapped(folder / FOLDER / "rows.npy"))

    def sharing_many(self, texts: Sequence[Sequence[str]], *, most: int) -> SharedByMany:
        """Names that share words with each of Q texts, as `LexicalIndex.sharing_many`."""
        shared = self.index.sharing_many(texts, most=most)
        if not len(self.rows):
            return shared
        names = np.where(shared.names >= 0, self.rows[shared.names], -1).astype(np.int64)
        return shared._replace(names=names)
