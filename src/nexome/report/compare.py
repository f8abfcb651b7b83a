"""Two papers of one issuer, line by line: what grew, what is new, what is gone, and what was only copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from nexome.report.figures import squeeze
from nexome.report.paper import BudgetTable, Paper, TargetTable

_ORDINAL: Final = re.compile(r"^[（(]?[一二三四五六七八九十]+[）)、]")


@dataclass(frozen=True, slots=True)
class Change:
    """One line in both papers (or one): kind (budget, project, goal), its name, both amounts in yuan, both lines.

    `what`: new, gone, grew, shrank, same, or copied (a text repeated word for word). Amounts are None where absent.
    """

    kind: str
    table: str
    name: str
    what: str
    before: Decimal | None
    after: Decimal | None
    line_before: int
    line_after: int


def compare_papers(before: Paper, after: Paper) -> list[Change]:
    """Budget rows by table kind, section, code or name, and first column; projects by name; goals by text."""
    changes = list(_rows(before, after))
    one, other = _projects(before), _projects(after)
    for name in dict.fromkeys([*one, *other]):
        old, new = one.get(name), other.get(name)
        changes.append(
            _change(
                "project",
                "",
                name,
                (_money(old), old.line if old else 0),
                (_money(new), new.line if new else 0),
            )
        )
        if old and new:
            changes += _copied(old, new)
    return changes


def _rows(before: Paper, after: Paper) -> Iterator[Change]:
    tables = {table.kind: table for table in before.budgets}
    for kind in dict.fromkeys([*tables, *(table.kind for table in after.budgets)]):
        if kind in {"income", "official"}:
            one, other = (
                _columns(tables.get(kind)),
                _columns(next((t for t in after.budgets if t.kind == kind), None)),
            )
        else:
            one, other = (
                _cells(tables.get(kind)),
                _cells(next((t for t in after.budgets if t.kind == kind), None)),
            )
        for key in dict.fromkeys([*one, *other]):
            yield _change("budget", kind, key, one.get(key, (None, 0)), other.get(key, (None, 0)))


def _cells(table: BudgetTable | None) -> dict[str, tuple[Decimal | None, int]]:
    """Rows by code and name (repeated codes are added up), first column."""
    found: dict[str, tuple[Decimal | None, int]] = {}
    above: dict[str, str] = {}
    for row in table.rows if table else ():
        amount = row.amounts[0] if row.amounts else None
        if amount is None:
            continue
        name = _ORDINAL.sub("", row.name)
        if row.name.startswith(("(", "（")):
            name = f"{above.get(row.section, '')} / {name}"
        else:
            above[row.section] = name
        key = f"{row.code} {name}".strip() + (f" [{row.section}]" if row.section else "")
        already = found.get(key, (None, row.line))
        found[key] = ((already[0] or Decimal(0)) + amount.yuan, already[1])
    return found


def _columns(table: BudgetTable | None) -> dict[str, tuple[Decimal | None, int]]:
    if table is None or not table.rows:
        return {}
    row = table.rows[0]
    pairs = zip(table.columns, row.amounts, strict=True)
    return {name: (a.yuan, a.line) for name, a in pairs if a and not name.startswith("上年：")}


def _projects(paper: Paper) -> dict[str, TargetTable]:
    return {squeeze(table.name): table for table in paper.targets if table.kind == "project"}


def _money(table: TargetTable | None) -> Decimal | None:
    fund = table and (table.fund("total") or table.fund("budget", "项目当年预算"))
    return fund.amount.yuan if fund else None


def _copied(old: TargetTable, new: TargetTable) -> Iterator[Change]:
    before = {squeeze(text.text): text for text in old.texts_of("goal")}
    for text in new.texts_of("goal"):
        same = before.get(squeeze(text.text))
        if same and len(text.text) >= 40:
            yield Change("goal", "", new.name, "copied", None, None, same.line, text.line)
    values = {(squeeze(leaf.name), leaf.value) for leaf in old.indicators}
    repeated = sum((squeeze(leaf.name), leaf.value) in values for leaf in new.indicators)
    if new.indicators and repeated >= max(4, 0.6 * len(new.indicators)):
        yield Change(
            "indicators",
            "",
            new.name,
            "copied",
            Decimal(len(old.indicators)),
            Decimal(repeated),
            old.line,
            new.line,
        )


def _change(
    kind: str, table: str, name: str, before: tuple[Decimal | None, int], after: tuple[Decimal | None, int]
) -> Change:
    old, new = before[0], after[0]
    if old is None or new is None:
        what = "new" if old is None else "gone"
    else:
        what = "same" if old == new else ("grew" if new > old else "shrank")
    return Change(kind, table, name, what, old, new, before[1], after[1])
