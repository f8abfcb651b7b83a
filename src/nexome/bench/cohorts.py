"""How quick questions over people are: a made cohort of any size, imported from CSV and asked through a View.

Each kind of reader is asked in a process of its own, disclosure control on: the owner, a controlled reader
with ledger and audit, an anonymous reader on the grid. Every question has another population (limits, sexes
and categories turn about), so that nothing is answered from an earlier one; the first, which opens files and
compiles, is told apart. Refusals of the controlled reader are counted, and timed with the rest.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.access.centre import Centre
from nexome.access.disclosure import rules_of
from nexome.access.identity import GrantLevel, Principal
from nexome.access.policy import project_subject
from nexome.access.view import View
from nexome.bench.machine import describe_machine, folder_bytes, in_own_process
from nexome.bench.made_cohort import (
    COHORT,
    TARGET,
    CohortPlan,
    made_dictionary,
    made_mapping,
    write_csv,
)
from nexome.bench.reference import GOALS as REFERENCE_GOALS
from nexome.bench.reference import build_once
from nexome.ingest.cohorts.requests import CohortRequest
from nexome.ingest.cohorts.run import import_cohort
from nexome.ingest.mapping.reading import parse_mapping
from nexome.ingest.mapping.run import harmonise
from nexome.methods.populations import GROUPS
from nexome.model.errors import RefusedError
from nexome.store.cohorts import CohortStore, CohortTable
from nexome.store.cohorts.export import export_cohort
from nexome.store.ledger import Ledger, open_project
from nexome.store.root import create_root, load_assembly, open_root

READERS: Final = ("owner", "controlled", "grid")
GOALS: Final = {
    "import_cells_per_s": 5_000_000.0,
    "count_p50_ms": 60.0,
    "grouped_mean_p50_ms": 150.0,
    "ledger_new_p50_ms": 5.0,
    "harmonised_of_raw_speed": 0.5,
    **REFERENCE_GOALS,
}
PROJECTS: Final = ("count", "by-sex", "mean", "percent")
TABLES_MOST: Final = 15  # of 57 populations each: what a project's ledger holds
READER: Final = "bench-reader"
_LIMITS: Final = (1.4, 1.8, 2.6, 3.4, 4.1, 4.9)
_PRESSURES: Final = (110, 120, 130, 140, 150, 160)


def run(
    plan: CohortPlan, folder: Path, *, rounds: int, say: Callable[[str], None], command: str
) -> dict[str, Any]:
    """Make the cohort in a new folder below `folder`, import, ask, remove it; the report as JSON values."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="nexome-bench-cohorts-") as name:
        place = Path(name)
        say(f"writing {plan.people:,} people × {plan.variables:,} variables as CSV")
        file = place / "made.csv"
        rows = write_csv(plan, file)
        say("importing")
        imported = in_own_process(import_file, plan, file, place / "root")
        held = {"rows": rows, "csv_bytes": file.stat().st_size}
        file.unlink()
        held["root_bytes"] = folder_bytes(place / "root")
        readers: dict[str, Any] = {}
        for reader in READERS:
            say(f"asking as {reader}")
            measured = in_own_process(ask, place / "root", reader, rounds)
            readers[reader] = measured.value | {"memory_bytes": measured.peak_memory_bytes}
        say("filling the ledger of a project")
        ledger = in_own_process(ask_ledger, place / "root")
        say("exporting, harmonising, exporting what was harmonised")
        exported = in_own_process(export_twice, plan, place / "root")
        say("building a reference set")
        reference = in_own_process(build_once, place / "root", COHORT.id)
    return {
        "kind": "nexome-bench-cohorts",
        "version": 1,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "machine": describe_machine(folder),
        "plan": asdict(plan) | {"rounds": rounds},
        "goals": GOALS,
        "held": held,
        "import": imported.value | {"memory_bytes": imported.peak_memory_bytes},
        "readers": readers,
        "ledger": ledger.value | {"memory_bytes": ledger.peak_memory_bytes},
        "export": exported.value | {"memory_bytes": exported.peak_memory_bytes},
        "reference": reference.value | {"memory_bytes": reference.peak_memory_bytes},
    }


