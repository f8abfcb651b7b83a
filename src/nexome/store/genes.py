"""Genes of the home assembly: found by symbol or identifier, by place, and nearest to a position.

    <root>/genes/<version>.parquet               GENE_COLUMNS, sorted by contig and start; metadata: kind,
                                                 version, source, its SHA-256, and when it was imported
    <root>/genes/<version>.transcripts.parquet   TRANSCRIPT_COLUMNS, sorted the same, where the source has any
    <root>/genes/<version>.sha256                SHA-256 of both, as coreutils write it

Versions are numbers; the highest is used, older ones stay for whoever cites them. The table of genes is
written last: without it a version is not there. Files of version 1 have no description, synonyms,
transcripts or checksums, and are read as such. Positions are 1-based and both ends are included. A gene on
several loci (PAR, copies) has a row for each. Files of the outside world are read by `formats`, not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from nexome.store.checksums import Damage, sha256_file
from nexome.store.disk import now_iso, space_errors, write_atomic
from nexome.store.overlaps import Overlaps

KIND: Final = "nexome-genes"
VERSION: Final = 2
FOLDER: Final = "genes"
GENE_COLUMNS: Final = (
    *("gene_symbol", "gene_id", "gene_type", "chromosome", "start", "end", "strand"),
    *("description", "synonyms"),
)
TRANSCRIPT_COLUMNS: Final = (
    *("transcript_id", "gene_id", "gene_symbol", "chromosome", "start", "end", "strand", "biotype"),
    *("canonical", "tags", "exon_starts", "exon_ends", "cds_start", "cds_end"),
)
_ADDED: Final = ("description", "synonyms")  # since version 2
NEEDED_COLUMNS: Final = ("gene_symbol", "chromosome", "start", "end")

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class GeneRecord:
    """One gene, 1-based, both ends included; texts are '' where the source has none.

    `elsewhere`: the other places of the same symbol or identifier ('Y:276356-303356'), in genome order;
    only `Genes.find` looks for them.
    """

    symbol: str
    id: str
    type: str
    chromosome: str
    start: int
    end: int
    strand: str
    description: str = ""
    synonyms: str = ""
    elsewhere: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it lies, as `parse_interval` reads it."""
        return f"{self.chromosome}:{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class GeneImport:
    """What became of a file of genes: how many were kept, and how many lay on no contig of this assembly.

    `dropped_by_contig`: genes left out, by the contig's name in the file; `transcripts` were kept.
    """

    version: int
    kept: int
    dropped: int
    dropped_by_contig: dict[str, int]
    transcripts: int = 0

    @property
    def dropped_contigs(self) -> tuple[str, ...]:
        """Names of the contigs that this assembly does not have."""
        return tuple(self.dropped_by_contig)


