"""Sets of reference values: immutable versions that can be downloaded, cited, and checked.

    <root>/reference/manifest.json        kind "nexome-reference-sets", sealed; swapped by one atomic rename
    <root>/reference/<name>/<version>/
        set.json                          kind "nexome-reference-set", sealed: cohort, choices, variables
        reference.parquet  .csv           a row a group of a variable (REFERENCE_COLUMNS)
        percentiles.parquet  .csv         a row a percentile of a group (PERCENTILE_COLUMNS)
        curves.parquet  .csv              L, M, S and their errors by age (CURVE_COLUMNS)
        partitions.parquet  .csv          whether groups need limits of their own (PARTITION_COLUMNS)
        sheet.md, sheet.zh.md             the data sheet
        receipt.json                      what was run, on which bytes
        SHA256SUMS, BLOCKSUMS             checksums

What is in these files has passed disclosure control before it comes here. A version was made from one
version of a cohort; where that has been written anew since (a participant withdrew) or is gone, the set is
'stale' and its numbers are given to nobody. Building it again takes the stale versions off the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nexome.model.errors import InputError, NotFoundError, RefusedError
from nexome.model.fields import schema_of
from nexome.model.terms import Access
from nexome.store.checksums import Damage, find_damage
from nexome.store.cohorts.manifest import CohortManifest, load_manifest
from nexome.store.disk import RootLock, read_stamped, step, write_atomic, write_stamped
from nexome.store.manifests import read_manifest, replace_manifest
from nexome.store.root import Root
from nexome.store.versions import publish_version, remove_unnamed

KIND: Final = "nexome-reference-sets"
SET_KIND: Final = "nexome-reference-set"
VERSION: Final = 1
FOLDER: Final = "reference"
NAME: Final = "manifest.json"
FACTS_NAME: Final = "set.json"
RECEIPT_NAME: Final = "receipt.json"

GROUP_COLUMNS: Final = ("variable", "unit", "sex", "age_from", "age_to")
REFERENCE_COLUMNS: Final = (
    *GROUP_COLUMNS,
    *("participants", "effective_n", "mean", "standard_deviation"),
    *("lower_limit", "lower_limit_low", "lower_limit_high"),
    *("upper_limit", "upper_limit_low", "upper_limit_high", "limit_method", "withheld"),
)
PERCENTILE_COLUMNS: Final = (
    *GROUP_COLUMNS,
    *("percentile", "percentile_value", "value_low", "value_high", "interval_method"),
)
CURVE_COLUMNS: Final = (
    *("variable", "unit", "sex", "age", "participants", "lms_l", "lms_m", "lms_s"),
    *("lms_cov_ll", "lms_cov_lm", "lms_cov_ls", "lms_cov_mm", "lms_cov_ms", "lms_cov_ss"),
)
PARTITION_COLUMNS: Final = (
    *("variable", "compared_by", "group_a", "group_b"),
    *("difference_z", "z_critical", "sd_ratio", "harris_boyd", "lahti"),
)
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "reference": REFERENCE_COLUMNS,
    "percentiles": PERCENTILE_COLUMNS,
    "curves": CURVE_COLUMNS,
    "partitions": PARTITION_COLUMNS,
}
SHEETS: Final = {"en": "sheet.md", "zh": "sheet.zh.md"}

SetState = Literal["current", "outdated", "stale"]

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """One version of a set. `cohort_digest`: of the version of the cohort that it was made from."""

    name: str
    version: int
    access: Access
    title: str
    title_zh: str
    cohort: str
    cohort_version: int
    cohort_digest: str
    published: str
    variables: int
    digest: str

    @property
    def path(self) -> str:
        """Its folder below the root."""
        return f"{FOLDER}/{self.name}/{self.version}"


@dataclass(frozen=True)
class ReferenceManifest:
    """All versions of all sets; `numbers`: the highest version number each name has had."""

    sequence: int = 0
    versions: tuple[ReferenceEntry, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Self:
        """The manifest as it is now. Raises DamagedError, NewerVersionError."""
        path = manifest_path(root)
        return read_manifest(path, kind=KIND, version=VERSION, parse=cls._from_values, empty=cls)

    @classmethod
    def _from_values(cls, values: Mapping[str, Any]) -> Self:
        versions = tuple(ReferenceEntry(**entry) for entry in values["sets"])
        return cls(int(values["sequence"]), versions, dict(values["numbers"]))

    def save(self, lock: RootLock) -> None:
        """Swap it for the one on disk. Raises BusyError when the lock is not held or another was first."""
        values = {
            "sequence": self.sequence,
            "sets": [asdict(entry) for entry in self.versions],
            "numbers": dict(self.numbers),
        }
        replace_manifest(
            manifest_path(lock.root),
            values,
            lock=lock,
            kind=KIND,
            version=VERSION,
            present=lambda: ReferenceManifest.load(lock.root).sequence,
            what="reference sets stand",
        )

    @cached_property
    def newest(self) -> dict[str, ReferenceEntry]:
        """The newest version of each set, by name."""
        return {e.name: e for e in sorted(self.versions, key=lambda e: (e.name, e.version))}

    @property
    def digests(self) -> dict[str, str]:
        """Path of each version's folder below the root → the digest of its checksums."""
        return {entry.path: entry.digest for entry in self.versions}

    def with_versions(self, versions: tuple[ReferenceEntry, ...]) -> ReferenceManifest:
        """The next manifest, holding these versions; numbers used are remembered."""
        numbers = dict(self.numbers)
        for entry in versions:
            numbers[entry.name] = max(numbers.get(entry.name, 0), entry.version)
        return replace(self, sequence=self.sequence + 1, versions=versions, numbers=numbers)


