"""What a reader should know of a study before trusting its numbers: a few rules, each with its reason.

The rules look at numbers made at publication (people, λGC, cells given and missing, the strongest
associations), so that they cost nothing. A rule that cannot be judged for lack of a number says nothing.
The texts people read are in web/locale: `quality.<rule>` says what, `quality.why.<rule>` why.

    few_people      effective sample size below FEW_PEOPLE; 4/(1/cases + 1/controls) for two groups
    inflated        λ scaled to 1,000 cases and 1,000 controls above INFLATED: confounding, or related people
    deflated        λGC below DEFLATED: corrected twice, or too conservative a test
    many_missing    more than MANY_MISSING of the cells given are missing
    few_variants    fewer than FEW_CELLS cells: perhaps chosen ones, so λGC and loci are not of a genome
    no_frequency    none of the strongest associations has an allele frequency
    no_size         the number of people is not known

and of one variant across traits (`judge_variant`):

    some_few_people     some of its associations come from fewer than FEW_PEOPLE people
    few_carriers        fewer than FEW_COPIES copies of the rarer allele are expected among the people
    frequencies_differ  studies of one ancestry differ by more than FREQUENCY_SPREAD: another allele, or build
    frequency_unknown   no study gives its frequency

Sources: Devlin & Roeder 1999 (λGC); de Bakker et al. 2008 (λ1000); Willer et al. 2010 (effective size).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from nexome.model.terms import Trait

if TYPE_CHECKING:
    from nexome.store.associations.summaries import TraitSummary

FEW_PEOPLE: Final = 1_000  # below, an effect that reaches significance is likely several times too large
INFLATED: Final = 1.1  # of λ1000: polygenic traits of 10⁵ people stay below, stratified ones do not
DEFLATED: Final = 0.95
MANY_MISSING: Final = 0.05
FEW_CELLS: Final = 20_000  # below, λGC of independent variants is itself uncertain by more than 0.02
FEW_COPIES: Final = 20  # of the rarer allele; below, the normal approximation of the estimate fails
FREQUENCY_SPREAD: Final = 0.15
_SCALE: Final = 2_000.0  # effective people of 1,000 cases and 1,000 controls
_LOOKED_AT: Final = 100  # strongest associations looked at for frequencies

RULES: Final = (
    "few_people",
    "inflated",
    "deflated",
    "many_missing",
    "few_variants",
    "no_frequency",
    "no_size",
)
VARIANT_RULES: Final = ("frequencies_differ", "few_carriers", "some_few_people", "frequency_unknown")


@dataclass(frozen=True, slots=True)
class Doubt:
    """One rule that fired: its name, the number that made it fire, the limit (NaN: none).

    For rules that count, `value` of `total` have it.
    """

    rule: str
    value: float = math.nan
    limit: float = math.nan
    total: int = 0


def effective_size(n: float | None, n_cases: float | None, n_controls: float | None) -> float:
    """People a study counts as; NaN where unknown.

    >>> effective_size(None, 500, 500), effective_size(3000, None, None)
    (1000.0, 3000.0)
    """
    if n_cases and n_controls:
        return 4 / (1 / n_cases + 1 / n_controls)
    return math.nan if n is None else float(n)


def lambda_1000(lambda_gc: float, people: float) -> float:
    """λGC as it would be with 1,000 cases and 1,000 controls; λGC itself where the size is unknown.

    >>> round(lambda_1000(1.2, 20_000), 3)
    1.02
    """
    return lambda_gc if math.isnan(people) or people <= 0 else 1 + (lambda_gc - 1) * _SCALE / people


def judge_trait(trait: Trait, summary: TraitSummary) -> tuple[Doubt, ...]:
    """The rules that fire for one trait of a study, the gravest first."""
    people = effective_size(trait.n, trait.n_cases, trait.n_controls)
    found = [Doubt("no_size")] if math.isnan(people) else []
    if people < FEW_PEOPLE:
        found.append(Doubt("few_people", people, FEW_PEOPLE))
    if summary.cells < FEW_CELLS:
        found.append(Doubt("few_variants", summary.cells, FEW_CELLS))
    else:
        found += _judge_inflation(summary.lambda_gc, people)
    given = summary.cells + summary.missing
    if given and summary.missing / given > MANY_MISSING:
        found.append(Doubt("many_missing", summary.missing / given, MANY_MISSING))
    frequencies = summary.hits(order="p", limit=_LOOKED_AT).eaf
    if len(frequencies) and np.isnan(frequencies).all():
        found.append(Doubt("no_frequency"))
    return tuple(sorted(found, key=lambda w: RULES.index(w.rule)))


def judge_variant(
    n: npt.NDArray[np.float64], frequency: npt.NDArray[np.float64], *, ancestry: Sequence[str]
) -> tuple[Doubt, ...]:
    """The rules that fire for one variant's T associations: people, frequency of the effect allele, ancestry.

    `n`, `frequency`: float64 [T], NaN unknown; `ancestry`: T texts, '' unknown.
    """
    total, found = len(n), []
    if total and np.isnan(frequency).all():
        found.append(Doubt("frequency_unknown"))
    spread = max((_spread(frequency, ancestry, which) for which in set(ancestry) - {""}), default=0.0)
    if spread > FREQUENCY_SPREAD:
        found.append(Doubt("frequencies_differ", spread, FREQUENCY_SPREAD))
    copies = 2 * n * np.minimum(frequency, 1 - frequency)
    for rule, below, limit in (
        ("few_carriers", copies < FEW_COPIES, FEW_COPIES),
        ("some_few_people", n < FEW_PEOPLE, FEW_PEOPLE),
    ):
        if below.any():
            found.append(Doubt(rule, int(below.sum()), limit, total))
    return tuple(sorted(found, key=lambda d: VARIANT_RULES.index(d.rule)))


def _spread(frequency: npt.NDArray[np.float64], ancestry: Sequence[str], which: str) -> float:
    of = frequency[[a == which for a in ancestry]]
    of = of[~np.isnan(of)]
    return float(of.max() - of.min()) if len(of) else 0.0


def _judge_inflation(lambda_gc: float, people: float) -> list[Doubt]:
    if lambda_gc < DEFLATED:
        return [Doubt("deflated", lambda_gc, DEFLATED)]
    scaled = lambda_1000(lambda_gc, people)
    return [Doubt("inflated", scaled, INFLATED)] if scaled > INFLATED else []
