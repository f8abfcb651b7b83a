"""Small random cohorts for scans: genotypes, phenotypes and covariates, all with holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def make_scan_data(
    seed: int,
    *,
    variants: int = 12,
    samples: int = 60,
    traits: int = 3,
    holes: float = 0.1,
    kind: str = "linear",
) -> tuple[Array, Array, Array]:
    """Genotypes [V, S] float32, phenotypes [S, T], covariates [S, 2]; about `holes` of each are NaN.

    `kind` 'linear' gives numbers, 'logistic' 0 and 1 in equal parts. One variant in three has an effect.
    """
    random = np.random.default_rng(seed)
    frequency = random.uniform(0.1, 0.5, (variants, 1))
    genotypes = random.binomial(2, frequency, (variants, samples)).astype(np.float32)
    covariates = np.column_stack([random.integers(0, 2, samples), random.normal(50, 10, samples)])
    effect = random.normal(0, 0.5, (variants, traits)) * (random.random((variants, traits)) < 1 / 3)
    noise = random.normal(size=(samples, traits))
    phenotypes = genotypes.T @ effect + 0.03 * covariates[:, 1:] + noise
    if kind == "logistic":
        phenotypes = (phenotypes > np.median(phenotypes, axis=0)).astype(np.float64)
    genotypes[random.random(genotypes.shape) < holes] = np.nan
    phenotypes[random.random(phenotypes.shape) < holes] = np.nan
    covariates[random.random(covariates.shape) < holes / 4] = np.nan
    return genotypes, phenotypes, covariates
