"""The timing of a reference build runs, and tells what it built."""

from nexome.bench.reference import GOALS, build_once
from tests.access.reference.making import make_root, people


def test_a_build_is_timed(tmp_path):
    told = build_once(make_root(tmp_path / "root", people(1_500)), "town")
    assert told["variables"] == 4  # ldl, sbp, humps, change; heft tells of nobody
    assert told["reference_build_s"] > 0
    assert told["percentiles"] > 99
    assert set(told) & set(GOALS) == {"reference_build_s"}
