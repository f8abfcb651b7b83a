"""Writing a version: blocks in any order go to scratch, then sorted to VCF Zarr, then one swap publishes it.

    <root>/genotypes/staging/<token>/calls   one byte a genotype (kernels.encode_calls), in order of arrival
                                    dosages  float32, where there are any
                                    set/     the folder being made; packed/ beside it

Memory holds the keys and names of all variants (about 60 bytes each) and one band of calls. Named steps:
genotypes.written, genotypes.moved, genotypes.before-manifest, genotypes.after-manifest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from nexome.model.errors import InputError
from nexome.model.genome import unpack_alleles
from nexome.model.terms import ACCESS, Access, check_identifier
from nexome.store.associations.staging import Workplace
from nexome.store.checksums import write_checksums
from nexome.store.disk import (
    RootLock,
    check_free_space,
    now_iso,
    publish_folder,
    remove_folder,
    space_errors,
    step,
    write_atomic,
)
from nexome.store.genotypes import kernels
from nexome.store.genotypes.dataset import GenotypeSet
from nexome.store.genotypes.layout import (
    Band,
    CallArray,
    write_numbers,
    write_set_group,
    write_texts,
)
from nexome.store.genotypes.manifest import FOLDER, RESERVED, SetEntry, load_manifest, swap_manifest
from nexome.store.genotypes.packed import build_packed, packed_path
from nexome.store.genotypes.types import KINDS, PEOPLE, GenotypeBlock, Int64s, Kind

if TYPE_CHECKING:
    from nexome.store.genotypes.store import GenotypeStore

KIND: Final = "nexome-genotypes"
VERSION: Final = 1
LOCK_WAIT_S: Final = 600.0
RECEIPT_NAME: Final = "receipt.json"
SAMPLES_NAME: Final = "samples.parquet"


@dataclass(frozen=True, slots=True)
class SetFacts:
    """What is said of a set when it is staged."""

    name: str
    kind: Kind
    access: Access

    def __post_init__(self) -> None:
        check_identifier(self.name, where="the name of the genotypes")
        if self.name in RESERVED:
            raise InputError(f"the name {self.name!r}", expected="another: folders of the store have it")
        if self.kind not in KINDS or self.access not in ACCESS:
            raise InputError(f"{self.kind!r}, {self.access!r}", expected=", ".join((*KINDS, *ACCESS)))


@dataclass
class _Keys:
    """What is kept in memory of each variant added."""

    locus: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    allele: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    rsid: list[npt.NDArray[np.uint32]] = field(default_factory=list)
    names: list[pa.Array] = field(default_factory=list)
    spelled: dict[int, str] = field(default_factory=dict)
    dosages: list[bool] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def add(self, block: GenotypeBlock) -> None:
        self.locus.append(block.locus.astype(np.uint64))
        self.allele.append(block.allele.astype(np.uint64))
        self.rsid.append(np.zeros(len(block), np.uint32) if block.rsid is None else block.rsid)
        names = pa.array([""] * len(block), pa.string()) if block.names is None else block.names
        self.names.append(names.cast(pa.string()).fill_null(""))
        self.spelled.update(block.spelled)
        self.dosages.append(block.dosages is not None)
        self.rows.append(len(block))


class StagedSet:
    """A version being written. `add` blocks, then `publish`, or `abandon`. No lock is held meanwhile."""

    def __init__(self, store: GenotypeStore, facts: SetFacts, people: pa.Table) -> None:
        self.facts = facts
        self.people = people.select(PEOPLE.names).cast(PEOPLE)
        _check_people(self.people, facts.name)
        self._store = store
        self._keys = _Keys()
        self._work = Workplace(store.folder)
        self._calls = (self._work.path / "calls").open("wb")
        self._dosages = (self._work.path / "dosages").open("wb")
        self._unphased = 0
        self._order: Int64s | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def add(self, block: GenotypeBlock) -> None:
        """Add V variants; the order does not matter. Raises SpaceError when the disk is full."""
        shape = (len(block), self.people.num_rows)
        if block.calls.shape != (*shape, 2):
            raise InputError(f"calls of shape {block.calls.shape}", expected=f"{(*shape, 2)}")
        phased = np.zeros(shape, bool) if block.phased is None else block.phased
        codes = kernels.encode_calls(np.ascontiguousarray(block.calls), np.ascontiguousarray(phased))
        self._unphased += int(kernels.unphased_heterozygotes(codes))
        with space_errors(self._work.path):
            self._calls.write(codes.tobytes())
            if block.dosages is not None:
                self._dosages.write(np.ascontiguousarray(block.dosages, np.float32).tobytes())
        self._keys.add(block)

    def settle(self) -> Int64s:
        """Sort what was added; gives the rows, in order of arrival, left out for repeating a key."""
        locus, allele = _joined(self._keys.locus, np.uint64), _joined(self._keys.allele, np.uint64)
        order = np.lexsort((np.arange(len(locus)), allele, locus)).astype(np.int64)
        same = np.zeros(len(order), bool)
        sorted_locus, sorted_allele = locus[order], allele[order]
        same[1:] = (sorted_locus[1:] == sorted_locus[:-1]) & (sorted_allele[1:] == sorted_allele[:-1])
        self._order = order[~same]
        return np.sort(order[same])

    def publish(self, receipt: dict[str, Any]) -> GenotypeSet:
        """Write the version and make it the live one.

        Raises InputError when nothing was added, SpaceError when the disk is full, BusyError when another
        writer holds the root for too long.
        """
        if self._order is None:
            self.settle()
        try:
            with space_errors(self._work.path):
                self._calls.close()
                self._dosages.close()
                self._write(receipt)
            return self._make_visible()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Remove what was staged; harmless after `publish`."""
        self._calls.close()
        self._dosages.close()
        self._work.remove()

    def _write(self, receipt: dict[str, Any]) -> None:
        order, keys = self._order, self._keys
        if order is None or not len(order):
            raise InputError(
                "no variant to store",
                where=f"genotypes {self.facts.name}",
                todo="See what was left out, and why.",
            )
        size = (self._work.path / "calls").stat().st_size
        check_free_space(self._work.path, size // 2)
        folder = self._work.path / "set"
        own = {"kind": KIND, "version": VERSION, "variants": len(order), "people": self.people.num_rows}
        own |= {
            "assembly": self._store.root.assembly.name,
            "assembly_digest": self._store.root.assembly.digest,
        }
        dosages = any(keys.dosages)
        write_set_group(folder, attributes=own, phased=self._unphased == 0, dosages=dosages)
        _write_variants(folder, keys, order, self._store.root.assembly)
        write_texts(folder / "sample_id", self.people["sample_id"].to_pylist(), dimensions=["samples"])
        pq.write_table(self.people, folder / SAMPLES_NAME)
        self._write_calls(folder, order, dosages=dosages)
        write_atomic(folder / RECEIPT_NAME, orjson.dumps(receipt, option=orjson.OPT_INDENT_2))

    def _write_calls(self, folder: Path, order: Int64s, *, dosages: bool) -> None:
        people = self.people.num_rows
        band, shape = Band.of(people), (len(order), people)
        codes = np.memmap(self._work.path / "calls", np.uint8, "r", shape=(sum(self._keys.rows), people))
        genotype = CallArray.create(folder / "call_genotype", "int8", (*shape, 2), band)
        mask = CallArray.create(folder / "call_genotype_mask", "bool", (*shape, 2), band)
        phase = CallArray.create(folder / "call_genotype_phased", "bool", shape, band)
        told = CallArray.create(folder / "call_DS", "float32", shape, band) if dosages else None
        for start in range(0, len(order), band.rows):
            rows = order[start : start + band.rows]
            calls, phased = kernels.decode_calls(np.ascontiguousarray(codes[rows]))
            genotype.write(start, calls)
            mask.write(start, calls < 0)
            phase.write(start, phased)
            if told is not None:
                told.write(start, self._dosages_of(rows))

    def _dosages_of(self, rows: Int64s) -> npt.NDArray[np.float32]:
        """Dosages of rows (in order of arrival); blocks without any are missing."""
        sizes, given = np.array(self._keys.rows), np.array(self._keys.dosages)
        held = np.repeat(given, sizes)
        place = np.cumsum(held) - 1
        path, people = self._work.path / "dosages", self.people.num_rows
        stored = np.memmap(path, np.float32, "r", shape=(int(held.sum()), people))
        found = np.full((len(rows), people), np.nan, np.float32)
        found[held[rows]] = stored[place[rows[held[rows]]]]
        return found

    def _make_visible(self) -> GenotypeSet:
        root, folder, facts = self._store.root, self._work.path / "set", self.facts
        digest = write_checksums(folder)
        step("genotypes.written")
        packed = self._work.path / "packed"
        build_packed(folder, packed, assembly=root.assembly, digest=digest)
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        with RootLock(root.path, wait_s=LOCK_WAIT_S) as lock:
            present = load_manifest(root.path)
            version = present.next_version(facts.name)
            entry = SetEntry(
                name=facts.name,
                version=version,
                kind=facts.kind,
                access=facts.access,
                published=now_iso(),
                path=f"{facts.name}/{version}",
                digest=digest,
                variants=len(self._order) if self._order is not None else 0,
                people=self.people.num_rows,
                phased=self._unphased == 0,
                dosages=any(self._keys.dosages),
                bytes=size,
            )
            for staged, place in (
                (packed, packed_path(root.path, entry)),
                (folder, root.path / FOLDER / entry.path),
            ):
                remove_folder(place)  # left by a publish that was killed before its swap
                publish_folder(staged, place)
            step("genotypes.moved")
            swap_manifest(present.with_set(entry), lock)
            told = {
                "set": entry.name,
                "set_version": version,
                "variants": entry.variants,
                "people": entry.people,
            }
            root.append_event("genotypes-published", **told, set_kind=entry.kind)
        return GenotypeSet(root.path, entry, root.assembly)


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)


