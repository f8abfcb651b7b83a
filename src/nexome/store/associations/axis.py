"""Axes: the sorted features that segments are written on, mapped from disk and searched in place.

<root>/associations/axes/<axis>/        Zarr v3 group, kind nexome-axis; V features
    locus u64 [V], allele u64 [V]       strictly increasing as a pair (model.genome says what they hold)
    rsid u32 [V]                        0 unknown
    rsid_row u32 [R]                    rows with an rsID, sorted by (rsID, row)
    hashed_key u64 [H], hashed_row u32 [H]   features with a hashed allele key, sorted by (key, row)
    hashed_offset u64 [H+1], hashed_text u8  their texts, UTF-8: 'REF/ALT' or 'kind:name'

Nothing of it is read before it is asked for, and only the pages a search touches. An axis knows
nothing of statistics.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError
from nexome.model.genome import HASHED, Interval
from nexome.store.associations.arrays import (
    create_array,
    open_array,
    read_soon,
    write_array,
    write_group,
)
from nexome.store.associations.types import FeatureKey, Features, Int64s, UInt64s

KIND: Final = "nexome-axis"
VERSION: Final = 1


class SpelledTable(Mapping[int, str]):
    """Hashed allele key → its text, looked up in the mapped table of an axis."""

    def __init__(self, key: UInt64s, offset: UInt64s, text: npt.NDArray[np.uint8]) -> None:
        self._key, self._offset, self._text = key, offset, text

    def __getitem__(self, key: int) -> str:
        at = int(np.searchsorted(self._key, np.uint64(key)))
        if at == len(self._key) or int(self._key[at]) != key:
            raise KeyError(key)
        return self._text_at(at)

    def __iter__(self) -> Iterator[int]:
        return iter(np.unique(self._key).tolist())

    def __len__(self) -> int:
        return len(np.unique(self._key))

    def _text_at(self, at: int) -> str:
        return bytes(self._text[int(self._offset[at]) : int(self._offset[at + 1])]).decode()


class Axis:
    """One axis, mapped. `locus`, `allele`, `rsid`: arrays of V features."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.locus: UInt64s = open_array(path / "locus")
        self.allele: UInt64s = open_array(path / "allele")

    def __len__(self) -> int:
        return len(self.locus)

    @cached_property
    def rsid(self) -> npt.NDArray[np.uint32]:
        """rsIDs, uint32 [V]; 0 unknown."""
        return open_array(self.path / "rsid")

    @cached_property
    def spelled(self) -> SpelledTable:
        """Texts of hashed alleles and named features."""
        parts = (open_array(self.path / f"hashed_{name}") for name in ("key", "offset", "text"))
        return SpelledTable(*parts)

    def features(self, start: int = 0, stop: int | None = None) -> Features:
        """Features of rows start … stop−1, as views of the mapped arrays."""
        rows = slice(start, stop)
        for values in (self.locus, self.allele, self.rsid):
            read_soon(values[rows])
        return Features(self.locus[rows], self.allele[rows], self.rsid[rows], self.spelled)

    def rows_in(self, interval: Interval) -> tuple[int, int]:
        """First row inside the interval and first row behind it."""
        low, high = interval.locus_range
        return _search(self.locus, low), _search(self.locus, high)

    def row_of(self, locus: int) -> int:
        """First row at or behind a locus."""
        return _search(self.locus, locus)

    def find(self, key: FeatureKey) -> int:
        """Row of a feature, or −1."""
        at = _search(self.locus, key.locus)
        while at < len(self.locus) and int(self.locus[at]) == key.locus:
            if int(self.allele[at]) == key.allele:
                return at
            at += 1
        return -1

    def rows_at(self, locus: int) -> range:
        """Rows of all features at one position."""
        return range(_search(self.locus, locus), _search(self.locus, locus + 1))

    def find_rsid(self, rsid: int) -> list[int]:
        """Rows that carry an rsID."""
        order = open_array(self.path / "rsid_row")
        at = bisect_left(order, rsid, key=lambda row: int(self.rsid[row]))
        rows = []
        while at < len(order) and int(self.rsid[order[at]]) == rsid:
            rows.append(int(order[at]))
            at += 1
        return rows

    def find_hashed(self, key: int) -> list[int]:
        """Rows whose allele key is this hash (of a long allele, or of 'kind:name')."""
        keys = open_array(self.path / "hashed_key")
        low = int(np.searchsorted(keys, np.uint64(key), "left"))
        high = int(np.searchsorted(keys, np.uint64(key), "right"))
        return [int(r) for r in open_array(self.path / "hashed_row")[low:high]]

    def match(self, features: Features) -> Int64s:
        """Rows of sorted features on this axis, int64 [V]; −1 for those not on it.

        Reads the part of the axis between the first and the last of them.
        """
        from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

        rows = np.full(len(features), -1, np.int64)
        if not len(features) or not len(self):
            return rows
        low = _search(self.locus, int(features.locus[0]))
        high = _search(self.locus, int(features.locus[-1]) + 1)
        read_soon(self.locus[low:high])
        read_soon(self.allele[low:high])
        kernels.match_sorted(
            features.locus, features.allele, self.locus[low:high], self.allele[low:high], rows
        )
        rows[rows >= 0] += low
        return rows


