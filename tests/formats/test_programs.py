"""One small file of each program, as the program writes it: what is the effect allele, what is left out."""

import numpy as np
import pytest

from nexome.formats.recognise import FORMATS, TABLES
from nexome.model.errors import FormatError, InputError

from .reading import read

REGENIE = """\
CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ INFO N TEST BETA SE CHISQ LOG10P EXTRA
1 1000 rs1 A G 0.25 0.99 5000 ADD 0.1 0.02 25 6.24 NA
1 1000 rs1 A G 0.25 0.99 5000 DOM 0.2 0.04 25 6.24 NA
1 2000 1:2000:C:T C T 0.5 1 5000 ADD -0.3 0.01 900 400.5 NA
23 3000 rs3 G A 0.01 1 5000 ADD NA NA NA NA TEST_FAIL
"""


def test_regenie_keeps_the_additive_test_of_allele1():
    found = read(REGENIE)
    assert (found.reader.format, found.reader.version) == ("regenie", "one trait")
    assert found.column("effect_allele") == ["G", "T", "A"]
    assert found.column("other_allele") == ["A", "C", "G"]
    assert found.column("neg_log_10_p_value") == [6.24, 400.5, None]
    assert found.column("rsid") == ["rs1", None, "rs3"]
    assert found.lines == [2, 4, 5]
    assert found.dropped == {"TEST is DOM": [3]}
    assert set(found.reader.unused) == {"CHISQ", "EXTRA"}


def test_regenie_may_be_read_for_another_test():
    assert read(REGENIE, test="DOM").column("beta") == [0.2]


def test_regenie_wide_gives_one_row_a_trait():
    text = (
        "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ INFO N TEST "
        "BETA.Y1 SE.Y1 CHISQ.Y1 LOG10P.Y1 BETA.Y2 SE.Y2 CHISQ.Y2 LOG10P.Y2\n"
        "1 1000 rs1 A G 0.25 1 50 ADD 0.1 0.02 25 6.2 0.3 0.02 225 50\n"
        "1 1000 rs1 A G 0.25 1 50 DOM 9 9 9 9 9 9 9 9\n"
        "1 2000 rs2 A G 0.25 1 50 ADD 0.4 0.02 25 6.2 NA NA NA NA\n"
    )
    found = read(text)
    assert found.reader.metadata["traits"] == ["Y1", "Y2"]
    cells = list(zip(found.column("trait_id"), found.column("variant_id"), found.column("beta"), strict=True))
    assert cells == [("Y1", "rs1", 0.1), ("Y1", "rs2", 0.4), ("Y2", "rs1", 0.3), ("Y2", "rs2", None)]
    assert found.lines == [2, 4, 2, 4]
    assert found.dropped == {"TEST is DOM": [3]}


PLINK2 = """\
#CHROM\tPOS\tID\tREF\tALT\tA1\tA1_FREQ\tTEST\tOBS_CT\tOR\tLOG(OR)_SE\tZ_STAT\tP\tERRCODE
1\t1000\trs1\tA\tG\tG\t0.2\tADD\t500\t1.5\t0.1\t4.05\t5e-5\t.
1\t1000\trs1\tA\tG\tG\t0.2\tAGE\t500\t1.1\t0.1\t1\t0.3\t.
1\t2000\trs2\tC\tT\tC\t0.3\tADD\t500\t0.5\t0.1\t-6.9\t1e-400\t.
1\t3000\trs3\tC\tT\tT\t0.3\tADD\t500\tNA\tNA\tNA\tNA\tUNFINISHED
1\t4000\trs4\tC\tT,G\tG\t0.3\tADD\t500\t2\t0.1\t6.9\t1e-9\t.
1\t5000\trs5\tC\tT,G\tC\t0.3\tADD\t500\t2\t0.1\t6.9\t1e-9\t.
"""


def test_plink2_takes_a1_and_finds_the_other_allele():
    found = read(PLINK2)
    assert found.reader.format == "plink2"
    assert found.column("effect_allele") == ["G", "C", "G", "C"]
    assert found.column("other_allele") == ["A", "T", "C", None]
    assert found.column("odds_ratio") == [1.5, 0.5, 2, 2]
    assert found.column("standard_error") == [0.1] * 4
    assert found.column("neg_log_10_p_value")[1] == pytest.approx(400)
    assert found.dropped == {"TEST is AGE": [3], "PLINK error code UNFINISHED": [5]}
    assert found.lines == [2, 4, 6, 7]


