"""Every rule by which a row is dropped or changed, its name in receipts, and its meaning.

A row is dropped by the first rule that meets it; it may be changed by several. `Verdicts` collects
both for the rows of one batch. The names never change their meaning: receipts are kept for good.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt


class Drop(IntEnum):
    """Why a row is not kept; 0 is kept. `Drop.NO_POSITION.label` is 'no_position'."""

    KEPT = 0
    UNREADABLE_CELL = 1
    NO_POSITION = 2
    UNKNOWN_CONTIG = 3
    POSITION_OUT_OF_RANGE = 4
    NO_EFFECT_ALLELE = 5
    UNREADABLE_ALLELE = 6
    SAME_ALLELES = 7
    NO_FEATURE_NAME = 8
    STANDARD_ERROR_NOT_POSITIVE = 9
    P_OUT_OF_RANGE = 10
    P_ZERO = 11
    RATIO_NOT_POSITIVE = 12
    EFFECT_NOT_FINITE = 13
    NO_EFFECT = 14
    NO_DIRECTION = 15
    NOT_LIFTED = 16
    LIFTED_TO_SEVERAL = 17
    REFERENCE_MISMATCH = 18
    PALINDROMIC = 19
    DUPLICATE_IDENTICAL = 20
    DUPLICATE_CONTRADICTING = 21
    NO_TRAIT = 22
    NO_STUDY = 23
    INDEL_IN_INVERSION = 24

    @property
    def label(self) -> str:
        """The rule's name in receipts and summaries."""
        return self.name.lower()


class Change(IntFlag):
    """What was changed in a kept row."""

    EFFECT_FROM_RATIO = 1 << 0
    STANDARD_ERROR_FROM_INTERVAL = 1 << 1
    STANDARD_ERROR_FROM_P = 1 << 2
    Z_FROM_P = 1 << 3
    Z_FROM_COLUMN = 1 << 4
    ALLELES_SWAPPED = 1 << 5
    STRAND_COMPLEMENTED = 1 << 6
    ALLELES_DECODED = 1 << 7
    OTHER_ALLELE_UNKNOWN = 1 << 8
    LEFT_NORMALISED = 1 << 9
    POSITION_FROM_RSID = 1 << 10
    LIFTED = 1 << 11
    FREQUENCY_SET_MISSING = 1 << 12
    FREQUENCY_COMPLEMENTED = 1 << 13
    N_SET_MISSING = 1 << 14
    CELL_SET_MISSING = 1 << 15
    INTERVAL_IGNORED = 1 << 16
    P_AND_ESTIMATE_DISAGREE = 1 << 17
    ALLELES_COMPLETED = 1 << 18

    @property
    def label(self) -> str:
        """The rule's name in receipts and summaries."""
        return str(self.name).lower()


