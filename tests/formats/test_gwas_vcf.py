"""GWAS-VCF: fields, several samples, several alternate alleles, other kinds of VCF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.model.errors import FormatError

from .reading import read

HEAD = """\
##fileformat=VCFv4.2
##contig=<ID=1,length=249250621,assembly=GRCh37>
##FORMAT=<ID=ES,Number=A,Type=Float,Description="Effect, with a comma">
##FORMAT=<ID=SE,Number=A,Type=Float,Description="Standard error">
##FORMAT=<ID=LP,Number=A,Type=Float,Description="-log10 p">
##FORMAT=<ID=AF,Number=A,Type=Float,Description="Frequency">
##FORMAT=<ID=SS,Number=A,Type=Integer,Description="People">
##FORMAT=<ID=ID,Number=1,Type=String,Description="Name">
##SAMPLE=<ID=T1,TotalCases=10,TotalControls=20,StudyType=CaseControl>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""


def test_one_sample():
    found = read(
        HEAD + "T1\n1\t100\trs1\tA\tG\t.\tPASS\t.\tES:SE:LP:AF:SS:ID\t0.1:0.02:400.5:0.3:500:rs1\n"
        "1\t200\t.\tC\tT\t.\tPASS\t.\tES:SE:LP:ID\t-0.1:0.02:3:rs2\n"
        "1\t300\t.\tC\tT\t.\tPASS\t.\tES:SE:LP:AF:SS:ID\t-0.1:0.02\n"
    )
    assert (found.reader.format, found.reader.version) == ("gwas-vcf", "VCFv4.2")
    assert found.column("effect_allele") == ["G", "T", "T"]
    assert found.column("other_allele") == ["A", "C", "C"]
    assert found.column("neg_log_10_p_value") == [400.5, 3, None]
    assert found.column("n") == [500, None, None]
    assert found.column("rsid") == ["rs1", "rs2", None]
    assert found.lines == [11, 12, 13]
    meta = found.reader.metadata
    assert (meta["build"], meta["n_cases"], meta["traits"]) == ("GRCh37", "10", ["T1"])
    assert meta["contigs"] == {"1": 249250621}


def test_several_alternate_alleles_become_several_rows():
    found = read(
        HEAD + "T1\n1\t100\trs1\tA\tG,T\t.\t.\t.\tES:SE:LP\t0.1,0.2:0.02,0.03:5,6\n"
        "1\t101\trs2\tA\tC\t.\t.\t.\tES:SE:LP\t1:1:1\n"
    )
    cells = list(
        zip(found.column("effect_allele"), found.column("beta"), found.column("standard_error"), strict=True)
    )
    assert cells == [("G", 0.1, 0.02), ("T", 0.2, 0.03), ("C", 1, 1)]
    assert found.lines == [11, 11, 12]


def test_several_samples_are_several_traits_and_empty_cells_are_counted():
    found = read(
        HEAD + "T1\tT2\n1\t100\trs1\tA\tG\t.\t.\t.\tES:SE\t0.1:0.02\t.:.\n"
        "1\t200\trs2\tA\tG\t.\t.\t.\tES:SE\t0.3:0.02\t0.4:0.02\n"
    )
    cells = list(zip(found.column("trait_id"), found.column("rsid"), found.column("beta"), strict=True))
    assert cells == [("T1", "rs1", 0.1), ("T1", "rs2", 0.3), ("T2", "rs2", 0.4)]
    assert found.dropped == {"no value for sample T2": [11]}


def test_text_in_a_number_is_a_problem():
    found = read(HEAD + "T1\n1\t100\trs1\tA\tG\t.\t.\t.\tES:SE\tmany:0.02\n")
    assert [(p.line, p.column, p.found) for p in found.problems] == [(11, "FORMAT/ES", "'many'")]
    assert found.column("beta") == [None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD.replace("ID=ES", "ID=GT") + "T1\n1\t1\t.\tA\tG\t.\t.\t.\tGT\t0/1\n", "without effects"),
        (HEAD.replace("\tFORMAT\t", "") + "\n1\t1\t.\tA\tG\t.\t.\t.\n", "without sample columns"),
        ("##fileformat=VCFv4.2\n1\t2\t3\n", "no header line"),
        ("##fileformat=VCFv4.2\n", "no header line"),
        (HEAD + "T1\tT1\n", "two samples of one name"),
        (HEAD + "T1\n", "no rows"),
        (HEAD + "T1\n1\t1\t.\tA\tG\t.\t.\n", "7 columns"),
    ],
)
def test_other_vcfs_are_told_apart(text, words):
    with pytest.raises(FormatError, match=words):
        read(text)


value = st.floats(-1e3, 1e3, allow_nan=False)
cell = st.one_of(st.none(), st.tuples(value, st.floats(1e-6, 10), st.floats(0, 1e5)))


@given(
    st.lists(
        st.tuples(st.integers(1, 10**8), st.integers(1, 3), st.lists(cell, min_size=6, max_size=6)),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 2),
    st.integers(60, 600),
)
def test_what_is_written_is_read_back(rows, samples, block_bytes):
    lines = []
    expected = []
    for position, alts, cells in rows:
        texts = []
        for s in range(samples):
            own = cells[s * 3 : s * 3 + alts]
            texts.append(":".join(",".join("." if c is None else repr(c[k]) for c in own) for k in range(3)))
            expected += [(f"S{s}", position, "CGT"[a], *c) for a, c in enumerate(own) if c is not None]
        lines.append(
            f"1\t{position}\t.\tA\t{','.join('CGT'[:alts])}\t.\t.\t.\tES:SE:LP\t" + "\t".join(texts) + "\n"
        )
    text = HEAD + "\t".join(f"S{s}" for s in range(samples)) + "\n" + "".join(lines)
    found = read(text, block_bytes=block_bytes)
    got = [
        (
            r.get("trait_id", "S0"),
            r["base_pair_location"],
            r["effect_allele"],
            r["beta"],
            r["standard_error"],
            r["neg_log_10_p_value"],
        )
        for r in found.rows
    ]
    assert sorted(got) == sorted(expected)
