"""Removing files no manifest names any more, late enough that no reader still holds them.

<root>/associations/retired.json    folders seen without a name, with the time they were first seen

A reader opens files of its snapshot when it first needs them. So a folder is removed only when it
has been without a name for `grace_s` seconds; readers take a new snapshot far more often than that.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nexome.model.errors import NotFoundError
from nexome.store.associations.events import complete_events
from nexome.store.associations.manifest import load_manifest
from nexome.store.associations.publish import LOCK_WAIT_S
from nexome.store.associations.staging import sweep
from nexome.store.disk import RootLock, read_stamped, remove_folder, write_stamped

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore

GRACE_S: Final = 3600.0
KIND: Final = "nexome-retired"
VERSION: Final = 1
NAME: Final = "retired.json"


def clean_store(store: AssociationStore, *, grace_s: float = GRACE_S) -> list[str]:
    """Sweep dead staging and remove folders that have had no name for `grace_s` seconds.

    Publications that a kill kept out of the event log are entered there. Returns the names of what
    was removed. Takes the root's lock.
    """
    with RootLock(store.root.path, wait_s=LOCK_WAIT_S):
        removed = sweep(store.folder)
        manifest = load_manifest(store.root.path)
        complete_events(store.root, manifest)
        named = manifest.folders
        known, now = _read(store.folder), time.time()
        unnamed = {p: known.get(p, now) for p in _folders(store.folder) if p not in named}
        for path, since in list(unnamed.items()):
            if now - since >= grace_s:
                remove_folder(store.folder / path)
                removed.append(path)
                del unnamed[path]
        store.folder.mkdir(exist_ok=True)  # a root without any study has none yet
        write_stamped(store.folder / NAME, {"since": unnamed}, kind=KIND, version=VERSION)
    return removed


def _read(folder: Path) -> dict[str, float]:
    try:
        return dict(read_stamped(folder / NAME, kind=KIND, version=VERSION)["since"])
    except NotFoundError:
        return {}


def _folders(folder: Path) -> list[str]:
    """All published folders, and what a crash left half removed."""
    found = [*folder.glob("axes/*"), *folder.glob("segments/*"), *folder.glob("studies/*/*")]
    return [path.relative_to(folder).as_posix() for path in found]
