"""Sites, reference sequences, chains and gene tables."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexome.formats.chain import read_chain
from nexome.formats.fasta import Fasta
from nexome.formats.genes import read_genes
from nexome.formats.vcf_sites import SCHEMA, read_sites
from nexome.model.errors import FormatError, NotFoundError, QueryError


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def sites(path, **said):
    tables = list(read_sites(path, **said))
    assert all(t.schema.equals(SCHEMA) for t in tables)
    return [tuple(row.values()) for t in tables for row in t.to_pylist()]


def test_sites_of_a_vcf(tmp_path):
    path = write(
        tmp_path / "a.vcf",
        "##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=A>\n##INFO=<ID=EAS,Number=A>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "1\t5\trs1\tA\tG,T\t.\t.\tX=1;AF=0.1,0.2;EAS=0.5,.\n2\t6\t.\tC\tCT\t.\t.\tMAF=0.4\n",
    )
    assert sites(path) == [
        ("1", 5, "rs1", "A", "G", 0.1),
        ("1", 5, "rs1", "A", "T", 0.2),
        ("2", 6, None, "C", "CT", None),
    ]
    assert [row[5] for row in sites(path, frequency="EAS")] == [0.5, None, None]
    with pytest.raises(FormatError, match="'AFR'"):
        sites(path, frequency="AFR")


def test_sites_of_a_table(tmp_path):
    path = write(tmp_path / "a.tsv", "CHR\tPOS\tREF\tALT\tEUR\n1\t5\tA\tG\t0.1\n")
    assert sites(path) == [("1", 5, None, "A", "G", None)]
    assert sites(path, frequency="EUR") == [("1", 5, None, "A", "G", 0.1)]
    with pytest.raises(FormatError, match="frequency"):
        sites(path, frequency="EAS")
    with pytest.raises(FormatError, match="ref_allele"):
        sites(write(tmp_path / "b.tsv", "CHR\tPOS\tA1\tA2\n1\t2\tA\tG\n"))


def plain_fetch(text, contig, start, end):
    """The slow way: the whole sequence in hand."""
    record = next(r for r in text.split(">") if r.split("\n")[0].split(" ")[0].strip() == contig and r)
    return "".join(record.split("\n")[1:]).replace("\r", "").upper()[start - 1 : end]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text("ACGTNacgtn", min_size=1, max_size=90), min_size=1, max_size=4),
    st.integers(1, 25),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.data(),
)
def test_any_stretch_is_fetched_as_the_slow_way_does(tmp_path, sequences, width, end_of_line, packed, data):
    text = "".join(
        f">c{i} note{end_of_line}" + "".join(s[k : k + width] + end_of_line for k in range(0, len(s), width))
        for i, s in enumerate(sequences)
    )
    path = tmp_path / "ref.fa"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    fasta = Fasta.open(path)
    assert fasta.contigs == {f"c{i}": len(s) for i, s in enumerate(sequences)}
    i = data.draw(st.integers(0, len(sequences) - 1))
    start = data.draw(st.integers(1, len(sequences[i])))
    end = data.draw(st.integers(start, len(sequences[i])))
    assert fasta.fetch(f"c{i}", start, end) == plain_fetch(text, f"c{i}", start, end)
    positions = np.arange(-1, len(sequences[i]) + 3)
    codes = fasta.bases_at(f"c{i}", positions).tolist()
    assert codes == [0, 0, *sequences[i].upper().encode(), 0, 0]


def test_a_fai_beside_the_file_is_used(tmp_path):
    path = write(tmp_path / "a.fa", ">one\nACGT\nAC\n>two\nGG\n")
    write(tmp_path / "a.fa.fai", "one\t6\t5\t4\t5\nalso\t2\t18\t2\t3\n")
    assert Fasta.open(path).fetch("also", 1, 2) == "GG"
    write(tmp_path / "a.fa.fai", "one\tsix\n")
    with pytest.raises(FormatError, match=r"fai, line 1"):
        Fasta.open(path)


def test_questions_outside_a_sequence_are_told(tmp_path):
    fasta = Fasta.open(write(tmp_path / "a.fa", ">one\nACGT\n"))
    for start, end in ((0, 2), (3, 2), (4, 5)):
        with pytest.raises(QueryError):
            fasta.fetch("one", start, end)
    with pytest.raises(NotFoundError, match="two"):
        fasta.fetch("two", 1, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("ACGT\n", "no '>'"),
        (">a\nACGT\nAC\nACGT\n", "line 2 of the sequence"),
        (">a\nAC\nACGT\n", "line 2 of the sequence"),
        (">a\nAC\n>a\nAC\n", "two sequences"),
        (">\nAC\n", "without a name"),
    ],
)
def test_bad_fasta_is_named(tmp_path, text, words):
    with pytest.raises(FormatError, match=words):
        Fasta.open(write(tmp_path / "a.fa", text))


CHAIN = """\
chain 900 chr1 1000 + 100 160 chr1 1100 + 200 265 1
20 10 15
30

