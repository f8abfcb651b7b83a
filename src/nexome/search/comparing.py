"""Cosines of questions and records: by a record's nearest name, and by the mean of all its names.

Pairs are compared in the order of the records, so that the vectors of names are read from their file from
front to back, those of a record once for all questions. Of a large file, pages that were read are given back:
in memory is a part of it alone, however many questions were asked (the system maps up to 2 MB around each).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from nexome.search.ranking import Tables
from nexome.search.vectors import let_go

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

_AT_ONCE: Final = 8_192  # pairs after which the pages of names are given back
_LARGE: Final = 1 << 28  # bytes of names' vectors above which that is done


class Cosines(NamedTuple):
    """Of P pairs: the cosine of the nearest name, of the mean of all, float32; which name it is, int64."""

    best: Floats
    mean: Floats
    name: Int64s


def compare(
    questions: Floats, pairs: tuple[Int64s, Int64s], tables: Tables, *, own_script: Floats | None = None
) -> Cosines:
    """Compare P pairs: which of Q questions float32 [Q, D], and which record, both int64 [P].

    `own_script` float32 [Q] is added to the cosines of a question and Chinese names.
    """
    asking, records = pairs
    size = len(records)
    found = Cosines(np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.int64))
    added = np.zeros(len(questions), np.float32) if own_script is None else own_script
    order = np.argsort(records)
    own = (tables.first, tables.codes, tables.scales, tables.chinese)
    means = (tables.places, tables.mean_codes, tables.mean_scales)
    for begin in range(0, size, _AT_ONCE):
        part = order[begin : begin + _AT_ONCE]
        _compare(questions, (asking, records, part), (own, means), added, found)
        if tables.codes.nbytes > _LARGE:
            let_go(tables.codes)
    return found


@numba.njit(cache=True, nogil=True)
def _compare(questions: Any, pairs: Any, tables: Any, added: Any, found: Any) -> None:
    asking, records, order = pairs
    (first, codes, scales, chinese), (places, mean_codes, mean_scales) = tables
    for pair in order:
        number, record = asking[pair], records[pair]
        question = questions[number]
        best, name = np.float32(-np.inf), np.int64(first[record])
        for n in range(first[record], first[record + 1]):
            cosine = _product(question, codes[n]) * scales[n] + added[number] * chinese[n]
            if cosine > best:
                best, name = cosine, np.int64(n)
        place = places[record]
        found[0][pair], found[2][pair] = best, name
        found[1][pair] = _product(question, mean_codes[place]) * mean_scales[place]


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _product(question: Any, codes: Any) -> Any:
    total = np.float32(0.0)
    for d in range(len(question)):
        total += question[d] * np.float32(codes[d])
    return total