def write_axis(folder: Path, features: Features) -> str:
    """Write the files of a new axis; returns the digest of its keys (see `features_digest`).

    Raises InputError when the features are not sorted or a hashed key has no text.
    """
    check_sorted(features.locus, features.allele)
    write_group(folder, {"kind": KIND, "version": VERSION, "features": len(features)})
    write_array(folder / "locus", np.ascontiguousarray(features.locus, np.uint64))
    write_array(folder / "allele", np.ascontiguousarray(features.allele, np.uint64))
    rsid = np.ascontiguousarray(features.rsid, np.uint32)
    write_array(folder / "rsid", rsid)
    known = np.flatnonzero(rsid).astype(np.uint32)
    write_array(folder / "rsid_row", known[np.argsort(rsid[known], kind="stable")])
    _write_hashed(folder, features)
    return features_digest(features)


def _write_hashed(folder: Path, features: Features) -> None:
    rows = np.flatnonzero(features.allele >= np.uint64(HASHED)).astype(np.uint32)
    keys = np.asarray(features.allele)[rows]
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    texts = [_text_of(features, int(key)) for key in keys]
    offsets = np.zeros(len(texts) + 1, np.uint64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    write_array(folder / "hashed_key", keys)
    write_array(folder / "hashed_row", rows)
    write_array(folder / "hashed_offset", offsets)
    with create_array(folder / "hashed_text", (int(offsets[-1]),), "uint8") as target:
        target[...] = np.frombuffer(b"".join(texts), np.uint8)


def _text_of(features: Features, key: int) -> bytes:
    try:
        return features.spelled[key].encode()
    except KeyError:
        raise InputError(
            f"a hashed allele key {key:#x} without its text",
            expected="'REF/ALT' or 'kind:name' in `spelled` for every hashed key",
        ) from None


def features_digest(features: Features) -> str:
    """SHA-256 of the keys alone: equal for studies on the very same features."""
    digest = hashlib.sha256(np.ascontiguousarray(features.locus, "<u8").data)
    digest.update(np.ascontiguousarray(features.allele, "<u8").data)
    return digest.hexdigest()


def check_sorted(locus: UInt64s, allele: UInt64s, *, first_row: int = 0, where: str = "") -> None:
    """Raise InputError naming the row (counted from `first_row`) where keys do not strictly increase."""
    from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

    if (row := kernels.first_disorder(locus, allele)) >= 0:
        raise InputError(
            f"row {first_row + row} is not above the row before it",
            where=where,
            expected="features sorted by position, then allele key, each once",
            todo="Sort the rows and drop duplicates first.",
        )


def unite(parts: list[Features]) -> Features:
    """All features of several sorted lists, once each; the first known rsID of a feature is kept."""
    if len(parts) == 1:
        return parts[0]
    locus = np.concatenate([p.locus for p in parts])
    allele = np.concatenate([p.allele for p in parts])
    rsid = np.concatenate([p.rsid for p in parts])
    order = np.lexsort((rsid == 0, allele, locus))
    locus, allele, rsid = locus[order], allele[order], rsid[order]
    first = np.ones(len(locus), bool)
    first[1:] = (locus[1:] != locus[:-1]) | (allele[1:] != allele[:-1])
    spelled = _Spelled([p.spelled for p in parts])
    return Features(locus[first], allele[first], rsid[first], spelled)


class _Spelled(Mapping[int, str]):
    """Several spelled tables as one."""

    def __init__(self, parts: list[Mapping[int, str]]) -> None:
        self._parts = [p for p in parts if not isinstance(p, dict) or p]

    def __getitem__(self, key: int) -> str:
        for part in self._parts:
            if (text := part.get(key)) is not None:
                return text
        raise KeyError(key)

    def __iter__(self) -> Iterator[int]:
        return iter({key for part in self._parts for key in part})

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _search(sorted_keys: npt.NDArray[Any], key: int) -> int:
    # np.uint64, never a Python int: NumPy would compare as float64 and lose the low bits.
    return len(sorted_keys) if key > 0xFFFFFFFFFFFFFFFF else int(np.searchsorted(sorted_keys, np.uint64(key)))