def test_plink2_linear_with_omitted_and_its_own_log_p():
    text = (
        "#CHROM\tPOS\tID\tA1\tOMITTED\tTEST\tOBS_CT\tBETA\tSE\tT_STAT\tNEG_LOG10_P\tERRCODE\n"
        "X\t10\trs1\tAT\tA\tADD\t88\t-0.5\t0.1\t-5\t6.1\t.\n"
    )
    row = read(text).rows[0]
    assert (row["effect_allele"], row["other_allele"], row["n"]) == ("AT", "A", 88)
    assert row["neg_log_10_p_value"] == 6.1
    assert "z_score" not in row  # T_STAT is not z


PLINK1 = """\
 CHR         SNP         BP   A1       TEST    NMISS       BETA         STAT            P
   1         rs1       1000    G        ADD      500      0.123        4.05    5.000e-05
   1         rs1       1000    G       COV1      500      0.123        4.05    5.000e-05
   1         rs2       2000    C        ADD      500     -0.123       -4.05    5.000e-05
   1        rs99       3000    C        ADD      500         NA          NA           NA
"""


def test_plink1_asks_for_the_bim_and_fills_the_other_allele(tmp_path):
    with pytest.raises(FormatError, match="Add --bim FILE") as caught:
        read(PLINK1)
    assert "standard input, line 1" in str(caught.value)
    bim = tmp_path / "scan.bim"
    bim.write_text("1\trs1\t0\t1000\tG\tA\n1\trs2\t0\t2000\tT\tC\n")
    found = read(PLINK1, bim=bim)
    assert found.column("effect_allele") == ["G", "C", "C"]
    assert found.column("other_allele") == ["A", "T", None]
    assert found.dropped == {"TEST is COV1": [3]}


def test_plink1_finds_alleles_in_any_order_of_the_bim(tmp_path):
    names = [f"rs{i}" for i in range(1, 4001)]
    bim = tmp_path / "scan.bim"
    bim.write_text("".join(f"1\t{n}\t0\t{i}\tG\t{'ACT'[i % 3]}\n" for i, n in enumerate(names)))
    head = PLINK1.splitlines()[0] + "\n"
    for order in (names, names[::-1], names[::7] + names[::5]):
        rows = "".join(f"1 {n} 1 G ADD 5 0.1 1 0.5\n" for n in order)
        found = read(head + rows, bim=bim, block_bytes=2000)
        assert found.column("other_allele") == ["ACT"[names.index(n) % 3] for n in order]


def test_plink1_bim_of_another_shape_is_named(tmp_path):
    bim = tmp_path / "scan.bim"
    bim.write_text("1\trs1\t0\n")
    with pytest.raises(InputError, match="the 6 columns of a"):
        read(PLINK1, bim=bim)


def test_plink1_case_control_counts_a1():
    text = (
        " CHR SNP BP A1 F_A F_U A2 CHISQ P OR SE L95 U95\n"
        "   1 rs1 1000 G 0.3 0.2 A 10.5 0.001 1.7 0.2 1.1 2.5 \n"
    )
    found = read(text)
    row = found.rows[0]
    assert (row["effect_allele"], row["other_allele"]) == ("G", "A")
    assert (row["eaf_cases"], row["eaf_controls"]) == (0.3, 0.2)
    assert (row["odds_ratio"], row["ci_lower"], row["ci_upper"]) == (1.7, 1.1, 2.5)


