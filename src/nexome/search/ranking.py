"""How well a record fits a text: an inspectable sum, its weights, and how sure a score makes us.

score = best · cosine of the nearest name  + mean · cosine of the mean of all names
      + equal · the same two over the names of what means the same elsewhere, where that is more
      − crowd · how near the record is to everything
      + spelling · likeness of words  + pieces · likeness of characters and pairs, of a Chinese text
      + kind of name, where the text equals one  + usage · ln(1 + usage)

Arrays in, arrays out; nothing is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

_AT_ONCE: Final = 256  # questions compared with all records in one product
PARTS: Final = ("best", "mean", "equal_best", "equal_mean", "crowd", "spelling", "named", "usage", "pieces")
NAMED: Final = {
    "label": 1.0,
    "identifier": 1.0,
    "exact": 0.9,
    "translation": 0.9,
    "layperson": 0.8,
    "abbreviation": 0.6,
    "related": 0.5,
    "narrow": 0.4,
    "broad": 0.4,
}
"""What a text that equals a name is worth, by what the name is; anything else 0.5."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the parts of a score. The defaults were chosen on names held out (docs/search.md)."""

    best: float = 1.0
    mean: float = 1.0
    equal_best: float = 0.5
    equal_mean: float = 0.5
    crowd: float = -0.3
    spelling: float = 0.05
    named: float = 0.3
    usage: float = 0.03
    pieces: float = 0.0
    own_script: float = -0.25
    """Added to the cosine of two Chinese texts, which are alike by characters as a translation cannot be."""
    unwritten: float = 1.0
    """Likeness of words of a record without a name in the script of the text, as a share of the greatest."""

    def vector(self) -> Floats:
        """The weights in the order of PARTS."""
        return np.array([getattr(self, part) for part in PARTS], np.float32)


CHINESE: Final = Weights(mean=0.0, equal_mean=0.0, crowd=-0.6, spelling=0.2, pieces=0.5)
"""Of Chinese questions: names in two scripts have no common middle, and words and characters say much."""


class Weigh(Protocol):
    """What gives the weights of a question."""

    def __call__(self, *, chinese: bool) -> Weights:
        """Those of a Chinese one, or of any other."""


def weights_of(*, chinese: bool) -> Weights:
    """The weights of a question, by its script."""
    return CHINESE if chinese else Weights()


class Sureness(NamedTuple):
    """A logistic curve of the best cosine, whether a name equals the text, and the lead over the second."""

    intercept: float
    best: float
    named: float
    lead: float

    def of(self, best: float, *, named: float, lead: float) -> float:
        """How often a first match like this one was right, 0–1."""
        sum_ = self.intercept + self.best * best + self.named * (named > 0) + self.lead * min(lead, 0.5)
        return float(1.0 / (1.0 + np.exp(-sum_)))


SURENESS: Final = Sureness(intercept=-6.75, best=8.24, named=-1.59, lead=4.66)
"""Fitted to 2,883 held-out names and trait names, and 600 names of things that it does not have."""


class Tables(NamedTuple):
    """What scoring reads, by record or name.

    `first` int64 [R + 1] rows of a record's names; `codes` int8 [N, D], `scales` float32 [N] of names;
    `places` int32 [R] of records in `mean_codes` int8 [R, D], `mean_scales`; `spans` float32 [R] length of
    the sum of a record's names' vectors; `equal_offsets`, `equal_values` CSR of equivalents; `equal_spans`
    float32 [R]; `chinese` uint8 [N], 1 for a name in Chinese characters.
    """

    first: Any
    codes: Any
    scales: Any
    places: Any
    mean_codes: Any
    mean_scales: Any
    spans: Any
    equal_offsets: Any
    equal_values: Any
    equal_spans: Any
    chinese: Any


def similarities(
    question: Floats, records: Int64s, tables: Tables, *, chinese: float = 0.0
) -> tuple[Floats, Int64s]:
    """best, mean, equal_best, equal_mean of C records float32 [C, 4], and the nearest name of each [C].

    `records` are sorted, each once. `chinese` is added to the cosines of Chinese names.
    """
    found = np.zeros((len(records), 4), np.float32)
    names = np.zeros(len(records), np.int64)
    if len(records):
        _compare(question, records, (tuple(tables), np.float32(chinese)), (found, names))
    return found, names


@numba.njit(cache=True, nogil=True, fastmath=True)
def nearest_means(question: Any, records: Any, places: Any, codes: Any, scales: Any) -> Any:
    """Cosines of one vector and the mean vectors of C records, float32 [C]."""
    found = np.empty(len(records), np.float32)
    for row in range(len(records)):
        found[row] = _cosine(question, codes, scales, places[records[row]])
    return found


def nearest_of_many(questions: Floats, records: Int64s, tables: Tables, *, most: int) -> list[Int64s]:
    """For each of Q vectors the `most` of C records whose mean is nearest, in no order, by one product."""
    places = tables.places[records]
    means = np.asarray(tables.mean_codes[places], np.float32) * tables.mean_scales[places, None]
    found: list[Int64s] = []
    for begin in range(0, len(questions), _AT_ONCE):
        cosines = questions[begin : begin + _AT_ONCE] @ means.T
        if len(records) > most:
            best = np.argpartition(cosines, -most, axis=1)[:, -most:]
            found.extend(records[best])
        else:
            found.extend([records] * len(cosines))
    return found


@numba.njit(cache=True, nogil=True, fastmath=True)
def _cosine(question: Any, codes: Any, scales: Any, row: Any) -> Any:
    total = np.float32(0.0)
    for d in range(len(question)):
        total += question[d] * np.float32(codes[row, d])
    return total * scales[row]


@numba.njit(cache=True, nogil=True)
def _compare(question: Any, records: Any, asked: Any, out: Any) -> None:
    """The records first, each once; then what means the same, mostly among them already."""
    tables, added = asked
    spans, offsets, values, equal_spans = tables[6], tables[7], tables[8], tables[9]
    found, names = out
    for row in range(len(records)):
        found[row, 0], found[row, 1], names[row] = _one(question, records[row], tables, added)
    for row in range(len(records)):
        record = records[row]
        equal_best, total = found[row, 0], found[row, 1] * spans[record]
        for at in range(offsets[record], offsets[record + 1]):
            other = values[at]
            place = np.searchsorted(records, other)
            if place < len(records) and records[place] == other:
                best, mean = found[place, 0], found[place, 1]
            else:
                best, mean, _ = _one(question, other, tables, added)
            equal_best = max(equal_best, best)
            total += spans[other] * mean
        found[row, 2] = equal_best
        found[row, 3] = total / max(equal_spans[record], np.float32(1e-6))


@numba.njit(cache=True, nogil=True)
def _one(question: Any, record: Any, tables: Any, added: Any) -> Any:
    """Cosine of a record's nearest name, of the mean of its names, and which name that is."""
    first, codes, scales, places, mean_codes, mean_scales = tables[:6]
    chinese = tables[10]
    best, name = np.float32(-1.0), np.int64(first[record])
    for n in range(first[record], first[record + 1]):
        cosine = _cosine(question, codes, scales, n) + added * chinese[n]
        if cosine > best:
            best, name = cosine, np.int64(n)
    return best, _cosine(question, mean_codes, mean_scales, places[record]), name
