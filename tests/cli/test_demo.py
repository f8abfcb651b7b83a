"""`nexome demo`, small, as a user types it: made, answered, resumed."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import nexome
from nexome.cli.demo_files import PRIVATE
from nexome.main import main
from nexome.model.errors import NotFoundError

SMALL = ["--people", "1000", "--variants", "4000", "--seed", "5"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a small demo, and what the command printed."""
    root = tmp_path_factory.mktemp("demo") / "root"
    result = CliRunner().invoke(main, ["demo", str(root), *SMALL])
    assert result.exit_code == 0, result.output
    return root, result.output


@pytest.fixture
def view(made):
    with nexome.open(made[0]) as opened:
        yield opened


def causes_of(root):
    with (root.parent / f"{root.name}-files" / "causes.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_it_says_how_to_go_on(made):
    root, output = made
    assert "30 of 30 files in" in output
    assert "nexome import associations --root" in output
    assert f"nexome serve {root}" in output


def test_all_traits_are_there(view):
    assert view.studies().num_rows == 31
    assert view.traits("sim-proteins").num_rows == 10
    height = view.study("sim-height").study
    assert height.title_zh == "身高（模拟）"
    assert height.effect_unit == "cm"


def test_large_causes_lead_the_answers(made, view):
    found = 0
    for cause in causes_of(made[0]):
        if float(cause["share_of_variance"]) < 0.08 or cause["trait_id"] in PRIVATE:
            continue
        study = "sim-proteins" if cause["gene"] else f"sim-{cause['trait_id']}"
        loci = view.loci(study, trait=cause["trait_id"], limit=50).to_pylist()
        position = int(cause["base_pair_location"])
        hit = [
            locus
            for locus in loci
            if locus["chromosome"] == cause["chromosome"]
            and locus["locus_start"] <= position <= locus["locus_end"]
        ]
        assert hit, cause
        found += 1
        answer = view.phewas(cause["rsid"], studies=[study]).to_pylist()
        row = next(r for r in answer if r["trait_id"] == cause["trait_id"])
        assert row["effect_allele"] == cause["alt"]
        assert np.sign(row["beta"]) == int(cause["sign"])
    assert found >= 8


def test_controls_hold_nothing(view):
    for name in ("random_number", "coin_toss"):
        # 4,000 variants in LD are about 900 independent ones: λGC has a standard error near 0.09
        assert view.summary(f"sim-{name}").lambda_gc == pytest.approx(1.0, abs=0.25)
        assert view.loci(f"sim-{name}").num_rows == 0


def test_some_studies_are_private(made):
    with nexome.open(made[0], anonymous=True) as view:
        assert view.studies().num_rows == 31 - len(PRIVATE)
        with pytest.raises(NotFoundError):
            view.study("sim-migraine")


def test_a_gene_is_found(made, view):
    cause = next(c for c in causes_of(made[0]) if c["gene"])
    best = view.gene(cause["gene"]).best.to_pylist()
    assert best[0]["trait_id"] == cause["trait_id"]


def test_it_is_made_once(made):
    root, _ = made
    again = CliRunner().invoke(main, ["demo", str(root), *SMALL])
    assert again.exit_code == 0
    assert "made already" in again.output


def test_it_goes_on_where_it_was_interrupted(made):
    root, _ = made
    log = root / "events.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "demo-made" not in line]
    assert len(kept) == len(lines) - 1
    log.write_text("".join(kept))
    again = CliRunner().invoke(main, ["demo", str(root), *SMALL])
    assert again.exit_code == 0, again.output
    assert "Simulating" not in again.output
    assert again.output.count("unchanged") >= 31


def test_another_root_is_left_alone(tmp_path):
    runner = CliRunner()
    assert runner.invoke(main, ["init", str(tmp_path / "mine")]).exit_code == 0
    refused = runner.invoke(main, ["demo", str(tmp_path / "mine"), *SMALL])
    assert refused.exit_code == 1
    assert "another root" in refused.output


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_lines_of_the_readme_run(made, tmp_path, readme):
    text = (Path(__file__).parents[2] / readme).read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "nexome-demo").symlink_to(made[0])
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "study_id" in done.stdout
