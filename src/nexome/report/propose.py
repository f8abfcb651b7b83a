"""Proposals of what could measure an indicator, by name, unit and meaning; a person confirms or does not.

For each indicator with a number: measures that have a source and whose unit agrees, by how the indicator's name ends in, holds or
shares letters with the names people give the measure; the project's own money for execution and budget costs. Scores run from 0 to 1;
below THRESHOLD nothing is proposed, and the indicator is left to a manual series. The same paper gives the same proposals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from nexome.model.measures import MEASURES, Measure
from nexome.model.units import Unit, agree, unit_of
from nexome.report.figures import squeeze
from nexome.report.links import Item, Project, kind_of, measure_unit, unit_needed

THRESHOLD: Final = Decimal("0.62")
_NAME, _UNIT, _MEANING = Decimal("0.70"), Decimal("0.15"), Decimal("0.15")
_HOLDS: Final = Decimal("0.45")  # the word stands inside the name, not at its end
_FAR: Final = 1000  # seconds and milliseconds are near, minutes and milliseconds are not
# What a count is called besides what is counted: '下载数量' asks for downloads.
_COUNTING: Final = re.compile(r"(?:的)?(?:总数量|数量|总量|总数|次数|人数|个数|规模|数|量|率)$")
_BRACKETS: Final = re.compile(r"[（(].*?[)）]")
_EXECUTION: Final = re.compile(r"预算执行率$|资金执行率$|预算资金执行率$")
_COST: Final = re.compile(
    r"^(?:项目)?(?:预算成本|预算总成本|总成本|项目总?成本|成本控制(?:总)?数|预算控制数)$"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A source for an indicator with a score of 0 to 1 and the reason in both languages."""

    indicator: str
    number: int
    source: str
    of: str
    score: Decimal
    en: str
    zh: str


def propose_links(project: Project) -> list[Proposal]:
    """Proposals for all indicators of a project: best first within an indicator, indicators in their order."""
    return [proposal for item in project.items for proposal in propose_for(project, item)]


def propose_for(project: Project, item: Item) -> list[Proposal]:
    """Proposals for one indicator, best first; empty where only a person can tell its value."""
    if kind_of(item, project.year) != "number":
        return []
    found = [*_own(project, item), *_measures(project, item)]
    return sorted(found, key=lambda p: (-p.score, p.of))


def _own(project: Project, item: Item) -> Iterator[Proposal]:
    unit, name = unit_needed(item, project.year), squeeze(_BRACKETS.sub("", item.indicator.name))
    if _EXECUTION.search(name) and unit == "%":
        yield Proposal(
            item.id, item.number, "formula", "execution", Decimal("0.95"),
            "The name asks for the execution of the budget: money spent by the project's budget.",
            "指标名称即预算执行率：项目已支出金额除以预算。",
        )  # fmt: skip
    if _COST.search(name) and unit_of(unit).dimension == unit_of("元").dimension:
        yield Proposal(
            item.id, item.number, "formula", "spent", Decimal("0.80"),
            "The whole cost of the project: the money recorded as spent.", "指标为项目总成本：取已登记的支出合计。",
        )  # fmt: skip


def _measures(project: Project, item: Item) -> Iterator[Proposal]:
    unit = unit_of(unit_needed(item, project.year))
    name = squeeze(_BRACKETS.sub("", item.indicator.name)).lower()
    for measure in MEASURES.values():
        own = measure_unit(measure.name)
        if not measure.source or not agree(own.dimension, unit.dimension) or _far(own, unit):
            continue
        word, likeness = _name_likeness(name, measure)
        exact = own.dimension == unit.dimension
        meaning = _overlap(name, f"{measure.title_zh}{measure.meaning_zh}")
        score = _NAME * likeness + _UNIT * (1 if exact else Decimal("0.5")) + _MEANING * meaning
        if score >= THRESHOLD:
            yield _proposal(item, measure, word, round(score, 2), exact=exact)


def _far(own: Unit, unit: Unit) -> bool:
    """Whether two units of time are of different worlds: minutes until somebody comes, milliseconds of a server."""
    timed = own.dimension == unit_of("s").dimension
    return timed and max(own.factor / unit.factor, unit.factor / own.factor) > _FAR


def _proposal(item: Item, measure: Measure, word: str, score: Decimal, *, exact: bool) -> Proposal:
    unit = measure.unit_zh if measure.unit == "1" else measure.unit
    fits, fits_zh = ("agree", "一致") if exact else ("do not contradict", "不矛盾")
    return Proposal(
        item.id, item.number, "measure", measure.name, score,
        f"The name says {word!r}, as {measure.title_en} does; units {item.indicator.unit or '(none)'} and {unit} {fits}. {measure.meaning_en}",
        f"名称含“{word}”，与“{measure.title_zh}”相符；单位“{item.indicator.unit or '无'}”与“{unit}”{fits_zh}。{measure.meaning_zh}",
    )  # fmt: skip


def _name_likeness(name: str, measure: Measure) -> tuple[str, Decimal]:
    """The word that fits best, and how well: 1 the whole name, less for a short end of a long name, least for standing inside."""
    core = _COUNTING.sub("", name)
    best = ("", Decimal(0))
    for word in (*measure.words, measure.title_zh):
        text = squeeze(word).lower()
        bare = _COUNTING.sub("", text)
        if not bare:
            continue
        if text == name or bare == core:
            likeness = Decimal(1)
        elif name.endswith(text) or core.endswith(bare):
            likeness = (1 + Decimal(len(bare)) / len(core)) / 2
        elif text in name:
            likeness = _HOLDS * min(Decimal(2 * len(text)) / len(name), Decimal(1))
        else:
            continue
        best = max(best, (word, likeness), key=lambda found: found[1])
    return best


def _overlap(name: str, meaning: str) -> Decimal:
    """The share of a name's pairs of letters that the meaning has too."""
    pairs = {name[i : i + 2] for i in range(len(name) - 1)}
    return Decimal(sum(pair in meaning for pair in pairs)) / max(len(pairs), 1)
