"""Two studies compared: what they share, and how their effects agree at the leads of their loci.

Shared features, |z| counts and signs come from one pass over both studies (`access.pairs`); it is kept for
the newest pairs asked, as it depends on two immutable study versions alone. Effects are compared at leads:
of each study its loci (by LD where a panel is given, else by distance), looked up in the other. `union` is
one lead a locus, the stronger where both studies lead within UNION_BP of each other.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.coloc import refuse_same
from nexome.access.leads import DISTANCE, UNION_BP, LeadKeys, leads_by_distance
from nexome.access.newest import Newest
from nexome.access.pairs import Overlap, match_features, overlap_of
from nexome.access.signals import ancestry_warnings, chosen_trait, is_small
from nexome.access.tables import feature_table, nearest_symbols
from nexome.methods.compare import (
    Concordance,
    Correlation,
    Line,
    effect_line,
    mirror_correlation,
    sign_concordance,
)
from nexome.methods.inflation import lambda_gc_from_counts
from nexome.methods.loci import find_loci
from nexome.methods.normal import neg_log10_p_from_z
from nexome.methods.quantiles import QuantilePoints, quantile_points
from nexome.model.alleles import are_hashed, flip_keys
from nexome.model.errors import NotFoundError
from nexome.model.genome import Assembly
from nexome.model.terms import Study, Trait
from nexome.store.associations import FeatureKey, Features, query

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.store.associations import PublishedStudy
    from nexome.store.genes import Genes

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Scale = Literal["effect", "z"]
Chosen = Literal["a", "b", "union"]

FREQUENCY_GAP: Final = 0.2
FEW_SHARED_SHARE: Final = 0.5
_KEPT_MOST: Final = 32
SIDES: Final = ("a", "b")
LEAD_COLUMNS: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "feature_name",
    "nearest_gene",
    "selected_in",
    "beta_a",
    "standard_error_a",
    "neg_log_10_p_value_a",
    "effect_allele_frequency_a",
    "beta_b",
    "standard_error_b",
    "neg_log_10_p_value_b",
    "effect_allele_frequency_b",
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two studies: its trait, cells, λGC of all its cells, leads found and leads both have."""

    study: Study
    trait: Trait
    version: int
    published: str
    cells: int
    lambda_gc: float
    leads: int
    leads_shared: int


