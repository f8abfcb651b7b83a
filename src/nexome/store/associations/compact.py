"""Compaction: waiting columns become dense segments, in the background, with readers on.

For each axis, columns of column segments (and of dense segments that are narrow or half dead) are read
band by band and written as dense segments of up to 1,024 traits; axes that nearly agree are united
first. Each new segment is published by one swap of the manifest, so that a compaction that is killed
has lost one segment's work at most, and a rerun goes on. The root's lock is held for the swap alone:
studies published, replaced or withdrawn meanwhile stay as they are.

Memory is that of two bands of rows (about 250 MB). Exact studies stay as columns. The old files go
with a later `clean`, when no reader holds them. Steps: compact.segment-written, compact.segment-moved,
before-manifest, after-manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from nexome.store.associations import codec
from nexome.store.associations.axis import Axis, features_digest, unite, write_axis
from nexome.store.associations.column import ColumnSegment, ColumnSet
from nexome.store.associations.dense import DenseSegment
from nexome.store.associations.dense_writer import DenseWriter
from nexome.store.associations.manifest import (
    AxisEntry,
    ColumnRun,
    Manifest,
    SegmentEntry,
    load_manifest,
    swap_manifest,
)
from nexome.store.associations.publish import LOCK_WAIT_S, new_id
from nexome.store.associations.segment import Segment, Target, Window, run_work
from nexome.store.associations.shards import SHARD_COLUMNS
from nexome.store.associations.snapshot import OPTIONAL_PLANES, Snapshot
from nexome.store.associations.staging import Workplace
from nexome.store.associations.types import Features, Int64s
from nexome.store.checksums import write_checksums
from nexome.store.disk import RootLock, publish_folder, space_errors, step

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore

Progress = Callable[[str, int, int], None]

COLUMNS_FROM: Final = 2  # waiting columns of an axis that are worth a dense segment
NARROW: Final = SHARD_COLUMNS // 2  # live columns below which a dense segment is taken up again
ALIKE: Final = 0.8  # of the features of each of two axes that they must share to be united


@dataclass(frozen=True, slots=True)
class _Column:
    """One live column: its segment, its number there, the study version and trait it belongs to."""

    segment: str
    number: int
    study: str
    version: int
    trait: int


@dataclass(frozen=True, slots=True)
class _Source:
    """Columns of one segment (or column set) that go to out_columns; row_of maps new rows to its rows."""

    segment: Segment
    columns: Int64s
    out_columns: Int64s
    row_of: Int64s | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """One new dense segment: its axis (new when united), its columns in order, and where they come from."""

    axis: str
    features: Features
    is_new_axis: bool
    columns: Sequence[_Column]
    row_maps: dict[str, Int64s | None]


def compact_store(store: AssociationStore, progress: Progress | None = None) -> None:
    """Compact until nothing is worth it; see the module. `progress(what, rows done, rows)`."""
    while (plan := plan_next(store.snapshot())) is not None:
        _carry_out(store, plan, progress or _silent)


def _silent(what: str, done: int, of: int) -> None:  # noqa: ARG001  a progress that says nothing
    return


# ---------------------------------------------------------------- what is worth doing


def plan_next(snapshot: Snapshot) -> _Plan | None:
    """The next segment to make, or None when all is compact."""
    waiting = {name: _waiting(snapshot, name) for name in snapshot.axes}
    for name, columns in waiting.items():
        if not columns:
            continue
        group = [name]
        if not _is_settled(snapshot, name, columns):
            others = [o for o, found in waiting.items() if o != name and found]
            free = [o for o in others if not _is_settled(snapshot, o, waiting[o])]
            group += [o for o in free if _alike(snapshot, name, o)]
        together = [c for axis in group for c in waiting[axis]]
        if len(together) >= COLUMNS_FROM and _worth_it(snapshot, together):
            return _plan(snapshot, group, together[:SHARD_COLUMNS])
    return None


def _waiting(snapshot: Snapshot, axis: str) -> list[_Column]:
    """Live columns of an axis that do not lie in a full dense segment, oldest segments first."""
    found = []
    for name, entry in snapshot.segments.items():
        if entry.axis != axis or entry.layout not in {"column", "dense"}:
            continue
        live = _live_columns(snapshot.manifest, entry)
        settled = entry.layout == "dense" and len(live) > max(NARROW, entry.traits // 2)
        if not settled:
            found += [replace(c, segment=name) for c in live]
    return found


def _is_settled(snapshot: Snapshot, axis: str, waiting: Sequence[_Column]) -> bool:
    """Whether an axis has segments that stay on it: such an axis is not united with another."""
    taken = {c.segment for c in waiting}
    return any(e.axis == axis and name not in taken for name, e in snapshot.segments.items())


def _live_columns(manifest: Manifest, entry: SegmentEntry) -> list[_Column]:
    columns, number = [], 0
    for run in entry.columns:
        study = manifest.studies.get(run.study)
        if study is not None and study.version == run.version and entry.id in study.segments:
            columns += [
                _Column(entry.id, number + k, run.study, run.version, run.first + k) for k in range(run.count)
            ]
        number += run.count
    return columns


def _worth_it(snapshot: Snapshot, columns: Sequence[_Column]) -> bool:
    """Whether merging changes anything: more than one segment, or columns, or dead weight."""
    segments = {c.segment for c in columns[:SHARD_COLUMNS]}
    if len(segments) > 1:
        return True
    entry = snapshot.segments[segments.pop()]
    return entry.layout == "column" or len(columns) <= entry.traits // 2


def _alike(snapshot: Snapshot, name: str, other: str) -> bool:
    """Whether two axes share ALIKE of each one's features."""
    sizes = snapshot.axes[name].features, snapshot.axes[other].features
    if min(sizes) < ALIKE * max(sizes):
        return False
    smaller, larger = sorted((snapshot.axis(name), snapshot.axis(other)), key=len)
    shared = int((larger.match(smaller.features()) >= 0).sum())
    return shared >= ALIKE * max(sizes)


