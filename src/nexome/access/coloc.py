"""Colocalisation of two studies in a region: whether they share the causal variant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.pairs import match_features
from nexome.access.signals import (
    FEW_VARIANTS,
    Signal,
    SignalOptions,
    ancestry_warnings,
    chosen_trait,
    read_signal,
)
from nexome.access.tables import feature_table
from nexome.methods.coloc import Coloc, Priors, coloc_abf, sensitivity
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.errors import NotFoundError, QueryError

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.model.genome import Interval

P12_GRID: Final = np.logspace(-7, -4, 25)
_TRIED: Final = (1e-6, 1e-4)  # p12 between which a conclusion should stand
COLOC_COLUMNS: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "beta_a",
    "standard_error_a",
    "neg_log_10_p_value_a",
    "effect_allele_frequency_a",
    "log_bayes_factor_a",
    "beta_b",
    "standard_error_b",
    "neg_log_10_p_value_b",
    "effect_allele_frequency_b",
    "log_bayes_factor_b",
    "shared_posterior",
)
COLOC_LOCUS_COLUMNS: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "nearest_gene",
    "neg_log_10_p_value",
    "variants",
    *(f"posterior_h{k}" for k in range(5)),
)

Trait = tuple[str, "str | None"]
"""A study and one of its traits; None: its only one."""


@dataclass(frozen=True)
class ColocAnswer:
    """Two traits in one region: posteriors of H0…H4 and the variants they stand on.

    `first`, `second` are the whole signals; rows of `first_rows`, `second_rows` are the same variants,
    `turned` where the second's effect was of the other allele. `p12_grid` and `by_p12` [G, 5] tell how
    the posteriors depend on p12. `warnings` are codes of `access.signals.WARNINGS`.
    """

    first: Signal
    second: Signal
    first_rows: npt.NDArray[np.int64]
    second_rows: npt.NDArray[np.int64]
    turned: npt.NDArray[np.bool_]
    found: Coloc
    warnings: tuple[str, ...]

    @property
    def p12_grid(self) -> npt.NDArray[np.float64]:
        """Values of p12 that `by_p12` is told for."""
        return P12_GRID

    @cached_property
    def by_p12(self) -> npt.NDArray[np.float64]:
        """Posteriors of H0…H4 under each value of `p12_grid`: [G, 5]."""
        return sensitivity(self.found, P12_GRID)

    @property
    def likeliest(self) -> str:
        """'H0' … 'H4', the most probable hypothesis."""
        return f"H{int(np.argmax(self.found.posterior))}"

    def table(self) -> pa.Table:
        """The shared variants, most probable if shared first, with both studies' numbers (COLOC_COLUMNS)."""
        order = np.argsort(-np.nan_to_num(self.found.shared, nan=-1.0), kind="stable")
        told: dict[str, Any] = {"shared_posterior": self.found.shared[order]}
        sides = (("a", self.first, self.first_rows), ("b", self.second, self.second_rows))
        for side, signal, rows in sides:
            at = rows[order]
            told |= {
                f"beta_{side}": signal.beta[at],
                f"standard_error_{side}": signal.se[at],
                f"neg_log_10_p_value_{side}": neg_log10_p_from_z(signal.z[at]),
                f"effect_allele_frequency_{side}": signal.eaf[at],
                f"log_bayes_factor_{side}": signal.log_bf[at],
            }
        turned = self.turned[order]
        told["beta_b"] = np.where(turned, -told["beta_b"], told["beta_b"])
        frequency = told["effect_allele_frequency_b"]
        told["effect_allele_frequency_b"] = np.where(turned, 1 - frequency, frequency)
        features = self.first.features.take(self.first_rows[order])
        return feature_table(features, told, columns=COLOC_COLUMNS, assembly=self.first.assembly)


def coloc_of(
    allowance: Allowance,
    first: Trait,
    second: Trait,
    *,
    interval: Interval,
    priors: Priors | None = None,
    options: tuple[SignalOptions | None, SignalOptions | None] = (None, None),
) -> ColocAnswer:
    """Colocalise two traits in a region.

    Raises as `read_signal` for each, QueryError for the same trait twice, NotFoundError where the
    two have no variant in common there.
    """
    published = [allowance.require(study, "read_cells") for study, _ in (first, second)]
    names = [
        (p.study.id, chosen_trait(p, trait)[1].id)
        for p, (_, trait) in zip(published, (first, second), strict=True)
    ]
    refuse_same(names[0], names[1])
    a, b = (
        read_signal(allowance, study, trait, interval=interval, options=option)
        for (study, trait), option in zip(names, options, strict=True)
    )
    match = match_features(a.features.locus, a.features.allele, b.features.locus, b.features.allele)
    if not len(match.first):
        raise NotFoundError(
            f"no variant in common between {interval.start:,} and {interval.end:,}",
            where=f"studies {a.study.id} and {b.study.id}",
            todo="Choose another region, or studies of the same kind of feature.",
        )
    found = coloc_abf(a.log_bf[match.first], b.log_bf[match.second], priors=priors)
    warnings = _warnings(a, b, found, rows=(match.first, match.second))
    return ColocAnswer(a, b, match.first, match.second, match.turned, found, tuple(warnings))


def refuse_same(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Raise QueryError where two traits are one and the same."""
    if first == second:
        raise QueryError(
            "the same trait of the same study twice",
            where=f"study {first[0]}",
            expected="two different ones",
            todo="Choose another study, or another trait.",
        )


def _warnings(
    a: Signal, b: Signal, found: Coloc, *, rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
) -> list[str]:
    warnings = ["single_signal", "overlap_unknown", *ancestry_warnings(a.study, b.study)]
    warnings += [code for code in (*a.warnings(), *b.warnings()) if code not in warnings]
    missing = [int(np.argmax(s.log_bf)) not in r for s, r in zip((a, b), rows, strict=True)]
    tried = sensitivity(found, np.array(_TRIED))
    if (tried.argmax(axis=1) != int(np.argmax(found.posterior))).any():
        warnings.append("prior_sensitive")
    if any(missing):
        warnings.append("lead_missing")
    if found.variants < FEW_VARIANTS:
        warnings.append("few_shared")
    return list(dict.fromkeys(warnings))
