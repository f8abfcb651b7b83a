"""What a paper says: budget tables, target tables, declared facts, and what could not be read.

Everything is frozen; amounts are exact decimals in yuan beside the text and unit printed; every cell keeps
its line in the file. Nothing here knows how a paper is laid out (layouts are read by the `read_…` modules).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

COMPARISONS: Final = ("≥", "≤", "=", "≈", "<", ">", "qualitative", "")


@dataclass(frozen=True, slots=True)
class Amount:
    """Money: exact yuan, the text printed, its unit (元, 万元, …), the line, and a doubt about the text if any."""

    yuan: Decimal
    printed: str
    unit: str
    line: int
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A row: codes (none for totals and named lines), name, section (income, expenditure or ''), one amount a column."""

    codes: tuple[str, ...]
    name: str
    section: str
    amounts: tuple[Amount | None, ...]
    line: int

    @property
    def code(self) -> str:
        """The first code, or ''."""
        return self.codes[0] if self.codes else ""


@dataclass(frozen=True, slots=True)
class BudgetTable:
    """One prescribed table: kind (a key of report.prescribed), title, unit, column names, rows."""

    kind: str
    title: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[BudgetRow, ...]
    line: int

    def column(self, row: BudgetRow, name: str) -> Amount | None:
        """The amount of a row in a named column; None for an empty cell or an absent column."""
        return row.amounts[self.columns.index(name)] if name in self.columns else None

    @property
    def total(self) -> BudgetRow | None:
        """The row 合计, if the table has one."""
        return next((row for row in self.rows if row.name == "合计"), None)


@dataclass(frozen=True, slots=True)
class Fund:
    """Money of a project: source, portion or sub-project, with the label printed."""

    role: str  # total, source, sub-project, budget
    name: str
    amount: Amount
    part: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A text under its label: goal, basis, necessity, measures, plan, checkbox and so on."""

    label: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """A leaf of the indicator tree.

    `value` is the target as printed; `low`/`high` its number or range where it is one; `comparison` one of
    COMPARISONS ('' : none printed beside a number or date); `weight` None where none is printed.
    """

    level1: str
    level2: str
    name: str
    comparison: str
    value: str
    low: Decimal | None
    high: Decimal | None
    unit: str
    weight: Decimal | None
    line: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A target table: of a project (kind 'project') or of the department as a whole ('department')."""

    kind: str
    title: str
    code: str
    name: str
    department: str
    unit: str
    year: str
    start: str
    end: str
    funds: tuple[Fund, ...]
    texts: tuple[Text, ...]
    indicators: tuple[Indicator, ...]
    line: int

    def texts_of(self, *labels: str) -> list[Text]:
        """The texts under any of some labels."""
        return [text for text in self.texts if text.label in labels]

    def fund(self, role: str, name: str = "") -> Fund | None:
        """The first fund of a role (and name, if given)."""
        return next((f for f in self.funds if f.role == role and name in {"", f.name}), None)


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure declared in a sentence: what, number as printed, unit, sentence, line of its start."""

    name: str
    number: Decimal
    printed: str
    unit: str
    sentence: str
    line: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that was kept but not understood, and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper: source file and checksum, issuer, year, tables, facts, other text, unread lines."""

    source: str
    sha256: str
    issuer: str
    year: str
    budgets: tuple[BudgetTable, ...] = ()
    targets: tuple[TargetTable, ...] = ()
    facts: tuple[Fact, ...] = ()
    prose: tuple[Text, ...] = ()
    unread: tuple[Unread, ...] = field(default=())

    @property
    def indicators(self) -> int:
        """How many indicators all target tables hold."""
        return sum(len(table.indicators) for table in self.targets)
