"""The history of a centre's measures: what was read when, only ever added to.

    <root>/measures.jsonl   one JSON object a sample: kind "nexome-measures", version, time,
                            values {measure: number}, parts {measure: {part: number}} where it has parts

A sample is one line, so that it is there whole or not at all; the next sample cuts off what a crash tore.
Nothing is rewritten: two samples of a day both stay. A measure without a value is not in its sample. What a
measure means stands in `model.measures`; who reads it, in `report.measures`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from nexome.model.errors import DamagedError, NewerVersionError
from nexome.store.disk import last_line, mend_log, now_iso, space_errors, step

KIND: Final = "nexome-measures"
VERSION: Final = 1
NAME: Final = "measures.jsonl"


@dataclass(frozen=True, slots=True)
class Reading:
    """One measure, read once at `time` (ISO 8601, UTC). `value` None: there is none, and `note` says why."""

    name: str
    value: float | None
    time: str
    parts: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def append_readings(root: Path, readings: Iterable[Reading]) -> str:
    """Add one sample to the history, flushed to the disk; its time. Safe from several processes at once.

    Raises SpaceError when the disk is full: the history is then as it was.
    """
    held = [reading for reading in readings if reading.value is not None]
    time = now_iso()
    line = {
        "kind": KIND,
        "version": VERSION,
        "time": time,
        "values": {reading.name: reading.value for reading in held},
        "parts": {reading.name: dict(reading.parts) for reading in held if reading.parts},
    }
    path = root / NAME
    with space_errors(path), path.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        mend_log(stream)
        whole = stream.tell()
        try:
            stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            step("measures-written")
            stream.flush()
            os.fsync(stream.fileno())
        except OSError:
            stream.truncate(whole)
            raise
    return time


def read_history(root: Path, name: str | None = None) -> list[Reading]:
    """All readings kept, or those of one measure, oldest first; none where nothing was ever sampled.

    Raises DamagedError naming a line that is none of ours, NewerVersionError for a newer Nexome's.
    """
    return [
        Reading(measure, value, line["time"], line.get("parts", {}).get(measure, {}))
        for line in _lines(root / NAME)
        for measure, value in line["values"].items()
        if name is None or measure == name
    ]


def last_sample(root: Path) -> str:
    """Time of the newest sample; '' where there is none."""
    path = root / NAME
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        line, _ = last_line(stream)
    return "" if line is None else str(_parsed(line, f"the last line of {path}")["time"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.endswith(b"\n"):
                yield _parsed(line, f"{path}, line {number}")


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        values = orjson.loads(line)
        known = values["kind"] == KIND and isinstance(values["values"], dict) and values["time"] != ""
    except (orjson.JSONDecodeError, KeyError, TypeError):
        known = False
    if not known:
        raise DamagedError(
            "a line that is not a sample",
            where=where,
            expected="a JSON object with kind, version, time and values",
            todo="Restore measures.jsonl from a backup.",
        )
    if values["version"] > VERSION:
        raise NewerVersionError(
            f"{KIND} version {values['version']}", where=where, expected=f"at most version {VERSION}"
        )
    return dict(values)
