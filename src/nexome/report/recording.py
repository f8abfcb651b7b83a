"""What people decide and record: links confirmed and removed, values, payments, reasons; each checked, then written with its event.

Everything is checked first, then the evidence is kept, then links.json is written: whatever fails leaves nothing half done. Each
function takes the root's lock for the whole of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nexome.model.errors import InputError
from nexome.model.units import check_agree, unit_of
from nexome.report.kept_scores import today
from nexome.report.links import (
    DATE,
    LEVEL,
    Entry,
    Item,
    Link,
    Links,
    Project,
    Reason,
    check_series_name,
    known_unit,
    load_links,
    make_entry,
    make_link,
    unit_needed,
    with_entry,
    with_link,
    without_entry,
    without_link,
)
from nexome.report.records import plain_values
from nexome.store.disk import RootLock, now_iso
from nexome.store.links import keep_evidence, write_links
from nexome.store.root import Root

_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Given:
    """What a person recorded: value, unit ('' for the indicator's), day, who, a note, files that show it."""

    value: str
    unit: str
    day: str
    by: str
    note: str = ""
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What shall measure an indicator: source (links.SOURCES), its name or formula, how a year's values become one, why."""

    source: str
    of: str
    takes: str = ""
    note: str = ""


def confirm_link(root: Root, project: Project, item: Item, choice: Choice, *, by: str) -> Link:
    """Tie an indicator to a source, in the place of what it was tied to. Raises as links.make_link."""

    def update(links: Links) -> tuple[Links, Link, dict[str, Any]]:
        made = make_link(project, item, links, source=choice.source, of=choice.of, takes=choice.takes, by=by)
        link = replace(made, note=choice.note)
        return with_link(links, link), link, asdict(choice) | {"takes": link.takes}

    return _written(root, project, "confirmed", by, update, item)


def remove_link(root: Root, project: Project, indicator: str, *, by: str) -> Link:
    """Untie an indicator by its id; gives the link that was. Raises NotFoundError when it has none."""

    def update(links: Links) -> tuple[Links, Link, dict[str, Any]]:
        after = without_link(links, indicator)
        link = next(link for link in links.links if link.indicator == indicator)
        return after, link, {"indicator": indicator, "link": plain_values(asdict(link))}

    return _written(root, project, "removed", by, update)


def record_value(
    root: Root, project: Project, item: Item, given: Given, *, series: str = "", takes: str = ""
) -> tuple[Entry, Link]:
    """Add a value to an indicator's series (its own by default); the first one ties the indicator to it.

    Returns the entry with its number, and what the indicator is tied to now. Raises InputError for a value,
    unit, day or file that cannot be: where, found, expected.
    """

    def update(links: Links) -> tuple[Links, tuple[Entry, Link], dict[str, Any]]:
        tied = links.link(item.id)
        name = series or (tied.of if tied and tied.source == "series" else item.id)
        entry = _checked(project, item, given, name)
        trial = replace(links, series=with_entry(links.series, name, entry))
        link = make_link(project, item, trial, source="series", of=name, takes=takes, by=given.by)
        entry = _with_evidence(root, project, entry, given)
        after = replace(links, series=with_entry(links.series, name, entry))
        kept = tied if tied and not takes and not series else link
        numbered = _last(after.series, name)
        return with_link(after, kept), (numbered, kept), {"series": name, **_told(numbered)}

    return _written(root, project, "recorded", given.by, update, item)


def record_payment(root: Root, project: Project, given: Given, *, source: str = "") -> Entry:
    """Add money spent by a project, of a source as printed; gives the entry with its number.

    Raises InputError for an amount, unit, day, source or file that cannot be.
    """

    def update(links: Links) -> tuple[Links, Entry, dict[str, Any]]:
        entry = replace(_checked_payment(project, given, source), source=source)
        entry = _with_evidence(root, project, entry, given)
        after = replace(links, spending=with_entry(links.spending, project.key, entry))
        numbered = _last(after.spending, project.key)
        return after, numbered, {"source": source, **_told(numbered)}

    return _written(root, project, "spent", given.by, update)


def withdraw_entry(
    root: Root, project: Project, number: int, *, item: Item | None, reason: str, by: str
) -> str:
    """Take back a value of an indicator, or (without one) a payment: it stays and no longer counts.

    Returns the name of the series. Raises NotFoundError for an entry that is not there.
    """

    def update(links: Links) -> tuple[Links, str, dict[str, Any]]:
        said = {"entry": number, "reason": reason}
        if item is None:
            spending = without_entry(links.spending, project.key, number, reason=reason)
            return replace(links, spending=spending), project.key, said
        link = links.link(item.id)
        name = link.of if link and link.source == "series" else item.id
        series = without_entry(links.series, name, number, reason=reason)
        return replace(links, series=series), name, said | {"series": name}

    return _written(root, project, "withdrawn", by, update, item)


def give_reason(root: Root, project: Project, item: Item, *, year: int, text: str, by: str) -> Reason:
    """Say why an indicator's value of a year is far from its target. Raises InputError for an empty reason."""
    words = " ".join(text.split())
    if not words:
        raise InputError("an empty reason", where=item.words.name, expected="why, and what is done about it")

    def update(links: Links) -> tuple[Links, Reason, dict[str, Any]]:
        reason = Reason(item.id, str(year), words, by, now_iso())
        return replace(links, reasons=(*links.reasons, reason)), reason, {"year": year, "text": words}

    return _written(root, project, "reason", by, update, item)


def _written(
    root: Root, project: Project, what: str, by: str, update: Callable[[Links], tuple[Links, Any, dict[str, Any]]],
    item: Item | None = None,
) -> Any:  # fmt: skip
    """Apply a change under the lock, write it with its event, and give what the change made."""
    with RootLock(root.path, wait_s=_WAIT_S):
        after, made, said = update(load_links(root.path, project.paper))
        about = {"indicator": item.id, "name": item.indicator.name} if item else {}
        change = {"what": what, "project": project.key, **about, **said, "by": by}
        write_links(root, project.paper, plain_values(asdict(after)), change=change)
    return made


def _checked(project: Project, item: Item, given: Given, name: str) -> Entry:
    where = f"{project.table.name}, {item.words.name}"
    needed = unit_needed(item, project.year)
    if name != item.id:
        check_series_name(name)
    if needed in {DATE, LEVEL}:
        if given.unit not in {"", needed, "%" if needed == LEVEL else needed}:
            expected = "a day, without a unit" if needed == DATE else "0 to 100, in % of the full points"
            raise InputError(f"the unit {given.unit}", where=where, expected=expected)
        unit = needed
    else:
        unit = known_unit(given.unit, needed)
        check_agree(unit_of(unit), unit_of(needed), where=where)
    return make_entry(given.value, unit, day=given.day, today=today(), by=given.by, note=given.note)


def _checked_payment(project: Project, given: Given, source: str) -> Entry:
    check_agree(unit_of(given.unit), unit_of("元"), where=project.table.name)
    sources = list(dict.fromkeys(fund.name for fund in project.table.funds if fund.role == "source"))
    if source and source not in sources:
        expected = ", ".join(sources) or "none: the paper prints no sources"
        raise InputError(f"the source {source!r}", where=project.table.name, expected=expected)
    return make_entry(given.value, given.unit, day=given.day, today=today(), by=given.by, note=given.note)


def _with_evidence(root: Root, project: Project, entry: Entry, given: Given) -> Entry:
    kept = tuple(keep_evidence(root.path, project.paper, file) for file in given.files)
    return replace(entry, evidence=tuple(dict.fromkeys(kept)))


def _last(series: tuple[Any, ...], name: str) -> Entry:
    entry: Entry = next(s for s in series if s.name == name).entries[-1]
    return entry


def _told(entry: Entry) -> dict[str, Any]:
    evidence = [item.sha256 for item in entry.evidence]
    return {
        "entry": entry.number,
        "value": entry.value,
        "unit": entry.unit,
        "day": entry.day,
        "evidence": evidence,
    }
