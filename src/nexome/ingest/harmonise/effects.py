"""z and standard error of each row from whatever its file gives: beta, ratio, z, p, interval.

Two of (beta, standard error, p) decide the third, and files round them, or take p from a test that
is not beta / se. So one of them has the say, by choice (`Authority`):

    estimate   z = beta / se; p follows. The plain case.
    p          z from p and the sign of beta; beta is kept, se becomes |beta / z|. For programs whose p
               is not a Wald p (saddle point, Firth, mixed models): SAIGE, REGENIE, BOLT-LMM.

Whatever is missing falls back to the other one, then to the file's own z. Rows where both can be told
and differ by more than a tenth and 0.1 in z are counted (`P_AND_ESTIMATE_DISAGREE`), never mended.
Ratios become natural logarithms; a 95 % interval gives se = width / (2 · 1.959964) where no standard
error does. p below 1e-308 comes as −log₁₀ p and is kept. All arrays have V rows; NaN is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.methods.normal import z_from_neg_log10_p

Authority = Literal["estimate", "p"]
Column = npt.NDArray[np.float64]
Columns = Mapping[str, Column]

P_IS_AUTHORITY: Final = frozenset({"saige", "regenie", "bolt", "bolt-lmm", "finngen"})
"""Formats whose p comes from a test that is not beta / se (saddle point, Firth, mixed model)."""

_Z95: Final = 1.959963984540054
_RELATIVE_DISAGREEMENT: Final = 0.1  # beta and se with two digits each differ by up to 10 % from p
_ABSOLUTE_DISAGREEMENT: Final = 0.1
_LEAST_Z: Final = 1e-6  # below, effect / z is no standard error any more
_Z_OF_SMALLEST_P: Final = 37.0  # a p written 0 has underflowed beyond this z, or is wrong


@dataclass(frozen=True, slots=True)
class Effects:
    """z and se of V rows (float32, NaN where dropped or unknown)."""

    z: npt.NDArray[np.float32]
    se: npt.NDArray[np.float32]


def harmonise_effects(columns: Columns, verdicts: Verdicts, *, authority: Authority = "estimate") -> Effects:
    """Z and standard error of V rows from the columns a file has, under their GWAS-SSF names.

    Known columns: beta, odds_ratio, hazard_ratio, standard_error, ci_lower, ci_upper, z_score, p_value,
    neg_log_10_p_value, effect_direction (+1, −1). Rows that cannot be used are dropped in `verdicts`
    by name; what was done is marked there.

    >>> verdicts = Verdicts(1)
    >>> harmonise_effects({"beta": np.array([0.2]), "standard_error": np.array([0.1])}, verdicts).z
    array([2.], dtype=float32)
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        effect, ratio = _effect(columns, verdicts)
        error = _standard_error(columns, verdicts, effect=effect, ratio=ratio)
        neg_log_p = _neg_log_p(columns, verdicts)
        given = _of(columns, "z_score", len(verdicts.drop))
        verdicts.reject(np.isinf(given), Drop.EFFECT_NOT_FINITE)
        given = _without_contradiction(given, effect, verdicts)
        sign = _sign(columns, effect, given)
        estimate = None if effect is None or error is None else effect / error
        from_p = None if neg_log_p is None else _signed(z_from_neg_log10_p(neg_log_p), sign)
        _count_disagreement(estimate, from_p, verdicts)
        z = _choose_z(estimate, from_p, given, verdicts, authority=authority)
        _reject_without_z(z, neg_log_p, verdicts)
        se = _fit_error(effect, error, z, verdicts)
    return Effects(z.astype(np.float32), se.astype(np.float32))


