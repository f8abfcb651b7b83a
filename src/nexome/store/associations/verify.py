"""Verifying: what is kept is what was written, and agrees with itself and with its source.

`verify_store` looks, in this order:
1. at every file the manifest names, against the checksums of its folder: a flipped bit in a shard is
   named by segment, plane, shard and inner chunk;
2. at the structure: sorted keys, offsets, both directions of ragged segments, counts of cells;
3. at the summaries, counted anew from the cells;
4. with a source given, at each of its rows within the stated error bounds. The source comes as
   harmonised blocks (from `ingest`), so that nothing here need know a file format.

Nothing is changed. All that is wrong is listed, not only the first; a damaged folder is not looked
into further.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.model.errors import NexomeError, NotFoundError
from nexome.model.genome import UNPLACED, Assembly
from nexome.store.associations import codec
from nexome.store.associations.inspect_shard import name_chunks
from nexome.store.associations.manifest import FOLDER, Manifest, load_manifest
from nexome.store.associations.query import study_batches
from nexome.store.associations.recount import check_segment, check_summaries
from nexome.store.associations.snapshot import Snapshot
from nexome.store.associations.store import AssociationStore
from nexome.store.associations.types import Block, Features, Floats, Int64s, UInt64s
from nexome.store.checksums import find_damage

EXAMPLES: Final = 5  # rows named of each kind of disagreement with a source

# Half a step of each grid, and a float32's rounding on either side of it.
_Z_BOUND: Final = 0.5 / codec.Z_STEP + 1e-6
_SE_BOUND: Final = float(np.expm1(0.5 / codec.SE_STEP)) + 2e-5
_EAF_BOUND: Final = float(np.expm1(0.5 / codec.EAF_STEP)) + 2e-5
_FLOAT_BOUND: Final = 1e-6
_ARRAYS: Final = ("locus", "allele", "z", "se", "eaf", "n", "info", "line")
_COMPARED: Final = ("z", "standard_error", "effect_allele_frequency", "n", "info")

Kind = Literal["file", "structure", "summary", "source"]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what kind of check found it, where, and what."""

    kind: Kind
    where: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}"


