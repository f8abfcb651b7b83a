"""The genotype store of a root: sets to read, staging to write into, withdrawal, cleaning.

<root>/genotypes/manifest.json          which versions are live
<root>/genotypes/<set>/<version>/       VCF Zarr, samples.parquet, receipt.json, checksums; never changed
<root>/genotypes/packed/<set>/<version> derived bits (see packed)
<root>/genotypes/staging/<token>/       unpublished work
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import pyarrow as pa

from nexome.model.terms import Access
from nexome.store.associations.staging import sweep
from nexome.store.disk import RootLock, remove_folder
from nexome.store.genotypes.dataset import GenotypeSet
from nexome.store.genotypes.manifest import (
    FOLDER,
    PACKED,
    RESERVED,
    Manifest,
    load_manifest,
    manifest_path,
    swap_manifest,
)
from nexome.store.genotypes.types import Kind
from nexome.store.genotypes.write import LOCK_WAIT_S, SetFacts, StagedSet
from nexome.store.root import Root, open_root

_BUILDING_S: Final = 3600.0  # a packed form being built by a reader is left alone for so long


class GenotypeStore:
    """The genotype store of one root. Safe to use from several threads; readers never wait."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.folder = root.path / FOLDER
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int], Manifest] | None = None
        self._sets: dict[tuple[str, int, Access], GenotypeSet] = {}

    @classmethod
    def open(cls, root_path: Path) -> Self:
        """Open the store of a root. Raises NotFoundError when there is no root."""
        return cls(open_root(Path(root_path)))

    def manifest(self) -> Manifest:
        """The manifest as of now; read again only when its file changed."""
        stamp = self._stamp()
        with self._lock:
            if self._seen is None or self._seen[0] != stamp:
                self._seen = (stamp, load_manifest(self.root.path))
            return self._seen[1]

    def sets(self) -> Mapping[str, GenotypeSet]:
        """The live sets by name; the very same objects while nothing was published."""
        entries = self.manifest().sets.values()
        with self._lock:
            kept = {(e.name, e.version, e.access): e for e in entries}
            self._sets = {
                key: self._sets.get(key) or GenotypeSet(self.root.path, entry, self.root.assembly)
                for key, entry in kept.items()
            }
            return {found.name: found for found in self._sets.values()}

    def get(self, name: str) -> GenotypeSet:
        """A live set. Raises NotFoundError naming those there are."""
        self.manifest().entry(name)
        return self.sets()[name]

    def stage(
        self, name: str, people: pa.Table, *, kind: Kind = "samples", access: Access = "private"
    ) -> StagedSet:
        """Begin to write a version of a set; `people` is a table of types.PEOPLE (`people_table`)."""
        return StagedSet(self, SetFacts(name, kind, access), people)

    def withdraw(self, name: str, *, reason: str) -> None:
        """Take a set out of the store; its files go at once. Raises NotFoundError when it is not there."""
        with RootLock(self.root.path, wait_s=LOCK_WAIT_S) as lock:
            present = load_manifest(self.root.path)
            swap_manifest(present.without_set(name, reason=reason), lock)
            self.root.append_event("genotypes-withdrawn", set=name, reason=reason)
        # People may have asked for it: no grace. A reader in the middle has its files mapped already.
        self._remove_unnamed()

    def clean(self) -> list[str]:
        """Remove abandoned staging and folders that no manifest names; gives what was removed."""
        removed = sweep(self.folder)
        return [*removed, *self._remove_unnamed()]

    def _remove_unnamed(self) -> list[str]:
        """Under the lock: a publish in another process moves its folders before it names them."""
        removed = []
        with RootLock(self.root.path, wait_s=LOCK_WAIT_S):
            named = {f"{e.name}/{e.version}" for e in load_manifest(self.root.path).sets.values()}
            for folder in (self.folder, self.folder / PACKED):
                for path in sorted(folder.glob("*/*")) if folder.is_dir() else []:
                    own = folder == self.folder and path.parent.name in RESERVED
                    name = f"{path.parent.name}/{path.name}"
                    if not own and path.is_dir() and name not in named and not _being_built(path):
                        remove_folder(path)
                        with suppress(OSError):  # other versions are still in it
                            path.parent.rmdir()
                        removed.append(path.relative_to(self.folder).as_posix())
        return removed

    def _stamp(self) -> tuple[int, int, int]:
        try:
            stat = manifest_path(self.root.path).stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _being_built(path: Path) -> bool:
    return path.name.startswith(".") and time.time() - path.stat().st_mtime < _BUILDING_S
