"""Exports of REDCap: its events and repeating instruments as visits.

An export of a longitudinal project names the event of each row; where instruments or events repeat, rows
also carry the instrument and a number. Participant, event, instrument and number together name a row: they
are put together in a column of their own, `redcap_visit` ("baseline_arm_1", "baseline_arm_1 / labs 2",
"record" for the row that repeats nothing).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.cohorts.added import with_column
from nexome.formats.cohorts.reader import CohortReader
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
    repeats = INSTANCE in names and VISIT not in names
    known = {v.name: v for v in structure((*names, VISIT) if repeats else names)}
    own = Dictionary(tuple(known.get(v.name, v) for v in reader.dictionary), confirmed=False)
    reader = replace(reader, dictionary=own, format=f"{reader.format} of REDCap")
    if not repeats:
        return reader
    needs = tuple(known[name] for name in (EVENT, INSTRUMENT, INSTANCE) if name in names)
    return with_column(reader, known[VISIT], _visits, needs=needs)


def _visits(table: pa.Table) -> pa.ChunkedArray:
    """Event, instrument and number of each row in one text."""
    event, instrument, instance = (_texts(table, name) for name in (EVENT, INSTRUMENT, INSTANCE))
    repeat = pc.utf8_trim(pc.binary_join_element_wise(instrument, instance, " "), " ")
    visit = pc.utf8_trim(pc.binary_join_element_wise(event, repeat, " / "), " /")
    return pc.if_else(pc.equal(visit, ""), "record", visit)


def _texts(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.array([""] * table.num_rows, pa.string())])
    return pc.fill_null(table[name].cast(pa.string()), "")
