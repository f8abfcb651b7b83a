"""From sorted records to blocks for the store: order and strand, frequency, duplicates.

Two passes over the records of one study. The first (`gather_evidence`) only looks: on which strand the
alleles are, whether the frequency is that of the effect allele. The second (`settle_block`) applies what
was decided for the whole study, drops duplicates and gives the store's `Block`s, keys strictly increasing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.alleles import (
    Palindromic,
    StrandEvidence,
    complete_alleles,
    flip_spelled,
    judge_palindromes,
    match_sites,
    orient,
    strand_evidence,
)
from nexome.ingest.harmonise.frequency import FrequencyEvidence, compare_frequencies
from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.ingest.known import Known
from nexome.ingest.requests import Duplicates
from nexome.ingest.spool import Rows
from nexome.ingest.tally import Tally
from nexome.model.alleles import PackedAlleles, are_hashed, are_palindromic
from nexome.model.errors import InputError
from nexome.store.associations import Block

_IDENTICAL: Final = int(Drop.DUPLICATE_IDENTICAL)
_CONTRADICTING: Final = int(Drop.DUPLICATE_CONTRADICTING)
_SHORT_RUN: Final = 64  # rows at one place that an insertion sort takes faster than a sort of the block


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows of one study tell together."""

    strand: StrandEvidence = field(default_factory=StrandEvidence)
    frequency: FrequencyEvidence = field(default_factory=FrequencyEvidence)
    palindromic: int = 0

    def __add__(self, more: Evidence) -> Evidence:
        return Evidence(
            self.strand + more.strand, self.frequency + more.frequency, self.palindromic + more.palindromic
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was decided for one study. `turn_frequency`: eaf becomes 1 − eaf in every row.

    `trait_numbers`: file ordinal → ordinal in the study, uint32, None for one trait; `has_n`: a plane of n.
    `with_lines`: blocks name the lines of the source.
    """

    known: Known
    palindromic: Palindromic
    strand: str
    duplicates: Duplicates
    turn_frequency: bool = False
    variants: bool = True
    has_n: bool = False
    with_lines: bool = False
    trait_numbers: npt.NDArray[np.uint32] | None = None
    where: str = ""


def gather_evidence(
    rows: Rows, known: Known, spelled: dict[int, str], *, frequencies: bool = True
) -> Evidence:
    """Evidence of one sorted block of records; `frequencies`: compare them too."""
    keys, swapped, _, match = _oriented(rows, known, spelled, Verdicts(len(rows)))
    palindromic = are_palindromic(keys)
    compared = ~palindromic & frequencies & bool(known.frequency)
    frequency = np.where(swapped, 1 - rows["eaf"], rows["eaf"])[compared]
    told = known.frequencies(rows["locus"][compared], keys[compared])
    return Evidence(
        strand_evidence(rows["allele"], match, palindromic),
        compare_frequencies(frequency, told),
        int(palindromic.sum()),
    )


def settle_block(rows: Rows, plan: Settlement, tally: Tally, spelled: dict[int, str]) -> Block:
    """One block of the store from one sorted block of records; counts what is dropped and changed."""
    verdicts = Verdicts(len(rows))
    verdicts.change[:] = rows["change"]
    z, eaf = rows["z"].copy(), rows["eaf"].copy()
    if plan.turn_frequency:
        eaf = 1 - eaf
        verdicts.mark(np.isfinite(eaf), Change.FREQUENCY_COMPLEMENTED)
    keys = np.ascontiguousarray(rows["allele"])
    if plan.variants:
        keys, swapped, complemented, _ = _oriented(rows, plan.known, spelled, verdicts)
        swapped = _judge(rows, (keys, eaf, swapped), plan, verdicts)
        verdicts.mark(complemented, Change.STRAND_COMPLEMENTED)
        verdicts.mark(swapped, Change.ALLELES_SWAPPED)
        z[swapped] *= -1
        eaf[swapped] = 1 - eaf[swapped]
    order = _drop_duplicates(rows, (keys, z, eaf), plan, spelled, verdicts)
    tally.drop_by(verdicts.drop, rows["line"])
    tally.keep(verdicts.change[order], rows["line"][order])
    return _block(rows, (keys, z, eaf), order, plan, spelled)


def _oriented(
    rows: Rows, known: Known, spelled: dict[int, str], verdicts: Verdicts
) -> tuple[npt.NDArray[np.uint64], Any, Any, Any]:
    """(keys, swapped, complemented, match) of records against the known sites, the first source that fits."""
    locus, keys = np.ascontiguousarray(rows["locus"]), np.ascontiguousarray(rows["allele"])
    match = np.zeros(len(rows), np.int8)
    for source in known.spelling:
        sites = source.around(locus)
        if not len(sites):
            continue
        unknown = (verdicts.change | rows["change"]) & np.uint32(Change.OTHER_ALLELE_UNKNOWN) != 0
        if unknown.any():
            hashed = np.flatnonzero(unknown & are_hashed(keys))
            packed = PackedAlleles(keys, np.zeros(len(keys), bool), hashed, spelled)
            keys = complete_alleles(locus, packed, sites, verdicts)
        open_rows = (match == 0) | (match == 5)
        found, _ = match_sites(locus, keys, sites, spelled=spelled)
        match = np.where(open_rows & (found > 0), found, match)
        if ((match > 0) & (match < 5)).all():
            break
    keys, swapped, complemented = orient(keys, match, spelled=spelled)
    return keys, swapped, complemented, match


def _judge(
    rows: Rows, oriented: tuple[Any, Any, Any], plan: Settlement, verdicts: Verdicts
) -> npt.NDArray[np.bool_]:
    """Palindromic rows by the study's rule; gives `swapped`, with those on the other strand turned once more.

    A palindrome's complement is its swap: the key stays, the sign turns.
    """
    keys, eaf, swapped = oriented
    palindromic = np.flatnonzero(are_palindromic(keys))
    if not len(palindromic):
        return np.asarray(swapped)
    by_frequency = plan.palindromic == "infer" or (plan.palindromic == "auto" and plan.strand == "mixed")
    told = np.full(len(palindromic), np.nan, np.float32)
    if by_frequency:
        told = plan.known.frequencies(rows["locus"][palindromic], keys[palindromic])
    frequency = np.where(swapped, 1 - eaf, eaf)[palindromic]
    turned, dropped = judge_palindromes(frequency, told, rule=plan.palindromic, strand=plan.strand)  # type: ignore[arg-type]
    mask = np.zeros(len(rows), bool)
    mask[palindromic] = dropped
    verdicts.reject(mask, Drop.PALINDROMIC)
    mask = np.zeros(len(rows), bool)
    mask[palindromic] = turned
    verdicts.mark(mask, Change.STRAND_COMPLEMENTED)
    return np.asarray(swapped ^ mask)


def _drop_duplicates(
    rows: Rows, values: tuple[Any, Any, Any], plan: Settlement, spelled: dict[int, str], verdicts: Verdicts
) -> npt.NDArray[np.int64]:
    """Drop duplicates by the rule; gives the kept rows in the store's order."""
    keys, z, eaf = values
    kept = np.flatnonzero(verdicts.kept)
    locus = np.ascontiguousarray(rows["locus"])
    trait = (
        np.ascontiguousarray(rows["trait"]) if "trait" in (rows.dtype.names or ()) else np.zeros(0, np.uint32)
    )
    if len(kept) < 2 or _longest_run(locus, trait, kept) < 2:
        return kept
    flipped = flip_spelled(keys, np.ones(len(keys), bool), spelled) if plan.variants else keys
    kept = _sort_places((locus, trait), np.minimum(keys, flipped), kept)
    _mark_repeats(
        kept, (locus, trait), (keys, flipped), (z, np.ascontiguousarray(rows["se"]), eaf), verdicts.drop
    )
    _judge_duplicates(rows, plan, verdicts, np.minimum(keys, flipped))
    return _sort_places((locus, trait), keys, kept[verdicts.drop[kept] == 0])


def _sort_places(places: tuple[Any, Any], key: Any, kept: Any) -> npt.NDArray[np.int64]:
    """Rows sorted by place already, now by key within each place, the file's order within each key."""
    locus, trait = places
    if _longest_run(locus, trait, kept) <= _SHORT_RUN:
        return np.asarray(_in_key_order(locus, trait, key, kept))
    columns = [key[kept], locus[kept], *([trait[kept]] if len(trait) else [])]
    return np.asarray(kept[np.lexsort(columns)])


def _judge_duplicates(rows: Rows, plan: Settlement, verdicts: Verdicts, canonical: Any) -> None:
    if plan.duplicates == "first":
        return
    contradicting = verdicts.drop == _CONTRADICTING
    if not contradicting.any():
        return
    if plan.duplicates == "refuse":
        lines = ", ".join(str(n) for n in np.sort(rows["line"][contradicting])[:10])
        raise InputError(
            f"{int(contradicting.sum())} rows or more repeat a variant with other values (lines {lines})",
            where=plan.where,
            expected="one row for each variant and trait",
            todo="Mend the file, or import with --duplicates first or --duplicates drop-all.",
        )
    trait = rows["trait"] if "trait" in (rows.dtype.names or ()) else np.zeros(len(rows), np.uint32)
    named = np.zeros(len(rows), [("t", "u4"), ("l", "u8"), ("a", "u8")])
    named["t"], named["l"], named["a"] = trait, rows["locus"], canonical
    verdicts.reject(np.isin(named, named[contradicting]), Drop.DUPLICATE_CONTRADICTING)


def _block(
    rows: Rows, values: tuple[Any, Any, Any], order: Any, plan: Settlement, spelled: dict[int, str]
) -> Block:
    keys, z, eaf = values
    names = rows.dtype.names or ()
    kept = keys[order]
    hashed = kept[are_hashed(kept)]
    return Block(
        locus=rows["locus"][order],
        allele=kept,
        z=z[order],
        se=rows["se"][order],
        eaf=eaf[order],
        n=rows["n"][order] if plan.has_n and "n" in names else None,
        info=rows["info"][order] if "info" in names else None,
        rsid=rows["rsid"][order] if "rsid" in names else None,
        trait=plan.trait_numbers[rows["trait"][order]] if plan.trait_numbers is not None else None,
        spelled={int(key): spelled[int(key)] for key in hashed.tolist()},
        line=rows["line"][order] if plan.with_lines else None,
    )


@numba.njit(cache=True, nogil=True)
def _longest_run(locus: Any, trait: Any, kept: Any) -> int:
    """Most rows at one place (of one trait)."""
    longest, run = min(1, len(kept)), 1
    for i in range(1, len(kept)):
        a, b = kept[i - 1], kept[i]
        run = run + 1 if locus[a] == locus[b] and (len(trait) == 0 or trait[a] == trait[b]) else 1
        longest = max(longest, run)
    return longest


@numba.njit(cache=True, nogil=True)
def _same(a: float, b: float) -> bool:
    return a == b or (np.isnan(a) and np.isnan(b)) or abs(a - b) <= 1e-6 * max(abs(a), abs(b))


@numba.njit(cache=True, nogil=True)
def _mark_repeats(kept: Any, places: Any, spellings: Any, values: Any, drop: Any) -> None:
    """Mark rows that repeat the one before them, in either order of alleles, as identical or contradicting.

    `kept` is sorted by place and by the smaller of the two spellings; the first of each run is kept.
    """
    locus, trait = places
    keys, flipped = spellings
    z, se, eaf = values
    first = kept[0]
    for i in range(1, len(kept)):
        row = kept[i]
        straight, turned = keys[row] == keys[first], flipped[row] == keys[first]
        alike = locus[row] == locus[first] and (len(trait) == 0 or trait[row] == trait[first])
        if not alike or not (straight or turned):
            first = row
            continue
        if straight:
            same = _same(z[row], z[first]) and _same(eaf[row], eaf[first])
        else:
            same = _same(-z[row], z[first]) and _same(1 - eaf[row], eaf[first])
        drop[row] = _IDENTICAL if same and _same(se[row], se[first]) else _CONTRADICTING


@numba.njit(cache=True, nogil=True)
def _in_key_order(locus: Any, trait: Any, keys: Any, kept: Any) -> Any:
    """Rows sorted by place, with the few of one place sorted by key (insertion sort)."""
    order = kept.copy()
    for i in range(1, len(order)):
        row = order[i]
        j = i
        while j > 0:
            before = order[j - 1]
            if locus[before] != locus[row] or (len(trait) > 0 and trait[before] != trait[row]):
                break
            if keys[before] <= keys[row]:
                break
            order[j] = before
            j -= 1
        order[j] = row
    return order
