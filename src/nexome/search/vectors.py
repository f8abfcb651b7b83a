"""The nearest of many vectors: cells of similar vectors, of which a question opens the nearest few.

A folder of memory-mapped arrays, written once (N vectors of D dimensions, C cells):

    vectors.json   kind, version, count, dimensions, cells
    centres.npy    float32 [C, D], of length 1
    offsets.npy    int64 [C + 1]: vectors of cell c are rows offsets[c] to offsets[c + 1] of the following
    rows.npy       int32 [N]: which vector it is, as counted when built
    codes.npy      int8 [N, D]; scales.npy float32 [N]: vector = code · scale

Similarity is the cosine, within 0.5 % of that of the vectors given. A vector of zeros is near to nothing.
The answer is approximate: a neighbour in a cell that was not opened is missed; `probes` says how many are.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt

from nexome.model.errors import DamagedError
from nexome.store.disk import read_stamped, write_stamped

Floats = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

KIND: Final = "nexome-vectors"
VERSION: Final = 1
PROBES: Final = 24
MAPPED: Final = ("rows", "codes", "scales")
_SAMPLE: Final = 40  # vectors a cell is placed by
_ROUNDS: Final = 6
_BLOCK: Final = 8_192
_TOGETHER: Final = 64  # questions from which on threads share them


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

    def nearest(self, vectors: Floats, k: int, *, probes: int = PROBES) -> Nearest:
        """The `k` nearest of each of Q vectors [Q, D], among those in its `probes` nearest cells."""
        questions = np.ascontiguousarray(vectors, np.float32)
        found = Nearest(
            np.full((len(questions), k), -1, np.int64), np.full((len(questions), k), -np.inf, np.float32)
        )
        if len(self) == 0 or k == 0 or len(questions) == 0:
            return found
        opened = self._cells_of(questions, min(probes, len(self.centres)))

        def ask(place: int) -> None:
            scores, where = _scan(questions[place], opened[place], self.offsets, self.codes, self.scales)
            _keep(found, place, scores, self.rows[where])

        if len(questions) < _TOGETHER:
            for place in range(len(questions)):
                ask(place)
        else:  # the scan lets go of the interpreter
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(ask, range(len(questions))))
        return found

    def _cells_of(self, questions: Floats, probes: int) -> Int64s:
        close = questions @ self.centres.T
        if probes == close.shape[1]:
            return np.broadcast_to(np.arange(probes), close.shape).copy()
        return np.ascontiguousarray(np.argpartition(close, -probes, axis=1)[:, -probes:])


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
    held = getattr(array, "_mmap", None)
    if held is not None:
        held.madvise(mmap.MADV_DONTNEED)


def _new_array(path: Path, shape: tuple[int, ...]) -> Any:
    if shape[0] == 0:  # an empty file cannot be mapped
        np.save(path, np.zeros(shape, np.int8))
        return np.zeros(shape, np.int8)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.int8, shape=shape)


def _keep(found: Nearest, place: int, scores: Floats, rows: Any) -> None:
    """Put the best of one question into its line, best first; equal ones by row."""
    k = found.rows.shape[1]
    best = np.argpartition(scores, -k)[-k:] if len(scores) > k else np.arange(len(scores))
    best = best[np.lexsort((rows[best], -scores[best]))]
    found.rows[place, : len(best)] = rows[best]
    found.scores[place, : len(best)] = scores[best]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _scan(question: Any, cells: Any, offsets: Any, codes: Any, scales: Any) -> Any:
    """Similarities of one vector to all members of `cells`, and where those lie."""
    size = 0
    for cell in cells:
        size += offsets[cell + 1] - offsets[cell]
    scores, where = np.empty(size, np.float32), np.empty(size, np.int64)
    size = 0
    for cell in cells:
        for row in range(offsets[cell], offsets[cell + 1]):
            score = np.float32(0.0)
            for d in range(len(question)):
                score += question[d] * np.float32(codes[row, d])
            scores[size] = score * scales[row]
            where[size] = row
            size += 1
    return scores, where
