"""VCF and BCF against a slow plain reading and bcftools; bad lines by file, line, found, expected."""

import gzip

import numpy as np
import pytest

from nexome.formats.genotypes.reader import NO_ALTERNATE, NO_GENOTYPES, PLOIDY
from nexome.model.errors import FormatError
from tests.formats.genotypes.making import HEAD, header_of, plain_read, random_vcf, read_all, run, vcf_text


def assert_same(found, expected, *, phase="all"):
    assert found.keys() == expected.keys()
    for key, (calls, phased, dosages) in expected.items():
        np.testing.assert_array_equal(found[key][0], calls, err_msg=str(key))
        hets = calls[:, 0] != calls[:, 1] if phase == "hets" else np.ones(len(calls), bool)
        np.testing.assert_array_equal(found[key][1][hets], phased[hets], err_msg=str(key))
        np.testing.assert_allclose(found[key][2], dosages, atol=1e-4, err_msg=str(key))


@pytest.mark.parametrize("seed", range(4))
def test_a_vcf_and_its_bcf_read_as_they_are_written(tmp_path, seed):
    text = random_vcf(seed, people=40, variants=60, hard=True)
    (tmp_path / "a.vcf").write_text(text)
    assert_same(read_all(tmp_path / "a.vcf")[0], plain_read(text))
    run("bcftools", "view", "-Ob", "-o", tmp_path / "a.bcf", tmp_path / "a.vcf")
    assert_same(read_all(tmp_path / "a.bcf")[0], plain_read(text))


def test_every_sort_of_cell(tmp_path):
    lines = [
        (10, "A", "C", "GT", ["0/1", "1|0", "./."]),
        (20, "A", "C,G", "GT:DS", ["1/2:0.9,1.1", "0/2:0,1", ".|1:.,."]),
        (30, "A", "C", "GT:XX:DS", ["1:q:0.98", ".:q:1.96", "0/0"]),
        (40, "A", "C", "DS", ["1.5", "0.02", "1.7e-1"]),
        (50, "A", "C", "GT:GP", ["0/1:0.1,0.8,0.1", "1:0.2,0.8", "./.:0,0.05,0.95"]),
    ]
    (tmp_path / "a.vcf").write_text(vcf_text(lines).replace("\n", "\r\n"))
    found, dropped = read_all(tmp_path / "a.vcf")
    assert dropped == {}
    assert found[10, "C"][0].tolist() == [[0, 1], [1, 0], [-1, -1]]
    assert found[10, "C"][1].tolist() == [False, True, False]
    assert found[20, "C"][0].tolist() == [[1, 0], [0, 0], [-1, 1]]
    assert found[20, "G"][0].tolist() == [[0, 1], [0, 1], [-1, 0]]
    assert found[20, "G"][2][:2].tolist() == pytest.approx([1.1, 1])
    assert found[30, "C"][0].tolist() == [[1, -2], [1, 1], [0, 0]]
    assert found[30, "C"][2][:2].tolist() == pytest.approx([1.96, 1.96])  # a haploid dosage counts twice
    assert found[40, "C"][0].tolist() == [[-1, -1], [0, 0], [-1, -1]]
    assert found[40, "C"][2].tolist() == pytest.approx([1.5, 0.02, 0.17])
    assert found[50, "C"][0].tolist() == [[0, 1], [1, -2], [1, 1]]
    assert found[50, "C"][2].tolist() == pytest.approx([1.0, 1.6, 1.95])
    run("bcftools", "view", "-Ob", "-o", tmp_path / "a.bcf", tmp_path / "a.vcf")
    assert_same(read_all(tmp_path / "a.bcf")[0], found)


