"""The rules of `access.quality` as a page says them: what is doubtful, and why that matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nexome.access.quality import Doubt
from nexome.web.pages.numbers import count_text, ratio_text
from nexome.web.pages.page import Ask

_SHARES = frozenset({"many_missing", "frequencies_differ"})
_RATIOS = frozenset({"inflated", "deflated"})


@dataclass(frozen=True, slots=True)
class Said:
    """One doubt in the reader's language: the fact, and why it matters."""

    rule: str
    text: str
    why: str


def said_of(ask: Ask, doubts: Iterable[Doubt]) -> tuple[Said, ...]:
    """The doubts in the reader's language, in the order given."""
    return tuple(
        Said(
            doubt.rule,
            ask.t(
                f"quality.{doubt.rule}",
                value=_number(doubt.rule, doubt.value),
                limit=_number(doubt.rule, doubt.limit),
                total=count_text(doubt.total),
            ),
            ask.t(f"quality.why.{doubt.rule}"),
        )
        for doubt in doubts
    )


def _number(rule: str, value: float) -> str:
    if rule in _RATIOS:
        return ratio_text(value)
    return f"{value:.0%}" if rule in _SHARES else count_text(value)
