"""Every field is declared once, and numbers of measures keep their digits."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from nexome.model import fields
from nexome.model.fields import schema_of


def test_no_field_is_declared_twice() -> None:
    counts = Counter(field.name for field in fields._ALL)
    assert [name for name, times in counts.items() if times > 1] == []


def test_a_count_of_bytes_keeps_its_digits() -> None:
    table = pa.table([pa.array([123_456_789_012.0])], schema=schema_of(["value"]))
    assert table["value"].to_pylist() == [123_456_789_012.0]
