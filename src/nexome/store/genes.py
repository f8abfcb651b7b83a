"""Genes of the home assembly: found by symbol or identifier, by place, and nearest to a position.

    <root>/genes/<version>.parquet    GENE_COLUMNS, sorted by contig and start; metadata: kind, version,
                                      source, its SHA-256, and when it was imported

Versions are numbers; the highest is used, older ones stay for whoever cites them. Positions are
1-based and both ends are included. Files of the outside world are read by `formats`, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nexome.model.errors import DamagedError, FormatError, NewerVersionError, NotFoundError
from nexome.model.fields import schema_of
from nexome.model.genome import UNPLACED, Assembly, Interval, loci_of
from nexome.store.disk import now_iso, space_errors, write_atomic

KIND: Final = "nexome-genes"
VERSION: Final = 1
FOLDER: Final = "genes"
GENE_COLUMNS: Final = ("gene_symbol", "gene_id", "gene_type", "chromosome", "start", "end", "strand")
NEEDED_COLUMNS: Final = ("gene_symbol", "chromosome", "start", "end")

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class GeneRecord:
    """One gene, 1-based, both ends included; `id`, `type`, `strand` are '' where the source has none."""

    symbol: str
    id: str
    type: str
    chromosome: str
    start: int
    end: int
    strand: str


@dataclass(frozen=True, slots=True)
class GeneImport:
    """What became of a file of genes: how many were kept, and how many lay on no contig of this assembly."""

    version: int
    kept: int
    dropped: int
    dropped_contigs: tuple[str, ...]


class Genes:
    """One version of the gene table, in memory (60,000 genes: 6 MB). Thread-safe for reading."""

    def __init__(self, table: pa.Table, assembly: Assembly, *, version: int) -> None:
        self.table = table
        self.version = version
        self._assembly = assembly

    @classmethod
    def open(cls, root: Path, assembly: Assembly) -> Self | None:
        """The newest version in a root; None when no genes were imported.

        Raises DamagedError when the file cannot be read, NewerVersionError for a newer one.
        """
        if not (version := newest_version(root)):
            return None
        table = _read(_path(root, version))
        return cls(table.combine_chunks(), assembly, version=version)

    def __len__(self) -> int:
        return len(self.table)

    def find(self, text: str) -> GeneRecord:
        """The gene with that symbol or identifier, in any letter case; 'ENSG….5' finds 'ENSG…' too.

        Raises NotFoundError, with near spellings where there are some.
        """
        key = text.strip().casefold()
        row = self._rows_by_name.get(key, self._rows_by_name.get(key.partition(".")[0]))
        if row is None:
            near = [hit.symbol for hit in self.starting_with(text, limit=5)]
            raise NotFoundError(
                f"no gene {text[:60]!r}", expected=", ".join(near) or "a symbol or identifier"
            )
        return self.record(row)

    def starting_with(self, text: str, *, limit: int) -> list[GeneRecord]:
        """Genes whose symbol starts with a text, in any letter case, shortest symbol first."""
        key = text.strip().casefold()
        if not key:
            return []
        symbols = self._sorted_symbols
        first = np.searchsorted(symbols, key)
        last = np.searchsorted(symbols, key + "\U0010ffff")
        rows = self._symbol_order[first:last].tolist()
        records = [self.record(row) for row in rows[: 50 * limit]]
        return sorted(records, key=lambda r: (len(r.symbol), r.symbol))[:limit]

    def record(self, row: int) -> GeneRecord:
        """One row of the table."""
        values = {name: self.table[name][row].as_py() for name in GENE_COLUMNS}
        return GeneRecord(
            values["gene_symbol"],
            values["gene_id"] or "",
            values["gene_type"] or "",
            values["chromosome"],
            values["start"],
            values["end"],
            values["strand"] or "",
        )

    def overlapping(self, interval: Interval) -> pa.Table:
        """Genes that share at least one base with an interval, by position (GENE_COLUMNS)."""
        inside = (
            (self._contig == interval.contig) & (self._start <= interval.end) & (self._end >= interval.start)
        )
        return self.table.take(pa.array(np.flatnonzero(inside)))

    def nearest(self, contig: UInt32s, position: UInt32s) -> npt.NDArray[np.int64]:
        """Row of the nearest gene of V positions, int64 [V]; −1 on contigs without genes.

        Distance is 0 inside a gene, else to the nearer end. Where genes overlap around a position, one
        that started last is taken if it reaches the position, else the one that ends last.
        """
        loci = loci_of(contig, position)
        starts = loci_of(self._contig, self._start)
        before = np.searchsorted(starts, loci, side="right").astype(np.int64) - 1
        best = np.full(len(loci), -1, np.int64)
        distance = np.full(len(loci), np.iinfo(np.int64).max, np.int64)
        # Candidates: the next gene to start behind, the last to start before, and the one that reaches
        # furthest of all that start before.
        reach = np.where(before >= 0, self._furthest[np.maximum(before, 0)], -1)
        for rows in (before, reach, before + 1):
            self._improve(rows, contig, position, best=best, distance=distance)
        return best

    def symbols(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Symbols of rows as `nearest` gives them; null for −1."""
        return self.table["gene_symbol"].combine_chunks().take(pa.array(rows, mask=rows < 0))

    # ------------------------------------------------------------ made once, when first needed

    def _improve(
        self,
        rows: npt.NDArray[np.int64],
        contig: UInt32s,
        position: UInt32s,
        *,
        best: npt.NDArray[np.int64],
        distance: npt.NDArray[np.int64],
    ) -> None:
        """Take `rows` as the nearest where they lie on the contig and nearer than the best so far."""
        safe = np.clip(rows, 0, len(self) - 1)
        where = position.astype(np.int64)
        gap = np.maximum(self._start[safe].astype(np.int64) - where, where - self._end[safe].astype(np.int64))
        gap = np.maximum(gap, 0)
        better = (rows == safe) & (self._contig[safe] == contig) & (gap < distance)
        best[better] = rows[better]
        distance[better] = gap[better]

    @cached_property
    def _contig(self) -> UInt32s:
        names = self.table["chromosome"].combine_chunks()
        ranks = [self._assembly.find_contig(name) for name in names.dictionary.to_pylist()]
        known = np.array([UNPLACED if rank is None else rank for rank in ranks], np.uint32)
        return known[names.indices.to_numpy()]

    @cached_property
    def _start(self) -> UInt32s:
        return np.asarray(self.table["start"].to_numpy(), np.uint32)

    @cached_property
    def _end(self) -> UInt32s:
        return np.asarray(self.table["end"].to_numpy(), np.uint32)

    @cached_property
    def _furthest(self) -> npt.NDArray[np.int64]:
        """For each row, the row up to it (on its contig) that ends last, int64 [genes]."""
        reach = self._contig.astype(np.int64) << 32 | self._end.astype(np.int64)
        furthest = np.maximum.accumulate(reach)
        rows = np.where(reach == furthest, np.arange(len(reach)), -1)
        return np.maximum.accumulate(rows)

    @cached_property
    def _rows_by_name(self) -> dict[str, int]:
        rows: dict[str, int] = {}
        # Symbols after identifiers: where both are the same text, the symbol wins; the first row of each.
        for name in ("gene_id", "gene_symbol"):
            texts = self.table[name].to_pylist()
            for row in range(len(texts) - 1, -1, -1):
                if texts[row]:
                    rows[
                        texts[row].casefold().partition(".")[0]
                        if name == "gene_id"
                        else texts[row].casefold()
                    ] = row
        return rows

    @cached_property
    def _folded(self) -> list[str]:
        return [symbol.casefold() for symbol in self.table["gene_symbol"].to_pylist()]

    @cached_property
    def _symbol_order(self) -> npt.NDArray[np.int64]:
        return np.argsort(np.array(self._folded, np.str_), kind="stable")

    @cached_property
    def _sorted_symbols(self) -> npt.NDArray[np.str_]:
        return np.array(self._folded, np.str_)[self._symbol_order]


