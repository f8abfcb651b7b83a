"""PLINK bed and PGEN against PLINK itself, and what is wrong with them by file and line."""

import contextlib
import gzip

import numpy as np
import pytest

from nexome.formats.genotypes import open_genotypes
from nexome.formats.genotypes.reader import NO_ALTERNATE
from nexome.model.errors import FormatError, NotFoundError
from tests.formats.genotypes.making import (
    batches_of,
    header_of,
    plain_read,
    random_vcf,
    read_all,
    run,
    vcf_text,
)
from tests.formats.genotypes.test_vcf import assert_same

SIZES = [(300, 300), (70_000, 12), (5, 60), (64, 200), (255, 200), (1000, 200)]  # people, variants


def make_pgen(folder, seed):
    """A PGEN that PLINK 2 wrote: even seeds have several alternate alleles, odd ones dosages."""
    people, variants = SIZES[seed % len(SIZES)]
    text = random_vcf(seed, people=people, variants=variants, many=seed % 2 == 0, dosages=seed % 2 == 1)
    (folder / "a.vcf").write_text(text)
    dosages = ["dosage=DS"] if seed % 2 else []
    run("plink2", "--vcf", folder / "a.vcf", *dosages, "--make-pgen", "--out", folder / "a")
    return folder / "a.pgen"


@pytest.mark.parametrize("seed", range(8))
def test_a_pgen_reads_as_plink_reads_it(tmp_path, seed):
    path = make_pgen(tmp_path, seed)
    a, b = tmp_path / "a", tmp_path / "b"
    run("plink2", "--pfile", a, "--export", "vcf", "vcf-dosage=DS-force", "--out", b)
    # dosages as PLINK has them (it rounds to 1/16384); its export of calls of two alternate alleles makes
    # up a phase, so those are compared with the VCF it was given
    source = b if seed % 2 else a
    expected = plain_read(source.with_suffix(".vcf").read_text())
    found, _ = read_all(path)
    assert found.keys() == expected.keys()
    for key, (calls, phased, dosages) in expected.items():
        known = phased & (found[key][1] | (calls[:, 0] != calls[:, 1]))
        ordered = np.where(known[:, None], calls, np.sort(calls, axis=1))
        read = np.where(known[:, None], found[key][0], np.sort(found[key][0], axis=1))
        np.testing.assert_array_equal(read, ordered, err_msg=str(key))
        if seed % 2:
            hard = np.where(calls[:, 0] < 0, np.nan, calls.sum(axis=1))
            told = np.where(np.isnan(found[key][2]), hard, found[key][2])
            np.testing.assert_allclose(told, dosages, atol=1e-4, err_msg=str(key))
        hets = calls[:, 0] != calls[:, 1]
        np.testing.assert_array_equal(found[key][1][hets], phased[hets], err_msg=str(key))


def test_records_of_every_packing_were_met(tmp_path):
    """The files of the test above hold each packing of the main track and each sort of further track."""
    met = set()
    for seed in range(6):
        with contextlib.closing(open_genotypes(make_pgen(tmp_path, seed))) as reader:
            met.update(reader._index.kinds.tolist())
    assert {kind & 7 for kind in met} >= {0, 1, 2, 3, 4, 6}
    assert {8, 16} <= {bit for bit in (8, 16) if any(kind & bit for kind in met)}
    assert len({kind & 96 for kind in met}) >= 3


def write_bed(folder, genotypes, *, alleles=("A", "G"), positions=None):
    """A bed of V × S genotypes written byte by byte: 0, 1, 2 copies of A1, −1 missing."""
    codes = {2: 0, -1: 1, 1: 2, 0: 3}
    content = b"\x6c\x1b\x01"
    for row in genotypes:
        for start in range(0, len(row), 4):
            content += bytes([sum(codes[g] << 2 * k for k, g in enumerate(row[start : start + 4]))])
    (folder / "a.bed").write_bytes(content)
    positions = positions or [100 * (n + 1) for n in range(len(genotypes))]
    bim = [f"chr1 v{n} 0 {p} {alleles[0]} {alleles[1]}\n" for n, p in enumerate(positions)]
    (folder / "a.bim").write_text("".join(bim))
    (folder / "a.fam").write_text("".join(f"F{i} p{i} 0 0 {i % 3} -9\n" for i in range(len(genotypes[0]))))
    return folder / "a.bed"


GENOTYPES = [[0, 1, 2, -1, 0], [2, 2, 1, 0, -1], [0, 0, 0, 0, 0]]


def test_a_bed_reads_as_written_and_as_plink_reads_it(tmp_path):
    path = write_bed(tmp_path, GENOTYPES)
    found, _ = read_all(path)
    counts = [np.where(c[:, 0] < 0, -1, c.sum(axis=1)).tolist() for c, _, _ in found.values()]
    assert counts == GENOTYPES
    header = header_of(path)
    assert not header.reference_known
    assert [p.sex for p in header.people] == ["", "male", "female", "", "male"]
    run("plink2", "--bfile", tmp_path / "a", "--export", "vcf", "--out", tmp_path / "b")
    expected = {key[0]: calls for key, (calls, _, _) in plain_read((tmp_path / "b.vcf").read_text()).items()}
    for (position, _), (calls, _, _) in found.items():
        np.testing.assert_array_equal(calls, expected[position])


