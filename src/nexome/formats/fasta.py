"""Reference sequences in FASTA, read at any place without reading it all.

A plain file is mapped into memory with its .fai index (made in memory when there is none). A gzip
file is unpacked into memory when it is small; a whole genome should be plain text.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from nexome.formats.stream import open_stream
from nexome.model.errors import FormatError, InputError, NotFoundError, QueryError

MAX_PACKED_BYTES: Final = 512 << 20  # of unpacked text held in memory
_PIECE: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class _Record:
    """One line of a .fai: length in bases, where they start, bases and bytes of a line."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int


class Fasta:
    """The sequences of one FASTA file. Positions are 1-based; letters come in upper case."""

    def __init__(self, name: str, letters: npt.NDArray[np.uint8], index: dict[str, _Record]) -> None:
        self.name = name
        self._letters = letters
        self._index = index

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a FASTA file. Raises FormatError when it is none or its lines are of uneven length."""
        path = Path(path)
        stream = open_stream(path)
        try:
            if stream.kind == "plain":
                letters = _mapped(path)
            else:
                blocks = []
                held = 0
                for block in stream.blocks(1 << 22):
                    blocks.append(block.content)
                    held += len(block.content)
                    _check_packed(held, path)
                letters = np.frombuffer(b"".join(blocks), np.uint8)
        finally:
            stream.close()
        beside = path.with_name(path.name + ".fai")
        index = _read_index(beside) if stream.kind == "plain" and beside.is_file() else _index(letters, path)
        return cls(str(path), letters, index)

    @property
    def contigs(self) -> dict[str, int]:
        """Length in bases of each sequence, in the order of the file."""
        return {name: record.length for name, record in self._index.items()}

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Bases from `start` to `end`, both included. Raises QueryError outside the sequence."""
        record = self._record(contig)
        if not 1 <= start <= end <= record.length:
            raise QueryError(
                f"{contig}:{start}-{end}", where=self.name, expected=f"1 ≤ start ≤ end ≤ {record.length}"
            )
        return self._at(record, np.arange(start - 1, end)).tobytes().decode("ascii", "replace")

    def bases_at(self, contig: str, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """The base at each of V positions as an ASCII code (uint8 [V]); 0 outside the sequence."""
        record = self._record(contig)
        inside = (positions >= 1) & (positions <= record.length)
        found = np.zeros(len(positions), np.uint8)
        found[inside] = self._at(record, positions[inside] - 1)
        return found

    def _at(self, record: _Record, zero_based: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        rows, columns = np.divmod(zero_based, record.line_bases)
        letters = self._letters[record.offset + rows * record.line_bytes + columns]
        return np.where((letters >= 97) & (letters <= 122), letters - 32, letters).astype(np.uint8)

    def _record(self, contig: str) -> _Record:
        if (record := self._index.get(contig)) is None:
            some = ", ".join(list(self._index)[:10])
            raise NotFoundError(f"no sequence {contig!r}", where=self.name, expected=f"one of {some} …")
        return record


def _mapped(path: Path) -> npt.NDArray[np.uint8]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise FormatError("the file is empty", where=str(path), expected="a FASTA file")
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


def _check_packed(size: int, path: Path) -> None:
    if size > MAX_PACKED_BYTES:
        raise InputError(
            f"more than {MAX_PACKED_BYTES >> 20} MiB of packed sequence",
            where=str(path),
            expected="a plain FASTA file",
            todo="Unpack it once: gunzip -k FILE",
        )


def _read_index(path: Path) -> dict[str, _Record]:
    index = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        cells = line.split("\t")
        if len(cells) < 5 or not all(c.isdigit() for c in cells[1:5]) or int(cells[3]) == 0:
            raise FormatError(
                f"{len(cells)} cells",
                where=f"{path}, line {number}",
                expected="name, length, offset, bases a line, bytes a line",
                todo="Delete the index; it is made anew.",
            )
        index[cells[0]] = _Record(*(int(c) for c in cells[1:5]))
    return index


def _index(letters: npt.NDArray[np.uint8], path: Path) -> dict[str, _Record]:
    """An index from the letters alone, one sequence after another."""
    if not len(letters) or letters[0] != ord(">"):
        raise FormatError("no '>' at the start", where=f"{path}, line 1", expected="a FASTA file")
    ends = _line_ends(letters)
    starts = np.concatenate([[0], ends + 1])
    if starts[-1] == len(letters):
        starts = starts[:-1]
    else:
        ends = np.append(ends, len(letters))
    heads = np.flatnonzero(letters[starts] == ord(">"))
    index = {}
    for head, behind in zip(heads.tolist(), [*heads[1:].tolist(), len(starts)], strict=True):
        title = letters[starts[head] + 1 : ends[head]].tobytes().decode("utf-8", "replace").split()
        name = title[0] if title else ""
        if not name or name in index:
            raise FormatError(
                "a sequence without a name" if not name else f"two sequences named {name}",
                where=f"{path}, line {head + 1}",
                expected="each sequence with its own name",
            )
        index[name] = _record_of(
            letters, starts[head + 1 : behind], ends[head + 1 : behind], f"{path}, {name}"
        )
    return index


def _line_ends(letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Where lines end, found piece by piece: a genome's worth of truth values would fill the memory."""
    pieces = range(0, len(letters), _PIECE)
    return np.concatenate([np.flatnonzero(letters[i : i + _PIECE] == 10) + i for i in pieces])


def _record_of(
    letters: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], where: str
) -> _Record:
    if not len(starts):
        return _Record(0, 0, 1, 2)
    returns = int(letters[ends[0] - 1] == 13) if ends[0] > starts[0] else 0
    lengths = ends - starts - np.where(letters[np.maximum(ends - 1, 0)] == 13, 1, 0)
    width = int(lengths[0])
    filled = np.flatnonzero(lengths)
    last = int(filled[-1]) if len(filled) else 0
    if (lengths[:last] != width).any() or lengths[last] > width:
        odd = int(np.flatnonzero(lengths[:last] != width)[0]) if (lengths[:last] != width).any() else last
        raise FormatError(
            f"line {odd + 1} of the sequence has {int(lengths[odd])} bases",
            where=where,
            expected=f"{width} on every line but the last",
            todo="Write it with even lines, for example with: seqtk seq -l 60",
        )
    return _Record(int(lengths.sum()), int(starts[0]), max(width, 1), max(width, 1) + 1 + returns)
