"""The records that pass through the genotype store: people, blocks of genotypes on their way in.

Shapes: V variants (rows), S people (samples), ploidy 2. An allele of a call is 0 (REF), 1 (ALT), −1 (not
known) or −2 (there is none: a haploid call has it second), as in VCF Zarr. Each row has one alternate
allele; a position of several has several rows. Nothing here reads or writes a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

UInt64s = npt.NDArray[np.uint64]
UInt32s = npt.NDArray[np.uint32]
Int64s = npt.NDArray[np.int64]
Calls = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

Kind = Literal["samples", "ld-panel"]
KINDS: Final[tuple[Kind, ...]] = ("samples", "ld-panel")

MISSING: Final = -1

PEOPLE: Final = pa.schema(
    [
        ("sample_id", pa.string()),
        ("family_id", pa.string()),
        ("father_id", pa.string()),
        ("mother_id", pa.string()),
        ("sex", pa.string()),  # male, female or '' (not known)
        ("population", pa.string()),
        ("superpopulation", pa.string()),
    ]
)
"""The people of a set, one row each, in the order of the genotypes; '' where nothing is known."""


@dataclass(frozen=True, slots=True)
class GenotypeBlock:
    """V variants of S people on their way in, in any order.

    `locus`, `allele` uint64 [V] (model.genome); `calls` int8 [V, S, 2]; `phased` bool [V, S] (None: no
    call is phased); `dosages` float32 [V, S], 0 to 2 alternate alleles, NaN missing (None: there are
    none); `rsid` uint32 [V], 0 unknown; `names` [V], the ID of the source ('' none); `spelled` gives the
    text "REF/ALT" behind each hashed allele key.
    """

    locus: UInt64s
    allele: UInt64s
    calls: Calls
    phased: Bools | None = None
    dosages: Floats | None = None
    rsid: UInt32s | None = None
    names: pa.Array | None = None
    spelled: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.locus)


def people_table(columns: Mapping[str, Any]) -> pa.Table:
    """A table of PEOPLE from some of its columns; the others are ''."""
    size = len(columns["sample_id"])
    arrays = [pa.array(list(columns.get(name, [""] * size)), pa.string()) for name in PEOPLE.names]
    return pa.Table.from_arrays(arrays, schema=PEOPLE)


def groups_of(people: pa.Table) -> dict[str, Int64s]:
    """Populations and superpopulations by name: the rows of their people. A population's name wins."""
    found: dict[str, Int64s] = {}
    for column in ("population", "superpopulation"):
        names = np.array(people[column].to_pylist(), object)
        for name in sorted({str(n) for n in names} - {""} - set(found)):
            found[name] = np.flatnonzero(names == name)
    return found
