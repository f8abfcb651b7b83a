"""The packed form of a set: what answers are computed from. Derived: deleted, it is made again.

<root>/genotypes/packed/<set>/<version>/     a Zarr v3 group of plain memory-mapped arrays

    locus, allele uint64 [V], rsid uint32 [V]   keys of the rows, sorted
    genotypes     uint64 [V, 2, W]   two bits a genotype as two planes (see kernels), W = ⌈S / 64⌉ words
    haplotypes    uint64 [V, 2, W]   one bit a haplotype, phased sets alone
    allele_count, allele_number int32 [V, G]   of all people, then of each population and superpopulation
    spelled.json  the text of hashed allele keys

The attributes name the digest of the version it was made from.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from nexome.model.alleles import pack_alleles
from nexome.model.errors import DamagedError
from nexome.model.genome import Assembly, loci_of
from nexome.store.associations.arrays import (
    create_array,
    open_array,
    read_attributes,
    write_array,
    write_group,
)
from nexome.store.disk import publish_folder, remove_folder
from nexome.store.genotypes import kernels
from nexome.store.genotypes.layout import CallArray, read_numbers, read_texts
from nexome.store.genotypes.manifest import FOLDER, PACKED, SetEntry
from nexome.store.genotypes.types import Int64s, UInt32s, UInt64s, Words, groups_of

KIND: Final = "nexome-genotypes-packed"
VERSION: Final = 1
EVERYONE: Final = ""
READ_BYTES: Final = 32 << 20  # calls read at once while packing


@dataclass(frozen=True)
class Packed:
    """The opened packed form; arrays are mapped from their files."""

    path: Path
    locus: UInt64s
    allele: UInt64s
    rsid: UInt32s
    genotypes: Words
    haplotypes: Words | None
    allele_count: npt.NDArray[np.int32]
    allele_number: npt.NDArray[np.int32]
    groups: tuple[str, ...]

    @classmethod
    def open(cls, path: Path, *, digest: str) -> Self | None:
        """The packed form at `path`; None when there is none, or it was made from something else."""
        try:
            attributes = read_attributes(path)
            if (attributes["kind"], attributes["version"], attributes["digest"]) != (KIND, VERSION, digest):
                return None
            arrays: dict[str, Any] = {
                name: open_array(path / name)
                for name in ("locus", "allele", "rsid", "genotypes", "allele_count", "allele_number")
            }
            haplotypes = open_array(path / "haplotypes") if attributes["phased"] else None
        except (DamagedError, KeyError):
            return None
        return cls(path=path, haplotypes=haplotypes, groups=tuple(attributes["groups"]), **arrays)

    @cached_property
    def spelled(self) -> Mapping[int, str]:
        """The text behind each hashed allele key."""
        return {int(k): v for k, v in orjson.loads((self.path / "spelled.json").read_bytes()).items()}


def packed_path(root: Path, entry: SetEntry) -> Path:
    """Where the packed form of a version lies."""
    return root / FOLDER / PACKED / entry.name / str(entry.version)


def open_packed(root: Path, entry: SetEntry, assembly: Assembly) -> Packed:
    """The packed form of a version, made first where it is absent, older or damaged.

    Raises DamagedError when the version itself cannot be read.
    """
    path = packed_path(root, entry)
    if (found := Packed.open(path, digest=entry.digest)) is not None:
        return found
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        build_packed(root / FOLDER / entry.path, beside, assembly=assembly, digest=entry.digest)
        remove_folder(path)
        with suppress(FileExistsError):  # another process made it at the same time: both are the same
            publish_folder(beside, path)
    finally:
        remove_folder(beside)
    if (made := Packed.open(path, digest=entry.digest)) is None:
        raise DamagedError(
            "a packed form that cannot be read", where=str(path), todo="Delete it; it is derived."
        )
    return made


def build_packed(source: Path, target: Path, *, assembly: Assembly, digest: str) -> None:
    """Make the packed form of the set at `source` (a VCF Zarr folder) in the new folder `target`.

    Raises DamagedError when `source` cannot be read.
    """
    attributes = read_attributes(source)
    groups = groups_of(pq.read_table(source / "samples.parquet"))
    names = (EVERYONE, *groups)
    phased = bool(attributes["phased"])
    own = {"kind": KIND, "version": VERSION, "digest": digest, "groups": list(names), "phased": phased}
    write_group(target, own)
    _write_keys(source, target, assembly)
    calls = CallArray.open(source / "call_genotype")
    _write_planes(
        calls, target, groups=groups, phased=phased, shape=(attributes["variants"], attributes["people"])
    )


def _write_keys(source: Path, target: Path, assembly: Assembly) -> None:
    contigs = np.array([assembly.rank(name) for name in read_texts(source / "contig_id")], np.int64)
    ranks = contigs[read_numbers(source / "variant_contig")]
    alleles = read_texts(source / "variant_allele")
    packed = pack_alleles(pa.array(alleles[0::2], pa.string()), pa.array(alleles[1::2], pa.string()))
    write_array(target / "locus", loci_of(ranks, read_numbers(source / "variant_position")))
    write_array(target / "allele", packed.keys)
    write_array(target / "rsid", read_numbers(source / "variant_rsid"))
    content = orjson.dumps({str(key): text for key, text in packed.spelled.items()})
    (target / "spelled.json").write_bytes(content)


def _write_planes(
    calls: CallArray, target: Path, *, groups: Mapping[str, Int64s], phased: bool, shape: tuple[int, int]
) -> None:
    rows, people = shape
    words = kernels.words_of(people)
    divisions = _divisions(groups, people)
    step = max(1, READ_BYTES // max(1, 2 * people))
    sizes = {"genotypes": (rows, 2, words), "allele_count": (rows, len(groups) + 1)}
    with ExitStack() as stack:
        genotypes = stack.enter_context(create_array(target / "genotypes", sizes["genotypes"], "uint64"))
        counts = stack.enter_context(create_array(target / "allele_count", sizes["allele_count"], "int32"))
        numbers = stack.enter_context(create_array(target / "allele_number", sizes["allele_count"], "int32"))
        haplotypes = None
        if phased:
            haplotypes = stack.enter_context(
                create_array(target / "haplotypes", sizes["genotypes"], "uint64")
            )
        for start in range(0, rows, step):
            here = slice(start, min(rows, start + step))
            part = np.ascontiguousarray(calls.read(here))
            genotypes[here], planes = kernels.pack_calls(part, words)
            if haplotypes is not None:
                haplotypes[here] = planes
            counts[here], numbers[here] = kernels.count_alleles(part, divisions, len(groups) + 1)


def _divisions(groups: Mapping[str, Int64s], people: int) -> Int64s:
    """Group numbers of each person, int64 [L, S]: everyone, then as few divisions as hold all groups."""
    divisions = [np.zeros(people, np.int64)]
    for number, members in enumerate(groups.values(), 1):
        free = next((d for d in divisions[1:] if (d[members] < 0).all()), None)
        if free is None:
            free = np.full(people, -1, np.int64)
            divisions.append(free)
        free[members] = number
    return np.stack(divisions)
