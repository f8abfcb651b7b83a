"""The cohorts of a root: versions to read, staging to write into, withdrawal, cleaning.

<root>/cohorts/manifest.json            which versions there are
<root>/cohorts/<cohort>/<version>/      values, dictionary, receipt, checksums; never changed
<root>/cohorts/packed/…                 derived arrays (see packed)
<root>/cohorts/identities/, key, withdrawn.jsonl    people
<root>/cohorts/staging/<token>/         unpublished work
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from nexome.model.cohorts import Cohort, Dictionary
from nexome.model.errors import NotFoundError, StoreError
from nexome.model.terms import Access
from nexome.store.associations.staging import sweep
from nexome.store.cohorts.manifest import (
    FOLDER,
    PACKED,
    RESERVED,
    CohortEntry,
    CohortKind,
    CohortManifest,
    load_manifest,
    manifest_path,
    swap_manifest,
)
from nexome.store.cohorts.people import (
    identities_path,
    participant_key,
    read_identities,
    read_withdrawn,
    withdrawn_path,
)
from nexome.store.cohorts.table import CohortTable
from nexome.store.cohorts.withdrawing import Withdrawn, finish_withdrawals, is_pending, withdraw_participants
from nexome.store.cohorts.write import LOCK_WAIT_S, StagedCohort
from nexome.store.disk import RootLock, remove_folder
from nexome.store.root import Root, open_root


class CohortStore:
    """The cohorts of one root. Safe to use from several threads; readers never wait."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.folder = root.path / FOLDER
        self._lock = threading.Lock()
        self._seen: tuple[tuple[tuple[int, int, int], ...], CohortManifest] | None = None
        self._tables: dict[CohortEntry, CohortTable] = {}

    @classmethod
    def open(cls, root_path: Path) -> Self:
        """Open the store of a root. Raises NotFoundError when there is no root."""
        return cls(open_root(Path(root_path)))

    def manifest(self) -> CohortManifest:
        """The manifest as of now; read again only when its file or the list of the withdrawn changed.

        A withdrawal that was cut off, or came with a restored backup, is finished first.
        """
        stamp = self._stamp()
        with self._lock:
            if self._seen is None or self._seen[0] != stamp:
                present = load_manifest(self.root.path)
                if is_pending(self.root.path, present):
                    self._finish_withdrawals()
                    stamp, present = self._stamp(), load_manifest(self.root.path)
                self._seen = (stamp, present)
            return self._seen[1]

    def _finish_withdrawals(self) -> None:
        try:
            finish_withdrawals(self.root)
        except PermissionError:
            raise StoreError(
                "a withdrawal of participants waits to be finished, and the root can only be read",
                where=str(self.root.path),
                expected="tables without those who withdrew",
                todo="Run `nexome cohort list` once where the root can be written.",
            ) from None

    def cohorts(self) -> Sequence[CohortEntry]:
        """The newest version of each cohort, by id."""
        return list(self.manifest().newest.values())

    def get(self, cohort: str, version: int | None = None) -> CohortTable:
        """A version of a cohort, the newest unless said; the very same object while nothing changed.

        Raises NotFoundError naming those there are.
        """
        manifest = self.manifest()
        entry = manifest.entry(cohort, version)
        with self._lock:
            live = set(manifest.versions)
            self._tables = {e: t for e, t in self._tables.items() if e in live}
            if entry not in self._tables:
                self._tables[entry] = CohortTable(self.root.path, entry)
            return self._tables[entry]

    def stage(self, cohort: Cohort, dictionary: Dictionary, *, kind: CohortKind = "source") -> StagedCohort:
        """Begin to write a version of a cohort. Raises InputError for a dictionary that cannot be used."""
        return StagedCohort(self, cohort, dictionary, kind=kind)

    def participant_key(self, people: str, identifier: str) -> int:
        """The key of one person: uint64."""
        return participant_key(self.root.path, people, identifier)

    def switch_access(self, cohort: str, access: Access) -> bool:
        """Open a cohort, or make it private; False: it was so already."""
        with RootLock(self.root.path, wait_s=LOCK_WAIT_S) as lock:
            present = load_manifest(self.root.path)
            if present.entry(cohort).access == access:
                return False
            swap_manifest(present.with_access(cohort, access), lock)
            self.root.append_event("cohort-access", cohort=cohort, access=access)
        return True

    def withdraw(self, cohort: str, *, reason: str) -> None:
        """Take all versions of a cohort out of the store; their files go at once.

        Identifiers that no other cohort uses go with them. Raises NotFoundError when it is not there.
        """
        with RootLock(self.root.path, wait_s=LOCK_WAIT_S) as lock:
            present = load_manifest(self.root.path)
            fresh = present.without_cohort(cohort, reason=reason)
            swap_manifest(fresh, lock)
            for people in {e.people_of for e in present.versions} - {e.people_of for e in fresh.versions}:
                identities_path(self.root.path, people).unlink(missing_ok=True)
            self.root.append_event("cohort-withdrawn", cohort=cohort, reason=reason)
            self._remove_unnamed()

    def withdraw_participant(
        self, people: str, identifier: str, *, reason: str, unseen: bool = False
    ) -> Withdrawn:
        """Take one person out: see `withdraw_participants`."""
        return self.withdraw_participants(people, [identifier], reason=reason, unseen=unseen)

    def withdraw_participants(
        self, people: str, identifiers: Sequence[str], *, reason: str, unseen: bool = False
    ) -> Withdrawn:
        """Take people out of every version of every table, for good; imports leave them out.

        `people` as in `CohortEntry.people_of`. `unseen`: somebody who was never imported is kept out too.
        Raises NotFoundError for such a one otherwise, before anything is changed.
        """
        keys = [self.participant_key(people, identifier) for identifier in identifiers]
        known = set(read_identities(self.root.path, people)["participant"].to_pylist())
        known |= set(read_withdrawn(self.root.path).tolist())
        if not unseen and (strangers := sum(key not in known for key in keys)):
            raise NotFoundError(
                f"{strangers} of {len(keys)} identifiers are nobody's"
                if len(keys) > 1
                else "nobody of that identifier",
                where=f"people {people[:80]}",
                expected="identifiers as they stand in the imported file",
                todo="Check them. To keep somebody out who was never imported: --unseen.",
            )
        return withdraw_participants(self.root, people, keys, reason=reason)

    def clean(self) -> list[str]:
        """Remove abandoned staging and folders that the manifest does not name; gives what was removed."""
        removed = sweep(self.folder)
        with RootLock(self.root.path, wait_s=LOCK_WAIT_S):
            return [*removed, *self._remove_unnamed()]

    def _remove_unnamed(self) -> list[str]:
        """Under the lock: a publish in another process moves its folders before it names them."""
        removed = []
        named = {e.path for e in load_manifest(self.root.path).versions}
        for folder in (self.folder, self.folder / PACKED):
            for path in sorted(folder.glob("*/*")):
                own = folder == self.folder and path.parent.name in RESERVED
                if not own and path.is_dir() and path.relative_to(folder).as_posix() not in named:
                    remove_folder(path)
                    removed.append(path.relative_to(self.folder).as_posix())
                    if not any(path.parent.iterdir()):
                        path.parent.rmdir()
        return removed

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(
            _stamp_of(path) for path in (manifest_path(self.root.path), withdrawn_path(self.root.path))
        )


def rebuild_packed(root: Root) -> int:
    """Make the packed forms of all versions anew; returns how many there are."""
    store = CohortStore(root)
    remove_folder(store.folder / PACKED)
    for entry in store.manifest().versions:
        _ = CohortTable(root.path, entry).packed
    return len(store.manifest().versions)


def _stamp_of(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)
