"""The manifest: which segments, axes and study versions are live. It is the truth of the store.

<root>/associations/manifest.json, a sealed stamped JSON, replaced by one atomic rename while the
root's lock is held. Everything it names is immutable and already on the disk when it is named.

    sequence    grows by one with every change
    axes        sorted feature lists that segments share
    segments    sets of cells: layout, axis, planes, and the runs of traits that are its columns
    studies     the live version of each study, with the segments its cells lie in
    past        versions that were replaced or withdrawn, with when and why

It holds no numbers of a study and no path outside <root>/associations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from nexome.model.errors import NotFoundError
from nexome.model.terms import Access
from nexome.store.disk import RootLock, now_iso, step
from nexome.store.manifests import read_manifest, replace_manifest

KIND: Final = "nexome-associations-manifest"
VERSION: Final = 1
FOLDER: Final = "associations"
NAME: Final = "manifest.json"

Layout = Literal["dense", "column", "ragged", "exact"]


@dataclass(frozen=True, slots=True)
class AxisEntry:
    """One feature axis: its folder ('axes/<id>'), length, and the SHA-256 of its SHA256SUMS."""

    id: str
    features: int
    digest: str
    path: str
    features_digest: str = ""  # of the keys alone: studies with equal ones lie on one axis


@dataclass(frozen=True, slots=True)
class ColumnRun:
    """`count` neighbouring columns of a segment: traits `first`, `first`+1 … of one study version."""

    study: str
    version: int
    first: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One immutable set of cells. `axis` is '' for a ragged segment, which carries its own features."""

    id: str
    layout: Layout
    axis: str
    features: int
    cells: int
    planes: tuple[str, ...]
    columns: tuple[ColumnRun, ...]
    digest: str
    path: str
    bytes: int = 0

    @property
    def traits(self) -> int:
        """Number of columns."""
        return sum(run.count for run in self.columns)


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """The live version of a study. `path` is its folder; `digest` the SHA-256 of its SHA256SUMS.

    `access` is 'open' or 'private' where it was switched since this version was published, and then
    stronger than the record in the folder; '' else. A new version begins with what its record says.
    """

    id: str
    version: int
    published: str
    path: str
    digest: str
    segments: tuple[str, ...]
    cells: int
    access: str = ""


@dataclass(frozen=True, slots=True)
class PastVersion:
    """A version no longer live: replaced by a later one, or withdrawn with a reason."""

    id: str
    version: int
    when: str
    reason: str
    path: str = ""


