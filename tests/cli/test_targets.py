"""`nexome targets` as a person types it."""

import json

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.store.papers import paper_versions
from nexome.store.root import create_root, load_assembly
from tests.report.test_rules import SMALL


@pytest.fixture
def root(tmp_path):
    create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))
    return tmp_path / "root"


def run(root, *words):
    return CliRunner().invoke(main, ["targets", words[0], "--root", str(root), *map(str, words[1:])])


def test_one_bad_file_does_not_stop_the_others(root, tmp_path):
    (tmp_path / "good.txt").write_text(SMALL, encoding="utf-8")
    (tmp_path / "bad.txt").write_text("nothing here", encoding="utf-8")
    answer = run(root, "import", tmp_path / "bad.txt", tmp_path / "good.txt")
    assert answer.exit_code == 1
    assert "bad.txt: not imported" in answer.output
    assert "good, version 1: 1 budget tables, 1 projects, 3 indicators" in answer.output


def test_a_paper_is_listed_shown_exported_and_checked(root, tmp_path):
    (tmp_path / "a.txt").write_text(SMALL.replace("≥90%", "≤90%"), encoding="utf-8")
    run(root, "import", tmp_path / "a.txt")
    assert "变异知识库" in run(root, "show", "a").output
    assert "2026" in run(root, "list").output
    found = json.loads(run(root, "check", "--format", "json").output)
    assert [(item["rule"], item["line"]) for item in found] == [("comparison-sense", 24)]
    assert "比较方向" in run(root, "check", "--language", "zh", "a").output
    run(root, "export", "--format", "csv", "-o", tmp_path / "b.csv", "a")
    assert run(root, "import", tmp_path / "b.csv").exit_code == 0
    assert run(root, "check", "b").output.splitlines()[1:] == run(root, "check", "a").output.splitlines()[1:]


def test_two_years_and_a_corrected_version(root, tmp_path):
    (tmp_path / "a.txt").write_text(SMALL, encoding="utf-8")
    (tmp_path / "b.txt").write_text(SMALL.replace("2060206", "2060299"), encoding="utf-8")
    run(root, "import", tmp_path / "a.txt", tmp_path / "b.txt")
    assert "gone" in run(root, "compare", "a", "b").output
    assert run(root, "import", "--name", "a", tmp_path / "b.txt").exit_code == 0
    assert paper_versions(root, "a") == [1, 2]
    changes = json.loads(run(root, "compare", "--format", "json", "a", "b").output)
    assert {change["what"] for change in changes} <= {"same", "copied"}


def test_a_paper_that_is_not_there_is_told_in_one_line(root):
    answer = run(root, "show", "nothing")
    assert answer.exit_code == 1
    assert "no paper 'nothing'" in answer.output
