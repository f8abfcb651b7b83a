"""Annotations of genes, diseases, tests and scores: each row a statement with what it rests on."""

import orjson
import pytest

from nexome.formats.knowledge.statements import frequency_of
from tests.formats.knowledge.reading import read_path, read_text

HPOA = """#version: 2025-01-16
database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration
OMIM:619340\tDEE 96\t\tHP:0011097\tPMID:31675180\tPCS\tHP:0003593\t1/2\t\t\tP\tHPO:x
OMIM:619340\tDEE 96\tNOT\tHP:0002187\tPMID:1;OMIM:2\tPCS\t\t\t\t\tP\tHPO:x
ORPHA:558\tMarfan\t\tHP:0000006\tORPHA:558\tTAS\t\tHP:0040281\t\t\tI\tORPHA:x
"""


def test_hpoa(tmp_path):
    read = read_text(tmp_path, HPOA)
    assert (read.format, read.facts["release"]) == ("hpoa", "2025-01-16")
    assert read.labels == {"OMIM:619340": "DEE 96", "Orphanet:558": "Marfan"}
    first, denied, inherited = read.edges
    assert (first["score"], first["method"], first["publication"]) == (0.5, "PCS", "PMID:31675180")
    assert first["qualifier"] == "onset=HP:0003593;frequency=1/2"
    assert (denied["qualifier"], denied["publication"], denied["line"]) == ("not", "PMID:1|OMIM:2", 4)
    assert inherited["predicate"] == "biolink:has_mode_of_inheritance"
    assert inherited["score"] == pytest.approx(0.895)


@pytest.mark.parametrize(
    ("text", "share"),
    [("5/13", 5 / 13), ("38%", 0.38), ("HP:0040280", 1.0), ("", None), ("3/0", None), ("often", None)],
)
def test_frequencies(text, share):
    assert frequency_of(text) == (None if share is None else pytest.approx(share))


def test_genes_to_phenotype(tmp_path):
    read = read_text(
        tmp_path,
        "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n"
        "10\tNAT2\tHP:0000007\tx\t-\tOMIM:243400\n"
        "10\tNAT2\tHP:0001939\tx\t1/4\tOMIM:243400\n"
        "-\tNO\tHP:0001939\tx\t-\tOMIM:1\n",
    )
    assert read.triples == {
        ("NCBIGene:10", "skos:exactMatch", "hgnc.symbol:NAT2"),
        ("NCBIGene:10", "biolink:has_phenotype", "HP:0000007"),
        ("NCBIGene:10", "biolink:has_phenotype", "HP:0001939"),
        ("NCBIGene:10", "biolink:gene_associated_with_condition", "OMIM:243400"),
    }
    assert read.at("missing_id") == [4]


def test_go_annotations(tmp_path):
    head = "go_id\tgo_name\tgo_domain\ttax_id\tannotation_type\tsize\tgene_ids\tgene_symbols\n"
    read = read_text(
        tmp_path,
        f"{head}GO:1\tinheritance\tbiological_process\t9606\tdirect\t2\t10|11\tA|B\n"
        "GO:2\tpore\tcellular_component\t9606\tdirect\t2\t10|11\tA\n",
    )
    assert read.triples == {("NCBIGene:10", "RO:0002331", "GO:1"), ("NCBIGene:11", "RO:0002331", "GO:1")}
    assert read.at("broken_line") == [3]


def test_loinc2hpo(tmp_path):
    read = read_text(
        tmp_path,
        "loincId\tloincScale\tsystem\tcode\thpoTermId\tisNegated\n2823-3\tQn\tFHIR\tN\tHP:0011042\ttrue\n",
    )
    assert read.triples == {("LOINC:2823-3", "biolink:associated_with", "HP:0011042")}
    assert read.edges[0]["qualifier"] == "not;outcome=N;scale=Qn"


def test_gene_sets(tmp_path):
    sets = "2-LTR circle\tR-HSA-164843\tBANF1\tHMGA1\nShort\tR-HSA-1\tBANF1\n"
    assert read_text(tmp_path, sets).format == "gmt"
    read = read_text(tmp_path, f"{sets}broken\n", format="gmt")
    assert ("Reactome:R-HSA-164843", "biolink:has_participant", "hgnc.symbol:BANF1") in read.triples
    assert read.at("broken_line") == [3]


