"""The figures that interpret: Miami, effects against effects, two QQ plots, credible sets, colocalisation.

Each takes plain arrays and gives `Layers`; texts come in as arguments, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.compare import Line
from nexome.methods.loci import GENOME_WIDE
from nexome.methods.quantiles import QuantilePoints
from nexome.web.pages.figures import Lead, Manhattan, YScale
from nexome.web.pages.interpreted import share_text
from nexome.web.pages.layers import Band, Curve, Floats, Label, Layers, Points, Strokes
from nexome.web.pages.numbers import effect_text, p_text, power_text
from nexome.web.pages.ticks import nice_ticks, ticks_between

POINTS_MAX: Final = 20_000
MIAMI_LABELS: Final = 6
Z95: Final = 1.959963984540054
_HIT, _EVEN, _ODD = 2, 0, 1


def miami(first: Manhattan, second: Manhattan, *, names: tuple[str, str], threshold: str) -> Layers:
    """Two Manhattan plots on one axis of bases, the second upside down below the first."""
    halves = [_half(plot, up=up) for plot, up in ((first, True), (second, False))]
    (top, top_runs), (bottom, bottom_runs) = halves
    width = max(first.width_bp, second.width_bp)
    ticks = [
        ((at + length / 2) / width, name)
        for name, at, length in first.contigs
        if length / width > 0.008 * len(name)
    ]
    up, down = (_mirror(plot.scale, up=up) for plot, up in ((first, True), (second, False)))
    y_ticks = [(up(t), f"{t:g}") for t in first.scale.ticks()]
    y_ticks += [(down(t), f"{t:g}") for t in second.scale.ticks() if t]
    labels = [Label(0.0, 0.985, names[0], below=True, role=_EVEN), Label(0.0, 0.015, names[1], role=_EVEN)]
    labels += [*_names(first.leads, up, width, below=False), *_names(second.leads, down, width, below=True)]
    return Layers(
        width=1040,
        height=560,
        x_ticks=ticks,
        y_ticks=y_ticks,
        points=_joined(top, bottom),
        strokes=Strokes(*(np.concatenate([a, b]) for a, b in zip(top_runs, bottom_runs, strict=True))),
        thick=2.4,
        rules=[(up(GENOME_WIDE), threshold), (down(GENOME_WIDE), "")],
        labels=labels,
        zoom=True,
    ).thinned(POINTS_MAX)


@dataclass(frozen=True, slots=True)
class EffectPoints:
    """N leads for effects against effects; arrays [N], turned so that the first effect is not below 0.

    `role` is 0 for a lead of the first study, 1 of the second, 2 of both.
    """

    x: Floats
    y: Floats
    x_error: Floats
    y_error: Floats
    role: npt.NDArray[np.int64]
    name: Sequence[str]
    href: Sequence[str]


def effects(points: EffectPoints, line: Line) -> Layers:
    """Effects of the second study against those of the first, with error bars and the fitted line."""
    reach_x, reach_y = Z95 * points.x_error, Z95 * points.y_error
    right = _most(points.x + reach_x, 1e-9) * 1.06
    high = _most(points.y + reach_y, 0.0)
    low = -_most(-(points.y - reach_y), 0.0)
    room = (high - low or right) * 0.06
    low, high = low - room, high + room
    x, y = points.x / right, _within(points.y, low, high)
    bars = Strokes(
        x0=np.concatenate([np.maximum(points.x - reach_x, 0) / right, x]),
        y0=np.concatenate([y, _within(points.y - reach_y, low, high)]),
        x1=np.concatenate([(points.x + reach_x) / right, x]),
        y1=np.concatenate([y, _within(points.y + reach_y, low, high)]),
        role=np.concatenate([points.role, points.role]),
    )
    curves = [Curve(np.array([0.0, 1.0]), _within(np.zeros(2), low, high), _ODD, dashed=True)]
    curves += [_through(line.slope, right, (low, high))] if np.isfinite(line.slope) else []
    notes = [
        f"{effect_text(a)} ± {effect_text(s)} · {effect_text(b)} ± {effect_text(u)}"
        for a, s, b, u in zip(
            *(v.tolist() for v in (points.x, points.x_error, points.y, points.y_error)), strict=True
        )
    ]
    return Layers(
        width=560,
        height=420,
        x_ticks=[(t / right, _short(t)) for t in nice_ticks(right, 5)],
        y_ticks=[(float(_within(t, low, high)), _short(t)) for t in ticks_between(low, high)],
        points=Points(x, y, points.role, points.name, notes, points.href),
        strokes=bars,
        thick=1.1,
        curves=curves,
        dot_sizes=(7.0, 7.0, 8.0),
    )


def two_quantiles(first: QuantilePoints, second: QuantilePoints, *, names: tuple[str, str]) -> Layers:
    """Two QQ plots on the same axes, over the features both studies have."""
    right = max(_most(q.expected, 1.0) for q in (first, second)) * 1.04
    scale = YScale(max(right, *(_most(q.observed, 1.0) * 1.05 for q in (first, second))))
    line = np.linspace(0, right, 60)
    dots = [
        Points(
            q.expected / right,
            scale.share(q.observed),
            np.full(len(q.expected), role),
            [name] * len(q.expected),
            [f"p = {p_text(y)} · {n:,}" for y, n in zip(q.observed.tolist(), q.count.tolist(), strict=True)],
        )
        for q, role, name in ((second, _EVEN, names[1]), (first, _HIT, names[0]))
    ]
    return Layers(
        width=480,
        height=420,
        x_ticks=[(t / right, f"{t:g}") for t in nice_ticks(right, 6)],
        y_ticks=[(float(scale.share(t)), f"{t:g}") for t in scale.ticks()],
        points=_joined(*dots),
        band=Band(
            first.expected / right, scale.share(first.lower), scale.share(np.minimum(first.upper, scale.top))
        ),
        curves=[Curve(line / right, scale.share(line), _ODD, dashed=True)],
    )


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel of a regional figure: V features at `position`, a height each; `accent` rows stand out.

    `columns` draws uprights from 0 to the height (posteriors), else dots. `title` names its axis.
    """

    title: str
    position: npt.NDArray[Any]
    height: Floats
    accent: npt.NDArray[np.bool_]
    name: Sequence[str]
    note: Sequence[str]
    href: Sequence[str]
    top: float
    columns: bool = False
    rule: tuple[float, str] | None = None


