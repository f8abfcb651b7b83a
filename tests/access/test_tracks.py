"""What a View tells of tracks: everyone the open ones, the owner all; a private one is as unknown as none."""

from pathlib import Path

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.access.tracks import INTERVAL_COLUMNS, SIGNAL_COLUMNS, TRACK_COLUMNS
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.fields import schema_of
from nexome.store.root import create_root, load_assembly
from nexome.testing.small_tracks import make_small_tracks


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("tracks")
    root = create_root(folder / "root", assembly=load_assembly("GRCh38"))
    make_small_tracks(root, folder / "files", reach_bp=500_000)
    with Centre.open(folder / "root") as opened:
        yield opened


def test_a_private_track_is_as_unknown_as_none(centre: Centre):
    everyone, owner = centre.view_for(None), centre.owner_view()
    assert "hidden" not in everyone.tracks()["track"].to_pylist()
    assert "hidden" in owner.tracks()["track"].to_pylist()
    assert owner.track("hidden", "1:1-6000").num_rows == 1
    errors = []
    for name in ("hidden", "absent"):
        with pytest.raises(NotFoundError) as caught:
            everyone.track(name, "1:1-6000")
        errors.append(str(caught.value).replace(name, ""))
    assert errors[0] == errors[1]
    with pytest.raises(NotFoundError):
        everyone.signal_file("hidden")


def test_each_kind_has_its_columns(centre: Centre):
    view = centre.view_for(None)
    assert view.tracks().schema.equals(schema_of(TRACK_COLUMNS))
    assert view.track("peaks", "1:1-100000").schema.equals(schema_of(INTERVAL_COLUMNS))
    assert view.track("signal", "1:1-100000", 10).schema.equals(schema_of(SIGNAL_COLUMNS))
    assert view.track("recombination", "1:1-100000").equals(view.recombination("1:1-100000"))
    assert view.track("cytobands", "1:1-100000").equals(view.cytobands("chr1"))
    assert view.transcripts_in("1:1-100000").num_rows == 0
    with pytest.raises(QueryError, match="0 bins"):
        view.track("signal", "1", 0)


def test_bins_of_a_signal_tile_the_region(centre: Centre):
    table = centre.view_for(None).track("signal", "1:1-100000", 7)
    start, end = (table[name].to_numpy() for name in ("start", "end"))
    assert (start[0], end[-1]) == (1, 100_000)
    assert np.array_equal(start[1:], end[:-1] + 1)
    assert np.isfinite(table["value"].to_numpy()).all()


def test_thinning_keeps_the_count(centre: Centre):
    view = centre.view_for(None)
    whole = view.track("peaks", "1:1-500000").num_rows
    assert view.track_count("peaks", "1:1-500000") == whole > 5
    assert view.track("peaks", "1:1-500000", limit=5).num_rows == 5


def test_a_stamp_changes_with_a_track(centre: Centre):
    assert f"-{centre.tracks.sequence}-" in centre.view_for(None).stamp
