"""Stores written by every release open, answer as they did, and verify.

<release>.zip is what `nexome.testing.associations.write_archive` wrote with that release.
"""

import json
import shutil
from pathlib import Path

import pytest

from nexome.store.associations import AssociationStore
from nexome.store.associations.verify import verify_store
from nexome.testing.associations import contents, write_archive

ARCHIVES = sorted(Path(__file__).parent.glob("*.zip"))


def check(archive, folder):
    shutil.unpack_archive(archive, folder)
    store = AssociationStore.open(folder / "root")
    assert contents(store) == json.loads((folder / "digests.json").read_text())
    assert verify_store(folder / "root").findings == []
    return store


def test_there_are_archives():
    assert ARCHIVES


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_an_archived_store_answers_as_it_did(archive, tmp_path):
    store = check(archive, tmp_path)
    before = contents(store)
    store.compact()
    assert contents(store) == before


def test_an_archive_can_be_written(tmp_path):
    (tmp_path / "work").mkdir()
    write_archive(tmp_path / "now.zip", tmp_path / "work")
    check(tmp_path / "now.zip", tmp_path / "again")
