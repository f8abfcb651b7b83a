"""The words of knowledge: terms, their names, edges between them; and one spelling of each identifier.

An identifier is a CURIE, `PREFIX:local`. Prefixes, their synonyms and the addresses that stand for them
follow the Bioregistry (Hoyt et al., Sci Data 2022); the spelling is the one that OBO, Mondo and Biolink
write (`HP`, `MESH`, `UMLS`, `Orphanet`, `SNOMEDCT`). What is in no table keeps its own spelling. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import pyarrow as pa

NameKind = Literal["label", "exact", "related", "narrow", "broad", "layperson", "translation", "abbreviation"]

IS_A: Final = "is_a"
PART_OF: Final = "part_of"
EXACT: Final = "skos:exactMatch"
CLOSE: Final = "skos:closeMatch"
BROAD: Final = "skos:broadMatch"
NARROW: Final = "skos:narrowMatch"
RELATED: Final = "skos:relatedMatch"
XREF: Final = "oboInOwl:hasDbXref"

# The same relation under its address, its CURIE and its name in OBO files.
_PREDICATES: Final[dict[str, str]] = {
    "rdfs:subClassOf": IS_A,
    "BFO:0000050": PART_OF,
    "BFO:0000051": "has_part",
    "RO:0002202": "develops_from",
    "RO:0002211": "regulates",
    "RO:0002212": "negatively_regulates",
    "RO:0002213": "positively_regulates",
    "BFO:0000066": "occurs_in",
    "RO:0001025": "located_in",
    "owl:equivalentClass": EXACT,
    "MONDO:equivalentTo": EXACT,
}

TERMS: Final = pa.schema(
    [
        ("id", pa.string()),
        ("vocabulary", pa.string()),
        ("label", pa.string()),
        ("definition", pa.string()),
        ("definition_zh", pa.string()),
        ("obsolete", pa.bool_()),
        ("replaced_by", pa.list_(pa.string())),
        ("alternatives", pa.list_(pa.string())),
        ("line", pa.uint32()),
    ]
)
NAMES: Final = pa.schema(
    [
        ("term", pa.string()),
        ("text", pa.string()),
        ("kind", pa.string()),
        ("language", pa.string()),
        ("line", pa.uint32()),
    ]
)
EDGES: Final = pa.schema(
    [
        ("subject", pa.string()),
        ("predicate", pa.string()),
        ("object", pa.string()),
        ("score", pa.float32()),
        ("publication", pa.string()),
        ("method", pa.string()),
        ("qualifier", pa.string()),
        ("line", pa.uint32()),
    ]
)


class Name(NamedTuple):
    """One name of a term: its text, what it is (label, exact, layperson, translation …) and its language."""

    text: str
    kind: str
    language: str


@dataclass(frozen=True)
class NamedTerm:
    """A term with its names, the label first, the terms above it and those that mean the same elsewhere."""

    id: str
    names: Sequence[Name]
    parents: Sequence[str] = ()
    equivalents: Sequence[str] = ()


class Term(NamedTuple):
    """A term as one source has it. `line`: where it stands in the file; 0 where a file has no lines."""

    id: str
    label: str = ""
    definition: str = ""
    definition_zh: str = ""
    obsolete: bool = False
    replaced_by: Sequence[str] = ()
    alternatives: Sequence[str] = ()
    line: int = 0


class TermName(NamedTuple):
    """A further name of a term, as one source has it; `language` is a code of ISO 639-1 or BCP 47."""

    term: str
    text: str
    kind: NameKind = "exact"
    language: str = "en"
    line: int = 0


class Edge(NamedTuple):
    """A statement: subject, predicate, object, and what it rests on.

    `score`: what the source itself gives, higher is stronger; None where it gives none. `publication`:
    CURIEs joined by '|'. `method`: an evidence code or how a match was found. `qualifier`: the rest, as
    'name=value' joined by ';'; 'not' where the statement is denied.
    """

    subject: str
    predicate: str
    object: str
    score: float | None = None
    publication: str = ""
    method: str = ""
    qualifier: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Prefix:
    """A vocabulary: the spelling used here, other spellings, addresses that stand before a local id."""

    preferred: str
    name: str
    synonyms: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def _p(preferred: str, name: str, synonyms: str = "", addresses: str = "") -> Prefix:
    return Prefix(preferred, name, tuple(synonyms.split()), tuple(addresses.split()))


PREFIXES: Final[tuple[Prefix, ...]] = (
    # the demo's own
    _p("NXDEMO", "Vocabulary of the Nexome demo"),
    _p("simgene", "Genes of a simulation"),
    _p("simprotein", "Proteins of a simulation"),
    # phenotypes and diseases
    _p("HP", "Human Phenotype Ontology", "HPO"),
    _p("MONDO", "Mondo Disease Ontology"),
    _p("DOID", "Human Disease Ontology", "DO"),
    _p("EFO", "Experimental Factor Ontology", "", "http://www.ebi.ac.uk/efo/EFO_"),
    _p(
        "Orphanet",
        "Orphanet nomenclature of rare diseases",
        "ORPHA ORDO ORPHANET orphanet.ordo",
        "http://www.orpha.net/ORDO/Orphanet_ https://www.orpha.net/consor/cgi-bin/OC_Exp.php?Expert=",
    ),
    _p(
        "OMIM",
        "Online Mendelian Inheritance in Man",
        "MIM",
        "https://omim.org/entry/ https://www.omim.org/entry/",
    ),
    _p("OMIMPS", "OMIM phenotypic series", "omim.ps MIMPS", "https://omim.org/phenotypicSeries/PS"),
    _p("NCIT", "NCI Thesaurus", "NCI NCIT_C ncithesaurus NCI_Thesaurus"),
    _p(
        "MESH",
        "Medical Subject Headings",
        "MSH mesh.2012 mesh.2013",
        "http://id.nlm.nih.gov/mesh/ https://meshb.nlm.nih.gov/record/ui?ui=",
    ),
    _p(
        "UMLS",
        "Unified Medical Language System",
        "UMLS_CUI UMLSCUI umls.cui CUI",
        "http://linkedlifedata.com/resource/umls/id/ https://uts.nlm.nih.gov/uts/umls/concept/",
    ),
    _p(
        "SNOMEDCT",
        "SNOMED CT",
        "SCTID SCT SNOMED SNOMED_CT SNOMEDCT_US SNOMEDCTUS",
        "http://snomed.info/id/ http://purl.bioontology.org/ontology/SNOMEDCT/",
    ),
    _p("MEDGEN", "MedGen", "", "https://www.ncbi.nlm.nih.gov/medgen/"),
    _p("MedDRA", "MedDRA", "MEDRA", "http://purl.bioontology.org/ontology/MEDDRA/"),
    _p("GARD", "Genetic and Rare Diseases", "", "https://rarediseases.info.nih.gov/diseases/"),
    _p("DECIPHER", "DECIPHER"),
    _p("NANDO", "Nanbyo Disease Ontology", "", "http://nanbyodata.jp/ontology/NANDO_"),
    _p(
        "ICD10",
        "ICD-10",
        "ICD-10 ICD10WHO icd10.who",
        "http://apps.who.int/classifications/icd10/browse/2010/en#/ https://icd.who.int/browse10/2019/en#/",
    ),
    _p("ICD10CM", "ICD-10-CM", "ICD-10-CM", "http://purl.bioontology.org/ontology/ICD10CM/"),
    _p("ICD9", "ICD-9", "ICD-9"),
    _p("ICD9CM", "ICD-9-CM", "ICD-9-CM", "http://purl.bioontology.org/ontology/ICD9CM/"),
    _p("icd11.foundation", "ICD-11 foundation", "ICD11.FOUNDATION", "http://id.who.int/icd/entity/"),
    _p("ICD11", "ICD-11 MMS", "icd11.code"),
    _p("ICDO", "ICD-O", "ICD-O ICD0"),
    _p("phecode", "Phecode", "PHECODE", "https://phewascatalog.org/phecode/"),
    _p("LOINC", "LOINC", "LNC", "https://loinc.org/"),
    _p("HCPCS", "HCPCS"),
    # anatomy, cells, functions, qualities, units, exposures
    _p("UBERON", "Uber-anatomy ontology"),
    _p("CL", "Cell Ontology"),
    _p("FMA", "Foundational Model of Anatomy"),
    _p("BTO", "BRENDA tissues"),
    _p("CLO", "Cell Line Ontology"),
    _p("GO", "Gene Ontology"),
    _p("PATO", "Phenotype And Trait Ontology"),
    _p("UO", "Units of measurement ontology"),
    _p("PR", "Protein Ontology", "PRO"),
    _p("SO", "Sequence Ontology"),
    _p("OBA", "Ontology of Biological Attributes"),
    _p("CMO", "Clinical Measurement Ontology"),
    _p("VT", "Vertebrate Trait Ontology"),
    _p("MP", "Mammalian Phenotype Ontology"),
    _p("MAXO", "Medical Action Ontology"),
    _p("ECTO", "Environmental conditions"),
    _p("ENVO", "Environment Ontology"),
    _p("DUO", "Data Use Ontology"),
    _p("ECO", "Evidence and Conclusion Ontology"),
    _p("OBI", "Ontology for Biomedical Investigations"),
    _p("IAO", "Information Artifact Ontology"),
    _p("BFO", "Basic Formal Ontology"),
    _p("RO", "Relation Ontology", "OBO_REL"),
    _p("CARO", "Common Anatomy Reference Ontology"),
    _p("NBO", "Neuro Behavior Ontology"),
    _p("HANCESTRO", "Human Ancestry Ontology"),
    _p("GAZ", "Gazetteer"),
    _p("MI", "Molecular Interactions"),
    # genes, variants, pathways, scores
    _p(
        "HGNC",
        "HUGO Gene Nomenclature Committee",
        "",
        "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/",
    ),
    _p("hgnc.symbol", "HGNC symbols", "HGNC_SYMBOL"),
    _p(
        "NCBIGene",
        "NCBI Gene",
        "NCBIGENE ENTREZ EntrezGene Entrez GeneID ENTREZGENE NCBI_Gene",
        "https://www.ncbi.nlm.nih.gov/gene/ http://www.ncbi.nlm.nih.gov/gene/",
    ),
    _p("ENSEMBL", "Ensembl", "ENSG", "https://www.ensembl.org/id/ http://rdf.ebi.ac.uk/resource/ensembl/"),
    _p("UniProtKB", "UniProt", "UNIPROT UniProt uniprotkb", "http://purl.uniprot.org/uniprot/"),
    _p("dbSNP", "dbSNP", "DBSNP", "https://www.ncbi.nlm.nih.gov/snp/"),
    _p("ClinVar", "ClinVar variation", "CLINVAR clinvar", "https://www.ncbi.nlm.nih.gov/clinvar/variation/"),
    _p("Reactome", "Reactome", "REACT REACTOME", "https://reactome.org/content/detail/"),
    _p("KEGG", "KEGG"),
    _p("MSigDB", "MSigDB gene sets", "msigdb"),
    _p("PGS", "PGS Catalog", "", "https://www.pgscatalog.org/score/"),
    _p("GCST", "GWAS Catalog studies", "gwas gwascatalog", "https://www.ebi.ac.uk/gwas/studies/"),
    _p("MGI", "Mouse Genome Informatics"),
    _p("RGD", "Rat Genome Database"),
    _p("ZFIN", "Zebrafish Information Network"),
    _p("FB", "FlyBase", "FlyBase"),
    _p("WB", "WormBase", "WormBase"),
    _p("SGD", "Saccharomyces Genome Database"),
    _p("NCBITaxon", "NCBI Taxonomy", "NCBITAXON taxid taxon"),
    # substances
    _p("CHEBI", "Chemical Entities of Biological Interest", "ChEBI"),
    _p("RXNORM", "RxNorm", "RXCUI RxNorm RxCUI", "http://purl.bioontology.org/ontology/RXNORM/"),
    _p(
        "ATC",
        "Anatomical Therapeutic Chemical classification",
        "ATCCODE",
        "http://purl.bioontology.org/ontology/ATC/",
    ),
    _p("DRUGBANK", "DrugBank", "DrugBank", "https://go.drugbank.com/drugs/"),
    _p("CHEMBL", "ChEMBL", "ChEMBL chembl.compound", "https://www.ebi.ac.uk/chembl/compound_report_card/"),
    _p("PUBCHEM", "PubChem", "pubchem.compound PubChem"),
    _p("CAS", "CAS registry"),
    # publications, people, data
    _p(
        "PMID",
        "PubMed",
        "pubmed MEDLINE",
        "https://pubmed.ncbi.nlm.nih.gov/ http://www.ncbi.nlm.nih.gov/pubmed/ https://www.ncbi.nlm.nih.gov/pubmed/",
    ),
    _p("PMC", "PubMed Central", "PMCID", "https://www.ncbi.nlm.nih.gov/pmc/articles/"),
    _p(
        "doi",
        "Digital object identifier",
        "",
        "https://doi.org/ http://doi.org/ http://dx.doi.org/ https://dx.doi.org/",
    ),
    _p("ISBN", "ISBN", "ISBN-13 ISBN-10"),
    _p("orcid", "ORCID", "", "https://orcid.org/ http://orcid.org/"),
    _p("openalex", "OpenAlex", "", "https://openalex.org/"),
    _p("arxiv", "arXiv", "", "https://arxiv.org/abs/ http://arxiv.org/abs/"),
    _p(
        "Wikipedia",
        "Wikipedia",
        "wikipedia.en",
        "http://en.wikipedia.org/wiki/ https://en.wikipedia.org/wiki/",
    ),
    _p("wikidata", "Wikidata", "", "http://www.wikidata.org/entity/ https://www.wikidata.org/wiki/"),
    # words of relations
    _p("skos", "SKOS", "", "http://www.w3.org/2004/02/skos/core#"),
    _p("rdfs", "RDF Schema", "", "http://www.w3.org/2000/01/rdf-schema#"),
    _p("rdf", "RDF", "", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    _p("owl", "OWL", "", "http://www.w3.org/2002/07/owl#"),
    _p("oboInOwl", "OBO in OWL", "oio", "http://www.geneontology.org/formats/oboInOwl#"),
    _p("dcterms", "Dublin Core terms", "dcterm", "http://purl.org/dc/terms/"),
    _p("biolink", "Biolink Model", "", "https://w3id.org/biolink/vocab/"),
    _p("semapv", "Mapping vocabulary", "", "https://w3id.org/semapv/vocab/"),
    _p("sssom", "SSSOM", "", "https://w3id.org/sssom/"),
    _p("infores", "Information resources", "", "https://w3id.org/information-resource-registry/"),
    # of this program: things that have no public identifier
    _p("cytoband", "Cytogenetic bands"),
    _p("pgx", "Star alleles and phenotypes of pharmacogenes"),
    _p("drug", "Drugs known by name alone"),
    _p("list", "Lists of identifiers"),
)
_SPELLING: Final[dict[str, str]] = {
    spelling.casefold(): prefix.preferred
    for prefix in PREFIXES
    for spelling in (prefix.preferred, *prefix.synonyms)
}
_ADDRESSES: Final[dict[str, str]] = {
    address.partition("://")[2]: prefix.preferred for prefix in PREFIXES for address in prefix.addresses
}
_LONGEST_FIRST: Final = sorted(_ADDRESSES, key=len, reverse=True)
_OBO: Final = re.compile(
    r"(?:purl\.obolibrary\.org|purl\.org/obo)/(?:obo/)?([A-Za-z][A-Za-z0-9]*)_([^#?/\s]+)$"
)
_REGISTRY: Final = re.compile(
    r"(?:www\.)?(?:identifiers\.org|bioregistry\.io|n2t\.net)/([A-Za-z][\w.]*)[/:](\S+)$"
)
_CURIE: Final = re.compile(r"([A-Za-z][\w.-]*):(\S(?:.*\S)?)$", re.DOTALL)
_UNDERSCORED: Final = re.compile(r"([A-Za-z]+)_(\d\w*)$")
_DATED: Final = re.compile(
    r"(SNOMEDCT(?:_US)?|NCI|MSH|ICD10CM|ICD9CM|UMLS_CUI)_(?:US_)?\d{4}_\d\d_\d\d$", re.IGNORECASE
)


class Identifier(NamedTuple):
    """A CURIE in the one spelling, and whether its prefix is in the table. '' where it is none."""

    curie: str
    known: bool


def preferred_prefix(prefix: str) -> str | None:
    """The spelling of a prefix used here, in any of its spellings; None where no table has it."""
    found = _SPELLING.get(prefix.casefold())
    if found is None and (dated := _DATED.match(prefix)):
        return _SPELLING.get(dated[1].casefold())
    return found


@lru_cache(maxsize=1 << 17)
def identify(text: str) -> Identifier:
    """One spelling of a CURIE, an OBO PURL, an address, `EFO_0000305`.

    An address that stands for no known vocabulary is kept whole; a text that is no identifier gives ''.

    >>> identify("http://www.orpha.net/ORDO/Orphanet_124").curie, identify("MSH:D009203").curie
    ('Orphanet:124', 'MESH:D009203')
    """
    text = text.strip().strip("<>")
    if "://" in text[:10]:
        return _of_address(text)
    if found := _CURIE.match(text):
        return _joined(found[1], found[2])
    if (found := _UNDERSCORED.match(text)) and preferred_prefix(found[1]):
        return _joined(found[1], found[2])
    return Identifier("", known=False)


def normalise_curie(text: str, declared: Mapping[str, str] | None = None) -> str:
    """An identifier in the one spelling used here; '' where the text is none.

    `declared`: prefix → address, as a file's own curie_map has them; they are stronger than the table.
    """
    if declared:
        prefix, _, local = text.partition(":")
        if prefix in declared:
            whole = identify(declared[prefix] + local)
            return whole.curie if whole.known else identify(text).curie
    return identify(text).curie


def vocabulary_of(curie: str) -> str:
    """The prefix of a CURIE; 'url' of an address."""
    return "url" if "://" in curie[:10] else curie.partition(":")[0]


@lru_cache(maxsize=4096)
def normalise_predicate(text: str) -> str:
    """The name of a relation: `is_a`, `part_of`, a CURIE, or the name that an OBO file gives it."""
    text = text.strip()
    found = identify(text).curie or text
    return _PREDICATES.get(found, found)


def _joined(prefix: str, local: str) -> Identifier:
    preferred = preferred_prefix(prefix)
    if preferred is None:
        return Identifier(f"{prefix}:{local}", known=False)
    inner, _, rest = local.partition(":")
    if rest and _SPELLING.get(inner.casefold()) == preferred:  # HGNC:HGNC:5
        local = rest
    if preferred == "Orphanet":
        local = local.removeprefix("ORPHA").removeprefix("Orphanet_")
    elif preferred == "OMIM" and local.startswith("PS"):  # OMIM:PS115150 is a series
        preferred, local = "OMIMPS", local[2:]
    elif preferred == "doi":
        local = local.lower()
    return Identifier(f"{preferred}:{local}", known=True)


def _of_address(text: str) -> Identifier:
    bare = text.partition("://")[2]
    if found := _OBO.match(bare):
        return _joined(found[1], found[2])
    for address in _LONGEST_FIRST:
        if bare.startswith(address) and len(bare) > len(address):
            return _joined(_ADDRESSES[address], bare[len(address) :])
    if found := _REGISTRY.match(bare):
        return _joined(found[1], found[2])
    return Identifier("" if any(c.isspace() for c in text) else text, known=False)
