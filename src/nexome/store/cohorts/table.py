"""One version of a cohort, to read from: columns for counting, Arrow tables, receipt, lineage.

<root>/cohorts/<cohort>/<version>/
    values.parquet    participant_key, then a column a variable (columns); sorted by participant and visit
    missing.parquet   row, variable, code: which missing code a null had in the source
    cohort.json       Cohort and Dictionary
    receipt.json      where it came from, and what became of each cell, by rule and column
    SHA256SUMS        (store.checksums)

Identifiers are elsewhere (people). Who may see what is computed from it is not decided here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.model.terms import Access
from nexome.store.cohorts.columns import (
    PARTICIPANT,
    grouped_names,
    stored_variables,
    to_stored,
    to_working,
    valid_codes,
)
from nexome.store.cohorts.manifest import FOLDER, PACKED, CohortEntry, CohortKind
from nexome.store.cohorts.packed import (
    PARTICIPANTS,
    Column,
    Packed,
    beside,
    build_packed,
    publish_packed,
    seal_packed,
)
from nexome.store.disk import read_stamped, remove_folder

KIND: Final = "nexome-cohort"
VERSION: Final = 1
VALUES: Final = "values.parquet"
MISSING: Final = "missing.parquet"
COHORT_NAME: Final = "cohort.json"
RECEIPT_NAME: Final = "receipt.json"
KEPT_BYTES: Final = 256 << 20  # decoded columns kept in memory, a table

MISSING_SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("variable", pa.dictionary(pa.int32(), pa.string())),
        ("code", pa.dictionary(pa.int32(), pa.string())),
    ]
)


class CohortTable:
    """One version of a cohort; files are opened when first touched. Safe from several threads."""

    def __init__(self, root: Path, entry: CohortEntry) -> None:
        self.entry = entry
        self.path = root / FOLDER / entry.path
        self._packed_path = root / FOLDER / PACKED / entry.path
        self._lock = threading.Lock()
        self._columns: dict[str, Column] = {}

    @property
    def id(self) -> str:
        """The cohort."""
        return self.entry.id

    @property
    def version(self) -> int:
        """The version, counted from 1."""
        return self.entry.version

    @property
    def kind(self) -> CohortKind:
        """`source` as imported, or `harmonised`."""
        return self.entry.kind

    @property
    def access(self) -> Access:
        """Who may see what is computed from it; rows of people are never shown."""
        return self.entry.access

    @property
    def digest(self) -> str:
        """Names these very values: another revision of the version has another."""
        return self.entry.digest

    @property
    def rows(self) -> int:
        """Rows: participant × visit."""
        return self.entry.rows

    @property
    def people(self) -> int:
        """Participants."""
        return self.entry.people

    @cached_property
    def _described(self) -> tuple[Cohort, Dictionary]:
        values = read_stamped(self.path / COHORT_NAME, kind=KIND, version=VERSION)
        try:
            return Cohort.from_dict(values["cohort"]), Dictionary.from_dict(values["dictionary"])
        except (KeyError, TypeError) as error:
            raise DamagedError(f"a cohort without {error}", where=str(self.path / COHORT_NAME)) from error

    @property
    def cohort(self) -> Cohort:
        """What is known of the cohort."""
        return replace(self._described[0], access=self.access)  # it may have been switched since

    @property
    def dictionary(self) -> Dictionary:
        """All variables, the participant's identifier (which has no column here) among them."""
        return self._described[1]

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that have a column."""
        return stored_variables(self.dictionary)

    def receipt(self) -> dict[str, Any]:
        """What became of each cell."""
        return dict(orjson.loads((self.path / RECEIPT_NAME).read_bytes()))

    def lineage(self, name: str) -> dict[str, Any]:
        """Where a harmonised variable came from: rule, rows changed, values refused; {} of a source."""
        self.variable(name)
        return dict(self.receipt().get("lineage", {}).get(name, {}))

    def variable(self, name: str) -> Variable:
        """The dictionary's entry. Raises NotFoundError, InputError for the participant's identifier."""
        found = self.dictionary.by_name.get(name)
        if found is None:
            raise NotFoundError(
                f"no variable {name[:80]!r}",
                where=f"cohort {self.id}",
                todo=f"See `nexome cohort variables {self.id}`.",
            )
        if found.role == "participant":
            raise InputError(
                f"{name} identifies people", where=f"cohort {self.id}", expected="a variable with values"
            )
        return found

    # ------------------------------------------------------------ values

    @cached_property
    def packed(self) -> Packed:
        """The packed form, made anew where it is gone."""
        with self._lock:
            if (found := Packed.open(self._packed_path, digest=self.digest)) is not None:
                return found
            self._build_packed()
            if (made := Packed.open(self._packed_path, digest=self.digest)) is None:
                raise DamagedError(
                    "a packed form that cannot be read",
                    where=str(self._packed_path),
                    todo="Delete it; it is derived.",
                )
            return made

    def _build_packed(self) -> None:
        staged = beside(self._packed_path)
        try:
            seal_packed(
                staged, build_packed(self._working_columns(), staged), rows=self.rows, digest=self.digest
            )
            publish_packed(staged, self._packed_path)
        finally:
            remove_folder(staged)

    def _working_columns(self) -> Iterator[tuple[Variable | None, pa.ChunkedArray]]:
        for table in self.working_tables():
            for name in table.column_names:
                yield None if name == PARTICIPANT else self.dictionary.by_name[name], table[name]

    def working_tables(self) -> Iterator[pa.Table]:
        """All columns in working form, the participants' keys first, some columns at a time."""
        names = [PARTICIPANT, *(v.name for v in self.variables)]
        for group in grouped_names(names, self.rows * 8):
            yield self._working(self._read(group))

    def _working(self, table: pa.Table) -> pa.Table:
        columns = [
            table[name] if name == PARTICIPANT else to_working(table[name], self.dictionary.by_name[name])
            for name in table.column_names
        ]
        return pa.table(columns, names=table.column_names)

    def _read(self, names: Sequence[str]) -> pa.Table:
        try:
            with pq.ParquetFile(self.path / VALUES) as file:
                return file.read(columns=list(names)).select(list(names))
        except (FileNotFoundError, pa.ArrowInvalid, KeyError):
            raise DamagedError(
                "values that cannot be read",
                where=str(self.path / VALUES),
                todo="Run `nexome verify`, and restore from a backup.",
            ) from None

    @cached_property
    def participants(self) -> npt.NDArray[np.uint64]:
        """The key of each row's participant, uint64 [rows], sorted; mapped."""
        return self.packed.array(PARTICIPANTS)

    def column(self, name: str) -> Column:
        """One variable's values, for counting. Raises NotFoundError for a variable that is not there."""
        with self._lock:
            if name in self._columns:
                self._columns[name] = self._columns.pop(name)  # the last used stays longest
                return self._columns[name]
        made = self._text(name) if self.variable(name).type == "text" else self._packed_column(name)
        with self._lock:
            self._columns[name] = made
            while len(self._columns) * self.rows * 9 > KEPT_BYTES and len(self._columns) > 1:
                self._columns.pop(next(iter(self._columns)))
        return made

    def _packed_column(self, name: str) -> Column:
        return self.packed.column(name, valid_codes(self.dictionary.by_name[name]))

    def _text(self, name: str) -> Column:
        encoded = self._read([name])[name].combine_chunks().cast(pa.string()).dictionary_encode()
        raw = pc.fill_null(encoded.indices, int(np.iinfo(np.int32).min)).to_numpy()
        return Column(name, "text", raw, 0, tuple(encoded.dictionary.to_pylist()))

    def table(self, names: Sequence[str] | None = None) -> pa.Table:
        """participant_key and variables (all, unless named) as Arrow; categories as dictionaries."""
        chosen = [v.name for v in self.variables] if names is None else list(names)
        for name in chosen:
            self.variable(name)
        found = self._working(self._read([PARTICIPANT, *chosen]))
        columns = [
            found[name] if name == PARTICIPANT else to_stored(found[name], self.dictionary.by_name[name])
            for name in found.column_names
        ]
        return pa.table(columns, names=found.column_names)

    @cached_property
    def missing_codes(self) -> pa.Table:
        """Which missing code a null had in the source (MISSING_SCHEMA), sorted by row."""
        return pq.read_table(self.path / MISSING, schema=MISSING_SCHEMA)

    def missing_of(self, name: str) -> tuple[npt.NDArray[np.int64], pa.Array]:
        """Rows of a variable's nulls that had a missing code, and the codes as text."""
        self.variable(name)
        found = self.missing_codes.filter(pc.equal(self.missing_codes["variable"].cast(pa.string()), name))
        return found["row"].to_numpy(), found["code"].combine_chunks().cast(pa.string())
