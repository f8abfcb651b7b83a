"""The table store: written, read, versions, packed form made again, withdrawn, cleaned."""

import shutil

import numpy as np
import pyarrow as pa
import pytest

from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.errors import InputError, NotFoundError
from nexome.store.cohorts import PARTICIPANT, CohortStore, columns
from nexome.store.root import create_root, load_assembly
from tests.store.cohorts.making import COHORT, DICTIONARY, rows


@pytest.fixture
def store(tmp_path):
    return CohortStore(create_root(tmp_path / "root", assembly=load_assembly("GRCh38")))


def publish(store, table, cohort=COHORT, dictionary=DICTIONARY, **options):
    with store.stage(cohort, dictionary) as staged:
        staged.add(table)
        return staged.publish({"rows": table.num_rows}, **options)


def utc(dates):
    return dates.cast(pa.timestamp("s", "UTC"))


def by_person(table, store, people="town"):
    """Plain rows keyed by participant and visit."""
    found = {}
    for row in table.to_pylist():
        key = row.pop(PARTICIPANT, None)
        key = store.participant_key(people, row.pop("pid")) if key is None else key
        found[key, row["visit"]] = row
    return found


def test_what_is_written_is_read(store):
    source = rows()
    made = publish(store, source)
    assert (made.rows, made.people, made.version) == (10, 5, 1)
    assert by_person(made.table(), store) == by_person(source, store)
    assert made.participants.tolist() == sorted(made.participants.tolist())
    assert made.table()[PARTICIPANT].to_pylist() == made.participants.tolist()
    assert made.receipt() == {"rows": 10}
    assert made.cohort == COHORT
    assert made.dictionary == DICTIONARY


def test_columns_are_the_table(store):
    made = publish(store, rows(people=40))
    table = made.table()
    for name in ("chol", "count", "visit"):
        expected = [np.nan if v is None else float(v) for v in table[name].to_pylist()]
        np.testing.assert_array_equal(made.column(name).values, expected)
    for name in ("sex", "note"):
        column = made.column(name)
        told = [None if code < 0 else column.categories[code] for code in column.values.tolist()]
        assert told == table[name].to_pylist()
    smokes = made.column("smokes")
    assert [None if c < 0 else bool(c) for c in smokes.values.tolist()] == table["smokes"].to_pylist()
    days = [np.nan if v is None else v.timestamp() / 86_400 for v in utc(table["born"]).to_pylist()]
    np.testing.assert_array_equal(made.column("born").values, days)
    assert made.column("born").missing.tolist() == [v is None for v in table["born"].to_pylist()]


def test_versions_stay_and_the_newest_answers(store):
    publish(store, rows(seed=1))
    publish(store, rows(seed=2, people=6))
    assert store.get("town").version == 2
    assert store.get("town", 1).people == 5
    assert [e.people for e in store.cohorts()] == [6]
    with pytest.raises(NotFoundError, match="no version 3"):
        store.get("town", 3)


def test_packed_form_is_made_again(store):
    made = publish(store, rows())
    before = {v.name: made.column(v.name).values.tolist() for v in made.variables}
    shutil.rmtree(store.folder / "packed")
    again = CohortStore.open(store.root.path).get("town")
    after = {v.name: again.column(v.name).values.tolist() for v in again.variables}
    assert str(before) == str(after)
    assert (store.folder / "packed" / "town" / "1").is_dir()


def test_missing_codes_are_kept_beside(store):
    table = rows(people=3, visits=1).drop_columns(["visit"])
    table = table.append_column("visit", pa.array([0, 0, 0], pa.int64()))
    nulls = table.set_column(table.column_names.index("chol"), "chol", pa.nulls(3, pa.float64()))
    codes = pa.table({"row": [1], "variable": ["chol"], "code": ["-9"]})
    with store.stage(COHORT, DICTIONARY) as staged:
        staged.add(nulls, codes)
        made = staged.publish({})
    found, code = made.missing_of("chol")
    person = store.participant_key("town", table["pid"][1].as_py())
    assert made.participants[found].tolist() == [person]
    assert code.to_pylist() == ["-9"]


def test_same_people_have_the_same_key(store):
    first = publish(store, rows(), Cohort("one", people="county"))
    second = publish(store, rows(seed=3), Cohort("two", people="county"))
    alone = publish(store, rows(seed=4), Cohort("three"))
    assert set(first.participants) == set(second.participants)
    assert not set(first.participants) & set(alone.participants)


def test_repeated_rows_are_refused_unless_one_is_chosen(store):
    source = rows(people=2, visits=1)
    twice = pa.concat_tables([source, source.set_column(3, "chol", pa.array([1.0, 2.0]))])
    with store.stage(COHORT, DICTIONARY) as staged:
        staged.add(twice)
        assert staged.repeats().tolist() == [2, 3]
        with pytest.raises(InputError, match="2 rows repeat"):
            staged.publish({})
    assert not store.cohorts()
    assert by_person(publish(store, twice, keep="first").table(), store) == by_person(source, store)
    assert sorted(publish(store, twice, keep="last").table()["chol"].to_pylist()) == [1.0, 2.0]


def test_what_does_not_fit_is_refused_without_a_value(store):
    wrong = rows().set_column(3, "chol", pa.array(["secret"] * 10))
    with store.stage(COHORT, DICTIONARY) as staged, pytest.raises(InputError) as raised:
        staged.add(wrong)
    assert "secret" not in str(raised.value)
    assert "chol" in str(raised.value)
    unknown = rows().set_column(2, "sex", pa.array(["secret"] * 10))
    with store.stage(COHORT, DICTIONARY) as staged, pytest.raises(InputError) as raised:
        staged.add(unknown)
    assert "secret" not in str(raised.value)
    with pytest.raises(InputError, match="without codes"):
        store.stage(COHORT, Dictionary((Variable("a", "category"),)))


def test_a_cohort_withdrawn_leaves_no_file(store):
    publish(store, rows())
    publish(store, rows(seed=1))
    store.withdraw("town", reason="asked")
    assert not store.cohorts()
    assert not list(store.folder.rglob("*.parquet"))
    assert publish(store, rows()).version == 3


def test_clean_removes_what_nothing_names(store):
    publish(store, rows())
    stray = store.folder / "town" / "7"
    stray.mkdir()
    assert store.clean() == ["town/7"]
    assert store.get("town").rows == 10


def test_tables_larger_than_memory_wait_in_files(store, monkeypatch):
    small = publish(store, rows(people=30))
    monkeypatch.setattr(columns, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(columns, "GROUP_BYTES", 1_000)
    assert len(list(columns.grouped_names(["a", "b", "c"], 60 * 8))) == 2
    large = publish(store, rows(people=30))
    assert large.table().equals(small.table())
    assert (large.path / "values.parquet").read_bytes() == (small.path / "values.parquet").read_bytes()
    assert not list((store.folder / "staging").glob("*"))
