"""The figure of a gene: its exons, and over them the strongest association of every variant around.

Plain numbers in, static SVG and TSV out. Knows no store and no language: texts come in with `Wording`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.methods.loci import GENOME_WIDE
from nexome.web.pages.explore_scale import step_of_bases
from nexome.web.pages.figures import Lead, Wording, YScale
from nexome.web.pages.numbers import p_text
from nexome.web.pages.plots import Drawn
from nexome.web.pages.svg import Picture

_FLOOR: Final = 0.24  # share of the height that the gene takes below the associations
_GENE_AT: Final = 0.13
_ARROWS: Final = 14
_LETTER: Final = 0.0076  # of the width
_TOLD: Final = 400  # strongest variants that a pointer is told of


@dataclass(frozen=True, slots=True)
class Model:
    """A gene as drawn: ends, strand ('+', '-' or ''), exons and the coding stretch (0, 0: none), 1-based."""

    symbol: str
    start: int
    end: int
    strand: str
    exons: Sequence[tuple[int, int]] = ()
    coding: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class GenePlot:
    """V variants between `start` and `end`: `position`, `neg_log_10_p` of the strongest trait, `trait`."""

    start: int
    end: int
    model: Model
    position: npt.NDArray[np.int64]
    neg_log_10_p: npt.NDArray[np.float64]
    variant: Sequence[str]
    href: Sequence[str]
    trait: Sequence[str]

    @property
    def scale(self) -> YScale:
        """Scale up to a little above the strongest, never below the threshold."""
        top = float(self.neg_log_10_p.max()) if len(self.neg_log_10_p) else 0.0
        return YScale(max(GENOME_WIDE, top) * 1.12)

    def across(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Shares of the width of positions."""
        return (np.asarray(position, np.float64) - self.start) / max(1, self.end - self.start)


def draw_gene(plot: GenePlot, wording: Wording) -> Drawn:
    """The figure as SVG and TSV, strongest first in the table."""
    order = np.argsort(-plot.neg_log_10_p, kind="stable").tolist()
    return Drawn(
        picture=lambda: _picture(plot, wording),
        json=dict,
        table=lambda: {
            "feature": [plot.variant[i] for i in order],
            "base_pair_location": [int(plot.position[i]) for i in order],
            "trait": [plot.trait[i] for i in order],
            "neg_log_10_p_value": [round(float(plot.neg_log_10_p[i]), 4) for i in order],
        },
    )


def _picture(plot: GenePlot, wording: Wording) -> Picture:
    picture = Picture(1040, 380, wording.sentence)
    scale = plot.scale
    for tick in scale.ticks():
        picture.y_tick(float(_height(scale.share(tick))), f"{tick:g}")
    picture.level(float(_height(scale.share(GENOME_WIDE))), wording.threshold)
    x, y = plot.across(plot.position), _height(scale.share(plot.neg_log_10_p))
    past = plot.neg_log_10_p >= GENOME_WIDE
    picture.dots(x[~past], y[~past], colour="even", size=4)
    picture.dots(x[past], y[past], colour="hit", size=6)
    _model(picture, plot)
    _name_strongest(picture, plot, scale)
    _tell(picture, plot, (x, y))
    for tick in _ticks(plot.start, plot.end):
        picture.x_tick(float(plot.across(tick)), f"{tick / 1e6:.6g}")
    picture.axis_titles(wording.x, wording.y)
    return picture


def _tell(
    picture: Picture, plot: GenePlot, at: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
) -> None:
    """What a pointer is told over the strongest variants; the strongest lies on top."""
    shown = np.argsort(plot.neg_log_10_p, kind="stable")[-_TOLD:]
    told = [f"{plot.variant[i]} · {plot.trait[i]} · p = {p_text(plot.neg_log_10_p[i])}" for i in shown]
    picture.spots(at[0][shown], at[1][shown], told)


def _height(share: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return _FLOOR + (1 - _FLOOR) * np.asarray(share, np.float64)


def _model(picture: Picture, plot: GenePlot) -> None:
    """The gene: a line with arrows along its strand, exons as bars, the coding ones higher."""
    model = plot.model
    first, last = (float(v) for v in plot.across([model.start, model.end]))
    picture.across(max(0.0, first), min(1.0, last), _GENE_AT, colour="even")
    for start, end in model.exons or [(model.start, model.end)]:
        _exon(picture, plot, start, end)
    if model.exons and model.strand in {"+", "-"} and last - first > 0.05:
        sign = "›" if model.strand == "+" else "‹"
        for at in np.linspace(first, last, _ARROWS)[1:-1]:
            picture.label(float(at), _GENE_AT, sign, style="tick text", anchor="middle", shift=(0, 4))
    middle = min(
        max((first + last) / 2, len(model.symbol) * _LETTER / 2), 1 - len(model.symbol) * _LETTER / 2
    )
    picture.label(middle, _GENE_AT, model.symbol, style="gene strong", anchor="middle", shift=(0, 22))


def _exon(picture: Picture, plot: GenePlot, start: int, end: int) -> None:
    low, high = plot.model.coding
    for first, last, height in (
        (start, end, 7.0),
        (max(start, low), min(end, high), 13.0) if low else (1, 0, 0.0),
    ):
        if last >= first:
            ends = plot.across([first, last + 1])
            picture.bar((float(ends[0]), float(ends[1])), _GENE_AT, height=height)


def _name_strongest(picture: Picture, plot: GenePlot, scale: YScale) -> None:
    """The strongest variant, and what it is strongest with."""
    if not len(plot.position):
        return
    at = int(plot.neg_log_10_p.argmax())
    lead = Lead(
        float(plot.across(plot.position[at])),
        float(plot.neg_log_10_p[at]),
        f"{plot.variant[at]} · {plot.trait[at]}"[:60],
        plot.href[at],
    )
    anchor = "start" if lead.x < 0.35 else "end" if lead.x > 0.65 else "middle"  # fits a telephone too
    y = float(_height(scale.share(lead.neg_log_10_p)))
    picture.label(lead.x, y, lead.label, style="lead strong", anchor=anchor, shift=(0, -8), href=lead.href)


def _ticks(start: int, end: int) -> list[int]:
    """About five round positions between two."""
    step = step_of_bases((end - start) / 5)
    return list(range(-(-start // step) * step, end + 1, step))
