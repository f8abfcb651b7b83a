"""What several commands take: the root, and how sizes, ages and tables are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from nexome.access.centre import Centre

Command = TypeVar("Command", bound=Callable[..., Any])

ROOT_VARIABLE: Final = "NEXOME_ROOT"


def root_option(command: Command) -> Command:
    """Give a command `--root`: an existing root, from NEXOME_ROOT or the folder one stands in."""
    option = click.option(
        "--root",
        type=click.Path(path_type=Path, file_okay=False),
        envvar=ROOT_VARIABLE,
        default=Path(),
        show_default="NEXOME_ROOT, else this folder",
        help="Folder of the root.",
    )
    return option(command)


def root_argument(command: Command) -> Command:
    """Give a command the root as its first argument, with the same defaults as `root_option`."""
    argument = click.argument(
        "root", type=click.Path(path_type=Path, file_okay=False), envvar=ROOT_VARIABLE, default=Path()
    )
    return argument(command)


def open_centre(root: Path) -> Centre:
    """The centre of a root; use it in a `with`."""
    from nexome.access.centre import Centre  # noqa: PLC0415  `--help` must not wait for it

    return Centre.open(root)


def format_bytes(count: float) -> str:
    """A size for people, in powers of 1,000.

    >>> format_bytes(34_800_000_000)
    '34.8 GB'
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError


def print_rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print aligned columns, with a head."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
