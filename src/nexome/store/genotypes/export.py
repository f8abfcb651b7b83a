"""A set as files others read: VCF (plain or bgzip), PLINK .bed with .bim and .fam.

VCF holds calls with their phase, and DS where the set has dosages; a .bed holds hard calls alone (a half call
is missing, a haploid call stands twice), A1 is ALT and A2 is REF. Variants keep the order of the set; a
position of several alternate alleles has several lines. Written beside its name and renamed when whole.
"""

from __future__ import annotations

import math
import secrets
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import InputError
from nexome.model.genome import unpack_alleles
from nexome.store.disk import space_errors
from nexome.store.genotypes.dataset import GenotypeSet
from nexome.store.genotypes.layout import CallArray, read_texts

_CALLS_AT_ONCE: Final = 8 << 20
_BGZF_BYTES: Final = 65_280  # of text in one block, as bgzip makes them
_BGZF_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BED_MAGIC: Final = b"\x6c\x1b\x01"
_BED_CODES: Final = np.array([3, 2, 0, 1], np.uint8)  # by count of alternate alleles; last: missing
_FAM_SEX: Final = {"male": "1", "female": "2"}
_SIGNS: Final = {0: "0", 1: "1", -1: "."}


def export_set(source: GenotypeSet, output: Path) -> list[Path]:
    """Write a set to `output`; its ending says how. Gives the files written.

    Raises InputError for another ending, SpaceError when the disk is full.
    """
    if output.name.endswith((".vcf", ".vcf.gz")):
        _write_whole(output, _vcf_lines(source), packed=output.name.endswith(".gz"))
        return [output]
    if output.suffix != ".bed":
        raise InputError(f"the ending of {output.name!r}", expected=".vcf, .vcf.gz or .bed")
    files = [output, output.with_suffix(".bim"), output.with_suffix(".fam")]
    for path, parts in zip(files, (_bed_parts(source), _bim_lines(source), _fam_lines(source)), strict=True):
        _write_whole(path, parts, packed=False)
    return files


def _write_whole(path: Path, parts: Iterator[bytes], *, packed: bool) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with space_errors(path):
        try:
            with beside.open("wb") as stream:
                if packed:
                    _write_bgzf(stream, parts)
                else:
                    stream.writelines(parts)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def _write_bgzf(stream: BinaryIO, parts: Iterator[bytes]) -> None:
    """Blocked gzip (SAM specification 4.1), so that tabix can index it."""
    held = b""
    for part in parts:
        held += part
        while len(held) >= _BGZF_BYTES:
            stream.write(_bgzf_block(held[:_BGZF_BYTES]))
            held = held[_BGZF_BYTES:]
    if held:
        stream.write(_bgzf_block(held))
    stream.write(_BGZF_END)


