"""Companions: the cells a study has off its axis, and how a compaction takes them in.

A study whose features lie nearly all on an existing axis waits there in a column; the rest of its cells
wait in a ragged companion. When the columns of an axis are merged, companions that mostly hold the same
features join them: the axis is widened by those features. Companions that share little stay ragged,
where a cell costs the same whoever else has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nexome.store.associations.axis import unite
from nexome.store.associations.manifest import SegmentEntry
from nexome.store.associations.ragged import RaggedCells, RaggedSegment
from nexome.store.associations.segment import Target, Window, Work, matched
from nexome.store.associations.snapshot import OPTIONAL_PLANES, Snapshot
from nexome.store.associations.types import Features, Int64s

FILLED: Final = 0.25  # of the cells of the added rows must be there: a dense cell costs a quarter of a ragged


@dataclass(frozen=True, slots=True)
class Companion:
    """One trait's cells off its axis: ragged segment, trait ordinal there, column of the new segment."""

    segment: str
    trait: int
    out_column: int


class RaggedColumns:
    """Traits of a ragged segment, read as columns on the segment's own features."""

    def __init__(self, segment: RaggedSegment) -> None:
        self._segment = segment

    def work(self, window: Window, target: Target) -> list[Work]:
        """One piece of reading for each column; see `segment.Segment`."""
        if not len(window.rows):
            return []
        pairs = zip(window.columns.tolist(), window.out_columns.tolist(), strict=True)
        return [self._piece(window, target, column, out) for column, out in pairs]

    def _piece(self, window: Window, target: Target, column: int, out: int) -> Work:
        def read() -> None:
            first, stop = int(window.rows[0]), int(window.rows[-1]) + 1
            _fill(target, self._segment.read_trait_features(column, first, stop), window, out)

        return read


def _fill(target: Target, cells: RaggedCells, window: Window, column: int) -> None:
    here, at = matched(window.rows, cells.feature)
    row = window.out_rows[at[here]]
    for plane, codes in (("z", cells.z), ("se", cells.se), ("eaf", cells.eaf)):
        getattr(target, plane)[row, column] = codes[here]
    for name in OPTIONAL_PLANES:
        if (values := getattr(cells, name)) is not None:
            target.optional(name)[row, column] = values[here]
    inside = np.cumsum(here) - 1
    for plane, (place, values) in cells.exact.items():
        use = here[place]
        rows = row[inside[place[use]]]
        target.add_exact(plane, rows, np.full(len(rows), column), values[use])


def find_companions(snapshot: Snapshot, traits: Sequence[tuple[str, int, int]]) -> list[Companion]:
    """Companions of columns given as (study, version, trait), in the order of the columns.

    Studies in columns have one trait each: a companion belongs to its column alone.
    """
    found = []
    places: dict[str, dict[tuple[str, int, int], int]] = {}
    for out, trait in enumerate(traits):
        for name in snapshot.manifest.studies[trait[0]].segments:
            entry = snapshot.segments[name]
            if entry.layout == "ragged":
                if name not in places:
                    places[name] = _places(entry)
                if (at := places[name].get(trait)) is not None:
                    found.append(Companion(name, at, out))
    return found


def _places(entry: SegmentEntry) -> dict[tuple[str, int, int], int]:
    """Where each (study, version, trait) stands among the columns of a segment."""
    traits = ((r.study, r.version, r.first + k) for r in entry.columns for k in range(r.count))
    return {trait: number for number, trait in enumerate(traits)}


def widen(
    snapshot: Snapshot, features: Features, companions: Sequence[Companion], *, columns: int
) -> tuple[Features, Sequence[Companion]]:
    """Features with those of the companions added, and the companions taken in; none when not worth it."""
    if not companions:
        return features, []
    parts, cells = [features], 0
    for name in dict.fromkeys(c.segment for c in companions):
        segment = _ragged(snapshot, name)
        rows = [segment.read_trait(c.trait).feature for c in companions if c.segment == name]
        cells += sum(map(len, rows))
        parts.append(segment.axis.features().take(np.unique(np.concatenate(rows))))
    united = unite(parts)
    added = len(united) - len(features)
    return (united, companions) if cells >= FILLED * columns * added else (features, [])


def row_map(snapshot: Snapshot, name: str, features: Features) -> Int64s:
    """Row of each feature among those of a ragged segment, −1 where it has none."""
    return _ragged(snapshot, name).axis.match(features)


def columns_of(snapshot: Snapshot, name: str) -> RaggedColumns:
    """A ragged segment of the snapshot as columns."""
    return RaggedColumns(_ragged(snapshot, name))


def _ragged(snapshot: Snapshot, name: str) -> RaggedSegment:
    segment = snapshot.segment(name)
    if not isinstance(segment, RaggedSegment):
        raise TypeError(name)
    return segment
