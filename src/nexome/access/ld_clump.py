"""Clumping a trait's associations by the LD of a panel.

Only what can be an index or a member is read: with p1 of 1e-4 or less, the hits that the study's summary
keeps and what lies within the window around them; else the whole trait. r² is that of haplotypes,
counted where the panel is phased and estimated where not, as PLINK's --clump has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.ld_answers import CLUMP_COLUMNS, ClumpAnswer, measure_rows, rounded
from nexome.access.tables import feature_table
from nexome.methods.ld.clump import P1, P2, R2, WINDOW_BP, Clumps, clump
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.errors import QueryError
from nexome.model.genome import Interval
from nexome.store.associations import Features, query

if TYPE_CHECKING:
    from nexome.access.allowance import Allowance
    from nexome.access.ld_panels import PanelChoice
    from nexome.store.associations import Planes
    from nexome.store.genes import Genes

HIT_P: Final = 1e-4  # the summary keeps stronger ones (store.associations)
WINDOW_MAX_BP: Final = 5_000_000
CANDIDATES_MAX: Final = 2_000_000
_MISSING_NAMED: Final = 100
_COLUMNS: Final = ("beta", "standard_error", "neg_log_10_p_value", "p_value", "effect_allele_frequency")


@dataclass(frozen=True, slots=True)
class ClumpOptions:
    """What --clump is told: index p ≤ `p1`, member p < `p2`, r² of `r2` or more, nearer than `window_bp`."""

    p1: float = P1
    p2: float = P2
    r2: float = R2
    window_bp: int = WINDOW_BP

    def __post_init__(self) -> None:
        if not 0 < self.p1 <= self.p2 <= 1:
            raise QueryError(f"p1 = {self.p1:g} and p2 = {self.p2:g}", expected="0 < p1 ≤ p2 ≤ 1")
        if not 0 <= self.r2 <= 1:
            raise QueryError(f"r2 = {self.r2:g}", expected="0 to 1")
        if not 0 < self.window_bp <= WINDOW_MAX_BP:
            raise QueryError(f"a window of {self.window_bp:,} bases", expected=f"1 to {WINDOW_MAX_BP:,}")


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Features of one trait with p ≤ p1 or p < p2, by position, and their numbers [V]."""

    features: Features
    numbers: dict[str, npt.NDArray[Any]]

    @property
    def strength(self) -> npt.NDArray[Any]:
        return self.numbers["neg_log_10_p_value"]


