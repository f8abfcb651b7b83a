"""Reading starts here: the store as of one manifest, and selections of its studies.

A `Snapshot` is made once for each manifest and never changes; what it holds open (axes, segments,
studies) is shared with the snapshots before and after it. A `Selection` works out once which columns
of which segments belong to the chosen studies; `query` answers through it. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
import orjson

from nexome.model.errors import DamagedError, NotFoundError
from nexome.model.genome import Assembly
from nexome.model.terms import Study
from nexome.store.associations.axis import Axis
from nexome.store.associations.column import ColumnSegment, ColumnSet
from nexome.store.associations.dense import DenseSegment
from nexome.store.associations.manifest import AxisEntry, Manifest, SegmentEntry, StudyEntry
from nexome.store.associations.ragged import RaggedSegment
from nexome.store.associations.segment import Segment
from nexome.store.associations.summaries import Summary
from nexome.store.associations.types import Int64s, TraitRef, TraitTable
from nexome.store.associations.zoom import ZoomCache
from nexome.store.disk import read_stamped

STUDY_KIND: Final = "nexome-study"
STUDY_VERSION: Final = 1
STUDY_NAME: Final = "study.json"
RECEIPT_NAME: Final = "receipt.json"
OPTIONAL_PLANES: Final = ("n", "info")


class PublishedStudy:
    """One published version of a study: what is known of it, its summary, its receipt."""

    def __init__(self, entry: StudyEntry, folder: Path) -> None:
        self.entry = entry
        self.path = folder

    @property
    def version(self) -> int:
        """Version number, from 1."""
        return self.entry.version

    @property
    def published(self) -> str:
        """When it was published, ISO 8601 in UTC."""
        return self.entry.published

    @property
    def cells(self) -> int:
        """Cells that are not missing."""
        return self.entry.cells

    @cached_property
    def study(self) -> Study:
        """The study's record, with the access the manifest gives it.

        Raises DamagedError when its file is not what was written.
        """
        values = read_stamped(self.path / STUDY_NAME, kind=STUDY_KIND, version=STUDY_VERSION)
        switched = {"access": self.entry.access} if self.entry.access else {}
        return Study.from_dict({**values["study"], **switched})

    def summary(self) -> Summary:
        """Top hits, loci, Manhattan, QQ and λGC, made when the study was written."""
        return self._summary

    @cached_property
    def _summary(self) -> Summary:
        return Summary(self.path)

    def receipt(self) -> dict[str, Any]:
        """What came in, what was kept, changed and dropped, as the import wrote it."""
        path = self.path / RECEIPT_NAME
        try:
            return dict(orjson.loads(path.read_bytes()))
        except (OSError, orjson.JSONDecodeError) as error:
            raise DamagedError(f"cannot be read ({type(error).__name__})", where=str(path)) from error


class Opened:
    """Axes, segments and studies opened so far; shared by all snapshots of one store.

    Everything in it is immutable on the disk, so that what is open stays true. `forget` drops what a
    new manifest no longer names; snapshots in use keep their own references.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.zooms = ZoomCache()
        self._axes: dict[str, Axis] = {}
        self._segments: dict[str, DenseSegment | ColumnSegment | RaggedSegment] = {}
        self._studies: dict[tuple[str, int, str], PublishedStudy] = {}

    def axis(self, entry: AxisEntry) -> Axis:
        """The axis of a manifest entry."""
        if entry.id not in self._axes:
            self._axes[entry.id] = Axis(self.folder / entry.path)
        return self._axes[entry.id]

    def segment(self, entry: SegmentEntry) -> DenseSegment | ColumnSegment | RaggedSegment:
        """The segment of a manifest entry."""
        if (found := self._segments.get(entry.id)) is None:
            path = self.folder / entry.path
            optional = tuple(name for name in entry.planes if name in OPTIONAL_PLANES)
            if entry.layout == "dense":
                found = DenseSegment(path, optional=optional)
            elif entry.layout == "ragged":
                found = RaggedSegment(path)
            else:
                found = ColumnSegment(path, optional=optional, layout=entry.layout)
            self._segments[entry.id] = found
        return found

    def study(self, entry: StudyEntry) -> PublishedStudy:
        """The study of a manifest entry."""
        key = (entry.id, entry.version, entry.access)
        if key not in self._studies:
            self._studies[key] = PublishedStudy(entry, self.folder / entry.path)
        known = self._studies[key]
        if known.entry != entry:  # compaction moved its cells to other segments
            known.entry = entry
        return known

    def forget(self, manifest: Manifest) -> None:
        """Drop what `manifest` does not name."""
        self._axes = {k: v for k, v in self._axes.items() if k in manifest.axes}
        self._segments = {k: v for k, v in self._segments.items() if k in manifest.segments}
        live = {(s.id, s.version, s.access) for s in manifest.studies.values()}
        self._studies = {k: v for k, v in self._studies.items() if k in live}