chain 500 chr1 1000 + 500 520 chr2 300 - 50 70 2
20
"""


def lift(chain, contig, position):
    """Plainly, one position: (target, base) pairs of all blocks that hold it."""
    b = chain.blocks[contig]
    inside = np.flatnonzero((b.start <= position) & (position <= b.end))
    names = list(chain.targets)
    return [
        (names[b.target[i]], int(b.target_start[i] + b.step[i] * (position - b.start[i]))) for i in inside
    ]


def test_chain_blocks_count_from_one_on_the_plus_strand(tmp_path):
    chain = read_chain(write(tmp_path / "a.chain", CHAIN))
    assert (chain.sources, chain.targets) == ({"chr1": 1000}, {"chr1": 1100, "chr2": 300})
    assert lift(chain, "chr1", 101) == [("chr1", 201)]
    assert lift(chain, "chr1", 120) == [("chr1", 220)]
    assert lift(chain, "chr1", 121) == []
    assert lift(chain, "chr1", 131) == [("chr1", 236)]
    assert lift(chain, "chr1", 160) == [("chr1", 265)]
    assert lift(chain, "chr1", 501) == [("chr2", 250)]
    assert lift(chain, "chr1", 520) == [("chr2", 231)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no chains"),
        ("track\n", "line 1"),
        (CHAIN.replace("20 10 15", "20 10"), "line 2"),
        (CHAIN.replace("20 10 15", "21 10 15"), "do not add up"),
        (CHAIN.split("\n", maxsplit=1)[0] + "\n20 10 15\n", "ends inside a chain"),
        (CHAIN.replace("chr1 1000 + 100", "chr1 1000 - 100"), "line 1"),
        (CHAIN.replace("chain 900", "chain much"), "line 1"),
    ],
)
def test_bad_chains_are_named(tmp_path, text, words):
    with pytest.raises(FormatError, match=words):
        read_chain(write(tmp_path / "a.chain", text))


def test_genes_of_bed_and_of_ensembl(tmp_path):
    bed = write(tmp_path / "a.bed", "#made by\n1\t99\t200\tABC\tENSG1\n2\t0\t5\tDEF\tENSG2\n")
    assert read_genes(bed).to_pylist() == [
        {"chromosome": "1", "start": 100, "end": 200, "symbol": "ABC", "gene_id": "ENSG1", "strand": None},
        {"chromosome": "2", "start": 1, "end": 5, "symbol": "DEF", "gene_id": "ENSG2", "strand": None},
    ]
    bed6 = write(tmp_path / "b.bed", "chr1\t99\t200\tABC\t0\t-\n")
    assert read_genes(bed6).to_pylist()[0]["strand"] == "-"
    tsv = write(
        tmp_path / "a.tsv",
        "chromosome_name\tstart_position\tend_position\tstrand\tensembl_gene_id\texternal_gene_name\tentrezgene_id\n"
        "1\t100\t200\t-1\tENSG1\tABC\t1\n1\t100\t200\t-1\tENSG1\tABC\t2\n",
    )
    assert [tuple(r.values()) for r in read_genes(tsv).to_pylist()] == [("1", 100, 200, "ABC", "ENSG1", "-")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a\tb\tc\n1\t2\t3\n", "no column for"),
        ("chr\tstart\tend\tgene\n1\tfive\t9\tA\n", "'five'"),
        ("1\t2\t3\tA\n1\t2\tthree\tA\n", "'three'"),
    ],
)
def test_bad_gene_tables_are_named(tmp_path, text, words):
    with pytest.raises(FormatError, match=words):
        read_genes(write(tmp_path / "a.tsv", text))
