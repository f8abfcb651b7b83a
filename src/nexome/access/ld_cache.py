"""LD already computed: one variant with a stretch of a panel's rows, kept in memory up to a number of bytes.

The longest unasked goes first. Keys name the version of a panel, and versions never change, so what is
kept is never wrong; `keep_only` drops what belongs to versions that are no longer live.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from nexome.methods.ld.pairs import Measures, PairLd


class LdKey(NamedTuple):
    """What was computed: rows `first` … `behind` − 1 of a version against the row `lead`, in a population."""

    panel: str
    version: int
    population: str
    lead: int
    first: int
    behind: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class LdCounts:
    """What the cache did since the process started, and what it holds."""

    hits: int
    misses: int
    entries: int
    bytes: int


class LdCache:
    """LD by LdKey, at most `most` bytes of it. Thread-safe; two threads may compute the same at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[LdKey, PairLd] = OrderedDict()
        self._live: frozenset[tuple[str, int]] = frozenset()
        self._bytes = self._hits = self._misses = 0

    def get(self, key: LdKey, compute: Callable[[], PairLd]) -> PairLd:
        """What is kept under a key, or else computed now and kept."""
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                self._hits += 1
                return kept
            self._misses += 1
        made = compute()
        with self._lock:
            self._put(key, made)
        return made

    def keep_only(self, live: Collection[tuple[str, int]]) -> None:
        """Drop what is of other (panel, version) pairs than these."""
        wanted = frozenset(live)
        with self._lock:
            if wanted == self._live:
                return
            self._live = wanted
            for key in [k for k in self._kept if (k.panel, k.version) not in wanted]:
                self._bytes -= _size(self._kept.pop(key))

    def counts(self) -> LdCounts:
        """What was asked and what is held, now."""
        with self._lock:
            return LdCounts(self._hits, self._misses, len(self._kept), self._bytes)

    def _put(self, key: LdKey, made: PairLd) -> None:
        size = _size(made)
        if size > self._most or key in self._kept:
            return
        self._kept[key] = made
        self._bytes += size
        while self._bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= _size(gone)


def _size(found: PairLd) -> int:
    return found.r.nbytes + found.d_prime.nbytes + found.called.nbytes + found.state.nbytes
