"""Files as biobanks and consortia hand them out: the real headers, made-up rows.

Where each header is documented stands in the module of its format; the FUSION and DGI headers are those
of the two glucose files of ../shared, the OpenGWAS one is in gwas-vcf-specification.
"""

import io
import zipfile

import pytest

from nexome.formats.recognise import TABLES
from nexome.formats.table_format import keys_of
from nexome.formats.vcf_sites import read_sites
from nexome.model.errors import FormatError

from .reading import read

FINNGEN = (
    "#chrom\tpos\tref\talt\trsids\tnearest_genes\tpval\tmlogp\tbeta\tsebeta\taf_alt\taf_alt_cases\taf_alt_controls\n"
    "1\t1000\tA\tG\trs1,rs2\tGENE1\t0\t400.5\t0.1\t0.002\t0.2\t0.25\t0.19\n"
    "23\t2000\tC\tCT\t\tGENE2,GENE3\t0.5\t0.30103\t-0.1\t0.15\t0.001\tNA\tNA\n"
)
NEALE = (
    "variant\tminor_allele\tminor_AF\tlow_confidence_variant\tn_complete_samples\tAC\tytx\tbeta\tse\ttstat\tpval\n"
    "1:1000:A:G\tG\t0.2\tfalse\t1000\t4.0e+02\t3.5e+01\t0.1\t0.02\t5\t5e-7\n"
    "X:2000:C:CT\tC\t0.3\tfalse\t1000\t1.4e+03\t3.5e+01\t0.1\t0.02\t5\t5e-7\n"
    "2:3000:A:G\tT\t0.1\ttrue\t1000\t4.0e+02\t3.5e+01\tNaN\tNaN\tNaN\tNaN\n"
)
BBJ_CASES = (
    "SNP\tCHR\tPOS\tREF\tALT\tCase_frq\tCtrl_frq\tRsq\tBETA\tOR\tSE\tP\n"
    "rs1\t1\t1000\tA\tG\t0.3\t0.2\t0.95\t0.1\t1.105\t0.02\t5e-7\n"
)
BBJ_QUANTITATIVE = (
    "SNP\tCHR\tPOS\tREF\tALT\tFrq\tRsq\tBETA\tSE\tP\tLOG10P\tN\n"
    "rs1\t1\t1000\tA\tG\t0.3\t0.95\t0.1\t0.02\t5e-7\t6.3\t1000\n"
)
BBJ_META = (
    "SNP\tCHR\tPOS\tREF\tALT\tFrq\tBETA\tSE\tP\tDir\tN\n"
    "1:1000_A_G\t1\t1000\tA\tG\t0.3\t0.1\t0.02\t5e-7\t+-\t900\n"
)
BESD = (
    "SNP\tChr\tBP\tA1\tA2\tFreq\tProbe\tProbe_Chr\tProbe_bp\tGene\tOrientation\tb\tse\tp\n"
    "rs1\t1\t1001\tA\tG\t0.2\tcg1\t1\t1101\tGENE1\t+\t-0.03\t0.006\t5.7e-07\n"
    "rs1\t1\t1001\tA\tG\t0.2\tcg2\t1\t1201\tNA\t-\t0.04\t0.006\t2e-11\n"
)
CREDIBLE = (
    "molecular_trait_id\tgene_id\tcs_id\tvariant\trsid\tcs_size\tpip\tpvalue\tbeta\tse\tz\tcs_min_r2\tregion\n"
    "ENSG1\tENSG1\tENSG1_L1\tchr1_1000_G_T\trs1\t2\t0.6\t7e-09\t0.7\t0.12\t5.8\t0.9\tchr1:1-2000\n"
)
HARMONISED_OLD = (
    "hm_variant_id\thm_rsid\thm_chrom\thm_pos\thm_other_allele\thm_effect_allele\thm_beta\thm_odds_ratio\thm_ci_lower\t"
    "hm_ci_upper\thm_effect_allele_frequency\thm_code\tchromosome\tbase_pair_location\teffect_allele\tother_allele\t"
    "beta\tstandard_error\teffect_allele_frequency\tp_value\tvariant_id\n"
    "1_2000_A_G\trs1\t1\t2000\tA\tG\t0.1\tNA\tNA\tNA\t0.2\t11\t1\t1000\tA\tG\t-0.1\t0.02\t0.8\t5e-7\trs1\n"
    "NA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\t15\t1\t1500\tA\tC\t0.2\t0.02\t0.3\t1e-23\trs2\n"
)
HARMONISED_NEW = (
    "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\teffect_allele_frequency\t"
    "p_value\trsid\thm_coordinate_conversion\thm_code\tvariant_id\n"
    "1\t2000\tG\tA\t0.1\t0.02\t0.2\t5e-7\trs1\tlo\t10\t1_2000_A_G\n"
)
OPENGWAS = (
    "##fileformat=VCFv4.2\n"
    '##FILTER=<ID=PASS,Description="All filters passed">\n'
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele Frequency">\n'
    '##FORMAT=<ID=ES,Number=A,Type=Float,Description="Effect size estimate">\n'
    '##FORMAT=<ID=SE,Number=A,Type=Float,Description="Standard error of effect size estimate">\n'
    '##FORMAT=<ID=LP,Number=A,Type=Float,Description="-log10 p-value for effect estimate">\n'
    '##FORMAT=<ID=AF,Number=A,Type=Float,Description="Alternate allele frequency in the association study">\n'
    '##FORMAT=<ID=SS,Number=A,Type=Float,Description="Sample size used to estimate genetic effect">\n'
    '##FORMAT=<ID=ID,Number=1,Type=String,Description="Study variant identifier">\n'
    "##META=<ID=TotalCases,Number=1,Type=Integer>\n"
    "##SAMPLE=<ID=ieu-x-1,TotalVariants=2,VariantsNotRead=0,HarmonisedVariants=2,StudyType=CaseControl,"
    "TotalControls=700,TotalCases=300>\n"
    "##contig=<ID=1,length=249250621,assembly=HG19/GRCh37>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tieu-x-1\n"
    "1\t1000\trs1\tA\tG\t.\tPASS\tAF=0.2\tES:SE:LP:AF:SS:ID\t0.1:0.02:6.3:0.2:1000:rs1\n"
    "1\t2000\t.\tC\tT\t.\tPASS\t.\tES:SE:LP:ID\t-0.1:0.02:320.5:rs2\n"
)
DGI = (
    "CHR\tPOS\tSNP\tN\tEFFECT_ALLELE\tNON_EFFECT_ALLELE\tEFFECT_ALLELE_FREQ\tBETA\tSE\tr2\tr2hat\tP_VAL\r\n"
    "2\t1000\trs1\t900\t2\t4\t0.06\t0.08\t0.08\t0.0008\t0.873\t0.3\r\n"
)
FUSION = (
    "CHR POS SNP STRAND EFFECT_ALLELE NON_EFFECT_ALLELE FREQ_EFFECT N BETA SE r2 PVALUE r2hat\n"
    "2 1000 rs1 + T C 0.93 900 -0.02 0.03 3e-04 0.6 0.93\n"
)
SAIGE_OF_BBJ = (
    "CHR POS SNPID Allele1 Allele2 AC_Allele2 AF_Allele2 imputationInfo N BETA SE Tstat p.value p.value.NA "
    "Is.SPA.converge varT varTstar AF.Cases AF.Controls N.Cases N.Controls\n"
    "1 1000 1:1000 A G 400 0.2 0.95 1000 0.1 0.02 5 5e-7 4e-7 1 1 1 0.25 0.19 300 700\n"
)

