"""What is known before a file is read: sites of the store itself and of a sites table, and frequencies.

A row is matched first to the sites of the store, so that one variant keeps one spelling there, then to
the sites table. Frequencies come from the sites table, else from the store: the median over up to three
of its largest studies, of the same ancestry where there are such. Only sites at the positions asked for
are touched. Of studies too small for an axis, the largest `SMALL_STUDIES` lend their spellings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.alleles import NO_SITES, Sites
from nexome.model.genome import Interval
from nexome.store.associations import FeatureKey, Features, PublishedStudy, Snapshot, query

FREQUENCY_STUDIES: Final = 3
SMALL_STUDIES: Final = 20
SMALL_CELLS: Final = 50_000  # a study this small may lie on no axis; it is read whole
_FEW_ROWS: Final = 2_000  # up to here, cells are looked up one by one
_SPARSE: Final = 8  # a stretch with this many sites for each position asked is not read through

Floats = npt.NDArray[np.float32]
Loci = npt.NDArray[np.uint64]


class KnownSites(Protocol):
    """A source of known sites."""

    def around(self, loci: Loci) -> Sites:
        """Sites at `loci` (any order); others may be among them."""
        ...


class KnownFrequencies(Protocol):
    """A source of known frequencies."""

    def frequency(self, locus: Loci, keys: Loci) -> Floats:
        """Frequency of the alternate allele of V features, NaN unknown."""
        ...


@dataclass(frozen=True, slots=True)
class TableSites:
    """Sites in memory, with frequencies where they have them."""

    sites: Sites

    def around(self, loci: Loci) -> Sites:
        """Sites at `loci`, or the stretch they lie in."""
        rows = _rows_around(self.sites.locus, loci)
        return Sites(
            self.sites.locus[rows], self.sites.allele[rows], self.sites.frequency[rows], self.sites.rsid[rows]
        )

    def frequency(self, locus: Loci, keys: Loci) -> Floats:
        """Frequency of V features, NaN unknown."""
        return _look_up(locus, keys, self.around(locus)) if len(locus) else np.zeros(0, np.float32)


class AxisSites:
    """The features of one axis of the store, mapped."""

    def __init__(self, features: Features) -> None:
        self._features = features

    def around(self, loci: Loci) -> Sites:
        """Sites at `loci`, or the stretch they lie in."""
        rows = _rows_around(self._features.locus, loci)
        locus = np.asarray(self._features.locus[rows])
        nothing = np.full(len(locus), np.nan, np.float32)
        return Sites(
            locus, np.asarray(self._features.allele[rows]), nothing, np.asarray(self._features.rsid[rows])
        )


class StudyFrequencies:
    """The frequencies of one published study of one trait."""

    def __init__(self, snapshot: Snapshot, study: PublishedStudy) -> None:
        self._snapshot, self._study = snapshot, study.study

    def frequency(self, locus: Loci, keys: Loci) -> Floats:
        """Frequency of V features, NaN where the study has none."""
        if not len(locus):
            return np.zeros(0, np.float32)
        if len(locus) <= _FEW_ROWS:
            wanted = [FeatureKey(a, b) for a, b in zip(locus.tolist(), keys.tolist(), strict=True)]
            cells = query.lookup(self._snapshot, wanted, self._snapshot.select([self._study.id]))
            column = cells.column("effect_allele_frequency")
            return column[:, 0] if column.shape[1] else np.full(len(locus), np.nan, np.float32)
        return _look_up(locus, keys, self._stretch(int(locus.min()), int(locus.max())))

    def _stretch(self, first: int, last: int) -> Sites:
        parts: list[Any] = []
        for contig in range(first >> 32, min((last >> 32) + 1, len(self._snapshot.assembly.contigs))):
            start = max(1, first & 0xFFFFFFFF) if contig == first >> 32 else 1
            end = last & 0xFFFFFFFF if contig == last >> 32 else 0xFFFFFFFE
            within = Interval(contig, start, end)
            parts.extend(query.study_batches(self._snapshot, self._study.id, interval=within))
        return _sites_of(parts)


def read_study_sites(snapshot: Snapshot, study_id: str) -> Sites:
    """All sites of one (small) published study, with its frequencies."""
    return _sites_of(list(query.study_batches(snapshot, study_id)))


def _sites_of(parts: Sequence[Any]) -> Sites:
    """The sites of the batches of one trait, which come sorted."""
    if not parts:
        return NO_SITES
    return Sites(
        np.concatenate([p.features.locus for p in parts]),
        np.concatenate([p.features.allele for p in parts]),
        np.concatenate([p.column("effect_allele_frequency").ravel() for p in parts]),
        np.concatenate([p.features.rsid for p in parts]),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """All known sites, in the order they are asked: `spelling` for alleles, `frequency` for frequencies."""

    spelling: Sequence[KnownSites] = ()
    frequency: Sequence[KnownFrequencies] = ()
    sources: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spelling)

    def frequencies(self, locus: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> Floats:
        """Known frequency of the alternate allele of V features; NaN where unknown."""
        found = [source.frequency(locus, keys) for source in self.frequency]
        if not found:
            return np.full(len(locus), np.nan, np.float32)
        return found[0] if len(found) == 1 else _median(np.stack(found))


def store_sites(snapshot: Snapshot, *, ancestry: str, without: frozenset[str]) -> Known:
    """The spellings of a store, and the frequencies of its largest studies (none of those in `without`)."""
    studies = [
        s
        for name, s in snapshot.studies.items()
        if name not in without and s.study.feature_kind == "variant" and len(s.study.traits) == 1
    ]
    studies.sort(key=lambda s: (-s.cells, s.study.id))
    same = [s for s in studies if ancestry and s.study.ancestry.lower() == ancestry.lower()]
    chosen = (same or studies)[:FREQUENCY_STUDIES]
    small = [s for s in studies if s.cells <= SMALL_CELLS][:SMALL_STUDIES]
    spelling: list[KnownSites] = [AxisSites(snapshot.axis(name).features()) for name in snapshot.axes]
    spelling += [TableSites(read_study_sites(snapshot, s.study.id)) for s in small]
    frequency = [StudyFrequencies(snapshot, s) for s in chosen]
    return Known(spelling, frequency, tuple(f"study {s.study.id}" for s in chosen))


def with_table(known: Known, sites: Sites, path: Path) -> Known:
    """`known` with a sites table behind the store's spellings and before its frequencies."""
    table = TableSites(sites)
    frequency: Sequence[KnownFrequencies] = [table] if np.isfinite(sites.frequency).any() else known.frequency
    names = (str(path),) if np.isfinite(sites.frequency).any() else known.sources
    return Known([*known.spelling, table], frequency, names)


