"""Tracks of the home assembly: intervals, signals, a recombination map, cytogenetic bands.

    <root>/tracks/manifest.json                           which there are (`track_manifest`)
    <root>/tracks/<track>/<version>/track.json           kind "nexome-track", sealed: what it is, its source
    <root>/tracks/<track>/<version>/features.parquet      INTERVAL_, RECOMBINATION_ or BAND_COLUMNS, sorted
    <root>/tracks/<track>/<version>/signal.bw             a bigWig as it came; its own zoom levels are read
    <root>/tracks/<track>/<version>/SHA256SUMS, BLOCKSUMS checksums

The newest version is answered from; it stays in memory once asked for (10⁶ intervals: about 60 MB), for the
few tracks asked for last. Positions are 1-based, both ends included. Nothing is written here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from nexome.formats.bbi import read_signal
from nexome.model.errors import DamagedError, InputError, NexomeError, NotFoundError
from nexome.model.fields import schema_of
from nexome.model.genome import Assembly, Interval
from nexome.model.terms import Access
from nexome.store.checksums import Damage, find_damage
from nexome.store.disk import read_stamped
from nexome.store.overlaps import Overlaps
from nexome.store.track_manifest import (
    TrackEntry,
    TrackKind,
    TrackManifest,
    manifest_path,
    version_path,
)

KIND: Final = "nexome-track"
VERSION: Final = 1
FACTS_NAME: Final = "track.json"
FEATURES_NAME: Final = "features.parquet"
SIGNAL_NAME: Final = "signal.bw"

INTERVAL_COLUMNS: Final = (
    *("chromosome", "start", "end", "feature_name", "score", "strand", "thick_start", "thick_end"),
    *("colour", "block_starts", "block_ends"),
)
RECOMBINATION_COLUMNS: Final = (
    *("chromosome", "base_pair_location", "recombination_rate", "genetic_position"),
)
BAND_COLUMNS: Final = ("chromosome", "start", "end", "band", "stain")
COLUMNS: Final[dict[TrackKind, tuple[str, ...]]] = {
    "intervals": INTERVAL_COLUMNS,
    "recombination": RECOMBINATION_COLUMNS,
    "cytobands": BAND_COLUMNS,
}
_KEPT: Final = 8

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """One track. `features`: intervals, points or bands it holds; of a signal, bases with a value.

    `source` is the name of the file, `format` what it was read as; `dropped_by_contig` counts what lay on
    contigs that the home assembly does not have.
    """

    name: str
    kind: TrackKind
    title: str
    title_zh: str
    access: Access
    version: int
    imported: str
    source: str
    sha256: str
    format: str
    features: int
    dropped_by_contig: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A version in memory: its table, index, and where each contig's rows begin and end."""

    table: pa.Table
    overlaps: Overlaps
    bounds: npt.NDArray[np.int64]


