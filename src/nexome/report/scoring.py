"""The score of a project, of a department's own table, and of a paper: every number with where it comes from.

    score_project    execution × 10 + the sum of weight × completion; each number is a `Number`: value, formula, inputs
    score_paper      all projects of a paper, rolled up by their money

What has no value scores nothing and is flagged; what is far from its target is flagged until a reason is given. Points are rounded to
0.01 per indicator, half up, and the total is the sum of what is shown. Rule: scoring_rule; shares: completion; weights: weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from nexome.model.errors import InputError, NexomeError
from nexome.report.completion import Completion, completion_of, shown
from nexome.report.link_values import Input, NoValueError, Number, Reading, Resolver, yearly_funds
from nexome.report.links import Item, Links, Project, kind_of
from nexome.report.scoring_rule import ScoringRule
from nexome.report.weights import CENT, NOTES, weights_of

# code → (English, Chinese)
FLAGS: Final[dict[str, tuple[str, str]]] = {
    "no-link": ("nothing measures this indicator yet", "尚未关联数据"),
    "no-value": ("no value in this year", "本年度无数据"),
    "no-evidence": ("a manual value without evidence", "人工填报值缺少佐证材料"),
    "evidence-damaged": ("evidence is gone or was changed", "佐证材料缺失或已被改动"),
    "reason-needed": ("deviates by more than {beyond} % and has no reason", "偏差超过{beyond}%，未说明原因"),
    "not-computable": ("the link no longer fits the indicator's unit, or its formula divides by zero", "关联与指标单位不再相符，或公式除数为零"),
    "no-spending": ("no spending recorded in this year", "本年度未登记支出"),
    "payment-no-evidence": ("a payment without evidence", "支出登记缺少凭证"),
    "over-budget": ("more is spent than the budget", "支出超过预算"),
    "other-year": ("the paper is of {paper_year}, scored for {year}", "目标表年度为{paper_year}，评分年度为{year}"),
    "year-open": ("the year is not over: as of {as_of}", "年度尚未结束，数据截至{as_of}"),
}  # fmt: skip

_WITHOUT: Final = {"series": "no-evidence", "spending": "payment-no-evidence"}


@dataclass(frozen=True, slots=True)
class IndicatorScore:
    """One indicator's part: weight, value (None: none), share of the target, points, deviation, reason, flags.

    `value` of a date is its ordinal, of a level its share (`kind` tells); `shown` is the value as people write it.
    """

    id: str
    number: int
    level1: str
    level2: str
    name: str
    target: str
    unit: str
    kind: str
    line: int
    weight: Decimal
    value: Number | None
    shown: str
    completion: Number
    points: Number
    deviation: Decimal | None
    reason: str
    flags: tuple[str, ...]


def is_reached(item: IndicatorScore, rule: ScoringRule) -> bool:
    """Whether an indicator's target is reached: all of it, or for a qualitative one its highest level."""
    enough = rule.levels[0].low / 100 if item.kind == "level" else Decimal(1)
    return item.value is not None and item.completion.value >= enough


@dataclass(frozen=True, slots=True)
class FundScore:
    """Money of the project (total) or of one source: budget, spent, and its execution in per cent.

    The rate is None without a budget, and for a source when payments of unknown source were recorded.
    """

    name: str
    role: str
    budget: Decimal
    spent: Decimal
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Score:
    """A project's score of a year as of a day, with the rule it follows; amounts in yuan, points of 100."""

    paper: str
    paper_version: int
    project: str
    code: str
    name: str
    kind: str
    department: str
    unit: str
    paper_year: str
    year: int
    as_of: str
    rule: ScoringRule
    funds: tuple[FundScore, ...]
    execution: Number
    indicators: tuple[IndicatorScore, ...]
    total: Number
    grade: str
    flags: tuple[str, ...]
    weights_note: tuple[str, str]

    def flag_text(self, code: str, *, zh: bool) -> str:
        """A flag in words."""
        beyond = shown(self.rule.reason_beyond * 100)
        words = {"as_of": self.as_of, "year": self.year, "beyond": beyond, "paper_year": self.paper_year}
        return FLAGS[code][int(zh)].format(**words)


