"""PLINK 1 genotypes: .bed, .bim and .fam, plain or packed (https://www.cog-genomics.org/plink/1.9/formats#bed).

Three bytes 6c 1b 01, then one record a variant of ⌈S / 4⌉ bytes, two bits a person, the first in the lowest
bits: 00 two of A1, 01 missing, 10 one of each, 11 two of A2. A1 is read as ALT, A2 as REF. A file in
sample-major order (third byte 00) is refused. A .bed knows no phase, no dosage and no haploid call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.genotypes.reader import (
    NO_ALTERNATE,
    Header,
    RawGenotypes,
    check_people,
    cut_short,
    rows_of_batch,
)
from nexome.formats.genotypes.tables import VariantLine, VariantTable, read_people, scan_variants
from nexome.formats.reader import Dropped
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError, NotFoundError

MAGIC: Final = b"\x6c\x1b"
VARIANT_MAJOR: Final = 1
SAMPLE_MAJOR: Final = 0

_CODES: Final = np.array([[1, 1], [-1, -1], [0, 1], [0, 0]], np.int8)
_BYTES: Final = _CODES[np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3]  # [256, 4, 2]
_PACKINGS: Final = ("", ".gz", ".zst", ".bgz")


class BedReader:
    """A .bed with its .bim and .fam (or .pvar and .psam, where a .pgen is in this old layout)."""

    format = "plink-bed"

    def __init__(self, path: Path, *, variants: str = ".bim", people: str = ".fam") -> None:
        self._bim_path = companion(path, variants)
        listed, self._fam = read_people(companion(path, people))
        self._facts = scan_variants(self._bim_path)
        self._people = len(listed)
        with ExitStack() as stack:
            self._bed = stack.enter_context(closing(open_stream(path, text=False)))
            check_magic(self._bed, self._bed.read_bytes(3))
            self._table = stack.enter_context(closing(VariantTable(self._bim_path)))
            self.header = Header(
                check_people(listed, self._fam.name),
                reference_known=self._facts.header,
                contigs=self._facts.contigs,
                build=self._table.build,
                digits=self._facts.digits,
            )
            stack.pop_all()

    @property
    def streams(self) -> Sequence[ByteStream]:
        """The three files."""
        return (self._bed, self._table.stream, self._fam)

    def batches(self) -> Iterator[RawGenotypes]:
        """All variants, in the order of the file."""
        width = -(-self._people // 4)
        lines, done = self._table.lines(), 0
        while rows := list(islice(lines, rows_of_batch(self._people))):
            content = self._bed.read_bytes(width * len(rows))
            done += len(rows)
            if len(content) < width * len(rows):
                whole = done - len(rows) + len(content) // width
                raise self._unlike(f"genotypes of {whole:,} variants")
            codes = np.frombuffer(content, np.uint8).reshape(len(rows), width)
            calls = _BYTES[codes].reshape(len(rows), 4 * width, 2)[:, : self._people]
            yield batch_of(rows, np.ascontiguousarray(calls))
        if self._bed.read_bytes(1):
            raise self._unlike(f"genotypes of more than {done:,} variants")

    def close(self) -> None:
        """Close the files."""
        for stream in self.streams:
            stream.close()

    def _unlike(self, found: str) -> FormatError:
        expected = f"{self._facts.variants:,}, as {self._bim_path.name} has, of {self._people:,} people"
        return cut_short(self._bed, found, expected)


def batch_of(
    rows: Sequence[VariantLine], calls: npt.NDArray[np.int8], phased: npt.NDArray[np.bool_] | None = None
) -> RawGenotypes:
    """Rows of one alternate allele each with their calls; those without an alternate are dropped."""
    keep = np.array([r.alts not in {"0", ".", "*"} and r.ref not in {"0", "."} for r in rows], bool)
    kept = [r for r, use in zip(rows, keep.tolist(), strict=True) if use]
    gone = np.array([r.line for r, use in zip(rows, keep.tolist(), strict=True) if not use], np.uint64)
    phase = np.zeros(calls.shape[:2], bool) if phased is None else phased
    whole = len(kept) == len(rows)
    return RawGenotypes(
        line=np.array([r.line for r in kept], np.uint64),
        contig=pa.array([r.contig for r in kept], pa.string()),
        position=np.array([r.position for r in kept], np.int64),
        id=pa.array([r.id for r in kept], pa.string()),
        ref=pa.array([r.ref for r in kept], pa.string()),
        alt=pa.array([r.alts for r in kept], pa.string()),
        calls=calls if whole else calls[keep],
        phased=phase if whole else phase[keep],
        dosages=None,
        dropped=() if whole else (Dropped(NO_ALTERNATE, gone),),
    )


def companion(path: Path, ending: str) -> Path:
    """The file beside `path` with another ending, packed or not. Raises NotFoundError when there is none."""
    base = path
    for packing in _PACKINGS[1:]:
        base = base.with_name(base.name.removesuffix(packing))
    base = (
        base.with_suffix("") if base.suffix in {".bed", ".pgen", ".bim", ".fam", ".pvar", ".psam"} else base
    )
    for packing in _PACKINGS:
        if (found := base.with_name(base.name + ending + packing)).is_file():
            return found
    raise NotFoundError(
        f"no {ending} beside it",
        where=str(path),
        expected=f"{base.name}{ending} in the same folder, plain or packed",
    )


def check_magic(stream: ByteStream, head: bytes) -> None:
    """Raise FormatError when these are not the first bytes of a variant-major .bed."""
    if head[:2] == MAGIC and head[2:3] == bytes([SAMPLE_MAJOR]):
        raise FormatError(
            "a .bed in sample-major order",
            where=stream.name,
            expected="variant-major order (third byte 01)",
            todo="Convert it with: plink1.9 --bfile PREFIX --make-bed --out NEW",
        )
    if head != MAGIC + bytes([VARIANT_MAJOR]):
        raise FormatError(
            "not a .bed", where=stream.name, expected="a file that begins with the bytes 6c 1b 01"
        )
