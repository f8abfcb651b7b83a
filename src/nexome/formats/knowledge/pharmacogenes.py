"""Pharmacogenetics: tables of CPIC and PyPGx, PharmCAT's definitions and phenotypes, sites with star alleles.

A star allele is `pgx:CYP2C19*2`, a phenotype `pgx:CYP2C19/Poor_Metabolizer`, a drug its RxNorm concept where
the table names one, else `drug:name`. Genes are `hgnc.symbol:…`. Guidelines are told, not applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nexome.formats.knowledge.rows import Problem, Row
from nexome.formats.knowledge.source_file import KnowledgeFile
from nexome.model.knowledge import EXACT, Edge, Term

AFFECTS_RESPONSE: Final = "biolink:affects_response_to"
_LEADS_TO: Final = "biolink:has_phenotype"
_PART_OF_GENE: Final = "biolink:is_allele_of"
_DEFINED_BY: Final = "biolink:has_sequence_variant"
_NONE: Final = frozenset(("", "N/A", "None", "NA", "-"))
_SPLIT: Final = re.compile(r"\s*[,;]\s*")


def gene(symbol: str) -> str:
    """The identifier of a gene by its symbol."""
    return f"hgnc.symbol:{symbol}"


def allele(symbol: str, name: str) -> str:
    """The identifier of a star allele or haplotype."""
    return f"pgx:{symbol}{name if name.startswith('*') else ' ' + name}".replace(" ", "_")


def phenotype(symbol: str, name: str) -> str:
    """The identifier of what a pair of alleles makes of a person for a gene."""
    return f"pgx:{symbol}/{name.replace(' ', '_')}"


def read_pgx_table(file: KnowledgeFile) -> Iterator[Row]:
    """Any of the eight tables, told by its columns."""
    table = file.table(",")
    read = next((read for columns, read in TABLES if set(columns) <= set(table.head)), None)
    if read is None:
        file.require(table.head, "Gene", "Phenotype")
        return
    for line, cells in table.records():
        row = {name: "" if cell.strip() in _NONE else cell.strip() for name, cell in cells.items()}
        if not row.get("Gene") and not row.get("Drug"):
            yield Problem("missing_id", line, "neither Gene nor Drug")
            continue
        yield from read(row, line)


def read_pharmcat_definition(file: KnowledgeFile) -> Iterator[Row]:
    """Named alleles of a gene, and the dbSNP sites that define its haplotypes."""
    definition = file.json()
    symbol = str(definition["gene"])
    file.facts.setdefault("release", str(definition.get("version", "")))
    yield Term(gene(symbol), symbol)
    for site in definition.get("variants", ()):
        if site.get("rsid"):
            yield Edge(gene(symbol), _DEFINED_BY, f"dbSNP:{site['rsid']}")
    for named in definition.get("namedAlleles", ()):
        curie = allele(symbol, str(named["name"]))
        yield Term(curie, f"{symbol}{'' if str(named['name']).startswith('*') else ' '}{named['name']}")
        yield Edge(curie, _PART_OF_GENE, gene(symbol))


def read_pharmcat_phenotype(file: KnowledgeFile) -> Iterator[Row]:
    """What the haplotypes of a gene do, and which phenotypes there are."""
    facts = file.json()
    symbol = str(facts["gene"])
    yield Term(gene(symbol), symbol)
    for name, function in (facts.get("haplotypes") or {}).items():
        curie = allele(symbol, name)
        yield Term(curie, curie.removeprefix("pgx:").replace("_", " "))
        yield from _function(curie, symbol, str(function or ""), 0)
    for result in sorted({str(d["generesult"]) for d in facts.get("diplotypes", ()) if d.get("generesult")}):
        yield from _phenotype(symbol, result, 0)


def read_pharmcat_sites(file: KnowledgeFile) -> Iterator[Row]:
    """Sites of a VCF with PX=gene in INFO: which dbSNP sites belong to which pharmacogene."""
    for line, text in file.lines():
        cells = text.split("\t")
        if text.startswith("#") or len(cells) < 8:
            continue
        found = re.search(r"(?:^|;)PX=([^;]+)", cells[7])
        if not found or not cells[2].startswith("rs"):
            yield Problem("missing_id", line, f"{cells[0]}:{cells[1]} has no rs number or no PX")
            continue
        for symbol in found[1].split(","):
            yield Edge(gene(symbol), _DEFINED_BY, f"dbSNP:{cells[2]}", line=line)


Cells = dict[str, str]


def _pairs(row: Cells, line: int) -> Iterator[Row]:
    """CPIC's table of genes and drugs."""
    drug = f"RXNORM:{row['RxNorm']}" if row.get("RxNorm") else f"drug:{row['Drug'].replace(' ', '_')}"
    yield Term(drug, row["Drug"], line=line)
    if row.get("RxNorm"):
        yield Edge(f"drug:{row['Drug'].replace(' ', '_')}", EXACT, drug, line=line)
    for atc in _SPLIT.split(row.get("ATC", "")):
        if atc:
            yield Edge(drug, EXACT, f"ATC:{atc}", line=line)
    told = (
        ("level", "CPICLevel"),
        ("status", "CPICLevelStatus"),
        ("pharmgkb", "PharmGKBLevel"),
        ("fda", "FDALabel"),
    )
    yield Edge(
        *(gene(row["Gene"]), AFFECTS_RESPONSE, drug, None),
        "|".join(f"PMID:{p}" for p in _SPLIT.split(row.get("PMID", "")) if p),
        row.get("Guideline", ""),
        ";".join(f"{name}={row[column]}" for name, column in told if row.get(column)),
        line,
    )


