"""Fine-mapping of one signal: approximate Bayes factors, posterior probabilities, credible sets.

Wakefield's approximate Bayes factor compares "this variant has an effect" with "none", from z and the
variance of the effect alone:  ln ABF = ½ (ln(1 − r) + r z²),  r = W / (W + V),  where V is the squared
standard error and W the prior variance of the effect. Under exactly one causal variant, which is among
those given, and equal priors, a variant's posterior is its share of the sum of the ABFs.

Everything stays in logarithms: z of 200 is no overflow. No LD is used and none is needed under the
one-variant assumption; where a region holds two signals, the answer is about their mixture and wrong.
Sources: Wakefield, Genet Epidemiol 33:79–86 (2009); Maller et al., Nat Genet 44:1294–1301 (2012);
priors and the estimate of a trait's standard deviation as in Giambartolomei et al., PLoS Genet
10:e1004383 (2014) and the R package coloc.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

PRIOR_SD_QUANTITATIVE: Final = 0.15  # standard deviations of the trait, an allele
PRIOR_SD_LOG_RATIO: Final = 0.2  # log odds ratio (or log hazard ratio), an allele
PRIOR_CAUSAL: Final = 1e-4  # prior probability that a given variant is the causal one
COVERAGES: Final = (0.95, 0.99)


def log_bayes_factors(z: npt.ArrayLike, variance: npt.ArrayLike, *, prior_sd: float) -> Floats:
    """Ln ABF of V variants from z [V] and the variance of their effects [V] (squared standard errors).

    `prior_sd` is the standard deviation of true effects, on the scale of the effects. NaN where z or
    variance is missing or the variance is not above 0. Raises InputError for a `prior_sd` not above 0.

    >>> log_bayes_factors([8.959397], [0.0005456383], prior_sd=0.15).round(4).tolist()
    [37.3135]
    """
    if not prior_sd > 0 or not math.isfinite(prior_sd):
        raise InputError(f"a prior standard deviation of {prior_sd:g}", expected="a number above 0")
    square = np.asarray(z, np.float64) ** 2
    error = np.asarray(variance, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = prior_sd**2 / (prior_sd**2 + np.where(error > 0, error, np.nan))
        # ln(1 − r) as ln(V) − ln(V + W): r may round to 1 where V is tiny
        return 0.5 * (np.log(error) - np.log(error + prior_sd**2) + shrink * square)


def log_sum(values: npt.NDArray[Any]) -> float:
    """Ln of the sum of exp(`values`), NaN left out; −inf for none.

    >>> log_sum(np.array([1000.0, 1000.0, np.nan])) == 1000 + math.log(2)
    True
    """
    known = values[~np.isnan(values)]
    top = float(known.max()) if known.size else -math.inf
    if math.isinf(top):
        return top
    return top + math.log(float(np.exp(known - top).sum()))


def posteriors(log_bf: npt.NDArray[Any]) -> Floats:
    """Posterior of each variant [V] under exactly one causal variant among them; NaN where ln BF is NaN.

    >>> posteriors(np.array([0.0, math.log(3.0), np.nan])).round(12).tolist()
    [0.25, 0.75, nan]
    """
    given = np.asarray(log_bf, np.float64)
    return np.exp(given - log_sum(given)) if given.size else given


def signal_probability(log_bf: npt.NDArray[Any], *, prior: float = PRIOR_CAUSAL) -> float:
    """Probability that the region holds a causal variant at all, `prior` for each variant.

    As coloc's finemap.abf, whose "null" row is one minus this. NaN without variants; raises
    InputError where prior × variants is not between 0 and 1.
    """
    count = int((~np.isnan(log_bf)).sum())
    if count == 0:
        return math.nan
    if not 0 < prior * count < 1:
        raise InputError(
            f"a prior of {prior:g} for each of {count:,} variants",
            expected="prior × variants between 0 and 1",
            todo="Choose a smaller region or a smaller prior.",
        )
    odds = math.log(prior) + log_sum(log_bf) - math.log1p(-prior * count)
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -700 else 0.0


def credible_set(posterior: npt.NDArray[Any], *, coverage: float = 0.95) -> Rows:
    """Rows of the smallest set that holds at least `coverage` of the posterior, most probable first.

    Variants of equal posterior go by row. NaN is never a member; no posterior gives no rows. Raises
    InputError for a coverage outside 0 to 1.

    >>> credible_set(np.array([0.01, 0.9, np.nan, 0.06, 0.03])).tolist()
    [1, 3]
    """
    if not 0 < coverage <= 1:
        raise InputError(f"a coverage of {coverage:g}", expected="above 0 and at most 1, as 0.95")
    order = np.argsort(-np.nan_to_num(posterior, nan=-1.0), kind="stable")
    order = order[~np.isnan(posterior[order])]
    if order.size == 0:
        return order
    held = np.cumsum(posterior[order])
    # Rounding may leave the whole a little below 1: the last row then closes the set.
    size = int(np.searchsorted(held, coverage - 1e-12)) + 1
    return order[: min(size, order.size)]


def trait_sd(variance: npt.NDArray[Any], frequency: npt.NDArray[Any], n: npt.NDArray[Any]) -> float:
    """Standard deviation of a quantitative trait, estimated from V variants; NaN where it cannot be.

    Var(beta) ≈ sd² / (2 n f (1 − f)): the slope through the origin of 2 n f (1 − f) on 1 / variance, as
    coloc estimates sdY. All arrays [V]; rows with a missing or impossible number are left out.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / np.asarray(variance, np.float64)
        information = 2.0 * np.asarray(n, np.float64) * frequency * (1.0 - frequency)
    kept = np.isfinite(inverse) & np.isfinite(information) & (inverse > 0) & (information > 0)
    if not kept.any():
        return math.nan
    x, y = inverse[kept], information[kept].astype(np.float64)
    return math.sqrt(float(x @ y) / float(x @ x))


def variance_from_frequency(
    frequency: npt.ArrayLike, n: npt.ArrayLike, *, case_share: float | None = None
) -> Floats:
    """Variance of an effect nobody reported, from allele frequency [V] and people [V]: 1 / (2 n f (1 − f)).

    On the scale of one standard deviation of the trait; with `case_share`, the share of cases, on the
    log odds scale: 1 / (2 n f (1 − f) s (1 − s)). NaN where it cannot be told. As coloc does for p values.
    """
    f = np.asarray(frequency, np.float64)
    information = 2.0 * np.asarray(n, np.float64) * f * (1.0 - f)
    if case_share is not None:
        information = information * (case_share * (1.0 - case_share))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(information > 0, 1.0 / information, np.nan)
