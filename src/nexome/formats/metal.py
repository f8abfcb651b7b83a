"""METAL meta-analyses (.tbl): the inverse-variance scheme (Effect, StdErr) and the sample-size scheme.

Allele1 is the effect allele (lower case), Freq1 its frequency. MarkerName is an rs number or holds
the position. Weight is people only when the weights were: it is not read as n unless said by --map.
"""

from __future__ import annotations

from typing import Final

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature

FORMAT: Final = TableFormat(
    name="metal",
    title="METAL",
    program="METAL 2010 to 2020",
    signature=signature(
        "markername allele1 allele2 effect stderr p_value direction",
        "markername allele1 allele2 weight zscore p_value direction",
        "markername allele1 allele2 zscore p_value direction",
    ),
    spellings=(
        Spelling("variant_id", ("markername",), "an rs number, or chromosome:position"),
        Spelling("chromosome", ("chromosome", "chr"), "with TRACKPOSITIONS"),
        Spelling("base_pair_location", ("position", "pos"), "with TRACKPOSITIONS"),
        Spelling("effect_allele", ("allele1",), "Allele1 is the effect allele"),
        Spelling("other_allele", ("allele2",), "Allele2 is the other allele"),
        Spelling("effect_allele_frequency", ("freq1",), "mean frequency of Allele1"),
        Spelling("beta", ("effect",), "effect of Allele1"),
        Spelling("standard_error", ("stderr",), "standard error of Effect"),
        Spelling("z_score", ("zscore",), "z of Allele1"),
        Spelling("p_value", ("p_value",), "p"),
        Spelling("n", ("totalsamplesize", "n_total", "n"), "people, when METAL was asked to add them up"),
    ),
    version=lambda keys: "inverse variance" if "stderr" in keys else "sample size",
)
