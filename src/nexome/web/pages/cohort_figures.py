"""Figures of people: how many in each band, one outline a group. Numbers in, SVG, JSON and TSV out.

Bands may be of any width, so that what is drawn is people a unit (a density): equal areas are equal numbers.
The first and last band have no outer limit; they are drawn as wide as their neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.web.pages.figures import Wording
from nexome.web.pages.layers import Curve, Label, Layers, Points, layers_json, layers_picture
from nexome.web.pages.plots import Drawn
from nexome.web.pages.ticks import ticks_between

WIDTH: Final = 1040
HEIGHT: Final = 320
_TICKS: Final = 8
_ROOM: Final = 1.14  # above the highest outline

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outline:
    """People in each of B bands, NaN where not told; `role` is its colour (0, 1 grey, 2 accent)."""

    name: str
    people: Floats
    role: int


@dataclass(frozen=True, slots=True)
class BandPlot:
    """Outlines over the same bands: B − 1 inner limits, ascending, and what each band is called."""

    cuts: Floats
    bands: Sequence[str]
    outlines: Sequence[Outline]

    @property
    def edges(self) -> Floats:
        """B + 1 limits, the outer ones as far away as the next inner one."""
        if len(self.cuts) == 1:
            return np.array([0.0, self.cuts[0], 2 * self.cuts[0]])
        first, last = self.cuts[1] - self.cuts[0], self.cuts[-1] - self.cuts[-2]
        low = self.cuts[0] - first
        return np.concatenate(
            [[max(0.0, low) if self.cuts[0] > 0 else low], self.cuts, [self.cuts[-1] + last]]
        )


def trimmed(plot: BandPlot) -> BandPlot:
    """Without the empty bands at either end, one left on each side."""
    held = np.flatnonzero(np.sum([np.nan_to_num(outline.people) for outline in plot.outlines], axis=0))
    if not len(held):
        return plot
    first, last = max(0, int(held[0]) - 1), min(len(plot.bands) - 1, int(held[-1]) + 1)
    if last - first < 2:
        return plot
    outlines = [Outline(one.name, one.people[first : last + 1], one.role) for one in plot.outlines]
    return BandPlot(plot.cuts[first:last], plot.bands[first : last + 1], outlines)


def draw_bands(plot: BandPlot, wording: Wording) -> Drawn:
    """The outlines as densities; the table has a row a band and group."""
    return Drawn(
        picture=lambda: layers_picture(_layers(plot), wording),
        json=lambda: layers_json(_layers(plot), wording),
        table=lambda: _columns(plot),
    )


def _layers(plot: BandPlot) -> Layers:
    edges = plot.edges
    width = np.diff(edges)
    heights = [np.nan_to_num(outline.people) / width for outline in plot.outlines]
    totals = [max(1.0, float(np.nansum(outline.people))) for outline in plot.outlines]
    shares = [height / total for height, total in zip(heights, totals, strict=True)]
    top = max(float(max((share.max() for share in shares), default=0.0)), 1e-12) * _ROOM
    ticks = ticks_between(edges[0], edges[-1], _TICKS)
    curves, labels = [], []
    for outline, share in zip(plot.outlines, shares, strict=True):
        x, y = _steps(edges, share / top)
        curves.append(Curve(x, y, outline.role))
        peak = int(share.argmax())
        at = (edges[peak] + edges[peak + 1]) / 2
        labels.append(
            Label(float(_across(edges, at)), float(share[peak] / top), outline.name, role=outline.role)
        )
    return Layers(
        WIDTH,
        HEIGHT,
        x_ticks=[(float(_across(edges, tick)), f"{tick:g}") for tick in ticks],
        y_ticks=[],
        points=Points(),
        curves=curves,
        labels=_apart(labels),
    )


def _steps(edges: Floats, heights: Floats) -> tuple[Floats, Floats]:
    """The outline of columns between edges, from the floor and back to it."""
    x = np.repeat(_across(edges, edges), 2)
    return x, np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])


def _across(edges: Floats, value: npt.ArrayLike) -> Floats:
    return np.asarray((np.asarray(value, np.float64) - edges[0]) / (edges[-1] - edges[0]))


def _apart(labels: Sequence[Label]) -> list[Label]:
    """Labels whose places are nearly one stand side by side."""
    placed: list[Label] = []
    for label in sorted(labels, key=lambda one: one.x):
        x = label.x
        if placed and x - placed[-1].x < 0.12:
            x = placed[-1].x + 0.12
        placed.append(Label(min(x, 0.97), label.y, label.text, role=label.role))
    return placed


def _columns(plot: BandPlot) -> dict[str, Sequence[object]]:
    rows = [
        (outline.name, band, "" if np.isnan(people) else int(people))
        for outline in plot.outlines
        for band, people in zip(plot.bands, outline.people.tolist(), strict=True)
    ]
    return {name: [row[at] for row in rows] for at, name in enumerate(("group", "band", "participants"))}
