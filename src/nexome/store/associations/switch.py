"""Changes that write no data: a study leaves the store, or is opened or closed.

Each is one swap of the manifest. The folders of published versions
are never touched; what a swap leaves without a name is `clean`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexome.model.errors import InputError, NotFoundError
from nexome.model.terms import ACCESS, Access
from nexome.store.associations.manifest import load_manifest, swap_manifest
from nexome.store.associations.publish import LOCK_WAIT_S
from nexome.store.disk import RootLock

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore


def withdraw_study(store: AssociationStore, study_id: str, *, reason: str) -> None:
    """Take a study out of the manifest; its files go with a later `clean`."""
    with RootLock(store.root.path, wait_s=LOCK_WAIT_S) as lock:
        present = load_manifest(store.root.path)
        if study_id not in present.studies:
            raise NotFoundError(f"no study {study_id!r} in this store", todo="See `nexome status`.")
        swap_manifest(present.without_study(study_id, reason=reason), lock)
    store.root.append_event("study-withdrawn", study=study_id, reason=reason)


def switch_access(store: AssociationStore, study_id: str, access: Access) -> bool:
    """Open or close a study for everyone; False when it was so already.

    Readers follow at their next question. The manifest alone is changed; the event log tells
    when, and what it was. Raises NotFoundError for an unknown study, BusyError when another writer
    holds the root for too long.
    """
    if access not in ACCESS:
        raise InputError(
            f"access {access!r}", where=f"study {study_id}", expected="one of " + ", ".join(ACCESS)
        )
    with RootLock(store.root.path, wait_s=LOCK_WAIT_S) as lock:
        present = load_manifest(store.root.path)
        changed = present.with_access(study_id, access)
        was = store.snapshot().studies[study_id].study.access
        if was == access:
            return False
        swap_manifest(changed, lock)
        store.root.append_event("study-access", study=study_id, access=access, was=was)
    return True
