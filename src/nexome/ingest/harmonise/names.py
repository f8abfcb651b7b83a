"""Names in files as numbers: contigs as ranks, rs numbers, loci, feature names as keys.

Contigs and feature names are looked up once for each distinct spelling; rs numbers are read where Arrow
keeps them, without Python objects.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.ingest.harmonise.rules import Drop, Verdicts
from nexome.model.alleles import text_buffers
from nexome.model.genome import UNPLACED, Assembly, feature_key

Int64s = npt.NDArray[np.int64]

NO_CONTIG: Final = -1
UNKNOWN_CONTIG: Final = -2
_NOT_CONTIGS: Final = frozenset({"", "0", "-9", "NR", "UN"})


def contig_ranks(column: pa.Array, assembly: Assembly) -> Int64s:
    """Contig rank of V rows by their spelling; `NO_CONTIG`: missing, `UNKNOWN_CONTIG`: not in it."""
    coded = encoded(column)
    ranks = [_rank_of(text, assembly) for text in coded.dictionary.to_pylist()]
    codes = coded.indices.fill_null(len(ranks)).to_numpy()
    return np.array([*ranks, NO_CONTIG], np.int64)[codes]


def _rank_of(text: str | None, assembly: Assembly) -> int:
    if text is None or text.strip().upper() in _NOT_CONTIGS:
        return NO_CONTIG
    rank = assembly.find_contig(text)
    return UNKNOWN_CONTIG if rank is None else rank


def check_positions(
    contig: Int64s, position: Int64s, verdicts: Verdicts, *, lengths: Int64s
) -> npt.NDArray[np.bool_]:
    """Drop rows without a place; gives the mask of rows whose place is sound.

    `position` is 0 where the file gave none as well (`verdicts` cannot tell 0 from missing: both have no
    place). `lengths` int64 of all contigs, 0 unknown.
    """
    verdicts.reject(contig == UNKNOWN_CONTIG, Drop.UNKNOWN_CONTIG)
    verdicts.reject(contig == NO_CONTIG, Drop.NO_POSITION)
    ends = np.where(contig >= 0, lengths[np.maximum(contig, 0)], 0)
    behind = (position > ends) & (ends > 0)
    verdicts.reject((position < 1) | behind | (position > 0xFFFFFFFF), Drop.POSITION_OUT_OF_RANGE)
    return (contig >= 0) & (position >= 1) & ~behind


def rsid_numbers(column: pa.Array) -> npt.NDArray[np.uint32]:
    """Rs numbers of V rows as uint32; 0 where the text is no 'rs' and digits (letter case does not matter).

    >>> rsid_numbers(pa.array(["rs123", "RS7", "1:1000:A:G", None]))
    array([123,   7,   0,   0], dtype=uint32)
    """
    return _rsids(*text_buffers(column))


def feature_keys(
    kind: str, column: pa.Array, verdicts: Verdicts
) -> tuple[npt.NDArray[np.uint64], dict[int, str]]:
    """Allele keys of V named features, and the text 'kind:name' behind each."""
    coded = encoded(column)
    names = ["" if n is None else n.strip() for n in coded.dictionary.to_pylist()]
    keys = [feature_key(kind, name) if name else 0 for name in names]
    codes = coded.indices.fill_null(len(names)).to_numpy()
    found = np.array([*keys, 0], np.uint64)[codes]
    verdicts.reject(found == 0, Drop.NO_FEATURE_NAME)
    return found, {key: f"{kind}:{name}" for key, name in zip(keys, names, strict=True) if key}


def unplaced_loci(rows: int) -> npt.NDArray[np.uint64]:
    """The locus of features without a position, for V rows."""
    return np.full(rows, UNPLACED << 32, np.uint64)


def encoded(column: pa.Array) -> pa.DictionaryArray:
    """The column as one dictionary array."""
    if isinstance(column, pa.ChunkedArray):
        column = (
            column.unify_dictionaries().combine_chunks() if column.num_chunks > 1 else column.combine_chunks()
        )
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0)
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


@numba.njit(cache=True, nogil=True)
def _rsids(starts: Any, letters: Any) -> Any:
    size = len(starts) - 1
    numbers = np.zeros(size, np.uint32)
    for i in range(size):
        first, behind = starts[i], starts[i + 1]
        if behind - first < 3 or behind - first > 14:
            continue
        if letters[first] | 32 != 114 or letters[first + 1] | 32 != 115:  # 'r', 's'
            continue
        value = np.uint64(0)
        for j in range(first + 2, behind):
            digit = np.uint64(letters[j]) - np.uint64(48)
            if digit > 9:
                value = np.uint64(0)
                break
            value = value * np.uint64(10) + digit
        if value <= np.uint64(0xFFFFFFFF):
            numbers[i] = np.uint32(value)
    return numbers
