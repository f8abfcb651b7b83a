"""What may be said of an import of a cohort, and what it tells when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nexome.formats.cohorts import CohortOptions
from nexome.model.cohorts import Cohort, Dictionary

Duplicates = Literal["refuse", "first", "last"]
BadValues = Literal["refuse", "missing"]
Extra = Literal["refuse", "drop"]
Shape = Literal["", "long", "wide"]


@dataclass(frozen=True)
class CohortRequest:
    """One cohort to be imported from files that hold its rows one after the other.

    `participant`, `visit`: columns that have these roles where the dictionary does not say so. `visits`: the
    visit that all rows of a file belong to, one for each file.
    `each_row_a_person`: the files have no identifiers; each row gets a number. `shape`: 'long' (one row a
    participant and visit) or 'wide' (one row a participant); '' as the dictionary says. `duplicates`: what
    becomes of rows with the participant and visit of another. `bad_values`: cells that cannot be read stop
    the import, or are kept as missing and counted. `extra_columns`: columns that the dictionary lacks.
    """

    files: tuple[Path, ...]
    cohort: Cohort
    dictionary: Dictionary
    participant: str = ""
    visit: str = ""
    visits: tuple[str, ...] = ()
    each_row_a_person: bool = False
    shape: Shape = ""
    duplicates: Duplicates = "refuse"
    bad_values: BadValues = "refuse"
    extra_columns: Extra = "refuse"
    read: CohortOptions = field(default_factory=CohortOptions)
    dry_run: bool = False
    command: str = ""

    def opened(self) -> Iterator[tuple[Path, CohortOptions]]:
        """Each file with how it is to be read."""
        for at, path in enumerate(self.files):
            yield path, replace(self.read, visit=self.visits[at]) if self.visits else self.read

    def as_choices(self) -> dict[str, Any]:
        """Everything said that decides what is stored, as plain JSON values."""
        names = ("participant", "visit", "visits", "each_row_a_person", "shape", "duplicates", "bad_values")
        said = {name: getattr(self, name) for name in (*names, "extra_columns")}
        return {**said, "read": asdict(self.read), "cohort": self.cohort.as_dict()}


@dataclass(frozen=True, slots=True)
class CohortReport:
    """What an import did; `version` 0: nothing was published (a dry run).

    `rules`: what became of rows and cells, by rule and column, with counts (`CellTally.rules`).
    """

    cohort: str
    version: int
    rows: int
    people: int
    variables: int
    cells: int
    bytes: int
    seconds: float
    rules: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
