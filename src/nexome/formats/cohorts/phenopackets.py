"""GA4GH Phenopackets v2 (JSON) as a table: one packet, an array, JSON lines, a Cohort, a Family, a folder.

A row is one person at one time. What is said of the person (sex, features, diseases) stands in the row
without a time; measurements with `timeObserved` have rows of their own, named by that time in the
column `visit`. Columns are named by their ontology term: HP:0001250 (yes: observed, no: excluded),
MONDO:… for diseases, LOINC:2093-3 for a measurement, with its unit behind it where one term comes in two.
Not read, and told: interpretations, biosamples, medical actions, files.
Source: GA4GH Phenopacket Schema 2.0.2. Both spellings of its fields (camelCase, snake_case) are read.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from nexome.formats.cohorts.cells import Unread, column_of
from nexome.formats.cohorts.reader import CohortOptions, CohortReader, Note, RawTable, SourceColumn
from nexome.formats.cohorts.typed import typed_table
from nexome.formats.stream import open_stream
from nexome.model.cohorts import Category, Dictionary, Variable
from nexome.model.errors import FormatError

_NOT_READ: Final = ("interpretations", "biosamples", "medicalActions", "files")
_LEFT_OUT: Final = {
    "interpretations": (
        "{} phenopackets hold interpretations, which are not read.",
        "{} 个 phenopacket 含有解读结果，未读取。",
    ),
    "biosamples": (
        "{} phenopackets hold biosamples, which are not read.",
        "{} 个 phenopacket 含有样本信息，未读取。",
    ),
    "medicalActions": (
        "{} phenopackets hold medical actions, which are not read.",
        "{} 个 phenopacket 含有诊疗措施，未读取。",
    ),
    "files": ("{} phenopackets name files, which are not read.", "{} 个 phenopacket 指向其他文件，未读取。"),
    "age": (
        "{} times give no age: they are no age in years, or the date of birth is not told.",
        "{} 个时间点无法换算为年龄：不是以年计的年龄，或没有出生日期。",
    ),
    "value": ("{} measurements have no value.", "{} 项测量没有取值。"),
}
_SEXES: Final = {
    "FEMALE": Category("FEMALE", "female", "女"),
    "MALE": Category("MALE", "male", "男"),
    "OTHER_SEX": Category("OTHER_SEX", "other", "其他"),
    "UNKNOWN_SEX": Category("UNKNOWN_SEX", "unknown", "不详", missing=True),
}
_SEX_NUMBERS: Final = ("UNKNOWN_SEX", "FEMALE", "MALE", "OTHER_SEX")  # protobuf enums may stand as numbers
_DURATION: Final = re.compile(
    r"P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T.*)?"
)
_YEAR_DAYS: Final = 365.25
_FIELDS: Final = re.compile(
    rb'"(phenotypicFeatures|phenotypic_features|subject|metaData|meta_data|proband|members)"'
)
_SNAKE: Final = re.compile(r"_([a-z0-9])")
_PERSON: Final = "id"
_TWICE: Final = "a second value of one measurement at one time"


@dataclass
class _Table:
    """Rows as they are collected: cells by column, sparse."""

    file: str
    rows: list[dict[str, object]] = field(default_factory=list)
    packets: list[int] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    codes: dict[str, dict[str, Category]] = field(default_factory=dict)
    repeated: dict[str, list[int]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def variable(self, name: str, kind: str, label: str = "", unit: str = "", term: str = "") -> None:
        """Make a column known by what first says it."""
        if name not in self.variables:
            terms = (term,) if term else ()
            self.variables[name] = Variable(name, kind, label, unit=unit, terms=terms)  # type: ignore[arg-type]

    def put(self, row: int, name: str, value: object) -> None:
        """A value into a cell; a second one for the same cell is told."""
        if name in self.rows[row]:
            self.repeated.setdefault(name, []).append(row)
        else:
            self.rows[row][name] = value


def holds_packets(head: bytes) -> bool:
    """Whether the first bytes of a file look like phenopackets in JSON."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start in {b"{", b"["} and _FIELDS.search(head) is not None


def open_phenopackets(path: Path, options: CohortOptions) -> CohortReader:
    """Open a file of phenopackets, or a folder of .json files. Raises FormatError naming file and packet."""
    table = _Table(str(path))
    _person_columns(table)
    digest = hashlib.sha256()
    for number, (where, packet) in enumerate(_packets(path, digest), 1):
        try:
            _read(packet, number, table, where)
        except FormatError:
            raise
        except (AttributeError, TypeError, KeyError, ValueError, IndexError):
            raise FormatError(
                "a structure that the schema does not have",
                where=where,
                expected="a Phenopacket of schema version 2",
                todo="Check it with phenopacket-tools.",
            ) from None
    if not table.rows:
        raise FormatError(
            "no phenopacket", where=str(path), expected="at least one, in JSON; in a folder, its files *.json"
        )
    dictionary = _dictionary(table)
    size = sum(file.stat().st_size for file in _files(path))
    columns = tuple(SourceColumn(v.name, v.name, v.unit, v.label or v.name) for v in dictionary)
    return CohortReader(
        name=str(path),
        format="phenopackets",
        columns=columns,
        dictionary=dictionary,
        notes=_notes(table),
        tables=lambda wanted: _tables(table, wanted, options.date_order),
        sampled=lambda rows: _sample(table, dictionary, rows),
        sha256=digest.hexdigest,
        progress=lambda: (size, size),
        close=lambda: None,
        types_known=True,
    )


def _packets(path: Path, digest: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each packet with the place it stands at."""
    for file in _files(path):
        for where, message in _messages(file, digest):
            for packet in _members(_camel(message)):
                _check_version(packet, where)
                yield where, packet


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _messages(file: Path, digest: Any) -> Iterator[tuple[str, Any]]:
    stream = open_stream(file, text=False)
    try:
        content = b"".join(iter(lambda: stream.read_bytes(1 << 20), b""))
    finally:
        stream.close()
    digest.update(content)
    content = content.removeprefix(b"\xef\xbb\xbf")
    if (whole := _json(content)) is not None:
        messages = whole if isinstance(whole, list) else [whole]
        yield from ((f"{file}, packet {i}", message) for i, message in enumerate(messages, 1))
        return
    for i, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            if (message := _json(line)) is None:
                raise FormatError(
                    "no whole JSON", where=f"{file}, line {i}", expected="JSON, or a packet a line"
                )
            yield f"{file}, line {i}", message


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _members(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The packets of a message: itself, those of a Cohort, those of a Family."""
    if "members" in message:
        return list(message["members"])
    if "proband" in message:
        return [message["proband"], *message.get("relatives", ())]
    return [message]


def _check_version(packet: Mapping[str, Any], where: str) -> None:
    version = str(packet.get("metaData", {}).get("phenopacketSchemaVersion", "2"))
    if not version.startswith("2"):
        raise FormatError(
            f"a phenopacket of schema version {version[:20]}",
            where=where,
            expected="version 2",
            todo="Convert it with phenopacket-tools (convert).",
        )


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_SNAKE.sub(lambda m: m[1].upper(), k): _camel(v) for k, v in value.items()}
    return [_camel(v) for v in value] if isinstance(value, list) else value


def _person_columns(table: _Table) -> None:
    table.variables[_PERSON] = Variable(
        _PERSON, "text", "Participant", "参与者", role="participant", sensitivity="identifying"
    )
    table.variables["visit"] = Variable("visit", "text", "Time", "时间", role="visit")
    table.variables["sex"] = Variable(
        "sex", "category", "Sex", "性别", categories=tuple(_SEXES.values()), role="sex"
    )
    table.variables["age"] = Variable("age", "decimal", "Age", "年龄", unit="a", role="age")


def _read(packet: Mapping[str, Any], number: int, table: _Table, where: str) -> None:
    subject = packet.get("subject") or {}
    if not subject.get("id"):
        raise FormatError("a packet without a subject's id", where=where, expected="subject.id")
    base = _row(table, number, subject, "", subject.get("timeAtLastEncounter"))
    if birth := subject.get("dateOfBirth"):
        table.variable("date_of_birth", "date", "Date of birth")
        table.put(base, "date_of_birth", str(birth))
    for feature in packet.get("phenotypicFeatures", ()):
        _yes_no(table, base, feature["type"], excluded=bool(feature.get("excluded")))
    for disease in packet.get("diseases", ()):
        _yes_no(table, base, disease["term"], excluded=bool(disease.get("excluded")))
    times: dict[str, int] = {"": base}
    for measurement in packet.get("measurements", ()):
        time = measurement.get("timeObserved")
        name = _time_name(time)
        if name not in times:
            times[name] = _row(table, number, subject, name, time)
        _measure(table, times[name], measurement)
    table.left_out.update(kind for kind in _NOT_READ if packet.get(kind))


def _row(table: _Table, number: int, subject: Mapping[str, Any], visit: str, time: Any) -> int:
    sex = subject.get("sex", "UNKNOWN_SEX")
    row: dict[str, object] = {
        _PERSON: str(subject["id"]),
        "visit": visit,
        "sex": _SEX_NUMBERS[sex] if isinstance(sex, int) else str(sex),
    }
    if (age := _age(time, subject.get("dateOfBirth"))) is not None:
        row["age"] = age
    elif time:
        table.left_out["age"] += 1
    table.rows.append(row)
    table.packets.append(number)
    return len(table.rows) - 1


def _age(time: Any, birth: Any) -> float | None:
    """Years from a TimeElement: an age as ISO 8601 duration, or a moment where the birth is known."""
    if not time:
        return None
    text = str((time.get("age") or {}).get("iso8601duration", ""))
    if (m := _DURATION.fullmatch(text)) and any(m.groups()):
        years, months, weeks, days = (float(part or 0) for part in m.groups())
        return round(years + months / 12 + (weeks * 7 + days) / _YEAR_DAYS, 4)
    if (moment := time.get("timestamp")) and birth:
        lived = date.fromisoformat(str(moment)[:10]) - date.fromisoformat(str(birth)[:10])
        return round(lived.days / _YEAR_DAYS, 4)
    return None


def _time_name(time: Any) -> str:
    """A TimeElement in words, the same for equal ones; '' for none."""
    if not time:
        return ""
    kind, value = next(iter(time.items()))
    if kind == "timestamp":
        return str(value)
    if kind == "gestationalAge":
        return f"{value.get('weeks', 0)} weeks"
    if kind in {"interval", "ageRange"}:
        ends = (value[end] for end in ("start", "end"))
        return "/".join(str(end["iso8601duration"] if kind == "ageRange" else end) for end in ends)
    return str(value["iso8601duration"] if kind == "age" else value["id"])


def _yes_no(table: _Table, row: int, term: Mapping[str, str], *, excluded: bool) -> None:
    name = term["id"]
    table.variable(name, "boolean", term.get("label", ""), term=name)
    if table.rows[row].get(name) != (not excluded):  # the same said twice is no second value
        table.put(row, name, not excluded)


def _measure(table: _Table, row: int, measurement: Mapping[str, Any]) -> None:
    assay = measurement["assay"]
    code, label = str(assay["id"]), str(assay.get("label", ""))
    if "complexValue" in measurement:
        for part in measurement["complexValue"]["typedQuantities"]:
            name = f"{code} {part['type']['id']}"
            whole = f"{label}: {part['type'].get('label', '')}"
            _quantity(table, row, (name, whole), part["quantity"])
        return
    value = measurement.get("value", {})
    if "quantity" in value:
        _quantity(table, row, (code, label), value["quantity"])
    elif "ontologyClass" in value:
        found = value["ontologyClass"]
        table.variable(code, "category", label, term=code)
        codes = table.codes.setdefault(code, {})
        codes.setdefault(found["id"], Category(found["id"], found.get("label", "")))
        table.put(row, code, found["id"])
    else:
        table.left_out["value"] += 1


def _quantity(table: _Table, row: int, named: tuple[str, str], quantity: Mapping[str, Any]) -> None:
    """A number with its unit; another unit of the same assay is another column."""
    name, label = named
    unit = str(quantity.get("unit", {}).get("id", ""))
    code = unit.removeprefix("UCUM:") if unit.startswith("UCUM:") else str(quantity["unit"].get("label", ""))
    own = table.variables.get(name)
    column = name if own is None or (own.unit == code and own.numeric) else f"{name} {code}"
    table.variable(column, "decimal", label, unit=code, term=name.partition(" ")[0])
    table.put(row, column, float(quantity["value"]))


def _dictionary(table: _Table) -> Dictionary:
    timed = any(row["visit"] for row in table.rows)
    aged = any("age" in row for row in table.rows)
    hidden = {name for name, shown in (("visit", timed), ("age", aged)) if not shown}
    kept = [v for name, v in table.variables.items() if name not in hidden]
    codes = {name: tuple(found.values()) for name, found in table.codes.items()}
    coded = (replace(v, categories=codes[v.name]) if v.name in codes else v for v in kept)
    return Dictionary(tuple(coded), confirmed=False)


def _notes(table: _Table) -> list[Note]:
    told = []
    for kind, count in table.left_out.items():
        text, text_zh = _LEFT_OUT[kind]
        told.append(Note(text.format(count), text_zh.format(count), table.file))
    return told


def _columns(table: _Table, names: list[str], start: int, stop: int) -> dict[str, pa.Array]:
    rows = table.rows[start:stop]
    return {name: column_of([row.get(name) for row in rows]) for name in names}


def _tables(table: _Table, dictionary: Dictionary, date_order: str) -> Iterator[RawTable]:
    names = [v.name for v in dictionary]
    columns = _columns(table, names, 0, len(table.rows))
    lines = np.array(table.packets, np.uint64)
    unread = {
        name: (Unread(_TWICE, "one value", np.array(rows)),)
        for name, rows in table.repeated.items()
        if name in columns
    }
    yield typed_table(columns, dictionary, lines, date_order=date_order, unread=unread)


def _sample(table: _Table, dictionary: Dictionary, rows: int) -> pa.Table:
    names = [v.name for v in dictionary]
    stop = len(list(islice(table.rows, rows)))
    return pa.table(_columns(table, names, 0, stop))
