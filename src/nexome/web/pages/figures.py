"""The figures of the pages: Manhattan, quantile–quantile, PheWAS. Data of a plot in, static SVG and JSON out.

Each figure is first plain arrays (a dataclass here), then drawn twice: by `*_picture`, complete without
scripts, and by `*_json` for the island in web/ with hover and zoom. Nothing here reads a store or knows a
language: texts come in with `Wording`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.loci import GENOME_WIDE
from nexome.methods.quantiles import QuantilePoints
from nexome.web.pages.numbers import p_text
from nexome.web.pages.svg import Picture
from nexome.web.pages.ticks import nice_ticks

FOLD_AT: Final = 20.0  # −log10 p above which the upper axis is compressed …
FOLD_OVER: Final = 40.0  # … when the strongest signal exceeds this, so that the rest stays visible
FOLD_SHARE: Final = 0.6  # share of the height below the fold
MOST_LABELS: Final = 8
MOST_MARKS: Final = (
    1_500  # triangles of a PheWAS; beyond, traits below the threshold are dots: 100 bytes less
)
_HIT: Final = 2  # the role of points past the threshold

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a figure says in the reader's language: title, one sentence, axes, threshold, a note."""

    title: str
    sentence: str
    x: str
    y: str
    threshold: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class YScale:
    """−log10 p to a share of the height; above FOLD_AT compressed when `top` lies beyond FOLD_OVER."""

    top: float

    @property
    def folded(self) -> bool:
        """Whether the upper part of the axis is compressed."""
        return self.top > FOLD_OVER

    def share(self, y: npt.ArrayLike) -> Floats:
        """Shares of the height, 0 to 1, of values of −log10 p."""
        value = np.asarray(y, np.float64)
        if not self.folded:
            return value / self.top
        upper = FOLD_SHARE + (1 - FOLD_SHARE) * (value - FOLD_AT) / (self.top - FOLD_AT)
        return np.where(value <= FOLD_AT, value / FOLD_AT * FOLD_SHARE, upper)

    def ticks(self) -> list[float]:
        """Round values worth a line."""
        if not self.folded:
            return nice_ticks(self.top)
        upper = [t for t in nice_ticks(self.top, 4) if t > FOLD_AT * 1.4]
        return [*nice_ticks(FOLD_AT, 4), *upper]


@dataclass(frozen=True, slots=True)
class Lead:
    """A point named on the plot; `x` as on the plot's own axis, `href` its page."""

    x: float
    neg_log_10_p: float
    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Manhattan:
    """Points of a Manhattan plot on one axis of bases, contigs end to end from 0 to `width_bp`.

    `contigs` are (name, first base, length) of those drawn. Runs of dots (R): `run_x`, `run_low`,
    `run_high`, −log10 p. Features one by one (P), strongest first: `x`, `y`, `id`, `name`, and `href`,
    their page. `leads` are the loci, strongest first.
    """

    contigs: Sequence[tuple[str, int, int]]
    width_bp: int
    run_x: Ints
    run_low: Floats
    run_high: Floats
    x: Ints
    y: Floats
    id: Sequence[str]
    name: Sequence[str]
    href: Sequence[str]
    leads: Sequence[Lead]

    @property
    def scale(self) -> YScale:
        """Scale up to a little above the strongest point, never below the threshold."""
        tops = [GENOME_WIDE, *(float(a.max()) for a in (self.run_high, self.y) if len(a))]
        return YScale(max(tops) * 1.08)

    def contig_index(self, x: Ints) -> Ints:
        """Which of `contigs` each place lies on."""
        return np.searchsorted(np.array([first for _, first, _ in self.contigs]), x, side="right") - 1


def manhattan_picture(plot: Manhattan, wording: Wording) -> Picture:
    """The Manhattan plot: contigs in two greys, points past the threshold in the accent."""
    picture = Picture(1040, 360, wording.sentence)
    scale = plot.scale
    _y_axis(picture, scale)
    run_parity, parity = plot.contig_index(plot.run_x) % 2, plot.contig_index(plot.x) % 2
    past = plot.y >= GENOME_WIDE
    for which, colour in ((0, "even"), (1, "odd")):
        of = run_parity == which
        low, high = scale.share(plot.run_low[of]), scale.share(plot.run_high[of])
        picture.columns(plot.run_x[of] / plot.width_bp, low, high, colour=colour, size=2.4)
        near = (parity == which) & ~past
        picture.dots(plot.x[near] / plot.width_bp, scale.share(plot.y[near]), colour=colour, size=2.8)
    picture.dots(plot.x[past] / plot.width_bp, scale.share(plot.y[past]), colour="hit", size=4)
    _contig_ticks(picture, plot)
    picture.level(float(scale.share(GENOME_WIDE)), wording.threshold)
    _label_leads(picture, _manhattan_names(plot, wording), width=plot.width_bp)
    picture.axis_titles(wording.x, wording.y)
    return picture


