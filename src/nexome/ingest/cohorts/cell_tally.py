"""Counting what became of rows and cells: by rule and column, with lines, never with a value.

missing_code    a code of the dictionary that stands for no answer; null, the code kept beside
out_of_range    outside the dictionary's minimum and maximum; missing
cannot_be_read  not what the variable's type asks for; missing, where that was allowed
repeated        a row whose participant and visit stand in another; dropped
withdrawn       a row of somebody who has withdrawn; dropped
no_participant  a row that does not say whose it is; dropped

Of each rule the first 100 lines are told one by one, those after as up to 100 ranges, of more their number;
beyond 1,000 rules, the first line alone. A receipt stays small however long and wide the files are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.ingest.tally import LineList
from nexome.model.errors import FormatError

Lines = npt.NDArray[np.uint64]

ROW_RULES: Final = ("repeated", "withdrawn", "no_participant")
_TOLD: Final = 5
_LISTED: Final = 100  # lines, and ranges, of one rule
_MOST_RULES: Final = 1_000  # told with so many lines


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason for which cells of one column of one file did not stay as they were."""

    file: str
    column: str
    name: str
    found: str = ""
    expected: str = ""


@dataclass
class CellTally:
    """All rules met by an import."""

    rows_in: int = 0
    cells_in: int = 0
    met: dict[Rule, LineList] = field(default_factory=dict)

    def count(self, rule: Rule, lines: Lines) -> None:
        """Count cells (rows, of a rule about rows) on these lines."""
        if len(lines):
            self.met.setdefault(rule, LineList()).add(lines)

    def of_rule(self, *names: str) -> int:
        """How many cells or rows met rules of these names."""
        return sum(found.count for rule, found in self.met.items() if rule.name in names)

    def rules(self) -> list[dict[str, Any]]:
        """Each rule as plain JSON values, with its count and lines."""
        return [
            {
                "rule": rule.name,
                "file": rule.file,
                "column": rule.column,
                "found": rule.found,
                "expected": rule.expected,
                "became": "dropped" if rule.name in ROW_RULES else "missing",
                **(found.as_dict(_LISTED, _LISTED) if at < _MOST_RULES else found.as_dict(1, 0)),
            }
            for at, (rule, found) in enumerate(self.met.items())
        ]

    def refuse(self, name: str, *, todo: str) -> None:
        """Raise FormatError for the first cell that met a rule, with what else met it; else do nothing."""
        met = {rule: found.as_dict(1, 0) for rule, found in self.met.items() if rule.name == name}
        if not met:
            return
        first = next(iter(met))
        column = f", column {first.column}" if first.column else ""
        others = [
            f"{rule.column} {found['count']:,} × {rule.found} (line {found['lines'][0]} …)"
            for rule, found in list(met.items())[:_TOLD]
        ]
        total = sum(found["count"] for found in met.values())
        text = f"{first.found}; {total:,} in all: {'; '.join(others)}" if total > 1 else first.found
        text += f" and {len(met) - _TOLD:,} columns or kinds more" if len(met) > _TOLD else ""
        raise FormatError(
            text,
            where=f"{first.file}, line {met[first]['lines'][0]}{column}",
            expected=first.expected,
            todo=todo,
        )
