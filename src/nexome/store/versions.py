"""Publishing one immutable version of something by name, and taking away what no manifest names.

What tracks and knowledge share: a folder is written beside, its checksums are taken, and one rename makes
it visible. Naming it in a manifest is its owner's next step. The caller holds the root's lock.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from nexome.store.checksums import write_checksums
from nexome.store.disk import check_free_space, publish_folder, remove_folder, space_errors, step

_STAGING: Final = ".staging-"


def publish_version(final: Path, write: Callable[[Path], Any], *, needed_bytes: int, what: str) -> str:
    """Have `write(folder)` fill a folder, publish it as `final`, and return the digest of its checksums.

    What fails leaves nothing behind. `what` names the steps of the fault tests. Raises SpaceError.
    """
    with space_errors(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
    check_free_space(final.parent, needed_bytes)
    # A version number a crash has used up without naming it is taken again: clean it away first.
    remove_folder(final)
    staged = final.parent / f"{_STAGING}{secrets.token_hex(4)}"
    staged.mkdir()
    try:
        with space_errors(staged):
            write(staged)
        digest = write_checksums(staged)
        step(f"{what}-staged")
        publish_folder(staged, final)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    step(f"{what}-published")
    return digest


def remove_unnamed(
    root: Path, folder: str, *, named: Collection[str], kept: Collection[str] = ()
) -> list[str]:
    """Remove folders `<folder>/<name>/<version>` that are not in `named`; returns their paths.

    `kept`: names that are none of the manifest's business.
    """
    removed = []
    for path in sorted((root / folder).glob("*/*")):
        text = path.relative_to(root).as_posix()
        if path.is_dir() and text not in named and path.parent.name not in kept:
            remove_folder(path)
            removed.append(text)
    for path in (root / folder).glob("*"):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return removed
