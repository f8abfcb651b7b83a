"""Rules over what two parts of a paper say of one thing.

Goals and indicators, costs and money, this year and last, an item of a list and its amount, a code and the level it
is broken down to. Every rule is narrow on purpose: it speaks only where both sides name the same thing alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from typing import Final

from nexome.report.figures import squeeze
from nexome.report.findings import Finding, money
from nexome.report.paper import BudgetTable, Fund, Indicator, Paper, TargetTable, Text

_YUAN: Final = {"元": 1, "千元": 1000, "万元": 10_000, "万": 10_000, "亿元": 10**8}
# 'A、B及C 50 篇': the things counted, how many, of what unit.
_COUNTED: Final = re.compile(
    r"([一-鿿、]{4,24}?)\s*(?:不少于|不低于|达到|≥)?\s*(\d+)\s*([篇项个人名次场家套份件])"
)
_ITEMS: Final = re.compile(r"[、及和与]")
_NUMERAL: Final = re.compile(r"^[（(]?[一二三四五六七八九十]+[)）、]")
_ONE_OFF: Final = "其他一次性项目"
_GROUP_DIGITS, _ITEM_DIGITS = 5, 7  # 款 and 项 of the functional classification


def goal_figure(paper: Paper) -> Iterator[Finding]:
    """The number a goal gives for things that an indicator counts in the same words and unit, but otherwise."""
    for table in paper.targets:
        for text in table.texts_of("goal", "overall goal"):
            for words, number, unit in _COUNTED.findall(text.text):
                for leaf in table.indicators:
                    if leaf.unit == unit and leaf.low != Decimal(number) and _same_things(words, leaf.name):
                        yield _goal_finding(table, text, leaf, f"{number} {unit}")


def _same_things(words: str, name: str) -> bool:
    """Two things or more, and the end of each ('文章' of '争取发表文章') is in the indicator's name."""
    ends = [item[-2:] for item in _ITEMS.split(words)]
    return len(ends) > 1 and all(len(end) > 1 and end in name for end in ends)


def _goal_finding(table: TargetTable, text: Text, leaf: Indicator, goal: str) -> Finding:
    target = f"{leaf.comparison if leaf.comparison not in leaf.value else ''}{leaf.value}"
    return Finding(
        "goal-figure", "warning", text.line, leaf.line, goal, target,
        f"{table.name}: the goals say {goal}, the indicator {leaf.name} says {target}.",
        f"{table.name}：总体目标为{goal}，指标“{leaf.name}”为{target}，两处不一致。", table.name,
    )  # fmt: skip


def cost_sum(paper: Paper) -> Iterator[Finding]:
    """Ceilings of all costs of a portion together against its money; unit prices and those of one piece are left out."""
    for table in paper.targets:
        for part, total in _totals(table).items():
            costs = [leaf for leaf in table.indicators if leaf.part == part and _is_cost(leaf)]
            whole = sum((leaf.low * _YUAN[leaf.unit] for leaf in costs if leaf.low is not None), Decimal(0))
            if len(costs) > 1 and whole > total.amount.yuan:
                yield Finding(
                    "cost-sum", "warning", costs[0].line, total.amount.line, money(whole), money(total.amount.yuan),
                    f"{table.name}: the ceilings of {len(costs)} costs add up to {money(whole)} 万元, the money is "
                    f"{money(total.amount.yuan)} 万元.",
                    f"{table.name}：{len(costs)}项成本指标上限之和为{money(whole)}万元，超过资金{money(total.amount.yuan)}万元。",
                    table.name,
                )  # fmt: skip


def _totals(table: TargetTable) -> dict[int, Fund]:
    totals: dict[int, Fund] = {}
    for fund in table.funds:
        if fund.role == "total":
            totals.setdefault(fund.part, fund)
    return totals


def _is_cost(leaf: Indicator) -> bool:
    whole = not re.search(r"单|每", leaf.name)
    return whole and "成本" in leaf.level1 and leaf.unit in _YUAN and leaf.comparison in {"≤", "<", "="}


def last_year(paper: Paper) -> Iterator[Finding]:
    """A project of the same name last year: money of which nothing was spent, and a box that says 'only once'."""
    for table in paper.targets:
        before = next((f for f in table.funds if "上年预算额" in f.name), None)
        spent = next((f for f in table.funds if "上年预算执行数" in f.name), None)
        if before is None or not before.amount.yuan:
            continue
        if spent is not None and not spent.amount.yuan:
            yield _last(
                table,
                before,
                "0",
                "nothing of it was spent, or the figure is missing",
                "执行数为0，请核是否漏填",
            )
        if any(text.label.endswith("/" + _ONE_OFF) and text.text == "1" for text in table.texts):
            yield _last(
                table,
                before,
                _ONE_OFF,
                "the box ticked is that of a project of one time",
                f"却勾选“{_ONE_OFF}”",
            )


def _last(table: TargetTable, before: Fund, found: str, en: str, zh: str) -> Finding:
    amount = before.amount
    return Finding(
        "last-year", "note", amount.line, 0, found, "",
        f"{table.name}: last year's project of this name had {amount.printed} {amount.unit}; {en}.",
        f"{table.name}：同名项目上年预算额为{amount.printed}{amount.unit}，{zh}。", table.name,
    )  # fmt: skip


def item_amount(paper: Paper) -> Iterator[Finding]:
    """In a sentence, the name of one row of the overview right before that of another: its amount is missing."""
    names = sorted({name for table in paper.budgets if table.kind == "balance" for name in _row_names(table)})
    for text in paper.prose:
        flat = squeeze(text.text)
        for first, second in permutations(names, 2):
            if first + second in flat:
                yield Finding(
                    "item-amount", "note", text.line, 0, first + second, "",
                    f"{first} is named without an amount, right before {second}.",
                    f"“{first}”后缺少金额，直接接“{second}”。", "prose",
                )  # fmt: skip


def _row_names(table: BudgetTable) -> Iterator[str]:
    for row in table.rows:
        name = _NUMERAL.sub("", squeeze(row.name))
        if len(name) > 3:
            yield name


def item_level(paper: Paper) -> Iterator[Finding]:
    """A group (款) without items (项) in a table that breaks its other groups down."""
    for table in paper.budgets:
        codes = {row.code: row for row in table.rows if row.code.startswith("2")}
        items = {code[:_GROUP_DIGITS] for code in codes if len(code) == _ITEM_DIGITS}
        for code, row in codes.items():
            if items and len(code) == _GROUP_DIGITS and code not in items:
                yield Finding(
                    "item-level", "note", row.line, 0, code, "",
                    f"{table.title}: {code} {squeeze(row.name)} is not broken down to items, the other groups are.",
                    f"{table.title}“{code}{squeeze(row.name)}”未列到项级科目，其他款均已列到项。", table.title,
                )  # fmt: skip


RULES = (goal_figure, cost_sum, last_year, item_amount, item_level)
