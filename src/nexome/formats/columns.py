"""Column spellings of association files and the GWAS-SSF term each one means: data, not code.

Case does not matter, and '.', '-', ' ' and '_' are the same sign. A spelling that means different
things in different programs is *ambiguous*: outside the program's own format it is asked for, never
guessed. docs/formats/inputs.md shows these tables; a test holds it to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

Kind = Literal["text", "category", "position", "number"]

ARROW_TYPES: Final[dict[Kind, pa.DataType]] = {
    "text": pa.string(),
    "category": pa.dictionary(pa.int32(), pa.string()),
    "position": pa.int64(),
    "number": pa.float64(),
}


@dataclass(frozen=True, slots=True)
class Term:
    """A canonical column of a RawBatch: GWAS-SSF's name where it has one, its kind and its meaning."""

    name: str
    kind: Kind
    meaning: str

    @property
    def arrow(self) -> pa.Field:
        """The term as an Arrow field."""
        return pa.field(self.name, ARROW_TYPES[self.kind])


TERMS: Final[dict[str, Term]] = {
    t.name: t
    for t in (
        Term("chromosome", "category", "contig, as spelled in the source"),
        Term("base_pair_location", "position", "position, 1-based; first base of an interval"),
        Term("end", "position", "last base of an interval, 1-based, included"),
        Term("effect_allele", "category", "allele the effect is given for"),
        Term("other_allele", "category", "allele compared with"),
        Term("ref_allele", "category", "GWAS-SSF: which of the two is the reference: EA or OA"),
        Term("strand", "category", "strand the alleles are given on: + or -"),
        Term("rsid", "text", "dbSNP identifier"),
        Term("variant_id", "text", "any other name of the variant; may hold position and alleles"),
        Term(
            "feature_name", "text", "name of a feature that is not a variant: probe, gene, protein, interval"
        ),
        Term("study_id", "category", "study of the row, in files of several"),
        Term("trait_id", "category", "trait or molecule of the row, in files of several"),
        Term("trait", "category", "label of the row's trait, in files of several"),
        Term("beta", "number", "effect of one more effect allele"),
        Term("odds_ratio", "number", "odds ratio of one more effect allele"),
        Term("hazard_ratio", "number", "hazard ratio of one more effect allele"),
        Term("z_score", "number", "effect divided by its standard error"),
        Term("effect_direction", "category", "sign of the effect: + or -"),
        Term("standard_error", "number", "standard error of beta, or of the log of a ratio"),
        Term("ci_lower", "number", "lower end of the 95 % interval, on the scale of the effect"),
        Term("ci_upper", "number", "upper end of the 95 % interval, on the scale of the effect"),
        Term("p_value", "number", "two-sided p"),
        Term("neg_log_10_p_value", "number", "−log₁₀ of two-sided p"),
        Term("effect_allele_frequency", "number", "frequency of the effect allele"),
        Term("eaf_cases", "number", "frequency of the effect allele in cases"),
        Term("eaf_controls", "number", "frequency of the effect allele in controls"),
        Term("minor_allele_frequency", "number", "frequency of the rarer allele, whichever that is"),
        Term("info", "number", "imputation quality"),
        Term("n", "number", "people"),
        Term("n_cases", "number", "people with the condition"),
        Term("n_controls", "number", "people without the condition"),
    )
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """Names of a source column that mean one term, and the rule in words. Earlier names are preferred."""

    term: str
    names: tuple[str, ...]
    rule: str


def _s(term: str, names: str, rule: str = "") -> Spelling:
    return Spelling(term, tuple(names.split()), rule or TERMS[term].meaning)


# What a column means in any table, whoever wrote it. '_' stands for '_', '.', '-' and ' '.
CERTAIN: Final[tuple[Spelling, ...]] = (
    _s("chromosome", "chromosome chr chrom contig chr_id chromosome_name chrom_id seqname seqnames"),
    _s("base_pair_location", "base_pair_location pos bp position base_pair_position chr_pos bp_position"),
    _s("end", "end end_position stop chrom_end chromend"),
    _s(
        "effect_allele",
        "effect_allele ea effectallele effect_all tested_allele coded_allele codedallele coded_all "
        "risk_allele",
    ),
    _s(
        "other_allele",
        "other_allele oa nea non_effect_allele noneffect_allele noneffectallele otherallele other_all "
        "non_coded_allele noncoded_allele noncoded_all non_risk_allele",
    ),
    _s("strand", "strand"),
    _s("rsid", "rsid rs_id rsids rs_number rsnumber dbsnp dbsnp_id rs"),
    _s("variant_id", "variant_id snp snpid snp_id markername marker_name marker marker_id variant varid"),
    _s("study_id", "study_id study study_accession"),
    _s("trait_id", "trait_id phenotype_id phenocode molecular_trait_id"),
    _s("trait", "trait trait_name phenotype disease_trait"),
    _s("beta", "beta log_or logor ln_or lnor log_odds log(or) ln(or) beta_coefficient"),
    _s("odds_ratio", "odds_ratio or oddsratio"),
    _s("hazard_ratio", "hazard_ratio hr hazardratio"),
    _s("z_score", "z_score z zscore z_stat zstat"),
    _s(
        "standard_error",
        "standard_error se stderr std_err std_error standarderror se_beta sebeta beta_se log_or_se logor_se "
        "log(or)_se",
    ),
    _s("ci_lower", "ci_lower or_lower l95 ci95_lower lower_ci or_95l or_l95 ci_lower_95 or_ci_lower"),
    _s("ci_upper", "ci_upper or_upper u95 ci95_upper upper_ci or_95u or_u95 ci_upper_95 or_ci_upper"),
    _s("p_value", "p_value p pval pvalue p_val"),
    _s(
        "neg_log_10_p_value",
        "neg_log_10_p_value neg_log10_p neg_log10_pval neg_log10_p_value neglog10_pval neglog10p mlogp "
        "mlog10p nlog10p pvalue_mlog -log10p -log10_p -log10(p) -log10_pvalue -log10_p_value -log10(pvalue)",
    ),
    _s(
        "effect_allele_frequency",
        "effect_allele_frequency eaf effect_allele_freq freq_effect freq_effect_allele effect_af ea_freq "
        "effect_freq risk_allele_frequency tested_allele_frequency",
    ),
    _s("eaf_cases", "eaf_cases eaf_case effect_allele_frequency_cases"),
    _s("eaf_controls", "eaf_controls eaf_control effect_allele_frequency_controls"),
    _s("minor_allele_frequency", "maf minor_allele_frequency minor_allele_freq"),
    _s("info", "info info_score infoscore impinfo imputation_info imputation_quality imp_quality"),
    _s("n", "n_total total_n sample_size samplesize n_samples n_people total_sample_size totalsamplesize"),
    _s("n_cases", "n_cases n_case ncase ncases n_cas cases"),
    _s("n_controls", "n_controls n_control ncontrol ncontrols n_con n_ctrl nctrl controls"),
)

# Columns that name a feature, in a table without alleles.
FEATURE_NAMES: Final = Spelling(
    "feature_name",
    (
        "feature_name", "feature", "feature_id", "probe", "probe_id", "probeid", "cpg", "cpg_id", "cpgid",
        "cg", "ilmnid",
        "gene_id", "ensembl_gene_id", "gene", "gene_symbol", "gene_name", "protein", "protein_id",
    ),
    "names the row in a table without alleles",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Names that mean different things in different programs: the terms they may stand for, and why."""

    names: tuple[str, ...]
    terms: tuple[str, ...]
    why: str


def _a(names: str, terms: str, why: str) -> Ambiguous:
    return Ambiguous(tuple(names.split()), tuple(terms.split()), why)


AMBIGUOUS: Final[tuple[Ambiguous, ...]] = (
    _a(
        "a1 allele1 allele_1 a2 allele2 allele_2 a0 allele0 allele_0 ref alt reference alternate ref_allele "
        "alt_allele reference_allele alternate_allele alternative_allele minor_allele major_allele refallele "
        "altallele allele_a allele_b allelea alleleb",
        "effect_allele other_allele",
        "the effect allele in one program, the other allele in the next",
    ),
    _a(
        "freq frq af freq1 a1freq a1_freq af1 freq_a1 allele_freq allele_frequency alt_freq alt_freqs alt_af "
        "af_alt freq_alt af_allele2 allelefreq",
        "effect_allele_frequency",
        "the frequency of which allele?",
    ),
    _a("n neff n_eff nobs obs_ct nmiss weight", "n", "people, alleles, or an effective number?"),
    _a(
        "effect effect_size es b or_or_beta or_beta coef estimate",
        "beta odds_ratio z_score",
        "on which scale?",
    ),
    _a("stat statistic t_stat tstat t", "z_score", "z, t or chi-square?"),
    _a(
        "logp log10p log10_p log_p log10_pvalue log10_p_value log10pval",
        "neg_log_10_p_value",
        "with which sign?",
    ),
    _a("direction sign effect_sign effect_direction", "effect_direction", "of which allele?"),
    _a("start start_position chrom_start chromstart", "base_pair_location", "counted from 0 or from 1?"),
    _a("id name", "variant_id feature_name trait_id", "of what?"),
    _a(
        " ".join(FEATURE_NAMES.names), "trait_id feature_name",
        "beside alleles: the molecule measured (trait_id), or a note about the variant (ignore)?",
    ),
)  # fmt: skip


def key_of(name: str) -> str:
    """The name by which spellings are compared: lower case, '.', '-', ' ' and '_' alike.

    >>> key_of("P-value"), key_of("Beta.Exposure"), key_of("-log10(P)")
    ('p_value', 'beta_exposure', '-log10(p)')
    """
    text = name.strip().lower().replace("−", "-")
    minus = "-" if text.startswith("-") else ""
    return minus + re.sub(r"[\s._\-]+", "_", text.lstrip("-")).strip("_")
