"""Alleles of each row as keys, and their order and strand against sites that are known.

`read_alleles` takes the letters of a file (any case, or 1–4), drops what is no allele, and gives keys
whose reference is the other allele and whose alternate is the effect allele. `match_sites` finds how
each row lies to a table of sites; `orient` applies it. Only single bases are tried on the other strand:
there the two spellings share no base, so the answer is certain; for longer alleles it would not be.
Palindromic pairs (A/T, C/G) read the same on both strands; `judge_palindromes` holds the rules for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.model.alleles import (
    DIGITS,
    LETTERS,
    Keys,
    PackedAlleles,
    are_hashed,
    complement_keys,
    flip_keys,
    pack_alleles,
)
from nexome.model.genome import HASHED, allele_key, hash_text, unpack_alleles

Palindromic = Literal["auto", "keep", "infer", "drop"]
Floats = npt.NDArray[np.float32]

MAF_LIMIT: Final = 0.42
"""A palindromic variant with a minor allele more frequent than this is not told by its frequency."""
STRAND_SHARE: Final = 0.99
"""From this share of one strand among the variants that tell it, the whole file is on that strand."""
STRAND_LEAST: Final = 20
"""Fewer variants than this do not tell the strand of a file."""

_ALLELE: Final = re.compile(r"[ACGTN]+|[ID]|-|\*|<[^<>/\s]+>")
_MISSING: Final = frozenset({"", ".", "?", "0", "NA", "NR", "NAN", "NULL"})
UNKNOWN_ALLELE: Final = "N"


class Match(IntEnum):
    """How a row's alleles lie to a site at its position."""

    NONE = 0  # no site there, or only with other alleles
    SAME = 1
    SWAPPED = 2
    COMPLEMENT = 3
    COMPLEMENT_SWAPPED = 4
    OTHER_ALLELES = 5  # sites there, none with these alleles


@dataclass(frozen=True, slots=True)
class Sites:
    """S known sites, sorted by (locus, allele): what orientation, strand and frequency are told by.

    `locus`, `allele` uint64 [S]; `frequency` float32 [S] of the alternate allele, NaN unknown;
    `rsid` uint32 [S], 0 unknown.
    """

    locus: npt.NDArray[np.uint64]
    allele: Keys
    frequency: Floats
    rsid: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.locus)

    def window(self, first: int, behind: int) -> Sites:
        """The sites with first ≤ locus < behind (no copy)."""
        start, stop = np.searchsorted(self.locus, np.array([first, behind], np.uint64))
        part = slice(int(start), int(stop))
        return Sites(self.locus[part], self.allele[part], self.frequency[part], self.rsid[part])


NO_SITES: Final = Sites(
    np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.float32), np.zeros(0, np.uint32)
)


def sorted_sites(
    locus: npt.NDArray[np.uint64], allele: Keys, frequency: Floats, rsid: npt.NDArray[np.uint32]
) -> Sites:
    """Sites from arrays in any order; a repeated site is kept once."""
    order = np.lexsort((allele, locus))
    locus, allele = locus[order], allele[order]
    first = np.ones(len(locus), bool)
    first[1:] = (locus[1:] != locus[:-1]) | (allele[1:] != allele[:-1])
    return Sites(locus[first], allele[first], frequency[order][first], rsid[order][first])


def detect_letters(*columns: pa.Array | None) -> str:
    """`DIGITS` when every allele of these columns is 1, 2, 3, 4 or missing, else `LETTERS`."""
    seen: set[str] = set()
    for column in columns:
        if column is not None:
            seen.update(str(v).strip() for v in pc.unique(_plain(column)).to_pylist() if v is not None)
    signs = {s for s in seen if s.upper() not in _MISSING}
    return DIGITS if signs and signs <= set(DIGITS) else LETTERS


def read_alleles(
    effect: pa.Array, other: pa.Array | None, verdicts: Verdicts, *, letters: str = LETTERS
) -> PackedAlleles:
    """Keys of V rows, reference = other allele, alternate = effect allele.

    A missing effect allele drops the row; a missing other allele is written N (any base) and marked;
    signs that are no allele, and a pair of equal alleles, drop the row. `letters`: see `pack_alleles`.
    """
    effect = _cleaned(effect)
    other = (
        pa.array([""]).take(pa.array(np.zeros(len(effect), np.int64))) if other is None else _cleaned(other)
    )
    verdicts.reject(_equal(effect, ""), Drop.NO_EFFECT_ALLELE)
    unknown = _equal(other, "")
    if unknown.any():
        verdicts.mark(unknown, Change.OTHER_ALLELE_UNKNOWN)
        other = pc.if_else(pa.array(unknown), UNKNOWN_ALLELE, other)
    packed = pack_alleles(other, effect, letters=letters)
    if letters == DIGITS:
        verdicts.mark(verdicts.kept, Change.ALLELES_DECODED)
    verdicts.reject(_odd(packed), Drop.UNREADABLE_ALLELE)
    verdicts.reject(_same(packed), Drop.SAME_ALLELES)
    return packed


