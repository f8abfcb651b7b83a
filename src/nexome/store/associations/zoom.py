"""The strongest feature of every fine bin of a trait: what a wide window shows without reading its cells.

A contig is cut into bins of 2^bits bases (16,384 unless many traits are counted at once). In the folder
of a study version, beside the summary:

    zoom.arrow      Arrow file, one LZ4 batch a trait, one row a bin that holds a feature:
                    gap u32 (bins since the row before), place u32, z i16 (the code of codec)
                    place: offset in the bin in the upper `bits` bits, a check of the allele key below

Overflowing z (code −32767) are hits, which `summaries` keeps exactly. Features without a position, and
those on contigs of unknown length, are in no bin. A study of more than summaries.GROUPED_FROM traits has
no such file. Which feature a row names is looked up on the axes of the store (`window`): a compaction
moves features between axes and keeps their keys.

This module reads and writes; `zoom_builder` finds the strongest, `window` answers from them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from nexome.model.errors import DamagedError, NewerVersionError
from nexome.model.genome import Assembly, Stretch
from nexome.store.associations.types import Codes, Int64s, UInt32s, UInt64s

ZOOM_NAME: Final = "zoom.arrow"
KIND: Final = "nexome-association-zoom"
VERSION: Final = 1
BIN_BITS: Final = 14
BYTES_MOST: Final = 1_500_000_000  # of counting many traits at once; bins are doubled until they fit

CHECK: Final = np.uint64(0x9E3779B97F4A7C15)
_SCHEMA: Final = pa.schema([("gap", pa.uint32()), ("place", pa.uint32()), ("z", pa.int16())])


@dataclass(frozen=True, slots=True)
class ZoomBins:
    """Bins of 2^bits bases over an assembly: `first` [C + 1] is the first bin of each contig."""

    bits: int
    first: Int64s

    @property
    def size(self) -> int:
        """Number of bins."""
        return int(self.first[-1])

    @property
    def width_bp(self) -> int:
        """Bases of one bin."""
        return 1 << self.bits

    def bin_of(self, locus: UInt64s) -> Int64s:
        """Bin [V] of each locus; −1 without a position or beyond its contig's known length."""
        contig = (locus >> np.uint64(32)).astype(np.int64)
        known = contig < len(self.first) - 1
        contig = np.where(known, contig, 0)
        base = (locus & np.uint64(0xFFFFFFFF)).astype(np.int64)
        inside = (base - 1) >> self.bits
        known &= (base > 0) & (inside < self.first[contig + 1] - self.first[contig])
        return np.where(known, self.first[contig] + inside, -1)

    def locus_of(self, bin_: Int64s, place: UInt32s) -> UInt64s:
        """Locus [R] of rows of a zoom file."""
        contig = np.searchsorted(self.first, bin_, side="right") - 1
        base = ((bin_ - self.first[contig]) << self.bits) + (place >> np.uint32(32 - self.bits)) + 1
        return contig.astype(np.uint64) << np.uint64(32) | base.astype(np.uint64)


