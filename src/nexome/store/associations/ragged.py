"""Ragged segments: QTL and partial results, where each trait has few of the features.

<root>/associations/segments/<segment>/    Zarr v3 group, kind nexome-ragged; F features, T traits, N cells
    features/                     the segment's own sorted features, laid out as an axis
    by_trait/offset i64 [T+1]     cells of trait t are offset[t] … offset[t+1]−1, features increasing
    by_trait/feature u32 [N], z, se, eaf i16 [N]                     absolute codes of `codec`
    by_feature/offset i64 [F+1]   cells of feature f, traits increasing: the same cells once more
    by_feature/trait u32 [N], z, se, eaf i16 [N]
    n, info, exact_z, exact_se, exact_eaf f32 [N]   beside z where they are kept, in both orders
    overflow/trait, feature u32 [K], z f32 [K]      z of cells with code −32767, sorted

offset and overflow are plain arrays (`arrays`), the others compressed vectors (`vectors`). Both
directions cost the cells they touch. `ragged_writer` writes them; a cell that is absent is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from nexome.model.errors import DamagedError, NewerVersionError
from nexome.store.associations import codec
from nexome.store.associations.arrays import open_array, read_attributes
from nexome.store.associations.axis import Axis
from nexome.store.associations.types import Codes, Floats, Int64s, Plane, UInt32s
from nexome.store.associations.vectors import CHUNK, MappedVector

KIND: Final = "nexome-ragged"
VERSION: Final = 1
CODES: Final[tuple[Plane, ...]] = ("z", "se", "eaf")
EXTRAS: Final = ("n", "info", "exact_z", "exact_se", "exact_eaf")

Direction = Literal["by_trait", "by_feature"]
_OTHER_KEY: Final[dict[Direction, str]] = {"by_trait": "feature", "by_feature": "trait"}


@dataclass(frozen=True, slots=True)
class RaggedCells:
    """K cells: feature row (int64) and trait ordinal (uint32) of each, absolute codes, extra planes.

    `n`, `info`: float32 [K] where kept. `exact`: by plane, positions (int64) and float32 values of
    the cells whose value is kept beside the code.
    """

    feature: Int64s
    trait: UInt32s
    z: Codes
    se: Codes
    eaf: Codes
    n: Floats | None = None
    info: Floats | None = None
    exact: Mapping[Plane, tuple[Int64s, Floats]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trait)


class RaggedSegment:
    """One ragged segment, mapped. `axis` holds its features."""

    def __init__(self, path: Path) -> None:
        self.path = path
        facts = read_attributes(path)
        if facts.get("kind") != KIND:
            raise DamagedError(f"kind {facts.get('kind')!r}", where=str(path), expected=f"kind {KIND!r}")
        if facts["version"] > VERSION:
            raise NewerVersionError(
                f"ragged segment version {facts['version']}",
                where=str(path),
                expected=f"at most version {VERSION}",
            )
        self.cells = int(facts["cells"])
        self.traits = int(facts["traits"])
        self.planes = tuple(str(p) for p in facts["planes"])

    @cached_property
    def axis(self) -> Axis:
        """The segment's features."""
        return Axis(self.path / "features")

    def read_feature(self, row: int) -> RaggedCells:
        """All cells of the feature at `row`, by trait."""
        return self.read_features(row, row + 1)

    def read_features(self, first: int, stop: int) -> RaggedCells:
        """All cells of feature rows first … stop−1, by feature, then by trait."""
        offset = self.offset("by_feature")
        start, end = int(offset[first]), int(offset[stop])
        feature = np.repeat(np.arange(first, stop), np.diff(offset[first : stop + 1]))
        return self._cells("by_feature", start, end, feature=feature.astype(np.int64))

    def read_trait(self, trait: int, start: int = 0, stop: int | None = None) -> RaggedCells:
        """Cells of one trait, by feature; `start` and `stop` count within the trait."""
        first, end = self.extent(trait)
        low, high, _ = slice(start, stop).indices(end - first)
        return self._cells("by_trait", first + low, first + max(high, low), trait=trait)

    def read_run(self, start: int, stop: int) -> RaggedCells:
        """Cells `start` … `stop`−1 of all, by trait, then by feature."""
        offset = self.offset("by_trait")
        first, last = np.searchsorted(offset, [start, stop - 1], side="right").tolist()
        edges: Int64s = np.clip(offset[first - 1 : last + 1], start, stop)
        counts = edges[1:] - edges[:-1]
        trait = np.repeat(np.arange(first - 1, last, dtype=np.uint32), counts)
        return self._cells("by_trait", start, stop, trait=trait)

    def read_trait_features(self, trait: int, first: int, stop: int) -> RaggedCells:
        """Cells of one trait whose features lie in rows first … stop−1."""
        begin, end = self.extent(trait)
        low = self._search(begin, end, first)
        return self._cells("by_trait", low, self._search(low, end, stop), trait=trait)

    def extent(self, trait: int) -> tuple[int, int]:
        """First cell of a trait in by_trait order, and first behind it."""
        offset = self.offset("by_trait")
        return int(offset[trait]), int(offset[trait + 1])

    def _search(self, low: int, high: int, row: int) -> int:
        """First cell of low … high−1 (one trait's) whose feature is not before `row`."""
        vector = self._vector("by_trait", "feature")
        while high - low > CHUNK:
            middle = (low + high) // 2
            if int(vector[middle : middle + 1][0]) < row:
                low = middle + 1
            else:
                high = middle
        return low + int(np.searchsorted(vector[low:high], row))

    def _cells(
        self,
        direction: Direction,
        start: int,
        stop: int,
        *,
        feature: Int64s | None = None,
        trait: int | UInt32s = 0,
    ) -> RaggedCells:
        other = self._vector(direction, _OTHER_KEY[direction])[start:stop]
        if feature is None:
            feature = other.astype(np.int64)
            traits = np.full(stop - start, trait, np.uint32) if isinstance(trait, int) else trait
        else:
            traits = other
        z, se, eaf = (self._vector(direction, plane)[start:stop] for plane in CODES)
        extras: dict[str, Floats] = {
            p: self._vector(direction, p)[start:stop] for p in EXTRAS if p in self.planes
        }
        exact: dict[Plane, tuple[Int64s, Floats]] = {}
        for plane in CODES:
            if f"exact_{plane}" in extras:
                exact[plane] = (np.arange(stop - start), extras[f"exact_{plane}"])
        if "z" not in exact:
            exact |= self._overflow_of(z, feature, traits)
        return RaggedCells(
            feature, traits, z, se, eaf, n=extras.get("n"), info=extras.get("info"), exact=exact
        )

    def _overflow_of(self, z: Codes, feature: Int64s, trait: UInt32s) -> dict[Plane, tuple[Int64s, Floats]]:
        at = np.flatnonzero(z == codec.OVERFLOW)
        if not len(at):
            return {}
        keys, values = self._overflow
        wanted = trait[at].astype(np.uint64) << np.uint64(32) | feature[at].astype(np.uint64)
        where = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        if not len(keys) or (keys[where] != wanted).any():
            raise DamagedError(
                "an overflow cell without its exact value",
                where=str(self.path / "overflow"),
                todo="Run `nexome verify`, then restore the store from a backup.",
            )
        return {"z": (at, values[where])}

    @cached_property
    def _overflow(self) -> tuple[Any, Floats]:
        trait, feature, z = (open_array(self.path / "overflow" / n) for n in ("trait", "feature", "z"))
        return trait.astype(np.uint64) << np.uint64(32) | feature.astype(np.uint64), z

    def offset(self, direction: Direction) -> Int64s:
        """First cell of each trait or feature in that direction, and N at the end."""
        return self._part(f"{direction}/offset", open_array)

    def _vector(self, direction: Direction, name: str) -> MappedVector:
        return self._part(f"{direction}/{name}", MappedVector)

    def _part(self, name: str, opener: Any) -> Any:
        if (known := self._parts.get(name)) is None:
            known = self._parts[name] = opener(self.path / name)
        return known

    @cached_property
    def _parts(self) -> dict[str, Any]:
        return {}