def test_saige_takes_allele2_and_the_corrected_p():
    text = (
        "CHR\tPOS\tMarkerID\tAllele1\tAllele2\tAC_Allele2\tAF_Allele2\tMissingRate\tBETA\tSE\tTstat\tvar\t"
        "p.value\tp.value.NA\tIs.SPA\tAF_case\tAF_ctrl\tN_case\tN_ctrl\n"
        "1\t1000\trs1\tA\tG\t100\t0.1\t0\t0.5\t0.1\t5\t1\t1e-6\t1e-9\ttrue\t0.12\t0.09\t300\t700\n"
    )
    found = read(text)
    row = found.rows[0]
    assert (found.reader.format, found.reader.version) == ("saige", "1")
    assert (row["effect_allele"], row["other_allele"], row["p_value"]) == ("G", "A", 1e-6)
    assert (row["n_cases"], row["n_controls"], row["eaf_cases"]) == (300, 700, 0.12)
    old = (
        "CHR POS rsid SNPID Allele1 Allele2 AC_Allele2 AF_Allele2 imputationInfo N BETA SE Tstat p.value "
        "p.value.NA Is.SPA.converge varT varTstar AF.Cases AF.Controls\n"
        "1 1000 rs1 1:1000 A G 100 0.1 0.9 1000 0.5 0.1 5 1e-6 1e-9 1 1 1 0.12 0.09\n"
    )
    found = read(old)
    assert found.reader.version == "0"
    assert found.rows[0]["eaf_controls"] == 0.09
    assert found.rows[0]["info"] == 0.9


BOLT = (
    "SNP\tCHR\tBP\tGENPOS\tALLELE1\tALLELE0\tA1FREQ\tF_MISS\tCHISQ_LINREG\tP_LINREG\tBETA\tSE\t"
    "CHISQ_BOLT_LMM_INF\tP_BOLT_LMM_INF"
)


def test_bolt_prefers_the_mixture_model_and_never_linear_regression():
    cells = "rs1\t1\t1000\t0.01\tG\tA\t0.3\t0\t9\t0.9\t0.1\t0.02\t25\t0.5"
    row = read(f"{BOLT}\tCHISQ_BOLT_LMM\tP_BOLT_LMM\n{cells}\t26\t0.1\n").rows[0]
    assert (row["p_value"], row["base_pair_location"], row["effect_allele"]) == (0.1, 1000, "G")
    found = read(f"{BOLT}\n{cells}\n")
    assert found.rows[0]["p_value"] == 0.5
    assert "P_LINREG" in found.reader.unused
    assert "GENPOS" in found.reader.unused


def test_metal_takes_allele1_and_positions_from_marker_names():
    text = (
        "MarkerName\tAllele1\tAllele2\tFreq1\tFreqSE\tEffect\tStdErr\tP-value\tDirection\n"
        "rs1\ta\tg\t0.3\t0.01\t0.2\t0.05\t6e-5\t++-\n"
        "7:1234\tt\tc\t0.4\t0.01\t-0.2\t0.05\t6e-5\t---\n"
    )
    found = read(text)
    assert (found.reader.format, found.reader.version) == ("metal", "inverse variance")
    assert found.column("effect_allele") == ["a", "t"]
    assert found.column("rsid") == ["rs1", None]
    assert found.column("chromosome") == [None, "7"]
    assert found.column("base_pair_location") == [None, 1234]
    text = "MarkerName\tAllele1\tAllele2\tWeight\tZscore\tP-value\tDirection\nrs1\ta\tg\t900\t-4\t6e-5\t--\n"
    found = read(text)
    assert found.rows[0]["z_score"] == -4
    assert "Weight" in found.reader.unused
    assert read(text, mapping={"n": "Weight"}).rows[0]["n"] == 900


def test_gcta_fastgwa():
    text = "CHR\tSNP\tPOS\tA1\tA2\tN\tAF1\tBETA\tSE\tP\n1\trs1\t1000\tG\tA\t500\t0.3\t0.1\t0.02\t1e-7\n"
    row = read(text).rows[0]
    assert (row["effect_allele"], row["other_allele"], row["effect_allele_frequency"]) == ("G", "A", 0.3)


def test_twosamplemr_names_study_and_trait():
    text = (
        "SNP\tbeta.outcome\tse.outcome\teffect_allele.outcome\tother_allele.outcome\toutcome\tid.outcome\tchr\tpos\n"
        "rs1\t0.1\t0.02\tG\tA\tHeart disease\tieu-a-7\t1\t1000\n"
    )
    row = read(text).rows[0]
    assert (row["study_id"], row["trait"], row["rsid"]) == ("ieu-a-7", "Heart disease", "rs1")


