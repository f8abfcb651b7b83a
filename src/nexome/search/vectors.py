"""The nearest of many vectors: cells of similar vectors, of which a question opens the nearest few.

A folder of memory-mapped arrays, written once (N vectors of D dimensions, C cells):

    vectors.json   kind, version, count, dimensions, cells
    centres.npy    float32 [C, D], of length 1
    offsets.npy    int64 [C + 1]: vectors of cell c are rows offsets[c] to offsets[c + 1] of the following
    rows.npy       int32 [N]: which vector it is, as counted when built
    codes.npy      int8 [N, D]; scales.npy float32 [N]: vector = code · scale

Similarity is the cosine, within 0.5 % of that of the vectors given. A vector of zeros is near to nothing.
The answer is approximate: a neighbour in a cell that was not opened is missed; `probes` says how many are,
fewer where they are crowded.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt

from nexome.model.errors import DamagedError
from nexome.search.topmost import best_first, empty_heaps, offer
from nexome.store.disk import read_stamped, write_stamped

Floats = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

KIND: Final = "nexome-vectors"
VERSION: Final = 1
PROBES: Final = 24
_CROWDED: Final = 1.5  # times the members of as many cells of average size that are compared at most
MAPPED: Final = ("rows", "codes", "scales")
_SAMPLE: Final = 40  # vectors a cell is placed by
_ROUNDS: Final = 6
_BLOCK: Final = 8_192
_TILE: Final = 8  # vectors that are compared with a question at a time
_ALL: Final = np.zeros(0, np.bool_)
_IN_ORDER: Final = np.zeros(0, np.int64)


class Nearest(NamedTuple):
    """For Q questions the K nearest, best first: rows int64 [Q, K] (−1: no more), scores float32 [Q, K]."""

    rows: Int64s
    scores: Floats


@dataclass(frozen=True)
class VectorIndex:
    """An opened folder; see the module."""

    centres: Floats
    offsets: Int64s
    rows: Int32s
    codes: npt.NDArray[np.int8]
    scales: Floats

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def build(cls, folder: Path, blocks: Iterable[Floats], *, count: int, seed: int = 0) -> Self:
        """Write an index of `count` vectors, which come in blocks [B, D]; vectors need not have length 1.

        The first blocks place the cells, so the order should not be by meaning. At most one block and the
        codes (mapped files) are in memory at a time.
        """
        folder.mkdir(parents=True, exist_ok=True)
        placed = _place(folder, iter(blocks), count, seed)
        order = np.argsort(placed.cells, kind="stable").astype(np.int32)
        cells = len(placed.centres)
        offsets = np.searchsorted(placed.cells[order], np.arange(cells + 1)).astype(np.int64)
        np.save(folder / "centres.npy", placed.centres)
        np.save(folder / "offsets.npy", offsets)
        np.save(folder / "rows.npy", order)
        np.save(folder / "scales.npy", placed.scales[order])
        codes = _new_array(folder / "codes.npy", placed.codes.shape)
        for start in range(0, count, _BLOCK):
            codes[start : start + _BLOCK] = placed.codes[order[start : start + _BLOCK]]
            let_go(codes)
            let_go(placed.codes)
        del codes  # written when let go
        (folder / "unsorted.npy").unlink()
        facts = {"count": count, "dimensions": placed.centres.shape[1], "cells": cells}
        write_stamped(folder / "vectors.json", facts, kind=KIND, version=VERSION)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises NotFoundError, NewerVersionError, or DamagedError when files do not fit each other."""
        facts = read_stamped(folder / "vectors.json", kind=KIND, version=VERSION)
        try:
            arrays: list[Any] = [
                np.load(folder / f"{name}.npy", mmap_mode="r" if facts["count"] and name in MAPPED else None)
                for name in ("centres", "offsets", "rows", "codes", "scales")
            ]
        except (OSError, EOFError, ValueError) as error:
            raise DamagedError(
                f"vectors that cannot be read ({error})", where=str(folder), todo="nexome rebuild makes them."
            ) from error
        index = cls(*arrays)
        shape = (facts["count"], facts["dimensions"])
        if index.codes.shape != shape or len(index.offsets) != len(index.centres) + 1:
            raise DamagedError(
                "vectors whose files do not fit each other",
                where=str(folder),
                todo="nexome rebuild makes them.",
            )
        return index

    def nearest(
        self, vectors: Floats, k: int, *, probes: int = PROBES, allowed: Bools | None = None
    ) -> Nearest:
        """The `k` nearest of each of Q vectors [Q, D], among those in its `probes` nearest cells.

        `allowed` bool [N]: only vectors that are. Each cell is read once for all questions that open it; what
        is found for one does not depend on the others.
        """
        questions = np.ascontiguousarray(vectors, np.float32)
        scores, rows = empty_heaps(len(questions), k)
        if len(self) and k and len(questions):
            cells = self._cells_of(questions, min(probes, len(self.centres)))
            asking, bounds = _by_cell(cells, len(self.centres))
            told = (self.offsets, _IN_ORDER, self.rows, _ALL if allowed is None else allowed)
            _scan(questions, (asking, bounds), told, (self.codes, self.scales), (scores, rows))
        scores, rows = best_first(scores, rows)
        return Nearest(rows, scores)

    def nearest_among(self, vectors: Floats, k: int, places: Int64s) -> Nearest:
        """The `k` nearest of each of Q vectors [Q, D] among those at `places` in `rows`; none is missed."""
        questions = np.ascontiguousarray(vectors, np.float32)
        scores, rows = empty_heaps(len(questions), k)
        if len(places) and k and len(questions):
            everyone = (np.arange(len(questions)), np.array([0, len(questions)]))
            told = (np.array([0, len(places)]), np.sort(places).astype(np.int64), self.rows, _ALL)
            _scan(questions, everyone, told, (self.codes, self.scales), (scores, rows))
        scores, rows = best_first(scores, rows)
        return Nearest(rows, scores)

    def _cells_of(self, questions: Floats, probes: int) -> Int64s:
        """The nearest cells of each question, int64 [Q, probes]; −1 for the farthest if they are crowded."""
        close = np.empty((len(questions), len(self.centres)), np.float32)
        _multiply(questions, self.centres, close)
        if probes == close.shape[1]:
            return np.broadcast_to(np.arange(probes), close.shape).copy()
        cells = np.argpartition(close, -probes, axis=1)[:, -probes:]
        order = np.argsort(-np.take_along_axis(close, cells, axis=1), axis=1)
        cells = np.take_along_axis(cells, order, axis=1)
        members = np.cumsum(np.diff(self.offsets)[cells], axis=1)
        most = _CROWDED * probes * len(self) / len(self.centres)
        cells[:, 1:][members[:, 1:] > most] = -1
        return cells


