"""A column that a file lacks and its rows imply: the visit of REDCap's repeats, the visit a person said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pyarrow as pa

from nexome.formats.cohorts.cells import read_cells
from nexome.formats.cohorts.reader import CohortReader, Problem, RawTable, SourceColumn
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import InputError

# The visit that a person said of a file.
VISIT: Final = Variable("visit", "text", "Visit", "随访", role="visit")


def with_column(
    reader: CohortReader,
    variable: Variable,
    values: Callable[[pa.Table], pa.Array],
    *,
    needs: tuple[Variable, ...] = (),
) -> CohortReader:
    """The reader with one text column more. `values`: its cells from a table that holds `needs`."""

    def tables(wanted: Dictionary) -> Iterator[RawTable]:
        if variable.name not in wanted.by_name:
            yield from reader.read(wanted)
            return
        lacking = tuple(v for v in needs if v.name not in wanted.by_name) or _any_column(
            reader, wanted, variable
        )
        asked = Dictionary((*(v for v in wanted if v.name != variable.name), *lacking), wanted.confirmed)
        for raw in reader.read(asked):
            yield _with_cells(raw, wanted, wanted.by_name[variable.name], values(raw.table))

    def sampled(rows: int) -> pa.Table:
        table = reader.sample(rows)
        return table.append_column(variable.name, values(table))

    label = variable.label or variable.name
    return replace(
        reader,
        columns=(*reader.columns, SourceColumn(variable.name, "", "", label)),
        dictionary=Dictionary((*reader.dictionary, variable), confirmed=False),
        tables=tables,
        sampled=sampled,
    )


def _with_cells(raw: RawTable, wanted: Dictionary, variable: Variable, values: pa.Array) -> RawTable:
    """The rows with one column more, of the type the dictionary asks for, and what of it cannot be read."""
    cells = read_cells(values, variable)
    table = raw.table.append_column(variable.name, cells.values)
    unread = (Problem(variable.name, u.found, u.expected, raw.lines[u.rows]) for u in cells.unread)
    codes = {} if cells.codes is None else {variable.name: cells.codes}
    return replace(
        raw,
        table=table.select([v.name for v in wanted]),
        problems=(*raw.problems, *unread),
        codes={**raw.codes, **codes},
    )


def of_visit(reader: CohortReader, visit: str) -> CohortReader:
    """The reader of a file whose rows all belong to one visit, in a column `visit`."""
    if VISIT.name in reader.names:
        raise InputError(
            "a visit was said, and the file has a column visit",
            where=reader.name,
            expected="one of them",
            todo="Leave the visit out; the dictionary names the column.",
        )
    return with_column(reader, VISIT, lambda table: pa.array([visit] * table.num_rows, pa.string()))


def _any_column(reader: CohortReader, wanted: Dictionary, variable: Variable) -> tuple[Variable, ...]:
    """A column to count rows by, where nothing else is asked for."""
    if len(wanted) > 1 or not reader.names or variable.name in reader.names:
        return ()
    return (reader.dictionary.by_name[reader.names[0]],)
