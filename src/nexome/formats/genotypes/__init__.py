"""Readers of genotype files: PLINK bed, PLINK 2 PGEN, VCF, BCF; told apart by their first bytes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from nexome.formats.genotypes.bcf import BcfReader
from nexome.formats.genotypes.pgen import PgenReader
from nexome.formats.genotypes.plink_bed import MAGIC, SAMPLE_MAJOR, BedReader
from nexome.formats.genotypes.reader import (
    RULES,
    GenotypeReader,
    Header,
    Person,
    RawGenotypes,
)
from nexome.formats.genotypes.tables import read_sheet
from nexome.formats.genotypes.vcf_text import VcfReader
from nexome.formats.stream import open_stream
from nexome.model.errors import FormatError

__all__ = [
    "RULES",
    "GenotypeReader",
    "Header",
    "Person",
    "RawGenotypes",
    "open_genotypes",
    "read_sheet",
]

_ENDINGS = (".bed", ".pgen", ".vcf", ".bcf")


def open_genotypes(path: Path) -> GenotypeReader:
    """Open a genotype file by its first bytes; its companions (.bim, .fam …) are found beside it.

    `path` may be a PLINK prefix. Raises NotFoundError when a file is missing, FormatError when it is none
    of the formats, or its header cannot be read.
    """
    path = _whole_name(path)
    with closing(open_stream(path, text=False)) as stream:
        head = stream.peek_bytes(16)
    if head[:2] == MAGIC:
        if head[2] in {SAMPLE_MAJOR, 1} and ".pgen" not in path.name:
            return BedReader(path)
        return BedReader(path, variants=".pvar", people=".psam") if head[2] == 1 else PgenReader(path)
    if head[:3] == b"BCF":
        return BcfReader(path)
    if head.startswith(b"##fileformat=VCF"):
        return VcfReader(path)
    raise FormatError(
        "not a genotype file",
        where=str(path),
        expected="PLINK .bed or .pgen, VCF or BCF",
        todo="For a .bim, .fam, .pvar or .psam give the .bed or .pgen beside it.",
    )


def _whole_name(path: Path) -> Path:
    """The file meant by a PLINK prefix."""
    if path.exists():
        return path
    for ending in _ENDINGS:
        for packing in ("", ".gz", ".zst"):
            if (found := path.with_name(path.name + ending + packing)).is_file():
                return found
    return path
