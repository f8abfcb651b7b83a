"""Allele keys by the million: the arithmetic of `genome.allele_key` on arrays.

`pack_alleles` reads Arrow text columns where they lie (offsets and bytes, no Python objects) and
gives the same keys as `allele_key`; only pairs that must be hashed go through Python, once for each
distinct pair. `flip_keys` and `complement_keys` work on packed keys alone. No input or output here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.model.genome import HASHED, MAX_PACKED_BASES, allele_key

Keys = npt.NDArray[np.uint64]

# What `_pack` says of each pair.
_PACKED: Final = 0
_SPELLED: Final = 1  # long, symbolic or odd: the text decides
_ABSENT: Final = 2  # one of the two is empty

_LENGTH_MASK: Final = np.uint64(31)
_U2: Final = np.uint64(2)
_U3: Final = np.uint64(3)
_U1: Final = np.uint64(1)
_U52: Final = np.uint64(52)
_U57: Final = np.uint64(57)
_U63: Final = np.uint64(63)


def _letter_codes(letters: str) -> npt.NDArray[np.uint8]:
    table = np.full(256, 255, np.uint8)
    for code, letter in enumerate(letters):
        table[ord(letter)] = code
        table[ord(letter.lower())] = code
    return table


LETTERS: Final = "ACGT"
DIGITS: Final = "1234"  # PLINK and METAL files of old: 1 2 3 4 for A C G T


@dataclass(frozen=True, slots=True)
class PackedAlleles:
    """Keys of V pairs of alleles.

    `keys` uint64 [V] (0 where `absent`); `absent` bool [V]: one of the two is empty;
    `spelled` {hashed key: "REF/ALT"} for every pair that could not be packed; `hashed` int64: rows of
    those pairs, ascending.
    """

    keys: Keys
    absent: npt.NDArray[np.bool_]
    hashed: npt.NDArray[np.int64]
    spelled: dict[int, str]


def pack_alleles(ref: pa.Array, alt: pa.Array, *, letters: str = LETTERS) -> PackedAlleles:
    """Keys of V pairs of alleles given as two Arrow text columns of one length.

    `letters` are the four signs that mean A, C, G, T (`DIGITS` for files that write 1 to 4); letter
    case does not matter. Nulls count as empty.

    >>> packed = pack_alleles(pa.array(["a", "C"]), pa.array(["G", "<DEL>"]))
    >>> packed.spelled
    {...: 'C/<DEL>'}
    """
    table = _letter_codes(letters)
    ref, alt = _as_text(ref), _as_text(alt)
    keys, status = _pack(*_buffers(ref), *_buffers(alt), table)
    hashed = np.flatnonzero(status == _SPELLED)
    spelled: dict[int, str] = {}
    if len(hashed):
        keys[hashed] = _hash_rows(ref.take(pa.array(hashed)), alt.take(pa.array(hashed)), letters, spelled)
    return PackedAlleles(keys, status == _ABSENT, hashed, spelled)


def flip_keys(keys: Keys) -> Keys:
    """Packed keys with the two alleles changing place; hashed keys come back as they are.

    >>> flip_keys(np.array([allele_key("A", "GT")], np.uint64))[0] == allele_key("GT", "A")
    np.True_
    """
    return _flip(np.ascontiguousarray(keys))


def complement_keys(keys: Keys) -> Keys:
    """Packed keys with both alleles spelled on the other strand; hashed keys come back as they are.

    >>> complement_keys(np.array([allele_key("A", "GG")], np.uint64))[0] == allele_key("T", "CC")
    np.True_
    """
    return _complement(np.ascontiguousarray(keys))


def are_hashed(keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of V keys are hashes of a text."""
    return keys >= np.uint64(HASHED)


