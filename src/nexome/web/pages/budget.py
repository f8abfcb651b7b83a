"""The budget page: where money comes from and goes as a figure, and every table with two years side by side.

For the owner and directors (`access.targets`). Lines of the two papers are matched by `report.compare`, by
table, section and code or name; a line that only one of them has stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from markupsafe import Markup

from nexome.access.targets import centre_of
from nexome.model.errors import NotFoundError
from nexome.report.compare import Change, compare_papers
from nexome.report.paper import BudgetTable, Paper
from nexome.report.standing import kept_paper
from nexome.store.papers import paper_names
from nexome.web.pages.drawings import Stream, bar, flow
from nexome.web.pages.money import amount_text, money_text, share_text
from nexome.web.pages.page import Ask, Link, Page

MOST_STREAMS: Final = 8
# Columns of 收入总表 that are sums or parts of others.
_SUMS: Final = ("合计", "本年收入")
_CARRIED: Final = ("结转下年", "年终结转")  # rows of 收支总表 that are no class of spending
_PARTS: Final = ("上年：", "结转：", "其中：")


@dataclass(frozen=True, slots=True)
class Figure:
    """One year's money as a figure: its heading, the drawing, its total."""

    year: str
    svg: Markup
    total: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: code, name, this year's and the other's amount, the change, a bar of its size."""

    code: str
    name: str
    section: str
    now: str
    before: str
    change: str
    what: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class Table:
    """A budget table: anchor, printed title, its lines."""

    id: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class BudgetPage(Page):
    """The budget of a paper beside that of another year ('' where there is none)."""

    template: ClassVar[str] = "budget.html"
    paper: str
    paper_href: str
    issuer: str
    year: str
    other_year: str
    others: tuple[Link, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]


def build_budget(ask: Ask, *, paper: str) -> BudgetPage:
    """The budget of a paper; parameter `with` names the paper beside it, else its issuer's year before."""
    root = centre_of(ask.view).root.path
    own = kept_paper(root, paper)
    if not own.budgets:
        raise NotFoundError("no budget tables in this paper", where=f"paper {paper[:80]}")
    choices = {name: kept_paper(root, name) for name in paper_names(root) if name != paper}
    choices = {name: other for name, other in choices.items() if other.budgets}
    beside = ask.choice("with", ("none", *choices), _usual(own, choices))
    other = choices.get(beside)
    return BudgetPage(
        title=ask.t("budget.title", year=own.year),
        paper=paper,
        paper_href=ask.href("papers", paper),
        issuer=own.issuer,
        year=own.year,
        other_year=other.year if other else "",
        others=_others(ask, choices, beside),
        figures=tuple(_figures(ask, [own, *([other] if other else [])])),
        tables=tuple(_tables(ask, own, other)),
    )


def _usual(own: Paper, choices: dict[str, Paper]) -> str:
    """The newest earlier paper of the same issuer (or of one that names none), else none."""
    alike = {name: other for name, other in choices.items() if other.issuer in {own.issuer, ""}}
    earlier = [(other.year, name) for name, other in alike.items() if other.year < own.year]
    return max(earlier)[1] if earlier else "none"


def _others(ask: Ask, choices: dict[str, Paper], beside: str) -> tuple[Link, ...]:
    links = [
        Link(f"{other.year} {name}", ask.again(**{"with": name}), name == beside)
        for name, other in choices.items()
    ]
    return (
        (*links, Link(ask.t("budget.alone"), ask.again(**{"with": "none"}), beside == "none"))
        if links
        else ()
    )


# ---------------------------------------------------------------- the figure


def _figures(ask: Ask, papers: Iterable[Paper]) -> Iterable[Figure]:
    for paper in papers:
        tables = {table.kind: table for table in paper.budgets}
        sources = _streams(ask, sources_of(tables.get("income")))
        uses = _streams(ask, uses_of(tables.get("expenditure"), tables.get("balance")))
        if not sources or not uses:
            continue
        total = sum((amount for _, amount in sources_of(tables.get("income"))), Decimal(0))
        text = money_text(total, ask.t)
        sentence = ask.t(
            "budget.sentence", year=paper.year, total=text, source=sources[0].name, use=uses[0].name
        )
        yield Figure(paper.year, flow(sources, uses, sentence=sentence), text)