def _look_up(locus: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64], sites: Sites) -> Floats:
    found = np.full(len(locus), np.nan, np.float32)
    if not len(sites):
        return found
    # A site is found by both numbers: first its position, then the few alleles there.
    place = np.searchsorted(sites.locus, locus)
    open_rows = np.arange(len(locus))
    while len(open_rows):
        at = place[open_rows]
        inside = at < len(sites)
        open_rows, at = open_rows[inside], at[inside]
        here = sites.locus[at] == locus[open_rows]
        open_rows, at = open_rows[here], at[here]
        hit = sites.allele[at] == keys[open_rows]
        found[open_rows[hit]] = sites.frequency[at[hit]]
        open_rows = open_rows[~hit]
        place[open_rows] += 1
    return found


def _median(found: npt.NDArray[np.float32]) -> Floats:
    ordered = np.sort(found, axis=0)  # NaN last
    count = np.isfinite(found).sum(axis=0)
    middle = np.maximum(count - 1, 0) // 2
    return np.take_along_axis(ordered, middle[None, :], axis=0)[0]


def _rows_around(sorted_loci: Loci, loci: Loci) -> Any:
    """Rows of the sites at `loci`: one slice where they lie close, else their row numbers."""
    if not len(loci):
        return slice(0, 0)
    low = int(np.searchsorted(sorted_loci, loci.min()))
    high = int(np.searchsorted(sorted_loci, loci.max(), side="right"))
    if high - low <= _SPARSE * len(loci):
        return slice(low, high)
    wanted = np.unique(loci)
    first = np.searchsorted(sorted_loci, wanted)
    count = np.searchsorted(sorted_loci, wanted, side="right") - first
    starts = np.repeat(first - np.append(0, np.cumsum(count)[:-1]), count)
    return starts + np.arange(int(count.sum()))
