"""One place through which every number computed over people passes; docs/disclosure.md says the rules.

words    Question, Cells, Release, Released       what is asked, over whom, and what leaves
rules    Rules                                    the numbers that decide, and where they come from
guard    Guard, guard_of                          who asks, and the order in which rules are applied
perturb  the noise of grid readers                values  means, percentiles, dominance
"""

from nexome.access.disclosure.guard import Guard, guard_of
from nexome.access.disclosure.rules import Rules, rules_of
from nexome.access.disclosure.words import (
    Cells,
    Condition,
    GridAxis,
    GridLike,
    Question,
    Release,
    Released,
    Split,
)

__all__ = [
    "Cells",
    "Condition",
    "GridAxis",
    "GridLike",
    "Guard",
    "Question",
    "Release",
    "Released",
    "Rules",
    "Split",
    "guard_of",
    "rules_of",
]