class _Placed(NamedTuple):
    centres: Floats
    cells: Int32s
    codes: Any
    scales: Floats


def _place(folder: Path, blocks: Any, count: int, seed: int) -> _Placed:
    """Codes of all vectors in the order given (a scratch file), and the cell of each."""
    cells = max(1, min(count // 8, round(2 * count**0.5)))
    first: list[Floats] = []
    while sum(map(len, first)) < min(count, cells * _SAMPLE):
        first.append(unit_vectors(next(blocks)))
    sample = np.concatenate(first) if first else np.zeros((0, 1), np.float32)
    centres = _centres(sample, cells, seed) if count else np.zeros((1, sample.shape[1]), np.float32)
    codes = _new_array(folder / "unsorted.npy", (count, centres.shape[1]))
    scales, cell = np.zeros(count, np.float32), np.zeros(count, np.int32)
    start = 0
    for block in [*first, *(blocks if count else ())]:
        unit = unit_vectors(block)
        here = slice(start, start + len(unit))
        scale = np.abs(unit).max(axis=1) / 127.0
        codes[here] = np.rint(unit / np.maximum(scale, 1e-12)[:, None])
        let_go(codes)
        scales[here] = scale
        cell[here] = _nearest_centre(unit, centres)
        start += len(unit)
    return _Placed(centres, cell, codes, scales)


def _centres(sample: Floats, cells: int, seed: int) -> Floats:
    """Spherical k-means of a sample; an emptied cell starts again from a random vector."""
    random = np.random.default_rng(seed)
    centres = sample[random.choice(len(sample), cells, replace=False)]
    for _ in range(_ROUNDS):
        cell = _nearest_centre(sample, centres)
        order = np.argsort(cell, kind="stable")
        filled, starts = np.unique(cell[order], return_index=True)
        centres = sample[random.choice(len(sample), cells, replace=False)]
        centres[filled] = np.add.reduceat(sample[order], starts, axis=0)
        centres = unit_vectors(centres)
    return centres


def _nearest_centre(vectors: Floats, centres: Floats) -> Int32s:
    cell = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), _BLOCK):
        cell[start : start + _BLOCK] = np.argmax(vectors[start : start + _BLOCK] @ centres.T, axis=1)
    return cell


