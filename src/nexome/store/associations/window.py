"""What a window of one trait shows: its cells where they are few, else hits and the strongest of each bin.

A window is a stretch of the genome, from all of it to one base. Up to CELLS_MOST features are read
cell by cell. Beyond that all hits (p < 1e-4) come from the summary and everything weaker is represented
by the strongest feature of each bin (`zoom`), so that the cost does not grow with the study. Points that
would fall on each other are thinned, and the answer says what was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.manhattan import HIT, position_bins, thin_evenly
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.genome import HASHED, Stretch
from nexome.store.associations import codec, query
from nexome.store.associations.snapshot import PublishedStudy, Selection, Snapshot
from nexome.store.associations.types import Features, Floats, UInt32s, UInt64s
from nexome.store.associations.zoom import ZOOM_NAME, ZoomTrait, check_of, read_zoom, write_zoom

CELLS_MOST: Final = 30_000  # features of a window that are read one by one: about 9 Mb of 10^7 variants
FOLDER: Final = "zoom"  # of versions written before zoom files were

ROWS_A_POINT: Final = 6  # bins looked at for each point drawn; beyond, wider bins are taken
WIDEST_BITS: Final = 26

_ROWS: Final = 1 << 30  # every window is one batch
_PLACES_MOST: Final = 64  # features looked at under one position before a row counts as not found


@dataclass(frozen=True, slots=True)
class WindowPoints:
    """P points by position: features, z (float32), −log₁₀ p (float64), whether each stands for its bin [P].

    `bin_width_bp` is 0 when every cell of the window was read; `cells` then counts them (else −1).
    `left_out` points were drawn over by stronger ones at the same place.
    """

    features: Features
    z: Floats
    neg_log10_p: npt.NDArray[np.float64]
    bin_best: npt.NDArray[np.bool_]
    bin_width_bp: int
    cells: int
    left_out: int


def read_window(
    snapshot: Snapshot, study_id: str, ordinal: int, *, where: Stretch, points: int
) -> WindowPoints:
    """At most about `points` points of one trait (ordinal within the study) inside a stretch."""
    select = snapshot.select([study_id])
    published = snapshot.studies[study_id]
    grouped = not published.summary().has_plots
    if grouped or _features_in(select, ordinal, where) <= CELLS_MOST:
        found = _cells(snapshot, published, ordinal, where)
    else:
        found = _summarised(snapshot, published, ordinal, where=where, most=ROWS_A_POINT * points)
    return _thinned(snapshot, select, found, points)


@dataclass(frozen=True, slots=True)
class _Found:
    """Points before thinning. `allele` of those that stand for a bin is a check, not yet a key."""

    locus: UInt64s
    allele: UInt64s
    rsid: UInt32s
    spelled: dict[int, str]
    z: Floats
    bin_best: npt.NDArray[np.bool_]
    check_bits: int = 0
    width_bp: int = 0  # of the bins; 0: every cell is here


def _features_in(select: Selection, ordinal: int, where: Stretch) -> int:
    """How many features the axes of a trait have inside a stretch, at most."""
    low, high = where.locus_range
    total = sum(axis.row_of(high) - axis.row_of(low) for axis, _ in select.grids)
    for part in select.ragged:
        axis, offset = part.segment.axis, part.segment.offset("by_trait")
        own = sum(int(offset[c + 1] - offset[c]) for c in np.flatnonzero(part.trait == ordinal).tolist())
        total += min(axis.row_of(high) - axis.row_of(low), own)
    return total


def _cells(snapshot: Snapshot, published: PublishedStudy, ordinal: int, where: Stretch) -> _Found:
    trait = published.study.traits[ordinal].id
    batches = list(query.study_batches(snapshot, published.entry.id, trait, interval=where, rows=_ROWS))
    features = [cells.features for cells in batches]
    spelled = {k: v for f in features for k, v in _texts(f).items()}
    z = [cells.column("z")[:, 0] for cells in batches]
    return _Found(
        _joined([f.locus for f in features], np.uint64),
        _joined([f.allele for f in features], np.uint64),
        _joined([f.rsid for f in features], np.uint32),
        spelled,
        _joined(z, np.float32),
        np.zeros(sum(map(len, z)), bool),
    )


def _summarised(
    snapshot: Snapshot, published: PublishedStudy, ordinal: int, *, where: Stretch, most: int
) -> _Found:
    """Hits, and at most `most` strongest of bins: of wider ones where a window holds more."""
    zoom = zoom_of(snapshot, published, ordinal)
    hits = published.summary().hits_between(ordinal, *where.locus_range)
    bits, row = zoom.bins.bits, zoom.rows_in(where)
    while len(row) > most and bits < WIDEST_BITS:
        bits += 1
        row = zoom.rows_in(where, bits=bits)
    z = codec.decode_z(zoom.z[row])
    weaker = (zoom.z[row] != codec.OVERFLOW) & (neg_log10_p_from_z(z) < HIT)
    row = row[weaker]
    locus = np.concatenate([hits.features.locus, zoom.locus[row]])
    allele = np.concatenate([hits.features.allele, zoom.check[row].astype(np.uint64)])
    rsid = np.concatenate([hits.features.rsid, np.zeros(len(row), np.uint32)])
    z = np.concatenate([hits.z, z[weaker]])
    best = np.arange(len(z)) >= len(hits)
    order = np.argsort(locus, kind="stable")
    texts = _texts(hits.features)
    width = 1 << bits
    return _Found(
        locus[order], allele[order], rsid[order], texts, z[order], best[order], zoom.bins.bits, width
    )


def _thinned(snapshot: Snapshot, select: Selection, found: _Found, points: int) -> WindowPoints:
    strength = neg_log10_p_from_z(found.z)
    place = position_bins(snapshot.assembly).genome_position(found.locus)
    kept = thin_evenly(place, strength, most=points)
    part = found.bin_best[kept]
    locus, allele, rsid = found.locus[kept], found.allele[kept].copy(), found.rsid[kept].copy()
    spelled = dict(found.spelled)
    if part.any():
        named = _named(select, locus[part], allele[part].astype(np.uint32), found.check_bits)
        allele[part], rsid[part] = named.allele, named.rsid
        spelled |= named.spelled
    return WindowPoints(
        features=Features(locus, allele, rsid, spelled),
        z=found.z[kept],
        neg_log10_p=strength[kept],
        bin_best=part,
        bin_width_bp=found.width_bp,
        cells=-1 if found.width_bp else len(found.z),
        left_out=len(found.z) - len(kept),
    )


def _named(select: Selection, locus: UInt64s, check: UInt32s, bits: int) -> Features:
    """The features of a selection at some loci [R] whose allele keys give these checks [R]."""
    allele, rsid = np.full(len(locus), HASHED, np.uint64), np.zeros(len(locus), np.uint32)
    spelled: dict[int, str] = {}
    left = np.arange(len(locus))
    for axis in query.axes_of(select):
        at = np.searchsorted(axis.locus, locus[left])
        for step in range(_PLACES_MOST):
            row = np.minimum(at + step, max(len(axis) - 1, 0))
            same = (at + step < len(axis)) & (axis.locus[row] == locus[left])
            if not same.any():
                break
            fits = same & (check_of(axis.allele[row], bits) == check[left])
            allele[left[fits]], rsid[left[fits]] = axis.allele[row[fits]], axis.rsid[row[fits]]
            for key in axis.allele[row[fits]][axis.allele[row[fits]] >= np.uint64(HASHED)].tolist():
                spelled[key] = axis.spelled[key]
            left, at = left[~fits], at[~fits]
    return Features(locus, allele, rsid, spelled)


def _texts(features: Features) -> dict[int, str]:
    keys = features.allele[features.allele >= np.uint64(HASHED)].tolist()
    return {key: features.spelled[key] for key in keys}


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype, copy=False)


# ---------------------------------------------------------------- zoom files of one version


def zoom_of(snapshot: Snapshot, published: PublishedStudy, ordinal: int) -> ZoomTrait:
    """The strongest features of a trait's bins, read, or counted from the cells where no file is."""

    def read() -> ZoomTrait:
        for path in (published.path / ZOOM_NAME, derived_path(published)):
            try:
                return read_zoom(path, snapshot.assembly, ordinal)
            except FileNotFoundError:
                continue
        return count_zoom(snapshot, published, ordinal)

    return snapshot.zooms.get((str(published.path), ordinal), read)