@dataclass(frozen=True)
class NewReferenceSet:
    """What a build hands over: who it is about, tables in the columns of TABLES, data sheets, facts, receipt.

    `sheet(version, published)` gives the data sheet of each language of SHEETS, once both are known.
    """

    name: str
    access: Access
    title: str
    title_zh: str
    cohort: str
    cohort_version: int
    cohort_digest: str
    tables: Mapping[str, pa.Table]
    facts: Mapping[str, Any]
    receipt: Mapping[str, Any]
    sheet: Callable[[int, str], Mapping[str, str]]
    published: str

    def __post_init__(self) -> None:
        check_set_name(self.name)


class ReferenceSet:
    """One version of a set, opened. Tables are read when asked for."""

    def __init__(self, root: Path, entry: ReferenceEntry, state: SetState) -> None:
        self.entry = entry
        self.state = state
        self.folder = root / entry.path

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What set.json holds. Raises DamagedError, NewerVersionError."""
        return read_stamped(self.folder / FACTS_NAME, kind=SET_KIND, version=VERSION)

    @property
    def variables(self) -> dict[str, Mapping[str, Any]]:
        """Name of each variable → label, label_zh, unit, terms, sexes, ages, curve or why there is none."""
        found: dict[str, Mapping[str, Any]] = self.facts["variables"]
        return found

    def variable(self, name: str) -> Mapping[str, Any]:
        """One variable. Raises NotFoundError naming what there is."""
        known = self.variables
        if name not in known:
            raise NotFoundError(
                f"no variable {name[:80]!r} in reference set {self.entry.name}",
                expected=", ".join(list(known)[:20]),
                todo=f"See `nexome reference show {self.entry.name}`.",
            )
        return known[name]

    def table(self, name: str, variable: str | None = None) -> pa.Table:
        """One of TABLES, whole or of one variable. Raises RefusedError ('stale') for a stale set."""
        self.check_current()
        filters = None if variable is None else pc.field("variable") == variable
        return pq.read_table(self.folder / f"{name}.parquet", filters=filters)

    def sheet(self, language: str = "en") -> str:
        """The data sheet as Markdown. Raises RefusedError for a stale set: it tells counts too."""
        self.check_current()
        return (self.folder / SHEETS[language]).read_text()

    def receipt(self) -> dict[str, Any]:
        """What was run, on which bytes."""
        values: dict[str, Any] = orjson.loads((self.folder / RECEIPT_NAME).read_bytes())
        return values

    def file(self, name: str) -> Path:
        """A file of the set by its name. Raises NotFoundError, RefusedError for a stale set."""
        self.check_current()
        known = sorted(p.name for p in self.folder.iterdir() if p.is_file())
        if name not in known:
            raise NotFoundError(f"no file {name[:80]!r}", expected=", ".join(known))
        return self.folder / name

    def check_current(self) -> None:
        """Raise RefusedError (reason 'stale') when a participant has withdrawn since the set was made."""
        if self.state == "stale":
            raise RefusedError(
                f"a participant has withdrawn since version {self.entry.version} was made",
                where=f"reference set {self.entry.name}",
                reason="stale",
                expected="a set of the people as they are now",
                todo=f"The owner builds it again: nexome reference rebuild {self.entry.name}",
            )


class ReferenceStore:
    """The sets of a root, as its manifest has them at each question."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def open(cls, root: Path) -> Self:
        """The sets of a root; also of one that has none yet."""
        return cls(root)

    def manifest(self) -> ReferenceManifest:
        """The manifest as it is now."""
        return ReferenceManifest.load(self._root)

    def sets(self) -> list[ReferenceSet]:
        """The newest version of each set, by name."""
        cohorts = load_manifest(self._root)
        newest = self.manifest().newest
        return [ReferenceSet(self._root, newest[n], state_of(newest[n], cohorts)) for n in sorted(newest)]

    def get(self, name: str, version: int | None = None) -> ReferenceSet:
        """A set, its newest version unless said. Raises NotFoundError."""
        manifest = self.manifest()
        found = [e for e in manifest.versions if e.name == name and version in {None, e.version}]
        if not found:
            known = ", ".join(sorted(manifest.newest)[:20]) or "none yet"
            which = f"{name[:80]!r}" if version is None else f"{name[:80]!r} version {version}"
            raise NotFoundError(
                f"no reference set {which}", expected=known, todo="See `nexome reference list`."
            )
        entry = max(found, key=lambda e: e.version)
        return ReferenceSet(self._root, entry, state_of(entry, load_manifest(self._root)))


