"""Rules over the budget tables: sums, balances, and what two tables must have in common."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from nexome.report.findings import Finding, money
from nexome.report.paper import Amount, BudgetRow, BudgetTable, Paper
from nexome.report.prescribed import ROW_SUMS

# Budget figures are amounts to the cent of 万元 or finer and printed exactly: sums must agree exactly, but for a last digit.
_LAST_DIGIT = Decimal(100)


def row_sum(paper: Paper) -> Iterator[Finding]:
    """Columns of a row against the column that is their sum."""
    for table in paper.budgets:
        for row in table.rows:
            for total, parts in _row_sums(table):
                yield from _compare_sum(
                    table, row, table.column(row, total), [table.column(row, p) for p in parts], total
                )


def _row_sums(table: BudgetTable) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if table.kind != "income":
        return ROW_SUMS.get(table.kind, ())
    if "本年收入" not in table.columns:
        return (("合计", tuple(c for c in table.columns if c not in {"合计", "其中：教育收费"})),)
    cut = table.columns.index("上年结转")
    return (
        ("合计", ("本年收入", "上年结转")),
        ("本年收入", table.columns[2:cut]),
        ("上年结转", table.columns[cut + 1 :]),
    )


def _compare_sum(
    table: BudgetTable, row: BudgetRow, total: Amount | None, parts: Sequence[Amount | None], name: str
) -> Iterator[Finding]:
    filled = [amount for amount in parts if amount is not None]
    if total is None or not filled:
        return
    found = sum((amount.yuan for amount in filled), Decimal(0))
    if abs(found - total.yuan) > _slack(total):
        yield Finding(
            "row-sum", "error", row.line, 0, money(total.yuan), money(found),
            f"{table.title}, {row.name}: {name} is printed as {money(total.yuan)}, its columns add up to {money(found)}.",
            f"{table.title}“{row.name}”：{name}为{money(total.yuan)}万元，各列之和为{money(found)}万元。", table.title,
        )  # fmt: skip


def _slack(total: Amount) -> Decimal:
    """Nothing for figures printed to six decimals; one last digit where two are printed."""
    return Decimal(1) if len(total.printed.partition(".")[2]) > 2 else _LAST_DIGIT


def child_sum(paper: Paper) -> Iterator[Finding]:
    """Each coded parent against its nearest descendants; the total against the rows without a parent."""
    for table in paper.budgets:
        rows = [row for row in table.rows if row.code]
        codes = Counter(row.code for row in rows)
        if len(rows) < 2 or table.kind == "procurement":
            continue
        children: dict[str, list[BudgetRow]] = defaultdict(list)
        for row in rows:
            prefixes = (row.code[:length] for length in range(len(row.code) - 1, 2, -1))
            parent = next((prefix for prefix in prefixes if prefix in codes), "")
            children[parent if codes[parent] == 1 else ""].append(row)
        by_code = {row.code: row for row in rows}
        for parent, below in children.items():
            if parent:
                yield from _compare_children(table, by_code[parent], below)
        for total in (row for row in table.rows if "合计" in row.name):
            yield from _compare_children(table, total, _under(total, children[""]))
    yield from _plain_totals(paper)


def _under(total: BudgetRow, top: list[BudgetRow]) -> list[BudgetRow]:
    """Top rows that a total sums: staff money is 301, 303; running money 302, 310."""
    if total.name.startswith("人员"):
        return [row for row in top if row.code[:3] in {"301", "303"}]
    if total.name.startswith("公用"):
        return [row for row in top if row.code[:3] not in {"301", "303"}]
    return top


def _compare_children(table: BudgetTable, parent: BudgetRow, below: list[BudgetRow]) -> Iterator[Finding]:
    for i, column in enumerate(table.columns):
        total = parent.amounts[i]
        parts = [row.amounts[i] for row in below if row.amounts[i] is not None]
        if total is None or not parts:
            continue
        found = sum((amount.yuan for amount in parts if amount), Decimal(0))
        if abs(found - total.yuan) > _slack(total):
            gap = money(total.yuan - found)
            yield Finding(
                "child-sum", "error", parent.line, below[-1].line, money(total.yuan), money(found),
                f"{table.title}, {parent.code} {parent.name}, {column}: printed {money(total.yuan)}, "
                f"the rows below add up to {money(found)}; {gap} is missing.",
                f"{table.title}“{parent.code}{parent.name}”{column}为{money(total.yuan)}万元，下级科目之和为{money(found)}万元，"
                f"相差{gap}万元。", table.title,
            )  # fmt: skip


def _plain_totals(paper: Paper) -> Iterator[Finding]:
    """Tables without a hierarchy of codes: procurement and services."""
    for table in paper.budgets:
        if (table.kind == "procurement" and (total := table.total)) or (
            table.kind == "services"
            and (total := table.total)
            and not any(len(row.codes) == 1 for row in table.rows)
        ):
            yield from _compare_children(table, total, [row for row in table.rows if row is not total])


# ---------------------------------------------------------------- two sides


def balance(paper: Paper) -> Iterator[Finding]:
    """Income equals expenditure; each side's lines add up to its subtotal, and the subtotals to its total."""
    for table in paper.budgets:
        if table.kind not in {"balance", "fiscal"}:
            continue
        sides = {
            side: [row for row in table.rows if row.section == side] for side in ("income", "expenditure")
        }
        totals = [next((r for r in rows if r.name.endswith("总计")), None) for rows in sides.values()]
        if totals[0] and totals[1] and totals[0].amounts[0] and totals[1].amounts[0]:
            yield from _equal(table, totals[0], totals[1].amounts[0])
        for rows in sides.values():
            yield from _side(table, rows)


