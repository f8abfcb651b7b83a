"""The manifest: comes back as written, changes one step at a time, and only under the lock."""

import os
from dataclasses import replace

import pytest

from nexome.model.errors import BusyError, DamagedError, NewerVersionError, NotFoundError
from nexome.store.associations.manifest import (
    AxisEntry,
    ColumnRun,
    Manifest,
    ManifestReader,
    SegmentEntry,
    StudyEntry,
    load_manifest,
    manifest_path,
    swap_manifest,
)
from nexome.store.disk import RootLock

AXIS = AxisEntry("a1", 5, "d1", "axes/a1", "k1")


def segment(name, axis="a1", studies=("S1",), version=1):
    runs = tuple(ColumnRun(s, version) for s in studies)
    return SegmentEntry(name, "column", axis, 5, 4, ("z", "se", "eaf"), runs, "d", f"segments/{name}")


def study(name="S1", version=1, segments=("s1",)):
    return StudyEntry(name, version, "2026-01-01T00:00:00Z", f"studies/{name}/{version}", "d", segments, 4)


@pytest.fixture
def published(tmp_path):
    manifest = Manifest().with_studies([study()], segments=(segment("s1"),), axes=(AXIS,))
    with RootLock(tmp_path) as lock:
        swap_manifest(manifest, lock)
    return tmp_path


def test_a_manifest_comes_back_as_written(published):
    loaded = load_manifest(published)
    assert loaded == Manifest().with_studies([study()], segments=(segment("s1"),), axes=(AXIS,))
    assert loaded.folders == {"axes/a1", "segments/s1", "studies/S1/1"}
    assert loaded.segments["s1"].traits == 1


def test_replacing_drops_what_nobody_uses_and_remembers_the_past():
    first = Manifest().with_studies([study()], segments=(segment("s1"),), axes=(AXIS,))
    second = first.with_studies([study(version=2, segments=("s2",))], segments=(segment("s2", version=2),))
    assert set(second.segments) == {"s2"}
    assert set(second.axes) == {"a1"}
    assert [(p.id, p.version, p.reason) for p in second.past] == [("S1", 1, "replaced by version 2")]
    third = second.without_study("S1", reason="retracted")
    assert (third.axes, third.segments, third.studies) == ({}, {}, {})
    assert third.last_versions == {"S1": 2}
    assert third.sequence == 3
    with pytest.raises(NotFoundError):
        third.without_study("S1", reason="again")


def test_a_segment_stays_while_one_of_its_studies_lives():
    both = segment("s1", studies=("S1", "S2"))
    manifest = Manifest().with_studies([study("S1"), study("S2")], segments=(both,), axes=(AXIS,))
    assert set(manifest.without_study("S1", reason="").segments) == {"s1"}


def test_a_swap_needs_the_lock_and_the_next_sequence(published):
    manifest = load_manifest(published)
    lock = RootLock(published)
    with pytest.raises(BusyError):
        swap_manifest(replace(manifest, sequence=2), lock)
    with lock:
        for wrong in (1, 3):
            with pytest.raises(BusyError, match=f"sequence {wrong} while the store stands at 1"):
                swap_manifest(replace(manifest, sequence=wrong), lock)
        swap_manifest(replace(manifest, sequence=2), lock)
    assert load_manifest(published).sequence == 2


def test_an_unpublished_store_is_empty(tmp_path):
    assert load_manifest(tmp_path) == Manifest()
    assert ManifestReader(tmp_path).current().sequence == 0


def test_a_reader_reads_again_only_after_a_swap(published):
    reader = ManifestReader(published)
    first = reader.current()
    assert reader.current() is first
    with RootLock(published) as lock:
        swap_manifest(replace(first, sequence=2), lock)
    assert reader.current().sequence == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text.replace(b'"cells": 4', b'"cells": 5'), DamagedError),
        (lambda text: text[: len(text) // 2], DamagedError),
        (lambda text: text.replace(b'"version": 1', b'"version": 9', 1), NewerVersionError),
    ],
)
def test_a_changed_manifest_is_refused(published, change, error):
    path = manifest_path(published)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(error, match=r"manifest\.json"):
        load_manifest(published)


def test_a_reader_never_sees_half_a_manifest(published):
    """Swaps in one process, reads in another: every read is whole."""
    child = os.fork()
    if child == 0:
        manifest = load_manifest(published)
        for sequence in range(2, 60):
            with RootLock(published) as lock:
                swap_manifest(replace(manifest, sequence=sequence), lock)
        os._exit(0)
    reader, seen = ManifestReader(published), []
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        seen.append(reader.current().sequence)
    assert seen == sorted(seen)
    assert reader.current().sequence == 59
