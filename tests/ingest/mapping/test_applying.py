"""Visits combined and persons counted once, against a plain oracle that takes one row at a time."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.ingest.mapping.applying import combine_column, decimals_of, starts_of
from nexome.ingest.mapping.reading import parse_mapping
from nexome.ingest.mapping.run import harmonise
from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.expressions import Column
from nexome.store.cohorts import CohortStore
from nexome.store.root import create_root, load_assembly
from tests.ingest.mapping.making import add

cells = st.lists(
    st.tuples(st.integers(0, 5), st.none() | st.integers(-3, 3), st.none() | st.integers(0, 9)),
    min_size=1,
    max_size=25,
)


def plain(how, values):
    """The answer of one person's visits, in order; each a value and its distance."""
    held = [(value, far) for value, far in values if value is not None]
    if how == "count":
        return len(held)
    if not held:
        return None
    numbers = [value for value, _ in held]
    if how in {"first", "last"}:
        return numbers[0 if how == "first" else -1]
    if how == "nearest":
        return min(held, key=lambda pair: np.inf if pair[1] is None else pair[1])[0]
    return {"mean": np.mean, "median": np.median, "min": min, "max": max}[how](numbers)


@pytest.mark.parametrize("how", ["first", "last", "nearest", "count", "mean", "median", "min", "max"])
@given(cells)
def test_visits_combined_as_one_by_one(how, rows):
    rows = sorted(rows, key=lambda row: row[0])  # stable: visits keep their order
    keys = np.array([row[0] for row in rows], np.uint64)
    values = np.array([np.nan if row[1] is None else row[1] for row in rows], float)
    distance = np.array([np.inf if row[2] is None else row[2] for row in rows], float)
    found = combine_column(Column(values, np.isnan(values)), starts_of(keys), how, distance)
    expected = [plain(how, [row[1:] for row in rows if row[0] == key]) for key in sorted(set(keys.tolist()))]
    assert [None if m else v for v, m in zip(found.values.tolist(), found.missing.tolist(), strict=True)] == [
        None if e is None else pytest.approx(e) for e in expected
    ]


@given(st.lists(st.integers(-99_999, 99_999), min_size=1), st.integers(0, 6))
def test_decimals_are_those_that_were_written(digits, decimals):
    values = np.array([round(d / 10**decimals, decimals) for d in digits])
    found = decimals_of(values)
    assert found <= decimals
    assert (np.round(values * 10.0**found) / 10.0**found == values).all()


def test_a_third_has_no_decimals():
    assert decimals_of(np.array([1 / 3])) is None
    assert decimals_of(np.array([])) == 0


SOURCE = Dictionary(
    (
        Variable("pid", "text", role="participant"),
        Variable("x", "integer"),
        Variable("y", "integer"),
        Variable("z", "integer"),
    )
)


@pytest.mark.parametrize("keep", ["first", "last", "fullest"])
@settings(max_examples=12)  # each writes two cohorts
@given(st.lists(st.tuples(*[st.none() | st.integers(0, 2)] * 3), min_size=1, max_size=12))
def test_the_same_person_twice_is_one_row(tmp_path_factory, keep, rows):
    root = create_root(tmp_path_factory.mktemp("same") / "root", assembly=load_assembly("GRCh38"))
    store = CohortStore(root)
    columns = dict(zip("xyz", map(list, zip(*rows, strict=True)), strict=True))
    table = add(store, Cohort("one"), SOURCE, {"pid": [str(i) for i in range(len(rows))], **columns})
    text = (
        "target: out\nvariables: {z: {type: integer}}\n"
        f"sources: {{one: {{same_persons: {{columns: [x, y], keep: {keep}}}, variables: {{z: z}}}}}}\n"
    )
    done = harmonise(root, parse_mapping(text))
    order = [row["participant_key"] for row in table.table().to_pylist()]
    kept = plain_persons(table.table().to_pylist(), keep)
    assert done.table.participants.tolist() == [order[place] for place in kept]
    assert done.receipt["sources"][0]["rows"]["the same person again"] == len(rows) - len(kept)


def plain_persons(rows, keep):
    chosen = {}
    for place, row in enumerate(rows):
        key = ("alone", place) if row["x"] is None or row["y"] is None else (row["x"], row["y"])
        chosen.setdefault(key, []).append(place)
    kept = []
    for places in chosen.values():
        filled = [sum(rows[place][name] is not None for name in "xyz") for place in places]
        kept.append(
            {"first": places[0], "last": places[-1], "fullest": places[filled.index(max(filled))]}[keep]
        )
    return sorted(kept)


def test_the_visit_nearest_to_a_day(tmp_path):
    root = create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))
    dictionary = Dictionary(
        (
            Variable("pid", "text", role="participant"),
            Variable("visit", "integer", role="visit"),
            Variable("when", "date", role="date"),
            Variable("x", "decimal"),
        )
    )
    days = [date(2009, 1, 1), date(2010, 1, 1), date(2011, 6, 1), None]
    add(
        CohortStore(root),
        Cohort("one"),
        dictionary,
        {
            "pid": ["a"] * 4,
            "visit": [1, 2, 3, 4],
            "when": pa.array(days, pa.date32()).cast(pa.timestamp("s")),
            "x": [1.0, None, 3.0, 4.0],
        },
    )
    rule = "sources: {one: {combine: nearest, nearest: 2010-02-01, variables: {x: x}}}\n"
    text = "target: out\nvariables: {x: {type: decimal}}\n" + rule
    done = harmonise(root, parse_mapping(text))
    assert done.table.column("x").values.tolist() == [
        1.0
    ]  # the nearest has no value, the next but one is farther
