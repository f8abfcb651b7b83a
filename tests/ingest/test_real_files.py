"""Every association-like file of ../shared/data/gwas through the public door.

The numbers were counted without Nexome; how stands beside each.
"""

import pytest

from nexome.formats.reader import ReadOptions
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.run import import_associations
from nexome.model.genome import assembly_from_contigs
from nexome.store.associations import AssociationStore
from nexome.store.root import create_root, load_assembly

pytestmark = pytest.mark.shared

# UCSC hg18 chromInfo: the build of both glucose files, which no chain in ../shared starts from.
NCBI36 = assembly_from_contigs(
    "NCBI36",
    "Homo sapiens",
    list(
        zip(
            [*map(str, range(1, 23)), "X", "Y", "M"],
            [
                247249719,
                242951149,
                199501827,
                191273063,
                180857866,
                170899992,
                158821424,
                146274826,
                140273252,
                135374737,
                134452384,
                132349534,
                114142980,
                106368585,
                100338915,
                88827254,
                78774742,
                76117153,
                63811651,
                62435964,
                46944323,
                49691432,
                154913754,
                57772954,
                16571,
            ],
            strict=True,
        )
    ),
)


def new_store(path, assembly):
    create_root(path, assembly=assembly)
    return AssociationStore.open(path)


def bring(store, path, *, study="", mapping=None, ignore=(), **choices):
    request = ImportRequest(str(path), study={"id": study} if study else {})
    options = ImportOptions(read=ReadOptions(mapping=mapping or {}, ignore=ignore), **choices)
    return import_associations(store, [request], options).files[0]


def test_both_glucose_studies_meet_in_a_root_of_their_own_build(shared, tmp_path):
    store = new_store(tmp_path / "r", NCBI36)
    dgi = shared / "gwas/dgi_glucose_3regions.txt.gz"
    fusion = shared / "gwas/magic_fusion_glucose_3regions.txt.gz"
    # zcat dgi… | awk 'NR>1' | wc -l → 2369; no position, allele, beta, SE or p out of range:
    # awk 'NR>1 && ($9<=0 || $12<0 || $12>1 || $5==$6)' → 0; awk 'NR>1{print $1,$2}' | sort | uniq -d → 0
    asked = bring(store, dgi, study="dgi", assembly="NCBI36")
    assert asked.status == "failed"
    assert "--map n=N" in asked.error["message"]
    first = bring(store, dgi, study="dgi", assembly="NCBI36", mapping={"n": "N"})
    assert (first.counts["in"], first.counts["kept"], first.counts["dropped"]) == (2369, 2369, 0)
    assert first.counts["changed_by"] == {"alleles_decoded": 2369}
    # zcat fusion… | awk 'NR>1' | wc -l → 2293, all sound by the same test
    second = bring(store, fusion, study="fusion", assembly="NCBI36", mapping={"n": "N"})
    assert (second.counts["in"], second.counts["kept"], second.counts["dropped"]) == (2293, 2293, 0)
    # join the two by CHR:POS, with 1–4 as A–T: 1606 pairs of alleles stand the other way round
    #   awk 'BEGIN{split("A C G T",L," ")} FNR==1{next} NR==FNR{e[$1":"$2]=L[$5] L[$6];next}
    #        e[$1":"$2]==$6 $5{n++} END{print n}' <(zcat dgi…) <(zcat fusion…)
    assert second.counts["changed_by"] == {"alleles_swapped": 1606}


def test_glucose_positions_are_never_taken_for_another_build(shared, tmp_path):
    store = new_store(tmp_path / "r", load_assembly("GRCh37"))
    path = shared / "gwas/dgi_glucose_3regions.txt.gz"
    silent = bring(store, path, study="dgi", mapping={"n": "N"})
    assert "nothing says in which build" in silent.error["found"]
    said = bring(store, path, study="dgi", mapping={"n": "N"}, assembly="NCBI36")
    assert "positions are in NCBI36" in said.error["found"]
    assert "--chain" in said.error["todo"]
    assert not store.snapshot().studies


