"""Compaction: waiting columns become dense segments, in the background, with readers on.

For each axis, columns of column segments (and of dense segments that are narrow or half dead) are read
band by band and written as dense segments of up to 1,024 traits; axes that nearly agree are united
first, and companions that share most of their features join (`companions`). Ragged segments that are
left are merged then (`compact_ragged`). Each new segment is published by one swap of the manifest
(`moves`), so that a compaction that is killed has lost one segment's work at most, and a rerun goes on.

Memory is that of two bands of rows (about 250 MB). Exact studies stay as columns. The old files go
with a later `clean`, when no reader holds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from nexome.store.associations import codec, companions
from nexome.store.associations.axis import Axis, features_digest, unite, write_axis
from nexome.store.associations.column import ColumnSegment, ColumnSet
from nexome.store.associations.compact_ragged import plan_merge, write_merged
from nexome.store.associations.companions import Companion
from nexome.store.associations.dense import DenseSegment
from nexome.store.associations.dense_writer import DenseWriter
from nexome.store.associations.manifest import AxisEntry, SegmentEntry
from nexome.store.associations.moves import (
    AXIS,
    SEGMENT,
    Column,
    Progress,
    Written,
    carry_out,
    entry_of,
    live_columns,
)
from nexome.store.associations.publish import new_id
from nexome.store.associations.segment import Segment, Target, Window, run_work
from nexome.store.associations.shards import SHARD_COLUMNS
from nexome.store.associations.snapshot import OPTIONAL_PLANES, Snapshot
from nexome.store.associations.types import Features, Int64s
from nexome.store.checksums import write_checksums

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore

COLUMNS_FROM: Final = 2  # waiting columns of an axis that are worth a dense segment
NARROW: Final = SHARD_COLUMNS // 2  # live columns below which a dense segment is taken up again
ALIKE: Final = 0.8  # of the features of each of two axes that they must share to be united


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
    columns: Sequence[Column]
    row_maps: dict[str, Int64s | None]
    companions: Sequence[Companion] = ()


def compact_store(store: AssociationStore, progress: Progress | None = None) -> None:
    """Compact until nothing is worth it; see the module. `progress(what, rows done, rows)`."""
    tell = progress or _silent
    while (plan := plan_next(snapshot := store.snapshot())) is not None:
        left = [(plan.columns[c.out_column].study, c.segment) for c in plan.companions]
        carry_out(store, plan.columns, partial(_write, snapshot, plan, progress=tell), also_left=left)
    while (merge := plan_merge(snapshot := store.snapshot())) is not None:
        carry_out(store, merge, partial(write_merged, snapshot, merge, progress=tell))


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


def _waiting(snapshot: Snapshot, axis: str) -> list[Column]:
    """Live columns of an axis that do not lie in a full dense segment, oldest segments first."""
    found = []
    for name, entry in snapshot.segments.items():
        if entry.axis != axis or entry.layout not in {"column", "dense"}:
            continue
        live = live_columns(snapshot.manifest, entry)
        settled = entry.layout == "dense" and len(live) > max(NARROW, entry.traits // 2)
        if not settled:
            found += [replace(c, segment=name) for c in live]
    return found


def _is_settled(snapshot: Snapshot, axis: str, waiting: Sequence[Column]) -> bool:
    """Whether an axis has segments that stay on it: such an axis is not united with another."""
    taken = {c.segment for c in waiting}
    return any(e.axis == axis and name not in taken for name, e in snapshot.segments.items())


def _worth_it(snapshot: Snapshot, columns: Sequence[Column]) -> bool:
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


def _plan(snapshot: Snapshot, group: Sequence[str], columns: Sequence[Column]) -> _Plan:
    used = {snapshot.segments[c.segment].axis for c in columns}
    axes = {name: snapshot.axis(name) for name in group if name in used}
    features = unite([axis.features() for axis in axes.values()])
    taken: Sequence[Companion] = ()
    if not any(_is_settled(snapshot, name, columns) for name in axes):
        beside = companions.find_companions(snapshot, [(c.study, c.version, c.trait) for c in columns])
        features, taken = companions.widen(snapshot, features, beside, columns=len(columns))
    if len(axes) == 1 and not taken:
        name = next(iter(axes))
        return _Plan(name, features, False, columns, {name: None})  # noqa: FBT003
    maps = {name: _row_map(features, axis) for name, axis in axes.items()}
    return _Plan(new_id(), features, True, columns, dict(maps), taken)  # noqa: FBT003


def _row_map(features: Features, axis: Axis) -> Int64s:
    return axis.match(features)


# ---------------------------------------------------------------- doing it


def _write(
    snapshot: Snapshot, plan: _Plan, work: Path, *, progress: Progress
) -> tuple[SegmentEntry, AxisEntry | None]:
    """Write the new segment, and the axis when it is new, into staging."""
    axis = _write_axis(work / AXIS, plan) if plan.is_new_axis else None
    folder = work / SEGMENT
    planes, cells = _write_segment(snapshot, plan, folder, progress)
    written = Written("dense", plan.axis, len(plan.features), cells, planes)
    return entry_of(folder, written, plan.columns), axis


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
    sources = [c.segment for c in plan.columns] + [c.segment for c in plan.companions]
    planes = {p for name in sources for p in snapshot.segments[name].planes}
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
    return sources + _companion_sources(snapshot, plan)


def _companion_sources(snapshot: Snapshot, plan: _Plan) -> list[_Source]:
    sources = []
    for name in dict.fromkeys(c.segment for c in plan.companions):
        pairs = sorted((c.trait, c.out_column) for c in plan.companions if c.segment == name)
        numbers, out = np.array(pairs, np.int64).T
        rows = companions.row_map(snapshot, name, plan.features)
        sources.append(_Source(companions.columns_of(snapshot, name), numbers, out, rows))
    return sources
