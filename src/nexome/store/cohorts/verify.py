"""Verifying cohorts: each file against its checksum, rows in order, and the packed form against the values.

Nothing is changed. A damaged folder is not looked into further. Nothing found names a value of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from nexome.model.cohorts import Variable
from nexome.model.errors import NexomeError
from nexome.store.checksums import find_damage
from nexome.store.cohorts.columns import PARTICIPANT
from nexome.store.cohorts.packed import PARTICIPANTS, form_of, pack_column
from nexome.store.cohorts.people import KEY_NAME, read_withdrawn, root_key
from nexome.store.cohorts.store import CohortStore
from nexome.store.cohorts.table import CohortTable
from nexome.store.genotypes.verify import Finding


@dataclass
class CohortsReport:
    """What was looked at, and all that is wrong. `ok` when nothing is."""

    versions: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_cohorts(root: Path, progress: Callable[[str, int, int], None] | None = None) -> CohortsReport:
    """Look at all versions of all cohorts of a root."""
    report, store = CohortsReport(), CohortStore.open(root)
    entries = store.manifest().versions
    if entries or (store.folder / KEY_NAME).exists():
        report.findings += _people(root)
    for number, entry in enumerate(entries, 1):
        if progress is not None:
            progress(f"cohort {entry.id}", number, len(entries))
        report.versions += 1
        report.rows += entry.rows
        report.findings += _findings(root, CohortTable(root, entry))
    return report


def _people(root: Path) -> Iterator[Finding]:
    try:
        root_key(root)
        read_withdrawn(root)
    except NexomeError as error:
        yield Finding("file", error.where, error.found)


def _findings(root: Path, table: CohortTable) -> Iterator[Finding]:
    try:
        damage = [Finding("file", str(d.path), d.found) for d in find_damage(table.path, digest=table.digest)]
        yield from damage
        if not damage:
            yield from _structure(root, table)
    except NexomeError as error:
        yield Finding("structure", error.where or str(table.path), error.found)


def _structure(root: Path, table: CohortTable) -> Iterator[Finding]:
    keys = np.asarray(table.participants)
    if (keys[1:] < keys[:-1]).any():
        yield Finding("structure", str(table.path), "rows that are not in order")
    if len(keys) != table.rows or len(np.unique(keys)) != table.people:
        yield Finding("structure", str(table.path), "another number of rows or people than published")
        return
    if np.isin(keys, read_withdrawn(root)).any():
        yield Finding("structure", str(table.path), "rows of somebody who has withdrawn")
    for group in table.working_tables():
        for name in group.column_names:
            if not _same(table, table.dictionary.by_name.get(name), name, group[name]):
                where = f"{table.packed.path}, {name}"
                yield Finding(
                    "structure", where, "not what the values give; delete the packed form, it is derived"
                )


def _same(table: CohortTable, variable: Variable | None, name: str, column: pa.ChunkedArray) -> bool:
    if name == PARTICIPANT:
        return bool((column.to_numpy() == table.packed.array(PARTICIPANTS)).all())
    if variable is None or variable.type == "text":
        return True
    array, decimals = pack_column(column, form_of(variable))
    kept = table.packed.column(name, ())
    return kept.decimals == decimals and bool(
        np.array_equal(kept.raw, array, equal_nan=array.dtype.kind == "f")
    )
