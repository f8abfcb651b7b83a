"""What measures each indicator: a measure, a manual series with evidence, or a formula; confirmed by a person, unit-checked.

An indicator is known by its project (code, else name), portion, levels and name: so links survive a corrected paper. Everything
here is frozen; each change gives a new `Links`, which `report.recording` writes with its event (layout: store.links).

Series are only ever added to: a wrong entry is withdrawn with a reason and stays. Money spent is a series of each project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from nexome.model.errors import FormatError, InputError, NotFoundError
from nexome.model.measures import MEASURES
from nexome.model.units import UNITS, Unit, check_agree, unit_of
from nexome.report.dates import deadline_of
from nexome.report.figures import squeeze
from nexome.report.formula import Quantity, evaluate, names_of, parse_formula
from nexome.report.paper import Indicator, Paper, TargetTable
from nexome.report.records import build_record, paper_from_values
from nexome.store.disk import now_iso
from nexome.store.links import Evidence, read_links
from nexome.store.papers import paper_names, read_kept

SOURCES: Final = ("measure", "series", "formula")
TAKES: Final = ("last", "rise", "mean", "sum", "max")
# What a formula may ask of its own project, and the unit of each.
OWN: Final = {"spent": "元", "budget": "元", "execution": "%"}
_MOST_DIGITS: Final = 18  # before and after the point: no count, and no sum of money in the world, has more
LEVEL: Final = "level"  # unit of a judged share: 0 to 100 within a level of the rule
DATE: Final = "date"


@dataclass(frozen=True, slots=True)
class Words:
    """What an indicator is known by, without white space."""

    project: str
    part: int
    level1: str
    level2: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """An indicator (its id and words) and what measures it; `of` names the measure or series, or is the formula.

    `takes` says how values of a year become one: its last, its rise, mean, sum or largest.
    """

    indicator: str
    words: Words
    source: str
    of: str
    takes: str
    unit: str
    confirmed: str
    by: str
    paper_version: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a series: its day, the value as given, unit, evidence; `withdrawn` says why it no longer counts."""

    number: int
    day: str
    value: str
    unit: str
    recorded: str
    by: str
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    source: str = ""
    withdrawn: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Dated values under a name. A project's spending is a series named by the project's key."""

    name: str
    unit: str
    entries: tuple[Entry, ...] = ()

    @property
    def valid(self) -> list[Entry]:
        """Entries that were not withdrawn, by day, then in the order they were recorded."""
        return sorted((e for e in self.entries if not e.withdrawn), key=lambda e: (e.day, e.number))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an indicator's value of a year is far from its target, as a person gave it."""

    indicator: str
    year: str
    text: str
    by: str
    recorded: str


@dataclass(frozen=True, slots=True)
class Links:
    """All that was tied to one paper."""

    links: tuple[Link, ...] = ()
    series: tuple[Series, ...] = ()
    spending: tuple[Series, ...] = ()
    reasons: tuple[Reason, ...] = ()

    def link(self, indicator: str) -> Link | None:
        """The link of an indicator by its id."""
        return next((link for link in self.links if link.indicator == indicator), None)

    def named(self, name: str) -> Series | None:
        """The series of a name."""
        return next((series for series in self.series if series.name == name), None)

    def spent(self, project: str) -> Series:
        """The spending of a project; an empty series where there is none."""
        return next((s for s in self.spending if s.name == project), Series(project, "元"))

    def reason(self, indicator: str, year: str) -> str:
        """The newest reason given for an indicator and a year, or ''."""
        found = [r.text for r in self.reasons if (r.indicator, r.year) == (indicator, year)]
        return found[-1] if found else ""


@dataclass(frozen=True, slots=True)
class Item:
    """An indicator with its id and its number within the project, from 1."""

    id: str
    number: int
    words: Words
    indicator: Indicator


@dataclass(frozen=True, slots=True)
class Project:
    """A project of a kept paper: its key there, its year (the table's, else the paper's) and its indicators."""

    paper: str
    version: int
    key: str
    year: str
    table: TargetTable
    items: tuple[Item, ...]


# ---------------------------------------------------------------- projects and indicators of kept papers


def projects_of(paper: Paper, *, name: str = "", version: int = 0) -> list[Project]:
    """Every target table with its key (code, else name; '#2' for a second one) and its indicators' ids."""
    projects, seen = [], dict[str, int]()
    for table in paper.targets:
        key = squeeze(table.code or table.name)
        seen[key] = seen.get(key, 0) + 1
        key = key if seen[key] == 1 else f"{key}#{seen[key]}"
        projects.append(
            Project(name, version, key, table.year or paper.year, table, tuple(_items(key, table.indicators)))
        )
    return projects


