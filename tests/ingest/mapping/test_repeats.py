"""Persons found twice, against a plain count over lists."""

from __future__ import annotations

import gzip
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.mapping.repeats import find_repeats
from nexome.model.errors import InputError

cells = st.one_of(st.none(), st.integers(0, 2))
rows = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), cells, cells), max_size=14)


def plain_counts(given_rows: list[tuple]) -> dict[str, int]:
    """The same counts by sorting rows into lists."""
    people: dict[object, list[tuple]] = defaultdict(list)
    for number, (identifier, *content) in enumerate(given_rows):
        people[identifier if identifier is not None else number].append(tuple(content))
    return {
        "rows": len(given_rows),
        "identifiers": len(people),
        "repeated": sum(len(held) > 1 for held in people.values()),
        "copies": sum(len(held) - len(set(held)) for held in people.values()),
        "differing": sum(len(set(held)) > 1 for held in people.values()),
        "largest": max((len(held) for held in people.values()), default=0),
    }


@given(rows)
def test_counts_are_those_of_a_plain_count(given_rows: list[tuple]) -> None:
    columns = list(zip(*given_rows, strict=True)) or [(), (), ()]
    table = pa.table(
        {
            "id": pa.array(columns[0], pa.string()),
            "x": pa.array(columns[1], pa.int64()),
            "y": pa.array(columns[2], pa.int64()),
        }
    )
    found = find_repeats(table, "id")
    expected = plain_counts(given_rows)
    assert {name: found.as_dict()[name] for name in expected} == expected
    assert int((~found.first).sum()) == found.copies


def test_equal_rows_under_two_identifiers_count_only_where_chance_does_not_explain_them() -> None:
    measured = [
        {
            "id": str(i),
            "sex": i % 2,
            "height": i * 7919 % 400,
            "weight": i * 13 % 401,
            "glucose": i * 31 % 397,
        }
        for i in range(400)
    ]
    twin = dict(measured[17]) | {"id": "another"}
    found = find_repeats(pa.Table.from_pylist([*measured, twin]), "id")
    assert (found.twins, found.twin_rows, found.copies) == (1, 2, 0)
    sexes = pa.Table.from_pylist([{"id": r["id"], "sex": r["sex"]} for r in measured])
    assert find_repeats(sexes, "id").twins == 0


def test_columns_that_differ_within_a_person_are_named() -> None:
    table = pa.table({"id": [1, 1, 2, 2], "age": [40, 40, 50, 50], "days": [1, 2, 3, 3]})
    found = find_repeats(table, "id")
    assert (found.differing, found.differs, found.copies) == (1, (("days", 1),), 1)


def test_an_absent_identifier_is_refused() -> None:
    with pytest.raises(InputError, match="no column 'key'"):
        find_repeats(pa.table({"id": [1]}), "key")


@pytest.mark.shared
def test_nhanes_repeats_people_and_some_of_them_differ_in_one_column(shared: Path) -> None:
    # zcat nhanes_2009_2012.csv.gz | cut -d, -f1 | tail -n +2 | sort -u | wc -l    6779
    # zcat nhanes_2009_2012.csv.gz | tail -n +2 | sort -u | wc -l                   7832
    with gzip.open(shared / "phenotypes" / "nhanes_2009_2012.csv.gz") as stream:
        found = find_repeats(pa.csv.read_csv(stream), "ID")
    assert (found.rows, found.identifiers, found.repeated) == (10_000, 6_779, 2_133)
    assert (found.copies, found.largest, found.twins) == (2_168, 8, 0)
    assert (found.differing, found.differs) == (818, (("PhysActiveDays", 818),))


@pytest.mark.shared
def test_four_patients_of_the_korean_table_stand_in_it_twice(shared: Path) -> None:
    with gzip.open(shared / "phenotypes" / "acs_korea_mgdl.csv.gz") as stream:
        table = pa.csv.read_csv(stream)
    found = find_repeats(table.append_column("row", pa.array(range(table.num_rows))), "row")
    assert (found.rows, found.twins, found.twin_rows) == (857, 4, 8)
