"""One column of a sample seen from outside: its distinct values, how often each stands, which are numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.cohorts.cells import MISSING, number_text
from nexome.ingest.cohorts.words import plain

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Profile:
    """A column's distinct values (trimmed, '' excluded) with their counts, and each row's value by index.

    `rows`: of the sample. `index` [rows]: place in `values`, −1 where nothing stands. `values` are those
    of persons: they never leave the guesses, but for codes that many share.
    """

    name: str
    rows: int
    values: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]

    @property
    def filled(self) -> int:
        """Rows where something stands."""
        return int(self.counts.sum())

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64]:
        """Each distinct value as a number; NaN where it is none."""
        texts = [plain(v) if not v.isascii() else v for v in self.values]
        return np.array([float(t) if _NUMBER.fullmatch(t) else np.nan for t in texts])

    @cached_property
    def nothing(self) -> npt.NDArray[np.bool_]:
        """Which distinct values are a program's word for nothing (NA, NaN, null)."""
        return np.array([v in MISSING for v in self.values], bool)

    def share(self, which: npt.NDArray[np.bool_]) -> float:
        """The share of filled rows whose value is one of `which`."""
        return float(self.counts[which].sum()) / max(self.filled, 1)


def profile(name: str, column: pa.ChunkedArray) -> Profile:
    """What a column of a sample holds."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type):
        array = number_text(array)
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    texts = [(v or "").strip() for v in array.dictionary.cast(pa.string()).to_pylist()]
    place: dict[str, int] = {}
    of_text = np.array([place.setdefault(t, len(place)) if t else -1 for t in texts] + [-1])
    codes = array.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    index = of_text[codes].astype(np.int64)
    counts = np.bincount(index[index >= 0], minlength=len(place)).astype(np.int64)
    return Profile(name, len(array), tuple(place), counts, index)