DROPPED: Final[dict[Drop, str]] = {
    Drop.UNREADABLE_CELL: "a cell the row cannot do without is not what its column must hold",
    Drop.NO_POSITION: "no chromosome or position, and none could be found by rs number",
    Drop.UNKNOWN_CONTIG: "the home assembly has no such contig",
    Drop.POSITION_OUT_OF_RANGE: "the position is 0, negative or behind the contig's end",
    Drop.NO_EFFECT_ALLELE: "the effect allele is missing",
    Drop.UNREADABLE_ALLELE: "an allele is not made of A, C, G, T, N, nor I, D, '-', '*' or <SYMBOL>",
    Drop.SAME_ALLELES: "effect and other allele are the same",
    Drop.NO_FEATURE_NAME: "the row names no feature",
    Drop.STANDARD_ERROR_NOT_POSITIVE: "the standard error is 0, negative or not finite",
    Drop.P_OUT_OF_RANGE: "p is below 0 or above 1 (or −log10 p is below 0)",
    Drop.P_ZERO: "p is written as 0 and nothing else tells how small it is",
    Drop.RATIO_NOT_POSITIVE: "the odds or hazard ratio is 0 or negative",
    Drop.EFFECT_NOT_FINITE: "the effect is infinite",
    Drop.NO_EFFECT: "too little is given to tell the effect: neither effect and error, nor z, nor p",
    Drop.NO_DIRECTION: "p is given, but no sign of the effect",
    Drop.NOT_LIFTED: "the position has no counterpart in the home assembly",
    Drop.LIFTED_TO_SEVERAL: "the position has several counterparts in the home assembly",
    Drop.REFERENCE_MISMATCH: "neither allele, on either strand, is the base of the reference sequence",
    Drop.PALINDROMIC: "the alleles read the same on both strands and the strand cannot be told",
    Drop.DUPLICATE_IDENTICAL: "the same row stands in the file once more",
    Drop.DUPLICATE_CONTRADICTING: "the same variant and trait stand in the file with other values",
    Drop.NO_TRAIT: "the row names no trait in a file of several",
    Drop.NO_STUDY: "the row names no study in a file of several",
    Drop.INDEL_IN_INVERSION: "an indel in a stretch that is inverted between the assemblies",
}

CHANGED: Final[dict[Change, str]] = {
    Change.EFFECT_FROM_RATIO: "the effect is the natural logarithm of the odds or hazard ratio",
    Change.STANDARD_ERROR_FROM_INTERVAL: "the standard error comes from the 95 % interval",
    Change.STANDARD_ERROR_FROM_P: "the standard error is the effect divided by the z of its p",
    Change.Z_FROM_P: "z comes from p and the sign of the effect",
    Change.Z_FROM_COLUMN: "z is the one the file gives",
    Change.ALLELES_SWAPPED: "the alleles changed places to match the known order; the sign of the effect too",
    Change.STRAND_COMPLEMENTED: "both alleles are written on the other strand",
    Change.ALLELES_DECODED: "alleles 1, 2, 3, 4 are read as A, C, G, T",
    Change.OTHER_ALLELE_UNKNOWN: "the other allele is not given and is written N",
    Change.LEFT_NORMALISED: "the alleles are trimmed and shifted left along the reference sequence",
    Change.POSITION_FROM_RSID: "the position is that of the rs number",
    Change.LIFTED: "the position was lifted over to the home assembly",
    Change.FREQUENCY_SET_MISSING: "the frequency lies outside 0 to 1 and is set missing",
    Change.FREQUENCY_COMPLEMENTED: "the frequency was that of the other allele and is turned around",
    Change.N_SET_MISSING: "the sample size is not positive and is set missing",
    Change.CELL_SET_MISSING: "a cell that is not what its column must hold is set missing",
    Change.INTERVAL_IGNORED: "the ends of the 95 % interval are not a lower and an upper end; not used",
    Change.P_AND_ESTIMATE_DISAGREE: "p and effect / standard error tell different z (counted, not mended)",
    Change.ALLELES_COMPLETED: "the missing other allele is the one the sites table or the store has there",
}


class Verdicts:
    """The rules that met each of V rows: `drop` uint8 [V] (0: kept) and `change` uint32 [V] (bits)."""

    def __init__(self, rows: int) -> None:
        self.drop: npt.NDArray[np.uint8] = np.zeros(rows, np.uint8)
        self.change: npt.NDArray[np.uint32] = np.zeros(rows, np.uint32)

    def reject(self, rows: npt.NDArray[np.bool_], rule: Drop) -> None:
        """Drop the rows of a mask by `rule`, except those another rule has already dropped."""
        if rows.any():
            self.drop[rows & (self.drop == 0)] = rule

    def mark(self, rows: npt.NDArray[np.bool_], rule: Change) -> None:
        """Note that the rows of a mask were changed by `rule`."""
        if rows.any():
            self.change[rows] |= np.uint32(rule)

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Mask of the rows no rule has dropped."""
        return self.drop == 0
