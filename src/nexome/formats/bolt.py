"""BOLT-LMM statistics (.stats, and .bgen.stats with INFO).

ALLELE1 is the effect allele, A1FREQ its frequency; GENPOS is in morgans and not read. P_BOLT_LMM is
preferred to P_BOLT_LMM_INF; P_LINREG, which knows no relatedness, is never read.
"""

from __future__ import annotations

from typing import Final

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature

FORMAT: Final = TableFormat(
    name="bolt",
    title="BOLT-LMM",
    program="BOLT-LMM 2.x",
    signature=signature("snp chr bp allele1 allele0 a1freq beta se p_bolt_lmm_inf"),
    spellings=(
        Spelling("variant_id", ("snp",), "name in the genotype file"),
        Spelling("chromosome", ("chr",), "chromosome"),
        Spelling("base_pair_location", ("bp",), "position, 1-based"),
        Spelling("effect_allele", ("allele1",), "ALLELE1 is the effect allele"),
        Spelling("other_allele", ("allele0",), "ALLELE0 is the other allele"),
        Spelling("effect_allele_frequency", ("a1freq",), "frequency of ALLELE1"),
        Spelling("info", ("info",), "imputation quality"),
        Spelling("beta", ("beta",), "effect of ALLELE1, on the scale 0/1 for a binary trait"),
        Spelling("standard_error", ("se",), "standard error of BETA"),
        Spelling("p_value", ("p_bolt_lmm", "p_bolt_lmm_inf"), "mixed-model p; P_LINREG is never read"),
    ),
)