def _equal(table: BudgetTable, row: BudgetRow, other: Amount) -> Iterator[Finding]:
    one = row.amounts[0]
    if one and one.yuan != other.yuan:
        yield Finding(
            "balance", "error", one.line, other.line, money(one.yuan), money(other.yuan),
            f"{table.title}: total income {money(one.yuan)} is not total expenditure {money(other.yuan)}.",
            f"{table.title}：收入总计{money(one.yuan)}万元与支出总计{money(other.yuan)}万元不等。", table.title,
        )  # fmt: skip


def _side(table: BudgetTable, rows: list[BudgetRow]) -> Iterator[Finding]:
    """Lines before 本年…合计 sum to it; it and the lines after sum to the total. (一)… sum to the line above them."""
    parent: BudgetRow | None = None
    below: list[BudgetRow] = []
    upper: list[BudgetRow] = []
    for row in rows:
        if re.match(r"[(（][一二三四五六七八九十]", row.name):
            below.append(row)
            continue
        if parent is not None:
            yield from _line_sum(table, parent, below)
        if row.name.endswith("总计"):
            yield from _line_sum(table, row, upper)
            return
        if row.name.endswith("合计"):
            yield from _line_sum(table, row, upper)
            upper, parent, below = [row], None, []
        elif (
            upper
            and upper[0].name.endswith("合计")
            and re.match(r"[一二三四五]、", row.name)
            and table.kind == "fiscal"
        ):
            continue  # the parts of 上年结转结余, which stands above them
        else:
            upper.append(row)
            parent, below = row, []


def _line_sum(table: BudgetTable, parent: BudgetRow, below: list[BudgetRow]) -> Iterator[Finding]:
    total = parent.amounts[0]
    parts = [amount for row in below if (amount := row.amounts[0])]
    found = sum((amount.yuan for amount in parts), Decimal(0))
    if total and parts and abs(found - total.yuan) > _slack(total):
        yield Finding(
            "balance", "error", parent.line, below[-1].line, money(total.yuan), money(found),
            f"{table.title}, {parent.name}: printed {money(total.yuan)}, its lines add up to {money(found)}.",
            f"{table.title}“{parent.name}”为{money(total.yuan)}万元，各项之和为{money(found)}万元。", table.title,
        )  # fmt: skip


# ---------------------------------------------------------------- two tables

Cell = tuple[BudgetTable, str, Amount]


def two_tables(paper: Paper) -> Iterator[Finding]:
    """Figures that more than one table prints: totals, basic and project spending, classes, 三公 lines."""
    tables = {table.kind: table for table in paper.budgets}
    for one, others in _pairs(tables):
        if one and others and all(other[2].yuan != one[2].yuan for other in others):
            other = others[0]
            yield Finding(
                "two-tables", "error", one[2].line, other[2].line, money(one[2].yuan), money(other[2].yuan),
                f"{one[1]} is {money(one[2].yuan)} in {one[0].title}, but {other[1]} is {money(other[2].yuan)} in {other[0].title}.",
                f"{one[0].title}中{one[1]}为{money(one[2].yuan)}万元，{other[0].title}中{other[1]}为{money(other[2].yuan)}万元。",
                one[0].title,
            )  # fmt: skip


def _pairs(tables: dict[str, BudgetTable]) -> Iterator[tuple[Cell | None, list[Cell]]]:
    def named(kind: str, pattern: str, section: str = "", column: int = 0) -> Cell | None:
        table = tables.get(kind)
        rows = (
            [r for r in table.rows if re.search(pattern, r.name) and section in {"", r.section}]
            if table
            else []
        )
        amount = rows[0].amounts[column] if rows and column < len(rows[0].amounts) else None
        return (table, rows[0].name, amount) if table and amount else None

    def total(kind: str, column: str) -> Cell | None:
        table = tables.get(kind)
        amount = table.column(table.total, column) if table and table.total else None
        return (table, column, amount) if table and amount else None

    def some(*cells: Cell | None) -> list[Cell]:
        return [cell for cell in cells if cell]

    yield named("balance", "本年支出合计"), some(total("expenditure", "合计"))
    yield named("balance", "收入总计"), some(total("income", "合计"))
    yield named("balance", "^一、一般公共"), some(total("income", "一般公共预算拨款收入"))
    yield named("balance", "^上年结转"), some(total("income", "上年结转"))
    fiscal_income = named("fiscal", r"一般公共预算(财政拨款|资金)", "income")
    yield named("balance", "^一、一般公共"), some(fiscal_income)
    fiscal_spending = named("fiscal", r"本年支出", "expenditure")
    yield total("general", "合计"), some(fiscal_income, fiscal_spending)
    yield total("general", "基本支出"), some(total("basic", "合计"))
    yield total("general", "人员经费"), some(total("basic", "人员经费"))
    yield from _classes(tables)
    basic = tables.get("basic")
    if basic and basic.total is None:  # staff and running money, each with a total of its own
        yield from _split_basic(basic, total("general", "基本支出"))


