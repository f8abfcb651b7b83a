"""Making finished parts visible: folders move to their place, then one swap of the manifest.

All under the root's lock, and quick: everything slow was done in staging. Named steps, in order:
publish.parts-written, publish.parts-moved, before-manifest, after-manifest. Killed before the swap, a
publish leaves folders that no manifest names (`clean` removes them); after it, everything is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from nexome.model.errors import InputError
from nexome.model.terms import Study
from nexome.store.associations.events import PUBLISHED
from nexome.store.associations.manifest import (
    AxisEntry,
    ColumnRun,
    Layout,
    SegmentEntry,
    StudyEntry,
    load_manifest,
    swap_manifest,
)
from nexome.store.associations.snapshot import RECEIPT_NAME, STUDY_KIND, STUDY_NAME, STUDY_VERSION
from nexome.store.checksums import write_checksums
from nexome.store.disk import (
    RootLock,
    flush_together,
    now_iso,
    publish_folder,
    remove_folder,
    step,
    write_atomic,
    write_stamped,
)

if TYPE_CHECKING:
    from nexome.store.root import Root

MANY: Final = 8  # studies of one publish from which their files are flushed together
LOCK_WAIT_S: Final = 600.0  # another publish takes seconds; a compaction holds the lock only for its swap


@dataclass(frozen=True, slots=True)
class AxisPart:
    """A new axis in staging."""

    folder: Path
    id: str
    features: int
    features_digest: str


@dataclass(frozen=True)
class SegmentPart:
    """A new segment in staging. `runs` gives its columns: (number of the study, first trait, count)."""

    folder: Path
    layout: Layout
    axis: str
    features: int
    cells: int
    planes: tuple[str, ...]
    runs: tuple[tuple[int, int, int], ...]

    @cached_property
    def studies(self) -> frozenset[int]:
        """Numbers of the studies that have columns in it."""
        return frozenset(run[0] for run in self.runs)


@dataclass(frozen=True, slots=True)
class StudyPart:
    """A study version in staging: its record, its folder (summary files), its receipt and cells."""

    study: Study
    folder: Path
    receipt: dict[str, Any]
    cells: int


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything one publish brings. `new`: none of its studies may be in the store by then."""

    studies: Sequence[StudyPart]
    segments: Sequence[SegmentPart]
    axes: Sequence[AxisPart] = field(default=())
    new: bool = False


class StudyTakenError(InputError):
    """A study that was to be new was published by another process meanwhile."""


class AxisGoneError(Exception):
    """The axis that new columns were written on has left the manifest meanwhile: write them again."""


def new_id() -> str:
    """A name for a new axis or segment."""
    return secrets.token_hex(8)


def write_study_files(part: StudyPart) -> None:
    """Write study.json and receipt.json into a staged study folder."""
    values = {"study": part.study.as_dict()}
    write_stamped(part.folder / STUDY_NAME, values, kind=STUDY_KIND, version=STUDY_VERSION)
    write_atomic(part.folder / RECEIPT_NAME, orjson.dumps(part.receipt, option=orjson.OPT_INDENT_2))


def publish_parts(root: Root, associations: Path, parts: Parts) -> list[StudyEntry]:
    """Publish staged parts; returns the entries of the new study versions.

    Raises AxisGoneError when an axis that segments lean on is no longer there, StudyTakenError when a
    study that was to be new is in the store by now, BusyError when another
    writer holds the root for too long, SpaceError when the disk is full.
    """
    many = len(parts.studies) > MANY
    staged: list[AxisPart | SegmentPart | StudyPart] = [*parts.axes, *parts.segments, *parts.studies]
    with flush_together(associations) if many else nullcontext():
        for study in parts.studies:
            write_study_files(study)
        digests = {p.folder: write_checksums(p.folder) for p in staged}
    step("publish.parts-written")
    with RootLock(root.path, wait_s=LOCK_WAIT_S) as lock:
        present = load_manifest(root.path)
        coming = {axis.id for axis in parts.axes}
        if any(s.axis and s.axis not in coming and s.axis not in present.axes for s in parts.segments):
            raise AxisGoneError
        if parts.new and (taken := [s.study.id for s in parts.studies if s.study.id in present.studies]):
            raise StudyTakenError(
                f"study {taken[0]} was published by another process meanwhile",
                expected="a new study",
                todo="Publish it as a new version (--replace), or under another identifier.",
            )
        last = present.last_versions
        versions = [last.get(s.study.id, 0) + 1 for s in parts.studies]
        axes = tuple(_axis_entry(a, digests[a.folder]) for a in parts.axes)
        segments = [_segment_entry(s, digests[s.folder], parts, versions) for s in parts.segments]
        entries = [
            _study_entry(number, parts, version, segments, digests[parts.studies[number].folder])
            for number, version in enumerate(versions)
        ]
        named: list[AxisEntry | SegmentEntry | StudyEntry] = [*axes, *segments, *entries]
        with flush_together(associations) if many else nullcontext():
            for part, entry in zip(staged, named, strict=True):
                place = associations / entry.path
                remove_folder(place)  # left by a publish that was killed before its swap
                publish_folder(part.folder, place)
        step("publish.parts-moved")
        swap_manifest(present.with_studies(entries, segments=segments, axes=axes), lock)
        told = [{"study": new.id, "version": new.version, "cells": new.cells} for new in entries]
        root.append_events(PUBLISHED, told)
    return entries


def _axis_entry(part: AxisPart, digest: str) -> AxisEntry:
    return AxisEntry(part.id, part.features, digest, f"axes/{part.id}", part.features_digest)


def _segment_entry(part: SegmentPart, digest: str, parts: Parts, versions: list[int]) -> SegmentEntry:
    name = new_id()
    runs = tuple(
        ColumnRun(parts.studies[s].study.id, versions[s], first, count) for s, first, count in part.runs
    )
    size = sum(f.stat().st_size for f in part.folder.rglob("*") if f.is_file())
    return SegmentEntry(
        name,
        part.layout,
        part.axis,
        part.features,
        part.cells,
        part.planes,
        runs,
        digest,
        f"segments/{name}",
        size,
    )


def _study_entry(
    number: int, parts: Parts, version: int, segments: list[SegmentEntry], digest: str
) -> StudyEntry:
    part = parts.studies[number]
    own = [e.id for e, s in zip(segments, parts.segments, strict=True) if number in s.studies]
    path = f"studies/{part.study.id}/{version}"
    return StudyEntry(part.study.id, version, now_iso(), path, digest, tuple(own), part.cells)
