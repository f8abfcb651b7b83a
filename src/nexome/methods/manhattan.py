"""The Manhattan plot without its millions of points: bins of position, bit sets of strength, thinned points.

A `PositionBins` lays an assembly's contigs end to end in about 2,000 bins. For each bin one uint64 says which
of 64 levels of −log₁₀ p (each `LEVEL` wide, 0 to `HIT`) hold a feature; features above `HIT` are kept one by
one by the store and thinned here for drawing. Bit sets of parts are joined with `|`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.genome import Assembly

LEVELS: Final = 64
HIT: Final = 4.0  # −log₁₀ p from which features are kept one by one (p < 1e-4)
LEVEL: Final = HIT / LEVELS
BINS: Final = 2_000
POINTS_MAX: Final = 20_000
ROWS: Final = 400  # heights of a plot that an eye tells apart

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PositionBins:
    """Bins over the C contigs of an assembly.

    A contig longer than a bin begins a bin of its own; shorter ones (scaffolds, MT, contigs of unknown
    length) share the bins at the end. `offset_bp` [C] is where each contig begins on the drawn genome, a
    multiple of `width_bp` for the long ones; `size` is the number of bins.
    """

    width_bp: int
    offset_bp: Ints
    size: int

    def genome_position(self, locus: npt.NDArray[Any]) -> Ints:
        """Place [V] on the drawn genome, in bases from its left end; −1 for features without a position."""
        contig = (locus >> np.uint64(32)).astype(np.int64)
        known = contig < self.offset_bp.size
        base = (locus & np.uint64(0xFFFFFFFF)).astype(np.int64)
        shift = self.offset_bp[np.where(known, contig, 0)]
        return np.where(known, shift + np.maximum(base - 1, 0), -1)

    def bin_of(self, locus: npt.NDArray[Any]) -> Ints:
        """Bin [V] of each locus; −1 for features without a position."""
        place = self.genome_position(locus)
        return np.where(place < 0, -1, np.minimum(place // self.width_bp, self.size - 1))


def position_bins(assembly: Assembly, *, bins: int = BINS) -> PositionBins:
    """About `bins` bins of equal width over an assembly; the same assembly always gives the same bins."""
    length = np.array([c.length_bp for c in assembly.contigs], dtype=np.int64)
    width = max(1, -(-int(length.sum()) // bins))
    long = length > width
    own = np.where(long, -(-length // width) * width, 0)
    offset = np.cumsum(own) - own
    shared = np.where(long, 0, np.maximum(length, 1))
    offset[~long] = (own.sum() + np.cumsum(shared) - shared)[~long]
    return PositionBins(width, offset, max(1, -(-int(own.sum() + shared.sum()) // width)))


def level_sets(
    bins: PositionBins, locus: npt.NDArray[Any], neg_log10_p: npt.NDArray[Any]
) -> npt.NDArray[np.uint64]:
    """Bit sets [bins.size]: bit k of a bin is set when a feature has k·LEVEL ≤ −log₁₀ p < (k+1)·LEVEL.

    Features at or above `HIT` and NaN set nothing: they are drawn one by one, or not at all.
    """
    sets = np.zeros(bins.size, dtype=np.uint64)
    place = bins.bin_of(locus)
    drawn = (place >= 0) & (neg_log10_p >= 0) & (neg_log10_p < HIT)
    bit = (neg_log10_p[drawn] / LEVEL).astype(np.uint64)
    cells = np.unique(place[drawn].astype(np.uint64) << np.uint64(6) | bit)
    at = (cells >> np.uint64(6)).astype(np.int64)
    np.bitwise_or.at(sets, at, np.uint64(1) << (cells & np.uint64(LEVELS - 1)))
    return sets


def level_runs(sets: npt.NDArray[np.uint64]) -> tuple[Ints, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Runs of filled levels, to be drawn as short vertical lines: bin [R], lower and upper −log₁₀ p [R].

    >>> [part.tolist() for part in level_runs(np.array([0b1011], np.uint64))]
    [[0, 0], [0.0, 0.1875], [0.125, 0.25]]
    """
    shift = np.arange(LEVELS, dtype=np.uint64)
    filled = (sets[:, None] >> shift & np.uint64(1)).astype(np.int8)
    edges = np.diff(np.pad(filled, ((0, 0), (1, 1))), axis=1)
    bin_, low = np.nonzero(edges == 1)
    _, high = np.nonzero(edges == -1)
    return bin_.astype(np.int64), np.float64(LEVEL) * low, np.float64(LEVEL) * high


def thin_points(
    place: npt.NDArray[Any], neg_log10_p: npt.NDArray[Any], *, most: int = POINTS_MAX, columns: int = BINS
) -> Ints:
    """Indices, increasing, of at most `most` of V points that look the same as all of them when drawn.

    The plot is cut into `columns` × rows and the strongest point of each cell is kept; rows, then columns,
    are halved until few enough remain. The strongest point of all always stays. `place` is any x of the
    plot (for example `PositionBins.genome_position`); NaN is left out.
    """
    index = np.flatnonzero(~np.isnan(neg_log10_p))
    if index.size <= most:
        return index
    index = index[np.argsort(-neg_log10_p[index], kind="stable")]
    x, y = _unit(place[index]), _unit(neg_log10_p[index])
    rows = columns
    while True:
        cell = (x * (columns - 1)).astype(np.int64) * rows + (y * (rows - 1)).astype(np.int64)
        _, first = np.unique(cell, return_index=True)
        if first.size <= most:
            return np.sort(index[first])
        rows, columns = (rows // 2, columns) if rows > 64 else (max(rows // 2, 1), max(columns // 2, 1))


def thin_evenly(
    place: npt.NDArray[Any], neg_log10_p: npt.NDArray[Any], *, most: int, columns: int = 1_000
) -> Ints:
    """As `thin_points`, in time that grows with V alone: for answers made while one waits.

    The plot is cut into `columns` × at most ROWS rows, fewer until at most `most` cells hold a point;
    the strongest point of each cell stays.
    """
    index = np.flatnonzero(~np.isnan(neg_log10_p))
    if index.size <= most:
        return index
    x, y = _unit(place[index]), _unit(neg_log10_p[index])
    rising = np.argsort(y, kind="stable").astype(np.int32)
    columns = min(columns, max(1, most))
    column = np.minimum((x[rising] * columns).astype(np.int64), columns - 1)
    height, rows = y[rising], float(ROWS)
    while True:
        deep = max(1, int(rows))
        cell = column * deep + np.minimum((height * deep).astype(np.int64), deep - 1)
        strongest = np.full(columns * deep, -1, np.int32)
        strongest[cell] = rising  # of a cell's points the last written, the strongest, stays
        kept = strongest[strongest >= 0]
        if kept.size <= most or deep == 1:
            return np.sort(index[kept])
        rows *= 0.7


def _unit(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    return (values.astype(np.float64) - low) / ((high - low) or 1.0)
