"""What is written is there whole or not at all; one writer at a time; broken files are named."""

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import BusyError, DamagedError, NewerVersionError, NotFoundError, SpaceError
from nexome.store import disk


def run(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def test_write_atomic_leaves_the_old_file_when_the_disk_is_full(tmp_path, monkeypatch):
    path = tmp_path / "file"
    disk.write_atomic(path, b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpaceError, match="disk is full"):
        disk.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_published_once(tmp_path):
    staged = tmp_path / "staging" / "x"
    staged.mkdir(parents=True)
    (staged / "file").write_bytes(b"1")
    disk.publish_folder(staged, tmp_path / "out" / "x")
    assert (tmp_path / "out" / "x" / "file").read_bytes() == b"1"
    assert not staged.exists()
    staged.mkdir()
    with pytest.raises(FileExistsError):
        disk.publish_folder(staged, tmp_path / "out" / "x")


def test_remove_folder_may_be_repeated(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "f").write_bytes(b"1")
    disk.remove_folder(tmp_path / "x")
    disk.remove_folder(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_free_space_is_checked_before(tmp_path):
    disk.check_free_space(tmp_path, 1)
    with pytest.raises(SpaceError, match="GB free; expected"):
        disk.check_free_space(tmp_path, 1 << 60)


def test_other_os_errors_are_not_called_a_full_disk(tmp_path):
    with pytest.raises(PermissionError), disk.space_errors(tmp_path):
        raise PermissionError


def test_the_lock_says_who_holds_it_and_survives_a_kill(tmp_path):
    code = """
        import sys, time
        from pathlib import Path
        from nexome.store.disk import RootLock
        RootLock(Path(sys.argv[1] if len(sys.argv) > 1 else '.')).acquire()
        print('held', flush=True)
        time.sleep(60)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    with pytest.raises(BusyError, match=f"process {child.pid} .* since 20"):
        disk.RootLock(tmp_path).acquire()
    assert disk.lock_holder(tmp_path)["pid"] == child.pid
    child.kill()
    child.wait()
    child.stdout.close()
    with disk.RootLock(tmp_path, wait_s=5) as lock:
        assert lock.held
        assert orjson.loads((tmp_path / "lock").read_bytes())["pid"] == os.getpid()
    assert disk.lock_holder(tmp_path) is None


def test_a_waiting_writer_gets_the_lock_when_it_is_free(tmp_path):
    lock = disk.RootLock(tmp_path)
    lock.acquire()
    threading.Timer(0.2, lock.release).start()
    with disk.RootLock(tmp_path, wait_s=10) as second:
        assert second.held
    assert not lock.held


def test_two_locks_of_one_process_exclude_each_other(tmp_path):
    with disk.RootLock(tmp_path), pytest.raises(BusyError):
        disk.RootLock(tmp_path).acquire()


def test_step_kills_where_it_is_told(tmp_path):
    code = "from nexome.store.disk import step; step('a'); print('alive', flush=True); step('b'); print('no')"
    child = run(code, NEXOME_CRASH_AT="b")
    assert child.communicate()[0] == "alive\n"
    assert child.returncode == -9


def stamped(path, **options):
    disk.write_stamped(path, {"x": [1, "é"]}, kind="thing", version=2, **options)
    return path


def test_stamped_values_come_back(tmp_path):
    path = stamped(tmp_path / "t", sealed=True)
    assert disk.read_stamped(path, kind="thing", version=2) == {"kind": "thing", "version": 2, "x": [1, "é"]}


def test_stamped_refuses_what_it_is_not(tmp_path):
    path = stamped(tmp_path / "t", sealed=True)
    with pytest.raises(NewerVersionError, match="thing version 2; expected at most version 1"):
        disk.read_stamped(path, kind="thing", version=1)
    with pytest.raises(DamagedError, match="kind 'thing'"):
        disk.read_stamped(path, kind="other", version=2)
    with pytest.raises(NotFoundError):
        disk.read_stamped(tmp_path / "none", kind="thing", version=2)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": "thing"}', b"\xff"])
def test_broken_json_is_damage_with_its_place(tmp_path, content):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DamagedError, match=str(tmp_path / "t")):
        disk.read_stamped(tmp_path / "t", kind="thing", version=2)


def test_a_changed_sealed_file_is_damage(tmp_path):
    path = stamped(tmp_path / "t", sealed=True)
    path.write_bytes(path.read_bytes().replace(b"1", b"3", 1))
    with pytest.raises(DamagedError, match="checksum"):
        disk.read_stamped(path, kind="thing", version=2)


def test_now_is_utc():
    assert (
        abs(time.mktime(time.strptime(disk.now_iso(), "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())) < 5
    )


def test_no_lock_file_no_holder():
    assert disk.lock_holder(Path("/nonexistent")) is None


@given(st.lists(st.binary(max_size=9).map(lambda b: b.replace(b"\n", b"")), max_size=9), st.integers(1, 12))
def test_a_log_ends_with_its_last_whole_line_and_what_was_torn_is_cut(parts, window):
    content = b"\n".join(parts)
    *lines, torn = content.split(b"\n")
    expected = lines[-1] if lines else None
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile("a+b") as stream:
        patch.setattr(disk, "_TAIL_BYTES", window)
        stream.write(content)
        assert disk.last_line(stream) == (expected, torn)
        assert disk.mend_log(stream) == expected
        stream.write(b"next\n")
        stream.seek(0)
        assert stream.read().split(b"\n") == [*lines, b"next", b""]


def test_a_lock_is_held_while_its_holder_lives(tmp_path):
    path = tmp_path / "owner"
    assert not disk.is_held(path)
    with path.open("w") as holder:
        assert not disk.is_held(path)
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert disk.is_held(path)
    assert not disk.is_held(path)