def unit_vectors(vectors: Floats) -> Floats:
    """Vectors [N, D] made length 1; one without length stays 0."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)


def let_go(array: Any) -> None:
    """Give back the memory of a mapped file's pages: they stay on disk, and are read again when asked for."""
    held = array
    while held is not None and not isinstance(held, mmap.mmap):
        held = getattr(held, "base", None)
    if held is not None:
        held.madvise(mmap.MADV_DONTNEED)


def _new_array(path: Path, shape: tuple[int, ...]) -> Any:
    if shape[0] == 0:  # an empty file cannot be mapped
        np.save(path, np.zeros(shape, np.int8))
        return np.zeros(shape, np.int8)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.int8, shape=shape)


def _by_cell(cells: Int64s, count: int) -> tuple[Int64s, Int64s]:
    """Which questions open each of `count` cells (−1: none): end to end, and bounds int64 [count + 1]."""
    flat = cells.ravel()
    order = np.argsort(flat, kind="stable")[np.count_nonzero(flat < 0) :]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(flat[order], minlength=count))])
    return order // cells.shape[1], bounds


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _scan(questions: Any, asking: Any, told: Any, vectors: Any, kept: Any) -> None:
    """Offer each question the members of its cells.

    `told`: where cells begin; which vector each member is (none: the members are the vectors in order); the
    rows that vectors stand for; which rows are allowed (none: all).
    """
    (numbers, bounds), (offsets, listed, rows, allowed) = asking, told
    codes, scales = vectors
    best, best_rows = kept
    tile = np.zeros((_TILE, questions.shape[1]), np.float32)
    places, dots = np.zeros(_TILE, np.int64), np.zeros(_TILE, np.float32)
    for cell in range(len(bounds) - 1):
        if bounds[cell] == bounds[cell + 1]:
            continue
        for begin in range(offsets[cell], offsets[cell + 1], _TILE):
            size = min(_TILE, offsets[cell + 1] - begin)
            for i in range(size):
                places[i] = listed[begin + i] if len(listed) else begin + i
                _widen(codes[places[i]], tile[i])
            for at in range(bounds[cell], bounds[cell + 1]):
                number = numbers[at]
                _products(questions[number], tile, dots)
                for i in range(size):
                    score = dots[i] * scales[places[i]]
                    if score >= best[number, 0]:
                        row = rows[places[i]]
                        if len(allowed) == 0 or allowed[row]:
                            offer(score, row, best[number], best_rows[number])


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _multiply(questions: Any, centres: Any, out: Any) -> None:
    """Products of all pairs; a library's would be of other last digits for one question than for many."""
    for q in range(len(questions)):
        for c in range(len(centres)):
            total = np.float32(0.0)
            for d in range(questions.shape[1]):
                total += questions[q, d] * centres[c, d]
            out[q, c] = total


@numba.njit(cache=True, nogil=True)
def _widen(codes: Any, out: Any) -> None:
    for d in range(len(codes)):
        out[d] = np.float32(codes[d])


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _products(question: Any, tile: Any, dots: Any) -> None:
    """Products of one vector and _TILE others, which take turns so that the question is read once."""
    a = b = c = d = e = f = g = h = np.float32(0.0)
    for i in range(len(question)):
        value = question[i]
        a += value * tile[0, i]
        b += value * tile[1, i]
        c += value * tile[2, i]
        d += value * tile[3, i]
        e += value * tile[4, i]
        f += value * tile[5, i]
        g += value * tile[6, i]
        h += value * tile[7, i]
    dots[0], dots[1], dots[2], dots[3] = a, b, c, d
    dots[4], dots[5], dots[6], dots[7] = e, f, g, h
