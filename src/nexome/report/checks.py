"""All rules over a paper, in the order of its lines."""

from __future__ import annotations

from typing import Final

from nexome.report import rules_agreement, rules_budget, rules_sentences, rules_targets
from nexome.report.findings import SEVERITIES, Finding
from nexome.report.paper import Paper

_RULES: Final = (*rules_budget.RULES, *rules_sentences.RULES, *rules_targets.RULES, *rules_agreement.RULES)


def check_paper(paper: Paper) -> list[Finding]:
    """Every finding of every rule, by line, then severity."""
    found = [finding for rule in _RULES for finding in rule(paper)]
    return sorted(found, key=lambda f: (f.line, SEVERITIES.index(f.severity), f.rule))