def stacked(panels: Sequence[Panel], *, start: int, end: int) -> Layers:
    """Panels over one stretch of bases, the first on top."""
    span = max(1, end - start)
    share = 1.0 / len(panels)
    points, strokes, y_ticks, rules, labels = [], [], [], [], []
    for k, panel in enumerate(panels):
        base, tall = 1 - (k + 1) * share, share * (0.82 if len(panels) > 1 else 0.94)
        x = (panel.position.astype(np.float64) - start) / span
        y = base + tall * np.clip(panel.height / panel.top, 0, 1)
        role = np.where(panel.accent, _HIT, _EVEN if panel.columns else _ODD)
        points.append(Points(x, y, role, panel.name, panel.note, panel.href))
        if panel.columns:
            strokes.append((x, np.full(len(x), base), x, y, role))
        y_ticks += [(base + tall * t / panel.top, f"{t:g}") for t in nice_ticks(panel.top, 3)]
        if panel.rule:
            rules.append((base + tall * panel.rule[0] / panel.top, panel.rule[1]))
        labels.append(Label(0.0, base + tall, panel.title, role=_EVEN))
    joined = [np.concatenate(parts) for parts in zip(*strokes, strict=True)]
    return Layers(
        width=1040,
        height=440,
        x_ticks=[((p - start) / span, _mega(p, span)) for p in ticks_between(start, end)],
        y_ticks=y_ticks,
        points=_joined(*points),
        strokes=Strokes(*joined) if joined else None,
        thick=2,
        rules=rules,
        labels=labels,
        zoom=True,
    ).thinned(POINTS_MAX)