@dataclass(frozen=True)
class Manifest:
    """All live parts of one association store at one sequence number."""

    sequence: int = 0
    axes: Mapping[str, AxisEntry] = field(default_factory=dict)
    segments: Mapping[str, SegmentEntry] = field(default_factory=dict)
    studies: Mapping[str, StudyEntry] = field(default_factory=dict)
    past: tuple[PastVersion, ...] = ()

    @cached_property
    def folders(self) -> frozenset[str]:
        """Relative paths of all folders in use; what else lies on the disk may be cleaned away."""
        axes = {a.path for a in self.axes.values()}
        segments = {s.path for s in self.segments.values()}
        return frozenset(axes | segments | {s.path for s in self.studies.values()})

    @cached_property
    def last_versions(self) -> Mapping[str, int]:
        """The highest version number ever given to each study; an unknown one is not in it."""
        known = [(p.id, p.version) for p in self.past]
        known += [(s.id, s.version) for s in self.studies.values()]
        return dict(sorted(known))

    def with_studies(
        self,
        studies: Sequence[StudyEntry],
        *,
        segments: Sequence[SegmentEntry] = (),
        axes: Sequence[AxisEntry] = (),
    ) -> Self:
        """The next manifest, with studies (versions) live and their predecessors among the past."""
        past = list(self.past)
        for study in studies:
            if old := self.studies.get(study.id):
                reason = f"replaced by version {study.version}"
                past.append(PastVersion(old.id, old.version, now_iso(), reason, old.path))
        return replace(
            self,
            sequence=self.sequence + 1,
            axes={**self.axes, **{a.id: a for a in axes}},
            segments={**self.segments, **{s.id: s for s in segments}},
            studies={**self.studies, **{s.id: s for s in studies}},
            past=tuple(past),
        ).pruned()

    def without_study(self, study_id: str, *, reason: str) -> Self:
        """The next manifest, with a study withdrawn. Raises NotFoundError when it is not live."""
        if (old := self.studies.get(study_id)) is None:
            raise NotFoundError(f"no study {study_id!r} in this store", todo="See `nexome status`.")
        studies = {k: v for k, v in self.studies.items() if k != study_id}
        past = (*self.past, PastVersion(old.id, old.version, now_iso(), reason, old.path))
        return replace(self, sequence=self.sequence + 1, studies=studies, past=past).pruned()

    def with_access(self, study_id: str, access: Access) -> Self:
        """The next manifest, with a study's access switched. Raises NotFoundError when it is not live."""
        if (old := self.studies.get(study_id)) is None:
            raise NotFoundError(f"no study {study_id!r} in this store", todo="See `nexome status`.")
        studies = {**self.studies, study_id: replace(old, access=access)}
        return replace(self, sequence=self.sequence + 1, studies=studies)

    def pruned(self) -> Self:
        """The same manifest without segments no live study uses and axes no live segment uses."""
        used = {s for study in self.studies.values() for s in study.segments}
        segments = {k: v for k, v in self.segments.items() if k in used}
        axes_used = {s.axis for s in segments.values()}
        axes = {k: v for k, v in self.axes.items() if k in axes_used}
        return replace(self, segments=segments, axes=axes)

    def as_dict(self) -> dict[str, Any]:
        """The manifest as plain JSON values."""
        return {
            "sequence": self.sequence,
            "axes": [asdict(a) for a in self.axes.values()],
            "segments": [asdict(s) for s in self.segments.values()],
            "studies": [asdict(s) for s in self.studies.values()],
            "past": [asdict(p) for p in self.past],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The manifest back from `as_dict`. Raises KeyError or TypeError when it is not one."""
        axes = [AxisEntry(**a) for a in values["axes"]]
        segments = [_segment(s) for s in values["segments"]]
        studies = [StudyEntry(**(s | {"segments": tuple(s["segments"])})) for s in values["studies"]]
        return cls(
            sequence=values["sequence"],
            axes={a.id: a for a in axes},
            segments={s.id: s for s in segments},
            studies={s.id: s for s in studies},
            past=tuple(PastVersion(**p) for p in values["past"]),
        )


def _segment(values: dict[str, Any]) -> SegmentEntry:
    columns = tuple(ColumnRun(**c) for c in values["columns"])
    return SegmentEntry(**(values | {"planes": tuple(values["planes"]), "columns": columns}))


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


class ManifestReader:
    """Gives the manifest as of now; reads the file again only when its inode, size or time changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: tuple[tuple[int, int, int], Manifest] | None = None

    def current(self) -> Manifest:
        """The manifest as of now; the very same object while nothing was published."""
        stamp = self._stamp()
        seen = self._seen
        if seen is None or seen[0] != stamp:
            # The stamp is taken before reading: a swap in between is read again next time.
            seen = self._seen = (stamp, load_manifest(self._root))
        return seen[1]

    def _stamp(self) -> tuple[int, int, int]:
        try:
            stat = manifest_path(self._root).stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def swap_manifest(manifest: Manifest, lock: RootLock) -> None:
    """Make `manifest` the truth. `lock` must be held, and the sequence one above the present one.

    Raises BusyError when the lock is not held or another writer published in between: load the
    manifest again under the lock and apply the change to that.
    """
    step("before-manifest")
    replace_manifest(
        manifest_path(lock.root),
        manifest.as_dict(),
        lock=lock,
        kind=KIND,
        version=VERSION,
        present=lambda: load_manifest(lock.root).sequence,
        what="store stands",
    )
    step("after-manifest")
