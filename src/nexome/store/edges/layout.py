"""One generation of the graph on disk: which files there are, and how they are mapped.

    <root>/knowledge/graph/<digest of the sources>/
      graph.json            kind "nexome-graph", version, sealed: counts, blocks, what was left out
      nodes.arrow           CURIEs of all nodes, sorted by their bytes: node n is text n
      out/, in/             adjacency by subject and by object, the same edges in both:
        rows.bin            uint8 [R, W]: nodes that have an edge in a block, ascending, block after block
        starts.bin          uint32 [R + 1] (uint64 from 2³² edges on): first edge of each row
        others.bin          uint8 [E, W]: node at the other end; W: fewest bytes that hold any node
        scores.bin          uint8 [S]: strength of each edge of the blocks that have any score
      evidence.arrow        one row a statement, by edge (its place in out/): score as given, publication,
                            method, qualifier (numbers of texts), line
      texts.arrow           the texts that evidence.arrow points to

A block is one predicate of one source, so a reader who may not see a source skips its blocks. Rows are
ordered by strength, strongest first, then by node: the k strongest are the first k, and each run of equal
strength is sorted. Strength 0: no score given; else 1 to 255, linear from `low` to `high` of the block.
Statements that are denied ('not') are blocks of a predicate of their own, 'not <predicate>'.
All numbers are little-endian. The folder may be deleted: it is made again from the sources.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nexome.store.disk import damaged, read_stamped
from nexome.store.edges.kernels import Side

KIND: Final = "nexome-graph"
VERSION: Final = 1
NAME: Final = "graph.json"
FOLDER: Final = "knowledge/graph"
NODES, TEXTS, EVIDENCE = "nodes.arrow", "texts.arrow", "evidence.arrow"
SIDES: Final = ("out", "in")
DENIED: Final = "not "
STRONGEST: Final = 255
MOST_NODES: Final = 1 << 28  # two nodes and a score make one sort key of 64 bits

EVIDENCE_SCHEMA: Final = pa.schema(
    [
        ("edge", pa.int64()),
        ("score", pa.float32()),
        ("publication", pa.int32()),
        ("method", pa.int32()),
        ("qualifier", pa.int32()),
        ("line", pa.uint32()),
    ]
)

SideName = Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """One predicate of one source: its edges, and what its strengths mean (`low` and `high` as given)."""

    source: str
    predicate: str
    edges: int
    statements: int
    low: float
    high: float
    scored: bool

    def score_of(self, strength: int) -> float | None:
        """The score as given, as near as 8 bits hold it; None where none was."""
        if strength == 0:
            return None
        return self.low + (self.high - self.low) * (strength - 1) / (STRONGEST - 1)


def graph_folder(root: Path, digest: str) -> Path:
    """Where the graph of some sources lies."""
    return root / FOLDER / digest


def read_facts(folder: Path) -> dict[str, Any]:
    """What graph.json says. Raises NotFoundError, DamagedError, NewerVersionError."""
    return read_stamped(folder / NAME, kind=KIND, version=VERSION)


def read_blocks(facts: Mapping[str, Any]) -> list[BlockFacts]:
    """The blocks, by number."""
    return [BlockFacts(**{n: b[n] for n in BlockFacts.__slots__}) for b in facts["blocks"]]


def open_side(folder: Path, side: SideName, facts: Mapping[str, Any]) -> Side:
    """Map the adjacency of one direction. Raises DamagedError for a file of a wrong length."""
    counts, edges = facts[side], facts["edges"]
    blocks = np.array(counts["blocks"], np.int64).reshape(-1, 5)
    return Side(
        rows=_mapped(folder / side / "rows.bin", np.uint8, (counts["rows"], facts["node_bytes"])),
        starts=_mapped(folder / side / "starts.bin", start_type(edges), (counts["rows"] + 1,)),
        others=_mapped(folder / side / "others.bin", np.uint8, (edges, facts["node_bytes"])),
        scores=_mapped(folder / side / "scores.bin", np.uint8, (counts["scores"],)),
        blocks=blocks,
    )


def start_type(edges: int) -> type[np.unsignedinteger[Any]]:
    """The narrowest type that holds the number of each edge and of the one behind the last."""
    return np.uint32 if edges < 1 << 32 else np.uint64


def node_bytes(nodes: int) -> int:
    """Bytes that hold each node, at least 1."""
    return max(1, ((max(1, nodes) - 1).bit_length() + 7) // 8)


def _mapped(path: Path, dtype: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    wanted = int(np.prod(shape)) * np.dtype(dtype).itemsize
    try:
        size = path.stat().st_size
        if size != wanted:
            raise damaged(path, f"{size} bytes", f"{wanted} bytes")
        if not size:
            empty = np.empty(shape, dtype)
            empty.setflags(write=False)
            return empty
        with path.open("rb") as stream:
            held = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise damaged(path, error.strerror or "cannot be read", f"{wanted} bytes") from None
    return np.frombuffer(held, dtype).reshape(shape)


class Evidence:
    """What the edges rest on: statements by the number of their edge. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        try:
            with pa.memory_map(str(folder / EVIDENCE)) as stream:
                file = pa.ipc.open_file(stream)
                self._batches = [file.get_batch(i) for i in range(file.num_record_batches)]
        except (OSError, pa.ArrowException) as error:
            raise damaged(
                folder / EVIDENCE, f"cannot be read ({type(error).__name__})", "Arrow IPC"
            ) from None
        self._edges = [batch.column(0).to_numpy() for batch in self._batches]
        self._last = np.array([edges[-1] for edges in self._edges], np.int64)

    def of(self, edge: int) -> pa.Table:
        """The statements behind an edge (EVIDENCE_SCHEMA)."""
        return pa.Table.from_batches(list(self._parts(edge)), EVIDENCE_SCHEMA)

    def _parts(self, edge: int) -> Iterator[pa.RecordBatch]:
        for number in range(int(np.searchsorted(self._last, edge)), len(self._batches)):
            first, last = np.searchsorted(self._edges[number], [edge, edge + 1]).tolist()
            if first == last:
                return
            yield self._batches[number].slice(first, last - first)
