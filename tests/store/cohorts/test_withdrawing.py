"""A participant withdraws: gone from every version, list of identifiers, packed form, backup and restore."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from nexome.model.cohorts import Cohort
from nexome.model.errors import DamagedError, FormatError, NotFoundError
from nexome.store.backup import backup_root, restore_root
from nexome.store.cohorts import PARTICIPANT, CohortStore
from nexome.store.cohorts.people import read_identities, read_withdrawn, withdrawal, withdrawn_path
from nexome.store.cohorts.verify import verify_cohorts
from nexome.store.cohorts.withdrawing import samples_of
from nexome.store.disk import CRASH_VARIABLE
from nexome.store.root import create_root, load_assembly
from tests.store.cohorts.making import COHORT, DICTIONARY, rows


@pytest.fixture
def store(tmp_path):
    return CohortStore(create_root(tmp_path / "root", assembly=load_assembly("GRCh38")))


def publish(store, table, cohort=COHORT, **options):
    with store.stage(cohort, DICTIONARY, **options) as staged:
        staged.add(table)
        return staged.publish({"rows": table.num_rows})


def everywhere(store):
    """Keys of all people that any file of the store holds."""
    found = set()
    for entry in store.manifest().versions:
        table = store.get(entry.id, entry.version)
        found |= set(table.participants.tolist()) | set(table.table()[PARTICIPANT].to_pylist())
    for path in (store.folder / "identities").glob("*.parquet"):
        found |= set(read_identities(store.root.path, path.stem)["participant"].to_pylist())
    return found


def test_gone_from_every_version_and_table(store):
    publish(store, rows(seed=1))
    publish(store, rows(seed=2))
    key = store.participant_key("town", "P002")
    made = store.get("town", 1).table().drop_columns(["visit"])
    made = made.append_column("visit", pa.array(range(made.num_rows), pa.int64()))
    harmonised = publish(store, made, Cohort("all", people="town"), kind="harmonised")
    assert key in harmonised.participants.tolist()
    before = store.get("town", 1).table().to_pylist()
    done = store.withdraw_participant("town", "P002", reason="asked")
    assert (len(done.versions), done.rows) == (3, 6)
    assert key not in everywhere(store)
    assert [r for r in before if r[PARTICIPANT] != key] == store.get("town", 1).table().to_pylist()
    assert store.get("town", 1).people == 4
    folders = sorted(p.relative_to(store.folder).as_posix() for p in store.folder.glob("*/*") if p.is_dir())
    assert [f for f in folders if f.startswith(("town", "all"))] == ["all/1.1", "town/1.1", "town/2.1"]
    assert verify_cohorts(store.root.path).ok
    events = list(store.root.read_events(kinds=["participant-withdrawn"]))
    assert events[-1].values == {"cohorts": ["all", "town"], "versions": 3, "rows": 6}


def test_missing_codes_follow_their_rows(store):
    table = rows(people=4, visits=1)
    nulls = table.set_column(table.column_names.index("chol"), "chol", pa.nulls(4, pa.float64()))
    codes = pa.table({"row": [0, 1, 2, 3], "variable": ["chol"] * 4, "code": ["-9"] * 4})
    with store.stage(COHORT, DICTIONARY) as staged:
        staged.add(nulls, codes)
        staged.publish({})
    store.withdraw_participant("town", "P001", reason="asked")
    found, told = store.get("town").missing_of("chol")
    assert found.tolist() == [0, 1, 2]
    assert told.to_pylist() == ["-9"] * 3


def test_imports_leave_the_person_out(store):
    publish(store, rows())
    store.withdraw_participant("town", "P002", reason="asked")
    again = publish(store, rows(seed=5))
    assert again.people == 4
    assert store.participant_key("town", "P002") not in everywhere(store)


def test_others_who_share_the_identifiers_are_rid_of_the_person_too(store):
    publish(store, rows(), Cohort("one", people="county"))
    publish(store, rows(), Cohort("two", people="county"))
    publish(store, rows(), Cohort("other"))
    store.withdraw_participant("county", "P002", reason="asked")
    assert [store.get(c).people for c in ("one", "two", "other")] == [4, 4, 5]


def test_the_only_person_leaves_an_empty_table(store):
    publish(store, rows(people=1))
    store.withdraw_participant("town", "P000", reason="asked")
    found = store.get("town")
    assert (found.rows, found.people) == (0, 0)
    assert found.column("chol").values.tolist() == []
    assert verify_cohorts(store.root.path).ok


def test_somebody_unknown_is_not_taken_for_somebody(store):
    publish(store, rows())
    with pytest.raises(NotFoundError, match="nobody of that identifier") as raised:
        store.withdraw_participant("town", "P00X", reason="asked")
    assert "P00X" not in str(raised.value)
    assert not len(read_withdrawn(store.root.path))
    store.withdraw_participant("town", "P999", reason="asked before any import", unseen=True)
    source = rows()
    names = [f"P{995 + int(name[1:])}" for name in source["pid"].to_pylist()]
    later = source.set_column(0, "pid", pa.array(names))
    assert publish(store, later).people == 4


def test_twice_is_once(store):
    publish(store, rows())
    store.withdraw_participant("town", "P002", reason="asked")
    done = store.withdraw_participant("town", "P002", reason="asked again")
    assert done.versions == ()
    assert len(read_withdrawn(store.root.path)) == 1


@pytest.mark.parametrize(
    ("step", "gone"),
    [
        ("withdrawal.written", False),
        ("withdrawal.listed", True),
        ("cohorts.moved", True),
        ("cohorts.before-manifest", True),
        ("cohorts.after-manifest", True),
    ],
)
def test_killed_half_way_it_is_done_or_not_begun(store, step, gone):
    publish(store, rows())
    key = store.participant_key("town", "P002")
    code = (
        "import sys; from pathlib import Path; from nexome.store.cohorts import CohortStore; "
        "CohortStore.open(Path(sys.argv[1])).withdraw_participant('town', 'P002', reason='asked')"
    )
    words = [sys.executable, "-c", code, str(store.root.path)]
    done = subprocess.run(words, env={**os.environ, CRASH_VARIABLE: step}, check=False)
    assert done.returncode == -9
    again = CohortStore.open(store.root.path)
    assert (key not in everywhere(again)) == gone
    again.withdraw_participant("town", "P002", reason="asked")
    again.clean()
    assert key not in everywhere(again)
    assert verify_cohorts(again.root.path).ok
    assert len(list((again.folder / "town").iterdir())) == 1
    assert len(list((again.folder / "packed" / "town").iterdir())) == 1


def test_a_backup_made_again_forgets_the_person(store, tmp_path):
    publish(store, rows())
    backup_root(store.root.path, tmp_path / "backup")
    CohortStore.open(tmp_path / "backup").get("town").column("chol")  # packed there too
    store.withdraw_participant("town", "P002", reason="asked")
    backup_root(store.root.path, tmp_path / "backup")
    kept = CohortStore.open(tmp_path / "backup")
    assert store.participant_key("town", "P002") not in everywhere(kept)
    assert [p.name for p in (tmp_path / "backup" / "cohorts" / "town").iterdir()] == ["1.1"]
    restore_root(tmp_path / "backup", tmp_path / "again")
    assert CohortStore.open(tmp_path / "again").get("town").people == 4


def test_an_older_backup_does_not_bring_the_person_back(store, tmp_path):
    publish(store, rows())
    key = store.participant_key("town", "P002")
    backup_root(store.root.path, tmp_path / "backup")
    store.withdraw_participant("town", "P002", reason="asked")
    restore_root(tmp_path / "backup", tmp_path / "plain")
    assert key in everywhere(CohortStore.open(tmp_path / "plain"))  # nobody told it
    restore_root(tmp_path / "backup", tmp_path / "again", withdrawn=withdrawn_path(store.root.path))
    again = CohortStore.open(tmp_path / "again")
    assert key not in everywhere(again)
    assert again.get("town").people == 4
    assert len(list((again.folder / "town").iterdir())) == 1
    assert publish(again, rows()).people == 4
    assert verify_cohorts(tmp_path / "again").ok


def test_a_list_laid_into_a_restored_root_is_obeyed_by_the_first_reader(store, tmp_path):
    publish(store, rows())
    backup_root(store.root.path, tmp_path / "backup")
    store.withdraw_participant("town", "P002", reason="asked")
    restore_root(tmp_path / "backup", tmp_path / "again")
    shutil.copy(withdrawn_path(store.root.path), withdrawn_path(tmp_path / "again"))
    assert CohortStore.open(tmp_path / "again").get("town").people == 4


def test_a_list_as_long_but_of_another_person_is_obeyed_too(store, tmp_path):
    publish(store, rows())
    store.withdraw_participant("town", "P001", reason="asked")
    backup_root(store.root.path, tmp_path / "backup")
    restore_root(tmp_path / "backup", tmp_path / "again")
    other = withdrawn_path(tmp_path / "again")
    key = store.participant_key("town", "P002")
    other.write_text(json.dumps(withdrawal(key, "town", reason="asked")) + "\n")
    assert key not in everywhere(CohortStore.open(tmp_path / "again"))


def test_a_root_that_lost_its_list_does_not_shorten_that_of_its_backup(store, tmp_path):
    publish(store, rows())
    store.withdraw_participant("town", "P002", reason="asked")
    backup_root(store.root.path, tmp_path / "backup")
    withdrawn_path(store.root.path).unlink()
    backup_root(store.root.path, tmp_path / "backup")
    assert len(read_withdrawn(tmp_path / "backup")) == 1


def test_a_torn_last_line_is_no_line_and_a_broken_one_is_told(store):
    publish(store, rows())
    store.withdraw_participant("town", "P002", reason="asked")
    path = withdrawn_path(store.root.path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key": "12')
    assert len(read_withdrawn(store.root.path)) == 1
    store.withdraw_participant("town", "P003", reason="asked")
    assert len(read_withdrawn(store.root.path)) == 2
    path.write_bytes(b"nothing\n" + whole)
    with pytest.raises(DamagedError, match="line 1"):
        read_withdrawn(store.root.path)


def test_the_key_and_the_identifiers_are_for_their_owner_alone(store, tmp_path):
    publish(store, rows())
    backup_root(store.root.path, tmp_path / "backup")
    for root in (store.root.path, tmp_path / "backup"):
        for path in (root / "cohorts" / "key", root / "cohorts" / "identities" / "town.parquet"):
            assert path.stat().st_mode & 0o077 == 0
    assert not (np.asarray(store.get("town").participants) < 100).any()


def test_samples_of_a_person_are_told(store):
    assert samples_of(store.root.path, "town", "P002") == []
    store.folder.mkdir(exist_ok=True)
    path = store.folder / "samples.csv"
    path.write_text("set,sample_id,people,identifier\narray,S7,town,P002\narray,S8,town,P003\n")
    assert samples_of(store.root.path, "town", "P002") == [("array", "S7")]
    path.write_text("a,b\n")
    with pytest.raises(FormatError, match="set,sample_id,people,identifier"):
        samples_of(store.root.path, "town", "P002")
