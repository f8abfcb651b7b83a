"""Questions to a snapshot: one feature, a region, a list of features, one whole study, a name.

Every answer costs what it touches: an axis is searched in place, segments read the cells of their
window only, and traits of ragged segments appear only where they hold a cell. Answers are planes of
codes (`types.Planes`), decoded when a column is asked for. Who may ask is decided above, in access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from nexome.model.errors import NotFoundError
from nexome.model.genome import (
    UNPLACED,
    Interval,
    Stretch,
    VariantName,
    allele_key,
    feature_key,
    locus_of,
)
from nexome.store.associations.axis import Axis, unite
from nexome.store.associations.codec import MISSING
from nexome.store.associations.ragged import RaggedCells, RaggedSegment
from nexome.store.associations.segment import Segment, Target, Window, Work, run_work
from nexome.store.associations.snapshot import GridPart, Selection, Snapshot
from nexome.store.associations.types import (
    Cells,
    Exact,
    FeatureHit,
    FeatureKey,
    Features,
    Int32s,
    Int64s,
    Planes,
)

BATCH_ROWS: Final = 1_000_000

_NO_ROWS: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class _RaggedFind:
    """Ragged cells of an answer: answer row and selected trait ordinal (int64 [K]) of each."""

    row: Int64s
    trait: Int64s
    cells: RaggedCells
    kept: Int64s


def phewas(snapshot: Snapshot, key: FeatureKey, select: Selection) -> Cells:
    """One feature × the traits of a selection. V is 0 when the feature is nowhere in it."""
    found = _at_keys([key], select)
    return Cells(**vars(_answer(snapshot, found, select, nowhere_is_empty=True)))


def region(snapshot: Snapshot, interval: Interval, select: Selection) -> Planes:
    """All features inside an interval × the traits of a selection, features sorted by key."""
    spans = [axis.rows_in(interval) for axis in axes_of(select)]
    used = [i for i, (low, high) in enumerate(spans) if high > low]
    parts = [axes_of(select)[i].features(*spans[i]) for i in used]
    features = unite(parts) if parts else _no_features()
    rows: list[tuple[Int64s, Int64s]] = [(_NO_ROWS, _NO_ROWS)] * len(spans)
    for i, part in zip(used, parts, strict=True):
        out = np.arange(len(part)) if len(used) == 1 else _places(features, part)
        rows[i] = (np.arange(*spans[i]), out)
    return _answer(snapshot, (features, rows), select)


def lookup(snapshot: Snapshot, keys: Sequence[FeatureKey], select: Selection) -> Planes:
    """Named features × the traits of a selection: a row for each key, in the order asked, once each.

    A feature that is nowhere in the selection is a row of missing cells.
    """
    asked = [FeatureKey(*key) for key in dict.fromkeys(keys)]
    return _answer(snapshot, _at_keys(asked, select), select)


def study_batches(
    snapshot: Snapshot,
    study_id: str,
    trait_id: str | None = None,
    *,
    interval: Interval | Stretch | None = None,
    rows: int = BATCH_ROWS,
) -> Iterator[Cells]:
    """The cells of one study in batches of at most about `rows` features × one trait, by position.

    `trait_id` None gives the traits one after another. Only features with a cell are given. Raises
    NotFoundError for a study or trait that is not in the store.
    """
    if study_id not in snapshot.studies:
        raise NotFoundError(f"no study {study_id!r} in this store", todo="See `nexome status`.")
    traits = [t.id for t in snapshot.studies[study_id].study.traits]
    if trait_id is not None and trait_id not in traits:
        raise NotFoundError(f"no trait {trait_id!r} in study {study_id}", expected=", ".join(traits[:10]))
    select = snapshot.select([study_id])
    for ordinal, name in enumerate(traits):
        if trait_id is None or name == trait_id:
            yield from _trait_batches(snapshot, select, ordinal, interval=interval, rows=rows)


def resolve(snapshot: Snapshot, name: VariantName, *, ref_alt_either_order: bool = True) -> list[FeatureHit]:
    """Features of the store that a name means: by rs number, or by position with or without alleles.

    With alleles, the pair is also looked for in the other order (`swapped`) unless told not to.
    Sorted by key, each once.
    """
    hits: dict[FeatureKey, FeatureHit] = {}
    for axis in _all_axes(snapshot):
        for hit in _resolve_on(axis, name, either_order=ref_alt_either_order):
            known = hits.get(hit.key)
            if known is None or (known.rsid == 0 and hit.rsid):
                hits[hit.key] = hit
    return [hits[key] for key in sorted(hits)]


def find_named(snapshot: Snapshot, kind: str, name: str) -> list[FeatureHit]:
    """Named features (gene, cpg, protein, interval, other) of that kind and exact name."""
    key = feature_key(kind, name)
    hits = {}
    for axis in _all_axes(snapshot):
        for row in axis.find_hashed(key):
            hit = _hit(axis, row)
            hits[hit.key] = hit
    return [hits[key] for key in sorted(hits)]


def features_of(snapshot: Snapshot, keys: Sequence[FeatureKey]) -> Features:
    """The rsIDs and spelled alleles of keys, in the order given; rsID 0 where no axis knows one."""
    return _described(keys, _all_axes(snapshot))


# ---------------------------------------------------------------- where things are


def axes_of(select: Selection) -> list[Axis]:
    """Axes of the grid parts, then those of the ragged parts."""
    return [axis for axis, _ in select.grids] + [part.segment.axis for part in select.ragged]


def _all_axes(snapshot: Snapshot) -> list[Axis]:
    return axes_of(snapshot.everything)


_Found = tuple[Features, list[tuple[Int64s, Int64s]]]
"""Features of an answer, and for each axis the rows on it (sorted) and their places in the answer."""


def _at_keys(keys: Sequence[FeatureKey], select: Selection) -> _Found:
    rows = []
    for axis in axes_of(select):
        found = np.array([axis.find(key) for key in keys], np.int64)
        order = np.argsort(found, kind="stable")
        order = order[found[order] >= 0]
        rows.append((found[order], order))
    return _described(keys, axes_of(select)), rows


def _described(keys: Sequence[FeatureKey], axes: Sequence[Axis]) -> Features:
    locus = np.array([key[0] for key in keys], np.uint64)
    allele = np.array([key[1] for key in keys], np.uint64)
    rsid = np.zeros(len(keys), np.uint32)
    spelled: dict[int, str] = {}
    for i, key in enumerate(keys):
        hashed = key[1] >> 63
        for axis in axes:
            if (rsid[i] and (not hashed or key[1] in spelled)) or (row := axis.find(FeatureKey(*key))) < 0:
                continue
            rsid[i] = rsid[i] or axis.rsid[row]
            if hashed:
                spelled[key[1]] = axis.spelled[key[1]]
    return Features(locus, allele, rsid, spelled)


def _places(features: Features, part: Features) -> Int64s:
    """Where sorted features stand among a sorted superset of them."""
    from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

    out = np.empty(len(part), np.int64)
    kernels.match_sorted(part.locus, part.allele, features.locus, features.allele, out)
    return out


def _no_features() -> Features:
    return Features(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint32))


def _resolve_on(axis: Axis, name: VariantName, *, either_order: bool) -> Iterator[FeatureHit]:
    if name.rsid is not None:
        yield from (_hit(axis, row) for row in axis.find_rsid(name.rsid))
        return
    if name.contig is None or name.position is None:
        return
    locus = locus_of(name.contig, name.position)
    if not name.ref:
        yield from (_hit(axis, row) for row in axis.rows_at(locus))
        return
    for ref, alt, swapped in ((name.ref, name.alt, False), (name.alt, name.ref, True)):
        row = axis.find(FeatureKey(locus, allele_key(ref, alt)))
        if row >= 0 and (either_order or not swapped):
            yield _hit(axis, row, swapped=swapped)


def _hit(axis: Axis, row: int, *, swapped: bool = False) -> FeatureHit:
    features = axis.features(row, row + 1)
    return FeatureHit(features.key(0), int(features.rsid[0]), features.text(0), swapped)


# ---------------------------------------------------------------- reading cells


def _answer(
    snapshot: Snapshot,
    found: _Found,
    select: Selection,
    *,
    nowhere_is_empty: bool = False,
) -> Planes:
    """Read what was found into planes; without a row anywhere, V may be 0 instead."""
    features, rows = found
    if nowhere_is_empty and not any(len(r) for r, _ in rows):
        features, rows = _no_features(), [(_NO_ROWS, _NO_ROWS)] * len(rows)
    grids = len(select.grids)
    ragged = [_find_ragged(select, i, *rows[grids + i]) for i in range(len(select.ragged))]
    traits, places = _columns(select, ragged)
    target = Target.empty(len(features), len(traits))
    work: list[Work] = []
    for (_, parts), (row, out_row) in zip(select.grids, rows[:grids], strict=True):
        for part in parts:
            work += part.segment.work(Window(row, out_row, part.columns, part.out_columns), target)
    run_work(work, snapshot.pool if len(work) > 1 else None)
    for cells, place in zip(ragged, places, strict=True):
        _scatter(cells, place, target)
    return Planes(
        snapshot.assembly,
        features,
        select.trait_table,
        traits,
        target.z,
        target.se,
        target.eaf,
        exact=target.exact_cells(),
        n=target.n,
        info=target.info,
    )


def _find_ragged(select: Selection, number: int, rows: Int64s, out_rows: Int64s) -> _RaggedFind | None:
    """Cells of a ragged segment at some of its feature rows that belong to selected traits."""
    part = select.ragged[number]
    if not len(rows):
        return None
    if rows[-1] - rows[0] + 1 == len(rows):
        pieces = [part.segment.read_features(int(rows[0]), int(rows[-1]) + 1)]
    else:
        pieces = [part.segment.read_feature(int(row)) for row in rows]
    cells = pieces[0] if len(pieces) == 1 else _joined(pieces)
    trait = part.trait[cells.trait]
    kept = np.flatnonzero(trait >= 0)
    row = out_rows[np.searchsorted(rows, cells.feature[kept])]
    return _RaggedFind(row, trait[kept], cells, kept)


def _joined(pieces: list[RaggedCells]) -> RaggedCells:
    start = np.cumsum([0, *(len(p) for p in pieces)])
    exact = {}
    for plane in ("z", "se", "eaf"):
        parts = [(p.exact[plane], at) for p, at in zip(pieces, start[:-1], strict=True) if plane in p.exact]
        if parts:
            where = np.concatenate([pair[0] + at for pair, at in parts])
            exact[plane] = (where, np.concatenate([pair[1] for pair, _ in parts]))
    joined = {
        name: np.concatenate([getattr(p, name) for p in pieces])
        for name in ("feature", "trait", "z", "se", "eaf", "n", "info")
        if getattr(pieces[0], name) is not None
    }
    return RaggedCells(**joined, exact=exact)  # type: ignore[arg-type]


def _columns(select: Selection, ragged: list[_RaggedFind | None]) -> tuple[Int32s, list[Int64s]]:
    """Trait ordinals of the answer's columns: those on axes, then ragged ones with a cell; places."""
    found = [np.zeros(0, np.int64) if r is None else select.place_of(r.trait) for r in ragged]
    extra = [r.trait[p < 0] for r, p in zip(ragged, found, strict=True) if r is not None]
    more = np.unique(np.concatenate(extra)) if extra else np.zeros(0, np.int64)
    for r, place in zip(ragged, found, strict=True):
        if r is not None:
            off = place < 0
            place[off] = len(select.grid) + np.searchsorted(more, r.trait[off])
    return np.concatenate([select.grid, more]).astype(np.int32), found


