"""The ledger of a project: every population it was answered about, as sketches that tell of nobody.

<root>/ledger/<project>/
    project.json       stamped: name, purposes (DUO), when opened, when closed
    refusals           a byte for each cell refused because of what was answered before: each tells a little
    populations.bin    MAGIC, then records: sketch (256 × uint64 little-endian), 4 zero bytes, CRC-32 of both

A record is appended and flushed before the answer leaves; a record torn by a crash is cut off by the next
session (its answer never left). Sketches come from participant keys and the root's key alone, so the same
people are the same population in every kind of question, cohort version and process. Nothing is ever taken
out: a population answered about stays known, also when one of its people withdraws. When to refuse is decided
here, what counts as a population in `access.disclosure`.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from nexome.methods.combinations import CombinationIndex
from nexome.methods.populations import GROUPS, differing_groups
from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.store.disk import fsync_path, now_iso, read_stamped, space_errors, write_stamped

FOLDER: Final = "ledger"
KIND: Final = "nexome-project"
VERSION: Final = 1
PROJECT_NAME: Final = "project.json"
POPULATIONS_NAME: Final = "populations.bin"
REFUSALS_NAME: Final = "refusals"
MAGIC: Final = b"NXLEDGER\x01\x00\x00\x00\x00\x01\x00\x00"
RECORD_BYTES: Final = GROUPS * 8 + 8

Verdict = Literal["known", "new", "difference", "few_beside", "too_many_populations"]
U64 = npt.NDArray[np.uint64]

_NAME: Final = re.compile(r"[\w][\w.-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Project:
    """What named people may ask under one purpose. `closed`: ISO time, '' while it is open.

    `excused` of its refusals were looked at by the owner (`excuse_refusals`).
    """

    name: str
    purposes: tuple[str, ...] = ()
    opened: str = ""
    closed: str = ""
    excused: int = 0


def open_project(root: Path, name: str, *, purposes: tuple[str, ...] = ()) -> Project:
    """A new project, or the open one of that name with the same purposes.

    Raises InputError for another purpose or a closed project: what people agreed to does not change under
    a project, and what it was answered about stays with it.
    """
    if not _NAME.match(name):
        raise InputError(f"project {name[:80]!r}", expected="letters, digits, . - _; 1 to 64 of them")
    try:
        found = read_project(root, name)
    except NotFoundError:
        folder = root / FOLDER / name
        with space_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        made = Project(name, tuple(dict.fromkeys(purposes)), now_iso())
        _write_project(root, made)
        return made
    if found.closed:
        raise InputError(f"project {name} was closed", expected="an open project, or a new name")
    if purposes and set(purposes) != set(found.purposes):
        raise InputError(
            f"project {name} has the purposes {', '.join(found.purposes) or 'none'}",
            expected="the same ones",
            todo="Open another project for another purpose.",
        )
    return found


def read_project(root: Path, name: str) -> Project:
    """A project. Raises NotFoundError."""
    if not _NAME.match(name):
        raise NotFoundError(f"no project {name[:80]!r}", todo="See `nexome project list`.")
    try:
        values = read_stamped(root / FOLDER / name / PROJECT_NAME, kind=KIND, version=VERSION)
    except NotFoundError:
        raise NotFoundError(f"no project {name[:80]!r}", todo="See `nexome project list`.") from None
    excused = int(values.get("excused", 0))
    return Project(values["name"], tuple(values["purposes"]), values["opened"], values["closed"], excused)


def close_project(root: Path, name: str) -> Project:
    """Close a project for good: nothing more is answered in it, its ledger and audit stay."""
    found = read_project(root, name)
    closed = replace(found, closed=found.closed or now_iso())
    _write_project(root, closed)
    return closed


def projects(root: Path) -> list[Project]:
    """All projects by name."""
    folders = sorted((root / FOLDER).glob(f"*/{PROJECT_NAME}"))
    return [read_project(root, folder.parent.name) for folder in folders]


def count_refusals(root: Path, name: str) -> int:
    """Cells refused in a project because of what was answered before, ever."""
    path = root / FOLDER / name / REFUSALS_NAME
    return path.stat().st_size if path.exists() else 0


def add_refusals(root: Path, name: str, number: int) -> None:
    """Count refusals of a project; on the disk when this returns."""
    path = root / FOLDER / name / REFUSALS_NAME
    with space_errors(path), path.open("ab") as stream:
        stream.write(bytes(number))
        stream.flush()
        os.fsync(stream.fileno())


def excuse_refusals(root: Path, name: str) -> Project:
    """Let a paused project go on: its refusals up to now were looked at."""
    found = replace(read_project(root, name), excused=count_refusals(root, name))
    _write_project(root, found)
    return found


def count_populations(root: Path, name: str) -> int:
    """Populations a project was answered about, by the length of its file."""
    path = root / FOLDER / name / POPULATIONS_NAME
    size = path.stat().st_size if path.exists() else len(MAGIC)
    return (size - len(MAGIC)) // RECORD_BYTES


def _write_project(root: Path, project: Project) -> None:
    values = {
        "name": project.name,
        "purposes": list(project.purposes),
        "opened": project.opened,
        "closed": project.closed,
        "excused": project.excused,
    }
    write_stamped(
        root / FOLDER / project.name / PROJECT_NAME, values, kind=KIND, version=VERSION, sealed=True
    )


class Ledger:
    """The populations of one project, in memory and on disk; to be used through `session`."""

    def __init__(self, root: Path, project: str, *, threshold: int, capacity: int) -> None:
        self.path = root / FOLDER / project / POPULATIONS_NAME
        self.threshold = threshold
        self.capacity = capacity
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._index = CombinationIndex(self.threshold)
        self.sketches: list[U64] = []
        self._by_sum: dict[int, list[int]] = {}
        self.read_bytes = 0

    def __len__(self) -> int:
        """Different populations answered about, as far as read."""
        return len(self.sketches)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Judge and add populations while no other process does; what is not committed is forgotten."""
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with space_errors(self.path), self.path.open("a+b") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                self._follow(stream)
                session = Session(self, stream)
                try:
                    yield session
                finally:
                    session.forget()

    # ------------------------------------------------------------ what a session does

    def find(self, sketch: U64) -> bool:
        """Whether exactly this population is known."""
        places = self._by_sum.get(int(sketch.sum(dtype=np.uint64)), ())
        return any(np.array_equal(self.sketches[at], sketch) for at in places)

    def judge(self, sketch: U64, whole: U64) -> Verdict:
        """Whether a population may be answered about, with all that is known; `whole` is everyone.

        'known' tells nothing new; 'few_beside': fewer people than the threshold are left out.
        """
        if self.find(sketch):
            return "known"
        if 0 < differing_groups(whole - sketch) < self.threshold:
            return "few_beside"
        if len(self.sketches) >= self.capacity:
            return "too_many_populations"
        rest = whole - sketch
        settled = not rest.any() or self.find(rest)
        return "difference" if self._index.is_close(sketch, whole, settled=settled) else "new"

    def take(self, sketch: U64) -> None:
        """Hold a population in memory."""
        self._by_sum.setdefault(int(sketch.sum(dtype=np.uint64)), []).append(len(self.sketches))
        self.sketches.append(sketch)
        self._index.add(sketch)

    def settle(self) -> None:
        """What is held now stays (`CombinationIndex.settle`)."""
        self._index.settle()

    def cut(self, length: int) -> None:
        """Hold the first populations alone."""
        for sketch in self.sketches[length:]:
            places = self._by_sum[int(sketch.sum(dtype=np.uint64))]
            places.remove(max(places))
        del self.sketches[length:]
        self._index.truncate(length)

    # ------------------------------------------------------------ disk

    def _follow(self, stream: BinaryIO) -> None:
        """Read what this or another process appended since; cut a torn end off."""
        size = os.fstat(stream.fileno()).st_size
        if size < self.read_bytes:
            self._reset()  # a restored or replaced file
        if size < len(MAGIC):
            stream.truncate(0)
            stream.write(MAGIC)
            stream.flush()
            os.fsync(stream.fileno())
            fsync_path(self.path.parent)
            self._reset()
            self.read_bytes = len(MAGIC)
            return
        if not self.read_bytes:
            stream.seek(0)
            if stream.read(len(MAGIC)) != MAGIC:
                raise _damaged(self.path, 0)
            self.read_bytes = len(MAGIC)
        whole = (size - self.read_bytes) // RECORD_BYTES
        stream.seek(self.read_bytes)
        for _ in range(whole):
            self.take(self._parse(stream.read(RECORD_BYTES)))
            self.settle()
            self.read_bytes += RECORD_BYTES
        if self.read_bytes < size:
            stream.truncate(self.read_bytes)
        stream.seek(0, os.SEEK_END)

    def _parse(self, record: bytes) -> U64:
        body, crc = record[:-4], int.from_bytes(record[-4:], "little")
        if zlib.crc32(body) != crc:
            raise _damaged(self.path, self.read_bytes)
        return np.frombuffer(body, "<u8", GROUPS).astype(np.uint64)


