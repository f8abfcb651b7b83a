"""What every segment on an axis can do: read a window of its cells into the planes of an answer.

A window names rows and columns of one segment and where they go in the answer; a target is the
answer being filled. Segments hand out their work as pieces that threads may run in any order.
Ragged segments are read in their own way (`ragged`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from nexome.store.associations.codec import MISSING
from nexome.store.associations.types import Codes, Exact, Floats, Int64s, Plane

Work = Callable[[], None]

FEW: Final = 8  # pieces of work below which waking other threads costs more than it saves


@dataclass(frozen=True, slots=True)
class Window:
    """Cells wanted of one segment: `rows` int64 [R] and `columns` int64 [C], both sorted.

    `out_rows` [R] and `out_columns` [C] say where each goes in the target.
    """

    rows: Int64s
    out_rows: Int64s
    columns: Int64s
    out_columns: Int64s

    @property
    def cells(self) -> int:
        """R × C."""
        return len(self.rows) * len(self.columns)


@dataclass
class Target:
    """Planes being filled, int16 [V, T], missing where nothing is written; exact values by plane."""

    z: Codes
    se: Codes
    eaf: Codes
    n: Floats | None = None
    info: Floats | None = None
    exact: dict[Plane, list[Exact]] = field(default_factory=dict)

    @classmethod
    def empty(cls, features: int, traits: int) -> Target:
        """A target of V × T missing cells."""
        z, se, eaf = (np.full((features, traits), MISSING, np.int16) for _ in range(3))
        return cls(z, se, eaf)

    def plane(self, name: Plane) -> Codes:
        """The code plane of that name."""
        return {"z": self.z, "se": self.se, "eaf": self.eaf}[name]

    def optional(self, name: str) -> Floats:
        """The float32 plane `n` or `info`, made (all NaN) when first needed."""
        found: Floats | None = getattr(self, name)
        if found is None:
            found = np.full(self.z.shape, np.nan, np.float32)
            setattr(self, name, found)
        return found

    def add_exact(self, plane: Plane, row: npt.NDArray[Any], column: npt.NDArray[Any], value: Floats) -> None:
        """Note exact values of K cells: answer rows, answer columns, float32."""
        if len(row):
            part = Exact(row.astype(np.int32), column.astype(np.int32), np.asarray(value, np.float32))
            self.exact.setdefault(plane, []).append(part)

    def exact_cells(self) -> dict[Plane, Exact]:
        """All exact values, one record a plane."""
        return {
            plane: parts[0]
            if len(parts) == 1
            else Exact(
                *(np.concatenate([getattr(p, name) for p in parts]) for name in ("row", "column", "value"))
            )
            for plane, parts in self.exact.items()
        }


class Segment(Protocol):
    """Something that can fill windows of a target."""

    def work(self, window: Window, target: Target) -> list[Work]:
        """The reading of a window as pieces; running all of them, in any order, fills the target."""
        ...


def run_work(work: Iterable[Work], pool: ThreadPoolExecutor | None) -> None:
    """Run pieces of work, on the pool when one is given and they are many; the first error is raised."""
    work = list(work)
    if pool is None or len(work) <= FEW:
        for piece in work:
            piece()
        return
    for future in [pool.submit(piece) for piece in work]:
        future.result()


def matched(wanted: Int64s, found: npt.NDArray[Any]) -> tuple[npt.NDArray[np.bool_], Int64s]:
    """Which of `found` stand in the sorted `wanted`, and at which place."""
    at = np.searchsorted(wanted, found)
    at[at == len(wanted)] = 0
    return wanted[at] == found, at
