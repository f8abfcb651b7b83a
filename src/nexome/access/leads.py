"""Leads of a study's loci: one variant a signal, by LD where a panel is there, else by distance.

By LD: the index variants of `View.clump`. A locus of the summary without an index variant within UNION_BP
(its variants are not in the panel) gives its lead by distance all the same, so that no locus is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.loci import DISTANCE_BP
from nexome.model.genome import Assembly, allele_key, locus_of

if TYPE_CHECKING:
    from nexome.access.ld_answers import ClumpAnswer
    from nexome.store.associations import PublishedStudy

UNION_BP: Final = DISTANCE_BP
LEADS_MAX: Final = 2_000  # strongest leads by distance taken of each study
DISTANCE: Final = "distance"

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class LeadKeys:
    """Leads of one study by key: locus, allele (uint64 [L]). `found_by` is DISTANCE, or names the panel."""

    locus: Keys
    allele: Keys
    found_by: str = DISTANCE


def leads_by_distance(published: PublishedStudy, ordinal: int) -> LeadKeys:
    """Leads at least 500 kb apart, from the summary made at publication."""
    rows = published.summary().loci(ordinal, limit=LEADS_MAX)
    return LeadKeys(np.asarray(rows.features.locus), np.asarray(rows.features.allele))


def leads_by_ld(found: ClumpAnswer, others: LeadKeys, assembly: Assembly) -> LeadKeys:
    """Index variants of clumps, and those of `others` that have none of them within UNION_BP."""
    choice = found.choice
    name = " · ".join(part for part in (choice.panel.name, choice.population) if part)
    table = found.table.select(["clump", "chromosome", "base_pair_location", "other_allele", "effect_allele"])
    _, first = np.unique(table["clump"].to_numpy(), return_index=True)
    rows = [row for row in table.take(first).to_pylist() if row["other_allele"] is not None]
    locus = [locus_of(assembly.rank(row["chromosome"]), row["base_pair_location"]) for row in rows]
    allele = [allele_key(row["other_allele"], row["effect_allele"]) for row in rows]
    index = np.array(locus, np.uint64)
    far = ~_near(others.locus, index)
    return LeadKeys(
        np.concatenate([index, others.locus[far]]),
        np.concatenate([np.array(allele, np.uint64), others.allele[far]]),
        name,
    )


def _near(locus: Keys, index: Keys) -> npt.NDArray[np.bool_]:
    """Of each locus, whether an index lies within UNION_BP on its contig (contigs are 2³² apart)."""
    if not len(index):
        return np.zeros(len(locus), bool)
    ordered = np.sort(index).astype(np.int64)
    place = locus.astype(np.int64)
    at = np.searchsorted(ordered, place)
    before = np.abs(place - ordered[np.maximum(at - 1, 0)])
    behind = np.abs(ordered[np.minimum(at, len(ordered) - 1)] - place)
    return np.minimum(before, behind) <= UNION_BP
