"""Writing a ragged segment from a stream of blocks, with memory that does not grow with its cells.

    <segment>/spool/cells            cells as they came: trait, provisional feature number, codes, extras
    <segment>/spool/trait-<b>        the same by ranges of traits (only when they came out of order)
    <segment>/spool/feature-<b>      by ranges of features, on the way to by_feature

Features get provisional numbers from a hash table (about 40 bytes a feature) and their rank when all
are known; cells are then moved by two passes of bucket sort over the disk. The spool is removed at
the end. Cells may come in any order. The layout that results is described in `ragged`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from nexome.model.errors import InputError
from nexome.model.genome import HASHED
from nexome.store.associations import codec, kernels
from nexome.store.associations.arrays import write_array, write_group
from nexome.store.associations.axis import write_axis
from nexome.store.associations.ragged import CODES, KIND, VERSION, RaggedCells
from nexome.store.associations.types import Block, Codes, Features, Int64s, UInt32s, UInt64s
from nexome.store.associations.vectors import VectorWriter
from nexome.store.disk import space_errors

BUCKET_CELLS: Final = 1 << 22  # cells sorted in memory at once: 60 to 140 MB

_PIECE_CELLS: Final = 1 << 20
_FIRST_SLOTS: Final = 1 << 12

Cells = npt.NDArray[Any]  # records of _cell_type


def _cell_type(extras: Sequence[str]) -> np.dtype[Any]:
    codes = [(name, "<i2") for name in CODES]
    return np.dtype([("trait", "<u4"), ("feature", "<u4"), *codes, *((name, "<f4") for name in extras)])


@njit(cache=True, nogil=True)
def _intern(locus: Any, allele: Any, slots: Any, keys: Any, count: int, out: Any) -> int:
    """Number each (locus, allele), new ones from `count` on; returns the new count.

    slots int32 [2^k] hold numbers or −1; keys uint64 [2, ·] the key of each number. The caller keeps
    slots at most half full.
    """
    mask = np.uint64(slots.shape[0] - 1)
    for i in range(locus.shape[0]):
        h = (locus[i] ^ (allele[i] * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xFF51AFD7ED558CCD)
        at = (h ^ (h >> np.uint64(32))) & mask
        while True:
            number = slots[at]
            if number < 0:
                slots[at] = count
                keys[0, count] = locus[i]
                keys[1, count] = allele[i]
                out[i] = count
                count += 1
                break
            if keys[0, number] == locus[i] and keys[1, number] == allele[i]:
                out[i] = number
                break
            at = (at + np.uint64(1)) & mask
    return count


@njit(cache=True, nogil=True)
def _stable_order(key: Any, following: Any, order: Any) -> None:
    """Stable counting sort: following [·] is where the next cell of each key goes, and is used up."""
    for i in range(key.shape[0]):
        order[following[key[i]]] = i
        following[key[i]] += 1


class _FeatureTable:
    """Distinct features in the order they came, with rsIDs and the texts of hashed alleles."""

    def __init__(self) -> None:
        self.count = 0
        self._slots = np.full(_FIRST_SLOTS, -1, np.int32)
        self._keys = np.empty((2, _FIRST_SLOTS // 2), np.uint64)
        self._rsid = np.zeros(_FIRST_SLOTS // 2, np.uint32)
        self._spelled: dict[int, str] = {}

    def number(self, block: Block) -> UInt32s:
        """Provisional numbers of a block's features."""
        out = self._number(block.locus, block.allele, block.rsid)
        self._spelled.update(block.spelled)
        return out

    def number_of(self, features: Features) -> UInt32s:
        """Provisional numbers of features."""
        hashed = np.unique(features.allele[features.allele >= np.uint64(HASHED)]).tolist()
        self._spelled.update({key: features.spelled[key] for key in hashed})
        return self._number(features.locus, features.allele, features.rsid)

    def _number(self, locus: UInt64s, allele: UInt64s, rsid: UInt32s | None) -> UInt32s:
        self._make_room(len(locus))
        out = np.empty(len(locus), np.int64)
        self.count = _intern(locus, allele, self._slots, self._keys, self.count, out)
        if rsid is not None:
            known = rsid != 0
            self._rsid[out[known]] = rsid[known]
        return out.astype(np.uint32)

    def _make_room(self, more: int) -> None:
        size = len(self._slots)
        while self.count + more > size // 2:
            size *= 2
        if size == len(self._slots):
            return
        self._keys = _grown(self._keys, size // 2)
        self._rsid = _grown(self._rsid, size // 2)
        self._slots = np.full(size, -1, np.int32)
        old = self._keys[:, : self.count].copy()
        _intern(old[0], old[1], self._slots, self._keys, 0, np.empty(self.count, np.int64))

    def ranked(self) -> tuple[Features, UInt32s]:
        """The features in key order, and the rank of each provisional number."""
        locus, allele = self._keys[:, : self.count]
        order = np.lexsort((allele, locus))
        rank = np.empty(self.count, np.uint32)
        rank[order] = np.arange(self.count, dtype=np.uint32)
        hashed = set(allele[allele >= np.uint64(HASHED)].tolist())
        spelled = {key: text for key, text in self._spelled.items() if key in hashed}
        return Features(locus[order], allele[order], self._rsid[order], spelled), rank


def _grown(values: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    larger = np.zeros((*values.shape[:-1], size), values.dtype)
    larger[..., : values.shape[-1]] = values
    return larger


def extra_planes(optional: Iterable[str], *, exact: bool) -> list[str]:
    """Names of the planes kept beside the codes: n or info where given, and the exact values."""
    return [*optional, *(f"exact_{plane}" for plane in CODES if exact)]


class RaggedWriter:
    """Writes one ragged segment for a study of T traits: `add` blocks in any order, then `finish`."""

    def __init__(self, path: Path, traits: int, *, extras: Sequence[str] = ()) -> None:
        self._path = path
        self._traits = traits
        self._type = _cell_type(extras)
        self._extras = list(extras)
        self._spool = path / "spool"
        self._spool.mkdir(parents=True, exist_ok=True)
        self._features = _FeatureTable()
        self._overflow: list[tuple[UInt32s, UInt32s, npt.NDArray[np.float32]]] = []
        self.cells = 0

    def add(self, block: Block) -> Cells:
        """Add the rows of a block whose z is not missing; returns them as records with their codes.

        Raises InputError when a statistic is outside its range, SpaceError when the disk is full.
        """
        cells = np.zeros(len(block), self._type)
        cells["trait"] = 0 if block.trait is None else block.trait
        if len(block) and int(cells["trait"].max()) >= self._traits:
            raise InputError(f"trait {int(cells['trait'].max())}", expected=f"below {self._traits}")
        cells["z"], cells["se"], cells["eaf"] = encode(block)
        for name in self._extras:
            values = getattr(block, name.removeprefix("exact_"))
            cells[name] = np.nan if values is None else values
        cells["feature"] = self._features.number(block)
        kept = cells["z"] != codec.MISSING
        over = cells["z"] == codec.OVERFLOW
        if over.any():
            self._overflow.append((cells["trait"][over], cells["feature"][over], block.z[over]))
        held = cells if kept.all() else cells[kept]
        self._keep(held)
        return held

    def add_cells(self, features: Features, cells: RaggedCells, trait: Int64s) -> None:
        """Add cells of another segment as they are: its features, and the new trait of each cell.

        Cells whose trait is below 0 are left out.
        """
        kept = np.flatnonzero(trait >= 0)
        found, at = np.unique(cells.feature[kept], return_inverse=True)
        records = np.zeros(len(kept), self._type)
        records["trait"] = trait[kept]
        records["feature"] = self._features.number_of(features.take(found))[at]
        for name in (*CODES, *(e for e in self._extras if not e.startswith("exact_"))):
            records[name] = getattr(cells, name)[kept]
        for plane, (where, values) in cells.exact.items():
            whole = np.full(len(cells), np.nan, np.float32)
            whole[where] = values
            if f"exact_{plane}" in self._extras:
                records[f"exact_{plane}"] = whole[kept]
            else:
                over = np.flatnonzero(~np.isnan(whole[kept]))
                self._overflow.append((records["trait"][over], records["feature"][over], whole[kept][over]))
        self._keep(records)

    def _keep(self, records: Cells) -> None:
        with space_errors(self._spool), (self._spool / "cells").open("ab") as stream:
            _write(stream, records)
        self.cells += len(records)

    def finish(self) -> Features:
        """Sort and write everything; returns the segment's features. The spool is gone afterwards.

        Raises InputError when a cell was given twice.
        """
        features, rank = self._features.ranked()
        planes = [*CODES, *self._extras]
        facts = {"kind": KIND, "version": VERSION, "features": len(features), "traits": self._traits}
        with space_errors(self._path):
            write_group(self._path, facts | {"cells": self.cells, "planes": planes})
            write_axis(self._path / "features", features)
            self._write_overflow(rank)
            offsets = self._count(rank, len(features))
            buckets = _Buckets(self._spool, "feature", offsets[1])
            written = self._open("by_trait", offsets[0])
            for cells in self._in_trait_order(rank, offsets[0]):
                written.append(cells)
                buckets.put(cells)
            written.close()
            written = self._open("by_feature", offsets[1])
            for cells in buckets.take(self._type):
                written.append(cells)
            written.close()
            shutil.rmtree(self._spool)
        return features

    def _open(self, direction: str, offset: Int64s) -> _Vectors:
        folder = self._path / direction
        write_group(folder, {})
        write_array(folder / "offset", offset)
        names = ["feature" if direction == "by_trait" else "trait", *CODES, *self._extras]
        return _Vectors({n: VectorWriter(folder / n, self.cells, self._type[n].name) for n in names})

    def _pieces(self, rank: UInt32s) -> Iterator[Cells]:
        """The spooled cells, a piece at a time, features by rank."""
        path = self._spool / "cells"
        if not path.exists():
            return
        with path.open("rb") as stream:
            while len(cells := np.fromfile(stream, self._type, _PIECE_CELLS)):
                cells["feature"] = rank[cells["feature"]]
                yield cells

    def _count(self, rank: UInt32s, features: int) -> tuple[Int64s, Int64s]:
        """Offsets by trait and by feature; also finds out whether cells came in trait order."""
        by_trait, by_feature = np.zeros(self._traits + 1, np.int64), np.zeros(features + 1, np.int64)
        self._in_order, last = True, -1
        for cells in self._pieces(rank):
            np.add(by_trait[1:], np.bincount(cells["trait"], minlength=self._traits), out=by_trait[1:])
            np.add(by_feature[1:], np.bincount(cells["feature"], minlength=features), out=by_feature[1:])
            key = _key(cells)
            self._in_order &= int(key[0]) > last and bool((key[1:] > key[:-1]).all())
            last = int(key[-1])
        return np.cumsum(by_trait), np.cumsum(by_feature)

    def _in_trait_order(self, rank: UInt32s, offset: Int64s) -> Iterator[Cells]:
        if self._in_order:
            yield from self._pieces(rank)
            return
        buckets = _Buckets(self._spool, "trait", offset)
        for cells in self._pieces(rank):
            buckets.put(cells)
        for cells in buckets.take(self._type):
            key = _key(cells)
            order = np.argsort(key, kind="stable")
            twice = np.flatnonzero(np.diff(key[order]) == 0)
            if len(twice):
                trait = int(cells["trait"][order[twice[0]]])
                raise InputError(
                    f"{len(twice)} cells given twice, the first for trait number {trait}",
                    expected="each feature at most once in a trait",
                )
            yield cells[order]

    def _write_overflow(self, rank: UInt32s) -> None:
        nothing = (np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.float32))
        trait, feature, z = (np.concatenate(c) for c in zip(nothing, *self._overflow, strict=True))
        feature = rank[feature]
        order = np.lexsort((feature, trait))
        write_group(self._path / "overflow", {})
        for name, values in (("trait", trait), ("feature", feature), ("z", z)):
            write_array(self._path / "overflow" / name, values[order])


class _Vectors:
    """The vectors of one direction, written side by side from records."""

    def __init__(self, writers: dict[str, VectorWriter]) -> None:
        self._writers = writers

    def append(self, cells: Cells) -> None:
        for name, writer in self._writers.items():
            writer.append(cells[name])

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()


class _Buckets:
    """Cells on the disk by ranges of a key, each range small enough to sort in memory."""

    def __init__(self, folder: Path, key: str, offset: Int64s) -> None:
        self._folder, self._key, self._offset = folder, key, offset
        self._bucket = (offset[:-1] // BUCKET_CELLS).astype(np.int64)  # of each key; grows with it

    def put(self, cells: Cells) -> None:
        """Append cells, in their order, to the buckets of their keys."""
        bucket = self._bucket[cells[self._key]]
        order = np.argsort(bucket, kind="stable")
        found, first = np.unique(bucket[order], return_index=True)
        for number, rows in zip(found.tolist(), np.split(order, first[1:]), strict=True):
            with self._path(number).open("ab") as stream:
                _write(stream, cells[rows])

    def take(self, kind: np.dtype[Any]) -> Iterator[Cells]:
        """The buckets in order, each sorted by its key (stable); their files are removed."""
        for number in np.unique(self._bucket).tolist():
            path = self._path(number)
            if not path.exists():
                continue
            cells = np.fromfile(path, kind)
            path.unlink()
            low = int(np.searchsorted(self._bucket, number))
            high = int(np.searchsorted(self._bucket, number, "right"))
            following = self._offset[low:high] - self._offset[low]
            order = np.empty(len(cells), np.int64)
            _stable_order(cells[self._key] - np.uint32(low), following, order)
            yield cells[order]

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._key}-{number}"


def _write(stream: BinaryIO, cells: Cells) -> None:
    """Append records to a file. Not `tofile`: it does not notice a disk that is full."""
    stream.write(cells.view(np.uint8).data)


def _key(cells: Cells) -> UInt64s:
    return cells["trait"].astype(np.uint64) << np.uint64(32) | cells["feature"].astype(np.uint64)


def encode(block: Block) -> tuple[Codes, Codes, Codes]:
    """Absolute codes of a block's z, se and eaf. Raises InputError for a value outside its range."""
    z, se, eaf = (np.ascontiguousarray(getattr(block, p), np.float32) for p in CODES)
    codes = (np.empty(len(z), np.int16), np.empty(len(z), np.int16), np.empty(len(z), np.int16))
    for name, range_, bad in (
        ("z", "finite", kernels.encode_z(z, codes[0])),
        ("se", "above 0", kernels.encode_se(se, se.view(np.int32), codes[1])),
        ("eaf", "0 to 1", kernels.encode_eaf(eaf, codes[2])),
    ):
        if bad:
            raise InputError(f"a value of {name} outside its range", expected=range_)
    return codes
