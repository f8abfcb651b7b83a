"""What an indicator's link says on a day: one number with everything it came from.

Only values of the year count, up to the day asked for; a counter's rise is taken from its last reading before the year. A
missing value stays missing: nothing is carried over from another year, nothing is guessed. Decimal arithmetic throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Protocol

from nexome.model.errors import InputError
from nexome.model.measures import MEASURES
from nexome.model.units import check_agree, convert, unit_of
from nexome.report.formula import Quantity, evaluate, parse_formula
from nexome.report.links import DATE, LEVEL, OWN, Entry, Link, Links, Project, measure_unit, unit_needed
from nexome.report.paper import Fund
from nexome.store.links import Evidence

SOURCES: Final = ("measure", "series", "spending", "paper", "rule")


class Reading(Protocol):
    """A reading of a measure, as store.measures keeps it: name, value (None: none), time in ISO 8601."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def time(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Input:
    """One number another was computed from: its kind (SOURCES), name, value, unit, time or day, evidence, place in the paper."""

    source: str
    name: str
    value: str
    unit: str
    time: str = ""
    evidence: tuple[Evidence, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the formula it follows and what went into it."""

    value: Decimal
    formula: str
    inputs: tuple[Input, ...] = ()


class NoValueError(Exception):
    """There is no value for a name in the year asked for; not an error of the user."""


@dataclass
class Resolver:
    """Values of one project's indicators on one day of a year.

    `value` and `own` raise InputError where a corrected paper's units no longer fit, or a formula divides by zero.
    """

    project: Project
    links: Links
    readings: Mapping[str, Sequence[Reading]]
    year: int
    as_of: date
    created: str = ""  # when the root was made: a counter began at nothing then
    _inputs: list[Input] = field(default_factory=list)

    def value(self, indicator: str) -> Number | None:
        """The number of an indicator in its own unit; None where there is no link or no value.

        A date is its ordinal (`date.toordinal`), a level its share from 0 to 100.
        """
        link = self.links.link(indicator)
        if link is None:
            return None
        self._inputs = []
        try:
            value = self._of(link)
        except NoValueError:
            return None
        said = link.of if link.source == "formula" else f"{link.takes} of {link.of}"
        return Number(value, said, self.taken())

    def own(self, name: str) -> Decimal:
        """Spent or budget in yuan, execution in per cent. Raises NoValueError for no budget or no spending."""
        budget = sum((fund.amount.yuan for fund in yearly_funds(self.project)), Decimal(0))
        entries = self.entries(self.links.spent(self.project.key).valid)
        if name in {"budget", "execution"}:
            self._take_budget()
        if name != "budget" and not entries:
            raise NoValueError(name)
        if name != "budget":
            self._inputs += [entry_input("spending", self.project.key, entry) for entry in entries]
        spent = sum((self.yuan(entry) for entry in entries), Decimal(0))
        if name == "execution":
            if not budget:
                raise NoValueError(name)
            return spent / budget * 100
        return budget if name == "budget" else spent

    def taken(self) -> tuple[Input, ...]:
        """What went into the number asked for last, each input once; the next number begins anew."""
        taken, self._inputs = tuple(dict.fromkeys(self._inputs)), []
        return taken

    @staticmethod
    def yuan(entry: Entry) -> Decimal:
        """An entry of spending in yuan."""
        return convert(Decimal(entry.value), entry.unit, "元")

    def _take_budget(self) -> None:
        self._inputs += [
            Input("paper", fund.name, fund.amount.printed, fund.amount.unit, line=fund.amount.line)
            for fund in yearly_funds(self.project)
        ]

    def entries(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries of the year up to the day."""
        return [entry for entry in entries if self._counts(entry.day)]

    def _counts(self, day: str) -> bool:
        return f"{self.year}-01-01" <= day[:10] <= self.as_of.isoformat()

    def _unit(self, link: Link) -> str:
        """The unit the indicator has now; a corrected paper may have changed it since the link was confirmed."""
        items = [item for item in self.project.items if item.id == link.indicator]
        unit = unit_needed(items[0], self.project.year) if items else link.unit
        if unit != link.unit and {unit, link.unit} & {DATE, LEVEL}:
            raise InputError(
                f"the unit {unit}", where=link.words.name, expected=link.unit, todo="Confirm the link anew."
            )
        if unit != link.unit:
            check_agree(unit_of(link.unit), unit_of(unit), where=link.words.name)
        return unit

    def _of(self, link: Link) -> Decimal:
        needed = self._unit(link)
        if link.source == "formula":
            unit = unit_of(needed)
            found = evaluate(parse_formula(link.of), self._named)
            if found.value is None:
                raise NoValueError(link.of)
            return found.value / unit.factor
        if link.source == "measure":
            unit = measure_unit(link.of)
            return self._measure(link.of, link.takes) * unit.factor / unit_of(needed).factor
        return self._series(link.of, link.takes, needed)

    def _named(self, name: str) -> Quantity:
        if name in OWN:
            unit = unit_of(OWN[name])
            return Quantity(self.own(name) * unit.factor, unit.dimension)
        if name in MEASURES:
            unit = measure_unit(name)
            return Quantity(self._measure(name, MEASURES[name].aggregation) * unit.factor, unit.dimension)
        link = self.links.link(name)
        if link is not None:
            unit = unit_of(self._unit(link))
            return Quantity(self._of(link) * unit.factor, unit.dimension)
        series = self.links.named(name)
        if series is None:
            raise NoValueError(name)
        unit = unit_of(series.unit)
        return Quantity(self._series(name, "last", series.unit) * unit.factor, unit.dimension)

    def _series(self, name: str, takes: str, unit: str) -> Decimal:
        series = self.links.named(name)
        entries = self.entries(series.valid) if series else []
        if not entries:
            raise NoValueError(name)
        used = entries[-1:] if takes == "last" else entries
        self._inputs += [entry_input("series", name, entry) for entry in used]
        if unit == DATE:
            return Decimal(date.fromisoformat(used[-1].value).toordinal())
        same = unit == LEVEL
        values = [Decimal(e.value) if same else convert(Decimal(e.value), e.unit, unit) for e in used]
        return join(values, takes)

    def _measure(self, name: str, takes: str) -> Decimal:
        unit = MEASURES[name].unit_zh if MEASURES[name].unit == "1" else MEASURES[name].unit
        every = [r for r in self.readings.get(name, ()) if r.value is not None]
        within = [reading for reading in every if self._counts(reading.time)]
        if not within:
            raise NoValueError(name)
        used = within[-1:] if takes in {"last", "rise"} else within
        values = [Decimal(str(reading.value)) for reading in used]
        if takes == "rise":
            before = [reading for reading in every if reading.time[:10] < f"{self.year}-01-01"]
            started = self.created[:10] >= f"{self.year}-01-01"
            base = before[-1:] or ([] if started else within[:1])
            used = [*base, *used]
            values = [Decimal(str(base[0].value)) if base else Decimal(0), values[-1]]
        self._inputs += [Input("measure", name, str(r.value), unit, r.time) for r in used]
        return join(values, takes)


def join(values: Sequence[Decimal], takes: str) -> Decimal:
    """Values of a year, oldest first, as one; 'rise' takes the last less the first (0 where it fell)."""
    if takes == "rise":
        return max(values[-1] - values[0], Decimal(0))
    if takes == "mean":
        return sum(values, Decimal(0)) / len(values)
    if takes == "sum":
        return sum(values, Decimal(0))
    return max(values) if takes == "max" else values[-1]


def entry_input(source: str, name: str, entry: Entry) -> Input:
    """An entry as an input of a number."""
    return Input(source, name, entry.value, entry.unit, entry.day, entry.evidence)


def yearly_funds(project: Project) -> list[Fund]:
    """The money of the year: the total of each portion, or 项目当年预算."""
    funds = project.table.funds
    totals = [fund for fund in funds if fund.role == "total"]
    return totals or [fund for fund in funds if fund.name == "项目当年预算"]
