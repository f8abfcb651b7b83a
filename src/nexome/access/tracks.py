"""The doors of a View to what is drawn beside associations: transcripts, tracks, recombination, bands.

A private track is the owner's; to anyone else it is as unknown as none. Transcripts, recombination maps
and bands say nothing of people and are open, as genes are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pyarrow as pa

from nexome.model.errors import NotFoundError, QueryError
from nexome.model.fields import schema_of
from nexome.model.genome import Interval
from nexome.store.genes import TRANSCRIPT_COLUMNS
from nexome.store.tracks import (
    BAND_COLUMNS,
    INTERVAL_COLUMNS,
    RECOMBINATION_COLUMNS,
    TrackRecord,
)

if TYPE_CHECKING:
    from nexome.access.centre import Centre
    from nexome.access.identity import Principal
    from nexome.model.genome import Assembly

TRACK_COLUMNS: Final = (
    *("track", "track_kind", "title", "title_zh", "access", "track_version", "imported", "source"),
    "feature_count",
)
SIGNAL_COLUMNS: Final = ("chromosome", "start", "end", "value")
BINS: Final = 1_000
BINS_MAX: Final = 20_000

__all__ = [
    "BAND_COLUMNS",
    "INTERVAL_COLUMNS",
    "RECOMBINATION_COLUMNS",
    "SIGNAL_COLUMNS",
    "TRACK_COLUMNS",
    "TRANSCRIPT_COLUMNS",
    "Tracked",
]


class _Asking(Protocol):
    """What of a View these doors lean on."""

    @property
    def _centre(self) -> Centre: ...

    @property
    def principal(self) -> Principal: ...

    @property
    def assembly(self) -> Assembly: ...

    def interval(self, where: str | Interval) -> Interval: ...

    def track_record(self, name: str) -> TrackRecord: ...

    def track_records(self) -> list[TrackRecord]: ...


class Tracked:
    """Part of View; it is not made by itself."""

    def transcripts_in(self: _Asking, where: str | Interval) -> pa.Table:
        """Transcripts that overlap a region, by position (TRANSCRIPT_COLUMNS).

        No rows where no genes are imported, or the file of genes had no transcripts (BED, tables).
        """
        place = self.interval(where)
        genes = self._centre.genes
        return schema_of(TRANSCRIPT_COLUMNS).empty_table() if genes is None else genes.transcripts(place)

    @property
    def has_transcripts(self: _Asking) -> bool:
        """Whether the imported genes came with transcripts."""
        genes = self._centre.genes
        return genes is not None and genes.has_transcripts

    def recombination(self: _Asking, where: str | Interval) -> pa.Table:
        """Points of the recombination map in a region and the nearest beside it (RECOMBINATION_COLUMNS).

        A rate holds from its position to the next. No rows where no map is imported. Of several maps, the
        one imported last.
        """
        return self._centre.tracks.recombination(self.interval(where))

    def cytobands(self: _Asking, contig: str | None = None) -> pa.Table:
        """Cytogenetic bands of a contig, or of all (BAND_COLUMNS); no rows where none are imported.

        Raises NotFoundError for an unknown contig.
        """
        return self._centre.tracks.cytobands(None if contig is None else self.assembly.rank(contig))

    def track_records(self: _Asking) -> list[TrackRecord]:
        """Tracks this principal may know of, by name."""
        mine = self.principal.kind == "owner"
        return [record for record in self._centre.tracks.records() if mine or record.access == "open"]

    def track_record(self: _Asking, name: str) -> TrackRecord:
        """One track. Raises NotFoundError for one that this principal may not know of."""
        known = {record.name: record for record in self.track_records()}
        if name not in known:
            todo = "The owner imports tracks: nexome import track --help." if not known else ""
            raise NotFoundError(f"no track {name[:80]!r}", expected=", ".join(known)[:300], todo=todo)
        return known[name]

    def tracks(self: _Asking) -> pa.Table:
        """Tracks this principal may know of, by name (TRACK_COLUMNS)."""
        rows = [
            {
                "track": record.name,
                "track_kind": record.kind,
                "title": record.title or None,
                "title_zh": record.title_zh or None,
                "access": record.access,
                "track_version": record.version,
                "imported": record.imported,
                "source": record.source,
                "feature_count": record.features,
            }
            for record in self.track_records()
        ]
        return pa.Table.from_pylist(rows, schema=schema_of(TRACK_COLUMNS))

    def track(
        self: _Asking, name: str, where: str | Interval, bins: int = BINS, *, limit: int | None = None
    ) -> pa.Table:
        """What a track holds in a region, by position.

        intervals: INTERVAL_COLUMNS, at most `limit` of them, evenly thinned (`track_count` tells how many
        there are); signal: SIGNAL_COLUMNS, a row for each of `bins` equal parts that has a value;
        recombination and cytobands: as the doors of their own. Raises NotFoundError, QueryError.
        """
        record, place = self.track_record(name), self.interval(where)
        tracks = self._centre.tracks
        if record.kind == "intervals":
            return tracks.features(name, place, limit=limit)
        if record.kind == "recombination":
            return tracks.recombination(place, name=name)
        if record.kind == "cytobands":
            return tracks.cytobands(place.contig)
        if not 1 <= bins <= BINS_MAX:
            raise QueryError(f"{bins} bins", where="bins", expected=f"1 to {BINS_MAX}")
        return _signal_table(tracks.signal(name, place, bins), place, self.assembly)

    def track_count(self: _Asking, name: str, where: str | Interval) -> int:
        """How many intervals of a track overlap a region. Raises NotFoundError, InputError."""
        return self._centre.tracks.count(self.track_record(name).name, self.interval(where))

    def signal_file(self: _Asking, name: str) -> Path:
        """The bigWig of a signal, as it was imported. Raises NotFoundError, InputError."""
        return self._centre.tracks.signal_path(self.track_record(name).name)


def _signal_table(values: np.ndarray, place: Interval, assembly: Assembly) -> pa.Table:
    """Bins that have a value, with the bases each reaches over (SIGNAL_COLUMNS)."""
    edges = place.start + np.arange(len(values) + 1) * ((place.end - place.start + 1) / len(values))
    start = np.ceil(edges[:-1]).astype(np.int64)
    end = np.maximum(np.ceil(edges[1:]).astype(np.int64) - 1, start)
    rows = np.flatnonzero(~np.isnan(values))
    name = pa.array([assembly.contig_name(place.contig)], pa.string())
    contig = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), np.int32)), name)
    columns = (contig, start[rows], end[rows], values[rows])
    schema = schema_of(SIGNAL_COLUMNS)
    arrays = [pa.array(c).cast(f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
