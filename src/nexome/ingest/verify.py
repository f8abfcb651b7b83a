"""A stored study beside its source file: read and harmonised once more by the choices of its receipt.

The rows take the way of the import (`file_import`), up to the store, and are compared there
(`store.associations.verify`). What the import decided from other studies is not decided anew: on which
strand the alleles are and whether the frequency is turned stand in the receipt, the order of alleles in
the study itself. Nothing is published; the scratch file is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from nexome.formats.reader import ReadOptions
from nexome.ingest.file_import import FileImport, Resources
from nexome.ingest.known import AxisSites, Known, KnownSites
from nexome.ingest.metadata import PlannedStudy
from nexome.ingest.progress import Progress, Report
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.scratch import Scratch
from nexome.model.errors import InputError, NotFoundError
from nexome.store.associations import AssociationStore, Block, PublishedStudy, Snapshot
from nexome.store.associations.ragged import RaggedSegment
from nexome.store.associations.verify import Finding, VerifyReport, verify_store

HELP_FILES: Final = {"chain": "lifted_by", "sites": "sites", "fasta": "", "traits": ""}
"""Files an import may lean on, and the decision of its receipt that holds their SHA-256."""

_PATHS: Final = ("bim", "sidecar")


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a comparison found. `same_file`: the source is, byte for byte, the file that was imported.

    `sha256` is that of the file given, `receipt_sha256` that of the file imported, `receipt_path` where
    it lay. `notes`: help files that are not what they were.
    """

    report: VerifyReport
    same_file: bool
    sha256: str
    receipt_sha256: str
    receipt_path: str
    notes: tuple[str, ...] = ()


