"""A column that a file lacks and its rows imply: the visit of REDCap's repeats, the visit a person said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa

from nexome.formats.cohorts.reader import CohortReader, RawTable, SourceColumn
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import InputError


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
            table = raw.table.append_column(variable.name, values(raw.table))
            yield replace(raw, table=table.select([v.name for v in wanted]))

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


def of_visit(reader: CohortReader, visit: str) -> CohortReader:
    """The reader of a file whose rows all belong to one visit, in a column `visit`."""
    if "visit" in reader.names:
        raise InputError(
            "a visit was said, and the file has a column visit",
            where=reader.name,
            expected="one of them",
            todo="Leave the visit out; the dictionary names the column.",
        )
    variable = Variable("visit", "text", "Visit", "随访", role="visit")
    return with_column(reader, variable, lambda table: pa.array([visit] * table.num_rows, pa.string()))


def _any_column(reader: CohortReader, wanted: Dictionary, variable: Variable) -> tuple[Variable, ...]:
    """A column to count rows by, where nothing else is asked for."""
    if len(wanted) > 1 or not reader.names or variable.name in reader.names:
        return ()
    return (reader.dictionary.by_name[reader.names[0]],)
