"""Receipts of cohorts stay small, and no cell goes uncounted."""

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.cohorts.cell_tally import CellTally, Rule

LINES = st.lists(st.integers(2, 3_000), unique=True, min_size=1, max_size=1_500)


@given(lines=LINES)
def test_lines_of_a_rule_are_bounded_and_add_up(lines):
    tally = CellTally()
    tally.count(Rule("c.csv", "chol", "missing_code"), np.sort(np.array(lines, np.uint64)))
    (told,) = tally.rules()
    assert told["count"] == len(lines)
    assert told["lines"] == sorted(lines)[:100]
    assert len(told["ranges"]) <= 100
    listed = [line for a, b in told["ranges"] for line in range(a, b + 1)]
    assert listed == sorted(lines)[100 : 100 + len(listed)]
    assert len(told["lines"]) + len(listed) + told["unlisted"] == len(lines)


def test_very_many_rules_tell_their_first_line_alone():
    tally = CellTally()
    lines = np.arange(2, 502, 2, dtype=np.uint64)
    for column in range(3_000):
        tally.count(Rule("c.csv", f"c{column}", "missing_code"), lines)
    rules = tally.rules()
    assert {len(r["lines"]) for r in rules[:1_000]} == {100}
    assert {(len(r["lines"]), r["unlisted"], r["count"]) for r in rules[1_000:]} == {(1, 249, 250)}
    assert len(orjson.dumps(rules)) < 3_000_000
