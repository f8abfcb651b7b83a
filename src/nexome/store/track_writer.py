"""Keeping tracks: checked against the home assembly, staged, published by one rename, then named.

What lies on contigs that the assembly does not have is left out and counted by contig; what reaches beyond
a contig is refused, since the file is then of another assembly. The caller holds the root's lock.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.formats.bbi import describe_signal
from nexome.model.errors import FormatError, InputError, NotFoundError
from nexome.model.fields import schema_of
from nexome.model.genome import Assembly
from nexome.model.terms import Access
from nexome.store.checksums import sha256_file
from nexome.store.disk import now_iso, step, write_stamped
from nexome.store.root import Root
from nexome.store.track_manifest import FOLDER, TrackEntry, TrackKind, TrackManifest, version_path
from nexome.store.tracks import (
    COLUMNS,
    FACTS_NAME,
    FEATURES_NAME,
    KIND,
    SIGNAL_NAME,
    VERSION,
    TrackRecord,
    Tracks,
)
from nexome.store.versions import publish_version, remove_unnamed

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")


@dataclass(frozen=True, slots=True)
class NewTrack:
    """What a person says of a track, and where it came from: the file's name and format.

    `title`, `title_zh`, `access` may be empty where the track exists: what was said before then stays.
    """

    name: str
    kind: TrackKind
    source: Path
    format: str
    title: str = ""
    title_zh: str = ""
    access: Access | None = None
    sources: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"a track's name {self.name[:100]!r}", expected="letters, digits, '-', '_', '.', at most 80"
            )


def keep_features(root: Root, track: NewTrack, features: pa.Table) -> TrackRecord:
    """Publish a table of features as the next version of a track, sorted by contig and place.

    `features` has the columns of its kind (tracks.COLUMNS), contigs spelled in any way the assembly
    understands. Raises FormatError when nothing lies on a known contig, or something beyond its end.
    """
    kept, lost = _placed(features, root.assembly, track)
    facts = {"features": kept.num_rows, "dropped_by_contig": lost}
    needed = 2 * kept.nbytes
    return _publish(root, track, facts, needed, lambda folder: _write_table(kept, folder / FEATURES_NAME))


def keep_signal(root: Root, track: NewTrack) -> TrackRecord:
    """Publish a bigWig as the next version of a track, copied as it is.

    Raises FormatError when it cannot be read, or a contig is longer or shorter than the assembly's.
    """
    found = describe_signal(track.source)
    contigs: dict[str, dict[str, Any]] = {}
    lost: dict[str, int] = {}
    for name, length in found.contigs.items():
        rank = root.assembly.find_contig(name)
        if rank is None:
            lost[name] = 1
            continue
        contig = root.assembly.contigs[rank]
        if contig.length_bp and contig.length_bp != length:
            raise _other_assembly(track, name, f"{length:,} bases", f"{contig.length_bp:,}", root.assembly)
        contigs[contig.name] = {"name": name, "length": length}
    if not contigs:
        raise _nowhere(track, root.assembly)
    facts = {"features": found.bases_covered, "dropped_by_contig": lost, "contigs": contigs}
    needed = track.source.stat().st_size
    return _publish(
        root, track, facts, needed, lambda folder: shutil.copyfile(track.source, folder / SIGNAL_NAME)
    )


def withdraw_track(root: Root, name: str, *, reason: str) -> None:
    """Take a track out of the manifest, and its folders away. Raises NotFoundError."""
    manifest = TrackManifest.load(root.path)
    if name not in manifest.tracks:
        known = ", ".join(sorted(manifest.tracks)[:20]) or "none"
        raise NotFoundError(f"no track {name[:80]!r}", expected=known)
    manifest.without(name).save(root.path)
    step("track-withdrawn")
    root.append_event("track-withdrawn", track=name, reason=reason)
    clean_tracks(root.path)


def clean_tracks(root: Path) -> list[str]:
    """Remove folders that no manifest names: withdrawn tracks, what a dead process left. Returns their paths.

    The caller holds the root's lock, so nobody stages meanwhile.
    """
    return remove_unnamed(root, FOLDER, named=TrackManifest.load(root).digests)


# ---------------------------------------------------------------- checks


def _placed(features: pa.Table, assembly: Assembly, track: NewTrack) -> tuple[pa.Table, dict[str, int]]:
    """Features on known contigs in genome order, and how many were left out, by contig."""
    names = pc.dictionary_encode(features["chromosome"].cast(pa.string()).combine_chunks())
    found = [assembly.find_contig(name) for name in names.dictionary.to_pylist()]
    known = np.array([-1 if rank is None else rank for rank in found], np.int64)
    contig = known[names.indices.to_numpy()] if len(known) else np.zeros(0, np.int64)
    first, last = ("base_pair_location",) * 2 if track.kind == "recombination" else ("start", "end")
    start, end = (features[name].to_numpy() for name in (first, last))
    order = np.lexsort((end, start, contig))
    order = order[contig[order] >= 0]
    if not len(order):
        raise _nowhere(track, assembly)
    _check_ends(contig[order], end[order], assembly, track)
    spelled = pa.array([c.name for c in assembly.contigs], pa.string())
    ranks = pa.array(contig[order].astype(np.int32))
    kept = features.take(pa.array(order))
    columns = [
        (
            pa.DictionaryArray.from_arrays(ranks, spelled)
            if field.name == "chromosome"
            else _cast(kept[field.name], field.type)
        )
        for field in schema_of(COLUMNS[track.kind])
    ]
    counts = np.bincount(names.indices.to_numpy(), minlength=len(known))
    texts = names.dictionary.to_pylist()
    lost = {texts[at]: int(counts[at]) for at in np.flatnonzero(known < 0).tolist()}
    return pa.Table.from_arrays(columns, schema=schema_of(COLUMNS[track.kind])), lost


def _cast(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(type_):
        column = pc.dictionary_encode(column.cast(pa.string()))
    elif pa.types.is_floating(type_):
        column = pc.fill_null(column.cast(type_), np.nan)
    return column.cast(type_)


def _check_ends(
    contig: npt.NDArray[np.int64], end: npt.NDArray[np.int64], assembly: Assembly, track: NewTrack
) -> None:
    limit = np.array([c.length_bp for c in assembly.contigs], np.int64)[contig]
    beyond = np.flatnonzero((limit > 0) & (end > limit))
    if len(beyond):
        at = int(beyond[0])
        name = assembly.contig_name(int(contig[at]))
        found = f"{len(beyond):,} features end behind it, the first at {end[at]:,}"
        raise _other_assembly(track, name, found, f"at most {limit[at]:,}", assembly)


def _other_assembly(
    track: NewTrack, contig: str, found: str, expected: str, assembly: Assembly
) -> FormatError:
    return FormatError(
        found,
        where=f"{track.source}, contig {contig}",
        expected=f"{expected} ({assembly.name})",
        todo="The file is of another assembly, or another release of it.",
    )


def _nowhere(track: NewTrack, assembly: Assembly) -> FormatError:
    return FormatError(
        f"nothing on a contig of {assembly.name}",
        where=str(track.source),
        expected=", ".join(c.name for c in assembly.contigs[:5]) + " …",
        todo="Take the file of this root's assembly.",
    )


# ---------------------------------------------------------------- publishing


def _publish(
    root: Root, track: NewTrack, facts: Mapping[str, Any], needed_bytes: int, write: Callable[[Path], Any]
) -> TrackRecord:
    """Stage, publish, and name a version; what fails leaves nothing behind."""
    manifest = TrackManifest.load(root.path)
    before = manifest.tracks.get(track.name)
    if before is not None and before.kind != track.kind:
        raise InputError(
            f"track {track.name} is of kind {before.kind}",
            expected=f"one of kind {track.kind}",
            todo="Choose another name, or withdraw the track first.",
        )
    version = before.newest + 1 if before else 1
    checksum = sha256_file(track.source)
    final = version_path(root.path, track.name, version)

    def fill(staged: Path) -> None:
        write(staged)
        files = [{"name": p.name, "sha256": sha256_file(p)} for p in (track.sources or (track.source,))]
        values = {"name": track.name, "track_kind": track.kind, "track_version": version, **facts}
        values |= {
            "imported": now_iso(),
            "source": track.source.name,
            "source_sha256": checksum,
            "files": files,
        }
        values |= {"format": track.format, "assembly": root.assembly.digest}
        write_stamped(staged / FACTS_NAME, values, kind=KIND, version=VERSION, sealed=True)

    digest = publish_version(final, fill, needed_bytes=needed_bytes, what="track")
    manifest.with_track(_named(track, before, version, digest)).save(root.path)
    root.append_event(
        "track-imported",
        track=track.name,
        track_kind=track.kind,
        track_version=version,
        features=facts["features"],
        dropped_by_contig=facts["dropped_by_contig"],
        sha256=checksum,
    )
    return Tracks.open(root.path, root.assembly).record(track.name)


def _named(track: NewTrack, before: TrackEntry | None, version: int, digest: str) -> TrackEntry:
    old = before or TrackEntry(track.name, track.kind, track.name, "", "private", 0, {})
    return TrackEntry(
        track.name,
        track.kind,
        track.title or old.title,
        track.title_zh or old.title_zh,
        track.access or old.access,
        version,
        {**old.digests, version: digest},
    )


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")
