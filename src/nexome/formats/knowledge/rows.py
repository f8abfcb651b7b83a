"""From what a format's reader yields to batches of three Arrow tables, with every problem by its line.

A reader yields Term, TermName, Edge and Problem in any order. Here identifiers get their one spelling,
texts lose control characters, and rows without a usable identifier are refused; all by RULES, nothing in
silence. It does not look across rows: what needs the whole source is the store's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from nexome.model.knowledge import (
    EDGES,
    NAMES,
    TERMS,
    Edge,
    Term,
    TermName,
    identify,
    normalise_predicate,
    vocabulary_of,
)

BATCH_ROWS: Final = 100_000
MAX_TEXT: Final = 20_000  # characters; a longer definition is cut, and told


class Rule(NamedTuple):
    """What is done where a row breaks it: `kept` as told in `meaning`, or refused."""

    kept: bool
    meaning: str


RULES: Final[dict[str, Rule]] = {
    "broken_line": Rule(kept=False, meaning="a line that cannot be read in its format"),
    "missing_id": Rule(kept=False, meaning="a term, name or statement without an identifier"),
    "bad_identifier": Rule(kept=False, meaning="neither PREFIX:local nor an address"),
    "undeclared_prefix": Rule(
        kept=False, meaning="a prefix that neither the file's curie_map nor the table of prefixes has"
    ),
    "missing_text": Rule(kept=False, meaning="a name, translation or label that is empty"),
    "bad_number": Rule(kept=True, meaning="no number where one is expected: the statement has no score"),
    "unknown_prefix": Rule(kept=True, meaning="a prefix in no table: the identifier stays as it is"),
    "control_characters": Rule(kept=True, meaning="control characters in a text: taken out"),
    "not_utf8": Rule(kept=True, meaning="bytes that are not UTF-8: shown as U+FFFD"),
    "too_long": Rule(kept=True, meaning=f"a text of more than {MAX_TEXT:,} characters: cut"),
    "without_label": Rule(kept=True, meaning="a term without a label"),
    "duplicate_id": Rule(
        kept=True, meaning="an identifier with two labels: the first is its label, the other an exact name"
    ),
    "repeated": Rule(kept=True, meaning="the same name or statement again: kept once"),
    "dangling": Rule(
        kept=True, meaning="a term of this vocabulary is named in a statement but not described"
    ),
    "obsolete_parent": Rule(
        kept=True, meaning="a statement names an obsolete term: answered by its successor"
    ),
    "self_loop": Rule(kept=False, meaning="a term stated to be above itself"),
    "cycle": Rule(kept=True, meaning="terms that are above each other in a circle"),
}


class Problem(NamedTuple):
    """Something wrong in one line: which of RULES says what is done, and what was found."""

    rule: str
    line: int
    found: str


Row = Term | TermName | Edge | Problem


@dataclass(frozen=True, slots=True)
class KnowledgeBatch:
    """Tables of the schemas TERMS, NAMES and EDGES (model.knowledge), and what was wrong meanwhile.

    A term's label stands among its names too. `unknown`: how often each prefix was met that no table has.
    """

    terms: pa.Table
    names: pa.Table
    edges: pa.Table
    problems: tuple[Problem, ...]
    unknown: dict[str, int]


_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HAN: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_KANA_HANGUL: Final = re.compile("[\u3040-\u30ff\uac00-\ud7af]")


def language_of(text: str, default: str = "en") -> str:
    """'zh' of a text in Han characters (without kana or hangul), else `default`."""
    return "zh" if _HAN.search(text) and not _KANA_HANGUL.search(text) else default


def batches(rows: Iterable[Row], *, language: str = "") -> Iterator[KnowledgeBatch]:
    """Batches of at most about BATCH_ROWS rows. `language`: of labels; '' where the text tells it."""
    tables = _Tables(language)
    for row in rows:
        if isinstance(row, Edge):
            tables.add_edge(row)
        elif isinstance(row, TermName):
            tables.add_name(row)
        elif isinstance(row, Term):
            tables.add_term(row)
        else:
            tables.problems.append(row)
        if tables.rows >= BATCH_ROWS:
            yield tables.batch()
            tables = _Tables(language)
    if tables.rows or tables.problems:
        yield tables.batch()


class _Tables:
    """Rows of a batch, waiting to become Arrow tables."""

    def __init__(self, language: str) -> None:
        self.problems: list[Problem] = []
        self._language = language
        self._terms: list[tuple[object, ...]] = []
        self._names: list[tuple[object, ...]] = []
        self._edges: list[tuple[object, ...]] = []
        self._unknown: dict[str, int] = {}

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return len(self._terms) + len(self._names) + len(self._edges)

    def add_term(self, term: Term) -> None:
        curie = self._identified(term.id, term.line)
        if not curie:
            return
        label, definition, chinese = (
            self._text(text, term.line) for text in (term.label, term.definition, term.definition_zh)
        )
        replaced, others = (
            [c for c in (self._identified(i, term.line) for i in ids) if c]
            for ids in (term.replaced_by, term.alternatives)
        )
        self._terms.append(
            (
                *(curie, vocabulary_of(curie), label, definition, chinese),
                *(term.obsolete, replaced, others, term.line),
            )
        )
        if label:
            self._names.append((curie, label, "label", self._language or language_of(label), term.line))
        elif not (term.obsolete or definition or chinese):
            self.problems.append(Problem("without_label", term.line, curie))

    def add_name(self, name: TermName) -> None:
        curie = self._identified(name.term, name.line)
        text = self._text(name.text, name.line)
        if curie and text:
            self._names.append((curie, text, name.kind, name.language, name.line))
        elif curie:
            self.problems.append(Problem("missing_text", name.line, curie))

    def add_edge(self, edge: Edge) -> None:
        subject = self._identified(edge.subject, edge.line)
        object_ = self._identified(edge.object, edge.line)
        if not subject or not object_:
            return
        predicate = normalise_predicate(edge.predicate)
        if subject == object_:
            if predicate in {"is_a", "part_of"}:
                self.problems.append(Problem("self_loop", edge.line, f"{subject} {predicate} itself"))
            return
        self._edges.append(
            (
                *(subject, predicate, object_, edge.score, _publications(edge.publication)),
                *(edge.method, edge.qualifier, edge.line),
            )
        )

    def batch(self) -> KnowledgeBatch:
        """All of it as tables."""
        return KnowledgeBatch(
            _table(self._terms, TERMS),
            _table(self._names, NAMES),
            _table(self._edges, EDGES),
            tuple(self.problems),
            self._unknown,
        )

    def _identified(self, text: str, line: int) -> str:
        curie, known = identify(text)
        if known:
            return curie
        if not text.strip():
            self.problems.append(Problem("missing_id", line, "nothing"))
        elif not curie:
            self.problems.append(Problem("bad_identifier", line, text[:80]))
        else:
            prefix = vocabulary_of(curie)
            self._unknown[prefix] = self._unknown.get(prefix, 0) + 1
            self.problems.append(Problem("unknown_prefix", line, curie[:80]))
        return curie

    def _text(self, text: str, line: int) -> str:
        if _CONTROL.search(text):
            self.problems.append(Problem("control_characters", line, repr(text[:60])))
            text = _CONTROL.sub(" ", text)
        if "\ufffd" in text:
            self.problems.append(Problem("not_utf8", line, text[:60]))
        if len(text) > MAX_TEXT:
            self.problems.append(Problem("too_long", line, f"{len(text):,} characters"))
            text = text[:MAX_TEXT]
        return text.strip()


def _publications(text: str) -> str:
    """CURIEs joined by '|' of a cell with one or several; what is no identifier stays as it is."""
    if not text:
        return ""
    parts = (part.strip() for part in re.split(r"[|;,]\s*", text))
    return "|".join(identify(part).curie or part for part in parts if part)


def _table(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
