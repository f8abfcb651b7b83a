"""The history of measures: whole lines, only ever added, also by several processes and after a crash."""

import multiprocessing
import os
import signal
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, NewerVersionError
from nexome.store.measures import NAME, Reading, append_readings, last_sample, read_history

TIME = "2026-01-01T00:00:00Z"


def sample(value: float | None) -> list[Reading]:
    return [Reading("studies", value, TIME), Reading("bytes_held", 5.0, TIME, {"genes": 5.0})]


def test_what_was_sampled_comes_back_in_order(tmp_path: Path):
    assert read_history(tmp_path) == []
    assert last_sample(tmp_path) == ""
    times = [append_readings(tmp_path, sample(value)) for value in (1.0, 2.0)]
    assert [r.value for r in read_history(tmp_path, "studies")] == [1.0, 2.0]
    assert [r.time for r in read_history(tmp_path, "studies")] == times
    assert read_history(tmp_path, "bytes_held")[0].parts == {"genes": 5.0}
    assert last_sample(tmp_path) == times[-1]


def test_a_measure_without_a_value_is_not_invented(tmp_path: Path):
    append_readings(tmp_path, sample(None))
    assert [r.name for r in read_history(tmp_path)] == ["bytes_held"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_the_past_is_never_rewritten(tmp_path_factory: pytest.TempPathFactory, values: list[float]):
    root = tmp_path_factory.mktemp("history")
    before = b""
    for value in values:
        append_readings(root, sample(value))
        now = (root / NAME).read_bytes()
        assert now.startswith(before)
        before = now
    assert [r.value for r in read_history(root, "studies")] == values


@pytest.mark.parametrize(
    "torn", [b"{", b'{"kind":"nexome-measures","version":1,"time":"2026', b"x" * 100_000]
)
def test_a_line_torn_by_a_crash_is_left_out_and_cut_off(tmp_path: Path, torn: bytes):
    append_readings(tmp_path, sample(1.0))
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole + torn)
    assert [r.value for r in read_history(tmp_path, "studies")] == [1.0]
    append_readings(tmp_path, sample(2.0))
    assert (tmp_path / NAME).read_bytes().startswith(whole)
    assert [r.value for r in read_history(tmp_path, "studies")] == [1.0, 2.0]


def test_a_line_that_is_none_of_ours_is_named(tmp_path: Path):
    append_readings(tmp_path, sample(1.0))
    with (tmp_path / NAME).open("ab") as stream:
        stream.write(b'{"kind":"other"}\n')
    with pytest.raises(DamagedError, match="line 2"):
        read_history(tmp_path)


def test_a_newer_nexomes_history_is_not_guessed(tmp_path: Path):
    line = {"kind": "nexome-measures", "version": 2, "time": TIME, "values": {}}
    (tmp_path / NAME).write_bytes(orjson.dumps(line) + b"\n")
    with pytest.raises(NewerVersionError, match="version 2"):
        read_history(tmp_path)


def _sample_often(root: Path, first: int) -> None:
    for value in range(first, first + 25):
        append_readings(root, sample(float(value)))


def _sample_and_die(root: Path) -> None:
    os.environ["NEXOME_CRASH_AT"] = "measures-written"
    append_readings(root, sample(9.0))


def test_processes_sample_at_once_without_losing_a_line(tmp_path: Path):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_sample_often, args=(tmp_path, 100 * k)) for k in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    values = sorted(r.value for r in read_history(tmp_path, "studies"))
    assert values == sorted(float(100 * k + i) for k in range(3) for i in range(25))


def test_a_process_killed_while_sampling_leaves_a_history_that_opens(tmp_path: Path):
    append_readings(tmp_path, sample(1.0))
    worker = multiprocessing.get_context("spawn").Process(target=_sample_and_die, args=(tmp_path,))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    assert [r.value for r in read_history(tmp_path, "studies")] in ([1.0], [1.0, 9.0])
    append_readings(tmp_path, sample(2.0))
    assert read_history(tmp_path, "studies")[-1].value == 2.0
