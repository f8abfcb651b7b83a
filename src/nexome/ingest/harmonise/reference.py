"""Alleles against the reference sequence: which one is the reference, which strand, where an indel starts.

The sequence comes as one `Window` of bases of one contig. `match_reference` says how each row lies to it;
`normalise` trims and shifts indels left (Tan, Abecasis & Kang 2015, algorithm 1), so that one indel has
one spelling. Rows whose alleles are symbols, or that reach out of the window, are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.alleles import Match
from nexome.model.alleles import Keys, are_hashed, complement_keys, flip_keys
from nexome.model.genome import allele_key, hash_text

_CODES: Final = np.full(256, 4, np.uint8)
for _code, _pair in enumerate(("Aa", "Cc", "Gg", "Tt")):
    for _letter in _pair:
        _CODES[ord(_letter)] = _code
_PACKABLE: Final = frozenset("ACGT")


@dataclass(frozen=True, slots=True)
class Window:
    """Bases of one contig from 1-based position `start` on: uint8 [length], 0–3 for A C G T, 4 for others."""

    start: int
    bases: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, start: int, sequence: str) -> Window:
        """The window that begins at `start` and reads `sequence` (any letter case)."""
        return cls(start, _CODES[np.frombuffer(sequence.encode("ascii", "replace"), np.uint8)])

    def text(self, position: int, length: int) -> str:
        """The letters of `length` bases from `position`; '' when they reach out of the window."""
        first = position - self.start
        if first < 0 or first + length > len(self.bases):
            return ""
        return "".join("ACGTN"[code] for code in self.bases[first : first + length].tolist())


def match_reference(
    position: npt.NDArray[np.int64], keys: Keys, window: Window, spelled: dict[int, str]
) -> npt.NDArray[np.int8]:
    """How V rows lie to the reference, as `Match` codes int8 [V]; OTHER_ALLELES where nothing fits.

    The longer fit wins (a deletion's own reference also begins with its shorter allele); the other strand
    is tried for single bases only. NONE: not to be told (symbols, N, outside the window).
    """
    single = (keys >> np.uint64(52)) == np.uint64(1 << 5 | 1)
    complements = complement_keys(keys)
    spellings = (keys, flip_keys(keys), complements, flip_keys(complements))
    match = _match_packed(position, spellings, single, window.bases, window.start)
    for row in np.flatnonzero(are_hashed(keys)).tolist():
        match[row] = _match_text(int(position[row]), spelled.get(int(keys[row]), ""), window)
    return match


def normalise(
    position: npt.NDArray[np.int64], keys: Keys, window: Window, spelled: dict[int, str]
) -> tuple[npt.NDArray[np.int64], Keys, npt.NDArray[np.bool_]]:
    """Positions and keys of V rows, trimmed and shifted left, and which rows changed.

    The reference allele must be the reference's (see `match_reference`). '-' for an empty allele is
    anchored on the base before. New texts of long alleles join `spelled`.
    """
    position, keys = position.copy(), keys.copy()
    changed = _normalise_packed(position, keys, window.bases, window.start)
    for row in np.flatnonzero(are_hashed(keys)).tolist():
        moved = normalise_text(int(position[row]), spelled.get(int(keys[row]), ""), window)
        if moved is None:
            continue
        ref, alt = moved[1], moved[2]
        key = allele_key(ref, alt)
        if key == hash_text(f"{ref}/{alt}"):
            spelled[key] = f"{ref}/{alt}"
        changed[row] = (moved[0], key) != (int(position[row]), int(keys[row]))
        position[row], keys[row] = moved[0], key
    return position, keys, changed


def normalise_text(position: int, text: str, window: Window) -> tuple[int, str, str] | None:
    """(position, ref, alt) of "REF/ALT", trimmed and shifted left; None when it cannot be told.

    >>> normalise_text(104, "CA/C", Window.of(100, "GGCACACACT"))
    (101, 'GCA', 'G')
    """
    ref, _, alt = text.partition("/")
    ref, alt = ref.replace("-", ""), alt.replace("-", "")
    if not (set(ref + alt) <= _PACKABLE) or not ref + alt:
        return None
    while True:
        if ref and alt and ref[-1] == alt[-1] and len(ref) + len(alt) > 2:
            ref, alt = ref[:-1], alt[:-1]
        elif not (ref and alt):
            base = window.text(position - 1, 1)
            if base in {"", "N"}:
                return None
            position, ref, alt = position - 1, base + ref, base + alt
        else:
            break
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    return position, ref, alt


def _match_text(position: int, text: str, window: Window) -> int:
    ref, _, alt = text.partition("/")
    if not set(ref + alt) <= _PACKABLE | {"-"}:
        return Match.NONE
    fits = [bool(allele) and window.text(position, len(allele)) == allele for allele in (ref, alt)]
    if fits[0] and (not fits[1] or len(ref) >= len(alt)):
        return Match.SAME
    if fits[1]:
        return Match.SWAPPED
    empty = [allele == "-" for allele in (ref, alt)]
    return Match.SAME if empty[0] else Match.SWAPPED if empty[1] else Match.OTHER_ALLELES


@numba.njit(cache=True, nogil=True)
def _fits(key: Any, position: int, bases: Any, start: int) -> int:
    """Length of the key's reference where the window reads the same; 0 where not, −1 outside."""
    n_ref = np.int64(key >> np.uint64(57) & np.uint64(31))
    n_alt = np.int64(key >> np.uint64(52) & np.uint64(31))
    first = position - start
    if first < 0 or first + n_ref > len(bases):
        return -1
    for j in range(n_ref):
        shift = np.uint64(2 * (n_ref + n_alt - 1 - j))
        if np.uint8(key >> shift & np.uint64(3)) != bases[first + j]:
            return 0
    return int(n_ref)


@numba.njit(cache=True, nogil=True)
def _match_packed(position: Any, spellings: Any, single: Any, bases: Any, start: int) -> Any:
    keys, flipped, complements, flipped_complements = spellings
    match = np.zeros(len(keys), np.int8)
    for i in range(len(keys)):
        if keys[i] >> np.uint64(63):
            continue
        same = _fits(keys[i], position[i], bases, start)
        swapped = _fits(flipped[i], position[i], bases, start)
        if same < 0 and swapped < 0:
            match[i] = 0
        elif same > 0 and same >= swapped:
            match[i] = 1
        elif swapped > 0:
            match[i] = 2
        elif single[i] and _fits(complements[i], position[i], bases, start) > 0:
            match[i] = 3
        elif single[i] and _fits(flipped_complements[i], position[i], bases, start) > 0:
            match[i] = 4
        else:
            match[i] = 5
    return match


@numba.njit(cache=True, nogil=True)
def _normalise_packed(position: Any, keys: Any, bases: Any, start: int) -> Any:  # noqa: C901, PLR0912  one loop, compiled
    changed = np.zeros(len(keys), np.bool_)
    ref = np.zeros(64, np.uint8)
    alt = np.zeros(64, np.uint8)
    for i in range(len(keys)):
        key = keys[i]
        n_ref = np.int64(key >> np.uint64(57) & np.uint64(31))
        n_alt = np.int64(key >> np.uint64(52) & np.uint64(31))
        if key >> np.uint64(63) or n_ref + n_alt == 2:
            continue
        # Bases are held from the right end, so that growing to the left is one more at the end.
        for j in range(n_alt):
            alt[j] = np.uint8(key >> np.uint64(2 * j) & np.uint64(3))
        for j in range(n_ref):
            ref[j] = np.uint8(key >> np.uint64(2 * (n_alt + j)) & np.uint64(3))
        at, moved, skip = position[i], True, 0
        while moved:
            moved = False
            if n_ref > 0 and n_alt > 0 and ref[skip] == alt[skip] and n_ref + n_alt > 2:
                if at - 1 < start and (n_ref == 1 or n_alt == 1):
                    break
                skip, n_ref, n_alt, moved = skip + 1, n_ref - 1, n_alt - 1, True
                if n_ref == 0 or n_alt == 0:
                    base = bases[at - 1 - start]
                    at -= 1
                    ref[skip + n_ref], alt[skip + n_alt] = base, base
                    n_ref, n_alt = n_ref + 1, n_alt + 1
                if skip > 30:  # make room: the rest moves back to the right end
                    for j in range(max(n_ref, n_alt)):
                        ref[j], alt[j] = ref[skip + j], alt[skip + j]
                    skip = 0
        while n_ref > 1 and n_alt > 1 and ref[skip + n_ref - 1] == alt[skip + n_alt - 1]:
            at, n_ref, n_alt = at + 1, n_ref - 1, n_alt - 1
        packed = np.uint64(0)
        clean = True
        for j in range(n_ref):
            clean &= ref[skip + n_ref - 1 - j] < 4
            packed = packed << np.uint64(2) | np.uint64(ref[skip + n_ref - 1 - j] & 3)
        for j in range(n_alt):
            clean &= alt[skip + n_alt - 1 - j] < 4
            packed = packed << np.uint64(2) | np.uint64(alt[skip + n_alt - 1 - j] & 3)
        packed |= np.uint64(n_ref) << np.uint64(57) | np.uint64(n_alt) << np.uint64(52)
        if clean and (packed != key or at != position[i]):
            keys[i], position[i], changed[i] = packed, at, True
    return changed
