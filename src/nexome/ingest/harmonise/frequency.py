"""Whether a file's frequency is that of its effect allele, told against frequencies that are known.

One study in ten gives the frequency of the other allele (measured over public files by others). Over
many variants the right one lies near the known frequency b and the wrong one near 1 − b, so the sign
of the correlation and the share of |f − b| > |1 − f − b| tell. The whole study is judged, never a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Verdict = Literal["effect allele", "other allele", "unclear", "not compared"]

LEAST_COMPARED: Final = 100
"""Fewer informative variants than this tell nothing."""
INFORMATIVE: Final = 0.1
"""Variants with |b − ½| below this are left out: f and 1 − f are too near each other."""
CLEAR_SHARE: Final = 0.8
CLEAR_CORRELATION: Final = 0.3


@dataclass(frozen=True, slots=True)
class FrequencyEvidence:
    """Sums over the variants compared: count, how many lie nearer 1 − b, and moments of f and b."""

    compared: int = 0
    nearer_other: int = 0
    sums: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    def __add__(self, more: FrequencyEvidence) -> FrequencyEvidence:
        sums = tuple(a + b for a, b in zip(self.sums, more.sums, strict=True))
        return FrequencyEvidence(
            self.compared + more.compared,
            self.nearer_other + more.nearer_other,
            (sums[0], sums[1], sums[2], sums[3], sums[4]),
        )

    @property
    def correlation(self) -> float:
        """Pearson's r of f with b; NaN when nothing varies."""
        f, b, ff, bb, fb = self.sums
        n = max(self.compared, 1)
        scale = (ff / n - (f / n) ** 2) * (bb / n - (b / n) ** 2)
        return (fb / n - f * b / n**2) / scale**0.5 if scale > 1e-12 else float("nan")

    @property
    def share_other(self) -> float:
        """Share of the compared variants that lie nearer 1 − b than b."""
        return self.nearer_other / max(self.compared, 1)

    @property
    def verdict(self) -> Verdict:
        """What the file's frequency is of, by both measures together."""
        if self.compared < LEAST_COMPARED:
            return "not compared"
        if self.share_other >= CLEAR_SHARE and self.correlation <= -CLEAR_CORRELATION:
            return "other allele"
        if self.share_other <= 1 - CLEAR_SHARE and self.correlation >= CLEAR_CORRELATION:
            return "effect allele"
        return "unclear"


def compare_frequencies(frequency: Floats, known: Floats) -> FrequencyEvidence:
    """Evidence from V variants: `frequency` in the file, `known` of the same allele (NaN: not compared).

    >>> f = np.linspace(0.05, 0.35, 200, dtype=np.float32)
    >>> compare_frequencies(1 - f, f).verdict
    'other allele'
    """
    with np.errstate(invalid="ignore"):
        use = np.isfinite(frequency) & np.isfinite(known) & (np.abs(known - 0.5) >= INFORMATIVE)
    f, b = frequency[use].astype(np.float64), known[use].astype(np.float64)
    nearer = int((np.abs(f - b) > np.abs(1 - f - b)).sum())
    sums = (f.sum(), b.sum(), (f * f).sum(), (b * b).sum(), (f * b).sum())
    return FrequencyEvidence(len(f), nearer, (*map(float, sums),))  # type: ignore[arg-type]
