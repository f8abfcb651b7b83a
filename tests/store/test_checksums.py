"""Checksums find every change of a folder and say where it lies."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError
from nexome.store.checksums import BLOCK_BYTES, find_damage, read_checksums, write_checksums


def make_folder(folder):
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "big").write_bytes(bytes(range(251)) * 80)
    (folder / "small").write_bytes(b"x")
    (folder / "empty").write_bytes(b"")
    return folder


def test_a_whole_folder_has_no_damage_and_coreutils_agree(tmp_path):
    folder = make_folder(tmp_path / "f")
    digest = write_checksums(folder)
    assert list(find_damage(folder, digest=digest)) == []
    assert set(read_checksums(folder)) == {"a/big", "small", "empty", "BLOCKSUMS"}
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 251 * 80 - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_placed_within_a_block(tmp_path_factory, at, bit):
    folder = make_folder(tmp_path_factory.mktemp("c") / "f")
    digest = write_checksums(folder)
    content = bytearray((folder / "a" / "big").read_bytes())
    content[at] ^= 1 << bit
    (folder / "a" / "big").write_bytes(content)
    [found] = find_damage(folder, digest=digest)
    [(first, last)] = found.stretches
    assert found.path == folder / "a" / "big"
    assert first <= at <= last < first + BLOCK_BYTES


def test_cut_missing_and_strange_files_are_told(tmp_path):
    folder = make_folder(tmp_path / "f")
    write_checksums(folder)
    (folder / "a" / "big").write_bytes(b"short")
    (folder / "small").unlink()
    (folder / "new").write_bytes(b"1")
    assert {d.path.name: d.found for d in find_damage(folder)} == {
        "big": "5 bytes instead of 20080",
        "small": "missing",
        "new": "not in the list of checksums",
    }


def test_the_list_itself_is_held_by_its_digest(tmp_path):
    folder = make_folder(tmp_path / "f")
    digest = write_checksums(folder)
    path = folder / "SHA256SUMS"
    path.write_text(path.read_text().replace("small", "smell"))
    with pytest.raises(DamagedError, match="SHA256SUMS"):
        list(find_damage(folder, digest=digest))
    path.write_text("nonsense\n")
    with pytest.raises(DamagedError, match="line 1"):
        read_checksums(folder)
    path.unlink()
    with pytest.raises(DamagedError, match="no such file"):
        read_checksums(folder)


def test_damaged_block_sums_still_leave_the_file_named(tmp_path):
    folder = make_folder(tmp_path / "f")
    write_checksums(folder)
    (folder / "BLOCKSUMS").write_bytes(b"{}")
    (folder / "small").write_bytes(b"y")
    assert {d.path.name for d in find_damage(folder)} == {"BLOCKSUMS", "small"}
