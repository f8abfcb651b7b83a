"""The evidence commands over a small root: units, proposals written and applied, conflicts, repeats."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nexome.main import main

SEED = 11
TARGET = """name,type,label,label_zh,unit,categories,minimum,maximum,role
age,decimal,Age,年龄,a,,0,120,age
sex,category,Sex,性别,,male=male=男|female=female=女,,,sex
cholesterol_total,decimal,Total cholesterol,总胆固醇,mmol/L,,0.5,30,
systolic_pressure,decimal,Systolic blood pressure,收缩压,mm[Hg],,50,300,
"""


def town(
    path: Path, header: str, *, codes: tuple[str, str], factor: float, above: float = 0.0, n: int = 300
) -> None:
    """A made town: men taller, cholesterol in mmol/L times `factor`, pressure `above` the usual."""
    rng = np.random.default_rng(SEED + n)
    lines = [header]
    for person in range(n):
        male = person % 2 == 0
        age = rng.integers(25, 75)
        height, cholesterol = (176 if male else 163) + rng.normal(0, 6), max(2.5, rng.normal(5, 0.9)) * factor
        pressure = 105 + 0.4 * age + rng.normal(0, 10) + above
        lines.append(
            f"p{person},{codes[0] if male else codes[1]},{age},{height:.0f},{cholesterol:.2f},{pressure:.0f}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    made = folder / "root"
    run("init", made)
    town(folder / "a.csv", "id,sex,age,height,TotChol,SBP", codes=("male", "female"), factor=1)
    town(
        folder / "b.csv",
        "编号,性别,年龄,身高,总胆固醇 (mg/dL),收缩压",
        codes=("1", "2"),
        factor=1,
        above=15,
        n=280,
    )
    for name in ("a", "b"):
        run(
            "import",
            "cohort",
            "--root",
            made,
            folder / f"{name}.csv",
            "--cohort",
            name,
            "--accept-inferred",
            "--yes",
        )
    (folder / "target.csv").write_text(TARGET, encoding="utf-8")
    return made


def test_a_wrong_label_is_told_in_both_languages(root: Path) -> None:
    told = json.loads(run("cohort", "units", "--root", root, "b", "--json"))["b"]
    (cholesterol,) = (u for u in told if u["quantity"] == "cholesterol_total")
    assert (cholesterol["declared"], cholesterol["verdict"], cholesterol["unit"]) == (
        "mg/dL",
        "wrong",
        "mmol/L",
    )
    assert "the values are in mmol/L" in run("cohort", "units", "--root", root, "a", "b")
    assert "数值实际以 mmol/L 计" in run("cohort", "units", "--root", root, "b", "--language", "zh")


def test_another_cohort_can_stand_in_for_typical_adults(root: Path) -> None:
    told = json.loads(run("cohort", "units", "--root", root, "b", "--against", "a", "--json"))["b"]
    by_name = {u["quantity"]: u for u in told}
    assert (by_name["cholesterol_total"]["verdict"], by_name["cholesterol_total"]["unit"]) == (
        "wrong",
        "mmol/L",
    )
    distances = {f["unit"]: f["distance"] for f in by_name["height"]["fits"]}
    assert distances["cm"] < 0.3


def test_what_is_proposed_can_be_applied_and_its_conflicts_found(root: Path) -> None:
    mapping = root.parent / "mapping.yaml"
    target = root.parent / "target.csv"
    found = json.loads(run("cohort", "propose", "--root", root, "a", "b", "--target", target, "--json"))
    accepted = {(p["source"], p["target"]): p for p in found if p["accepted"]}
    assert len(accepted) == 8
    assert accepted["b", "sex"]["codes"] == {"1": "male", "2": "female"}
    assert accepted["b", "cholesterol_total"]["warnings"]
    run(
        "cohort",
        "propose",
        "--root",
        root,
        "a",
        "b",
        "--target",
        target,
        "--name",
        "both",
        "--write",
        mapping,
    )
    assert "# ! the label says mg/dL, the values are in mmol/L" in mapping.read_text(encoding="utf-8")
    run("cohort", "harmonise", "--root", root, mapping)
    told = run("cohort", "conflicts", "--root", root, "both")
    assert any(
        line.split()[:4] == ["systolic_pressure", "strong", "level", "b"] for line in told.splitlines()
    )
    assert "同性别、同年龄下" in run("cohort", "conflicts", "--root", root, "both", "--language", "zh")
    (pressure,) = (
        r
        for r in json.loads(run("cohort", "conflicts", "--root", root, "both", "--json"))
        if r["variable"] == "systolic_pressure"
    )
    assert [s["source"] for s in pressure["sources"]] == ["a", "b"]
    assert pressure["sources"][1]["shift"]["difference"] == pytest.approx(15, abs=4)


def test_conflicts_of_an_imported_cohort_are_refused(root: Path) -> None:
    done = CliRunner().invoke(main, ["cohort", "conflicts", "--root", str(root), "a"])
    assert done.exit_code != 0
    assert "a harmonised one, which has sources" in done.output + done.stderr


def test_repeats_are_found_in_a_file_and_in_a_cohort(root: Path) -> None:
    lines = (root.parent / "a.csv").read_text(encoding="utf-8").splitlines()
    twice = root.parent / "twice.csv"
    twice.write_text(
        "\n".join([*lines, lines[5], "px," + lines[9].split(",", 1)[1]]) + "\n", encoding="utf-8"
    )
    found = json.loads(run("cohort", "repeats", "--root", root, twice, "--participant", "id", "--json"))
    assert (found["rows"], found["identifiers"], found["copies"], found["twins"]) == (302, 301, 1, 1)
    assert "0 identifiers stand more than once" in run("cohort", "repeats", "--root", root, "a")
