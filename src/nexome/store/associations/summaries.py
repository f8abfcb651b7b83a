"""Summaries: what a study page needs, counted while the study is written and never again.

In the folder of a study version:

    hits.arrow      features with p < 1e-4 of every trait, by trait and position, with rank by p; leads of
                    loci carry the stretch and size of their locus
    traits.arrow    one row a trait: cells, missing, λGC, hits, Manhattan bit sets, counts of |z|
    zoom.arrow      the strongest feature of each fine bin (`zoom`)
    summary.json    stamped: thresholds, position bins, totals; Manhattan and counts of all traits together
                    for a study of more than GROUPED_FROM traits

Loci are 500 kb apart, from p < 5e-8; a trait without one has those from 1e-5, marked suggestive.
A study of more than GROUPED_FROM traits keeps the HITS_MOST strongest hits of each (its cells keep
all; `hits` still counts all) and no Manhattan or |z| counts of single traits.

This module reads; `summary_builder` counts and writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from nexome.methods.quantiles import Z_BINS
from nexome.model.errors import DamagedError, NotFoundError
from nexome.model.genome import HASHED
from nexome.store.associations.types import Features, Floats, Int64s, UInt32s, UInt64s
from nexome.store.disk import read_stamped

KIND: Final = "nexome-association-summary"
VERSION: Final = 1
GROUPED_FROM: Final = 4096  # traits; 36 kB of plots each would outweigh a QTL study itself
HITS_MOST: Final = 1000  # hits kept of each trait of such a study

HITS_NAME: Final = "hits.arrow"
TRAITS_NAME: Final = "traits.arrow"
SUMMARY_NAME: Final = "summary.json"

HIT_SCHEMA: Final = pa.schema(
    [
        ("trait", pa.uint32()),
        ("locus", pa.uint64()),
        ("allele", pa.uint64()),
        ("rsid", pa.uint32()),
        ("z", pa.float32()),
        ("standard_error", pa.float32()),
        ("effect_allele_frequency", pa.float32()),
        ("rank", pa.uint32()),  # by p within the trait; 0 is the strongest
        ("by_p", pa.uint32()),  # row of the k-th strongest hit, counted from the trait's first
        ("locus_start", pa.uint32()),  # 0 unless the feature leads a locus
        ("locus_end", pa.uint32()),
        ("features_in_locus", pa.int32()),
        ("suggestive", pa.bool_()),
        ("text", pa.string()),  # what stands behind a hashed allele key, else null
    ]
)

Order = Literal["position", "p"]

_HIT_COLUMNS: Final = (
    "trait",
    "z",
    "standard_error",
    "effect_allele_frequency",
    "rank",
    "locus_start",
    "locus_end",
    "features_in_locus",
    "suggestive",
)


@dataclass(frozen=True, slots=True)
class HitRows:
    """Hits in the order asked: features [H], trait ordinals, decoded statistics, rank by p in the trait.

    `locus_start`, `locus_end` (0 unless the feature leads a locus), `features_in_locus`, `suggestive`.
    beta is z · se.
    """

    features: Features
    trait: UInt32s
    z: Floats
    se: Floats
    eaf: Floats
    rank: UInt32s
    locus_start: UInt32s
    locus_end: UInt32s
    features_in_locus: npt.NDArray[np.int32]
    suggestive: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.trait)


class Summary:
    """The summary of one study version; opens its files when first asked and maps them.

    `trait` arguments are ordinals within the study. Thread-safe for reading.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def facts(self) -> dict[str, Any]:
        """summary.json: totals, thresholds and bins."""
        return read_stamped(self._folder / SUMMARY_NAME, kind=KIND, version=VERSION)

    @property
    def cells(self) -> int:
        """Cells of all traits that are not missing."""
        return int(self.facts["cells"])

    @property
    def missing(self) -> int:
        """Cells given but missing, of all traits."""
        return int(self.facts["missing"])

    @property
    def has_plots(self) -> bool:
        """Whether single traits have Manhattan bit sets and |z| counts (studies of ≤ GROUPED_FROM traits)."""
        return "manhattan" in self._traits

    def trait(self, trait: int = 0) -> TraitSummary:
        """The numbers of one trait. Raises NotFoundError when there is no such ordinal."""
        if not 0 <= trait < int(self.facts["traits"]):
            raise NotFoundError(f"no trait number {trait}", where=str(self._folder))
        return TraitSummary(self, trait)

    def hits(
        self,
        trait: int | None = None,
        *,
        order: Order = "position",
        limit: int | None = None,
        offset: int = 0,
    ) -> HitRows:
        """Hits (p < 1e-4) of one trait, or of all: by (trait, position), or strongest first."""
        first, kept = self._extent(trait)
        if order == "position":
            rows: Any = np.arange(first, first + kept)[offset:][:limit]
        elif trait is not None or int(self.facts["traits"]) == 1:
            rows = first + self._hits["by_p"][first : first + kept][offset:][:limit].astype(np.int64)
        else:
            rows = np.argsort(-np.abs(self._hits["z"]), kind="stable")[offset:][:limit]
        return self._rows(rows)

    def hits_between(self, trait: int, low: int, high: int) -> HitRows:
        """Hits of one trait from locus `low` up to but not including locus `high`, by position."""
        first, kept = self._extent(trait)
        locus = self._hits["locus"][first : first + kept]
        edges = np.searchsorted(locus, np.array([low, high], np.uint64)) + first
        return self._rows(np.arange(*edges))

    def loci(self, trait: int | None = None, *, limit: int | None = None, offset: int = 0) -> HitRows:
        """Leads of the loci of one trait, or of all, strongest first."""
        first, kept = self._extent(trait)
        part = slice(first, first + kept)
        leads = np.flatnonzero(self._hits["features_in_locus"][part]) + first
        order = np.argsort(-np.abs(self._hits["z"][leads]), kind="stable")
        return self._rows(leads[order][offset:][:limit])

    def column(self, name: str) -> npt.NDArray[Any]:
        """A number of every trait [T]: cells, missing, lambda_gc, hits, hits_kept."""
        return self._traits[name]

    def same_hits(self, other: Summary) -> bool:
        """Whether both hold the same hits with the same statistics and loci (rsIDs may differ)."""
        names = [n for n in self._hits if n != "rsid"]
        return all(np.array_equal(self._hits[n], other._hits[n], equal_nan=_may_be_nan(n)) for n in names)

    def _extent(self, trait: int | None) -> tuple[int, int]:
        if trait is None:
            return 0, len(self._hits["trait"])
        self.trait(trait)
        return int(self._traits["hits_first"][trait]), int(self._traits["hits_kept"][trait])

    def _rows(self, rows: Int64s) -> HitRows:
        held = self._hits
        allele = held["allele"][rows]
        spelled: dict[int, str] = {}
        for at in np.flatnonzero(allele >= np.uint64(HASHED)).tolist():
            spelled[int(allele[at])] = self._hit_table["text"][int(rows[at])].as_py() or ""
        features = Features(held["locus"][rows], allele, held["rsid"][rows], spelled)
        return HitRows(features, *(held[name][rows] for name in _HIT_COLUMNS))

    @cached_property
    def _hit_table(self) -> pa.Table:
        return _read_arrow(self._folder / HITS_NAME)

    @cached_property
    def _hits(self) -> dict[str, npt.NDArray[Any]]:
        table = self._hit_table
        return {n: _numpy(table[n]) for n in table.column_names if n != "text"}

    @cached_property
    def _traits(self) -> dict[str, npt.NDArray[Any]]:
        table = _read_arrow(self._folder / TRAITS_NAME)
        plain = {n: _numpy(table[n]) for n in table.column_names if n not in {"qq", "manhattan"}}
        if "qq" in table.column_names:
            lists = table["qq"].combine_chunks()
            plain["qq"] = _numpy(lists.values)
            plain["qq_offset"] = _numpy(lists.offsets)
            sets = table["manhattan"].combine_chunks()
            plain["manhattan"] = _numpy(sets.values).reshape(len(sets), -1)
        return plain


