"""GCTA: fastGWA and MLMA output, and COJO .ma files. A1 is the effect allele, AF1 or freq its frequency."""

from __future__ import annotations

from typing import Final

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature

FORMAT: Final = TableFormat(
    name="gcta",
    title="GCTA fastGWA, MLMA, COJO",
    program="GCTA 1.9x",
    signature=signature(
        "chr snp pos a1 a2 n af1 beta se p", "chr snp bp a1 a2 freq b se p", "snp a1 a2 freq b se p n"
    ),
    spellings=(
        Spelling("chromosome", ("chr",), "chromosome"),
        Spelling("variant_id", ("snp",), "name in the genotype file"),
        Spelling("base_pair_location", ("pos", "bp"), "position, 1-based"),
        Spelling("effect_allele", ("a1",), "A1 is the effect allele"),
        Spelling("other_allele", ("a2",), "A2 is the other allele"),
        Spelling("n", ("n",), "people tested"),
        Spelling("effect_allele_frequency", ("af1", "freq"), "frequency of A1"),
        Spelling("info", ("info",), "imputation quality"),
        Spelling("beta", ("beta", "b"), "effect of A1"),
        Spelling("standard_error", ("se",), "standard error of the effect"),
        Spelling("p_value", ("p",), "p"),
    ),
)
