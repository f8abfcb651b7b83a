"""The manifest of the cohorts: which versions of each there are. It is the truth of the store.

<root>/cohorts/manifest.json, a sealed stamped JSON, replaced by one atomic rename while the root's lock
is held.

    sequence    grows by one with every change
    cohorts     every version that can be opened; the highest number of an id is its newest
    past        versions that were withdrawn, with when and why
    withdrawn   digest of the keys of withdrawn.jsonl that these versions are known to be without
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from nexome.model.errors import NotFoundError
from nexome.model.terms import Access
from nexome.store.disk import RootLock, now_iso, step
from nexome.store.manifests import read_manifest, replace_manifest

KIND: Final = "nexome-cohorts-manifest"
VERSION: Final = 1
FOLDER: Final = "cohorts"
NAME: Final = "manifest.json"
PACKED: Final = "packed"
IDENTITIES: Final = "identities"
# no cohort has such a name: they are taken by what lies beside the cohorts
RESERVED: Final = frozenset({NAME, PACKED, IDENTITIES, "staging", "key", "withdrawn.jsonl", "samples.csv"})

CohortKind = Literal["source", "harmonised"]
COHORT_KINDS: Final = ("source", "harmonised")


@dataclass(frozen=True, slots=True)
class CohortEntry:
    """One version of a cohort. `digest`: the SHA-256 of its SHA256SUMS.

    `revision` counts how often the version was written anew because a participant withdrew; `people_of`
    names who shares participant identifiers with it (`Cohort.people`, else the id).
    """

    id: str
    version: int
    revision: int
    kind: CohortKind
    access: Access
    published: str
    digest: str
    rows: int
    people: int
    variables: int
    bytes: int
    people_of: str

    @property
    def path(self) -> str:
        """Its folder below <root>/cohorts, and its packed form's below <root>/cohorts/packed."""
        return f"{self.id}/{self.version}" + (f".{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class PastCohort:
    """A version taken out of the store."""

    id: str
    version: int
    when: str
    reason: str


@dataclass(frozen=True)
class CohortManifest:
    """All versions of all cohorts at one sequence number."""

    sequence: int = 0
    versions: tuple[CohortEntry, ...] = ()
    past: tuple[PastCohort, ...] = ()
    withdrawn: str = ""

    @cached_property
    def newest(self) -> Mapping[str, CohortEntry]:
        """The newest version of each cohort, by id in alphabetical order."""
        found: dict[str, CohortEntry] = {}
        for entry in sorted(self.versions, key=lambda e: (e.id, e.version)):
            found[entry.id] = entry
        return found

    @property
    def digests(self) -> dict[str, str]:
        """Path below the root of each version → its digest."""
        return {f"{FOLDER}/{e.path}": e.digest for e in self.versions}

    def entry(self, cohort: str, version: int | None = None) -> CohortEntry:
        """A version, the newest unless said. Raises NotFoundError when there is none."""
        found = self.newest.get(cohort)
        if found is None:
            raise NotFoundError(
                f"no cohort {cohort[:80]!r}",
                expected=", ".join(self.newest) or "none yet",
                todo="See `nexome cohort list`.",
            )
        if version is None:
            return found
        versions = {e.version: e for e in self.versions if e.id == cohort}
        if version not in versions:
            raise NotFoundError(
                f"no version {version} of cohort {cohort}", expected=", ".join(map(str, sorted(versions)))
            )
        return versions[version]

    def next_version(self, cohort: str) -> int:
        """The number the next version of a cohort gets; numbers are never given twice."""
        known = [e.version for e in self.versions if e.id == cohort]
        known += [p.version for p in self.past if p.id == cohort]
        return max(known, default=0) + 1

    def with_version(self, entry: CohortEntry) -> Self:
        """The next manifest, with one version more."""
        return replace(self, sequence=self.sequence + 1, versions=(*self.versions, entry))

    def with_access(self, cohort: str, access: Access) -> Self:
        """The next manifest, with all versions of a cohort open or private."""
        versions = tuple(replace(e, access=access) if e.id == cohort else e for e in self.versions)
        return replace(self, sequence=self.sequence + 1, versions=versions)

    def without_cohort(self, cohort: str, *, reason: str) -> Self:
        """The next manifest, without any version of a cohort. Raises NotFoundError when there is none."""
        self.entry(cohort)
        gone = [e for e in self.versions if e.id == cohort]
        past = (*self.past, *(PastCohort(e.id, e.version, now_iso(), reason) for e in gone))
        kept = tuple(e for e in self.versions if e.id != cohort)
        return replace(self, sequence=self.sequence + 1, versions=kept, past=past)

    def rewritten(self, entries: Iterable[CohortEntry], *, withdrawn: str) -> Self:
        """The next manifest: these versions in place of those of the same number, free of these keys."""
        fresh = {(e.id, e.version): e for e in entries}
        versions = tuple(fresh.get((e.id, e.version), e) for e in self.versions)
        return replace(self, sequence=self.sequence + 1, versions=versions, withdrawn=withdrawn)

    def as_dict(self) -> dict[str, Any]:
        """The manifest as plain JSON values."""
        return {
            "sequence": self.sequence,
            "cohorts": [asdict(e) for e in self.versions],
            "past": [asdict(p) for p in self.past],
            "withdrawn": self.withdrawn,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The manifest back from `as_dict`. Raises KeyError or TypeError when it is not one."""
        versions = tuple(CohortEntry(**e) for e in values["cohorts"])
        past = tuple(PastCohort(**p) for p in values["past"])
        return cls(values["sequence"], versions, past, values["withdrawn"])


def manifest_path(root: Path) -> Path:
    """Where the manifest of a root lies."""
    return root / FOLDER / NAME


def load_manifest(root: Path) -> CohortManifest:
    """Read the manifest of a root; an empty one when nothing was ever published.

    Raises DamagedError when its bytes are not those written, NewerVersionError for a newer one.
    """
    return read_manifest(
        manifest_path(root),
        kind=KIND,
        version=VERSION,
        parse=CohortManifest.from_dict,
        empty=CohortManifest,
    )


def swap_manifest(manifest: CohortManifest, lock: RootLock) -> None:
    """Make `manifest` the truth. `lock` must be held, and the sequence one above the present one.

    Raises BusyError when the lock is not held or another writer published in between.
    """
    step("cohorts.before-manifest")
    replace_manifest(
        manifest_path(lock.root),
        manifest.as_dict(),
        lock=lock,
        kind=KIND,
        version=VERSION,
        present=lambda: load_manifest(lock.root).sequence,
        what="cohorts stand",
    )
    step("cohorts.after-manifest")