FORMAT_OF = {
    "finngen": FINNGEN,
    "ukb-neale": NEALE,
    "bbj": BBJ_CASES,
    "besd-query": BESD,
    "eqtl-catalogue-credible-sets": CREDIBLE,
    "gwas-ssf": HARMONISED_OLD,
    "gwas-vcf": OPENGWAS,
    "saige": SAIGE_OF_BBJ,
}


@pytest.mark.parametrize("name", FORMAT_OF)
def test_each_is_recognised_among_all(name):
    assert read(FORMAT_OF[name]).reader.format == name


@pytest.mark.parametrize(
    "text",
    [BBJ_QUANTITATIVE, BBJ_META, HARMONISED_NEW, *(t for n, t in FORMAT_OF.items() if n != "gwas-vcf")],
)
def test_no_header_is_of_two_formats_of_different_meaning(text):
    """A later format may hold fewer columns of the same names; then the columns must mean the same."""
    names = text.split("\n")[0].lstrip("#").split("\t" if "\t" in text else " ")
    keys = keys_of(type("Header", (), {"names": tuple(names)}))
    fitting = [form for form in TABLES if any(needed <= keys for needed in form.signature)]
    meanings = [{s.term for s in form.spellings} for form in fitting]
    assert fitting
    for form, terms in zip(fitting[1:], meanings[1:], strict=True):
        assert {"effect_allele", "other_allele"} <= terms, form.name
        first = {s.term: s.names for s in fitting[0].spellings}
        assert all(
            set(s.names) & set(first[s.term])
            for s in form.spellings
            if s.term in first and "allele" in s.term
        ), form.name


