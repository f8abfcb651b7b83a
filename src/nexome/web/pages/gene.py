"""The page of a gene: its place, its transcripts, the best association of each trait in and around it.

A symbol that stands at several places (the ends of X and Y, copies) has a section for each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.access.answers import ASSOCIATION_COLUMNS
from nexome.access.cells import strongest_cells
from nexome.methods.loci import GENOME_WIDE
from nexome.methods.normal import neg_log10_p_from_z
from nexome.model.errors import NotFoundError
from nexome.model.genome import Assembly, Interval
from nexome.store.associations import feature_column
from nexome.store.genes import GeneRecord
from nexome.web.pages import plots
from nexome.web.pages.associations import Association, associations_of
from nexome.web.pages.figures import Wording
from nexome.web.pages.gene_figure import GenePlot, Model, draw_gene
from nexome.web.pages.numbers import p_text
from nexome.web.pages.page import API, Ask, Card, Download, Link, Page, card_of, rows_of, variant_id
from nexome.web.pages.plots import Drawn, Figure
from nexome.web.pages.ties import Ties, sources_of, ties_of
from nexome.web.pages.variant import source_of

if TYPE_CHECKING:
    from nexome.store.associations.types import Planes
    from nexome.store.knowledge import SourceRecord

FLANKS: Final = {"0": 0, "10kb": 10_000, "50kb": 50_000, "250kb": 250_000}
DEFAULT_FLANK: Final = "10kb"
ROWS: Final = 50
TRANSCRIPTS: Final = 20
_NAMES: Final = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "rsid",
    "feature_name",
)
_ENSEMBL: Final = re.compile(r"ENS[A-Z]*G\d{6,}(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Transcript:
    """One transcript: identifier, biotype, place, exons; `canonical` where the source says so."""

    id: str
    biotype: str
    start: int
    end: int
    exons: int
    canonical: bool


@dataclass(frozen=True)
class Best:
    """The best association of each trait: figure, the strongest rows, how many traits there are."""

    figure: Figure
    rows: tuple[Association, ...]
    traits: int


@dataclass(frozen=True)
class GenePlace:
    """One place of the gene. `explore` leads to it; `leaving` are links out of this centre."""

    gene: GeneRecord
    explore: Link
    leaving: tuple[Link, ...]
    transcripts: tuple[Transcript, ...]
    transcripts_left: int
    best: Card[Best]
    api: str


@dataclass(frozen=True)
class Known:
    """What sources of knowledge say of a gene: its identifiers there, what those are tied to, the sources."""

    terms: tuple[Link, ...]
    ties: tuple[Ties, ...]
    sources: tuple[SourceRecord, ...]


@dataclass(frozen=True)
class GenePage(Page):
    """A gene at all its places; `flanks` are the stretches beside it that may be looked at too."""

    template: ClassVar[str] = "gene.html"
    symbol: str
    description: str
    synonyms: str
    flanks: tuple[Link, ...]
    places: tuple[GenePlace, ...]
    known: Card[Known]


def build_gene(ask: Ask, *, symbol: str) -> GenePage:
    """The page of a gene by symbol or identifier; parameter `flank` says how much beside it is looked at."""
    genes = ask.view.genes_named(symbol)
    flank = ask.choice("flank", FLANKS, DEFAULT_FLANK)
    links = [Link(ask.t(f"gene.flank.{f}"), ask.again(flank=f), f == flank) for f in FLANKS]
    return GenePage(
        title=genes[0].symbol,
        symbol=genes[0].symbol,
        description=genes[0].description,
        synonyms=genes[0].synonyms,
        flanks=tuple(links),
        places=tuple(_place(ask, gene, at, flank) for at, gene in enumerate(genes)),
        known=card_of(lambda: _known(ask, genes[0])),
    )


def _known(ask: Ask, gene: GeneRecord) -> Known:
    terms = ask.view.gene_terms(gene.symbol, gene.id) if ask.view.knows else []
    ties = ties_of(ask, terms)
    tied = [term for term in terms if _is_known(ask, term)]
    return Known(
        tuple(Link(term, ask.href("terms", term)) for term in tied),
        ties,
        tuple(ask.view.sources_named(sources_of(ties))),
    )


def _is_known(ask: Ask, term: str) -> bool:
    try:
        ask.view.term(term)
    except NotFoundError:
        return False
    return True


def build_gene_figure(ask: Ask, *, symbol: str, ending: str) -> Download:
    """The figure of a gene as SVG or TSV, with parameters `flank` and `place` (number of its place)."""
    genes = ask.view.genes_named(symbol)
    flank = ask.choice("flank", FLANKS, DEFAULT_FLANK)
    number = ask.choice("place", tuple(str(i) for i in range(len(genes))), "0")
    if ending == "json":
        raise NotFoundError("the figure of a gene has no JSON", expected="svg or tsv", todo="Ask the API.")
    gene = genes[int(number)]
    drawn = _draw(ask, gene, _around(ask, gene, FLANKS[flank])).drawn
    return drawn.file(f"{gene.symbol}-{number}", ending)


def _place(ask: Ask, gene: GeneRecord, number: int, flank: str) -> GenePlace:
    around = _around(ask, gene, FLANKS[flank])
    transcripts = rows_of(ask.view.transcripts_of(gene))
    region = f"{gene.chromosome}:{around.start}-{around.end}"
    return GenePlace(
        gene=gene,
        explore=Link(
            f"{gene.chromosome}:{around.start:,}–{around.end:,}", ask.href("explore", region=region)
        ),
        leaving=_leaving(gene),
        transcripts=tuple(_transcript(row) for row in transcripts[:TRANSCRIPTS]),
        transcripts_left=max(0, len(transcripts) - TRANSCRIPTS),
        best=card_of(lambda: _best(ask, gene, number, flank)),
        api=f"{API}/genes/{quote(gene.id or gene.symbol, safe='')}",
    )


def _around(ask: Ask, gene: GeneRecord, flank_bp: int) -> Interval:
    assembly = ask.view.assembly
    rank = assembly.rank(gene.chromosome)
    end = min(gene.end + flank_bp, assembly.contigs[rank].length_bp)
    return Interval(rank, max(1, gene.start - flank_bp), end)


def _transcript(row: dict[str, Any]) -> Transcript:
    return Transcript(
        id=row["transcript_id"],
        biotype=row["biotype"] or "",
        start=row["start"],
        end=row["end"],
        exons=len(row["exon_starts"] or ()),
        canonical=bool(row["canonical"]),
    )


def _leaving(gene: GeneRecord) -> tuple[Link, ...]:
    """Plain links to public pages about the gene, made of its identifier alone."""
    if not _ENSEMBL.fullmatch(gene.id):
        return ()
    bare = gene.id.partition(".")[0]
    return (
        Link("Ensembl", f"https://www.ensembl.org/id/{bare}"),
        Link("Open Targets", f"https://platform.opentargets.org/target/{bare}"),
    )


def _best(ask: Ask, gene: GeneRecord, number: int, flank: str) -> Best:
    around = _around(ask, gene, FLANKS[flank])
    drawing = _draw(ask, gene, around)
    figure = plots.figure_of(
        drawing.drawn,
        drawing.wording,
        plots.Place(
            f"gene-{number}",
            ask.href("genes", gene.symbol, "figure"),
            f"{API}/genes/{quote(gene.id or gene.symbol, safe='')}",
            f"flank={flank}&place={number}",
            ("svg", "tsv"),
        ),
        subtitle=ask.t("gene.subtitle", assembly=ask.view.assembly.name),
        source=source_of(ask, drawing.studies),
    )
    return Best(figure, drawing.rows, drawing.traits)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The figure, its words, the strongest ROWS best associations, how many traits, of which studies."""

    drawn: Drawn
    wording: Wording
    rows: tuple[Association, ...]
    traits: int
    studies: list[str]


