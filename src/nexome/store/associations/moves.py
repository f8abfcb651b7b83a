"""Moving live columns into a new segment: which columns live, and the swap that makes them move.

A compaction writes a new segment (and axis) in staging, without a lock; `carry_out` then publishes it
under the root's lock by one swap of the manifest. Studies published, replaced or withdrawn meanwhile
stay as they are. Steps: compact.segment-written, compact.segment-moved, before-manifest, after-manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nexome.store.associations.manifest import (
    AxisEntry,
    ColumnRun,
    Layout,
    Manifest,
    SegmentEntry,
    load_manifest,
    swap_manifest,
)
from nexome.store.associations.publish import LOCK_WAIT_S, new_id
from nexome.store.associations.staging import Workplace
from nexome.store.checksums import write_checksums
from nexome.store.disk import RootLock, publish_folder, space_errors, step

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore

Progress = Callable[[str, int, int], None]
Write = Callable[[Path], tuple[SegmentEntry, AxisEntry | None]]

SEGMENT: Final = "segment"  # folders inside a workplace
AXIS: Final = "axis"


@dataclass(frozen=True, slots=True)
class Column:
    """One live column: its segment, its number there, the study version and trait it belongs to."""

    segment: str
    number: int
    study: str
    version: int
    trait: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a new segment in staging is."""

    layout: Layout
    axis: str
    features: int
    cells: int
    planes: tuple[str, ...]


def live_columns(manifest: Manifest, entry: SegmentEntry) -> list[Column]:
    """Columns of a segment whose study version is live and has its cells there, in order."""
    columns, number = [], 0
    for run in entry.columns:
        study = manifest.studies.get(run.study)
        if study is not None and study.version == run.version and entry.id in study.segments:
            columns += [
                Column(entry.id, number + k, run.study, run.version, run.first + k) for k in range(run.count)
            ]
        number += run.count
    return columns


def carry_out(
    store: AssociationStore,
    columns: Sequence[Column],
    write: Write,
    *,
    also_left: Iterable[tuple[str, str]] = (),
) -> None:
    """Let `write` make the new segment of these columns in a workplace, then publish it.

    Studies leave the segments of their columns, and those of `also_left`: (study, segment).
    """
    left = {(c.study, c.segment) for c in columns} | set(also_left)
    work = Workplace(store.folder)
    try:
        with space_errors(work.path):
            entry, axis = write(work.path)
            with RootLock(store.root.path, wait_s=LOCK_WAIT_S) as lock:
                present = load_manifest(store.root.path)
                _move_in(store.folder, work.path, entry, axis)
                moved = {(c.study, c.version) for c in columns}
                swap_manifest(_with_moved(present, moved, left, entry, axis), lock)
    finally:
        work.remove()
    store.root.append_event("compacted", segment=entry.id, traits=entry.traits, cells=entry.cells)


def entry_of(folder: Path, written: Written, columns: Sequence[Column]) -> SegmentEntry:
    """The manifest's entry of a segment in staging; writes its checksums."""
    step("compact.segment-written")
    name = new_id()
    return SegmentEntry(
        id=name,
        layout=written.layout,
        axis=written.axis,
        features=written.features,
        cells=written.cells,
        planes=written.planes,
        columns=_runs(columns),
        digest=write_checksums(folder),
        path=f"segments/{name}",
        bytes=sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
    )


def _runs(columns: Sequence[Column]) -> tuple[ColumnRun, ...]:
    """Columns as runs of neighbouring traits of one study."""
    runs: list[ColumnRun] = []
    for c in columns:
        last = runs[-1] if runs else None
        if last and (last.study, last.version, last.first + last.count) == (c.study, c.version, c.trait):
            runs[-1] = replace(last, count=last.count + 1)
        else:
            runs.append(ColumnRun(c.study, c.version, c.trait, 1))
    return tuple(runs)


def _move_in(associations: Path, work: Path, entry: SegmentEntry, axis: AxisEntry | None) -> None:
    if axis is not None:
        publish_folder(work / AXIS, associations / axis.path)
    publish_folder(work / SEGMENT, associations / entry.path)
    step("compact.segment-moved")


def _with_moved(
    present: Manifest,
    moved: set[tuple[str, int]],
    left: set[tuple[str, str]],
    entry: SegmentEntry,
    axis: AxisEntry | None,
) -> Manifest:
    """The next manifest: studies (id, version) that are still live point to the new segment."""
    studies = dict(present.studies)
    for study, version in moved:
        live = studies.get(study)
        if live is not None and live.version == version:
            kept = tuple(s for s in live.segments if (study, s) not in left)
            studies[study] = replace(live, segments=(entry.id, *kept))
    return replace(
        present,
        sequence=present.sequence + 1,
        axes={**present.axes, **({axis.id: axis} if axis else {})},
        segments={**present.segments, entry.id: entry},
        studies=studies,
    ).pruned()
