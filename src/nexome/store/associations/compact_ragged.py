"""Merging ragged segments: many partial imports, top-hits files and companions become one.

Every ragged segment costs each question a search of its own, so a store of 300 small imports is slow
until they are merged. Cells pass as codes, a piece at a time, through `ragged_writer`: nothing is
rounded anew and memory is that of the features (28 to 56 bytes each), not of the cells. Only
segments of the same planes are merged, so that exact values stay exact and cost nobody else anything.

A segment is taken up when it is not larger than GROWTH times all smaller ones together: a cell is
then rewritten a few times in the life of a store, and few segments stay. `moves` publishes the result.

A store does not wait for a compaction: `merge_arrived`, after each publish, merges the ragged segments
of one size once there are TOGETHER of them. Sizes are powers of TOGETHER, so a merged segment is of a
larger size than its parts: N imports leave about TOGETHER · log N segments, and a cell is rewritten
log N times (to the base TOGETHER).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from nexome.model.errors import BusyError, SpaceError
from nexome.store.associations.manifest import AxisEntry, SegmentEntry
from nexome.store.associations.moves import (
    SEGMENT,
    Column,
    Progress,
    Written,
    carry_out,
    entry_of,
    live_columns,
    moving,
)
from nexome.store.associations.ragged import EXTRAS, RaggedCells, RaggedSegment
from nexome.store.associations.ragged_writer import RaggedWriter
from nexome.store.associations.snapshot import Snapshot

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore

GROWTH: Final = 4
TOGETHER: Final = 16  # segments of one size that are merged as they arrive
SIZE_BITS: Final = 4  # cells of one size differ by less than a factor of 16
ARRIVING_MOST: Final = 1 << 23  # cells of one merge on arrival: some seconds; more is for a compaction
FEATURES_MOST: Final = 1 << 24  # of all segments merged at once: 1 GB while they are numbered

_PIECE_CELLS: Final = 1 << 20


def plan_merge(snapshot: Snapshot) -> list[Column] | None:
    """Columns of the next ragged segment to make, or None when all is merged."""
    for found in _by_planes(snapshot):
        taken = _worth_merging(found)
        if len(taken) > 1 or any(2 * len(live) <= entry.traits for entry, live in taken):
            return [column for _, live in taken for column in live]
    return None


def merge_arrived(store: AssociationStore) -> None:
    """Merge ragged segments of one size while TOGETHER of them wait; does nothing during a compaction.

    What was published before stays published whatever happens here: without room on the disk, or while
    another writer holds the root for too long, the segments wait for the next publish.
    """
    if plan_arrived(store.snapshot()) is None:
        return
    with moving(store, wait=False) as mine, suppress(BusyError, SpaceError):
        while mine and (merge := plan_arrived(snapshot := store.snapshot())) is not None:
            carry_out(store, merge, partial(write_merged, snapshot, merge, progress=_silent))


def _silent(what: str, done: int, of: int) -> None:  # noqa: ARG001  a progress that says nothing
    return


def plan_arrived(snapshot: Snapshot) -> list[Column] | None:
    """Columns of TOGETHER ragged segments of one size, or None; see the module."""
    for found in _by_planes(snapshot):
        sizes: dict[int, list[tuple[SegmentEntry, list[Column]]]] = {}
        for entry, live in found:
            sizes.setdefault((entry.cells.bit_length() - 1) // SIZE_BITS, []).append((entry, live))
        for alike in sizes.values():
            taken = alike[:TOGETHER]
            if len(taken) == TOGETHER and sum(entry.cells for entry, _ in taken) <= ARRIVING_MOST:
                return [column for _, live in taken for column in live]
    return None


def _by_planes(snapshot: Snapshot) -> list[list[tuple[SegmentEntry, list[Column]]]]:
    """Ragged segments with a live column, and these columns, in groups of the same planes."""
    groups: dict[tuple[str, ...], list[tuple[SegmentEntry, list[Column]]]] = {}
    for entry in snapshot.segments.values():
        if entry.layout == "ragged" and (live := live_columns(snapshot.manifest, entry)):
            groups.setdefault(tuple(sorted(entry.planes)), []).append((entry, live))
    return list(groups.values())


def _worth_merging(
    found: Sequence[tuple[SegmentEntry, list[Column]]],
) -> list[tuple[SegmentEntry, list[Column]]]:
    """The smallest segments, as long as each is in proportion to those before it; or a half dead one."""
    ordered = sorted(found, key=lambda pair: pair[0].cells)
    taken: list[tuple[SegmentEntry, list[Column]]] = []
    cells = features = 0
    for entry, live in ordered:
        features += entry.features
        if taken and (entry.cells > GROWTH * cells or features > FEATURES_MOST):
            break
        taken.append((entry, live))
        cells += entry.cells
    if len(taken) > 1:
        return taken
    return next(([pair] for pair in ordered if 2 * len(pair[1]) <= pair[0].traits), [])


def write_merged(
    snapshot: Snapshot, columns: Sequence[Column], work: Path, *, progress: Progress
) -> tuple[SegmentEntry, AxisEntry | None]:
    """Write the cells of these columns as one ragged segment in `work`."""
    names = list(dict.fromkeys(c.segment for c in columns))
    planes = set(_ragged(snapshot, names[0]).planes)
    writer = RaggedWriter(work / SEGMENT, len(columns), extras=[name for name in EXTRAS if name in planes])
    done = 0
    for name, own in groupby(columns, key=lambda c: c.segment):
        segment, live = _ragged(snapshot, name), list(own)
        place = np.full(segment.traits, -1, np.int64)
        place[[c.number for c in live]] = np.arange(done, done + len(live))
        features = segment.axis.features()
        for cells in _pieces(segment):
            writer.add_cells(features, cells, place[cells.trait])
        done += len(live)
        progress(f"{len(names)} ragged segments", done, len(columns))
    features = writer.finish()
    planes_kept = RaggedSegment(work / SEGMENT).planes
    written = Written("ragged", "", len(features), writer.cells, planes_kept)
    return entry_of(work / SEGMENT, written, columns), None


def _pieces(segment: RaggedSegment) -> Iterator[RaggedCells]:
    """All cells by trait, about _PIECE_CELLS at a time."""
    for start in range(0, segment.cells, _PIECE_CELLS):
        yield segment.read_run(start, min(segment.cells, start + _PIECE_CELLS))


def _ragged(snapshot: Snapshot, name: str) -> RaggedSegment:
    segment = snapshot.segment(name)
    assert isinstance(segment, RaggedSegment)  # noqa: S101  its layout says so
    return segment
