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
from nexome.ingest.harmonise.lift import LiftBlocks, lift_positions, reference_length
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
from nexome.model.alleles import LETTERS, complement_keys
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
    table, lines = batch.table, batch.lines()
    verdicts = Verdicts(table.num_rows)
    _judge_cells(batch, lines, plan, verdicts, into)
    rows = np.zeros(table.num_rows, plan.dtype)
    rows["line"] = lines
    ordinals = into.traits.ordinals(table, verdicts)
    spelled = _fill_feature(table, rows, plan, verdicts)
    _fill_place(table, rows, plan, verdicts, spelled, into)
    into.spelled.update(spelled)
    sizes = _fill_numbers(table, rows, plan, verdicts)
    if "trait" in plan.dtype.names:  # type: ignore[operator]
        rows["trait"] = ordinals
    rows["change"] = verdicts.change
    kept = verdicts.kept
    _count(batch, lines, ordinals, verdicts, into)
    if kept.all():
        into.traits.note_sizes(ordinals, sizes)
        return rows
    into.traits.note_sizes(ordinals[kept], {name: values[kept] for name, values in sizes.items()})
    return rows[kept]


def _judge_cells(
    batch: RawBatch, lines: npt.NDArray[np.uint64], plan: Plan, verdicts: Verdicts, into: Collected
) -> None:
    if not batch.problems:
        return
    for kind in (False, True):
        met = [
            p.line for p in batch.problems if (plan.columns.get(p.column, p.column) in DISPENSABLE) is kind
        ]
        rows = np.isin(lines, np.array(met, np.uint64))
        if kind:
            verdicts.mark(rows, Change.CELL_SET_MISSING)
        else:
            verdicts.reject(rows, Drop.UNREADABLE_CELL)
    for problem in batch.problems[: PROBLEMS_SHOWN - len(into.problems)]:
        into.problems.append(
            {
                "line": problem.line,
                "column": problem.column,
                "found": problem.found[:60],
                "expected": problem.expected,
            }
        )


def _fill_feature(table: pa.Table, rows: Rows, plan: Plan, verdicts: Verdicts) -> dict[int, str]:
    if plan.named:
        rows["allele"], spelled = feature_keys(plan.named, table["feature_name"], verdicts)
        return spelled
    names = table.column_names
    other = table["other_allele"] if "other_allele" in names else None
    packed = read_alleles(table["effect_allele"], other, verdicts, letters=plan.letters)
    rows["allele"] = packed.keys
    if "strand" in names:
        minus = np.isin(
            encoded(table["strand"]).cast(pa.string()).fill_null("+").to_numpy(zero_copy_only=False), ["-"]
        )
        _complement(rows, minus, packed.spelled, verdicts)
    if "rsid" in names:
        rows["rsid"] = rsid_numbers(table["rsid"])
    return packed.spelled


def _complement(
    rows: Rows, where: npt.NDArray[np.bool_], spelled: dict[int, str], verdicts: Verdicts
) -> None:
    if not where.any():
        return
    rows["allele"] = np.where(where, complement_keys(rows["allele"]), rows["allele"])
    for row in np.flatnonzero(where & (rows["allele"] >> np.uint64(63) == 1)).tolist():
        ref, _, alt = spelled.get(int(rows["allele"][row]), "").partition("/")
        if set(ref + alt) <= set("ACGTN"):
            text = f"{reverse_complement(ref)}/{reverse_complement(alt)}"
            rows["allele"][row] = hash_text(text)
            spelled[hash_text(text)] = text
    verdicts.mark(where, Change.STRAND_COMPLEMENTED)


def _fill_place(
    table: pa.Table, rows: Rows, plan: Plan, verdicts: Verdicts, spelled: dict[int, str], into: Collected
) -> None:
    contig, position = _given_place(table, plan, len(rows))
    if plan.rsids is not None and "rsid" in (plan.dtype.names or ()):
        contig, position = _place_by_rsid(contig, position, rows, plan, verdicts, into)
    if plan.named and not {"chromosome", "base_pair_location"} <= set(table.column_names):
        rows["locus"] = unplaced_loci(len(rows))
        return
    lengths = np.array([c.length_bp for c in plan.source.contigs], np.int64)
    by_rsid = (verdicts.change & np.uint32(Change.POSITION_FROM_RSID)) != 0
    if plan.blocks is not None and not by_rsid.all():
        sound = check_positions(contig, position, verdicts, lengths=lengths)
        contig, position = _lift(contig, position, rows, plan, verdicts, spelled, sound & ~by_rsid)
    else:
        check_positions(contig, position, verdicts, lengths=lengths)
    contig, position = np.maximum(contig, 0), np.clip(position, 0, 0xFFFFFFFF)
    rows["locus"] = contig.astype(np.uint64) << np.uint64(32) | position.astype(np.uint64)


