"""Tables in the TwoSampleMR layout: columns that end in .exposure or .outcome, several studies in one.

id.exposure names the study, exposure its trait.
"""

from __future__ import annotations

from typing import Final, Literal

from nexome.formats.columns import Spelling
from nexome.formats.table_format import TableFormat, signature


def _form(side: Literal["exposure", "outcome"]) -> TableFormat:
    return TableFormat(
        name=f"twosamplemr-{side}",
        title=f"TwoSampleMR {side}",
        program="TwoSampleMR 0.4 to 0.6",
        signature=signature(f"snp beta_{side} se_{side} effect_allele_{side}"),
        spellings=(
            Spelling("variant_id", ("snp",), "rs number"),
            Spelling("chromosome", (f"chr_{side}", "chr"), "chromosome"),
            Spelling("base_pair_location", (f"pos_{side}", "pos"), "position, 1-based"),
            Spelling("effect_allele", (f"effect_allele_{side}",), "the effect allele"),
            Spelling("other_allele", (f"other_allele_{side}",), "the other allele"),
            Spelling("effect_allele_frequency", (f"eaf_{side}",), "frequency of the effect allele"),
            Spelling("beta", (f"beta_{side}",), "effect; log odds for a binary trait"),
            Spelling("standard_error", (f"se_{side}",), "standard error of beta"),
            Spelling("p_value", (f"pval_{side}",), "p"),
            Spelling("n", (f"samplesize_{side}",), "people"),
            Spelling("n_cases", (f"ncase_{side}",), "cases"),
            Spelling("n_controls", (f"ncontrol_{side}",), "controls"),
            Spelling("study_id", (f"id_{side}",), "study of the row"),
            Spelling("trait", (side,), "label of the row's trait"),
        ),
    )


EXPOSURE: Final = _form("exposure")
OUTCOME: Final = _form("outcome")