def _items(key: str, indicators: Sequence[Indicator]) -> Iterator[Item]:
    seen = dict[Words, int]()
    for number, leaf in enumerate(indicators, 1):
        words = Words(key, leaf.part, squeeze(leaf.level1), squeeze(leaf.level2), squeeze(leaf.name))
        seen[words] = seen.get(words, 0) + 1
        text = "\x1f".join((*map(str, asdict(words).values()), str(seen[words])))
        yield Item(f"i_{hashlib.sha256(text.encode()).hexdigest()[:12]}", number, words, leaf)


def kept_projects(root: Path, paper: str) -> list[Project]:
    """The projects of the newest version of a kept paper."""
    kept = read_kept(root, paper)
    return projects_of(paper_from_values(kept.values, paper, ""), name=paper, version=kept.version)


def find_project(root: Path, word: str, *, paper: str = "") -> Project:
    """The project of a code, key or name, among all papers or in one.

    Raises NotFoundError for none, InputError naming them for several.
    """
    every = [p for name in ([paper] if paper else paper_names(root)) for p in kept_projects(root, name)]
    tight = squeeze(word)
    found = [p for p in every if tight in {p.key, squeeze(p.table.code)} - {""}]
    found = [p for p in every if tight == squeeze(p.table.name)] if len(found) != 1 else found
    found = found or [p for p in every if tight and tight in squeeze(p.table.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(
            f"no project {word[:80]!r}",
            where=paper or "all papers",
            expected="a code or name that `nexome targets show` lists",
        )
    places = "; ".join(f"--paper {p.paper} {p.key} (line {p.table.line})" for p in found[:8])
    raise InputError(
        f"{len(found)} projects {word[:80]!r}",
        expected=f"one of: {places}",
        todo="Name the paper, and the key.",
    )


def find_item(project: Project, word: str) -> Item:
    """An indicator by its number, its id, its name or a part of its name that no other has."""
    tight = squeeze(word)
    found = [i for i in project.items if tight in {str(i.number), i.id}]
    found = found or [i for i in project.items if tight == i.words.name]
    found = found or [i for i in project.items if tight and tight in i.words.name]
    if len(found) == 1:
        return found[0]
    every = found or project.items
    listed = "; ".join(f"{i.number} {i.words.name}" for i in every[:12]) + ("; …" if len(every) > 12 else "")
    what = f"{len(found)} indicators" if found else "no indicator"
    raise (InputError if found else NotFoundError)(
        f"{what} {word[:80]!r}", where=project.table.name, expected=f"one of: {listed}"
    )


def kind_of(item: Item, year: str = "") -> str:
    """How an indicator is judged: 'number', 'date' (it has a deadline), or 'level' (qualitative)."""
    if item.indicator.low is not None:
        return "number"
    return "date" if deadline_of(item.indicator.value, year) else "level"


def unit_needed(item: Item, year: str = "") -> str:
    """The unit a value of an indicator must convert to; 'date' and 'level' stand for those kinds."""
    kind = kind_of(item, year)
    unit = item.indicator.unit
    if kind != "number":
        return {"date": DATE, "level": LEVEL}[kind]
    return "万元" if unit == "万" and "成本" in item.indicator.level1 else unit


def measure_unit(name: str) -> Unit:
    """The unit of a measure: its measure word where it counts, else its UCUM unit."""
    measure = MEASURES[name]
    return unit_of(measure.unit_zh if measure.unit == "1" else measure.unit)


# ---------------------------------------------------------------- reading and writing


def load_links(root: Path, paper: str) -> Links:
    """The links of a paper; none where none were made. Raises DamagedError, FormatError, NewerVersionError."""
    values = read_links(root, paper)
    fields = {name: values[name] for name in ("links", "series", "spending", "reasons") if name in values}
    try:
        links: Links = build_record(Links, fields, f"links of {paper}")
    except (TypeError, KeyError, ValueError) as error:
        raise FormatError(
            f"links that do not fit ({error})", where=paper, expected="what Nexome wrote"
        ) from None
    return links


def not_carried(root: Path, paper: str) -> list[tuple[Link, Item | None]]:
    """Links whose indicator the newest version no longer has, each with the indicator most like it (or None).

    The likeness is a suggestion: same project and name under other levels, or the same levels under another name.
    """
    projects = kept_projects(root, paper)
    items = {item.id: item for project in projects for item in project.items}
    lost = [link for link in load_links(root, paper).links if link.indicator not in items]
    return [(link, _likest(link.words, list(items.values()))) for link in lost]


def _likest(words: Words, items: list[Item]) -> Item | None:
    same = [item for item in items if item.words.project == words.project]
    named = [item for item in same if item.words.name == words.name]
    placed = [
        i
        for i in same
        if (i.words.level1, i.words.level2, i.words.part) == (words.level1, words.level2, words.part)
    ]
    found = named or placed
    return found[0] if len(found) == 1 else None


# ---------------------------------------------------------------- links


def make_link(
    project: Project, item: Item, links: Links, *, source: str, of: str, takes: str, by: str
) -> Link:
    """A link that was checked: its source exists, its unit agrees with the indicator's, no formula turns in a circle.

    Raises InputError saying both units, NotFoundError naming what a formula may use.
    """
    where = f"{project.table.name}, {item.words.name}"
    unit = unit_needed(item, project.year)
    default = "last"
    if source == "measure":
        if of not in MEASURES:
            raise NotFoundError(
                f"no measure {of!r}", where=where, expected=", ".join(MEASURES), todo="See nexome measures."
            )
        _check_number(unit, where, source)
        check_agree(measure_unit(of), unit_of(unit), where=where)
        default = MEASURES[of].aggregation
    elif source == "series":
        series = links.named(of)
        if series is None:
            known = ", ".join(one.name for one in links.series) or "none yet: nexome targets record"
            raise NotFoundError(f"no series {of[:80]!r}", where=where, expected=known)
        if {series.unit, unit} & {DATE, LEVEL}:
            _check_same(series.unit, unit, where)
            _check_judged(takes, unit, where)
        else:
            check_agree(unit_of(series.unit), unit_of(unit), where=where)
    else:
        _check_number(unit, where, source)
        _check_formula(project, item, links, of)
    if takes and takes not in TAKES:
        raise InputError(f"takes {takes!r}", where=where, expected=", ".join(TAKES))
    return Link(item.id, item.words, source, of, takes or default, unit, now_iso(), by, project.version)


def _check_number(unit: str, where: str, source: str) -> None:
    if unit in {DATE, LEVEL}:
        raise InputError(
            f"a {source} for an indicator judged by {'its date' if unit == DATE else 'level'}", where=where,
            expected="a manual series", todo="Use nexome targets record.",
        )  # fmt: skip


def _check_judged(takes: str, unit: str, where: str) -> None:
    """Days are not added up, nor are shares that a person judged."""
    allowed = {"", "last"} if unit == DATE else {"", "last", "mean", "max"}
    if takes not in allowed:
        raise InputError(f"takes {takes!r}", where=where, expected=", ".join(sorted(allowed - {""})))


def _check_same(found: str, unit: str, where: str) -> None:
    if found != unit:
        raise InputError(f"the unit {found}", where=where, expected=f"the unit {unit}")


def _check_formula(project: Project, item: Item, links: Links, text: str) -> None:
    where = f"{project.table.name}, {item.words.name}"
    tree = parse_formula(text)
    units = {i.id: unit_needed(i, project.year) for i in project.items}
    check_cycle(links, item.id, text)

    def lookup(name: str) -> Quantity:
        unit = name_unit(name, links, units)
        if unit is None:
            raise NotFoundError(
                f"a formula that names {name!r}", where=where, todo="See nexome measures and nexome targets link list.",
                expected="a measure, a series of this paper, an indicator's id (i_…), " + ", ".join(OWN),
            )  # fmt: skip
        return Quantity(None, unit.dimension)

    found = evaluate(tree, lookup)
    wanted = unit_of(units[item.id])
    check_agree(Unit(f"of {text}", found.dimension, Decimal(1)), wanted, where=where)


def name_unit(name: str, links: Links, units: dict[str, str]) -> Unit | None:
    """The unit of a name in a formula; None for a name that stands for no number."""
    series = links.named(name)
    link = links.link(name)
    if name in OWN:
        return unit_of(OWN[name])
    if name in MEASURES:
        return measure_unit(name)
    if link is not None and name in units:
        return None if link.unit in {DATE, LEVEL} else unit_of(link.unit)
    return unit_of(series.unit) if series and series.unit not in {DATE, LEVEL} else None


def check_cycle(links: Links, start: str, text: str) -> None:
    """Raise InputError showing the circle when a formula for `start` leads back to it."""
    formulas = {link.indicator: link.of for link in links.links if link.source == "formula"} | {start: text}

    def follow(name: str, path: tuple[str, ...]) -> None:
        for used in names_of(parse_formula(formulas[name])):
            if used in path:
                circle = " → ".join((*path[path.index(used) :], used))
                raise InputError(
                    "a formula that leads back to itself", where=circle, expected="names that do not use it"
                )
            if used in formulas:
                follow(used, (*path, used))

    follow(start, (start,))


def with_link(links: Links, link: Link) -> Links:
    """The links with one put in, in the place of an older one of its indicator; order does not matter."""
    others = tuple(other for other in links.links if other.indicator != link.indicator)
    return replace(links, links=tuple(sorted((*others, link), key=lambda item: item.indicator)))


def without_link(links: Links, indicator: str) -> Links:
    """The links without that of an indicator; its series stays. Raises NotFoundError when there is none."""
    if links.link(indicator) is None:
        raise NotFoundError("no link of that indicator", where=indicator, expected="one that link list shows")
    return replace(links, links=tuple(link for link in links.links if link.indicator != indicator))


# ---------------------------------------------------------------- series, spending, reasons


def make_entry(
    value: str,
    unit: str,
    *,
    day: str,
    today: date,
    by: str,
    note: str = "",
    evidence: Sequence[Evidence] = (),
) -> Entry:
    """An entry that was checked: a day up to today; a number not below zero, a share of 0 to 100, or a date.

    Raises InputError naming what is wrong. The number is given when it is added.
    """
    text = squeeze(value)
    given = read_day(day, "--date")
    if given > today:
        raise InputError(f"the date {day}, which is to come", where="--date", expected=f"{today} or earlier")
    if unit == DATE:
        if read_day(text, "--value") > today:
            raise InputError(
                f"the date {text}, which is to come", where="--value", expected="the day it was done"
            )
    else:
        number = read_number(text, "--value")
        if unit == LEVEL and number > 100:
            raise InputError(
                f"the value {text}", where="--value", expected="0 to 100, a share of the full points"
            )
        text = str(number)
    return Entry(0, given.isoformat(), text, unit, now_iso(), by, note, tuple(evidence))


def read_day(text: str, where: str) -> date:
    """A day as YYYY-MM-DD. Raises InputError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r}", where=where, expected="a day such as 2025-06-30") from None


def read_number(text: str, where: str) -> Decimal:
    """A number that is not negative. Raises InputError."""
    try:
        number = Decimal(text.replace(",", ""))
    except ArithmeticError:
        raise InputError(f"{text[:40]!r}", where=where, expected="a number") from None
    if not number.is_finite() or number < 0:
        raise InputError(
            f"{text[:40]}",
            where=where,
            expected="a number of 0 or more",
            todo="To take a value back, use nexome targets withdraw.",
        )
    if number and not -_MOST_DIGITS < number.adjusted() < _MOST_DIGITS:
        raise InputError(f"{text[:40]}", where=where, expected=f"a number of at most {_MOST_DIGITS} digits")
    return number


def with_entry(series: tuple[Series, ...], name: str, entry: Entry) -> tuple[Series, ...]:
    """The series with an entry added to the one of a name, which is made when it is new.

    Raises InputError, saying both units, for an entry that does not convert to the series' unit.
    """
    old = next((s for s in series if s.name == name), Series(name, entry.unit))
    if {old.unit, entry.unit} & {DATE, LEVEL}:
        _check_same(entry.unit, old.unit, name)
    else:
        check_agree(unit_of(entry.unit), unit_of(old.unit), where=name)
    new = replace(old, entries=(*old.entries, replace(entry, number=len(old.entries) + 1)))
    return tuple(sorted((*(s for s in series if s.name != name), new), key=lambda s: s.name))


def without_entry(series: tuple[Series, ...], name: str, number: int, *, reason: str) -> tuple[Series, ...]:
    """The series with one entry withdrawn for a reason. Raises NotFoundError for an entry that is not there."""
    old = next((s for s in series if s.name == name), Series(name, ""))
    if number not in {entry.number for entry in old.valid}:
        known = ", ".join(str(entry.number) for entry in old.valid) or "none"
        raise NotFoundError(f"no entry {number}", where=name, expected=known)
    entries = tuple(replace(e, withdrawn=reason) if e.number == number else e for e in old.entries)
    return tuple(replace(s, entries=entries) if s.name == name else s for s in series)


def check_series_name(name: str) -> None:
    """Raise InputError for a name that a formula could not use or that means something else there."""
    taken = name in MEASURES or name in OWN
    if taken or not name.isidentifier() or len(name) > 60 or name in {"min", "max"}:
        raise InputError(
            f"a series named {name[:80]!r}", expected="letters, digits and '_', not the name of a measure"
        )


def known_unit(name: str, item_unit: str) -> str:
    """A unit a person typed, if it is one of the table or the indicator's own. Raises InputError."""
    if (
        name
        and unit_of(name).dimension[:1]
        and unit_of(name).dimension[0][0].startswith("unit ")
        and name != item_unit
    ):
        raise InputError(
            f"the unit {name!r}", expected=f"{item_unit or '个'}, or one of {', '.join(filter(None, UNITS))}"
        )
    return name or item_unit
