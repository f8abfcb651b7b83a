"""Merging ragged segments: many partial imports, top-hits files and companions become one.

Every ragged segment costs each question a search of its own, so a store of 300 small imports is slow
until they are merged. Cells pass as codes, a piece at a time, through `ragged_writer`: nothing is
rounded anew and memory is that of the features (28 to 56 bytes each), not of the cells. Only
segments of the same planes are merged, so that exact values stay exact and cost nobody else anything.

A segment is taken up when it is not larger than GROWTH times all smaller ones together: a cell is
then rewritten a few times in the life of a store, and few segments stay. `moves` publishes the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from nexome.store.associations.manifest import AxisEntry, SegmentEntry
from nexome.store.associations.moves import (
    SEGMENT,
    Column,
    Progress,
    Written,
    entry_of,
    live_columns,
)
from nexome.store.associations.ragged import EXTRAS, RaggedCells, RaggedSegment
from nexome.store.associations.ragged_writer import RaggedWriter
from nexome.store.associations.snapshot import Snapshot

GROWTH: Final = 4
FEATURES_MOST: Final = 1 << 24  # of all segments merged at once: 1 GB while they are numbered

_PIECE_CELLS: Final = 1 << 20


def plan_merge(snapshot: Snapshot) -> list[Column] | None:
    """Columns of the next ragged segment to make, or None when all is merged."""
    by_planes: dict[tuple[str, ...], list[tuple[SegmentEntry, list[Column]]]] = {}
    for entry in snapshot.segments.values():
        if entry.layout == "ragged" and (live := live_columns(snapshot.manifest, entry)):
            by_planes.setdefault(tuple(sorted(entry.planes)), []).append((entry, live))
    for found in by_planes.values():
        taken = _worth_merging(found)
        if len(taken) > 1 or any(2 * len(live) <= entry.traits for entry, live in taken):
            return [column for _, live in taken for column in live]
    return None


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