@dataclass(frozen=True, slots=True)
class Leads:
    """L leads that both studies have, in genome order; arrays [L], effects of the row's effect allele.

    `of` [2, L] says whether the study leads a locus there, `union` [L] which rows stand in `union`.
    `beta`, `se`, `z`, `eaf` are [2, L], first study first; `nearest_gene` is null without genes.
    """

    features: Features
    of: npt.NDArray[np.bool_]
    union: npt.NDArray[np.bool_]
    z: Floats
    beta: Floats
    se: Floats
    eaf: Floats
    nearest_gene: pa.Array

    def rows(self, chosen: Chosen) -> Rows:
        """Rows of the first study's leads ('a'), the second's ('b') or one a locus ('union')."""
        return np.flatnonzero(self.union if chosen == "union" else self.of[SIDES.index(chosen)])


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the two agree at one choice of leads: signs, line through the effects, correlation of z."""

    chosen: Chosen
    signs: Concordance
    line: Line
    z: Correlation


@dataclass(frozen=True)
class Comparison:
    """Two studies compared.

    `scale` says what the effects are: 'effect', as both studies give them, or 'z' where their scales or
    units differ. `clumping` is 'distance', or names the LD panel
    (and population); both where the studies' differ. `warnings` are codes of
    `access.signals.WARNINGS`.
    """

    assembly: Assembly
    first: Side
    second: Side
    overlap: Overlap
    leads: Leads
    scale: Scale
    unit: str
    clumping: str
    agreements: tuple[Agreement, ...]
    warnings: tuple[str, ...]

    @cached_property
    def quantiles(self) -> tuple[QuantilePoints, QuantilePoints]:
        """QQ points of each study over the features both have."""
        return quantile_points(self.overlap.counts_first), quantile_points(self.overlap.counts_second)

    @property
    def lambda_shared(self) -> tuple[float, float]:
        """λGC of each study over the features both have."""
        counts = self.overlap.counts_first, self.overlap.counts_second
        return lambda_gc_from_counts(counts[0]), lambda_gc_from_counts(counts[1])

    def effects(self) -> tuple[Floats, Floats]:
        """What is compared at the leads and its standard error, [2, L] each: effects, or z with error 1."""
        leads = self.leads
        if self.scale == "effect":
            return leads.beta, leads.se
        return leads.z, np.ones_like(leads.z)

    def table(self) -> pa.Table:
        """The leads both studies have, in genome order (LEAD_COLUMNS)."""
        leads = self.leads
        names = np.array(["", "a", "b", "both"])[leads.of[0] + 2 * leads.of[1]]
        told: dict[str, Any] = {"selected_in": pa.array(names.tolist(), pa.string()).dictionary_encode()}
        for k, side in enumerate(SIDES):
            told[f"beta_{side}"] = leads.beta[k]
            told[f"standard_error_{side}"] = leads.se[k]
            told[f"neg_log_10_p_value_{side}"] = neg_log10_p_from_z(leads.z[k])
            told[f"effect_allele_frequency_{side}"] = leads.eaf[k]
        told["nearest_gene"] = leads.nearest_gene
        return feature_table(leads.features, told, columns=LEAD_COLUMNS, assembly=self.assembly)


def compare_studies(
    allowance: Allowance,
    first: tuple[str, str | None],
    second: tuple[str, str | None],
    *,
    leads: tuple[LeadKeys, LeadKeys] | None = None,
    genes: Genes | None = None,
) -> Comparison:
    """Compare two traits. `leads` are those of each; None takes the loci of their summaries.

    Raises as `Allowance.require` and `chosen_trait` for each; QueryError for the same trait twice;
    NotFoundError where the two share no feature.
    """
    published = [allowance.require(study, "read_cells") for study, _ in (first, second)]
    chosen = [chosen_trait(p, t) for p, (_, t) in zip(published, (first, second), strict=True)]
    names = [(p.study.id, trait.id) for p, (_, trait) in zip(published, chosen, strict=True)]
    refuse_same(names[0], names[1])
    overlap = _overlap(allowance, published, names)
    if not overlap.shared:
        raise _nothing_shared(published)
    keys = leads or tuple(leads_by_distance(p, o) for p, (o, _) in zip(published, chosen, strict=True))
    found = _read_leads(allowance, names, keys, genes=genes)
    scale, unit = _scale([p.study for p in published])
    sides = [
        Side(
            study=p.study,
            trait=trait,
            version=p.version,
            published=p.published,
            cells=p.summary().trait(ordinal).cells,
            lambda_gc=p.summary().trait(ordinal).lambda_gc,
            leads=len(keys[k].locus),
            leads_shared=int(found.of[k].sum()),
        )
        for k, (p, (ordinal, trait)) in enumerate(zip(published, chosen, strict=True))
    ]
    made = Comparison(
        assembly=allowance.snapshot.assembly,
        first=sides[0],
        second=sides[1],
        overlap=overlap,
        leads=found,
        scale=scale,
        unit=unit,
        clumping=" / ".join(dict.fromkeys(k.found_by for k in keys)),
        agreements=_agreements(found, scale),
        warnings=(),
    )
    return _with_warnings(made)


# ---------------------------------------------------------------- the pass, kept


_KEPT: Final[Newest[Overlap]] = Newest(_KEPT_MOST)
_PASSING: Final = threading.Lock()


def _overlap(allowance: Allowance, published: list[PublishedStudy], names: list[tuple[str, str]]) -> Overlap:
    key = tuple(
        text
        for p, (_, trait) in zip(published, names, strict=True)
        for text in (str(p.path), p.published, trait)
    )
    return _KEPT.get(key, lambda: _one_pass(allowance, names))


def _one_pass(allowance: Allowance, names: list[tuple[str, str]]) -> Overlap:
    """The pass over both studies; one at a time in a process, so that other questions keep a processor."""
    with _PASSING:
        return overlap_of(allowance.snapshot, names[0], names[1])


# ---------------------------------------------------------------- leads


def _read_leads(
    allowance: Allowance, names: list[tuple[str, str]], keys: Any, *, genes: Genes | None
) -> Leads:
    """Leads of either study that both have, with the numbers of both for the first's alleles."""
    both = [_numbers(allowance, name, keys) for name in names]
    (features_a, a), (features_b, b) = both
    match = match_features(features_a.locus, features_a.allele, features_b.locus, features_b.allele)
    turn = np.where(match.turned, -1.0, 1.0)
    values = {name: np.stack([a[name][match.first], b[name][match.second]]) for name in a}
    values["z"][1] *= turn
    values["beta"][1] *= turn
    frequency = values["effect_allele_frequency"][1]
    values["effect_allele_frequency"][1] = np.where(match.turned, 1.0 - frequency, frequency)
    features = features_a.take(match.first)
    of = np.stack([_among(features, k) for k in keys])
    kept = of.any(axis=0)
    held = features.take(np.flatnonzero(kept))
    z = values["z"][:, kept]
    return Leads(
        features=held,
        of=of[:, kept],
        union=_union(held, z),
        z=z,
        beta=values["beta"][:, kept],
        se=values["standard_error"][:, kept],
        eaf=values["effect_allele_frequency"][:, kept],
        nearest_gene=nearest_symbols(held, genes),
    )


