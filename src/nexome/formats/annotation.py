"""Gene annotation, GTF and GFF3: genes and their transcripts, in the dialects people have.

    gene          `gene`, and in GFF3 every type that ends with it (ncRNA_gene, pseudogene, …)
    transcript    what lies between a gene and its exons, whatever it is called (mRNA, lnc_RNA, tRNA …)
    exon, CDS     parts; a part may belong to several transcripts (GFF3 `Parent=a,b`), or to a gene itself

GENCODE, Ensembl, NCBI, UCSC and plant files differ in attributes, not in this. Lines may come in any order,
FASTA behind `##FASTA` is left alone, attributes are unescaped. In GTF the stop codon stands beside the CDS;
it is counted in here, as GFF3 does. Positions are 1-based, both ends included. It does not know an assembly.
Specifications: GFF3 1.26 (Sequence Ontology), GTF 2.2 (Brent lab), GENCODE data format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote

import pyarrow as pa

from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

Dialect = Literal["gtf", "gff3"]

GENE_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("gene_symbol", "gene_id", "gene_type", "chromosome")),
        *((name, pa.int64()) for name in ("start", "end")),
        *((name, pa.string()) for name in ("strand", "description", "synonyms")),
    ]
)
TRANSCRIPT_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("transcript_id", "gene_id", "gene_symbol", "chromosome")),
        *((name, pa.int64()) for name in ("start", "end")),
        *((name, pa.string()) for name in ("strand", "biotype")),
        ("canonical", pa.bool_()),
        ("tags", pa.string()),
        *((name, pa.list_(pa.int64())) for name in ("exon_starts", "exon_ends")),
        *((name, pa.int64()) for name in ("cds_start", "cds_end")),
    ]
)
BLOCK_BYTES: Final = 8 << 20

# Types that are neither gene, transcript nor part: the sequence itself, what is drawn from a transcript
# (UTRs, codons, introns, products), and evidence.
_PASSED_OVER: Final = frozenset(
    {
        *("region", "chromosome", "contig", "scaffold", "supercontig", "sequence_feature"),
        *("biological_region", "intron", "start_codon", "selenocysteine"),
        *("utr", "five_prime_utr", "three_prime_utr", "5utr", "3utr", "protein", "polypeptide"),
        *("transposable_element", "transposon_fragment", "sequence_alteration"),
        *("inter", "inter_cns", "intron_cns"),  # CDS-less stretches in NCBI's and gff2gtf's GTF
    }
)
_PARTS: Final = frozenset({"exon", "cds", "stop_codon", "pseudogenic_exon"})
_CANONICAL: Final = frozenset({"mane_select", "ensembl_canonical", "refseq_select"})
_KEPT_TAGS: Final = re.compile(r"(?i)mane|canonical|select|basic|appris_principal|longest")
_GTF_PAIR: Final = re.compile(r'\s*([\w.-]+)\s+(?:"([^"]*)"|([^;]*))\s*(?:;|$)')
_ONE: Final = {
    ("gtf", "gene_id"): re.compile(r'\bgene_id\s+"?([^";]*)'),
    ("gtf", "transcript_id"): re.compile(r'\btranscript_id\s+"?([^";]*)'),
    ("gff3", "Parent"): re.compile(r"(?:^|;)\s*Parent=([^;]*)"),
}
_GTF_FIRST: Final = re.compile(rb'\s*[\w.-]+\s+(?:"|\S)')
_VERSION_TAIL: Final = re.compile(r"\.\d+$")

# What is read of the attributes; one object for each name, since a file repeats them a million times.
_READ: Final = {
    name: name
    for name in (
        *("ID", "Parent", "Name", "Alias", "Note", "description", "product", "tag", "version"),
        *("gene_id", "gene_name", "gene", "gene_type", "gene_biotype", "gene_version", "biotype", "symbol"),
        *("gene_synonym", "gene_synonyms", "locus_tag", "geneID", "longest", "canonical_transcript"),
        *("transcript_id", "transcript_type", "transcript_biotype", "transcript_version"),
    )
}

_LISTS: Final = frozenset({"Parent", "Alias", "gene_synonym"})

Attributes = dict[str, str]


@dataclass(slots=True)
class Annotation:
    """Genes and transcripts of a file, and what was set aside: how many lines of each cause."""

    dialect: Dialect
    genes: pa.Table
    transcripts: pa.Table
    set_aside: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line that matters. `kind` is its type in lower case, `text` its ninth column as it stands."""

    dialect: Dialect
    chromosome: str
    kind: str
    start: int
    end: int
    strand: str | None
    text: str

    @property
    def attributes(self) -> Attributes:
        """The ninth column read whole; parts, nine lines of ten, ask `value` instead."""
        return _gtf_attributes(self.text) if self.dialect == "gtf" else _gff3_attributes(self.text)

    def value(self, name: str) -> str:
        """One attribute, '' where there is none. Escapes of GFF3 are left in lists."""
        found = _ONE[self.dialect, name].search(self.text)
        return found[1] if found else ""


