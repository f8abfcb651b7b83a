"""BioBank Japan's association files of JENGER and NBDC (hum0014): REF, ALT and Rsq, on hg19.

ALT is the effect allele. Case-control files give the frequency of ALT in cases and controls. Files of
quantitative traits and meta-analyses give one Frq, and no document at hand says of which allele: it is
not read unless said (`--map effect_allele_frequency=Frq`, after a look at one common variant).
BioBank Japan's later files are SAIGE and BOLT-LMM output and are read as such.
Source: NBDC Human Database, README of hum0014 (2018_POAG_BBJ); header lines of the JENGER downloads.
"""

from __future__ import annotations

from typing import Final

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature

FORMAT: Final = TableFormat(
    name="bbj",
    title="BioBank Japan",
    program="BioBank Japan, JENGER and NBDC downloads of 2017 to 2019",
    signature=signature(
        "snp chr pos ref alt case_frq ctrl_frq rsq beta se p",
        "snp chr pos ref alt frq rsq beta se p",
        "snp chr pos ref alt frq beta se p dir n",
    ),
    spellings=(
        Spelling("variant_id", ("snp",), "name of the variant"),
        Spelling("chromosome", ("chr",), "chromosome"),
        Spelling("base_pair_location", ("pos",), "position, 1-based, hg19"),
        Spelling("other_allele", ("ref",), "REF is the other allele"),
        Spelling("effect_allele", ("alt",), "ALT is the effect allele"),
        Spelling("eaf_cases", ("case_frq",), "frequency of ALT in cases"),
        Spelling("eaf_controls", ("ctrl_frq",), "frequency of ALT in controls"),
        Spelling("info", ("rsq",), "imputation quality"),
        Spelling("beta", ("beta",), "effect of ALT; log odds for a binary trait"),
        Spelling("standard_error", ("se",), "standard error of BETA"),
        Spelling("p_value", ("p",), "p"),
        Spelling("n", ("n",), "people"),
    ),
    version=lambda keys: "case-control" if "case_frq" in keys else "one frequency",
)
