"""`nexome bench explorer`, tiny, as the command runs it, and the visits it is made of."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from nexome.bench.browsing_people import visit
from nexome.bench.browsing_site import Place, Site
from nexome.cli.bench import bench


@pytest.mark.slow
def test_a_tiny_run_measures_and_leaves_nothing(tmp_path):
    report, work = tmp_path / "explorer.json", tmp_path / "work"
    work.mkdir()
    words = ["explorer", "--features", "60000", "--traits", "8", "--panel-people", "60", "--people", "3"]
    words += ["--seconds", "6", "--think", "0.2", "--folder", str(work), "--json", str(report)]
    done = CliRunner().invoke(bench, words)
    assert done.exit_code == 0, done.output
    assert list(work.iterdir()) == []
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["kind"] == "nexome-bench-explorer"
    assert (found["errors"], found["first_error"]) == (0, "")
    rows = {row["kind"]: row for row in found["crowd"]}
    assert {"all", "home", "search", "study", "explorer", "explorer: points", "figure data"} <= rows.keys()
    assert rows["all"]["requests"] == sum(row["requests"] for kind, row in rows.items() if kind != "all")
    for row in rows.values():
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["max_ms"]
        assert f"| {row['kind']} |" in done.stdout


def test_a_visit_is_the_same_for_a_seed_and_ends_in_a_region_with_ld():
    place = Place("S00001", "2-5000000-A-G", "2:4500000-5500000", "GENE")
    site = Site((place,), ("S00001", "S00002"), ("GENE",))
    one, again = (list(visit(site, np.random.default_rng(5))) for _ in range(2))
    assert one == again
    pages = [step[0].kind for step in one]
    assert pages[:3] == ["home", "search", "study"]
    assert pages.count("explorer") == 4
    assert pages[-1] == "explorer, LD"
    assert all("ld=2-5000000-A-G" in request.path for request in one[-1][:2])
