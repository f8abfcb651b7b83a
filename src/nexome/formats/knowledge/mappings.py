"""Cross-references: SSSOM tables (Matentzoglu et al., Database 2022), and bare lists of pairs.

The head of an SSSOM file says which prefixes it uses (curie_map), its licence and version. A row that
uses a prefix neither declared there nor in the table of prefixes is refused, as the standard asks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.errors import FormatError
from nexome.model.knowledge import EXACT, Edge, Term, normalise_curie, preferred_prefix

_FACTS: Final = {"mapping_set_version": "release", "license": "licence", "mapping_set_title": "title"}
_NO_MATCH: Final = "sssom:NoTermFound"


def read_sssom(file: KnowledgeFile) -> Iterator[Row]:
    """Labels of both sides and one edge a row, its justification the method, its confidence the score."""
    lines = file.lines()
    head: list[str] = []
    for number, line in lines:
        if not line.startswith("#"):
            lines = itertools.chain([(number, line)], lines)
            break
        head.append(line[1:].removeprefix(" "))
    declared = _declared(head, file)
    _, columns_line = next(lines, (0, ""))
    columns = columns_line.split("\t")
    file.require(tuple(columns), "subject_id", "predicate_id", "object_id")
    seen: set[tuple[str, str]] = set()
    for number, line in lines:
        if line.strip():
            yield from _mapping(line, columns, number, declared=declared, seen=seen)


def read_pairs(file: KnowledgeFile) -> Iterator[Row]:
    """A list without a head: subject, object, and their labels where there are four columns."""
    for number, line in file.lines():
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < 2 or not cells[0] or not cells[1]:
            yield Problem("broken_line", number, line[:80])
            continue
        if len(cells) >= 4:
            yield Term(cells[0], cells[2], line=number)
            yield Term(cells[1], cells[3], line=number)
        yield Edge(cells[0], file.options.predicate or EXACT, cells[1], line=number)


def _mapping(
    line: str, columns: list[str], number: int, *, declared: Mapping[str, str], seen: set[tuple[str, str]]
) -> Iterator[Row]:
    cells = line.split("\t")
    if len(cells) < 3 or len(cells) > len(columns):
        yield Problem("broken_line", number, f"{len(cells)} columns instead of {len(columns)}")
        return
    row = dict(zip(columns, cells, strict=False))
    sides = []
    for side in ("subject", "object"):
        text = row.get(f"{side}_id", "").strip()
        if text == _NO_MATCH:
            return
        prefix = text.partition(":")[0]
        if prefix not in declared and not preferred_prefix(prefix) and "://" not in text:
            yield Problem("undeclared_prefix", number, f"{side}_id {text[:60]}")
            return
        sides.append(normalise_curie(text, declared))
        label = row.get(f"{side}_label", "").strip()
        if label and (sides[-1], label) not in seen:
            seen.add((sides[-1], label))
            yield Term(sides[-1], label, line=number)
    score, problem = _score(row.get("confidence", ""), number)
    if problem:
        yield problem
    denied = "not" if row.get("predicate_modifier") == "Not" else ""
    yield Edge(
        *(sides[0], row["predicate_id"], sides[1], score),
        *("", row.get("mapping_justification", ""), denied, number),
    )


def _score(text: str, line: int) -> tuple[float | None, Problem | None]:
    if not text:
        return None, None
    try:
        return float(text), None
    except ValueError:
        return None, Problem("bad_number", line, f"confidence {text[:20]!r}")


def _declared(head: list[str], file: KnowledgeFile) -> dict[str, str]:
    """The curie_map of a file's head; its facts are told on the way."""
    try:
        facts: Any = yaml.safe_load("\n".join(head)) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise FormatError(
            "the head is not YAML",
            where=f"{file.path}, line {mark.line + 1 if mark else 1}",
            expected="lines such as '#curie_map:'",
        ) from None
    if not isinstance(facts, dict):
        return {}
    for name, fact in _FACTS.items():
        if value := facts.get(name):
            file.facts.setdefault(fact, str(value))
    given = facts.get("curie_map") or {}
    return {str(prefix): str(address) for prefix, address in given.items()}
