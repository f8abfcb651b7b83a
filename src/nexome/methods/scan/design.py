"""What both scans share: checked input, which samples count for which trait, and the result.

Genotypes are [V variants, S samples] copies of the effect allele, 0 to 2: integers with −1 (any negative)
missing, or floats with NaN missing. Phenotypes are [S, T], NaN missing; covariates [S, K], a sample with a
missing covariate counts for no trait. An intercept is always added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

COLLINEAR: Final = (
    1e-8  # share of a variant's variance left by the covariates below which it is not estimable
)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Answers of a scan, each [V, T].

    NaN where a variant cannot be estimated: constant, collinear, too few samples, not converged.
    `beta`: change of the trait per copy of the effect allele (log odds when logistic); `standard_error`
    as beta; `z` = beta / standard_error (a t statistic when linear); `n`: samples with genotype, phenotype
    and all covariates; `effect_allele_frequency` among those n.
    """

    beta: Floats
    standard_error: Floats
    z: Floats
    n: npt.NDArray[np.int32]
    effect_allele_frequency: Floats


@dataclass(frozen=True, slots=True)
class Design:
    """Checked input: phenotypes [S, T], covariates with the intercept first [S, K + 1].

    `counted` [S, T] is true where a sample has the phenotype and all covariates; other numbers are 0.
    """

    phenotypes: Floats
    covariates: Floats
    counted: Bools


def prepare(
    genotypes: npt.NDArray[Any], phenotypes: npt.NDArray[Any], covariates: npt.NDArray[Any] | None
) -> Design:
    """Check shapes and fold missing values into `counted`; InputError says which shape does not fit."""
    if genotypes.ndim != 2 or phenotypes.ndim != 2 or genotypes.shape[1] != phenotypes.shape[0]:
        raise InputError(
            f"genotypes {genotypes.shape} and phenotypes {phenotypes.shape}",
            expected="shapes (variants, samples) and (samples, traits)",
        )
    samples = phenotypes.shape[0]
    extra = np.empty((samples, 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    if extra.ndim != 2 or extra.shape[0] != samples:
        raise InputError(f"covariates {extra.shape}", expected=f"shape ({samples}, covariates)")
    complete: Bools = np.asarray(~np.isnan(extra).any(axis=1))
    outcome = phenotypes.astype(np.float64)
    counted = ~np.isnan(outcome) & complete[:, None]
    design = np.column_stack([np.ones(samples), np.where(complete[:, None], extra, 0.0)])
    return Design(np.where(counted, outcome, 0.0), design, counted)


def dosage_blocks(genotypes: npt.NDArray[Any], block: int) -> Iterator[tuple[slice, Floats, Bools]]:
    """Blocks of variants as float64 dosages with missing ones 0, and where they are known [B, S]."""
    for first in range(0, genotypes.shape[0], block):
        rows = slice(first, min(first + block, genotypes.shape[0]))
        part = genotypes[rows]
        known = ~np.isnan(part) if part.dtype.kind == "f" else part >= 0
        yield rows, np.where(known, part, 0).astype(np.float64), known


def empty_result(variants: int, traits: int) -> ScanResult:
    """A result full of NaN (and n = 0) to be filled in."""
    shape = (variants, traits)
    beta, error, z, frequency = (np.full(shape, np.nan) for _ in range(4))
    return ScanResult(beta, error, z, np.zeros(shape, dtype=np.int32), frequency)
