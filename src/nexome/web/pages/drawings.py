"""Small drawings of the centre's own pages: a bar against target and time, a spark line, a flow of money.

Static SVG that stretches to its place; colours are classes of the style sheet, beside plain attributes for
who reads without it. Each carries one sentence for who cannot see it; the numbers stand beside as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from markupsafe import Markup

# Told apart by every kind of colour vision (after Okabe and Ito), and never by colour alone.
STATE_COLOURS: Final = {
    "reached": "#00798c",
    "on-time": "#5aa9b8",
    "behind": "#d98e04",
    "missed": "#b3411e",
    "unknown": "#b9c3cc",
}
_TRACK: Final = "#e4e9ed"
FLOW_HEIGHT: Final = 420  # pixels that money would fill if nothing were small
_LABEL: Final = 24  # pixels a label needs
_GAP: Final = 4
_WIDE: Final = 1000  # units of the flow's canvas


def bar(share: float, *, time: float | None, state: str, sentence: str) -> Markup:
    """A bar filled to `share` of its target (0 to 1), with a mark at the share of time that has gone."""
    filled = min(max(share, 0.0), 1.0)
    mark = ""
    if time is not None:
        at = f"{min(max(time, 0.0), 1.0) * 100:.1f}%"
        mark = f'<line class="due" x1="{at}" x2="{at}" y1="0" y2="18" stroke="#14202b" stroke-width="2"/>'
    return Markup(  # noqa: S704 - numbers and escaped text alone
        f'<svg class="target-bar" width="100%" height="18" role="img" aria-label="{escape(sentence)}">'
        f'<rect class="track" x="0" y="4" width="100%" height="10" rx="3" fill="{_TRACK}"/>'
        f'<rect class="fill {escape(state)}" x="0" y="4" width="{filled * 100:.1f}%" height="10" rx="3" '
        f'fill="{STATE_COLOURS.get(state, _TRACK)}"/>{mark}</svg>'
    )


def states_bar(states: dict[str, int], *, sentence: str) -> Markup:
    """A bar of parts, one a state, as wide as its count."""
    total = sum(states.values()) or 1
    parts, x = [], 0.0
    for state in STATE_COLOURS:
        width = 100 * states.get(state, 0) / total
        if width:
            parts.append(
                f'<rect class="fill {state}" x="{x:.2f}%" y="0" width="{width:.2f}%" height="12" '
                f'fill="{STATE_COLOURS[state]}"/>'
            )
        x += width
    return Markup(  # noqa: S704 - numbers and escaped text alone
        f'<svg class="states-bar" width="100%" height="12" role="img" aria-label="{escape(sentence)}">'
        f"{''.join(parts)}</svg>"
    )


def spark(values: Sequence[float], *, sentence: str) -> Markup:
    """A spark line of values in order of time; one value is a dot, none is nothing."""
    if not values:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = 96 / max(1, len(values) - 1)
    points = [(2 + i * step, 26 - 22 * (v - low) / span if high > low else 15) for i, v in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(  # noqa: S704 - numbers and escaped text alone
        f'<svg class="spark" viewBox="0 0 100 30" width="100%" height="30" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(sentence)}"><polyline points="{line}" fill="none" stroke="#00798c" '
        f'vector-effect="non-scaling-stroke"/><path class="dot" d="M{x:.1f} {y:.1f}h0" fill="none" '
        f'stroke="#00798c" stroke-width="6" stroke-linecap="round" vector-effect="non-scaling-stroke"/></svg>'
    )


# ---------------------------------------------------------------- where money comes from and goes


@dataclass(frozen=True, slots=True)
class Stream:
    """Money of one source or use: its name, how much, and how it is written."""

    name: str
    amount: float
    text: str


def flow(sources: Sequence[Stream], uses: Sequence[Stream], *, sentence: str) -> Markup:
    """Sources at the left run into one whole and out to the uses at the right; thickness is money.

    Names stand over the streams, never on each other: small streams lie apart, not thicker.
    """
    whole = max(sum(s.amount for s in sources), sum(u.amount for u in uses)) or 1.0
    scale = FLOW_HEIGHT / whole
    height = max(_stack_height(sources, scale), _stack_height(uses, scale))
    parts = [*_side(sources, scale, height, left=True), *_side(uses, scale, height, left=False)]
    labels = [*_labels(sources, scale, height, left=True), *_labels(uses, scale, height, left=False)]
    return Markup(  # noqa: S704 - numbers and escaped text alone
        f'<svg class="flow" width="100%" height="{height:.0f}" role="img" aria-label="{escape(sentence)}">'
        f'<svg width="100%" height="100%" viewBox="0 0 {_WIDE} {height:.0f}" preserveAspectRatio="none">'
        f"{''.join(parts)}</svg>{''.join(labels)}</svg>"
    )


def _slots(streams: Sequence[Stream], scale: float, height: float) -> list[tuple[float, float]]:
    """Top and thickness of each stream at the outer edge, in its slot, the whole centred."""
    top = (height - _stack_height(streams, scale)) / 2
    found = []
    for stream in streams:
        thick = max(stream.amount * scale, 1.0)
        slot = max(thick, _LABEL)
        found.append((top + (slot - thick) / 2, thick))
        top += slot + _GAP
    return found


def _stack_height(streams: Sequence[Stream], scale: float) -> float:
    return sum(max(s.amount * scale, _LABEL) + _GAP for s in streams)


def _side(streams: Sequence[Stream], scale: float, height: float, *, left: bool) -> list[str]:
    inner = (height - sum(s.amount * scale for s in streams)) / 2
    edge, node, middle = (0, 10, 494) if left else (_WIDE - 10, _WIDE - 10, 506)
    parts = []
    for stream, (top, thick) in zip(streams, _slots(streams, scale, height), strict=True):
        own = max(stream.amount * scale, 0.5)
        bend = (node + middle) / 2
        path = (
            f"M{node} {top:.1f}C{bend} {top:.1f} {bend} {inner:.1f} {middle} {inner:.1f}"
            f"V{inner + own:.1f}C{bend} {inner + own:.1f} {bend} {top + thick:.1f} {node} {top + thick:.1f}Z"
        )
        side = "in" if left else "out"
        fill = "#cfe6ea" if left else "#dde3e8"
        parts.append(f'<path class="stream {side}" d="{path}" fill="{fill}"/>')
        parts.append(
            f'<rect class="node {side}" x="{edge}" y="{top:.1f}" width="10" height="{thick:.1f}" '
            f'fill="#00798c"/>'
        )
        inner += own
    return parts


def _labels(streams: Sequence[Stream], scale: float, height: float, *, left: bool) -> list[str]:
    found = []
    for stream, (top, thick) in zip(streams, _slots(streams, scale, height), strict=True):
        x, anchor, dx = ("1%", "start", 8) if left else ("99%", "end", -8)
        found.append(
            f'<text x="{x}" y="{top + thick / 2 + 5:.1f}" dx="{dx}" text-anchor="{anchor}" fill="#14202b" '
            f'font-size="13">{escape(stream.name)}<tspan class="minor" dx="8" fill="#33424f">'
            f"{escape(stream.text)}</tspan></text>"
        )
    return found
