"""The tutorials' commands, run as they stand on the real files, print what the pages show."""

import subprocess
import sys
from pathlib import Path

import pytest

from nexome.testing.transcript import agrees, rewrite, run_step, steps_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIALS = ("tutorial", "tutorial-explorer")
CUT_OFF = ("unshare", "--map-root-user", "--net")  # a namespace without a network, not even the loopback


def folder_beside(shared, tmp_path):
    """A folder to work in, with the files and documents where the tutorials say they are."""
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "shared").symlink_to(shared.parent)
    (folder / "docs").symlink_to(DOCS)
    return folder


def can_cut_off():
    try:
        return subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


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


@pytest.mark.shared
@pytest.mark.slow
def test_the_explorers_tutorial_is_true_without_a_network(shared, tmp_path):
    if not can_cut_off():
        pytest.skip("no namespace without a network can be made here (unshare)")
    folder = folder_beside(shared, tmp_path)
    page = DOCS / "tutorial-explorer.md"
    anew = tmp_path / page.name
    anew.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    command = [*CUT_OFF, sys.executable, "-m", "nexome.testing.transcript", str(anew), str(folder)]
    subprocess.run(command, check=True, timeout=300)
    before, after = (steps_of(p.read_text(encoding="utf-8")) for p in (page, anew))
    assert len(before) > 30
    assert [step.command for step in after] == [step.command for step in before]
    for printed, shown in zip(after, before, strict=True):
        assert agrees(list(printed.expected), shown.expected), f"$ {shown.command}"


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


def test_nexome_is_found(tmp_path):
    (step,) = steps_of("```console\n$ nexome --version\n```")
    assert run_step(step, tmp_path)[0].startswith("nexome, version")