def verify_source(
    store: AssociationStore,
    study_id: str,
    source: Path,
    *,
    checked: Callable[[str, int, int], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> SourceReport:
    """Verify one study, its files and summaries too, and compare it with its source file.

    `checked(what, done, of)` tells of the store's files, `progress` of the source. Raises NotFoundError
    for an unknown study or file, InputError when the receipt is not that of an import, or when the file
    cannot be read by its choices; FormatError as the import does.
    """
    snapshot = store.snapshot()
    if (published := snapshot.studies.get(study_id)) is None:
        raise NotFoundError(f"no study {study_id!r} in this store", todo="See `nexome status`.")
    if not source.is_file():
        raise NotFoundError("no such file", where=str(source))
    receipt = published.receipt()
    request, options = choices_from(receipt, source)
    with ExitStack() as stack:
        scratch = stack.enter_context(Scratch(store.root.path))
        report = Report(progress)
        report.begin_file(str(source), 0, 1)
        resources = Resources(options, store.root.assembly)
        file = stack.enter_context(FileImport(store, request, options, resources=resources, report=report))
        file.read(scratch.path(str(source)))
        planned, missing = _planned(file, published)
        blocks = _harmonised(file, planned, snapshot, receipt)
        found = verify_store(store.root.path, study=study_id, source=blocks, progress=checked)
        where = f"study {study_id}"
        found.findings += [
            Finding("source", where, f"trait {t} of the source is not stored") for t in missing
        ]
        kept = receipt["source"]
        sha256 = file.reader.stream.sha256
        return SourceReport(
            found, sha256 == kept["sha256"], sha256, kept["sha256"], kept["path"], _notes(file, receipt)
        )


def choices_from(receipt: Mapping[str, Any], source: Path) -> tuple[ImportRequest, ImportOptions]:
    """The request and options that a receipt tells of, for a source that may lie elsewhere now.

    Raises InputError for a study that no import made, NotFoundError where a file it leaned on is gone.
    """
    choices = receipt.get("choices")
    if not isinstance(choices, Mapping) or "request" not in choices:
        raise InputError(
            "the study's receipt does not tell how its source is read",
            where=f"study {receipt.get('study', '')}".strip(),
            expected="a study that came in by `nexome import associations`",
        )
    said, read = dict(choices["request"]), dict(choices["read"])
    read |= {name: _existing(read.get(name), name) for name in _PATHS}
    read["ignore"] = tuple(read.get("ignore", ()))
    request = ImportRequest(
        str(source),
        study=said["study"],
        trait=said["trait"],
        assembly=said["assembly"],
        mapping=said["map"],
        format=said["format"],
    )
    names = {f.name for f in fields(ImportOptions)} - {"read", *HELP_FILES}
    values = {name: value for name, value in choices.items() if name in names}
    paths: dict[str, Any] = {name: _existing(choices.get(name), name) for name in HELP_FILES}
    return request, ImportOptions(read=ReadOptions(**read), **values, **paths)


def _existing(text: str | None, name: str) -> Path | None:
    if not text:
        return None
    if not Path(text).is_file():
        raise NotFoundError(
            f"the import leaned on it (--{name}), and it is not there",
            where=text,
            todo="Put it back, or stand in the folder from which the file was imported.",
        )
    return Path(text)


def _planned(file: FileImport, published: PublishedStudy) -> tuple[PlannedStudy, list[str]]:
    """The study's part of the file, its traits in the stored order, and the traits that are not stored."""
    study = published.study
    found = [p for p in file.studies() if p.study.id == study.id]
    if not found:
        names = ", ".join(p.study.id for p in file.studies()[:5])
        raise InputError(
            f"the file holds no study {study.id}" + (f", but {names}" if names else ""),
            where=file.request.path,
            expected="the file the study was imported from",
        )
    stored = {trait.id for trait in study.traits}
    pairs = list(zip(found[0].study.traits, found[0].ordinals, strict=True))
    ordinals = tuple(ordinal for trait, ordinal in pairs if trait.id in stored)
    traits = tuple(trait for trait, _ in pairs if trait.id in stored)
    kept = replace(found[0], study=replace(found[0].study, traits=traits), ordinals=ordinals)
    return kept, [trait.id for trait, _ in pairs if trait.id not in stored]


def _harmonised(
    file: FileImport, planned: PlannedStudy, snapshot: Snapshot, receipt: Mapping[str, Any]
) -> Iterator[Block]:
    """Blocks of the source with their lines, traits numbered as the stored study numbers them."""
    if not planned.ordinals:
        return
    evidence, stored = receipt["evidence"], snapshot.studies[planned.study.id].study.traits
    known = Known([*_own_sites(snapshot, planned.study.id), *file.known.spelling], file.known.frequency)
    turned = evidence["frequency"]["verdict"] == "other allele" and file.options.eaf_other_allele == "fix"
    settlement = file.settlement(planned, known, strand=evidence["strand"]["verdict"], turn_frequency=turned)
    places = {trait.id: place for place, trait in enumerate(stored)}
    numbers = np.zeros(len(file.collected.traits), np.uint32)
    numbers[list(planned.ordinals)] = [places[trait.id] for trait in planned.study.traits]
    by_column = "trait" in (file.chosen.plan.dtype.names or ())
    settlement = replace(settlement, with_lines=True, trait_numbers=numbers if by_column else None)
    yield from file.settled(planned, settlement)


def _own_sites(snapshot: Snapshot, study_id: str) -> list[KnownSites]:
    """The features the study itself is stored on: they have the say over the order of alleles."""
    sites: list[KnownSites] = []
    for name in snapshot.manifest.studies[study_id].segments:
        segment = snapshot.segment(name)
        axis = (
            segment.axis
            if isinstance(segment, RaggedSegment)
            else snapshot.axis(snapshot.segments[name].axis)
        )
        sites.append(AxisSites(axis.features()))
    return sites


def _notes(file: FileImport, receipt: Mapping[str, Any]) -> tuple[str, ...]:
    """Help files whose checksum is not that of the receipt."""
    kept = receipt.get("decisions", {})
    notes = []
    for name, decision in HELP_FILES.items():
        was = (kept.get(decision) or {}).get("sha256") if decision else None
        now = (file.chosen.decisions.get(decision) or {}).get("sha256") if decision else None
        if was and now and was != now:
            notes.append(f"--{name} {getattr(file.options, name)} is not the file it was at the import")
    return tuple(notes)