def _plan(snapshot: Snapshot, group: Sequence[str], columns: Sequence[_Column]) -> _Plan:
    used = {snapshot.segments[c.segment].axis for c in columns}
    axes = {name: snapshot.axis(name) for name in group if name in used}
    if len(axes) == 1:
        name, axis = next(iter(axes.items()))
        return _Plan(name, axis.features(), False, columns, {name: None})  # noqa: FBT003
    features = unite([axis.features() for axis in axes.values()])
    maps = {name: _row_map(features, axis) for name, axis in axes.items()}
    return _Plan(new_id(), features, True, columns, dict(maps))  # noqa: FBT003


def _row_map(features: Features, axis: Axis) -> Int64s:
    return axis.match(features)


# ---------------------------------------------------------------- doing it


def _carry_out(store: AssociationStore, plan: _Plan, progress: Progress) -> None:
    work = Workplace(store.folder)
    try:
        with space_errors(work.path):
            entry, axis = _write(store.snapshot(), plan, work.path, progress)
            _swap(store, plan, entry, axis, work.path)
    finally:
        work.remove()
    store.root.append_event("compacted", segment=entry.id, traits=entry.traits, cells=entry.cells)


def _write(
    snapshot: Snapshot, plan: _Plan, work: Path, progress: Progress
) -> tuple[SegmentEntry, AxisEntry | None]:
    """Write the new segment, and the axis when it is new, into staging."""
    axis = _write_axis(work / "axis", plan) if plan.is_new_axis else None
    folder = work / "segment"
    planes, cells = _write_segment(snapshot, plan, folder, progress)
    step("compact.segment-written")
    name = new_id()
    entry = SegmentEntry(
        id=name,
        layout="dense",
        axis=plan.axis,
        features=len(plan.features),
        cells=cells,
        planes=planes,
        columns=_runs(plan.columns),
        digest=write_checksums(folder),
        path=f"segments/{name}",
        bytes=sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
    )
    return entry, axis


def _write_axis(folder: Path, plan: _Plan) -> AxisEntry:
    write_axis(folder, plan.features)
    digest = features_digest(plan.features)
    return AxisEntry(plan.axis, len(plan.features), write_checksums(folder), f"axes/{plan.axis}", digest)


def _write_segment(
    snapshot: Snapshot, plan: _Plan, folder: Path, progress: Progress
) -> tuple[tuple[str, ...], int]:
    """Write the dense segment; returns its planes and how many cells are not missing."""
    studies = [snapshot.studies[c.study].study for c in plan.columns]
    optional = _optional(snapshot, plan)
    writer = DenseWriter(
        folder,
        features=len(plan.features),
        groups=[s.ancestry for s in studies],
        axis=plan.axis,
        optional=optional,
    )
    sources, cells = _sources(snapshot, plan), 0
    try:
        while writer.rows_written < len(plan.features):
            cells += _copy_band(snapshot, writer, sources, optional)
            progress(f"{len(plan.columns)} columns", writer.rows_written, len(plan.features))
        writer.finish()
    except BaseException:
        writer.close()
        raise
    return (*codec.PLANES, *optional), cells


