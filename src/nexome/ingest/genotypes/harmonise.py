"""Rows of a genotype file to blocks of the store: place, alleles, order; each kept or dropped by rule.

REF and ALT of a VCF or PGEN are taken as they are; a .bim knows no REF, so its A2 is taken, unless a sites
table or a reference sequence says otherwise (then calls are exchanged with the alleles). After a lift the
same is asked again. Rules and their names are those of association imports (harmonise.rules).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.genotypes import Header, RawGenotypes
from nexome.ingest.harmonise.alleles import Match, match_sites, orient, read_alleles
from nexome.ingest.harmonise.build import BuildEvidence, compare_positions
from nexome.ingest.harmonise.lift import are_indels, lift_positions, reference_length
from nexome.ingest.harmonise.names import check_positions, contig_ranks, rsid_numbers
from nexome.ingest.harmonise.reference import Window, match_reference
from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.ingest.resources import LiftMap, Reference, SitesTable
from nexome.ingest.tally import Tally
from nexome.model.alleles import DIGITS, LETTERS, are_hashed, are_palindromic, complement_keys
from nexome.model.genome import Assembly, loci_of
from nexome.store.genotypes import GenotypeBlock

WINDOW_BP: Final = 1 << 20
_ROOM_BP: Final = 1_000

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided about a file. `columns`: the set's people among its own (None: as they are)."""

    home: Assembly
    header: Header
    columns: Int64s | None
    lift: LiftMap | None = None
    sites: SitesTable | None = None
    reference: Reference | None = None
    by_rsid: bool = False

    @property
    def source(self) -> Assembly:
        """The assembly whose contigs and positions the file has."""
        return self.lift.source if self.lift else self.home


@dataclass(frozen=True, slots=True)
class Harmonised:
    """What became of a batch: the block to store and its lines; what rs numbers tell of the build.

    `behind`: rows behind the end of their contig.
    """

    block: GenotypeBlock
    line: npt.NDArray[np.uint64]
    build: BuildEvidence
    behind: int


def harmonise(batch: RawGenotypes, plan: Plan, tally: Tally) -> Harmonised:
    """The rows kept, as a block; the others, and what was changed, are counted in `tally`."""
    return _Work(batch, plan).finish(tally)


