"""Variants and what they are tied to: associations of the GWAS Catalog, ClinVar as VCF and as its table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import EXACT, Edge, Term

ASSOCIATED: Final = "biolink:associated_with"
NEAR_GENE: Final = "biolink:is_nearby_variant_of"
OF_GENE: Final = "biolink:is_sequence_variant_of"
_RSID: Final = re.compile(r"rs\d+$")
_SEVERAL: Final = re.compile(r"\s*[;,x]\s+|\s*[;,]\s*")
_SIGNIFICANCE: Final = re.compile(r"[|/]")
# Review status → stars, as ClinVar counts them.
_STARS: Final = {
    "practice guideline": 4.0,
    "reviewed by expert panel": 3.0,
    "criteria provided, multiple submitters, no conflicts": 2.0,
    "criteria provided, conflicting classifications": 1.0,
    "criteria provided, conflicting interpretations": 1.0,
    "criteria provided, single submitter": 1.0,
}


def read_gwas_catalog(file: KnowledgeFile) -> Iterator[Row]:
    """Associations of the GWAS Catalog: variant and trait, −log₁₀ p the score; variant and reported genes.

    A row without a mapped trait, or without an rs number, says nothing of two terms and is refused.
    """
    table = file.table("\t")
    columns = {name.casefold(): name for name in table.head}
    traits = columns.get("mapped_trait_uri", "")
    file.require(tuple(columns), "snps", "p-value", "pubmedid")
    for line, row in table.records():
        cells = {name: row[column].strip() for name, column in columns.items()}
        rsids = [f"dbSNP:{text}" for text in _SEVERAL.split(cells["snps"]) if _RSID.match(text)]
        uris = [text for text in _SEVERAL.split(cells.get("mapped_trait_uri", "")) if text]
        if not rsids or (traits and not uris):
            yield Problem("missing_id", line, f"{cells['snps'][:40]!r} and {len(uris)} mapped traits")
            continue
        yield from _association(cells, rsids, uris, line)


def _association(cells: Mapping[str, str], rsids: list[str], traits: list[str], line: int) -> Iterator[Row]:
    score = _minus_log(cells["p-value"])
    if score is None:
        yield Problem("bad_number", line, f"p-value {cells['p-value'][:20]!r}")
    paper = f"PMID:{cells['pubmedid']}" if cells["pubmedid"] else ""
    study = cells.get("study accession", "")
    told = f"study=GCST:{study}" if study else ""
    labels = [text.strip() for text in cells.get("mapped_trait", "").split(",")]
    for at, trait in enumerate(traits):
        if len(labels) == len(traits):
            yield Term(trait, labels[at], line=line)
        for rsid in rsids:
            yield Edge(rsid, ASSOCIATED, trait, score, paper, "GWAS", told, line)
    for symbol in _SEVERAL.split(cells.get("reported gene(s)", "")):
        if symbol and symbol not in {"NR", "Intergenic", "intergenic"}:
            for rsid in rsids:
                yield Edge(rsid, NEAR_GENE, f"hgnc.symbol:{symbol}", None, paper, "reported", told, line)


def _minus_log(text: str) -> float | None:
    """−log₁₀ of '3E-412' too, which is no float."""
    found = re.match(r"(\d+(?:\.\d+)?)\s*[xX]?\s*(?:[eE]|10)\s*(-?\d+)$", text)
    if not found or float(found[1]) <= 0:
        return None
    return -(math.log10(float(found[1])) + int(found[2]))


def read_clinvar_vcf(file: KnowledgeFile) -> Iterator[Row]:
    """ClinVar's VCF: variation and condition, significance the qualifier, review stars the score."""
    for line, text in file.lines():
        if text.startswith("#"):
            if text.startswith("##fileDate="):
                file.facts.setdefault("release", text.partition("=")[2])
            continue
        cells = text.split("\t")
        if len(cells) < 8:
            yield Problem("broken_line", line, text[:60])
            continue
        info = dict(part.partition("=")[::2] for part in cells[7].split(";"))
        curie = f"ClinVar:{cells[2]}"
        if "CLNHGVS" in info:
            yield Term(curie, info["CLNHGVS"], line=line)
        if info.get("RS", "").isdigit():
            yield Edge(curie, EXACT, f"dbSNP:rs{info['RS']}", line=line)
        for gene in info.get("GENEINFO", "").split("|"):
            symbol, _, number = gene.partition(":")
            if number.isdigit():
                yield Edge(curie, OF_GENE, f"NCBIGene:{number}", qualifier=f"symbol={symbol}", line=line)
        status = info.get("CLNREVSTAT", "").replace("_", " ")
        conditions = info.get("CLNDISDB", "").split("|")
        yield from _conditions(curie, conditions, info.get("CLNSIG", ""), status, line)


def read_clinvar_table(file: KnowledgeFile) -> Iterator[Row]:
    """ClinVar's variant_summary: as the VCF; a variation, there once for each assembly, is told once."""
    table = file.table("\t")
    head = tuple(name.lstrip("#") for name in table.head)
    file.require(head, "VariationID", "ClinicalSignificance", "PhenotypeIDS")
    told: set[str] = set()
    for line, cells in table.rows:
        row = dict(zip(head, cells, strict=True))
        curie = f"ClinVar:{row['VariationID'].strip()}"
        if curie in told:
            continue
        told.add(curie)
        yield Term(curie, row.get("Name", ""), line=line)
        if (number := row.get("GeneID", "")).isdigit():
            yield Edge(curie, OF_GENE, f"NCBIGene:{number}", line=line)
        if (rsid := row.get("RS# (dbSNP)", "")).isdigit():
            yield Edge(curie, EXACT, f"dbSNP:rs{rsid}", line=line)
        groups = row["PhenotypeIDS"].split("|")
        status = row.get("ReviewStatus", "")
        yield from _conditions(curie, groups, row["ClinicalSignificance"], status, line)


def _conditions(curie: str, groups: list[str], significance: str, status: str, line: int) -> Iterator[Row]:
    """One edge a condition: of its identifiers in several vocabularies the first one of _CHOSEN."""
    told = f"significance={_SIGNIFICANCE.sub(',', significance).replace('_', ' ')}" if significance else ""
    for group in groups:
        ids = [part for part in re.split(r"[,;]", group) if ":" in part]
        chosen = next((i for prefix in _CHOSEN for i in ids if i.startswith(prefix)), ids[0] if ids else "")
        if chosen:
            yield Edge(curie, ASSOCIATED, chosen, _STARS.get(status, 0.0), "", status, told, line)


_CHOSEN: Final = ("MONDO", "OMIM", "Orphanet", "MedGen", "Human_Phenotype_Ontology")
