"""A backup is consistent while imports go on; what is restored equals what was backed up."""

import shutil
import sqlite3
import threading
from contextlib import closing

import pytest

from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.model.genome import assembly_from_contigs
from nexome.store.associations import AssociationStore
from nexome.store.associations.verify import verify_store
from nexome.store.backup import backup_root, restore_root
from nexome.store.root import create_root, open_root
from nexome.testing.associations import contents, make_every_layout, publish_tiny


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    store = make_every_layout(tmp_path_factory.mktemp("template") / "root")
    with closing(sqlite3.connect(store.root.path / "catalogue.sqlite")) as catalogue:
        catalogue.execute("create table note (text)")
        catalogue.execute("insert into note values ('kept')")
        catalogue.commit()
    return store.root.path


@pytest.fixture
def store(template, tmp_path):
    return AssociationStore.open(shutil.copytree(template, tmp_path / "root"))


def tree(folder):
    """{path: bytes} of all files that matter to a reader."""
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    ignored = ("lock", "backup.json", "catalogue.sqlite")
    return {name: path.read_bytes() for name, path in found.items() if name not in ignored}


@pytest.mark.parametrize("hard_links", [False, True])
def test_a_restored_root_equals_the_original(store, tmp_path, hard_links):
    root = store.root.path
    report = backup_root(root, tmp_path / "backup", hard_links=hard_links)
    assert report.sequence == store.snapshot().sequence
    assert report.copied > 10
    before = contents(store)
    shutil.rmtree(root)
    restored = tmp_path / "restored"
    restore_root(tmp_path / "backup", restored)
    assert contents(AssociationStore.open(restored)) == before
    there, here = tree(tmp_path / "backup"), tree(restored)
    events = here.pop("events.jsonl")
    assert events.startswith(there.pop("events.jsonl"))  # and the one of the restore behind
    assert here == there
    assert verify_store(restored).ok
    with closing(sqlite3.connect(restored / "catalogue.sqlite")) as catalogue:
        assert catalogue.execute("select text from note").fetchall() == [("kept",)]
    kinds = [e.kind for e in open_root(restored).read_events()]
    assert kinds == [*["study-published"] * 10, "backup-restored"]


def test_a_second_backup_costs_only_what_is_new(store, tmp_path):
    backup = tmp_path / "backup"
    first = backup_root(store.root.path, backup)
    publish_tiny(store, 1)
    publish_tiny(store, 8)
    second = backup_root(store.root.path, backup)
    assert second.copied < first.copied / 2
    assert second.kept >= first.copied - second.copied
    assert contents(AssociationStore.open(backup)) == contents(store)
    named = store.snapshot().manifest.folders
    kept = {
        p.relative_to(backup / "associations").as_posix()
        for p in (backup / "associations").glob("segments/*")
    }
    assert kept == {path for path in named if path.startswith("segments/")}


def test_a_backup_during_imports_is_one_moment(store, tmp_path):
    stop = threading.Event()

    def imports():
        seed = 100
        while not stop.is_set():
            publish_tiny(store, seed)
            seed += 1

    thread = threading.Thread(target=imports)
    thread.start()
    try:
        reports = [backup_root(store.root.path, tmp_path / f"b{i}") for i in range(3)]
    finally:
        stop.set()
        thread.join()
    now = contents(store)
    for i, report in enumerate(reports):
        backup = AssociationStore.open(tmp_path / f"b{i}")
        assert backup.snapshot().sequence == report.sequence
        held = contents(backup)
        assert held.items() <= now.items()
        assert verify_store(tmp_path / f"b{i}").ok
        events = sum(e.kind == "study-published" for e in open_root(tmp_path / f"b{i}").read_events())
        assert events <= len(held)


def test_what_is_in_the_way_is_refused(store, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not empty"):
        backup_root(store.root.path, tmp_path / "full")
    with pytest.raises(NotFoundError, match="no backup there"):
        restore_root(tmp_path / "full", tmp_path / "new")
    other = create_root(tmp_path / "other", assembly=assembly_from_contigs("a", "", [("1", 9)]))
    backup_root(other.path, tmp_path / "b")
    with pytest.raises(InputError, match="another root"):
        backup_root(store.root.path, tmp_path / "b")
    with pytest.raises(InputError, match="already"):
        restore_root(tmp_path / "b", tmp_path / "full")


def test_a_damaged_backup_is_not_restored_silently(store, tmp_path):
    backup_root(store.root.path, tmp_path / "b")
    shard = next((tmp_path / "b" / "associations" / "segments").rglob("z/c/0/0"))
    content = bytearray(shard.read_bytes())
    content[10] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DamagedError, match="changed in bytes 0–"):
        restore_root(tmp_path / "b", tmp_path / "new")
    assert not (tmp_path / "new" / "root.json").exists()


def test_an_interrupted_backup_is_told_and_completed(store, tmp_path):
    backup_root(store.root.path, tmp_path / "b")
    publish_tiny(store, 9)
    shutil.copy(
        store.root.path / "associations" / "manifest.json", tmp_path / "b" / "associations" / "manifest.json"
    )
    with pytest.raises(DamagedError, match="not finished"):
        restore_root(tmp_path / "b", tmp_path / "new")
    backup_root(store.root.path, tmp_path / "b")
    restore_root(tmp_path / "b", tmp_path / "new")
    assert contents(AssociationStore.open(tmp_path / "new")) == contents(store)
