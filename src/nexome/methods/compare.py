"""Two studies at the same variants: signs, a line through effects with errors in both, correlation.

All arrays hold N points that should be independent (leads of loci); effects are of one allele. Turning the
allele of any point around (both signs) changes nothing here: the line goes through the origin.
Points chosen for being strong in one study are too far out in it (winner's curse), which tilts the line
towards the other axis. No input or output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

Floats = npt.NDArray[np.float64]

LEVEL: Final = 0.95
_ANGLES: Final = 721  # grid of slopes tried before the best is refined: a quarter of a degree


@dataclass(frozen=True, slots=True)
class Concordance:
    """Of `tested` points `same` have effects of one sign in both; exact interval of the share, two-sided p.

    `share`, `low`, `high` and `p` are NaN without a point.
    """

    tested: int
    same: int
    share: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Line:
    """y = slope · x through the origin: standard error, interval, and how badly points scatter around it.

    `q` is the sum of squared standardised distances (N − 1 degrees of freedom), `p_heterogeneity` its χ²
    p. The interval is widened by √(q / (N − 1)) where that is above 1. NaN with fewer than 3 points.
    """

    points: int
    slope: float
    standard_error: float
    low: float
    high: float
    q: float
    p_heterogeneity: float


@dataclass(frozen=True, slots=True)
class Correlation:
    """Correlation of N points with its Fisher interval; NaN with fewer than 3 points."""

    points: int
    r: float
    low: float
    high: float


def sign_concordance(a: npt.NDArray[Any], b: npt.NDArray[Any], *, level: float = LEVEL) -> Concordance:
    """How often two effects [N] have the same sign; points with a missing or zero effect are left out.

    The interval is Clopper and Pearson's, Biometrika 26:404–413 (1934); p is that of a fair coin.

    >>> found = sign_concordance(np.array([1.0, -1.0, 2.0]), np.array([0.5, -2.0, -1.0]))
    >>> found.same, found.tested, round(found.low, 4), round(found.high, 4)
    (2, 3, 0.0943, 0.9916)
    """
    product = np.sign(np.asarray(a, np.float64)) * np.sign(np.asarray(b, np.float64))
    told = product[~np.isnan(product) & (product != 0)]
    tested, same = int(told.size), int((told > 0).sum())
    if tested == 0:
        return Concordance(0, 0, math.nan, math.nan, math.nan, math.nan)
    tail = (1.0 - level) / 2.0
    low = float(special.betaincinv(same, tested - same + 1, tail)) if same else 0.0
    high = float(special.betaincinv(same + 1, tested - same, 1.0 - tail)) if same < tested else 1.0
    p = float(stats.binomtest(same, tested).pvalue)
    return Concordance(tested, same, same / tested, low, high, p)


def effect_line(
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    *,
    x_error: npt.NDArray[Any],
    y_error: npt.NDArray[Any],
    level: float = LEVEL,
) -> Line:
    """The line through the origin that fits N effects best where both axes have known standard errors.

    Minimises Σ (y − b x)² / (σ_y² + b² σ_x²) over b: maximum likelihood for normal, independent errors
    (York et al., Am J Phys 72:367–375 (2004), with the intercept fixed at 0). The standard error comes
    from the curvature at the minimum. Points with a missing number or error are left out.
    """
    parts = [np.asarray(values, np.float64) for values in (x, y, x_error, y_error)]
    kept = np.logical_and.reduce([np.isfinite(values) for values in parts])
    kept &= (parts[2] > 0) & (parts[3] > 0)
    x_, y_, sx, sy = (values[kept] for values in parts)
    if x_.size < 3:
        return Line(int(x_.size), *(math.nan,) * 6)
    # Axes are scaled to points of about one, so that an angle means the same at any unit.
    unit_x, unit_y = (float(np.sqrt(np.mean(v**2 + s**2))) for v, s in ((x_, sx), (y_, sy)))
    fit = _best_angle(x_ / unit_x, y_ / unit_y, sx / unit_x, sy / unit_y)
    slope, error, q = fit[0] * unit_y / unit_x, fit[1] * unit_y / unit_x, fit[2]
    degrees = x_.size - 1
    reach = float(special.ndtri((1.0 + level) / 2.0)) * error * math.sqrt(max(1.0, q / degrees))
    p = float(special.chdtrc(degrees, q))
    return Line(int(x_.size), slope, error, slope - reach, slope + reach, q, p)


def mirror_correlation(a: npt.NDArray[Any], b: npt.NDArray[Any], *, level: float = LEVEL) -> Correlation:
    """Correlation of two z [N] through the origin, missing points left out; Fisher's interval.

    Σab / √(Σa² Σb²): Pearson's r of the points together with their mirror images, so that it does not
    hang on which allele is called the effect allele.

    >>> round(mirror_correlation(np.array([1.0, 2.0, -3.0]), np.array([2.0, 4.0, -6.0])).r, 12)
    1.0
    """
    kept = np.isfinite(a) & np.isfinite(b)
    x, y = np.asarray(a, np.float64)[kept], np.asarray(b, np.float64)[kept]
    spread = math.sqrt(float(x @ x) * float(y @ y))
    if x.size < 3 or spread == 0.0:
        return Correlation(int(x.size), math.nan, math.nan, math.nan)
    r = min(1.0, max(-1.0, float(x @ y) / spread))
    if abs(r) > 1.0 - 1e-12:
        return Correlation(int(x.size), r, r, r)
    reach = float(special.ndtri((1.0 + level) / 2.0)) / math.sqrt(x.size - 2)  # no mean is estimated
    return Correlation(int(x.size), r, math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach))


def _best_angle(x: Floats, y: Floats, sx: Floats, sy: Floats) -> tuple[float, float, float]:
    """Slope, its standard error and the sum of squares at the best angle of the line."""

    def squares(angle: float) -> float:
        c, s = math.cos(angle), math.sin(angle)
        return float(np.sum((y * c - x * s) ** 2 / (sy**2 * c * c + sx**2 * s * s)))

    # The sum may have several minima: a grid finds the right one, and it is refined between neighbours.
    grid = np.linspace(-math.pi / 2, math.pi / 2, _ANGLES)
    best = float(grid[int(np.argmin([squares(angle) for angle in grid.tolist()]))])
    step = float(grid[1] - grid[0])
    found = optimize.minimize_scalar(
        squares, bounds=(best - step, best + step), method="bounded", options={"xatol": 1e-10}
    )
    angle, q = float(found.x), float(found.fun)
    # q rises by 1 at one standard error: half the second derivative is 1 / variance (of the angle).
    h = 1e-4
    curvature = (squares(angle + h) - 2 * q + squares(angle - h)) / (2 * h * h)
    cos = math.cos(angle)
    error = math.inf if curvature <= 0 else 1.0 / (math.sqrt(curvature) * cos * cos)
    return math.tan(angle), error, q
