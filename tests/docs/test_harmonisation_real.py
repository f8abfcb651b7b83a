"""The one command of docs/harmonisation-real.md, run as it stands; the counts of the page are held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nexome.ingest.mapping.reading import read_mapping
from nexome.store.cohorts import CohortStore
from nexome.store.reference import ReferenceStore

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "docs" / "examples" / "cohorts"
PAGE = REPOSITORY / "docs" / "harmonisation-real.md"
PEOPLE = {
    "nhanes": 6_779,
    "seychelles": 998,
    "nhefs": 1_629,
    "flchain": 7_874,
    "acs-korea": 854,
    "cleveland": 303,
    "tongji-en": 375,
    "tongji-zh": 0,
    "pbc": 418,
}
VALUES = {
    "age": 19_230,
    "height": 8_871,
    "weight": 9_116,
    "body_mass_index": 9_863,
    "systolic_pressure": 8_495,
    "diastolic_pressure": 8_101,
    "cholesterol_total": 9_975,
    "cholesterol_hdl": 7_425,
    "cholesterol_ldl": 1_828,
    "triglycerides": 2_119,
    "glucose": 351,
    "creatinine": 6_880,
    "urate": 1_353,
    "haemoglobin": 356,
}
REFUSED = {
    ("diastolic_pressure", "nhanes", "below 20 mm[Hg]"): 87,
    ("cholesterol_total", "pbc", "above 30 mmol/L"): 6,
    ("cholesterol_total", "tongji-en", "below 0.5 mmol/L"): 2,
    ("cholesterol_total", "tongji-zh", "below 0.5 mmol/L"): 2,
    ("haemoglobin", "tongji-en", "below 20 g/L"): 18,
    ("haemoglobin", "tongji-zh", "below 20 g/L"): 18,
    ("urate", "seychelles", "above 1500 umol/L"): 1,
}
STRONG = {
    ("height", "level", "acs-korea"),
    ("weight", "level", "acs-korea"),
    ("systolic_pressure", "level", "nhanes"),
    ("systolic_pressure", "level", "seychelles"),
    ("diastolic_pressure", "level", "nhanes"),
    ("diastolic_pressure", "level", "seychelles"),
    ("cholesterol_total", "level", "pbc"),
    ("cholesterol_total", "level", "tongji-en"),
    ("cholesterol_total", "level", "cleveland"),
    ("cholesterol_hdl", "level", "acs-korea"),
}

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def root(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("real") / "root"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", str(EXAMPLES / "run.sh"), str(made), str(shared / "phenotypes")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
    return made


def said(root: Path, name: str) -> str:
    return (root / "harmonisation" / name).read_text(encoding="utf-8")


def test_people_and_values_of_each_source(root: Path) -> None:
    table = CohortStore.open(root).get("reference")
    source = table.column("source")
    counts = Counter(np.array(source.categories)[source.values].tolist())
    assert {name: counts[name] for name in source.categories} == PEOPLE
    assert table.people == table.rows == sum(PEOPLE.values())
    values = {v.name: int((~table.column(v.name).missing).sum()) for v in table.variables if v.numeric}
    assert values == VALUES
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"{count:,}" in page for count in (*PEOPLE.values(), *VALUES.values()))


def test_all_that_was_refused_is_told(root: Path) -> None:
    lineage = CohortStore.open(root).get("reference").receipt()["lineage"]
    refused = {
        (name, entry["source"], why): count
        for name, found in lineage.items()
        for entry in found["sources"]
        for why, count in entry["refused"].items()
    }
    assert refused == REFUSED


def test_the_two_tables_of_one_hospital_give_the_same_values(root: Path) -> None:
    lineage = CohortStore.open(root).get("reference").receipt()["lineage"]
    for found in lineage.values():
        counts = {e["source"]: (e["taken"], e["given"], e["refused"]) for e in found["sources"]}
        assert counts.get("tongji-en") == counts.get("tongji-zh")


def test_people_who_stand_twice(root: Path) -> None:
    told = said(root, "repeats-nhanes.txt")
    assert "10,000 rows of 6,779 identifiers, at most 8 of one" in told
    assert "2,168 rows repeat an earlier row" in told
    assert "818 identifiers have rows that differ, in: PhysActiveDays (818)" in told
    assert "4 groups of equal rows under different identifiers (8 rows)" in said(
        root, "repeats-acs-korea.txt"
    )


def test_the_mislabelled_table_is_caught_and_no_other(root: Path) -> None:
    wrong = {tuple(line.split()[:2]) for line in said(root, "units.txt").splitlines() if " wrong " in line}
    assert wrong == {("seychelles", name) for name in ("choles", "trig", "hdl", "ldl", "Uric", "apoa")}


def test_what_is_proposed_is_what_a_person_made_but_for_what_is_computed(root: Path) -> None:
    proposed = read_mapping(root / "harmonisation" / "proposed.yaml")
    made = read_mapping(EXAMPLES / "mapping.yaml")
    rules, expected = (
        {(s.cohort, r.target, r.text) for s in mapping.sources for r in s.rules}
        for mapping in (proposed, made)
    )
    assert len(expected) == 61
    assert expected - rules == {("nhefs", "body_mass_index", "wt71 / (ht * ht)")}
    assert rules <= expected
    codes = {s.cohort: dict(r.recode) for s in proposed.sources for r in s.rules if r.target == "sex"}
    assert codes["seychelles"] == {"0": "female", "1": "male"}
    assert codes["nhefs"] == {"0": "male", "1": "female"}


def test_the_conflicts_of_the_page_are_found(root: Path) -> None:
    reports = json.loads(said(root, "conflicts.json"))
    found = [c for report in reports for c in report["conflicts"]]
    assert {(c["variable"], c["kind"], c["source"]) for c in found if c["weight"] == "strong"} == STRONG
    sizes = {(c["variable"], c["kind"], c["source"]): c["size"] for c in found}
    assert sizes["cholesterol_total", "level", "tongji-en"] == pytest.approx(-1.47, abs=0.01)
    assert sizes["systolic_pressure", "rounding", "cleveland"] == pytest.approx(0.64, abs=0.01)
    assert {report["variable"] for report in reports} == set(VALUES) - {"age"}


def test_the_reference_set_is_of_the_three_populations(root: Path) -> None:
    (entry,) = ReferenceStore.open(root).sets()
    assert set(entry.variables) == set(VALUES) - {"age", "glucose", "haemoglobin"}  # only patients have those
    assert "11 variables" in said(root, "reference.txt")