def _numbers(allowance: Allowance, name: tuple[str, str], keys: Any) -> tuple[Features, dict[str, Floats]]:
    """One trait at all leads, in either order of their alleles: features with a z, sorted, and columns."""
    study, trait = name
    wanted = {FeatureKey(*key) for k in keys for key in _either_order(k)}
    columns = ("z", "beta", "standard_error", "effect_allele_frequency")
    planes = query.lookup(allowance.snapshot, sorted(wanted), allowance.snapshot.select([study]))
    place = [k for k, ref in enumerate(planes.traits) if ref.trait.id == trait]
    if not wanted or not place:
        return planes.features.take(np.zeros(0, np.int64)), {c: np.zeros(0) for c in columns}
    values = {c: v[:, place[0]].astype(np.float64) for c, v in planes.columns(columns).items()}
    there = np.flatnonzero(~np.isnan(values["z"]))
    return planes.features.take(there), {c: v[there] for c, v in values.items()}


def _either_order(keys: LeadKeys) -> list[tuple[int, int]]:
    flipped = flip_keys(keys.allele)
    locus = keys.locus.tolist()
    return [*zip(locus, keys.allele.tolist(), strict=True), *zip(locus, flipped.tolist(), strict=True)]


def _among(features: Features, keys: LeadKeys) -> npt.NDArray[np.bool_]:
    """Of each feature, whether it is one of the keys, in either order of its alleles."""
    known = set(_either_order(keys))
    rows = zip(features.locus.tolist(), features.allele.tolist(), strict=True)
    return np.array([row in known for row in rows], bool).reshape(len(features))


def _union(features: Features, z: Floats) -> npt.NDArray[np.bool_]:
    """Of each lead, whether it stands for its locus: no stronger one, in either study, within UNION_BP."""
    strength = neg_log10_p_from_z(np.abs(z).max(axis=0)) if z.size else np.zeros(0)
    chosen = np.zeros(len(features), bool)
    placed = ~are_hashed(features.allele) | (features.position > 0)
    lead = find_loci(features.locus, strength, threshold=0.0, distance_bp=UNION_BP).lead
    chosen[lead] = True
    chosen[~placed] = True  # a feature without a place stands for itself
    return chosen


# ---------------------------------------------------------------- what is told of them


def _scale(studies: list[Study]) -> tuple[Scale, str]:
    """Effects where both studies give them on one scale and in one unit; else z."""
    a, b = studies
    units = {s.effect_unit.strip().casefold() for s in studies}
    ratio = a.effect_scale in {"log_odds", "log_hazard"}
    if a.effect_scale == b.effect_scale and (ratio or (a.effect_scale == "linear" and len(units) == 1)):
        return "effect", a.effect_unit
    return "z", ""


def _agreements(leads: Leads, scale: Scale) -> tuple[Agreement, ...]:
    values, errors = (leads.beta, leads.se) if scale == "effect" else (leads.z, np.ones_like(leads.z))
    chosen: tuple[Chosen, ...] = ("union", "a", "b")
    return tuple(
        Agreement(
            chosen=name,
            signs=sign_concordance(leads.z[0, rows], leads.z[1, rows]),
            line=effect_line(
                values[0, rows], values[1, rows], x_error=errors[0, rows], y_error=errors[1, rows]
            ),
            z=mirror_correlation(leads.z[0, rows], leads.z[1, rows]),
        )
        for name in chosen
        for rows in (leads.rows(name),)
    )


def _with_warnings(made: Comparison) -> Comparison:
    a, b, overlap = made.first, made.second, made.overlap
    gap = np.abs(made.leads.eaf[0] - made.leads.eaf[1])
    fewer = min(overlap.only_first, overlap.only_second) + overlap.shared
    holds = {
        "z_used": made.scale == "z",
        "distance_based": len(made.leads.union) > 0 and DISTANCE in made.clumping.split(" / "),
        "winners_curse": len(made.leads.union) > 0,
        "no_leads": len(made.leads.union) == 0,
        "small_n": is_small(a.trait) or is_small(b.trait),
        "few_shared": overlap.shared < FEW_SHARED_SHARE * fewer,
        "frequency_differs": bool((gap > FREQUENCY_GAP).any()),
        "ambiguous_left_out": overlap.ambiguous > 0,
    }
    codes = ["overlap_unknown", *ancestry_warnings(a.study, b.study)]
    codes += [code for code, told in holds.items() if told]
    values = {name: getattr(made, name) for name in made.__dataclass_fields__}
    return Comparison(**(values | {"warnings": tuple(codes)}))


def _nothing_shared(published: list[PublishedStudy]) -> NotFoundError:
    a, b = (p.study for p in published)
    kinds = {a.feature_kind, b.feature_kind}
    todo = "Choose studies of the same kind of feature." if len(kinds) > 1 else "Choose other studies."
    return NotFoundError(
        f"no feature in common ({a.feature_kind} and {b.feature_kind})",
        where=f"studies {a.id} and {b.id}",
        expected="at least one variant, or other feature, that both have",
        todo=todo,
    )
