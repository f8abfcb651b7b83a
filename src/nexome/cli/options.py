"""What several commands take: the root, and how sizes, ages and tables are printed.

One habit for all commands: `--root ROOT` says which root; else it is NEXOME_ROOT, else the folder one
stands in. Commands about a root as a whole (`root_argument`) take it as their first word too.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from unicodedata import east_asian_width

import click

if TYPE_CHECKING:
    from nexome.access.centre import Centre

Command = TypeVar("Command", bound=Callable[..., Any])

ROOT_VARIABLE: Final = "NEXOME_ROOT"
FOLDER: Final = click.Path(path_type=Path, file_okay=False)


def root_option(command: Command) -> Command:
    """Give a command `--root`: an existing root, from NEXOME_ROOT or the folder one stands in."""
    option = click.option(
        "--root",
        type=FOLDER,
        envvar=ROOT_VARIABLE,
        default=Path(),
        show_default="NEXOME_ROOT, else this folder",
        help="Folder of the root.",
    )
    return option(command)


def root_argument(command: Command) -> Command:
    """Give a command the root as its first word or as `--root`, with the defaults of `root_option`."""

    @functools.wraps(command)
    def chosen(*args: Any, root_word: Path | None, root_named: Path | None, **values: Any) -> Any:
        root = one_root(root_word, root_named) or Path(os.environ.get(ROOT_VARIABLE) or ".")
        return command(*args, root=root, **values)

    return click.argument("root_word", metavar="[ROOT]", type=FOLDER, required=False)(
        named_root("Folder of the root, if not the first word.  [default: NEXOME_ROOT, else this folder]")(
            chosen
        )
    )


def named_root(text: str) -> Callable[[Any], Any]:
    """`--root` of a command that may have the root as a word too (`one_root`); nothing stands in for it."""
    return click.option("--root", "root_named", type=FOLDER, help=text)


def one_root(word: Path | None, named: Path | None) -> Path | None:
    """The root, given as a word or by name. Raises click.UsageError for two different ones."""
    if word is not None and named is not None and word != named:
        raise click.UsageError(f"Two roots are named: {word} and --root {named}. Give one.")
    return word or named


def open_centre(root: Path) -> Centre:
    """The centre of a root; use it in a `with`."""
    from nexome.access.centre import Centre  # noqa: PLC0415  `--help` must not wait for it

    return Centre.open(root)


def echo_json(value: Any) -> None:
    """Print JSON."""
    import orjson  # noqa: PLC0415  `--help` must not wait for it

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


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


def counted(counts: Mapping[str, int], *, shown: int = 8) -> str:
    """What was counted by name, the largest first.

    >>> counted({"a": 1, "b": 2000})
    'b 2,000, a 1'
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{name} {count:,}" for name, count in ranked[:shown])
    return told + (f" and {len(ranked) - shown:,} more" if len(ranked) > shown else "")


def print_rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print aligned columns, with a head; a Chinese character is as wide as two letters."""
    widths = [max(_width(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
