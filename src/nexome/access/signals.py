"""The signal of one trait in one region, made ready to be interpreted: z, variances and Bayes factors.

A Bayes factor needs the variance of an effect and a prior for its size, on one scale. `Basis` says which
were used and where they came from; what was assumed or is doubtful stands in WARNINGS, by code, so that
pages can say it in their language. Rows are those with numbers; nothing is dropped without being counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.methods.finemap import (
    PRIOR_SD_LOG_RATIO,
    PRIOR_SD_QUANTITATIVE,
    log_bayes_factors,
    trait_sd,
    variance_from_frequency,
)
from nexome.model.errors import InputError, NotFoundError, QueryError
from nexome.model.genome import Assembly, Interval
from nexome.model.terms import Study, Trait
from nexome.store.associations import Features, query

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.store.associations import PublishedStudy

Floats = npt.NDArray[np.float64]
VarianceFrom = Literal["standard_error", "frequency"]
SdFrom = Literal["given", "unit", "estimated", "standardised", ""]

SMALL_N: Final = 1_000
FEW_VARIANTS: Final = 50
LEFT_OUT_SHARE: Final = 0.05
_SD_UNITS: Final = frozenset(
    {"sd", "sds", "s.d.", "standard deviation", "standard deviations", "z", "z score"}
)

WARNINGS: Final = {
    "single_signal": "One causal variant in the region is assumed; with several signals the answer misleads.",
    "no_signal": "No variant of the region reaches p < 5e-8: the set describes noise as well as a signal.",
    "few_variants": "Fewer than 50 variants of the region are given: the causal one may not be among them.",
    "left_out": "More than 5 % of the variants lack numbers that the Bayes factors need and are left out.",
    "sd_estimated": "The trait's standard deviation is not known; it was estimated from errors, "
    "frequencies and sample size.",
    "variance_from_frequency": "No standard errors are given: variances come from frequency and sample size.",
    "scale_unknown": "The scale of the effects is not known; the prior of a quantitative trait was used.",
    "small_n": "The sample is small (below 1,000): effects and posteriors are unsteady.",
    "overlap_unknown": "Whether the studies share people is not known; sharing makes them look more alike.",
    "ancestry_differs": "The studies are of different ancestries: LD and frequencies may differ.",
    "ancestry_unknown": "The ancestry of a study is not known: LD and frequencies may differ.",
    "prior_sensitive": "The conclusion changes with the prior p12 between 1e-6 and 1e-4.",
    "lead_missing": "The strongest variant of one study has no numbers in the other.",
    "few_shared": "Few variants are shared by the studies.",
    "z_used": "The effects are on different or unknown scales: z is compared, which grows with sample size.",
    "winners_curse": "Variants chosen for being strong in a study look stronger there than they are.",
    "distance_based": "Loci are told apart by distance (500 kb), not by LD.",
    "frequency_differs": "Some frequencies differ by more than 0.2: other people, or alleles mistaken.",
    "ambiguous_left_out": "Palindromic variants with their alleles the other way around are left out.",
    "no_leads": "Neither study has a locus with p < 1e-5, so there is nothing to compare at leads.",
}


@dataclass(frozen=True, slots=True)
class SignalOptions:
    """What a person may set: prior sd of effects, the trait's sd (NaN: by the scale of the study)."""

    prior_sd: float = math.nan
    trait_sd: float = math.nan

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isnan(value) or 0 < value < math.inf):
                raise QueryError(f"{name} {value:g}", where=name, expected="a number above 0")


@dataclass(frozen=True, slots=True)
class Basis:
    """On what the Bayes factors of a signal stand.

    `variance_from` the standard errors or allele frequency and n; `prior_sd` of effects, in units of
    `trait_sd` where there is one (`sd_from` says how it is known; '' for log ratios, NaN then).
    """

    variance_from: VarianceFrom
    scale: str
    prior_sd: float
    trait_sd: float
    sd_from: SdFrom


