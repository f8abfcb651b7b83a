"""The whole bench, tiny, as the command runs it: its report, its cleaning up, its refusals."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from nexome.bench.associations import Plan, run
from nexome.bench.machine import PROGRAM, describe_machine, in_own_process
from nexome.bench.ours import Asking, readable_studies
from nexome.bench.peers import PEERS
from nexome.bench.questions import QUESTIONS
from nexome.bench.report import as_markdown
from nexome.cli.bench import bench
from nexome.model.errors import InputError, SpaceError

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "formats" / "bench.schema.json").read_text(encoding="utf-8")
)
QUICK = Asking(warm_rounds=3, cold_rounds=1, budget_s=1.0)
INSTALLED = tuple(name for name, peer in PEERS.items() if not peer.missing())


@pytest.mark.slow
def test_a_tiny_run_of_everything_gives_a_valid_report_and_leaves_nothing(tmp_path):
    plan = Plan(2_000, 8, peers=INSTALLED, single_imports=4, http_s=1.0, import_rows=1_000, asking=QUICK)
    said = []
    report = run(plan, tmp_path, say=said.append, command="nexome bench associations …")
    report = json.loads(json.dumps(report))
    jsonschema.validate(report, SCHEMA)
    assert list(tmp_path.iterdir()) == []
    assert [t["question"] for t in report["warm"]] == [q.name for q in QUESTIONS]
    assert {p["name"]: p["differs"] for p in report["peers"]} == dict.fromkeys(INSTALLED, "")
    assert report["http"]["errors"] == 0
    assert report["single_imports"]["compaction"]["read_errors"] == []
    assert report["text_import"]["rows"] == 1_000
    text = as_markdown(report)
    for question in QUESTIONS:
        assert question.text in text
    assert said


def test_the_command_prints_tables_and_writes_the_json(tmp_path):
    file = tmp_path / "report.json"
    arguments = ["associations", "--features", "1000", "--traits", "3", "--rounds", "2", "--cold-rounds", "1"]
    result = CliRunner().invoke(bench, [*arguments, "--folder", str(tmp_path), "--json", str(file)])
    assert result.exit_code == 0, result.output
    report = json.loads(file.read_bytes())
    jsonschema.validate(report, SCHEMA)
    assert "bytes a cell" in result.output
    assert report["peers"] == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.json"]


def test_the_disk_is_looked_at_first(tmp_path):
    with pytest.raises(SpaceError, match="free"):
        run(Plan(10**12, 1_000), tmp_path, say=print)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing(tmp_path):
    command = [*PROGRAM, "bench", "associations", "--features", "200000", "--traits", "100"]
    with subprocess.Popen(
        [*command, "--folder", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("*/root/root.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(tmp_path.iterdir()), "the run never began"
        os.kill(process.pid, signal.SIGTERM)
        process.wait(60)
    assert list(tmp_path.iterdir()) == []
    assert process.returncode != 0


@pytest.mark.parametrize(("shape", "peers"), [((10, 10), ()), ((10_000, 1), ()), ((10_000, 10), ("oracle",))])
def test_a_plan_that_makes_no_sense_is_refused(shape, peers):
    with pytest.raises(InputError):
        Plan(*shape, peers=peers)


def test_one_study_in_a_hundred_is_private_and_one_at_least():
    assert len(readable_studies(1_000)) == 990
    assert len(readable_studies(5)) == 4


def test_the_machine_is_described(tmp_path):
    machine = describe_machine(tmp_path)
    jsonschema.validate(machine, SCHEMA["properties"]["machine"])
    assert machine["cpu"]
    assert machine["versions"]["numpy"]


def test_the_peak_memory_is_that_of_the_work_alone():
    # A built-in does the work: the fresh process cannot import a test.
    small, large = (in_own_process(eval, f"len(b'x' * ({n} << 20))").peak_memory_bytes for n in (1, 300))
    assert 290 << 20 < large - small < 320 << 20
