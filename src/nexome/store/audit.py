"""The audit log: controlled answers and all refusals, append-only, each line chained to the one before.

<root>/audit.jsonl      one JSON object a line, keys sorted: sequence, time, previous, hash, and what happened
<root>/audit.torn       bytes of lines that a crash left unfinished, as they were found

`hash` is the SHA-256 of `previous` (64 hexadecimal digits) followed by the line's canonical JSON without
`hash`; the first `previous` is 64 zeros. A change, deletion or reordering of lines breaks the chain; lines
cut off the end are found by an exported head (`nexome audit head --write`), which is to be kept elsewhere.
A line is flushed to the disk before `append` returns. A line torn by a crash was never answered: the next
append moves it to audit.torn, and says so in a line of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import orjson

from nexome.model.errors import DamagedError
from nexome.store.disk import last_line, now_iso, read_stamped, space_errors, write_stamped

AUDIT_NAME: Final = "audit.jsonl"
TORN_NAME: Final = "audit.torn"
HEAD_KIND: Final = "nexome-audit-head"
HEAD_VERSION: Final = 1
FIRST: Final = "0" * 64
_FINDINGS_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: number, hash and time of the last line; 0 and zeros of an empty log."""

    sequence: int = 0
    hash: str = FIRST
    time: str = ""

    def write(self, path: Path) -> None:
        """Export it, to be kept where the log cannot be changed from."""
        write_stamped(path, asdict(self), kind=HEAD_KIND, version=HEAD_VERSION)

    @classmethod
    def read(cls, path: Path) -> Self:
        """An exported head."""
        values = read_stamped(path, kind=HEAD_KIND, version=HEAD_VERSION)
        return cls(int(values["sequence"]), str(values["hash"]), str(values["time"]))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at a line: kind edited | removed | reordered | unreadable | truncated | replaced."""

    line: int
    kind: str
    found: str


@dataclass
class AuditReport:
    """What `verify` found. `torn`: the last line is unfinished, as after a crash; its answer never left."""

    lines: int = 0
    head: Head = field(default_factory=Head)
    torn: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the chain holds, and holds the exported head."""
        return not self.findings


class AuditLog:
    """The log of one root. Safe from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.path = root / AUDIT_NAME
        self._lock = threading.Lock()
        self._known: tuple[int, Head] = (0, Head())

    @classmethod
    def open(cls, root: Path) -> Self:
        """The log of a root; the file is made by the first line."""
        return cls(root)

    def append(self, record: Mapping[str, Any]) -> int:
        """Append a line, flushed to the disk; its sequence number.

        Raises DamagedError when the last line is not what was written, SpaceError when the disk is full: in
        both cases no answer leaves.
        """
        with self._lock, space_errors(self.path), self.path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            head = self._end(stream)
            line = _sealed(
                {**record, "sequence": head.sequence + 1, "time": now_iso(), "previous": head.hash}
            )
            self._write(stream, line)
            return int(line["sequence"])

    def head(self) -> Head:
        """The last whole line. Raises DamagedError when it is not what was written."""
        if not self.path.exists():
            return Head()
        with self.path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
            content, _ = last_line(stream)
        return _head_of(content, self.path)

    def records(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """The newest lines, oldest first; unreadable ones are left out (see `verify`)."""
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().splitlines()[-limit:]
        return [found for line in lines if (found := _read(line)) is not None]

    def verify(self, kept: Head | None = None) -> AuditReport:
        """Prove the chain from the first line to the last, and that it holds a head exported before."""
        report = AuditReport()
        at_kept = kept is None or kept.sequence == 0
        for number, content, torn in self._lines():
            if torn:
                report.torn = True
                break
            report.lines = number
            head = self._check(number, content, report)
            if kept is not None and head.sequence == kept.sequence:
                at_kept = True
                if head.hash != kept.hash:
                    report.findings.append(Finding(number, "replaced", "another line than the exported head"))
            if len(report.findings) >= _FINDINGS_MOST:
                return report
        if not at_kept and kept is not None:
            found = f"{report.lines} lines, the exported head is number {kept.sequence}"
            report.findings.append(Finding(report.lines, "truncated", found))
        return report

    def _check(self, number: int, content: bytes, report: AuditReport) -> Head:
        record = _read(content)
        if record is None:
            report.findings.append(Finding(number, "unreadable", "not a line of the log"))
            return report.head
        before, head = report.head, Head(record["sequence"], record["hash"], record["time"])
        if _hash_of(record) != head.hash:
            report.findings.append(Finding(number, "edited", "the line is not what was written"))
        elif head.sequence <= before.sequence:
            report.findings.append(
                Finding(number, "reordered", f"number {head.sequence} after {before.sequence}")
            )
        elif head.sequence > before.sequence + 1:
            report.findings.append(
                Finding(number, "removed", f"number {head.sequence} after {before.sequence}")
            )
        elif record["previous"] != before.hash:
            report.findings.append(Finding(number, "replaced", "it follows another line than the one before"))
        report.head = head
        return head

    def _lines(self) -> Iterator[tuple[int, bytes, bool]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield number, line, not line.endswith(b"\n")

    # ------------------------------------------------------------ the end of the file

    def _end(self, stream: BinaryIO) -> Head:
        size = os.fstat(stream.fileno()).st_size
        if size and size == self._known[0]:
            return self._known[1]
        content, torn = last_line(stream)
        head = _head_of(content, self.path)
        if torn:
            head = self._heal(stream, torn, head)
        return head

    def _heal(self, stream: BinaryIO, torn: bytes, head: Head) -> Head:
        aside = self.path.with_name(TORN_NAME)
        with aside.open("ab") as kept:
            kept.write(torn + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        stream.truncate(os.fstat(stream.fileno()).st_size - len(torn))
        about = {"event": "healed", "torn_bytes": len(torn), "torn_sha256": hashlib.sha256(torn).hexdigest()}
        line = _sealed({**about, "sequence": head.sequence + 1, "time": now_iso(), "previous": head.hash})
        return self._write(stream, line)

    def _write(self, stream: BinaryIO, line: Mapping[str, Any]) -> Head:
        stream.seek(0, os.SEEK_END)
        stream.write(_canonical(line) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
        head = Head(line["sequence"], line["hash"], line["time"])
        self._known = (stream.tell(), head)
        return head


def _canonical(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _hash_of(record: Mapping[str, Any]) -> str:
    body = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(str(record["previous"]).encode() + _canonical(body)).hexdigest()


def _sealed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "hash": _hash_of(record)}


def _read(content: bytes) -> dict[str, Any] | None:
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    needed = {"sequence": int, "time": str, "previous": str, "hash": str}
    whole = isinstance(record, dict) and all(isinstance(record.get(n), t) for n, t in needed.items())
    return record if whole else None


def _head_of(content: bytes | None, path: Path) -> Head:
    if content is None:
        return Head()
    record = _read(content)
    if record is None or _hash_of(record) != record["hash"]:
        raise DamagedError(
            "a last line that is not what was written",
            where=str(path),
            expected="a line whose hash fits",
            todo="Run `nexome audit verify`; no controlled answer is given before it is restored.",
        )
    return Head(record["sequence"], record["hash"], record["time"])