def _optional(snapshot: Snapshot, plan: _Plan) -> list[str]:
    planes = {p for c in plan.columns for p in snapshot.segments[c.segment].planes}
    return [name for name in OPTIONAL_PLANES if name in planes]


def _copy_band(
    snapshot: Snapshot, writer: DenseWriter, sources: Sequence[_Source], optional: Sequence[str]
) -> int:
    """Read the rows of the writer's present band from all sources into it; returns cells."""
    room = writer.room()
    first, count = writer.rows_written, len(room[0])
    for plane in room:
        plane[...] = codec.MISSING
    target = Target(*room)
    for source in sources:
        window = _window(source, first, count)
        run_work(source.segment.work(window, target), snapshot.pool)
    exact = target.exact_cells().get("z")
    if exact is not None:
        writer.add_overflow(exact.row + np.int64(first), exact.column, exact.value)
    floats = {name: target.optional(name) for name in optional}
    cells = int((room[0] != codec.MISSING).sum())
    writer.put_floats(floats)
    writer.advance(count)
    return cells


def _window(source: _Source, first: int, count: int) -> Window:
    if source.row_of is None:
        rows, out = np.arange(first, first + count), np.arange(count)
    else:
        mapped = source.row_of[first : first + count]
        out = np.flatnonzero(mapped >= 0)
        rows = mapped[out]
    return Window(rows, out, source.columns, source.out_columns)


def _sources(snapshot: Snapshot, plan: _Plan) -> list[_Source]:
    """The plan's columns by where they are read from: one set of columns an axis, each dense segment."""
    place: dict[str, list[tuple[int, int]]] = {}
    for out, column in enumerate(plan.columns):
        place.setdefault(column.segment, []).append((column.number, out))
    sources: list[_Source] = []
    sets: dict[str, list[tuple[ColumnSegment, list[tuple[int, int]]]]] = {}
    for name, pairs in place.items():
        segment, axis = snapshot.segment(name), snapshot.segments[name].axis
        if isinstance(segment, DenseSegment):
            numbers, out = np.array(sorted(pairs), np.int64).T
            sources.append(_Source(segment, numbers, out, plan.row_maps[axis]))
        elif isinstance(segment, ColumnSegment):
            sets.setdefault(axis, []).append((segment, pairs))
    for axis, members in sets.items():
        first = np.cumsum([0, *(segment.traits for segment, _ in members)])
        pairs = [
            (n + at, out) for (_, own), at in zip(members, first[:-1].tolist(), strict=True) for n, out in own
        ]
        numbers, out = np.array(sorted(pairs), np.int64).T
        together = ColumnSet([segment for segment, _ in members])
        sources.append(_Source(together, numbers, out, plan.row_maps[axis]))
    return sources


def _runs(columns: Sequence[_Column]) -> tuple[ColumnRun, ...]:
    """Columns as runs of neighbouring traits of one study."""
    runs: list[ColumnRun] = []
    for c in columns:
        last = runs[-1] if runs else None
        if last and (last.study, last.version, last.first + last.count) == (c.study, c.version, c.trait):
            runs[-1] = replace(last, count=last.count + 1)
        else:
            runs.append(ColumnRun(c.study, c.version, c.trait, 1))
    return tuple(runs)


def _swap(
    store: AssociationStore, plan: _Plan, entry: SegmentEntry, axis: AxisEntry | None, work: Path
) -> None:
    """Publish the segment: its studies that are still live at the same version now point to it."""
    with RootLock(store.root.path, wait_s=LOCK_WAIT_S) as lock:
        present = load_manifest(store.root.path)
        studies = dict(present.studies)
        old = {c.segment for c in plan.columns}
        for study in dict.fromkeys((c.study, c.version) for c in plan.columns):
            live = studies.get(study[0])
            if live is not None and live.version == study[1]:
                kept = tuple(s for s in live.segments if s not in old)
                studies[study[0]] = replace(live, segments=(entry.id, *kept))
        if axis is not None:
            publish_folder(work / "axis", store.folder / axis.path)
        publish_folder(work / "segment", store.folder / entry.path)
        step("compact.segment-moved")
        manifest = replace(
            present,
            sequence=present.sequence + 1,
            axes={**present.axes, **({axis.id: axis} if axis else {})},
            segments={**present.segments, entry.id: entry},
            studies=studies,
        ).pruned()
        swap_manifest(manifest, lock)
