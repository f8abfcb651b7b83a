"""Parquet files with types of their own."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nexome.formats.cohorts import open_cohort, parquet
from nexome.model.errors import FormatError
from tests.formats.cohorts.reading import at, read_all, told, variable, written


def test_types_come_from_the_file(tmp_path):
    table = pa.table(
        {
            "id": ["a", "b", "c"],
            "n": pa.array([1, None, 3], pa.int16()),
            "x": [0.5, 1.5, None],
            "money": [Decimal("1.10"), None, Decimal("2.20")],
            "sex": pa.array(["m", "f", "m"]).dictionary_encode(),
            "ok": [True, None, False],
            "day": [date(2020, 1, 31), None, date(2021, 1, 1)],
            "many": [[1], [2], [3]],
        }
    )
    path = tmp_path / "c.parquet"
    pq.write_table(table, path)
    with open_cohort(path) as reader:
        kinds = {v.name: v.type for v in reader.dictionary}
        sample = reader.sample(2)
    assert kinds == {
        "id": "text", "n": "integer", "x": "decimal", "money": "decimal", "sex": "category", "ok": "boolean",
        "day": "date",
    }  # fmt: skip
    assert sample.num_rows == 2
    values, problems, _, notes = read_all(path)
    assert values["n"] == [1, None, 3]
    assert values["money"] == [1.1, None, 2.2]
    assert values["sex"] == ["m", "f", "m"]
    assert values["day"][0] == at(2020, 1, 31)
    assert notes == ["Columns of lists or records are not read: many."]
    assert not problems


def test_a_dictionary_types_it_anew_over_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_CELLS", 1)
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table({"x": [float(i) for i in range(2500)], "t": [str(i) for i in range(2500)]}), path)
    sex = variable("x", "category", codes=tuple(map(str, range(2499))))
    with open_cohort(path) as reader:
        tables = list(reader.read(type(reader.dictionary)((sex, variable("t", "integer", missing=("7",))))))
    assert len(tables) == 3
    assert tables[1].lines[0] == 1001
    assert told(list(tables[2].problems)) == [("x", "a code that the dictionary does not have", [2500])]
    assert tables[0].codes["t"].to_pylist()[7] == "7"
    assert tables[0].table["t"].to_pylist()[6:9] == [6, None, 8]


def test_a_damaged_or_empty_file_is_refused(tmp_path):
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), path)
    with pytest.raises(FormatError, match="no rows"):
        read_all(path)
    pq.write_table(pa.table({"x": [1, 2]}), path)
    cut = written(tmp_path / "cut.parquet", path.read_bytes()[:-20])
    with pytest.raises(FormatError, match="not a whole Parquet file"):
        open_cohort(cut)
