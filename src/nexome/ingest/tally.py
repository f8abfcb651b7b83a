"""Counting what became of each row: kept, dropped and changed, by rule, with line numbers.

One `Tally` for each study of a file. Of each rule the first 1,000 lines are listed in full, those after
as ranges, and beyond `MOST_LINES` only their number: a receipt stays small however long the file is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.rules import CHANGED, DROPPED, Change, Drop

LISTED: Final = 1_000
MOST_RANGES: Final = 1_000
MOST_LINES: Final = 100_000

Lines = npt.NDArray[np.uint64]


class LineList:
    """Lines met by one rule: their number, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[Lines] = []
        self._held = 0

    def add(self, lines: Lines) -> None:
        """Add lines, in any order; beyond `MOST_LINES` they are counted only."""
        self.count += len(lines)
        room = MOST_LINES - self._held
        if room > 0 and len(lines):
            part = np.asarray(lines[:room], np.uint64)
            self._parts.append(part.copy())
            self._held += len(part)

    def as_dict(self, listed: int = LISTED, most_ranges: int = MOST_RANGES) -> dict[str, Any]:
        """{count, lines (first `listed`), ranges ([first, last] of those after), unlisted (how many)}."""
        lines = np.sort(np.concatenate(self._parts)) if self._parts else np.zeros(0, np.uint64)
        rest = lines[listed:]
        starts = np.flatnonzero(np.diff(rest, prepend=rest[:1]) != 1) if len(rest) else np.zeros(0, int)
        if len(rest):
            starts = np.unique(np.append(0, starts))
        ends = np.append(starts[1:], len(rest)) - 1 if len(rest) else starts
        ranges = [[int(rest[a]), int(rest[b])] for a, b in zip(starts, ends, strict=True)][:most_ranges]
        told = min(len(lines), listed) + sum(b - a + 1 for a, b in ranges)
        return {
            "count": self.count,
            "lines": [int(v) for v in lines[:listed]],
            "ranges": ranges,
            "unlisted": self.count - told,
        }


class Tally:
    """What became of the rows of one study: rows in = kept + dropped, always."""

    def __init__(self) -> None:
        self.rows_in = 0
        self.kept = 0
        self.dropped: dict[str, LineList] = {}
        self.changed: dict[str, LineList] = {}

    def drop(self, rule: str, lines: Lines) -> None:
        """Count rows dropped by a rule."""
        self.dropped.setdefault(rule, LineList()).add(lines)

    def drop_by(self, codes: npt.NDArray[np.uint8], lines: Lines) -> None:
        """Count the rows of `lines` that `codes` (Drop values) say are dropped."""
        for code in np.unique(codes[codes > 0]).tolist():
            self.drop(Drop(code).label, lines[codes == code])

    def keep(self, changes: npt.NDArray[np.uint32], lines: Lines) -> None:
        """Count kept rows, and what was changed in them."""
        self.kept += len(lines)
        seen = int(np.bitwise_or.reduce(changes)) if len(changes) else 0
        for rule in Change:
            if seen & rule:
                met = (changes & np.uint32(rule)) != 0
                self.changed.setdefault(rule.label, LineList()).add(lines[met])

    @property
    def dropped_count(self) -> int:
        """Rows dropped by all rules together."""
        return sum(found.count for found in self.dropped.values())

    def as_dict(self) -> dict[str, Any]:
        """The tally as plain JSON values: rows and, by rule, their meaning, number and lines."""
        return {
            "rows": {"in": self.rows_in, "kept": self.kept, "dropped": self.dropped_count},
            "dropped": [_rule(name, found, DROP_MEANINGS) for name, found in sorted(self.dropped.items())],
            "changed": [_rule(name, found, CHANGE_MEANINGS) for name, found in sorted(self.changed.items())],
        }


DROP_MEANINGS: Final = {rule.label: text for rule, text in DROPPED.items()}
CHANGE_MEANINGS: Final = {rule.label: text for rule, text in CHANGED.items()}


def counts_of(tallies: Iterable[Tally]) -> dict[str, Any]:
    """Rows in, kept and dropped, and the number by rule, of several tallies together."""
    total: dict[str, Any] = {"in": 0, "kept": 0, "dropped": 0, "dropped_by": {}, "changed_by": {}}
    for tally in tallies:
        total["in"] += tally.rows_in
        total["kept"] += tally.kept
        total["dropped"] += tally.dropped_count
        for key, rules in (("dropped_by", tally.dropped), ("changed_by", tally.changed)):
            for name, found in rules.items():
                total[key][name] = total[key].get(name, 0) + found.count
    return total


def _rule(name: str, found: LineList, meanings: dict[str, str]) -> dict[str, Any]:
    meaning = meanings.get(name, "set aside by the file's own format")
    return {"rule": name, "meaning": meaning} | found.as_dict()