def _check_people(people: pa.Table, name: str) -> None:
    identifiers = people["sample_id"].to_pylist()
    if not identifiers:
        raise InputError("no people", where=f"genotypes {name}", expected="at least one sample")
    seen: dict[str, int] = {}
    for number, identifier in enumerate(identifiers, 1):
        if not identifier:
            raise InputError(f"sample {number} has no identifier", where=f"genotypes {name}")
        if identifier in seen:
            raise InputError(
                f"samples {seen[identifier]} and {number} have the same identifier",
                where=f"genotypes {name}",
                expected="each sample once",
                todo="Rename or remove one of them in the source.",
            )
        seen[identifier] = number


def _write_variants(folder: Path, keys: _Keys, order: Int64s, assembly: Any) -> None:
    locus = _joined(keys.locus, np.uint64)[order]
    allele = _joined(keys.allele, np.uint64)[order]
    ranks = (locus >> np.uint64(32)).astype(np.int64)
    used, contig = np.unique(ranks, return_inverse=True)
    alleles = [text for key in allele.tolist() for text in _alleles(key, keys.spelled)]
    names = pa.concat_arrays(keys.names).take(pa.array(order)).to_pylist()
    variants = ["variants"]
    write_numbers(folder / "variant_contig", contig.astype(np.int32), dimensions=variants)
    positions = (locus & np.uint64(0xFFFFFFFF)).astype(np.int32)
    write_numbers(folder / "variant_position", positions, dimensions=variants)
    lengths = np.array([len(ref) for ref in alleles[0::2]], np.int32)
    write_numbers(folder / "variant_length", lengths, dimensions=variants)
    write_numbers(folder / "variant_rsid", _joined(keys.rsid, np.uint32)[order], dimensions=variants)
    quality = np.full(len(order), np.nan, np.float32)
    write_numbers(folder / "variant_quality", quality, dimensions=variants)
    passed = np.zeros((len(order), 1), bool)
    write_numbers(folder / "variant_filter", passed, dimensions=["variants", "filters"])
    write_texts(folder / "variant_allele", alleles, dimensions=["variants", "alleles"], columns=2)
    write_texts(folder / "variant_id", [n or "." for n in names], dimensions=variants)
    write_numbers(folder / "variant_id_mask", np.array([not n for n in names], bool), dimensions=variants)
    contigs = [assembly.contigs[rank] for rank in used.tolist()]
    write_texts(folder / "contig_id", [c.name for c in contigs], dimensions=["contigs"])
    sizes = np.array([c.length_bp for c in contigs], np.int64)
    write_numbers(folder / "contig_length", sizes, dimensions=["contigs"])
    write_texts(folder / "filter_id", ["PASS"], dimensions=["filters"])


def _alleles(key: int, spelled: dict[int, str]) -> tuple[str, str]:
    if (pair := unpack_alleles(key)) is not None:
        return pair
    ref, _, alt = spelled[key].partition("/")
    return ref, alt
