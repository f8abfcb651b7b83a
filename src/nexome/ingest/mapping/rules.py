"""What a mapping says: a target with its variables, and for each source how its columns become them.

Frozen words; `reading` makes them of YAML, `planning` settles them against the sources, `harmonise` applies
them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Literal

from nexome.model.cohorts import Cohort, Dictionary

How = Literal["take", "derive", "constant"]
Combine = Literal["first", "last", "mean", "median", "min", "max", "count", "nearest"]
Persons = Literal["join", "prefer", "refuse"]
Keep = Literal["first", "last", "fullest"]
COMBINE: Final = ("first", "last", "mean", "median", "min", "max", "count", "nearest")
PERSONS: Final = ("join", "prefer", "refuse")
KEEP: Final = ("first", "last", "fullest")
REFUSE: Final = "refuse"
MISSING: Final = "missing"
SOURCE: Final = "source"  # the column that says which source a row is from


@dataclass(frozen=True, slots=True)
class Rule:
    """How one target variable is made of one source.

    `how` with `text`: take a column, derive an expression, or a constant. `unit`: what the source's values
    are in, where the dictionary says otherwise or nothing. `recode`: source code → target code;
    `otherwise`: what becomes of every other code (refuse, missing, or a target code). `combine`: which of a
    person's visits counts, '' as the source says; `nearest`: the day for it. `minimum`, `maximum`: what is
    kept, in the target's unit (None: the target's plausible range; `any_range`: no limit). `decimals`:
    rounded to so many. `because`: why, in words.
    """

    target: str
    how: How
    text: str
    unit: str = ""
    analyte: str = ""
    recode: tuple[tuple[str, str], ...] = ()
    otherwise: str = REFUSE
    combine: Combine | Literal[""] = ""
    nearest: date | None = None
    minimum: float | None = None
    maximum: float | None = None
    any_range: bool = False
    decimals: int | None = None
    because: str = ""
    line: int = 0

    def as_dict(self) -> dict[str, Any]:
        """What was said, as plain JSON values; what was not said is left out."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, "", (), False)}
        said.pop("line", None)
        if self.recode:
            said["recode"] = dict(self.recode)
        if not self.recode:
            said.pop("otherwise")
        if self.nearest is not None:
            said["nearest"] = self.nearest.isoformat()
        return said


@dataclass(frozen=True, slots=True)
class SamePersons:
    """Rows of one source that agree in all these columns are one person met twice; `keep`: which stays."""

    columns: tuple[str, ...]
    keep: Keep = "first"


@dataclass(frozen=True, slots=True)
class Source:
    """One source: a cohort, which of its rows, and a rule for each target variable that it has.

    `version` None: the newest. `where`: the rows that are taken, an expression. `combine`, `order`: which
    visit counts for variables that say nothing else, and the column (a date, or the visit) that orders
    them. `absent`: target variables that this source does not have, with why.
    """

    name: str
    cohort: str
    version: int | None = None
    where: str = ""
    same_persons: SamePersons | None = None
    combine: Combine = "first"
    nearest: date | None = None
    order: str = ""
    rules: tuple[Rule, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    because: str = ""
    line: int = 0

    def rule(self, target: str) -> Rule | None:
        """The rule of a target variable."""
        return next((rule for rule in self.rules if rule.target == target), None)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping.

    `persons`: what becomes of a person found in several sources of one people namespace: join (each value
    from the first source that has it), prefer (the first source's row alone), refuse. `analytes`: target
    variable → analyte, where said. `text`: the YAML as it was read.
    """

    target: Cohort
    dictionary: Dictionary
    sources: tuple[Source, ...]
    persons: Persons = "join"
    analytes: tuple[tuple[str, str], ...] = ()
    file: str = ""
    text: str = ""

    @property
    def keeps_visits(self) -> bool:
        """Whether the target has one row a visit; else one a participant."""
        return self.dictionary.of_role("visit") is not None