def clump_trait(
    allowance: Allowance,
    trait: tuple[str, str, int],
    choices: Sequence[PanelChoice],
    *,
    options: ClumpOptions,
    genes: Genes | None,
) -> ClumpAnswer:
    """Clumps of a trait (study, trait, its ordinal), in that one of `choices` that holds most of its hits."""
    study, name, _ = trait
    found = _candidates(allowance, trait, options)
    leads = found.strength >= -np.log10(options.p1)
    keys = [found.features.key(row) for row in range(len(found.features))]
    places = [choice.panel.find_either(keys, spelled=found.features.spelled)[0] for choice in choices]
    best = max(range(len(choices)), key=lambda i: (int((places[i][leads] >= 0).sum()), -i))
    choice, rows = choices[best], places[best]
    held = np.flatnonzero(rows >= 0)

    def r2_of(lead: int, near: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        index, others = int(rows[held[lead]]), rows[held[near]]
        return measure_rows(choice, index, others, measures="haplotype r and d_prime").r2

    clumps = clump(
        found.features.locus[held],
        found.strength[held],
        r2_of,
        p1=options.p1,
        p2=options.p2,
        r2=options.r2,
        window_bp=options.window_bp,
    )
    table = _table(found, held, clumps, allowance=allowance, genes=genes)
    absent = np.flatnonzero(leads & (rows < 0))
    absent = absent[np.argsort(-found.strength[absent], kind="stable")]
    missing = tuple(_names(found.features.take(absent[:_MISSING_NAMED]), allowance))
    return ClumpAnswer(choice, study, name, len(clumps.index), table, missing)


def _candidates(allowance: Allowance, trait: tuple[str, str, int], options: ClumpOptions) -> _Candidates:
    study, name, ordinal = trait
    parts: list[tuple[Features, dict[str, npt.NDArray[Any]]]] = []
    count = 0
    for place in _places(allowance, study, ordinal, options=options):
        for cells in query.study_batches(allowance.snapshot, study, name, interval=place):
            features, numbers = _within(cells, options)
            parts.append((features, numbers))
            count += len(features)
            if count > CANDIDATES_MAX:
                raise QueryError(
                    f"more than {CANDIDATES_MAX:,} variants with p < {options.p2:g}",
                    where=f"study {study}",
                    todo="Ask with smaller p1 and p2.",
                )
    return _joined(parts)


def _places(
    allowance: Allowance, study: str, ordinal: int, *, options: ClumpOptions
) -> Iterator[Interval | None]:
    """Where candidates may lie: within the window around each hit, overlapping ones joined; or everywhere."""
    summary = allowance.snapshot.studies[study].summary()
    hits = summary.hits(ordinal, order="position")
    if options.p1 > HIT_P or summary.trait(ordinal).hit_count > len(hits.z):  # not all hits are kept
        yield None
        return
    strong = hits.features.take(np.flatnonzero(neg_log10_p_from_z(hits.z) >= -np.log10(options.p1)))
    held: Interval | None = None
    for contig, position in zip(strong.contig.tolist(), strong.position.tolist(), strict=True):
        place = Interval(contig, max(1, position - options.window_bp), position + options.window_bp)
        if held and held.contig == contig and place.start <= held.end + 1:
            held = Interval(contig, held.start, place.end)
            continue
        if held:
            yield held
        held = place
    if held:
        yield held


def _within(cells: Planes, options: ClumpOptions) -> tuple[Features, dict[str, npt.NDArray[Any]]]:
    strength = cells.column("neg_log_10_p_value")[:, 0]
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((strength > -np.log10(options.p2)) | (strength >= -np.log10(options.p1)))
    if not len(rows):
        return cells.features.take(rows), {name: np.zeros(0) for name in _COLUMNS}
    return cells.features.take(rows), {k: v[rows, 0] for k, v in cells.columns(_COLUMNS).items()}


def _joined(parts: Sequence[tuple[Features, dict[str, npt.NDArray[Any]]]]) -> _Candidates:
    if not parts:
        nothing = Features(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint32))
        return _Candidates(nothing, {name: np.zeros(0) for name in _COLUMNS})
    spelled: dict[int, str] = {}
    for features, _ in parts:
        spelled |= features.spelled
    whole = Features(
        np.concatenate([f.locus for f, _ in parts]),
        np.concatenate([f.allele for f, _ in parts]),
        np.concatenate([f.rsid for f, _ in parts]),
        spelled,
    )
    return _Candidates(whole, {name: np.concatenate([n[name] for _, n in parts]) for name in _COLUMNS})


def _table(
    found: _Candidates,
    held: npt.NDArray[np.int64],
    clumps: Clumps,
    *,
    allowance: Allowance,
    genes: Genes | None,
) -> pa.Table:
    """Each clump's index, then its members by position (CLUMP_COLUMNS)."""
    count = len(clumps.index)
    place = np.concatenate([clumps.index, clumps.member])
    number = np.concatenate([np.arange(count, dtype=np.int32), clumps.clump])
    is_index = np.concatenate([np.ones(count, bool), np.zeros(len(clumps.member), bool)])
    r2 = np.concatenate([np.ones(count, np.float32), clumps.r2])
    order = np.lexsort((place, ~is_index, number))
    place, number, is_index, r2 = place[order], number[order], is_index[order], r2[order]
    features = found.features.take(held[place])
    lead = found.features.position[held[clumps.index]].astype(np.int64)
    told = {name: values[held[place]] for name, values in found.numbers.items()} | {
        "clump": number + 1,
        "index_variant": is_index,
        "distance_bp": features.position.astype(np.int64) - lead[number],
        "r2": rounded(r2),
    }
    assembly = allowance.snapshot.assembly
    return feature_table(features, told, columns=CLUMP_COLUMNS, assembly=assembly, genes=genes)


def _names(features: Features, allowance: Allowance) -> Iterator[str]:
    for row in range(len(features)):
        chromosome = allowance.snapshot.assembly.contig_name(int(features.contig[row]))
        yield f"{chromosome}-{features.position[row]}-{features.text(row).replace('/', '-')}"
