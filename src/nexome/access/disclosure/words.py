"""What disclosure control speaks of: questions, the people a number is computed over, and what may leave.

A *population* is a set of participants, those with a valid value where values are asked. A *cell* is one
population of an answer. *Margins* add cells up along one axis of the question, the total along all.

    reader       who                                                  what leaves
    grid         anonymous, or without a grant in a project           perturbed counts over the published grid
    controlled   named, with a grant on the cohort in a project       rounded, checked against the ledger
    owner        holds the files                                      exact

No numbers are computed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from nexome.model.cohorts import Variable
from nexome.model.errors import InputError

Kind = Literal["count", "mean", "percentiles", "histogram", "model", "reference"]
Reader = Literal["owner", "controlled", "grid"]

KINDS: Final[tuple[Kind, ...]] = ("count", "mean", "percentiles", "histogram", "model", "reference")
OF_VALUES: Final = frozenset({"mean", "percentiles", "model", "reference"})
TEXT_MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a filter: low ≤ value < high, or a category among `codes`; parts are joined by 'and'."""

    variable: str
    low: float = -math.inf
    high: float = math.inf
    codes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.codes:
            return f"{self.variable} in ({', '.join(self.codes)})"
        low = "" if math.isinf(self.low) else f"{self.variable} >= {self.low:.12g}"
        high = "" if math.isinf(self.high) else f"{self.variable} < {self.high:.12g}"
        return " and ".join(filter(None, (low, high))) or f"measured({self.variable})"


@dataclass(frozen=True, slots=True)
class Split:
    """One axis of an answer: a variable cut at `cuts` (a band holds its lower end) or by `codes`."""

    variable: str
    cuts: tuple[float, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question over people, as it is decided on and as the audit log keeps it.

    `measured` is the variable whose values are asked about. `text` is its canonical wording (it may hold
    limits and codes that were asked, no value of a record). `conditions` is the filter as a conjunction,
    None where it is none ('or', 'not measured'). `by` are the axes of the answer, in the order of
    `Cells.shape`. `probabilities` are of kind 'percentiles'. `parameters` is the number of a model's or
    curve's parameters. `min_cell` may raise the smallest cell, never lower it.
    """

    kind: Kind
    cohort: str
    version: int
    text: str
    variables: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] | None = ()
    by: tuple[Split, ...] = ()
    measured: str = ""
    probabilities: tuple[float, ...] = ()
    parameters: int = 0
    min_cell: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind {self.kind!r}", where="question", expected="one of " + ", ".join(KINDS))
        if any(not 0 < p < 1 for p in self.probabilities):
            raise InputError("a percentile outside 0 to 1", where="question", expected="0 < p < 1, as 0.975")


@dataclass(frozen=True)
class Cells:
    """The people that numbers are computed over: R rows of one cohort version, in the table's order.

    `participants` uint64 [R] are all rows of the version (not the asked ones alone: the whole cohort is
    one of the populations that everyone knows); `cell` int32 [R] is the cell of a row, −1 for none.
    `labels` names the C cells in order, the last axis of `shape` fastest; `shape` multiplies to C.
    `values` float64 [R] (NaN missing) is what a mean or percentile is of; a stored variable, or a function of
    one that treats everybody alike: conditions belong to the question. `weights` float64 [R] ≥ 0.
    """

    participants: npt.NDArray[np.uint64]
    cell: npt.NDArray[np.int32]
    labels: Sequence[Any]
    values: npt.NDArray[np.float64] | None = None
    weights: npt.NDArray[np.float64] | None = None
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.shape:
            object.__setattr__(self, "shape", (len(self.labels),))
        arrays = [a for a in (self.cell, self.values, self.weights) if a is not None]
        if any(len(a) != len(self.participants) for a in arrays):
            raise InputError("columns of different lengths", where="cells", expected="one value a row")
        if math.prod(self.shape) != len(self.labels):
            raise InputError(f"{len(self.labels)} labels", where="cells", expected=f"shape {self.shape}")


@dataclass(frozen=True, slots=True)
class Released:
    """What leaves of one cell. `reason` '' : released; else a code of policy.REASONS and no number.

    `count` is of participants. `percentiles` goes by probability; one that may not be shown is absent.
    `low` and `high` bound the true count of a perturbed one. None: not asked for, or not released.
    """

    label: Any
    count: int | None = None
    mean: float | None = None
    sd: float | None = None
    percentiles: Mapping[float, float] = field(default_factory=dict)
    reason: str = ""
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """An answer as it leaves. `cells` are in the order asked; `margins` by (axis, index along it).

    `perturbed`: counts carry the noise of docs/disclosure.md and do not add up. `coarser` is a question
    that would be answered where this one was in part not; '' where none is known. `hgr_class` and `permit`
    say what the variables are under the rules of human genetic resources, and by which permit.
    """

    reader: Reader
    question: Question
    cells: tuple[Released, ...]
    total: Released
    margins: Mapping[tuple[int, int], Released] = field(default_factory=dict)
    perturbed: bool = False
    coarser: str = ""
    hgr_class: str = ""
    permit: str = ""

    def __iter__(self) -> Any:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)


class GridAxis(Protocol):
    """How the published grid cuts one variable: at `cuts`, or into `codes` (`access.cohort_grid.Axis`)."""

    @property
    def variable(self) -> Variable:
        """The variable that is cut."""

    @property
    def cuts(self) -> tuple[float, ...]:
        """Limits of bands, ascending; a band holds its lower one."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of categories, where it is cut by them."""


class GridLike(Protocol):
    """The published grid of a cohort: its axes by variable (`access.cohort_grid.Grid`)."""

    @property
    def axes(self) -> Mapping[str, Any]:
        """GridAxis by name of the variable."""