def sources_of(income: BudgetTable | None) -> list[tuple[str, Decimal]]:
    """Where money comes from: the columns of 收入总表 that are no sums or parts of others, largest first."""
    if income is None or not income.rows:
        return []
    pairs = zip(income.columns, income.rows[0].amounts, strict=True)
    found = [
        (n, a.yuan) for n, a in pairs if a and a.yuan > 0 and n not in _SUMS and not n.startswith(_PARTS)
    ]
    return sorted(found, key=lambda pair: -pair[1])


def uses_of(expenditure: BudgetTable | None, balance: BudgetTable | None = None) -> list[tuple[str, Decimal]]:
    """Where money goes: the classes (three digits) of 支出总表, and what 收支总表 carries over."""
    rows = expenditure.rows if expenditure else ()
    found = [
        (row.name, row.amounts[0].yuan)
        for row in rows
        if len(row.code) == 3 and row.amounts and row.amounts[0]
    ]
    kept = balance.rows if balance and found else ()
    found += [
        (row.name, row.amounts[0].yuan)
        for row in kept
        if row.section == "expenditure" and row.name.startswith(_CARRIED) and row.amounts[0]
    ]
    return sorted(((name, yuan) for name, yuan in found if yuan > 0), key=lambda pair: -pair[1])


def _streams(ask: Ask, pairs: list[tuple[str, Decimal]]) -> list[Stream]:
    shown = pairs[:MOST_STREAMS]
    if rest := pairs[MOST_STREAMS:]:
        shown = [*shown, (ask.t("budget.rest", n=len(rest)), sum((yuan for _, yuan in rest), Decimal(0)))]
    return [Stream(name, float(yuan), money_text(yuan, ask.t)) for name, yuan in shown]


# ---------------------------------------------------------------- the tables


def _tables(ask: Ask, own: Paper, other: Paper | None) -> Iterable[Table]:
    changes = compare_papers(other or Paper("", "", "", ""), own)
    by_kind: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind == "budget":
            by_kind.setdefault(change.table, []).append(change)
    titles = {table.kind: table.title for table in (*(other.budgets if other else ()), *own.budgets)}
    for kind in dict.fromkeys(table.kind for table in own.budgets):
        lines = by_kind.get(kind, [])
        largest = max((abs(c.after or Decimal(0)) for c in lines), default=Decimal(0)) or Decimal(1)
        yield Table(
            kind, titles[kind], tuple(_line(ask, c, largest, alone=other is None) for c in _ordered(lines))
        )


def _ordered(changes: list[Change]) -> list[Change]:
    """Rows by code, sums last; without codes as this paper prints them, what is gone at its old place."""
    codes = {id(change): _code(change) for change in changes}
    if any(codes.values()):
        return sorted(changes, key=lambda c: (not codes[id(c)], codes[id(c)]))
    rows = sorted((c for c in changes if c.line_after), key=lambda c: c.line_after)
    for gone in (c for c in changes if not c.line_after):
        before = [i for i, c in enumerate(rows) if 0 < c.line_before <= gone.line_before]
        rows.insert(max(before, default=-1) + 1, gone)
    return rows


def _code(change: Change) -> str:
    code, _, rest = change.name.partition(" ")
    return code if rest and code.isdigit() else ""


def _line(ask: Ask, change: Change, largest: Decimal, *, alone: bool) -> Line:
    name, _, section = change.name.partition(" [")
    code = _code(change)
    name = name.removeprefix(code).strip()
    share = (change.after / change.before - 1) if change.after is not None and change.before else None
    return Line(
        code,
        name,
        ask.t.of("budget.section", section.rstrip("]")) if section else "",
        amount_text(change.after, ask.t),
        amount_text(change.before, ask.t),
        "" if alone or change.what == "same" else share_text(share, sign=True) if share is not None else "",
        "" if alone else change.what,
        bar(
            float((change.after or Decimal(0)) / largest),
            time=None,
            state="on-time",
            sentence=money_text(change.after, ask.t),
        ),
    )