@dataclass(slots=True)
class _Transcript:
    """A transcript while its parts are gathered; a place None until a line of its own or a part gives it."""

    id: str
    gene: str
    chromosome: str
    strand: str | None
    start: int | None = None
    end: int | None = None
    attributes: Attributes = field(default_factory=dict)
    kind: str = ""
    exons: list[tuple[int, int]] = field(default_factory=list)
    coding: list[tuple[int, int]] = field(default_factory=list)

    def reach(self) -> tuple[int, int]:
        """First and last base, from its own line or from its parts."""
        parts = self.exons or self.coding
        start = self.start if self.start is not None else min(s for s, _ in parts)
        end = self.end if self.end is not None else max(e for _, e in parts)
        return start, end


Ids = dict[tuple[str, str], str]  # (ID, chromosome) of a gene → the identifier it is kept under
Held = dict[tuple[str, str], _Transcript]  # by (ID, chromosome)


@dataclass(slots=True)
class _Gathered:
    """Genes and transcripts by (identifier, chromosome): one identifier may stand on several."""

    genes: dict[tuple[str, str], _Row] = field(default_factory=dict)
    transcripts: dict[tuple[str, str], _Transcript] = field(default_factory=dict)
    set_aside: dict[str, int] = field(default_factory=dict)

    def aside(self, cause: str) -> None:
        """Count a line that is left out."""
        self.set_aside[cause] = self.set_aside.get(cause, 0) + 1


def is_annotation(line: bytes) -> bool:
    """Whether a line is one of GTF or GFF3: nine columns by tab, places in the fourth and fifth."""
    cells = line.split(b"\t")
    return len(cells) in {8, 9} and cells[3].isdigit() and cells[4].isdigit() and cells[6] in b"+-.?"


def read_annotation(path: Path | str) -> Annotation:
    """Genes and transcripts of a GTF or GFF3 file, plain or packed; GENE_SCHEMA and TRANSCRIPT_SCHEMA.

    Genes that have no line of their own (older GTF) are made from their transcripts, and those from their
    exons. Raises FormatError naming the line that cannot be read, or when there is no gene in it.
    """
    stream = open_stream(path)
    try:
        rows = _rows(stream)
        first = next(rows, None)
        if first is None:
            raise FormatError("no line of a gene", where=stream.name, expected="GTF or GFF3")
        gather = _gather_gtf if first.dialect == "gtf" else _gather_gff3
        gathered = gather(chain([first], rows))
    finally:
        stream.close()
    if not gathered.genes and not gathered.transcripts:
        raise FormatError("no gene", where=stream.name, expected="lines of type gene, or with a gene_id")
    transcripts = [t for t in gathered.transcripts.values() if t.start is not None or t.exons or t.coding]
    names = _gene_names(gathered, transcripts)
    return Annotation(
        first.dialect,
        _gene_table(gathered, transcripts, names),
        _transcript_table(transcripts, names),
        dict(sorted(gathered.set_aside.items())),
    )


# ---------------------------------------------------------------- lines