@dataclass
class VerifyReport:
    """What was looked at, and all that is wrong. `ok` when nothing is."""

    sequence: int
    folders: int = 0
    studies: int = 0
    source_rows: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_store(
    root: Path,
    *,
    study: str | None = None,
    source: Iterable[Block] | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Verify the whole store of a root, or what one study needs, and that study against its source.

    `source` gives the study's rows as they were harmonised: float32 blocks with strictly increasing
    keys within a trait. Raises NotFoundError for an unknown study, DamagedError when root.json or
    the manifest themselves are broken.
    """
    manifest = load_manifest(root)
    if study is not None and study not in manifest.studies:
        raise NotFoundError(f"no study {study!r} in this store", todo="See `nexome status`.")
    report = VerifyReport(manifest.sequence)
    chosen = [study] if study is not None else list(manifest.studies)
    whole = _check_files(root / FOLDER, manifest, chosen, report, progress)
    snapshot = AssociationStore.open(root).snapshot()
    usable = [s for s in chosen if _parts_of(manifest, s) <= whole]
    segments = dict.fromkeys(name for s in usable for name in manifest.studies[s].segments)
    for name in segments:
        _note(report, "structure", f"segment {name}", check_segment, snapshot, name)
    for at, found in enumerate(_guarded(check_summaries(snapshot, usable))):
        report.findings.append(Finding("summary", *found))
        _tell(progress, "summaries", at, len(usable))
    report.studies = len(usable)
    if source is not None and study in usable:
        _check_source(snapshot, str(study), source, report)
    return report


# ---------------------------------------------------------------- files


def _parts_of(manifest: Manifest, study: str) -> set[str]:
    """Folders of everything a study needs: its own, its segments and their axes."""
    entry = manifest.studies[study]
    segments = [manifest.segments[name] for name in entry.segments]
    axes = {manifest.axes[s.axis].path for s in segments if s.axis}
    return {entry.path} | {s.path for s in segments} | axes


def _check_files(
    store: Path, manifest: Manifest, chosen: list[str], report: VerifyReport, progress: Progress | None
) -> set[str]:
    """Check the folders the studies need against their checksums; returns those that are whole."""
    digests = {a.path: a.digest for a in manifest.axes.values()}
    digests |= {s.path: s.digest for s in manifest.segments.values()}
    digests |= {s.path: s.digest for s in manifest.studies.values()}
    wanted = sorted(set().union(*(_parts_of(manifest, s) for s in chosen)))
    whole = set()
    for at, path in enumerate(wanted):
        before = len(report.findings)
        try:
            for damage in find_damage(store / path, digest=digests[path]):
                where = name_chunks(store / path, damage)
                report.findings.append(Finding("file", f"{path}: {where}", damage.found))
        except NexomeError as error:
            report.findings.append(Finding("file", path, str(error)))
        if len(report.findings) == before:
            whole.add(path)
        _tell(progress, "files", at + 1, len(wanted))
    report.folders = len(wanted)
    return whole


def _note(report: VerifyReport, kind: Kind, where: str, check: Any, *arguments: Any) -> None:
    report.findings += [Finding(kind, where, found) for found in _guarded(check(*arguments), text=True)]


def _guarded(found: Iterator[Any], *, text: bool = False) -> Iterator[Any]:
    """What a check finds; an error while reading is one more finding."""
    try:
        yield from found
    except NexomeError as error:
        yield str(error) if text else ("store", str(error))


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress is not None:
        progress(what, done, total)


# ---------------------------------------------------------------- the source


class _Stored:
    """The cells of one stored trait, decoded, in key order."""

    def __init__(self, snapshot: Snapshot, study: str, trait_id: str) -> None:
        batches = list(study_batches(snapshot, study, trait_id))
        locus, allele = (
            _joined([getattr(b.features, name) for b in batches], np.uint64) for name in ("locus", "allele")
        )
        tables: list[Any] = list({id(b.features.spelled): b.features.spelled for b in batches}.values())
        spelled: ChainMap[int, str] = ChainMap(*tables)  # tables of an axis are large: none is copied
        self.features = Features(locus, allele, np.zeros(0, np.uint32), spelled)
        self._met = np.zeros(len(locus), bool)
        decoded = [b.columns(_COMPARED) for b in batches]
        self.values = {name: _joined([d[name][:, 0] for d in decoded], np.float32) for name in _COMPARED}

    def match(self, block: Block) -> Int64s:
        """Rows of a block's features, −1 where there is none."""
        from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

        rows = np.full(len(block), -1, np.int64)
        if len(self.features):
            known = self.features
            kernels.match_sorted(block.locus, block.allele, known.locus, known.allele, rows)
        self._met[rows[(rows >= 0) & ~np.isnan(block.z)]] = True
        return rows

    def unmet(self, assembly: Assembly) -> Iterator[str]:
        """A sentence for the stored cells that no row was matched to."""
        rows = np.flatnonzero(~self._met & ~np.isnan(self.values["z"])).tolist()
        if rows:
            places = _places(self.features, rows, assembly)
            yield f"{len(rows):,} stored rows are not in the source, first {places}"


def _joined(parts: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _check_source(snapshot: Snapshot, study: str, source: Iterable[Block], report: VerifyReport) -> None:
    traits = snapshot.studies[study].study.traits
    seen: set[int] = set()
    held: tuple[int, _Stored] | None = None

    def add(trait: int, found: Iterable[str]) -> None:
        where = f"study {study}, trait {traits[trait].id}"
        report.findings += [Finding("source", where, text) for text in found]

    for block in source:
        for trait, part in _by_trait(block):
            if held is None or held[0] != trait:
                if held is not None:
                    add(held[0], held[1].unmet(snapshot.assembly))
                held = (trait, _Stored(snapshot, study, traits[trait].id))
                seen.add(trait)
            add(trait, _compare(held[1], part, report, snapshot.assembly))
    if held is not None:
        add(held[0], held[1].unmet(snapshot.assembly))
    stored = snapshot.studies[study].summary().column("cells")
    for trait in sorted(set(np.flatnonzero(stored).tolist()) - seen):
        add(trait, [f"{stored[trait]:,} cells stored, none in the source"])


def _by_trait(block: Block) -> Iterator[tuple[int, Block]]:
    """A block cut into runs of one trait."""
    if block.trait is None:
        yield 0, block
        return
    edges = np.flatnonzero(np.diff(block.trait.astype(np.int64), prepend=-1, append=-1))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        run = slice(low, high)
        arrays = {n: v for n in _ARRAYS if (v := getattr(block, n)) is not None}
        yield (
            int(block.trait[low]),
            Block(**{n: v[run] for n, v in arrays.items()}, spelled=block.spelled),
        )


def _compare(stored: _Stored, block: Block, report: VerifyReport, assembly: Assembly) -> Iterator[str]:
    """Sentences for rows of a block that are not stored, or not within their error bounds."""
    given = ~np.isnan(block.z)
    report.source_rows += int(given.sum())
    rows = stored.match(block)
    if lost := np.flatnonzero(given & (rows < 0)).tolist():
        places = _places(_features(block), lost, assembly, lines=block.line)
        yield f"{len(lost):,} rows of the source are not stored, first {places}"
    both = np.flatnonzero(given & (rows >= 0))
    for name, values, bound in _bounds(block):
        kept, source = stored.values[name][rows[both]], values[both]
        with np.errstate(invalid="ignore"):
            near = np.abs(kept.astype(np.float64) - source) <= bound[both]
        wrong = np.flatnonzero(~near & ~(np.isnan(kept) & np.isnan(source))).tolist()
        if wrong:
            told = [f" ({source[w]:.6g}, stored {kept[w]:.6g})" for w in wrong[:EXAMPLES]]
            at = both[wrong].tolist()
            places = _places(_features(block), at, assembly, lines=block.line, told=told)
            yield f"{len(wrong):,} values of {name} beyond the stated error, first {places}"


def _bounds(block: Block) -> Iterator[tuple[str, Floats, npt.NDArray[np.float64]]]:
    """(column, values of the source, most they may differ) of each statistic a block has."""
    yield "z", block.z, _bound_of_z(block.z)
    yield "standard_error", block.se, _SE_BOUND * np.abs(block.se.astype(np.float64))
    yield "effect_allele_frequency", block.eaf, _bound_of_eaf(block.eaf)
    for name, values in (("n", block.n), ("info", block.info)):
        if values is not None:
            yield name, values, _FLOAT_BOUND * np.abs(values.astype(np.float64))


def _bound_of_z(z: Floats) -> npt.NDArray[np.float64]:
    outside = np.abs(z) * codec.Z_STEP >= codec.LIMIT
    return np.where(outside, np.abs(z) * _FLOAT_BOUND, _Z_BOUND)


def _bound_of_eaf(eaf: Floats) -> npt.NDArray[np.float64]:
    return _EAF_BOUND * np.minimum(eaf, 1 - eaf.astype(np.float64)) + 1.2e-7  # one float32 step below 1


def _features(block: Block) -> Features:
    return Features(block.locus, block.allele, np.zeros(0, np.uint32), block.spelled)


def _places(
    features: Features,
    rows: list[int],
    assembly: Assembly,
    *,
    lines: UInt64s | None = None,
    told: Sequence[str] = (),
) -> str:
    """The first few rows: line of the source where it is known, feature, and what was found there."""
    places = []
    for at, row in enumerate(rows[:EXAMPLES]):
        contig, position = int(features.locus[row]) >> 32, int(features.locus[row]) & 0xFFFFFFFF
        placed = f"{assembly.contig_name(contig)}:{position} " if contig != UNPLACED else ""
        line = f"line {lines[row]}: " if lines is not None else ""
        places.append(f"{line}{placed}{features.text(row)}{told[at] if told else ''}")
    return "; ".join(places)