@lru_cache(maxsize=16)
def _zoom_bins(digest: str, lengths: tuple[int, ...], bits: int) -> ZoomBins:  # noqa: ARG001 - the cache's key
    counts = -(-np.array(lengths, np.int64) // (1 << bits))
    return ZoomBins(bits, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def zoom_bins(assembly: Assembly, *, traits: int = 1) -> ZoomBins:
    """The bins in which `traits` traits are counted at once within BYTES_MOST."""
    lengths = tuple(c.length_bp for c in assembly.contigs)
    bits = BIN_BITS
    while traits * (sum(lengths) >> bits) * 6 > BYTES_MOST and bits < 24:
        bits += 1
    return _zoom_bins(assembly.digest, lengths, bits)


def check_of(allele: UInt64s, bits: int) -> UInt32s:
    """The 32 − bits bits of each allele key [V] that tell features at one position apart."""
    return (np.asarray(allele, np.uint64) * CHECK >> np.uint64(32 + bits)).astype(np.uint32)


@dataclass(frozen=True)
class ZoomTrait:
    """The strongest feature of each bin of one trait: R rows by position.

    `bin` int64, `place` uint32, `z` int16 codes, each [R].
    """

    bins: ZoomBins
    bin: Int64s
    place: UInt32s
    z: Codes
    _kept: dict[int, tuple[Int64s, Int64s]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def locus(self) -> UInt64s:
        """Loci, uint64 [R], increasing."""
        return self.bins.locus_of(self.bin, self.place)

    @property
    def check(self) -> UInt32s:
        """What `check_of` gives of each row's allele key, uint32 [R]."""
        return self.place & np.uint32((1 << 32 - self.bins.bits) - 1)

    def rows_in(self, where: Stretch, *, bits: int = 0) -> Int64s:
        """Rows whose feature lies inside a stretch; with wider bins of 2^bits bases, the strongest of each.

        A wide bin that the stretch cuts may be represented by nothing: its strongest lies outside.
        """
        low, high = where.locus_range
        edges = np.searchsorted(self.locus, np.array([low, high], np.uint64))
        if bits <= self.bins.bits:
            return np.arange(*edges)
        rows = self._widened(bits)[1]
        return rows[slice(*np.searchsorted(rows, edges))]

    def coarser(self, bits: int) -> tuple[Int64s, Codes]:
        """Bins of 2^bits bases that hold a feature, and the code of the strongest in each."""
        if bits <= self.bins.bits:
            return self.bin, self.z
        wide, rows = self._widened(bits)
        return wide, self.z[rows]

    def _widened(self, bits: int) -> tuple[Int64s, Int64s]:
        """Wider bins that hold a feature, and the row of the strongest in each (of equal ones the first)."""
        if bits not in self._kept:
            step = bits - self.bins.bits
            contig = np.searchsorted(self.bins.first, self.bin, side="right") - 1
            first = np.concatenate([[0], np.cumsum(-(-np.diff(self.bins.first) >> step))])
            wide = first[contig] + (self.bin - self.bins.first[contig] >> step)
            begin = np.flatnonzero(np.diff(wide, prepend=-1))
            count = len(self.z)
            strength = np.abs(self.z.astype(np.int64)) * (count + 1) + count - np.arange(count)
            best = np.maximum.reduceat(strength, begin) if count else strength
            self._kept[bits] = wide[begin], count - best % (count + 1)
        return self._kept[bits]

    def same(self, other: ZoomTrait) -> bool:
        """Whether both hold equally strong features in the same bins."""
        bits = max(self.bins.bits, other.bins.bits)
        (mine, my_codes), (theirs, their_codes) = self.coarser(bits), other.coarser(bits)
        if not np.array_equal(mine, theirs):
            return False
        return np.array_equal(np.abs(my_codes.astype(np.int32)), np.abs(their_codes.astype(np.int32)))


class ZoomCache:
    """The traits looked at last, each about 4 MB of a human genome. Thread-safe."""

    def __init__(self, most: int = 24) -> None:
        self._most, self._lock = most, threading.Lock()
        self._held: OrderedDict[tuple[str, int], ZoomTrait] = OrderedDict()

    def get(self, key: tuple[str, int], read: Callable[[], ZoomTrait]) -> ZoomTrait:
        """The trait kept under a key, or what `read` gives. Two threads may read the same one at once."""
        with self._lock:
            if (found := self._held.get(key)) is not None:
                self._held.move_to_end(key)
                return found
        found = read()
        with self._lock:
            self._held[key] = found
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return found


def write_zoom(path: Path, bins: ZoomBins, traits: Iterable[ZoomTrait]) -> None:
    """Write the zoom file of one study. Raises OSError when the disk is full."""
    facts = {"kind": KIND, "version": str(VERSION), "bits": str(bins.bits)}
    options = ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as sink:
        schema = _SCHEMA.with_metadata(facts)
        with ipc.new_file(sink, schema, options=options) as writer:
            for found in traits:
                gap = np.diff(found.bin, prepend=0).astype(np.uint32)
                arrays = [pa.array(a) for a in (gap, found.place, found.z)]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def read_zoom(path: Path, assembly: Assembly, trait: int) -> ZoomTrait:
    """One trait of a zoom file.

    Raises FileNotFoundError where there is none, DamagedError for one that cannot be read,
    NewerVersionError for one of a newer Nexome.
    """
    try:
        with pa.memory_map(str(path), "r") as source:
            file = ipc.open_file(source)
            facts = {k.decode(): v.decode() for k, v in (file.schema.metadata or {}).items()}
            newer = int(facts["version"]) > VERSION
            batch = file.get_batch(trait)
            gap, place, z = (np.array(column.to_numpy(zero_copy_only=False)) for column in batch.columns)
            bits = int(facts["bits"])
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
        raise DamagedError(
            f"cannot be read ({type(error).__name__})",
            where=str(path),
            expected="the strongest features of bins",
            todo="Run `nexome rebuild`; if the file lies in a study's folder, restore or import it again.",
        ) from error
    if newer:
        raise NewerVersionError(f"a zoom file of version {facts['version']}", where=str(path))
    lengths = tuple(c.length_bp for c in assembly.contigs)
    bins = _zoom_bins(assembly.digest, lengths, bits)
    return ZoomTrait(bins, np.cumsum(gap, dtype=np.int64), place, z)
