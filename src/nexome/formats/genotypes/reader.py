"""What every reader of genotype files gives: its people, then batches of variants with their calls.

A variant of several alternate alleles comes as one row an allele: 1 is the row's own alternate allele, 0
any other. An allele that is not known is −1; the second of a haploid call is −2. Dosages are of the row's
allele, 0 to 2 (a haploid dosage counts twice). Rows a format cannot give are `Dropped`, never silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.reader import Dropped
from nexome.formats.stream import ByteStream
from nexome.model.errors import FormatError

BATCH_BYTES: Final = 16 << 20  # of genotypes in one batch
NO_ALTERNATE: Final = "no_alternate_allele"
NO_GENOTYPES: Final = "no_genotypes"
PLOIDY: Final = "ploidy_above_two"
RULES: Final = {
    NO_ALTERNATE: "no alternate allele is named ('.', '0' or '*'): nobody carries one, or it is a deletion "
    "described elsewhere",
    NO_GENOTYPES: "the line has neither GT nor DS nor GP",
    PLOIDY: "a call has more than two alleles",
}


@dataclass(frozen=True, slots=True)
class Person:
    """One sample as its file names it; '' where nothing is said. `sex` is male, female or ''."""

    sample_id: str
    family_id: str = ""
    father_id: str = ""
    mother_id: str = ""
    sex: str = ""
    population: str = ""
    superpopulation: str = ""


@dataclass(frozen=True, slots=True)
class RawGenotypes:
    """V rows of S people.

    `line` uint64 [V] of the source (of the .bim or .pvar; the record's number in a BCF); `contig`, `id`,
    `ref`, `alt` text [V] as written; `position` int64 [V], 1-based; `calls` int8 [V, S, 2]; `phased` bool
    [V, S]; `dosages` float32 [V, S] or None.
    """

    line: npt.NDArray[np.uint64]
    contig: pa.Array
    position: npt.NDArray[np.int64]
    id: pa.Array
    ref: pa.Array
    alt: pa.Array
    calls: npt.NDArray[np.int8]
    phased: npt.NDArray[np.bool_]
    dosages: npt.NDArray[np.float32] | None
    dropped: tuple[Dropped, ...] = ()

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself.

    `reference_known`: the first allele is the reference's (not so in a PLINK .bim). `contigs`: name and
    length, where said; `build`: as written in the header, '' else. `digits`: alleles are 1, 2, 3, 4.
    """

    people: tuple[Person, ...]
    reference_known: bool = True
    contigs: dict[str, int] = field(default_factory=dict)
    build: str = ""
    digits: bool = False


class GenotypeReader(Protocol):
    """A genotype file being read, once, from start to end."""

    @property
    def format(self) -> str:
        """Name of the format, for receipts."""
        ...

    @property
    def header(self) -> Header:
        """What the file says of itself."""
        ...

    @property
    def streams(self) -> Sequence[ByteStream]:
        """The files read; their checksums are complete after the last batch."""
        ...

    def batches(self) -> Iterator[RawGenotypes]:
        """All variants, in the order of the file."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


def rows_of_batch(people: int, *, bytes_each: int = 3) -> int:
    """Variants a batch may hold, for a file of that many people."""
    return max(1, min(65_536, BATCH_BYTES // max(1, people * bytes_each)))


def hard_calls(dosages: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Calls int8 [V, S, 2] of dosages within 0.1 of a whole number, as PLINK 2 makes them; −1 else."""
    nearest = np.rint(np.nan_to_num(dosages, nan=-1.0))
    near = np.abs(dosages - nearest) <= np.float32(0.1)
    calls = np.stack([nearest >= 2, nearest >= 1], axis=-1).astype(np.int8)
    calls[~near] = -1
    return calls


def check_people(people: Sequence[Person], where: str) -> tuple[Person, ...]:
    """The people, when there are some and each identifier stands once.

    Identifiers that repeat between families are joined with the family's, as in 'FID_IID'.
    """
    if not people:
        raise FormatError("no samples", where=where, expected="genotypes of at least one person")
    identifiers = [p.sample_id for p in people]
    if len(set(identifiers)) < len(identifiers) and any(p.family_id for p in people):
        people = [_with_family(p) for p in people]
        identifiers = [p.sample_id for p in people]
    first: dict[str, int] = {}
    for number, identifier in enumerate(identifiers, 1):
        if identifier in first:
            raise FormatError(
                f"samples {first[identifier]} and {number} have the same identifier",
                where=where,
                expected="each sample once",
                todo="Rename one of them, or remove it.",
            )
        first[identifier] = number
    return tuple(people)


def _with_family(p: Person) -> Person:
    name = f"{p.family_id}_{p.sample_id}"
    return Person(name, p.family_id, p.father_id, p.mother_id, p.sex, p.population, p.superpopulation)


def cut_short(stream: ByteStream, found: str, expected: str) -> FormatError:
    """The error for a file that ends before what its companions promise."""
    return FormatError(
        found,
        where=stream.name,
        expected=expected,
        todo="Fetch or copy the files again; they belong together.",
    )
