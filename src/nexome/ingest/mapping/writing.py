"""A mapping written from proposals, as YAML to be read and corrected: reasons and warnings stand as comments.

Only accepted proposals become rules; other candidates are named in a comment. What is written is what
`reading` reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from nexome.ingest.mapping.propose import Proposal
from nexome.model.cohorts import Dictionary, Variable

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_WORDS: Final = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n"})


def mapping_text(target: str, dictionary: Dictionary, proposals: Sequence[Proposal]) -> str:
    """The YAML of a mapping with the accepted proposals as rules, for a person to confirm."""
    lines = [
        "# Proposed, not confirmed: read each line, above all those marked !",
        "# 以下为建议，尚未确认：请逐行核对，尤其是标有 ! 的行",
        f"target: {_quoted(target)}",
        "variables:",
    ]
    kept = [v for v in dictionary if v.role != "participant"]
    lines.extend(f"  {_quoted(v.name)}: {_flow(_said(v))}" for v in kept)
    lines.append("sources:")
    for source in dict.fromkeys(p.source for p in proposals):
        lines.extend(_source_lines(source, dictionary, [p for p in proposals if p.source == source]))
    return "\n".join(lines) + "\n"


def _source_lines(source: str, dictionary: Dictionary, proposals: Sequence[Proposal]) -> Iterator[str]:
    chosen = {p.target: p for p in proposals if p.accepted}
    yield f"  {_quoted(source)}:"
    yield f"    cohort: {_quoted(source)}"
    if chosen:
        yield "    variables:"
    for target, proposal in chosen.items():
        for english, chinese in proposal.reasons:
            yield f"      # {english} / {chinese}"
        for english, chinese in proposal.warnings:
            yield f"      # ! {english} / {chinese}"
        others = [p.variable for p in proposals if p.target == target and not p.accepted]
        if others:
            yield f"      # also possible / 其他候选：{', '.join(others)}"
        yield f"      {_quoted(target)}: {_flow(_rule(proposal))}  # {proposal.score:.2f}"
    absent = [v.name for v in dictionary if v.role != "participant" and v.name not in chosen]
    if absent:
        yield f"    absent: [{', '.join(map(_quoted, absent))}]"


def _rule(proposal: Proposal) -> dict[str, object]:
    rule: dict[str, object] = {"take": proposal.variable}
    if proposal.unit:
        rule["unit"] = proposal.unit
    if proposal.codes:
        rule["recode"] = dict(proposal.codes)
    return rule


def _said(variable: Variable) -> dict[str, object]:
    """What is known of a target variable; what is not known is left out."""
    names = ("type", "label", "label_zh", "unit", "minimum", "maximum", "question", "role")
    said: dict[str, object] = {
        name: value for name in names if (value := getattr(variable, name)) not in {"", None}
    }
    if variable.terms:
        said["terms"] = list(variable.terms)
    if variable.categories:
        said["categories"] = [
            {k: v for k, v in (("code", c.code), ("label", c.label), ("label_zh", c.label_zh)) if v}
            | ({"missing": "true"} if c.missing else {})
            for c in variable.categories
        ]
    return said


def _flow(value: object) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else _quoted(str(value))


def _quoted(text: str) -> str:
    """A text as a YAML scalar that is read back as that text."""
    return text if _PLAIN.match(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)