class Genes:
    """One version of the gene table, in memory (60,000 genes: 6 MB). Thread-safe for reading."""

    def __init__(
        self, table: pa.Table, assembly: Assembly, *, version: int, transcripts: Path | None = None
    ) -> None:
        self.table = table
        self.version = version
        self._assembly = assembly
        self._transcript_path = transcripts

    @classmethod
    def open(cls, root: Path, assembly: Assembly) -> Self | None:
        """The newest version in a root; None when no genes were imported.

        Raises DamagedError when the file cannot be read, NewerVersionError for a newer one.
        """
        if not (version := newest_version(root)):
            return None
        table = _read(_path(root, version), GENE_COLUMNS)
        beside = _transcript_path(root, version)
        transcripts = beside if beside.exists() else None
        return cls(table.combine_chunks(), assembly, version=version, transcripts=transcripts)

    def __len__(self) -> int:
        return len(self.table)

    def find(self, text: str) -> GeneRecord:
        """The gene with that symbol, identifier or synonym, in any letter case; 'ENSG….5' finds 'ENSG…' too.

        Where several rows have the name, the first by place, and the places of the others in `elsewhere`.
        Raises NotFoundError, with near spellings where there are some.
        """
        if found := self.named(text):
            return found[0]
        near = [hit.symbol for hit in self.starting_with(text, limit=5)]
        raise NotFoundError(f"no gene {text[:60]!r}", expected=", ".join(near) or "a symbol or identifier")

    def named(self, text: str) -> tuple[GeneRecord, ...]:
        """Every gene with that symbol, else identifier, else synonym, in genome order; maybe none.

        A gene in the two ends of X and Y has two; each names the places of the others in `elsewhere`.
        """
        key = text.strip().casefold()
        names = self._rows_by_name
        found = [self.record(row) for row in names.get(key) or names.get(key.partition(".")[0], [])]
        places = [record.place for record in found]
        return tuple(
            replace(record, elsewhere=(*places[:at], *places[at + 1 :])) for at, record in enumerate(found)
        )

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
        return _record_of({name: self.table[name][row].as_py() for name in GENE_COLUMNS})

    def records(self) -> Iterator[GeneRecord]:
        """All genes, in the order of the table."""
        for batch in self.table.select(GENE_COLUMNS).to_batches():
            yield from map(_record_of, batch.to_pylist())

    def overlapping(self, interval: Interval) -> pa.Table:
        """Genes that share at least one base with an interval, by position (GENE_COLUMNS)."""
        return self.table.take(pa.array(self._overlaps.rows(interval)))

    def transcripts(self, interval: Interval) -> pa.Table:
        """Transcripts that share at least one base with an interval, by position (TRANSCRIPT_COLUMNS).

        No rows where the source has none (BED, tables). Read once, when first asked for.
        """
        table, overlaps = self._transcripts
        return table.take(pa.array(overlaps.rows(interval)))

    @property
    def has_transcripts(self) -> bool:
        """Whether this version came with transcripts."""
        return self._transcript_path is not None

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
        return _contigs(self.table, self._assembly)

    @cached_property
    def _overlaps(self) -> Overlaps:
        return Overlaps(self._contig, self._start, self._end)

    @cached_property
    def _transcripts(self) -> tuple[pa.Table, Overlaps]:
        if self._transcript_path is None:
            table = schema_of(TRANSCRIPT_COLUMNS).empty_table()
        else:
            table = _read(self._transcript_path, TRANSCRIPT_COLUMNS).combine_chunks()
        start, end = (table[name].to_numpy() for name in ("start", "end"))
        return table, Overlaps(_contigs(table, self._assembly), start, end)

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
    def _rows_by_name(self) -> dict[str, list[int]]:
        """Rows of each name in lower case: symbols first, then identifiers without version, then synonyms."""
        names: dict[str, list[int]] = {}
        for column in ("gene_symbol", "gene_id", "synonyms"):
            found: dict[str, list[int]] = {}
            for row, text in enumerate(self.table[column].to_pylist()):
                for name in _names(column, text):
                    found.setdefault(name, []).append(row)
            names = found | names
        return names

    @cached_property
    def _folded(self) -> list[str]:
        return [symbol.casefold() for symbol in self.table["gene_symbol"].to_pylist()]

    @cached_property
    def _symbol_order(self) -> npt.NDArray[np.int64]:
        return np.argsort(np.array(self._folded, np.str_), kind="stable")

    @cached_property
    def _sorted_symbols(self) -> npt.NDArray[np.str_]:
        return np.array(self._folded, np.str_)[self._symbol_order]


