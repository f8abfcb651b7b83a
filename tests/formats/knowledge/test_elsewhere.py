"""Variants, publications, data sets and edge lists, on small files with the real heads."""

import orjson
import pytest

from nexome.model.errors import FormatError
from tests.formats.knowledge.reading import read_path, read_text

CLINVAR = """##fileformat=VCFv4.1
##fileDate=2025-01-13
##INFO=<ID=CLNSIG,Number=.,Type=String,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
1\t69134\t2205837\tA\tG\t.\t.\tCLNDISDB=MONDO:MONDO:0005148,MedGen:C0011860|Orphanet:558;CLNREVSTAT=reviewed_by_expert_panel;CLNSIG=Likely_benign;GENEINFO=OR4F5:79501;RS=781394307
broken
"""


def test_clinvar_vcf(tmp_path):
    read = read_text(tmp_path, CLINVAR)
    assert (read.format, read.facts["release"]) == ("clinvar-vcf", "2025-01-13")
    assert read.triples == {
        ("ClinVar:2205837", "skos:exactMatch", "dbSNP:rs781394307"),
        ("ClinVar:2205837", "biolink:is_sequence_variant_of", "NCBIGene:79501"),
        ("ClinVar:2205837", "biolink:associated_with", "MONDO:0005148"),
        ("ClinVar:2205837", "biolink:associated_with", "Orphanet:558"),
    }
    condition = read.edges[2]
    assert (condition["score"], condition["qualifier"]) == (3.0, "significance=Likely benign")
    assert read.at("broken_line") == [6]


def test_clinvar_table(tmp_path):
    head = (
        "#AlleleID\tName\tGeneID\tClinicalSignificance\tRS# (dbSNP)\tPhenotypeIDS\t"
        "ReviewStatus\tVariationID\n"
    )
    row = (
        "1\tNM_1:c.1A>G\t79501\tPathogenic\t7\tMONDO:MONDO:1,OMIM:2\tcriteria provided, single submitter\t5\n"
    )
    read = read_text(tmp_path, head + row + row)
    assert read.labels == {"ClinVar:5": "NM_1:c.1A>G"}
    assert len(read.edges) == 3
    assert ("ClinVar:5", "biolink:associated_with", "MONDO:1") in read.triples


def test_gwas_catalog(tmp_path):
    head = "PUBMEDID\tREPORTED GENE(S)\tSNPS\tP-VALUE\tMAPPED_TRAIT\tMAPPED_TRAIT_URI\tSTUDY ACCESSION\n"
    rows = (
        "25231870\tADARB2, NR\trs1874984\t3E-412\tage at menarche\thttp://www.ebi.ac.uk/efo/EFO_0004703\tGCST1\n"
        "25231870\tNR\tchr1:1\t2E-12\tx\thttp://www.ebi.ac.uk/efo/EFO_1\tGCST1\n"
    )
    read = read_text(tmp_path, head + rows)
    [trait, gene] = read.edges
    assert (trait["subject"], trait["object"]) == ("dbSNP:rs1874984", "EFO:0004703")
    assert trait["score"] == pytest.approx(411.5229)
    assert (trait["publication"], trait["qualifier"]) == ("PMID:25231870", "study=GCST:GCST1")
    assert gene["object"] == "hgnc.symbol:ADARB2"
    assert read.at("missing_id") == [3]


def test_pubmed(tmp_path):
    read = read_text(
        tmp_path,
        """<?xml version="1.0"?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>31675180</PMID>
        <Article><ArticleTitle>A <i>title</i></ArticleTitle>
        <ELocationID EIdType="doi">10.1/X</ELocationID></Article>
        <MeshHeadingList><MeshHeading><DescriptorName UI="D003920">Diabetes</DescriptorName>
        </MeshHeading></MeshHeadingList></MedlineCitation>
        <PubmedData><ArticleIdList><ArticleId IdType="doi">10.1234/abc
        </ArticleId></ArticleIdList></PubmedData></PubmedArticle></PubmedArticleSet>""",
    )
    assert read.labels == {"PMID:31675180": "A title"}
    assert ("PMID:31675180", "IAO:0000136", "MESH:D003920") in read.triples
    with pytest.raises(FormatError, match="line 1, column"):
        read_text(tmp_path, "<PubmedArticleSet><PubmedArticle></x>")


