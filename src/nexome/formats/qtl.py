"""Files of molecular QTL: one row a variant and molecule; the molecule becomes `trait_id`.

eQTL Catalogue (nominal summary statistics): alt is the effect allele, an is the number of alleles
counted (n = an / 2); where ac and an stand, the frequency is ac / an. Its Parquet files (release 8) are
not read. GTEx and tensorQTL: the slope
is of ALT, the last allele of variant_id (chr1_13550_G_A_b38), af its frequency; maf is nobody's in
particular.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyarrow.compute as pc

from nexome.formats.columns import Spelling
from nexome.formats.delimited import Header
from nexome.formats.reader import RawBatch, ReadOptions
from nexome.formats.table_format import (
    Finish,
    Private,
    TableFormat,
    alleles_from_names,
    set_column,
    signature,
)


def _counts(_options: ReadOptions, _header: Header) -> Finish:
    def finish(batch: RawBatch) -> RawBatch:
        table = batch.table
        if "_an" in table.column_names:
            table = set_column(table, "n", pc.divide(table["_an"], 2.0))
            if "_ac" in table.column_names:
                table = set_column(table, "effect_allele_frequency", pc.divide(table["_ac"], table["_an"]))
        return replace(batch, table=table)

    return finish


_CREDIBLE_NOTE: Final = (
    "Only the marginal associations of the variants in credible sets are read; cs_id, pip and the log Bayes "
    "factors have no place in the store. A variant of several rs numbers stands once for each: "
    "`--duplicates` says which row is kept."
)

EQTL_CATALOGUE: Final = TableFormat(
    name="eqtl-catalogue",
    title="eQTL Catalogue",
    program="eQTL Catalogue releases 4 to 7",
    signature=signature("molecular_trait_id chromosome position ref alt beta se pvalue"),
    spellings=(
        Spelling("trait_id", ("molecular_trait_id",), "the molecule measured"),
        Spelling("chromosome", ("chromosome",), "chromosome"),
        Spelling("base_pair_location", ("position",), "position, 1-based"),
        Spelling("other_allele", ("ref",), "ref is the other allele"),
        Spelling("effect_allele", ("alt",), "alt is the effect allele"),
        Spelling("rsid", ("rsid",), "rs number"),
        Spelling("variant_id", ("variant",), "chr_position_ref_alt"),
        Spelling("beta", ("beta",), "effect of alt"),
        Spelling("standard_error", ("se",), "standard error of beta"),
        Spelling("p_value", ("pvalue",), "p"),
        Spelling("info", ("r2",), "imputation quality"),
        Spelling("minor_allele_frequency", ("maf",), "frequency of the rarer allele"),
    ),
    private=(
        Private("_ac", ("ac",), "number", "effect allele frequency = ac / an", "effect_allele_frequency"),
        Private("_an", ("an",), "number", "n = an / 2", "n"),
    ),
    finish=_counts,
)

EQTL_CREDIBLE_SETS: Final = TableFormat(
    name="eqtl-catalogue-credible-sets",
    title="eQTL Catalogue credible sets",
    program="eQTL Catalogue releases 5 to 7 (SuSiE)",
    signature=signature("molecular_trait_id cs_id variant pip pvalue beta se cs_size cs_min_r2 region"),
    spellings=(
        Spelling("trait_id", ("molecular_trait_id",), "the molecule measured"),
        Spelling("variant_id", ("variant",), "chr_position_ref_alt, taken apart; alt has the effect"),
        Spelling("rsid", ("rsid",), "rs number"),
        Spelling("beta", ("beta",), "marginal effect of alt"),
        Spelling("standard_error", ("se",), "standard error of beta"),
        Spelling("p_value", ("pvalue",), "marginal p"),
    ),
    finish=alleles_from_names,
    needs=("variant_id",),
    notes=(_CREDIBLE_NOTE,),
)

GTEX: Final = TableFormat(
    name="gtex",
    title="GTEx and tensorQTL",
    program="GTEx 7 to 10, FastQTL, tensorQTL",
    signature=signature(
        "gene_id variant_id slope slope_se pval_nominal",
        "phenotype_id variant_id slope slope_se pval_nominal",
    ),
    spellings=(
        Spelling("trait_id", ("phenotype_id", "gene_id"), "the molecule measured"),
        Spelling("variant_id", ("variant_id",), "chr_position_ref_alt_build, taken apart"),
        Spelling("beta", ("slope",), "effect of alt, the second allele of variant_id"),
        Spelling("standard_error", ("slope_se",), "standard error of slope"),
        Spelling("p_value", ("pval_nominal",), "p"),
        Spelling("effect_allele_frequency", ("af",), "frequency of alt"),
        Spelling("minor_allele_frequency", ("maf",), "frequency of the rarer allele"),
    ),
    finish=alleles_from_names,
    needs=("variant_id",),
)
