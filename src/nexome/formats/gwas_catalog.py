"""The GWAS Catalog's download of all associations (1.0, 1.0.1, 1.0.2): lead variants of many studies.

The effect allele is the letter behind the dash in STRONGEST SNP-RISK ALLELE; the other allele is not
given. OR or BETA is a beta where 95% CI (TEXT) names a unit and a direction ('unit increase',
'kg decrease': negative), an odds ratio where it does not; the interval is read from the same text.
p is read from the text of P-VALUE, which holds 4E-540 where PVALUE_MLOG says Infinity; PVALUE_MLOG
is used where P-VALUE is 0. Haplotypes and pairs of variants are set aside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import Spelling
from nexome.formats.delimited import Header, convert_text
from nexome.formats.reader import ColumnUse, RawBatch, ReadOptions
from nexome.formats.stream import ByteStream
from nexome.formats.table_format import (
    Finish,
    Private,
    TableFormat,
    drop_rows,
    read_cells,
    set_column,
    signature,
    text_of,
)

POSITION: Final = ColumnUse("CHR_POS", "base_pair_location", "position")
FREQUENCY: Final = ColumnUse(
    "RISK ALLELE FREQUENCY", "effect_allele_frequency", "frequency of the risk allele"
)
_RISK: Final = r"^(?P<name>[^\s;,]+?)-(?P<allele>[ACGTacgt]+|\?)$"
_INTERVAL: Final = r"\[\s*(?P<low>-?\d*\.?\d+)\s*[-–]\s*(?P<high>-?\d*\.?\d+)\s*\]"
_CHANGE: Final = r"(?i)\b(?P<way>increase|decrease|higher|lower|shorter|longer|taller)\b"
_SEVERAL: Final = r"(?i);|,| x |\bhaplotype\b"
_DOWN: Final = ("decrease", "lower", "shorter")
_NOTHING: Final = pa.scalar(None, pa.string())


def _finish(_options: ReadOptions, _header: Header) -> Finish:
    def finish(batch: RawBatch) -> RawBatch:
        several = pc.match_substring_regex(text_of(batch.table, "variant_id"), _SEVERAL)
        mask = pc.fill_null(several, fill_value=False).to_numpy(zero_copy_only=False)
        batch = drop_rows(batch, mask, "several variants in one row (a haplotype or an interaction)")
        batch = read_cells(batch, "_position", POSITION)
        batch = read_cells(batch, "_frequency", FREQUENCY, missing=("NR",))
        table = _with_names(batch.table)
        table = set_column(table, "effect_allele", _risk_allele(text_of(table, "_risk")))
        return replace(batch, table=_with_effect(_with_log_p(table)))

    return finish


def _with_log_p(table: pa.Table) -> pa.Table:
    """−log₁₀ p from the text of a tiny p; where that is 0, from PVALUE_MLOG if it is finite."""
    if not {"_mlog", "p_value"} <= set(table.column_names):
        return table
    usable = pc.and_(pc.equal(table["p_value"], 0), pc.is_inf(table["neg_log_10_p_value"]))
    usable = pc.fill_null(pc.and_(usable, pc.is_finite(table["_mlog"])), fill_value=False)
    return set_column(
        table, "neg_log_10_p_value", pc.if_else(usable, table["_mlog"], table["neg_log_10_p_value"])
    )


def _with_names(table: pa.Table) -> pa.Table:
    """Rs numbers, and a study from the publication where there is no accession."""
    names = text_of(table, "variant_id")
    table = set_column(
        table, "rsid", pc.if_else(pc.match_substring_regex(names, r"^rs\d+$"), names, _NOTHING)
    )
    if "_pubmed" in table.column_names and "study_id" not in table.column_names:
        pubmed = pc.binary_join_element_wise("PMID", text_of(table, "_pubmed"), "")
        table = set_column(table, "study_id", pubmed)
    return table


def _risk_allele(text: pa.StringArray) -> pa.StringArray:
    allele = pc.struct_field(pc.extract_regex(pc.utf8_trim_whitespace(text), _RISK), "allele")
    return pc.if_else(pc.equal(allele, "?"), _NOTHING, pc.utf8_upper(allele))


def _with_effect(table: pa.Table) -> pa.Table:
    """Beta or odds_ratio and the interval, from OR or BETA and the text beside it."""
    text = pc.fill_null(text_of(table, "_interval"), "")
    way = pc.struct_field(pc.extract_regex(text, _CHANGE), "way")
    is_beta = pc.is_valid(way).to_numpy(zero_copy_only=False)
    sign = np.where(_any_of(way, _DOWN), -1.0, 1.0)
    size = table["_effect"].to_numpy()
    ends = pc.extract_regex(text, _INTERVAL)
    low, high = (_numbers(pc.struct_field(ends, side)) for side in ("low", "high"))
    down = is_beta & (sign < 0)
    table = set_column(table, "beta", _or_null(np.where(is_beta, sign * size, np.nan)))
    table = set_column(table, "odds_ratio", _or_null(np.where(is_beta, np.nan, size)))
    table = set_column(table, "ci_lower", _or_null(np.where(down, -high, low)))
    return set_column(table, "ci_upper", _or_null(np.where(down, -low, high)))


def _any_of(words: pa.StringArray, wanted: tuple[str, ...]) -> Any:
    found = pc.is_in(pc.utf8_lower(words), value_set=pa.array(wanted))
    return pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False)


def _numbers(text: pa.StringArray) -> Any:
    values, _, _ = convert_text(text, "number")
    return values.to_numpy(zero_copy_only=False)


def _or_null(values: Any) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _describe(_stream: ByteStream, _header: Header, _options: ReadOptions) -> dict[str, Any]:
    return {"lead_variants_only": True}


def _version(keys: frozenset[str]) -> str:
    if "study_accession" in keys:
        return "1.0.2"
    return "1.0.1" if "mapped_trait" in keys else "1.0"


FORMAT: Final = TableFormat(
    name="gwas-catalog",
    title="GWAS Catalog associations",
    program="NHGRI-EBI GWAS Catalog downloads 1.0, 1.0.1, 1.0.2",
    signature=signature("pubmedid disease/trait snps strongest_snp_risk_allele p_value or_or_beta"),
    spellings=(
        Spelling("chromosome", ("chr_id",), "chromosome, GRCh38"),
        Spelling("variant_id", ("snps",), "names of the variants"),
        Spelling("study_id", ("study_accession",), "accession; PMID and number where there is none"),
        Spelling("trait", ("disease/trait",), "label of the row's trait"),
        Spelling("p_value", ("p_value",), "p"),
    ),
    private=(
        Private("_mlog", ("pvalue_mlog",), "number", "−log₁₀ p where P-VALUE is 0", "neg_log_10_p_value"),
        Private("_position", ("chr_pos",), "text", "position, where there is one", "base_pair_location"),
        Private("_risk", ("strongest_snp_risk_allele",), "text", "letters behind the dash", "effect_allele"),
        Private("_frequency", ("risk_allele_frequency",), "text", "NR is missing", "effect_allele_frequency"),
        Private("_effect", ("or_or_beta",), "number", "beta with a direction, else odds_ratio", "beta"),
        Private("_interval", ("95%_ci_(text)",), "text", "ci_lower, ci_upper and direction", "ci_lower"),
        Private("_pubmed", ("pubmedid",), "text", "study_id, where there is no accession", "study_id"),
    ),
    needs=("variant_id", "_position", "_risk", "_frequency", "_effect", "_interval"),
    version=_version,
    finish=_finish,
    describe=_describe,
)  # fmt: skip
