"""Which format a file of knowledge is in, told by its first lines, never by its name alone.

FORMATS holds every format by name; the first whose signs fit is taken. `--as NAME` says it instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from nexome.formats.knowledge import (
    bands,
    datasets,
    edge_list,
    genes,
    mappings,
    obo,
    obo_graphs,
    owl,
    pharmacogenes,
    publications,
    scores,
    statements,
    term_table,
    translations,
    variants,
)
from nexome.formats.knowledge.rows import Row
from nexome.formats.knowledge.source_file import HEAD_LINES, KnowledgeFile
from nexome.model.knowledge import identify

Read = Callable[[KnowledgeFile], Iterator[Row]]


@dataclass(frozen=True)
class Head:
    """The beginning of a file: its text, its lines, and the cells of its first line that is no comment."""

    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Whole lines at the beginning, the last one left out where it may be cut."""
        lines = self.text.split("\n")
        whole = lines if len(lines) == 1 or not lines[-1] else lines[:-1]
        return [line.removesuffix("\r") for line in whole[:HEAD_LINES] if line]

    @cached_property
    def rows(self) -> list[str]:
        """Lines that are no comment."""
        return [line for line in self.lines if not line.startswith("#")]

    @cached_property
    def tabbed(self) -> list[str]:
        """Cells of the first row, by tabs."""
        return [cell.strip().strip('"') for cell in self.rows[0].split("\t")] if self.rows else []

    @cached_property
    def columns(self) -> set[str]:
        """Names in the first row, by tabs or, where it has none, by commas."""
        if not self.rows:
            return set()
        cells = (
            self.tabbed if "\t" in self.rows[0] else [c.strip().strip('"') for c in self.rows[0].split(",")]
        )
        return set(cells)

    def has(self, *names: str) -> bool:
        """Whether the first row names all these columns."""
        return set(names) <= self.columns

    def json_has(self, *names: str) -> bool:
        """Whether it is JSON that names all these keys near its beginning."""
        return self.text.lstrip()[:1] in {"{", "["} and all(f'"{name}"' in self.text for name in names)

    def all_rows(self, pattern: re.Pattern[str], cell: int = 0) -> bool:
        """Whether a cell of each of the first rows looks like `pattern`."""
        cells = [row.split("\t") for row in self.rows[:20]]
        return bool(cells) and all(len(c) > cell and pattern.match(c[cell].strip()) for c in cells)


@dataclass(frozen=True)
class Format:
    """A format: what it is called, what it holds, its signs and its reader."""

    name: str
    title: str
    fits: Callable[[Head], bool]
    read: Read


_CODE: Final = re.compile(r"(?:[A-Za-z]+:\w+|[CDQ]\d{6,9})$")
_CONTIG: Final = re.compile(r"(?:chr)?(?:\d{1,2}|X|Y|MT?)$")
_ENSEMBL: Final = re.compile(r"ENSG\d{11}")
_BAND: Final = re.compile(r"(?:g(?:neg|pos\d*|var)|acen|stalk)$")
_REACTOME: Final = re.compile(r"(?:R-[A-Z]{3}-\d+|https?://\S+|na|NA|)$")


def _address(row: str) -> bool:
    return bool(identify(row).curie)


def _pairs(head: Head) -> bool:
    rows = [row.split("\t") for row in head.rows[:20]]
    return bool(rows) and all(len(r) in {2, 4} and _address(r[0]) and _address(r[1]) for r in rows)


def _identifiers(head: Head) -> bool:
    return bool(head.rows) and all("\t" not in row and identify(row).known for row in head.rows[:20])


def _gmt(head: Head) -> bool:
    rows = [row.split("\t") for row in head.rows[:10]]
    return (
        bool(rows)
        and all(len(r) >= 3 and _REACTOME.match(r[1]) for r in rows)
        and len({len(r) for r in rows}) > 1
    )


def _term_table(head: Head) -> bool:
    if not head.rows or head.text.lstrip()[:1] in {"{", "[", "<"}:
        return False
    found = term_table.find_columns(tuple(head.columns), {})
    return "id" in found and "label" in found


def _edge_list(head: Head) -> bool:
    found = edge_list.find_columns(tuple(head.columns), {})
    return head.text.lstrip()[:1] not in {"{", "[", "<"} and {"subject", "predicate", "object"} <= set(found)


def _pgx(head: Head) -> bool:
    return any(head.has(*columns) for columns, _ in pharmacogenes.TABLES)


