"""The association store: feature × trait statistics of many studies, in segments of Zarr arrays.

One module for each thing held: `axis` (sorted features), `dense`, `column`, `ragged` (segments),
`codec` (numbers as integers), `manifest` (what is live), `snapshot` and `query` (reading), `write`,
`matrix` and `compact` (writing). The format is described in docs/formats/association-store.md.

Names are loaded when first used: whoever only needs the words does not wait for the compiler.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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

_HOME: Final = {
    "AssociationStore": "store",
    "PublishedStudy": "snapshot",
    "Selection": "snapshot",
    "Snapshot": "snapshot",
    "StagedMatrix": "matrix",
    "StagedStudy": "write",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "query":
        return import_module(f"{__name__}.query")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'types')}"), name)
