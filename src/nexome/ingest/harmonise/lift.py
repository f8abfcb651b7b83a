"""Positions from one assembly to another, by the aligned blocks of a UCSC chain file.

A position is lifted when exactly one aligned block holds it; in none, or in several, it is dropped and
counted, never guessed. An allele longer than one base must lie in one block with all its bases. In blocks
that are inverted between the assemblies the alleles are complemented; an indel there changes the base it
is anchored on, which needs a reference sequence: `are_indels` tells them, and they are dropped. Whether the
reference allele is another one in the new assembly is for orientation to see (sites, FASTA), not for here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nexome.model.alleles import Keys

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LiftBlocks:
    """B aligned blocks, sorted by (source contig, source start); 0-based starts, half open.

    `source`, `target` int32 contig ranks [B] (target −1: a contig the home assembly lacks);
    `start`, `end` int64 on the source; `target_start` int64 on the forward strand of the target: of the
    first base for straight blocks, of the last base for inverted ones; `inverted` bool.
    """

    source: npt.NDArray[np.int32]
    start: Int64s
    end: Int64s
    target: npt.NDArray[np.int32]
    target_start: Int64s
    inverted: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, **columns: Any) -> LiftBlocks:
        """Blocks from arrays in any order."""
        order = np.lexsort((columns["start"], columns["source"]))
        return cls(**{name: np.ascontiguousarray(values[order]) for name, values in columns.items()})

    @cached_property
    def starts(self) -> Int64s:
        """Starts as sorting numbers of contig and position, ascending."""
        return _sort_number(self.source, self.start)

    @cached_property
    def ends(self) -> Int64s:
        """Ends as sorting numbers, in the order of the starts."""
        return _sort_number(self.source, self.end)

    @cached_property
    def ends_sorted(self) -> Int64s:
        """Ends as sorting numbers, ascending."""
        return np.sort(self.ends)


@dataclass(frozen=True, slots=True)
class Lifted:
    """V rows in the target assembly; where `found` is not 1 the rest means nothing.

    `contig` int64 rank, `position` int64 (1-based), `inverted` bool, `found` int64 count
    of places (0: nowhere).
    """

    contig: Int64s
    position: Int64s
    inverted: npt.NDArray[np.bool_]
    found: Int64s


def lift_positions(blocks: LiftBlocks, contig: Int64s, position: Int64s, length: Int64s) -> Lifted:
    """Lift V stretches of `length` bases from `position` (1-based) on source contigs `contig`.

    For an inverted block the position given back is that of the stretch's first base on the target's
    forward strand.
    """
    first = _sort_number(contig, position - 1)
    found = _places(blocks, first)
    block = _block_of(blocks, first)
    offset = position - 1 - blocks.start[block]
    inside = (found == 1) & (position - 1 + length <= blocks.end[block]) & (blocks.target[block] >= 0)
    found = np.where((found == 1) & ~inside, 0, found)
    inverted = blocks.inverted[block] & inside
    straight = blocks.target_start[block] + offset
    turned = blocks.target_start[block] - offset - (length - 1)
    return Lifted(
        contig=blocks.target[block].astype(np.int64),
        position=np.where(inverted, turned, straight) + 1,
        inverted=inverted,
        found=found,
    )


def reference_length(keys: Keys, spelled: dict[int, str]) -> Int64s:
    """Bases of the reference allele of V keys; 1 for symbols and named features."""
    length = (keys >> np.uint64(57) & np.uint64(31)).astype(np.int64)
    for row in np.flatnonzero(keys >> np.uint64(63)).tolist():
        ref = spelled.get(int(keys[row]), "").partition("/")[0]
        length[row] = len(ref) if ref.strip("ACGTN") == "" and ref else 1
    return length


def are_indels(keys: Keys, spelled: dict[int, str]) -> npt.NDArray[np.bool_]:
    """Which of V variants are spelled with an anchor: alleles of unlike length, or symbols."""
    indels = np.asarray((keys >> np.uint64(57) & np.uint64(31)) != (keys >> np.uint64(52) & np.uint64(31)))
    for row in np.flatnonzero(keys >> np.uint64(63)).tolist():
        ref, _, alt = spelled.get(int(keys[row]), "").partition("/")
        indels[row] = len(ref) != len(alt) or (ref + alt).strip("ACGTN") != ""
    return indels


def _sort_number(contig: npt.NDArray[Any], position: npt.NDArray[Any]) -> Int64s:
    return contig.astype(np.int64) << 33 | np.clip(position, 0, (1 << 33) - 1)


def _places(blocks: LiftBlocks, first: Int64s) -> Int64s:
    """How many blocks hold each position: blocks begun before it, less blocks ended before it."""
    begun = np.searchsorted(blocks.starts, first, side="right")
    return (begun - np.searchsorted(blocks.ends_sorted, first, side="right")).astype(np.int64)


def _block_of(blocks: LiftBlocks, first: Int64s) -> Int64s:
    """The block that holds each position, where exactly one does."""
    block = np.maximum(np.searchsorted(blocks.starts, first, side="right") - 1, 0)
    # With overlapping blocks an earlier, longer one may be the holder: step back where needed.
    for _ in range(64):
        short = (blocks.ends[block] <= first) & (block > 0)
        if not short.any():
            break
        block = np.where(short, block - 1, block)
    return block.astype(np.int64)
