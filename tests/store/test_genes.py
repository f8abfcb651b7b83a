"""Genes: kept in versions, found in any spelling, nearest against a plain search."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, FormatError, NewerVersionError, NotFoundError
from nexome.model.fields import schema_of
from nexome.model.genome import Interval, assembly_from_contigs
from nexome.store.genes import GENE_COLUMNS, TRANSCRIPT_COLUMNS, Genes, find_damage_in_genes, import_genes

ASSEMBLY = assembly_from_contigs("toy", "Homo sapiens", [("1", 10_000), ("2", 10_000), ("X", 5_000)])
NAMES = ("gene_symbol", "gene_id", "chromosome", "start", "end", "strand")
ROWS = [
    dict(zip(NAMES, row, strict=True))
    for row in [
        ("G6PC2", "ENSG2.5", "chr2", 100, 200, "+"),
        ("GCK", "ENSG1", "1", 500, 900, "-"),
        ("GCKR", "ENSG3", "1", 50, 60, "+"),
        ("LOST", "ENSG9", "17_alt", 5, 9, "+"),
    ]
]


def table(rows=ROWS) -> pa.Table:
    return pa.Table.from_pylist(rows)


@pytest.fixture
def genes(tmp_path: Path) -> Genes:
    import_genes(tmp_path, ASSEMBLY, table(), source="toy.bed", sha256="0" * 64)
    opened = Genes.open(tmp_path, ASSEMBLY)
    assert opened is not None
    return opened


def test_a_root_without_genes_has_none(tmp_path: Path):
    assert Genes.open(tmp_path, ASSEMBLY) is None


def test_import_says_what_it_dropped_and_keeps_the_version_before(tmp_path: Path):
    first = import_genes(tmp_path, ASSEMBLY, table(), source="a.bed", sha256="0" * 64)
    assert (first.version, first.kept, first.dropped, first.dropped_contigs) == (1, 3, 1, ("17_alt",))
    second = import_genes(tmp_path, ASSEMBLY, table(ROWS[:1]), source="b.bed", sha256="1" * 64)
    opened = Genes.open(tmp_path, ASSEMBLY)
    assert opened is not None
    assert (second.version, opened.version, len(opened)) == (2, 2, 1)
    assert len(pq.read_table(tmp_path / "genes" / "1.parquet")) == 3


def test_the_table_is_sorted_and_has_the_declared_fields(genes: Genes):
    assert genes.table.schema.equals(schema_of(GENE_COLUMNS))
    assert genes.table["gene_symbol"].to_pylist() == ["GCKR", "GCK", "G6PC2"]
    assert genes.table["chromosome"].to_pylist() == ["1", "1", "2"]


@pytest.mark.parametrize("text", ["gck", " GCK ", "ENSG1", "ensg1.7"])
def test_a_gene_is_found_in_any_spelling(genes: Genes, text: str):
    assert genes.find(text).symbol == "GCK"


def test_a_versioned_identifier_is_found_without_its_version(genes: Genes):
    assert genes.find("ENSG2").symbol == genes.find("ENSG2.5").symbol == "G6PC2"


def test_an_unknown_gene_names_near_ones(genes: Genes):
    with pytest.raises(NotFoundError, match="GCK"):
        genes.find("GC")
    with pytest.raises(NotFoundError):
        genes.find("LOST")


def test_symbols_starting_with_a_text_come_shortest_first(genes: Genes):
    assert [g.symbol for g in genes.starting_with("gc", limit=5)] == ["GCK", "GCKR"]
    assert genes.starting_with("", limit=5) == []
    assert [g.symbol for g in genes.starting_with("g", limit=1)] == ["GCK"]


def test_overlapping_counts_both_ends(genes: Genes):
    def names(start: int, end: int) -> list[str]:
        return genes.overlapping(Interval(0, start, end))["gene_symbol"].to_pylist()

    assert names(60, 500) == ["GCKR", "GCK"]
    assert names(61, 499) == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"gene_symbol": "A", "chromosome": "1", "start": 1}], "no column end"),
        ([{"gene_symbol": "A", "chromosome": "1", "start": 9, "end": 3}], "from 9 to 3"),
        ([{"gene_symbol": "A", "chromosome": "1", "start": 0, "end": 3}], "from 0 to 3"),
        ([{"gene_symbol": "A", "chromosome": "Chr1A", "start": 1, "end": 3}], "no gene on a contig of toy"),
    ],
)
def test_what_cannot_be_genes_is_refused(tmp_path: Path, rows, message: str):
    with pytest.raises(FormatError, match=message):
        import_genes(tmp_path, ASSEMBLY, table(rows), source="x.bed", sha256="")
    assert not (tmp_path / "genes").exists()


def test_damaged_and_newer_files_are_named(tmp_path: Path):
    (tmp_path / "genes").mkdir()
    path = tmp_path / "genes" / "1.parquet"
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(DamagedError, match=r"1\.parquet"):
        Genes.open(tmp_path, ASSEMBLY)
    import_genes(tmp_path, ASSEMBLY, table(), source="a", sha256="")
    kept = pq.read_table(tmp_path / "genes" / "2.parquet")
    pq.write_table(kept.replace_schema_metadata({"kind": "nexome-genes", "version": "99"}), path)
    (tmp_path / "genes" / "2.parquet").unlink()
    with pytest.raises(NewerVersionError, match="99"):
        Genes.open(tmp_path, ASSEMBLY)


spans_of_genes = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300), st.integers(0, 120)), min_size=1)
places = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)))


def genes_of(spans: list[tuple[int, int, int]]) -> Genes:
    names = pa.array([ASSEMBLY.contigs[c].name for c, _, _ in spans]).dictionary_encode()
    columns = {
        "gene_symbol": [f"g{i}" for i in range(len(spans))],
        "chromosome": names,
        "start": pa.array([s for _, s, _ in spans], pa.uint32()),
        "end": pa.array([s + n for _, s, n in spans], pa.uint32()),
    }
    return Genes(pa.table(columns), ASSEMBLY, version=1)


@given(spans_of_genes, places)
def test_nearest_is_as_near_as_any(spans, positions):
    spans = sorted(spans)
    genes = genes_of(spans)
    contig = np.array([c for c, _ in positions], np.uint32)
    position = np.array([p for _, p in positions], np.uint32)
    found = genes.nearest(contig, position)
    for (c, p), row in zip(positions, found.tolist(), strict=True):
        gaps = {i: max(s - p, p - (s + n), 0) for i, (g, s, n) in enumerate(spans) if g == c}
        if not gaps:
            assert row == -1
        else:
            assert gaps[row] == min(gaps.values())
    assert len(genes.symbols(found)) == len(positions)


PAR = [
    {"gene_symbol": "PLCXD1", "gene_id": name, "chromosome": chrom, "start": 100, "end": 200}
    for chrom, name in (("X", "ENSG00000182378.15"), ("2", "ENSG00000182378.15_PAR_Y"))
]
TRANSCRIPT = {
    "transcript_id": "ENST1.1",
    "gene_id": "ENSG1",
    "gene_symbol": "GCK",
    "chromosome": "chr1",
    "start": 500,
    "end": 900,
    "strand": "-",
    "biotype": "protein_coding",
    "canonical": True,
    "tags": "MANE_Select",
    "exon_starts": [500, 800],
    "exon_ends": [600, 900],
    "cds_start": 550,
    "cds_end": None,
}


def test_a_gene_on_two_loci_names_both(tmp_path: Path):
    import_genes(tmp_path, ASSEMBLY, pa.Table.from_pylist(PAR), source="a.gtf", sha256="0" * 64)
    opened = Genes.open(tmp_path, ASSEMBLY)
    assert opened is not None
    found = opened.find("plcxd1")
    assert (found.place, found.elsewhere) == ("2:100-200", ("X:100-200",))
    assert [gene.chromosome for gene in opened.named("PLCXD1")] == ["2", "X"]
    assert opened.named("ENSG00000182378")[0].elsewhere == ("X:100-200",)
    assert opened.named("nothing") == ()


def test_synonyms_find_a_gene_and_symbols_win(tmp_path: Path):
    rows = [
        {"gene_symbol": "GCK", "chromosome": "1", "start": 5, "end": 9, "synonyms": "HK4 GLK"},
        {"gene_symbol": "GLK", "chromosome": "1", "start": 50, "end": 90, "synonyms": None},
        {"gene_symbol": None, "gene_id": "Zm1", "chromosome": "1", "start": 70, "end": 90},
    ]
    rows = [{"gene_id": None, "synonyms": None} | row for row in rows]
    import_genes(tmp_path, ASSEMBLY, pa.Table.from_pylist(rows), source="a.gtf", sha256="0" * 64)
    opened = Genes.open(tmp_path, ASSEMBLY)
    assert opened is not None
    assert (opened.find("hk4").symbol, opened.find("GLK").start) == ("GCK", 50)
    assert opened.find("zm1").symbol == "Zm1"  # without a symbol, a gene goes by its identifier


def test_transcripts_come_with_their_exons(tmp_path: Path):
    rows = [TRANSCRIPT, TRANSCRIPT | {"chromosome": "17_alt"}]
    made = import_genes(
        tmp_path, ASSEMBLY, table(), source="a.gtf", sha256="0" * 64, transcripts=pa.Table.from_pylist(rows)
    )
    opened = Genes.open(tmp_path, ASSEMBLY)
    assert opened is not None
    assert (made.transcripts, opened.has_transcripts) == (1, True)
    found = opened.transcripts(Interval(0, 900, 1_000))
    assert found.schema.equals(schema_of(TRANSCRIPT_COLUMNS))
    assert found.to_pylist() == [TRANSCRIPT | {"chromosome": "1"}]
    assert opened.transcripts(Interval(0, 901, 1_000)).num_rows == 0


def test_a_file_of_another_assembly_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match=r"contig chr2: 1 rows end behind.*10,001.*at most 10,000 \(toy\)"):
        import_genes(tmp_path, ASSEMBLY, table([ROWS[0] | {"end": 10_001}]), source="a", sha256="0" * 64)


def test_bed_off_by_one_is_said(tmp_path: Path):
    rows = [ROWS[0] | {"start": 101, "end": 100}]
    with pytest.raises(FormatError, match=r"row 1 lies from 101 to 100.*BED counts from 0"):
        import_genes(tmp_path, ASSEMBLY, table(rows), source="a.bed", sha256="0" * 64)


def test_files_of_version_1_are_read(tmp_path: Path):
    """As the first release wrote them: no description, synonyms, transcripts or checksums."""
    folder = tmp_path / "genes"
    folder.mkdir()
    names = GENE_COLUMNS[:7]
    rows = [dict(zip(names, ("GCK", "ENSG1", "x", "1", 500, 900, "-"), strict=True))]
    facts = {"kind": "nexome-genes", "version": "1"}
    old = pa.Table.from_pylist(rows).select(names)
    pq.write_table(old.replace_schema_metadata(facts), folder / "1.parquet")
    opened = Genes.open(tmp_path, ASSEMBLY)
    assert opened is not None
    assert (opened.find("GCK").end, opened.find("GCK").description) == (900, "")
    assert opened.transcripts(Interval(0, 1, 10_000)).num_rows == 0
    assert list(find_damage_in_genes(tmp_path)) == []


def test_damage_to_genes_is_found(tmp_path: Path):
    import_genes(tmp_path, ASSEMBLY, table(), source="a.bed", sha256="0" * 64)
    path = tmp_path / "genes" / "1.parquet"
    assert list(find_damage_in_genes(tmp_path)) == []
    path.write_bytes(path.read_bytes() + b"?")
    assert [damage.path for damage in find_damage_in_genes(tmp_path)] == [path]
    path.unlink()
    assert [damage.found for damage in find_damage_in_genes(tmp_path)] == ["missing"]
