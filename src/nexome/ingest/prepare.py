"""From a reader's batch to records: every step that needs only the row itself.

    numbers     cells that could not be read (`unreadable_cell`, or set missing where the row can do without)
    place       contig, position; by rs number where asked; lift-over
    feature     allele keys, or the key of a named feature
    effect      z, standard error, frequency, n, info
    trait       ordinal of (study, trait)

What needs other rows, known sites or the whole file (duplicates, order, strand, frequency) is `settle`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.reader import RawBatch
from nexome.ingest.harmonise.alleles import read_alleles
from nexome.ingest.harmonise.build import BuildEvidence, RsidIndex, compare_positions
from nexome.ingest.harmonise.effects import (
    Authority,
    harmonise_effects,
    harmonise_frequency,
    harmonise_n,
)
from nexome.ingest.harmonise.lift import LiftBlocks, are_indels, lift_positions, reference_length
from nexome.ingest.harmonise.names import (
    NO_CONTIG,
    UNKNOWN_CONTIG,
    check_positions,
    contig_ranks,
    encoded,
    feature_keys,
    rsid_numbers,
    unplaced_loci,
)
from nexome.ingest.harmonise.rules import Change, Drop, Verdicts
from nexome.ingest.spool import Rows
from nexome.ingest.tally import Tally
from nexome.ingest.traits import TraitTable
from nexome.model.alleles import LETTERS, are_hashed, complement_keys
from nexome.model.genome import Assembly, hash_text, reverse_complement

NUMBERS: Final = (
    "beta",
    "odds_ratio",
    "hazard_ratio",
    "standard_error",
    "ci_lower",
    "ci_upper",
    "z_score",
    "p_value",
    "neg_log_10_p_value",
    "effect_allele_frequency",
    "eaf_cases",
    "eaf_controls",
    "n",
    "n_cases",
    "n_controls",
    "info",
)
DISPENSABLE: Final = frozenset(
    {"effect_allele_frequency", "eaf_cases", "eaf_controls", "n", "n_cases", "n_controls", "info", "end"}
    | {"minor_allele_frequency", "rsid", "ci_lower", "ci_upper"}
)
"""Terms without which a row can still be kept: a cell that cannot be read is set missing."""

PROBLEMS_SHOWN: Final = 20
PLACE: Final = frozenset({"chromosome", "base_pair_location"})

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided about a file before its rows are read.

    `dtype`: of the records (spool.row_type). `assembly`: home. `source`: the assembly the file's contigs
    and positions are in (the same object when nothing is lifted). `columns`: source column → term.
    `named`: kind of feature when the rows are not variants, else ''.
    """

    dtype: np.dtype[Any]
    assembly: Assembly
    source: Assembly
    columns: Mapping[str, str]
    named: str = ""
    letters: str = LETTERS
    authority: Authority = "estimate"
    blocks: LiftBlocks | None = None
    rsids: RsidIndex | None = None
    position_from_rsid: bool = False


@dataclass
class Collected:
    """What the rows of one file told, beside the records: traits, tallies, texts of hashed keys, evidence.

    `one_study`: a person named one study for all rows, whatever a study column says.
    """

    one_study: bool = False
    traits: TraitTable = field(default_factory=TraitTable)
    tallies: dict[str, Tally] = field(default_factory=dict)
    spelled: dict[int, str] = field(default_factory=dict)
    build: BuildEvidence = field(default_factory=BuildEvidence)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def tally(self, study: str) -> Tally:
        """The tally of one study of the file ('' where the file names none)."""
        return self.tallies.setdefault("" if self.one_study else study, Tally())


def prepare(batch: RawBatch, plan: Plan, into: Collected) -> Rows:
    """Records of the rows kept so far; everything else is counted in `into`."""
    work = _Batch(batch, plan, into)
    work.judge_cells()
    ordinals = into.traits.ordinals(batch.table, work.verdicts)
    work.fill_feature()
    work.fill_place()
    sizes = work.fill_numbers()
    rows, kept = work.rows, work.verdicts.kept
    if "trait" in work.fields:
        rows["trait"] = ordinals
    rows["change"] = work.verdicts.change
    into.spelled.update(work.spelled)
    work.count(ordinals)
    if kept.all():
        into.traits.note_sizes(ordinals, sizes)
        return rows
    into.traits.note_sizes(ordinals[kept], {name: values[kept] for name, values in sizes.items()})
    return rows[kept]


