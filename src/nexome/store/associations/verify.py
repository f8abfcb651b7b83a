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

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.model.errors import NexomeError, NotFoundError
from nexome.store.associations import codec
from nexome.store.associations.inspect_shard import name_chunks
from nexome.store.associations.manifest import FOLDER, Manifest, load_manifest
from nexome.store.associations.query import study_batches
from nexome.store.associations.recount import check_segment, check_summaries
from nexome.store.associations.snapshot import Snapshot
from nexome.store.associations.store import AssociationStore
from nexome.store.associations.types import Block, Floats, Int64s
from nexome.store.checksums import find_damage

EXAMPLES: Final = 5  # rows named of each kind of disagreement with a source

# Half a step of each grid, and a float32's rounding on either side of it.
_Z_BOUND: Final = 0.5 / codec.Z_STEP + 1e-6
_SE_BOUND: Final = float(np.expm1(0.5 / codec.SE_STEP)) + 2e-5
_EAF_BOUND: Final = float(np.expm1(0.5 / codec.EAF_STEP)) + 2e-5
_FLOAT_BOUND: Final = 1e-6

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
        self.locus = _joined([b.features.locus for b in batches], np.uint64)
        self.allele = _joined([b.features.allele for b in batches], np.uint64)
        decoded = [b.columns(["z", "standard_error", "effect_allele_frequency"]) for b in batches]
        self.z, self.se, self.eaf = (
            _joined([d[name][:, 0] for d in decoded], np.float32)
            for name in ("z", "standard_error", "effect_allele_frequency")
        )

    def match(self, block: Block) -> Int64s:
        """Rows of a block's features, −1 where there is none."""
        from nexome.store.associations import kernels  # noqa: PLC0415  Numba is loaded when first needed

        rows = np.full(len(block), -1, np.int64)
        if len(self.locus):
            kernels.match_sorted(block.locus, block.allele, self.locus, self.allele, rows)
        return rows


def _joined(parts: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _check_source(snapshot: Snapshot, study: str, source: Iterable[Block], report: VerifyReport) -> None:
    traits = snapshot.studies[study].study.traits
    counts = np.zeros(len(traits), np.int64)
    held: tuple[int, _Stored] | None = None
    for block in source:
        for trait, part in _by_trait(block):
            if held is None or held[0] != trait:
                held = (trait, _Stored(snapshot, study, traits[trait].id))
            counts[trait] += np.count_nonzero(~np.isnan(part.z))
            where = f"study {study}, trait {traits[trait].id}"
            report.findings += [Finding("source", where, f) for f in _compare(held[1], part, report)]
    stored = snapshot.studies[study].summary().column("cells")
    for trait in np.flatnonzero(counts != stored).tolist():
        where = f"study {study}, trait {traits[trait].id}"
        found = f"{stored[trait]} cells stored, {counts[trait]} in the source"
        report.findings.append(Finding("source", where, found))


def _by_trait(block: Block) -> Iterator[tuple[int, Block]]:
    """A block cut into runs of one trait."""
    if block.trait is None:
        yield 0, block
        return
    edges = np.flatnonzero(np.diff(block.trait.astype(np.int64), prepend=-1, append=-1))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        run = slice(low, high)
        yield (
            int(block.trait[low]),
            Block(block.locus[run], block.allele[run], block.z[run], block.se[run], block.eaf[run]),
        )


def _compare(stored: _Stored, block: Block, report: VerifyReport) -> Iterator[str]:
    """Sentences for rows of a block that are not stored, or not within their error bounds."""
    given = ~np.isnan(block.z)
    report.source_rows += int(given.sum())
    rows = stored.match(block)
    if lost := np.flatnonzero(given & (rows < 0)).tolist():
        yield f"{len(lost)} rows of the source are not stored, first at {_places(block, lost)}"
    both = np.flatnonzero(given & (rows >= 0))
    at = rows[both]
    for name, kept, source, bound in (
        ("z", stored.z[at], block.z[both], _bound_of_z(block.z[both])),
        ("standard_error", stored.se[at], block.se[both], _SE_BOUND * np.abs(block.se[both])),
        ("effect_allele_frequency", stored.eaf[at], block.eaf[both], _bound_of_eaf(block.eaf[both])),
    ):
        with np.errstate(invalid="ignore"):
            near = np.abs(kept.astype(np.float64) - source) <= bound
        wrong = both[~near & ~(np.isnan(kept) & np.isnan(source))].tolist()
        if wrong:
            yield f"{len(wrong)} values of {name} beyond the stated error, first at {_places(block, wrong)}"


def _bound_of_z(z: Floats) -> npt.NDArray[np.float64]:
    outside = np.abs(z) * codec.Z_STEP >= codec.LIMIT
    return np.where(outside, np.abs(z) * _FLOAT_BOUND, _Z_BOUND)


def _bound_of_eaf(eaf: Floats) -> npt.NDArray[np.float64]:
    return _EAF_BOUND * np.minimum(eaf, 1 - eaf.astype(np.float64)) + 1.2e-7  # one float32 step below 1


def _places(block: Block, rows: list[int]) -> str:
    """The first few features as contig rank:position."""
    loci = [int(block.locus[r]) for r in rows[:EXAMPLES]]
    return ", ".join(f"{locus >> 32}:{locus & 0xFFFFFFFF}" for locus in loci)
