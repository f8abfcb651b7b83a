"""Giving a source away, as the tables it was loaded into. A licence that forbids it stops it here."""

from __future__ import annotations

import shutil
from pathlib import Path

from nexome.model.errors import InputError, RefusedError
from nexome.store.disk import space_errors
from nexome.store.knowledge.knowledge import Knowledge
from nexome.store.knowledge.manifest import KnowledgeManifest, version_path
from nexome.store.knowledge.writer import RECEIPT_NAME, SOURCE_NAME, TABLES


def export_source(root: Path, name: str, target: Path) -> list[Path]:
    """Copy terms, names, edges (Parquet), source.json and receipt.json of a source's newest version.

    Raises NotFoundError, RefusedError where its licence does not let it be passed on, InputError where
    `target` holds something.
    """
    record = Knowledge.open(root).source(name)
    if not record.redistribution:
        raise RefusedError(
            f"source {name} may not be passed on (licence: {record.licence or 'unknown'})",
            reason="licence",
            expected="a licence that lets data be redistributed",
            todo="Give the address of its publisher instead; or load it again with --redistribution allowed.",
        )
    if target.exists() and any(target.iterdir()):
        raise InputError("something is there already", where=str(target), expected="an empty folder, or none")
    folder = version_path(root, name, KnowledgeManifest.load(root).sources[name].newest)
    with space_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        names = (*(f"{table}.parquet" for table in TABLES), SOURCE_NAME, RECEIPT_NAME)
        return [Path(shutil.copyfile(folder / file, target / file)) for file in names]