class _Work:
    """One batch being harmonised."""

    def __init__(self, batch: RawGenotypes, plan: Plan) -> None:
        self.batch, self.plan = batch, plan
        self.verdicts = Verdicts(len(batch))
        self.swapped = np.zeros(len(batch), bool)
        self.behind = 0
        letters = DIGITS if plan.header.digits else LETTERS
        packed = read_alleles(batch.alt, batch.ref, self.verdicts, letters=letters)
        self.keys, self.spelled = packed.keys, packed.spelled
        self.rsid = rsid_numbers(batch.id)
        self.contig, self.position = self._place()
        if not plan.header.reference_known or plan.lift is not None:
            self._orient()

    def finish(self, tally: Tally) -> Harmonised:
        """Count, and take the rows kept."""
        batch, kept = self.batch, self.verdicts.kept
        tally.rows_in += len(batch) + sum(len(d.lines) for d in batch.dropped)
        for aside in batch.dropped:
            tally.drop(aside.rule, aside.lines)
        tally.drop_by(self.verdicts.drop, batch.line)
        tally.keep(self.verdicts.change[kept], batch.line[kept])
        locus = loci_of(np.maximum(self.contig, 0), np.clip(self.position, 0, 0xFFFFFFFF))
        evidence = BuildEvidence()
        if self.plan.sites is not None and self.plan.lift is None and not self.plan.by_rsid:
            evidence = compare_positions(self.rsid[kept], locus[kept], self.plan.sites.rsids)
        calls, dosages = self._exchanged(kept)
        block = GenotypeBlock(
            locus=locus[kept],
            allele=self.keys[kept],
            calls=calls,
            phased=self._columns(batch.phased[kept]),
            dosages=dosages,
            rsid=self.rsid[kept],
            names=batch.id.filter(pa.array(kept)),
            spelled=self.spelled,
        )
        return Harmonised(block, batch.line[kept], evidence, self.behind)

    def _columns(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        columns = self.plan.columns
        return values if columns is None else np.ascontiguousarray(values[:, columns])

    def _exchanged(self, kept: Bools) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32] | None]:
        """Calls and dosages of the rows kept, those of swapped rows turned around."""
        calls, swapped = self._columns(self.batch.calls[kept]), self.swapped[kept]
        dosages = None if self.batch.dosages is None else self._columns(self.batch.dosages[kept])
        if swapped.any():
            turned = calls[swapped]
            calls[swapped] = np.where(turned >= 0, 1 - turned, turned)
            if dosages is not None:
                dosages[swapped] = 2 - dosages[swapped]
        return calls, dosages

    def _place(self) -> tuple[Int64s, Int64s]:
        """Contig rank and position in the home assembly."""
        plan, batch = self.plan, self.batch
        if plan.by_rsid and plan.sites is not None:
            locus, known = plan.sites.rsids.find(self.rsid)
            self.verdicts.reject(~known, Drop.NO_POSITION)
            self.verdicts.mark(known, Change.POSITION_FROM_RSID)
            return (locus >> np.uint64(32)).astype(np.int64), (locus & np.uint64(0xFFFFFFFF)).astype(np.int64)
        contig = contig_ranks(batch.contig, plan.source)
        lengths = np.array([c.length_bp for c in plan.source.contigs], np.int64)
        ends = np.where(contig >= 0, lengths[np.maximum(contig, 0)], 0)
        self.behind = int(((ends > 0) & (batch.position > ends)).sum())
        sound = check_positions(contig, batch.position, self.verdicts, lengths=lengths)
        return (contig, batch.position) if plan.lift is None else self._lifted(plan.lift, contig, sound)

    def _lifted(self, lift: LiftMap, contig: Int64s, sound: Bools) -> tuple[Int64s, Int64s]:
        length = reference_length(self.keys, self.spelled)
        moved = lift_positions(lift.blocks, np.maximum(contig, 0), self.batch.position, length)
        self.verdicts.reject(sound & (moved.found == 0), Drop.NOT_LIFTED)
        self.verdicts.reject(sound & (moved.found > 1), Drop.LIFTED_TO_SEVERAL)
        self.verdicts.mark(sound, Change.LIFTED)
        turned = sound & moved.inverted & (moved.found == 1)
        if turned.any():
            odd = are_indels(self.keys, self.spelled) | are_hashed(self.keys)
            self.verdicts.reject(turned & odd, Drop.INDEL_IN_INVERSION)
            self._complement(turned & ~odd)
        return np.where(sound, moved.contig, contig), np.where(sound, moved.position, self.batch.position)

    def _complement(self, rows: Bools) -> None:
        self.keys = np.where(rows, complement_keys(self.keys), self.keys)
        self.verdicts.mark(rows, Change.STRAND_COMPLEMENTED)

    def _orient(self) -> None:
        """Which allele is the reference's, by the sequence, else by the sites."""
        plan, usable = self.plan, self.verdicts.kept
        match = np.zeros(len(self.keys), np.int8)
        if plan.reference is not None:
            match[usable] = self._by_sequence(usable, plan.reference.fetch)
            self.verdicts.reject(match == Match.OTHER_ALLELES, Drop.REFERENCE_MISMATCH)
        elif plan.sites is not None:
            locus = loci_of(np.maximum(self.contig, 0), np.clip(self.position, 0, 0xFFFFFFFF))
            match, _ = match_sites(locus, self.keys, plan.sites.sites, spelled=self.spelled)
        # A/T and C/G read the same on both strands: taken as on the forward one, where order is told.
        match[~usable | (match == Match.OTHER_ALLELES)] = Match.NONE
        keys, swapped, complemented = orient(self.keys, match, spelled=self.spelled)
        self.keys, self.swapped = keys, swapped
        self.verdicts.mark(swapped, Change.ALLELES_SWAPPED)
        self.verdicts.mark(complemented & ~are_palindromic(keys), Change.STRAND_COMPLEMENTED)

    def _by_sequence(self, usable: Bools, fetch: Callable[[str, int, int], str]) -> npt.NDArray[np.int8]:
        """How the usable rows lie to the reference sequence, a stretch of it at a time."""
        rows = np.flatnonzero(usable)
        contig, position = self.contig[rows], self.position[rows]
        stretch = contig << 32 | position // WINDOW_BP
        match = np.zeros(len(rows), np.int8)
        for one in np.unique(stretch).tolist():
            here = np.flatnonzero(stretch == one)
            start = max(1, int(position[here].min()) - 1)
            name = self.plan.home.contigs[int(contig[here[0]])].name
            window = Window.of(start, fetch(name, start, int(position[here].max()) + _ROOM_BP))
            keys = np.ascontiguousarray(self.keys[rows[here]])
            match[here] = match_reference(position[here], keys, window, self.spelled)
        return match
