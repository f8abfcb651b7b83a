"""What a View answers when the answer is not a table: studies, variants, genes, search.

The columns of its tables stand here too, each declared in `model.fields`. No input or output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

from nexome.model.terms import Study
from nexome.search.records import Kind
from nexome.store.genes import GENE_COLUMNS, GeneRecord

ASSOCIATION_COLUMNS: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "feature_name",
    "study_id",
    "trait_id",
    "trait",
    "beta",
    "standard_error",
    "neg_log_10_p_value",
    "p_value",
    "effect_allele_frequency",
    "n",
)
TOP_COLUMNS: Final = (*ASSOCIATION_COLUMNS, "nearest_gene")
LOCUS_COLUMNS: Final = (*TOP_COLUMNS, "locus_start", "locus_end", "features_in_locus")
STUDY_COLUMNS: Final = (
    "study_id",
    "title",
    "title_zh",
    "access",
    "ancestry",
    "sex",
    "licence",
    "publication",
    "source",
    "effect_unit",
    "effect_scale",
    "feature_kind",
    "assembly_source",
    "study_version",
    "published",
    "trait_count",
    "cell_count",
)
TRAIT_COLUMNS: Final = (
    "study_id",
    "trait_id",
    "trait",
    "trait_zh",
    "category",
    "ontology",
    "n",
    "n_cases",
    "n_controls",
    "chromosome",
    "start",
    "end",
)

__all__ = [
    "ASSOCIATION_COLUMNS",
    "GENE_COLUMNS",
    "LOCUS_COLUMNS",
    "STUDY_COLUMNS",
    "TOP_COLUMNS",
    "TRAIT_COLUMNS",
    "FeatureAnswer",
    "GeneAnswer",
    "GeneRecord",
    "SearchHit",
    "StudyAnswer",
    "VariantAnswer",
]

Place = Literal["variant", "region", "gene"]
HitKind = Place | Kind


@dataclass(frozen=True, slots=True)
class StudyAnswer:
    """A study as this reader may see it. `may_*` say which doors open; `reason_*` why not ('' where open)."""

    study: Study
    version: int
    published: str
    cells: int
    may_read: bool
    may_export: bool
    may_see_receipt: bool
    reason_read: str
    reason_export: str
    reason_receipt: str


@dataclass(frozen=True, slots=True)
class FeatureAnswer:
    """One feature of the store. `id` finds it again: '2-135851076-G-A', or the name of a named feature.

    `chromosome` and `position` are in the home assembly, 1-based; '' and 0 without a position.
    The other fields are '' where unknown. `locus`, `allele` are its key (model.genome).
    """

    id: str
    locus: int
    allele: int
    chromosome: str
    position: int
    other_allele: str
    effect_allele: str
    rsid: str
    name: str


@dataclass(frozen=True, slots=True)
class VariantAnswer:
    """What a spelling means here: the feature, and the others the same spelling fits.

    `swapped` is True when the person wrote the effect allele first; answers always state effects
    of `feature.effect_allele`. `others` are further features with the same rs number or at the
    same position (more alternate alleles, an indel), in key order. `nearest_gene` is '' without genes.
    """

    text: str
    feature: FeatureAnswer
    swapped: bool
    others: tuple[FeatureAnswer, ...]
    nearest_gene: str


@dataclass(frozen=True, slots=True)
class GeneAnswer:
    """A gene and `best`: the strongest association of each readable trait inside it.

    `best` holds ASSOCIATION_COLUMNS, strongest first; `flank_bp` bases on both sides were included.
    """

    gene: GeneRecord
    flank_bp: int
    best: pa.Table


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One thing a text may mean. `id` is what its page and API route take.

    variant: '2-135851076-G-A', 'rs4988235' or '2:135851076'; region: '2:1000-2000'; gene: its symbol;
    study: its identifier; trait: 'study/trait'; term, publication, dataset: its CURIE; track: its name;
    variable: 'cohort/variable'; page: its address behind the language ('help#ld'). `label`, `label_zh`
    name it for people, `note` tells more (a gene's place, a trait's study; `note_zh`: in Chinese, '' where
    it is as `note`). `certain` is True where the text can only mean this. Of what the search index found,
    `why` says how (`search.records.Why`), `through` by which term (`through_zh`: in Chinese); else ''.
    """

    kind: HitKind
    id: str
    label: str
    label_zh: str
    note: str
    certain: bool
    why: str = ""
    through: str = ""
    note_zh: str = ""
    through_zh: str = ""