def import_genes(
    root: Path,
    assembly: Assembly,
    genes: pa.Table,
    *,
    source: str,
    sha256: str,
    transcripts: pa.Table | None = None,
) -> GeneImport:
    """Keep a table of genes, and their transcripts where given, as the next version of a root.

    `genes` has NEEDED_COLUMNS and any other of GENE_COLUMNS, `transcripts` all TRANSCRIPT_COLUMNS; contigs
    may be spelled in any way the assembly understands. Genes on other contigs are dropped and counted; a
    gene without a symbol is known by its identifier. Raises FormatError when a column is missing, nothing
    is left, or a gene starts behind its end or ends behind its contig.
    """
    if absent := [name for name in NEEDED_COLUMNS if name not in genes.column_names]:
        raise FormatError(f"no column {absent[0]}", where=source, expected=", ".join(NEEDED_COLUMNS))
    order, contig = _placed(genes, assembly, source)
    if not len(order):
        raise FormatError(
            f"no gene on a contig of {assembly.name}",
            where=source,
            expected=", ".join(c.name for c in assembly.contigs[:5]) + " …",
            todo="Take the gene file of this root's assembly.",
        )
    facts = {"kind": KIND, "version": str(VERSION), "source": source, "sha256": sha256, "imported": now_iso()}
    kept = _kept(_with_symbols(genes).take(pa.array(order)), _spelled(assembly, contig), GENE_COLUMNS)
    beside = None
    if transcripts is not None and transcripts.num_rows:
        rows, ranks = _placed(transcripts, assembly, source)
        beside = _kept(transcripts.take(pa.array(rows)), _spelled(assembly, ranks), TRANSCRIPT_COLUMNS)
    version = _write(root, kept, beside, facts)
    lost = _unknown_contigs(genes, assembly)
    count = 0 if beside is None else beside.num_rows
    return GeneImport(version, len(order), len(genes) - len(order), lost, count)


def _placed(
    table: pa.Table, assembly: Assembly, source: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows on known contigs in genome order, and the rank of each; checks the places of these."""
    contig = _contigs(table, assembly).astype(np.int64)
    start, end = (table[name].to_numpy().astype(np.int64) for name in ("start", "end"))
    _check_places(start, end, source)
    order = np.lexsort((end, start, contig))
    order = order[contig[order] != UNPLACED]
    lengths = np.array([c.length_bp for c in assembly.contigs], np.int64)
    limit = lengths[contig[order]]
    beyond = np.flatnonzero((limit > 0) & (end[order] > limit))
    if len(beyond):
        row = int(order[beyond[0]])
        raise FormatError(
            f"{len(beyond):,} rows end behind their contig, the first at {end[row]:,}",
            where=f"{source}, contig {table['chromosome'][row].as_py()}",
            expected=f"at most {int(limit[beyond[0]]):,} ({assembly.name})",
            todo="The file is of another assembly, or another release of it.",
        )
    return order, contig[order]


def _contigs(table: pa.Table, assembly: Assembly) -> UInt32s:
    """Rank of each row's contig, UNPLACED where the assembly has none such, uint32 [rows]."""
    names = table["chromosome"].combine_chunks()
    if not pa.types.is_dictionary(names.type):
        names = pc.dictionary_encode(names.cast(pa.string()))
    ranks = [assembly.find_contig(name) for name in names.dictionary.to_pylist()]
    known = np.array([UNPLACED if rank is None else rank for rank in ranks], np.uint32)
    return known[names.indices.to_numpy()] if len(known) else np.zeros(0, np.uint32)


def _unknown_contigs(table: pa.Table, assembly: Assembly) -> dict[str, int]:
    counted = pc.value_counts(table["chromosome"].cast(pa.string())).to_pylist()
    found = ((each["values"], each["counts"]) for each in counted)
    return {name: count for name, count in found if assembly.find_contig(name) is None}


def _spelled(assembly: Assembly, ranks: npt.NDArray[np.int64]) -> pa.Array:
    names = pa.array([c.name for c in assembly.contigs], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(ranks.astype(np.int32)), names)


def _with_symbols(genes: pa.Table) -> pa.Table:
    """Genes, those without a symbol under their identifier."""
    if "gene_id" not in genes.column_names:
        return genes
    symbols = genes["gene_symbol"].cast(pa.string())
    unnamed = pc.equal(pc.fill_null(pc.utf8_trim_whitespace(symbols), ""), "")
    named = pc.if_else(unnamed, genes["gene_id"].cast(pa.string()), symbols)
    return genes.set_column(genes.column_names.index("gene_symbol"), "gene_symbol", named)


def _record_of(values: dict[str, Any]) -> GeneRecord:
    return GeneRecord(
        values["gene_symbol"],
        values["gene_id"] or "",
        values["gene_type"] or "",
        values["chromosome"],
        values["start"],
        values["end"],
        values["strand"] or "",
        values["description"] or "",
        values["synonyms"] or "",
    )


def _names(column: str, text: str | None) -> list[str]:
    """What a cell is found by."""
    folded = (text or "").casefold()
    if not folded:
        return []
    if column == "synonyms":
        return folded.split()
    return [folded.partition(".")[0] if column == "gene_id" else folded]


def find_damage_in_genes(root: Path) -> Iterator[Damage]:
    """What differs from the checksums of each version that has them."""
    folder = root / FOLDER
    for sums in sorted(folder.glob("*.sha256")):
        for line in sums.read_text(encoding="utf-8").splitlines():
            value, _, name = line.partition("  ")
            path = folder / name
            if not path.is_file():
                yield Damage(path, "missing")
            elif sha256_file(path) != value:
                yield Damage(path, "changed")


def newest_version(root: Path) -> int:
    """The highest version of genes in a root; 0 for none. One look at a folder."""
    names = (path.stem for path in (root / FOLDER).glob("*.parquet"))
    return max((int(name) for name in names if name.isdecimal()), default=0)


def _check_places(start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], source: str) -> None:
    wrong = np.flatnonzero((start < 1) | (end < start))
    if len(wrong):
        row = int(wrong[0])
        off_by_one = end[row] == start[row] - 1  # what BED's 'start equals end' becomes
        raise FormatError(
            f"row {row + 1} lies from {start[row]} to {end[row]}",
            where=source,
            expected="1 ≤ start ≤ end",
            todo="BED counts from 0 and leaves the end out: the one base at 100 is written 99, 100."
            if off_by_one
            else "",
        )


