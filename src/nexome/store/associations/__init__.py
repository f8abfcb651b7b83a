"""The association store: feature × trait statistics of many studies, in segments of Zarr arrays.

One module for each thing held: `axis` (sorted features), `dense`, `column`, `ragged` (segments),
`codec` (numbers as integers), `manifest` (what is live), `snapshot` and `query` (reading), `write`
and `compact` (writing). The format is described in docs/formats/association-store.md.
"""

from __future__ import annotations

from nexome.store.associations import query
from nexome.store.associations.matrix import StagedMatrix
from nexome.store.associations.snapshot import PublishedStudy, Selection, Snapshot
from nexome.store.associations.store import AssociationStore
from nexome.store.associations.types import (
    Block,
    Cells,
    FeatureHit,
    FeatureKey,
    Features,
    Planes,
    TraitRef,
    feature_column,
)
from nexome.store.associations.write import StagedStudy

__all__ = [
    "AssociationStore",
    "Block",
    "Cells",
    "FeatureHit",
    "FeatureKey",
    "Features",
    "Planes",
    "PublishedStudy",
    "Selection",
    "Snapshot",
    "StagedMatrix",
    "StagedStudy",
    "TraitRef",
    "feature_column",
    "query",
]
