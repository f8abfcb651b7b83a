"""Tables of known variants (rs numbers, frequencies, telling builds apart): sites VCF or delimited text.

A VCF gives ID, REF, ALT and, where INFO holds it, the alternate allele's frequency (AF, or the field
asked for). Delimited text needs columns for chromosome, position, ref and alt; the frequency column
must be said when it is not called AF. A row of several alternate alleles becomes one row an allele.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nexome.formats.columns import ARROW_TYPES, Kind, key_of
from nexome.formats.delimited import Header, Plan, Wanted, convert_text, read_header, read_rows
from nexome.formats.reader import ReadOptions
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

SCHEMA: Final = pa.schema(
    [
        ("chromosome", ARROW_TYPES["category"]),
        ("base_pair_location", pa.int64()),
        ("rsid", pa.string()),
        ("ref_allele", ARROW_TYPES["category"]),
        ("alt_allele", ARROW_TYPES["category"]),
        ("frequency", pa.float64()),
    ]
)
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "chromosome": ("chromosome", "chr", "chrom"),
    "base_pair_location": ("base_pair_location", "pos", "bp", "position"),
    "rsid": ("rsid", "rs_id", "id", "snp", "snpid", "variant_id"),
    "ref_allele": ("ref", "ref_allele", "reference_allele"),
    "alt_allele": ("alt", "alt_allele", "alternate_allele", "alternative_allele"),
    "frequency": ("af", "alt_af", "af_alt", "alt_freq", "alt_freqs", "frequency"),
}
_KINDS: Final[dict[str, Kind]] = {
    "chromosome": "category",
    "base_pair_location": "position",
    "rsid": "text",
    "ref_allele": "category",
    "alt_allele": "text",
    "frequency": "text",
}
_VCF_COLUMNS: Final = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")


def read_sites(path: Path | str, *, frequency: str = "") -> Iterator[pa.Table]:
    """The sites of a file, in its order, as tables of SCHEMA.

    `frequency` names the INFO field or the column of the alternate allele's frequency. Raises
    FormatError when the file is no table of sites, or has no such field.
    """
    stream = open_stream(path)
    try:
        first = stream.peek_lines(1)
        if first and first[0].startswith(b"##fileformat=VCF"):
            yield from _from_vcf(stream, frequency)
        else:
            yield from _from_table(stream, frequency)
    finally:
        stream.close()


def _from_vcf(stream: ByteStream, frequency: str) -> Iterator[pa.Table]:
    header, known = _vcf_header(stream)
    if frequency and frequency not in known:
        raise FormatError(
            f"no INFO field {frequency!r}",
            where=stream.name,
            expected=f"one of {', '.join(sorted(known)[:40])}",
        )
    wanted = (
        Wanted(0, "CHROM", "chromosome", "category"),
        Wanted(1, "POS", "base_pair_location", "position"),
        Wanted(2, "ID", "rsid", "text"),
        Wanted(3, "REF", "ref_allele", "category"),
        Wanted(4, "ALT", "alt_allele", "text"),
        Wanted(7, "INFO", "info", "text"),
    )
    field = frequency or "AF"
    pattern = rf"(?:^|;){re.escape(field)}=(?P<frequency>[^;]*)"
    for batch in read_rows(stream, Plan(stream.name, header, wanted)):
        info = batch.table["info"].combine_chunks()
        value = pc.struct_field(pc.extract_regex(info, pattern), "frequency")
        yield _unfolded(batch.table.drop_columns(["info"]).append_column("frequency", value))


def _vcf_header(stream: ByteStream) -> tuple[Header, set[str]]:
    known: set[str] = set()
    while (raw := stream.read_line()) is not None:
        text = raw.decode(errors="replace")
        if match := re.match(r"##INFO=<ID=([^,>]+)", text):
            known.add(match[1])
        if not text.startswith("##"):
            names = tuple(text.removeprefix("#").split("\t"))
            if names[:8] == _VCF_COLUMNS:
                return Header(names, stream.line, "tab", quoted=False), known
            break
    raise FormatError(
        "no header line",
        where=f"{stream.name}, line {stream.line}",
        expected="#CHROM POS ID REF ALT QUAL FILTER INFO",
    )


def _from_table(stream: ByteStream, frequency: str) -> Iterator[pa.Table]:
    header = read_header(stream, ReadOptions())
    wanted = _wanted(header, frequency, stream.name)
    names = {w.name for w in wanted}
    for batch in read_rows(stream, Plan(stream.name, header, wanted)):
        table = batch.table
        for name in ("rsid", "frequency"):
            if name not in names:
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        yield _unfolded(table)


def _wanted(header: Header, frequency: str, file: str) -> tuple[Wanted, ...]:
    keys = [key_of(n) for n in header.names]
    found = []
    for term, names in _NAMES.items():
        wanted: Sequence[str] = (key_of(frequency),) if term == "frequency" and frequency else names
        index = next((keys.index(n) for n in wanted if n in keys), None)
        if index is not None:
            found.append(Wanted(index, header.names[index], term, _KINDS[term]))
    missing = {"chromosome", "base_pair_location", "ref_allele", "alt_allele"} - {w.name for w in found}
    missing |= {"frequency"} - {w.name for w in found} if frequency else set()
    if missing:
        raise FormatError(
            f"no column for {', '.join(sorted(missing))}",
            where=f"{file}, line {header.line}",
            expected="columns chromosome, position, ref and alt (and rsid, AF)",
        )
    return tuple(found)


def _unfolded(table: pa.Table) -> pa.Table:
    """One row an alternate allele, columns as in SCHEMA."""
    alts = table["alt_allele"].combine_chunks()
    counts = pc.fill_null(pc.add(pc.count_substring(alts, ","), 1), 1).to_numpy(zero_copy_only=False)
    if (counts > 1).any():
        rows = np.repeat(np.arange(len(alts)), counts)
        flat = [a for text in alts.to_pylist() for a in (text.split(",") if text else [None])]
        shares = [
            s
            for text, count in zip(table["frequency"].to_pylist(), counts.tolist(), strict=True)
            for s in _shares(text, count)
        ]
        table = table.take(pa.array(rows))
        table = table.set_column(
            table.column_names.index("alt_allele"), "alt_allele", pa.array(flat, pa.string())
        )
        table = table.set_column(
            table.column_names.index("frequency"), "frequency", pa.array(shares, pa.string())
        )
    values, _, _ = convert_text(table["frequency"].combine_chunks(), "number")
    alleles = table["alt_allele"].combine_chunks().dictionary_encode().cast(ARROW_TYPES["category"])
    table = table.set_column(table.column_names.index("frequency"), "frequency", values)
    table = table.set_column(table.column_names.index("alt_allele"), "alt_allele", alleles)
    names = table["rsid"].combine_chunks()
    rsid = pc.if_else(pc.match_substring_regex(names, r"^rs\d+$"), names, pa.scalar(None, pa.string()))
    table = table.set_column(table.column_names.index("rsid"), "rsid", rsid)
    return table.select(SCHEMA.names).cast(SCHEMA)


def _shares(text: str | None, count: int) -> list[str | None]:
    parts = text.split(",") if text else []
    return list(parts) if len(parts) == count else [None] * count
