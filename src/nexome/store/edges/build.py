"""The graph of all statements, made from the sources' tables and swapped in by the name of their digest.

Sources are read once. Texts become numbers as they come (`StringTable`); then the nodes are sorted and
each block (one predicate of one source) is sorted by subject and by object with 64-bit keys. Memory: about
60 bytes an edge at the most, and twice the texts of the nodes. A statement made twice by a source is one
edge of the stronger score with two rows of evidence. Without an identifier at an end, or with the same at
both, a statement is no edge; how many there were stands in graph.json.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nexome.model.errors import InputError
from nexome.store.disk import publish_folder, remove_folder, space_errors, step, write_stamped
from nexome.store.edges.layout import (
    DENIED,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    FOLDER,
    KIND,
    MOST_NODES,
    NAME,
    NODES,
    SIDES,
    STRONGEST,
    TEXTS,
    VERSION,
    BlockFacts,
    graph_folder,
    node_bytes,
    start_type,
)
from nexome.store.edges.strings import StringTable, write_texts
from nexome.store.knowledge import Knowledge

Ints = npt.NDArray[np.int64]
Statements = Iterable[tuple[str, pa.RecordBatch]]

_PARTS: Final = ("subject", "object", "predicate", "score", "publication", "method", "qualifier", "line")
_STAGING: Final = ".staging-"
_EVIDENCE_ROWS: Final = 1 << 20
_NODE: Final = np.uint64(28)  # bits of a node in a sort key
_CODE: Final = np.uint64(8)  # bits of a strength in one


def build_graph(root: Path, *, progress: Callable[[int], None] | None = None) -> Path:
    """Make the graph of a root's sources as they are now, unless it is there; returns its folder.

    Graphs of other sources are removed afterwards: who has one open keeps reading it. Raises SpaceError.
    """
    knowledge = Knowledge.open(root)
    digest = knowledge.digest
    final = graph_folder(root, digest)
    if not (final / NAME).exists():
        build_graph_from(knowledge.edges(), final, digest=digest, progress=progress)
    for other in (root / FOLDER).iterdir():
        if other.is_dir() and other != final and not other.name.startswith(_STAGING):
            remove_folder(other)
    return final


def build_graph_from(
    statements: Statements, final: Path, *, digest: str = "", progress: Callable[[int], None] | None = None
) -> Path:
    """Make a graph of statements (source, batch with the columns of model.knowledge.EDGES) in a folder.

    `final` appears whole or not at all; where another process has made it meanwhile, that one stays.
    """
    builder = _Builder()
    for source, batch in statements:
        builder.add(source, batch)
        if progress is not None:
            progress(builder.statements)
    final.parent.mkdir(parents=True, exist_ok=True)
    staged = final.parent / f"{_STAGING}{secrets.token_hex(4)}"
    try:
        with space_errors(staged):
            staged.mkdir()
            builder.write(staged, digest)
        step("graph-staged")
        publish_folder(staged, final)
    except FileExistsError:
        shutil.rmtree(staged, ignore_errors=True)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return final


@dataclass
class _Builder:
    nodes: StringTable = field(default_factory=StringTable)
    texts: StringTable = field(default_factory=StringTable)
    predicates: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[dict[str, npt.NDArray[Any]]]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    statements: int = 0

    def add(self, source: str, batch: pa.RecordBatch) -> None:
        """Number the texts of a batch; its rows wait."""
        self.statements += batch.num_rows
        columns = {name: batch.column(name) for name in _PARTS}
        ends = {name: self.nodes.add(columns[name]) for name in ("subject", "object")}
        empty = [pc.fill_null(pc.equal(columns[n], ""), fill_value=True).to_numpy(False) for n in ends]  # noqa: FBT003
        none = empty[0] | empty[1]
        loop = ~none & (ends["subject"] == ends["object"])
        self.left_out.update({"no identifier": int(none.sum()), "to itself": int(loop.sum())})
        keep = ~(none | loop)
        score = pc.fill_null(columns["score"], float("nan")).to_numpy(False).astype(np.float32)  # noqa: FBT003
        rows = {
            **ends,
            "predicate": self._predicates(columns["predicate"], columns["qualifier"]),
            "score": score,
            **{name: self.texts.add(columns[name]) for name in ("publication", "method", "qualifier")},
            "line": pc.fill_null(columns["line"], 0).to_numpy(False),  # noqa: FBT003
        }
        kept = rows if keep.all() else {name: values[keep] for name, values in rows.items()}
        self.parts.setdefault(source, []).append(kept)

    def _predicates(self, column: pa.Array, qualifier: pa.Array) -> npt.NDArray[np.int16]:
        text = pc.fill_null(qualifier, "")
        denied = pc.or_(pc.equal(text, "not"), pc.starts_with(text, "not;"))
        named = pc.fill_null(column, "")
        said = pc.if_else(denied, pc.binary_join_element_wise(DENIED.strip(), named, " "), named)
        encoded = said.dictionary_encode()
        codes = [
            self.predicates.setdefault(name, len(self.predicates)) for name in encoded.dictionary.to_pylist()
        ]
        return np.array(codes, np.int16)[encoded.indices.to_numpy()]

    def write(self, folder: Path, digest: str) -> None:
        """Sort the nodes and write every block."""
        if self.nodes.size > MOST_NODES:
            raise InputError(
                f"{self.nodes.size:,} identifiers", expected=f"at most {MOST_NODES:,} in a graph"
            )
        texts = self.nodes.array()
        order = pc.sort_indices(texts).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        write_texts(folder / NODES, texts.take(pa.array(order)))
        write_texts(folder / TEXTS, self.texts.array())
        blocks: list[BlockFacts] = []
        with _Files(folder, node_bytes(self.nodes.size)) as files:
            for source in sorted(self.parts):
                rows = _joined(self.parts.pop(source))
                for predicate in sorted(self.predicates):
                    chosen = np.flatnonzero(rows["predicate"] == self.predicates[predicate])
                    if len(chosen):
                        mine = {name: values[chosen] for name, values in rows.items()}
                        blocks.append(_write_block(files, mine, rank, names=(source, predicate)))
            sides = files.finish()
        facts = {
            "digest": digest,
            "nodes": self.nodes.size,
            "node_bytes": node_bytes(self.nodes.size),
            "edges": files.edges,
            "statements": self.statements,
            "left_out": {name: count for name, count in self.left_out.items() if count},
            "blocks": [asdict(block) for block in blocks],
            **sides,
        }
        write_stamped(folder / NAME, facts, kind=KIND, version=VERSION, sealed=True)


def _joined(parts: list[dict[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[Any]]:
    """All rows of a source, the pieces let go of one column at a time."""
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in _PARTS}


def _write_block(
    files: _Files, rows: dict[str, npt.NDArray[Any]], rank: Ints, *, names: tuple[str, str]
) -> BlockFacts:
    subject = rank[rows["subject"]].astype(np.uint64)
    object_ = rank[rows["object"]].astype(np.uint64)
    strength, low, high = quantise(rows["score"])
    keys, edge = _edges(subject, object_, strength)
    scored = bool(strength.any())
    first = files.edges
    files.add_block("out", keys, scored=scored)
    files.add_block("in", np.sort(_turned(keys)), scored=scored)
    files.edges += len(keys)
    _write_evidence(files, rows, edge + first)
    return BlockFacts(*names, len(keys), len(subject), low, high, scored)


def quantise(score: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint64], float, float]:
    """Strengths 0 (none given) to 255, and the scores that 1 and 255 stand for.

    Scores within 0 to 1 keep that range, so that they compare between sources; others that of the block.
    Infinite ones take its ends.
    """
    given = ~np.isnan(score)
    finite = score[np.isfinite(score)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    share = np.full(len(score), 1.0)
    if high > low:
        share = (np.clip(np.nan_to_num(score, nan=low), low, high).astype(np.float64) - low) / (high - low)
    return np.where(given, 1 + np.round(share * (STRONGEST - 1)), 0).astype(np.uint64), low, high


def _edges(
    subject: npt.NDArray[np.uint64], object_: npt.NDArray[np.uint64], strength: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], Ints]:
    """Sort keys of the distinct edges (subject, weakness, object), and the edge of each statement."""
    weakness = np.uint64(STRONGEST) - strength
    pairs = (((subject << _NODE) | object_) << _CODE) | weakness
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    first = np.empty(len(pairs), bool)
    first[:1] = True
    first[1:] = (pairs[1:] >> _CODE) != (pairs[:-1] >> _CODE)
    group = np.cumsum(first) - 1
    best = pairs[first]
    code, ends = best & np.uint64(STRONGEST), best >> _CODE
    mask = np.uint64((1 << 28) - 1)
    keys = ((ends >> _NODE) << np.uint64(36)) | (code << _NODE) | (ends & mask)
    edge = np.empty(len(pairs), np.int64)
    if strength.any():
        by_strength = np.argsort(keys)
        place = np.empty(len(keys), np.int64)
        place[by_strength] = np.arange(len(keys))
        keys, group = keys[by_strength], place[group]
    edge[order] = group
    return keys, edge


def _turned(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Keys with the two ends changed over."""
    mask = np.uint64((1 << 28) - 1)
    middle = keys & (np.uint64(STRONGEST) << _NODE)
    return ((keys & mask) << np.uint64(36)) | middle | (keys >> np.uint64(36))


