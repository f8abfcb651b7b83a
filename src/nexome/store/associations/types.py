"""The records that pass through the association store: keys, blocks in, cells and planes out, studies.

Shapes: V features (rows), T traits (columns). Codes are the absolute int16 codes of `codec`; nothing
here reads or writes a file. Arrays belong to whoever made them: treat them as read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.fields import FIELDS, schema_of
from nexome.model.genome import UNPLACED, Assembly, unpack_alleles
from nexome.model.terms import Study, Trait

UInt64s = npt.NDArray[np.uint64]
UInt32s = npt.NDArray[np.uint32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]
Plane = Literal["z", "se", "eaf"]

COLUMNS: Final = (
    "beta",
    "standard_error",
    "z",
    "neg_log_10_p_value",
    "p_value",
    "effect_allele_frequency",
    "n",
    "info",
)
"""What `Planes.column` decodes; the names of `model.fields`."""

_FEW: Final = 64  # features below which sorting their alleles costs more than spelling them

TABLE_COLUMNS: Final = (
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
    "effect_allele_frequency",
    "n",
)
"""What `Planes.table` holds when nothing else is asked for."""


class FeatureKey(NamedTuple):
    """One feature: the pair of unsigned 64-bit numbers of `model.genome`."""

    locus: int
    allele: int


@dataclass(frozen=True, slots=True)
class FeatureHit:
    """A feature of the store that a name means.

    `swapped` is true when the store holds it with the two alleles in the other order than asked:
    its effects are those of the allele the asker called the other one. `text` is 'REF/ALT' or the
    name of a named feature; `rsid` is 0 when no source gave one.
    """

    key: FeatureKey
    rsid: int
    text: str
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Sorted rows of one study on their way in. All arrays have length V; NaN is missing.

    `locus`, `allele` (uint64) strictly increase as a pair within a trait; with `trait` (uint32
    ordinals into `Study.traits`, for studies of many traits) rows are sorted by trait, locus,
    allele. `z`, `se` (> 0), `eaf` (0 to 1) are float32; `n` (people) and `info` only where they
    vary from cell to cell. `rsid` 0 is unknown. `spelled` gives the text behind each hashed allele
    key: 'REF/ALT' or 'kind:name'. `line` (uint64) is the line of the source; it is not stored, only
    named where rows disagree.
    """

    locus: UInt64s
    allele: UInt64s
    z: Floats
    se: Floats
    eaf: Floats
    n: Floats | None = None
    info: Floats | None = None
    rsid: UInt32s | None = None
    trait: UInt32s | None = None
    spelled: Mapping[int, str] = field(default_factory=dict)
    line: UInt64s | None = None

    def __len__(self) -> int:
        return len(self.locus)


@dataclass(frozen=True, slots=True)
class TraitRef:
    """One column of an answer: a trait and the study it belongs to."""

    study: Study
    trait: Trait


@dataclass(frozen=True)
class Features:
    """The rows of an answer, or of a new axis: V features sorted by (locus, allele).

    `spelled` names hashed alleles; it may hold more than these features need.
    """

    locus: UInt64s
    allele: UInt64s
    rsid: UInt32s
    spelled: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.locus)

    def key(self, row: int) -> FeatureKey:
        """The key of one row."""
        return FeatureKey(int(self.locus[row]), int(self.allele[row]))

    @cached_property
    def contig(self) -> UInt32s:
        """Contig ranks, uint32 [V]; 2³²−1 without a position."""
        return (self.locus >> np.uint64(32)).astype(np.uint32)

    @cached_property
    def position(self) -> UInt32s:
        """1-based positions, uint32 [V]; 0 without one."""
        return (self.locus & np.uint64(0xFFFFFFFF)).astype(np.uint32)

    def text(self, row: int) -> str:
        """'REF/ALT' of a variant, or the name of a named feature ('kind:name')."""
        key = int(self.allele[row])
        packed = unpack_alleles(key)
        return "/".join(packed) if packed else self.spelled.get(key, "")

    @cached_property
    def alleles(self) -> tuple[pa.Array, pa.Array, pa.Array]:
        """(ref, alt, name) of each feature, Arrow strings; name is null for variants, the others for names.

        Millions of features have few different alleles: each is spelled once.
        """
        if len(self) <= _FEW:
            return tuple(pa.array(texts, pa.string()) for texts in self._spell(self.allele))
        keys, place = np.unique(self.allele, return_inverse=True)
        rows = pa.array(place)
        return tuple(pa.array(texts, pa.string()).take(rows) for texts in self._spell(keys))

    def _spell(self, keys: UInt64s) -> tuple[list[str | None], list[str | None], list[str | None]]:
        refs: list[str | None] = []
        alts: list[str | None] = []
        names: list[str | None] = []
        for key in keys.tolist():
            packed = unpack_alleles(key)
            text = "" if packed else self.spelled.get(key, "")
            ref, slash, alt = (packed[0], "/", packed[1]) if packed else text.partition("/")
            refs.append(ref if slash else None)
            alts.append(alt if slash else None)
            names.append(None if slash else text.partition(":")[2] or text)
        return refs, alts, names

    def take(self, rows: npt.NDArray[Any]) -> Features:
        """These rows alone, in the order given."""
        return Features(self.locus[rows], self.allele[rows], self.rsid[rows], self.spelled)