def manhattan_json(plot: Manhattan, wording: Wording) -> dict[str, Any]:
    """The same points for the island (see `_frame`)."""
    scale = plot.scale
    ticks = [(first + length / 2, name) for name, first, length in plot.contigs]
    role = np.where(plot.y >= GENOME_WIDE, _HIT, plot.contig_index(plot.x) % 2)
    return _frame(wording, scale, width=plot.width_bp, x_ticks=ticks) | {
        "zoom": True,
        "threshold": _rule(scale, GENOME_WIDE, wording),
        "runs": {
            "x": plot.run_x.tolist(),
            "low": _shares(scale, plot.run_low),
            "high": _shares(scale, plot.run_high),
            "role": (plot.contig_index(plot.run_x) % 2).tolist(),
        },
        "points": {
            "x": plot.x.tolist(),
            "y": _shares(scale, plot.y),
            "role": role.tolist(),
            "name": list(plot.name),
            "note": [f"p = {p_text(y)}" for y in plot.y.tolist()],
            "href": list(plot.href),
        },
        "labels": _label_rows(_manhattan_names(plot, wording)),
    }


def qq_picture(points: QuantilePoints, wording: Wording) -> Picture:
    """The quantile–quantile plot, with the band that chance alone would stay in."""
    picture = Picture(480, 360, wording.sentence)
    right, scale = _qq_frame(points)
    _y_axis(picture, scale)
    x = points.expected / right
    picture.band(x, scale.share(points.lower), scale.share(np.minimum(points.upper, scale.top)))
    line = np.linspace(0, right, 60)
    picture.curve(line / right, scale.share(line), colour="line")
    picture.dots(x, scale.share(points.observed), colour="hit", size=4)
    for tick in nice_ticks(right, 6):
        picture.x_tick(tick / right, f"{tick:g}")
    picture.axis_titles(wording.x, wording.y)
    return picture


def qq_json(points: QuantilePoints, wording: Wording) -> dict[str, Any]:
    """The same points for the island (see `_frame`)."""
    right, scale = _qq_frame(points)
    ticks = [(tick, f"{tick:g}") for tick in nice_ticks(right, 6)]
    line = np.linspace(0, right, 60)
    return _frame(wording, scale, width=right, x_ticks=ticks) | {
        "zoom": False,
        "band": {
            "x": np.round(points.expected, 4).tolist(),
            "low": _shares(scale, points.lower),
            "high": _shares(scale, np.minimum(points.upper, scale.top)),
        },
        "line": {"x": np.round(line, 4).tolist(), "y": _shares(scale, line)},
        "points": {
            "x": np.round(points.expected, 4).tolist(),
            "y": _shares(scale, points.observed),
            "role": [_HIT] * len(points.expected),
            "name": [f"p = {p_text(y)}" for y in points.observed.tolist()],
            "note": [f"{n:,}" for n in points.count.tolist()],
            "href": [],
        },
    }


@dataclass(frozen=True, slots=True)
class PhewasPoint:
    """One trait of a PheWAS plot; `rises` is true where the effect allele goes with more of the trait."""

    label: str
    study: str
    category: str
    neg_log_10_p: float
    rises: bool
    href: str


@dataclass(frozen=True, slots=True)
class Phewas:
    """Traits grouped by category, in the order drawn; `threshold`: −log10 of 0.05 over the tests made."""

    points: Sequence[PhewasPoint]
    threshold: float

    @property
    def groups(self) -> list[tuple[str, int, int]]:
        """(category, first index, one behind its last index)."""
        found: list[tuple[str, int, int]] = []
        for i, point in enumerate(self.points):
            if found and found[-1][0] == point.category:
                found[-1] = (point.category, found[-1][1], i + 1)
            else:
                found.append((point.category, i, i + 1))
        return found

    @property
    def scale(self) -> YScale:
        """Scale up to a little above the strongest trait, never below the threshold."""
        return YScale(max([self.threshold, *(p.neg_log_10_p for p in self.points)]) * 1.1)


