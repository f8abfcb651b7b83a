"""Scratch folders of imports: one for each process, removed when it ends, or by the next import if it died.

<root>/importing/<token>/lock     held (flock) while its process lives
<root>/importing/<token>/*.rows   spools of the files being read
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Final, Self

FOLDER: Final = "importing"


class Scratch:
    """A folder for spools, gone when the import ends."""

    def __init__(self, root: Path) -> None:
        self._parent = root / FOLDER
        self._handle = -1
        self._count = 0
        self.folder = self._parent / secrets.token_hex(6)

    def __enter__(self) -> Self:
        self._remove_abandoned()
        self.folder.mkdir(parents=True)
        self._handle = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name: str) -> Path:
        """A new path for the spool of a source."""
        self._count += 1
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name).name)[-60:]
        return self.folder / f"{self._count:06d}-{safe}.rows"

    def _remove_abandoned(self) -> None:
        """Remove folders whose process is gone: their lock can be taken."""
        if not self._parent.is_dir():
            return
        for folder in self._parent.iterdir():
            try:
                handle = os.open(folder / "lock", os.O_RDWR)
            except OSError:
                continue  # being made or removed by another process at this moment
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                pass  # its process lives
            finally:
                os.close(handle)
