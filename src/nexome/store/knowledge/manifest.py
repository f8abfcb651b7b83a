"""The manifest of knowledge: which sources there are, their versions and licences.

    <root>/knowledge/manifest.json     kind "nexome-knowledge", sealed; swapped by one atomic rename
        sequence                       counts up with every change
        sources                        {name: {newest, licence, redistribution, access,
                                       digests {version: digest}}}

The newest version answers; older ones stay until the source is withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from nexome.model.errors import NotFoundError
from nexome.model.terms import Access
from nexome.store.disk import damaged, read_stamped, write_stamped
from nexome.store.knowledge.licences import access_of_licence

KIND: Final = "nexome-knowledge"
VERSION: Final = 1
FOLDER: Final = "knowledge"
NAME: Final = "manifest.json"
DERIVED: Final = frozenset({"graph"})  # folders beside the sources that are made from them


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One source: its newest version, the digest of each, what its licence lets one do, who may see it.

    `access` 'private': it answers its owner alone.
    """

    name: str
    newest: int
    licence: str
    redistribution: bool
    digests: Mapping[int, str]
    access: Access = "open"


@dataclass(frozen=True, slots=True)
class KnowledgeManifest:
    """All sources of a root by name; sequence 0 where none was ever loaded."""

    sequence: int = 0
    sources: Mapping[str, SourceEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Self:
        """The manifest as it is now. Raises DamagedError, NewerVersionError."""
        path = manifest_path(root)
        try:
            values = read_stamped(path, kind=KIND, version=VERSION)
        except NotFoundError:
            return cls()
        try:
            return cls(values["sequence"], {n: _entry(n, v) for n, v in values["sources"].items()})
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, f"no {error}", "sequence and sources") from None

    def save(self, root: Path) -> None:
        """Swap it for the one on disk; the caller holds the root's lock."""
        sources = {name: _values(entry) for name, entry in sorted(self.sources.items())}
        values = {"sequence": self.sequence, "sources": sources}
        write_stamped(manifest_path(root), values, kind=KIND, version=VERSION, sealed=True)

    def with_source(self, entry: SourceEntry) -> KnowledgeManifest:
        """The next manifest, with a source added or changed."""
        return KnowledgeManifest(self.sequence + 1, {**self.sources, entry.name: entry})

    def without(self, name: str) -> KnowledgeManifest:
        """The next manifest, without a source."""
        return KnowledgeManifest(self.sequence + 1, {n: e for n, e in self.sources.items() if n != name})

    def open_part(self) -> KnowledgeManifest:
        """The manifest as who is not the owner has it: without private sources."""
        kept = {name: entry for name, entry in self.sources.items() if entry.access == "open"}
        return self if len(kept) == len(self.sources) else KnowledgeManifest(self.sequence, kept)

    @property
    def digests(self) -> dict[str, str]:
        """Path of each version's folder below the root → the digest of its checksums."""
        return {
            f"{FOLDER}/{entry.name}/{version}": digest
            for entry in self.sources.values()
            for version, digest in entry.digests.items()
        }

    @property
    def digest(self) -> str:
        """Names what is answered from: the newest version of every source. For what is derived from it."""
        newest = sorted((e.name, e.newest, e.digests[e.newest]) for e in self.sources.values())
        return hashlib.sha256(repr(newest).encode()).hexdigest()[:16]


def manifest_path(root: Path) -> Path:
    """Where the manifest lies in a root."""
    return root / FOLDER / NAME


def version_path(root: Path, name: str, version: int) -> Path:
    """Folder of one version of a source."""
    return root / FOLDER / name / str(version)


def _entry(name: str, values: Mapping[str, Any]) -> SourceEntry:
    digests = {int(version): str(digest) for version, digest in values["digests"].items()}
    licence = values["licence"]
    # A manifest of before sources had an access told private ones by their licence alone.
    access = values.get("access") or access_of_licence(licence)
    return SourceEntry(name, int(values["newest"]), licence, bool(values["redistribution"]), digests, access)


def _values(entry: SourceEntry) -> dict[str, Any]:
    names = ("newest", "licence", "redistribution", "access")
    digests = {str(version): digest for version, digest in entry.digests.items()}
    return {**{name: getattr(entry, name) for name in names}, "digests": digests}
