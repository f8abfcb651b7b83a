"""What the explorer reads for a state: windows of its studies, LD with the lead, genes, what else is there.

Everything through the View of the Ask. A centre without an LD panel or without genes is an ordinary one:
the parts say so and stay empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.access.answers import FeatureAnswer
from nexome.access.windows import WindowAnswer
from nexome.methods.manhattan import HIT
from nexome.model.errors import NotFoundError, QueryError
from nexome.model.genome import Interval, loci_of
from nexome.store.associations import FeatureKey
from nexome.store.tracks import TrackRecord
from nexome.web.pages.associations import Association, association_of
from nexome.web.pages.explore_pictures import GeneBar, Points
from nexome.web.pages.explore_scale import GenomeScale, interval_of
from nexome.web.pages.explore_state import Pick, State
from nexome.web.pages.page import Ask, rows_of, variant_id

POINTS: Final = 2_000  # of a picture without scripts
LD_SPAN_BP: Final = 3_000_000  # wider windows are coloured only when a lead is named
GENES_SPAN_BP: Final = 10_000_000
EXONS_SPAN_BP: Final = 3_000_000
TRANSCRIPTS_SPAN_BP: Final = 150_000
OTHERS_SPAN_BP: Final = 2_000_000
ROWS: Final = 25
OTHERS: Final = 12
LABELS: Final = 3
CANDIDATES: Final = 5  # leads tried before a window goes without colours
TRACKS: Final = 4
TRACK_ITEMS: Final = 600


@dataclass(frozen=True)
class Lead:
    """The variant the points are coloured by, the panel and population of its LD, who chose it."""

    feature: FeatureAnswer
    panel: str
    population: str
    people: int
    chosen: bool

    @property
    def name(self) -> str:
        """Rs number or identifier."""
        return self.feature.rsid or self.feature.id

    @property
    def group(self) -> str:
        """The panel, and the population where it is not everyone."""
        return f"{self.panel} · {self.population}" if self.population else self.panel


@dataclass(frozen=True)
class Shown:
    """One study in the window: its answer, its points, its r² with the lead [P], why there is none."""

    pick: Pick
    window: WindowAnswer
    points: Points
    r2: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: an association and its r² with the lead (NaN unknown)."""

    association: Association
    r2: float


def read_windows(ask: Ask, state: State) -> list[tuple[Pick, WindowAnswer]]:
    """The window of each study shown."""
    return [
        (pick, ask.view.window(pick.answer.study.id, pick.trait.id, state.where, points=POINTS))
        for pick in state.picks
    ]


def panels_of(ask: Ask) -> list[dict[str, Any]]:
    """The LD panels this reader may ask, everyone of each and each population; none where none is there."""
    return [row for row in rows_of(ask.view.ld_panels()) if row["usable"]]


def find_lead(
    ask: Ask, state: State, windows: Sequence[tuple[Pick, WindowAnswer]], scale: GenomeScale
) -> Lead | None:
    """The lead named in the address, else the strongest of the first study in a window of LD_SPAN_BP.

    None where there is none. Raises what the View raises for a lead, panel or population that is not there.
    """
    if state.ld == "none":
        return None
    if state.ld:
        return _lead(ask, state, state.ld)
    for text in _strongest(windows, scale):
        try:
            return _lead(ask, state, text)
        except (NotFoundError, QueryError):  # not in a panel, or it does not vary there: the next one
            continue
    return None


def _lead(ask: Ask, state: State, text: str) -> Lead:
    study = state.picks[0].answer.study.id if state.picks else None
    around = ask.view.ld(
        text, flank_bp=1, panel=state.panel or None, population=state.population or None, study=study
    )
    chosen = around.choice
    feature = ask.view.variant(text).feature
    return Lead(feature, chosen.panel.name, chosen.population, chosen.people, bool(state.ld))


def _strongest(windows: Sequence[tuple[Pick, WindowAnswer]], scale: GenomeScale) -> list[str]:
    """The strongest variants of the first study, where the window is narrow enough to be coloured unasked."""
    if scale.span_bp > LD_SPAN_BP or not windows:
        return []
    table = windows[0][1].table
    order = np.argsort(-table["neg_log_10_p_value"].to_numpy(), kind="stable")[:CANDIDATES]
    return [variant_id(row) for row in rows_of(table.take(order))]


