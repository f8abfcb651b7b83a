"""Tables as JSON, TSV and Arrow, and which of them a request gets."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import QueryError
from nexome.web.api.encode import (
    ARROW,
    JSON,
    TSV,
    NotAcceptable,
    choose_format,
    encode_record,
    encode_table,
    table_as_json,
    table_as_tsv,
)

TABLE = pa.table(
    {
        "trait": pa.array(["height", "身高", None]).dictionary_encode(),
        "beta": pa.array([0.1, float("nan"), float("inf")], pa.float32()),
        "p_value": pa.array([1e-300, 0.5, None], pa.float64()),
        "base_pair_location": pa.array([1, None, 4_000_000_000], pa.uint32()),
        "certain": pa.array([True, None, False]),
    }
)


def test_json_is_columns_and_missing_is_null():
    answer = json.loads(encode_table(TABLE, "json", meta={"sequence": 3}, next_url="/next"))
    assert answer["data"] == {
        "trait": ["height", "身高", None],
        "beta": [0.1, None, None],
        "p_value": [1e-300, 0.5, None],
        "base_pair_location": [1, None, 4_000_000_000],
        "certain": [True, None, False],
    }
    assert answer["meta"] == {"sequence": 3}
    assert answer["next"] == "/next"


@given(
    st.lists(st.tuples(st.text(), st.floats(width=32), st.integers(-(2**31), 2**31 - 1)), max_size=20),
    st.integers(1, 5),
)
def test_json_of_any_table_is_what_the_json_module_would_write(rows, parts):
    texts, floats, whole = zip(*rows, strict=True) if rows else ((), (), ())
    texts = [t.encode("utf-8", "ignore").decode() for t in texts]
    table = pa.table(
        {
            "text": pa.array(texts, pa.string()),
            "float": pa.array(floats, pa.float32()),
            "whole": pa.array(whole, pa.int32()),
        }
    )
    chunked = pa.concat_tables([table.slice(i, parts) for i in range(0, len(rows), parts)] or [table])
    read = json.loads(table_as_json(chunked))
    finite = [float(np.float32(f)) if np.isfinite(f) else None for f in floats]
    assert read["text"] == texts
    assert [None if f is None else np.float32(f) for f in read["float"]] == [
        None if f is None else np.float32(f) for f in finite
    ]
    assert read["whole"] == list(whole)


def test_tsv_is_plain_and_missing_is_empty():
    lines = table_as_tsv(TABLE).decode().split("\n")
    assert lines[0] == "trait\tbeta\tp_value\tbase_pair_location\tcertain"
    assert lines[1] == "height\t0.1\t1e-300\t1\ttrue"
    assert lines[2] == "身高\t\t0.5\t\t"
    assert lines[3] == "\t\t\t4000000000\tfalse"


def test_tsv_can_mark_the_missing():
    assert table_as_tsv(TABLE, missing="#NA").decode().split("\n")[3] == "#NA\t#NA\t#NA\t4000000000\tfalse"


def test_tsv_keeps_its_shape_whatever_a_text_holds():
    table = pa.table({"label": ['a "b"', "c\td", "e\nf"], "n": [1, 2, 3]})
    read = pd.read_csv(io.BytesIO(table_as_tsv(table)), sep="\t")
    assert read["n"].tolist() == [1, 2, 3]
    assert read["label"].tolist() == ["a  b ", "c d", "e f"]


def test_arrow_keeps_types_meaning_and_next():
    stream = pa.ipc.open_stream(encode_table(TABLE, "arrow", meta={"sequence": 3}, next_url=None))
    table = stream.read_all()
    assert table.schema.equals(TABLE.schema)
    assert repr(table.to_pydict()) == repr(TABLE.to_pydict())
    assert json.loads(table.schema.metadata[b"meta"]) == {"sequence": 3}
    assert json.loads(table.schema.metadata[b"next"]) is None


def test_a_record_has_the_same_frame():
    assert json.loads(encode_record({"a": np.float32(0.5)}, meta={})) == {
        "data": {"a": 0.5},
        "meta": {},
        "next": None,
    }


@pytest.mark.parametrize(
    ("accept", "asked", "expected"),
    [
        ("", None, "json"),
        ("*/*", None, "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None, "json"),
        (TSV, None, "tsv"),
        (ARROW, None, "arrow"),
        (f"{JSON};q=0.5, {TSV}", None, "tsv"),
        (f"{TSV};q=0, */*;q=0.1", None, "json"),
        (JSON, "arrow", "arrow"),
    ],
)
def test_format_is_chosen_by_parameter_then_accept(accept, asked, expected):
    assert choose_format(accept, asked) == expected


def test_a_format_we_do_not_write_is_said_so():
    assert choose_format("image/png", None) == NotAcceptable("image/png")
    with pytest.raises(QueryError, match="json, tsv or arrow"):
        choose_format("*/*", "xlsx")
