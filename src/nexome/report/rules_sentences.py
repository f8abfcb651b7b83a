"""Rules over sentences: shares, figures that must stand in a table, and declared figures that must add up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from nexome.report.figures import narrow_sentence
from nexome.report.findings import Finding, money
from nexome.report.paper import BudgetTable, Fact, Paper, Text
from nexome.report.prescribed import table_kind

_AMOUNT: Final = re.compile(r"([一-鿿（）()“”]*?)\s*(\d[\d,]*(?:\.\d+)?)\s*万元")
_SHARE: Final = re.compile(
    r"([一-鿿（）()]*?)\s*(\d[\d,]*(?:\.\d+)?)\s*万元\s*[，,]\s*占\s*(\d+(?:\.\d+)?)\s*%"
)
_EXPLAINS: Final = re.compile(r"关于(.*?)的说明")


def share(paper: Paper) -> Iterator[Finding]:
    """'A …万元，其中 B …万元，占 …%': the share against B / A, to the digits printed."""
    for paragraph in paper.prose:
        sentence = narrow_sentence(paragraph.text)
        shares = _SHARE.findall(sentence)
        total = _AMOUNT.search(sentence)
        if not shares or not total or not _number(total[2]):
            continue
        whole = _number(total[2])
        printed = [Decimal(text) for *_, text in shares]
        balanced = abs(sum(printed, Decimal(0)) - 100) == 0
        for (name, part, text), figure in zip(shares, printed, strict=True):
            quotient = _number(part) / whole * 100
            digit = Decimal(1).scaleb(-len(text.partition(".")[2]))
            right = quotient.quantize(digit, ROUND_HALF_UP)
            if right != figure:
                yield _share_finding(
                    paragraph, name, (part, total[2]), (figure, right), digit=digit, balanced=balanced
                )


def _share_finding(
    text: Text,
    name: str,
    parts: tuple[str, str],
    figures: tuple[Decimal, Decimal],
    *,
    digit: Decimal,
    balanced: bool,
) -> Finding:
    figure, right = figures
    usual = balanced and abs(right - figure) == digit
    sums = " All shares together are exactly 100 %, so this is the usual balancing." if usual else ""
    sums_zh = "各项占比合计恰为100%，属通常的尾差调整。" if usual else ""
    return Finding(
        "share-balanced" if usual else "share", "note" if usual else "error", text.line, 0, f"{figure}%", f"{right}%",
        f"{name}: {parts[0]} of {parts[1]} is {right} %, printed is {figure} %.{sums}",
        f"{name}{parts[0]}万元占{parts[1]}万元的{right}%，文中为{figure}%。{sums_zh}", "prose",
    )  # fmt: skip


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def sentence_figure(paper: Paper) -> Iterator[Finding]:
    """Each figure in the explanation of a table stands in that table, or is a sum printed in another."""
    everywhere = {
        amount.yuan for table in paper.budgets for row in table.rows for amount in row.amounts if amount
    }
    table: BudgetTable | None = None
    for paragraph in paper.prose:
        if title := _EXPLAINS.search(paragraph.text):
            kind = table_kind(title[1])
            table = next((t for t in paper.budgets if t.kind == kind), None)
            continue
        if table is None or re.match(r"三、其他事项|四、名词", paragraph.text):
            table = None
            continue
        own = {amount.yuan for row in table.rows for amount in row.amounts if amount} | {Decimal(0)}
        for name, figure in _AMOUNT.findall(narrow_sentence(paragraph.text)):
            yuan = _number(figure) * 10_000
            if yuan not in own and yuan not in everywhere:
                yield Finding(
                    "sentence-figure", "error", paragraph.line, table.line, figure, "",
                    f"{name} {figure}: no such figure in {table.title}, nor in any other table.",
                    f"文中“{name}{figure}万元”在{table.title}及其他各表中均无对应数字。", table.title,
                )  # fmt: skip


# ---------------------------------------------------------------- declared facts

_SUMS: Final = (
    ("政府采购预算总额", ("政府采购货物预算", "政府采购工程预算", "政府采购服务预算")),
    ("车辆", ("部级领导干部用车", "机要通信用车", "应急保障用车", "特种专业技术用车", "其他用车")),
    ("绩效管理预算拨款", ("绩效管理一般公共预算拨款", "绩效管理政府性基金预算拨款")),
)


def facts(paper: Paper) -> Iterator[Finding]:
    """Declared parts against their whole, and against the tables that hold the same money."""
    by_name = {fact.name: fact for fact in paper.facts}
    for whole, parts in _SUMS:
        given = [by_name[name] for name in parts if name in by_name]
        if whole in by_name and given:
            total, found = by_name[whole], sum((fact.number for fact in given), Decimal(0))
            if total.number != found:
                yield _facts_finding(total, found, given[-1])
    tables = {table.kind: table for table in paper.budgets}
    for name, kind in (("绩效管理一般公共预算拨款", "general"), ("绩效管理政府性基金预算拨款", "funds")):
        yield from _against(by_name.get(name), tables.get(kind))
    yield from _vehicles(by_name.get("购置车辆"), tables)


def _facts_finding(total: Fact, found: Decimal, last: Fact) -> Finding:
    return Finding(
        "facts-sum", "error", total.line, last.line, total.printed, f"{found:,}",
        f"{total.name} is declared as {total.printed} {total.unit}, its parts add up to {found:,}.",
        f"{total.name}为{total.printed}{total.unit}，各项之和为{found:,}{total.unit}。", "prose",
    )  # fmt: skip


def _against(fact: Fact | None, table: BudgetTable | None) -> Iterator[Finding]:
    amount = table.column(table.total, "项目支出") if table and table.total else None
    if fact and table and amount and amount.yuan != fact.number * 10_000:
        yield Finding(
            "sentence-figure", "error", fact.line, amount.line, fact.printed, money(amount.yuan),
            f"{fact.name} is declared as {fact.printed}, project spending in {table.title} is {money(amount.yuan)}.",
            f"{fact.name}为{fact.printed}万元，{table.title}中项目支出为{money(amount.yuan)}万元。", table.title,
        )  # fmt: skip


def _vehicles(fact: Fact | None, tables: dict[str, BudgetTable]) -> Iterator[Finding]:
    """Vehicles to be bought, and no money for buying them: it may come from other money, so it is a question."""
    table = tables.get("official")
    amount = table.column(table.rows[-1], "公务用车购置费") if table and table.rows else None
    if fact and fact.number and table and amount and amount.yuan == 0:
        yield Finding(
            "vehicle-money", "note", fact.line, amount.line, fact.printed, amount.printed,
            f"{fact.printed} vehicle is to be bought, but {table.title} has no money for it; it may come from other sources.",
            f"拟购置车辆{fact.printed}辆，而{table.title}中公务用车购置费为{amount.printed}，可能由其他资金安排，请核。", table.title,
        )  # fmt: skip


def projects_sum(paper: Paper) -> Iterator[Finding]:
    """Money of the published projects against project spending: what is not published is told, not blamed."""
    projects = [table for table in paper.targets if table.kind == "project"]
    declared = next((fact for fact in paper.facts if fact.name == "绩效管理预算拨款"), None)
    if declared:
        found = sum((f.amount.yuan for t in projects for f in t.funds if f.name == "财政拨款"), Decimal(0))
        whole, line, name = declared.number * 10_000, declared.line, "绩效管理预算拨款"
    else:
        table = next((t for t in paper.budgets if t.kind == "expenditure"), None)
        amount = table.column(table.total, "项目支出") if table and table.total else None
        found = sum((f.amount.yuan for t in projects for f in t.funds if f.role == "total"), Decimal(0))
        if not amount or not projects:
            return
        whole, line, name = amount.yuan, amount.line, "项目支出"
    if whole != found:
        yield Finding(
            "projects-sum", "note", line, projects[0].line if projects else 0, money(whole), money(found),
            f"{name} is {money(whole)}, the projects published with targets add up to {money(found)}.",
            f"{name}为{money(whole)}万元，所附目标表的项目合计{money(found)}万元。", "",
        )  # fmt: skip


RULES = (share, sentence_figure, facts, projects_sum)
