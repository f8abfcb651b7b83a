"""Counting a study while it is written: hits, |z| counts, Manhattan bit sets, λGC, loci.

`SummaryBuilder` takes absolute codes, so a summary agrees with what a reader of the planes sees.
Numerics are those of `methods`; the files are described in `summaries`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit
from pyarrow import ipc

from nexome.methods.inflation import lambda_gc_from_counts
from nexome.methods.loci import DISTANCE_BP, GENOME_WIDE, find_loci
from nexome.methods.manhattan import HIT, LEVEL, LEVELS, position_bins
from nexome.methods.normal import CHI2_MEDIAN, neg_log10_p_from_z
from nexome.methods.quantiles import Z_BINS, Z_STEP
from nexome.model.genome import HASHED, Assembly
from nexome.store.associations import codec
from nexome.store.associations.ragged import RaggedCells
from nexome.store.associations.summaries import (
    GROUPED_FROM,
    HIT_SCHEMA,
    HITS_MOST,
    HITS_NAME,
    KIND,
    SUMMARY_NAME,
    TRAITS_NAME,
    VERSION,
)
from nexome.store.associations.types import Codes, Exact, Features, Floats, Int64s, UInt32s, UInt64s
from nexome.store.associations.zoom import ZOOM_NAME, write_zoom
from nexome.store.associations.zoom_builder import StrongestBuilder
from nexome.store.disk import space_errors, write_stamped

SUGGESTIVE: Final = 5.0  # −log₁₀ 1e-5: loci of a trait without a genome-wide one

_MISSING_BIN: Final = 32768 // int(codec.Z_STEP * Z_STEP)  # where −32768 falls among bins of |z|
_OVERFLOW_BIN: Final = _MISSING_BIN - 1  # where −32767 falls, beside |z| just below 32
_PARTS_MOST: Final = 10_000  # small arrays of hits before they are joined into one
_TILE: Final = 32  # columns side by side: one cache line of int16 codes


def _hit_code() -> int:
    """The smallest |code| of z that is a hit."""
    return int(np.argmax(neg_log10_p_from_z(np.arange(32768) / codec.Z_STEP) >= HIT))


def _bit_of_code() -> UInt64s:
    """The Manhattan bit of each |code| of z, uint64 [32769]; 0 for hits, and for missing at the end."""
    strength = neg_log10_p_from_z(np.arange(32769) / codec.Z_STEP)
    level = np.minimum(strength / LEVEL, LEVELS - 1).astype(np.uint64)
    return np.where(strength < HIT, np.uint64(1) << level, np.uint64(0))


@njit(inline="always")
def _flush(sets: Any, bits: Any, first: int, width: int, place: int) -> None:
    if place >= 0:
        for j in range(width):
            sets[first + j, place] |= bits[j]
    bits[:] = 0


@njit(cache=True, nogil=True)
def _count(z: Any, bins: Any, bit: Any, qq: Any, sets: Any, missing: Any) -> None:
    """Add codes z [V, T] to |z| counts qq [T, Z_BINS], bit sets [T, bins] and missing [T].

    `bins` [V] is the position bin of each row, −1 for none; `bit` is `_bit_of_code`. The inner loop
    has no branch: missing cells fall in a bin behind the last. Overflow cells fall in _OVERFLOW_BIN.
    """
    rows, columns = z.shape
    bits = np.zeros(_TILE, np.uint64)
    counts = np.zeros((_TILE, _MISSING_BIN + 1), np.int32)
    for first in range(0, columns, _TILE):
        width = min(_TILE, columns - first)
        counts[:width] = 0
        place = np.int64(-1)
        for i in range(rows):
            if bins[i] != place:
                _flush(sets, bits, first, width, place)
                place = bins[i]
            for j in range(width):
                size = abs(np.int32(z[i, first + j]))
                counts[j, size >> 4] += 1
                bits[j] |= bit[size]
        _flush(sets, bits, first, width, place)
        for j in range(width):
            for k in range(_MISSING_BIN):
                qq[first + j, k] += counts[j, k]
            missing[first + j] += counts[j, _MISSING_BIN]


@njit(cache=True, nogil=True)
def _count_hits(z: Any, threshold: int, found: Any) -> None:
    """Number of cells of each row of z [V, T] with |code| ≥ threshold, overflow included, into found [V]."""
    for i in range(z.shape[0]):
        row = z[i]
        count = np.int32(0)
        for j in range(z.shape[1]):
            code = np.int32(row[j])
            count += np.int32((abs(code) >= threshold) & (code != np.int32(-32768)))
        found[i] = count


@njit(cache=True, nogil=True)
def _gather(z: Any, threshold: int, found: Any, row: Any, column: Any) -> None:
    """Row and column of the cells that `_count_hits` found, by row, then column."""
    at = 0
    for i in range(z.shape[0]):
        if found[i] == 0:
            continue
        for j in range(z.shape[1]):
            code = np.int32(z[i, j])
            if abs(code) >= threshold and code != -32768:
                row[at] = i
                column[at] = j
                at += 1


@dataclass(frozen=True, slots=True)
class _Hits:
    """Hits of any traits, arrays of length H."""

    trait: UInt32s
    locus: UInt64s
    allele: UInt64s
    rsid: UInt32s
    z: Floats
    se: Floats
    eaf: Floats

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def take(self, rows: Any) -> Self:
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


def _no_hits() -> _Hits:
    kinds = (np.uint32, np.uint64, np.uint64, np.uint32, np.float32, np.float32, np.float32)
    return _Hits(*(np.zeros(0, kind) for kind in kinds))  # type: ignore[arg-type]


class SummaryBuilder:
    """Counts the cells of T traits as they are written, then writes their summaries.

    Memory: 36 kB a trait and what StrongestBuilder takes (unless grouped), and 40 bytes a hit. The
    traits are of one study, which is grouped above GROUPED_FROM traits, or with `one_study=False` of as
    many studies, which never are.
    """

    def __init__(self, assembly: Assembly, traits: int, *, one_study: bool = True) -> None:
        self._bins = position_bins(assembly)
        self._grouped = one_study and traits > GROUPED_FROM
        self._strongest = None if self._grouped else StrongestBuilder(assembly, traits)
        groups = 1 if self._grouped else traits
        self._qq = np.zeros((groups, Z_BINS), np.int64)
        self._sets = np.zeros((groups, self._bins.size), np.uint64)
        self._all_qq = np.zeros(Z_BINS, np.int64)
        self._tally = np.zeros((traits, 2), np.int64)
        self._missing = np.zeros(traits, np.int64)
        self._lambda = np.full(traits, np.nan)
        self._bit, self._hit_code = _bit_of_code(), _hit_code()
        self._hits: list[_Hits] = []
        self._spelled: dict[int, str] = {}
        self._open = -1  # the trait being counted, when grouped
        self._open_from = 0  # where its hits begin

    def add(
        self,
        features: Features,
        codes: tuple[Codes, Codes, Codes],
        *,
        exact_z: Exact | None = None,
        first_trait: int = 0,
    ) -> None:
        """Add absolute codes (z, se, eaf), each [V, T], for V features and T traits from `first_trait` on.

        Blocks may come in any order; of a study of more than GROUPED_FROM traits, one trait at a
        time and in order. `exact_z` gives z of the cells whose code is codec.OVERFLOW.
        """
        z = codes[0]
        count = z.shape[1]
        own = slice(first_trait, first_trait + count)
        if self._grouped:
            self._turn_to(first_trait)
        group = slice(0, 1) if self._grouped else own
        before = self._missing[own].copy()
        bins = self._bins.bin_of(features.locus)
        _count(z, bins, self._bit, self._qq[group], self._sets[group], self._missing[own])
        self._tally[own, 0] += z.shape[0] - (self._missing[own] - before)
        if self._strongest is not None:
            self._strongest.add(features, z, first_trait=first_trait)
        self._keep_hits(features, codes, exact_z, first_trait=first_trait)

    def add_ragged(self, features: Features, cells: RaggedCells, trait: int) -> None:
        """Add cells of one trait of a ragged segment whose features are `features`."""
        exact = None
        if "z" in cells.exact:
            at, values = cells.exact["z"]
            exact = Exact(at.astype(np.int32), np.zeros(len(at), np.int32), values)
        codes = (cells.z[:, None], cells.se[:, None], cells.eaf[:, None])
        self.add(features.take(cells.feature), codes, exact_z=exact, first_trait=trait)

    def _keep_hits(
        self,
        features: Features,
        codes: tuple[Codes, Codes, Codes],
        exact_z: Exact | None,
        *,
        first_trait: int,
    ) -> None:
        z, se, eaf = codes
        found = np.empty(len(z), np.int32)
        _count_hits(z, np.int32(self._hit_code), found)
        if not (total := int(found.sum())):
            return
        row, column = np.empty(total, np.int64), np.empty(total, np.int64)
        _gather(z, self._hit_code, found, row, column)
        self._tally[first_trait : first_trait + z.shape[1], 1] += np.bincount(column, minlength=z.shape[1])
        values = codec.decode_z(z[row, column])
        over = z[row, column] == codec.OVERFLOW
        if exact_z is not None and len(exact_z.value):
            # Of an exact study every z may be given: a summary is of the codes, whoever counts it.
            beyond = values[over]
            _fill_exact(beyond, (row * z.shape[1] + column)[over], exact_z, z.shape[1])
            values[over] = beyond
        if over.any():
            group = np.zeros(int(over.sum()), np.int64) if self._grouped else column[over] + first_trait
            bins = np.minimum(np.abs(values[over]) / Z_STEP, Z_BINS - 1).astype(np.int64)
            np.add.at(self._qq, (group, np.full(len(group), _OVERFLOW_BIN)), -1)
            np.add.at(self._qq, (group, bins), 1)
        allele = features.allele[row]
        for key in allele[allele >= np.uint64(HASHED)].tolist():
            self._spelled[key] = features.spelled.get(key, "")
        self._hits.append(
            _Hits(
                (column + first_trait).astype(np.uint32),
                features.locus[row],
                allele,
                features.rsid[row],
                values,
                codec.decode_se(se[row, column]),
                codec.decode_eaf(eaf[row, column]),
            )
        )

    def _turn_to(self, trait: int) -> None:
        """Close the trait counted so far when another one begins (grouped studies)."""
        if self._open == trait:
            return
        if self._open >= 0:
            self._lambda[self._open] = _lambda_gc(self._qq[0])
            self._all_qq += self._qq[0]
            self._qq[:] = 0
            mine = self._hits[self._open_from :]
            if sum(len(h.trait) for h in mine) > HITS_MOST:
                together = _Hits.join(mine)
                strongest = np.argsort(-np.abs(together.z), kind="stable")[:HITS_MOST]
                self._hits[self._open_from :] = [together.take(strongest)]
            if len(self._hits) > _PARTS_MOST:
                self._hits = [_Hits.join(self._hits)]
            self._open_from = len(self._hits)
        self._open = trait

    def finish(self) -> SummaryData:
        """Sort what was counted. Nothing may be added afterwards."""
        if self._grouped:
            self._turn_to(-1)
        else:
            self._lambda = np.array([_lambda_gc(q) for q in self._qq])
        hits = _Hits.join(self._hits) if self._hits else _no_hits()
        hits = hits.take(np.lexsort((hits.allele, hits.locus, hits.trait)))
        return SummaryData(
            hits=hits,
            spelled=self._spelled,
            cells=self._tally[:, 0],
            missing=self._missing,
            hits_all=self._tally[:, 1],
            lambda_gc=self._lambda,
            qq=self._all_qq[None, :] if self._grouped else self._qq,
            sets=self._sets,
            bin_width_bp=self._bins.width_bp,
            strongest=self._strongest,
        )


def _lambda_gc(counts: Int64s) -> float:
    """λGC from |z| counts of codes: a code is rounded, so its bins begin half a code lower."""
    value = lambda_gc_from_counts(counts)
    if np.isnan(value):
        return value
    median = max(0.0, (value * CHI2_MEDIAN) ** 0.5 - 0.5 / codec.Z_STEP)
    return float(median**2 / CHI2_MEDIAN)


def _fill_exact(values: Floats, cell: Int64s, exact: Exact, columns: int) -> None:
    """Put exact values over decoded ones, in place; cells are row · columns + column, increasing."""
    known = exact.row.astype(np.int64) * columns + exact.column
    order = np.argsort(known)
    at = np.searchsorted(known[order], cell)
    hit = (at < len(known)) & (known[order][np.minimum(at, len(known) - 1)] == cell)
    values[hit] = exact.value[order][at[hit]]


@dataclass(frozen=True, slots=True)
class SummaryData:
    """Everything counted of T traits, sorted; `write` puts the part of one study into its folder."""

    hits: _Hits
    spelled: Mapping[int, str]
    cells: Int64s
    missing: Int64s
    hits_all: Int64s
    lambda_gc: npt.NDArray[np.float64]
    qq: Int64s
    sets: UInt64s
    bin_width_bp: int
    strongest: StrongestBuilder | None

    def write(self, folder: Path, *, first_trait: int = 0, traits: int | None = None) -> None:
        """Write the files of `summaries` for `traits` traits from `first_trait` on.

        Traits are numbered from 0 in the files. Raises SpaceError when the disk is full.
        """
        stop = len(self.cells) if traits is None else first_trait + traits
        own = slice(first_trait, stop)
        edges = np.searchsorted(self.hits.trait, [first_trait, stop])
        hits = self.hits.take(slice(*edges))
        hits = replace(hits, trait=hits.trait - np.uint32(first_trait))
        offset = np.searchsorted(hits.trait, np.arange(stop - first_trait + 1))
        grouped = len(self.qq) < len(self.cells)
        with space_errors(folder):
            _write_arrow(folder / HITS_NAME, self._hit_table(hits, offset))
            _write_arrow(folder / TRAITS_NAME, self._trait_table(own, offset, plots=not grouped))
            if self.strongest is not None:
                found = map(self.strongest.trait, range(first_trait, stop))
                write_zoom(folder / ZOOM_NAME, self.strongest.bins, found)
            write_stamped(
                folder / SUMMARY_NAME, self._facts(own, grouped=grouped), kind=KIND, version=VERSION
            )

    def _hit_table(self, hits: _Hits, offset: Int64s) -> pa.Table:
        size = len(hits.trait)
        rank, by_p = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
        leads = np.zeros((3, size), np.uint32)
        suggestive = np.zeros(size, bool)
        strength = neg_log10_p_from_z(hits.z)
        for first, stop in zip(offset[:-1].tolist(), offset[1:].tolist(), strict=True):
            part = slice(first, stop)
            order = np.argsort(-np.abs(hits.z[part]), kind="stable")
            by_p[part] = order
            rank[part][order] = np.arange(stop - first)
            found = find_loci(hits.locus[part], strength[part])
            if not len(found.lead):
                found = find_loci(hits.locus[part], strength[part], threshold=SUGGESTIVE)
                suggestive[part][found.lead] = True
            for row, values in zip(leads, (found.start, found.end, found.count), strict=True):
                row[part][found.lead] = values
        hashed = hits.allele >= np.uint64(HASHED)
        text = [
            self.spelled.get(k) if h else None
            for k, h in zip(hits.allele.tolist(), hashed.tolist(), strict=True)
        ]
        columns = [getattr(hits, f.name) for f in fields(hits)]
        columns += [rank, by_p, leads[0], leads[1], leads[2].astype(np.int32), suggestive, text]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, HIT_SCHEMA, strict=True)]
        return pa.Table.from_arrays(arrays, schema=HIT_SCHEMA)

    def _trait_table(self, own: slice, offset: Int64s, *, plots: bool) -> pa.Table:
        columns: dict[str, Any] = {
            "cells": pa.array(self.cells[own], pa.int64()),
            "missing": pa.array(self.missing[own], pa.int64()),
            "lambda_gc": pa.array(self.lambda_gc[own], pa.float64()),
            "hits": pa.array(self.hits_all[own], pa.int64()),
            "hits_first": pa.array(offset[:-1], pa.int64()),
            "hits_kept": pa.array(np.diff(offset), pa.int64()),
        }
        if plots:
            used = [np.trim_zeros(q, "b") for q in self.qq[own]]
            ends = np.cumsum([0, *(len(u) for u in used)]).astype(np.int64)
            columns["qq"] = pa.LargeListArray.from_arrays(ends, pa.array(np.concatenate(used), pa.uint32()))
            flat = pa.array(self.sets[own].ravel(), pa.uint64())
            columns["manhattan"] = pa.FixedSizeListArray.from_arrays(flat, self.sets.shape[1])
        return pa.table(columns)

    def _facts(self, own: slice, *, grouped: bool) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "traits": len(self.cells[own]),
            "cells": int(self.cells[own].sum()),
            "missing": int(self.missing[own].sum()),
            "hits": int(self.hits_all[own].sum()),
            "hit_neg_log_10_p": HIT,
            "locus_neg_log_10_p": GENOME_WIDE,
            "suggestive_neg_log_10_p": SUGGESTIVE,
            "locus_distance_bp": DISTANCE_BP,
            "bins": self.sets.shape[1],
            "bin_width_bp": self.bin_width_bp,
            "level": LEVEL,
            "z_step": Z_STEP,
        }
        if grouped:
            facts["qq"] = np.trim_zeros(self.qq[0], "b").tolist()
            facts["manhattan"] = self.sets[0].tolist()
        return facts


def _write_arrow(path: Path, table: pa.Table) -> None:
    # Uncompressed and in one batch: a reader maps the file and looks at the rows it needs.
    with pa.OSFile(str(path), "wb") as sink, ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
