"""One version of a set, to read from: rows by place or key, genotypes as counts, haplotypes, dosages, bits.

Rows are sorted by (locus, allele). A row is one alternate allele; genotypes at a position of several count
the row's own allele, the others stand as REF. Everything is read from the packed form (see packed) but
dosages, which come from the VCF Zarr. Who may see it is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from nexome.model.alleles import flip_keys
from nexome.model.errors import InputError, NotFoundError
from nexome.model.genome import HASHED, Assembly, Interval, hash_text
from nexome.model.terms import Access
from nexome.store.associations.arrays import read_soon
from nexome.store.associations.types import FeatureKey, Features
from nexome.store.genotypes import kernels
from nexome.store.genotypes.layout import CallArray
from nexome.store.genotypes.manifest import FOLDER, SetEntry
from nexome.store.genotypes.packed import EVERYONE, Packed, open_packed
from nexome.store.genotypes.types import Bools, Calls, Floats, Int64s, Kind, Words, groups_of

Rows = slice | npt.NDArray[np.int64]


class GenotypeSet:
    """One version of a set; arrays are opened when first touched. Safe from several threads."""

    def __init__(self, root: Path, entry: SetEntry, assembly: Assembly) -> None:
        self.entry = entry
        self.assembly = assembly
        self.path = root / FOLDER / entry.path
        self._root = root

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.entry.name

    @property
    def version(self) -> int:
        """The version, counted from 1."""
        return self.entry.version

    @property
    def kind(self) -> Kind:
        """`samples` or `ld-panel`."""
        return self.entry.kind

    @property
    def access(self) -> Access:
        """Who may see what is computed from it; genotypes themselves are never shown."""
        return self.entry.access

    @property
    def phased(self) -> bool:
        """Whether every heterozygous call is phased."""
        return self.entry.phased

    @property
    def has_dosages(self) -> bool:
        """Whether the source had dosages."""
        return self.entry.dosages

    @property
    def size(self) -> int:
        """Variants (rows)."""
        return self.entry.variants

    @property
    def people(self) -> int:
        """People (S)."""
        return self.entry.people

    @cached_property
    def samples(self) -> pa.Table:
        """The people, in the order of the genotypes (types.PEOPLE)."""
        return pq.read_table(self.path / "samples.parquet")

    @cached_property
    def members(self) -> Mapping[str, Int64s]:
        """Rows of `samples` of each population and superpopulation."""
        return groups_of(self.samples)

    @property
    def populations(self) -> dict[str, int]:
        """People of each population and superpopulation."""
        return {name: len(rows) for name, rows in self.members.items()}

    @cached_property
    def packed(self) -> Packed:
        """The packed form, made anew where it is gone."""
        return open_packed(self._root, self.entry, self.assembly)

    def receipt(self) -> dict[str, Any]:
        """What became of each row at import."""
        return dict(orjson.loads((self.path / "receipt.json").read_bytes()))

    def rows_in(self, interval: Interval) -> slice:
        """Rows whose position lies in an interval."""
        first, behind = np.searchsorted(self.packed.locus, np.array(interval.locus_range, np.uint64))
        return slice(int(first), int(behind))

    def find(self, keys: Sequence[FeatureKey]) -> Int64s:
        """Rows of K keys as they are spelled, int64 [K], −1 absent."""
        wanted = np.array([(k[0], k[1]) for k in keys], np.uint64).reshape(-1, 2)
        return self.find_arrays(wanted[:, 0], wanted[:, 1])

    def find_arrays(self, locus: Words, allele: Words) -> Int64s:
        """`find` for keys given as two arrays uint64 [K]."""
        packed = self.packed
        want = (np.ascontiguousarray(locus), np.ascontiguousarray(allele))
        rows: Int64s = kernels.find_rows(packed.locus, packed.allele, *want)
        return rows

    def find_either(
        self, keys: Sequence[FeatureKey], *, spelled: Mapping[int, str] | None = None
    ) -> tuple[Int64s, Bools]:
        """Rows of K keys in either order of the alleles, −1 absent, and where the set has them swapped.

        In a swapped row the alternate allele of the set is the reference of the key: counts there are
        2 − count, and r changes its sign. `spelled` gives the texts of hashed keys that the set may not know.
        """
        wanted = np.array([(k[0], k[1]) for k in keys], np.uint64).reshape(-1, 2)
        locus, allele = np.ascontiguousarray(wanted[:, 0]), np.ascontiguousarray(wanted[:, 1])
        rows = self.find_arrays(locus, allele)
        flipped = flip_keys(allele)
        for k in np.flatnonzero((allele >= np.uint64(HASHED)) & (rows < 0)).tolist():
            text = (spelled or {}).get(int(allele[k]), "")
            ref, slash, alt = text.partition("/")
            flipped[k] = hash_text(f"{alt}/{ref}") if slash else 0
        other = self.find_arrays(locus, flipped)
        swapped = (rows < 0) & (other >= 0)
        return np.where(swapped, other, rows), swapped

    def features(self, rows: Rows) -> Features:
        """Keys, rs numbers and spellings of rows, as the association store gives them."""
        packed = self.packed
        return Features(packed.locus[rows], packed.allele[rows], packed.rsid[rows], packed.spelled)

    def genotype_bits(self, rows: Rows) -> Words:
        """Genotypes as two planes of bits (kernels), uint64 [V, 2, W]; a view where `rows` is a slice."""
        return _soon(self.packed.genotypes, rows)

    def haplotype_bits(self, rows: Rows) -> Words:
        """Haplotypes as two planes of bits, uint64 [V, 2, W]; 0 where missing (see `genotype_bits`).

        Raises InputError for a set that is not phased.
        """
        if self.packed.haplotypes is None:
            raise InputError(
                "not every heterozygous call is phased",
                where=f"genotypes {self.name}",
                expected="a phased set",
            )
        return _soon(self.packed.haplotypes, rows)

    def population_bits(self, population: str | None = None) -> Words:
        """The people of a population (None: all) as bits, uint64 [W], to AND with the planes."""
        bits = np.zeros(kernels.words_of(self.people) * kernels.WORD_BITS, np.uint8)
        bits[self.people_of(population)] = 1
        return np.packbits(bits, bitorder="little").view("<u8").astype(np.uint64)

    def people_of(self, population: str | None = None) -> Int64s:
        """Rows of `samples` of a population (None: everyone). Raises NotFoundError for an unknown one."""
        if population is None:
            return np.arange(self.people, dtype=np.int64)
        if (found := self.members.get(population)) is None:
            raise NotFoundError(
                f"no population {population[:60]!r}",
                where=f"genotypes {self.name}",
                expected=", ".join(self.members) or "a set with populations: import it with --samples",
            )
        return found

    def alternate_counts(self, rows: Rows, population: str | None = None) -> Calls:
        """Alternate alleles of each person, int8 [V, S], −1 missing; a haploid call counts 0 or 2."""
        bits = np.ascontiguousarray(self.genotype_bits(rows))
        counts: Calls = kernels.unpack_counts(bits, self.people_of(population))
        return counts

    def haplotypes(self, rows: Rows, population: str | None = None) -> Calls:
        """First and second haplotype of each person, int8 [V, 2S], −1 missing; phased sets alone."""
        alleles = np.ascontiguousarray(self.haplotype_bits(rows))
        bits = np.ascontiguousarray(self.genotype_bits(rows))
        found: Calls = kernels.unpack_haplotypes(bits, alleles, self.people_of(population))
        return found

    def dosages(self, rows: Rows, population: str | None = None) -> Floats:
        """Alternate alleles expected of each person, float32 [V, S], NaN missing.

        From hard calls where a set has no dosages, or a genotype has none.
        """
        counts = self.alternate_counts(rows, population)
        hard = np.where(counts < 0, np.float32(np.nan), counts.astype(np.float32))
        if not self.has_dosages:
            return hard
        told = CallArray.open(self.path / "call_DS").read(rows)[:, self.people_of(population)]
        return np.where(np.isnan(told), hard, told)

    def frequencies(self, rows: Rows, population: str | None = None) -> Floats:
        """Frequency of the alternate allele, float32 [V], from hard calls; NaN where nobody is called."""
        count, number = self.allele_counts(rows, population)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (count / number).astype(np.float32)

    def allele_counts(
        self, rows: Rows, population: str | None = None
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Alternate alleles, and all alleles called, int32 [V] each; a haploid call is one allele."""
        if population is not None:
            self.people_of(population)
        group = self.packed.groups.index(population if population is not None else EVERYONE)
        return self.packed.allele_count[rows, group], self.packed.allele_number[rows, group]

    def calls(self, rows: Rows) -> tuple[Calls, Bools]:
        """Calls int8 [V, S, 2] and phased bool [V, S] as they were imported, from the VCF Zarr."""
        genotype = CallArray.open(self.path / "call_genotype").read(rows)
        return genotype, CallArray.open(self.path / "call_genotype_phased").read(rows)


def _soon(array: Words, rows: Rows) -> Words:
    found = array[rows]
    if isinstance(rows, slice) and found.size:
        read_soon(found)
    return found