def phewas_picture(plot: Phewas, wording: Wording) -> Picture:
    """The PheWAS plot: one triangle a trait, pointing up where the effect is above zero."""
    picture = Picture(1040, 360, wording.sentence)
    scale, groups = plot.scale, plot.groups
    x = _phewas_places(plot)
    y = np.array([p.neg_log_10_p for p in plot.points])
    rises = np.array([p.rises for p in plot.points], bool)
    of_group = np.repeat(np.arange(len(groups)), [end - first for _, first, end in groups])
    _y_axis(picture, scale)
    past = y >= plot.threshold
    marked = past | (len(y) <= MOST_MARKS)  # of many, those that say nothing are dots without direction
    for parity, colour in ((0, "even"), (1, "odd")):
        of = ~past & (of_group % 2 == parity)
        picture.dots(x[of & ~marked], scale.share(y[of & ~marked]), colour=colour, size=3)
        for up in (True, False):
            here = of & marked & (rises == up)
            picture.triangles(x[here], scale.share(y[here]), up=up, colour=colour)
    for up in (True, False):
        here = (rises == up) & past
        picture.triangles(x[here], scale.share(y[here]), up=up, colour="hit")
    _category_ticks(picture, groups, x)
    picture.level(float(scale.share(plot.threshold)), wording.threshold)
    _label_leads(picture, _phewas_names(plot, wording), width=1)
    picture.axis_titles(wording.x, wording.y)
    return picture


def phewas_json(plot: Phewas, wording: Wording) -> dict[str, Any]:
    """The same points for the island (see `_frame`)."""
    scale, groups, x = plot.scale, plot.groups, _phewas_places(plot)
    ticks = [(float(x[first:end].mean()), name) for name, first, end in groups if name]
    y = [p.neg_log_10_p for p in plot.points]
    parity = [g % 2 for g, (_, first, end) in enumerate(groups) for _ in range(first, end)]
    return _frame(wording, scale, width=1, x_ticks=ticks) | {
        "zoom": len(plot.points) > 100,
        "threshold": _rule(scale, plot.threshold, wording),
        "points": {
            "x": np.round(x, 5).tolist(),
            "y": _shares(scale, y),
            "role": [_HIT if v >= plot.threshold else g for v, g in zip(y, parity, strict=True)],
            "rises": [p.rises for p in plot.points],
            "name": [p.label for p in plot.points],
            "note": [f"p = {p_text(p.neg_log_10_p)} · {p.study}" for p in plot.points],
            "href": [p.href for p in plot.points],
        },
        "labels": _label_rows(_phewas_names(plot, wording)),
    }


def _frame(
    wording: Wording, scale: YScale, *, width: float, x_ticks: Sequence[tuple[float, str]]
) -> dict[str, Any]:
    """What every plot tells the island: axes from 0 to `width` and from 0 to 1, as the SVG has them.

    Heights are shares of the plot, so that a folded axis has one home; `role` 0 and 1 are the two
    greys, 2 the accent.
    """
    return {
        "width": width,
        "x_title": wording.x,
        "y_title": wording.y,
        "x_ticks": [{"at": at, "text": text} for at, text in x_ticks],
        "y_ticks": [{"at": _shares(scale, [t])[0], "text": f"{t:g}"} for t in scale.ticks()],
    }


def _rule(scale: YScale, y: float, wording: Wording) -> dict[str, Any]:
    return {"at": _shares(scale, [y])[0], "text": wording.threshold}


def _shares(scale: YScale, y: npt.ArrayLike) -> list[float]:
    return np.round(scale.share(y), 4).tolist()


def _phewas_places(plot: Phewas) -> Floats:
    """Shares of the width: points evenly apart, with a gap between groups."""
    if not plot.points:
        return np.zeros(0)
    gap = max(0.5, len(plot.points) * 0.012)
    place: list[float] = []
    for g, (_, first, end) in enumerate(plot.groups):
        place.extend(i + 0.5 + g * gap for i in range(first, end))
    return np.array(place) / (len(plot.points) + (len(plot.groups) - 1) * gap)


