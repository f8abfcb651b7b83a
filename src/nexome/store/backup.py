"""Backup and restore of a root, while imports and readers go on.

A backup is a folder laid out as a root, so that it can be opened and served as it stands, and
backup.json, which says which manifest it holds. Folders of associations, genotypes, tracks, knowledge
never change once published; they are copied, or hard-linked where asked and possible, and those that are
there already are kept: a second backup into the same folder costs only what is new. Who withdrew from a
cohort stays out: the list of withdrawn participants only grows, in a backup and in what is restored from it.
Files that do change (manifest, events, catalogue, settings, genes) are taken together under the root's
lock, which is held for a moment. A catalogue in another database (PostgreSQL) is not copied; the
report says so.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.store.associations.manifest import FOLDER, NAME, Manifest, load_manifest
from nexome.store.audit import AUDIT_NAME, TORN_NAME
from nexome.store.checksums import find_damage
from nexome.store.cohorts.manifest import FOLDER as COHORTS
from nexome.store.cohorts.manifest import IDENTITIES
from nexome.store.cohorts.manifest import NAME as COHORTS_NAME
from nexome.store.cohorts.manifest import PACKED as COHORTS_PACKED
from nexome.store.cohorts.manifest import RESERVED as COHORTS_RESERVED
from nexome.store.cohorts.manifest import load_manifest as load_cohorts
from nexome.store.cohorts.people import KEY_NAME, WITHDRAWN_NAME
from nexome.store.cohorts.withdrawing import SAMPLES_NAME, finish_withdrawals, merge_withdrawn
from nexome.store.disk import (
    RootLock,
    check_free_space,
    fsync_path,
    now_iso,
    publish_folder,
    read_stamped,
    remove_folder,
    space_errors,
    step,
    write_stamped,
)
from nexome.store.genotypes.manifest import FOLDER as GENOTYPES
from nexome.store.genotypes.manifest import NAME as GENOTYPES_NAME
from nexome.store.genotypes.manifest import RESERVED
from nexome.store.genotypes.manifest import Manifest as GenotypesManifest
from nexome.store.genotypes.manifest import load_manifest as load_genotypes
from nexome.store.knowledge.manifest import DERIVED, KnowledgeManifest
from nexome.store.knowledge.manifest import FOLDER as KNOWLEDGE
from nexome.store.knowledge.manifest import NAME as KNOWLEDGE_NAME
from nexome.store.ledger import FOLDER as LEDGERS
from nexome.store.measures import NAME as MEASURES_NAME
from nexome.store.papers import FOLDER as PAPERS_NAME
from nexome.store.reference import FOLDER as REFERENCE
from nexome.store.reference import NAME as REFERENCE_NAME
from nexome.store.reference import ReferenceManifest
from nexome.store.root import EVENTS_NAME, ROOT_NAME, SETTINGS_NAME, open_root
from nexome.store.track_manifest import FOLDER as TRACKS
from nexome.store.track_manifest import NAME as TRACKS_NAME
from nexome.store.track_manifest import TrackManifest

KIND: Final = "nexome-backup"
VERSION: Final = 1
BACKUP_NAME: Final = "backup.json"
CATALOGUE_NAME: Final = "catalogue.sqlite"
GENES_NAME: Final = "genes"
SMALL_FOLDERS: Final = (GENES_NAME, PAPERS_NAME, f"{COHORTS}/{IDENTITIES}", LEDGERS)  # taken whole, each time
AUDIT: Final = (AUDIT_NAME, TORN_NAME)
PEOPLE: Final = tuple(f"{COHORTS}/{name}" for name in (WITHDRAWN_NAME, KEY_NAME, SAMPLES_NAME))
MANIFESTS: Final = (
    f"{GENOTYPES}/{GENOTYPES_NAME}",
    f"{TRACKS}/{TRACKS_NAME}",
    f"{KNOWLEDGE}/{KNOWLEDGE_NAME}",
    f"{REFERENCE}/{REFERENCE_NAME}",
    f"{COHORTS}/{COHORTS_NAME}",
    f"{FOLDER}/{NAME}",
)
LOCK_WAIT_S: Final = 600.0

_INCOMING: Final = ".incoming"
_UNFINISHED: Final = -1  # the sequence of a backup being made
_ATTEMPTS: Final = 5  # a compaction and a clean may take a folder away while it is being copied

Progress = Callable[[str, int, int], None]


@dataclass
class BackupReport:
    """What a backup or restore did. `left_out` names what is kept elsewhere and was not copied."""

    sequence: int = 0
    copied: int = 0
    kept: int = 0
    bytes: int = 0
    left_out: list[str] = field(default_factory=list)


def backup_root(
    root: Path,
    target: Path,
    *,
    hard_links: bool = False,
    wait_s: float = LOCK_WAIT_S,
    progress: Progress | None = None,
) -> BackupReport:
    """Copy a root to `target`, a new folder or an earlier backup of the same root.

    `hard_links` saves space on the same disk, but then one flipped bit hits both. Raises InputError
    when `target` is something else, SpaceError when it is too small, BusyError when the lock is not
    free within `wait_s`.
    """
    source = open_root(root)
    _check_target(target, source.id)
    with space_errors(target):
        (target / _INCOMING).mkdir(parents=True, exist_ok=True)
    _stamp(target, source.id, _UNFINISHED)
    for attempt in range(_ATTEMPTS):
        report = BackupReport()
        with RootLock(root, wait_s=wait_s):
            manifest, kept = load_manifest(root), _load_kept(root)
            _take_changing_files(root, target / _INCOMING, report)
        try:
            _copy_folders(root, target, kept, report, hard_links=hard_links, progress=progress)
            break
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1:
                raise
    if source.settings.catalogue_url:
        report.left_out.append("catalogue (kept outside the root; back it up with its own database)")
    merge_withdrawn(target / _INCOMING, target / PEOPLE[0])
    _put_changing_files(target)
    _stamp(target, source.id, manifest.sequence)
    _drop_unused(target, kept)
    report.sequence = manifest.sequence
    with suppress(OSError):  # a root that may not be written can still be backed up
        source.append_event("backup-made", manifest=manifest.sequence)
    return report


def _stamp(target: Path, root_id: str, sequence: int) -> None:
    values = {"root": root_id, "sequence": sequence, "made": now_iso()}
    write_stamped(target / BACKUP_NAME, values, kind=KIND, version=VERSION, sealed=True)


def restore_root(
    backup: Path, target: Path, *, withdrawn: Path | None = None, progress: Progress | None = None
) -> BackupReport:
    """Make a new root at `target` (empty or absent) from a backup, checking every copied folder.

    `withdrawn`: a withdrawn.jsonl that is newer than the backup; whom it or the backup's own names is not
    in the new root. Raises InputError when `target` holds something, NotFoundError when `backup` is none,
    DamagedError when it was interrupted or its files are not those that were backed up.
    """
    if target.exists() and any(target.iterdir()):
        raise InputError("something is there already", where=str(target), expected="an empty folder, or none")
    if not (backup / BACKUP_NAME).exists():
        raise NotFoundError("no backup there", where=str(backup), expected=f"a folder with {BACKUP_NAME}")
    facts = read_stamped(backup / BACKUP_NAME, kind=KIND, version=VERSION)
    manifest = load_manifest(backup)
    if facts["sequence"] == _UNFINISHED or manifest.sequence != facts["sequence"]:
        raise DamagedError(
            "a backup that was not finished",
            where=str(backup),
            expected="the manifest and what it names",
            todo="The last backup was interrupted: run `nexome backup` into this folder again.",
        )
    report = BackupReport(sequence=manifest.sequence)
    with space_errors(target):
        (target / _INCOMING).mkdir(parents=True, exist_ok=True)
    kept = _load_kept(backup)
    _copy_folders(backup, target, kept, report, hard_links=False, progress=progress)
    _check_folders(target, kept)
    _take_changing_files(backup, target / _INCOMING, report)
    if withdrawn is not None:
        merge_withdrawn(target / _INCOMING, withdrawn)
    _put_changing_files(target)
    root = open_root(target)
    root.append_event("backup-restored", manifest=manifest.sequence)
    finish_withdrawals(root)
    return report


def _check_target(target: Path, root_id: str) -> None:
    if not target.exists() or not any(target.iterdir()):
        return
    if (target / BACKUP_NAME).exists():
        facts = read_stamped(target / BACKUP_NAME, kind=KIND, version=VERSION)
        if facts["root"] == root_id:
            return
        raise InputError("a backup of another root", where=str(target), todo="Choose another folder.")
    if {p.name for p in target.iterdir()} == {_INCOMING}:
        return  # a first backup that was interrupted before it had a name
    raise InputError("no backup, but not empty", where=str(target), expected="an empty folder or a backup")


# ---------------------------------------------------------------- folders that never change


def _load_kept(root: Path) -> dict[str, str]:
    """Path below the root of each folder that manifests name → its digest."""
    digests = _digests(load_manifest(root), load_genotypes(root))
    digests |= TrackManifest.load(root).digests | KnowledgeManifest.load(root).digests
    return digests | load_cohorts(root).digests | ReferenceManifest.load(root).digests


def _digests(manifest: Manifest, genotypes: GenotypesManifest) -> dict[str, str]:
    digests = {a.path: a.digest for a in manifest.axes.values()}
    digests |= {s.path: s.digest for s in manifest.segments.values()}
    digests |= {s.path: s.digest for s in manifest.studies.values()}
    named = {f"{FOLDER}/{path}": digest for path, digest in digests.items()}
    return named | {f"{GENOTYPES}/{s.path}": s.digest for s in genotypes.sets.values()}


def _copy_folders(
    source: Path,
    target: Path,
    kept: dict[str, str],
    report: BackupReport,
    *,
    hard_links: bool,
    progress: Progress | None,
) -> None:
    wanted = sorted(kept)
    missing = [p for p in wanted if not (target / p).exists()]
    report.kept = len(wanted) - len(missing)
    linked = hard_links and source.stat().st_dev == target.stat().st_dev
    if not linked:
        check_free_space(target, sum(_size(source / p) for p in missing))
    for at, path in enumerate(missing):
        staged = target / _INCOMING / "folder"
        shutil.rmtree(staged, ignore_errors=True)
        with space_errors(target):
            shutil.copytree(source / path, staged, copy_function=os.link if linked else shutil.copyfile)
        publish_folder(staged, target / path)
        step("backup-folder")
        report.copied += 1
        report.bytes += _size(target / path)
        if progress is not None:
            progress("folders", at + 1, len(missing))


def _check_folders(target: Path, kept: dict[str, str]) -> None:
    for path, digest in kept.items():
        for damage in find_damage(target / path, digest=digest):
            raise DamagedError(
                damage.found,
                where=str(damage.path),
                expected="the bytes that were backed up",
                todo="Restore from another backup.",
            )


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _drop_unused(target: Path, kept: dict[str, str]) -> None:
    """Remove folders of an earlier backup that the present manifests no longer name."""
    for path in list(_published(target)):
        if path.relative_to(target).as_posix() not in kept:
            remove_folder(path)


def _published(target: Path) -> Iterator[Path]:
    yield from (p for kind in ("axes", "segments") for p in (target / FOLDER / kind).glob("*"))
    yield from (target / FOLDER / "studies").glob("*/*")
    yield from (p for kind in (TRACKS, REFERENCE) for p in (target / kind).glob("*/*") if p.is_dir())
    yield from (p for p in (target / KNOWLEDGE).glob("*/*") if p.is_dir() and p.parent.name not in DERIVED)
    # packed forms of cohorts hold people, who may have withdrawn since
    yield from (target / COHORTS / COHORTS_PACKED).glob("*/*")
    yield from (p for p in (target / COHORTS).glob("*/*") if p.parent.name not in COHORTS_RESERVED)
    # packed forms of genotypes, which a backup makes when it is asked, are derived and left alone
    yield from (p for p in (target / GENOTYPES).glob("*/*") if p.is_dir() and p.parent.name not in RESERVED)


# ---------------------------------------------------------------- files that change


def _take_changing_files(root: Path, incoming: Path, report: BackupReport) -> None:
    """Copy what changes into `incoming`; the caller sees to it that nobody writes meanwhile."""
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    with space_errors(incoming):
        for name in (ROOT_NAME, SETTINGS_NAME, MEASURES_NAME, EVENTS_NAME, *AUDIT, *PEOPLE, *MANIFESTS):
            if (root / name).exists():
                (incoming / name).parent.mkdir(exist_ok=True)
                shutil.copy(root / name, incoming / name)  # with its mode: the key is for its owner alone
        for name in SMALL_FOLDERS:
            if (root / name).is_dir():
                shutil.copytree(root / name, incoming / name)
        if (root / CATALOGUE_NAME).exists():
            _copy_database(root / CATALOGUE_NAME, incoming / CATALOGUE_NAME)
    report.bytes += _size(incoming)


def _copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database that others may be writing to, through SQLite's own backup."""
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def _put_changing_files(target: Path) -> None:
    """Move what was taken into its place; the manifests go last."""
    incoming = target / _INCOMING
    for name in SMALL_FOLDERS:
        if (incoming / name).is_dir():
            remove_folder(target / name)
    kept = (*PEOPLE, *AUDIT, CATALOGUE_NAME, SETTINGS_NAME, MEASURES_NAME, EVENTS_NAME, ROOT_NAME, *MANIFESTS)
    for name in (*SMALL_FOLDERS, *kept):
        if (incoming / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if (incoming / name).is_file():
                fsync_path(incoming / name)
            (incoming / name).rename(target / name)
            step("backup-file")
    fsync_path(target)
    shutil.rmtree(incoming)