def show(ask: Ask, scale: GenomeScale, found: tuple[Pick, WindowAnswer], lead: Lead | None) -> Shown:
    """A study's points, coloured by LD where there is a lead."""
    pick, window = found
    locus = window.features.locus
    r2 = np.full(len(locus), np.nan, np.float32)
    at = -1
    if lead is not None and len(locus):
        keys = [window.features.key(i) for i in range(len(locus))]
        r2 = ask.view.ld_to(lead.feature.id, keys, panel=lead.panel, population=lead.population or None)
        at = _index_of(keys, lead.feature)
    y = window.table["neg_log_10_p_value"].to_numpy().astype(np.float64)
    labels = _labels(ask, window.table, y)
    return Shown(pick, window, Points(scale.share(locus), y, r2.astype(np.float64), at, labels), r2)


def _index_of(keys: Sequence[FeatureKey], feature: FeatureAnswer) -> int:
    wanted = FeatureKey(feature.locus, feature.allele)
    return keys.index(wanted) if wanted in keys else -1


def _labels(ask: Ask, table: pa.Table, y: npt.NDArray[np.float64]) -> tuple[tuple[int, str, str], ...]:
    """Names of the strongest points past p = 1e-4, far enough apart to be read."""
    place = table["base_pair_location"].to_numpy()
    reach = (int(place.max()) - int(place.min())) / 7 if len(place) else 0
    named: list[int] = []
    for at in np.argsort(-y, kind="stable")[:200].tolist():
        if len(named) == LABELS or y[at] < HIT:
            break
        if all(abs(int(place[at]) - int(place[other])) > reach for other in named):
            named.append(at)
    rows = rows_of(table.take(named)) if named else []
    return tuple(
        (at, row["rsid"] or variant_id(row), ask.href("variants", variant_id(row)))
        for at, row in zip(named, rows, strict=True)
    )


def table_of(ask: Ask, shown: Shown) -> list[Row]:
    """The strongest associations of a study in the window, with effects."""
    table = shown.window.table
    order = np.argsort(-table["neg_log_10_p_value"].to_numpy(), kind="stable")[:ROWS]
    ids = [variant_id(row) for row in rows_of(table.take(order))]
    study, trait = shown.pick.answer.study.id, shown.pick.trait.id
    looked_up = {
        variant_id(row): row
        for row in rows_of(ask.view.lookup(ids, studies=[study]))
        if row["trait_id"] == trait
    }
    genes = ask.view.nearest_genes(shown.window.features.take(order))
    found = []
    for name, at, gene in zip(ids, order.tolist(), genes, strict=True):
        if name in looked_up:
            row = looked_up[name] | {"nearest_gene": gene}
            found.append(Row(association_of(ask, row), float(shown.r2[at])))
    return found


def genes_of(ask: Ask, state: State, scale: GenomeScale) -> list[GeneBar] | None:
    """The genes of the window with their exons, or None where it is too wide to draw them.

    In windows up to TRANSCRIPTS_SPAN_BP each transcript is a bar of its own, where transcripts are known.
    """
    place = interval_of(state.where)
    if place is None or scale.span_bp > GENES_SPAN_BP:
        return None
    transcripts = rows_of(ask.view.transcripts_in(place)) if scale.span_bp <= EXONS_SPAN_BP else []
    every = scale.span_bp <= TRANSCRIPTS_SPAN_BP
    own = [t for t in transcripts if every or t["canonical"]]
    known = {t["gene_id"] for t in own}
    genes = [g for g in rows_of(ask.view.genes_in(place)) if g["gene_id"] not in known or not own]
    return [_bar(ask, row, scale, place.contig) for row in [*own, *genes]]


def _bar(ask: Ask, row: Mapping[str, Any], scale: GenomeScale, contig: int) -> GeneBar:
    symbol = row["gene_symbol"] or row["gene_id"] or ""
    label = symbol if row.get("canonical", True) else f"{symbol} {row['transcript_id']}"

    def ends(start: int, end: int) -> tuple[float, float]:
        return scale.share_at(contig, start - 0.5), scale.share_at(contig, end + 0.5)

    exons = zip(row.get("exon_starts") or (), row.get("exon_ends") or (), strict=True)
    return GeneBar(
        *ends(row["start"], row["end"]),
        exons=tuple(ends(start, end) for start, end in exons),
        symbol=label,
        strand=row["strand"] or "",
        href=ask.href("genes", symbol),
    )


