"""How every manifest is read and replaced: a sealed stamped JSON that is the truth of its store.

A manifest numbers its changes (`sequence`). It is replaced by one atomic rename while the root's lock
is held, and names only what is immutable and already on the disk. What a manifest says, and what
follows from it, is its own store's: `associations.manifest`, `genotypes.manifest`, `track_manifest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from nexome.model.errors import BusyError, DamagedError, NotFoundError
from nexome.store.disk import RootLock, read_stamped, write_stamped

M = TypeVar("M")


def read_manifest(
    path: Path, *, kind: str, version: int, parse: Callable[[Mapping[str, Any]], M], empty: Callable[[], M]
) -> M:
    """What `parse` makes of a manifest's values; `empty()` where nothing was ever published.

    `parse` may raise KeyError, TypeError or ValueError for parts that are not there. Raises DamagedError
    for those and when the bytes are not those written, NewerVersionError for a newer one.
    """
    try:
        values = read_stamped(path, kind=kind, version=version)
    except NotFoundError:
        return empty()
    try:
        return parse(values)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(
            f"a manifest without its parts ({error})",
            where=str(path),
            todo="Restore it from a backup (nexome restore).",
        ) from error


def replace_manifest(
    path: Path,
    values: Mapping[str, Any],
    *,
    lock: RootLock,
    kind: str,
    version: int,
    present: Callable[[], int],
    what: str,
) -> None:
    """Put `values` in the manifest's place, sealed.

    `present` gives the sequence that stands there now, `what` names the store in the error. Raises
    BusyError when the lock is not held or another writer published in between, so that `sequence` is not
    the next one: load the manifest again under the lock and apply the change to that.
    """
    sequence, stands = values["sequence"], present() if lock.held else -1
    if not lock.held or sequence != stands + 1:
        raise BusyError(
            f"a change to sequence {sequence} while the {what} at {stands}",
            where=str(path),
            expected="the root's lock held, and the next sequence number",
            todo="Run the same command again.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_stamped(path, dict(values), kind=kind, version=version, sealed=True)
