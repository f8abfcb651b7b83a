"""What an import would do, from the first rows of a file; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nexome.formats.reader import ColumnUse
from nexome.ingest.file_import import FileImport, Resources
from nexome.ingest.prepare import prepare
from nexome.ingest.progress import Report
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.tally import counts_of
from nexome.model.terms import Study
from nexome.store.associations import AssociationStore


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file would be read. `counts` are those of its first batch, before duplicates are looked for."""

    format: str
    format_version: str
    columns: tuple[ColumnUse, ...]
    unused: tuple[str, ...]
    decisions: Mapping[str, Any]
    studies: tuple[Study, ...]
    counts: Mapping[str, Any]


def preview_file(store: AssociationStore, request: ImportRequest, options: ImportOptions) -> Preview:
    """Read the first batch of a file as an import would. Raises what an import would raise by then."""
    resources = Resources(options, store.root.assembly)
    with FileImport(store, request, options, resources=resources, report=Report(None)) as file:
        plan = file.chosen.plan
        for batch in file.reader:
            plan = file.with_letters(plan, batch)
            kept = len(prepare(batch, plan, file.collected))
            break
        else:
            kept = 0
        counts = counts_of(file.collected.tallies.values()) | {"kept": kept}
        studies = tuple(replace(p.study, assembly_source=file.chosen.assembly_source) for p in file.studies())
        return Preview(
            file.reader.format,
            file.reader.version,
            file.reader.columns,
            file.reader.unused,
            file.chosen.decisions,
            studies,
            counts,
        )
