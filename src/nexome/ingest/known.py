"""What is known before a file is read: sites of the store itself and of a sites table, and frequencies.

A row is matched first to the sites of the store, so that one variant keeps one spelling there, then to
the sites table. Frequencies come from the sites table, else from the store: the median over up to three
of its largest studies, of the same ancestry where there are such. A stretch of sites is given at a time.
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

FREQUENCY_STUDIES: Final = 3
Floats = npt.NDArray[np.float32]


class KnownSites(Protocol):
    """A source of known sites, asked stretch by stretch."""

    def stretch(self, first: int, behind: int) -> Sites:
        """Sites with first ≤ locus < behind."""
        ...


@dataclass(frozen=True, slots=True)
class TableSites:
    """The sites of a table in memory."""

    sites: Sites

    def stretch(self, first: int, behind: int) -> Sites:
        """Sites with first ≤ locus < behind."""
        return self.sites.window(first, behind)


class AxisSites:
    """The features of one axis of the store, mapped; frequencies are asked for apart."""

    def __init__(self, features: Any) -> None:
        self._features = features

    def stretch(self, first: int, behind: int) -> Sites:
        """Sites with first ≤ locus < behind."""
        locus = self._features.locus
        start = int(np.searchsorted(locus, np.uint64(first)))
        stop = int(np.searchsorted(locus, np.uint64(behind)))
        part = slice(start, stop)
        return Sites(
            np.asarray(locus[part]),
            np.asarray(self._features.allele[part]),
            np.full(stop - start, np.nan, np.float32),
            np.asarray(self._features.rsid[part]),
        )


class StudySites:
    """The features and frequencies of one published study of one trait."""

    def __init__(self, snapshot: Any, study_id: str, trait_id: str) -> None:
        self._snapshot, self._study, self._trait = snapshot, study_id, trait_id

    def stretch(self, first: int, behind: int) -> Sites:
        """Sites with first ≤ locus < behind, which must lie on one contig or are cut to it."""
        from nexome.store.associations import query  # noqa: PLC0415  only where a store is asked

        parts: list[Any] = []
        for contig in range(first >> 32, ((behind - 1) >> 32) + 1):
            if contig >= len(self._snapshot.assembly.contigs):
                break
            start = max(1, first & 0xFFFFFFFF) if contig == first >> 32 else 1
            end = (behind - 1) & 0xFFFFFFFF if contig == (behind - 1) >> 32 else 0xFFFFFFFE
            interval = Interval(contig, start, end)
            parts.extend(query.study_batches(self._snapshot, self._study, self._trait, interval=interval))
        if not parts:
            return NO_SITES
        frequency = [p.column("effect_allele_frequency").ravel() for p in parts]
        return Sites(
            np.concatenate([p.features.locus for p in parts]),
            np.concatenate([p.features.allele for p in parts]),
            np.concatenate(frequency),
            np.concatenate([p.features.rsid for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """All known sites, in the order they are asked: `spelling` for alleles, `frequency` for frequencies."""

    spelling: Sequence[KnownSites] = ()
    frequency: Sequence[KnownSites] = ()
    sources: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spelling)

    def frequencies(self, locus: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> Floats:
        """Known frequency of the alternate allele of V rows sorted by locus; NaN where unknown."""
        found = np.full((max(1, len(self.frequency)), len(locus)), np.nan, np.float32)
        for number, source in enumerate(self.frequency if len(locus) else ()):
            sites = source.stretch(int(locus.min()), int(locus.max()) + 1)
            found[number] = _look_up(locus, keys, sites)
        if len(found) == 1:
            return found[0]
        return _median(found)


def store_sites(snapshot: Any, *, ancestry: str, without: frozenset[str]) -> Known:
    """The axes of a store, and its largest studies for frequencies (not those in `without`)."""
    axes = [AxisSites(snapshot.axis(name).features()) for name in snapshot.axes]
    studies = [
        s for name, s in snapshot.studies.items() if name not in without and s.study.feature_kind == "variant"
    ]
    same = [s for s in studies if ancestry and s.study.ancestry.lower() == ancestry.lower()]
    chosen = sorted(same or studies, key=lambda s: (-s.cells, s.study.id))[:FREQUENCY_STUDIES]
    single = [s for s in chosen if len(s.study.traits) == 1]
    frequency = [StudySites(snapshot, s.study.id, s.study.traits[0].id) for s in single]
    # A study off the axes is known by itself.
    spelling: list[KnownSites] = [*axes, *frequency]
    return Known(spelling, frequency, tuple(f"study {s.study.id}" for s in single))


def with_table(known: Known, sites: Sites, path: Path) -> Known:
    """`known` with a sites table behind the store's spellings and before its frequencies."""
    table = TableSites(sites)
    frequency = [table] if np.isfinite(sites.frequency).any() else known.frequency
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
