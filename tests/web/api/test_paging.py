"""Cursors, and pages by position: put together they are the whole, in order, each row once."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import QueryError
from nexome.model.genome import Interval, assembly_from_contigs
from nexome.web.api.paging import Place, page_by_position, read_cursor, write_cursor

ASSEMBLY = assembly_from_contigs("toy", "", [("1", 10_000_000), ("2", 500_000)])
STRETCH = Interval(0, 1, 10_000_000)


def _rows(positions):
    order = sorted(positions)
    return pa.table(
        {
            "chromosome": pa.array(["1"] * len(order), pa.string()).dictionary_encode(),
            "base_pair_location": pa.array(order, pa.uint32()),
            "row": pa.array(range(len(order)), pa.int64()),
        }
    )


def _reader(whole):
    def read(interval):
        at = whole["base_pair_location"].to_pylist()
        inside = [i for i, p in enumerate(at) if interval.start <= p <= interval.end]
        # In two parts, as a store that answers in batches would.
        half = len(inside) // 2
        yield whole.take(pa.array(inside[:half], pa.int64()))
        yield whole.take(pa.array(inside[half:], pa.int64()))

    return read


@given(
    st.lists(st.integers(1, 300) | st.integers(1, 10_000_000), min_size=1, max_size=60),
    st.integers(1, 20),
)
def test_pages_put_together_are_the_whole(positions, rows):
    whole = _rows(positions)
    begin, seen, pages = None, [], 0
    while True:
        stretch = Interval(0, begin.position if begin else STRETCH.start, STRETCH.end)
        parts, behind = page_by_position(_reader(whole), stretch, begin=begin, rows=rows, assembly=ASSEMBLY)
        page = [row for part in parts for row in part["row"].to_pylist()]
        assert len(page) <= rows
        seen += page
        pages += 1
        if behind is None:
            break
        assert len(page) == rows
        begin = Place.from_cursor(behind.as_cursor(7), version=7)
    assert seen == list(range(len(positions)))
    assert pages == -(-len(positions) // rows)


def test_a_page_of_a_dense_region_reads_little_of_it():
    asked = []

    def read(interval):
        asked.append(interval)
        yield _rows(range(interval.start, min(interval.end, interval.start + 500)))

    page_by_position(read, STRETCH, begin=None, rows=10, assembly=ASSEMBLY)
    assert sum(i.end - i.start + 1 for i in asked) < 50_000


@pytest.mark.parametrize("text", ["", "x", "bm90IGpzb24", write_cursor(o="1"), write_cursor(x=1), "é"])
def test_a_cursor_nobody_gave_is_refused(text):
    with pytest.raises(QueryError, match="cursor"):
        read_cursor(text, o=int)


def test_a_cursor_of_an_older_version_is_refused():
    with pytest.raises(QueryError, match="published anew"):
        Place.from_cursor(Place(0, 5).as_cursor(1), version=2)


@given(st.binary(max_size=40))
def test_any_bytes_as_a_cursor_are_read_or_refused(raw):
    try:
        values = read_cursor(raw.decode("latin-1"), o=int)
    except QueryError:
        return
    assert set(values) == {"o"}
