"""PLINK 2 genotypes: .pgen, .pvar and .psam, by the PLINK 2 File Format Specification (draft).

Storage modes 01 (the old .bed), 02, 03, 04 (records of one width) and 10 (records of any width, with
types of 4 or 8 bits): hard calls of any number of alternate alleles, phase, dosages. Refused, with what
to do: modes 11, 20, 21 (index in a file of its own, or behind the records), headers without record types
(single-sample files), and dosages of several alternate alleles, whose layout is not published. The phase
of dosages is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.genotypes import pgen_records as records
from nexome.formats.genotypes.plink_bed import companion
from nexome.formats.genotypes.reader import (
    NO_ALTERNATE,
    Header,
    RawGenotypes,
    check_people,
    cut_short,
    hard_calls,
    rows_of_batch,
)
from nexome.formats.genotypes.tables import VariantLine, VariantTable, read_people, scan_variants
from nexome.formats.reader import Dropped
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

BLOCK: Final = 1 << 16  # variants of one block of the header
_FIXED: Final = {2: 0x00, 3: 0x40, 4: 0xC0}  # storage mode: type of all records
_VARIABLE: Final = 0x10
_TODO: Final = "Write it anew with: plink2 --pfile PREFIX --make-pgen --out NEW, or --make-bed."
_ALLELES: Final = np.array([[0, 0], [0, 1], [1, 1], [-1, -1]], np.int16)
_NONE: Final = frozenset({".", "0", "*"})


@dataclass(frozen=True, slots=True)
class _Index:
    """Types and lengths in bytes of all records, and whether reference alleles are certain."""

    kinds: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64]
    reference_known: bool


class PgenReader:
    """A .pgen with its .pvar and .psam, from start to end."""

    format = "plink2-pgen"

    def __init__(self, path: Path) -> None:
        pvar = companion(path, ".pvar")
        listed, self._psam = read_people(companion(path, ".psam"))
        self._facts = scan_variants(pvar)
        self._people = len(listed)
        with ExitStack() as stack:
            self._pgen = stack.enter_context(closing(open_stream(path, text=False)))
            self._index = self._read_header()
            self._table = stack.enter_context(closing(VariantTable(pvar)))
            self.header = Header(
                check_people(listed, self._psam.name),
                reference_known=self._index.reference_known,
                contigs=self._facts.contigs,
                build=self._table.build,
                digits=self._facts.digits,
            )
            stack.pop_all()

    @property
    def streams(self) -> Sequence[ByteStream]:
        """The three files."""
        return (self._pgen, self._table.stream, self._psam)

    def batches(self) -> Iterator[RawGenotypes]:
        """All variants, in the order of the file. Raises FormatError naming the one that cannot be read."""
        lines, at = self._table.lines(), 0
        base = np.zeros(self._people, np.uint8)
        while rows := list(islice(lines, rows_of_batch(self._people, bytes_each=8))):
            collected = _Collected(self._people)
            for row in rows:
                self._read_variant(row, at, base, collected)
                at += 1
            yield collected.batch()

    def close(self) -> None:
        """Close the files."""
        for stream in self.streams:
            stream.close()

    def _read_variant(self, row: VariantLine, at: int, base: Any, into: _Collected) -> None:
        kind, length = int(self._index.kinds[at]), int(self._index.lengths[at])
        raw = self._pgen.read_bytes(length)
        if len(raw) < length:
            raise cut_short(
                self._pgen, f"records of {at:,} variants", f"{self._facts.variants:,}, as the .pvar has"
            )
        content, category = np.frombuffer(raw, np.uint8), np.empty(self._people, np.uint8)
        status, next_track = records.read_main(content, kind, base, category)
        self._check(status, at)
        if kind & 7 not in {2, 3}:
            base[:] = category
        alts = row.alts.split(",")
        alleles = _ALLELES[category]
        phased = np.zeros(self._people, bool)
        if kind & records.MULTIALLELIC:
            status, next_track = records.read_alternates(content, next_track, category, len(alts), alleles)
            self._check(status, at)
        if kind & records.PHASED:
            status, next_track = records.read_phase(content, next_track, alleles, phased)
            self._check(status, at)
        dosages = None
        if kind & records.DOSAGES:
            if len(alts) > 1:
                raise self._refused(at)
            dosages = np.full(self._people, np.nan, np.float32)
            self._check(records.read_dosages(content, next_track, kind, dosages), at)
        into.add(row, alts, (alleles, phased, dosages))

    def _read_header(self) -> _Index:
        head = self._pgen.read_bytes(12)
        mode = head[2] if len(head) == 12 else -1
        if mode not in _FIXED and mode != _VARIABLE:
            raise self._bad(f"storage mode {mode:#04x}", "02, 03, 04 or 10", _TODO)
        variants, people = (int.from_bytes(head[a : a + 4], "little") for a in (3, 7))
        if (variants, people) != (self._facts.variants, self._people):
            found = f"{variants:,} variants of {people:,} people"
            expected = f"{self._facts.variants:,} of {self._people:,}, as the .pvar and .psam have"
            raise cut_short(self._pgen, found, expected)
        provisional = head[11] >> 6
        if mode in _FIXED:
            if provisional == 3:
                self._pgen.read_bytes(-(-variants // 8))
            width = -(-people // 4) + {2: 0, 3: 2, 4: 4}[mode] * people
            kinds = np.full(variants, _FIXED[mode], np.uint8)
            return _Index(kinds, np.full(variants, width, np.int64), provisional < 2)
        if head[11] & 15 > 7:
            raise self._bad("a header without record types", "4 or 8 bits a type", _TODO)
        return self._read_blocks(variants, head[11], reference_known=provisional < 2)

    def _read_blocks(self, variants: int, form: int, *, reference_known: bool) -> _Index:
        """Types and lengths of the records, block by block."""
        self._pgen.read_bytes(8 * -(-variants // BLOCK))  # where blocks begin: we read from start to end
        narrow, width, counts = not form & 4, (form & 3) + 1, form >> 4 & 3
        kinds, lengths = [], []
        for start in range(0, variants, BLOCK):
            size = min(BLOCK, variants - start)
            packed = np.frombuffer(self._exactly(-(-size // 2) if narrow else size), np.uint8)
            kinds.append(np.stack([packed & 15, packed >> 4], 1).ravel()[:size] if narrow else packed)
            each = np.frombuffer(self._exactly(size * width), np.uint8).reshape(size, width).astype(np.int64)
            lengths.append((each << 8 * np.arange(width)).sum(axis=1))
            self._exactly(size * counts)
            if form >> 6 == 3:
                self._exactly(-(-size // 8))
        none = np.zeros(0, np.int64)
        return _Index(
            np.concatenate([none.astype(np.uint8), *kinds]), np.concatenate([none, *lengths]), reference_known
        )

    def _exactly(self, count: int) -> bytes:
        content = self._pgen.read_bytes(count)
        if len(content) < count:
            raise self._bad("the file ends within its header", "a whole file", "Fetch or copy it again.")
        return content

    def _check(self, status: int, at: int) -> None:
        if status != records.OK:
            found = "a reserved record type" if status == records.RESERVED else "a record that is damaged"
            raise self._bad(f"{found}, variant {at + 1:,}", "the published layout", _TODO)

    def _refused(self, at: int) -> FormatError:
        return self._bad(
            f"dosages of several alternate alleles, variant {at + 1:,}",
            "dosages of one alternate allele",
            "Export it with: plink2 --pfile PREFIX --export vcf bgz vcf-dosage=DS",
        )

    def _bad(self, found: str, expected: str, todo: str) -> FormatError:
        return FormatError(found, where=self._pgen.name, expected=expected, todo=todo)


class _Collected:
    """Rows of one batch being gathered."""

    def __init__(self, people: int) -> None:
        self._people = people
        self._rows: list[tuple[VariantLine, str]] = []
        self._calls: list[npt.NDArray[np.int8]] = []
        self._phased: list[npt.NDArray[np.bool_]] = []
        self._dosages: list[npt.NDArray[np.float32] | None] = []
        self._gone: list[int] = []

    def add(self, row: VariantLine, alts: Sequence[str], values: Any) -> None:
        alleles, phased, dosages = values
        named = [(k, alt) for k, alt in enumerate(alts, 1) if alt not in _NONE]
        if not named or row.ref in {".", "0"}:
            self._gone.append(row.line)
            return
        for number, alt in named:
            calls = np.where(alleles > 0, alleles == number, alleles).astype(np.int8)
            if dosages is not None:
                wanting = (calls == -1).all(axis=1) & ~np.isnan(dosages)
                calls[wanting] = hard_calls(dosages)[wanting]
            self._rows.append((row, alt))
            self._calls.append(calls)
            self._phased.append(phased)
            self._dosages.append(dosages)

    def batch(self) -> RawGenotypes:
        dosages = None
        if any(d is not None for d in self._dosages):
            none = np.full(self._people, np.nan, np.float32)
            dosages = np.stack([none if d is None else d for d in self._dosages])
        rows = [row for row, _ in self._rows]
        return RawGenotypes(
            line=np.array([r.line for r in rows], np.uint64),
            contig=pa.array([r.contig for r in rows], pa.string()),
            position=np.array([r.position for r in rows], np.int64),
            id=pa.array(["" if r.id == "." else r.id for r in rows], pa.string()),
            ref=pa.array([r.ref for r in rows], pa.string()),
            alt=pa.array([alt for _, alt in self._rows], pa.string()),
            calls=np.array(self._calls, np.int8).reshape(-1, self._people, 2),
            phased=np.array(self._phased, bool).reshape(-1, self._people),
            dosages=dosages,
            dropped=(Dropped(NO_ALTERNATE, np.array(self._gone, np.uint64)),) if self._gone else (),
        )
