"""Records against the reference sequence: order, strand, and one spelling for each indel.

Runs between the spool and `settle` when a FASTA file of the home assembly is given: a shifted indel may
leave its bucket, so the records go through a second spool. One bucket's stretch of the sequence is held
at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.alleles import Match, StrandEvidence, orient, strand_evidence
from nexome.ingest.harmonise.reference import Window, match_reference, normalise
from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.ingest.spool import Rows, Spool, bucket_of
from nexome.model.alleles import are_palindromic
from nexome.model.genome import Assembly

Fetch = Callable[[str, int, int], str]
"""Bases of a contig from start to end (1-based, both included), as text; shorter at the contig's end."""
Count = Callable[[npt.NDArray[np.uint8], Rows], None]

ROOM_LEFT: Final = 1_000  # bases an indel may be shifted left; beyond, it stays where the window begins
ROOM_RIGHT: Final = 1_000


def realign(
    source: Spool, target: Spool, *, fetch: Fetch, assembly: Assembly, spelled: dict[int, str], count: Count
) -> StrandEvidence:
    """Copy all records of `source` to `target`, oriented and normalised; dropped ones go to `count`."""
    evidence = StrandEvidence()
    for block in source.blocks():
        buckets = bucket_of(block)
        edges = np.flatnonzero(np.append(True, buckets[1:] != buckets[:-1])).tolist()
        for start, stop in zip(edges, [*edges[1:], len(block)], strict=True):
            rows = block[start:stop].copy()
            if int(rows["locus"][0] >> np.uint64(32)) < len(assembly.contigs):
                rows, told = _realign_bucket(rows, fetch, assembly, spelled, count)
                evidence += told
            target.append(rows)
    return evidence


def _realign_bucket(
    rows: Rows, fetch: Fetch, assembly: Assembly, spelled: dict[int, str], count: Count
) -> tuple[Rows, StrandEvidence]:
    contig = int(rows["locus"][0] >> np.uint64(32))
    position = (rows["locus"] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    start = max(1, int(position.min()) - ROOM_LEFT)
    window = Window.of(start, fetch(assembly.contigs[contig].name, start, int(position.max()) + ROOM_RIGHT))
    keys = np.ascontiguousarray(rows["allele"])
    match = match_reference(position, keys, window, spelled)
    evidence = strand_evidence(keys, match, are_palindromic(keys))
    verdicts = Verdicts(len(rows))
    verdicts.reject(match == Match.OTHER_ALLELES, Drop.REFERENCE_MISMATCH)
    keys, swapped, complemented = orient(keys, match, spelled=spelled)
    verdicts.mark(swapped, Change.ALLELES_SWAPPED)
    verdicts.mark(complemented, Change.STRAND_COMPLEMENTED)
    fits = (match > 0) & (match < Match.OTHER_ALLELES)
    moved, shifted, changed = normalise(position, keys, window, spelled)
    verdicts.mark(changed & fits, Change.LEFT_NORMALISED)
    position, keys = np.where(fits, moved, position), np.where(fits, shifted, keys)
    rows["locus"] = np.uint64(contig) << np.uint64(32) | position.astype(np.uint64)
    rows["allele"] = keys
    rows["z"] = np.where(swapped, -rows["z"], rows["z"])
    rows["eaf"] = np.where(swapped, 1 - rows["eaf"], rows["eaf"])
    rows["change"] |= verdicts.change
    count(verdicts.drop, rows)
    return rows[verdicts.kept], evidence
