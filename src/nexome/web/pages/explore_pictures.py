"""The pictures of the explorer without scripts: associations of a window by LD, genes, the whole genome.

Plain arrays in, a Picture out (svg.py); texts come in from the page. The islands in web/src/explore draw
the same from the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.methods.loci import GENOME_WIDE
from nexome.web.pages.explore_scale import GenomeScale
from nexome.web.pages.figures import Manhattan, Wording, YScale
from nexome.web.pages.svg import Picture

LD_STEPS: Final = (0.2, 0.4, 0.6, 0.8)
LD_NAMES: Final = ("ld1", "ld2", "ld3", "ld4", "ld5")  # r² below 0.2, 0.2–0.4 … 0.8 and above
GENE_ROWS: Final = 8
GENE_ROW_PX: Final = 26
TRACK_PX: Final = 24  # height of the strip of a track
_LETTER: Final = 0.0085  # share of the width that a letter of a gene's name takes on a screen of 1,040 pixels

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """The points of one study in a window: P shares of the width, −log₁₀ p, r² with the lead (NaN unknown).

    `lead` is the index of the lead among them, −1 where it is not shown; `names` of the strongest few.
    """

    x: Floats
    y: Floats
    r2: Floats
    lead: int = -1
    labels: tuple[tuple[int, str, str], ...] = ()  # (point, name, href)

    @property
    def scale(self) -> YScale:
        """Scale up to a little above the strongest point, never below the threshold."""
        return YScale(max([GENOME_WIDE, *(float(v) for v in self.y.max(initial=0.0, keepdims=True))]) * 1.1)

    def ld_class(self) -> npt.NDArray[np.int8]:
        """0 to 4 by LD_STEPS, −1 where r² is not known, int8 [P]."""
        steps = np.searchsorted(np.array(LD_STEPS), self.r2, side="right").astype(np.int8)
        return np.where(np.isnan(self.r2), np.int8(-1), steps)


def region_picture(
    points: Points, scale: GenomeScale, *, wording: Wording, recombination: Floats, curve: str
) -> Picture:
    """Associations of a window; `recombination` [2, R] is a curve of shares of both, named `curve`."""
    picture = Picture(1040, 320, wording.sentence)
    heights = points.scale
    for value in heights.ticks():
        picture.y_tick(float(heights.share(value)), f"{value:g}")
    for border in scale.borders():
        picture.upright(border)
    if recombination.shape[1]:
        picture.curve(recombination[0], recombination[1], colour="text")
        picture.label(1, 1, curve, anchor="end", shift=(0, -4))
    picture.level(float(heights.share(GENOME_WIDE)), wording.threshold)
    _draw_points(picture, points, heights)
    for x, text in scale.ticks():
        picture.x_tick(x, text)
    for at, name, href in points.labels:
        x = float(points.x[at])
        anchor = "start" if x < 0.08 else "end" if x > 0.92 else "middle"
        y = float(heights.share(points.y[at]))
        picture.label(x, y, name, style="lead strong", anchor=anchor, shift=(0, -10), href=href)
    picture.axis_titles(wording.x, wording.y)
    return picture


def _draw_points(picture: Picture, points: Points, heights: YScale) -> None:
    y, classes = heights.share(points.y), points.ld_class()
    lead = np.arange(len(points.x)) == points.lead
    plain = (classes < 0) & ~lead
    past = points.y >= GENOME_WIDE
    unknown_past = "hit" if points.lead < 0 and np.isnan(points.r2).all() else "odd"
    picture.dots(points.x[plain & ~past], y[plain & ~past], colour="odd", size=3)
    picture.dots(points.x[plain & past], y[plain & past], colour=unknown_past, size=4.4)
    weak = (classes == 0) & ~lead
    picture.dots(points.x[weak], y[weak], colour="ld1", size=4)
    for number, name in enumerate(LD_NAMES[1:], 1):
        of = (classes == number) & ~lead
        picture.marks(points.x[of], y[of], shape=name)
    if points.lead >= 0:
        picture.marks(points.x[lead], y[lead], shape="lead")


@dataclass(frozen=True, slots=True)
class GeneBar:
    """A gene on the picture: shares of its ends and of its exons, symbol, strand, its page."""

    start: float
    end: float
    exons: tuple[tuple[float, float], ...]
    symbol: str
    strand: str
    href: str

    @property
    def label(self) -> str:
        """The symbol with an arrow in the direction of reading."""
        if self.strand == "+":
            return f"{self.symbol} →"
        return f"← {self.symbol}" if self.strand == "-" else self.symbol


def place_genes(genes: Sequence[GeneBar], *, most: int = GENE_ROWS) -> list[list[GeneBar]]:
    """Genes in rows, so that neither bars nor names overlap; those beyond `most` rows are left out."""
    rows: list[list[GeneBar]] = []
    ends: list[float] = []
    for gene in sorted(genes, key=lambda g: (g.start, g.end)):
        low, high = _reach(gene)
        row = next((i for i, end in enumerate(ends) if end < low), len(rows))
        if row == len(rows):
            if row == most:
                continue
            rows.append([])
            ends.append(0.0)
        rows[row].append(gene)
        ends[row] = high
    return rows


def _reach(gene: GeneBar) -> tuple[float, float]:
    """First and last share that a gene takes with its name, which stands at the middle of what is seen."""
    low, high = max(gene.start, 0.0), min(gene.end, 1.0)
    half = len(gene.label) * _LETTER / 2
    middle = min(max((low + high) / 2, half), 1 - half)
    return min(low, middle - half) - 0.004, max(high, middle + half) + 0.004


def gene_picture(rows: Sequence[Sequence[GeneBar]], scale: GenomeScale, sentence: str) -> Picture:
    """Genes in rows: a line over the gene, boxes over exons, the name above it."""
    picture = Picture(1040, 60 + GENE_ROW_PX * len(rows), sentence)
    for number, row in enumerate(rows):
        y = 1 - (number + 0.75) / len(rows)
        for gene in row:
            picture.bar((gene.start, gene.end), y, height=1.5 if gene.exons else 6)
            for exon in gene.exons:
                picture.bar(exon, y, height=8)
            low, high = _reach(gene)
            at = min(max((max(gene.start, 0) + min(gene.end, 1)) / 2, 0.01), 0.99)
            anchor = "start" if low <= 0 and at < 0.06 else "end" if high >= 1 and at > 0.94 else "middle"
            picture.label(at, y, gene.label, style="gene text", anchor=anchor, shift=(0, -7), href=gene.href)
    for x, text in scale.ticks():
        picture.x_tick(x, text)
    return picture


def track_picture(ends: Floats, heights: Floats, sentence: str) -> Picture:
    """Items of a track as bars from the bottom: `ends` shares of the width [2, I], `heights` 0 to 1 [I]."""
    picture = Picture(1040, 76, sentence)
    for low, high, height in zip(ends[0].tolist(), ends[1].tolist(), heights.tolist(), strict=True):
        picture.bar((low, high), height / 2, height=max(1.0, TRACK_PX * height))
    return picture


def overview_picture(
    plot: Manhattan, marked: tuple[float, float], links: Sequence[tuple[float, str, str]], sentence: str
) -> Picture:
    """The whole genome in little, the window marked; `links` are (share, contig, its address)."""
    picture = Picture(1040, 130, sentence)
    heights, parity = plot.scale, plot.contig_index(plot.x) % 2
    run_parity = plot.contig_index(plot.run_x) % 2
    past = plot.y >= GENOME_WIDE
    for which, colour in ((0, "even"), (1, "odd")):
        of = run_parity == which
        low, high = heights.share(plot.run_low[of]), heights.share(plot.run_high[of])
        picture.columns(plot.run_x[of] / plot.width_bp, low, high, colour=colour, size=1.6)
        near = (parity == which) & ~past
        picture.dots(plot.x[near] / plot.width_bp, heights.share(plot.y[near]), colour=colour, size=1.8)
    picture.dots(plot.x[past] / plot.width_bp, heights.share(plot.y[past]), colour="hit", size=2.6)
    picture.shade(marked)
    for x, name, href in links:
        picture.label(x, 0, name, anchor="middle", shift=(0, 18), href=href)
    return picture