def _alleles(row: Cells, line: int) -> Iterator[Row]:
    curie = allele(row["Gene"], row["StarAllele"])
    yield Term(
        curie,
        f"{row['Gene']}{row['StarAllele'] if row['StarAllele'][:1] == '*' else ' ' + row['StarAllele']}",
        line=line,
    )
    yield from _function(curie, row["Gene"], row.get("Function", ""), line, row.get("ActivityScore", ""))


def _function(curie: str, symbol: str, function: str, line: int, activity: str = "") -> Iterator[Row]:
    told = [f"function={function}"] if function else []
    told += [f"activity={activity}"] if activity else []
    yield Edge(curie, _PART_OF_GENE, gene(symbol), qualifier=";".join(told), line=line)


def _variants(row: Cells, line: int) -> Iterator[Row]:
    if not row.get("rsID"):
        yield Problem("missing_id", line, f"{row['Gene']} {row.get('GRCh38Name', '')} has no rs number")
        return
    for rsid in _SPLIT.split(row["rsID"]):
        told = ";".join(
            f"{n}={row[c]}" for n, c in (("impact", "Impact"), ("grch38", "GRCh38Name")) if row.get(c)
        )
        yield Edge(gene(row["Gene"]), _DEFINED_BY, f"dbSNP:{rsid}", qualifier=told, line=line)


def _diplotypes(row: Cells, line: int) -> Iterator[Row]:
    symbol, result = row["Gene"], row.get("Phenotype", "")
    first, _, second = row["Diplotype"].partition("/")
    if not result or not second:
        yield Problem("missing_id", line, f"{symbol} {row['Diplotype']} has no phenotype")
        return
    curie = f"pgx:{symbol} {row['Diplotype']}".replace(" ", "_")
    yield Term(curie, f"{symbol} {row['Diplotype']}", line=line)
    yield Edge(curie, _LEADS_TO, phenotype(symbol, result), line=line)
    for name in dict.fromkeys((first, second)):
        yield Edge(curie, "has_part", allele(symbol, name), line=line)


def _phenotypes(row: Cells, line: int) -> Iterator[Row]:
    yield from _phenotype(
        row["Gene"], row["Phenotype"], line, row.get("Priority", "") or row.get("Equation", "")
    )


def _phenotype(symbol: str, name: str, line: int, definition: str = "") -> Iterator[Row]:
    curie = phenotype(symbol, name)
    yield Term(curie, f"{symbol} {name}", definition, line=line)
    yield Edge(curie, "biolink:related_to", gene(symbol), line=line)


def _recommendations(row: Cells, line: int) -> Iterator[Row]:
    drug = f"drug:{row['Drug'].replace(' ', '_')}"
    yield Term(drug, row["Drug"], line=line)
    for number in "12":
        symbol, result = row.get(f"Gene{number}", ""), row.get(f"Phenotype{number}", "")
        if symbol and result:
            qualifier = f"recommendation={row.get('Recommendation', '').replace(';', ',')}"
            yield Edge(phenotype(symbol, result), AFFECTS_RESPONSE, drug, qualifier=qualifier, line=line)


def _targets(row: Cells, line: int) -> Iterator[Row]:
    """PyPGx's table of genes: paralogs, and the reference allele."""
    yield Term(gene(row["Gene"]), row["Gene"], line=line)
    if row.get("Paralog"):
        yield Edge(gene(row["Gene"]), "RO:HOM0000011", gene(row["Paralog"]), line=line)
    if row.get("RefAllele"):
        yield Edge(
            allele(row["Gene"], row["RefAllele"]),
            _PART_OF_GENE,
            gene(row["Gene"]),
            qualifier="reference",
            line=line,
        )


TABLES: Final = (
    (("Gene", "Drug", "CPICLevel"), _pairs),
    (("Gene", "StarAllele"), _alleles),
    (("Gene", "rsID", "Variant"), _variants),
    (("Gene", "Diplotype", "Phenotype"), _diplotypes),
    (("Drug", "Gene1", "Phenotype1"), _recommendations),
    (("Gene", "Paralog", "RefAllele"), _targets),
    (("Gene", "Phenotype", "Priority"), _phenotypes),
    (("Gene", "Phenotype", "Equation"), _phenotypes),
)