def test_eqtl_catalogue_counts_alleles():
    text = (
        "molecular_trait_id\tchromosome\tposition\tref\talt\tvariant\tma_samples\tmaf\tpvalue\tbeta\tse\ttype\tac\tan\t"
        "r2\tmolecular_trait_object_id\tgene_id\tmedian_tpm\trsid\n"
        "ENSG1\t1\t1000\tA\tG\tchr1_1000_A_G\t10\t0.1\t1e-5\t0.5\t0.1\tSNP\t180\t200\tNA\tENSG1\tENSG1\t1.0\trs1\n"
    )
    row = read(text).rows[0]
    assert (row["trait_id"], row["effect_allele"], row["n"]) == ("ENSG1", "G", 100)
    assert row["effect_allele_frequency"] == 0.9


def test_gtex_takes_alleles_from_the_variant_name():
    text = (
        "gene_id\tvariant_id\ttss_distance\tma_samples\tma_count\tmaf\tpval_nominal\tslope\tslope_se\n"
        "ENSG1.5\tchr1_13550_G_A_b38\t-1\t19\t19\t0.01\t1e-5\t0.7\t0.2\n"
    )
    row = read(text).rows[0]
    assert (row["chromosome"], row["base_pair_location"]) == ("chr1", 13550)
    assert (row["other_allele"], row["effect_allele"], row["trait_id"]) == ("G", "A", "ENSG1.5")


CATALOGUE = (
    "PUBMEDID\tDISEASE/TRAIT\tCHR_ID\tCHR_POS\tSTRONGEST SNP-RISK ALLELE\tSNPS\tRISK ALLELE FREQUENCY\t"
    "P-VALUE\tPVALUE_MLOG\tOR or BETA\t95% CI (TEXT)\n"
)


def test_gwas_catalogue_reads_effects_from_the_text_beside_them():
    rows = (
        "1\tHeight\t1\t1000\trs1-C\trs1\t0.4\t1E-9\t9\t.04\t[0.03-0.05] (unit increase)\n"
        "1\tHeight\t1\t1000\trs2-C\trs2\tNR\t1E-9\t9\t.04\t[0.03-0.05] (cm decrease)\n"
        "2\tAsthma\t1\t1000\trs3-?\trs3\t0.2-0.4\t0\t400\t1.4\t[1.2-1.6]\n"
        "2\tAsthma\t1\t1000\trs4-A; rs5-T\trs4; rs5\t0.2\t1E-9\t9\t1.4\t[1.2-1.6]\n"
        "3\tAMD\t1\t1000\trs6-A\trs6\t0.2\t1E-540\tInfinity\t1.4\t[1.2-1.6]\n"
    )
    found = read(CATALOGUE + rows)
    assert found.column("beta") == [0.04, -0.04, None, None]
    assert found.column("odds_ratio") == [None, None, 1.4, 1.4]
    assert found.column("ci_lower") == [0.03, -0.05, 1.2, 1.2]
    assert found.column("ci_upper") == [0.05, -0.03, 1.6, 1.6]
    assert found.column("effect_allele") == ["C", "C", None, "A"]
    assert found.column("effect_allele_frequency") == [0.4, None, None, 0.2]
    assert [(p.line, p.column) for p in found.problems] == [(4, "RISK ALLELE FREQUENCY")]
    assert found.column("study_id") == ["PMID1", "PMID1", "PMID2", "PMID3"]
    assert found.column("p_value")[:2] == [1e-9, 1e-9]
    assert found.column("neg_log_10_p_value") == [None, None, 400, 540]  # the file's −log₁₀ p says Infinity
    assert list(found.dropped.values()) == [[5]]


def test_a_table_of_probes_has_named_features():
    text = "probe_id,chr,pos,gene,beta,se,p\ncg0001,chr1,1000,ABC,0.1,0.02,1e-8\n"
    found = read(text)
    row = found.rows[0]
    assert (row["feature_name"], row["chromosome"], row["base_pair_location"]) == ("cg0001", "chr1", 1000)
    assert found.reader.unused == ("gene",)


