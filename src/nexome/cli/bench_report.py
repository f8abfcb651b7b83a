"""What all `nexome bench` commands share: where they work, and where their report goes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def report_options(command: Command) -> Command:
    """Give a command `--folder` and `--json`, as `measure` takes them."""
    named = click.option(
        "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="File for the report."
    )
    where = click.option(
        "--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where to work."
    )
    return where(named(command))


def measure(
    run: Callable[..., dict[str, Any]],
    plan: Any,
    *,
    as_markdown: Callable[[dict[str, Any]], str],
    folder: Path | None,
    json_file: Path | None,
    **more: Any,
) -> None:
    """Run a bench by its plan in a folder; print its report, and keep it where `json_file` says."""
    import tempfile  # noqa: PLC0415 - `--help` must not wait for the rest

    import orjson  # noqa: PLC0415

    report = run(
        plan,
        folder or Path(tempfile.gettempdir()),
        say=lambda text: click.echo(text, err=True),
        command="nexome " + " ".join(sys.argv[1:]),
        **more,
    )
    if json_file:
        json_file.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    click.echo(as_markdown(report))
