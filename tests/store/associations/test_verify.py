"""Verifying finds nothing in a whole store, and every kind of damage in a broken one."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from nexome.model.errors import NotFoundError
from nexome.store.associations import AssociationStore
from nexome.store.associations.manifest import load_manifest, manifest_path, swap_manifest
from nexome.store.associations.verify import verify_store
from nexome.store.checksums import write_checksums
from nexome.store.disk import RootLock
from nexome.testing.associations import make_every_layout, tiny_block, tiny_root


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_every_layout(tmp_path_factory.mktemp("template") / "root").root.path


@pytest.fixture
def store(template, tmp_path):
    return AssociationStore.open(shutil.copytree(template, tmp_path / "root"))


def layouts(store):
    return {s.layout for s in load_manifest(store.root.path).segments.values()}


def test_a_whole_store_has_nothing_wrong(store):
    assert layouts(store) == {"dense", "column", "ragged"}
    told = []
    report = verify_store(store.root.path, progress=lambda *step: told.append(step))
    assert report.findings == []
    assert report.ok
    assert report.studies == 10
    assert told


@pytest.mark.parametrize(("study", "traits"), [("S1", 1), ("S3", 1), ("S25", 1), ("M4", 5)])
def test_a_study_agrees_with_its_source(store, study, traits):
    seed = int(study[1:])
    if traits == 1:
        block = tiny_block(seed, axis=1 if study == "S3" else 0)
    else:
        block = tiny_block(seed, features=60, axis=9, traits=traits)
    report = verify_store(store.root.path, study=study, source=[block])
    assert report.findings == []
    assert report.source_rows == np.count_nonzero(~np.isnan(block.z))


@pytest.mark.parametrize(
    ("field", "factor", "text"),
    [("z", 1.01, "values of z"), ("se", 1.02, "standard_error"), ("eaf", 0.97, "effect_allele_frequency")],
)
def test_values_beyond_their_bound_are_named(store, field, factor, text):
    block = tiny_block(1)
    other = replace(block, **{field: (getattr(block, field) * np.float32(factor) + np.float32(0.002))})
    report = verify_store(store.root.path, study="S1", source=[other])
    assert [f.kind for f in report.findings] == ["source"]
    assert text in str(report.findings[0])
    assert f"{store.root.assembly.contigs[0].name}:" in str(report.findings[0])


def test_rows_that_are_not_stored_are_named(store):
    block = tiny_block(1)
    shifted = replace(block, locus=block.locus + np.uint64(1))
    found = [str(f) for f in verify_store(store.root.path, study="S1", source=[shifted]).findings]
    assert len(found) == 2
    assert "rows of the source are not stored, first" in found[0]
    assert "stored rows are not in the source, first" in found[1]
    half = tiny_block(1).__class__(*(getattr(block, n)[:100] for n in ("locus", "allele", "z", "se", "eaf")))
    found = [str(f) for f in verify_store(store.root.path, study="S1", source=[half]).findings]
    assert "not in the source, first" in found[0]


def test_line_and_feature_of_a_difference_are_named(store):
    block = tiny_block(1)
    z = block.z.copy()
    row = int(np.flatnonzero(~np.isnan(z))[7])
    z[row] += 1
    lines = np.arange(2, 2 + len(block), dtype=np.uint64)
    other = replace(block, z=z, line=lines)
    [found] = verify_store(store.root.path, study="S1", source=[other]).findings
    assert f"first line {row + 2}: " in found.found
    assert f":{int(block.locus[row]) & 0xFFFFFFFF} " in found.found
    assert f"({z[row]:.6g}, stored " in found.found


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def test_a_flipped_bit_in_a_shard_is_named_to_the_chunk(store):
    manifest = load_manifest(store.root.path)
    dense = next(s for s in manifest.segments.values() if s.layout == "dense")
    shard = store.folder / dense.path / "z" / "c" / "0" / "0"
    flip(shard, 40)
    report = verify_store(store.root.path)
    [found] = [f for f in report.findings if f.kind == "file"]
    assert dense.id in found.where
    assert "plane z, shard 0/0, chunk 0/0 (rows 0–" in found.where
    assert "bytes 0–" in found.found
    flip(shard, 40)
    flip(shard, -1)
    [found] = [f for f in verify_store(store.root.path).findings if f.kind == "file"]
    assert "shard 0/0" in found.where


def test_every_file_of_a_store_is_watched(store):
    """Any bit of any file: a few picked at random."""
    folders = [store.folder / path for path in sorted(load_manifest(store.root.path).folders)]
    files = [p for folder in folders for p in sorted(folder.rglob("*")) if p.is_file() and p.stat().st_size]
    rng = np.random.default_rng(1)
    for number in rng.choice(len(files), 5, replace=False).tolist():
        at = int(rng.integers(files[number].stat().st_size))
        flip(files[number], at)
        findings = verify_store(store.root.path).findings
        assert [f.kind for f in findings] == ["file"], files[number]
        flip(files[number], at)
    assert verify_store(store.root.path).ok


def reseal(store, path):
    """Write the checksums of a tampered folder anew, as if it had been published so."""
    manifest = load_manifest(store.root.path)
    digest = write_checksums(store.folder / path)
    fix = lambda entries: {k: replace(v, digest=digest) if v.path == path else v for k, v in entries.items()}  # noqa: E731
    changed = replace(
        manifest,
        sequence=manifest.sequence + 1,
        axes=fix(manifest.axes),
        segments=fix(manifest.segments),
        studies=fix(manifest.studies),
    )
    with RootLock(store.root.path) as lock:
        swap_manifest(changed, lock)


def test_a_summary_that_does_not_fit_its_cells_is_found(store):
    manifest = load_manifest(store.root.path)
    one, other = (store.folder / manifest.studies[s].path for s in ("S1", "S2"))
    for name in ("hits.arrow", "traits.arrow", "summary.json"):
        (one / name).write_bytes((other / name).read_bytes())
    reseal(store, manifest.studies["S1"].path)
    report = verify_store(store.root.path)
    assert {f.kind for f in report.findings} == {"summary"}
    assert {f.where for f in report.findings} == {"study S1"}


def test_ragged_directions_that_disagree_are_found(store):
    manifest = load_manifest(store.root.path)
    entry = manifest.segments[manifest.studies["M4"].segments[0]]
    folder = store.folder / entry.path
    shard = folder / "by_feature" / "se" / "c" / "0"
    shard.write_bytes((folder / "by_trait" / "se" / "c" / "0").read_bytes())
    reseal(store, entry.path)
    report = verify_store(store.root.path)
    assert any("do not hold the same cells" in f.found for f in report.findings)


def test_an_unknown_study_is_not_found(store):
    with pytest.raises(NotFoundError):
        verify_store(store.root.path, study="S99")


def test_an_empty_store_verifies(tmp_path):
    store = tiny_root(tmp_path / "root")
    assert not manifest_path(store.root.path).exists()
    assert verify_store(store.root.path).ok
    assert AssociationStore.open(store.root.path).snapshot().sequence == 0
