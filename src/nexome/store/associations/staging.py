"""The workplace of a write: <root>/associations/staging/<token>, unseen until its parts are published.

    owner            locked (flock) by the process at work; the kernel lets go when that process ends
    segment-<k>/ axis/ study-<k>/ …   parts being made

`sweep` removes the workplaces of processes that are gone. What the parts hold is not known here.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

from nexome.store.disk import is_held, remove_folder, space_errors

FOLDER: Final = "staging"
OWNER: Final = "owner"


class Workplace:
    """One staging folder, owned until `remove`."""

    def __init__(self, associations: Path) -> None:
        self.path = associations / FOLDER / f"{os.getpid()}-{secrets.token_hex(6)}"
        with space_errors(self.path):
            self.path.mkdir(parents=True)
            self._handle = os.open(self.path / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove the folder with all that is left in it; may be called twice."""
        if self._handle >= 0:
            remove_folder(self.path)
            os.close(self._handle)
            self._handle = -1


def sweep(associations: Path) -> list[str]:
    """Remove workplaces whose process is gone; returns their names."""
    folder = associations / FOLDER
    gone = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith(".") or not is_held(path / OWNER):
            remove_folder(path)
            gone.append(f"{FOLDER}/{path.name}")
    return gone