def _draw(ask: Ask, gene: GeneRecord, around: Interval) -> _Drawing:
    planes = ask.view.region_planes(around)
    best = strongest_cells(planes).table(ASSOCIATION_COLUMNS)
    best = best.sort_by([("neg_log_10_p_value", "descending")])
    rows = associations_of(ask, best.slice(0, ROWS), planes.trait_table)
    plot = _plot(ask, gene, around, planes)
    strong, total = int(np.count_nonzero(best["neg_log_10_p_value"].to_numpy() >= GENOME_WIDE)), len(best)
    t = ask.t
    sentence = t("gene.sentence", gene=gene.symbol, n=strong, total=total)
    if rows:
        sentence += t("gene.strongest", trait=rows[0].trait, p=p_text(rows[0].neg_log_10_p_value))
    wording = Wording(
        title=t("gene.figure_title", gene=gene.symbol, n=strong, total=total),
        sentence=sentence,
        x=t("gene.x", chromosome=gene.chromosome),
        y=t("axis.neg_log_10_p"),
        threshold=t("manhattan.threshold"),
        note=t("figure.folded") if plot.scale.folded else "",
    )
    studies = pc.unique(best["study_id"]).to_pylist()
    return _Drawing(draw_gene(plot, wording), wording, tuple(rows), total, studies)


def _plot(ask: Ask, gene: GeneRecord, around: Interval, planes: Planes) -> GenePlot:
    """The strongest association of each variant around, whatever its trait."""
    size = np.nan_to_num(np.abs(planes.column("z")), nan=-1.0)
    known = np.flatnonzero(size.max(axis=1, initial=-1.0) >= 0)
    best = size[known].argmax(axis=1) if len(known) else np.zeros(0, np.int64)
    names = [variant_id(row) for row in rows_of(named_features(planes, known, ask.view.assembly))]
    refs = [planes.traits[i] for i in best.tolist()]
    return GenePlot(
        start=around.start,
        end=around.end,
        model=_model(ask, gene),
        position=planes.features.position[known].astype(np.int64),
        neg_log_10_p=neg_log10_p_from_z(size[known, best]).astype(np.float64),
        variant=names,
        href=[ask.href("variants", name) for name in names],
        trait=[ask.t.field(ref.trait, "label") or ref.trait.id for ref in refs],
    )


def named_features(planes: Planes, rows: npt.NDArray[np.int64], assembly: Assembly) -> pa.Table:
    """Names of some features of planes, as `variant_id` takes them."""
    features = planes.features.take(rows)
    return pa.table({name: feature_column(features, assembly, name) for name in _NAMES})


def _model(ask: Ask, gene: GeneRecord) -> Model:
    """The gene with the exons of its first transcript (the canonical one, else the longest)."""
    table = ask.view.transcripts_of(gene)
    if not table.num_rows:
        return Model(gene.symbol, gene.start, gene.end, gene.strand)
    row = rows_of(table.slice(0, 1))[0]
    exons = list(zip(row["exon_starts"] or (), row["exon_ends"] or (), strict=True))
    coding = (row["cds_start"] or 0, row["cds_end"] or 0)
    return Model(gene.symbol, gene.start, gene.end, gene.strand, exons, coding)