def _rows(stream: ByteStream) -> Iterator[_Row]:
    """The lines that matter, in order."""
    dialect: Dialect | None = None
    for block in stream.blocks(BLOCK_BYTES):
        for number, line in enumerate(block.content.split(b"\n"), block.first_line):
            if line.startswith((b"##FASTA", b">")):
                return
            if not line.strip() or line.startswith(b"#"):
                continue
            where = f"{stream.name}, line {number}"
            cells = line.rstrip(b"\r").split(b"\t")
            if len(cells) not in {8, 9}:
                raise _bad(where, f"{len(cells)} columns", "9 columns separated by tabs (GTF or GFF3)")
            kind = cells[2].decode("utf-8", "replace").lower()
            if kind in _PASSED_OVER or "match" in kind:
                continue
            text = cells[8] if len(cells) == 9 else b""
            if dialect is None:
                dialect = "gtf" if _GTF_FIRST.match(text) and b"=" not in text.split(b" ")[0] else "gff3"
            try:
                yield _row(dialect, kind, cells, text.decode(), where)
            except UnicodeDecodeError:
                raise _bad(where, "attributes that are not UTF-8 text", "UTF-8") from None


def _row(dialect: Dialect, kind: str, cells: list[bytes], text: str, where: str) -> _Row:
    if not cells[3].isdigit() or not cells[4].isdigit():
        found = (
            f"{cells[3].decode('utf-8', 'replace')[:20]!r} to {cells[4].decode('utf-8', 'replace')[:20]!r}"
        )
        raise _bad(where, found, "a first and a last base in columns 4 and 5")
    start, end = int(cells[3]), int(cells[4])
    if not 1 <= start <= end:
        todo = "Positions of GTF and GFF3 count from 1 and include both ends." if start == 0 else ""
        raise _bad(where, f"a feature from {start} to {end}", "1 ≤ start ≤ end", todo)
    strand = cells[6].decode("utf-8", "replace")
    name = unquote(cells[0].decode("utf-8", "replace"))
    return _Row(dialect, name, kind, start, end, strand if strand in {"+", "-"} else None, text)


def _gtf_attributes(text: str) -> Attributes:
    """Pairs of a GTF line; what is said several times (tag, db_xref) is joined by commas."""
    values: Attributes = {}
    for name, quoted, bare in _GTF_PAIR.findall(text):
        if (name := _READ.get(name, "")) == "":
            continue
        value = quoted or bare.strip()
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _gff3_attributes(text: str) -> Attributes:
    """Pairs of a GFF3 line. Only lists are left escaped, since their commas separate."""
    values: Attributes = {}
    for pair in text.split(";"):
        name, _, value = pair.strip().partition("=")
        if name in _READ:
            values[_READ[name]] = value if name in _LISTS else unquote(value)
    return values


def _bad(where: str, found: str, expected: str, todo: str = "Mend or remove the line.") -> FormatError:
    return FormatError(found, where=where, expected=expected, todo=todo)


# ---------------------------------------------------------------- gathering


def _gather_gtf(rows: Iterator[_Row]) -> _Gathered:
    gathered = _Gathered()
    for row in rows:
        gene, name = row.value("gene_id"), row.value("transcript_id")
        if row.kind == "gene" and gene:
            gathered.genes.setdefault((gene, row.chromosome), row)
        elif not gene or not name:
            gathered.aside("without transcript_id" if gene else "without gene_id")
        else:
            _place_gtf(row, gathered, gene, name)
    return gathered


def _place_gtf(row: _Row, gathered: _Gathered, gene: str, name: str) -> None:
    """A line of a transcript, or of a part of one."""
    made = gathered.transcripts.get((name, row.chromosome))
    if row.kind in _PARTS:
        if made is None:
            made = _Transcript(name, gene, row.chromosome, row.strand, attributes=row.attributes)
        _add_part(made, row)
    elif row.kind.endswith(("transcript", "rna")):
        made = made or _Transcript(name, gene, row.chromosome, row.strand)
        made.start, made.end, made.attributes = row.start, row.end, row.attributes
    else:
        gathered.aside(f"of type {row.kind}")
        return
    gathered.transcripts[name, row.chromosome] = made


