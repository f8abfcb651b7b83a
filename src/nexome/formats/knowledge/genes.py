"""Genes and sets of genes: HGNC tables, tables of gene places, GMT files, orthologues.

A gene that is known by its symbol alone is `hgnc.symbol:SYMBOL`; HGNC's own table ties symbols, Ensembl,
NCBI Gene and UniProt to `HGNC:…` by exact matches. Places are of no concern here (`nexome import genes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import EXACT, Edge, Term, TermName, identify

# HGNC's download (snake case), its custom download (words), and what cross-references they give.
_ID: Final = ("hgnc_id", "HGNC ID")
_SYMBOL: Final = ("symbol", "Approved Symbol", "Approved symbol")
_NAME: Final = ("name", "Approved Name", "Approved name")
_STATUS: Final = ("status", "Status")
_SYNONYMS: Final = (
    *("alias_symbol", "prev_symbol", "alias_name", "prev_name"),
    *("Synonyms", "Alias symbols", "Previous symbols", "Previous Symbols"),
)
_XREFS: Final = (
    ("NCBIGene", ("entrez_id", "Entrez Gene ID(supplied by NCBI)", "NCBI Gene ID")),
    ("ENSEMBL", ("ensembl_gene_id", "Ensembl gene ID", "Ensembl ID(supplied by Ensembl)")),
    ("UniProtKB", ("uniprot_ids", "UniProt ID", "UniProt ID(supplied by UniProt)")),
    ("OMIM", ("omim_id", "OMIM ID", "OMIM ID(supplied by OMIM)")),
)
_GENE_OF_PROTEIN: Final = "RO:0002205"  # has gene product
_SPLIT: Final = re.compile(r"\s*[|,;]\s*")
ORTHOLOGOUS: Final = "RO:HOM0000017"  # in orthology relationship with
MEMBER: Final = "biolink:has_participant"


def read_hgnc(file: KnowledgeFile) -> Iterator[Row]:
    """Genes of HGNC: label the symbol, name and aliases as synonyms, exact matches elsewhere."""
    for line, row in file.table("\t").records():
        curie = _first(row, _ID)
        symbol = _first(row, _SYMBOL)
        if not curie:
            yield Problem("missing_id", line, symbol or "nothing")
            continue
        withdrawn = "withdrawn" in _first(row, _STATUS).lower()
        successor = re.search(r"HGNC:\d+", _first(row, _NAME).partition("see ")[2]) if withdrawn else None
        symbol = symbol.replace("~withdrawn", "")
        yield Term(
            *(curie, symbol),
            obsolete=withdrawn,
            replaced_by=[successor[0]] if successor else [],
            line=line,
        )
        if not withdrawn:
            yield from _gene(curie, symbol, row, line)


def read_gene_places(file: KnowledgeFile) -> Iterator[Row]:
    """Symbols and Ensembl (and NCBI Gene) identifiers of a table of gene places, with or without a head."""
    bed = "ensembl_gene_id" not in file.head.split("\n", 1)[0]
    head = ("chromosome", "start", "end", "external_gene_name", "ensembl_gene_id") if bed else ()
    for line, row in file.table("\t", head=head).records():
        ensembl, symbol = row["ensembl_gene_id"].strip(), row.get("external_gene_name", "").strip()
        if not ensembl:
            yield Problem("missing_id", line, symbol or "nothing")
            continue
        curie = f"ENSEMBL:{ensembl.partition('.')[0]}"
        yield Term(curie, symbol or ensembl, line=line)
        if symbol:
            yield Edge(curie, EXACT, f"hgnc.symbol:{symbol}", line=line)
        if entrez := row.get("entrezgene_id", "").strip():
            yield Edge(curie, EXACT, f"NCBIGene:{entrez}", line=line)


def read_gmt(file: KnowledgeFile) -> Iterator[Row]:
    """Gene sets: name, identifier or address, symbols.

    A set whose second cell is no identifier has its name as one, under the prefix that was said, else
    MSigDB's.
    """
    for line, text in file.lines():
        name, _, rest = text.partition("\t")
        described, _, genes = rest.partition("\t")
        if not genes.strip():
            yield Problem("broken_line", line, text[:60] or "an empty line")
            continue
        curie = _set_id(name, described, file.options.prefix)
        yield Term(curie, name, line=line)
        for gene in genes.split("\t"):
            if gene:
                yield Edge(curie, MEMBER, _gene_id(gene), line=line)


def read_orthologues(file: KnowledgeFile) -> Iterator[Row]:
    """Orthologues: the Alliance's table (Gene1ID, Gene2ID) or HGNC's HCOP (human and other species)."""
    table = file.table("\t", comment="#")
    alliance = "Gene1ID" in table.head
    if not alliance:
        file.require(table.head, "human_entrez_gene")
    for line, row in table.records():
        if alliance:
            yield Term(row["Gene1ID"], row.get("Gene1Symbol", ""), line=line)
            yield Term(row["Gene2ID"], row.get("Gene2Symbol", ""), line=line)
            methods = row.get("AlgorithmsMatch", "").strip()
            score = float(methods) if methods.isdigit() else None
            yield Edge(
                row["Gene1ID"],
                ORTHOLOGOUS,
                row["Gene2ID"],
                score,
                method=row.get("Algorithms", ""),
                line=line,
            )
            continue
        yield from _hcop(row, line)


def _hcop(row: Mapping[str, str], line: int) -> Iterator[Row]:
    other = next((name for name in row if name.endswith("_entrez_gene") and not name.startswith("human")), "")
    human, theirs = row["human_entrez_gene"].strip(), row.get(other, "").strip()
    if not human.isdigit() or not theirs.isdigit():
        yield Problem("missing_id", line, f"{human or '-'} and {theirs or '-'}")
        return
    support = [part for part in row.get("support", "").split(",") if part]
    method = ",".join(support)
    yield Edge(
        f"NCBIGene:{human}", ORTHOLOGOUS, f"NCBIGene:{theirs}", float(len(support)), "", method, "", line
    )


def _gene(curie: str, symbol: str, row: Mapping[str, str], line: int) -> Iterator[Row]:
    if name := _first(row, _NAME):
        yield TermName(curie, name, "exact", line=line)
    for column in _SYNONYMS:
        for text in _SPLIT.split(row.get(column, "").strip().strip('"')):
            if text and text != symbol:
                yield TermName(curie, text, "exact", line=line)
    if symbol:
        yield Edge(curie, EXACT, f"hgnc.symbol:{symbol}", line=line)
    for prefix, columns in _XREFS:
        for local in _SPLIT.split(_first(row, columns).strip('"')):
            if local:
                predicate = _GENE_OF_PROTEIN if prefix == "UniProtKB" else EXACT
                yield Edge(curie, predicate, f"{prefix}:{local}", line=line)


def _first(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((row[column].strip() for column in columns if row.get(column)), "")


def _set_id(name: str, described: str, prefix: str) -> str:
    if described.startswith("R-"):
        return f"Reactome:{described}"
    found = identify(described)
    if found.known:
        return found.curie
    inner = re.search(r"(GO:\d{7}|HP:\d{7})", name)
    return inner[1] if inner else f"{prefix or 'MSigDB'}:{name.replace(' ', '_')}"


def _gene_id(text: str) -> str:
    if text.startswith("ENSG"):
        return f"ENSEMBL:{text.partition('.')[0]}"
    return f"NCBIGene:{text}" if text.isdigit() else f"hgnc.symbol:{text}"
