"""Nexome: an open multi-omics data centre in one install.

>>> import nexome
>>> view = nexome.open("associations")          # doctest: +SKIP
>>> view.phewas("rs7903146").to_pandas()        # doctest: +SKIP
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from nexome.model.errors import NexomeError

if TYPE_CHECKING:
    from nexome.access.view import View

    __version__: str

__all__ = ["NexomeError", "__version__", "open"]


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: reading a distribution's metadata takes 0.1 s."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("nexome")
    raise AttributeError(f"module 'nexome' has no attribute {name!r}")


def open(  # noqa: A001  `nexome.open` says what it does; nobody imports it bare
    root: str | PathLike[str], *, token: str | None = None, anonymous: bool = False
) -> View:
    """A view of a root on this machine: every question, answered as Arrow tables.

    Who can open a folder on their own disk is its owner, unless `token` asks as its holder or
    `anonymous=True` as anyone without one. Use it in a `with`, or call its `close`. Raises
    NotFoundError when there is no root, RefusedError for a token that opens nothing.
    """
    from pathlib import Path  # noqa: PLC0415  kept out of the namespace

    from nexome.app import open_view  # noqa: PLC0415  `import nexome` stays light

    return open_view(Path(root), token=token, anonymous=anonymous)
