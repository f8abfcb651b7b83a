"""The people of an import: those of its files by rule, described by a sample sheet.

Files of one set must have the same people, in any order; with the rule `shared` those who are in all files
are kept. A sheet describes people by sample_id; where files join family and individual ('FID_IID'), so
does the sheet. Messages give numbers and columns, never an identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.genotypes import Person, read_sheet
from nexome.ingest.genotypes.requests import People
from nexome.model.errors import InputError
from nexome.store.genotypes import people_table

Columns = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Merged:
    """The people of all files: `people` in their order, and of each file the columns that are theirs.

    `left_out`: people of each file that are not kept.
    """

    people: tuple[Person, ...]
    columns: tuple[Columns, ...]
    left_out: tuple[int, ...]


def merge_people(each: Sequence[Sequence[Person]], names: Sequence[str], *, rule: People) -> Merged:
    """The people of several files. Raises InputError when the rule does not allow how they differ."""
    places = [{p.sample_id: i for i, p in enumerate(people)} for people in each]
    shared = set(places[0]).intersection(*places[1:])
    if rule == "same":
        for name, place in zip(names[1:], places[1:], strict=True):
            lacking, more = len(places[0].keys() - place.keys()), len(place.keys() - places[0].keys())
            if lacking or more:
                raise InputError(
                    f"{lacking:,} people of {names[0]} are not here, and {more:,} others are",
                    where=name,
                    expected="the same people in all files of a set",
                    todo="Import them as two sets, merge the files first (bcftools merge, plink1.9 "
                    "--bmerge), or keep those who are in all files: --people shared.",
                )
    if not shared:
        raise InputError(
            "nobody is in all files", where=", ".join(names), expected="files of the same people"
        )
    people = tuple(p for p in each[0] if p.sample_id in shared)
    columns = tuple(np.array([place[p.sample_id] for p in people], np.int64) for place in places)
    return Merged(people, columns, tuple(len(e) - len(people) for e in each))


def describe_people(people: Sequence[Person], sheet: Path | None) -> tuple[pa.Table, dict[str, Any]]:
    """The table of people (store.genotypes.PEOPLE) and what the receipt says of them.

    Raises InputError when a sheet describes nobody, or somebody twice in different ways.
    """
    facts: dict[str, Any] = {"count": len(people)}
    if sheet is not None:
        listed = _by_name(read_sheet(sheet), sheet)
        found = [_found(listed, p) for p in people]
        known = sum(f is not None for f in found)
        if not known:
            raise InputError(
                f"none of the {len(people):,} people of the files",
                where=str(sheet),
                expected="their identifiers in the column sample_id (or IID)",
                todo="Compare the identifiers of both: they are taken as they are written.",
            )
        people = [_joined(p, f) for p, f in zip(people, found, strict=True)]
        facts |= {"sheet": str(sheet), "described": known, "not_described": len(people) - known}
        facts["only_in_sheet"] = len(listed) - known
    columns = {f.name: [asdict(p)[f.name] for p in people] for f in fields(Person)}
    return people_table(columns), facts


def _by_name(listed: Sequence[Person], sheet: Path) -> dict[str, Person]:
    named: dict[str, Person] = {}
    for number, person in enumerate(listed, 1):
        if named.setdefault(person.sample_id, person) != person:
            raise InputError(
                "a person who stands there already, described otherwise",
                where=f"{sheet}, row {number}",
                expected="each sample_id once",
            )
    return named


def _found(listed: dict[str, Person], person: Person) -> Person | None:
    if (exact := listed.get(person.sample_id)) is not None:
        return exact
    family, _, individual = person.sample_id.partition("_")
    found = listed.get(individual)
    return found if found is not None and found.family_id == family else None


def _joined(person: Person, sheet: Person | None) -> Person:
    """What the sheet says, else what the file says."""
    if sheet is None:
        return person
    said = {k: v for k, v in asdict(sheet).items() if v and k != "sample_id"}
    return replace(person, **said)