class Tracks:
    """The tracks of a root, as its manifest has them at each question. Thread-safe."""

    def __init__(self, root: Path, assembly: Assembly) -> None:
        self._root = root
        self._assembly = assembly
        self._lock = threading.Lock()
        self._seen: tuple[int, int] = (0, 0)
        self._manifest = TrackManifest()
        self._records: dict[tuple[str, int], TrackRecord] = {}
        self._loaded: OrderedDict[tuple[str, int], _Loaded] = OrderedDict()

    @classmethod
    def open(cls, root: Path, assembly: Assembly) -> Self:
        """The tracks of a root; also of one that has none yet."""
        return cls(root, assembly)

    @property
    def sequence(self) -> int:
        """Counts up with every change of a track; 0 where there never was one."""
        return self._read_manifest().sequence

    def records(self) -> list[TrackRecord]:
        """All tracks, by name. Raises DamagedError, NewerVersionError."""
        return [self._record(entry) for _, entry in sorted(self._read_manifest().tracks.items())]

    def record(self, name: str) -> TrackRecord:
        """One track. Raises NotFoundError naming those there are."""
        return self._record(self._entry(name))

    def newest_of(self, kind: TrackKind) -> TrackRecord | None:
        """The track of a kind that was imported last; None where there is none."""
        found = [record for record in self.records() if record.kind == kind]
        return max(found, key=lambda record: (record.imported, record.name), default=None)

    def signal_path(self, name: str) -> Path:
        """The bigWig of a signal. Raises NotFoundError, InputError for a track of another kind."""
        record = self._of_kind(name, "signal")
        return version_path(self._root, name, record.version) / SIGNAL_NAME

    # ------------------------------------------------------------ answers

    def features(self, name: str, where: Interval, *, limit: int | None = None) -> pa.Table:
        """Intervals that overlap a place, by position (INTERVAL_COLUMNS); at most `limit`, evenly thinned."""
        loaded = self._load(self._of_kind(name, "intervals"))
        rows = loaded.overlaps.rows(where)
        if limit is not None and len(rows) > limit:
            rows = rows[np.linspace(0, len(rows) - 1, max(limit, 1)).astype(np.int64)]
        return loaded.table.take(pa.array(rows))

    def count(self, name: str, where: Interval) -> int:
        """How many intervals overlap a place."""
        return len(self._load(self._of_kind(name, "intervals")).overlaps.rows(where))

    def signal(self, name: str, where: Interval, bins: int) -> npt.NDArray[np.float32]:
        """Mean of a signal in each of `bins` equal parts of a place, float32 [bins]; NaN where there is none.

        Of wide bins a mean comes from the bigWig's own summaries, whose edges are not quite those of a bin.
        """
        record = self._of_kind(name, "signal")
        contig = self._facts(name, record.version)["contigs"].get(self._assembly.contig_name(where.contig))
        if contig is None or where.start > contig["length"]:
            return np.full(bins, np.nan, np.float32)
        path = version_path(self._root, name, record.version) / SIGNAL_NAME
        return read_signal(path, contig["name"], where.start, where.end, bins=bins)

    def recombination(self, where: Interval, *, name: str | None = None) -> pa.Table:
        """Points of the map inside a place, and the nearest on either side (RECOMBINATION_COLUMNS).

        No rows where there is no map. `name`: another than the newest.
        """
        loaded = self._map(name)
        if loaded is None:
            return schema_of(RECOMBINATION_COLUMNS).empty_table()
        first, last = loaded.bounds[where.contig : where.contig + 2].tolist()
        position = loaded.table["base_pair_location"].to_numpy()[first:last]
        low = int(np.searchsorted(position, where.start, side="right")) - 1
        high = int(np.searchsorted(position, where.end)) + 1
        low, high = max(low, 0), min(high, last - first)
        return loaded.table.slice(first + low, max(0, high - low))

    def genetic_positions(
        self, contig: int, positions: npt.NDArray[Any], *, name: str | None = None
    ) -> Floats:
        """Genetic positions (cM) of V positions on a contig (rank), float64 [V], linear between points.

        Before the first and behind the last point the map stands still; NaN where it has no such contig.
        """
        loaded = self._map(name)
        first, last = (0, 0) if loaded is None else loaded.bounds[contig : contig + 2].tolist()
        if loaded is None or first == last:
            return np.full(len(positions), np.nan)
        table = loaded.table.slice(first, last - first)
        known, cm = (table[n].to_numpy() for n in ("base_pair_location", "genetic_position"))
        return np.interp(positions, known, cm)

    def cytobands(self, contig: int | None = None) -> pa.Table:
        """Bands of a contig (rank), or all, by position (BAND_COLUMNS); no rows where none are imported."""
        record = self.newest_of("cytobands")
        if record is None:
            return schema_of(BAND_COLUMNS).empty_table()
        loaded = self._load(record)
        if contig is None:
            return loaded.table
        first, last = loaded.bounds[contig : contig + 2].tolist()
        return loaded.table.slice(first, last - first)

    # ------------------------------------------------------------ what is held

    def _read_manifest(self) -> TrackManifest:
        """The manifest of now; read again only when its file is another."""
        try:
            status = manifest_path(self._root).stat()
        except FileNotFoundError:
            return TrackManifest()
        seen = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            if seen != self._seen:
                self._manifest, self._seen = TrackManifest.load(self._root), seen
            return self._manifest

    def _entry(self, name: str) -> TrackEntry:
        tracks = self._read_manifest().tracks
        if name not in tracks:
            known = ", ".join(sorted(tracks)[:20]) or "none yet: nexome import track --help"
            raise NotFoundError(f"no track {name[:80]!r}", expected=known)
        return tracks[name]

    def _of_kind(self, name: str, kind: TrackKind) -> TrackRecord:
        record = self.record(name)
        if record.kind != kind:
            raise InputError(f"track {name} is of kind {record.kind}", expected=f"a track of kind {kind}")
        return record

    def _record(self, entry: TrackEntry) -> TrackRecord:
        key = (entry.name, entry.newest)
        kept = self._records.get(key)
        if kept is None or (kept.title, kept.title_zh, kept.access) != (
            entry.title,
            entry.title_zh,
            entry.access,
        ):
            kept = self._records[key] = _record(entry, self._facts(entry.name, entry.newest))
        return kept

    def _facts(self, name: str, version: int) -> dict[str, Any]:
        return read_stamped(version_path(self._root, name, version) / FACTS_NAME, kind=KIND, version=VERSION)

    def _map(self, name: str | None) -> _Loaded | None:
        record = self._of_kind(name, "recombination") if name else self.newest_of("recombination")
        return None if record is None else self._load(record)

    def _load(self, record: TrackRecord) -> _Loaded:
        key = (record.name, record.version)
        with self._lock:
            if (kept := self._loaded.get(key)) is not None:
                self._loaded.move_to_end(key)
                return kept
        made = self._read(record)
        with self._lock:
            self._loaded[key] = made
            while len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
        return made

    def _read(self, record: TrackRecord) -> _Loaded:
        path = version_path(self._root, record.name, record.version) / FEATURES_NAME
        schema = schema_of(COLUMNS[record.kind])
        try:
            table = pq.read_table(path, memory_map=True).select(schema.names).cast(schema).combine_chunks()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise DamagedError(
                f"cannot be read ({type(error).__name__})",
                where=str(path),
                expected="a track's features in Parquet",
                todo="Restore it from a backup (nexome restore), or import the track again.",
            ) from error
        names = table["chromosome"].combine_chunks()
        ranks = np.array([self._assembly.rank(n) for n in names.dictionary.to_pylist()], np.int64)
        contig = ranks[names.indices.to_numpy()] if len(ranks) else np.zeros(0, np.int64)
        start, end = (np.asarray(table[name]) for name in _place_columns(record.kind))
        bounds = np.searchsorted(contig, np.arange(len(self._assembly.contigs) + 1))
        return _Loaded(table, Overlaps(contig, start, end), bounds)


def find_damage_in_tracks(root: Path) -> Iterator[Damage]:
    """What differs from the checksums of each version that the manifest names."""
    for path, digest in TrackManifest.load(root).digests.items():
        try:
            yield from find_damage(root / path, digest=digest)
        except NexomeError as error:
            yield Damage(root / path, str(error))


def _place_columns(kind: TrackKind) -> tuple[str, str]:
    return ("base_pair_location", "base_pair_location") if kind == "recombination" else ("start", "end")


def _record(entry: TrackEntry, facts: dict[str, Any]) -> TrackRecord:
    return TrackRecord(
        entry.name,
        entry.kind,
        entry.title,
        entry.title_zh,
        entry.access,
        entry.newest,
        facts["imported"],
        facts["source"],
        facts["source_sha256"],
        facts["format"],
        facts["features"],
        dict(facts["dropped_by_contig"]),
    )
