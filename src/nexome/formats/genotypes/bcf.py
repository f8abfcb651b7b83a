"""Genotypes of a BCF 2.1 or 2.2 (the binary VCF of the SAM/VCF specifications), as bcftools writes it.

bgzip of: "BCF" 2 2, the length of the header and the VCF header, then records. A record has its site
(contig number, 0-based position, ID, alleles) and, by FORMAT field, one typed vector for all people. GT is
(allele + 1) << 1 | phased, 0 for an unknown allele; a short vector is filled with its type's end mark.
Like the reader of text it takes GT, DS and GP; lines are counted from the first record.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.formats.genotypes.reader import (
    BATCH_BYTES,
    NO_ALTERNATE,
    NO_GENOTYPES,
    PLOIDY,
    Header,
    RawGenotypes,
    hard_calls,
)
from nexome.formats.genotypes.vcf_header import VcfHeader
from nexome.formats.genotypes.vcf_text import check_bgzip_end
from nexome.formats.reader import Dropped
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

_TYPES: Final[dict[int, Any]] = {
    1: np.dtype("<i1"),
    2: np.dtype("<i2"),
    3: np.dtype("<i4"),
    5: np.dtype("<f4"),
    7: np.dtype("S1"),
}
_NO_ALTERNATE: Final = frozenset({".", "*", "<*>", "<NON_REF>", ""})
_MOST_BYTES: Final = 1 << 30  # of one record; a greater length is damage
_MISSING_FLOATS: Final = (0x7F800001, 0x7F800002)  # missing, end of vector

Vector = npt.NDArray[Any]


class BcfReader:
    """A BCF with genotypes, from start to end."""

    format = "bcf"

    def __init__(self, path: Path) -> None:
        self._record = 0
        self._names = VcfHeader()
        with ExitStack() as stack:
            self._stream = stack.enter_context(closing(open_stream(path, text=False)))
            check_bgzip_end(path, self._stream)
            self.header = self._read_header()
            stack.pop_all()

    @property
    def streams(self) -> Sequence[ByteStream]:
        """The file."""
        return (self._stream,)

    def batches(self) -> Iterator[RawGenotypes]:
        """All variants, in the order of the file. Raises FormatError naming the one that cannot be read."""
        people, seen = len(self.header.people), 0
        batch = _Batch()
        while (record := self._next_record()) is not None:
            self._take(record, batch)
            if len(batch.calls) * people * 6 >= BATCH_BYTES or len(batch.calls) >= 65_536:
                seen += len(batch.calls)
                yield batch.finished(people)
                batch = _Batch()
        seen += len(batch.calls)
        if not seen:
            found = "no genotypes in any record" if self._record else "no variants"
            raise self._bad(found, "GT, DS or GP in FORMAT", "")
        yield batch.finished(people)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _read_header(self) -> Header:
        magic = self._stream.read_bytes(9)
        if magic[:4] != b"BCF\x02" or len(magic) < 9:
            raise self._bad("not a BCF of version 2", "BCF 2.1 or 2.2", "Convert it with: bcftools view -Ob")
        text = self._stream.read_bytes(struct.unpack("<I", magic[5:9])[0])
        lines = text.rstrip(b"\0").decode(errors="replace").splitlines()
        return self._names.read_lines(lines, self._stream.name)

    def _next_record(self) -> tuple[bytes, bytes] | None:
        head = self._stream.read_bytes(8)
        if not head:
            return None
        self._record += 1
        sizes = struct.unpack("<II", head) if len(head) == 8 else (_MOST_BYTES, _MOST_BYTES)
        if max(sizes) >= _MOST_BYTES:
            raise self._bad("a record cut short or damaged", "a whole file", "Fetch the file again.")
        shared, each = self._stream.read_bytes(sizes[0]), self._stream.read_bytes(sizes[1])
        if (len(shared), len(each)) != sizes:
            raise self._bad("the file ends within a record", "a whole file", "Fetch the file again.")
        return shared, each

    def _take(self, record: tuple[bytes, bytes], batch: _Batch) -> None:
        try:
            site = _read_site(record[0])
            fields = self._read_fields(record[1], site)
        except (struct.error, KeyError, IndexError, ValueError) as error:
            raise self._bad(f"a record that cannot be read ({type(error).__name__})", "BCF 2", "") from None
        if not fields:
            batch.gone(NO_GENOTYPES, self._record)
            return
        named = [(k, alt) for k, alt in enumerate(site.alts, 1) if alt not in _NO_ALTERNATE]
        if not named:
            batch.gone(NO_ALTERNATE, self._record)
            return
        calls, phased = _read_calls(fields.get("GT"), len(self.header.people))
        if calls is None or phased is None:
            batch.gone(PLOIDY, self._record)
            return
        if calls.max(initial=0) > len(site.alts):
            raise self._bad("a GT that names an allele the record does not have", "0 for REF, 1 …", "")
        for number, alt in named:
            own = np.where(calls > 0, calls == number, calls).astype(np.int8)
            told = _dosages(fields, number, len(site.alts), own)
            if told is not None:
                wanting = (own == -1).all(axis=1) & ~np.isnan(told)
                own[wanting] = hard_calls(told)[wanting]
            contig = self._names.contig_names.get(site.contig, "")
            batch.add(self._record, (contig, site.position, site.id, site.ref, alt), (own, phased, told))

    def _read_fields(self, content: bytes, site: _Site) -> dict[str, Vector]:
        """GT, DS and GP of a record, [S, values] each."""
        fields: dict[str, Vector] = {}
        at = 0
        for _ in range(site.fields):
            key, at = _read_typed_int(content, at)
            count, kind, at = _read_descriptor(content, at)
            size = _TYPES[kind].itemsize * count * site.people
            name = self._names.strings[key]
            if name in {"GT", "DS", "GP"} and count:
                values = np.frombuffer(content, _TYPES[kind], count * site.people, at)
                fields[name] = values.reshape(site.people, count)
            at += size
        return fields

    def _bad(self, found: str, expected: str, todo: str) -> FormatError:
        where = f"{self._stream.name}, record {self._record}"
        return FormatError(found, where=where, expected=expected, todo=todo)


@dataclass(frozen=True, slots=True)
class _Site:
    contig: int
    position: int
    id: str
    ref: str
    alts: tuple[str, ...]
    fields: int
    people: int


@dataclass
class _Batch:
    """Rows waiting to be given out."""

    line: list[int] = field(default_factory=list)
    site: list[tuple[str, int, str, str, str]] = field(default_factory=list)
    calls: list[npt.NDArray[np.int8]] = field(default_factory=list)
    phased: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    dosages: list[npt.NDArray[np.float32] | None] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=dict)

    def gone(self, rule: str, record: int) -> None:
        self.dropped.setdefault(rule, []).append(record)

    def add(self, record: int, site: tuple[str, int, str, str, str], values: Any) -> None:
        self.line.append(record)
        self.site.append(site)
        self.calls.append(values[0])
        self.phased.append(values[1])
        self.dosages.append(values[2])

    def finished(self, people: int) -> RawGenotypes:
        columns: list[Any] = list(zip(*self.site, strict=True)) or [()] * 5
        dosages = None
        if any(d is not None for d in self.dosages):
            none = np.full(people, np.nan, np.float32)
            dosages = np.stack([none if d is None else d for d in self.dosages])
        return RawGenotypes(
            line=np.array(self.line, np.uint64),
            contig=pa.array(columns[0], pa.string()),
            position=np.array(columns[1], np.int64),
            id=pa.array(columns[2], pa.string()),
            ref=pa.array(columns[3], pa.string()),
            alt=pa.array(columns[4], pa.string()),
            calls=np.array(self.calls, np.int8).reshape(-1, people, 2),
            phased=np.array(self.phased, bool).reshape(-1, people),
            dosages=dosages,
            dropped=tuple(Dropped(r, np.array(n, np.uint64)) for r, n in self.dropped.items()),
        )


def _read_descriptor(content: bytes, at: int) -> tuple[int, int, int]:
    """(count, type, next) of a typed value."""
    byte = content[at]
    count, kind = byte >> 4, byte & 15
    if count == 15:
        count, at = _read_typed_int(content, at + 1)
        return count, kind, at
    return count, kind, at + 1


def _read_typed_int(content: bytes, at: int) -> tuple[int, int]:
    kind = _TYPES[content[at] & 15]
    return int(np.frombuffer(content, kind, 1, at + 1)[0]), at + 1 + kind.itemsize


def _read_text(content: bytes, at: int) -> tuple[str, int]:
    count, _, at = _read_descriptor(content, at)
    return content[at : at + count].rstrip(b"\0").decode(errors="replace"), at + count


def _read_site(shared: bytes) -> _Site:
    contig, position, _, _, alleles, samples = struct.unpack_from("<iiifII", shared)
    identifier, at = _read_text(shared, 24)
    texts = []
    for _ in range(alleles >> 16):
        text, at = _read_text(shared, at)
        texts.append(text)
    name = "" if identifier == "." else identifier
    return _Site(contig, position + 1, name, texts[0], tuple(texts[1:]), samples >> 24, samples & 0xFFFFFF)


def _read_calls(values: Vector | None, people: int) -> tuple[Any, Any]:
    """Allele numbers int16 [S, 2] (−1 unknown, −2 none) and phase [S]; (None, None) for a higher ploidy."""
    calls = np.full((people, 2), -1, np.int16)
    if values is None:
        return calls, np.zeros(people, bool)
    ends = values == np.iinfo(values.dtype).min + 1
    if values.shape[1] > 2:
        if not ends[:, 2:].all():
            return None, None
        values, ends = values[:, :2], ends[:, :2]
    calls[:, : values.shape[1]] = (values >> 1) - 1
    calls[:, : values.shape[1]][values == np.iinfo(values.dtype).min] = -1
    if values.shape[1] == 1:
        calls[:, 1] = np.where(calls[:, 0] < 0, -1, -2)
        return calls, np.zeros(people, bool)
    haploid = ends[:, 1]
    calls[haploid, 1] = np.where(calls[haploid, 0] < 0, -1, -2)
    return calls, (values[:, 1] & 1).astype(bool) & ~haploid


def _dosages(fields: dict[str, Vector], number: int, alternates: int, calls: Vector) -> Any:
    """Dosages float32 [S] of one alternate allele from DS, else GP; None when there are none."""
    if (told := fields.get("DS")) is not None and told.shape[1] >= number:
        values = _known(told)[:, number - 1]
        return np.where(calls[:, 1] == -2, 2 * values, values).astype(np.float32)
    if (told := fields.get("GP")) is not None and alternates == 1 and told.shape[1] >= 2:
        values = _known(told)
        if values.shape[1] == 2:
            return (2 * values[:, 1]).astype(np.float32)
        return np.where(np.isnan(values[:, 2]), 2 * values[:, 1], values[:, 1] + 2 * values[:, 2]).astype(
            np.float32
        )
    return None


def _known(values: Vector) -> npt.NDArray[np.float32]:
    """Numbers with NaN for what is missing."""
    if values.dtype.kind != "f":
        low = np.iinfo(values.dtype).min
        return np.where(values <= low + 1, np.nan, values).astype(np.float32)
    bits = values.view("<u4")
    return np.where(np.isin(bits, _MISSING_FLOATS), np.float32(np.nan), values)
