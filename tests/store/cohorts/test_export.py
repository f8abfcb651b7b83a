"""A version as CSV, TSV, Parquet: what was imported comes back."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from nexome.model.errors import InputError, NotFoundError
from nexome.store.cohorts import CohortStore
from nexome.store.cohorts.export import export_cohort
from nexome.store.root import create_root, load_assembly
from tests.store.cohorts.making import COHORT, DICTIONARY, rows


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "root"
    return CohortStore(create_root(path, assembly=load_assembly("GRCh38")))


def publish(store, table, missing=None):
    with store.stage(COHORT, DICTIONARY) as staged:
        staged.add(table, missing)
        return staged.publish({})


def by_row(table):
    return sorted(table.to_pylist(), key=lambda row: (row["pid"], row["visit"]))


def test_parquet_gives_the_source_back(store, tmp_path):
    source = rows(people=20)
    made = publish(store, source)
    (path,) = export_cohort(store.root.path, made, tmp_path / "out.parquet", identifiers=True)
    assert by_row(pq.read_table(path)) == by_row(source)
    assert path.stat().st_mode & 0o077 == 0


def test_text_gives_the_source_back_with_its_missing_codes(store, tmp_path):
    source = rows(people=20)
    where = pc.indices_nonzero(pc.is_null(source["chol"])).to_pylist()[:2]
    codes = pa.table({"row": where, "variable": ["chol"] * 2, "code": ["-9"] * 2})
    made = publish(store, source, codes)
    for name, delimiter in (("out.csv", ","), ("out.tsv", "\t")):
        (path,) = export_cohort(store.root.path, made, tmp_path / name, identifiers=True)
        told = csv.read_csv(
            path,
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(column_types={"chol": pa.string(), "sex": pa.string()}),
        )
        assert told.column_names == source.column_names
        back = {(r["pid"], r["visit"]): r for r in told.to_pylist()}
        for at, row in enumerate(source.to_pylist()):
            found = back[row["pid"], row["visit"]]
            expected = "-9" if at in where else "" if row["chol"] is None else f"{row['chol']:g}"
            assert found["chol"] == expected
            assert found["sex"] == (row["sex"] or "")
            assert found["smokes"] == row["smokes"]
            assert found["born"] == (row["born"].date() if row["born"] else None)


def test_people_stand_by_their_keys_unless_asked(store, tmp_path):
    made = publish(store, rows())
    (path,) = export_cohort(store.root.path, made, tmp_path / "out.csv", names=["chol"])
    lines = path.read_text().splitlines()
    assert lines[0].replace('"', "") == "participant_key,chol"
    assert [line.split(",")[0].strip('"') for line in lines[1:]] == [
        f"{key:016x}" for key in made.participants.tolist()
    ]
    assert "P00" not in path.read_text()


def test_missing_codes_of_parquet_are_in_a_second_file(store, tmp_path):
    source = rows(people=2, visits=1)
    source = source.set_column(3, "chol", pa.array([None, 2.0], pa.float64()))
    made = publish(store, source, pa.table({"row": [0], "variable": ["chol"], "code": ["-9"]}))
    paths = export_cohort(store.root.path, made, tmp_path / "out.parquet")
    assert [p.name for p in paths] == ["out.parquet", "out.missing.parquet"]
    assert pq.read_table(paths[1])["code"].to_pylist() == ["-9"]


def test_what_cannot_be_written_is_told(store, tmp_path):
    made = publish(store, rows())
    with pytest.raises(InputError, match=r"\.csv, \.tsv or \.parquet"):
        export_cohort(store.root.path, made, tmp_path / "out.sav")
    with pytest.raises(NotFoundError, match="no variable 'nothing'"):
        export_cohort(store.root.path, made, tmp_path / "out.csv", names=["nothing"])
    with pytest.raises(InputError, match="pid identifies people"):
        export_cohort(store.root.path, made, tmp_path / "out.csv", names=["pid"])


NUMBERS = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.decimals(-1_000, 1_000, places=3, allow_nan=False).map(float),
)
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            NUMBERS,
            TEXTS,
            st.sampled_from([None, "1", "2"]),
            st.sampled_from([None, True, False]),
            st.one_of(st.none(), st.integers(-(2**53), 2**53)),
            st.one_of(st.none(), st.integers(-(10**10), 10**10)),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_table_comes_back_from_the_columns_and_the_parquet(store, tmp_path_factory, drawn):
    chol, note, sex, smokes, count, born = zip(*drawn, strict=True)
    table = pa.table(
        {
            "pid": [f"P{n:02}" for n in range(len(drawn))],
            "visit": pa.array([0] * len(drawn), pa.int64()),
            "sex": pa.array(sex, pa.string()),
            "chol": pa.array(chol, pa.float64()),
            "smokes": pa.array(smokes, pa.bool_()),
            "born": pa.array(born, pa.int64()).cast(pa.timestamp("s")),
            "note": pa.array(note, pa.string()),
            "count": pa.array(count, pa.int64()),
        }
    )
    made = publish(store, table)
    path = tmp_path_factory.mktemp("round") / "out.parquet"
    export_cohort(store.root.path, made, path, identifiers=True)
    told = pq.read_table(path).sort_by("pid")
    for name in table.column_names:
        expected = table[name].cast(pa.timestamp("ms")) if name == "born" else table[name]
        assert told[name].cast(expected.type).to_pylist() == expected.to_pylist()
    order = {key: at for at, key in enumerate(made.participants.tolist())}
    place = [order[store.participant_key("town", f"P{n:02}")] for n in range(len(drawn))]
    for name, values in (("chol", chol), ("count", count)):
        column = made.column(name)
        found = [None if column.missing[at] else float(column.values[at]) for at in place]
        assert found == [None if v is None else float(v) for v in values]
    days = made.column("born")
    assert [None if days.missing[at] else round(days.values[at] * 86_400) for at in place] == list(born)