def _classes(tables: dict[str, BudgetTable]) -> Iterator[tuple[Cell | None, list[Cell]]]:
    """Each class (206, 208, 221 …) of 支出总表 against the line of its name in 收支总表."""
    spending, sides = tables.get("expenditure"), tables.get("balance")
    if not spending or not sides:
        return
    for row in spending.rows:
        if len(row.code) == 3 and row.amounts[0]:
            for other in sides.rows:
                if other.section == "expenditure" and other.name.endswith(row.name) and other.amounts[0]:
                    yield (spending, row.name, row.amounts[0]), [(sides, other.name, other.amounts[0])]


def _split_basic(basic: BudgetTable, whole: Cell | None) -> Iterator[tuple[Cell | None, list[Cell]]]:
    parts = [row.amounts[0] for row in basic.rows if row.name.endswith("经费合计") and row.amounts[0]]
    if whole and len(parts) == 2:
        added = sum((part.yuan for part in parts if part), Decimal(0))
        first = parts[0]
        if first:
            yield whole, [(basic, "人员经费+公用经费", Amount(added, "", basic.unit, first.line))]


def code_name(paper: Paper) -> Iterator[Finding]:
    """A functional code with two names."""
    seen: dict[str, tuple[str, str, int]] = {}
    told: set[tuple[str, str]] = set()
    for table in paper.budgets:
        for row in table.rows:
            if not row.code.startswith("2"):
                continue
            name = row.name.partition("|")[0]
            first = seen.setdefault(row.code, (name, table.title, row.line))
            if first[0] != name and (row.code, name) not in told:
                told.add((row.code, name))
                yield Finding(
                    "code-name", "warning", row.line, first[2], name, first[0],
                    f"{row.code} is called {name} in {table.title}, but {first[0]} in {first[1]}.",
                    f"{row.code}在{table.title}中为“{name}”，在{first[1]}中为“{first[0]}”。", table.title,
                )  # fmt: skip


def figure_form(paper: Paper) -> Iterator[Finding]:
    """Figures that are read with a doubt: a comma where a point must be."""
    for table in paper.budgets:
        for row in table.rows:
            for amount in row.amounts:
                if amount and amount.doubt:
                    yield Finding(
                        "figure-form", "error", amount.line, 0, amount.printed, money(amount.yuan),
                        f"{table.title}, {row.name}: {amount.printed} is no well-formed figure; read as {money(amount.yuan)}.",
                        f"{table.title}“{row.name}”：“{amount.printed}”书写有误，按{money(amount.yuan)}万元读取。", table.title,
                    )  # fmt: skip


# Tables that are always printed with a total. The two sides of the first two each have their own.
_WITH_TOTAL = ("income", "expenditure", "general", "basic")
_WITH_TWO_SIDES = ("balance", "fiscal")
_SIDES_ZH = {"income": "收入", "expenditure": "支出"}


def no_total(paper: Paper) -> Iterator[Finding]:
    """A table with rows but without its total: cut in half, or a page is missing."""
    for table in paper.budgets:
        if not table.rows:
            continue
        ends = {row.section for row in table.rows if row.name.endswith(("合计", "总计"))}
        last = table.rows[-1].line
        if table.kind in _WITH_TOTAL and not ends:
            yield Finding(
                "no-total", "error", last, table.line, "", "合计",
                f"{table.title} has no total row; it ends at line {last}. Was it cut, or is a page missing?",
                f"{table.title}没有合计行，止于第{last}行。请核对是否截断或缺页。", table.title,
            )  # fmt: skip
        if table.kind in _WITH_TWO_SIDES:
            for side in ("income", "expenditure"):
                if not any(r.section == side and r.name.endswith("总计") for r in table.rows):
                    yield Finding(
                        "no-total", "error", last, table.line, "", "总计",
                        f"{table.title} has no total of {side}; it ends at line {last}. Was it cut, or is a page missing?",
                        f"{table.title}没有{_SIDES_ZH[side]}总计，止于第{last}行。请核对是否截断或缺页。", table.title,
                    )  # fmt: skip


RULES = (no_total, row_sum, child_sum, balance, two_tables, code_name, figure_form)