_ALL: Final = (
    Format(
        "obo",
        "ontology in OBO",
        lambda h: "[Term]" in h.text or h.text.startswith("format-version:"),
        obo.read_obo,
    ),
    Format(
        "obo-graphs",
        "ontology in OBO Graphs JSON",
        lambda h: h.json_has("graphs"),
        obo_graphs.read_obo_graphs,
    ),
    Format(
        "owl", "ontology in OWL (RDF/XML)", lambda h: "<rdf:RDF" in h.text and "owl" in h.text, owl.read_owl
    ),
    Format(
        "sssom",
        "mappings in SSSOM",
        lambda h: h.has("subject_id", "predicate_id", "object_id"),
        mappings.read_sssom,
    ),
    Format(
        "babelon",
        "translations in Babelon",
        lambda h: h.has("subject_id", "translation_language"),
        translations.read_babelon,
    ),
    Format(
        "synonym-template",
        "translated synonyms",
        lambda h: h.has("subject_id", "translation_value"),
        translations.read_synonym_template,
    ),
    Format(
        "query-report",
        "answer of a SPARQL query",
        lambda h: bool(h.columns & {"?term", "?cls", "?entity", "?s"}),
        translations.read_query_report,
    ),
    Format("hgnc", "genes of HGNC", lambda h: bool(h.columns & {"HGNC ID", "hgnc_id"}), genes.read_hgnc),
    Format(
        "gene-places",
        "gene places with identifiers",
        lambda h: h.has("ensembl_gene_id") or (h.all_rows(_CONTIG) and h.all_rows(_ENSEMBL, 4)),
        genes.read_gene_places,
    ),
    Format("cytobands", "cytogenetic bands", lambda h: h.all_rows(_BAND, 4), bands.read_bands),
    Format(
        "orthologues",
        "orthologous genes",
        lambda h: h.has("Gene1ID", "Gene2ID") or h.has("human_entrez_gene"),
        genes.read_orthologues,
    ),
    Format(
        "hpoa",
        "diseases and phenotypes of HPO",
        lambda h: h.has("database_id", "hpo_id"),
        statements.read_hpoa,
    ),
    Format(
        "genes-to-phenotype",
        "genes and phenotypes of HPO",
        lambda h: h.has("gene_symbol", "hpo_id"),
        statements.read_genes_to_phenotype,
    ),
    Format(
        "go-annotations",
        "genes by GO term",
        lambda h: h.has("go_id", "gene_ids"),
        statements.read_go_annotations,
    ),
    Format(
        "loinc2hpo",
        "laboratory outcomes as phenotypes",
        lambda h: h.has("loincId", "hpoTermId"),
        statements.read_loinc2hpo,
    ),
    Format(
        "pgs",
        "head of a polygenic score",
        lambda h: "#pgs_id=" in h.text or "#omicspred_id=" in h.text,
        scores.read_score_head,
    ),
    Format(
        "pgs-table",
        "weights of polygenic scores",
        lambda h: h.has("accession", "effect_weight"),
        scores.read_score_table,
    ),
    Format("pgx", "pharmacogenetic tables", _pgx, pharmacogenes.read_pgx_table),
    Format(
        "pharmcat-definition",
        "PharmCAT allele definitions",
        lambda h: h.json_has("formatVersion", "gene", "variants"),
        pharmacogenes.read_pharmcat_definition,
    ),
    Format(
        "pharmcat-phenotype",
        "PharmCAT phenotypes",
        lambda h: h.json_has("gene", "haplotypes"),
        pharmacogenes.read_pharmcat_phenotype,
    ),
    Format(
        "pharmcat-sites",
        "PharmCAT sites",
        lambda h: h.text.startswith("##fileformat=VCF") and "ID=PX," in h.text,
        pharmacogenes.read_pharmcat_sites,
    ),
    Format(
        "gwas-catalog",
        "associations of the GWAS Catalog",
        lambda h: {"snps", "pubmedid", "p-value"} <= {c.casefold() for c in h.columns},
        variants.read_gwas_catalog,
    ),
    Format(
        "clinvar-vcf",
        "ClinVar as VCF",
        lambda h: h.text.startswith("##fileformat=VCF") and "ID=CLNSIG," in h.text,
        variants.read_clinvar_vcf,
    ),
    Format(
        "clinvar-table",
        "ClinVar's variant_summary",
        lambda h: "ClinicalSignificance\t" in h.text and "PhenotypeIDS" in h.text,
        variants.read_clinvar_table,
    ),
    Format("pubmed", "articles of PubMed", lambda h: "<PubmedArticle" in h.text, publications.read_pubmed),
    Format(
        "openalex",
        "works of OpenAlex",
        lambda h: h.text.lstrip()[:1] == "{" and "https://openalex.org/" in h.text,
        publications.read_openalex,
    ),
    Format(
        "bibtex",
        "references in BibTeX",
        lambda h: bool(re.match(r"\s*(?:%.*\s*)*@\w+\s*\{", h.text)),
        publications.read_bibtex,
    ),
    Format("ris", "references in RIS", lambda h: h.text.startswith("TY  -"), publications.read_ris),
    Format(
        "datacite",
        "data sets of DataCite",
        lambda h: h.json_has("titles") and (h.json_has("doi") or h.json_has("identifiers")),
        datasets.read_datacite,
    ),
    Format(
        "json-ld",
        "data sets as JSON-LD: DCAT, schema.org, Croissant",
        lambda h: h.json_has("@context") and "dataset" in h.text.casefold(),
        datasets.read_json_ld,
    ),
    Format("edge-list", "statements in a table", _edge_list, edge_list.read_edge_list),
    Format(
        "phecodes", "phecodes with their ICD codes", lambda h: h.json_has("icd9s"), term_table.read_phecodes
    ),
    Format(
        "term-tree",
        "terms nested in each other",
        lambda h: h.json_has("value", "label"),
        term_table.read_term_tree,
    ),
    Format(
        "term-records",
        "records of terms",
        lambda h: h.json_has("id", "name", "synonyms"),
        term_table.read_term_records,
    ),
    Format("pairs", "pairs of identifiers", _pairs, mappings.read_pairs),
    Format(
        "hierarchy",
        "child and parent",
        lambda h: len(h.columns) == 2 and any("parent" in c.lower() for c in h.columns),
        term_table.read_hierarchy,
    ),
    Format("term-table", "terms in a table", _term_table, term_table.read_term_table),
    Format(
        "term-list",
        "identifier, label, synonyms",
        lambda h: h.all_rows(_CODE) and len(h.tabbed) in {2, 3},
        term_table.read_term_list,
    ),
    Format("gmt", "gene sets", _gmt, genes.read_gmt),
    Format("identifier-list", "identifiers, one a line", _identifiers, statements.read_identifier_list),
)
FORMATS: Final[dict[str, Format]] = {format_.name: format_ for format_ in _ALL}


def recognise(text: str) -> Format | None:
    """The format whose signs the beginning of a file bears; None where none fits."""
    head = Head(text)
    return next((format_ for format_ in _ALL if format_.fits(head)), None)