def import_file(plan: CohortPlan, file: Path, root: Path) -> dict[str, float]:
    """Import a CSV into a new root through the public import; seconds and cells a second."""
    create_root(root, assembly=load_assembly("GRCh38"))
    request = CohortRequest((file,), COHORT, made_dictionary(plan))
    began = time.perf_counter()
    report = import_cohort(open_root(root), request)
    seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 2),
        "cells": report.cells,
        "import_cells_per_s": round(report.cells / seconds),
    }


def ask(root: Path, reader: str, rounds: int) -> dict[str, Any]:
    """The questions of one reader, timed: p50 and p95 in ms, the first, and what was refused why."""
    with Centre.open(root) as centre:
        view, how = _view(centre, reader)
        questions: dict[str, Callable[[int], Any]] = {
            "count": lambda turn: view.count("made", _filter(turn), **how("count")),
            "count_by_sex": lambda turn: view.count("made", _filter(turn), ["sex"], **how("by-sex")),
            "grouped_mean": lambda turn: view.means("made", *_mean(turn), ["sex", "age"], **how("mean")),
            "percentiles": lambda turn: view.percentiles("made", *_mean(turn), ["sex"], **how("percent")),
        }
        figures: dict[str, Any] = {}
        for name, question in questions.items():
            figures |= _timed(name, question, min(rounds, TABLES_MOST) if name == "grouped_mean" else rounds)
        return figures


def ask_ledger(root: Path, questions: int = 100_000) -> dict[str, Any]:
    """A ledger as full as it may be, asked until `questions` were: ms of a known and of a new population.

    Populations are random sketches; most questions of a project are about people it was answered about.
    """
    rng = np.random.default_rng(3)
    rules = rules_of(open_root(root).settings)
    open_project(root, "ledger")
    ledger = Ledger(root, "ledger", threshold=rules.min_cell, capacity=rules.populations + 1)
    whole = _sketch(rng)
    held: list[npt.NDArray[np.uint64]] = []
    while len(held) < rules.populations:
        with ledger.session() as session:
            for _ in range(min(64, rules.populations - len(held))):
                held.append(_sketch(rng))
                session.add(held[-1])
            session.commit()
    known, new = [], []
    with ledger.session() as session:
        for turn in range(questions - len(held)):
            began = time.perf_counter()
            session.judge(held[turn % len(held)], whole)
            known.append((time.perf_counter() - began) * 1e3)
        for _ in range(200):
            sketch = _sketch(rng)
            began = time.perf_counter()
            session.judge(sketch, whole)
            new.append((time.perf_counter() - began) * 1e3)
    return {
        "questions": questions,
        "populations": len(held),
        "ledger_known_p50_ms": round(float(np.median(known)), 4),
        "ledger_new_p50_ms": round(float(np.median(new)), 3),
        "ledger_new_p95_ms": round(float(np.percentile(new, 95)), 3),
        "ledger_bytes": ledger.path.stat().st_size,
    }


def _sketch(rng: np.random.Generator) -> npt.NDArray[np.uint64]:
    return rng.integers(0, 1 << 64, GROUPS, dtype=np.uint64)


def export_twice(plan: CohortPlan, root: Path) -> dict[str, Any]:
    """Raw export as CSV; the cohort harmonised (LDL to mg/dL, codes renamed, the rest taken); its export."""
    store, folder = CohortStore.open(root), root.parent
    export_cohort(root, store.get(COHORT.id), folder / "warm.csv", names=["age"])
    raw, raw_s = _exported(root, store.get(COHORT.id), folder / "raw.csv")
    mapping = parse_mapping(made_mapping(plan))
    began = time.perf_counter()
    harmonise(open_root(root), mapping)
    harmonise_s = time.perf_counter() - began
    made, made_s = _exported(root, store.get(TARGET), folder / "harmonised.csv")
    store.withdraw(TARGET, reason="the bench is done with it")
    return {
        "raw_export_cells_per_s": round(raw / raw_s),
        "harmonised_export_cells_per_s": round(made / made_s),
        "harmonised_of_raw_speed": round(made / made_s / (raw / raw_s), 2),
        "harmonise_s": round(harmonise_s, 2),
    }


def _exported(root: Path, table: CohortTable, path: Path) -> tuple[int, float]:
    """Cells of a table, and the seconds its export took."""
    began = time.perf_counter()
    export_cohort(root, table, path)
    seconds = time.perf_counter() - began
    path.unlink()
    return table.rows * len(table.variables), seconds


