"""What is agreed before the first row is read: which columns there are, who the participant is, the visit.

A dictionary is never stretched to fit: a variable that no file has, or a column that the dictionary does
not know, is told, and the import stops unless a person said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nexome.formats.cohorts import VISIT, CohortReader
from nexome.formats.dictionary import fit_to_columns
from nexome.ingest.cohorts.requests import CohortRequest
from nexome.model.cohorts import Dictionary, Role, Variable
from nexome.model.errors import InputError

ROW_NUMBER: Final = "row_number"
_TOLD: Final = 8


def settle_dictionary(request: CohortRequest, readers: Sequence[CohortReader]) -> Dictionary:
    """The dictionary with its roles, agreeing with the files.

    Raises InputError naming columns and variables that do not meet, or a participant that is not there.
    """
    names = tuple(dict.fromkeys(name for reader in readers for name in reader.names))
    dictionary = _with_role(fit_to_columns(request.dictionary, names), "participant", request.participant)
    dictionary = _with_role(dictionary, "visit", request.visit)
    if request.visits:
        dictionary = _with_named_visits(dictionary)
    _check_columns(request, readers, dictionary)
    if request.each_row_a_person:
        dictionary = _numbered(dictionary)
    elif dictionary.of_role("participant") is None:
        raise InputError(
            "no column says who the participant is",
            where=f"cohort {request.cohort.id}",
            expected="a variable with the role participant",
            todo="Say it: --participant COLUMN; or --each-row-a-person where the files have no identifiers.",
        )
    _check_shape(request, dictionary)
    return dictionary


def check_visits(request: CohortRequest) -> None:
    """Raises InputError unless each file has one visit, where visits are named, and no column says it too."""
    if not request.visits:
        return
    if len(request.visits) != len(request.files):
        raise InputError(
            f"{len(request.visits)} names of visits for {len(request.files)} files",
            where="--visit-name",
            expected="one for each file, in their order",
            todo="Say it once a file; files of one visit have the same.",
        )
    if not all(name.strip() for name in request.visits):
        raise InputError("a visit without a name", where="--visit-name", expected="a name such as baseline")
    if request.visit:
        raise InputError("--visit and --visit-name", expected="one of them", todo="A column, or names.")


def _with_named_visits(dictionary: Dictionary) -> Dictionary:
    """The dictionary with the visit that was said of each file, which no column may tell as well."""
    told = dictionary.of_role("visit")
    if told is not None and told.name != VISIT.name:
        raise InputError(
            f"visits are named, and the column {told.name[:80]} holds the visit",
            where="--visit-name",
            expected="one of them",
            todo="Leave out --visit-name, or take the role from the variable.",
        )
    if VISIT.name not in dictionary.by_name:
        return Dictionary((*dictionary, VISIT), dictionary.confirmed)
    return _with_role(dictionary, "visit", VISIT.name)


def _with_role(dictionary: Dictionary, role: Role, column: str) -> Dictionary:
    if not column:
        return dictionary
    if column not in dictionary.by_name:
        raise InputError(
            f"no variable {column[:80]!r}",
            where=f"--{role}",
            expected="one of the dictionary",
            todo=f"Its variables: {_some(list(dictionary.by_name))}",
        )
    others = [replace(v, role="") if v.role == role else v for v in dictionary]
    named = [replace(v, role=role) if v.name == column else v for v in others]
    if role == "participant":
        named = [replace(v, type="text", sensitivity="identifying") if v.name == column else v for v in named]
    return Dictionary(tuple(named), dictionary.confirmed)


def _numbered(dictionary: Dictionary) -> Dictionary:
    if dictionary.of_role("participant") is not None or ROW_NUMBER in dictionary.by_name:
        raise InputError(
            "identifiers and --each-row-a-person",
            expected="one of them",
            todo="Leave out --each-row-a-person: the dictionary names the participant.",
        )
    number = Variable(ROW_NUMBER, "text", role="participant", sensitivity="identifying")
    return Dictionary((number, *dictionary), dictionary.confirmed)


def _check_columns(request: CohortRequest, readers: Sequence[CohortReader], dictionary: Dictionary) -> None:
    everywhere = {name for reader in readers for name in reader.names}
    if absent := [v.name for v in dictionary if v.name not in everywhere]:
        raise InputError(
            f"{len(absent):,} variables of the dictionary are in no file: {_some(absent)}",
            where=", ".join(reader.name for reader in readers)[:300],
            expected="each variable as a column",
            todo="Correct their names in the dictionary, or take them out of it.",
        )
    for reader in readers:
        extra = [name for name in reader.names if name not in dictionary.by_name]
        if extra and request.extra_columns == "refuse":
            raise InputError(
                f"{len(extra):,} columns are not in the dictionary: {_some(extra)}",
                where=reader.name,
                expected="each column described",
                todo="Describe them in the dictionary, or leave them out: --extra-columns drop.",
            )


def _check_shape(request: CohortRequest, dictionary: Dictionary) -> None:
    visit = dictionary.of_role("visit")
    if request.shape == "long" and visit is None:
        raise InputError(
            "a long table without a visit",
            where=f"cohort {request.cohort.id}",
            expected="a variable with the role visit",
            todo="Say which column it is: --visit COLUMN.",
        )
    if request.shape == "wide" and visit is not None:
        raise InputError(
            f"a wide table with the visit {visit.name}",
            where=f"cohort {request.cohort.id}",
            expected="one row a participant",
            todo="Import it as --long, or take the role from the variable.",
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:_TOLD])
    return shown + (f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else "")
