"""Tracks: kept in versions, answered as a plain search would, all or nothing, never beyond the assembly."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pybigtools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, FormatError, InputError, NotFoundError
from nexome.model.fields import schema_of
from nexome.model.genome import Interval, assembly_from_contigs
from nexome.store.backup import backup_root, restore_root
from nexome.store.overlaps import Overlaps
from nexome.store.root import Root, create_root
from nexome.store.track_manifest import TrackManifest, version_path
from nexome.store.track_writer import NewTrack, clean_tracks, keep_features, keep_signal, withdraw_track
from nexome.store.tracks import BAND_COLUMNS, INTERVAL_COLUMNS, Tracks, find_damage_in_tracks

ASSEMBLY = assembly_from_contigs("toy", "Zea mays", [("chr1", 10_000), ("chr2", 5_000)])


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return create_root(tmp_path / "root", assembly=ASSEMBLY)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bed"
    path.write_text("what it came from", encoding="utf-8")
    return path


def intervals(rows) -> pa.Table:
    """(chromosome, start, end) rows with the columns of intervals, the others missing."""
    names = ("chromosome", "start", "end")
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)})
    for field in schema_of(INTERVAL_COLUMNS):
        if field.name not in names:
            kind = pa.string() if pa.types.is_dictionary(field.type) else field.type
            table = table.append_column(field.name, pa.nulls(len(rows), kind))
    return table


def keep(root: Root, source: Path, rows, name="peaks", **said):
    return keep_features(root, NewTrack(name, "intervals", source, "BED3", **said), intervals(rows))


def opened(root: Root) -> Tracks:
    return Tracks.open(root.path, root.assembly)


def test_a_root_without_tracks_has_none(root: Root):
    tracks = opened(root)
    assert (tracks.records(), tracks.sequence) == ([], 0)
    assert tracks.cytobands().num_rows == tracks.recombination(Interval(0, 1, 9)).num_rows == 0
    assert np.isnan(tracks.genetic_positions(0, np.array([5]))).all()
    with pytest.raises(NotFoundError, match="none yet"):
        tracks.features("peaks", Interval(0, 1, 9))


def test_a_track_is_sorted_and_says_what_it_left_out(root: Root, source: Path):
    rows = [("2", 5, 9), ("chr1", 50, 60), ("1", 5, 9), ("scaffold_7", 1, 2), ("scaffold_7", 3, 4)]
    record = keep(root, source, rows)
    assert (record.version, record.features, record.dropped_by_contig) == (1, 3, {"scaffold_7": 2})
    table = opened(root).features("peaks", Interval(0, 1, 10_000))
    assert table.schema.equals(schema_of(INTERVAL_COLUMNS))
    assert table["start"].to_pylist() == [5, 50]
    (event,) = [e for e in root.read_events() if e.kind == "track-imported"]
    assert event.values["dropped_by_contig"] == {"scaffold_7": 2}


def test_a_new_version_keeps_what_was_said_before(root: Root, source: Path):
    keep(root, source, [("1", 5, 9)], title="Peaks", title_zh="峰", access="open")
    record = keep(root, source, [("1", 5, 9), ("1", 7, 9)])
    assert (record.version, record.title, record.title_zh, record.access) == (2, "Peaks", "峰", "open")
    assert opened(root).count("peaks", Interval(0, 1, 100)) == 2
    assert version_path(root.path, "peaks", 1).is_dir()


def test_an_open_reader_follows_the_manifest(root: Root, source: Path):
    tracks = opened(root)
    keep(root, source, [("1", 5, 9)])
    assert tracks.count("peaks", Interval(0, 1, 100)) == 1
    keep(root, source, [("1", 5, 9), ("1", 7, 9)])
    assert tracks.count("peaks", Interval(0, 1, 100)) == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("1", 5, 10_001)], "contig chr1: 1 features end behind it.*at most 10,000 .toy.*another assembly"),
        ([("9", 5, 6)], "nothing on a contig of toy"),
    ],
)
def test_a_file_of_another_assembly_is_refused(root: Root, source: Path, rows, message: str):
    with pytest.raises(FormatError, match=message):
        keep(root, source, rows)
    assert opened(root).records() == []


def test_a_name_keeps_its_kind_and_must_be_one(root: Root, source: Path):
    keep(root, source, [("1", 5, 9)])
    bands = pa.table({n: ["1"] if n == "chromosome" else [None] for n in BAND_COLUMNS})
    bands = bands.set_column(1, "start", pa.array([1])).set_column(2, "end", pa.array([9]))
    with pytest.raises(InputError, match="is of kind intervals"):
        keep_features(root, NewTrack("peaks", "cytobands", source, "cytoBand"), bands)
    with pytest.raises(InputError, match="letters, digits"):
        NewTrack("../peaks", "intervals", source, "BED3")


PLACES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 60), st.integers(0, 40)), max_size=40)


@given(PLACES, st.integers(0, 2), st.integers(1, 80), st.integers(0, 50))
def test_overlaps_are_those_of_a_plain_search(places, contig, start, length):
    places = sorted((c, s, s + size) for c, s, size in places)
    arrays = [np.array([place[at] for place in places], np.int64) for at in range(3)]
    where = Interval(contig, start, start + length)
    plain = [at for at, (c, s, e) in enumerate(places) if c == contig and s <= where.end and e >= where.start]
    assert Overlaps(*arrays).rows(where).tolist() == plain


def test_many_features_are_thinned_evenly(root: Root, source: Path):
    keep(root, source, [("1", at * 10 + 1, at * 10 + 5) for at in range(100)])
    tracks, where = opened(root), Interval(0, 1, 10_000)
    assert tracks.count("peaks", where) == 100
    thinned = tracks.features("peaks", where, limit=10)["start"].to_pylist()
    assert (len(thinned), thinned[0], thinned[-1]) == (10, 1, 991)


def test_a_recombination_map_answers_between_its_points(root: Root, source: Path):
    points = pa.table(
        {
            "chromosome": ["1", "1", "1"],
            "base_pair_location": [100, 200, 400],
            "recombination_rate": [10_000.0, 5_000.0, np.nan],
            "genetic_position": [0.0, 1.0, 2.0],
        }
    )
    keep_features(root, NewTrack("map", "recombination", source, "HapMap"), points)
    tracks = opened(root)
    asked = np.array([1, 100, 150, 200, 300, 999])
    assert tracks.genetic_positions(0, asked).tolist() == [0, 0, 0.5, 1, 1.5, 2]
    assert np.isnan(tracks.genetic_positions(1, asked)).all()
    beside = tracks.recombination(Interval(0, 150, 180))["base_pair_location"].to_pylist()
    assert beside == [100, 200]
    assert tracks.recombination(Interval(1, 1, 50)).num_rows == 0


def bigwig(path: Path, length: int = 10_000) -> Path:
    values = [("1", at * 100, at * 100 + 50, float(at)) for at in range(50)]
    pybigtools.open(str(path), "w").write({"1": length, "alt_1": 9}, [*values, ("alt_1", 0, 9, 1.0)])
    return path


def test_a_signal_is_binned_and_ends_with_its_contig(root: Root, tmp_path: Path):
    record = keep_signal(root, NewTrack("rna", "signal", bigwig(tmp_path / "a.bw"), "bigWig"))
    assert record.dropped_by_contig == {"alt_1": 1}
    tracks = opened(root)
    found = tracks.signal("rna", Interval(0, 1, 1_000), 10)
    assert found.dtype == np.float32
    assert found.tolist() == [float(at) for at in range(10)]
    assert np.isnan(tracks.signal("rna", Interval(0, 5_001, 20_000), 10)).all()
    assert np.isnan(tracks.signal("rna", Interval(1, 1, 100), 4)).all()
    with pytest.raises(InputError, match="is of kind signal"):
        tracks.features("rna", Interval(0, 1, 9))


def test_a_signal_of_another_assembly_is_refused(root: Root, tmp_path: Path):
    with pytest.raises(FormatError, match=r"10,001 bases; expected 10,000 \(toy\)"):
        keep_signal(root, NewTrack("rna", "signal", bigwig(tmp_path / "a.bw", 10_001), "bigWig"))


def test_damage_is_found(root: Root, source: Path):
    keep(root, source, [("1", 5, 9)])
    assert list(find_damage_in_tracks(root.path)) == []
    path = version_path(root.path, "peaks", 1) / "features.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (damage,) = find_damage_in_tracks(root.path)
    assert damage.path == path
    with pytest.raises(DamagedError, match="import the track again"):
        opened(root).features("peaks", Interval(0, 1, 9))


def test_withdrawn_and_half_made_folders_are_cleaned(root: Root, source: Path):
    keep(root, source, [("1", 5, 9)])
    keep(root, source, [("1", 5, 9)], name="other")
    half = version_path(root.path, "peaks", 2)
    half.mkdir()
    withdraw_track(root, "other", reason="test")
    assert [record.name for record in opened(root).records()] == ["peaks"]
    assert not (root.path / "tracks" / "other").exists()
    assert not half.exists()
    assert clean_tracks(root.path) == []
    with pytest.raises(NotFoundError, match="peaks"):
        withdraw_track(root, "other", reason="test")


def test_a_write_that_fails_leaves_nothing(root: Root, source: Path, monkeypatch):
    keep(root, source, [("1", 5, 9)])
    before = TrackManifest.load(root.path)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nexome.store.track_writer.pq.write_table", full)
    with pytest.raises(Exception, match="the disk is full"):
        keep(root, source, [("1", 5, 9), ("1", 7, 9)])
    assert TrackManifest.load(root.path) == before
    assert clean_tracks(root.path) == []


@pytest.mark.parametrize("point", ["track-staged", "track-published"])
def test_a_killed_import_changes_nothing_and_can_be_done_again(tmp_path: Path, source: Path, point: str):
    import os  # noqa: PLC0415
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    path = tmp_path / "killed"
    made = create_root(path, assembly=ASSEMBLY)
    bed = tmp_path / "a.bed"
    bed.write_text("1\t4\t9\n", encoding="utf-8")
    command = [sys.executable, "-m", "nexome.main", "import", "track", "--root", str(path), str(bed)]
    killed = subprocess.run(command, env={**os.environ, "NEXOME_CRASH_AT": point}, check=False)
    assert killed.returncode == -9
    assert opened(made).records() == []
    assert subprocess.run(command, check=True, capture_output=True).returncode == 0
    (record,) = opened(made).records()
    assert (record.name, record.version, record.features) == ("a", 1, 1)


def test_tracks_are_in_a_backup_and_come_back(root: Root, source: Path, tmp_path: Path):
    keep(root, source, [("1", 5, 9)])
    backup_root(root.path, tmp_path / "backup")
    restore_root(tmp_path / "backup", tmp_path / "again")
    assert list(find_damage_in_tracks(tmp_path / "again")) == []
    assert Tracks.open(tmp_path / "again", ASSEMBLY).count("peaks", Interval(0, 1, 9)) == 1
    withdraw_track(root, "peaks", reason="test")
    backup_root(root.path, tmp_path / "backup")
    assert Tracks.open(tmp_path / "backup", ASSEMBLY).records() == []
    assert not version_path(tmp_path / "backup", "peaks", 1).exists()
