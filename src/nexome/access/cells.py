"""Parts of planes: rows with something to show, and the strongest cell of each trait.

A feature axis is shared by studies, so planes may carry features, rs numbers and spelled alleles
that only hidden studies brought. `drop_empty_rows` takes those away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.genome import HASHED

if TYPE_CHECKING:
    from nexome.store.associations.types import Exact, Features, Planes

MISSING_CODE: Final = np.int16(-32768)

Rows = npt.NDArray[np.int64]


def rows_with_cells(planes: Planes) -> npt.NDArray[np.bool_]:
    """Of each feature, whether any trait has a cell of it: bool [V]."""
    return (planes.z != MISSING_CODE).any(axis=1)


def drop_empty_rows(planes: Planes) -> Planes:
    """The planes without features that have no cell here, and without texts of features not here."""
    held = rows_with_cells(planes)
    if held.all():
        return replace(planes, features=_own_texts(planes.features))
    return take_rows(planes, np.flatnonzero(held))


def take_rows(planes: Planes, rows: Rows) -> Planes:
    """These rows alone (int64, increasing), with all they point to."""
    place = np.full(planes.shape[0], -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    return replace(
        planes,
        features=_own_texts(planes.features.take(rows)),
        z=planes.z[rows],
        se=planes.se[rows],
        eaf=planes.eaf[rows],
        exact={name: _move(exact, place) for name, exact in planes.exact.items()},
        n=None if planes.n is None else planes.n[rows],
        info=None if planes.info is None else planes.info[rows],
    )


def strongest_cells(planes: Planes) -> Planes:
    """The planes with all but each trait's strongest cell missing, and only rows that still have one."""
    features, traits = planes.shape
    if not features or not traits:
        return planes
    size = np.nan_to_num(np.abs(planes.column("z")), nan=-1.0)
    best = size.argmax(axis=0)
    columns = np.flatnonzero(size[best, np.arange(traits)] >= 0)
    chosen = np.zeros((features, traits), bool)
    chosen[best[columns], columns] = True
    rows = np.unique(best[columns])
    kept = take_rows(planes, rows)
    return replace(kept, z=np.where(chosen[rows], kept.z, MISSING_CODE))


def _own_texts(features: Features) -> Features:
    keys = features.allele[features.allele >= np.uint64(HASHED)].tolist()
    spelled = {key: features.spelled[key] for key in keys if key in features.spelled}
    return replace(features, spelled=spelled)


def _move(exact: Exact, place: npt.NDArray[Any]) -> Exact:
    row = place[exact.row]
    kept = row >= 0
    return replace(exact, row=row[kept], column=exact.column[kept], value=exact.value[kept])