@dataclass(frozen=True, slots=True)
class PaperScore:
    """A department's score: its projects' scores by money. `whole` is the score of its own table, if the paper has one."""

    paper: str
    year: int
    projects: tuple[Score, ...]
    total: Number
    grade: str
    whole: Score | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a score depends on besides the paper: links, readings by measure, year, day, rule, and what checks evidence."""

    links: Links
    readings: Mapping[str, Sequence[Reading]]
    year: int
    as_of: date
    rule: ScoringRule = ScoringRule()  # noqa: RUF009  frozen
    created: str = ""
    evidence_fault: Callable[[str], NexomeError | None] = lambda _: None

    def resolver(self, project: Project) -> Resolver:
        """What gives the values of a project's indicators."""
        return Resolver(project, self.links, self.readings, self.year, self.as_of, self.created)


def score_project(project: Project, given: Circumstances) -> Score:
    """The score of one project (or of a department's own table). Raises InputError for a year not begun."""
    if given.as_of < date(given.year, 1, 1):
        raise InputError(f"the year {given.year}", where="--year", expected=f"a year begun by {given.as_of}")
    table, rule = project.table, given.rule
    weights = weights_of(project.items, rule)
    resolver = given.resolver(project)
    indicators = tuple(
        _indicator(item, weight, resolver, given)
        for item, weight in zip(project.items, weights.weights, strict=True)
    )
    execution, flags = _execution(resolver, given)
    points = [execution, *(item.points for item in indicators)]
    value = sum((number.value for number in points), Decimal(0))
    inputs = tuple(
        Input("rule", name, shown(number.value), "分")
        for name, number in zip(["预算执行率", *(item.name for item in indicators)], points, strict=True)
    )
    total = Number(value, " + ".join(shown(number.value) for number in points), inputs)
    note = tuple(text.format(**weights.words) for text in NOTES[weights.note])
    return Score(
        project.paper, project.version, project.key, table.code, table.name, table.kind, table.department, table.unit,
        project.year, given.year, given.as_of.isoformat(), rule, tuple(_funds(resolver)), execution, indicators, total,
        rule.grade_of(value), (*flags, *_year_flags(project, given)), (note[0], note[1]),
    )  # fmt: skip


def score_paper(projects: Sequence[Project], given: Circumstances) -> PaperScore:
    """All projects of a paper, their scores weighed by their budgets; without any money they count alike."""
    scores = [score_project(project, given) for project in projects]
    parts = [score for score in scores if score.kind == "project"]
    if not parts:
        raise InputError(
            "a paper without projects",
            where=projects[0].paper if projects else "",
            expected="target tables of projects",
        )
    money = [score.funds[0].budget if score.funds else Decimal(0) for score in parts]
    money = money if any(money) else [Decimal(1)] * len(parts)
    pairs = list(zip(parts, money, strict=True))
    total = sum((score.total.value * weight for score, weight in pairs), Decimal(0)) / sum(money, Decimal(0))
    inputs = tuple(
        Input("rule", f"{s.code or s.name}", shown(s.total.value), f"分 × {shown(w)} 元") for s, w in pairs
    )
    number = Number(_cents(total), "Σ points × budget ÷ Σ budget", inputs)
    whole = next((score for score in scores if score.kind == "department"), None)
    return PaperScore(
        projects[0].paper, given.year, tuple(parts), number, given.rule.grade_of(number.value), whole
    )


def _year_flags(project: Project, given: Circumstances) -> list[str]:
    flags = ["other-year"] if project.year and project.year != str(given.year) else []
    return flags + (["year-open"] if given.as_of < date(given.year, 12, 31) else [])


# ---------------------------------------------------------------- money


def _execution(resolver: Resolver, given: Circumstances) -> tuple[Number, list[str]]:
    points = given.rule.execution_points
    try:
        rate = resolver.own("execution") / 100
    except NoValueError:
        return Number(Decimal(0), "0"), ["no-spending"]
    inputs = resolver.taken()
    value = _cents(points * min(rate, Decimal(1)))
    formula = f"{shown(points)} × min(1, {shown(resolver.own('spent'))} ÷ {shown(resolver.own('budget'))})"
    found = Number(value, formula, inputs)
    return found, (["over-budget"] if rate > 1 else []) + _evidence_flags(found, given)