def complete_alleles(locus: Any, packed: PackedAlleles, sites: Sites, verdicts: Verdicts) -> Keys:
    """Keys with the other allele N replaced where exactly one site at the position has the effect allele."""
    keys = packed.keys.copy()
    for row in packed.hashed.tolist():
        text = packed.spelled.get(int(keys[row]), "")
        if not text.startswith(UNKNOWN_ALLELE + "/"):
            continue
        here = sites.window(int(locus[row]), int(locus[row]) + 1)
        found = _partners(here, text[2:])
        if len(found) == 1:
            keys[row] = allele_key(found.pop(), text[2:])
            verdicts.change[row] &= ~np.uint32(Change.OTHER_ALLELE_UNKNOWN)
            verdicts.change[row] |= np.uint32(Change.ALLELES_COMPLETED)
    return keys


def match_sites(
    locus: npt.NDArray[np.uint64], keys: Keys, sites: Sites, *, spelled: dict[int, str]
) -> tuple[Any, Any]:
    """How V rows lie to S sites: `Match` as int8 [V], and the row of the site as int64 [V] (−1 none)."""
    complements = complement_keys(keys)
    flipped = flip_spelled(keys, np.ones(len(keys), bool), spelled)
    spellings = (keys, flipped, complements, flip_keys(complements))
    return _match(locus, spellings, are_single(keys), sites.locus, sites.allele)


