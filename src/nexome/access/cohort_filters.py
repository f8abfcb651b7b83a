"""A filter over rows of a cohort: what it asks, in one written form, and which rows it holds for.

A filter is true, false or unknown of a row: a comparison with a missing value is unknown, `not` of unknown is
unknown, and a row is taken where the whole is true. `not` is carried down to the comparisons when a filter is
made (De Morgan), so that only 'true' has to be worked out: `not (ldl > 4.1)` is `ldl ≤ 4.1`, measured.

    Within(variable, low, high)   low ≤ value ≤ high, both ends held; `>` is the next float above
    Among(variable, codes)        the category is one of these
    Measured(variable, present)   there is a value, or there is none
    All(parts), Any(parts)        and, or; All() is every row, Any() none

Set-wise on whole columns. What words of a question mean is worked out in `cohort_words`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
DATE: Final = "date"
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PLAIN_NAME: Final = re.compile(r"[^\W\d]\w*\Z")


class Columns(Protocol):
    """Where a filter finds the values of R rows; a missing value is in no answer of `within` and `among`."""

    @property
    def rows(self) -> int:
        """R."""

    def within(self, variable: str, low: float, high: float) -> Mask:
        """Whether low ≤ value ≤ high [R]; dates are days since 1970-01-01."""

    def among(self, variable: str, codes: tuple[str, ...]) -> Mask:
        """Whether the category is one of some [R]."""

    def measured(self, variable: str) -> Mask:
        """Whether there is a value [R]."""


@dataclass(frozen=True, slots=True)
class Within:
    """A number between two ends, both held; of unit DATE, days since 1970-01-01."""

    variable: str
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""

    def __str__(self) -> str:
        name = written_name(self.variable)
        if self.low == self.high:
            return f"{name} = {self._end(self.low, -math.inf)[0]}"
        ends = []
        if not math.isinf(self.low):
            value, closed = self._end(self.low, -math.inf)
            ends.append(f"{name} {'>=' if closed else '>'} {value}")
        if not math.isinf(self.high):
            value, closed = self._end(self.high, math.inf)
            ends.append(f"{name} {'<=' if closed else '<'} {value}")
        return " and ".join(ends) or f"{name} is not missing"

    def _end(self, end: float, way: float) -> tuple[str, bool]:
        number, closed = _spelled(end, way)
        if self.unit == DATE:
            return f"'{date.fromordinal(_EPOCH + math.floor(float(number)))}'", closed
        return number + (f" {self.unit}" if self.unit else ""), closed


@dataclass(frozen=True, slots=True)
class Among:
    """A category among some; the codes are kept sorted."""

    variable: str
    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", tuple(sorted(self.codes)))

    def __str__(self) -> str:
        listed = ", ".join(_quoted(code) for code in self.codes)
        if len(self.codes) == 1:
            return f"{written_name(self.variable)} = {listed}"
        return f"{written_name(self.variable)} in ({listed})"


@dataclass(frozen=True, slots=True)
class Measured:
    """Whether there is a value."""

    variable: str
    present: bool = True

    def __str__(self) -> str:
        return f"{written_name(self.variable)} is {'not ' if self.present else ''}missing"


@dataclass(frozen=True, slots=True)
class All:
    """All parts hold; without parts, every row."""

    parts: tuple[Filter, ...] = ()

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, Any) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Any:
    """One part at least holds; without parts, no row."""

    parts: tuple[Filter, ...] = ()

    def __str__(self) -> str:
        return " or ".join(f"({part})" if len(self.parts) > 1 else str(part) for part in self.parts) or "none"


Filter = Within | Among | Measured | All | Any
EVERYONE: Final = All()
NOBODY: Final = Any()


def tidy(asked: Filter) -> Filter:
    """The same filter in one order and without repetition: equal questions are written equally."""
    if not isinstance(asked, All | Any):
        return NOBODY if _is_empty(asked) else asked
    kind = type(asked)
    flat: list[Filter] = []
    for part in map(tidy, asked.parts):
        flat += part.parts if isinstance(part, kind) else [part]
    flat = [NOBODY if _is_empty(part) else part for part in _joined(flat, both=kind is All)]
    if kind is All and NOBODY in flat:
        return NOBODY
    flat = [part for part in flat if part != NOBODY]
    ordered = tuple(sorted(set(flat), key=lambda part: (str(part), repr(part))))
    return ordered[0] if len(ordered) == 1 else kind(ordered)


def _is_empty(asked: Filter) -> bool:
    if isinstance(asked, Within):
        return asked.low > asked.high
    return isinstance(asked, Among) and not asked.codes


def variables_of(asked: Filter) -> tuple[str, ...]:
    """Names of the variables a filter reads, each once, sorted."""
    return tuple(sorted({leaf.variable for leaf in leaves(asked)}))


def leaves(asked: Filter) -> Iterator[Within | Among | Measured]:
    """The conditions of a filter."""
    if isinstance(asked, All | Any):
        for part in asked.parts:
            yield from leaves(part)
    else:
        yield asked


def rows_of(asked: Filter, columns: Columns) -> Mask:
    """Which rows [R] a filter holds for."""
    match asked:
        case Within(variable=name, low=low, high=high):
            return columns.within(name, low, high)
        case Among(variable=name, codes=codes):
            return columns.among(name, codes)
        case Measured(variable=name, present=present):
            return columns.measured(name) == present
    combine = np.logical_and if isinstance(asked, All) else np.logical_or
    held = np.full(columns.rows, isinstance(asked, All))
    for part in asked.parts:
        combine(held, rows_of(part, columns), out=held)
    return held


def _joined(parts: list[Filter], *, both: bool) -> list[Filter]:
    """Categories of one variable joined to one condition, and with `both` its intervals."""
    joined: dict[tuple[type, str], Within | Among] = {}
    rest: list[Filter] = []
    for part in parts:
        if isinstance(part, Among) or (isinstance(part, Within) and both):
            key = (type(part), part.variable)
            joined[key] = _join(joined[key], part, both=both) if key in joined else part
        else:
            rest.append(part)
    return [*joined.values(), *rest]


def _join(kept: Within | Among, part: Within | Among, *, both: bool) -> Within | Among:
    if isinstance(kept, Within) and isinstance(part, Within):
        return Within(kept.variable, max(kept.low, part.low), min(kept.high, part.high), kept.unit)
    if isinstance(kept, Among) and isinstance(part, Among):
        if both:
            return Among(kept.variable, tuple(code for code in kept.codes if code in part.codes))
        more = (code for code in part.codes if code not in kept.codes)
        return Among(kept.variable, (*kept.codes, *more))
    raise TypeError


def written_name(name: str) -> str:
    """A name as a question spells it: plain where it can be, else between backticks."""
    return name if _PLAIN_NAME.match(name) else f"`{name}`"


def _quoted(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _spelled(end: float, way: float) -> tuple[str, bool]:
    """The number a person wrote, and whether the end itself is held (else its neighbour was kept)."""
    short, beside = f"{end:.12g}", float(np.nextafter(end, way))
    if float(short) != end and float(f"{beside:.12g}") == beside:
        return f"{beside:.12g}", False
    return short, True
