"""How well a record fits a text: an inspectable sum, its weights, and how sure a score makes us.

score = best · cosine of the nearest name  + mean · cosine of the mean of all names
      + equal · the same two over the names of what means the same elsewhere, where that is more
      − crowd · how near the record is to everything
      + spelling · likeness of words  + pieces · likeness of characters and pairs, of a Chinese text
      + kind of name, where the text equals one  + usage · ln(1 + usage)

Arrays in, arrays out; nothing is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

PARTS: Final = ("best", "mean", "equal_best", "equal_mean", "crowd", "spelling", "named", "usage", "pieces")
NAMED: Final = {
    "label": 1.0,
    "identifier": 1.0,
    "exact": 0.9,
    "translation": 0.9,
    "layperson": 0.8,
    "abbreviation": 0.6,
    "related": 0.5,
    "narrow": 0.4,
    "broad": 0.4,
}
"""What a text that equals a name is worth, by what the name is; anything else 0.5."""


class Sureness(NamedTuple):
    """A logistic curve of the best cosine, whether a name equals the text, and the lead over the second."""

    intercept: float
    best: float
    named: float
    lead: float

    def of(self, best: float, *, named: float, lead: float) -> float:
        """How often a first match like this one was right, 0–1."""
        sum_ = self.intercept + self.best * best + self.named * (named > 0) + self.lead * min(lead, 0.5)
        return float(1.0 / (1.0 + np.exp(-sum_)))


SURENESS: Final = Sureness(intercept=-6.73, best=8.29, named=-0.76, lead=3.87)
"""Fitted to 2,637 names held out, trait names and mentions, and 600 names of things that are not there."""
SURENESS_CHINESE: Final = Sureness(intercept=-4.64, best=7.1, named=-2.15, lead=5.67)
"""Fitted to 1,636 labels held out, diagnoses and laymen's words, and 30 texts about other matters."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the parts of a score. The defaults were chosen on names held out (docs/search.md)."""

    best: float = 1.0
    mean: float = 0.5
    equal_best: float = 0.5
    equal_mean: float = 0.25
    crowd: float = 0.0
    spelling: float = 0.05
    named: float = 0.3
    usage: float = 0.03
    pieces: float = 0.0
    own_script: float = -0.25
    """Added to the cosine of two Chinese texts, which are alike by characters as a translation cannot be."""
    unwritten: float = 1.0
    """Likeness of words of a record without a name in the script of the text, as a share of the greatest."""

    sureness: Sureness = SURENESS
    """How sure a score of these weights makes us."""

    def vector(self) -> Floats:
        """The weights in the order of PARTS."""
        return np.array([getattr(self, part) for part in PARTS], np.float32)


CHINESE: Final = Weights(
    mean=0.0,
    equal_mean=0.0,
    crowd=-0.3,
    spelling=0.2,
    usage=0.02,
    pieces=0.5,
    sureness=SURENESS_CHINESE,
)
"""Of Chinese questions: names in two scripts have no common middle, and words and characters say much."""


class Weigh(Protocol):
    """What gives the weights of a question."""

    def __call__(self, *, chinese: bool) -> Weights:
        """Those of a Chinese one, or of any other."""


def weights_of(*, chinese: bool) -> Weights:
    """The weights of a question, by its script."""
    return CHINESE if chinese else Weights()


class Tables(NamedTuple):
    """What scoring reads, by record or name.

    `first` int64 [R + 1] rows of a record's names; `codes` int8 [N, D], `scales` float32 [N] of names;
    `places` int32 [R] of records in `mean_codes` int8 [R, D], `mean_scales`; `spans` float32 [R] length of
    the sum of a record's names' vectors; `equal_offsets`, `equal_values` CSR of equivalents; `equal_spans`
    float32 [R]; `chinese` uint8 [N], 1 for a name in Chinese characters.
    """

    first: Any
    codes: Any
    scales: Any
    places: Any
    mean_codes: Any
    mean_scales: Any
    spans: Any
    equal_offsets: Any
    equal_values: Any
    equal_spans: Any
    chinese: Any
