"""The manifest of the genotypes: which version of each set is live. It is the truth of this store.

<root>/genotypes/manifest.json, a sealed stamped JSON, replaced by one atomic rename while the root's
lock is held.

    sequence    grows by one with every change
    sets        the live version of each set
    past        versions that were replaced or withdrawn, with when and why
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from nexome.model.errors import NotFoundError
from nexome.model.terms import Access
from nexome.store.disk import RootLock, now_iso, step
from nexome.store.genotypes.types import Kind
from nexome.store.manifests import read_manifest, replace_manifest

KIND: Final = "nexome-genotypes-manifest"
VERSION: Final = 1
FOLDER: Final = "genotypes"
NAME: Final = "manifest.json"
PACKED: Final = "packed"
RESERVED: Final = frozenset({NAME, PACKED, "staging"})  # no set has such a name


@dataclass(frozen=True, slots=True)
class SetEntry:
    """The live version of a set. `path` is its folder; `digest` the SHA-256 of its SHA256SUMS."""

    name: str
    version: int
    kind: Kind
    access: Access
    published: str
    path: str
    digest: str
    variants: int
    people: int
    phased: bool
    dosages: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class PastSet:
    """A version no longer live: replaced by a later one, or withdrawn with a reason."""

    name: str
    version: int
    when: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """All live sets at one sequence number."""

    sequence: int = 0
    sets: Mapping[str, SetEntry] = field(default_factory=dict)
    past: tuple[PastSet, ...] = ()

    def next_version(self, name: str) -> int:
        """The number the next version of a set gets; numbers are never given twice."""
        known = [p.version for p in self.past if p.name == name]
        known += [self.sets[name].version] if name in self.sets else []
        return max(known, default=0) + 1

    def with_set(self, entry: SetEntry) -> Self:
        """The next manifest, with this version live and its predecessor among the past."""
        past = self.past
        if old := self.sets.get(entry.name):
            reason = f"replaced by version {entry.version}"
            past = (*past, PastSet(old.name, old.version, now_iso(), reason))
        return replace(self, sequence=self.sequence + 1, sets={**self.sets, entry.name: entry}, past=past)

    def without_set(self, name: str, *, reason: str) -> Self:
        """The next manifest, with a set withdrawn. Raises NotFoundError when it is not live."""
        old = self.entry(name)
        sets = {k: v for k, v in self.sets.items() if k != name}
        past = (*self.past, PastSet(name, old.version, now_iso(), reason))
        return replace(self, sequence=self.sequence + 1, sets=sets, past=past)

    def entry(self, name: str) -> SetEntry:
        """The live version of a set. Raises NotFoundError when there is none."""
        if (found := self.sets.get(name)) is None:
            raise NotFoundError(
                f"no genotypes {name[:80]!r}",
                expected=", ".join(self.sets) or "none yet",
                todo="See `nexome genotypes list`.",
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """The manifest as plain JSON values."""
        return {
            "sequence": self.sequence,
            "sets": [asdict(s) for s in self.sets.values()],
            "past": [asdict(p) for p in self.past],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The manifest back from `as_dict`. Raises KeyError or TypeError when it is not one."""
        sets = [SetEntry(**s) for s in values["sets"]]
        past = tuple(PastSet(**p) for p in values["past"])
        return cls(values["sequence"], {s.name: s for s in sets}, past)


def manifest_path(root: Path) -> Path:
    """Where the manifest of a root lies."""
    return root / FOLDER / NAME


def load_manifest(root: Path) -> Manifest:
    """Read the manifest of a root; an empty one when nothing was ever published.

    Raises DamagedError when its bytes are not those written, NewerVersionError for a newer one.
    """
    return read_manifest(
        manifest_path(root), kind=KIND, version=VERSION, parse=Manifest.from_dict, empty=Manifest
    )


def swap_manifest(manifest: Manifest, lock: RootLock) -> None:
    """Make `manifest` the truth. `lock` must be held, and the sequence one above the present one.

    Raises BusyError when the lock is not held or another writer published in between.
    """
    step("genotypes.before-manifest")
    replace_manifest(
        manifest_path(lock.root),
        manifest.as_dict(),
        lock=lock,
        kind=KIND,
        version=VERSION,
        present=lambda: load_manifest(lock.root).sequence,
        what="genotypes stand",
    )
    step("genotypes.after-manifest")