def test_lines_without_genotypes_are_counted(tmp_path):
    lines = [
        (10, "A", "C", "GT", ["0/1", "1/1", "0/0"]),
        (20, "A", "C", "DP", ["3", "4", "5"]),
        (30, "A", ".", "GT", ["0/0", "0/0", "0/0"]),
        (40, "A", "*", "GT", ["0/1", "0/0", "0/0"]),
        (50, "A", "C", "GT", ["0/1/1", "0/0", "0/0"]),
        (60, "A", "C,*", "GT", ["0/2", "0/1", "0/0"]),
    ]
    (tmp_path / "a.vcf").write_text(vcf_text(lines))
    found, dropped = read_all(tmp_path / "a.vcf")
    assert sorted(found) == [(10, "C"), (60, "C")]
    first = vcf_text(lines).count("\n") - len(lines) + 1
    assert dropped == {
        NO_GENOTYPES: [first + 1],
        NO_ALTERNATE: [first + 2, first + 3],
        PLOIDY: [first + 4],
    }


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["0/1", "1/1"], "fewer samples than the header"),
        (["0/1", "1/1", "0/0", "0/0"], "more columns than the header"),
        (["0/1", "1/x", "0/0"], "a GT that cannot be read"),
        (["0/1", "1/", "0/0"], "a GT that cannot be read"),
        (["0/1", "0/2", "0/0"], "names an allele the line does not have"),
    ],
)
def test_a_bad_line_is_named(tmp_path, cells, said):
    (tmp_path / "a.vcf").write_text(vcf_text([(5, "A", "C", "GT", ["0/0"] * 3), (9, "A", "C", "GT", cells)]))
    with pytest.raises(FormatError, match=rf"a\.vcf, line 9: .*{said}.*expected"):
        read_all(tmp_path / "a.vcf")


def test_a_dosage_that_is_no_number(tmp_path):
    (tmp_path / "a.vcf").write_text(vcf_text([(5, "A", "C", "GT:DS", ["0/0:x", "0/0:1", "0/0:1"])]))
    with pytest.raises(FormatError, match="line 8: a dosage or probability that is no number"):
        read_all(tmp_path / "a.vcf")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (vcf_text([], people=3).replace("p1", "p0"), "samples 1 and 2 have the same identifier"),
        (HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "a VCF without samples"),
        (HEAD, "no header line"),
        (vcf_text([]), "no variants"),
        (vcf_text([(5, "A", "C", "DP", ["1", "2", "3"])]), "no genotypes in any line"),
        (
            vcf_text([(5, "A", "C", "GT", ["0/0"] * 3)]).replace("\t5\t", "\tfive\t"),
            "a position that is no number",
        ),
        ("hello\n", "not a genotype file"),
    ],
)
def test_what_is_no_vcf_with_genotypes(tmp_path, text, said):
    (tmp_path / "a.vcf").write_text(text)
    with pytest.raises(FormatError, match=said):
        read_all(tmp_path / "a.vcf")


def test_cut_files_are_refused(tmp_path):
    whole = gzip.compress(random_vcf(1, people=50, variants=50).encode())
    (tmp_path / "a.vcf.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="the gzip data ends too early"):
        read_all(tmp_path / "a.vcf.gz")
    (tmp_path / "b.vcf").write_text(random_vcf(2, people=50, variants=50))
    run("bcftools", "view", "-Ob", "-o", tmp_path / "b.bcf", tmp_path / "b.vcf")
    run("bcftools", "view", "-Oz", "-o", tmp_path / "b.vcf.gz", tmp_path / "b.vcf")
    for name in ("b.bcf", "b.vcf.gz"):  # cut at the end of a block: gzip itself does not notice
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-28])
        with pytest.raises(FormatError, match="no end marker"):
            read_all(tmp_path / name)


def test_the_header_tells_build_and_contigs(tmp_path):
    head = "##fileformat=VCFv4.3\n##reference=file:///GRCh37.fa\n##contig=<ID=1,length=249250621>\n"
    (tmp_path / "a.vcf").write_text(vcf_text([(5, "A", "C", "GT", ["0/0"] * 3)], head=head))
    header = header_of(tmp_path / "a.vcf")
    assert (header.build, header.contigs) == ("GRCh37", {"1": 249250621})
    assert header.reference_known


@pytest.mark.shared
def test_a_real_vcf_counts_as_plink_counts(shared, tmp_path):
    # plink2 --vcf kg_eas_chr7_region_grch37.vcf.gz --freq counts; awk 'NR>1 {s += $5} END {print s}' x.acount
    path = shared / "genotypes" / "kg_eas_chr7_region_grch37.vcf.gz"
    run("plink2", "--vcf", path, "--freq", "counts", "--out", tmp_path / "x")
    rows = [line.split() for line in (tmp_path / "x.acount").read_text().splitlines()[1:]]
    found, _ = read_all(path)
    assert (len(rows), sum(int(r[4]) for r in rows)) == (54_234, 1_744_882)
    assert [int((calls == 1).sum()) for calls, _, _ in found.values()] == [int(row[4]) for row in rows]
