"""Compiled writing of dense segments: absolute codes in, a compressed shard out, in one pass.

For each inner chunk (256 × 64) the residuals are formed in a small buffer that stays in cache and are
compressed from there. The three passes are the inverse of those in `chunks`; the words they write
are described in `dense`. Measured at five times the rate of forming whole planes of residuals and
handing them to TensorStore (docs/decisions).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from nexome.store.associations.chunks import (
    BLOCK_BYTES,
    BLOSC,
    CHAIN_ROWS,
    CHUNK_COLUMNS,
    CHUNK_ROWS,
    blosc_function,
)

CHUNK_MOST: Final = CHUNK_ROWS * CHUNK_COLUMNS * 2 + 16
"""Bytes a compressed chunk may take at most: Blosc keeps what does not shrink as it is."""

_CODEC_NAME: Final = np.frombuffer(b"lz4\0", np.uint8)
_LEVEL: Final = 1
_BITSHUFFLE: Final = 2
_NEVER_SPLIT: Final = 2

# Unless told so, Blosc makes blocks of LZ4 no smaller than 64 kB, and a row would cost its whole chunk.
BLOSC.blosc_set_splitmode(_NEVER_SPLIT)
blosc_function("blosc_compress_ctx")
_compress = types.ExternalFunction(
    "blosc_compress_ctx",
    types.int32(
        types.int32,
        types.int32,
        types.uintp,
        types.uintp,
        types.uintp,
        types.uintp,
        types.uintp,
        types.uintp,
        types.uintp,
        types.int32,
    ),
)


@njit(inline="always")
def _zigzag(d: Any) -> Any:
    return (d << np.int32(1)) ^ (d >> np.int32(31))


@njit(cache=True, nogil=True)
def compress_words(words: Any, out: Any, at: Any, name: Any) -> int:
    """Compress a uint16 chunk into out[at:] (uint8); returns its bytes. `name`: 'lz4' and a zero byte."""
    return _compress(
        _LEVEL,
        _BITSHUFFLE,
        2,
        words.nbytes,
        words.ctypes.data,
        out.ctypes.data + at,
        out.shape[0] - at,
        name.ctypes.data,
        BLOCK_BYTES,
        1,
    )


@njit(cache=True, nogil=True)
def _z_words(codes: Any, lag: Any, rho: Any, words: Any, chain: Any) -> Any:
    """Residuals of one chunk of z codes [R ≤ 256, C ≤ 64]; returns how many grid cells do not fit."""
    columns = codes.shape[1]
    misfits = np.int32(0)
    for i in range(codes.shape[0]):
        r = i % CHAIN_ROWS
        weight = np.int32(rho[i]) if lag[i] > 0 else np.int32(0)
        old, new, source, word = chain[r - np.int64(lag[i])], chain[r], codes[i], words[i]
        count = np.int32(0)
        for j in range(columns):
            p = (weight * old[j]) >> np.int32(6)
            c = np.int32(source[j])
            zigzag = _zigzag(c - p)
            regular = (c > np.int32(-32767)) and (zigzag <= np.int32(65533))
            w = zigzag + np.int32(2) if regular else np.int32(1)
            new[j] = c if regular else p
            word[j] = w if c != np.int32(-32768) else np.int32(0)
            count += np.int32(1) if (not regular) and c > np.int32(-32767) else np.int32(0)
        misfits += count
    return misfits


@njit(cache=True, nogil=True)
def pack_z(codes: Any, model: Any, out: Any, index: Any, misfits: Any, name: Any) -> Any:
    """Pack z codes int16 [R, C] of one shard; model (lag, rho) int8 [R].

    `out` uint8 takes the chunks, `index` uint64 [A, B, 2] their offsets and lengths. Returns (bytes,
    misfits found); `misfits` int64 [M, 2] gets row and column of the first M of them.
    """
    lag, rho = model
    words = np.zeros((CHUNK_ROWS, CHUNK_COLUMNS), np.uint16)
    chain = np.zeros((CHAIN_ROWS, CHUNK_COLUMNS), np.int32)
    at = np.int64(0)
    found = np.int64(0)
    for a in range(index.shape[0]):
        rows = slice(a * CHUNK_ROWS, min((a + 1) * CHUNK_ROWS, codes.shape[0]))
        for b in range(index.shape[1]):
            columns = slice(b * CHUNK_COLUMNS, min((b + 1) * CHUNK_COLUMNS, codes.shape[1]))
            tile = codes[rows, columns]
            if tile.size < words.size:
                words[...] = 0
            if _z_words(tile, lag[rows], rho[rows], words, chain):
                for i in range(tile.shape[0]):
                    for j in range(tile.shape[1]):
                        if words[i, j] == 1 and tile[i, j] != -32767:
                            if found < misfits.shape[0]:
                                misfits[found, 0] = rows.start + i
                                misfits[found, 1] = columns.start + j
                            found += 1
            length = compress_words(words, out, at, name)
            index[a, b, 0] = at
            index[a, b, 1] = length
            at += length
    return at, found


@njit(cache=True, nogil=True)
def pack_eaf(codes: Any, model: Any, out: Any, index: Any, name: Any) -> Any:
    """As pack_z for eaf; model (baseline int16 [R, G], group int64 [C]). Returns bytes."""
    baseline, group = model
    words = np.zeros((CHUNK_ROWS, CHUNK_COLUMNS), np.uint16)
    at = np.int64(0)
    for a in range(index.shape[0]):
        for b in range(index.shape[1]):
            first = b * CHUNK_COLUMNS
            count = min(CHUNK_COLUMNS, codes.shape[1] - first)
            rows = min(CHUNK_ROWS, codes.shape[0] - a * CHUNK_ROWS)
            if rows * count < words.size:
                words[...] = 0
            mine = group[first : first + count]
            for i in range(rows):
                source = codes[a * CHUNK_ROWS + i, first : first + count]
                level = baseline[a * CHUNK_ROWS + i]
                word = words[i]
                for j in range(count):
                    c = np.int32(source[j])
                    w = _zigzag(c - np.int32(level[mine[j]])) + np.int32(3)
                    w = w if c < np.int32(32766) else c - np.int32(32765)
                    word[j] = w if c != np.int32(-32768) else np.int32(0)
            length = compress_words(words, out, at, name)
            index[a, b, 0] = at
            index[a, b, 1] = length
            at += length
    return at


@njit(cache=True, nogil=True)
def pack_se(codes: Any, model: Any, out: Any, index: Any, name: Any) -> Any:
    """As pack_eaf for se; model (level int16 [R, G], group, offset int16 [C])."""
    level, group, offset = model
    words = np.zeros((CHUNK_ROWS, CHUNK_COLUMNS), np.uint16)
    at = np.int64(0)
    for a in range(index.shape[0]):
        for b in range(index.shape[1]):
            first = b * CHUNK_COLUMNS
            count = min(CHUNK_COLUMNS, codes.shape[1] - first)
            rows = min(CHUNK_ROWS, codes.shape[0] - a * CHUNK_ROWS)
            if rows * count < words.size:
                words[...] = 0
            mine = group[first : first + count]
            base = offset[first : first + count]
            for i in range(rows):
                row = a * CHUNK_ROWS + i
                source, word, here = codes[row, first : first + count], words[i], level[row]
                for j in range(count):
                    c = np.int32(source[j])
                    w = _zigzag(c - np.int32(here[mine[j]]) - np.int32(base[j])) + np.int32(2)
                    word[j] = w if c != np.int32(-32768) else np.int32(0)
            length = compress_words(words, out, at, name)
            index[a, b, 0] = at
            index[a, b, 1] = length
            at += length
    return at


def codec_name() -> Any:
    """The compressor's name as the compiled passes take it."""
    return _CODEC_NAME