class _Studies(Mapping[str, PublishedStudy]):
    """The studies of a manifest, opened when looked at."""

    def __init__(self, manifest: Manifest, opened: Opened) -> None:
        self._entries, self._opened = manifest.studies, opened

    def __getitem__(self, study_id: str) -> PublishedStudy:
        return self._opened.study(self._entries[study_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Snapshot:
    """The store as of one manifest. Safe to use from several threads."""

    def __init__(
        self, manifest: Manifest, assembly: Assembly, opened: Opened, pool: ThreadPoolExecutor
    ) -> None:
        self.manifest = manifest
        self.assembly = assembly
        self.pool = pool
        self._opened = opened
        self.zooms = opened.zooms
        self._runs: dict[str, tuple[dict[str, list[tuple[int, int, int]]], int]] = {}
        self.studies: Mapping[str, PublishedStudy] = _Studies(manifest, opened)

    @property
    def sequence(self) -> int:
        """Sequence number of the manifest; grows with every change."""
        return self.manifest.sequence

    @property
    def axes(self) -> Mapping[str, AxisEntry]:
        """Feature axes in use."""
        return self.manifest.axes

    @property
    def segments(self) -> Mapping[str, SegmentEntry]:
        """Segments in use."""
        return self.manifest.segments

    def axis(self, name: str) -> Axis:
        """One axis by its id."""
        return self._opened.axis(self.manifest.axes[name])

    def segment(self, name: str) -> DenseSegment | ColumnSegment | RaggedSegment:
        """One segment by its id."""
        return self._opened.segment(self.manifest.segments[name])

    def live_runs(self, segment: str) -> tuple[Mapping[str, Sequence[tuple[int, int, int]]], int]:
        """Live columns of a segment by study, (column, first trait, count), and how many it has in all.

        Worked out once.
        """
        if segment not in self._runs:
            found: dict[str, list[tuple[int, int, int]]] = {}
            column = 0
            for run in self.segments[segment].columns:
                live = self.manifest.studies.get(run.study)
                if live is not None and live.version == run.version and segment in live.segments:
                    found.setdefault(run.study, []).append((column, run.first, run.count))
                column += run.count
            self._runs[segment] = found, column
        return self._runs[segment]

    def select(self, study_ids: Iterable[str] | None = None) -> Selection:
        """Choose studies (None: all of them) for questions to come.

        Raises NotFoundError for a study that is not in the store.
        """
        chosen = tuple(self.studies if study_ids is None else dict.fromkeys(study_ids))
        if unknown := [s for s in chosen if s not in self.studies]:
            raise NotFoundError(f"no study {unknown[0]!r} in this store", todo="See `nexome status`.")
        return Selection(self, chosen)

    @cached_property
    def everything(self) -> Selection:
        """All studies, resolved once: how names are looked up."""
        return Selection(self, tuple(self.studies))


class _Refs(Sequence[TraitRef]):
    """Traits of studies one after another, made when looked at."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self._studies = studies
        self.first = np.concatenate([[0], np.cumsum([len(s.traits) for s in studies])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.first[-1])

    @overload
    def __getitem__(self, index: int) -> TraitRef: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TraitRef]: ...
    def __getitem__(self, index: int | slice) -> TraitRef | Sequence[TraitRef]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        owner = int(np.searchsorted(self.first, index, side="right")) - 1
        study = self._studies[owner]
        return TraitRef(study, study.traits[index - int(self.first[owner])])


@dataclass(frozen=True, slots=True)
class GridPart:
    """Columns of one segment (or set of column segments) on an axis that belong to a selection.

    `columns` int64 [C] sorted, `out_columns` int64 [C] their places among the grid traits.
    """

    segment: Segment
    columns: Int64s
    out_columns: Int64s


@dataclass(frozen=True, slots=True)
class RaggedPart:
    """A ragged segment's share of a selection: `trait` int64 [T of the segment], −1 where not selected."""

    segment: RaggedSegment
    trait: Int64s


class Selection:
    """Chosen studies of a snapshot, resolved to columns of segments; keep it as long as the snapshot.

    `trait_table` holds all T_all traits of the studies, in order; `grid` (int32) those of them that lie
    on an axis and so are columns of every answer.
    """

    def __init__(self, snapshot: Snapshot, study_ids: tuple[str, ...]) -> None:
        self.snapshot = snapshot
        self.study_ids = study_ids
        self._refs = _Refs([snapshot.studies[s].study for s in study_ids])
        self.trait_table = TraitTable(self._refs)
        first = dict(zip(study_ids, self._refs.first.tolist(), strict=False))
        on_axis = np.zeros(len(self.trait_table), bool)
        self._ordinals = {s: _ordinals(snapshot, snapshot.segments[s], first) for s in self._segment_ids()}
        for name, trait in self._ordinals.items():
            if snapshot.segments[name].layout != "ragged":
                on_axis[trait[trait >= 0]] = True
        self.grid = np.flatnonzero(on_axis).astype(np.int32)
        self._place = np.cumsum(on_axis) - 1  # trait ordinal → column of the answer

    def place_of(self, trait: Int64s) -> Int64s:
        """Answer columns of trait ordinals; −1 for those that are not on an axis."""
        on_axis = np.zeros(len(self.trait_table), bool)
        on_axis[self.grid] = True
        return np.where(on_axis[trait], self._place[trait], -1)

    @cached_property
    def grids(self) -> list[tuple[Axis, list[GridPart]]]:
        """Segments on axes, by axis."""
        by_axis: dict[str, list[str]] = {}
        for name in self._ordinals:
            entry = self.snapshot.segments[name]
            if entry.layout != "ragged":
                by_axis.setdefault(entry.axis, []).append(name)
        return [(self.snapshot.axis(axis), self._parts(names)) for axis, names in by_axis.items()]

    @cached_property
    def ragged(self) -> list[RaggedPart]:
        """Ragged segments."""
        parts = []
        for name, trait in self._ordinals.items():
            segment = self.snapshot.segment(name)
            if isinstance(segment, RaggedSegment):
                parts.append(RaggedPart(segment, trait))
        return parts

    def _segment_ids(self) -> list[str]:
        studies = self.snapshot.manifest.studies
        return list(dict.fromkeys(name for s in self.study_ids for name in studies[s].segments))

    def _parts(self, names: list[str]) -> list[GridPart]:
        parts, columns = [], []
        for name in names:
            segment = self.snapshot.segment(name)
            if isinstance(segment, DenseSegment):
                parts.append(self._part(segment, self._ordinals[name]))
            elif isinstance(segment, ColumnSegment):
                columns.append((segment, self._ordinals[name]))
        if columns:
            together = ColumnSet([segment for segment, _ in columns])
            parts.append(self._part(together, np.concatenate([trait for _, trait in columns])))
        return parts

    def _part(self, segment: Segment, trait: Int64s) -> GridPart:
        columns = np.flatnonzero(trait >= 0).astype(np.int64)
        return GridPart(segment, columns, self._place[trait[columns]].astype(np.int64))


def _ordinals(snapshot: Snapshot, entry: SegmentEntry, first: Mapping[str, int]) -> Int64s:
    """Trait ordinal of each column of a segment, int64; −1 where not selected, replaced or withdrawn."""
    runs, width = snapshot.live_runs(entry.id)
    ordinals = np.full(width, -1, np.int64)
    for study in runs.keys() & first.keys():
        for column, trait, count in runs[study]:
            start = first[study] + trait
            ordinals[column : column + count] = np.arange(start, start + count)
    return ordinals