def _scatter(found: _RaggedFind | None, place: Int64s, target: Target) -> None:
    if found is None or not len(found.kept):
        return
    cells, kept = found.cells, found.kept
    target.z[found.row, place] = cells.z[kept]
    target.se[found.row, place] = cells.se[kept]
    target.eaf[found.row, place] = cells.eaf[kept]
    for name in ("n", "info"):
        if (values := getattr(cells, name)) is not None:
            target.optional(name)[found.row, place] = values[kept]
    inside = np.full(len(cells), -1, np.int64)
    inside[kept] = np.arange(len(kept))
    for plane, (at, values) in cells.exact.items():
        mine = inside[at]
        use = (mine >= 0) & ~np.isnan(values)
        target.add_exact(plane, found.row[mine[use]], place[mine[use]], values[use])


# ---------------------------------------------------------------- one trait, all features


def _trait_batches(
    snapshot: Snapshot, select: Selection, ordinal: int, *, interval: Interval | Stretch | None, rows: int
) -> Iterator[Cells]:
    """Batches of one trait: rows of its axis, with cells of a ragged companion merged in by key."""
    narrow = _OneTrait(snapshot, select, ordinal)
    low, high = interval.locus_range if interval else (0, (UNPLACED + 1) << 32)
    stretches = list(pairwise(narrow.edges(low, high, rows)))
    if len(stretches) == 1:
        batches = iter([narrow.read(*stretches[0])])
    else:
        batches = _one_ahead(narrow.read, stretches)
    yield from (batch for batch in batches if batch.shape[0])