def _gather_gff3(rows: Iterator[_Row]) -> _Gathered:
    """Genes, then what has a gene as Parent, then the parts of these: so lines may come in any order."""
    gathered = _Gathered()
    parts: list[_Row] = []
    between: list[_Row] = []
    genes: Ids = {}
    for row in rows:
        if row.kind in _PARTS:
            parts.append(row)
        elif row.kind.endswith("gene") and (row.kind == "gene" or not row.value("Parent")):
            values = row.attributes
            name = _gene_id(values)
            gathered.genes.setdefault((name, row.chromosome), row)
            genes[values.get("ID", name), row.chromosome] = name
        else:
            between.append(row)
    held: Held = {}
    while between:  # a microRNA's parent may be a transcript that is placed a round later
        left = [row for row in between if not _place_transcript(row, genes, held, gathered)]
        if len(left) == len(between):
            break
        between = left
    for row in between:
        gathered.aside(f"of type {row.kind} without its gene")
    for row in parts:
        _place_part(row, genes, held, gathered)
    return gathered


def _place_transcript(row: _Row, genes: Ids, held: Held, gathered: _Gathered) -> bool:
    """Whether a line between gene and exon found its gene: by its Parent, or by being one without a gene."""
    values = row.attributes
    own, gene = values.get("ID", ""), None
    for parent in _parents(row):
        key = (parent, row.chromosome)
        gene = gene or genes.get(key) or (held[key].gene if key in held else None)
    if not values.get("Parent") and row.kind.endswith(("rna", "transcript")):
        gene = values.get("gene_id") or values.get("geneID") or _bare(own)
    if not gene or not own:
        return False
    name = values.get("transcript_id") or _bare(own)
    before = held.get((own, row.chromosome))
    if before is not None:  # one feature on several lines (trans-splicing) reaches over all of them
        before.start = min(before.start or row.start, row.start)
        before.end = max(before.end or row.end, row.end)
        return True
    made = _Transcript(name, gene, row.chromosome, row.strand, row.start, row.end, values, row.kind)
    held[own, row.chromosome] = gathered.transcripts[name, row.chromosome] = made
    return True


def _place_part(row: _Row, genes: Ids, held: Held, gathered: _Gathered) -> None:
    """An exon or CDS, to each transcript it names; to a gene itself where it names one (bacteria, tRNAs)."""
    placed = False
    for parent in _parents(row):
        key = (parent, row.chromosome)
        made = held.get(key)
        if made is None and key in genes:
            gene = genes[key]
            line = gathered.genes[gene, row.chromosome]
            made = _Transcript(gene, gene, row.chromosome, row.strand, line.start, line.end)
            held[key] = gathered.transcripts[gene, row.chromosome] = made
        if made is not None:
            _add_part(made, row)
            placed = True
    if not placed:
        gathered.aside(f"of type {row.kind} without its transcript")


def _add_part(made: _Transcript, row: _Row) -> None:
    if row.kind in {"cds", "stop_codon"}:
        made.coding.append((row.start, row.end))
    else:
        made.exons.append((row.start, row.end))


def _parents(row: _Row) -> list[str]:
    return [unquote(p) for p in row.value("Parent").split(",") if p]


# ---------------------------------------------------------------- names


def _gene_id(values: Attributes) -> str:
    """The identifier people cite: gene_id where a source has one, else ID without its 'gene:' or 'gene-'."""
    name = values.get("gene_id") or _bare(values.get("ID", "")) or values.get("Name", "")
    return _with_version(name, values.get("version", ""))


def _bare(text: str) -> str:
    return re.sub(r"^(?:gene|transcript|rna|mRNA|cds|CDS)[:-](?=.)", "", text)


def _with_version(name: str, version: str) -> str:
    """Ensembl writes the version beside the identifier; GENCODE inside it."""
    known = version.isdigit() and name.startswith("ENS") and not _VERSION_TAIL.search(name)
    return f"{name}.{version}" if known else name


def _symbol(values: Attributes, fallback: str) -> str:
    for name in ("gene_name", "gene", "symbol", "Name", "locus_tag"):
        if value := values.get(name, ""):
            return value
    return fallback


def _gene_names(gathered: _Gathered, transcripts: list[_Transcript]) -> dict[tuple[str, str], str]:
    """Symbol of each gene, also of those without a line of their own."""
    names = {(t.gene, t.chromosome): _symbol_of_transcript(t) for t in transcripts}
    return names | {key: _symbol(row.attributes, key[0]) for key, row in gathered.genes.items()}