class TraitSummary:
    """The summary of one trait of a study version."""

    def __init__(self, summary: Summary, trait: int) -> None:
        self.summary = summary
        self.ordinal = trait

    @property
    def lambda_gc(self) -> float:
        """Genomic inflation; NaN without cells."""
        return float(self.summary.column("lambda_gc")[self.ordinal])

    @property
    def cells(self) -> int:
        """Cells that are not missing."""
        return int(self.summary.column("cells")[self.ordinal])

    @property
    def missing(self) -> int:
        """Cells given but missing."""
        return int(self.summary.column("missing")[self.ordinal])

    @property
    def hit_count(self) -> int:
        """All features with p < 1e-4, also those beyond HITS_MOST."""
        return int(self.summary.column("hits")[self.ordinal])

    @property
    def manhattan(self) -> UInt64s:
        """Bit sets [bins] of `methods.manhattan`; those of all traits where single ones have none."""
        if self.summary.has_plots:
            return self.summary.column("manhattan")[self.ordinal]
        return np.array(self.summary.facts["manhattan"], np.uint64)

    @property
    def qq(self) -> Int64s:
        """Counts of |z| [Z_BINS] of `methods.quantiles`; of all traits where single ones have none."""
        counts = np.zeros(Z_BINS, np.int64)
        if self.summary.has_plots:
            first, stop = self.summary.column("qq_offset")[self.ordinal : self.ordinal + 2]
            held = self.summary.column("qq")[first:stop]
        else:
            held = np.array(self.summary.facts["qq"], np.int64)
        counts[: len(held)] = held
        return counts

    def hits(self, *, order: Order = "position", limit: int | None = None, offset: int = 0) -> HitRows:
        """Hits of this trait; see Summary.hits."""
        return self.summary.hits(self.ordinal, order=order, limit=limit, offset=offset)

    def loci(self, *, limit: int | None = None) -> HitRows:
        """Leads of this trait's loci, strongest first."""
        return self.summary.loci(self.ordinal, limit=limit)


def _may_be_nan(name: str) -> bool:
    return pa.types.is_floating(HIT_SCHEMA.field(name).type)


def _read_arrow(path: Path) -> pa.Table:
    try:
        return ipc.open_file(pa.memory_map(str(path), "r")).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise DamagedError(
            f"cannot be read ({type(error).__name__})",
            where=str(path),
            expected="an Arrow file",
            todo="Run `nexome verify`, then restore the study from a backup or import it again.",
        ) from error


def _numpy(column: Any) -> npt.NDArray[Any]:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # a column without rows
        return np.zeros(0, array.type.to_pandas_dtype())
    return np.asarray(array.to_numpy(zero_copy_only=False))
