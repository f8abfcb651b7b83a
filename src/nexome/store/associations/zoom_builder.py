"""Finding the strongest feature of each fine bin while a study is written; `zoom` says what is kept."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from nexome.model.genome import Assembly
from nexome.store.associations.types import Codes, Features
from nexome.store.associations.zoom import CHECK, ZoomTrait, zoom_bins

_TOGETHER: Final = 64  # traits turned from bin order to their own at once
_RUN: Final = 1 << 16  # rows of one bin looked at together


@njit(cache=True, nogil=True)
def _keep_strongest(z: Any, keys: Any, bins: Any, codes: Any, held: Any) -> None:
    """Codes z [V, T] of features with `keys` (locus, allele) into codes + 32768 and places, both [B, T].

    `bins` are (first [C + 1], bits). The larger |code| wins, then the smaller place.
    """
    rows = z.shape[0]
    best = np.empty(z.shape[1], np.int32)
    begin = 0
    while begin < rows:
        place = _bin_of(keys[0][begin], bins)
        stop = begin + 1
        while stop < rows and stop - begin < _RUN and _bin_of(keys[0][stop], bins) == place:
            stop += 1
        if place >= 0:
            _strongest_of_run(z, begin, stop, best)
            for j in range(len(best)):
                if best[j] >= 0:
                    row = begin + _RUN - 1 - (best[j] & (_RUN - 1))
                    code = np.int32(z[row, j])
                    where = _place_of(keys[0][row], keys[1][row], bins[1])
                    _offer(codes[place], held[place], j, code, where)
        begin = stop


@njit(inline="always")
def _strongest_of_run(z: Any, begin: int, stop: int, best: Any) -> None:
    """Of rows begin … stop−1, |code| << 16 | distance to the run's end of the strongest; −1: none.

    No branch, and every step cast back to int32, so that the loop runs on wide registers. A missing
    cell (|−32768| << 16 is negative) loses against every other.
    """
    best[:] = -1
    for i in range(begin, stop):
        low = np.int32(_RUN - 1 - (i - begin))
        row = z[i]
        for j in range(len(best)):
            size = np.int32(abs(np.int32(row[j])))
            best[j] = max(best[j], np.int32(np.int32(size << np.int32(16)) | low))


@njit(inline="always")
def _bin_of(locus: Any, bins: Any) -> int:
    first, bits = bins
    contig = np.int64(locus >> np.uint64(32))
    base = np.int64(locus & np.uint64(0xFFFFFFFF))
    if contig >= len(first) - 1 or base <= 0:
        return -1
    place = first[contig] + ((base - 1) >> bits)
    return place if place < first[contig + 1] else -1


@njit(inline="always")
def _place_of(locus: Any, allele: Any, bits: int) -> Any:
    offset = (np.int64(locus & np.uint64(0xFFFFFFFF)) - 1) & ((np.int64(1) << bits) - 1)
    check = np.int64(allele * CHECK >> np.uint64(32 + bits))
    return np.uint32(offset << (32 - bits) | check)


@njit(inline="always")
def _offer(codes: Any, held: Any, trait: int, code: int, where: int) -> None:
    before = np.int32(codes[trait]) - 32768
    old = -1 if before == -32768 else abs(before)
    if abs(code) > old or (abs(code) == old and where < held[trait]):
        codes[trait] = code + 32768
        held[trait] = where


class StrongestBuilder:
    """Finds the strongest feature of each bin of T traits as their cells are written.

    Memory: 6 bytes a trait and bin, touched only where features are.
    """

    def __init__(self, assembly: Assembly, traits: int) -> None:
        self.bins = zoom_bins(assembly, traits=traits)
        # A bin's traits side by side: they are written together, and read once at the end.
        self._codes = np.zeros((self.bins.size, traits), np.uint16)  # 0: none, else code + 32768
        self._places = np.zeros((self.bins.size, traits), np.uint32)
        self._turned: tuple[int, Any, Any] = (-1, None, None)  # the block of traits turned last

    def add(self, features: Features, z: Codes, *, first_trait: int = 0) -> None:
        """Add absolute codes z [V, T] of V features, in any order of blocks."""
        own = np.s_[:, first_trait : first_trait + z.shape[1]]
        keys = (np.asarray(features.locus), np.asarray(features.allele))
        _keep_strongest(z, keys, (self.bins.first, self.bins.bits), self._codes[own], self._places[own])

    def trait(self, trait: int) -> ZoomTrait:
        """What was found of one trait. Traits asked for in order cost least; add nothing afterwards."""
        block, inside = divmod(trait, _TOGETHER)
        if self._turned[0] != block:
            own = np.s_[:, block * _TOGETHER : (block + 1) * _TOGETHER]
            turned = [np.ascontiguousarray(held[own].T) for held in (self._codes, self._places)]
            self._turned = (block, turned[0], turned[1])
        codes, places = self._turned[1][inside], self._turned[2][inside]
        bin_ = np.flatnonzero(codes)
        found = (codes[bin_].astype(np.int32) - 32768).astype(np.int16)
        return ZoomTrait(self.bins, bin_, places[bin_], found)
