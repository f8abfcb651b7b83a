"""A server's index follows what is published, by a process beside it."""

import time

from nexome.access.centre import Centre
from nexome.access.indexing import build_index, is_behind
from nexome.store.disk import RootLock
from nexome.store.knowledge import NewSource, load_source
from nexome.store.root import open_root
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search
from nexome.web.following import IndexFollower

TERM = "format-version: 1.2\n\n[Term]\nid: HP:0001250\nname: Seizure\n"


def test_what_is_published_is_found_a_few_beats_later(tmp_path):
    made = make_small_centre(tmp_path / "root", variants=300)
    make_small_search(made.path)
    (tmp_path / "hp.obo").write_text(TERM, "utf-8")
    with Centre.open(made.path) as centre:
        build_index(centre)
        follower, view = IndexFollower(centre), centre.view_for(None)
        follower.beat()
        assert not follower.building
        with RootLock(made.path):
            load_source(open_root(made.path), NewSource("hp", [tmp_path / "hp.obo"]))
        follower.beat()
        assert not follower.building  # more may come: it waits for a beat without a change
        follower.beat()
        assert follower.building
        assert view.find("height")  # answered meanwhile
        deadline = time.monotonic() + 120
        while follower.building and time.monotonic() < deadline:
            time.sleep(0.2)
            follower.beat()
        assert not is_behind(centre)
        assert view.find("seizure")[0].id == "HP:0001250"


def test_a_build_is_ended_with_the_server(tmp_path):
    made = make_small_centre(tmp_path / "root", variants=300)
    make_small_search(made.path)  # behind: nothing says what it was made of
    with Centre.open(made.path) as centre:
        before = centre.search_index.stamp
        follower = IndexFollower(centre)
        follower.beat()
        follower.beat()
        assert follower.building
        follower.stop()
        assert not follower.building
        assert centre.search_index.stamp == before
