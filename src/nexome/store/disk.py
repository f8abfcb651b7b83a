"""How things get onto the disk so that a reader sees all of them or nothing.

write_atomic     one small file: written beside, fsynced, renamed, folder fsynced
publish_folder   a finished folder: every file fsynced, then one rename
RootLock         one writer at a time, by flock on <root>/lock; the kernel frees it after a crash
read/write_stamped   JSON that carries `kind` and `version` and may carry the SHA-256 of itself
last_line, mend_log   the end of a log, and what a crash left torn behind it
is_held          whether a process holds a lock of its own
step             named points at which the fault tests kill the process

It knows nothing of what is stored.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import orjson

from nexome.model.errors import BusyError, DamagedError, NewerVersionError, NotFoundError, SpaceError

LOCK_NAME: Final = "lock"
CRASH_VARIABLE: Final = "NEXOME_CRASH_AT"

_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_RESERVE_BYTES: Final = 64 << 20  # left free for the manifest, the catalogue and the events of others
_FLUSH_LATER: Final = ContextVar("flush_later", default=False)
_POLL_S: Final = 0.05
_TAIL_BYTES: Final = 1 << 16


def now_iso() -> str:
    """The present moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def step(name: str) -> None:
    """A named point of a publish or a compaction; kills this process when NEXOME_CRASH_AT says so.

    The fault tests set the variable; without it this is one look into the environment.
    """
    if os.environ.get(CRASH_VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def space_errors(where: Path) -> Iterator[None]:
    """Turn 'no space left', 'quota exceeded' and 'file too large' into a SpaceError naming `where`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise SpaceError(
            "the disk is full",
            where=str(where),
            todo="Free some space and run the same command again; what was published before is untouched.",
        ) from error


def check_free_space(folder: Path, needed_bytes: int) -> None:
    """Raise SpaceError unless `folder`'s disk has room for `needed_bytes` and a small reserve."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + _RESERVE_BYTES:
        raise SpaceError(
            f"{free / 1e9:.2f} GB free",
            where=str(folder),
            expected=f"{(needed_bytes + _RESERVE_BYTES) / 1e9:.2f} GB",
            todo="Free some space, or put the root on a larger disk.",
        )


@contextmanager
def flush_together(folder: Path) -> Iterator[None]:
    """Flush all that is written inside by one call at the end, instead of each file and folder by itself.

    For publishing very many small files at once: 1,000 studies are 19,000 flushes (9 s) or one. What is
    written inside may be lost by a power cut until the end is reached: name nothing before that.
    """
    token = _FLUSH_LATER.set(True)
    try:
        yield
    finally:
        _FLUSH_LATER.reset(token)
    handle = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            raise OSError(ctypes.get_errno(), "syncfs failed", str(folder))
    finally:
        os.close(handle)


def fsync_path(path: Path) -> None:
    """Flush one file or folder to the disk (or leave it to an enclosing `flush_together`)."""
    if _FLUSH_LATER.get():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a small file so that readers, also after a crash, see the old bytes or the new ones.

    Raises SpaceError when the disk is full; the old file then stays.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with space_errors(path):
        try:
            with beside.open("wb") as stream:
                stream.write(content)
                stream.flush()
                if not _FLUSH_LATER.get():
                    os.fsync(stream.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        fsync_path(path.parent)


def publish_folder(staged: Path, final: Path) -> None:
    """Make a finished folder visible under its final name, by one rename on the same disk.

    Every file and folder below `staged` is flushed first. Raises FileExistsError when `final` is
    there already: a published folder is never changed.
    """
    if final.exists():
        raise FileExistsError(f"{final} is published already")
    with space_errors(staged):
        for folder, _, names in os.walk(staged):
            for name in names:
                fsync_path(Path(folder, name))
            fsync_path(Path(folder))
        final.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(final)
        fsync_path(final.parent)
        fsync_path(staged.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder nobody needs any more; a folder already gone is fine.

    It is renamed first, so that a crash in the middle leaves only a name that starts with a dot.
    """
    doomed = path.with_name(f".removed-{path.name}-{secrets.token_hex(4)}")
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return
    shutil.rmtree(doomed, ignore_errors=True)


# ---------------------------------------------------------------- one writer


@dataclass
class RootLock:
    """The right to write to a root, held by one process (and one thread of it) at a time.

    `with RootLock(root): …`, or `RootLock(root, wait_s=60)` to wait for another holder. The lock
    file names its holder: process id, command, since when. The kernel lets go of the lock when the
    holder dies, however it dies. It is not re-entrant. Readers never need it.
    """

    root: Path
    wait_s: float = 0.0
    _handle: int = field(default=-1, init=False, repr=False)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock now."""
        return self._handle >= 0

    def acquire(self) -> None:
        """Take the lock; raises BusyError naming the holder when it is not free within `wait_s`."""
        handle = os.open(self.root / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + self.wait_s
        while not _try_flock(handle):
            if time.monotonic() >= deadline:
                os.close(handle)
                raise _busy(self.root)
            time.sleep(_POLL_S)
        self._handle = handle
        words = [Path(sys.argv[0]).name, *(a for a in sys.argv[1:3] if a.isalpha())]
        holder = {"pid": os.getpid(), "command": " ".join(words), "since": now_iso()}
        with space_errors(self.root):
            os.ftruncate(handle, 0)
            os.pwrite(handle, orjson.dumps(holder), 0)

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_holder(root: Path) -> dict[str, Any] | None:
    """Who writes to the root now: pid, command, since; None when nobody does."""
    try:
        handle = os.open(root / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _try_flock(handle):
            return None
        return _holder_text(root)
    finally:
        os.close(handle)


def _try_flock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder_text(root: Path) -> dict[str, Any]:
    try:
        return dict(orjson.loads((root / LOCK_NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}  # the holder is between taking the lock and writing its name


def _busy(root: Path) -> BusyError:
    holder = _holder_text(root)
    return BusyError(
        f"process {holder.get('pid', '?')} ({holder.get('command', 'unknown command')}) has been writing "
        f"since {holder.get('since', 'just now')}",
        where=str(root),
        expected="one writer at a time",
        todo="Wait until it is done, then run the same command again.",
    )


# ---------------------------------------------------------------- stamped JSON


def write_stamped(
    path: Path, values: Mapping[str, Any], *, kind: str, version: int, sealed: bool = False
) -> None:
    """Write `values` as JSON with kind and version in front, atomically.

    `sealed` adds the SHA-256 of the rest, for files that no person edits by hand.
    """
    body = {"kind": kind, "version": version, **values}
    if sealed:
        body["sha256"] = _seal(body)
    write_atomic(path, orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_stamped(path: Path, *, kind: str, version: int) -> dict[str, Any]:
    """Read what write_stamped wrote; `version` is the newest this program knows.

    Raises NotFoundError when there is no such file, NewerVersionError when a newer Nexome wrote it,
    DamagedError when it is not JSON, of another kind, or does not carry the checksum of itself.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError("no such file", where=str(path), expected=f"a file of kind {kind}") from None
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise damaged(path, f"line {error.lineno}, column {error.colno}: {error.msg}", "JSON") from None
    if not isinstance(body, dict) or body.get("kind") != kind:
        found = body.get("kind") if isinstance(body, dict) else type(body).__name__
        raise damaged(path, f"kind {found!r}", f"kind {kind!r}")
    found_version = body.get("version")
    if not isinstance(found_version, int):
        raise damaged(path, f"version {found_version!r}", "a whole number")
    if found_version > version:
        raise NewerVersionError(
            f"{kind} version {found_version}",
            where=str(path),
            expected=f"at most version {version}",
            todo="Open it with the Nexome that wrote it, or a newer one.",
        )
    if "sha256" in body and body.pop("sha256") != _seal(body):
        raise damaged(path, "a checksum that does not fit the content", "the bytes that were written")
    return body


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def damaged(path: Path, found: str, expected: str) -> DamagedError:
    """A DamagedError for one stored file, saying what to do."""
    return DamagedError(
        found,
        where=str(path),
        expected=expected,
        todo="Restore this file from a backup (nexome restore).",
    )


def last_line(stream: BinaryIO) -> tuple[bytes | None, bytes]:
    """The last whole line of a log, None where there is none, and the bytes of a torn one behind it."""
    size = stream.seek(0, os.SEEK_END)
    window = _TAIL_BYTES
    while True:
        start = max(0, size - window)
        stream.seek(start)
        tail = stream.read(size - start)
        end = tail.rfind(b"\n")
        begin = tail.rfind(b"\n", 0, max(end, 0))
        if end >= 0 and (begin >= 0 or start == 0):
            return tail[begin + 1 : end], tail[end + 1 :]
        if start == 0:
            return None, tail
        window *= 4


def mend_log(stream: BinaryIO) -> bytes | None:
    """Cut a torn line off the end of a log open for appending; its last whole line, None for none."""
    line, torn = last_line(stream)
    whole = stream.seek(0, os.SEEK_END) - len(torn)
    if torn:
        stream.truncate(whole)
    stream.seek(whole)
    return line


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock that lies in a file; no file: nobody does."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
