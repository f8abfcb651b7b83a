"""Places of a window on the drawn genome: contigs end to end, shares of the width, round ticks.

The drawn genome is that of the Manhattan plot (methods.manhattan.position_bins), so that a place is the
same number in both. No View, no drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.methods.manhattan import position_bins
from nexome.model.genome import Assembly, Interval, Stretch
from nexome.web.pages.ticks import round_step

DRAWN_MOST: Final = 400  # contigs a whole genome is drawn of; all others are reached by their name

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawnContig:
    """One contig of the drawn genome: its rank and name, its first base there, its length."""

    rank: int
    name: str
    offset: int
    length: int


def drawn_contigs(assembly: Assembly) -> list[DrawnContig]:
    """The contigs long enough to be seen in a whole genome, in order; all of them where none is."""
    bins = position_bins(assembly)
    every = [
        DrawnContig(rank, c.name, int(bins.offset_bp[rank]), c.length_bp)
        for rank, c in enumerate(assembly.contigs)
    ]
    long = [c for c in every if c.length > bins.width_bp]
    return sorted(long or every, key=lambda c: c.offset)[:DRAWN_MOST]


class GenomeScale:
    """Shares of the width of a window, 0 at its left end and 1 at its right."""

    def __init__(self, where: Stretch, assembly: Assembly) -> None:
        self.where, self.assembly = where, assembly
        self._bins = position_bins(assembly)
        self.contigs = drawn_contigs(assembly)
        self.left = int(self._bins.offset_bp[where.first]) + where.start - 1
        right = int(self._bins.offset_bp[where.last]) + where.end
        if right <= self.left:  # short contigs are drawn behind the long ones, whatever their rank
            right = max(c.offset + c.length for c in self.contigs)
        self.right = right

    @property
    def span_bp(self) -> int:
        """Bases from the left end to the right."""
        return self.right - self.left

    def share(self, locus: npt.NDArray[np.uint64]) -> Floats:
        """Shares [V] of loci; the middle of a base is its place."""
        return (self._bins.genome_position(locus) + 0.5 - self.left) / self.span_bp

    def share_at(self, contig: int, position: float) -> float:
        """Share of one place."""
        return float((int(self._bins.offset_bp[contig]) + position - 0.5 - self.left) / self.span_bp)

    def ticks(self) -> list[tuple[float, str]]:
        """Round positions inside one contig; the names of contigs at their middles across several."""
        if self.where.first == self.where.last:
            return [(self.share_at(self.where.first, at), base_text(at, step)) for at, step in self._rounds()]
        found = []
        for contig in self.contigs:
            low, high = max(contig.offset, self.left), min(contig.offset + contig.length, self.right)
            if high - low > self.span_bp / 80:
                found.append((((low + high) / 2 - self.left) / self.span_bp, contig.name))
        return found

    def borders(self) -> list[float]:
        """Shares at which a contig inside the window begins, but for the first."""
        inside = (c.offset for c in self.contigs if self.left < c.offset < self.right)
        return [(at - self.left) / self.span_bp for at in inside]

    def _rounds(self) -> list[tuple[int, int]]:
        step = step_of_bases(self.span_bp / 6)
        first = -(-self.where.start // step) * step
        return [(at, step) for at in range(max(first, 1), self.where.end + 1, step)]


def step_of_bases(raw: float) -> int:
    """The round number of bases next above `raw`: 1, 2 or 5 times a power of ten.

    >>> step_of_bases(0.3), step_of_bases(170_000)
    (1, 200000)
    """
    return int(round_step(max(raw, 1.0)))


def base_text(position: int, step: int) -> str:
    """A position as a tick shows it: in Mb or kb where the ticks are that far apart.

    >>> base_text(165_500_000, 500_000), base_text(165_523_140, 10)
    ('165.5 Mb', '165,523,140')
    """
    if step >= 10_000:
        decimals = max(0, 6 - int(np.log10(step)))
        return f"{position / 1e6:.{decimals}f} Mb"
    return f"{position:,}"


def place_text(where: Stretch, assembly: Assembly) -> str:
    """A window for people: '2:165.2–165.4 Mb', '2:165,523,100–165,523,140', or from contig to contig."""
    first, last = assembly.contig_name(where.first), assembly.contig_name(where.last)
    if where.first != where.last:
        return f"{first}:{where.start / 1e6:.1f} Mb – {last}:{where.end / 1e6:.1f} Mb"
    span = where.end - where.start + 1
    if span < 20_000:
        return f"{first}:{where.start:,}–{where.end:,}"
    decimals = 2 if span < 5_000_000 else 1
    if span < 200_000:
        decimals = 3
    return f"{first}:{where.start / 1e6:.{decimals}f}–{where.end / 1e6:.{decimals}f} Mb"


def is_whole(where: Stretch, assembly: Assembly) -> bool:
    """Whether a window is all of the drawn genome."""
    contigs = drawn_contigs(assembly)
    scale = GenomeScale(where, assembly)
    end = max(c.offset + c.length for c in contigs)
    return scale.left <= contigs[0].offset and scale.right >= end


def zoomed(where: Stretch, assembly: Assembly, *, factor: float, shift: float = 0.0) -> Stretch:
    """A window `factor` times as narrow around the middle, moved by `shift` of its width; kept on the genome.

    Inside one contig it stays there; wider than it, it becomes the contig, then the genome.
    """
    if where.first != where.last:
        return _across(where, assembly, factor=factor, shift=shift)
    length = assembly.contigs[where.first].length_bp or where.end
    span = where.end - where.start + 1
    wanted = max(20, round(span / factor))
    if wanted > length:
        if span < length:
            return Stretch(where.first, 1, where.first, length)
        last = drawn_contigs(assembly)[-1]
        return Stretch(0, 1, last.rank, last.length)
    middle = (where.start + where.end) / 2 + shift * span
    start = min(max(1, round(middle - wanted / 2)), length - wanted + 1)
    return Stretch(where.first, start, where.first, start + wanted - 1)


def _across(where: Stretch, assembly: Assembly, *, factor: float, shift: float) -> Stretch:
    scale = GenomeScale(where, assembly)
    end = max(c.offset + c.length for c in scale.contigs)
    wanted = min(end, max(20, round(scale.span_bp / factor)))
    middle = (scale.left + scale.right) / 2 + shift * scale.span_bp
    left = min(max(0, round(middle - wanted / 2)), end - wanted)
    return stretch_at(left, left + wanted, scale.contigs)


def stretch_at(left: int, right: int, contigs: list[DrawnContig]) -> Stretch:
    """The stretch from place `left` up to place `right` of the drawn genome."""
    offsets = np.array([c.offset for c in contigs])
    first = contigs[max(0, int(np.searchsorted(offsets, left, side="right")) - 1)]
    last = contigs[max(0, int(np.searchsorted(offsets, right - 1, side="right")) - 1)]
    start = min(max(1, left - first.offset + 1), max(first.length, 1))
    return Stretch(first.rank, start, last.rank, min(max(1, right - last.offset), max(last.length, 1)))


def interval_of(where: Stretch) -> Interval | None:
    """The stretch as an interval; None when it runs over several contigs."""
    return Interval(where.first, where.start, where.end) if where.first == where.last else None
