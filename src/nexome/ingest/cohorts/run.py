"""Importing a cohort: files read by the dictionary, checked, staged and published with their receipt.

All files are opened before the first is read. What is read goes to scratch beside the store, block by
block; a version appears whole or not at all. No value of a person is in the receipt or in an error.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.cohorts import CohortOptions, CohortReader, RawTable, open_cohort
from nexome.ingest.cohorts.cell_tally import CellTally, Rule
from nexome.ingest.cohorts.out_of_range import RangeCheck, without_cells
from nexome.ingest.cohorts.requests import CohortReport, CohortRequest
from nexome.ingest.cohorts.settle import ROW_NUMBER, check_visits, settle_dictionary
from nexome.ingest.progress import Progress, Report
from nexome.ingest.receipt import digest_of, program_versions
from nexome.model.cohorts import Dictionary
from nexome.model.errors import FormatError, InputError
from nexome.store.cohorts import CohortStore, CohortTable, StagedCohort
from nexome.store.root import Root

KIND: Final = "nexome-cohort-receipt"
VERSION: Final = 1
# What says no in a column that tells who has withdrawn; anything else there, a date too, says yes.
STAYED: Final = frozenset({"", "0", "n", "no", "false", "f", "none", "active", "否", "无", "無", "未退出"})
_DUO: Final = re.compile(r"DUO:\d{7}")
_REFUSED: Final = (
    "Correct the file or the dictionary, or keep such cells as missing: --bad-values missing (counted in "
    "the receipt)."
)

_COLUMNS_TOLD: Final = 5
_LONGEST: Final = 600  # characters told of repeated rows; names of columns may be long

Bools = npt.NDArray[np.bool_]


def import_cohort(
    root: Root, request: CohortRequest, progress: Callable[[Progress], None] | None = None
) -> CohortReport:
    """Import files as a new version of a cohort. All or nothing.

    Raises InputError or FormatError naming file, line, column and what was expected; SpaceError when the
    disk is full; BusyError when another writer holds the root.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        check_visits(request)
        readers = [_opened(stack, path, options) for path, options in request.opened()]
        store = CohortStore(root)
        work = _Import(request, readers, settle_dictionary(request, readers))
        staged = stack.enter_context(store.stage(request.cohort, work.dictionary))
        work.read(staged, Report(progress))
        if request.dry_run:
            return work.report(None, time.monotonic() - began)
        keep = "" if request.duplicates == "refuse" else request.duplicates
        made = staged.publish(work.receipt(), keep=keep)
    return work.report(made, time.monotonic() - began)


def _opened(stack: ExitStack, path: Path, options: CohortOptions) -> CohortReader:
    reader = open_cohort(path, options)
    stack.callback(reader.close)
    return reader