class _Batch:
    """One batch at work: its records being filled, the verdicts on its rows, the texts of its hashed keys."""

    def __init__(self, batch: RawBatch, plan: Plan, into: Collected) -> None:
        self.batch, self.plan, self.into = batch, plan, into
        self.table, self.lines = batch.table, batch.lines()
        self.names = frozenset(batch.table.column_names)
        self.fields = frozenset(plan.dtype.names or ())
        self.verdicts = Verdicts(batch.table.num_rows)
        self.rows: Rows = np.zeros(batch.table.num_rows, plan.dtype)
        self.rows["line"] = self.lines
        self.spelled: dict[int, str] = {}

    def judge_cells(self) -> None:
        """Cells that could not be read: the row is dropped, or does without."""
        problems, columns = self.batch.problems, self.plan.columns
        for dispensable in (False, True) if problems else ():
            met = [
                p.line for p in problems if (columns.get(p.column, p.column) in DISPENSABLE) is dispensable
            ]
            rows = np.isin(self.lines, np.array(met, np.uint64))
            if dispensable:
                self.verdicts.mark(rows, Change.CELL_SET_MISSING)
            else:
                self.verdicts.reject(rows, Drop.UNREADABLE_CELL)
        for p in problems[: PROBLEMS_SHOWN - len(self.into.problems)]:
            told = {"line": p.line, "column": p.column, "found": p.found[:60], "expected": p.expected}
            self.into.problems.append(told)

    def fill_feature(self) -> None:
        """Allele keys, or keys of named features; rs numbers."""
        table, rows = self.table, self.rows
        if self.plan.named:
            rows["allele"], self.spelled = feature_keys(self.plan.named, table["feature_name"], self.verdicts)
            return
        other = table["other_allele"] if "other_allele" in self.names else None
        packed = read_alleles(table["effect_allele"], other, self.verdicts, letters=self.plan.letters)
        rows["allele"], self.spelled = packed.keys, packed.spelled
        if "strand" in self.names:
            signs = encoded(table["strand"]).cast(pa.string()).fill_null("+")
            self._complement(signs.to_numpy(zero_copy_only=False) == "-")
        if "rsid" in self.names:
            rows["rsid"] = rsid_numbers(table["rsid"])

    def fill_place(self) -> None:
        """Loci in the home assembly: as given, by rs number, lifted over; the others are dropped."""
        plan = self.plan
        contig, position = self._given_place()
        if plan.rsids is not None and "rsid" in self.fields:
            contig, position = self._place_by_rsid(contig, position, plan.rsids)
        if plan.named and not self.names >= PLACE:
            self.rows["locus"] = unplaced_loci(len(self.rows))
            return
        lengths = np.array([c.length_bp for c in plan.source.contigs], np.int64)
        by_rsid = (self.verdicts.change & np.uint32(Change.POSITION_FROM_RSID)) != 0
        if plan.blocks is None or by_rsid.all():
            check_positions(contig, position, self.verdicts, lengths=lengths)
        else:
            sound = check_positions(contig, position, self.verdicts, lengths=lengths) & ~by_rsid
            lifted = self._lift(contig, position, plan.blocks, wanted=sound)
            contig, position = (
                np.where(sound, new, old) for new, old in zip(lifted, (contig, position), strict=True)
            )
        contig, position = np.maximum(contig, 0), np.clip(position, 0, 0xFFFFFFFF)
        self.rows["locus"] = contig.astype(np.uint64) << np.uint64(32) | position.astype(np.uint64)

    def fill_numbers(self) -> dict[str, npt.NDArray[np.float64]]:
        """z, se, frequency, info, n; gives the sizes by name, for the traits."""
        table, rows = self.table, self.rows
        columns = {n: np.asarray(table[n].to_numpy(), np.float64) for n in NUMBERS if n in self.names}
        if "effect_direction" in self.names:
            columns["effect_direction"] = _signs(table["effect_direction"])
        effects = harmonise_effects(columns, self.verdicts, authority=self.plan.authority)
        rows["z"], rows["se"] = effects.z, effects.se
        rows["eaf"] = harmonise_frequency(columns, self.verdicts)
        if "info" in self.fields:
            rows["info"] = columns["info"]
        sizes: dict[str, npt.NDArray[np.float64]] = {
            name: columns[name] for name in ("n_cases", "n_controls") if name in columns
        }
        if "n" in self.fields:
            rows["n"] = sizes["n"] = harmonise_n(columns, self.verdicts)
        return sizes

    def count(self, ordinals: npt.NDArray[np.uint32]) -> None:
        """Rows in and rows dropped so far, for each study of the file."""
        pairs = self.into.traits.pairs
        studies = {study for study, _ in pairs}
        alone = next(iter(studies)) if len(studies) == 1 else ""
        for aside in self.batch.dropped:
            tally = self.into.tally(alone)
            tally.rows_in += len(aside.lines)
            tally.drop(aside.rule, aside.lines)
        if len(studies) <= 1 or self.into.one_study:
            self._count_rows(alone, slice(None))
            return
        for ordinal in np.unique(ordinals).tolist():
            self._count_rows(pairs[ordinal][0], ordinals == ordinal)

    def _count_rows(self, study: str, here: Any) -> None:
        tally, lines = self.into.tally(study), self.lines[here]
        tally.rows_in += len(lines)
        tally.drop_by(self.verdicts.drop[here], lines)

    def _complement(self, where: npt.NDArray[np.bool_]) -> None:
        """Spell the alleles of these rows on the other strand."""
        if not where.any():
            return
        keys = np.where(where, complement_keys(self.rows["allele"]), self.rows["allele"])
        for row in np.flatnonzero(where & are_hashed(keys)).tolist():
            ref, _, alt = self.spelled.get(int(keys[row]), "").partition("/")
            if set(ref + alt) <= set("ACGTN"):
                text = f"{reverse_complement(ref)}/{reverse_complement(alt)}"
                keys[row] = hash_text(text)
                self.spelled[hash_text(text)] = text
        self.rows["allele"] = keys
        self.verdicts.mark(where, Change.STRAND_COMPLEMENTED)

    def _given_place(self) -> tuple[Int64s, Int64s]:
        if self.plan.position_from_rsid or not self.names >= PLACE:
            return np.full(len(self.rows), NO_CONTIG, np.int64), np.ones(len(self.rows), np.int64)
        contig = contig_ranks(self.table["chromosome"], self.plan.source)
        column = self.table["base_pair_location"].combine_chunks()
        if column.null_count:
            absent = column.is_null().to_numpy(zero_copy_only=False)
            # A missing position is 'no position', not 'position 0'; an unknown contig is named first.
            contig = np.where(absent & (contig != UNKNOWN_CONTIG), NO_CONTIG, contig)
        return contig, column.fill_null(1).to_numpy()

    def _place_by_rsid(self, contig: Int64s, position: Int64s, rsids: RsidIndex) -> tuple[Int64s, Int64s]:
        """Places of rows that have none, by rs number; the given ones are compared, to tell the build."""
        rsid = self.rows["rsid"]
        if self.plan.source is self.plan.assembly and not self.plan.position_from_rsid:
            placed = np.where(contig >= 0, contig << 32 | np.clip(position, 0, 0xFFFFFFFF), 0).astype(
                np.uint64
            )
            self.into.build += compare_positions(rsid, placed, rsids)
        wanting = contig == NO_CONTIG
        if not wanting.any():
            return contig, position
        locus, known = rsids.find(rsid)
        use = wanting & known
        self.verdicts.mark(use, Change.POSITION_FROM_RSID)
        found = locus.astype(np.int64)
        return np.where(use, found >> 32, contig), np.where(use, found & 0xFFFFFFFF, position)

    def _lift(
        self, contig: Int64s, position: Int64s, blocks: LiftBlocks, *, wanted: npt.NDArray[np.bool_]
    ) -> tuple[Int64s, Int64s]:
        """Contigs and positions in the home assembly of the rows wanted; what is not there is dropped."""
        named = bool(self.plan.named)
        length = np.ones(len(self.rows), np.int64)
        if not named:
            length = reference_length(self.rows["allele"], self.spelled)
        lifted = lift_positions(blocks, np.maximum(contig, 0), position, length)
        self.verdicts.reject(wanted & (lifted.found == 0), Drop.NOT_LIFTED)
        self.verdicts.reject(wanted & (lifted.found > 1), Drop.LIFTED_TO_SEVERAL)
        self.verdicts.mark(wanted, Change.LIFTED)
        if not named:
            turned = wanted & (lifted.found == 1) & lifted.inverted
            if turned.any():
                indels = are_indels(self.rows["allele"], self.spelled)
                self.verdicts.reject(turned & indels, Drop.INDEL_IN_INVERSION)
            self._complement(wanted & lifted.inverted & self.verdicts.kept)
        return lifted.contig, lifted.position


def _signs(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """+1 and −1 of V signs; NaN for anything else."""
    coded = encoded(column)
    values = [{"+": 1.0, "-": -1.0, "−": -1.0}.get(s or "", np.nan) for s in coded.dictionary.to_pylist()]
    return np.array([*values, np.nan])[coded.indices.fill_null(len(values)).to_numpy()]
