"""What ties the indicators of a paper to numbers, and the evidence: beside the paper's versions; they stay.

    <root>/papers/<paper>/links.json           kind "nexome-links", sealed, `revision` counts every change
    <root>/papers/<paper>/evidence/<sha256>    a file each, named by its content; never changed, never removed

Evidence is on the disk before links.json names it: a crash between leaves a file nobody names, and both
whole. An event that a crash kept from the log is entered before the next one. What links mean is said in
`report.links`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from nexome.formats.stream import sha256_of
from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.store.disk import check_free_space, fsync_path, read_stamped, space_errors, step, write_stamped
from nexome.store.papers import FOLDER, read_kept
from nexome.store.root import EVENTS_NAME, Root

KIND: Final = "nexome-links"
VERSION: Final = 1
FILE: Final = "links.json"
EVIDENCE: Final = "evidence"
EVENT: Final = "target-link"
# A scanned contract or report has some megabytes; beyond this it is no evidence a person can look through.
MAX_EVIDENCE_BYTES: Final = 100 << 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that shows a number: its SHA-256, the name it came under, its size."""

    sha256: str
    name: str
    bytes: int


def read_links(root: Path, paper: str) -> dict[str, Any]:
    """The values of a paper's links; {} where none were made. Raises DamagedError, NewerVersionError."""
    try:
        return read_stamped(_folder(root, paper) / FILE, kind=KIND, version=VERSION)
    except NotFoundError:
        return {}


def write_links(root: Root, paper: str, values: Mapping[str, Any], *, change: Mapping[str, Any]) -> int:
    """Write the links of a paper with their next revision and enter the change in the event log.

    The caller holds the root's lock. `change` says what was done, by whom; it is kept in the file too, so
    that the log can be completed after a crash. Returns the revision.
    """
    before = read_links(root.path, paper)
    _complete_log(root, paper, before)
    revision = int(before.get("revision", 0)) + 1
    entered = {**change, "paper": paper, "revision": revision}
    kept = {name: value for name, value in values.items() if name not in {"kind", "version"}}
    log = root.path / EVENTS_NAME
    size = log.stat().st_size if log.exists() else 0
    body = {**kept, "revision": revision, "change": entered, "log_bytes": size}
    write_stamped(_folder(root.path, paper) / FILE, body, kind=KIND, version=VERSION, sealed=True)
    step("links-written")
    root.append_event(EVENT, **entered)
    return revision


def _complete_log(root: Root, paper: str, before: Mapping[str, Any]) -> None:
    """Enter the last change, unless the log has it: only what was appended since that change is read."""
    if before and not _is_logged(root.path / EVENTS_NAME, paper, before):
        root.append_event(EVENT, **before["change"])


def _is_logged(log: Path, paper: str, before: Mapping[str, Any]) -> bool:
    with log.open("rb") as stream:
        stream.seek(before["log_bytes"] if before["log_bytes"] <= log.stat().st_size else 0)
        for line in stream:
            if line.endswith(b"\n") and EVENT.encode() in line:
                event = orjson.loads(line)
                if (event["kind"], event.get("paper"), event.get("revision")) == (
                    EVENT,
                    paper,
                    before["revision"],
                ):
                    return True
    return False


def keep_evidence(root: Path, paper: str, source: Path) -> Evidence:
    """Keep a file under its SHA-256; the same content is kept once.

    Raises InputError for a file that is absent, empty or larger than MAX_EVIDENCE_BYTES, SpaceError.
    """
    expected = f"a file of at most {MAX_EVIDENCE_BYTES / 1e6:,.0f} MB that shows the number"
    if not source.is_file():
        raise InputError("no such file", where=str(source), expected=expected, todo="Check the path.")
    size = source.stat().st_size
    if not 0 < size <= MAX_EVIDENCE_BYTES:
        found = f"{size / 1e6:,.0f} MB" if size else "an empty file"
        todo = "Give the pages that show the number, or a statement that names the file and its checksum."
        raise InputError(found, where=str(source), expected=expected, todo=todo if size else "")
    folder = _folder(root, paper) / EVIDENCE
    folder.mkdir(exist_ok=True)
    check_free_space(folder, size)
    sha256 = sha256_of(source)
    final = folder / sha256
    if not final.exists():
        beside = folder / f".{sha256}"
        with space_errors(folder):
            shutil.copyfile(source, beside)
            if sha256_of(beside) != sha256:
                beside.unlink()
                raise InputError("a file that changes while it is read", where=str(source), expected=expected)
            fsync_path(beside)
            beside.rename(final)
            fsync_path(folder)
    step("evidence-kept")
    return Evidence(sha256, source.name, size)


def evidence_path(root: Path, paper: str, sha256: str) -> Path:
    """Where the evidence of a checksum is kept, whether it is there or not."""
    return root / FOLDER / paper / EVIDENCE / sha256


def check_evidence(root: Path, paper: str, sha256: str) -> Path:
    """The file of some evidence, read whole and compared with its checksum.

    Raises NotFoundError where it is gone, DamagedError where it is not the bytes that were kept.
    """
    path = evidence_path(root, paper, sha256)
    if not path.is_file():
        raise NotFoundError(
            "evidence that is gone", where=str(path), expected="the file kept under its SHA-256"
        )
    if sha256_of(path) != sha256:
        raise DamagedError(
            "evidence that was changed",
            where=str(path),
            expected=f"bytes with SHA-256 {sha256}",
            todo="Restore this file from a backup (nexome restore).",
        )
    return path


def _folder(root: Path, paper: str) -> Path:
    return read_kept(root, paper).path.parent  # a paper that is kept: its name leads nowhere else
