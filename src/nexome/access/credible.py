"""Credible sets: which variants of a region most probably hold the causal one, and on what that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.signals import Signal, SignalOptions, read_signal
from nexome.access.tables import feature_table
from nexome.methods.finemap import credible_set, posteriors, signal_probability
from nexome.methods.loci import GENOME_WIDE
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.genome import MAX_POSITION, Interval

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.store.associations.summaries import HitRows

FLANK_BP: Final = 500_000
SETS_MAX: Final = 100
CREDIBLE_COLUMNS: Final = (
    "credible_set",
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "feature_name",
    "beta",
    "standard_error",
    "neg_log_10_p_value",
    "effect_allele_frequency",
    "n",
    "log_bayes_factor",
    "posterior_probability",
    "cumulative_probability",
)


@dataclass(frozen=True, slots=True)
class CredibleSet:
    """The smallest set of variants that holds `coverage` of the posterior in a region.

    `signal` are all variants with their numbers, `posterior` [V] beside them; `members` rows of the
    set, most probable first. `signal_probability` is that of any causal variant there (prior 1e-4 a
    variant). `warnings` are codes of `access.signals.WARNINGS`.
    """

    signal: Signal
    coverage: float
    posterior: npt.NDArray[np.float64]
    members: npt.NDArray[np.int64]
    signal_probability: float
    warnings: tuple[str, ...]

    def table(self, *, whole: bool = False, number: int = 1) -> pa.Table:
        """The members, most probable first, or all variants (`whole`), as CREDIBLE_COLUMNS."""
        order = np.argsort(-self.posterior, kind="stable")
        rows = order if whole else self.members
        held = np.cumsum(self.posterior[order])
        cumulative = np.empty(len(order))
        cumulative[order] = np.minimum(held, 1.0)
        signal = self.signal
        numbers: dict[str, npt.NDArray[Any]] = {
            "credible_set": np.full(len(order), number, np.int32),
            "beta": signal.beta,
            "standard_error": signal.se,
            "neg_log_10_p_value": neg_log10_p_from_z(signal.z),
            "effect_allele_frequency": signal.eaf,
            "n": signal.n,
            "log_bayes_factor": signal.log_bf,
            "posterior_probability": self.posterior,
            "cumulative_probability": cumulative,
        }
        told = {name: values[rows] for name, values in numbers.items()}
        features = signal.features.take(rows)
        return feature_table(features, told, columns=CREDIBLE_COLUMNS, assembly=signal.assembly)


def credible_set_of(
    allowance: Allowance,
    study: str,
    trait: str | None,
    *,
    interval: Interval,
    coverage: float = 0.95,
    options: SignalOptions | None = None,
) -> CredibleSet:
    """The credible set of a trait in a region. Raises as `read_signal` and `credible_set`."""
    signal = read_signal(allowance, study, trait, interval=interval, options=options)
    posterior = posteriors(signal.log_bf)
    weak = float(neg_log10_p_from_z(signal.z).max()) < GENOME_WIDE
    warnings = ["single_signal", *(["no_signal"] if weak else []), *signal.warnings()]
    return CredibleSet(
        signal=signal,
        coverage=coverage,
        posterior=posterior,
        members=credible_set(posterior, coverage=coverage),
        signal_probability=signal_probability(signal.log_bf),
        warnings=tuple(warnings),
    )


def locus_intervals(leads: HitRows, *, flank_bp: int = FLANK_BP) -> list[Interval]:
    """The region around each lead of a study's loci: `flank_bp` bases on both sides."""
    features = leads.features
    return [
        around(int(contig), int(position), flank_bp=flank_bp)
        for contig, position in zip(features.contig.tolist(), features.position.tolist(), strict=True)
    ]


def around(contig: int, position: int, *, flank_bp: int = FLANK_BP) -> Interval:
    """The region around a place, kept on its contig's left end."""
    return Interval(contig, max(1, position - flank_bp), min(MAX_POSITION, position + flank_bp))