def are_palindromic(keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of V packed pairs read the same, in the other order, on the other strand (A/T, C/G, …)."""
    return ~are_hashed(keys) & (complement_keys(keys) == flip_keys(keys))


def text_buffers(column: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Offsets [V + 1] and UTF-8 bytes of an Arrow text column of V rows; nulls are empty."""
    return _buffers(_as_text(column))


def _as_text(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = column.cast(pa.string())
    return column.fill_null("") if column.null_count else column


def _buffers(column: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    wide = pa.types.is_large_string(column.type)
    _, offsets, letters = column.buffers()
    starts = np.frombuffer(offsets, np.int64 if wide else np.int32) if offsets else np.zeros(1, np.int32)
    starts = starts[column.offset : column.offset + len(column) + 1]
    return starts, np.frombuffer(letters, np.uint8) if letters else np.zeros(0, np.uint8)


def _hash_rows(ref: pa.Array, alt: pa.Array, letters: str, spelled: dict[int, str]) -> Keys:
    """Keys of rare rows one by one; each distinct pair is hashed once and its spelling remembered."""
    decode = str.maketrans(letters, LETTERS)
    known: dict[tuple[str, str], int] = {}
    keys = np.empty(len(ref), np.uint64)
    for row, pair in enumerate(zip(ref.to_pylist(), alt.to_pylist(), strict=True)):
        if (key := known.get(pair)) is None:
            first, second = (text.upper().translate(decode) for text in pair)
            key = known[pair] = allele_key(first, second)
            if key >= HASHED:
                spelled[key] = f"{first}/{second}"
        keys[row] = key
    return keys


@numba.njit(cache=True, nogil=True)
def _pack(
    ref_starts: npt.NDArray[Any],
    ref: npt.NDArray[np.uint8],
    alt_starts: npt.NDArray[Any],
    alt: npt.NDArray[np.uint8],
    table: npt.NDArray[np.uint8],
) -> tuple[Keys, npt.NDArray[np.uint8]]:
    size = len(ref_starts) - 1
    keys = np.zeros(size, np.uint64)
    status = np.zeros(size, np.uint8)
    for i in range(size):
        n_ref = ref_starts[i + 1] - ref_starts[i]
        n_alt = alt_starts[i + 1] - alt_starts[i]
        if n_ref == 0 or n_alt == 0:
            status[i] = _ABSENT
            continue
        if n_ref + n_alt > MAX_PACKED_BASES:
            status[i] = _SPELLED
            continue
        key = np.uint64(0)
        odd = False
        for j in range(n_ref):
            code = table[ref[ref_starts[i] + j]]
            odd |= code == 255
            key = key << _U2 | np.uint64(code & 3)
        for j in range(n_alt):
            code = table[alt[alt_starts[i] + j]]
            odd |= code == 255
            key = key << _U2 | np.uint64(code & 3)
        if odd:
            status[i] = _SPELLED
        else:
            keys[i] = np.uint64(n_ref) << _U57 | np.uint64(n_alt) << _U52 | key
    return keys, status


@numba.njit(cache=True, nogil=True)
def _flip(keys: Keys) -> Keys:
    flipped = np.empty_like(keys)
    for i in range(len(keys)):
        key = keys[i]
        if key >> _U63:
            flipped[i] = key
            continue
        n_ref = key >> _U57 & _LENGTH_MASK
        n_alt = key >> _U52 & _LENGTH_MASK
        bases = key & ((_U1 << _U52) - _U1)
        alt = bases & ((_U1 << _U2 * n_alt) - _U1)
        ref = bases >> _U2 * n_alt
        flipped[i] = n_alt << _U57 | n_ref << _U52 | alt << _U2 * n_ref | ref
    return flipped


@numba.njit(cache=True, nogil=True)
def _reverse_complement(bases: np.uint64, length: np.uint64) -> np.uint64:
    turned = np.uint64(0)
    for j in range(length):
        turned = turned << _U2 | (bases >> _U2 * np.uint64(j) & _U3 ^ _U3)
    return turned


@numba.njit(cache=True, nogil=True)
def _complement(keys: Keys) -> Keys:
    turned = np.empty_like(keys)
    for i in range(len(keys)):
        key = keys[i]
        if key >> _U63:
            turned[i] = key
            continue
        n_ref = key >> _U57 & _LENGTH_MASK
        n_alt = key >> _U52 & _LENGTH_MASK
        bases = key & ((_U1 << _U52) - _U1)
        alt = _reverse_complement(bases & ((_U1 << _U2 * n_alt) - _U1), n_alt)
        ref = _reverse_complement(bases >> _U2 * n_alt, n_ref)
        turned[i] = n_ref << _U57 | n_alt << _U52 | ref << _U2 * n_alt | alt
    return turned