def test_finngen_keeps_log_p_and_one_rs_number():
    found = read(FINNGEN)
    assert found.reader.metadata == {"build": "GRCh38"}
    assert found.column("rsid") == ["rs1", None]
    assert found.column("effect_allele") == ["G", "CT"]
    assert found.column("neg_log_10_p_value") == [400.5, 0.30103]
    assert found.column("effect_allele_frequency") == [0.2, 0.001]
    assert found.column("eaf_cases") == [0.25, None]
    assert found.reader.unused == ("nearest_genes",)


def test_finngen_before_r6_calls_the_frequency_of_alt_maf():
    old = (
        "#chrom\tpos\tref\talt\trsids\tnearest_genes\tpval\tbeta\tsebeta\tmaf\tmaf_cases\tmaf_controls\n"
        "1\t1000\tA\tG\trs1\tG1\t1e-400\t0.1\t0.002\t0.8\t0.7\t0.8\n"
    )
    row = read(old).rows[0]
    assert (row["effect_allele_frequency"], row["eaf_cases"]) == (0.8, 0.7)
    assert row["neg_log_10_p_value"] == 400


def test_neale_gives_the_frequency_of_alt_whichever_is_rarer():
    found = read(NEALE)
    assert found.reader.metadata == {"build": "GRCh37"}
    assert found.column("chromosome") == ["1", "X", "2"]
    assert found.column("effect_allele") == ["G", "CT", "G"]
    assert found.column("effect_allele_frequency") == [0.2, 0.7, None]
    assert found.column("n") == [1000, 1000, 1000]
    assert found.column("beta") == [0.1, 0.1, None]


def test_neale_for_cases_has_one_more_column():
    lines = [line.split("\t") for line in NEALE.splitlines()]
    cells = ["expected_case_minor_AC", "12.5", "3", "4"]
    text = "".join(
        "\t".join([*line[:3], cell, *line[3:]]) + "\n" for line, cell in zip(lines, cells, strict=True)
    )
    assert read(text).column("base_pair_location") == [1000, 2000, 3000]


def test_the_variant_manifest_of_neale_joins_in_the_file_or_as_sites(tmp_path):
    head, *rows = NEALE.splitlines()
    joined = f"{head}\trsid\tinfo\n" + "".join(f"{row}\trs{i}\t0.9\n" for i, row in enumerate(rows))
    assert read(joined).column("rsid") == ["rs0", "rs1", "rs2"]
    assert read(joined).column("info") == [0.9, 0.9, 0.9]
    manifest = tmp_path / "variants.tsv"
    manifest.write_text(
        "variant\tchr\tpos\tref\talt\trsid\tvarid\tconsequence\tconsequence_category\tinfo\tcall_rate\tAC\tAF\t"
        "minor_allele\tminor_AF\tp_hwe\tn_called\tn_not_called\tn_hom_ref\tn_het\tn_hom_var\tn_non_ref\tr_heterozygosity\n"
        "1:1000:A:G\t1\t1000\tA\tG\trs77\t1:1000_A_G\tintron\tnon_coding\t0.9\t1\t400\t0.2\tG\t0.2\t0.5\t1000\t0\t"
        "640\t320\t40\t360\t0.3\n"
    )
    (sites,) = read_sites(manifest, frequency="AF")
    assert sites.select(["base_pair_location", "rsid", "alt_allele", "frequency"]).to_pylist() == [
        {"base_pair_location": 1000, "rsid": "rs77", "alt_allele": "G", "frequency": 0.2}
    ]


def test_biobank_japan_has_two_layouts():
    cases, quantitative, meta = (read(t) for t in (BBJ_CASES, BBJ_QUANTITATIVE, BBJ_META))
    assert {r.reader.format for r in (cases, quantitative, meta)} == {"bbj"}
    assert (cases.reader.version, quantitative.reader.version) == ("case-control", "one frequency")
    row = cases.rows[0]
    assert (row["effect_allele"], row["eaf_cases"], row["eaf_controls"], row["info"]) == ("G", 0.3, 0.2, 0.95)
    assert "odds_ratio" not in row
    assert quantitative.rows[0]["n"] == 1000
    assert "Frq" in quantitative.reader.unused  # of which allele, no document says
    assert "Frq" in meta.reader.unused
    said = read(BBJ_QUANTITATIVE, mapping={"effect_allele_frequency": "Frq"})
    assert said.rows[0]["effect_allele_frequency"] == 0.3


