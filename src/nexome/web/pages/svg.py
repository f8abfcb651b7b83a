"""A small SVG maker: a plot area that stretches while its dots and letters keep their size.

In the area, children are placed in per cent; in it lies a canvas of CANVAS × CANVAS units stretched to the
area, where dots are strokes that do not scale. As a file the picture has a size of its own (`for_file`);
in a page the style sheet gives size and margins (`for_page`), at 360 pixels as at 1,280. Colours are
attributes (for the file) and classes (for the page, light or dark). Makes text only; knows no genomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

CANVAS: Final = 1000  # units of the stretched canvas in both directions
FONTS: Final = "system-ui, 'Noto Sans CJK SC', sans-serif"
_DOT: Final = 'fill="none" stroke-linecap="round" vector-effect="non-scaling-stroke"'
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 16, 44  # margins of the area, pixels

# One accent (blue-green, told apart from grey by every kind of colour vision); all else is ink on paper.
COLOURS: Final = {
    "even": "#4b5d6e",
    "odd": "#9aa8b5",
    "hit": "#00798c",
    "line": "#c9d1d8",
    "rule": "#00798c",
    "text": "#4b5d6e",
    "strong": "#14202b",
    "band": "#e4e9ed",
    "paper": "#ffffff",
    "ld1": "#7d8ea0",
    "ld2": "#2b8cc4",
    "ld3": "#00805b",
    "ld4": "#c87a00",
    "ld5": "#b83a0b",
    "lead": "#7b2d8b",
    "gene": "#33424f",
}

# Marks around (0, 0), told apart by shape alone: what a colour says is never said by the colour alone.
SHAPES: Final = {
    "ld2": "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0 -6.8 0z",
    "ld3": "M-3.3 -3.3h6.6v6.6h-6.6z",
    "ld4": "M0 -4.3l4.3 7.6h-8.6z",
    "ld5": "M0 -5.6l1.5 3.5l3.8 .3l-2.9 2.5l.9 3.7l-3.3 -2l-3.3 2l.9 -3.7l-2.9 -2.5l3.8 -.3z",
    "lead": "M0 -6.6l5.4 6.6l-5.4 6.6l-5.4 -6.6z",
}


@dataclass
class Picture:
    """One plot being drawn. Positions inside the area are shares from 0 (left, bottom) to 1."""

    width: int
    height: int
    sentence: str
    _parts: list[str] = field(default_factory=list)

    def dots(
        self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, colour: str, size: float
    ) -> None:
        """Round dots at shares x, y (N each), drawn once where they fall on the same half pixel."""
        if len(x) == 0:
            return
        cells = np.stack([np.rint(x * CANVAS), np.rint((1 - y) * CANVAS)], axis=1).astype(np.int64)
        path = "".join(f"M{a} {b}h0" for a, b in np.unique(cells, axis=0).tolist())
        self._canvas(
            f'<path class="dot {colour}" d="{path}" stroke="{COLOURS[colour]}" stroke-width="{size}" {_DOT}/>'
        )

    def columns(
        self,
        x: npt.NDArray[np.float64],
        low: npt.NDArray[np.float64],
        high: npt.NDArray[np.float64],
        *,
        colour: str,
        size: float,
    ) -> None:
        """Upright strokes with round ends from `low` to `high` at x (shares, N each): runs of dots."""
        if len(x) == 0:
            return
        place = np.rint(x * CANVAS).astype(int).tolist()
        start = np.rint((1 - low) * CANVAS).astype(int).tolist()
        end = np.rint((1 - high) * CANVAS).astype(int).tolist()
        path = "".join(f"M{a} {b}v{c - b}" for a, b, c in zip(place, start, end, strict=True))
        self._canvas(
            f'<path class="dot {colour}" d="{path}" stroke="{COLOURS[colour]}" stroke-width="{size}" {_DOT}/>'
        )

    def spots(
        self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], told: Sequence[str], *, size: float = 14
    ) -> None:
        """What a pointer is told over marks at shares x, y (N each): nothing is drawn, no key stops there."""
        for a, b, text in zip(x.tolist(), y.tolist(), told, strict=True):
            self._parts.append(
                f'<circle class="spot" cx="{a * 100:.2f}%" cy="{(1 - b) * 100:.2f}%" r="{size / 2:g}" '
                f'fill="transparent"><title>{escape(text)}</title></circle>'
            )

    def triangles(
        self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, up: bool, colour: str
    ) -> None:
        """Small triangles, pointing up or down, at shares x, y (N each)."""
        edge = "l-4.5 7.5h9z" if up else "l-4.5 -7.5h9z"
        lift = -4 if up else 4
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            self._parts.append(
                f'<svg x="{a * 100:.2f}%" y="{(1 - b) * 100:.2f}%" overflow="visible">'
                f'<path class="mark {colour}" fill="{COLOURS[colour]}" d="M0 {lift}{edge}"/></svg>'
            )

    def marks(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, shape: str) -> None:
        """Marks of one of SHAPES, in the colour of that name, at shares x, y (N each)."""
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            self._parts.append(
                f'<svg x="{a * 100:.2f}%" y="{(1 - b) * 100:.2f}%" overflow="visible">'
                f'<path class="mark {shape}" fill="{COLOURS[shape]}" d="{SHAPES[shape]}"/></svg>'
            )

    def bar(self, ends: tuple[float, float], y: float, *, height: float, colour: str = "gene") -> None:
        """A bar from share to share, `height` pixels high around share y, at least a pixel wide."""
        low, wide = _stretch(ends, 0.0008)
        self._parts.append(
            f'<svg x="{low}" y="{(1 - y) * 100:.2f}%" width="{wide}" height="{height:g}" overflow="visible">'
            f'<rect class="bar-{colour}" y="{-height / 2:g}" width="100%" height="{height:g}" '
            f'fill="{COLOURS[colour]}"/></svg>'
        )

    def shade(self, ends: tuple[float, float]) -> None:
        """A stretch from share to share over the whole height, at least two pixels wide."""
        low, wide = _stretch(ends, 0.002)
        self._parts.append(
            f'<rect class="shade" x="{low}" width="{wide}" height="100%" fill="{COLOURS["rule"]}" '
            f'fill-opacity="0.22" stroke="{COLOURS["rule"]}"/>'
        )

    def curve(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, colour: str) -> None:
        """A thin line through shares x, y (N each)."""
        points = " ".join(
            f"{a * CANVAS:.1f},{(1 - b) * CANVAS:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)
        )
        self._canvas(
            f'<polyline class="curve {colour}" points="{points}" fill="none" stroke="{COLOURS[colour]}"/>'
        )

    def band(
        self, x: npt.NDArray[np.float64], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
    ) -> None:
        """A filled band between `low` and `high` over x (shares, N each)."""
        around = [
            *zip(x.tolist(), high.tolist(), strict=True),
            *reversed([*zip(x.tolist(), low.tolist(), strict=True)]),
        ]
        points = " ".join(f"{a * CANVAS:.1f},{(1 - b) * CANVAS:.1f}" for a, b in around)
        self._canvas(f'<polygon class="band" points="{points}" fill="{COLOURS["band"]}"/>')

    def across(self, first: float, last: float, y: float, *, colour: str, size: float = 2) -> None:
        """A line from share `first` to `last` at height y."""
        at = f"{(1 - y) * 100:.2f}%"
        self._parts.append(
            f'<line class="span {colour}" x1="{first * 100:.2f}%" x2="{last * 100:.2f}%" y1="{at}" y2="{at}" '
            f'stroke="{COLOURS[colour]}" stroke-width="{size:g}"/>'
        )

    def upright(self, x: float, *, rule: bool = False) -> None:
        """A faint line upwards at share x; a dashed rule where `rule`."""
        at, kind = f"{x * 100:.2f}%", "rule" if rule else "grid"
        dashes = ' stroke-dasharray="2 4"' if rule else ""
        self._parts.append(
            f'<line class="{kind}" x1="{at}" x2="{at}" y1="0" y2="100%" '
            f'stroke="{COLOURS["rule" if rule else "band"]}"{dashes}/>'
        )

    def level(self, y: float, label: str = "") -> None:
        """A dashed rule across the area at share y, named at its right end."""
        at = f"{(1 - y) * 100:.2f}%"
        self._parts.append(
            f'<line class="rule" x1="0" x2="100%" y1="{at}" y2="{at}" stroke="{COLOURS["rule"]}" '
            'stroke-dasharray="2 4"/>'
        )
        if label:
            self.label(1, y, label, style="tick hit", anchor="end", shift=(0, -5))

    def y_tick(self, y: float, label: str) -> None:
        """A faint line across at share y with its number at the left."""
        at = f"{(1 - y) * 100:.2f}%"
        self._parts.append(
            f'<line class="grid" x1="0" x2="100%" y1="{at}" y2="{at}" stroke="{COLOURS["band"]}"/>'
        )
        self.label(0, y, label, anchor="end", shift=(-8, 4))

    def x_tick(self, x: float, label: str, *, style: str = "tick text") -> None:
        """A label under the area at share x."""
        self.label(x, 0, label, style=style, anchor="middle", shift=(0, 18))

    def axis_titles(self, x: str, y: str) -> None:
        """Names of the axes: below at the right, above at the left."""
        self.label(1, 0, x, style="title text", anchor="end", shift=(0, 36))
        self.label(0, 1, y, style="title text", shift=(6 - LEFT, -6))

    def label(
        self,
        x: float,
        y: float,
        text: str,
        *,
        style: str = "tick text",
        anchor: str = "start",
        shift: tuple[float, float] = (0, 0),
        href: str = "",
    ) -> None:
        """Text at shares x, y, moved by `shift` pixels; a link where `href` is given.

        `style` holds classes; the last is a colour, 'minor' ones give way on narrow screens.
        """
        fill = COLOURS[style.rsplit(maxsplit=1)[-1]]
        drawn = (
            f'<text class="{style}" x="{x * 100:.2f}%" y="{(1 - y) * 100:.2f}%" dx="{shift[0]:g}" '
            f'dy="{shift[1]:g}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
        )
        self._parts.append(f'<a href="{escape(href)}">{drawn}</a>' if href else drawn)

    def _canvas(self, inner: str) -> None:
        self._parts.append(
            f'<svg class="canvas" width="100%" height="100%" viewBox="0 0 {CANVAS} {CANVAS}" '
            f'preserveAspectRatio="none" overflow="visible">{inner}</svg>'
        )

    def for_page(self) -> str:
        """The picture as an <svg> element of a page: the style sheet gives its size, margins and colours."""
        return self._framed("", 'width="100%" height="100%"')

    def for_file(self) -> str:
        """The picture as a file of its own, `width` × `height` pixels."""
        inner_width, inner_height = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return self._framed(
            f'width="{self.width}" height="{self.height}" font-family="{FONTS}" font-size="12"',
            f'x="{LEFT}" y="{TOP}" width="{inner_width}" height="{inner_height}"',
        )

    def _framed(self, size: str, area: str) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="figure-svg" {size} role="group" '
            f'aria-label="{escape(self.sentence)}">'
            + (f'<rect width="100%" height="100%" fill="{COLOURS["paper"]}"/>' if size else "")
            + f'<svg {area} overflow="visible">{"".join(self._parts)}'
            f'<line class="axis" x1="0" x2="100%" y1="100%" y2="100%" stroke="{COLOURS["line"]}"/>'
            "</svg></svg>"
        )


def _stretch(ends: tuple[float, float], least: float) -> tuple[str, str]:
    """Left end and width, in per cent, of what of a stretch of shares lies in the area."""
    low, high = max(0.0, ends[0]), min(1.0, ends[1])
    return f"{low * 100:.3f}%", f"{max(high - low, least) * 100:.3f}%"
