"""The receipt of an import: what came in, what became of each row and why, and how to repeat or undo it.

One JSON document for each published study, described by docs/formats/receipt.schema.json. It holds
numbers, line numbers and choices, and of the rows themselves only cells that could not be read.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any, Final

import numba
import numpy as np
import pyarrow as pa

from nexome.formats.reader import Reader
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.settle import Evidence
from nexome.ingest.tally import Tally
from nexome.model.terms import Study

KIND: Final = "nexome-import-receipt"
VERSION: Final = 1


def choices_of(request: ImportRequest, options: ImportOptions) -> dict[str, Any]:
    """Everything a person or a manifest said that decides what is stored, as plain JSON values."""
    return {
        **options.as_choices(),
        "request": {
            "study": dict(request.study),
            "trait": dict(request.trait),
            "assembly": request.assembly,
            "map": dict(request.mapping),
            "format": request.format,
        },
    }


def digest_of(choices: Mapping[str, Any]) -> str:
    """One number for a set of choices: an import of the same file with the same digest is the same import."""
    return hashlib.sha256(json.dumps(choices, sort_keys=True, default=str).encode()).hexdigest()[:32]


def write_receipt(
    *,
    study: Study,
    reader: Reader,
    choices: Mapping[str, Any],
    decisions: Mapping[str, Any],
    evidence: Evidence,
    tally: Tally,
    outside: Tally | None,
) -> dict[str, Any]:
    """The receipt of one study.

    `decisions`: what was decided before and while reading (assembly, chain, command …). `outside`: rows of
    a file of several studies that belong to none.
    """
    return {
        "kind": KIND,
        "version": VERSION,
        "study": study.id,
        "source": {
            "path": reader.stream.name,
            "sha256": reader.stream.sha256,
            "bytes": reader.stream.source_bytes,
            "packing": reader.stream.kind,
        },
        "format": {"name": reader.format, "version": reader.version},
        "columns": [{"source": c.source, "term": c.term, "rule": c.rule} for c in reader.columns],
        "unused_columns": list(reader.unused),
        **tally.as_dict(),
        "outside_any_study": outside.as_dict() if outside else None,
        "evidence": _evidence(evidence),
        "decisions": dict(decisions),
        "choices": dict(choices),
        "choices_digest": digest_of(choices),
        "versions": program_versions(),
        "repeat": decisions.get("command", ""),
        "undo": f"nexome withdraw {study.id}",
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    strand, frequency = evidence.strand, evidence.frequency
    correlation = frequency.correlation
    return {
        "strand": {
            "forward": strand.forward,
            "reverse": strand.reverse,
            "verdict": strand.verdict,
            "palindromic": evidence.palindromic,
        },
        "frequency": {
            "compared": frequency.compared,
            "nearer_other_allele": frequency.nearer_other,
            "correlation": None if correlation != correlation else round(correlation, 4),  # noqa: PLR0124  NaN
            "verdict": frequency.verdict,
        },
    }


def program_versions() -> dict[str, str]:
    """Versions of what computed an import."""
    return {
        "nexome": metadata.version("nexome"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "numba": numba.__version__,
    }
