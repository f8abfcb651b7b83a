"""Colocalisation of two signals in one region: whether two traits share their causal variant.

Five hypotheses, each trait having at most one causal variant among the V variants both studies have:
H0 neither has one, H1 only the first, H2 only the second, H3 both, two different variants, H4 both,
the same variant. From ln Bayes factors of each variant in each study (`finemap.log_bayes_factors`), all
sums in logarithms. Priors: p1, p2, that a variant is causal for one trait alone, p12, for both.

As coloc.abf of the R package coloc: Giambartolomei et al., PLoS Genet 10:e1004383 (2014); what the priors
mean: Wallace, PLoS Genet 16:e1008720 (2020). Two signals in a region, or LD that differs between the
studies, break the assumptions; nothing here can notice that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.finemap import Floats, log_sum, posteriors
from nexome.model.errors import InputError

HYPOTHESES: Final = ("H0", "H1", "H2", "H3", "H4")


@dataclass(frozen=True, slots=True)
class Priors:
    """Prior probabilities of a variant: causal for the first trait alone, the second alone, both."""

    p1: float = 1e-4
    p2: float = 1e-4
    p12: float = 1e-5

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name):g}", expected="a probability between 0 and 1")


@dataclass(frozen=True, slots=True)
class Coloc:
    """Posteriors of H0…H4 (sum 1), and `shared` [V]: each variant's, were H4 true (NaN: not in both).

    `log_sums` are ln of the sums of Bayes factors of H0…H4 before priors: `at_priors` weighs them anew.
    """

    variants: int
    priors: Priors
    log_sums: Floats
    posterior: Floats
    shared: Floats


def coloc_abf(
    log_bf_a: npt.NDArray[Any], log_bf_b: npt.NDArray[Any], *, priors: Priors | None = None
) -> Coloc:
    """Colocalise two traits from the ln Bayes factors of the same V variants, in the same order.

    A variant with NaN in either is left out. Raises InputError for arrays of different length and where
    no variant has both.
    """
    if log_bf_a.shape != log_bf_b.shape:
        raise InputError(
            f"Bayes factors of {len(log_bf_a)} and {len(log_bf_b)} variants", expected="the same variants"
        )
    both = ~(np.isnan(log_bf_a) | np.isnan(log_bf_b))
    if not both.any():
        raise InputError("no variant with numbers in both studies", expected="at least one")
    first, second = log_bf_a[both].astype(np.float64), log_bf_b[both].astype(np.float64)
    of_a, of_b, of_both = log_sum(first), log_sum(second), log_sum(first + second)
    sums = np.array([0.0, of_a, of_b, _log_difference(of_a + of_b, of_both), of_both])
    shared = np.full(len(both), np.nan)
    shared[both] = posteriors(first + second)
    chosen = priors or Priors()
    return Coloc(int(both.sum()), chosen, sums, at_priors(sums, chosen), shared)


def at_priors(log_sums: npt.NDArray[Any], priors: Priors) -> Floats:
    """Posteriors of H0…H4 [5] from `Coloc.log_sums` under other priors."""
    p1, p2, p12 = math.log(priors.p1), math.log(priors.p2), math.log(priors.p12)
    weighed = np.asarray(log_sums, np.float64) + np.array([0.0, p1, p2, p1 + p2, p12])
    return np.exp(weighed - log_sum(weighed))


def sensitivity(found: Coloc, p12: npt.NDArray[Any]) -> Floats:
    """Posteriors of H0…H4 under each of G values of p12, p1 and p2 as they were: [G, 5]."""
    p1, p2 = found.priors.p1, found.priors.p2
    return np.array([at_priors(found.log_sums, Priors(p1, p2, float(value))) for value in p12])


def _log_difference(larger: float, smaller: float) -> float:
    """Ln(exp(larger) − exp(smaller)); −inf where rounding leaves nothing (a single variant)."""
    gap = smaller - larger
    return larger + math.log(-math.expm1(gap)) if gap < 0 else -math.inf