def _category_ticks(picture: Picture, groups: Sequence[tuple[str, int, int]], x: Floats) -> None:
    """Names of categories under their points, where neighbours leave room (about 7 px a letter of 976)."""
    edge = -1.0
    for name, first, end in groups:
        centre, half = float(x[first:end].mean()), len(name) * 0.0036
        if centre - half > edge and name:
            picture.x_tick(min(max(centre, half), 1 - half), name, style="tick minor text")
            edge = centre + half + 0.01


def _contig_ticks(picture: Picture, plot: Manhattan) -> None:
    """Names of contigs under their middle; too narrow ones go without, every other gives way on a phone."""
    for i, (name, first, length) in enumerate(plot.contigs):
        if length / plot.width_bp > 0.008 * len(name):
            style = "tick minor text" if i % 2 and len(plot.contigs) > 8 else "tick text"
            picture.x_tick((first + length / 2) / plot.width_bp, name, style=style)


def _y_axis(picture: Picture, scale: YScale) -> None:
    for tick in scale.ticks():
        picture.y_tick(float(scale.share(tick)), f"{tick:g}")


def _named(
    leads: Sequence[Lead], scale: YScale, *, width: float, threshold: tuple[float, str]
) -> list[tuple[Lead, float]]:
    """The strongest points that get a name, each with its share of the height; none stands on another.

    `leads` come strongest first, on an axis of `width`; a letter takes about 0.76 % of the plot. The
    name of the threshold (−log10 p, text) stands at the right end of its line and keeps its place.
    """
    level, text = float(scale.share(threshold[0])), threshold[1]
    taken: list[tuple[Lead, float]] = [(Lead(width * (1 - len(text) * 0.0038), 0.0, text, ""), level)]
    for lead in leads[: MOST_LABELS * 3]:
        y = float(scale.share(lead.neg_log_10_p))
        free = all(
            abs(lead.x - other.x) / width > (len(lead.label) + len(other.label)) * 0.0038
            or abs(y - height) > 0.07
            for other, height in taken
        )
        if free and len(taken) <= MOST_LABELS:
            taken.append((lead, y))
    return taken[1:]


def _label_leads(picture: Picture, named: Sequence[tuple[Lead, float]], *, width: float) -> None:
    """Names beside the strongest points; all but three give way on a phone."""
    for at, (lead, y) in enumerate(named):
        x, half = lead.x / width, len(lead.label) * 0.0038
        anchor = "start" if x < half else "end" if x > 1 - half else "middle"
        style = "lead strong" if at < 3 else "lead minor strong"
        picture.label(x, y, lead.label, style=style, anchor=anchor, shift=(0, -8), href=lead.href)


def _label_rows(named: Sequence[tuple[Lead, float]]) -> list[dict[str, Any]]:
    return [{"x": lead.x, "y": round(y, 4), "text": lead.label} for lead, y in named]


def _manhattan_names(plot: Manhattan, wording: Wording) -> list[tuple[Lead, float]]:
    threshold = (GENOME_WIDE, wording.threshold)
    return _named(plot.leads, plot.scale, width=plot.width_bp, threshold=threshold)


def _phewas_names(plot: Phewas, wording: Wording) -> list[tuple[Lead, float]]:
    """Traits past the threshold that get a name, strongest first."""
    placed = zip(_phewas_places(plot).tolist(), plot.points, strict=True)
    past = [(x, p) for x, p in placed if p.neg_log_10_p >= plot.threshold]
    past.sort(key=lambda found: -found[1].neg_log_10_p)
    leads = [Lead(x, p.neg_log_10_p, p.label, p.href) for x, p in past]
    return _named(leads, plot.scale, width=1, threshold=(plot.threshold, wording.threshold))


def _qq_frame(points: QuantilePoints) -> tuple[float, YScale]:
    right = _top(points.expected) * 1.04
    return right, YScale(max(_top(points.observed) * 1.05, right))


def _top(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return max(float(finite.max()), 1.0) if finite.size else 1.0


def as_columns(table: Mapping[str, Sequence[Any]]) -> str:
    """A table as tab-separated text with a heading line; tabs and line ends in texts become spaces."""
    rows = zip(*table.values(), strict=True)
    clean = (" ".join(str(v).split()) if isinstance(v, str) else repr(v) for row in rows for v in row)
    cells = list(clean)
    width = len(table)
    lines = ["\t".join(cells[i : i + width]) for i in range(0, len(cells), width)]
    return "\n".join(["\t".join(table), *lines]) + "\n"