def _read(path: Path, columns: tuple[str, ...]) -> pa.Table:
    """One table of a version, with a null for what an earlier version did not keep."""
    try:
        table = pq.read_table(path, memory_map=True)
        facts = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        newer = int(facts["version"]) > VERSION
        if not newer:
            for name in [n for n in _ADDED if n in columns and n not in table.column_names]:
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
            table = table.select(columns).cast(schema_of(columns))
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


def _kept(table: pa.Table, chromosome: pa.Array, names: tuple[str, ...]) -> pa.Table:
    absent = pa.nulls(len(table), pa.string())
    columns = []
    for field in schema_of(names):
        column = table[field.name] if field.name in table.column_names else absent
        column = chromosome if field.name == "chromosome" else column
        if pa.types.is_dictionary(field.type):
            column = pc.dictionary_encode(column.cast(pa.string()))
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema_of(names))


def _write(root: Path, genes: pa.Table, transcripts: pa.Table | None, facts: dict[str, str]) -> int:
    """Write the next version: transcripts and checksums, then the genes that make it visible."""
    version = newest_version(root) + 1
    path = _path(root, version)
    content = {path: _as_parquet(genes, facts)}
    if transcripts is not None:
        content[_transcript_path(root, version)] = _as_parquet(transcripts, facts)
    sums = "".join(f"{hashlib.sha256(c).hexdigest()}  {p.name}\n" for p, c in content.items())
    with space_errors(path):
        path.parent.mkdir(exist_ok=True)
        write_atomic(path.with_suffix(".sha256"), sums.encode())
        for each in reversed(content):
            write_atomic(each, content[each])
    return version


def _as_parquet(table: pa.Table, facts: dict[str, str]) -> bytes:
    sink: Any = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(facts), sink, compression="zstd")
    return bytes(sink.getvalue())


def _transcript_path(root: Path, version: int) -> Path:
    return root / FOLDER / f"{version}.transcripts.parquet"


def _path(root: Path, version: int) -> Path:
    return root / FOLDER / f"{version}.parquet"
