"""Logistic association scan: maximum likelihood of a 0/1 trait on each variant and the covariates.

Newton's method (iteratively reweighted least squares) from the fit of the covariates alone, one variant and
trait at a time in compiled code, chunks of variants in threads. There is no Firth fallback: where the data
are separated (a rare variant seen in cases only) the answer is NaN, not a large number.
Source: McCullagh & Nelder, Generalized Linear Models, 2nd ed., 4.4.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.methods.scan.design import Floats, ScanResult, dosage_blocks, empty_result, prepare
from nexome.methods.scan.linear import orthonormal
from nexome.model.errors import InputError

_BLOCK: Final = 512
_STEPS_MAX: Final = 25
_DECREMENT: Final = 1e-7  # U'H⁻¹U, in squared standard errors, before the last step; it squares once more
_ERROR_GROWTH: Final = 100.0  # an error this many times that at the null is separation, not an estimate


def scan_logistic(
    genotypes: npt.NDArray[Any],
    phenotypes: npt.NDArray[Any],
    covariates: npt.NDArray[Any] | None = None,
    *,
    threads: int = 0,
) -> ScanResult:
    """Log odds ratios of V variants for T traits coded 0 and 1; shapes and missing values as in `design`.

    The answers are those of a full logistic regression on the samples that have genotype, phenotype and
    all covariates (plink2 `--glm no-firth` in the tests). NaN where the maximum does not exist or is not
    reached in 25 steps. Wald z is too small for very strong effects and wrong for counts of a few
    carriers. `threads` 0 takes all processors. Raises InputError for shapes that do not fit and for
    phenotypes that are neither 0, 1 nor missing.
    """
    design = prepare(genotypes, phenotypes, covariates)
    if not np.isin(design.phenotypes, (0.0, 1.0)).all():
        raise InputError("a logistic trait with values besides 0 and 1", expected="0, 1 or missing")
    result = empty_result(genotypes.shape[0], phenotypes.shape[1])
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for trait in range(phenotypes.shape[1]):
            kept = np.flatnonzero(design.counted[:, trait])
            basis = np.ascontiguousarray(orthonormal(design.covariates[kept]).T)
            outcome = design.phenotypes[kept, trait]
            start = _fit_covariates(basis, outcome)
            part = genotypes if kept.size == genotypes.shape[1] else genotypes[:, kept]
            list(
                pool.map(
                    lambda block, given=(basis, outcome, start), t=trait: _scan_block(
                        block, given, t, result
                    ),
                    dosage_blocks(part, _BLOCK),
                )
            )
    return result


def _fit_covariates(basis: Floats, outcome: Floats) -> Floats:
    """Coefficients [K] of the covariates alone; zeros when they have no maximum (no cases, no controls)."""
    coefficient = np.zeros(basis.shape[0])
    for _ in range(_STEPS_MAX):
        mean = 1.0 / (1.0 + np.exp(-(coefficient @ basis)))
        hessian = (basis * (mean * (1.0 - mean))) @ basis.T
        try:
            step = np.linalg.solve(hessian, basis @ (outcome - mean))
        except np.linalg.LinAlgError:
            return np.zeros(basis.shape[0])
        coefficient = coefficient + step
        if float(np.abs(step).max()) < 1e-10 * (1.0 + float(np.abs(coefficient).max())):
            return coefficient
    return np.zeros(basis.shape[0])


def _scan_block(
    block: tuple[slice, Floats, npt.NDArray[np.bool_]],
    given: tuple[Floats, Floats, Floats],
    trait: int,
    result: ScanResult,
) -> None:
    rows, dosage, known = block
    n = known.sum(axis=1)
    beta, error = np.empty(len(dosage)), np.empty(len(dosage))
    _fit_block(dosage, known, given, beta, error)
    result.beta[rows, trait] = beta
    result.standard_error[rows, trait] = error
    result.z[rows, trait] = beta / error
    result.n[rows, trait] = n
    with np.errstate(invalid="ignore"):
        result.effect_allele_frequency[rows, trait] = np.where(n > 0, dosage.sum(axis=1) / (2.0 * n), np.nan)


@numba.njit(cache=True, nogil=True)
def _fit_block(
    dosage: Floats,
    known: npt.NDArray[np.bool_],
    given: tuple[Floats, Floats, Floats],
    beta: Floats,
    error: Floats,
) -> None:
    basis, outcome, start = given
    k, samples = basis.shape
    columns = np.empty((k + 1, samples))
    columns[:k] = basis
    first = _residuals(basis, outcome, start)
    for v in range(dosage.shape[0]):
        columns[k] = dosage[v]
        beta[v], error[v] = _fit_variant(columns, outcome, known[v], start, first)


@numba.njit(cache=True, nogil=True)
def _fit_variant(
    columns: Floats,
    outcome: Floats,
    known: npt.NDArray[np.bool_],
    start: Floats,
    first: tuple[Floats, Floats],
) -> tuple[float, float]:
    """(beta, standard error) of the last column, or NaN twice.

    `first` is `_residuals` at `start` with the last column's coefficient 0: the same for all variants.
    """
    size = columns.shape[0]
    coefficient = np.zeros(size)
    coefficient[: size - 1] = start
    first_error = 0.0
    for number in range(_STEPS_MAX):
        if number == 0:
            score, hessian = _sums(columns, known, first[0], first[1])
        else:
            rest, weight = _residuals(columns, outcome, coefficient)
            score, hessian = _sums(columns, known, rest, weight)
        if not _factorise(hessian):
            break
        step = _solve(hessian, score)
        decrement = 0.0
        for i in range(size):
            coefficient[i] += step[i]
            decrement += step[i] * score[i]
        error = 1.0 / hessian[size - 1, size - 1]  # last diagonal of the factor: Schur complement's root
        first_error = error if number == 0 else first_error
        if not np.isfinite(decrement) or error > _ERROR_GROWTH * first_error:
            break
        if decrement < _DECREMENT:
            return coefficient[size - 1], error
    return np.nan, np.nan


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _residuals(columns: Floats, outcome: Floats, coefficient: Floats) -> tuple[Floats, Floats]:
    """Outcome less its mean [S], and the variance of the outcome [S], at `coefficient`."""
    samples = columns.shape[1]
    linear = np.zeros(samples)
    for i in range(coefficient.size):
        for s in range(samples):
            linear[s] += coefficient[i] * columns[i, s]
    rest, weight = np.empty(samples), np.empty(samples)
    for s in range(samples):
        mean = 1.0 / (1.0 + np.exp(-linear[s]))
        rest[s] = outcome[s] - mean
        weight[s] = mean * (1.0 - mean)
    return rest, weight


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _sums(
    columns: Floats, known: npt.NDArray[np.bool_], rest: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Score [K] and information [K, K] (lower half) of the log likelihood over the samples known."""
    size, samples = columns.shape
    score, hessian, scaled = np.empty(size), np.empty((size, size)), np.empty(samples)
    for i in range(size):
        total = 0.0
        for s in range(samples):
            total += columns[i, s] * rest[s] * known[s]
            scaled[s] = columns[i, s] * weight[s] * known[s]
        score[i] = total
        for j in range(i + 1):
            total = 0.0
            for s in range(samples):
                total += scaled[s] * columns[j, s]
            hessian[i, j] = total
    return score, hessian


@numba.njit(cache=True, nogil=True)
def _factorise(matrix: Floats) -> bool:
    """Cholesky factor in place of the lower half; false when the matrix is not safely positive definite."""
    for i in range(matrix.shape[0]):
        own = matrix[i, i]
        for j in range(i):
            total = matrix[i, j]
            for m in range(j):
                total -= matrix[i, m] * matrix[j, m]
            matrix[i, j] = total / matrix[j, j]
        left = own
        for m in range(i):
            left -= matrix[i, m] * matrix[i, m]
        if not left > 1e-8 * own or not left > 1e-300:
            return False
        matrix[i, i] = np.sqrt(left)
    return True


@numba.njit(cache=True, nogil=True)
def _solve(factor: Floats, right: Floats) -> Floats:
    size = right.size
    answer = right.copy()
    for i in range(size):
        for m in range(i):
            answer[i] -= factor[i, m] * answer[m]
        answer[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for m in range(i + 1, size):
            answer[i] -= factor[m, i] * answer[m]
        answer[i] /= factor[i, i]
    return answer