@dataclass
class Session:
    """A ledger held alone. Populations added are seen by what is judged next; `commit` keeps them."""

    ledger: Ledger
    stream: BinaryIO

    def __post_init__(self) -> None:
        self._start = len(self.ledger.sketches)
        self._new: list[bytes] = []

    def judge(self, sketch: U64, whole: U64) -> Verdict:
        """As Ledger.judge."""
        return self.ledger.judge(sketch, whole)

    def add(self, sketch: U64) -> None:
        """Hold a population answered about."""
        if self.ledger.find(sketch):
            return
        self.ledger.take(sketch)
        body = sketch.astype("<u8").tobytes() + bytes(4)
        self._new.append(body + zlib.crc32(body).to_bytes(4, "little"))

    def mark(self) -> int:
        """A point that `back_to` returns to: how many populations are known."""
        return len(self.ledger.sketches)

    def back_to(self, mark: int) -> None:
        """Forget what was added since."""
        if mark < len(self.ledger.sketches):
            self.ledger.cut(mark)
            del self._new[mark - self._start :]

    def commit(self) -> int:
        """Write what was added, flushed to the disk; how many populations that was."""
        written = len(self._new)
        if written:
            self.stream.write(b"".join(self._new))
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.ledger.read_bytes += written * RECORD_BYTES
            self._new = []
            self._start = len(self.ledger.sketches)
            self.ledger.settle()
        return written

    def forget(self) -> None:
        """Let go of what was not committed."""
        if self._new:
            self.ledger.cut(self._start)
            self._new = []

    def __enter__(self) -> Self:
        return self


def _damaged(path: Path, at: int) -> DamagedError:
    return DamagedError(
        f"a record that is not what was written, at byte {at:,}",
        where=str(path),
        expected="the populations of a project",
        todo="Restore it from a backup, or close the project: without its ledger nothing is answered in it.",
    )