@dataclass(frozen=True)
class TrackStrip:
    """A track in the window: ends of I items as shares of the width [2, I], heights 0 to 1 (intervals: 1)."""

    name: str
    title: str
    ends: npt.NDArray[np.float64]
    heights: npt.NDArray[np.float64]
    top: float  # the value that a height of 1 stands for; NaN for intervals


def tracks_of(ask: Ask, state: State, scale: GenomeScale) -> list[TrackStrip]:
    """The first TRACKS tracks of intervals and signals this reader may see; none in a window too wide."""
    place = interval_of(state.where)
    if place is None or scale.span_bp > GENES_SPAN_BP:
        return []
    drawn = [r for r in ask.view.track_records() if r.kind in {"intervals", "signal"}][:TRACKS]
    return [_strip(ask, record, place, scale) for record in drawn]


def _strip(ask: Ask, record: TrackRecord, place: Interval, scale: GenomeScale) -> TrackStrip:
    table = ask.view.track(record.name, place, TRACK_ITEMS, limit=TRACK_ITEMS)
    contig = np.full(table.num_rows, place.contig, np.int64)
    half = 0.5 / scale.span_bp  # a share is of the middle of a base
    low, high = (scale.share(loci_of(contig, table[n].to_numpy())) for n in ("start", "end"))
    heights, top = np.ones(table.num_rows), float("nan")
    if record.kind == "signal":
        values = np.nan_to_num(table["value"].to_numpy().astype(np.float64))
        top = float(max(values.max(initial=0.0), 1e-9))
        heights = np.clip(values / top, 0, 1)
    title = ask.t.field(record, "title") or record.name
    return TrackStrip(record.name, title, np.clip(np.stack([low - half, high + half]), 0, 1), heights, top)


def others_of(ask: Ask, state: State, scale: GenomeScale) -> list[tuple[Association, str]] | None:
    """The strongest association of each other readable trait here; None where the window is too wide.

    Each with the name by which its study is added to the address.
    """
    place = interval_of(state.where)
    if place is None or scale.span_bp > OTHERS_SPAN_BP:
        return None
    shown = {(p.answer.study.id, p.trait.id) for p in state.picks}
    rows = rows_of(ask.view.strongest_in(place, min_neg_log_10_p=HIT))
    others = [row for row in rows if (row["study_id"], row["trait_id"]) not in shown][:OTHERS]
    return [
        (association_of(ask, row | {"trait": _named(ask, row)}), f"{row['study_id']}/{row['trait_id']}")
        for row in others
    ]


def _named(ask: Ask, row: Mapping[str, Any]) -> str:
    """The name of a row's trait in the reader's language."""
    traits = ask.view.study(row["study_id"]).study.traits
    found = next((trait for trait in traits if trait.id == row["trait_id"]), None)
    return (ask.t.field(found, "label") if found else row["trait"]) or row["trait_id"]


def recombination_of(ask: Ask, state: State, scale: GenomeScale) -> npt.NDArray[np.float64]:
    """The recombination rate as shares of width and height [2, R]; empty without a map or too wide."""
    place = interval_of(state.where)
    if place is None or scale.span_bp > GENES_SPAN_BP:
        return np.zeros((2, 0))
    return curve_of(ask.view.recombination(place), scale)


RATE_TOP: Final = 100.0  # cM/Mb at the top of the picture, as LocusZoom draws it


def curve_of(rates: pa.Table, scale: GenomeScale) -> npt.NDArray[np.float64]:
    """Points of a map (a rate, cM/Mb, holds to the next) as a stepped curve [2, R]; clipped to the window."""
    rows = rows_of(rates)
    if not rows:
        return np.zeros((2, 0))
    contig = np.array([scale.assembly.rank(r["chromosome"]) for r in rows], np.int64)
    x = scale.share(loci_of(contig, np.array([r["base_pair_location"] for r in rows], np.int64)))
    y = np.minimum(np.array([r["recombination_rate"] or 0.0 for r in rows], np.float64) / RATE_TOP, 1)
    ends = np.append(x[1:], max(float(x[-1]), 1.0))
    return np.clip(np.stack([np.stack([x, ends], axis=1).ravel(), np.repeat(y, 2)]), 0, 1)
