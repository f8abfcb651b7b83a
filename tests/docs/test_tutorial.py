"""The tutorial's commands, run as they stand on the real files, print what the page shows.

The explorer's tutorial is run by tests/web/browser/test_tutorial_pages.py, which visits what it makes.
"""

from pathlib import Path

import pytest

from nexome.cli.import_output import progress_text
from nexome.ingest.progress import Progress
from nexome.testing.transcript import agrees, rewrite, run_step, steps_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIALS = ("tutorial", "tutorial-explorer")


def folder_beside(shared, tmp_path):
    """A folder to work in, with the files and documents where the tutorials say they are."""
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "shared").symlink_to(shared.parent)
    (folder / "docs").symlink_to(DOCS)
    return folder


@pytest.mark.shared
@pytest.mark.slow
def test_the_tutorial_is_true(shared, tmp_path):
    folder = folder_beside(shared, tmp_path)
    steps = steps_of((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    assert len(steps) > 15
    for step in steps:
        printed = run_step(step, folder)
        assert agrees(printed, step.expected), "\n".join(
            [f"$ {step.command}", *printed, "", "The page shows:", *step.expected]
        )


@pytest.mark.parametrize("name", TUTORIALS)
def test_both_languages_run_the_same(name):
    english, chinese = (
        steps_of((DOCS / f"{name}{ending}").read_text(encoding="utf-8")) for ending in (".md", ".zh.md")
    )
    assert english == chinese


def test_a_transcript_is_compared_and_written_anew(tmp_path):
    page = "```console\n$ printf 'a\\n1 2.5\\n'\na\n1 9.9\n$ echo b \\\n> c\nx\n$ seq 5\n1\n…\n5\n```"
    first, second, third = steps_of(page)
    assert second.command == "echo b \\\nc"
    assert agrees(run_step(first, tmp_path), first.expected)
    assert run_step(second, tmp_path) == ["b c"]
    assert not agrees(["b c"], second.expected)
    assert agrees(run_step(third, tmp_path), third.expected)
    assert rewrite(page, tmp_path) == page.replace("\nx\n", "\nb c\n")


def test_what_a_slow_machine_says_of_its_progress_is_left_out(tmp_path):
    line = progress_text(Progress("x/a.gz", 0, 1, "write", 25, 100, 1_000, 2.0))
    (step,) = steps_of(f"```console\n$ echo '{line}' && echo done\n```")
    assert run_step(step, tmp_path) == ["done"]


def test_nexome_is_found(tmp_path):
    (step,) = steps_of("```console\n$ nexome --version\n```")
    assert run_step(step, tmp_path)[0].startswith("nexome, version")
