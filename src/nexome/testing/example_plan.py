"""The demo's papers in any root, tied to what that root measures: for tests and for looking at the pages."""

from __future__ import annotations

from pathlib import Path

from nexome.cli.demo_papers import BUILD, PAPER, SHARE, paper_commands
from nexome.main import main
from nexome.report.kept_scores import today

__all__ = ["BUILD", "SHARE", "make_example_plan", "paper_name"]


def paper_name(year: int | None = None) -> str:
    """Name of the example paper of a year, the present one by default."""
    return f"{PAPER}{year or today().year}"


def make_example_plan(root: Path, files: Path) -> str:
    """Import, tie, record and sample as the demo does; the name of the present year's paper."""
    files.mkdir(parents=True, exist_ok=True)
    day = today()
    for command, words in paper_commands(files, day.year, day.isoformat()):
        main([*command.split(), "--root", str(root), *words], standalone_mode=False)
    return paper_name()
