"""A root with the demo's two cohorts, harmonised, and reference values: to test what shows people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nexome.cli.cohort_import import cohort
from nexome.cli.cohort_mapping import harmonise
from nexome.cli.demo_cohorts import HARBOUR, LAKESIDE, TARGET, cohort_commands, write_cohorts
from nexome.cli.reference import build
from nexome.store.root import create_root

if TYPE_CHECKING:
    import click

__all__ = ["HARBOUR", "LAKESIDE", "TARGET", "make_harmonised_cohorts"]


def make_harmonised_cohorts(path: Path, files: Path) -> Path:
    """A new root at `path`, its files in the folder `files`, which is made; by the commands a user types."""
    from nexome.store.root import load_assembly  # noqa: PLC0415

    create_root(path, assembly=load_assembly("GRCh38"))
    add_harmonised_cohorts(path, files)
    return path


def add_harmonised_cohorts(path: Path, files: Path) -> None:
    """The cohorts and their reference values in a root that is there."""
    files.mkdir(parents=True, exist_ok=True)
    write_cohorts(files)
    known: dict[str, Any] = {"import cohort": cohort, "cohort harmonise": harmonise, "reference build": build}
    for name, arguments in cohort_commands(files):
        command: click.Command = known[name]
        command.main(["--root", str(path), *arguments], prog_name=f"nexome {name}", standalone_mode=False)