def state_of(entry: ReferenceEntry, cohorts: CohortManifest) -> SetState:
    """Whether the people a set was made from are still as they were."""
    same = [c for c in cohorts.versions if c.id == entry.cohort and c.version == entry.cohort_version]
    if not same or same[0].digest != entry.cohort_digest:
        return "stale"
    return "current" if cohorts.newest[entry.cohort].version == entry.cohort_version else "outdated"


def check_set_name(name: str) -> None:
    """Raise InputError for what cannot be the name of a set."""
    if not _NAME.fullmatch(name) or name == NAME:
        raise InputError(
            f"a reference set's name {name[:100]!r}",
            expected="letters, digits, '-', '_', '.', at most 80, a letter or digit first",
        )


def publish_reference(root: Root, new: NewReferenceSet) -> ReferenceEntry:
    """Write a set as the next version of its name, and take stale versions of it off the disk.

    Raises StoreError; what fails leaves the versions before as they were.
    """
    with RootLock(root.path) as lock:
        manifest = ReferenceManifest.load(root.path)
        version = manifest.numbers.get(new.name, 0) + 1
        final = root.path / FOLDER / new.name / str(version)
        needed = 4 * sum(table.nbytes for table in new.tables.values())
        digest = publish_version(
            final, lambda folder: _fill(folder, new, version), needed_bytes=needed, what="reference"
        )
        entry = _entry(new, version, digest)
        cohorts = load_manifest(root.path)
        stale = [e for e in manifest.versions if e.name == new.name and state_of(e, cohorts) == "stale"]
        kept = tuple(e for e in manifest.versions if e not in stale)
        manifest.with_versions((*kept, entry)).save(lock)
        step("reference-named")
        clean_reference(root.path)
    root.append_event(
        "reference-published",
        reference=new.name,
        reference_version=version,
        cohort=new.cohort,
        cohort_version=new.cohort_version,
        stale_removed=[e.version for e in stale],
    )
    return entry


def withdraw_reference(root: Root, name: str, *, reason: str) -> None:
    """Take all versions of a set away. Raises NotFoundError."""
    ReferenceStore.open(root.path).get(name)
    with RootLock(root.path) as lock:
        manifest = ReferenceManifest.load(root.path)
        manifest.with_versions(tuple(e for e in manifest.versions if e.name != name)).save(lock)
        clean_reference(root.path)
    root.append_event("reference-withdrawn", reference=name, reason=reason)


def clean_reference(root: Path) -> list[str]:
    """Remove folders that the manifest does not name; returns their paths. The caller holds the lock."""
    return remove_unnamed(root, FOLDER, named=ReferenceManifest.load(root).digests)


def find_damage_in_reference(root: Path) -> Iterator[Damage]:
    """Compare every set with its checksums; yields what differs."""
    for path, digest in ReferenceManifest.load(root).digests.items():
        yield from find_damage(root / path, digest=digest)


def manifest_path(root: Path) -> Path:
    """Where the manifest lies in a root."""
    return root / FOLDER / NAME


def _entry(new: NewReferenceSet, version: int, digest: str) -> ReferenceEntry:
    return ReferenceEntry(
        name=new.name,
        version=version,
        access=new.access,
        title=new.title,
        title_zh=new.title_zh,
        cohort=new.cohort,
        cohort_version=new.cohort_version,
        cohort_digest=new.cohort_digest,
        published=new.published,
        variables=len(new.facts["variables"]),
        digest=digest,
    )


def _fill(folder: Path, new: NewReferenceSet, version: int) -> None:
    for name, columns in TABLES.items():
        table = new.tables[name].cast(schema_of(columns))
        _write_parquet(table, folder / f"{name}.parquet")
        pa_csv.write_csv(table, folder / f"{name}.csv")
    for language, text in new.sheet(version, new.published).items():
        write_atomic(folder / SHEETS[language], text.encode())
    facts = {"name": new.name, "set_version": version, "published": new.published, **new.facts}
    write_stamped(folder / FACTS_NAME, facts, kind=SET_KIND, version=VERSION, sealed=True)
    receipt = orjson.dumps(new.receipt, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_atomic(folder / RECEIPT_NAME, receipt)


def _write_parquet(table: pa.Table, path: Path) -> None:
    """Rows of one variable lie together, so that one variable is read without the others."""
    pq.write_table(table, path, compression="zstd", row_group_size=8_192)