@dataclass(frozen=True, slots=True)
class Signal:
    """One trait in one region: V features with a ln Bayes factor each, sorted by key; arrays [V].

    `beta`, `se`, `eaf`, `n` are NaN where the study gives none. `left_out` features had a z but no
    variance.
    """

    study: Study
    trait: Trait
    version: int
    published: str
    assembly: Assembly
    interval: Interval
    features: Features
    z: Floats
    beta: Floats
    se: Floats
    eaf: Floats
    n: Floats
    log_bf: Floats
    basis: Basis
    left_out: int

    def warnings(self) -> list[str]:
        """Codes of WARNINGS that hold for this signal alone."""
        total = len(self.z) + self.left_out
        found = {
            "few_variants": len(self.z) < FEW_VARIANTS,
            "left_out": self.left_out > LEFT_OUT_SHARE * max(1, total),
            "sd_estimated": self.basis.sd_from == "estimated",
            "variance_from_frequency": self.basis.variance_from == "frequency",
            "scale_unknown": self.basis.scale == "unknown",
            "small_n": is_small(self.trait),
        }
        return [code for code, holds in found.items() if holds]


def chosen_trait(published: PublishedStudy, trait: str | None) -> tuple[int, Trait]:
    """Ordinal and record of a trait; the only one where none is named.

    Raises QueryError where a study of several traits is asked without one, NotFoundError for an
    unknown one.
    """
    study = published.study
    if trait is None:
        if len(study.traits) != 1:
            names = ", ".join(t.id for t in study.traits[:5])
            raise QueryError(
                f"study {study.id} has {len(study.traits):,} traits",
                where="trait",
                expected=f"the identifier of one: {names}{' …' if len(study.traits) > 5 else ''}",
                todo="Choose a trait on the page of the study.",
            )
        return 0, study.traits[0]
    for ordinal, known in enumerate(study.traits):
        if known.id == trait:
            return ordinal, known
    raise NotFoundError(f"no trait {trait[:100]!r}", where=f"study {study.id}")


def people(trait: Trait) -> float:
    """Sample size of a trait; of cases and controls together where only they are known; NaN if unknown."""
    if trait.n is not None:
        return float(trait.n)
    if trait.n_cases is not None and trait.n_controls is not None:
        return float(trait.n_cases + trait.n_controls)
    return math.nan


def case_share(trait: Trait) -> float | None:
    """Share of cases; None where the trait has none or they are not known."""
    cases, controls = trait.n_cases, trait.n_controls
    return cases / (cases + controls) if cases and controls else None


def is_small(trait: Trait) -> bool:
    """Whether the effective sample (4 / (1/cases + 1/controls) with cases) is known to be below SMALL_N."""
    if trait.n_cases and trait.n_controls:
        return 4 / (1 / trait.n_cases + 1 / trait.n_controls) < SMALL_N
    return people(trait) < SMALL_N


def ancestry_warnings(first: Study, second: Study) -> list[str]:
    """Codes for what the ancestries of two studies, or not knowing them, may do to a comparison."""
    if not (first.ancestry and second.ancestry):
        return ["ancestry_unknown"]
    same = first.ancestry.casefold() == second.ancestry.casefold()
    return [] if same else ["ancestry_differs"]


