"""bigWig and bigBed: signals and intervals in UCSC's indexed binary files, read in place.

A bigWig carries summaries of itself at several zoom levels; a mean over wide bins comes from these, so that
a whole chromosome costs as little as a gene. Nothing is written. Read by bigtools (Huey & Hoffman,
Bioinformatics 40:btae350 (2024)); format: Kent et al., Bioinformatics 26:2204 (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pybigtools

from nexome.model.errors import FormatError

_BIGWIG: Final = (bytes.fromhex("26fc8f88"), bytes.fromhex("888ffc26"))
_BIGBED: Final = (bytes.fromhex("ebf28987"), bytes.fromhex("8789f2eb"))


@dataclass(frozen=True, slots=True)
class SignalFile:
    """What a bigWig says of itself: contigs {name: length in bases}, bases that have a value."""

    contigs: dict[str, int]
    bases_covered: int


def kind_of(path: Path) -> str:
    """'bigwig', 'bigbed' or '' by the first bytes of a file."""
    with path.open("rb") as stream:
        magic = stream.read(4)
    return "bigwig" if magic in _BIGWIG else "bigbed" if magic in _BIGBED else ""


def describe_signal(path: Path) -> SignalFile:
    """Contigs and zoom levels of a bigWig. Raises FormatError when it cannot be read."""
    reader = _open(path)
    info = reader.info()
    covered = int(info["summary"]["basesCovered"])
    return SignalFile({str(k): int(v) for k, v in reader.chroms().items()}, covered)


def read_signal(path: Path, contig: str, start: int, end: int, *, bins: int) -> npt.NDArray[np.float32]:
    """Mean of the bases that have a value in each of `bins` equal parts of start…end (1-based, both ends).

    float32 [bins], NaN where no base has one. Raises FormatError when the file is damaged.
    """
    reader = _open(path)
    try:
        values = reader.values(contig, start - 1, end, bins=bins, summary="mean", fillna=None)
    except Exception as error:
        raise _damaged(path, error) from error
    return np.asarray(values, np.float32)


def bigbed_as_bed(path: Path) -> bytes:
    """The entries of a bigBed as the lines of BED they were made from. Raises FormatError when damaged."""
    reader = _open(path)
    lines: list[str] = []
    try:
        for contig in reader.chroms():
            entries = reader.records(contig)
            lines += ["\t".join([contig, *map(str, entry)]) for entry in entries]
    except Exception as error:
        raise _damaged(path, error) from error
    return ("\n".join(lines) + "\n").encode()


def _open(path: Path) -> Any:
    try:
        return pybigtools.open(str(path))
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> FormatError:
    return FormatError(
        f"cannot be read as bigWig or bigBed ({type(error).__name__})",
        where=str(path),
        expected="a whole file",
        todo="Fetch or copy the file again and compare its checksum.",
    )
