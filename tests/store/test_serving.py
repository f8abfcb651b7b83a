"""The watch and the visitors of a day, shared by the servers of a root."""

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from nexome.methods.distinct import REGISTERS, add_hash, new_sketch
from nexome.store.serving import FOLDER, Watch, add_visitors, salt_of

DAY, NEXT = "2026-05-01", "2026-05-02"


def sketch_of(numbers, salt):
    sketch = new_sketch()
    for number in numbers:
        add_hash(sketch, hash((salt, number)) & (2**64 - 1))
    return sketch


def test_one_holds_the_watch_and_hands_it_over(tmp_path: Path):
    first, second = Watch(tmp_path), Watch(tmp_path)
    assert first.take() == {}
    assert second.take() is None
    first.release()
    assert second.take() == {}
    assert second.held
    second.release()


def _watch_and_die(root: Path) -> None:
    Watch(root).take()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_server_that_was_killed_is_noticed_and_one_that_stopped_is_not(tmp_path: Path):
    worker = multiprocessing.get_context("spawn").Process(target=_watch_and_die, args=(tmp_path,))
    worker.start()
    worker.join()
    after = Watch(tmp_path)
    left = after.take()
    assert left
    assert left["pid"] == worker.pid
    assert left["since"] <= left["seen"]
    after.release()
    assert Watch(tmp_path).take() == {}


def test_a_copy_of_a_served_root_lost_no_server(tmp_path: Path):
    here = tmp_path / "here"
    here.mkdir()
    watch = Watch(here)
    watch.take()
    shutil.copytree(here, tmp_path / "copy")
    assert Watch(tmp_path / "copy").take() == {}
    watch.release()


def test_servers_of_a_day_share_its_salt_and_the_next_day_has_another(tmp_path: Path):
    salt = salt_of(tmp_path, DAY)
    assert salt_of(tmp_path, DAY) == salt
    assert salt_of(tmp_path, NEXT) != salt
    assert salt.hex() not in (tmp_path / FOLDER / "visitors.json").read_text()
    assert salt_of(tmp_path, DAY) != salt  # a day that is over gets one that nobody keeps


def test_a_visitor_is_counted_once_whichever_server_saw_them(tmp_path: Path):
    salt = salt_of(tmp_path, DAY)
    assert add_visitors(tmp_path, DAY, sketch_of(range(40), salt)) == 40
    assert add_visitors(tmp_path, DAY, sketch_of(range(20, 60), salt)) == 20
    assert add_visitors(tmp_path, DAY, sketch_of(range(60), salt)) == 0
    assert add_visitors(tmp_path, NEXT, sketch_of(range(9), salt)) == 0


def test_what_is_kept_of_visitors_tells_no_address(tmp_path: Path):
    salt_of(tmp_path, DAY)
    sketch = new_sketch()
    sketch[np.arange(0, REGISTERS, 7)] = 3
    add_visitors(tmp_path, DAY, sketch)
    path = tmp_path / FOLDER / "visitors.json"
    assert path.stat().st_mode & 0o077 == 0
    assert "127.0.0.1" not in path.read_text()


@pytest.mark.parametrize("content", ["", "{", '{"kind": "other"}'])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, content: str):
    salt_of(tmp_path, DAY)
    (tmp_path / FOLDER / "visitors.json").write_text(content)
    assert len(salt_of(tmp_path, DAY)) == 16