def bars(values: Sequence[float], names: Sequence[str], notes: Sequence[str]) -> Layers:
    """Probabilities as columns, the largest in the accent."""
    x = (np.arange(len(values)) + 0.5) / len(values)
    y = np.asarray(values, np.float64)
    role = np.where(np.arange(len(values)) == int(np.argmax(y)), _HIT, _ODD)
    return Layers(
        width=560,
        height=300,
        x_ticks=list(zip(x.tolist(), names, strict=True)),
        y_ticks=[(t * 0.92, f"{t:.0%}") for t in (0.0, 0.25, 0.5, 0.75, 1.0)],
        points=Points(
            x,
            y * 0.92,
            role,
            names,
            [f"{share_text(v)} · {n}" for v, n in zip(y.tolist(), notes, strict=True)],
        ),
        strokes=Strokes(x, np.zeros(len(y)), x, y * 0.92, role),
        thick=6,
        # The largest first: a narrow screen shows the first three
        labels=sorted(
            (Label(a, b * 0.92 + 0.03, share_text(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)),
            key=lambda label: -label.y,
        ),
        dot_sizes=(8.0, 8.0, 9.0),
    )


def against_prior(p12: Floats, posterior: Floats, *, used: float, names: Sequence[str]) -> Layers:
    """Posteriors of H1…H4 [G, 5] against the prior p12 [G]; H4 in the accent, H3 in dark grey."""
    low, high = np.log10(p12[0]), np.log10(p12[-1])
    x = (np.log10(p12) - low) / (high - low)
    roles = {3: _EVEN, 4: _HIT}
    curves = [
        Curve(x, posterior[:, k] * 0.92, roles.get(k, _ODD), dashed=k not in roles) for k in (1, 2, 3, 4)
    ]
    at = (np.log10(used) - low) / (high - low)
    dots = [
        Points(
            x,
            posterior[:, k] * 0.92,
            np.full(len(x), roles[k]),
            [names[k]] * len(x),
            [f"{v:.1%} · p12 = {p:.1e}" for v, p in zip(posterior[:, k].tolist(), p12.tolist(), strict=True)],
        )
        for k in (3, 4)
    ]
    return Layers(
        width=480,
        height=300,
        x_ticks=[
            ((e - low) / (high - low), power_text(10.0**e)) for e in np.arange(np.ceil(low), high + 0.01)
        ],
        y_ticks=[(t * 0.92, f"{t:.0%}") for t in (0.0, 0.5, 1.0)],
        points=_joined(*dots),
        strokes=_upright(at),
        curves=curves,
        labels=[
            Label(0.9, height, f"H{k}", role=roles[k])
            for k, height in zip((3, 4), _apart(posterior[-3, 3], posterior[-3, 4]), strict=True)
        ],
    )


def _apart(first: float, second: float) -> tuple[float, float]:
    """Heights of two labels at two curves, apart enough to be read."""
    low, high = sorted((float(first) * 0.92, float(second) * 0.92))
    high = max(high, low + 0.07)
    return (low, high) if first <= second else (high, low)


# ---------------------------------------------------------------- parts


def _mirror(scale: YScale, *, up: bool) -> Any:
    """From −log10 p to the upper or the lower half of the area."""
    sign = 0.5 if up else -0.5
    return lambda value: float(0.5 + sign * float(scale.share(value)))


def _half(plot: Manhattan, *, up: bool) -> tuple[Points, tuple[npt.NDArray[Any], ...]]:
    sign = 0.5 if up else -0.5
    y = 0.5 + sign * plot.scale.share(plot.y)
    role = np.where(plot.y >= GENOME_WIDE, _HIT, plot.contig_index(plot.x) % 2)
    notes = [f"p = {p_text(v)}" for v in plot.y.tolist()]
    points = Points(plot.x / plot.width_bp, y, role, plot.name, notes, plot.href)
    x = plot.run_x / plot.width_bp
    low, high = (0.5 + sign * plot.scale.share(v) for v in (plot.run_low, plot.run_high))
    return points, (x, low, x, high, plot.contig_index(plot.run_x) % 2)


def _names(leads: Sequence[Lead], share: Any, width: int, *, below: bool) -> list[Label]:
    """Names of the strongest leads that stand clear of each other."""
    taken: list[Label] = []
    for lead in leads[: MIAMI_LABELS * 3]:
        x, y = lead.x / width, share(lead.neg_log_10_p)
        reach = (len(lead.label) + 8) * 0.0076
        if all(abs(x - t.x) > reach or abs(y - t.y) > 0.05 for t in taken) and len(taken) < MIAMI_LABELS:
            taken.append(Label(x, y, lead.label, below=below, href=lead.href))
    return taken


def _upright(x: float) -> Strokes | None:
    """A stroke over the height at share x; None outside the area."""
    if not 0 <= x <= 1:
        return None
    ends = [np.array([v]) for v in (x, 0.0, x, 0.92)]
    return Strokes(ends[0], ends[1], ends[2], ends[3], np.array([_ODD]))


def _joined(*parts: Points) -> Points:
    x, y, role = (np.concatenate([getattr(p, name) for p in parts]) for name in ("x", "y", "role"))
    name, note, href = (
        [text for p in parts for text in (getattr(p, field) or [""] * len(p.x))]
        for field in ("name", "note", "href")
    )
    return Points(x, y, role, name, note, href)


def _through(slope: float, right: float, ends: tuple[float, float]) -> Curve:
    """The line y = slope · x, cut where it leaves the area."""
    low, high = ends
    stop = right
    if slope * right > high:
        stop = high / slope
    elif slope * right < low:
        stop = low / slope
    return Curve(np.array([0.0, stop / right]), _within(np.array([0.0, slope * stop]), low, high), _HIT)


def _within(values: npt.ArrayLike, low: float, high: float) -> Floats:
    return (np.asarray(values, np.float64) - low) / (high - low)


def _most(values: Floats, least: float) -> float:
    finite = values[np.isfinite(values)]
    return max(float(finite.max()), least) if finite.size else max(least, 1.0)


def _short(value: float) -> str:
    return f"{round(value, 10) + 0.0:g}".replace("-", "−")


def _mega(position: float, span: int) -> str:
    return f"{position / 1e6:.{1 if span > 2_000_000 else 2 if span > 100_000 else 4}f}"