def harmonise_frequency(columns: Columns, verdicts: Verdicts) -> Column:
    """Frequency of the effect allele of V rows; outside 0 to 1 is set missing and marked.

    Where only cases and controls have one, it is their mean weighted by `n_cases` and `n_controls`
    (without them, that of the controls). A minor allele frequency is not used: it does not say of
    which allele.
    """
    rows = len(verdicts.drop)
    frequency = _of(columns, "effect_allele_frequency", rows)
    if "eaf_controls" in columns:
        cases, controls = _of(columns, "eaf_cases", rows), columns["eaf_controls"]
        n_cases, n_controls = _of(columns, "n_cases", rows), _of(columns, "n_controls", rows)
        mean = (cases * n_cases + controls * n_controls) / (n_cases + n_controls)
        both = np.where(np.isfinite(mean), mean, controls)
        frequency = np.where(np.isnan(frequency), both, frequency)
    wrong = (frequency < 0) | (frequency > 1)
    verdicts.mark(wrong, Change.FREQUENCY_SET_MISSING)
    return np.where(wrong, np.nan, frequency)


def harmonise_n(columns: Columns, verdicts: Verdicts) -> Column:
    """People behind each of V rows: `n`, else cases + controls; not positive is set missing and marked."""
    rows = len(verdicts.drop)
    n = _of(columns, "n", rows)
    if "n_cases" in columns and "n_controls" in columns:
        n = np.where(np.isnan(n), columns["n_cases"] + columns["n_controls"], n)
    wrong = (n <= 0) | np.isinf(n)
    verdicts.mark(wrong, Change.N_SET_MISSING)
    return np.where(wrong, np.nan, n)


def _of(columns: Columns, name: str, rows: int) -> Column:
    found = columns.get(name)
    return np.full(rows, np.nan) if found is None else found


def _effect(columns: Columns, verdicts: Verdicts) -> tuple[Column | None, npt.NDArray[np.bool_] | None]:
    """The effect on its linear scale, and which rows took it from a ratio."""
    effect, ratio = columns.get("beta"), None
    for name in ("odds_ratio", "hazard_ratio"):
        if (given := columns.get(name)) is None:
            continue
        use = ~np.isnan(given) if effect is None else np.isnan(effect) & ~np.isnan(given)
        verdicts.reject(use & (given <= 0), Drop.RATIO_NOT_POSITIVE)
        effect = np.where(use, np.log(given), np.nan if effect is None else effect)
        ratio = use if ratio is None else ratio | use
        verdicts.mark(use, Change.EFFECT_FROM_RATIO)
    if effect is not None:
        verdicts.reject(np.isinf(effect), Drop.EFFECT_NOT_FINITE)
    return effect, ratio


def _standard_error(
    columns: Columns,
    verdicts: Verdicts,
    *,
    effect: Column | None,
    ratio: npt.NDArray[np.bool_] | None,
) -> Column | None:
    error = columns.get("standard_error")
    if error is not None:
        verdicts.reject((error <= 0) | np.isinf(error), Drop.STANDARD_ERROR_NOT_POSITIVE)
    lower, upper = columns.get("ci_lower"), columns.get("ci_upper")
    if lower is None or upper is None or effect is None:
        return error
    on_ratio = np.zeros(len(lower), bool) if ratio is None else ratio
    width = np.where(on_ratio, np.log(upper) - np.log(lower), upper - lower)
    given = ~(np.isnan(lower) | np.isnan(upper))
    sound = np.isfinite(width) & (width > 0)
    verdicts.mark(given & ~sound, Change.INTERVAL_IGNORED)
    use = sound if error is None else sound & np.isnan(error)
    verdicts.mark(use, Change.STANDARD_ERROR_FROM_INTERVAL)
    return np.where(use, width / (2 * _Z95), np.nan if error is None else error)


def _neg_log_p(columns: Columns, verdicts: Verdicts) -> Column | None:
    """−log₁₀ p; +inf where p is written as 0."""
    p, neg_log_p = columns.get("p_value"), columns.get("neg_log_10_p_value")
    if p is not None:
        verdicts.reject((p < 0) | (p > 1), Drop.P_OUT_OF_RANGE)
    if neg_log_p is not None:
        verdicts.reject(neg_log_p < 0, Drop.P_OUT_OF_RANGE)
    if p is None:
        return neg_log_p
    if neg_log_p is None or np.isnan(neg_log_p).all():
        return -np.log10(p)
    return np.where(np.isnan(neg_log_p), -np.log10(p), neg_log_p)


