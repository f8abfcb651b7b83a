"""The manifest of tracks: which there are, their versions, and what is told of each.

    <root>/tracks/manifest.json    kind "nexome-tracks", sealed; swapped by one atomic rename
        sequence                   counts up with every change
        tracks                     {name: {kind, title, title_zh, access, newest, digests {version: digest}}}

A track that is withdrawn is taken out of it; its folders go with the next clean. `tracks` reads what
lies in the folders, `track_writer` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self

from nexome.model.terms import Access
from nexome.store.disk import write_stamped
from nexome.store.manifests import read_manifest

KIND: Final = "nexome-tracks"
VERSION: Final = 1
FOLDER: Final = "tracks"
NAME: Final = "manifest.json"

TrackKind = Literal["intervals", "signal", "recombination", "cytobands"]


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """One track: what it is called, who may see it, its newest version and the digest of each."""

    name: str
    kind: TrackKind
    title: str
    title_zh: str
    access: Access
    newest: int
    digests: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class TrackManifest:
    """All tracks of a root by name; sequence 0 where none was ever imported."""

    sequence: int = 0
    tracks: Mapping[str, TrackEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Self:
        """The manifest as it is now. Raises DamagedError, NewerVersionError."""
        return read_manifest(
            manifest_path(root), kind=KIND, version=VERSION, parse=cls._from_values, empty=cls
        )

    @classmethod
    def _from_values(cls, values: Mapping[str, Any]) -> Self:
        return cls(values["sequence"], {n: _entry(n, v) for n, v in values["tracks"].items()})

    def save(self, root: Path) -> None:
        """Swap it for the one on disk; the caller holds the root's lock."""
        tracks = {name: _values(entry) for name, entry in self.tracks.items()}
        values = {"sequence": self.sequence, "tracks": tracks}
        write_stamped(manifest_path(root), values, kind=KIND, version=VERSION, sealed=True)

    def with_track(self, entry: TrackEntry) -> TrackManifest:
        """The next manifest, with a track added or changed."""
        return TrackManifest(self.sequence + 1, {**self.tracks, entry.name: entry})

    def without(self, name: str) -> TrackManifest:
        """The next manifest, without a track."""
        return TrackManifest(self.sequence + 1, {n: e for n, e in self.tracks.items() if n != name})

    @property
    def digests(self) -> dict[str, str]:
        """Path of each version's folder below the root → the digest of its checksums."""
        return {
            f"{FOLDER}/{entry.name}/{version}": digest
            for entry in self.tracks.values()
            for version, digest in entry.digests.items()
        }


def manifest_path(root: Path) -> Path:
    """Where the manifest lies in a root."""
    return root / FOLDER / NAME


def version_path(root: Path, name: str, version: int) -> Path:
    """Folder of one version of a track."""
    return root / FOLDER / name / str(version)


def _entry(name: str, values: Mapping[str, Any]) -> TrackEntry:
    digests = {int(version): str(digest) for version, digest in values["digests"].items()}
    return TrackEntry(
        name,
        values["kind"],
        values["title"],
        values["title_zh"],
        values["access"],
        int(values["newest"]),
        digests,
    )


def _values(entry: TrackEntry) -> dict[str, Any]:
    names = ("kind", "title", "title_zh", "access", "newest")
    digests = {str(version): digest for version, digest in entry.digests.items()}
    return {**{name: getattr(entry, name) for name in names}, "digests": digests}
