"""`nexome reference` as a user types it."""

import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.store.cohorts import CohortStore
from tests.access.reference.making import make_root, people


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = make_root(tmp_path_factory.mktemp("cli-reference") / "root", people(3_000))
    words = [
        "reference",
        "build",
        "adults",
        "--cohort",
        "town",
        "--root",
        str(made),
        "--variables",
        "ldl, sbp",
    ]
    done = CliRunner().invoke(main, [*words, "--age-bands", "20,40,60", "--title", "Adults of a town"])
    assert done.exit_code == 0, done.output
    assert "version 1, 2 variables of town (version 1), private" in done.output
    return made


@pytest.fixture
def run(root):
    def ask(*words, code=0):
        done = CliRunner().invoke(main, ["reference", *words, "--root", str(root)])
        assert done.exit_code == code, done.output
        return done.output

    return ask


def test_sets_are_listed_and_shown(run):
    assert "adults" in run("list")
    assert json.loads(run("list", "--json"))[0]["set_state"] == "current"
    assert run("show", "adults").startswith("# Adults of a town\n")
    assert "## 未纳入哪些人" in run("show", "adults", "--language", "zh")
    shown = run("show", "adults", "--variable", "sbp")
    assert "20–39" in shown
    assert "60+" in shown
    assert len(json.loads(run("show", "adults", "--variable", "sbp", "--json"))["percentiles"]) > 400
    assert json.loads(run("show", "adults", "--receipt"))["choices"]["age_bands"] == "20,40,60"


def test_a_value_is_placed(run):
    words = ("place", "--variable", "ldl", "--sex", "女", "--age", "52", "--value", "130", "--unit", "mg/dL")
    told = run(*words)
    assert "mmol/L, female 52 years" in told
    assert "percentile" in told
    assert "about" in told
    found = json.loads(run(*words, "--json"))
    assert (found["method"], found["unit_of_set"], found["reference"]) == ("LMS", "mmol/L", "adults")
    refused = run(
        "place", "--variable", "ldl", "--sex", "f", "--age", "5", "--value", "3", "--unit", "mmol/L", code=1
    )
    assert "Nothing is extrapolated" in refused


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_a_set_is_exported_whole(run, tmp_path):
    assert "files in" in run("export", "adults", "--to", str(tmp_path / "out"))
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / "out", check=True)
    assert "there is something already" in run("export", "adults", "--to", str(tmp_path / "out"), code=1)


def test_rebuild_after_somebody_withdrew(tmp_path):
    root = make_root(tmp_path / "root", people(1_500))
    runner = CliRunner()

    def ask(*words):
        return runner.invoke(main, [*words, "--root", str(root)])

    assert ask("reference", "build", "adults", "--cohort", "town", "--variables", "sbp").exit_code == 0
    CohortStore.open(root).withdraw_participant("town", "P000003", reason="a test")
    assert "stale" in ask("reference", "list").output
    assert "adults (version 1, stale)" in ask("status").output
    assert ask("reference", "show", "adults").exit_code == 1
    assert "version 2" in ask("reference", "rebuild", "adults").output
    assert ask("reference", "show", "adults").exit_code == 0
    assert ask("reference", "withdraw", "adults", "--reason", "a test", "--yes").exit_code == 0
    assert "No reference sets yet" in ask("reference", "list").output


def test_a_backup_holds_the_sets(tmp_path):
    root = make_root(tmp_path / "root", people(1_000))
    runner = CliRunner()
    built = ["reference", "build", "adults", "--cohort", "town", "--variables", "sbp", "--root", str(root)]
    for words in (
        built,
        ["backup", str(root), str(tmp_path / "kept")],
        ["restore", str(tmp_path / "kept"), str(tmp_path / "new")],
    ):
        done = runner.invoke(main, words)
        assert done.exit_code == 0, done.output
    shown = runner.invoke(main, ["reference", "list", "--json", "--root", str(tmp_path / "new")]).output
    assert json.loads(shown)[0]["set_state"] == "current"
    assert runner.invoke(main, ["verify", str(tmp_path / "new")]).exit_code == 0
