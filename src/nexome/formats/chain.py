"""UCSC chain files: which stretches of one assembly are which of another, as arrays.

Positions in the file are 0-based and half open, and counted from the far end on the minus strand;
here they are 1-based on the plus strand of both. Lifting variants is not done here.
Source: UCSC Genome Browser, chain format.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

_HEADER_CELLS: Final = (12, 13)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Aligned stretches of one source contig, sorted by `start`; of equal starts the better chain first.

    int64 [B] each: `start`, `end` in the source (1-based, both included); `target` index in
    Chain.targets; `target_start` the target base aligned to `start`; `step` +1, or −1 where the
    target runs backwards (base = target_start + step · (position − start)); `score` of the chain.
    """

    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    target_start: npt.NDArray[np.int64]
    step: npt.NDArray[np.int64]
    score: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain file: blocks of each source contig, names and lengths of both sides, the file's SHA-256."""

    blocks: dict[str, Blocks]
    sources: dict[str, int]
    targets: dict[str, int]
    sha256: str


def read_chain(path: Path | str) -> Chain:
    """Read a chain file. Raises FormatError naming the line that is not as the format asks."""
    stream = open_stream(path)
    try:
        return _read(stream)
    finally:
        stream.close()


def _read(stream: ByteStream) -> Chain:
    rows: dict[str, list[tuple[int, ...]]] = {}
    sources: dict[str, int] = {}
    targets: dict[str, int] = {}
    while (line := _next_line(stream)) is not None:
        head = _chain_line(line, stream)
        sources[head.source] = head.source_size
        targets[head.target] = head.target_size
        number = list(targets).index(head.target)
        rows.setdefault(head.source, []).extend(_chain_rows(head, number, stream))
    if not rows:
        raise FormatError("no chains", where=stream.name, expected="lines that start with 'chain'")
    return Chain({name: _sorted(found) for name, found in rows.items()}, sources, targets, stream.sha256)


@dataclass(frozen=True, slots=True)
class _Head:
    score: int
    source: str
    source_size: int
    source_start: int
    source_end: int
    target: str
    target_size: int
    strand: int
    target_start: int
    target_end: int


def _next_line(stream: ByteStream) -> list[str] | None:
    while (raw := stream.read_line()) is not None:
        if raw.strip() and not raw.startswith(b"#"):
            return raw.decode("utf-8", "replace").split()
    return None


def _chain_line(cells: list[str], stream: ByteStream) -> _Head:
    shaped = len(cells) in _HEADER_CELLS and cells[0] == "chain" and cells[4] == "+" and cells[9] in "+-"
    try:
        if shaped:
            return _Head(
                int(float(cells[1])), cells[2], int(cells[3]), int(cells[5]), int(cells[6]),
                cells[7], int(cells[8]), 1 if cells[9] == "+" else -1, int(cells[10]), int(cells[11]),
            )  # fmt: skip
    except (ValueError, OverflowError):
        pass  # said below, as for a line of another shape
    raise FormatError(
        f"{' '.join(cells)[:60]!r}",
        where=f"{stream.name}, line {stream.line}",
        expected="chain SCORE NAME SIZE + START END NAME SIZE STRAND START END ID",
        todo="Give a UCSC chain file, for example hg19ToHg38.over.chain.gz.",
    )


def _chain_rows(head: _Head, number: int, stream: ByteStream) -> list[tuple[int, ...]]:
    source, target = head.source_start, head.target_start
    rows: list[tuple[int, ...]] = []
    while True:
        cells = _next_line(stream) or []
        if len(cells) not in {1, 3} or not all(c.isdigit() for c in cells):
            raise FormatError(
                f"{' '.join(cells)[:60]!r}" if cells else "the file ends inside a chain",
                where=f"{stream.name}, line {stream.line}",
                expected="SIZE DT DQ, or SIZE alone on a chain's last line",
                todo="Fetch the file again if it is cut short.",
            )
        size = int(cells[0])
        first = target + 1 if head.strand > 0 else head.target_size - target
        rows.append((source + 1, source + size, number, first, head.strand, head.score))
        source, target = source + size, target + size
        if len(cells) == 1:
            break
        source, target = source + int(cells[1]), target + int(cells[2])
    if source != head.source_end or target != head.target_end:
        raise FormatError(
            "the blocks do not add up to the chain's length",
            where=f"{stream.name}, line {stream.line}",
            expected=f"to end at {head.source_end} and {head.target_end}, not {source} and {target}",
            todo="Fetch the file again.",
        )
    return rows


def _sorted(rows: list[tuple[int, ...]]) -> Blocks:
    columns = np.array(rows, np.int64).T
    order = np.lexsort((-columns[5], columns[0]))
    return Blocks(*(np.ascontiguousarray(c[order]) for c in columns))
