"""SAIGE step 2, single-variant tests, 0.x and 1.x, quantitative and binary traits.

Allele2 is the effect allele, AF_Allele2 its frequency. p.value is after the saddle-point
approximation; p.value.NA (before it) is not read.
"""

from __future__ import annotations

from typing import Final

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature

FORMAT: Final = TableFormat(
    name="saige",
    title="SAIGE step 2",
    program="SAIGE 0.29 to 1.x",
    signature=signature("chr pos allele1 allele2 af_allele2 beta se p_value"),
    spellings=(
        Spelling("chromosome", ("chr",), "chromosome"),
        Spelling("base_pair_location", ("pos",), "position, 1-based"),
        Spelling("variant_id", ("markerid", "snpid"), "name in the genotype file"),
        Spelling("rsid", ("rsid",), "rs number"),
        Spelling("other_allele", ("allele1",), "Allele1 is the other allele"),
        Spelling("effect_allele", ("allele2",), "Allele2 is the effect allele"),
        Spelling("effect_allele_frequency", ("af_allele2",), "frequency of Allele2"),
        Spelling("eaf_cases", ("af_case", "af_cases"), "frequency of Allele2 in cases"),
        Spelling("eaf_controls", ("af_ctrl", "af_controls"), "frequency of Allele2 in controls"),
        Spelling("info", ("imputationinfo",), "imputation quality"),
        Spelling("n", ("n",), "people tested (quantitative traits)"),
        Spelling("n_cases", ("n_case", "n_cases"), "cases tested"),
        Spelling("n_controls", ("n_ctrl", "n_controls"), "controls tested"),
        Spelling("beta", ("beta",), "effect of Allele2; log odds for a binary trait"),
        Spelling("standard_error", ("se",), "standard error of BETA"),
        Spelling("p_value", ("p_value",), "p after the saddle-point approximation"),
    ),
    version=lambda keys: "1" if "markerid" in keys else "0",
)