def _symbol_of_transcript(made: _Transcript) -> str:
    return made.attributes.get("gene_name") or made.attributes.get("gene") or made.gene


def _synonyms(values: Attributes) -> str | None:
    texts = [values.get(name, "") for name in ("gene_synonym", "Alias", "gene_synonyms")]
    words = [unquote(word).strip().replace(" ", "_") for text in texts for word in text.split(",")]
    return " ".join(dict.fromkeys(word for word in words if word)) or None


def _first(values: Attributes, *names: str) -> str | None:
    return next((values[name] for name in names if values.get(name)), None)


# ---------------------------------------------------------------- tables


def _gene_table(
    gathered: _Gathered, transcripts: list[_Transcript], names: dict[tuple[str, str], str]
) -> pa.Table:
    rows = [
        _gene_row(key, row.attributes, (row.start, row.end, row.strand), names[key])
        for key, row in gathered.genes.items()
    ]
    made: dict[tuple[str, str], list[_Transcript]] = {}
    for transcript in transcripts:
        if (key := (transcript.gene, transcript.chromosome)) not in gathered.genes:
            made.setdefault(key, []).append(transcript)
    for key, parts in made.items():
        reach = [t.reach() for t in parts]
        place = (min(s for s, _ in reach), max(e for _, e in reach), parts[0].strand)
        rows.append(_gene_row(key, parts[0].attributes, place, names[key]))
    return pa.Table.from_pylist(rows, schema=GENE_SCHEMA)


def _gene_row(
    key: tuple[str, str], values: Attributes, place: tuple[int, int, str | None], symbol: str
) -> dict[str, Any]:
    start, end, strand = place
    return {
        "gene_symbol": symbol,
        "gene_id": _with_version(key[0], values.get("gene_version", "")),
        "gene_type": _first(values, "gene_type", "gene_biotype", "biotype"),
        "chromosome": key[1],
        "start": start,
        "end": end,
        "strand": strand,
        "description": _first(values, "description", "Note", "product"),
        "synonyms": _synonyms(values),
    }


def _transcript_table(transcripts: list[_Transcript], names: dict[tuple[str, str], str]) -> pa.Table:
    rows = []
    for made in transcripts:
        start, end = made.reach()
        exons = _joined(made.exons or made.coding) or [(start, end)]
        values = made.attributes
        tags = _tags(values)
        rows.append(
            {
                "transcript_id": _with_version(
                    made.id, values.get("transcript_version") or values.get("version", "")
                ),
                "gene_id": _with_version(made.gene, values.get("gene_version", "")),
                "gene_symbol": names[made.gene, made.chromosome],
                "chromosome": made.chromosome,
                "start": start,
                "end": end,
                "strand": made.strand,
                "biotype": _biotype(made),
                "canonical": _is_canonical(values, tags),
                "tags": " ".join(tag for tag in tags if _KEPT_TAGS.search(tag)) or None,
                "exon_starts": [s for s, _ in exons],
                "exon_ends": [e for _, e in exons],
                "cds_start": min((s for s, _ in made.coding), default=None),
                "cds_end": max((e for _, e in made.coding), default=None),
            }
        )
    return pa.Table.from_pylist(rows, schema=TRANSCRIPT_SCHEMA)


def _joined(parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Parts in genome order, each once."""
    return sorted(set(parts))


def _biotype(made: _Transcript) -> str | None:
    found = _first(made.attributes, "transcript_type", "transcript_biotype", "biotype")
    if found or not made.kind:
        return found
    return "protein_coding" if made.kind == "mrna" else made.kind


def _tags(values: Attributes) -> list[str]:
    return [tag.strip().replace(" ", "_") for tag in values.get("tag", "").split(",") if tag.strip()]


def _is_canonical(values: Attributes, tags: list[str]) -> bool:
    return (
        any(tag.lower() in _CANONICAL for tag in tags)
        or values.get("canonical_transcript") in {"1", "true"}
        or values.get("longest") == "1"
    )
