import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.harmonise.rules import CHANGED, DROPPED, Change, Drop
from nexome.ingest.tally import LISTED, LineList, Tally

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/formats/receipt.schema.json").read_text())
DOCS = (Path(__file__).parents[2] / "docs/import.md").read_text()
GOOD = ("1", 100, "A", "G", 0.2, 0.1, 0.3, 0.0455)


def test_a_receipt_is_what_the_schema_says(desk):
    rows = [GOOD, GOOD, ("1", 0, *GOOD[2:]), ("1", "x", *GOOD[2:]), (*GOOD[:6], 7, 0.5)]
    desk.run(desk.write(rows, name="rows.tsv.gz"), command="nexome import associations rows.tsv.gz")
    receipt = desk.receipt()
    jsonschema.validate(receipt, SCHEMA)
    assert receipt["repeat"] == "nexome import associations rows.tsv.gz"
    assert receipt["rows"]["in"] == 5
    assert receipt["rows"]["in"] == receipt["rows"]["kept"] + sum(r["count"] for r in receipt["dropped"])


def test_a_receipt_with_a_part_missing_is_refused(desk):
    desk.run(desk.write([GOOD]))
    receipt = desk.receipt()
    del receipt["source"]["sha256"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(receipt, SCHEMA)


def test_every_rule_has_a_meaning_and_stands_in_the_docs():
    assert set(DROPPED) == set(Drop) - {Drop.KEPT}
    assert set(CHANGED) == set(Change)
    for rule, meaning in [*DROPPED.items(), *CHANGED.items()]:
        assert f"| `{rule.label}` | {meaning} |" in DOCS


@given(st.lists(st.integers(1, 10**7), unique=True, max_size=50), st.integers(0, 1500), st.integers(0, 7))
def test_lines_are_listed_then_in_ranges(some, run, offset):
    lines = np.unique(np.array([*some, *range(20_000 + offset, 20_000 + offset + run)], np.uint64))
    kept = LineList()
    for part in np.array_split(lines[::-1], 3):
        kept.add(part)
    told = kept.as_dict()
    spelled = told["lines"] + [n for a, b in told["ranges"] for n in range(a, b + 1)]
    assert spelled == lines.tolist()
    assert (told["count"], told["unlisted"]) == (len(lines), 0)
    assert len(told["lines"]) == min(LISTED, len(lines))


def test_very_many_lines_are_counted_only():
    kept = LineList()
    kept.add(np.arange(1, 400_001, 2, dtype=np.uint64))
    told = kept.as_dict()
    assert told["count"] == 200_000
    assert told["unlisted"] == 200_000 - 1000 - sum(b - a + 1 for a, b in told["ranges"])


def test_a_tally_adds_up():
    tally = Tally()
    tally.rows_in = 4
    tally.drop_by(np.array([0, 1, 1, 3], np.uint8), np.array([2, 3, 4, 5], np.uint64))
    tally.keep(np.array([3], np.uint32), np.array([2], np.uint64))
    assert tally.rows_in == tally.kept + tally.dropped_count
    assert {n: r.count for n, r in tally.dropped.items()} == {"unreadable_cell": 2, "unknown_contig": 1}
    assert set(tally.changed) == {"effect_from_ratio", "standard_error_from_interval"}