def _bgzf_block(text: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    content = packer.compress(text) + packer.flush()
    head = bytes.fromhex("1f8b08040000000000ff060042430200") + struct.pack("<H", len(content) + 25)
    return head + content + struct.pack("<II", zlib.crc32(text), len(text))


# ---------------------------------------------------------------- VCF


def _vcf_lines(source: GenotypeSet) -> Iterator[bytes]:
    yield _vcf_header(source)
    sites = _Sites(source)
    genotypes = _GenotypeTexts()
    for rows in _stretches(source):
        calls, phased = source.calls(rows)
        dosages = CallArray.open(source.path / "call_DS").read(rows) if source.has_dosages else None
        for k, row in enumerate(range(rows.start, rows.stop)):
            head = sites.vcf(row, dosages=dosages is not None)
            texts = genotypes.of(calls[k], phased[k])
            if dosages is not None:
                told = dosages[k] / np.where(calls[k, :, 1] == -2, 2, 1)
                texts = [f"{t}:{_number(d)}" for t, d in zip(texts, told.tolist(), strict=True)]
            yield ("\t".join([head, *texts]) + "\n").encode()


def _vcf_header(source: GenotypeSet) -> bytes:
    lines = ["##fileformat=VCFv4.3", "##source=nexome"]
    for name in read_texts(source.path / "contig_id"):
        length = source.assembly.contigs[source.assembly.rank(name)].length_bp
        lines.append(
            f"##contig=<ID={name}"
            + (f",length={length}" if length else "")
            + f",assembly={source.assembly.name}>"
        )
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    if source.has_dosages:
        lines.append('##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage of the alternate allele">')
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines.append("\t".join([*columns, *source.samples["sample_id"].to_pylist()]))
    return ("\n".join(lines) + "\n").encode()


class _Sites:
    """Contig, position, ID and alleles of rows, as text."""

    def __init__(self, source: GenotypeSet) -> None:
        self._source, self._packed = source, source.packed
        self._ids = read_texts(source.path / "variant_id")

    def parts(self, row: int) -> tuple[str, int, str, str, str]:
        locus, key = int(self._packed.locus[row]), int(self._packed.allele[row])
        if (pair := unpack_alleles(key)) is None:
            ref, _, alt = self._packed.spelled[key].partition("/")
            pair = (ref, alt)
        return (self._source.assembly.contig_name(locus >> 32), locus & 0xFFFFFFFF, self._ids[row], *pair)

    def vcf(self, row: int, *, dosages: bool) -> str:
        contig, position, identifier, ref, alt = self.parts(row)
        form = "GT:DS" if dosages else "GT"
        return f"{contig}\t{position}\t{identifier}\t{ref}\t{alt}\t.\t.\t.\t{form}"


class _GenotypeTexts:
    """GT of calls; each distinct call is spelled once."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, calls: npt.NDArray[np.int8], phased: npt.NDArray[np.bool_]) -> list[str]:
        codes = (calls[:, 0].astype(np.int64) + 2) * 8 + (calls[:, 1] + 2) * 2 + phased
        for code in np.unique(codes).tolist():
            if code not in self._known:
                self._known[code] = _spell(code // 8 - 2, code // 2 % 4 - 2, "|" if code & 1 else "/")
        known = self._known
        return [known[code] for code in codes.tolist()]


def _number(value: float) -> str:
    return "." if math.isnan(value) else f"{value:.6g}"


def _spell(first: int, second: int, sign: str) -> str:
    return _SIGNS[first] if second == -2 else f"{_SIGNS[first]}{sign}{_SIGNS[second]}"


# ---------------------------------------------------------------- PLINK


def _bed_parts(source: GenotypeSet) -> Iterator[bytes]:
    yield _BED_MAGIC
    width = -(-source.people // 4)
    for rows in _stretches(source):
        codes = np.zeros((rows.stop - rows.start, 4 * width), np.uint8)
        codes[:, : source.people] = _BED_CODES[source.alternate_counts(rows)]
        four = codes.reshape(len(codes), width, 4)
        yield (
            (four[..., 0] | four[..., 1] << 2 | four[..., 2] << 4 | four[..., 3] << 6)
            .astype(np.uint8)
            .tobytes()
        )


def _bim_lines(source: GenotypeSet) -> Iterator[bytes]:
    sites = _Sites(source)
    for row in range(source.size):
        contig, position, identifier, ref, alt = sites.parts(row)
        yield f"{contig}\t{identifier}\t0\t{position}\t{alt}\t{ref}\n".encode()


def _fam_lines(source: GenotypeSet) -> Iterator[bytes]:
    for person in source.samples.to_pylist():
        family = person["family_id"] or "0"
        parents = f"{person['father_id'] or '0'} {person['mother_id'] or '0'}"
        yield f"{family} {person['sample_id']} {parents} {_FAM_SEX.get(person['sex'], '0')} -9\n".encode()


def _stretches(source: GenotypeSet) -> Iterator[slice]:
    step = max(1, _CALLS_AT_ONCE // max(1, source.people))
    for start in range(0, source.size, step):
        yield slice(start, min(source.size, start + step))
