"""Column spellings of association files and the GWAS-SSF term each one means: data, not code.

Case does not matter, and '.', '-', ' ' and '_' are the same sign. A spelling that means different
things in different programs is *ambiguous*: outside the program's own format it is asked for, never
guessed. docs/formats/inputs.md shows these tables; a test holds it to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

Kind = Literal["text", "category", "position", "number"]

ARROW_TYPES: Final[dict[Kind, pa.DataType]] = {
    "text": pa.string(),
    "category": pa.dictionary(pa.int32(), pa.string()),
    "position": pa.int64(),
    "number": pa.float64(),
}


@dataclass(frozen=True, slots=True)
class Term:
    """A canonical column of a RawBatch: GWAS-SSF's name where it has one, its kind and its meaning."""

    name: str
    kind: Kind
    meaning: str

    @property
    def arrow(self) -> pa.Field:
        """The term as an Arrow field."""
        return pa.field(self.name, ARROW_TYPES[self.kind])


TERMS: Final[dict[str, Term]] = {
    t.name: t
    for t in (
        Term("chromosome", "category", "contig, as spelled in the source"),
        Term("base_pair_location", "position", "position, 1-based; first base of an interval"),
        Term("end", "position", "last base of an interval, 1-based, included"),
        Term("effect_allele", "category", "allele the effect is given for"),
        Term("other_allele", "category", "allele compared with"),
        Term("ref_allele", "category", "GWAS-SSF: which of the two is the reference: EA or OA"),
        Term("strand", "category", "strand the alleles are given on: + or -"),
        Term("rsid", "text", "dbSNP identifier"),
        Term("variant_id", "text", "any other name of the variant; may hold position and alleles"),
        Term(
            "feature_name", "text", "name of a feature that is not a variant: probe, gene, protein, interval"
        ),
        Term("study_id", "category", "study of the row, in files of several"),
        Term("trait_id", "category", "trait or molecule of the row, in files of several"),
        Term("trait", "category", "label of the row's trait, in files of several"),
        Term("beta", "number", "effect of one more effect allele"),
        Term("odds_ratio", "number", "odds ratio of one more effect allele"),
        Term("hazard_ratio", "number", "hazard ratio of one more effect allele"),
        Term("z_score", "number", "effect divided by its standard error"),
        Term("effect_direction", "category", "sign of the effect: + or -"),
        Term("standard_error", "number", "standard error of beta, or of the log of a ratio"),
        Term("ci_lower", "number", "lower end of the 95 % interval, on the scale of the effect"),
        Term("ci_upper", "number", "upper end of the 95 % interval, on the scale of the effect"),
        Term("p_value", "number", "two-sided p"),
        Term("neg_log_10_p_value", "number", "−log₁₀ of two-sided p"),
        Term("effect_allele_frequency", "number", "frequency of the effect allele"),
        Term("eaf_cases", "number", "frequency of the effect allele in cases"),
        Term("eaf_controls", "number", "frequency of the effect allele in controls"),
        Term("minor_allele_frequency", "number", "frequency of the rarer allele, whichever that is"),
        Term("info", "number", "imputation quality"),
        Term("n", "number", "people"),
        Term("n_cases", "number", "people with the condition"),
        Term("n_controls", "number", "people without the condition"),
    )
}