def read_signal(
    allowance: Allowance,
    study: str,
    trait: str | None,
    *,
    interval: Interval,
    options: SignalOptions | None = None,
) -> Signal:
    """The signal of a trait in a region.

    Raises as `chosen_trait` and `Allowance.require`; NotFoundError where the trait has no number in
    the region; InputError where the variance of its effects cannot be told.
    """
    published = allowance.require(study, "read_cells")
    _, chosen = chosen_trait(published, trait)
    parts = list(query.study_batches(allowance.snapshot, study, chosen.id, interval=interval))
    if not parts:
        raise NotFoundError(
            f"no number of {chosen.id} between {interval.start:,} and {interval.end:,}",
            where=f"study {study}",
            todo="Choose a region where the study has variants.",
        )
    names = ("z", "beta", "standard_error", "effect_allele_frequency", "n")
    columns = [part.columns(names) for part in parts]
    values = {name: np.concatenate([c[name][:, 0] for c in columns]).astype(np.float64) for name in names}
    variance, basis = _variances(published.study, chosen, values, options=options or SignalOptions())
    prior_sd = basis.prior_sd * (1.0 if math.isnan(basis.trait_sd) else basis.trait_sd)
    log_bf = log_bayes_factors(values["z"], variance, prior_sd=prior_sd)
    kept = np.flatnonzero(~np.isnan(log_bf))
    if not len(kept):
        raise _no_variance(published.study)
    return Signal(
        study=published.study,
        trait=chosen,
        version=published.version,
        published=published.published,
        assembly=allowance.snapshot.assembly,
        interval=interval,
        features=join_features([part.features for part in parts]).take(kept),
        z=values["z"][kept],
        beta=values["beta"][kept],
        se=values["standard_error"][kept],
        eaf=values["effect_allele_frequency"][kept],
        n=values["n"][kept],
        log_bf=log_bf[kept],
        basis=basis,
        left_out=int((~np.isnan(values["z"])).sum()) - len(kept),
    )


def join_features(parts: Iterable[Features]) -> Features:
    """Features of consecutive batches as one."""
    held = list(parts)
    if len(held) == 1:
        return held[0]
    joined = [np.concatenate([getattr(p, name) for p in held]) for name in ("locus", "allele", "rsid")]
    return Features(joined[0], joined[1], joined[2], {k: v for p in held for k, v in p.spelled.items()})


def _variances(
    study: Study, trait: Trait, values: dict[str, Floats], *, options: SignalOptions
) -> tuple[Floats, Basis]:
    """Variance of each effect and what it stands on; from standard errors where most rows have one."""
    scale, ratio = study.effect_scale, study.effect_scale in {"log_odds", "log_hazard"}
    asked = options.prior_sd
    prior = asked if not math.isnan(asked) else PRIOR_SD_LOG_RATIO if ratio else PRIOR_SD_QUANTITATIVE
    given = np.isfinite(values["standard_error"])
    if scale != "z_score" and given.sum() * 2 > len(given):
        variance = values["standard_error"] ** 2
        if ratio:
            return variance, Basis("standard_error", scale, prior, math.nan, "")
        sd, how = _trait_sd(study, variance, values, given_sd=options.trait_sd)
        if not math.isnan(sd):
            return variance, Basis("standard_error", scale, prior, sd, how)
    share = case_share(trait) if ratio else None
    if ratio and share is None:
        raise _no_variance(study)
    variance = variance_from_frequency(values["effect_allele_frequency"], values["n"], case_share=share)
    if np.isnan(variance).all():
        raise _no_variance(study)
    if ratio:
        return variance, Basis("frequency", scale, prior, math.nan, "")
    return variance, Basis("frequency", scale, prior, 1.0, "standardised")


def _trait_sd(
    study: Study, variance: Floats, values: dict[str, Floats], *, given_sd: float
) -> tuple[float, SdFrom]:
    if not math.isnan(given_sd):
        return given_sd, "given"
    if study.effect_unit.strip().casefold() in _SD_UNITS:
        return 1.0, "unit"
    return trait_sd(variance, values["effect_allele_frequency"], values["n"]), "estimated"


def _no_variance(study: Study) -> InputError:
    return InputError(
        "the variance of the effects cannot be told",
        where=f"study {study.id}",
        expected="standard errors and the trait's standard deviation, or allele frequencies and sample size "
        "(for log odds: numbers of cases and controls)",
        todo="Give trait_sd (1 for effects in standard deviations), or import the study with these numbers.",
    )