def _without_contradiction(given: Column, effect: Column | None, verdicts: Verdicts) -> Column:
    """The file's z, missing where its sign is not that of the effect (counted as a disagreement)."""
    if effect is None:
        return given
    against = np.sign(effect) * np.sign(given) < 0
    verdicts.mark(against, Change.P_AND_ESTIMATE_DISAGREE)
    return np.where(against, np.nan, given)


def _sign(columns: Columns, effect: Column | None, given: Column) -> Column:
    sign = np.sign(given if effect is None else effect)
    if effect is not None:
        sign = np.where(np.isnan(sign), np.sign(given), sign)
    direction = columns.get("effect_direction")
    return sign if direction is None else np.where(np.isnan(sign) | (sign == 0), direction, sign)


def _signed(size: Column, sign: Column) -> Column:
    """|z| with its sign; a size of 0 needs none, a larger one without a sign is NaN."""
    return np.where(size == 0, 0.0, np.where(sign == 0, np.nan, sign * size))


def _count_disagreement(estimate: Column | None, from_p: Column | None, verdicts: Verdicts) -> None:
    if estimate is None or from_p is None:
        return
    first, second = (
        np.abs(estimate),
        np.minimum(np.abs(from_p), np.maximum(np.abs(estimate), _Z_OF_SMALLEST_P)),
    )
    allowed = _RELATIVE_DISAGREEMENT * np.maximum(first, second) + _ABSOLUTE_DISAGREEMENT
    verdicts.mark(np.abs(first - second) > allowed, Change.P_AND_ESTIMATE_DISAGREE)


def _choose_z(
    estimate: Column | None, from_p: Column | None, given: Column, verdicts: Verdicts, *, authority: Authority
) -> Column:
    """Z by the order of authority; where p has the say but is 0 or 1, the estimate is asked first."""
    nothing = np.full(len(given), np.nan)
    sizes = {
        "estimate": nothing if estimate is None else np.where(np.isfinite(estimate), estimate, np.nan),
        "p": nothing if from_p is None else np.where(np.isfinite(from_p), from_p, np.nan),
        "column": given,
    }
    order = ("p", "column", "estimate") if authority == "p" else ("estimate", "column", "p")
    z, mark = nothing, {"p": Change.Z_FROM_P, "column": Change.Z_FROM_COLUMN}
    for source in order:
        use = np.isnan(z) & ~np.isnan(sizes[source])
        if source == "p" and authority == "p":
            use &= (sizes["p"] != 0) | np.isnan(sizes["estimate"])
        z = np.where(use, sizes[source], z)
        if source in mark:
            verdicts.mark(use, mark[source])
    return z


def _reject_without_z(z: Column, neg_log_p: Column | None, verdicts: Verdicts) -> None:
    without = np.isnan(z)
    if not without.any():
        return
    if neg_log_p is not None:
        verdicts.reject(without & np.isposinf(neg_log_p), Drop.P_ZERO)
        verdicts.reject(without & np.isfinite(neg_log_p), Drop.NO_DIRECTION)
    verdicts.reject(without, Drop.NO_EFFECT)


def _fit_error(effect: Column | None, error: Column | None, z: Column, verdicts: Verdicts) -> Column:
    """The standard error that goes with z: beta = z · se must give the beta of the file."""
    if effect is None:
        return np.full(len(z), np.nan) if error is None else error
    not_estimate = verdicts.change & np.uint32(Change.Z_FROM_P | Change.Z_FROM_COLUMN) != 0
    fitted = np.where(np.abs(z) >= _LEAST_Z, np.abs(effect / z), np.nan)
    if error is None:
        use = np.isfinite(fitted) & (fitted > 0)
        verdicts.mark(use, Change.STANDARD_ERROR_FROM_P)
        return np.where(use, fitted, np.nan)
    use = (not_estimate | np.isnan(error)) & np.isfinite(fitted) & (fitted > 0)
    verdicts.mark(use, Change.STANDARD_ERROR_FROM_P)
    return np.where(use, fitted, error)
