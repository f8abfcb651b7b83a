"""The association store: feature × trait statistics of many studies, in segments of Zarr arrays.

One module for each thing held: `axis` (sorted features), `dense`, `column`, `ragged` (segments),
`codec` (numbers as integers), `manifest` (what is live), `snapshot` and `query` (reading), `write`
and `compact` (writing). The format is described in docs/formats/association-store.md.
"""

from __future__ import annotations

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

__all__ = [
    "Block",
    "Cells",
    "FeatureHit",
    "FeatureKey",
    "Features",
    "Planes",
    "TraitRef",
    "feature_column",
]