@dataclass
class _Import:
    """All files of one cohort on their way in."""

    request: CohortRequest
    readers: Sequence[CohortReader]
    dictionary: Dictionary
    tally: CellTally = field(default_factory=CellTally)
    _lines: list[tuple[str, npt.NDArray[np.uint64]]] = field(default_factory=list)
    _rows: int = 0

    def __post_init__(self) -> None:
        self._ranges = RangeCheck(self.dictionary, self.tally)

    def read(self, staged: StagedCohort, report: Report) -> None:
        """Read all files into the staged version. Raises FormatError for what may not be imported."""
        withdrawn = self._withdrawn_people()
        for number, reader in enumerate(self.readers):
            report.begin_file(reader.name, number, len(self.readers))
            for raw in reader.read(self.dictionary):
                self._add(reader.name, raw, staged, withdrawn)
                done, total = reader.progress()
                report.tell("read", done=done, total=total or 0, rows=self.tally.rows_in)
        if self.request.bad_values == "refuse":
            self.tally.refuse("cannot_be_read", todo=_REFUSED)
            self.tally.refuse("no_participant", todo=_REFUSED)
            self._ranges.refuse()
        self._settle_repeats(staged)

    def _withdrawn_people(self) -> pa.Array | None:
        """Identifiers of those who have withdrawn by a column of their files; a first reading finds them.

        They may have rows (visits) from before, which do not say so.
        """
        variable = self.dictionary.of_role("withdrawn")
        if variable is None:
            return None
        person = self.dictionary.of_role("participant")
        found = [pa.array([], pa.string())]
        for path, options in self.request.opened():
            with open_cohort(path, options) as reader:
                names = [v for v in (person, variable) if v is not None and v.name in reader.names]
                for raw in reader.read(Dictionary(tuple(names))):
                    if len(names) == 2:
                        gone = pa.array(has_withdrawn(raw.table[variable.name]))
                        found.append(_one(raw.table[names[0].name].cast(pa.string())).filter(gone))
        return pc.unique(pa.concat_arrays(found))

    def _add(self, file: str, raw: RawTable, staged: StagedCohort, withdrawn: pa.Array | None) -> None:
        table, lines = raw.table, raw.lines
        if self.request.each_row_a_person:
            numbers = np.arange(self.tally.rows_in + 1, self.tally.rows_in + len(lines) + 1)
            table = table.append_column(ROW_NUMBER, pa.array(numbers).cast(pa.string()))
        self.tally.rows_in += len(lines)
        self.tally.cells_in += len(lines) * raw.table.num_columns
        for problem in raw.problems:
            rule = Rule(file, problem.column, "cannot_be_read", problem.found, problem.expected)
            self.tally.count(rule, problem.lines)
        table = self._check_purposes(self._ranges.clear(table, file, lines), file, lines)
        kept = self._rows_kept(table, file, lines, withdrawn)
        if not kept.all():
            table, lines = table.filter(pa.array(kept)), lines[kept]
        missing = self._missing_codes(raw, file, kept)
        if table.num_rows:
            staged.add(table, missing)
            self._lines.append((file, lines))
            self._rows += table.num_rows

    def _check_purposes(self, table: pa.Table, file: str, lines: npt.NDArray[np.uint64]) -> pa.Table:
        """Permitted purposes are DUO codes, each distinct text looked at once."""
        variable = self.dictionary.of_role("purposes")
        if variable is None or variable.name not in table.column_names:
            return table
        coded = _one(table[variable.name].cast(pa.string())).dictionary_encode()
        sound = [
            all(map(_DUO.fullmatch, re.split(r"[|;,\s]+", t.strip()))) for t in coded.dictionary.to_pylist()
        ]
        wrong = ~np.array([*sound, True])[pc.fill_null(coded.indices, len(sound)).to_numpy()]
        if not wrong.any():
            return table
        expected = "DUO codes such as DUO:0000042, | between them"
        rule = Rule(file, variable.name, "cannot_be_read", "a purpose that is no DUO code", expected)
        self.tally.count(rule, lines[wrong])
        return without_cells(table, variable.name, wrong)

    def _rows_kept(
        self, table: pa.Table, file: str, lines: npt.NDArray[np.uint64], withdrawn: pa.Array | None
    ) -> Bools:
        person = self.dictionary.of_role("participant")
        name = person.name if person else ROW_NUMBER
        if name not in table.column_names:
            raise InputError(
                "no column of the participant",
                where=file,
                expected=f"the column {name}",
                todo="Each file of a cohort has it.",
            )
        identifiers = _one(table[name].cast(pa.string()))
        nobody = _bools(
            pc.or_kleene(pc.is_null(identifiers), pc.equal(pc.utf8_trim_whitespace(identifiers), ""))
        )
        self.tally.count(
            Rule(file, name, "no_participant", "a row without a participant", "an identifier"), lines[nobody]
        )
        if withdrawn is None:
            return ~nobody
        gone = _bools(pc.is_in(identifiers, value_set=withdrawn)) & ~nobody
        role = self.dictionary.of_role("withdrawn")
        self.tally.count(
            Rule(file, role.name if role else "", "withdrawn", "somebody who has withdrawn"), lines[gone]
        )
        return ~nobody & ~gone

    def _missing_codes(self, raw: RawTable, file: str, kept: Bools) -> pa.Table | None:
        """Missing codes that stood in the rows kept, and their count."""
        place = np.cumsum(kept) - 1
        rows, names, codes = [], [], []
        for name, column in raw.codes.items():
            if name not in self.dictionary.by_name:
                continue
            here = _bools(pc.is_valid(column))
            self.tally.count(Rule(file, name, "missing_code", "a missing code"), raw.lines[here])
            here &= kept
            rows.append(place[here])
            names.append(np.full(int(here.sum()), name, object))
            codes.append(_one(column).filter(pa.array(here)).cast(pa.string()))
        if not rows:
            return None
        return pa.table(
            {
                "row": pa.array(np.concatenate(rows)),
                "variable": pa.array(np.concatenate(names), pa.string()),
                "code": pa.concat_arrays(codes),
            }
        )

    def _settle_repeats(self, staged: StagedCohort) -> None:
        """Rows that repeat a participant and visit: refused, or counted as dropped."""
        repeats = staged.repeats(keep="last" if self.request.duplicates == "last" else "first")
        if not len(repeats):
            return
        visit = self.dictionary.of_role("visit")
        found = "a row whose participant" + (" and visit stand" if visit else " stands") + " in another"
        at = 0
        for file, lines in self._lines:
            here = repeats[(repeats >= at) & (repeats < at + len(lines))] - at
            at += len(lines)
            self.tally.count(Rule(file, "", "repeated", found, "each once"), lines[here])
        if self.request.duplicates == "refuse":
            raise self._repeated(found, len(repeats), *staged.compare_repeats())

    def _repeated(self, found: str, count: int, alike: int, differ: Mapping[str, int]) -> FormatError:
        """Rows that repeat a participant: whether they are copies, or what may tell them apart."""
        first = next(r for r in self.tally.rules() if r["rule"] == "repeated")
        same = "all" if alike == count else f"{alike:,}" if alike else "none"
        text = f"{found}; {count:,} rows in all, of which {same} repeat every column"
        if alike and 0 < len(differ) <= _COLUMNS_TOLD:
            text += f", and the others differ in {', '.join(differ)} alone"
        telling = [name for name, rows in differ.items() if rows == count][:_COLUMNS_TOLD]
        visits = "if they are visits, name the column that tells them apart: --visit COLUMN"
        visits += f" (all of them differ in {', '.join(telling)})" if telling else ""
        keep = "say which row of each stays: --duplicates first, or last"
        return FormatError(
            text[:_LONGEST],
            where=f"{first['file']}, line {first['lines'][0]}",
            expected="each participant once" + (" a visit" if self.dictionary.of_role("visit") else ""),
            todo=f"If they are copies, {keep}"
            + ("." if alike == count else f"; {visits}; or correct the file."),
        )

    # ------------------------------------------------------------ what is told

    def receipt(self) -> dict[str, Any]:
        """The receipt: sources, what became of each row and cell, choices, versions."""
        choices = self.request.as_choices()
        dropped = self.tally.of_rule("repeated", "withdrawn", "no_participant")
        return {
            "kind": KIND,
            "version": VERSION,
            "cohort": self.request.cohort.id,
            "files": [self._file(reader) for reader in self.readers],
            "rows": {"in": self.tally.rows_in, "kept": self.tally.rows_in - dropped, "dropped": dropped},
            "cells": {"in": self.tally.cells_in},
            "rules": self.tally.rules(),
            "dictionary_confirmed": self.dictionary.confirmed,
            "choices": choices,
            "choices_digest": digest_of(choices),
            "versions": program_versions(),
            "repeat": self.request.command,
            "undo": f"nexome cohort withdraw {self.request.cohort.id}",
        }

    def _file(self, reader: CohortReader) -> dict[str, Any]:
        left_out = [name for name in reader.names if name not in self.dictionary.by_name]
        return {
            "path": reader.name,
            "format": reader.format,
            "sha256": reader.sha256(),
            "bytes": reader.progress()[0],
            "columns_left_out": left_out,
            "notes": [note.text for note in reader.notes],
            "notes_zh": [note.text_zh for note in reader.notes],
        }

    def report(self, made: CohortTable | None, seconds: float) -> CohortReport:
        """What the command tells."""
        dropped = self.tally.of_rule("repeated", "withdrawn", "no_participant")
        return CohortReport(
            cohort=self.request.cohort.id,
            version=made.version if made else 0,
            rows=made.rows if made else self.tally.rows_in - dropped,
            people=made.people if made else 0,
            variables=len(self.dictionary) - 1,
            cells=self.tally.cells_in,
            bytes=made.entry.bytes if made else 0,
            seconds=seconds,
            rules=self.tally.rules(),
            notes=[note.text for reader in self.readers for note in reader.notes],
        )


def has_withdrawn(column: pa.ChunkedArray) -> Bools:
    """Who has withdrawn, by a column of any type: true, a date, or a word that does not say no."""
    plain = _one(column)
    if pa.types.is_boolean(plain.type):
        return _bools(pc.fill_null(plain, fill_value=False))
    if pa.types.is_temporal(plain.type):
        return _bools(pc.is_valid(plain))
    text = pc.utf8_lower(pc.utf8_trim_whitespace(plain.cast(pa.string())))
    stayed = pc.is_in(text, value_set=pa.array([*STAYED, "0.0"]))
    return _bools(pc.and_(pc.is_valid(text), pc.invert(stayed)))


def _one(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _bools(mask: Any) -> Bools:
    return np.asarray(pc.fill_null(_one(mask), fill_value=False).to_numpy(zero_copy_only=False), bool)
