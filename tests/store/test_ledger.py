"""The ledger: what is known stays known, through crashes and beside other processes."""

import numpy as np
import pytest

from nexome.methods.populations import GROUPS
from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.store.audit import AuditLog
from nexome.store.backup import backup_root, restore_root
from nexome.store.ledger import (
    Ledger,
    close_project,
    open_project,
    projects,
    read_project,
)
from nexome.store.root import create_root, load_assembly

WHOLE = np.random.default_rng(9).integers(1, 2**63, GROUPS).astype(np.uint64)


def sketch(seed):
    return np.random.default_rng(seed).integers(1, 2**63, GROUPS).astype(np.uint64)


def near(known, groups):
    other = known.copy()
    other[:groups] += np.uint64(1)
    return other


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path, "P", threshold=5, capacity=4)


def add(ledger, *seeds):
    with ledger.session() as session:
        for seed in seeds:
            session.add(sketch(seed))
        session.commit()


def verdict(ledger, asked):
    with ledger.session() as session:
        return session.judge(asked, WHOLE)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (sketch(1), "known"),
        (sketch(3), "new"),
        (near(sketch(1), 1), "difference"),
        (near(sketch(1), 4), "difference"),
        (near(sketch(1), 5), "new"),
        (near(WHOLE, 3), "few_beside"),
        (WHOLE, "new"),
        (near(sketch(1) + sketch(2), 2), "difference"),
        (near(WHOLE - sketch(1), 2), "difference"),
    ],
)
def test_a_population_is_judged_with_what_is_known(ledger, asked, expected):
    add(ledger, 1, 2)
    assert verdict(ledger, asked) == expected


def test_a_new_process_knows_what_was_committed(tmp_path, ledger):
    add(ledger, 1, 2)
    again = Ledger(tmp_path, "P", threshold=5, capacity=4)
    assert verdict(again, near(sketch(2), 2)) == "difference"
    add(again, 3)
    assert verdict(ledger, sketch(3)) == "known"


def test_what_is_not_committed_is_forgotten(tmp_path, ledger):
    with ledger.session() as session:
        session.add(sketch(1))
    assert verdict(ledger, near(sketch(1), 1)) == "new"
    assert verdict(Ledger(tmp_path, "P", threshold=5, capacity=4), sketch(1)) == "new"


def test_a_session_goes_back_to_a_mark(ledger):
    with ledger.session() as session:
        session.add(sketch(1))
        mark = session.mark()
        session.add(sketch(2))
        session.back_to(mark)
        assert session.judge(sketch(2), WHOLE) == "new"
        assert session.commit() == 1
    assert verdict(ledger, sketch(1)) == "known"


def test_a_full_ledger_still_knows(ledger):
    add(ledger, 1, 2, 3, 4)
    assert verdict(ledger, sketch(5)) == "too_many_populations"
    assert verdict(ledger, sketch(4)) == "known"


@pytest.mark.parametrize("cut", [1, 100, 2_055])
def test_a_torn_record_is_cut_off(tmp_path, ledger, cut):
    add(ledger, 1, 2)
    path = ledger.path
    path.write_bytes(path.read_bytes()[:-cut])
    again = Ledger(tmp_path, "P", threshold=5, capacity=4)
    assert verdict(again, sketch(1)) == "known"
    assert verdict(again, sketch(2)) == "new"
    add(again, 3)
    assert verdict(Ledger(tmp_path, "P", threshold=5, capacity=4), sketch(3)) == "known"


def test_a_changed_record_is_found(tmp_path, ledger):
    add(ledger, 1, 2)
    content = bytearray(ledger.path.read_bytes())
    content[100] ^= 1
    ledger.path.write_bytes(content)
    with pytest.raises(DamagedError, match="not what was written"):
        verdict(Ledger(tmp_path, "P", threshold=5, capacity=4), sketch(1))


def test_a_backup_keeps_ledgers_and_the_audit_log(tmp_path):
    root = create_root(tmp_path / "root", assembly=load_assembly("GRCh38")).path
    open_project(root, "P")
    add(Ledger(root, "P", threshold=5, capacity=4), 1)
    AuditLog.open(root).append({"event": "answered"})
    backup_root(root, tmp_path / "backup")
    restore_root(tmp_path / "backup", tmp_path / "again")
    assert AuditLog.open(tmp_path / "again").verify().lines == 1
    assert verdict(Ledger(tmp_path / "again", "P", threshold=5, capacity=4), sketch(1)) == "known"


def test_nothing_of_people_is_on_the_disk_but_sums(tmp_path, ledger):
    add(ledger, 1)
    assert ledger.path.stat().st_size == 16 + GROUPS * 8 + 8


def test_projects_keep_their_purposes(tmp_path):
    made = open_project(tmp_path, "P", purposes=("DUO:0000006",))
    assert open_project(tmp_path, "P") == made == read_project(tmp_path, "P")
    assert [p.name for p in projects(tmp_path)] == ["P"]
    with pytest.raises(InputError, match="same ones"):
        open_project(tmp_path, "P", purposes=("DUO:0000042",))


def test_a_closed_project_stays_closed(tmp_path):
    open_project(tmp_path, "P")
    assert close_project(tmp_path, "P").closed
    with pytest.raises(InputError, match="closed"):
        open_project(tmp_path, "P")


@pytest.mark.parametrize("name", ["", "../P", "a/b", "-x", "x" * 65])
def test_a_project_is_named_as_a_folder_can_be(tmp_path, name):
    with pytest.raises(InputError):
        open_project(tmp_path, name)
    with pytest.raises(NotFoundError):
        read_project(tmp_path, name)
