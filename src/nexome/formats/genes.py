"""Files of genes: BED (chrom, start, end, symbol, gene id), tables with a header as Ensembl exports them.

GTF and GFF3 are recognised here and read by `annotation`.

BED counts from 0 and leaves the end out; what comes from here is 1-based with both ends included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.annotation import is_annotation, read_annotation
from nexome.formats.columns import Kind, key_of
from nexome.formats.delimited import Header, Plan, Wanted, read_header, read_rows, split_line
from nexome.formats.reader import ReadOptions
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

SCHEMA: Final = pa.schema(
    [
        ("chromosome", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("symbol", pa.string()),
        ("gene_id", pa.string()),
        ("strand", pa.string()),
    ]
)
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "chromosome": ("chromosome_name", "chromosome", "chrom", "chr", "seqname"),
    "start": ("start_position", "start", "gene_start_(bp)", "gene_start", "chromstart", "txstart"),
    "end": ("end_position", "end", "gene_end_(bp)", "gene_end", "chromend", "txend"),
    "symbol": ("external_gene_name", "gene_name", "symbol", "gene_symbol", "hgnc_symbol", "gene"),
    "gene_id": ("ensembl_gene_id", "gene_id", "gene_stable_id", "ensembl"),
    "strand": ("strand",),
}
_KINDS: Final[dict[str, Kind]] = {"start": "position", "end": "position"}
_ZERO_BASED: Final = ("chromstart", "txstart")  # UCSC's tables count as BED does
_BED_NAMES: Final = ("chromosome", "start", "end", "symbol", "gene_id")


@dataclass(frozen=True, slots=True)
class GeneFile:
    """What a file of genes holds. `format`: bed-or-table, gtf or gff3; `set_aside`: lines by cause.

    `genes` has the columns of SCHEMA or of annotation.GENE_SCHEMA, its symbol under `gene_symbol`;
    `transcripts` those of annotation.TRANSCRIPT_SCHEMA, None where the format has none.
    """

    format: str
    genes: pa.Table
    transcripts: pa.Table | None = None
    set_aside: dict[str, int] = field(default_factory=dict)


def read_gene_file(path: Path | str) -> GeneFile:
    """Genes, and transcripts where the format has any, of any file of genes we read.

    Raises FormatError when it is none, or a position cannot be read.
    """
    stream = open_stream(path)
    try:
        line = next((line for line in stream.peek_lines(1000) if not _is_note(line)), b"")
    finally:
        stream.close()
    if not is_annotation(line):
        return GeneFile("bed-or-table", read_genes(path).rename_columns({"symbol": "gene_symbol"}))
    found = read_annotation(path)
    return GeneFile(found.dialect, found.genes, found.transcripts, found.set_aside)


def read_genes(path: Path | str) -> pa.Table:
    """The genes of a file as one table of SCHEMA, in the order of the file, one row a gene.

    Raises FormatError when it is no gene table or a position cannot be read.
    """
    stream = open_stream(path)
    try:
        header, wanted, zero_based = _layout(stream)
        batches = list(read_rows(stream, Plan(stream.name, header, wanted)))
    finally:
        stream.close()
    if problems := [p for b in batches for p in b.problems]:
        raise problems[0].as_error(stream.name)
    table = pa.concat_tables([b.table.select([w.name for w in wanted]) for b in batches]).combine_chunks()
    for name in SCHEMA.names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, SCHEMA.field(name).type))
    if zero_based:
        table = table.set_column(table.column_names.index("start"), "start", pc.add(table["start"], 1))
    table = table.set_column(table.column_names.index("strand"), "strand", _signs(table["strand"]))
    return _distinct(table.select(SCHEMA.names).cast(SCHEMA))


def _layout(stream: ByteStream) -> tuple[Header, tuple[Wanted, ...], bool]:
    """Header, columns and whether starts count from 0; a file without a header is BED."""
    lines = [line for line in stream.peek_lines(20) if not _is_note(line)]
    if not lines:
        raise FormatError("the file is empty", where=stream.name, expected="a table of genes")
    cells = split_line(lines[0].decode("utf-8", "replace"), "tab")
    if len(cells) >= 4 and cells[1].isdigit() and cells[2].isdigit():
        while _is_note(stream.peek_lines(1)[0]):
            stream.read_line()
        names = tuple(_BED_NAMES[i] if i < 5 else f"column {i + 1}" for i in range(len(cells)))
        bed12 = len(cells) >= 6 and cells[5] in {"+", "-", "."}  # name, score, strand … as in BED6 and BED12
        names = (*names[:4], "score", "strand", *names[6:]) if bed12 else names
        kept = [(i, n) for i, n in enumerate(names) if n in SCHEMA.names]
        wanted = tuple(Wanted(i, n, n, _KINDS.get(n, "text")) for i, n in kept)
        return Header(names, 0, "tab", quoted=False), wanted, True
    header = read_header(stream, ReadOptions())
    return header, _wanted(header, stream.name), any(key_of(n) in _ZERO_BASED for n in header.names)


def _is_note(line: bytes) -> bool:
    """Whether a line is empty, a comment or a word to the UCSC browser."""
    return not line.strip() or line.startswith((b"#", b"track", b"browser"))


def _wanted(header: Header, file: str) -> tuple[Wanted, ...]:
    keys = [key_of(n) for n in header.names]
    found = []
    for term, names in _NAMES.items():
        if (index := next((keys.index(n) for n in names if n in keys), None)) is not None:
            found.append(Wanted(index, header.names[index], term, _KINDS.get(term, "text")))
    terms = {w.name for w in found}
    if missing := {"chromosome", "start", "end"} - terms or (
        {"symbol"} if not terms & {"symbol", "gene_id"} else set()
    ):
        raise FormatError(
            f"no column for {', '.join(sorted(missing))}",
            where=f"{file}, line {header.line}",
            expected="BED, or columns chromosome_name, start_position, end_position, external_gene_name, …",
        )
    return tuple(found)


def _signs(strand: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(strand)
    plus = pc.is_in(text, value_set=pa.array(["1", "+", "+1"]))
    minus = pc.is_in(text, value_set=pa.array(["-1", "-"]))
    return pc.if_else(plus, "+", pc.if_else(minus, "-", pa.scalar(None, pa.string())))


def _distinct(table: pa.Table) -> pa.Table:
    """Without rows that repeat one gene (Ensembl's exports list one a cross-reference)."""
    text = [table[n].cast(pa.string()).fill_null("") for n in SCHEMA.names]
    keys = pc.binary_join_element_wise(*text, "\t").combine_chunks().dictionary_encode()
    _, first = np.unique(keys.indices.to_numpy(), return_index=True)
    return table.take(pa.array(np.sort(first)))