def test_lupus_regions(shared, tmp_path):
    store = new_store(tmp_path / "r", load_assembly("GRCh37"))
    done = bring(store, shared / "gwas/sle_bentham2015_regions.tsv.gz", study="sle", assembly="GRCh37")
    # zcat sle… | awk -F'\t' 'NR>1{n++; if($8<=0)b++} END{print n,b}' → 1990 57; no position twice
    # (an OR rounded to 1.0 left beta 0 and se 0)
    assert (done.counts["in"], done.counts["kept"]) == (1990, 1933)
    assert done.counts["dropped_by"] == {"standard_error_not_positive": 57}
    receipt = store.snapshot().studies["sle"].receipt()
    # zcat sle… | awk -F'\t' 'NR>1&&$8<=0{print NR}' | head -3 → 421 423 424
    assert receipt["dropped"][0]["lines"][:3] == [421, 423, 424]


def test_lupus_regions_lift_to_grch38(shared, tmp_path):
    store = new_store(tmp_path / "r", load_assembly("GRCh38"))
    chain = shared / "genotypes/hg19ToHg38.over.chain.gz"
    path = shared / "gwas/sle_bentham2015_regions.tsv.gz"
    done = bring(store, path, study="sle", assembly="GRCh37", chain=chain)
    assert done.counts["kept"] + done.counts["dropped"] == 1990
    assert done.counts["changed_by"]["lifted"] == done.counts["kept"]
    receipt = store.snapshot().studies["sle"].receipt()
    assert receipt["decisions"]["lifted_by"]["sha256"]
    assert store.snapshot().studies["sle"].study.assembly_source == "GRCh37"


def test_education_top_hits(shared, tmp_path):
    store = new_store(tmp_path / "r", load_assembly("GRCh37"))
    path = shared / "gwas/edu_attainment_okbay_tophits.tsv.gz"
    asked = bring(store, path, study="okbay", assembly="GRCh37")
    assert "A1, A2" in asked.error["found"]
    mapping = {"effect_allele": "A1", "other_allele": "A2"}
    done = bring(store, path, study="okbay", assembly="GRCh37", mapping=mapping)
    # zcat okbay… | awk 'NR>1' | wc -l → 93; awk 'NR>1{print $2,$3}' | sort | uniq -d → none
    assert (done.counts["in"], done.counts["kept"]) == (93, 93)


@pytest.mark.parametrize(("name", "study"), [("mr_bmi_exp_dat", "ieu-a-2"), ("mr_chd_out_dat", "ieu-a-7")])
def test_mendelian_randomisation_tables(shared, tmp_path, name, study):
    store = new_store(tmp_path / "r", load_assembly("GRCh37"))
    done = bring(store, shared / f"gwas/{name}.tsv.gz", assembly="GRCh37")
    # zcat … | awk 'NR>1' | wc -l → 79; the id column holds one study
    assert (done.counts["in"], done.counts["kept"]) == (79, 79)
    assert [s.id for s in done.studies] == [study]
    assert store.snapshot().studies[study].study.traits[0].label.startswith(("Body mass", "Coronary"))


def test_the_gwas_catalog_of_2015(shared, tmp_path):
    store = new_store(tmp_path / "r", load_assembly("GRCh38"))
    path = shared / "gwas/gwas_catalog_v1.0.1_2015-06-08.tsv.gz"
    done = bring(store, path, study="gwas-catalog", assembly="GRCh38")
    # Counted with pandas on the raw text, in this order (97,003 rows):
    #   SNPS holds ';', ',', ' x ' or 'haplotype'                                          51
    #   STRONGEST SNP-RISK ALLELE does not end in '-' and letters                      11,980
    #   CHR_ID or CHR_POS empty                                                           273
    #   P-VALUE above 1 (PVALUE_MLOG below 0)                                               4
    #   no [a-b] interval with a < b, and no effect (OR or BETA empty, a beta of 0, an OR of 1)  2,482
    #   the rest 82,213 rows, of which distinct (PUBMEDID, DISEASE/TRAIT, CHR_ID, CHR_POS, allele): 12,212
    # (30 rows have a P-VALUE below 1e-308, PVALUE_MLOG Infinity: read from their text)
    dropped = done.counts["dropped_by"]
    repeats = dropped.pop("duplicate_identical") + dropped.pop("duplicate_contradicting")
    assert (done.counts["in"], done.counts["kept"], repeats) == (97_003, 12_212, 82_213 - 12_212)
    assert dropped == {
        "several variants in one row (a haplotype or an interaction)": 51,
        "no_effect_allele": 11_980,
        "no_position": 273,
        "p_out_of_range": 4,
        "no_direction": 2_482,
    }