def _write_evidence(files: _Files, rows: dict[str, npt.NDArray[Any]], edge: Ints) -> None:
    order = np.argsort(edge, kind="stable")
    for start in range(0, len(order), _EVIDENCE_ROWS):
        part = order[start : start + _EVIDENCE_ROWS]
        columns = {"edge": edge, **{n: rows[n] for n in EVIDENCE_SCHEMA.names if n != "edge"}}
        arrays = [
            pa.array(columns[f.name][part], f.type, from_pandas=f.name == "score") for f in EVIDENCE_SCHEMA
        ]
        files.evidence.write_batch(pa.RecordBatch.from_arrays(arrays, schema=EVIDENCE_SCHEMA))


class _Files:
    """The files of a generation while it is written."""

    def __init__(self, folder: Path, width: int) -> None:
        self._folder, self._width = folder, width
        self.edges = 0
        self._blocks: dict[str, list[list[int]]] = {side: [] for side in SIDES}
        self._rows = dict.fromkeys(SIDES, 0)
        self._scores = dict.fromkeys(SIDES, 0)
        self._starts: dict[str, list[Ints]] = {side: [] for side in SIDES}
        self._open: dict[tuple[str, str], BinaryIO] = {}

    def __enter__(self) -> Self:
        for side in SIDES:
            (self._folder / side).mkdir()
            for name in ("rows", "others", "scores"):
                self._open[side, name] = (self._folder / side / f"{name}.bin").open("wb")
        self._sink = pa.OSFile(str(self._folder / EVIDENCE), "wb")
        self.evidence = pa.ipc.new_file(self._sink, EVIDENCE_SCHEMA)
        return self

    def add_block(self, side: str, keys: npt.NDArray[np.uint64], *, scored: bool) -> None:
        """Append the edges of a block, sorted by their keys."""
        nodes = (keys >> np.uint64(36)).astype(np.int64)
        starts = np.flatnonzero(np.diff(nodes, prepend=-1))
        self._open[side, "rows"].write(_packed(nodes[starts], self._width))
        self._starts[side].append(starts + self.edges)
        others = keys & np.uint64((1 << 28) - 1)
        self._open[side, "others"].write(_packed(others, self._width))
        first_score = self._scores[side] if scored else -1
        if scored:
            weakness = ((keys >> _NODE) & np.uint64(STRONGEST)).astype(np.uint8)
            self._open[side, "scores"].write((STRONGEST - weakness).tobytes())
            self._scores[side] += len(keys)
        row = self._rows[side]
        place = [row, row + len(starts), self.edges, self.edges + len(keys), first_score]
        self._blocks[side].append(place)
        self._rows[side] += len(starts)

    def finish(self) -> dict[str, Any]:
        """Write the starts; what graph.json says of both sides."""
        sides: dict[str, Any] = {}
        for side in SIDES:
            starts = np.concatenate([*self._starts[side], [self.edges]]).astype(start_type(self.edges))
            (self._folder / side / "starts.bin").write_bytes(starts.tobytes())
            counts = {"rows": self._rows[side], "scores": self._scores[side]}
            sides[side] = counts | {"blocks": self._blocks[side]}
        return sides

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.evidence.close()
        self._sink.close()
        for stream in self._open.values():
            stream.close()


def _packed(nodes: npt.NDArray[Any], width: int) -> bytes:
    """Nodes in `width` bytes each, little-endian."""
    whole = nodes.astype("<u4").view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(whole[:, :width]).tobytes()
