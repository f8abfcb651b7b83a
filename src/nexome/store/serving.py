"""What running servers of one root share: which of them keeps the watch, and today's visitors.

    <root>/serving/watch          held by flock while a server runs: pid, since, seen (its last beat), the
                                  file's inode (a copied root was never served); emptied when it stops
    <root>/serving/visitors.json  kind "nexome-visitors": today, its salt, a sketch of today's visitors
    <root>/serving/visitors.lock  held while visitors.json is changed

The salt is random, made for one day (UTC) and overwritten on the next: after that nothing can tell who the
sketch was made of. No address and no hash of one is kept; a sketch holds 16,384 small numbers, whoever came.
Nothing here is part of a backup.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from nexome.methods.distinct import REGISTERS, Sketch, estimate, new_sketch
from nexome.model.errors import DamagedError, NotFoundError
from nexome.store.disk import is_held, now_iso, read_stamped, space_errors, write_stamped

FOLDER: Final = "serving"
KIND: Final = "nexome-visitors"
VERSION: Final = 1
SALT_BYTES: Final = 16


@dataclass
class Watch:
    """The watch over a root: held by one server at a time, so that uptime and samples are counted once."""

    root: Path
    _handle: int = field(default=-1, init=False, repr=False)
    _since: str = field(default="", init=False, repr=False)

    @property
    def held(self) -> bool:
        """Whether this object holds the watch."""
        return self._handle >= 0

    def take(self) -> dict[str, Any] | None:
        """Take the watch where it is free; None where another server has it.

        Gives what a server that was lost left behind (pid, since, seen), {} after one that stopped.
        """
        (self.root / FOLDER).mkdir(exist_ok=True)
        handle = os.open(self.root / FOLDER / "watch", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        left = _parsed(os.pread(handle, 4096, 0))
        if left.get("inode") != os.fstat(handle).st_ino:  # stopped, or a copy of a root that was served
            left = {}
        self._handle, self._since = handle, now_iso()
        self.beat()
        return left

    def beat(self) -> None:
        """Say that this server is still there."""
        inode = os.fstat(self._handle).st_ino
        values = {"pid": os.getpid(), "since": self._since, "seen": now_iso(), "inode": inode}
        text = orjson.dumps(values)
        with space_errors(self.root):
            os.pwrite(self._handle, text, 0)
            os.ftruncate(self._handle, len(text))

    def release(self) -> None:
        """Give the watch back after a proper stop; does nothing when it is not held."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1


def is_served(root: Path) -> bool:
    """Whether a server of this root runs now: one holds the watch."""
    try:
        return is_held(root / FOLDER / "watch")
    except OSError:
        return False


def _parsed(content: bytes) -> dict[str, Any]:
    """What the last holder wrote; {} where it stopped properly, or left nothing that can be read."""
    try:
        return dict(orjson.loads(content))
    except (ValueError, TypeError):
        return {}


# ---------------------------------------------------------------- visitors


def salt_of(root: Path, day: str) -> bytes:
    """The salt of a day, the same for all servers of the root; made on its first request.

    The salt of the day before is gone with this. For a day that is over, one that nobody keeps.
    """
    with _visitors(root) as kept:
        if kept["day"] > day:
            return secrets.token_bytes(SALT_BYTES)
        if kept["day"] < day:
            kept |= {"day": day, "salt": secrets.token_hex(SALT_BYTES), "counted": 0, "sketch": ""}
        return bytes.fromhex(kept["salt"])


def add_visitors(root: Path, day: str, sketch: Sketch) -> int:
    """Add a server's sketch to that of the day; how many visitors that are new since the last time.

    0 for a day that is over: its sketch and salt are gone.
    """
    with _visitors(root) as kept:
        if kept["day"] != day:
            return 0
        whole = np.maximum(_sketch(kept["sketch"]), sketch)
        total = max(int(kept["counted"]), round(estimate(whole)))
        new = total - int(kept["counted"])
        kept |= {"counted": total, "sketch": base64.b64encode(zlib.compress(whole.tobytes())).decode()}
    return new


def _sketch(text: str) -> Sketch:
    if not text:
        return new_sketch()
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8, REGISTERS)


@contextmanager
def _visitors(root: Path) -> Iterator[dict[str, Any]]:
    """What is kept of visitors, to be changed in place; written where it changed."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / "visitors.json"
    handle = os.open(folder / "visitors.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            kept = read_stamped(path, kind=KIND, version=VERSION)
        except (NotFoundError, DamagedError):  # counted anew: the day's visitors are no reason to stop
            kept = {"day": "", "salt": "", "counted": 0, "sketch": ""}
        before = dict(kept)
        yield kept
        if kept != before:
            write_stamped(path, kept, kind=KIND, version=VERSION)
            path.chmod(0o600)
    finally:
        os.close(handle)
