"""The audit log: whatever is done to it afterwards is found."""

import threading

import orjson
import pytest

from nexome.model.errors import DamagedError
from nexome.store.audit import AuditLog, Head


@pytest.fixture
def log(tmp_path):
    made = AuditLog.open(tmp_path)
    for number in range(5):
        made.append({"event": "answered", "who": "A. Reader", "question": f"count {number}"})
    return made


def kinds(log, kept=None):
    return [finding.kind for finding in log.verify(kept).findings]


def rewrite(log, change):
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(change(lines)))


def test_what_was_appended_is_proved(log):
    report = log.verify(log.head())
    assert (report.ok, report.lines, report.torn) == (True, 5, False)
    assert report.head == log.head()
    assert [r["sequence"] for r in log.records(limit=2)] == [4, 5]


def test_an_empty_log_holds(tmp_path):
    log = AuditLog.open(tmp_path)
    assert log.verify().ok
    assert log.head() == Head()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda ls: [ls[0], ls[1].replace(b"count 1", b"count 9"), *ls[2:]], "edited"),
        (lambda ls: [ls[0], *ls[2:]], "removed"),
        (lambda ls: [ls[0], ls[2], ls[1], *ls[3:]], "reordered"),
        (lambda ls: [*ls[:2], b"not a line\n", *ls[3:]], "unreadable"),
        (lambda ls: ls[:4], "truncated"),
        (lambda ls: ls[:0], "truncated"),
    ],
)
def test_each_way_of_tampering_is_found(log, change, found):
    kept = log.head()
    rewrite(log, change)
    assert found in kinds(log, kept)


def test_a_chain_made_anew_is_found_by_the_exported_head(log, tmp_path):
    kept = log.head()
    log.path.unlink()
    again = AuditLog.open(tmp_path)
    for number in range(6):
        again.append({"event": "answered", "who": "A. Reader", "question": f"other {number}"})
    assert kinds(again) == []
    assert kinds(again, kept) == ["replaced"]


def test_a_head_is_exported_and_read(log, tmp_path):
    log.head().write(tmp_path / "head.json")
    assert Head.read(tmp_path / "head.json") == log.head()


@pytest.mark.parametrize("cut", [1, 30])
def test_a_torn_line_is_told_and_healed_without_losing_it(log, tmp_path, cut):
    torn = log.path.read_bytes()[:-cut]
    log.path.write_bytes(torn)
    report = AuditLog.open(tmp_path).verify()
    assert (report.ok, report.torn, report.lines) == (True, True, 4)
    again = AuditLog.open(tmp_path)
    assert again.append({"event": "answered"}) == 6
    healed = again.records()[-2]
    assert (healed["event"], healed["sequence"]) == ("healed", 5)
    assert (tmp_path / "audit.torn").read_bytes() == torn.splitlines()[-1] + b"\n"
    assert again.verify().ok


def test_nothing_is_appended_to_a_changed_last_line(log, tmp_path):
    rewrite(log, lambda ls: [*ls[:4], ls[4].replace(b"count 4", b"count 5 ")])
    with pytest.raises(DamagedError, match="audit verify"):
        AuditLog.open(tmp_path).append({"event": "answered"})


def test_two_logs_of_one_root_make_one_chain(log, tmp_path):
    other = AuditLog.open(tmp_path)

    def write(which):
        for _ in range(10):
            which.append({"event": "answered"})

    threads = [threading.Thread(target=write, args=(which,)) for which in (log, other, log)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.verify().ok
    assert log.verify().lines == 35


def test_a_line_is_canonical_json(log):
    line = log.path.read_bytes().splitlines()[0]
    assert orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS) == line