def test_openalex_bibtex_and_ris_agree_on_one_paper(tmp_path):
    work = {
        "id": "https://openalex.org/W1",
        "title": "A title",
        "ids": {"pmid": "https://pubmed.ncbi.nlm.nih.gov/31675180", "doi": "https://doi.org/10.1234/ABC"},
        "mesh": [{"descriptor_ui": "D003920"}, {"descriptor_ui": "D003920"}],
    }
    alex = read_text(tmp_path, orjson.dumps({"results": [work]}))
    tex = read_text(
        tmp_path,
        "@article{x,\n  title = {A {title}},\n  doi = {10.1234/ABC},\n  pmid = {31675180}\n}\n"
        "@misc{y, title={No id}}\n",
    )
    ris = read_text(tmp_path, "TY  - JOUR\nTI  - A title\nAN  - 31675180\nDO  - 10.1234/ABC\nER  - \n")
    for read in (alex, tex, ris):
        assert read.labels == {"PMID:31675180": "A title"}
        assert ("PMID:31675180", "skos:exactMatch", "doi:10.1234/abc") in read.triples
    assert ("PMID:31675180", "skos:exactMatch", "openalex:W1") in alex.triples
    assert len(alex.edges) == 3
    assert tex.at("missing_id") == [6]


def test_data_sets_are_one_by_their_doi(tmp_path):
    cite = {
        "data": [
            {
                "attributes": {
                    "doi": "10.5281/ZENODO.1",
                    "titles": [{"title": "Blood"}],
                    "descriptions": [{"description": "Counts."}],
                    "rightsList": [{"rights": "CC BY 4.0"}],
                    "identifiers": [{"identifier": "https://x.org/d/1"}],
                }
            }
        ]
    }
    schema = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": [{"@language": "zh", "@value": "血"}, {"@language": "en", "@value": "Blood"}],
        "identifier": {"@type": "PropertyValue", "value": "https://doi.org/10.5281/zenodo.1"},
        "about": [{"@id": "http://purl.obolibrary.org/obo/UBERON_0000178"}],
    }
    croissant = {"@context": {}, "@type": "sc:Dataset", "name": "Blood", "citeAs": "doi:10.5281/zenodo.1"}
    dcat = {
        "@context": {},
        "@graph": [
            {"@type": "dcat:Catalog"},
            {"@type": "dcat:Dataset", "dct:title": "Blood", "dct:identifier": "10.5281/zenodo.1"},
        ],
    }
    for document in (cite, schema, croissant, dcat):
        read = read_text(tmp_path, orjson.dumps(document))
        assert read.labels == {"doi:10.5281/zenodo.1": "Blood"}
    read = read_text(tmp_path, orjson.dumps(cite))
    assert read.terms[0]["definition"] == "Counts. Licence: CC BY 4.0."
    read = read_text(tmp_path, orjson.dumps(schema))
    assert ("doi:10.5281/zenodo.1", "IAO:0000136", "UBERON:0000178") in read.triples


def test_any_edge_list(tmp_path):
    read = read_text(
        tmp_path,
        "subject\tpredicate\tobject\tscore\tpublications\nHGNC:5\tbiolink:interacts_with\tHGNC:6\thigh\tPMID:1|PMID:2\n",
    )
    assert read.format == "edge-list"
    assert read.triples == {("HGNC:5", "biolink:interacts_with", "HGNC:6")}
    assert read.edges[0]["publication"] == "PMID:1|PMID:2"
    assert read.at("bad_number") == [2]
    mapping = {"subject": "gene", "object": "drug"}
    said = {"format": "edge-list", "mapping": mapping, "predicate": "biolink:treats", "prefix": "MESH"}
    read = read_text(tmp_path, "gene,drug\nD1,RXCUI:2\n", **said)
    assert read.triples == {("MESH:D1", "biolink:treats", "RXNORM:2")}
    with pytest.raises(FormatError, match="no column predicate"):
        read_text(tmp_path, "subject,object\na:1,b:2\n", format="edge-list")


@pytest.mark.shared
def test_the_real_gwas_catalog(shared):
    read = read_path(shared / "gwas" / "gwas_catalog_v1.0.1_2015-06-08.tsv.gz")
    # 97003 rows (zcat | wc -l, less the head); those without an rs number or a mapped trait are refused
    assert read.format == "gwas-catalog"
    assert read.rules["missing_id"] == 647
    assert {e["method"] for e in read.edges} == {"GWAS", "reported"}
