"""Names in other languages and other words: Babelon tables, synonym templates, answers of SPARQL queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import XREF, Edge, NameKind, Term, TermName

_LABEL: Final = "rdfs:label"
_DEFINITION: Final = ("IAO:0000115", "skos:definition")
_SYNONYM: Final = re.compile(r"oboInOwl:has\w+Synonym$")
# Babelon: what a translator has not looked at is no name yet.
_UNTRANSLATED: Final = frozenset(("NOT_TRANSLATED",))
_QUERY_COLUMNS: Final[dict[str, NameKind]] = {
    "?layperson": "layperson",
    "?synonym": "exact",
    "?exact": "exact",
}
_SUBJECTS: Final = ("?term", "?cls", "?entity", "?s")


def read_babelon(file: KnowledgeFile) -> Iterator[Row]:
    """Translations of labels (names of kind translation), definitions and synonyms."""
    table = file.table("\t", comment="#")
    file.require(table.head, "subject_id", "predicate_id", "translation_value", "translation_language")
    for line, row in table.records():
        subject, text = row["subject_id"].strip(), row["translation_value"].strip()
        language, predicate = row["translation_language"].strip(), row["predicate_id"].strip()
        if row.get("translation_status") in _UNTRANSLATED:
            continue
        if not subject or not text:
            yield Problem("missing_text" if subject else "missing_id", line, subject or "nothing")
        elif predicate == _LABEL or _SYNONYM.match(predicate):
            yield TermName(subject, text, "translation", language, line)
        elif predicate in _DEFINITION and language.startswith("zh"):
            yield Term(subject, definition_zh=text, line=line)
        elif predicate not in _DEFINITION:
            yield Problem("broken_line", line, f"predicate_id {predicate[:40]!r}")


def read_synonym_template(file: KnowledgeFile) -> Iterator[Row]:
    """ROBOT template of translated synonyms: subject_id, translation_value; its second line is no row."""
    table = file.table("\t")
    language = file.options.language
    for line, row in table.records():
        if row["subject_id"] == "ID":
            language = language or row["translation_value"].rpartition("@")[2]
            continue
        yield TermName(row["subject_id"], row["translation_value"], "translation", language or "en", line)


def read_query_report(file: KnowledgeFile) -> Iterator[Row]:
    """The answer of a SPARQL query as a table: ?term or ?cls beside a label, names, definition, xrefs."""
    table = file.table("\t")
    subject = next((name for name in _SUBJECTS if name in table.head), "")
    file.require(table.head, subject or _SUBJECTS[0])
    label = next((name for name in table.head if name.endswith("label")), "")
    told: set[str] = set()
    for line, raw in table.records():
        row = {name: _bare(cell) for name, cell in raw.items()}
        curie = row[subject]
        if curie not in told and (row.get(label) or row.get("?def")):
            told.add(curie)
            yield Term(curie, row.get(label, ""), row.get("?def", ""), line=line)
        for column, kind in _QUERY_COLUMNS.items():
            if text := row.get(column, ""):
                yield TermName(curie, text, kind, line=line)
        for xref in row.get("?xrefs", "").split():
            if ":" in xref:
                yield Edge(curie, XREF, xref, line=line)


def _bare(cell: str) -> str:
    """A cell without the marks of a SPARQL answer: "text"@en, <address>."""
    cell = cell.strip()
    if cell.startswith('"'):
        return cell[1:].rpartition('"')[0].replace('\\"', '"')
    return cell.strip("<>")