def _view(centre: Centre, reader: str) -> tuple[View, Callable[[str], dict[str, str]]]:
    """A reader's view, and what its questions of a kind say of their project: each kind has its own."""
    if reader == "owner":
        return centre.owner_view(), lambda _: {}
    if reader == "grid":
        return centre.view_for(None), lambda _: {}
    for name in PROJECTS:
        open_project(centre.root.path, name)
    grants: list[tuple[str, GrantLevel]] = [(project_subject(COHORT.id, name), "read") for name in PROJECTS]
    return View(centre, Principal("holder", READER, frozenset(grants))), lambda name: {"project": name}


def _filter(turn: int) -> str:
    """A filter that each turn asks for other people by: sex, 20 years of age, LDL and asthma."""
    low = 20 + 5 * (turn % 9)
    sex = ("female", "male")[turn // 9 % 2]
    limit = _LIMITS[turn // 3 % len(_LIMITS)]
    asthma = ("yes", "no")[turn // 2 % 2]
    age = f"age >= {low} and age < {low + 20}"
    return f"sex = {sex} and {age} and ldl > {limit} mmol/L and asthma = {asthma}"


def _mean(turn: int) -> tuple[str, str]:
    """LDL of those from a blood pressure on, below another: 36 such bands, of 10^5 people more or less."""
    low = turn % len(_PRESSURES)
    high = (low + 1 + turn // len(_PRESSURES)) % (len(_PRESSURES) + 1)
    least = f"sbp >= {_PRESSURES[low]}"
    return "ldl", f"{least} and sbp < {_PRESSURES[high]}" if low < high < len(_PRESSURES) else least


def _timed(name: str, question: Callable[[int], Any], rounds: int) -> dict[str, Any]:
    times, refused = [], Counter[str]()
    for turn in range(rounds + 1):
        began = time.perf_counter()
        try:
            question(turn)
        except RefusedError as error:
            refused[error.reason] += 1
        times.append((time.perf_counter() - began) * 1e3)
    p50, p95 = np.percentile(times[1:], [50, 95])
    return {
        f"{name}_p50_ms": round(float(p50), 2),
        f"{name}_p95_ms": round(float(p95), 2),
        f"{name}_first_ms": round(times[0], 1),
        f"{name}_refused": dict(refused),
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report as tables."""
    machine, plan, held = report["machine"], report["plan"], report["held"]
    lines = [
        (
            f"{report['date']}, `{report['command']}`, {machine['cpu']}, {machine['cores']} cores: "
            f"{plan['people']:,} people × {plan['variables']:,} variables, {held['rows']:,} rows, "
            f"{held['csv_bytes'] / 1e9:.2f} GB of CSV, {held['root_bytes'] / 1e9:.2f} GB kept."
        ),
        "",
        (
            f"Import: {report['import']['import_cells_per_s'] / 1e6:.1f} M cells/s "
            f"({report['import']['memory_bytes'] / 1e9:.1f} GB of memory); goal 5 M."
        ),
        "",
        "| question | " + " | ".join(READERS) + " | goal |",
        "|---|" + "---|" * (len(READERS) + 1),
        *_figures(report),
        "",
        "| figure | measured | goal |",
        "|---|---|---|",
        *_others(report),
    ]
    return "\n".join(lines) + "\n"


def _figures(report: dict[str, Any]) -> Iterator[str]:
    readers = report["readers"]
    names = [name for name in readers[READERS[0]] if name.endswith("_ms")]
    for name in names:
        cells = (f"{readers[reader][name]:,}" for reader in READERS)
        goal = report["goals"].get(name)
        told = "" if goal is None else f"≤ {goal:g}"
        yield f"| {name.replace('_', ' ')} | " + " | ".join(cells) + f" | {told} |"


def _others(report: dict[str, Any]) -> Iterator[str]:
    memory = {"reference_build_bytes": report["reference"]["memory_bytes"]}
    for name, value in (report["ledger"] | report["export"] | report["reference"] | memory).items():
        if name == "memory_bytes":
            continue
        goal = report["goals"].get(name)
        told = "" if goal is None else f"{goal:,}"
        yield f"| {name.replace('_', ' ')} | {value:,} | {told} |"
