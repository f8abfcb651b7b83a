"""Counting stored cells anew, to hold segments and summaries against what they say.

Each check yields sentences about what is wrong, nothing when all is well. Memory is that of one
band of rows and of the summaries of a batch of studies. Used by `verify` alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.model.genome import Assembly
from nexome.store.associations.axis import Axis
from nexome.store.associations.ragged import RaggedCells, RaggedSegment
from nexome.store.associations.segment import Target, Window, run_work
from nexome.store.associations.snapshot import RaggedPart, Selection, Snapshot
from nexome.store.associations.summaries import GROUPED_FROM, Summary
from nexome.store.associations.summary_builder import SummaryBuilder
from nexome.store.associations.types import UInt64s
from nexome.store.associations.zoom import ZOOM_NAME, read_zoom

BAND_CELLS: Final = 1 << 24
_RUN_CELLS: Final = 1 << 20

_HASH: Final = (
    0x9E3779B97F4A7C15,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0xD6E8FEB86659FD93,
    0xA0761D6478BD642F,
)


def check_segment(snapshot: Snapshot, name: str) -> Iterator[str]:
    """Structure of one segment: sorted features, offsets, cells counted, both directions of a ragged one."""
    segment = snapshot.segment(name)
    entry = snapshot.segments[name]
    axis = segment.axis if isinstance(segment, RaggedSegment) else snapshot.axis(entry.axis)
    if len(axis) != entry.features:
        yield f"{len(axis)} features, the manifest says {entry.features}"
    yield from _check_axis(axis)
    if isinstance(segment, RaggedSegment):
        yield from _check_ragged(segment, len(axis))
        if segment.cells != entry.cells:
            yield f"{segment.cells} cells, the manifest says {entry.cells}"


def _check_axis(axis: Axis) -> Iterator[str]:
    for low in range(0, len(axis) - 1, _RUN_CELLS):
        locus, allele = axis.locus[low : low + _RUN_CELLS + 1], axis.allele[low : low + _RUN_CELLS + 1]
        rising = (locus[1:] > locus[:-1]) | ((locus[1:] == locus[:-1]) & (allele[1:] > allele[:-1]))
        if not rising.all():
            yield f"features out of order at row {low + int(np.argmin(rising)) + 1}"
            return


def _check_ragged(segment: RaggedSegment, features: int) -> Iterator[str]:
    sums = {}
    for direction, keys in (("by_trait", segment.traits), ("by_feature", features)):
        offset = segment.offset(direction)  # type: ignore[arg-type]
        if (
            len(offset) != keys + 1
            or offset[0] != 0
            or offset[-1] != segment.cells
            or (np.diff(offset) < 0).any()
        ):
            yield f"{direction}/offset does not count {segment.cells} cells of {keys}"
            return
        total, ordered = 0, True
        for cells in _runs(segment, direction, offset):
            total = (total + _sum_of(cells)) % (1 << 64)
            major, minor = cells.trait.astype(np.int64), cells.feature
            if direction == "by_feature":
                major, minor = minor, major
            step = np.diff(major)
            ordered &= bool(((step > 0) | ((step == 0) & (np.diff(minor) > 0))).all())
        if not ordered:
            yield f"{direction}: cells out of order"
        sums[direction] = total
    if sums["by_trait"] != sums["by_feature"]:
        yield "by_trait and by_feature do not hold the same cells"


def _runs(segment: RaggedSegment, direction: str, offset: Any) -> Iterator[RaggedCells]:
    """All cells of a ragged segment in one direction, whole keys at a time."""
    low = 0
    while low < len(offset) - 1:
        high = max(low + 1, int(np.searchsorted(offset, offset[low] + _RUN_CELLS)) - 1)
        if direction == "by_feature":
            yield segment.read_features(low, high)
        else:
            for trait in range(low, high):
                yield segment.read_trait(trait)
        low = high


def _sum_of(cells: RaggedCells) -> int:
    """A number that two sets of cells share when they are the same, in whatever order."""
    total: UInt64s = np.zeros(len(cells), np.uint64)
    for factor, name in zip(_HASH, ("feature", "trait", "z", "se", "eaf"), strict=True):
        total = (total ^ getattr(cells, name).astype(np.uint64)) * np.uint64(factor)
        total ^= total >> np.uint64(29)
    return int(total.sum(dtype=np.uint64))


# ---------------------------------------------------------------- summaries


def check_summaries(snapshot: Snapshot, studies: list[str]) -> Iterator[tuple[str, str]]:
    """Count the summaries of studies anew; yields (study, what differs)."""
    for batch in _batches(snapshot, studies):
        yield from _check_batch(snapshot, snapshot.select(batch))


def _batches(snapshot: Snapshot, studies: list[str]) -> Iterator[list[str]]:
    """Studies together as long as their traits stay few; those on common segments are neighbours."""
    held: list[str] = []
    count = 0
    for study in sorted(studies, key=lambda s: snapshot.manifest.studies[s].segments):
        traits = len(snapshot.studies[study].study.traits)
        if held and count + traits > GROUPED_FROM:
            yield held
            held, count = [], 0
        held.append(study)
        count += traits
    if held:
        yield held


def _check_batch(snapshot: Snapshot, select: Selection) -> Iterator[tuple[str, str]]:
    traits = len(select.trait_table)
    builder = SummaryBuilder(snapshot.assembly, traits)
    for axis, parts in select.grids:
        rows = max(1, BAND_CELLS // max(1, len(select.grid)))
        for low in range(0, len(axis), rows):
            _count_band(
                snapshot, select, builder, axis=axis, parts=parts, rows=(low, min(low + rows, len(axis)))
            )
    for part in select.ragged:
        _count_ragged(part, builder)
    counted = builder.finish()
    first = 0
    for study in select.study_ids:
        published = snapshot.studies[study]
        count = len(published.study.traits)
        with tempfile.TemporaryDirectory() as folder:
            counted.write(Path(folder), first_trait=first, traits=count)
            differing = list(_differences(published.summary(), Summary(Path(folder))))
            differing += _zoom_differences(published.path, Path(folder), snapshot.assembly, count)
        for found in differing:
            yield f"study {study}", found
        cells = int(counted.cells[first : first + count].sum())
        if cells != published.cells:
            yield f"study {study}", f"{cells} cells counted, the manifest says {published.cells}"
        first += count


def _zoom_differences(kept: Path, counted: Path, assembly: Assembly, traits: int) -> Iterator[str]:
    """Traits whose strongest features differ; nothing for a version written before they were kept."""
    if not all((folder / ZOOM_NAME).is_file() for folder in (kept, counted)):
        return
    for trait in range(traits):
        mine, theirs = (read_zoom(folder / ZOOM_NAME, assembly, trait) for folder in (kept, counted))
        if not mine.same(theirs):
            yield f"the strongest features of bins of trait number {trait} differ"


def _count_band(
    snapshot: Snapshot,
    select: Selection,
    builder: SummaryBuilder,
    *,
    axis: Axis,
    parts: Any,
    rows: tuple[int, int],
) -> None:
    low, high = rows
    target = Target.empty(high - low, len(select.trait_table))
    work = []
    for part in parts:
        out = select.grid[part.out_columns].astype(np.int64)
        work += part.segment.work(
            Window(np.arange(low, high), np.arange(high - low), part.columns, out), target
        )
    run_work(work, snapshot.pool)
    exact = target.exact_cells().get("z")
    builder.add(axis.features(low, high), (target.z, target.se, target.eaf), exact_z=exact)


def _count_ragged(part: RaggedPart, builder: SummaryBuilder) -> None:
    every = part.segment.axis.features()
    for column in np.flatnonzero(part.trait >= 0).tolist():
        builder.add_ragged(every, part.segment.read_trait(column), int(part.trait[column]))


def _differences(kept: Summary, counted: Summary) -> Iterator[str]:
    for name in ("cells", "hits"):
        wrong = np.flatnonzero(kept.column(name) != counted.column(name)).tolist()
        if wrong:
            number = wrong[0]
            yield (
                f"{name} of trait number {number}: {kept.column(name)[number]} kept, "
                f"{counted.column(name)[number]} counted"
            )
    if not np.allclose(kept.column("lambda_gc"), counted.column("lambda_gc"), equal_nan=True):
        yield "λGC differs"
    if not kept.same_hits(counted):
        yield "hits differ"
    for trait in range(len(kept.column("cells")) if kept.has_plots and counted.has_plots else 0):
        mine, theirs = kept.trait(trait), counted.trait(trait)
        if not np.array_equal(mine.manhattan, theirs.manhattan):
            yield f"Manhattan bit sets of trait number {trait} differ"
        if not np.array_equal(mine.qq, theirs.qq):
            yield f"counts of |z| of trait number {trait} differ"
