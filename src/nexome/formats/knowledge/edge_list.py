"""Any table of statements: subject, predicate, object, and what else its columns say. KGX TSV is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import Edge, Term

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "subject": ("subject", "subject_id", "source", "source_id", "from", "head"),
    "predicate": ("predicate", "predicate_id", "relation", "edge_label", "type"),
    "object": ("object", "object_id", "target", "target_id", "to", "tail"),
    "score": ("score", "confidence", "weight", "combined_score"),
    "publication": ("publication", "publications", "pmid", "reference"),
    "method": ("method", "evidence", "evidence_code", "knowledge_source", "primary_knowledge_source"),
    "qualifier": ("qualifier", "qualifiers"),
    "subject_label": ("subject_label", "subject_name"),
    "object_label": ("object_label", "object_name"),
}


def find_columns(head: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """What each part of a statement is read from: what was said, then what the columns are called."""
    plain = {name.casefold(): name for name in reversed(head)}
    found = {
        part: mapping.get(part) or next((plain[n] for n in names if n in plain), "")
        for part, names in COLUMNS.items()
    }
    return {part: column for part, column in found.items() if column}


def read_edge_list(file: KnowledgeFile) -> Iterator[Row]:
    """One statement a row; the predicate may be said instead of standing in a column."""
    table = file.table("\t" if "\t" in file.head.split("\n", 1)[0] else ",", comment="#")
    columns = find_columns(table.head, file.options.mapping)
    needed = ("subject", "object") if file.options.predicate else ("subject", "predicate", "object")
    file.require(tuple(columns), *needed)
    for line, row in table.records():
        cells = {part: row.get(column, "").strip() for part, column in columns.items()}
        for side in ("subject", "object"):
            cells[side] = file.prefixed(cells[side])
            if label := cells.get(f"{side}_label"):
                yield Term(cells[side], label, line=line)
        score, wrong = _number(cells.get("score", ""))
        if wrong:
            yield Problem("bad_number", line, f"score {wrong[:20]!r}")
        yield Edge(
            cells["subject"],
            cells.get("predicate") or file.options.predicate,
            cells["object"],
            score,
            cells.get("publication", ""),
            cells.get("method", ""),
            cells.get("qualifier", ""),
            line,
        )


def _number(text: str) -> tuple[float | None, str]:
    try:
        return (float(text), "") if text else (None, "")
    except ValueError:
        return None, text
