"""What a View answers about LD: one variant with a region, all pairs of some, clumps; and how it is computed.

r, r², |D′| and frequencies leave rounded to DECIMALS: a step of 0.0001 is far finer than the error of
sampling people (0.01 in 10,000), and coarse enough that no count of people can be read off it where
many are. Genotypes never leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.answers import FeatureAnswer
from nexome.access.ld_panels import PanelChoice
from nexome.access.ld_variants import PanelVariant
from nexome.access.tables import feature_table
from nexome.methods.ld.measures import STATES
from nexome.methods.ld.packed import Packed
from nexome.methods.ld.pairs import Measures, PairLd, ld_of_all, ld_of_haplotypes, ld_with_one
from nexome.model.errors import QueryError
from nexome.model.fields import schema_of
from nexome.model.genome import Assembly, Interval

if TYPE_CHECKING:
    from nexome.store.associations import Features
    from nexome.store.genotypes import GenotypeSet

LD_COLUMNS: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "distance_bp",
    "panel_frequency",
    "r",
    "r2",
    "d_prime",
    "people_called",
    "ld_state",
)
MATRIX_COLUMNS: Final = ("variant_1", "variant_2", "r", "r2", "d_prime", "people_called", "ld_state")
CLUMP_COLUMNS: Final = (
    "clump",
    "index_variant",
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "beta",
    "standard_error",
    "neg_log_10_p_value",
    "p_value",
    "effect_allele_frequency",
    "distance_bp",
    "r2",
    "nearest_gene",
)

DECIMALS: Final = 4


@dataclass(frozen=True)
class LdAnswer:
    """LD of `variant` with the V variants of a panel in `where`, by position; it is one of them itself.

    `r` float32 [V] is above 0 where `variant.effect_allele` goes with the effect allele of `features`;
    `d_prime` has r's sign. Both are NaN where `pairs.state` is not 0 (methods.ld.measures). `frequency`
    float32 [V] and `pairs.called` int32 [V] are of the chosen people. `swapped`: the panel counts the
    variant's other allele; `row` is its own place, −1 where `where` does not hold it.
    """

    choice: PanelChoice
    variant: FeatureAnswer
    swapped: bool
    row: int
    where: Interval
    assembly: Assembly
    features: Features
    pairs: PairLd
    frequency: npt.NDArray[np.float32]

    @property
    def r(self) -> npt.NDArray[np.float32]:
        """Correlations [V], rounded."""
        return rounded(self.pairs.r)

    @property
    def r2(self) -> npt.NDArray[np.float32]:
        """r² [V], rounded."""
        return rounded(self.pairs.r2)

    @property
    def d_prime(self) -> npt.NDArray[np.float32]:
        """D′ [V] with its sign, rounded."""
        return rounded(self.pairs.d_prime)

    @property
    def phased(self) -> bool:
        """Whether haplotypes were counted; else r is that of allele counts, and D′ an estimate."""
        return self.choice.panel.phased

    def table(self) -> pa.Table:
        """One row a variant of the panel (LD_COLUMNS)."""
        return self.take(np.arange(len(self.features)))

    def proxies(self, min_r2: float) -> pa.Table:
        """The other variants with r² of `min_r2` or more, best first, equal ones by distance (LD_COLUMNS)."""
        if not 0 <= min_r2 <= 1:
            raise QueryError(f"min_r2 {min_r2:g}", expected="0 to 1")
        strong = np.flatnonzero(self.pairs.r2 >= min_r2 - 1e-6)
        strong = strong[strong != self.row]
        gaps = np.abs(self.features.position[strong].astype(np.int64) - self.variant.position)
        return self.take(strong[np.lexsort((gaps, -self.pairs.r2[strong]))])

    def take(self, rows: npt.NDArray[np.int64]) -> pa.Table:
        """Some rows of the table, in the order given."""
        features = self.features.take(rows)
        told = {
            "distance_bp": features.position.astype(np.int64) - self.variant.position,
            "panel_frequency": rounded(self.frequency[rows]),
            "r": self.r[rows],
            "r2": self.r2[rows],
            "d_prime": np.abs(self.d_prime[rows]),
            "people_called": self.pairs.called[rows],
            "ld_state": state_names(self.pairs.state[rows]),
        }
        return feature_table(features, told, columns=LD_COLUMNS, assembly=self.assembly)


@dataclass(frozen=True)
class LdMatrix:
    """LD of all pairs of K variants of a panel, in the order asked: r, D′ float32 [K, K] with signs.

    `missing` are the asked texts that the panel does not hold.
    """

    choice: PanelChoice
    variants: tuple[FeatureAnswer, ...]
    missing: tuple[str, ...]
    pairs: PairLd

    @property
    def r(self) -> npt.NDArray[np.float32]:
        """Correlations [K, K], rounded; 1 on the diagonal where a variant varies."""
        return rounded(self.pairs.r)

    @property
    def r2(self) -> npt.NDArray[np.float32]:
        """r² [K, K], rounded."""
        return rounded(self.pairs.r2)

    @property
    def d_prime(self) -> npt.NDArray[np.float32]:
        """D′ [K, K] with its sign, rounded."""
        return rounded(self.pairs.d_prime)

    def table(self) -> pa.Table:
        """One row a pair, each pair once (MATRIX_COLUMNS)."""
        first, second = np.triu_indices(len(self.variants), 1)
        names = pa.array([variant.id for variant in self.variants], pa.string())
        told: dict[str, Any] = {
            "variant_1": names.take(pa.array(first)),
            "variant_2": names.take(pa.array(second)),
            "r": self.r[first, second],
            "r2": self.r2[first, second],
            "d_prime": np.abs(self.d_prime[first, second]),
            "people_called": self.pairs.called[first, second],
            "ld_state": state_names(self.pairs.state[first, second]),
        }
        arrays = [_of_type(told[field.name], field.type) for field in schema_of(MATRIX_COLUMNS)]
        return pa.Table.from_arrays(arrays, schema=schema_of(MATRIX_COLUMNS))


@dataclass(frozen=True)
class ClumpAnswer:
    """Clumps of a trait: `table` holds CLUMP_COLUMNS, each clump's index first, then its members by position.

    `missing` names variants with p ≤ p1 that the panel does not hold, strongest first: they are in no clump.
    """

    choice: PanelChoice
    study: str
    trait: str
    clumps: int
    table: pa.Table
    missing: tuple[str, ...]


def measure_rows(
    choice: PanelChoice, index: int, rows: slice | npt.NDArray[np.int64], *, measures: Measures
) -> PairLd:
    """LD of a row of a panel with other rows among the chosen people; `called` counts people.

    Counted from haplotypes where the panel is phased.
    """
    members = choice.panel.population_bits(choice.group)
    lead = _bits(choice.panel, np.array([index]))
    return _measure((lead[0][0], lead[1][0]), _bits(choice.panel, rows), members, measures=measures)


def measure_all(choice: PanelChoice, variants: Sequence[PanelVariant]) -> PairLd:
    """LD of all pairs of some variants of a panel, signs as they are asked about."""
    members = choice.panel.population_bits(choice.group)
    genotypes, haplotypes = _bits(choice.panel, np.array([v.row for v in variants], np.int64))

    def one(i: int) -> PairLd:
        rest = (genotypes[i:], haplotypes[i:])
        return _measure((genotypes[i], haplotypes[i]), rest, members, measures="r and d_prime")

    found = ld_of_all(one, len(variants))
    signs = np.array([variant.sign for variant in variants], np.float32)
    both = signs[:, None] * signs[None, :]
    return PairLd(found.r * both, found.d_prime * both, found.called, found.state)


def _bits(panel: GenotypeSet, rows: slice | npt.NDArray[np.int64]) -> tuple[Packed, Packed]:
    """Genotypes and haplotypes of rows; no words of haplotypes where a set is not phased."""
    genotypes = panel.genotype_bits(rows)
    return genotypes, panel.haplotype_bits(rows) if panel.phased else genotypes[:, :, :0]


def _measure(
    lead: tuple[Packed, Packed], rows: tuple[Packed, Packed], members: Packed, *, measures: Measures
) -> PairLd:
    if not rows[1].shape[-1]:
        return ld_with_one(lead[0], rows[0], members, measures=measures)
    found = ld_of_haplotypes(lead, rows, members, measures=measures)
    return PairLd(found.r, found.d_prime, found.called // 2, found.state)


def turned(found: PairLd, sign: float) -> PairLd:
    """LD with the effect allele of the one variant turned round where `sign` is −1."""
    if sign > 0:
        return found
    return PairLd(-found.r, -found.d_prime, found.called, found.state)


def rounded(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Values to DECIMALS."""
    return np.round(values.astype(np.float64), DECIMALS).astype(np.float32)


def state_names(state: npt.NDArray[np.uint8]) -> pa.Array:
    """States by name, as an Arrow dictionary."""
    return pa.DictionaryArray.from_arrays(pa.array(state.astype(np.int32)), pa.array(STATES, pa.string()))


def describe_choice(choice: PanelChoice) -> dict[str, Any]:
    """What an answer was computed from, as plain values."""
    panel: GenotypeSet = choice.panel
    return {
        "panel": panel.name,
        "panel_version": panel.version,
        "population": choice.population or "all",
        "population_chosen_by": choice.why,
        "people": choice.people,
        "phased": panel.phased,
        "method": "haplotypes" if panel.phased else "allele counts",
    }


def _of_type(values: Any, kind: pa.DataType) -> pa.Array:
    held = values if isinstance(values, pa.Array) else pa.array(values)
    return held if held.type == kind else held.cast(kind, safe=False)
