"""A participant withdraws: every version of every table is written anew without the person.

Under the root's lock, in this order: versions without the person are written beside the old ones; the key
goes to withdrawn.jsonl; identifiers go; the manifest is swapped; old folders and packed forms are removed.
A kill before the second step leaves all as it was (run the command again). A kill after it leaves a list
that is another than the manifest knows of: no version that may hold the person is opened again before
`finish_withdrawals` has done the rest, which the next reader does by itself. So it is after a restore of an
older backup: the list comes along, and what it names is taken out (backup).

What others derived from the person follows the event `participant-withdrawn`, which names the cohorts.
Named steps: withdrawal.written, withdrawal.listed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.model.errors import FormatError
from nexome.store.associations.staging import Workplace
from nexome.store.cohorts.manifest import (
    FOLDER,
    IDENTITIES,
    PACKED,
    CohortEntry,
    CohortManifest,
    load_manifest,
    swap_manifest,
)
from nexome.store.cohorts.people import (
    Keys,
    append_withdrawn,
    digest_of,
    read_identities,
    read_withdrawn,
    withdrawal,
    withdrawn_lines,
    write_identities,
)
from nexome.store.cohorts.table import CohortTable
from nexome.store.cohorts.write import LOCK_WAIT_S, place_folders, renumber_missing, write_folder
from nexome.store.disk import RootLock, now_iso, remove_folder, step
from nexome.store.root import Root

EVENT: Final = "participant-withdrawn"
SAMPLES_NAME: Final = "samples.csv"
SAMPLE_COLUMNS: Final = ("set", "sample_id", "people", "identifier")


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did: versions written anew, and rows taken out of them."""

    versions: tuple[str, ...]
    rows: int


def withdraw_participants(root: Root, people: str, keys: Sequence[int], *, reason: str) -> Withdrawn:
    """Take people out of every version, and keep their keys so that they never come back.

    Raises BusyError, SpaceError; then nobody has withdrawn.
    """
    with RootLock(root.path, wait_s=LOCK_WAIT_S) as lock:
        gone = np.unique(np.array(keys, np.uint64))
        listed = read_withdrawn(root.path)
        fresh = gone[~np.isin(gone, listed)]
        lines: list[Mapping[str, str]] = [withdrawal(key, people, reason=reason) for key in fresh.tolist()]
        return _take_out(root, lock, np.union1d(listed, gone), lines)


def finish_withdrawals(root: Root) -> Withdrawn:
    """Take out whoever the list names and a version still holds; does nothing where there is nobody."""
    with RootLock(root.path, wait_s=LOCK_WAIT_S) as lock:
        return _take_out(root, lock, read_withdrawn(root.path), [])


def is_pending(root: Path, manifest: CohortManifest) -> bool:
    """Whether the list names somebody whom the manifest's versions are not known to be without."""
    return digest_of(read_withdrawn(root)) != manifest.withdrawn


def merge_withdrawn(root: Path, other: Path) -> int:
    """Add the lines of another list (of a living root, of a copy kept apart); returns how many were new."""
    known = set(read_withdrawn(root).tolist())
    fresh = {int(line["key"], 16): line for line in withdrawn_lines(other)}
    lines = [line for key, line in fresh.items() if key not in known]
    if lines:
        append_withdrawn(root, lines)
    return len(lines)


def _take_out(root: Root, lock: RootLock, keys: Keys, lines: list[Mapping[str, str]]) -> Withdrawn:
    present = load_manifest(root.path)
    if not lines and digest_of(keys) == present.withdrawn:
        return Withdrawn((), 0)
    made: list[tuple[Workplace, CohortEntry, CohortEntry]] = []
    try:
        for entry in present.versions:
            written = _written_anew(root, entry, keys)
            if written is not None:
                work, fresh = written
                made.append((work, entry, fresh))
        step("withdrawal.written")
        append_withdrawn(root.path, lines)
        step("withdrawal.listed")
        _forget_identities(root.path, keys)
        for work, _, entry in made:
            place_folders(root.path, work.path, entry)
        swap_manifest(present.rewritten([e for _, _, e in made], withdrawn=digest_of(keys)), lock)
        for _, old, _ in made:
            remove_folder(root.path / FOLDER / old.path)
            remove_folder(root.path / FOLDER / PACKED / old.path)
    finally:
        for work, _, _ in made:
            work.remove()
    told = tuple(f"{e.id} version {e.version}" for _, _, e in made)
    rows = sum(old.rows - entry.rows for _, old, entry in made)
    root.append_event(EVENT, cohorts=sorted({e.id for _, _, e in made}), versions=len(made), rows=rows)
    return Withdrawn(told, rows)


def _written_anew(root: Root, entry: CohortEntry, keys: Keys) -> tuple[Workplace, CohortEntry] | None:
    """The version without the people of `keys`, in a workplace; None where it has none of them."""
    table = CohortTable(root.path, entry)
    participants = np.asarray(table.participants)
    kept = np.flatnonzero(~np.isin(participants, keys)).astype(np.int64)
    if len(kept) == len(participants):
        return None
    work = Workplace(root.path / FOLDER)
    try:
        written = write_folder(
            work.path,
            (table.cohort, table.dictionary),
            table.working_tables(),
            rows=kept,
            missing=_missing(table, kept),
            receipt=_receipt(table),
        )
    except BaseException:
        work.remove()
        raise
    numbers = {name: getattr(written, name) for name in ("digest", "rows", "people", "bytes")}
    return work, replace(entry, revision=entry.revision + 1, **numbers)


def _missing(table: CohortTable, kept: npt.NDArray[np.int64]) -> pa.Table:
    place = np.full(table.rows, np.int64(-1))
    place[kept] = np.arange(len(kept))
    return renumber_missing(table.missing_codes, place)


def _receipt(table: CohortTable) -> dict[str, Any]:
    """The receipt as it was: it tells of the import. That people withdrew since is said, not who."""
    receipt = table.receipt()
    return receipt | {"withdrawals": [*receipt.get("withdrawals", []), now_iso()]}


def _forget_identities(root: Path, keys: Keys) -> None:
    for path in sorted((root / FOLDER / IDENTITIES).glob("*.parquet")):
        table = read_identities(root, path.stem)
        kept = ~np.isin(table["participant"].to_numpy(), keys)
        if not kept.all():
            write_identities(root, path.stem, table.filter(pa.array(kept)))


# ---------------------------------------------------------------- samples of genotypes


def samples_of(root: Path, people: str, identifier: str) -> list[tuple[str, str]]:
    """(set of genotypes, sample) of a person, by the root's cohorts/samples.csv; [] where nothing is known.

    That file is written by people: columns set, sample_id, people, identifier. Raises FormatError for
    another one.
    """
    path = root / FOLDER / SAMPLES_NAME
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        if not set(SAMPLE_COLUMNS) <= set(rows.fieldnames or ()):
            raise FormatError("another header", where=str(path), expected=",".join(SAMPLE_COLUMNS))
        return [
            (row["set"], row["sample_id"])
            for row in rows
            if (row["people"], (row["identifier"] or "").strip()) == (people, identifier.strip())
        ]