def _one_ahead(read: Callable[[int, int], Cells], stretches: Sequence[tuple[int, int]]) -> Iterator[Cells]:
    """Read each stretch while the one before is being used."""
    with ThreadPoolExecutor(1, thread_name_prefix="nexome-ahead") as ahead:
        coming = ahead.submit(read, *stretches[0])
        for stretch in stretches[1:]:
            ready, coming = coming, ahead.submit(read, *stretch)
            yield ready.result()
        yield coming.result()


class _OneTrait:
    """Reads stretches of loci of one trait of a selection."""

    def __init__(self, snapshot: Snapshot, select: Selection, ordinal: int) -> None:
        self._snapshot, self._select = snapshot, select
        self._trait = ordinal
        self._grids = [(axis, p) for axis, parts in select.grids for p in map(self._narrow, parts) if p]
        self._ragged = [
            (part.segment, int(column))
            for part in select.ragged
            for column in np.flatnonzero(part.trait == ordinal)
        ]

    def edges(self, low: int, high: int, rows: int) -> list[int]:
        """Loci that cut low … high so that no stretch holds many more than `rows` rows of an axis."""
        longest = max((axis for axis, _ in self._grids), key=len, default=None)
        if longest is None:
            longest = max((segment.axis for segment, _ in self._ragged), key=len, default=None)
        inner: list[int] = []
        if longest is not None:
            first, stop = longest.row_of(low), longest.row_of(high)
            inner = [int(longest.locus[at]) for at in range(first + rows, stop, rows)]
        return sorted({low, high, *inner})

    def read(self, low: int, high: int) -> Cells:
        """Cells with a locus in low … high−1, those that are not missing."""
        spans = [(axis.row_of(low), axis.row_of(high)) for axis, _ in self._grids]
        parts = [axis.features(*span) for (axis, _), span in zip(self._grids, spans, strict=True)]
        found = [self._ragged_cells(segment, column, low, high) for segment, column in self._ragged]
        parts += [part for part, _ in found]
        features = unite(parts) if parts else _no_features()
        target = Target.empty(len(features), 1)
        work: list[Work] = []
        for (_, (segment, column)), span, part in zip(self._grids, spans, parts, strict=False):
            out = np.arange(len(part)) if len(parts) == 1 else _places(features, part)
            window = Window(np.arange(*span), out, np.array([column]), np.zeros(1, np.int64))
            work += segment.work(window, target)
        run_work(work, self._snapshot.pool)
        for part, cells in found:
            place = _places(features, part)
            kept = np.arange(len(cells))
            _scatter(_RaggedFind(place, kept, cells, kept), np.zeros(len(kept), np.int64), target)
        return self._present(features, target)

    def _ragged_cells(
        self, segment: RaggedSegment, column: int, low: int, high: int
    ) -> tuple[Features, RaggedCells]:
        axis = segment.axis
        cells = segment.read_trait_features(column, axis.row_of(low), axis.row_of(high))
        every = axis.features()
        return every.take(cells.feature), cells

    def _narrow(self, part: GridPart) -> tuple[Segment, int] | None:
        at = np.flatnonzero(self._select.grid[part.out_columns] == self._trait)
        return (part.segment, int(part.columns[at[0]])) if len(at) else None

    def _present(self, features: Features, target: Target) -> Cells:
        there = target.z[:, 0] != MISSING
        exact = target.exact_cells()
        kept: Any = slice(None)
        if not there.all():
            kept, features = there, features.take(there)
            exact = {plane: _moved(cells, there) for plane, cells in exact.items()}
        return Cells(
            self._snapshot.assembly,
            features,
            self._select.trait_table,
            np.array([self._trait], np.int32),
            target.z[kept],
            target.se[kept],
            target.eaf[kept],
            exact=exact,
            n=None if target.n is None else target.n[kept],
            info=None if target.info is None else target.info[kept],
        )


def _moved(cells: Exact, there: Any) -> Exact:
    """Exact cells of the rows that are kept, counted among those."""
    place, kept = np.cumsum(there) - 1, there[cells.row]
    return Exact(place[cells.row[kept]].astype(np.int32), cells.column[kept], cells.value[kept])
