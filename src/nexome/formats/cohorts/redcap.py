"""Exports of REDCap: its events and repeating instruments as visits.

An export of a longitudinal project names the event of each row; where instruments or events repeat, rows
also carry the instrument and a number. Participant, event, instrument and number together name a row: they
are put together in a column of their own, `redcap_visit` ("baseline_arm_1", "baseline_arm_1 / labs 2",
"record" for the row that repeats nothing).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.cohorts.reader import CohortReader, RawTable, SourceColumn
from nexome.model.cohorts import Dictionary, Role, Variable

EVENT: Final = "redcap_event_name"
INSTRUMENT: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
VISIT: Final = "redcap_visit"
_STRUCTURE: Final = {
    EVENT: Variable(EVENT, "text", "Event", "事件"),
    INSTRUMENT: Variable(INSTRUMENT, "text", "Repeating instrument", "重复表单"),
    INSTANCE: Variable(INSTANCE, "integer", "Repeat number", "重复序号"),
    VISIT: Variable(VISIT, "text", "Visit", "随访"),
    "redcap_survey_identifier": Variable(
        "redcap_survey_identifier", "text", "Survey identifier", "问卷标识", sensitivity="identifying"
    ),
    "redcap_data_access_group": Variable(
        "redcap_data_access_group", "text", "Data access group", "数据访问组"
    ),
}


def structure(names: tuple[str, ...]) -> list[Variable]:
    """The variables that REDCap itself adds to an export with these columns; the visit has its role."""
    visit = VISIT if VISIT in names else EVENT
    found = [_STRUCTURE[name] for name in names if name in _STRUCTURE]
    role: Role = "visit"
    return [replace(v, role=role) if v.name == visit else v for v in found]


def with_visits(reader: CohortReader) -> CohortReader:
    """A reader of an export with its column of visits; any other reader as it is."""
    names = reader.names
    if EVENT not in names and INSTANCE not in names:
        return reader
    added = INSTANCE in names and VISIT not in names
    columns = (*reader.columns, SourceColumn(VISIT, "", "", "Visit")) if added else reader.columns
    known = {v.name: v for v in structure(tuple(c.name for c in columns))}
    own = tuple(known.pop(v.name, v) for v in reader.dictionary)
    dictionary = Dictionary((*own, *known.values()), confirmed=False)
    if not added:
        return replace(reader, dictionary=dictionary)
    return replace(
        reader,
        format=f"{reader.format} of REDCap",
        columns=columns,
        dictionary=dictionary,
        tables=lambda wanted: _tables(reader, wanted),
        sampled=lambda rows: _with_visit(reader.sample(rows)),
    )


def _tables(reader: CohortReader, wanted: Dictionary) -> Iterator[RawTable]:
    variables = list(wanted)
    if VISIT not in wanted.by_name:
        yield from reader.read(wanted)
        return
    parts = [
        _STRUCTURE[n] for n in (EVENT, INSTRUMENT, INSTANCE) if n in reader.names and n not in wanted.by_name
    ]
    asked = Dictionary((*(v for v in variables if v.name != VISIT), *parts), wanted.confirmed)
    for raw in reader.read(asked):
        table = _with_visit(raw.table)
        yield replace(raw, table=table.select([v.name for v in variables]))


def _with_visit(table: pa.Table) -> pa.Table:
    """The table with the column of visits behind the others."""
    event, instrument, instance = (_texts(table, name) for name in (EVENT, INSTRUMENT, INSTANCE))
    repeat = pc.utf8_trim(pc.binary_join_element_wise(instrument, instance, " "), " ")
    both = pc.binary_join_element_wise(event, repeat, " / ")
    visit = pc.utf8_trim(both, " /")
    return table.append_column(VISIT, pc.if_else(pc.equal(visit, ""), "record", visit))


def _texts(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.array([""] * table.num_rows, pa.string())])
    return pc.fill_null(table[name].cast(pa.string()), "")
