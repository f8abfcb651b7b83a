"""The association store of a root: snapshots to read from, staging to write into, compaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Self

from nexome.model.terms import Access, Study
from nexome.store.associations.clean import GRACE_S, clean_store
from nexome.store.associations.manifest import FOLDER, ManifestReader
from nexome.store.associations.matrix import StagedMatrix
from nexome.store.associations.snapshot import Opened, Snapshot
from nexome.store.associations.switch import switch_access, withdraw_study
from nexome.store.associations.types import Features
from nexome.store.associations.write import StagedStudy
from nexome.store.root import Root, open_root


class AssociationStore:
    """The association store of one root. Safe to use from several threads; readers never wait.

    Any number of processes may read; `publish`, `withdraw`, `compact` and `clean` take the root's lock.
    """

    def __init__(self, root: Root) -> None:
        self.root = root
        self.folder = root.path / FOLDER
        self._reader = ManifestReader(root.path)
        self._opened = Opened(self.folder)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    @classmethod
    def open(cls, root_path: Path) -> Self:
        """Open the store of a root. Raises NotFoundError when there is no root."""
        return cls(open_root(Path(root_path)))

    def snapshot(self) -> Snapshot:
        """The store as of now; the very same object until something is published."""
        manifest = self._reader.current()
        with self._lock:
            if self._snapshot is None or self._snapshot.manifest is not manifest:
                self._opened.forget(manifest)
                self._snapshot = Snapshot(manifest, self.root.assembly, self._opened, self._pool)
            return self._snapshot

    def stage(self, study: Study, *, exact: bool = False, new: bool = False) -> StagedStudy:
        """Begin to write a study. No lock is held until `publish`; any number may be staged at once.

        `new`: it is not to replace a version that another process publishes meanwhile.
        """
        return StagedStudy(self, study, exact=exact, new=new)

    def stage_matrix(
        self, studies: Sequence[Study], axis: str | Features, *, exact: bool = False
    ) -> StagedMatrix:
        """Begin to write many one-trait studies on one axis: one of the store's, or new features."""
        return StagedMatrix(self, studies, axis, exact=exact)

    def withdraw(self, study_id: str, *, reason: str) -> None:
        """Take a study out of the store. Raises NotFoundError when it is not there."""
        withdraw_study(self, study_id, reason=reason)

    def switch_access(self, study_id: str, access: Access) -> bool:
        """Open a study to everyone or close it, at once; False when it was so already.

        Cells, summaries and receipt stay as they are. Raises NotFoundError for an unknown study.
        """
        return switch_access(self, study_id, access)

    def compact(self, progress: Callable[[str, int, int], None] | None = None) -> None:
        """Merge waiting columns into dense segments, with readers on; `progress(what, done, of)`."""
        from nexome.store.associations.compact import compact_store  # noqa: PLC0415  it leans on this module

        compact_store(self, progress)

    def clean(self, *, grace_s: float = GRACE_S) -> list[str]:
        """Remove abandoned staging, and what no manifest has named for `grace_s` seconds; names of it."""
        return clean_store(self, grace_s=grace_s)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        threads = max(1, self.root.settings.reader_threads)
        return ThreadPoolExecutor(threads, thread_name_prefix="read")
