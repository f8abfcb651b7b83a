"""Writing one study: rows are staged without a lock, then published as segments of the right layout.

Where the cells of a one-trait study go is decided when all rows are known:

    on an axis of the store      when it holds ≥ 80 % of the study's features and they are ≥ 50 % of it:
                                 a column segment there, and a ragged companion for the other features
    on an axis of its own        otherwise, from 50,000 features on: a new axis and a column segment
    ragged                       below that

Studies of several traits (QTL) are ragged. Matrices of studies are written by `matrix`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nexome.model.errors import InputError
from nexome.model.terms import Study
from nexome.store.associations import codec
from nexome.store.associations.axis import Axis, features_digest, write_axis
from nexome.store.associations.column_writer import ColumnWriter
from nexome.store.associations.manifest import Layout
from nexome.store.associations.publish import (
    AxisGoneError,
    AxisPart,
    Parts,
    SegmentPart,
    StudyPart,
    new_id,
    publish_parts,
)
from nexome.store.associations.ragged import RaggedSegment
from nexome.store.associations.ragged_writer import RaggedWriter, encode, extra_planes
from nexome.store.associations.snapshot import OPTIONAL_PLANES, PublishedStudy, Snapshot
from nexome.store.associations.spool import Spool, check_block, merge_spelled
from nexome.store.associations.staging import Workplace
from nexome.store.associations.summary_builder import SummaryBuilder
from nexome.store.associations.types import Block, Exact, Features, Int64s
from nexome.store.disk import space_errors, step

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore

AXIS_HOLDS: Final = 0.8  # of the study's features
AXIS_FILLED: Final = 0.5  # of the axis by the study
OWN_AXIS_FROM: Final = 50_000  # features; below, an axis would be mostly overhead

_SAMPLE: Final = 1000  # features looked for on an axis before all of them are matched
_TRIES: Final = 3  # an axis can be replaced by a compaction while a study is written on it


class StagedStudy:
    """One study being written. Add sorted blocks, then `publish`, or `abandon`; not thread-safe."""

    def __init__(
        self, store: AssociationStore, study: Study, *, exact: bool = False, new: bool = False
    ) -> None:
        if not study.traits:
            raise InputError("no trait", where=f"study {study.id}", expected="at least one trait")
        self._store, self._study, self._exact, self._new = store, study, exact, new
        self._where = f"study {study.id}"
        self._work = Workplace(store.folder)
        self._spool: Spool | None = None
        self._ragged: RaggedWriter | None = None
        self._rows = 0
        self._spelled: dict[int, str] = {}
        if len(study.traits) == 1:
            self._spool = Spool(self._work.path / "spool", where=self._where)

    def add(self, block: Block) -> None:
        """Add rows. One-trait studies: sorted by key, over all blocks. Several traits: any order.

        Raises InputError naming the row that is out of order or holds a value that cannot be stored,
        SpaceError when the disk is full.
        """
        if self._spool is not None:
            self._spool.add(block)
            return
        if block.trait is None:
            raise InputError(
                "rows without a trait", where=self._where, expected="Block.trait for studies of many traits"
            )
        check_block(block, first_row=self._rows, where=self._where)
        merge_spelled(self._spelled, block, where=self._where)
        if self._ragged is None:
            self._ragged = RaggedWriter(
                self._work.path / "segment-0",
                len(self._study.traits),
                extras=extra_planes(
                    (n for n in OPTIONAL_PLANES if getattr(block, n) is not None), exact=self._exact
                ),
            )
        with space_errors(self._work.path):
            self._ragged.add(block)
        self._rows += len(block)

    def publish(self, receipt: dict[str, Any]) -> PublishedStudy:
        """Write the segments, count the summary, and make all of it visible at once.

        Raises InputError when nothing was added, StudyTakenError (an InputError) when a study staged as
        new is there by now, SpaceError, BusyError.
        """
        if self._spool is not None:
            self._spool.close()
        if (self._spool.rows if self._spool else self._rows) == 0:
            self.abandon()
            raise InputError("no rows", where=self._where, expected="at least one association")
        try:
            with space_errors(self._work.path):
                entry = self._publish(receipt)
        finally:
            self._work.remove()
        return self._store.snapshot().studies[entry.id]

    def abandon(self) -> None:
        """Give up: nothing of it stays."""
        if self._spool is not None:
            self._spool.close()
        self._work.remove()

    def _publish(self, receipt: dict[str, Any]) -> Any:
        for attempt in range(_TRIES):
            parts = self._parts(receipt, attempt)
            try:
                return publish_parts(self._store.root, self._store.folder, parts)[0]
            except AxisGoneError:
                continue
        raise InputError(
            "the axes of the store kept changing", where=self._where, todo="Run the same command again."
        )

    def _parts(self, receipt: dict[str, Any], attempt: int) -> Parts:
        return replace(self._made_parts(receipt, attempt), new=self._new)

    def _made_parts(self, receipt: dict[str, Any], attempt: int) -> Parts:
        folder = self._work.path / f"study-{attempt}"
        folder.mkdir()
        if self._spool is None:
            return self._many_traits(receipt, folder)
        writer = _OneTraitWriter(self._store, self._work.path, self._spool, self._exact)
        segments, axes = writer.write(attempt)
        summary = writer.summary.finish()
        summary.write(folder)
        study = self._study
        if (n := self._spool.constant("n")) is not None and study.traits[0].n is None:
            study = replace(study, traits=(replace(study.traits[0], n=n),))
        return Parts([StudyPart(study, folder, receipt, int(summary.cells.sum()))], segments, axes)

    def _many_traits(self, receipt: dict[str, Any], folder: Path) -> Parts:
        assert self._ragged is not None  # noqa: S101  rows were added
        path = self._work.path / "segment-0"
        features = self._ragged.finish()
        segment = RaggedSegment(path)
        summary = SummaryBuilder(self._store.root.assembly, segment.traits)
        for trait in range(segment.traits):
            summary.add_ragged(features, segment.read_trait(trait), trait)
        counted = summary.finish()
        counted.write(folder)
        cells = int(counted.cells.sum())
        runs = ((0, 0, segment.traits),)
        part = SegmentPart(path, "ragged", "", len(features), cells, segment.planes, runs)
        return Parts([StudyPart(self._study, folder, receipt, cells)], [part])


class _OneTraitWriter:
    """Writes the spooled rows of a one-trait study into segments and counts its summary."""

    def __init__(self, store: AssociationStore, work: Path, spool: Spool, exact: bool) -> None:  # noqa: FBT001
        self._store, self._work, self._spool, self._exact = store, work, spool, exact
        self.summary = SummaryBuilder(store.root.assembly, 1)

    def write(self, attempt: int) -> tuple[list[SegmentPart], list[AxisPart]]:
        """Write segments and, where needed, an axis; `attempt` keeps their folders apart."""
        features = self._spool.features()
        found = find_axis(self._store.snapshot(), features)
        place = self._work / f"segment-{attempt}"
        if found is not None:
            name, rows = found
            length = len(self._store.snapshot().axis(name))
            return self._on_axis(place, name, rows, length), []
        if len(features) < OWN_AXIS_FROM:
            return [self._ragged(place, None)], []
        name, folder = new_id(), self._work / f"axis-{attempt}"
        digest = write_axis(folder, features)
        rows = np.arange(len(features))
        axis = AxisPart(folder, name, len(features), digest)
        return self._on_axis(place, name, rows, len(features)), [axis]

    def _on_axis(self, place: Path, axis: str, rows: Int64s, length: int) -> list[SegmentPart]:
        optional = [name for name in OPTIONAL_PLANES if self._spool.varies(name)]
        cells = 0
        with ColumnWriter(
            place, axis=axis, shape=(length, 1), optional=optional, exact=self._exact
        ) as writer:
            for part, block in self._spool.pieces():
                codes = encode(block)
                here = rows[part]
                on = here >= 0
                cells += int((codes[0][on] != codec.MISSING).sum())
                writer.put(
                    here[on],
                    (codes[0][on], codes[1][on], codes[2][on]),
                    values=(block.z[on], block.se[on], block.eaf[on]),
                    extras={name: getattr(block, name)[on] for name in optional},
                )
                self._count(block, codes)
        planes = (*codec.PLANES, *optional)
        layout: Layout = "exact" if self._exact else "column"
        parts = [SegmentPart(place, layout, axis, length, cells, planes, ((0, 0, 1),))]
        step("publish.segment-written")
        if (rows < 0).any():
            parts.append(self._ragged(place.with_name(f"{place.name}-rest"), rows))
        return parts

    def _ragged(self, place: Path, rows: Int64s | None) -> SegmentPart:
        """A ragged segment of all rows, or of those that are not on the axis (rows < 0)."""
        extras = extra_planes(filter(self._spool.varies, OPTIONAL_PLANES), exact=self._exact)
        writer = RaggedWriter(place, 1, extras=extras)
        for part, block in self._spool.pieces():
            if rows is None:
                writer.add(block)
                self._count(block, encode(block))
            else:
                writer.add(_rows_of(block, rows[part] < 0))
        features = writer.finish()
        step("publish.segment-written")
        planes = RaggedSegment(place).planes
        return SegmentPart(place, "ragged", "", len(features), writer.cells, planes, ((0, 0, 1),))

    def _count(self, block: Block, codes: Any) -> None:
        over = np.flatnonzero(codes[0] == codec.OVERFLOW)
        exact = Exact(over.astype(np.int32), np.zeros(len(over), np.int32), block.z[over])
        rsid = np.zeros(len(block), np.uint32) if block.rsid is None else block.rsid
        features = Features(block.locus, block.allele, rsid, self._spool.spelled)
        self.summary.add(features, tuple(c[:, None] for c in codes), exact_z=exact)


def _rows_of(block: Block, which: Any) -> Block:
    arrays: dict[str, Any] = {}
    for name in ("locus", "allele", "z", "se", "eaf", "n", "info", "rsid"):
        values = getattr(block, name)
        arrays[name] = None if values is None else values[which]
    return Block(**arrays, spelled=block.spelled)


def find_axis(snapshot: Snapshot, features: Features) -> tuple[str, Int64s] | None:
    """The axis of the store that (nearly) holds these features, and their rows on it (−1: not there).

    None when no axis holds AXIS_HOLDS of them while being AXIS_FILLED by them.
    """
    digest = ""
    for name, entry in snapshot.axes.items():
        if entry.features != len(features):
            continue
        digest = digest or features_digest(features)
        if entry.features_digest == digest:
            return name, np.arange(len(features))
    best: tuple[int, str, Int64s] | None = None
    for name, entry in snapshot.axes.items():
        if not AXIS_FILLED * entry.features <= len(features) <= entry.features / AXIS_HOLDS:
            continue
        axis = snapshot.axis(name)
        if not _looks_alike(axis, features):
            continue
        rows = axis.match(features)
        hits = int((rows >= 0).sum())
        fits = hits >= AXIS_HOLDS * len(features) and hits >= AXIS_FILLED * entry.features
        if fits and (best is None or hits > best[0]):
            best = (hits, name, rows)
    return None if best is None else best[1:]


def _looks_alike(axis: Axis, features: Features) -> bool:
    """Whether a sample of the features is mostly on the axis; spares matching millions in vain."""
    sample = np.linspace(0, len(features) - 1, min(_SAMPLE, len(features))).astype(np.int64)
    hits = sum(axis.find(features.key(int(row))) >= 0 for row in sample)
    return hits >= (AXIS_HOLDS - 0.1) * len(sample)
