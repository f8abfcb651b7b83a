"""Writing a version: blocks in any order go to scratch, then sorted to Parquet, then one swap publishes it.

    <root>/cohorts/staging/<token>/rows.arrow      what was added, in order of arrival
                                   sorted/         columns in their final order, when they are many
                                   version/        the folder being made; packed/ beside it

Named steps: cohorts.written, cohorts.moved, cohorts.before-manifest, cohorts.after-manifest.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.errors import InputError
from nexome.store.associations.staging import Workplace
from nexome.store.checksums import write_checksums
from nexome.store.cohorts.columns import (
    PARTICIPANT,
    check_dictionary,
    gather,
    grouped_names,
    stored_variables,
    to_stored,
    to_working,
    working_type,
)
from nexome.store.cohorts.manifest import (
    COHORT_KINDS,
    FOLDER,
    PACKED,
    RESERVED,
    CohortEntry,
    CohortKind,
    load_manifest,
    swap_manifest,
)
from nexome.store.cohorts.packed import build_packed, publish_packed, seal_packed
from nexome.store.cohorts.people import IDENTITY, KeyMaker, add_identities, identifier_texts, read_withdrawn
from nexome.store.cohorts.table import (
    COHORT_NAME,
    KIND,
    MISSING,
    MISSING_SCHEMA,
    RECEIPT_NAME,
    VALUES,
    VERSION,
    CohortTable,
)
from nexome.store.disk import (
    RootLock,
    check_free_space,
    now_iso,
    publish_folder,
    remove_folder,
    space_errors,
    step,
    write_atomic,
    write_stamped,
)

if TYPE_CHECKING:
    from nexome.store.cohorts.store import CohortStore

LOCK_WAIT_S: Final = 600.0
ROW_GROUP: Final = 1 << 17
Keep = Literal["", "first", "last"]
Int64s = npt.NDArray[np.int64]
_ABSENT: Final = np.int64(-1)


@dataclass(frozen=True, slots=True)
class Written:
    """What a folder made by `write_folder` holds."""

    digest: str
    rows: int
    people: int
    bytes: int


def write_folder(
    work: Path,
    described: tuple[Cohort, Dictionary],
    groups: Iterable[pa.Table],
    *,
    rows: Int64s,
    missing: pa.Table,
    receipt: dict[str, Any],
) -> Written:
    """Make work/version and work/packed of columns in working form, rows taken in the order `rows`.

    `missing` (MISSING_SCHEMA) counts rows of the result. Raises SpaceError when the disk is full.
    """
    cohort, dictionary = described
    variables = {v.name: v for v in stored_variables(dictionary)}
    folder, packed = work / "version", work / "packed"
    size = len(rows) * 8 * (len(variables) + 1)
    check_free_space(work, size)
    with space_errors(work):
        folder.mkdir()
        table = gather(groups, rows, work / "sorted", expected_bytes=size)
        with ThreadPoolExecutor(2) as pool:
            packing = pool.submit(build_packed, _named_columns(table, variables), packed)
            pool.submit(_write_values, table, variables, folder / VALUES).result()
            places = packing.result()
        pq.write_table(missing, folder / MISSING, compression="zstd")
        described_now = {"cohort": cohort.as_dict(), "dictionary": dictionary.as_dict()}
        write_stamped(folder / COHORT_NAME, described_now, kind=KIND, version=VERSION)
        write_atomic(folder / RECEIPT_NAME, orjson.dumps(receipt, option=orjson.OPT_INDENT_2))
        digest = write_checksums(folder)
        seal_packed(packed, places, rows=len(rows), digest=digest)
    people = pc.count_distinct(table[PARTICIPANT]).as_py()
    return Written(digest, len(rows), people, sum(f.stat().st_size for f in folder.iterdir()))


def _named_columns(
    table: pa.Table, variables: dict[str, Variable]
) -> Iterable[tuple[Variable | None, pa.ChunkedArray]]:
    return ((variables.get(name), table[name]) for name in table.column_names)


def _write_values(table: pa.Table, variables: dict[str, Variable], path: Path) -> None:
    columns = [to_stored(table[n], variables[n]) if n in variables else table[n] for n in table.column_names]
    kept = pa.table(columns, names=table.column_names)
    coded = [n for n, v in variables.items() if v.type in {"category", "text"}]
    pq.write_table(
        kept,
        path,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=1,
        use_dictionary=coded,
        write_statistics=[PARTICIPANT],
    )


class StagedCohort:
    """A version being written. `add` tables, then `publish`, or `abandon`. No lock is held meanwhile."""

    def __init__(
        self, store: CohortStore, cohort: Cohort, dictionary: Dictionary, *, kind: CohortKind
    ) -> None:
        where = f"cohort {cohort.id}"
        if cohort.id in RESERVED or kind not in COHORT_KINDS:
            raise InputError(f"{cohort.id!r} as {kind!r}", where=where, expected="another name")
        check_dictionary(dictionary, where=where)
        self.cohort, self.dictionary, self.kind = cohort, dictionary, kind
        self.people_of = cohort.people or cohort.id
        self._store = store
        self._variables = stored_variables(dictionary)
        self._makers = KeyMaker(store.root.path, self.people_of)
        self._work = Workplace(store.folder)
        self._schema = pa.schema(
            [(PARTICIPANT, pa.uint64()), *((v.name, working_type(v)) for v in self._variables)]
        )
        self._path = self._work.path / "rows.arrow"
        self._sink = pa.OSFile(str(self._path), "wb")
        self._writer = pa.ipc.new_file(self._sink, self._schema)
        self._missing: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def add(self, table: pa.Table, missing: pa.Table | None = None) -> None:
        """Add rows: a column for each variable of the dictionary, any order; absent ones are missing.

        The participant is the identifier's column, or `participant_key` (uint64) for rows of this root.
        `missing`: row (within `table`), variable, code of nulls that had a missing code. Raises InputError
        for values that are not of the variable's type, SpaceError when the disk is full.
        """
        self._check_names(table)
        keys = self._keys_of(table)
        columns, here = [pa.array(keys)], set(table.column_names)
        for variable in self._variables:
            if variable.name in here:
                columns.append(to_working(table[variable.name], variable))
            else:
                columns.append(pa.nulls(table.num_rows, working_type(variable)))
        if missing is not None and missing.num_rows:
            columns_of = [
                pc.add(missing["row"].cast(pa.int64()), self._rows),
                missing["variable"].cast(pa.string()),
                missing["code"].cast(pa.string()),
            ]
            self._missing.append(pa.table(columns_of, names=MISSING_SCHEMA.names))
        with space_errors(self._work.path):
            self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self._rows += table.num_rows

    def _check_names(self, table: pa.Table) -> None:
        unknown = sorted(set(table.column_names) - {PARTICIPANT} - set(self.dictionary.by_name))
        if unknown:
            raise InputError(
                f"columns that are not in the dictionary: {', '.join(unknown[:5])}",
                where=f"cohort {self.cohort.id}",
                expected="the dictionary's variables",
            )

    def _keys_of(self, table: pa.Table) -> npt.NDArray[np.uint64]:
        if PARTICIPANT in table.column_names:
            return np.asarray(table[PARTICIPANT].cast(pa.uint64()).to_numpy())
        identifier = self.dictionary.of_role("participant")
        if identifier is None or identifier.name not in table.column_names:
            raise InputError(
                "no participant",
                where=f"cohort {self.cohort.id}",
                expected="a variable with the role participant",
                todo="Say which column it is: --participant COLUMN.",
            )
        texts = identifier_texts(table[identifier.name])
        if texts.null_count:
            raise InputError(
                f"{texts.null_count:,} rows without a participant",
                where=f"cohort {self.cohort.id}, variable {identifier.name}",
                expected="an identifier in each row",
            )
        return self._makers.keys(texts)

    def repeats(self, *, keep: Literal["first", "last"] = "first") -> Int64s:
        """Rows, in order of arrival, with the participant and visit of another that is kept."""
        order, same = self._sorted()
        return np.sort(order[same if keep == "first" else _but_last(same)])

    def compare_repeats(self) -> tuple[int, dict[str, int]]:
        """Repeating rows beside the one before: how many are it in every column, how many differ in each."""
        order, same = self._sorted()
        spool, places = self._spooled(), np.flatnonzero(same)
        alike, differ = np.ones(len(places), bool), {}
        for variable in self._variables:
            column = spool[variable.name]
            if pa.types.is_dictionary(column.type):
                column = column.cast(pa.string())
            one, other = (column.take(pa.array(order[at])) for at in (places, places - 1))
            neither = pc.and_(pc.is_null(one), pc.is_null(other))
            equal = pc.or_(pc.fill_null(pc.equal(one, other), fill_value=False), neither).to_numpy()
            alike &= equal
            if not equal.all():
                differ[variable.name] = int((~equal).sum())
        return int(alike.sum()), differ

    def _sorted(self) -> tuple[Int64s, npt.NDArray[np.bool_]]:
        """Rows by participant, visit, arrival; and which of these repeat the one before."""
        spool = self._spooled()
        keys = spool[PARTICIPANT].to_numpy()
        visit = self._visits(spool)
        order = np.lexsort((visit, keys)).astype(np.int64)  # stable: arrival comes last
        same = np.zeros(len(order), bool)
        ordered, visits = keys[order], visit[order]
        same[1:] = (ordered[1:] == ordered[:-1]) & (visits[1:] == visits[:-1])
        return order, same

    def _visits(self, spool: pa.Table) -> Int64s:
        variable = self.dictionary.of_role("visit")
        if variable is None or not spool.num_rows:
            return np.zeros(spool.num_rows, np.int64)
        visits = spool[variable.name].combine_chunks().dictionary_encode()
        rank = np.empty(len(visits.dictionary), np.int64)
        rank[pc.array_sort_indices(visits.dictionary).to_numpy()] = np.arange(len(rank))
        places = pc.fill_null(visits.indices, -1).to_numpy()
        return np.where(places < 0, -1, rank[places]) if len(rank) else places.astype(np.int64)

    def _spooled(self) -> pa.Table:
        if self._writer is not None:
            self._writer.close()
            self._sink.close()
            self._writer = None
        return pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()

    def publish(self, receipt: dict[str, Any], *, keep: Keep = "") -> CohortTable:
        """Write the version and make it the newest. Rows of people who have withdrawn are left out.

        `keep`: which row stays where participant and visit repeat. Raises InputError when they do and
        `keep` is empty, or when nothing was added; SpaceError, BusyError.
        """
        try:
            withdrawn = read_withdrawn(self._store.root.path)
            written = self._write(receipt, keep, withdrawn)
            return self._make_visible(written, withdrawn)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Remove what was staged; harmless after `publish`."""
        if self._writer is not None:
            self._writer.close()
            self._sink.close()
            self._writer = None
        self._work.remove()

    def _write(self, receipt: dict[str, Any], keep: Keep, withdrawn: npt.NDArray[np.uint64]) -> Written:
        spool, (order, same) = self._spooled(), self._sorted()
        if same.any() and not keep:
            raise InputError(
                f"{int(same.sum()):,} rows repeat the participant and visit of another",
                where=f"cohort {self.cohort.id}",
                expected="each participant once a visit",
                todo="Correct them, name the visit's column (--visit), or say which row stays: "
                "--duplicates first, or last.",
            )
        if keep == "last":
            same = _but_last(same)
        keys = spool[PARTICIPANT].to_numpy()
        order = order[~same & ~np.isin(keys[order], withdrawn)]
        if not len(order):
            raise InputError("no row to keep", where=f"cohort {self.cohort.id}", expected="people")
        groups = (
            spool.select(names) for names in grouped_names(spool.column_names, max(1, spool.num_rows * 8))
        )
        return write_folder(
            self._work.path,
            (self.cohort, self.dictionary),
            groups,
            rows=order,
            missing=self._missing_rows(order),
            receipt=receipt,
        )

    def _missing_rows(self, order: Int64s) -> pa.Table:
        if not self._missing:
            return MISSING_SCHEMA.empty_table()
        table = pa.concat_tables(self._missing)
        place = np.full(self._rows, _ABSENT)
        place[order] = np.arange(len(order))
        return renumber_missing(table, place)

    def _make_visible(self, written: Written, withdrawn: npt.NDArray[np.uint64]) -> CohortTable:
        root, step_name = self._store.root, "cohorts.written"
        step(step_name)
        with RootLock(root.path, wait_s=LOCK_WAIT_S) as lock:
            if len(read_withdrawn(root.path)) != len(withdrawn):
                raise InputError(
                    "a participant withdrew meanwhile", where=f"cohort {self.cohort.id}", todo="Import again."
                )
            present = load_manifest(root.path)
            entry = CohortEntry(
                id=self.cohort.id,
                version=present.next_version(self.cohort.id),
                revision=0,
                kind=self.kind,
                access=self.cohort.access,
                published=now_iso(),
                digest=written.digest,
                rows=written.rows,
                people=written.people,
                variables=len(self._variables),
                bytes=written.bytes,
                people_of=self.people_of,
            )
            place_folders(root.path, self._work.path, entry)
            identities = self._makers.identities()
            fresh = identities.filter(pa.array(~np.isin(identities["participant"].to_numpy(), withdrawn)))
            add_identities(root.path, self.people_of, fresh if fresh.num_rows else IDENTITY.empty_table())
            swap_manifest(present.with_version(entry), lock)
            told = {"cohort": entry.id, "cohort_version": entry.version, "cohort_kind": entry.kind}
            root.append_event("cohort-published", **told, rows=entry.rows, people=entry.people)
        return CohortTable(root.path, entry)


def _but_last(same: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of rows that repeat the one before, those that are not the last of their kind."""
    return np.append(same[1:], [False])[: len(same)]


def place_folders(root: Path, work: Path, entry: CohortEntry) -> None:
    """Move work/version and work/packed to where the entry says. Call it under the root's lock."""
    place = root / FOLDER / entry.path
    publish_packed(work / "packed", root / FOLDER / PACKED / entry.path)
    remove_folder(place)  # left by a publish that was killed before its swap
    publish_folder(work / "version", place)
    step("cohorts.moved")


def renumber_missing(table: pa.Table, place: Int64s) -> pa.Table:
    """Missing codes with their rows moved to `place` (−1: the row is gone), as MISSING_SCHEMA, sorted."""
    rows = place[table["row"].to_numpy()]
    kept = rows >= 0
    columns = [
        pa.array(rows[kept]),
        *(table[name].filter(pa.array(kept)).cast(pa.string()) for name in ("variable", "code")),
    ]
    moved = pa.table(columns, names=MISSING_SCHEMA.names).sort_by("row").combine_chunks()
    coded = [moved["row"], moved["variable"].dictionary_encode(), moved["code"].dictionary_encode()]
    return pa.table(coded, schema=MISSING_SCHEMA)