def test_packed_files_are_found_beside_each_other(tmp_path):
    write_bed(tmp_path, GENOTYPES)
    plain, _ = read_all(tmp_path / "a.bed")
    for name in ("a.bed", "a.bim", "a.fam"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    assert_same(read_all(tmp_path / "a.bed.gz")[0], plain)
    assert_same(read_all(tmp_path / "a")[0], plain)


def test_alleles_coded_in_digits_and_missing_ones(tmp_path):
    assert header_of(write_bed(tmp_path, GENOTYPES, alleles=("1", "3"))).digits
    path = write_bed(tmp_path, GENOTYPES, alleles=("0", "3"))
    assert read_all(path) == ({}, {NO_ALTERNATE: [1, 2, 3]})


def change(path, edit):
    path.write_bytes(edit(path.read_bytes()))


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("a.bed", lambda c: b"\x6c\x1b\x00" + c[3:], "a .bed in sample-major order"),
        (
            "a.bed",
            lambda c: c[:-1],
            r"a\.bed: genotypes of 2 variants; expected 3, as a\.bim has, of 5 people",
        ),
        ("a.bed", lambda c: c + b"\0", r"a\.bed: genotypes of more than 3 variants"),
        ("a.bim", lambda c: c.replace(b" 200 ", b" two "), r"a\.bim, line 2: a position that is no number"),
        ("a.bim", lambda c: c.replace(b"chr1 v1 0 200 A G", b"chr1 v1 0"), r"a\.bim, line 2: 3 columns"),
        (
            "a.fam",
            lambda c: c.replace(b"F1 p1", b"F0 p0"),
            r"a\.fam: samples 1 and 2 have the same identifier",
        ),
        ("a.fam", lambda c: c.replace(b"F2 p2 0 0 2 -9", b"F2 p2"), r"a\.fam, line 3: 2 columns"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, edit, said):
    path = write_bed(tmp_path, GENOTYPES)
    change(tmp_path / name, edit)
    with pytest.raises(FormatError, match=said):
        read_all(path)


def test_the_same_individual_in_two_families_is_two_people(tmp_path):
    path = write_bed(tmp_path, GENOTYPES)
    change(tmp_path / "a.fam", lambda c: c.replace(b" p1 ", b" p0 "))
    assert [p.sample_id for p in header_of(path).people][:2] == ["F0_p0", "F1_p0"]


def test_a_missing_companion_is_named(tmp_path):
    path = write_bed(tmp_path, GENOTYPES)
    (tmp_path / "a.bim").unlink()
    with pytest.raises(NotFoundError, match=r"no \.bim beside it"):
        open_genotypes(path)


def test_a_damaged_pgen_is_refused_not_misread(tmp_path):
    (tmp_path / "a.vcf").write_text(random_vcf(5, people=60, variants=80))
    run("plink2", "--vcf", tmp_path / "a.vcf", "--make-pgen", "--out", tmp_path / "a")
    whole = (tmp_path / "a.pgen").read_bytes()
    (tmp_path / "a.pgen").write_bytes(whole[:-40])
    with pytest.raises(FormatError, match=r"records of \d+ variants; expected 80"):
        read_all(tmp_path / "a.pgen")
    (tmp_path / "a.pgen").write_bytes(whole[:2] + b"\x20" + whole[3:])
    with pytest.raises(FormatError, match="storage mode 0x20"):
        read_all(tmp_path / "a.pgen")
    random = np.random.default_rng(1)
    for _ in range(60):  # any flipped byte: an answer or an error, never a fault
        content = bytearray(whole)
        content[int(random.integers(12, len(whole)))] = int(random.integers(256))
        (tmp_path / "a.pgen").write_bytes(content)
        with contextlib.suppress(FormatError):
            found, _ = read_all(tmp_path / "a.pgen")
            assert all(((c >= -1) & (c <= 1)).all() for c, _, _ in found.values())


def test_provisional_reference_alleles_are_told(tmp_path):
    write_bed(tmp_path, GENOTYPES)
    run("plink2", "--bfile", tmp_path / "a", "--make-pgen", "--out", tmp_path / "b")
    assert not header_of(tmp_path / "b.pgen").reference_known
    (tmp_path / "c.vcf").write_text(vcf_text([(5, "A", "C", "GT", ["0/1"] * 3)]))
    run("plink2", "--vcf", tmp_path / "c.vcf", "--make-pgen", "--out", tmp_path / "c")
    assert header_of(tmp_path / "c.pgen").reference_known


@pytest.mark.shared
def test_the_real_hapmap_set_counts_as_plink_counts(shared, tmp_path):
    # zcat hapmap3_thinned.bim.gz | wc -l: 14389; plink2 --bfile h --freq counts; sum of column 5
    for name in ("bed", "bim", "fam"):
        packed = shared / "genotypes" / f"hapmap3_thinned.{name}.gz"
        (tmp_path / f"h.{name}").write_bytes(gzip.decompress(packed.read_bytes()))
    run("plink2", "--bfile", tmp_path / "h", "--freq", "counts", "--out", tmp_path / "h")
    rows = [line.split() for line in (tmp_path / "h.acount").read_text().splitlines()[1:]]
    assert (len(rows), len(header_of(tmp_path / "h.bed").people)) == (14_389, 957)
    found, _ = read_all(shared / "genotypes" / "hapmap3_thinned.bed.gz")
    batches = batches_of(shared / "genotypes" / "hapmap3_thinned.bed.gz")
    counts = [int((batch.calls[k] == 1).sum()) for batch in batches for k in range(len(batch))]
    assert len(found) <= len(counts) == 14_389
    assert sum(counts) == 11_823_083
    autosomal = [n for n, row in enumerate(rows) if row[0].isdigit()]  # PLINK counts a man's X once
    assert [counts[n] for n in autosomal] == [int(rows[n][4]) for n in autosomal]
