"""The bench of cohorts, run small: what it makes is what it says, and every figure is there."""

import csv
import re

import numpy as np
import pytest

from nexome.access.centre import Centre
from nexome.bench import cohorts
from nexome.bench.made_cohort import CohortPlan, made_dictionary, made_mapping, write_csv
from nexome.ingest.mapping.reading import parse_mapping
from nexome.store.cohorts import CohortStore

PLAN = CohortPlan(people=1_000, variables=12)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    rows = write_csv(PLAN, folder / "made.csv")
    figures = cohorts.import_file(PLAN, folder / "made.csv", folder / "root")
    return folder, rows, figures


def test_the_file_is_the_plan(made):
    folder, rows, figures = made
    with (folder / "made.csv").open() as stream:
        lines = list(csv.reader(stream))
    assert lines[0] == [variable.name for variable in made_dictionary(PLAN)]
    assert len(lines) == rows + 1
    assert len({line[0] for line in lines[1:]}) == PLAN.people
    missing = np.mean([cell == "" for line in lines[1:] for cell in line[4:]])
    assert 0.03 < missing < 0.07
    assert figures["cells"] == rows * (PLAN.variables + 2)


@pytest.mark.parametrize("reader", cohorts.READERS)
def test_every_reader_is_asked_every_question(made, reader):
    figures = cohorts.ask(made[0] / "root", reader, 3)
    for name in ("count", "count_by_sex", "grouped_mean", "percentiles"):
        assert figures[f"{name}_p50_ms"] > 0
        if reader == "owner":
            assert figures[f"{name}_refused"] == {}


def test_questions_are_of_different_people(made):
    with Centre.open(made[0] / "root") as centre:
        view = centre.owner_view()
        counts = {cohorts._filter(turn): view.count("made", cohorts._filter(turn)).count for turn in range(9)}
    assert len(counts) == 9
    assert sum(counts.values()) > 0


def test_the_ledger_and_the_exports(made):
    ledger = cohorts.ask_ledger(made[0] / "root", questions=2_000)
    assert ledger["populations"] > 500
    exported = cohorts.export_twice(PLAN, made[0] / "root")
    assert exported["raw_export_cells_per_s"] > 0
    assert list(CohortStore.open(made[0] / "root").manifest().newest) == ["made"]


def test_the_mapping_of_the_bench_can_be_read():
    mapping = parse_mapping(made_mapping(PLAN))
    assert mapping.target.id == "made-harmonised"


def test_the_report_as_a_table():
    figures = {f"count_{name}": 1.0 for name in ("p50_ms", "p95_ms")}
    report = {
        "date": "2026-01-01",
        "command": "nexome bench cohorts",
        "machine": {"cpu": "a", "cores": 2},
        "plan": {"people": 10, "variables": 5},
        "held": {"rows": 12, "csv_bytes": 1, "root_bytes": 1},
        "goals": cohorts.GOALS,
        "import": {"import_cells_per_s": 6e6, "memory_bytes": 1},
        "readers": dict.fromkeys(cohorts.READERS, figures),
        "ledger": {"ledger_new_p50_ms": 1.5},
        "export": {"harmonised_of_raw_speed": 0.9},
        "reference": {"reference_build_s": 3.0, "memory_bytes": 5},
    }
    table = cohorts.as_markdown(report)
    assert re.search(r"\| count p50 ms \| 1.0 \| 1.0 \| 1.0 \| ≤ 60 \|", table)
    assert "| ledger new p50 ms | 1.5 | 5.0 |" in table