def test_hgnc(tmp_path):
    read = read_text(
        tmp_path,
        "hgnc_id\tsymbol\tname\tstatus\talias_symbol\tentrez_id\tensembl_gene_id\tuniprot_ids\n"
        'HGNC:5\tA1BG\talpha-1-B glycoprotein\tApproved\t"AB|GAB"\t1\tENSG00000121410\tP04217\n'
        "HGNC:6\tA1S9T~withdrawn\tsymbol withdrawn, see HGNC:12469\tEntry Withdrawn\t\t\t\t\n",
    )
    assert ("HGNC:5", "GAB", "exact", "en") in read.said
    assert ("HGNC:5", "skos:exactMatch", "NCBIGene:1") in read.triples
    assert ("HGNC:5", "RO:0002205", "UniProtKB:P04217") in read.triples
    assert (read.terms[1]["obsolete"], read.terms[1]["replaced_by"]) == (True, ["HGNC:12469"])


def test_orthologues(tmp_path):
    read = read_text(
        tmp_path,
        "# comment\nGene1ID\tGene1Symbol\tGene2ID\tGene2Symbol\tAlgorithms\tAlgorithmsMatch\n"
        "HGNC:5\tA1BG\tMGI:2152878\tA1bg\tPANTHER|OMA\t2\n",
    )
    assert read.triples == {("HGNC:5", "RO:HOM0000017", "MGI:2152878")}
    assert (read.edges[0]["score"], read.edges[0]["method"]) == (2.0, "PANTHER|OMA")


def test_the_head_of_a_score(tmp_path):
    read = read_text(
        tmp_path,
        "###PGS CATALOG SCORING FILE\n#format_version=2.0\n#pgs_id=PGS000001\n#pgs_name=PRS77_BC\n"
        "#trait_reported=Breast cancer\n#trait_efo=EFO_0000305\n#variants_number=77\n"
        "#citation=Mavaddat N et al. (2015). doi:10.1093/jnci/djv036\nrsID\teffect_weight\nrs1\t0.1\n",
    )
    assert read.labels == {"PGS:PGS000001": "Polygenic score PGS000001: Breast cancer"}
    assert read.triples == {
        ("PGS:PGS000001", "IAO:0000136", "EFO:0000305"),
        ("PGS:PGS000001", "dcterms:source", "doi:10.1093/jnci/djv036"),
    }


def test_pharmacogenetics(tmp_path):
    read = read_text(
        tmp_path,
        "Gene,Drug,RxNorm,ATC,Guideline,CPICLevel,CPICLevelStatus,PharmGKBLevel,FDALabel,PMID\n"
        'HLA-B,abacavir,190521,"J05AF06, J05AR02",https://x,A,Final,1A,Testing required,24561393;22378157\n',
    )
    assert ("hgnc.symbol:HLA-B", "biolink:affects_response_to", "RXNORM:190521") in read.triples
    pair = next(edge for edge in read.edges if edge["predicate"] == "biolink:affects_response_to")
    assert pair["publication"] == "PMID:24561393|PMID:22378157"
    assert pair["qualifier"].startswith("level=A;status=Final")
    read = read_text(tmp_path, "Gene,Diplotype,Phenotype\nCYP2C19,*1/*2,Intermediate Metabolizer\nX,*1,N/A\n")
    assert (
        "pgx:CYP2C19_*1/*2",
        "biolink:has_phenotype",
        "pgx:CYP2C19/Intermediate_Metabolizer",
    ) in read.triples
    assert read.at("missing_id") == [3]
    definition = {
        "formatVersion": "2",
        "gene": "CYP2C19",
        "variants": [{"rsid": "rs1"}],
        "namedAlleles": [{"name": "*2"}],
    }
    read = read_text(tmp_path, orjson.dumps(definition))
    assert ("pgx:CYP2C19*2", "biolink:is_allele_of", "hgnc.symbol:CYP2C19") in read.triples


def test_bands(tmp_path):
    read = read_text(tmp_path, "chr17\t1\t2\tq21.31\tgneg\nchrUn_1\t1\t2\t\tgneg\n")
    assert read.format == "cytobands"
    assert set(read.labels.values()) == {"chromosome 17", "17q", "17q2", "17q21", "17q21.3", "17q21.31"}
    assert ("cytoband:17q21.31", "part_of", "cytoband:17q21.3") in read.triples


@pytest.mark.shared
def test_the_real_annotations_of_hpo_lose_no_row(shared):
    # zcat phenotype.hpoa.gz | grep -vc '^#' → 271703 with its head
    read = read_path(shared / "knowledge" / "phenotype.hpoa.gz")
    assert len(read.edges) == 271_702
    assert not read.problems
    # zcat genes_to_phenotype.txt.gz | wc -l → 316590 with its head
    read = read_path(shared / "knowledge" / "genes_to_phenotype.txt.gz")
    assert sum(1 for e in read.edges if e["predicate"] == "biolink:has_phenotype") == 316_589
