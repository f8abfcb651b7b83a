"""Windows of a trait against its cells read one by one, in every layout."""

import numpy as np
import pytest

from nexome.model.genome import Stretch
from nexome.store.associations import query, window
from nexome.store.associations.recount import check_summaries
from nexome.store.associations.verify import verify_store
from nexome.store.associations.window import read_window, rebuild_zooms, zoom_of
from nexome.store.associations.zoom import ZOOM_NAME
from nexome.testing.associations import TINY, make_every_layout

WHOLE = Stretch(0, 1, 2, 400_000)
PLACES = (WHOLE, Stretch(0, 1, 0, 2_000_000), Stretch(0, 150_000, 1, 20_000), Stretch(1, 5_000, 1, 5_000))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_every_layout(tmp_path_factory.mktemp("window") / "root")


def cells_of(snapshot, study, trait, where):
    """{(locus, allele): z} of every cell inside."""
    low, high = where.locus_range
    found = {}
    for cells in query.study_batches(snapshot, study, trait):
        for row, z in enumerate(cells.column("z")[:, 0].tolist()):
            key = cells.features.key(row)
            if low <= key.locus < high:
                found[key] = z
    return found


def points_of(found):
    return {found.features.key(i): float(found.z[i]) for i in range(len(found.z))}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("study", ["S20", "S25", "S1", "S3", "M4"])
def test_few_features_are_all_there(store, study, where):
    snapshot = store.snapshot()
    for ordinal, trait in enumerate(snapshot.studies[study].study.traits):
        found = read_window(snapshot, study, ordinal, where=where, points=10_000)
        assert points_of(found) == cells_of(snapshot, study, trait.id, where)
        assert (found.cells, found.bin_width_bp, found.left_out) == (len(found.z), 0, 0)
        assert not found.bin_best.any()
        assert (np.diff(found.features.locus.astype(np.int64)) >= 0).all()


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("study", ["S20", "S25", "S1", "S3", "M4"])
def test_of_many_features_hits_and_the_strongest_of_each_bin_are_there(store, study, where, monkeypatch):
    monkeypatch.setattr(window, "CELLS_MOST", -1)
    snapshot = store.snapshot()
    for ordinal, trait in enumerate(snapshot.studies[study].study.traits):
        found = read_window(snapshot, study, ordinal, where=where, points=10_000)
        every = cells_of(snapshot, study, trait.id, where)
        whole = cells_of(snapshot, study, trait.id, WHOLE)
        best, shown = {}, points_of(found)
        for key, z in sorted(whole.items()):  # the strongest of a whole bin, also of one the window cuts
            place = (key.locus >> 32, ((key.locus & 0xFFFFFFFF) - 1) // found.bin_width_bp)
            if place not in best or abs(z) > abs(best[place][1]):
                best[place] = (key, z)
        strongest = {k for k, _ in best.values() if k in every}
        hits = {k for k, z in every.items() if abs(z) > 3.8906}  # p < 1e-4
        assert set(shown) == hits | strongest
        assert all(shown[key] == pytest.approx(every[key], abs=1e-3) for key in shown)
        assert {found.features.key(i) for i in np.flatnonzero(found.bin_best)} == strongest - hits
        assert found.cells == -1
        assert all(found.features.text(i) for i in range(len(found.z)))  # every point has its alleles


def test_what_lies_under_stronger_points_is_counted(store):
    snapshot = store.snapshot()
    every = read_window(snapshot, "S20", 0, where=WHOLE, points=10_000)
    few = read_window(snapshot, "S20", 0, where=WHOLE, points=40)
    assert len(few.z) <= 40
    assert few.left_out == len(every.z) - len(few.z)
    assert np.abs(few.z).max() == np.abs(every.z).max()


def test_versions_without_the_file_are_counted_and_rebuilt(tmp_path):
    store = make_every_layout(tmp_path / "root")
    snapshot = store.snapshot()
    files = {name: p.path / ZOOM_NAME for name, p in snapshot.studies.items()}
    kept = {
        n: [zoom_of(snapshot, snapshot.studies[n], t) for t in range(len(snapshot.studies[n].study.traits))]
        for n in files
    }
    files["S1"].unlink()
    files["M4"].unlink()
    fresh = type(store).open(tmp_path / "root").snapshot()
    for name in ("S1", "M4"):
        for trait, known in enumerate(kept[name]):
            assert zoom_of(fresh, fresh.studies[name], trait).same(known)
    assert rebuild_zooms(fresh) == 2
    stray = window.derived_path(fresh.studies["S1"]).with_name("7.arrow")
    stray.write_bytes(b"of a version gone")
    assert rebuild_zooms(fresh) == 2
    assert not stray.exists()
    for name in ("S1", "M4"):
        path = window.derived_path(fresh.studies[name])
        for trait, known in enumerate(kept[name]):
            assert window.read_zoom(path, TINY, trait).same(known)


def test_verify_finds_a_zoom_file_that_is_not_of_the_cells(tmp_path):
    store = make_every_layout(tmp_path / "root")
    snapshot = store.snapshot()
    assert verify_store(tmp_path / "root").ok
    first, other = (snapshot.studies[n].path / ZOOM_NAME for n in ("S20", "S21"))
    first.write_bytes(other.read_bytes())
    # By its checksum, and by its content.
    assert [f.where for f in verify_store(tmp_path / "root").findings] == ["studies/S20/1: zoom.arrow"]
    found = dict(check_summaries(snapshot, ["S20", "S22"]))
    assert list(found) == ["study S20"]
    assert "strongest features" in found["study S20"]