def import_genes(root: Path, assembly: Assembly, genes: pa.Table, *, source: str, sha256: str) -> GeneImport:
    """Keep a table of genes as the next version of a root.

    `genes` has NEEDED_COLUMNS and any other of GENE_COLUMNS; its contigs may be spelled in any way
    the assembly understands. Genes on other contigs are dropped and counted. Raises FormatError when
    a column is missing, nothing is left, or a gene starts behind its end.
    """
    if absent := [name for name in NEEDED_COLUMNS if name not in genes.column_names]:
        raise FormatError(f"no column {absent[0]}", where=source, expected=", ".join(NEEDED_COLUMNS))
    names = pc.dictionary_encode(genes["chromosome"].cast(pa.string()).combine_chunks())
    ranks = {name: assembly.find_contig(name) for name in names.dictionary.to_pylist()}
    rank_of = np.array([-1 if rank is None else rank for rank in ranks.values()], np.int64)
    contig = rank_of[names.indices.to_numpy()] if len(rank_of) else np.zeros(0, np.int64)
    start = genes["start"].to_numpy().astype(np.int64)
    _check_places(start, genes["end"].to_numpy().astype(np.int64), source)
    order = np.lexsort((start, contig))
    order = order[contig[order] >= 0]
    if not len(order):
        raise FormatError(
            f"no gene on a contig of {assembly.name}",
            where=source,
            expected=", ".join(c.name for c in assembly.contigs[:5]) + " …",
            todo="Take the gene file of this root's assembly.",
        )
    spelled = pa.array([assembly.contig_name(rank) for rank in contig[order].tolist()])
    facts = {"kind": KIND, "version": str(VERSION), "source": source, "sha256": sha256, "imported": now_iso()}
    version = _write(root, _kept(genes.take(pa.array(order)), spelled), facts)
    lost = tuple(name for name, rank in ranks.items() if rank is None)
    return GeneImport(version, len(order), len(genes) - len(order), lost)