def orient(
    keys: Keys, match: npt.NDArray[np.int8], *, spelled: dict[int, str]
) -> tuple[Keys, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Keys as the sites spell them, and two masks: alleles swapped (signs turn there), strand changed."""
    complemented = (match == Match.COMPLEMENT) | (match == Match.COMPLEMENT_SWAPPED)
    swapped = (match == Match.SWAPPED) | (match == Match.COMPLEMENT_SWAPPED)
    turned = np.where(complemented, complement_keys(keys), keys) if complemented.any() else keys
    oriented = flip_spelled(turned, swapped, spelled) if swapped.any() else turned
    return oriented, swapped, complemented


def are_single(keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of V keys are pairs of single bases."""
    return (keys >> np.uint64(52)) == np.uint64(1 << 5 | 1)


def flip_spelled(keys: Keys, rows: npt.NDArray[np.bool_], spelled: dict[int, str]) -> Keys:
    """Keys with the alleles of `rows` exchanged, hashed ones by their text (new texts join `spelled`)."""
    flipped = np.where(rows, flip_keys(keys), keys)
    for row in np.flatnonzero(rows & are_hashed(keys)).tolist():
        ref, slash, alt = spelled.get(int(keys[row]), "").partition("/")
        if not slash:  # a named feature has no order
            continue
        key = hash_text(f"{alt}/{ref}")
        spelled[key] = f"{alt}/{ref}"
        flipped[row] = key
    return flipped


@dataclass(frozen=True, slots=True)
class StrandEvidence:
    """Variants whose alleles tell the strand: on the sites' strand, and on the other one."""

    forward: int = 0
    reverse: int = 0

    def __add__(self, more: StrandEvidence) -> StrandEvidence:
        return StrandEvidence(self.forward + more.forward, self.reverse + more.reverse)

    @property
    def verdict(self) -> Literal["forward", "reverse", "mixed", "unknown"]:
        """The strand of the whole file, by `STRAND_SHARE` of at least `STRAND_LEAST` variants."""
        told = self.forward + self.reverse
        if told < STRAND_LEAST:
            return "unknown"
        if self.forward >= STRAND_SHARE * told:
            return "forward"
        return "reverse" if self.reverse >= STRAND_SHARE * told else "mixed"


def strand_evidence(
    keys: Keys, match: npt.NDArray[np.int8], palindromic: npt.NDArray[np.bool_]
) -> StrandEvidence:
    """Count the single-base, non-palindromic rows that match a site on either strand."""
    tells = are_single(keys) & ~palindromic
    forward = tells & ((match == Match.SAME) | (match == Match.SWAPPED))
    reverse = tells & ((match == Match.COMPLEMENT) | (match == Match.COMPLEMENT_SWAPPED))
    return StrandEvidence(int(forward.sum()), int(reverse.sum()))


def judge_palindromes(
    frequency: Floats,
    known: Floats,
    *,
    rule: Palindromic,
    strand: Literal["forward", "reverse", "mixed", "unknown"],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """What becomes of P palindromic rows: (on the other strand, to be dropped), bool [P] each.

    `frequency` of the effect allele in the file and `known` of the same letter at the site (NaN
    unknown), float32 [P]. 'keep': as the file writes them; 'drop': none; 'infer': by frequency, when
    both minor alleles are rarer than `MAF_LIMIT`, else dropped; 'auto': the file's strand where the
    other variants tell it, kept where nothing tells (unknown), by frequency where they are mixed.
    """
    none = np.zeros(len(frequency), bool)
    if rule == "drop":
        return none, ~none
    if rule == "keep" or (rule == "auto" and strand in {"forward", "unknown"}):
        return none, none
    if rule == "auto" and strand == "reverse":
        return ~none, none
    with np.errstate(invalid="ignore"):
        told = (np.minimum(frequency, 1 - frequency) <= MAF_LIMIT) & (
            np.minimum(known, 1 - known) <= MAF_LIMIT
        )
        other_strand = told & (np.abs(1 - frequency - known) < np.abs(frequency - known))
    return other_strand, ~told


def _plain(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary if pa.types.is_dictionary(column.type) else column


def _cleaned(column: pa.Array) -> pa.Array:
    """Text without spaces around, signs for 'missing' as ''; dictionaries are cleaned value by value."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = [
        ("" if v is None or v.strip().upper() in _MISSING else v.strip())
        for v in column.dictionary.to_pylist()
    ]
    codes = column.indices.fill_null(len(values))
    return pa.array([*values, ""], pa.string()).take(codes)


def _equal(column: pa.Array, text: str) -> npt.NDArray[np.bool_]:
    return pc.equal(column, text).to_numpy(zero_copy_only=False)


def _odd(packed: PackedAlleles) -> npt.NDArray[np.bool_]:
    odd = np.zeros(len(packed.keys), bool)
    wrong = [
        k for k, text in packed.spelled.items() if not all(_ALLELE.fullmatch(a) for a in text.split("/", 1))
    ]
    if wrong:
        rows = packed.hashed
        odd[rows] = np.isin(packed.keys[rows], np.array(wrong, np.uint64))
    return odd


def _same(packed: PackedAlleles) -> npt.NDArray[np.bool_]:
    keys = packed.keys
    same = (flip_keys(keys) == keys) & (keys < np.uint64(HASHED)) & ~packed.absent
    twins = [k for k, text in packed.spelled.items() if len(set(text.split("/", 1))) == 1]
    return same | np.isin(keys, np.array(twins, np.uint64)) if twins else same


def _partners(here: Sites, effect: str) -> set[str]:
    found = set()
    for key in here.allele.tolist():
        if (pair := unpack_alleles(key)) and effect in pair:
            found.add(pair[0] if pair[1] == effect else pair[1])
    return found


@numba.njit(cache=True, nogil=True)
def _match(locus: Any, spellings: Any, single: Any, site_locus: Any, site_allele: Any) -> tuple[Any, Any]:
    keys, flipped, complements, flipped_complements = spellings
    size, sites = len(locus), len(site_locus)
    match = np.zeros(size, np.int8)
    place = np.full(size, -1, np.int64)
    start = 0
    for i in range(size):
        if i == 0 or locus[i] < locus[i - 1]:
            start = np.searchsorted(site_locus, locus[i])
        while start < sites and site_locus[start] < locus[i]:
            start += 1
        best = 9
        j = start
        while j < sites and site_locus[j] == locus[i]:
            key = site_allele[j]
            rank = 5
            if key == keys[i]:
                rank = 1
            elif key == flipped[i]:
                rank = 2
            elif single[i] and key == complements[i]:
                rank = 3
            elif single[i] and key == flipped_complements[i]:
                rank = 4
            if rank < best:
                best = rank
                place[i] = j if rank < 5 else -1
            j += 1
        if best < 9:
            match[i] = best
    return match, place