def _given_place(
    table: pa.Table, plan: Plan, rows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    names = table.column_names
    if plan.position_from_rsid or not {"chromosome", "base_pair_location"} <= set(names):
        return np.full(rows, NO_CONTIG, np.int64), np.ones(rows, np.int64)
    contig = contig_ranks(table["chromosome"], plan.source)
    column = table["base_pair_location"].combine_chunks()
    if column.null_count:
        absent = column.is_null().to_numpy(zero_copy_only=False)
        # A missing position is 'no position', not 'position 0'; an unknown contig is named first.
        contig = np.where(absent & (contig != UNKNOWN_CONTIG), NO_CONTIG, contig)
    return contig, column.fill_null(1).to_numpy()


def _place_by_rsid(
    contig: npt.NDArray[np.int64],
    position: npt.NDArray[np.int64],
    rows: Rows,
    plan: Plan,
    verdicts: Verdicts,
    into: Collected,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    assert plan.rsids is not None  # noqa: S101  the caller's condition, told to the type checker
    if plan.source is plan.assembly and not plan.position_from_rsid:
        placed = np.where(contig >= 0, contig << 32 | np.clip(position, 0, 0xFFFFFFFF), 0).astype(np.uint64)
        into.build += compare_positions(rows["rsid"], placed, plan.rsids)
    wanting = contig == NO_CONTIG
    if not wanting.any():
        return contig, position
    locus, known = plan.rsids.find(rows["rsid"])
    use = wanting & known
    verdicts.mark(use, Change.POSITION_FROM_RSID)
    found = locus.astype(np.int64)
    return np.where(use, found >> 32, contig), np.where(use, found & 0xFFFFFFFF, position)


def _lift(
    contig: npt.NDArray[np.int64],
    position: npt.NDArray[np.int64],
    rows: Rows,
    plan: Plan,
    verdicts: Verdicts,
    spelled: dict[int, str],
    wanted: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    assert plan.blocks is not None  # noqa: S101  the caller's condition, told to the type checker
    length = np.ones(len(rows), np.int64) if plan.named else reference_length(rows["allele"], spelled)
    lifted = lift_positions(plan.blocks, np.maximum(contig, 0), position, length)
    verdicts.reject(wanted & (lifted.found == 0), Drop.NOT_LIFTED)
    verdicts.reject(wanted & (lifted.found > 1), Drop.LIFTED_TO_SEVERAL)
    verdicts.reject(wanted & (lifted.found == 1) & lifted.inverted_indel, Drop.INDEL_IN_INVERSION)
    verdicts.mark(wanted, Change.LIFTED)
    if not plan.named:
        _complement(rows, wanted & lifted.inverted & verdicts.kept, spelled, verdicts)
    return np.where(wanted, lifted.contig, contig), np.where(wanted, lifted.position, position)


def _fill_numbers(
    table: pa.Table, rows: Rows, plan: Plan, verdicts: Verdicts
) -> dict[str, npt.NDArray[np.float64]]:
    columns = {n: _numbers(table[n]) for n in NUMBERS if n in table.column_names}
    if "effect_direction" in table.column_names:
        signs = encoded(table["effect_direction"])
        values = [{"+": 1.0, "-": -1.0, "−": -1.0}.get(s or "", np.nan) for s in signs.dictionary.to_pylist()]
        columns["effect_direction"] = np.array([*values, np.nan])[
            signs.indices.fill_null(len(values)).to_numpy()
        ]
    effects = harmonise_effects(columns, verdicts, authority=plan.authority)
    rows["z"], rows["se"] = effects.z, effects.se
    rows["eaf"] = harmonise_frequency(columns, verdicts)
    if "info" in columns and "info" in (plan.dtype.names or ()):
        rows["info"] = columns["info"]
    sizes: dict[str, npt.NDArray[np.float64]] = {
        name: columns[name] for name in ("n_cases", "n_controls") if name in columns
    }
    if "n" in (plan.dtype.names or ()):
        sizes["n"] = harmonise_n(columns, verdicts)
        rows["n"] = sizes["n"]
    return sizes


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column.to_numpy(), np.float64)


def _count(
    batch: RawBatch,
    lines: npt.NDArray[np.uint64],
    ordinals: npt.NDArray[np.uint32],
    verdicts: Verdicts,
    into: Collected,
) -> None:
    """Rows in and rows dropped so far, for each study of the file."""
    for aside in batch.dropped:
        tally = into.tally("" if len(into.traits.studies()) != 1 else next(iter(into.traits.studies())))
        tally.rows_in += len(aside.lines)
        tally.drop(aside.rule, aside.lines)
    pairs = into.traits.pairs
    if len({study for study, _ in pairs}) <= 1:
        tally = into.tally(pairs[0][0] if pairs else "")
        tally.rows_in += len(lines)
        tally.drop_by(verdicts.drop, lines)
        return
    for ordinal in np.unique(ordinals).tolist():
        here = ordinals == ordinal
        tally = into.tally(pairs[ordinal][0])
        tally.rows_in += int(here.sum())
        tally.drop_by(verdicts.drop[here], lines[here])
