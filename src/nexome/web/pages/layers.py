"""A figure as layers in shares of its area, drawn once as SVG and told once to the island.

For plots that are neither Manhattan, QQ nor PheWAS: several scales in one picture (stacked or mirrored
panels), error bars, several curves. Everything is a share of the area, 0 to 1, left to right and bottom to
top; a role is 0 or 1 (the two greys) or 2 (the accent). Knows no studies and no language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.web.pages.figures import Wording
from nexome.web.pages.svg import CANVAS, COLOURS, Picture

Floats = npt.NDArray[np.float64]

ROLES: Final = ("even", "odd", "hit")
_NONE: Final = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Points:
    """P dots at x, y with a role each; `name`, `note` and `href` tell what one is, '' where nothing."""

    x: Floats = field(default_factory=lambda: _NONE)
    y: Floats = field(default_factory=lambda: _NONE)
    role: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    name: Sequence[str] = ()
    note: Sequence[str] = ()
    href: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Strokes:
    """S straight strokes from (x0, y0) to (x1, y1), a role each: error bars, columns, runs of dots."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    role: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Curve:
    """A thin line through x, y; `dashed` for what is a guide and no result."""

    x: Floats
    y: Floats
    role: int
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A pale band from `low` to `high` over x."""

    x: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Label:
    """A name at (x, y); `below` puts it under the place, `role` colours it (ink where None)."""

    x: float
    y: float
    text: str
    below: bool = False
    role: int | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class Layers:
    """A whole figure. Ticks and rules are (share, text); strokes of `thick` pixels lie below the points.

    `dot_sizes` are pixels, by role.
    """

    width: int
    height: int
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    points: Points
    strokes: Strokes | None = None
    thick: float = 1.2
    curves: Sequence[Curve] = ()
    band: Band | None = None
    rules: Sequence[tuple[float, str]] = ()
    labels: Sequence[Label] = ()
    zoom: bool = False
    dot_sizes: tuple[float, float, float] = (3.2, 3.2, 4.4)

    def thinned(self, most: int) -> Layers:
        """At most `most` dots: those of the accent first, then evenly of the rest."""
        if len(self.points.x) <= most:
            return self
        accent = np.flatnonzero(self.points.role == 2)[:most]
        rest = np.flatnonzero(self.points.role != 2)
        rest = rest[np.linspace(0, len(rest) - 1, max(0, most - len(accent))).astype(np.int64)]
        kept = np.sort(np.concatenate([accent, rest]))
        p = self.points
        texts = {
            n: [getattr(p, n)[i] for i in kept.tolist()] for n in ("name", "note", "href") if getattr(p, n)
        }
        return replace(self, points=Points(p.x[kept], p.y[kept], p.role[kept], **texts))


def layers_picture(plot: Layers, wording: Wording) -> Picture:
    """The figure as SVG, complete without scripts."""
    picture = _LayerPicture(plot.width, plot.height, wording.sentence)
    for at, text in plot.y_ticks:
        picture.y_tick(at, text)
    if plot.band:
        picture.band(plot.band.x, plot.band.low, plot.band.high)
    for curve in plot.curves:
        picture.line(curve)
    if plot.strokes:
        picture.strokes(plot.strokes, size=plot.thick)
    for role, colour in enumerate(ROLES):
        of = plot.points.role == role
        picture.dots(plot.points.x[of], plot.points.y[of], colour=colour, size=plot.dot_sizes[role])
    for at, text in plot.x_ticks:
        picture.x_tick(at, text)
    for at, text in plot.rules:
        picture.level(at, text)
    for label in plot.labels:
        picture.label(label.x, label.y, label.text, **_placed(label))
    picture.axis_titles(wording.x, wording.y)
    return picture


def layers_json(plot: Layers, wording: Wording) -> dict[str, Any]:
    """The same for the island (web/src/plot.ts)."""
    p = plot.points
    told: dict[str, Any] = {
        "width": 1,
        "x_title": wording.x,
        "y_title": wording.y,
        "x_ticks": _ticks(plot.x_ticks),
        "y_ticks": _ticks(plot.y_ticks),
        "zoom": plot.zoom,
        "sizes": list(plot.dot_sizes),
        "rules": _ticks(plot.rules),
        "points": {
            "x": _rounded(p.x),
            "y": _rounded(p.y),
            "role": p.role.tolist(),
            "name": list(p.name) or [""] * len(p.x),
            "note": list(p.note) or [""] * len(p.x),
            "href": list(p.href),
        },
        "labels": [{"x": round(at.x, 4), "y": round(at.y, 4), "text": at.text} for at in plot.labels],
        "curves": [
            {"x": _rounded(c.x), "y": _rounded(c.y), "role": c.role, "dashed": c.dashed} for c in plot.curves
        ],
    }
    if plot.band:
        told["band"] = {name: _rounded(getattr(plot.band, name)) for name in plot.band.__slots__}
    if plot.strokes:
        s = plot.strokes
        ends = {name: _rounded(getattr(s, name)) for name in ("x0", "y0", "x1", "y1")}
        told["strokes"] = {**ends, "role": s.role.tolist(), "thick": plot.thick}
    return told


class _LayerPicture(Picture):
    """A picture that knows strokes in any direction and dashed lines."""

    def strokes(self, drawn: Strokes, *, size: float) -> None:
        """Straight strokes with round ends, `size` pixels thick."""
        ends = [np.rint(v * CANVAS).astype(int) for v in (drawn.x0, 1 - drawn.y0, drawn.x1, 1 - drawn.y1)]
        for role, colour in enumerate(ROLES):
            of = drawn.role == role
            rows = zip(*(v[of].tolist() for v in ends), strict=True)
            if path := "".join(f"M{a} {b}L{c} {d}" for a, b, c, d in rows):
                self._canvas(
                    f'<path class="dot {colour}" d="{path}" stroke="{COLOURS[colour]}" fill="none" '
                    f'stroke-width="{size:g}" stroke-linecap="round" vector-effect="non-scaling-stroke"/>'
                )

    def line(self, drawn: Curve) -> None:
        """A line two pixels thick, or a thin dashed guide."""
        colour = ROLES[drawn.role]
        points = " ".join(
            f"{a * CANVAS:.1f},{(1 - b) * CANVAS:.1f}"
            for a, b in zip(drawn.x.tolist(), drawn.y.tolist(), strict=True)
        )
        look = 'stroke-width="1" stroke-dasharray="3 4"' if drawn.dashed else 'stroke-width="1.8"'
        self._canvas(
            f'<polyline class="dot {colour}" points="{points}" fill="none" stroke="{COLOURS[colour]}" {look} '
            'vector-effect="non-scaling-stroke"/>'
        )


def _placed(label: Label) -> dict[str, Any]:
    half = len(label.text) * 0.0038
    anchor = "start" if label.x < half else "end" if label.x > 1 - half else "middle"
    style = "lead strong" if label.role is None else f"tick {ROLES[label.role]}"
    return {"style": style, "anchor": anchor, "shift": (0, 17 if label.below else -8), "href": label.href}


def _ticks(ticks: Sequence[tuple[float, str]]) -> list[Mapping[str, Any]]:
    return [{"at": round(float(at), 5), "text": text} for at, text in ticks]


def _rounded(values: npt.ArrayLike) -> list[float]:
    rounded: list[float] = np.round(np.asarray(values, np.float64), 5).tolist()
    return rounded
