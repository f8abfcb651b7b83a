"""Text made of BESD files by SMR or OSCA (`smr --beqtl-summary … --query`): one row a variant and probe.

A1 is the effect allele, Freq its frequency; the probe is the trait, its gene the trait's label. The
program keeps rows below a threshold of p (5e-8 unless said), so such a study is a partial one.
The binary files themselves (.besd, .esi, .epi) and the .esd files of a .flist are not read: .esd has a
header that many programs share, and A1 must be said (`--map effect_allele=A1 --map other_allele=A2`).
Source: SMR and OSCA documentation, "Query SMR results" and "Query eQTL".
"""

from __future__ import annotations

from typing import Final

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature

FORMAT: Final = TableFormat(
    name="besd-query",
    title="BESD as text (SMR, OSCA)",
    program="SMR 0.7 to 1.3, OSCA 0.4x",
    signature=signature("snp chr bp a1 a2 freq probe probe_chr probe_bp gene orientation b se p"),
    spellings=(
        Spelling("variant_id", ("snp",), "name of the variant"),
        Spelling("chromosome", ("chr",), "chromosome"),
        Spelling("base_pair_location", ("bp",), "position, 1-based"),
        Spelling("effect_allele", ("a1",), "A1 is the effect allele"),
        Spelling("other_allele", ("a2",), "A2 is the other allele"),
        Spelling("effect_allele_frequency", ("freq",), "frequency of A1"),
        Spelling("trait_id", ("probe",), "the probe measured"),
        Spelling("trait", ("gene",), "label: the gene of the probe"),
        Spelling("beta", ("b",), "effect of A1"),
        Spelling("standard_error", ("se",), "standard error of b"),
        Spelling("p_value", ("p",), "p"),
    ),
)
