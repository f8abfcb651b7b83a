"""Polygenic scores: the head of a scoring file of the PGS Catalog or OMICSPRED, and nothing of its weights.

https://www.pgscatalog.org/downloads/#dl_ftp_scoring. A scoring file without a head is known by its
column `accession`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import Edge, Term, TermName

IS_ABOUT: Final = "IAO:0000136"
CITES: Final = "dcterms:source"
_DOI: Final = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+")


def read_score_head(file: KnowledgeFile) -> Iterator[Row]:
    """A score: its name, the trait it predicts, the paper it comes from."""
    facts: dict[str, str] = {}
    for number, line in file.lines():
        if not line.startswith("#"):
            break
        name, separator, value = line.lstrip("#").partition("=")
        if separator:
            facts[name.strip()] = value.strip()
        elif "=" in line:
            yield Problem("broken_line", number, line[:60])
    curie = f"PGS:{facts.get('pgs_id') or facts.get('omicspred_id') or ''}"
    if curie == "PGS:":
        yield Problem("missing_id", 1, "neither pgs_id nor omicspred_id")
        return
    if licence := facts.get("license", ""):
        file.facts["licence"] = licence
    trait = facts.get("trait_reported", "")
    about = [f"variants={facts['variants_number']}"] if facts.get("variants_number") else []
    label = f"Polygenic score {curie[4:]}: {trait}" if trait else f"Polygenic score {curie[4:]}"
    yield Term(curie, label, facts.get("citation", ""), line=1)
    if name := facts.get("pgs_name", ""):
        yield TermName(curie, name, "exact", line=1)
    for efo in facts.get("trait_efo", "").replace(",", "|").split("|"):
        if efo.strip():
            yield Edge(curie, IS_ABOUT, efo.strip(), qualifier=";".join(about), line=1)
    if found := _DOI.search(facts.get("citation", "")):
        yield Edge(curie, CITES, f"doi:{found[0].rstrip('.')}", line=1)


def read_score_table(file: KnowledgeFile) -> Iterator[Row]:
    """Scores of a table of weights without a head: one term for each accession, with its variants counted."""
    table = file.table("\t")
    file.require(table.head, "accession", "effect_weight")
    at = table.head.index("accession")
    counts: dict[str, tuple[int, int]] = {}
    for line, row in table.rows:
        first, count = counts.get(row[at], (line, 0))
        counts[row[at]] = (first, count + 1)
    for accession, (line, count) in counts.items():
        yield Term(
            f"PGS:{accession}" if accession else "",
            f"Polygenic score {accession}",
            f"{count:,} variants",
            line=line,
        )
