"""The import of association files, from request to published study: what `nexome import associations` calls.

    recognise → prepare each batch → spool → (realign) → gather evidence → settle → stage → publish → receipt

One bad file never stops the others: its error is in the report. An import that was interrupted is simply
run again: studies already published from the same file (by SHA-256) with the same choices are left as they
are, and scratch files of a process that is gone are removed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from nexome.formats.stream import sha256_of
from nexome.ingest.file_import import FileImport, Resources
from nexome.ingest.progress import Progress, Report
from nexome.ingest.receipt import choices_of, digest_of
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.scratch import Scratch
from nexome.ingest.tally import counts_of
from nexome.model.errors import InputError, NexomeError, NotFoundError
from nexome.store.associations import AssociationStore
from nexome.store.associations.publish import StudyTakenError
from nexome.store.disk import space_errors

Status = Literal["imported", "unchanged", "failed", "partly"]
STDIN: Final = "-"
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StudyReport:
    """One published (or failed, or unchanged) study of a file: its id, version, counts, and its error."""

    id: str
    status: Status
    version: int = 0
    counts: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `counts`: rows in, kept, dropped, and the number by rule."""

    path: str
    status: Status
    format: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    studies: tuple[StudyReport, ...] = ()
    error: Mapping[str, str] | None = None
    seconds: float = 0.0
    manifest_line: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all files of one import, in the order asked."""

    files: tuple[FileReport, ...]

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """Files that did not come in, or only in part."""
        return tuple(f for f in self.files if f.status in {"failed", "partly"})


def import_associations(
    store: AssociationStore,
    requests: Sequence[ImportRequest],
    options: ImportOptions,
    progress: Callable[[Progress], None] | None = None,
) -> ImportReport:
    """Import files of associations into a store, one study or several from each.

    Raises InputError before anything is read when a help file (sites, chain, FASTA, traits) cannot be
    used or two requests name one study; everything that is wrong with a file is in its FileReport.
    """
    _check_names(requests)
    report = Report(progress)
    files = []
    with space_errors(store.folder), Scratch(store.root.path) as scratch:
        resources = Resources(options, store.root.assembly)
        for number, request in enumerate(requests):
            report.begin_file(request.path, number, len(requests))
            files.append(_import_file(store, request, options, (resources, scratch, report)))
    return ImportReport(tuple(files))


def _import_file(
    store: AssociationStore,
    request: ImportRequest,
    options: ImportOptions,
    tools: tuple[Resources, Scratch, Report],
) -> FileReport:
    began = time.monotonic()
    try:
        done = _import_or_skip(store, request, options, tools)
    except NexomeError as error:
        return FileReport(
            request.path, "failed", error=_told(error, request), manifest_line=request.line,
            seconds=time.monotonic() - began,
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001  one bad file must not stop the others; the log keeps the traceback
        _LOG.debug("import of %s", request.path, exc_info=True)
        told = NexomeError(
            f"an error of Nexome itself ({type(error).__name__}: {error})",
            where=request.path,
            todo="Please report it, with the file's first lines.",
        )
        return FileReport(
            request.path, "failed", error=told.as_dict(), manifest_line=request.line,
            seconds=time.monotonic() - began,
        )  # fmt: skip
    return FileReport(**{**done, "seconds": time.monotonic() - began, "manifest_line": request.line})


def _import_or_skip(
    store: AssociationStore,
    request: ImportRequest,
    options: ImportOptions,
    tools: tuple[Resources, Scratch, Report],
) -> dict[str, Any]:
    resources, scratch, report = tools
    if request.path != STDIN and not Path(request.path).is_file():
        raise NotFoundError("no such file", where=request.path)
    digest = digest_of(choices_of(request, options))
    with FileImport(store, request, options, resources=resources, report=report) as file:
        # Standard input is known only when it is read: the same bytes once more are no new import either.
        if request.path != STDIN and (study := file.known_study()):
            _refuse_or_pass(store, study, request, options, digest)
            if unchanged := _unchanged(store, study, request, digest):
                return {
                    "path": request.path,
                    "status": "unchanged",
                    "format": file.reader.format,
                    "studies": (unchanged,),
                }
        file.read(scratch.path(request.path))
        studies = []
        for planned in file.studies():
            study_id = planned.study.id
            if same := _same_import(store, study_id, file.reader.stream.sha256, digest):
                studies.append(same)
                continue
            try:
                _refuse_or_pass(store, study_id, request, options, digest)
                published = file.publish(planned)
            except NexomeError as error:
                # Another import may have brought the very same in while this one was at work.
                if isinstance(error, StudyTakenError) and (
                    same := _same_import(store, study_id, file.reader.stream.sha256, digest)
                ):
                    studies.append(same)
                    continue
                studies.append(StudyReport(study_id, "failed", error=_told(error, request)))
                continue
            counts = counts_of([file.tally_of(planned)])
            studies.append(StudyReport(study_id, "imported", published.version, counts))
        return {
            "path": request.path,
            "status": _status(studies),
            "format": file.reader.format,
            "counts": counts_of(file.collected.tallies.values()),
            "studies": tuple(studies),
            "error": next((s.error for s in studies if s.error), None),
        }


def _status(studies: Sequence[StudyReport]) -> Status:
    seen = {s.status for s in studies}
    if seen == {"failed"}:
        return "failed"
    if "failed" in seen:
        return "partly"
    return "imported" if "imported" in seen else "unchanged"


def _unchanged(
    store: AssociationStore, study_id: str, request: ImportRequest, digest: str
) -> StudyReport | None:
    """The report of a study that is published already from this very file with these choices, else None."""
    if study_id not in store.snapshot().studies or request.path == STDIN:
        return None
    return _same_import(store, study_id, sha256_of(Path(request.path)), digest)


def _same_import(store: AssociationStore, study_id: str, sha256: str, digest: str) -> StudyReport | None:
    published = store.snapshot().studies.get(study_id)
    if published is None:
        return None
    receipt = published.receipt()
    if receipt.get("source", {}).get("sha256") != sha256 or receipt.get("choices_digest") != digest:
        return None
    return StudyReport(study_id, "unchanged", published.version)


def _refuse_or_pass(
    store: AssociationStore, study_id: str, request: ImportRequest, options: ImportOptions, digest: str
) -> None:
    """Raise InputError when another import already holds this study and no new version is asked for."""
    if study_id not in store.snapshot().studies or options.replace:
        return
    if _unchanged(store, study_id, request, digest):
        return
    raise InputError(
        f"study {study_id} is in the store already, from another file or by other choices",
        where=request.path,
        expected="a new study",
        todo="Add --replace for a new version of it, or name another study with --study.",
    )


def _check_names(requests: Sequence[ImportRequest]) -> None:
    seen: dict[str, str] = {}
    for request in requests:
        name = str(request.study.get("id", "") or "")
        if name and name in seen:
            raise InputError(
                f"study {name} is named for two files ({seen[name]} and {request.path})",
                expected="one file for each study",
                todo="Name each study by a manifest (--manifest FILE), or leave out --study.",
            )
        seen[name] = request.path


def _told(error: NexomeError, request: ImportRequest) -> dict[str, str]:
    if not error.where or error.where == STDIN:
        error.where = "standard input" if request.path == STDIN else request.path
    return error.as_dict()
