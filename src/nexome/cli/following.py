"""The search index after a command that published or withdrew something: built again where there is one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from nexome.cli.options import open_centre

Command = TypeVar("Command", bound=Callable[..., Any])


def publishes(command: Command) -> Command:
    """Let the search index follow what a command (of `root`) did, also where it stopped half-way."""

    @functools.wraps(command)
    def followed(*args: Any, root: Path, **values: Any) -> Any:
        try:
            return command(*args, root=root, **values)
        finally:
            follow_search(root)

    return cast("Command", followed)


def follow_search(root: Path) -> None:
    """Build the search index of a root again where it is behind; a running server does that by itself.

    What was published stays so whatever happens here: an error is told, and the next time tries again.
    """
    if not (root / "search" / "current.json").exists():
        return
    from nexome.access.indexing import follow, is_behind  # noqa: PLC0415
    from nexome.model.errors import NexomeError  # noqa: PLC0415
    from nexome.store.serving import is_served  # noqa: PLC0415

    try:
        with open_centre(root) as centre:
            if not centre.settings.follow_search or not is_behind(centre):
                return
            if is_served(root):
                click.echo("The server of this root builds its search index again.", err=True)
                return
            made = follow(centre)
    except NexomeError as error:
        click.echo(f"nexome: the search index is behind: {error}", err=True)
        return
    if made is not None:
        click.echo(f"Search index built again: {len(made):,} things.", err=True)
