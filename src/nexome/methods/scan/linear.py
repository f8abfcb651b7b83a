"""Linear association scan: least squares of every trait on every variant and the covariates.

Traits with the same counted samples form a group. For a group the covariates are made orthonormal once
(QR: Q) and the traits residualised once, so that a block of variants costs one matrix product (Frisch,
Waugh & Lovell). A variant with missing genotypes loses those samples exactly: with m the lost samples,
A = I − Qₘ'Qₘ replaces I in the normal equations, so no design is ever built anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from scipy import special

from nexome.methods.scan.design import (
    COLLINEAR,
    Bools,
    Design,
    Floats,
    ScanResult,
    dosage_blocks,
    empty_result,
    prepare,
)

_BLOCK: Final = 1024  # variants at a time: 24 MB of float64 for 3,000 samples


@dataclass(frozen=True, slots=True)
class _Group:
    """Traits with the same counted samples. Arrays have all S samples, 0 where a sample does not count."""

    traits: npt.NDArray[np.int64]
    mask: Floats  # [S]
    basis: Floats  # Q [S, K]
    residual: Floats  # [S, traits]
    total: Floats  # residual sums of squares [traits]


def scan_linear(
    genotypes: npt.NDArray[Any], phenotypes: npt.NDArray[Any], covariates: npt.NDArray[Any] | None = None
) -> ScanResult:
    """Beta, error, z, n and frequency of V variants for T traits; shapes and missing values as in `design`.

    Exactly ordinary least squares on the samples that have genotype, phenotype and all covariates;
    covariates that repeat one another count once. A variant whose missing genotypes leave a covariate
    constant is not estimated. Raises InputError for shapes that do not fit.
    Checked against plink2 `--glm` in the tests. The p of a linear scan is that of a t statistic with
    `n − rank − 1` degrees of freedom: `neg_log10_p_from_t`.

    >>> g = np.array([[0, 1, 2, 1]]); y = np.array([[0.0], [1.1], [2.1], [1.0]])
    >>> scan_linear(g, y).beta.round(3).tolist()
    [[1.05]]
    """
    design = prepare(genotypes, phenotypes, covariates)
    groups = _groups(design)
    result = empty_result(genotypes.shape[0], phenotypes.shape[1])
    for rows, dosage, known in dosage_blocks(genotypes, _BLOCK):
        gaps = np.flatnonzero(~known.all(axis=1))
        for group in groups:
            _scan_block(group, rows, (dosage, known), gaps, result)
    return result


def neg_log10_p_from_t(t: npt.ArrayLike, degrees: npt.ArrayLike) -> Floats:
    """−log₁₀ of the two-sided p of a t statistic; inf where the p is below 5e-324.

    >>> float(neg_log10_p_from_t(2.0, 60).round(4))
    1.3007
    """
    with np.errstate(divide="ignore"):
        return -np.log10(2.0 * special.stdtr(degrees, -np.abs(np.asarray(t, dtype=np.float64))))


def _groups(design: Design) -> list[_Group]:
    patterns, which = np.unique(design.counted, axis=1, return_inverse=True)
    groups = []
    for number in range(patterns.shape[1]):
        mask = patterns[:, number].astype(np.float64)
        traits = np.flatnonzero(which.ravel() == number)
        basis = orthonormal(design.covariates * mask[:, None])
        values = design.phenotypes[:, traits] * mask[:, None]
        residual = values - basis @ (basis.T @ values)
        groups.append(_Group(traits, mask, basis, residual, np.einsum("st,st->t", residual, residual)))
    return groups


def orthonormal(columns: Floats) -> Floats:
    """Orthonormal basis of the columns' span; columns that add nothing are left out."""
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), np.finfo(float).tiny)
    kept: list[int] = []
    basis = np.empty((columns.shape[0], 0))
    for k in range(columns.shape[1]):  # a few covariates: plain modified Gram–Schmidt keeps their order
        if np.linalg.norm(scaled[:, k] - basis @ (basis.T @ scaled[:, k])) > COLLINEAR:
            kept.append(k)
            basis = np.linalg.qr(scaled[:, kept])[0]
    return basis


def _scan_block(
    group: _Group, rows: slice, block: tuple[Floats, Bools], gaps: npt.NDArray[np.int64], result: ScanResult
) -> None:
    dosage, known = block
    n = (known @ group.mask)[:, None]
    square = (dosage * dosage) @ group.mask
    on_basis = dosage @ group.basis
    left = square - np.einsum("vk,vk->v", on_basis, on_basis)
    product = dosage @ group.residual
    total = np.repeat(group.total[None, :], len(dosage), axis=0)
    rank = np.full(len(dosage), group.basis.shape[1], dtype=np.int64)
    _drop_missing(~known, gaps, (group.mask, group.basis, group.residual), on_basis, (left, product, total))
    frequency = dosage @ group.mask / np.maximum(2.0 * n[:, 0], 1.0)
    usable = ((left > COLLINEAR * square) & (n[:, 0] > rank + 1))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(usable, product / left[:, None], np.nan)
        rest = np.maximum(total - beta * product, 0.0) / (n - rank[:, None] - 1)
        error = np.sqrt(rest / np.where(usable, left[:, None], np.nan))
        error[~(error > 0)] = np.nan
    at = (rows, group.traits)
    result.beta[at] = np.where(np.isnan(error), np.nan, beta)
    result.standard_error[at] = error
    result.z[at] = beta / error
    result.n[at] = n
    result.effect_allele_frequency[at] = np.where(n > 0, frequency[:, None], np.nan)


@numba.njit(cache=True, nogil=True)
def _drop_missing(
    missing: Bools,
    gaps: npt.NDArray[np.int64],
    group: tuple[Floats, Floats, Floats],
    on_basis: Floats,
    sums: tuple[Floats, Floats, Floats],
) -> None:
    """Take the samples without genotype out of the sums of the variants in `gaps`, in place."""
    mask, basis, residual = group
    left, product, total = sums
    k, traits = basis.shape[1], residual.shape[1]
    for v in gaps:
        inner = np.eye(k)
        lost = np.zeros((k, traits))
        for s in range(missing.shape[1]):
            if missing[v, s] and mask[s] > 0:
                for i in range(k):
                    for j in range(k):
                        inner[i, j] -= basis[s, i] * basis[s, j]
                    for t in range(traits):
                        lost[i, t] -= basis[s, i] * residual[s, t]
                for t in range(traits):
                    total[v, t] -= residual[s, t] * residual[s, t]
        if np.linalg.cond(inner) > 1e10:  # without these samples a covariate is constant or repeats another
            left[v] = 0.0
            continue
        solved = np.linalg.solve(inner, on_basis[v])
        left[v] += np.dot(on_basis[v], on_basis[v]) - np.dot(on_basis[v], solved)
        solved_lost = np.linalg.solve(inner, lost)
        for t in range(traits):
            for i in range(k):
                product[v, t] -= solved[i] * lost[i, t]
                total[v, t] -= lost[i, t] * solved_lost[i, t]