def test_besd_text_is_one_trait_a_probe():
    found = read(BESD)
    assert found.column("trait_id") == ["cg1", "cg2"]
    assert found.column("trait") == ["GENE1", None]
    assert found.rows[0]["effect_allele"] == "A"
    assert found.rows[0]["base_pair_location"] == 1001


def test_credible_sets_give_the_marginal_associations():
    found = read(CREDIBLE)
    row = found.rows[0]
    assert (row["chromosome"], row["base_pair_location"], row["effect_allele"]) == ("chr1", 1000, "T")
    assert (row["trait_id"], row["beta"], row["rsid"]) == ("ENSG1", 0.7, "rs1")
    assert {"pip", "cs_id"} <= set(found.reader.unused)


def test_harmonised_files_of_the_catalogue_keep_what_was_harmonised():
    old, new = read(HARMONISED_OLD), read(HARMONISED_NEW)
    assert (old.reader.version, new.reader.version) == ("0.1 harmonised", "1.0 harmonised")
    assert old.reader.metadata == new.reader.metadata == {"build": "GRCh38"}
    (row,) = old.rows
    assert (row["base_pair_location"], row["effect_allele"], row["beta"]) == (2000, "G", 0.1)
    assert old.dropped == {"hm_code 15: not harmonised by the GWAS Catalog": [3]}
    assert new.rows[0]["rsid"] == "rs1"
    plain = read(HARMONISED_NEW.replace("hm_code", "code"))
    assert "build" not in plain.reader.metadata


def test_a_sidecar_may_name_another_build_of_a_harmonised_file(tmp_path):
    path = tmp_path / "a.h.tsv"
    path.write_text(HARMONISED_NEW)
    (tmp_path / "a.h.tsv-meta.yaml").write_text("genome_assembly: GRCh37\n")
    assert read(path).reader.metadata["build"] == "GRCh37"


def test_opengwas_fields_differ_from_row_to_row():
    found = read(OPENGWAS)
    assert found.column("rsid") == ["rs1", "rs2"]  # the second from the sample's ID
    assert found.column("neg_log_10_p_value") == [6.3, 320.5]
    assert found.column("effect_allele_frequency") == [0.2, None]
    assert found.column("n") == [1000, None]
    about = found.reader.metadata
    assert (about["build"], about["n_cases"], about["study_type"]) == ("HG19/GRCh37", "300", "CaseControl")


@pytest.mark.parametrize(("text", "allele"), [(DGI, "2"), (FUSION, "T")])
def test_glucose_files_are_tables_that_ask_for_n(text, allele):
    with pytest.raises(FormatError, match="--map n=N"):
        read(text)
    row = read(text, mapping={"n": "N"}).rows[0]
    assert (row["effect_allele"], row["n"], row["rsid"]) == (allele, 900, "rs1")
    assert row["effect_allele_frequency"] in (0.06, 0.93)


def test_a_download_in_a_zip_archive_is_read():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("GWAS_2018.txt", BBJ_CASES)
    assert read(packed.getvalue()).rows == read(BBJ_CASES).rows


@pytest.mark.parametrize("text", [FINNGEN, NEALE, BESD, BBJ_CASES, CREDIBLE])
def test_a_line_cut_short_is_named(text):
    with pytest.raises(FormatError, match="columns") as caught:
        read(text + text.splitlines()[1].rpartition("\t")[0] + "\n")
    assert f"line {len(text.splitlines()) + 1}" in caught.value.where


@pytest.mark.parametrize(("text", "column"), [(FINNGEN, "sebeta"), (NEALE, "minor_AF"), (BESD, "b")])
def test_what_is_no_number_is_told_with_its_line(text, column):
    names = text.split("\n")[0].lstrip("#").split("\t")
    cells = text.split("\n")[1].split("\t")
    cells[names.index(column)] = "about 1"
    (problem,) = read(text.split("\n")[0] + "\n" + "\t".join(cells) + "\n").problems
    assert (problem.line, problem.column, problem.found) == (2, column, "'about 1'")
