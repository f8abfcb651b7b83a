"""The real files of ../shared, with counts and first values taken from the files by hand (zcat, awk)."""

import pytest

from nexome.formats.chain import read_chain
from nexome.formats.genes import read_genes
from nexome.formats.plink import read_bim
from nexome.formats.vcf_sites import read_sites
from nexome.model.errors import FormatError

from .reading import read

pytestmark = pytest.mark.shared


def test_the_two_glucose_studies_need_a_word_about_n(shared):
    dgi, fusion = (shared / "gwas" / f"{n}_glucose_3regions.txt.gz" for n in ("dgi", "magic_fusion"))
    for path in (dgi, fusion):
        with pytest.raises(FormatError, match="--map n=N"):
            read(path)
    first, second = read(dgi, mapping={"n": "N"}), read(fusion, mapping={"n": "N"})
    assert (len(first.rows), len(second.rows)) == (2369, 2293)
    assert first.rows[0]["effect_allele"] == "2"  # coded 1 to 4
    assert second.rows[0]["effect_allele"] == "T"
    assert first.rows[0]["p_value"] == 0.2865  # lines end with CR LF
    assert second.rows[0]["strand"] == "+"


def test_lupus_needs_nothing(shared):
    found = read(shared / "gwas" / "sle_bentham2015_regions.tsv.gz")
    assert len(found.rows) == 1990
    assert found.rows[0]["odds_ratio"] == 1.39
    assert "ci_lower" not in found.rows[0]  # of the odds ratio, not of beta
    assert "r2" in found.reader.unused


def test_education_asks_for_its_alleles(shared):
    path = shared / "gwas" / "edu_attainment_okbay_tophits.tsv.gz"
    with pytest.raises(FormatError, match="effect_allele=A1 --map other_allele=A2"):
        read(path)
    found = read(path, mapping={"effect_allele": "A1", "other_allele": "A2"})
    assert len(found.rows) == 93
    assert found.rows[0]["rsid"] == "rs12987662"


def test_mendelian_randomisation_tables_are_recognised(shared):
    exposure = read(shared / "gwas" / "mr_bmi_exp_dat.tsv.gz")
    outcome = read(shared / "gwas" / "mr_chd_out_dat.tsv.gz")
    assert (len(exposure.rows), len(outcome.rows)) == (79, 79)
    assert set(exposure.column("study_id")) == {"ieu-a-2"}
    assert set(outcome.column("study_id")) == {"ieu-a-7"}


def test_the_gwas_catalogue_keeps_what_it_can(shared):
    found = read(shared / "gwas" / "gwas_catalog_v1.0.1_2015-06-08.tsv.gz")
    assert found.reader.version == "1.0.1"
    assert len(found.rows) + sum(len(v) for v in found.dropped.values()) == 97_003
    assert found.rows[0]["beta"] == 0.04
    assert found.rows[0]["study_id"] == "PMID25231870"
    assert max(v for v in found.column("neg_log_10_p_value") if v is not None) > 308
    assert {p.column for p in found.problems} == {"RISK ALLELE FREQUENCY"}


@pytest.mark.parametrize(
    "name",
    [
        "gwas/genetic_correlation_bbj_input_rg.tsv.gz",
        "gwas/opengwas_study_catalogue.tsv.gz",
        "gwas/gwas_catalog_disease_snp_curated_2016.tsv.gz",
        "gwas/eas_ldscores/20.l2.ldscore.gz",
        "genotypes/hail_sample_chr20.vcf.gz",
        "genotypes/dbsnp157_subset.vcf.gz",
        "genotypes/hapmap3_thinned.bed.gz",
        "plants/maize_mdp_numeric.tsv.gz",
        "phenotypes/tongji_covid_375_zh.csv.gz",
        "genotypes/hg19ToHg38.over.chain.gz",
    ],
)
def test_what_is_no_table_of_associations_is_refused(shared, name):
    with pytest.raises(FormatError) as caught:
        read(shared / name)
    assert caught.value.expected


def test_references(shared):
    tables = list(read_sites(shared / "genotypes" / "hapmap3_pan_eaf_hg38.tsv.gz", frequency="EUR"))
    assert sum(t.num_rows for t in tables) == 30_000
    assert tables[0]["frequency"][0].as_py() == 0.768
    assert sum(t.num_rows for t in read_sites(shared / "genotypes" / "dbsnp157_subset.vcf.gz")) == 6842
    assert read_genes(shared / "knowledge" / "genes_grch37_gencode36.bed.gz").num_rows == 20_467
    assert read_genes(shared / "knowledge" / "gene.location.hg38.tsv.gz").num_rows == 58_788
    assert read_bim(shared / "genotypes" / "hapmap3_thinned.bim.gz").num_rows == 14_389


def test_chains_there_and_back(shared):
    there = read_chain(shared / "genotypes" / "hg19ToHg38.over.chain.gz")
    back = read_chain(shared / "genotypes" / "hg38ToHg19.over.chain.gz")
    assert there.sources["chr1"] == back.targets["chr1"] == 249_250_621
    assert there.targets["chr1"] == back.sources["chr1"] == 248_956_422