def derived_path(published: PublishedStudy) -> Path:
    """Where the zoom file of a version lies that was written without one."""
    study, version = published.path.parent.name, published.path.name
    return published.path.parents[2] / FOLDER / study / f"{version}.arrow"


def count_zoom(snapshot: Snapshot, published: PublishedStudy, ordinal: int) -> ZoomTrait:
    """The same from the cells of one trait, in a pass over all of them."""
    from nexome.store.associations.zoom_builder import StrongestBuilder  # noqa: PLC0415  Numba, when needed

    builder = StrongestBuilder(snapshot.assembly, 1)
    trait = published.study.traits[ordinal].id
    for cells in query.study_batches(snapshot, published.entry.id, trait):
        builder.add(cells.features, cells.z)
    return builder.trait(0)


def rebuild_zooms(snapshot: Snapshot) -> int:
    """Write the zoom files of live versions that have none, remove those of versions gone; returns how many.

    Costs a reading of those studies. Files in the folders of versions are left as published.
    """
    live = {derived_path(p): p for p in snapshot.studies.values()}
    made = 0
    for path, published in live.items():
        if (published.path / ZOOM_NAME).is_file() or not published.summary().has_plots:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        traits = list(_counted(snapshot, published))
        write_zoom(partial, traits[0].bins, traits)
        partial.replace(path)
        made += 1
    _remove_others(set(live))
    return made


def _counted(snapshot: Snapshot, published: PublishedStudy) -> Iterator[ZoomTrait]:
    return (count_zoom(snapshot, published, t) for t in range(len(published.study.traits)))


def _remove_others(live: set[Path]) -> None:
    if not live:
        return
    folder = next(iter(live)).parents[1]
    for path in folder.glob("*/*"):
        if path not in live:
            path.unlink(missing_ok=True)
    for path in folder.glob("*"):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
