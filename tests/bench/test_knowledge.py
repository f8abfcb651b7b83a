"""`nexome bench knowledge`, tiny, as the command runs it: its report and its cleaning up."""

import json

import pytest
from click.testing import CliRunner

from nexome.cli.bench import bench


@pytest.mark.slow
def test_a_tiny_run_measures_and_leaves_nothing(tmp_path):
    report, work = tmp_path / "knowledge.json", tmp_path / "work"
    work.mkdir()
    words = ["knowledge", "--edges", "5000", "--rounds", "10", "--folder", str(work), "--json", str(report)]
    done = CliRunner().invoke(bench, words)
    assert done.exit_code == 0, done.output
    assert list(work.iterdir()) == []
    found = json.loads(report.read_text(encoding="utf-8"))
    assert set(found["goals"]) <= set(found["figures"])
    assert all(value > 0 for value in found["figures"].values())
    assert 4_000 < found["held"]["edges"] <= 5_000
