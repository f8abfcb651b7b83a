"""The standard synthetic store: the same numbers for everyone, at any size, in any block order.

Every cell is a function of (seed, feature, trait) alone, so a block can be made without the ones
before it and two programs can hold the same rows without passing a file:

    f        Beta(0.3, 1.5) clipped to [0.001, 0.5], flipped for half the features
    groups   traits alternate between two ancestries; the second has logit(f) + N(0, 0.4)
    z        AR(1), rho 0.9, restarted every 100 features; one signal per 2e5 cells on top (peak
             uniform 4 to 30, random sign, falling as exp(-|d|/12) with d in features)
    se       sigma_j / sqrt(2 N_j f(1-f)) times (1 + 0.01 N(0,1)); N_j log-uniform 5e3 to 4.5e5,
             sigma_j lognormal(0, 0.7)
    eaf      f of the trait's group times (1 + 0.01 N(0,1)), clipped to [0, 1]
    missing  5 % of cells, in runs of 1 to 39 features (mean 20) of one trait

Features lie 287 bp apart on average, so that 1 Mb holds about 3,500 of them whatever the size: the
density of 10^7 variants over the autosomes. Smaller stores begin every autosome at its start.
One feature in twenty is an insertion or deletion. Nothing here knows how the store encodes numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.bench.normals import fill_bits, fill_normals, mix64
from nexome.model.terms import Study, Trait
from nexome.store.associations.types import Features

Float32 = npt.NDArray[np.float32]

SEED: Final = 1
LD_BLOCK: Final = 100  # features after which the AR(1) chain starts anew
RHO: Final = 0.9
CELLS_PER_SIGNAL: Final = 200_000
SIGNAL_DECAY: Final = 12.0
SIGNAL_REACH: Final = 136  # features; 30 exp(-136/12) is below half a step of any encoding here
RUN_TILE: Final = 200  # features; a trait misses one run in every second tile: 20 of 400, 5 %
RUN_LONGEST: Final = 39
MEAN_SPACING_BP: Final = 287.0
INDEL_SHARE: Final = 0.05
RSID_SHARE: Final = 0.98
GROUPS: Final = ("EUR", "EAS")

# Streams of the counter-based generator, so that no two uses share a counter.
_STREAM_NOISE: Final = np.uint64(0x5EED0001)
_STREAM_RUNS: Final = np.uint64(0x5EED0002)


@dataclass(frozen=True, slots=True)
class Rows:
    """A block of the store: features `start` to `stop`, three float32 planes [stop − start, T]."""

    start: int
    stop: int
    z: Float32
    se: Float32
    eaf: Float32


class SyntheticStore:
    """The standard store of V features × T traits; deterministic for (features, traits, seed).

    `frequency` is float64 [V, 2], one column an ancestry group; `group` int8 [T]; `n` and `sigma`
    float64 [T]; `signals` the planted (feature, trait, peak with sign).
    """

    def __init__(self, features: int, traits: int, *, seed: int = SEED) -> None:
        self.shape: Final = (features, traits)
        self.seed: Final = seed
        rng = np.random.default_rng([seed, 1])
        self.frequency = _frequencies(features, rng)
        rng = np.random.default_rng([seed, 2])
        self.group = (np.arange(traits) % 2).astype(np.int8)
        self.n = np.exp(rng.uniform(np.log(5e3), np.log(4.5e5), traits)).round()
        self.sigma = rng.lognormal(0.0, 0.7, traits)
        self.signals = _signals(features, traits, np.random.default_rng([seed, 3]))

    def features(self, contig_lengths: npt.NDArray[np.int64]) -> Features:
        """The sorted axis over contigs of ranks 0 … C − 1 with the given lengths in bases."""
        return _features(self.shape[0], contig_lengths, np.random.default_rng([self.seed, 4]))

    def studies(self, *, private_every: int = 10) -> list[Study]:
        """One one-trait study per column; every `private_every`-th is private, the rest open."""
        return [
            Study(
                id=f"S{j:05d}",
                title=f"Synthetic trait {j}",
                access="private" if j % private_every == private_every - 1 else "open",
                ancestry=GROUPS[self.group[j]],
                licence="CC0-1.0",
                effect_scale="linear",
                effect_unit="SD",
                traits=(Trait(id=f"T{j:05d}", label=f"Synthetic trait {j}", n=float(self.n[j])),),
            )
            for j in range(self.shape[1])
        ]

    def rows(self, start: int, stop: int, *, out: Rows | None = None) -> Rows:
        """Features `start` to `stop` of all traits; `out`, of the same height, is filled again."""
        if not 0 <= start < stop <= self.shape[0]:
            raise ValueError(f"rows {start} to {stop} of {self.shape[0]}")
        planes = (out.z, out.se, out.eaf) if out else self._empty(stop - start)
        first = start - start % LD_BLOCK
        frequency = self.frequency[first:stop]
        scale = (1.0 / np.sqrt(2.0 * frequency * (1.0 - frequency))).astype(np.float32)
        _fill_rows(
            (np.uint64(self.seed), first, start, stop),
            (frequency.astype(np.float32), scale),
            ((self.sigma / np.sqrt(self.n)).astype(np.float32), self.group),
            planes,
        )
        _add_signals(self.signals, start, planes[0])
        return Rows(start, stop, *planes)

    def blocks(self, height: int = 16_384) -> Iterator[Rows]:
        """All rows in blocks of `height`; the arrays of one block are reused for the next."""
        rows: Rows | None = None
        for start in range(0, self.shape[0], height):
            stop = min(start + height, self.shape[0])
            reuse = rows if rows is not None and stop - start == rows.z.shape[0] else None
            rows = self.rows(start, stop, out=reuse)
            yield rows

    def _empty(self, height: int) -> tuple[Float32, Float32, Float32]:
        shape = (height, self.shape[1])
        return np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.float32)


def _frequencies(features: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    first = np.clip(rng.beta(0.3, 1.5, features), 0.001, 0.5)
    first = np.where(rng.random(features) < 0.5, 1.0 - first, first)
    logit = np.log(first / (1.0 - first)) + rng.normal(0.0, 0.4, features)
    return np.stack([first, 1.0 / (1.0 + np.exp(-logit))], axis=1)


def _signals(features: int, traits: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    count = round(features * traits / CELLS_PER_SIGNAL)
    signals = np.zeros(count, [("feature", np.int64), ("trait", np.int64), ("peak", np.float32)])
    signals["feature"] = rng.integers(0, features, count)
    signals["trait"] = rng.integers(0, traits, count)
    signals["peak"] = rng.uniform(4.0, 30.0, count) * rng.choice([-1.0, 1.0], count)
    return np.sort(signals, order=["feature", "trait"])


def _features(count: int, lengths: npt.NDArray[np.int64], rng: np.random.Generator) -> Features:
    share = np.floor(count * lengths / lengths.sum()).astype(np.int64)
    share[0] += count - share.sum()
    loci = []
    for rank, (held, length) in enumerate(zip(share, lengths, strict=True)):
        # Closer than the mean only where the contig could not hold them otherwise.
        spacing = min(MEAN_SPACING_BP, 0.98 * length / max(held, 1))
        gaps = 1 + np.floor(rng.exponential(spacing - 1.0, held)).astype(np.uint64)
        loci.append(np.uint64(rank) << np.uint64(32) | (np.uint64(10_000) + np.cumsum(gaps)))
    allele = _alleles(count, rng)
    rsid = (1_000 + np.cumsum(rng.integers(1, 200, count))).astype(np.uint32)
    rsid[rng.random(count) >= RSID_SHARE] = 0
    return Features(np.concatenate(loci), allele, rsid)


def _alleles(count: int, rng: np.random.Generator) -> npt.NDArray[np.uint64]:
    """Allele keys (model.genome): two transitions to a transversion; 5 % indels of 1 to 12 bases."""
    ref = rng.integers(0, 4, count).astype(np.uint64)
    # A, C, G, T are 0 to 3: a transition flips the upper bit, a transversion also or only the lower.
    change = rng.choice(np.array([2, 1, 3], np.uint64), count, p=[0.66, 0.17, 0.17])
    one = np.uint64(1)
    snv = one << np.uint64(57) | one << np.uint64(52) | ref << np.uint64(2) | ref ^ change
    more = np.minimum(rng.geometric(0.35, count), 12).astype(np.uint64)
    tail = rng.integers(0, 1 << 24, count).astype(np.uint64) & ((one << np.uint64(2) * more) - one)
    longer = ref << np.uint64(2) * more | tail
    insertion = (
        one << np.uint64(57) | (more + one) << np.uint64(52) | ref << np.uint64(2) * (more + one) | longer
    )
    deletion = (more + one) << np.uint64(57) | one << np.uint64(52) | longer << np.uint64(2) | ref
    draw = rng.random(count)
    indel = np.where(draw < INDEL_SHARE / 2, insertion, deletion)
    return np.where(draw < INDEL_SHARE, indel, snv)


@numba.njit(nogil=True, cache=True)
def _draw_runs(key: np.uint64, start: npt.NDArray[np.int32], stop: npt.NDArray[np.int32]) -> None:
    """One tile's missing runs: for every second trait, at random, 1 to 39 of the tile's 200 features."""
    for j in range(start.size):
        x = mix64(np.uint64(key + np.uint64(j)))
        length = np.int32(
            1 + (x >> np.uint64(1) & np.uint64(0xFFFF)) * np.uint64(RUN_LONGEST) // np.uint64(65536)
        )
        room = np.uint64(RUN_TILE - length + 1)
        begin = np.int32((x >> np.uint64(32)) * room >> np.uint64(32))
        missing = x & np.uint64(1)
        start[j] = begin if missing else RUN_TILE
        stop[j] = begin + length if missing else RUN_TILE


@numba.njit(nogil=True, cache=True)
def _fill_rows(where: Any, by_feature: Any, by_trait: Any, planes: Any) -> None:
    """z, se and eaf of rows `start` … `stop`, walking from `first`, the start of the LD block."""
    seed, first, start, stop = where
    z, se, eaf = planes
    traits = by_trait[0].size
    even = traits * 3 + traits * 3 % 2
    bits, scratch = np.empty(even, np.uint32), np.empty(even // 2, np.int32)
    normals, chain = np.empty(even, np.float32), np.empty(traits, np.float32)
    run_start, run_stop = np.empty(traits, np.int32), np.empty(traits, np.int32)
    tile = -1
    for i in range(first, stop):
        if i // RUN_TILE != tile:
            tile = i // RUN_TILE
            _draw_runs(mix64(mix64(seed ^ _STREAM_RUNS) + np.uint64(tile)), run_start, run_stop)
        fill_bits(mix64(mix64(seed ^ _STREAM_NOISE) + np.uint64(i)), bits)
        fill_normals(bits, scratch, normals)
        _step_chain(i % LD_BLOCK == 0, normals, chain)
        if i >= start:
            row = i - start
            rates = (by_feature[0][i - first], by_feature[1][i - first])
            runs = (np.int32(i % RUN_TILE), run_start, run_stop)
            _fill_row(rates, by_trait, (normals, chain, runs), (z[row], se[row], eaf[row]))


@numba.njit(nogil=True, cache=True, fastmath=True)
def _step_chain(anew: bool, normals: Float32, chain: Float32) -> None:  # noqa: FBT001 (compiled)
    keep, fresh = np.float32(RHO), np.float32(np.sqrt(1.0 - RHO * RHO))
    if anew:
        keep, fresh = np.float32(0.0), np.float32(1.0)
        chain[:] = np.float32(0.0)
    for j in range(chain.size):
        chain[j] = keep * chain[j] + fresh * normals[j]


@numba.njit(nogil=True, cache=True)
def _fill_row(rates: Any, by_trait: Any, drawn: Any, row: Any) -> None:
    (f0, f1), (s0, s1) = rates
    width, group = by_trait
    normals, chain, (place, run_start, run_stop) = drawn
    z, se, eaf = row
    traits = z.size
    one, percent, nan = np.float32(1.0), np.float32(0.01), np.float32(np.nan)
    for j in range(traits):
        missing = place >= run_start[j] and place < run_stop[j]
        f = f1 if group[j] else f0
        s = s1 if group[j] else s0
        frequency = f * (one + percent * normals[2 * traits + j])
        frequency = min(max(frequency, np.float32(0.0)), one)
        z[j] = nan if missing else chain[j]
        se[j] = nan if missing else width[j] * s * (one + percent * normals[traits + j])
        eaf[j] = nan if missing else frequency


def _add_signals(signals: npt.NDArray[Any], start: int, z: Float32) -> None:
    stop = start + z.shape[0]
    low, high = np.searchsorted(signals["feature"], [start - SIGNAL_REACH, stop + SIGNAL_REACH])
    for feature, trait, peak in signals[low:high]:
        first, last = max(start, feature - SIGNAL_REACH), min(stop, feature + SIGNAL_REACH + 1)
        if first < last:
            distance = np.abs(np.arange(first, last) - feature)
            z[first - start : last - start, trait] += (peak * np.exp(-distance / SIGNAL_DECAY)).astype(
                np.float32
            )
