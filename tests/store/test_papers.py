"""Papers kept: versions never change, the same file makes no new one, damage is told."""

import pytest

from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.store.backup import backup_root, restore_root
from nexome.store.papers import keep_paper, paper_names, paper_versions, read_kept
from nexome.store.root import create_root, load_assembly


@pytest.fixture
def root(tmp_path):
    return create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))


@pytest.fixture
def source(tmp_path):
    (tmp_path / "paper.TXT").write_text("text", encoding="utf-8")
    return tmp_path / "paper.TXT"


def test_a_corrected_paper_is_a_new_version_and_links_stay(root, source):
    first = keep_paper(root, "budget", source=source, values={"sha256": "a", "year": "2025"})
    (first.path.parent / "links.json").write_text("{}", encoding="utf-8")
    second = keep_paper(root, "budget", source=source, values={"sha256": "b", "year": "2025"})
    assert (first.version, second.version, paper_versions(root.path, "budget")) == (1, 2, [1, 2])
    assert read_kept(root.path, "budget", version=1).values["sha256"] == "a"
    assert (first.path.parent / "links.json").exists()
    assert (second.path / "source.txt").read_text(encoding="utf-8") == "text"
    assert [event.values["paper_version"] for event in root.read_events()] == [1, 2]


def test_the_same_file_again_is_the_same_version(root, source):
    keep_paper(root, "budget", source=source, values={"sha256": "a"})
    assert keep_paper(root, "budget", source=source, values={"sha256": "a"}).version == 1
    assert paper_names(root.path) == ["budget"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 81])
def test_a_name_that_would_leave_the_folder_is_refused(root, source, name):
    with pytest.raises(InputError):
        keep_paper(root, name, source=source, values={"sha256": "a"})
    with pytest.raises(NotFoundError):
        read_kept(root.path, name)


def test_a_changed_byte_is_damage(root, source):
    kept = keep_paper(root, "budget", source=source, values={"sha256": "a", "year": "2025"})
    file = kept.path / "paper.json"
    file.write_bytes(file.read_bytes().replace(b"2025", b"2026"))
    with pytest.raises(DamagedError):
        read_kept(root.path, "budget")


def test_papers_are_in_a_backup_and_come_back(root, source, tmp_path):
    keep_paper(root, "budget", source=source, values={"sha256": "a"})
    backup_root(root.path, tmp_path / "backup")
    keep_paper(root, "budget", source=source, values={"sha256": "b"})
    backup_root(root.path, tmp_path / "backup")
    restore_root(tmp_path / "backup", tmp_path / "again")
    assert read_kept(tmp_path / "again", "budget").values["sha256"] == "b"
    assert paper_versions(tmp_path / "again", "budget") == [1, 2]


def test_a_failed_import_leaves_nothing(root, source, monkeypatch):
    def full(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr("nexome.store.papers.write_stamped", full)
    with pytest.raises(OSError, match="no space"):
        keep_paper(root, "budget", source=source, values={"sha256": "a"})
    assert list((root.path / "papers" / "budget").iterdir()) == []
    assert paper_names(root.path) == []