def test_what_is_not_certain_is_asked_for_with_the_options_to_add():
    text = "SNP CHR POS A1 A2 FREQ BETA SE P N\nrs1 1 1000 A G 0.3 0.1 0.02 1e-6 500\n"
    with pytest.raises(FormatError, match="not certain") as caught:
        read(text)
    todo = caught.value.todo
    assert (
        "--map effect_allele=A1 --map other_allele=A2, or --map effect_allele=A2 --map other_allele=A1"
        in todo
    )
    assert "--map effect_allele_frequency=FREQ or --ignore FREQ" in todo
    assert "--map n=N or --ignore N" in todo
    said = {"effect_allele": "A1", "other_allele": "A2", "effect_allele_frequency": "FREQ"}
    found = read(text, mapping=said, ignore=("N",))
    assert found.rows[0]["effect_allele"] == "A"
    assert "n" not in found.rows[0]
    certain = {"SNP": "variant_id", "CHR": "chromosome", "POS": "base_pair_location"}
    certain |= {"BETA": "beta", "SE": "standard_error", "P": "p_value"}
    assert found.used() == certain | {column: term for term, column in said.items()}


@pytest.mark.parametrize(
    ("column", "option"),
    [
        ("EFFECT", "--map beta=EFFECT"),
        ("STAT", "--map z_score=STAT"),
        ("LOG10P", "--map neg_log_10_p_value=LOG10P"),
        ("gene", "--map trait_id=gene"),
        ("start", "--map base_pair_location=start"),
        ("ID", "--map variant_id=ID"),
    ],
)
def test_each_ambiguous_name_is_asked_for(column, option):
    known = {"effect_allele": "A", "other_allele": "G", "chr": "1"}
    if column != "start":
        known["pos"] = "5"
    if column not in {"EFFECT", "STAT"}:
        known["z"] = "1"
    names = [*known, column]
    with pytest.raises(FormatError, match="not certain") as caught:
        read("\t".join(names) + "\n" + "\t".join([*known.values(), "1"]) + "\n")
    assert option in caught.value.todo


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("chr\tpos\teffect_allele\tp", "an effect"),
        ("chr\tpos\tbeta\tse", "effect_allele"),
        ("effect_allele\tother_allele\tbeta", "a position"),
        ("chr\teffect_allele\tother_allele\tbeta", "base_pair_location"),
        ("p\tpvalue\tchr\tpos\teffect_allele\tbeta", "all mean p_value"),
    ],
)
def test_missing_and_doubled_columns_are_named(header, missing):
    with pytest.raises(FormatError, match=missing) as caught:
        read(f"{header}\n" + "\t".join("1" for _ in header.split("\t")) + "\n")
    assert "--map" in caught.value.todo


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mapping": {"no_such_term": "SNP"}}, "no_such_term"),
        ({"mapping": {"beta": "nowhere"}}, "nowhere"),
        ({"ignore": ("nowhere",)}, "nowhere"),
        ({"format": "excel"}, "excel"),
        ({"delimiter": "pipe"}, "pipe"),
        ({"format": "gtex"}, "pval_nominal"),
    ],
)
def test_options_that_name_nothing_are_told(said, words):
    with pytest.raises(InputError, match=words):
        read("SNP\tbeta\teffect_allele\nrs1\t1\tA\n", **said)


def test_every_format_is_named_once_and_found_by_its_own_signature():
    assert len(set(FORMATS)) == len(FORMATS)
    for form in TABLES:
        for keys in form.signature:
            first = next(f for f in TABLES if any(s <= keys for s in f.signature))
            assert first is form, f"{form.name} is hidden by {first.name}"


def test_a_written_zero_is_infinitely_small():
    text = "chr\tpos\teffect_allele\tother_allele\tbeta\tse\tp\n1\t1\tA\tC\t1\t0.001\t0\n"
    assert read(text).rows[0]["neg_log_10_p_value"] == np.inf


def test_a_column_the_format_needs_may_not_be_mapped_away():
    text = CATALOGUE + "1\tHeight\t1\t1000\trs1-C\trs1\t0.4\t1E-9\t9\t.04\t[0.03-0.05] (unit increase)\n"
    with pytest.raises(FormatError, match="snps"):
        read(text, mapping={"rsid": "SNPS"})
    with pytest.raises(FormatError, match="no column 95%"):
        read(text.replace("\t95% CI (TEXT)", "\tinterval"))
