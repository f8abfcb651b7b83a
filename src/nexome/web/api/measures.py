"""How /measures and /measures/{measure}/history are answered: for directors alone (`access.targets`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from nexome.access.targets import centre_of
from nexome.model.errors import NotFoundError
from nexome.model.fields import schema_of
from nexome.model.measures import MEASURES
from nexome.report.measures import Reading, measure, read_history
from nexome.web.api.declare import Answer, Asked, Rows
from nexome.web.api.encode import records_as_table

MEASURE_COLUMNS: Final = (
    "measure",
    "value",
    "unit",
    "time",
    "measure_kind",
    "aggregation",
    "measure_title",
    "measure_title_zh",
    "note",
)
HISTORY_COLUMNS: Final = ("measure", "value", "unit", "time")


def answer_measures(asked: Asked) -> Answer:
    """A reading of every measure, as of now; `meta.parts` holds the parts of those that have some."""
    readings = measure(centre_of(asked.view))
    parts = {reading.name: dict(reading.parts) for reading in readings if reading.parts}
    return Rows(_table(readings, MEASURE_COLUMNS), {"parts": parts})


def answer_history(asked: Asked) -> Answer:
    """All samples of one measure, oldest first."""
    centre, name = centre_of(asked.view), asked["measure"]
    if name not in MEASURES:
        raise NotFoundError(f"no measure {name[:60]!r}", expected=", ".join(MEASURES))
    return Rows(_table(read_history(centre.root.path, name), HISTORY_COLUMNS))


def _table(readings: Iterable[Reading], columns: tuple[str, ...]) -> Any:
    rows = []
    for reading in readings:
        declared = MEASURES[reading.name]
        row = {
            "measure": reading.name,
            "value": reading.value,
            "unit": declared.unit,
            "time": reading.time,
            "measure_kind": declared.kind,
            "aggregation": declared.aggregation,
            "measure_title": declared.title_en,
            "measure_title_zh": declared.title_zh,
            "note": reading.note or None,
        }
        rows.append({name: row[name] for name in columns})
    return records_as_table(rows, schema_of(columns))