def _funds(resolver: Resolver) -> list[FundScore]:
    """The total, then each source printed; what names no source belongs to the only one, or to none that is known."""
    entries = resolver.entries(resolver.links.spent(resolver.project.key).valid)
    budget = sum((fund.amount.yuan for fund in yearly_funds(resolver.project)), Decimal(0))
    found = [_fund("年度资金总额", "total", budget, sum(map(resolver.yuan, entries), Decimal(0)))]
    by_source: dict[str, Decimal] = {}
    for fund in resolver.project.table.funds:
        if fund.role == "source":
            by_source[fund.name] = by_source.get(fund.name, Decimal(0)) + fund.amount.yuan
    filled = [name for name, amount in by_source.items() if amount]
    only = filled[0] if len(filled) == 1 else ""
    unknown = any(not (entry.source or only) for entry in entries)
    for name, amount in by_source.items():
        own = [resolver.yuan(entry) for entry in entries if (entry.source or only) == name]
        made = _fund(name, "source", amount, sum(own, Decimal(0)))
        found.append(replace(made, rate=None) if unknown else made)
    return found


def _fund(name: str, role: str, budget: Decimal, spent: Decimal) -> FundScore:
    return FundScore(name, role, budget, spent, spent / budget * 100 if budget else None)


# ---------------------------------------------------------------- indicators


def _indicator(item: Item, weight: Decimal, resolver: Resolver, given: Circumstances) -> IndicatorScore:
    leaf, year = item.indicator, resolver.project.year
    value, flags = _value(item, resolver)
    reached = (
        completion_of(item, value.value, rule=given.rule, year=year)
        if value
        else Completion(Decimal(0), "0", None)
    )
    points = _cents(weight * reached.share)
    reason = given.links.reason(item.id, str(given.year))
    if value is not None:
        flags += _evidence_flags(value, given)
    if reached.deviation is not None and abs(reached.deviation) > given.rule.reason_beyond and not reason:
        flags.append("reason-needed")
    inputs = value.inputs if value else ()
    return IndicatorScore(
        item.id, item.number, leaf.level1, leaf.level2, leaf.name, target_text(item), leaf.unit, kind_of(item, year), leaf.line, weight,
        value, value_text(item, value, given.rule, year), Number(reached.share, reached.formula, inputs),
        Number(points, f"{shown(weight)} × {shown(reached.share)}", inputs), reached.deviation, reason, tuple(flags),
    )  # fmt: skip


def _value(item: Item, resolver: Resolver) -> tuple[Number | None, list[str]]:
    link = resolver.links.link(item.id)
    if link is None:
        return None, ["no-link"]
    try:
        value = resolver.value(item.id)
    except InputError:  # units that agreed when the link was confirmed, or a division by zero today
        return None, ["not-computable"]
    return value, [] if value else ["no-value"]


def _evidence_flags(value: Number, given: Circumstances) -> list[str]:
    bare = dict.fromkeys(item.source for item in value.inputs if not item.evidence)
    flags = [code for source, code in _WITHOUT.items() if source in bare]
    named = {evidence.sha256 for item in value.inputs for evidence in item.evidence}
    return flags + (["evidence-damaged"] if any(map(given.evidence_fault, sorted(named))) else [])


def target_text(item: Item) -> str:
    """A target as printed, in one piece: comparison, value, unit."""
    leaf = item.indicator
    value = leaf.value
    if leaf.low is None:
        return value
    sign = (
        leaf.comparison
        if leaf.comparison and not value.startswith((leaf.comparison, "不", "约", "大于", "小于"))
        else ""
    )
    unit = leaf.unit if leaf.unit not in {"", "date"} and leaf.unit not in value.replace(" ", "") else ""
    return f"{sign}{value}{unit}"


def value_text(item: Item, value: Number | None, rule: ScoringRule, year: str) -> str:
    """A value as people write it: with its unit, as a day, or as a level; '' for none."""
    if value is None:
        return ""
    kind = kind_of(item, year)
    if kind == "date":
        return date.fromordinal(int(value.value)).isoformat()
    if kind == "level":
        return f"{rule.level_of(value.value).zh}（{shown(value.value)}%）"
    unit = "" if item.indicator.unit == "无" else item.indicator.unit
    return f"{shown(value.value)}{unit}"


def _cents(number: Decimal) -> Decimal:
    return number.quantize(CENT, ROUND_HALF_UP)