def newest_version(root: Path) -> int:
    """The highest version of genes in a root; 0 for none. One look at a folder."""
    names = (path.stem for path in (root / FOLDER).glob("*.parquet"))
    return max((int(name) for name in names if name.isdecimal()), default=0)


def _check_places(start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], source: str) -> None:
    wrong = np.flatnonzero((start < 1) | (end < start))
    if len(wrong):
        row = int(wrong[0])
        raise FormatError(
            f"gene {row + 1} lies from {start[row]} to {end[row]}", where=source, expected="1 ≤ start ≤ end"
        )


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path, memory_map=True)
        facts = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        newer = int(facts["version"]) > VERSION
        table = table.select(GENE_COLUMNS).cast(schema_of(GENE_COLUMNS))
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise DamagedError(
            f"cannot be read ({type(error).__name__})",
            where=str(path),
            expected="genes in Parquet, as `nexome import genes` writes them",
            todo="Import the genes again.",
        ) from error
    if newer:
        raise NewerVersionError(f"genes of version {facts['version']}", where=str(path))
    return table


def _kept(genes: pa.Table, chromosome: pa.Array) -> pa.Table:
    absent = pa.nulls(len(genes), pa.string())
    columns = []
    for field in schema_of(GENE_COLUMNS):
        column = genes[field.name] if field.name in genes.column_names else absent
        column = chromosome if field.name == "chromosome" else column
        as_text = pa.types.is_dictionary(field.type)
        column = pc.dictionary_encode(column.cast(pa.string())) if as_text else column
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema_of(GENE_COLUMNS))


def _write(root: Path, table: pa.Table, facts: dict[str, str]) -> int:
    version = newest_version(root) + 1
    path = _path(root, version)
    sink: Any = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(facts), sink, compression="zstd")
    with space_errors(path):
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, sink.getvalue().to_pybytes())
    return version


def _path(root: Path, version: int) -> Path:
    return root / FOLDER / f"{version}.parquet"
