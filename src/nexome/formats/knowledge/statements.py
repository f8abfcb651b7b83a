"""Statements about phenotypes, functions and laboratory tests: HPO's tables, GO annotations, LOINC2HPO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import EXACT, Edge, Term

HAS_PHENOTYPE: Final = "biolink:has_phenotype"
GENE_OF_DISEASE: Final = "biolink:gene_associated_with_condition"
ASSOCIATED: Final = "biolink:associated_with"
INHERITANCE: Final = "biolink:has_mode_of_inheritance"

# HPO's words for how often, as the middle of the share of patients each stands for.
_FREQUENCIES: Final = {
    "HP:0040280": 1.0,
    "HP:0040281": 0.895,
    "HP:0040282": 0.545,
    "HP:0040283": 0.17,
    "HP:0040284": 0.025,
    "HP:0040285": 0.0,
}
_ASPECTS: Final = {"I": INHERITANCE}
_GO_PREDICATES: Final = {
    "biological_process": "RO:0002331",
    "molecular_function": "RO:0002327",
    "cellular_component": "RO:0001025",
}


def frequency_of(text: str) -> float | None:
    """Share of patients: '5/13', '38%', or one of HPO's terms of frequency; None where it says nothing."""
    text = text.strip()
    if text in _FREQUENCIES:
        return _FREQUENCIES[text]
    try:
        if "/" in text:
            some, _, all_ = text.partition("/")
            return float(some) / float(all_) if float(all_) > 0 else None
        return float(text[:-1]) / 100 if text.endswith("%") else None
    except ValueError:
        return None


def read_hpoa(file: KnowledgeFile) -> Iterator[Row]:
    """Diseases and their phenotypes (phenotype.hpoa): the score is the share of patients, where given."""
    for line in file.head.split("\n"):
        if line.startswith(("#version:", "#date:")):
            file.facts.setdefault("release", line.partition(":")[2].strip())
    table = file.table("\t", comment="#")
    file.require(table.head, "database_id", "disease_name", "hpo_id")
    told: set[str] = set()
    for number, row in table.records():
        curie = row["database_id"].strip()
        if curie and curie not in told:
            told.add(curie)
            yield Term(curie, row["disease_name"], line=number)
        denied = [("not", "")] if row.get("qualifier", "").upper() == "NOT" else []
        told_of = [(name, row.get(name, "")) for name in ("onset", "frequency", "sex", "modifier")]
        yield Edge(
            curie,
            _ASPECTS.get(row.get("aspect", ""), HAS_PHENOTYPE),
            row["hpo_id"],
            frequency_of(row.get("frequency", "")),
            row.get("reference", ""),
            row.get("evidence", ""),
            _qualifier(*denied, *told_of),
            number,
        )


def read_genes_to_phenotype(file: KnowledgeFile) -> Iterator[Row]:
    """Genes, their phenotypes, and the diseases by which they have them."""
    table = file.table("\t", comment="#")
    file.require(table.head, "ncbi_gene_id", "gene_symbol", "hpo_id")
    told: set[str] = set()
    for line, row in table.records():
        gene, disease = row["ncbi_gene_id"].strip(), row.get("disease_id", "").strip()
        if not gene or gene == "-":
            yield Problem("missing_id", line, row["gene_symbol"][:40] or "nothing")
            continue
        curie = gene if ":" in gene else f"NCBIGene:{gene}"
        if curie not in told:
            told.add(curie)
            yield Term(curie, row["gene_symbol"], line=line)
            yield Edge(curie, EXACT, f"hgnc.symbol:{row['gene_symbol']}", line=line)
        frequency = row.get("frequency", "").strip("-")
        qualifier = _qualifier(("disease", disease), ("frequency", frequency))
        yield Edge(curie, HAS_PHENOTYPE, row["hpo_id"], frequency_of(frequency), "", "", qualifier, line)
        pair = f"{curie} {disease}"
        if disease and disease != "-" and pair not in told:
            told.add(pair)
            yield Edge(curie, GENE_OF_DISEASE, disease, line=line)


def read_go_annotations(file: KnowledgeFile) -> Iterator[Row]:
    """Genes by GO term, a row a term (go_id, go_name, go_domain, gene_ids joined by '|')."""
    table = file.table("\t", comment="#")
    file.require(table.head, "go_id", "go_name", "go_domain", "gene_ids", "gene_symbols")
    told: set[str] = set()
    for line, row in table.records():
        go, predicate = row["go_id"], _GO_PREDICATES.get(row["go_domain"], ASSOCIATED)
        genes, symbols = row["gene_ids"].split("|"), row["gene_symbols"].split("|")
        if len(genes) != len(symbols):
            yield Problem("broken_line", line, f"{len(genes)} gene_ids and {len(symbols)} gene_symbols")
            continue
        yield Term(go, row["go_name"], line=line)
        for gene, symbol in zip(genes, symbols, strict=True):
            curie = f"NCBIGene:{gene}"
            if gene not in told:
                told.add(gene)
                yield Term(curie, symbol, line=line)
            yield Edge(curie, predicate, go, method=row.get("annotation_type", ""), line=line)


def read_loinc2hpo(file: KnowledgeFile) -> Iterator[Row]:
    """Which phenotype the outcome of a laboratory test means (high, low, normal, positive …)."""
    table = file.table("\t", comment="#")
    file.require(table.head, "loincId", "code", "hpoTermId")
    told: set[str] = set()
    for line, row in table.records():
        curie = f"LOINC:{row['loincId'].strip()}"
        if curie not in told:
            told.add(curie)
            yield Term(curie, line=line)
        denied = [("not", "")] if row.get("isNegated", "").lower() == "true" else []
        yield Edge(
            *(curie, ASSOCIATED, row["hpoTermId"], None, "", ""),
            _qualifier(*denied, ("outcome", row["code"]), ("scale", row.get("loincScale", ""))),
            line,
        )


def read_identifier_list(file: KnowledgeFile) -> Iterator[Row]:
    """Identifiers, one a line and as often as they were used: an edge to the list, its score the count."""
    counts: dict[str, tuple[int, int]] = {}
    for line, text in file.lines():
        if text.strip():
            first, count = counts.get(text, (line, 0))
            counts[text] = (first, count + 1)
    for text, (line, count) in counts.items():
        yield Edge(text, "biolink:mentioned_by", f"list:{file.stem}", float(count), line=line)


def _qualifier(*parts: tuple[str, str]) -> str:
    """'name=value' of what is given, joined by ';'; a name without value stands alone."""
    told = [
        name if name == "not" else f"{name}={value.replace(';', ',')}"
        for name, value in parts
        if value or name == "not"
    ]
    return ";".join(told)
