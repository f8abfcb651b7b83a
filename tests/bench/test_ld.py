"""`nexome bench ld`, tiny, as the command runs it: its report and its cleaning up."""

import json

import pytest
from click.testing import CliRunner

from nexome.cli.bench import bench


@pytest.mark.slow
def test_a_tiny_run_measures_and_leaves_nothing(tmp_path):
    report = tmp_path / "ld.json"
    work = tmp_path / "work"
    work.mkdir()
    words = ["ld", "--people", "60", "--variants", "400", "--matrix", "20", "--rounds", "2"]
    done = CliRunner().invoke(bench, [*words, "--folder", str(work), "--json", str(report)])
    assert done.exit_code == 0, done.output
    assert list(work.iterdir()) == []
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["kind"] == "nexome-bench-ld"
    for part in ("view", "http"):
        for name, times in found[part].items():
            assert 0 < times["again_p50_ms"] <= times["again_p95_ms"]
            assert name in done.stdout
