"""Which build a file's positions are in, told by rs numbers whose position is known.

A file is never taken to be in a build because its numbers look like it: either its metadata or a person
says so, or a sites table does. `compare_positions` counts; `BuildEvidence.verdict` judges the whole file
and names a mixture. Common spellings of human builds are one name (`canonical_build`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.ingest.harmonise.alleles import Sites

Verdict = Literal["this build", "another build", "mixed builds", "not told"]

LEAST_COMPARED: Final = 10
CLEAR_SHARE: Final = 0.95
_NAMES: Final[Mapping[str, str]] = {
    "hg18": "NCBI36",
    "ncbi36": "NCBI36",
    "build36": "NCBI36",
    "b36": "NCBI36",
    "36": "NCBI36",
    "hg19": "GRCh37",
    "grch37": "GRCh37",
    "build37": "GRCh37",
    "b37": "GRCh37",
    "37": "GRCh37",
    "hg38": "GRCh38",
    "grch38": "GRCh38",
    "build38": "GRCh38",
    "b38": "GRCh38",
    "38": "GRCh38",
    "t2t-chm13": "T2T-CHM13v2.0",
    "chm13": "T2T-CHM13v2.0",
}


def canonical_build(text: str) -> str:
    """One name for the spellings of a build; an unknown one comes back as it is.

    >>> canonical_build("HG19/GRCh37"), canonical_build("GRCh38.p13"), canonical_build("Zm-B73-5")
    ('GRCh37', 'GRCh38', 'Zm-B73-5')
    """
    for part in re.split(r"[/,;\s]+", text.strip()):
        bare = re.sub(r"\.p\d+$", "", part.lower())
        if bare in _NAMES:
            return _NAMES[bare]
    return text.strip()


@dataclass(frozen=True, slots=True)
class BuildEvidence:
    """rs numbers compared with a sites table: how many lie where it has them, by contig rank too."""

    compared: int = 0
    agree: int = 0
    contigs: Mapping[int, tuple[int, int]] = field(default_factory=dict)  # rank: (compared, agree)

    def __add__(self, more: BuildEvidence) -> BuildEvidence:
        contigs = dict(self.contigs)
        for rank, (compared, agree) in more.contigs.items():
            before = contigs.get(rank, (0, 0))
            contigs[rank] = (before[0] + compared, before[1] + agree)
        return BuildEvidence(self.compared + more.compared, self.agree + more.agree, contigs)

    @property
    def verdict(self) -> Verdict:
        """Whether the file's positions are those of the sites table's build."""
        if self.compared < LEAST_COMPARED:
            return "not told"
        share = self.agree / self.compared
        if share >= CLEAR_SHARE:
            return "this build"
        return "another build" if share <= 1 - CLEAR_SHARE else "mixed builds"


@dataclass(frozen=True, slots=True)
class RsidIndex:
    """Loci by rs number: `rsid` uint32 [S] ascending, `locus` uint64 [S]; those of two places left out."""

    rsid: npt.NDArray[np.uint32]
    locus: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, sites: Sites) -> RsidIndex:
        """The index of the sites that have an rs number."""
        known = sites.rsid > 0
        rsid, locus = sites.rsid[known], sites.locus[known]
        order = np.lexsort((locus, rsid))
        rsid, locus = rsid[order], locus[order]
        first = np.ones(len(rsid), bool)
        first[1:] = rsid[1:] != rsid[:-1]
        last_locus = np.maximum.reduceat(locus, np.flatnonzero(first)) if len(rsid) else locus
        single = locus[first] == last_locus
        return cls(rsid[first][single], locus[first][single])

    def find(self, rsid: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """Loci of V rs numbers (0 where unknown) and which are known."""
        if not len(self.rsid):
            return np.zeros(len(rsid), np.uint64), np.zeros(len(rsid), bool)
        place = np.minimum(np.searchsorted(self.rsid, rsid), len(self.rsid) - 1)
        known = (self.rsid[place] == rsid) & (rsid > 0)
        return np.where(known, self.locus[place], np.uint64(0)), known


def compare_positions(
    rsid: npt.NDArray[np.uint32], locus: npt.NDArray[np.uint64], index: RsidIndex
) -> BuildEvidence:
    """Evidence from V rows with rs number and locus; rows without either are left out."""
    known_locus, known = index.find(rsid)
    known &= locus > 0
    ours, theirs = locus[known], known_locus[known]
    agree = ours == theirs
    contigs: dict[int, tuple[int, int]] = {}
    ranks = ours >> np.uint64(32)
    for rank in np.unique(ranks):
        here = ranks == rank
        contigs[int(rank)] = (int(here.sum()), int(agree[here].sum()))
    return BuildEvidence(len(ours), int(agree.sum()), contigs)
