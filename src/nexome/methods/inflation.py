"""λGC, the genomic inflation factor: from z, or from counts of |z| made while a study was written.

λGC = median(z²) / median(χ²₁). Devlin & Roeder, Biometrics 55:997–1004 (1999). It rises with sample size
for a polygenic trait, so a value above 1 alone is no proof of confounding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nexome.methods.normal import CHI2_MEDIAN
from nexome.methods.quantiles import Z_STEP, check_counts


def lambda_gc(z: npt.NDArray[Any]) -> float:
    """λGC of z of any shape; NaN is left out, an empty array gives NaN.

    >>> round(lambda_gc(np.array([-0.6744897501960817, 0.0, 3.0])), 6)
    1.0
    """
    known = np.abs(z[~np.isnan(z)].astype(np.float64))
    return float(np.median(known) ** 2 / CHI2_MEDIAN) if known.size else math.nan


def lambda_gc_from_counts(counts: npt.NDArray[Any]) -> float:
    """λGC from |z| counts [Z_BINS] (`quantiles.count_abs_z`), linear within the median's bin.

    Within Z_STEP of the median |z| always; for a smooth null of 10⁵ values or more within 0.001 of
    `lambda_gc`. No counts give NaN.
    """
    held = check_counts(counts)
    total = int(held.sum())
    if total == 0:
        return math.nan
    running = np.cumsum(held)
    k = int(np.searchsorted(running, total / 2.0))
    within = (total / 2.0 - (running[k] - held[k])) / held[k]
    return float(((k + within) * Z_STEP) ** 2 / CHI2_MEDIAN)
