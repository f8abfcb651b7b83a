"""UK Biobank association files of the Neale lab, round 2: one phenotype and sex a file, on GRCh37.

variant is chromosome:position:ref:alt and alt is the effect allele. minor_AF belongs to minor_allele,
so the frequency of alt is minor_AF or one minus it. Rows of low_confidence_variant are kept: read them
with care. The files have no rs numbers: join the variant manifest to the file by `variant`, and its columns
rsid and info are read. As `--sites variants.tsv` the manifest tells alleles and frequencies, not rs numbers.
Source: README of the round 2 results, and github.com/Nealelab/UK_Biobank_GWAS.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import Spelling
from nexome.formats.delimited import Header
from nexome.formats.reader import RawBatch, ReadOptions
from nexome.formats.stream import ByteStream
from nexome.formats.table_format import (
    Finish,
    Private,
    TableFormat,
    alleles_from_names,
    set_column,
    signature,
    text_of,
)


def _finish(options: ReadOptions, header: Header) -> Finish:
    with_alleles = alleles_from_names(options, header)

    def finish(batch: RawBatch) -> RawBatch:
        table = with_alleles(batch).table
        minor = text_of(table, "_minor_allele")
        frequency = table["_minor_frequency"].combine_chunks()
        alt, ref = (text_of(table, name) for name in ("effect_allele", "other_allele"))
        of_alt = pc.if_else(
            pc.equal(minor, alt),
            frequency,
            pc.if_else(pc.equal(minor, ref), pc.subtract(1.0, frequency), pa.scalar(None, pa.float64())),
        )
        return replace(batch, table=set_column(table, "effect_allele_frequency", of_alt))

    return finish


def _describe(_stream: ByteStream, _header: Header, _options: ReadOptions) -> dict[str, Any]:
    return {"build": "GRCh37"}


FORMAT: Final = TableFormat(
    name="ukb-neale",
    title="UK Biobank, Neale lab",
    program="Neale lab UK Biobank GWAS, round 2",
    signature=signature(
        "variant minor_allele minor_af low_confidence_variant n_complete_samples ac ytx beta se tstat pval"
    ),
    spellings=(
        Spelling("variant_id", ("variant",), "chromosome:position:ref:alt, taken apart; alt has the effect"),
        Spelling("beta", ("beta",), "effect of alt, on the scale 0/1 for a binary trait"),
        Spelling("standard_error", ("se",), "standard error of beta"),
        Spelling("p_value", ("pval",), "p"),
        Spelling("n", ("n_complete_samples",), "people with the phenotype"),
        Spelling("rsid", ("rsid",), "rs number, where the variant manifest is joined"),
        Spelling("info", ("info",), "imputation quality, where the variant manifest is joined"),
    ),
    private=(
        Private("_minor_allele", ("minor_allele",), "category", "whose frequency minor_AF is"),
        Private(
            "_minor_frequency", ("minor_af",), "number", "minor_AF where alt is minor_allele, else 1 − it",
            "effect_allele_frequency",
        ),
    ),
    finish=_finish,
    describe=_describe,
    needs=("variant_id", "_minor_allele", "_minor_frequency"),
)  # fmt: skip
