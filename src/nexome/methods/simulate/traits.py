"""Phenotypes made from genotypes by a stated recipe, with every cause kept.

On the scale of one standard deviation a trait is: its major variants, a polygenic background (spike and
slab: 150 variants of normal effect), a share of other traits' genetic values, sex, age and normal noise.
The genetic shares are scaled to hold exactly in the simulated people. A binary trait is a case where this
liability exceeds the quantile of its prevalence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.simulate.catalogue import TRAITS, TraitDesign
from nexome.methods.simulate.people import Population

_BACKGROUND: Final = 150
_MAJOR_FREQUENCY: Final = 0.08  # least frequency of the rarer allele of a major variant
_CIS_BP: Final = 50_000
_MISSING: Final = {"blood": 0.04, "plasma": 0.10, "": 0.0}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cause:
    """A major causal variant: trait id, index among the population's variants, share of variance, sign."""

    trait: str
    variant: int
    share: float
    sign: int


@dataclass(frozen=True, slots=True)
class Phenotypes:
    """T traits in S people: `values` [S, T], NaN missing, binary as 0 and 1; and the major causes."""

    traits: tuple[TraitDesign, ...]
    values: Floats
    causes: tuple[Cause, ...]

    def column(self, trait: str) -> int:
        """Column of a trait by its id."""
        return [t.id for t in self.traits].index(trait)


def simulate_phenotypes(
    population: Population, seed: int, *, traits: Sequence[TraitDesign] = TRAITS
) -> Phenotypes:
    """Phenotypes of a population; the same population, seed and traits give the same values.

    A trait may share only with traits named before it in `traits`.
    """
    random = np.random.default_rng(np.random.SeedSequence([seed, 2]))
    genetic: dict[str, Floats] = {}
    columns, causes = [], []
    for trait in traits:
        own, found = _genetic_value(random, population, trait)
        causes.extend(found)
        genetic[trait.id] = own
        total = own + sum(np.sqrt(share) * _standard(genetic[other]) for other, share in trait.shared)
        columns.append(_measured(random, population, trait, total))
    values = np.column_stack(columns)
    for sample, share in _MISSING.items():
        absent = random.random(len(values)) < share
        measured = np.array([t.sample == sample for t in traits])
        values[np.ix_(absent, measured)] = np.nan
    return Phenotypes(tuple(traits), values, tuple(causes))


def _genetic_value(
    random: np.random.Generator, population: Population, trait: TraitDesign
) -> tuple[Floats, list[Cause]]:
    """Genetic value [S] of variance `heritability`, and the major causes in it."""
    frequency = _frequency(population.genotypes)
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= _MAJOR_FREQUENCY)
    value, causes = np.zeros(population.sex.size), []
    for number, share in enumerate(trait.major):
        beside = _beside_gene(population, trait.gene, common) if number == 0 else common
        variant, sign = int(random.choice(beside)), int(random.choice([-1, 1]))
        value += sign * np.sqrt(share) * _standard(population.genotypes[variant])
        causes.append(Cause(trait.id, variant, share, sign))
    rest = trait.heritability - sum(trait.major)
    if rest > 0:
        chosen = random.choice(frequency.size, min(_BACKGROUND, frequency.size), replace=False)
        effects = random.normal(size=chosen.size)
        background = effects @ np.stack([_standard(row) for row in population.genotypes[chosen]])
        value += np.sqrt(rest) * _standard(background)
    return value, causes


def _beside_gene(population: Population, gene: int | None, common: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if gene is None:
        return common
    genes = population.genes
    inside = (population.contig[common] == genes.contig[gene]) & (
        np.abs(population.position[common] - (genes.start[gene] + genes.end[gene]) / 2)
        <= (genes.end[gene] - genes.start[gene]) / 2 + _CIS_BP
    )
    return common[inside] if inside.any() else common


def _measured(
    random: np.random.Generator, population: Population, trait: TraitDesign, genetic: Floats
) -> Floats:
    """The trait [S] as measured: in its unit, or 0 and 1."""
    left = max(1.0 - float(np.var(genetic)), 0.05)
    liability = genetic + np.sqrt(left) * random.normal(size=genetic.size)
    liability += trait.sex * (population.sex - 0.5) + trait.age * (population.age - 60.0) / 10.0
    if trait.kind == "binary":
        return (liability > np.quantile(liability, 1.0 - trait.prevalence)).astype(np.float64)
    return trait.mean + trait.sd * liability


def _frequency(genotypes: npt.NDArray[np.int8]) -> Floats:
    return np.asarray(genotypes.sum(axis=1, dtype=np.int64) / (2.0 * genotypes.shape[1]))


def _standard(values: npt.NDArray[Any]) -> Floats:
    """Mean 0 and variance 1; a constant becomes 0."""
    centred = values - values.mean()
    deviation = float(centred.std())
    return np.asarray(centred / deviation if deviation > 0 else centred, dtype=np.float64)