class TraitTable:
    """All traits of a selection, with their Arrow dictionaries made once: the columns of any answer.

    `refs` has length T_all; answers point into it by ordinal.
    """

    def __init__(self, refs: Sequence[TraitRef]) -> None:
        self.refs = refs

    def __len__(self) -> int:
        return len(self.refs)

    @cached_property
    def n(self) -> Floats:
        """Sample size of each trait, float32 [T_all]; NaN where unknown."""
        return np.array([np.nan if r.trait.n is None else r.trait.n for r in self.refs], np.float32)

    def dictionary(self, name: str) -> pa.Array:
        """Arrow strings of `study_id`, `trait_id` or `trait` for all T_all traits."""
        return self._dictionaries[name]

    @cached_property
    def _dictionaries(self) -> dict[str, pa.Array]:
        return {
            "study_id": pa.array([r.study.id for r in self.refs], pa.string()),
            "trait_id": pa.array([r.trait.id for r in self.refs], pa.string()),
            "trait": pa.array([r.trait.label for r in self.refs], pa.string()),
        }


@dataclass(frozen=True, slots=True)
class Exact:
    """Cells whose float32 value is kept beside the codes: out of the grid, or of an exact study.

    `row` and `column` (int32, length K) point into the planes; `value` is float32 of length K.
    """

    row: Int32s
    column: Int32s
    value: Floats


@dataclass(frozen=True)
class Planes:
    """Features × traits: int16 code planes, decoded a column at a time when asked.

    `z`, `se`, `eaf`: int16 [V, T] absolute codes; `exact` holds values that replace decoded ones,
    by plane; `n` and `info` are float32 [V, T] where some trait varies from cell to cell (NaN: use
    the trait's). `trait` (int32 [T]) points into `trait_table`. Traits of ragged segments appear only
    when they hold a cell here; traits of other segments always.
    """

    assembly: Assembly
    features: Features
    trait_table: TraitTable
    trait: Int32s
    z: Codes
    se: Codes
    eaf: Codes
    exact: Mapping[Plane, Exact] = field(default_factory=dict)
    n: Floats | None = None
    info: Floats | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(V, T)."""
        return self.z.shape[0], self.z.shape[1]

    @cached_property
    def traits(self) -> Sequence[TraitRef]:
        """The T columns as (study, trait) records."""
        refs = self.trait_table.refs
        return [refs[i] for i in self.trait.tolist()]

    def column(self, name: str) -> Floats:
        """One of `COLUMNS` decoded: float32 [V, T] (p_value float64), NaN missing; made anew each call.

        Raises KeyError for a name that is not in COLUMNS.
        """
        from nexome.store.associations import decode  # noqa: PLC0415  Numba is loaded when first needed

        return decode.column(self, name)

    def columns(self, names: Sequence[str]) -> dict[str, Floats]:
        """Several columns decoded in as few passes as possible."""
        from nexome.store.associations import decode  # noqa: PLC0415  Numba is loaded when first needed

        return decode.columns(self, names)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The cells that are not missing as a long Arrow table, feature by feature.

        `columns` are names of `model.fields` that a cell has (default TABLE_COLUMNS); raises
        KeyError for any other.
        """
        names = list(TABLE_COLUMNS if columns is None else columns)
        flat = np.flatnonzero(self.z.ravel() != np.int16(-32768))
        row, col = np.divmod(flat, max(1, self.z.shape[1]))
        values = self.columns([name for name in names if name in COLUMNS])
        features, again = self._described(row)
        arrays = []
        for name in names:
            if name in values:
                arrays.append(_arrow_floats(name, values[name].ravel()[flat]))
            elif name in {"study_id", "trait_id", "trait"}:
                indices = pa.array(self.trait[col], pa.int32())
                arrays.append(pa.DictionaryArray.from_arrays(indices, self.trait_table.dictionary(name)))
            else:
                described = feature_column(features, self.assembly, name)
                arrays.append(described if again is None else described.take(again))
        return pa.Table.from_arrays(arrays, schema=schema_of(names))

    def _described(self, row: Int64s) -> tuple[Features, pa.Array | None]:
        """Features to describe, and how to repeat them for the table's rows; None: they are its rows."""
        if self.z.shape[1] != 1:
            return self.features, pa.array(row)
        return (self.features if len(row) == len(self.features) else self.features.take(row)), None


class Cells(Planes):
    """Planes with one feature (V = 1) or one trait (T = 1)."""


def feature_column(features: Features, assembly: Assembly, name: str) -> pa.Array:
    """A descriptor of V features as an Arrow array: position, alleles, rsID or name.

    `name` is one of chromosome, base_pair_location, effect_allele, other_allele, rsid, feature_name;
    raises KeyError for any other.
    """
    if name == "chromosome":
        return _chromosomes(features, assembly)
    if name == "base_pair_location":
        return pa.array(features.position, pa.uint32(), mask=features.contig == UNPLACED)
    if name == "rsid":
        digits = pa.array(features.rsid, pa.uint32(), mask=features.rsid == 0).cast(pa.string())
        return pc.binary_join_element_wise("rs", digits, "")
    return features.alleles[{"other_allele": 0, "effect_allele": 1, "feature_name": 2}[name]]


def _chromosomes(features: Features, assembly: Assembly) -> pa.Array:
    names = pa.array([c.name for c in assembly.contigs], pa.string())
    unplaced = features.contig == UNPLACED
    ranks = np.where(unplaced, 0, features.contig).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(ranks, mask=unplaced), names)


def _arrow_floats(name: str, values: npt.NDArray[Any]) -> pa.Array:
    return pa.array(values, FIELDS[name].arrow.type)
