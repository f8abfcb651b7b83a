"""FinnGen's association files, R3 and later: one endpoint a file, on GRCh38.

alt is the effect allele; af_alt is its frequency, and so is maf in releases before R6, whatever its name
says. mlogp is kept beside pval, which ends at 1e-300. rsids may list several: the first is taken.
p is after SAIGE's saddle-point approximation or REGENIE's Firth test, so z comes from p.
Source: FinnGen documentation, "Data description" (r3 to r12).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pyarrow.compute as pc

from nexome.formats.columns import Spelling
from nexome.formats.delimited import Header
from nexome.formats.reader import RawBatch, ReadOptions
from nexome.formats.stream import ByteStream
from nexome.formats.table_format import Finish, Private, TableFormat, set_column, signature, text_of


def _finish(_options: ReadOptions, _header: Header) -> Finish:
    def finish(batch: RawBatch) -> RawBatch:
        if "_rsids" not in batch.table.column_names:
            return batch
        first = pc.extract_regex(text_of(batch.table, "_rsids"), r"^(?P<first>rs\d+)")
        return replace(batch, table=set_column(batch.table, "rsid", pc.struct_field(first, "first")))

    return finish


def _describe(_stream: ByteStream, _header: Header, _options: ReadOptions) -> dict[str, Any]:
    return {"build": "GRCh38"}


FORMAT: Final = TableFormat(
    name="finngen",
    title="FinnGen",
    program="FinnGen R3 to R12",
    signature=signature(
        "chrom pos ref alt rsids nearest_genes pval beta sebeta af_alt",
        "chrom pos ref alt rsids nearest_genes pval beta sebeta maf",
    ),
    spellings=(
        Spelling("chromosome", ("chrom",), "chromosome, GRCh38; 23 is X"),
        Spelling("base_pair_location", ("pos",), "position, 1-based"),
        Spelling("other_allele", ("ref",), "ref is the other allele"),
        Spelling("effect_allele", ("alt",), "alt is the effect allele"),
        Spelling("p_value", ("pval",), "p"),
        Spelling("neg_log_10_p_value", ("mlogp",), "−log₁₀ p"),
        Spelling("beta", ("beta",), "effect of alt; log odds for a binary trait"),
        Spelling("standard_error", ("sebeta",), "standard error of beta"),
        Spelling("effect_allele_frequency", ("af_alt", "maf"), "frequency of alt; maf is of alt too"),
        Spelling("eaf_cases", ("af_alt_cases", "maf_cases"), "frequency of alt in cases"),
        Spelling("eaf_controls", ("af_alt_controls", "maf_controls"), "frequency of alt in controls"),
    ),
    private=(Private("_rsids", ("rsids",), "text", "the first of the rs numbers", "rsid"),),
    finish=_finish,
    describe=_describe,
)
