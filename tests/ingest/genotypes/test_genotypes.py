"""Importing genotypes: builds, order of alleles, several files, sample sheets, receipts; real files."""

import gzip

import numpy as np
import pytest

from nexome.ingest.genotypes import GenotypeOptions, import_genotypes
from nexome.model.errors import InputError
from nexome.model.genome import allele_key, assembly_from_contigs, locus_of
from nexome.store.associations import FeatureKey
from nexome.store.genotypes import GenotypeStore
from nexome.store.genotypes.export import export_set
from nexome.store.root import create_root, load_assembly
from tests.formats.genotypes.making import plain_read, random_vcf, run, vcf_text
from tests.formats.genotypes.test_plink import GENOTYPES, write_bed

HERE = "##fileformat=VCFv4.3\n##contig=<ID=chr1,length=248956422>\n"
OTHER = "##fileformat=VCFv4.3\n##contig=<ID=1,length=249250621>\n"


@pytest.fixture
def store(tmp_path):
    return GenotypeStore(create_root(tmp_path / "root", assembly=load_assembly("GRCh38")))


def bring(store, *files, name="set", **said):
    return import_genotypes(store, files, GenotypeOptions(name=name, **said))


def write(path, text):
    path.write_text(text)
    return path


def test_a_vcf_is_stored_as_it_is(store, tmp_path):
    text = random_vcf(3, people=20, variants=40, hard=True)
    report = bring(store, write(tmp_path / "a.vcf", text))
    found, expected = store.get("set"), plain_read(text)
    assert report.variants == found.size == len(expected)
    calls, phased = found.calls(slice(None))
    for row in range(found.size):
        key = found.features(slice(None)).key(row)
        told = expected[key.locus & 0xFFFFFFFF, found.features(slice(None)).text(row).split("/")[1]]
        np.testing.assert_array_equal(calls[row], told[0])
        np.testing.assert_array_equal(phased[row], told[1])
    census = found.receipt()["genotypes"]
    every = np.concatenate([c for c, _, _ in expected.values()])
    assert census["genotypes"] == len(every)
    assert census["half_calls"] == int((((every == -1).sum(axis=1) == 1) & (every[:, 1] != -2)).sum())
    assert census["haploid_calls"] == int((every[:, 1] == -2).sum())
    assert census["missing"] == int((every == -1).all(axis=1).sum())


def test_the_build_is_proved_said_or_asked_for(store, tmp_path):
    line = [(100, "A", "C", "GT", ["0/1", "1/1", "0/0"])]
    here = write(tmp_path / "a.vcf", vcf_text(line, head=HERE).replace("\n1\t", "\nchr1\t"))
    assert bring(store, here, name="a").variants == 1
    other = write(tmp_path / "b.vcf", vcf_text(line, head=OTHER))
    with pytest.raises(InputError, match=r"positions are in GRCh37, this root keeps GRCh38.*--chain"):
        bring(store, other, name="b")
    with pytest.raises(InputError, match=r"contigs are those of GRCh37, the import says GRCh38"):
        bring(store, other, name="b", assembly="hg38")
    silent = write(tmp_path / "c.vcf", vcf_text(line, head="##fileformat=VCFv4.3\n"))
    with pytest.raises(InputError, match=r"nothing says in which build.*--assembly GRCh38"):
        bring(store, silent, name="c")
    assert bring(store, silent, name="c", assembly="hg38").variants == 1


def test_positions_behind_the_contigs_end_tell_another_build(store, tmp_path):
    path = write_bed(tmp_path, GENOTYPES, positions=[300_000_000, 300_000_001, 300_000_002])
    with pytest.raises(InputError, match="3 of 3 positions lie behind the end of their contig"):
        bring(store, path, assembly="GRCh38")
    assert "set" not in store.sets()


def test_a_chain_lifts_and_turns_strands(store, tmp_path):
    chain = write(
        tmp_path / "a.chain",
        "chain 9 1 249250621 + 0 400 1 248956422 + 500 900 1\n400\n\n"
        "chain 9 1 249250621 + 600 1000 1 248956422 - 248955422 248955822 2\n400\n\n",
    )
    lines = [
        (10, "A", "C", "GT", ["0|1", "1|1", "0|0"]),
        (500, "A", "C", "GT", ["0|1", "1|1", "0|0"]),
        (610, "A", "C", "GT", ["1|0", "1|1", "0|0"]),
        (620, "A", "AC", "GT", ["1|0", "1|1", "0|0"]),
    ]
    path = write(tmp_path / "a.vcf", vcf_text(lines, head=OTHER))
    report = bring(store, path, chain=chain)
    found = store.get("set")
    assert [found.features(slice(None)).text(r) for r in range(found.size)] == ["A/C", "T/G"]
    assert (found.packed.locus & np.uint64(0xFFFFFFFF)).tolist() == [510, 991]
    assert report.counts["dropped_by"] == {"not_lifted": 1, "indel_in_inversion": 1}
    assert found.receipt()["files"][0]["chain"]["path"] == str(chain)


def test_a_bim_is_oriented_by_sites_and_by_the_sequence(store, tmp_path):
    path = write_bed(tmp_path, GENOTYPES)  # A1 (ALT) is A, A2 (REF) is G
    bring(store, path, name="plain", assembly="GRCh38")
    assert store.get("plain").features(slice(None)).text(0) == "G/A"
    sites = write(tmp_path / "s.tsv", "chrom\tpos\tref\talt\n1\t100\tA\tG\n1\t200\tT\tC\n1\t300\tG\tT\n")
    bring(store, path, name="sites", assembly="GRCh38", sites=sites)
    found = store.get("sites")
    assert [found.features(slice(None)).text(r) for r in range(3)] == ["A/G", "T/C", "G/A"]
    counts = np.array(GENOTYPES)
    turned = np.where(counts < 0, -1, 2 - counts)
    # 100: the order is turned; 200: order and strand; 300: the site has other alleles, taken as it is
    expected = [turned[0], turned[1], counts[2]]
    np.testing.assert_array_equal(found.alternate_counts(slice(None)), expected)
    small = GenotypeStore(
        create_root(tmp_path / "small", assembly=assembly_from_contigs("small", "Test", [("1", 400)]))
    )
    bases = ["C"] * 400
    bases[99], bases[199] = "A", "G"
    write(tmp_path / "s.fa", ">1\n" + "".join(bases) + "\n")
    report = bring(small, path, assembly="small", fasta=tmp_path / "s.fa")
    found = small.get("set")
    assert [found.features(slice(None)).text(r) for r in range(found.size)] == ["A/G", "G/A", "C/T"]
    np.testing.assert_array_equal(found.alternate_counts(slice(None)), [turned[0], counts[1], counts[2]])
    assert report.counts["changed_by"]["alleles_swapped"] == 1


def test_digits_are_letters(store, tmp_path):
    path = write_bed(tmp_path, GENOTYPES, alleles=("1", "3"))
    report = bring(store, path, assembly="GRCh38")
    assert store.get("set").features(slice(None)).text(0) == "G/A"
    assert report.counts["changed_by"] == {"alleles_decoded": 3}


def test_several_files_of_the_same_people_in_another_order(store, tmp_path):
    one = vcf_text([(100, "A", "C", "GT", ["0/1", "1/1", "0/0"])], head=HERE)
    two = vcf_text(
        [(100, "A", "C", "GT", ["0/0"] * 3), (200, "A", "G", "GT", ["0/0", "0/1", "1/1"])], head=HERE
    ).replace("p0\tp1\tp2", "p2\tp0\tp1")
    files = write(tmp_path / "a.vcf", one), write(tmp_path / "b.vcf", two)
    report = bring(store, *files)
    found = store.get("set")
    assert found.alternate_counts(slice(None)).tolist() == [[1, 2, 0], [1, 2, 0]]
    assert report.counts["dropped_by"] == {"duplicate_variant": 1}
    assert [f["rows"] for f in found.receipt()["files"]] == [
        {"in": 1, "kept": 1, "dropped": 0},
        {"in": 2, "kept": 1, "dropped": 1},
    ]
    assert found.receipt()["files"][1]["dropped"][0]["lines"] == [4]


def test_files_of_other_people_are_refused_or_shared(store, tmp_path):
    line = [(100, "A", "C", "GT", ["0/1", "1/1", "0/0"])]
    one = write(tmp_path / "a.vcf", vcf_text(line, head=HERE))
    other = vcf_text([(200, "A", "C", "GT", ["0/1", "1/1", "0/0"])], head=HERE)
    two = write(tmp_path / "b.vcf", other.replace("p0\tp1\tp2", "p2\tq1\tp1"))
    with pytest.raises(InputError, match=r"b\.vcf: 1 people of .*a\.vcf are not here, and 1 others are"):
        bring(store, one, two)
    report = bring(store, one, two, people="shared")
    assert store.get("set").samples["sample_id"].to_pylist() == ["p1", "p2"]
    assert store.get("set").alternate_counts(slice(None)).tolist() == [[2, 0], [0, 1]]
    assert any("not in all files" in note for note in report.notes)


def test_a_sample_sheet_describes_people(store, tmp_path):
    path = write_bed(tmp_path, GENOTYPES)
    sheet = write(
        tmp_path / "s.tsv", "#IID\tpop\tsuper_pop\tsex\np1\tCHB\tEAS\t2\np0\tYRI\tAFR\t1\nx\tCHB\tEAS\t1\n"
    )
    report = bring(store, path, assembly="GRCh38", sheet=sheet)
    assert report.populations == {"CHB": 1, "YRI": 1, "AFR": 1, "EAS": 1}
    facts = store.get("set").receipt()["people"]
    assert (facts["described"], facts["not_described"], facts["only_in_sheet"]) == (2, 3, 1)
    wrong = write(tmp_path / "w.tsv", "IID\tpop\nz1\tCHB\n")
    with pytest.raises(InputError, match=r"none of the 5 people of the files"):
        bring(store, path, assembly="GRCh38", sheet=wrong, name="b")
    twice = write(tmp_path / "t.tsv", "IID\tpop\np1\tCHB\np1\tYRI\n")
    with pytest.raises(InputError, match=r"t\.tsv, row 2: a person who stands there already"):
        bring(store, path, assembly="GRCh38", sheet=twice, name="b")


def test_a_name_taken_and_nothing_kept(store, tmp_path):
    path = write_bed(tmp_path, GENOTYPES)
    bring(store, path, assembly="GRCh38")
    with pytest.raises(InputError, match=r"'set' are there already.*--replace"):
        bring(store, path, assembly="GRCh38")
    assert bring(store, path, assembly="GRCh38", replace=True).version == 2
    (tmp_path / "a.bim").write_text((tmp_path / "a.bim").read_text().replace("chr1", "chr99"))
    with pytest.raises(InputError, match=r"no row was kept \(unknown_contig 3\)"):
        bring(store, path, assembly="GRCh38", name="b")
    assert not list((store.folder / "staging").iterdir())


@pytest.mark.shared
def test_the_real_east_asian_panel(shared, tmp_path):
    # zcat kg_eas_chr7_region_grch37.vcf.gz | grep -vc '^#': 54234; plink2 --freq counts of both
    store = GenotypeStore(create_root(tmp_path / "root", assembly=load_assembly("GRCh37")))
    path = shared / "genotypes" / "kg_eas_chr7_region_grch37.vcf.gz"
    report = bring(store, path, kind="ld-panel", access="open")
    found = store.get("set")
    assert (report.variants, found.people, found.phased) == (54_234, 504, True)
    count, number = found.allele_counts(slice(None))
    assert (int(count.sum()), set(number.tolist())) == (1_744_882, {1008})
    export_set(found, tmp_path / "x.bed")
    for name, words in (("a", ["--bfile", tmp_path / "x"]), ("b", ["--vcf", path])):
        run("plink2", *words, "--freq", "counts", "--out", tmp_path / name)
    counts = [
        sorted(line.split()[1:] for line in (tmp_path / f"{n}.acount").read_text().splitlines()) for n in "ab"
    ]
    assert counts[0] == counts[1]


@pytest.mark.shared
def test_the_real_hapmap_set_with_its_populations(shared, tmp_path):
    # NCBI36: the longest position of each contig of the .bim makes a home assembly large enough
    bim = gzip.decompress((shared / "genotypes" / "hapmap3_thinned.bim.gz").read_bytes()).decode()
    contigs = [(c, 250_000_000) for c in [str(n) for n in range(1, 23)] + ["X", "Y", "MT"]]
    home = assembly_from_contigs("NCBI36", "Homo sapiens", contigs)
    store = GenotypeStore(create_root(tmp_path / "root", assembly=home))
    sheet = shared / "genotypes" / "hapmap3_sample_populations.tsv.gz"
    path = shared / "genotypes" / "hapmap3_thinned.bed.gz"
    report = bring(store, path, assembly="hg18", sheet=sheet, kind="ld-panel")
    assert (report.counts["in"], report.people) == (len(bim.splitlines()), 957)
    # join <(zcat fam | awk '{print $2}' | sort) <(zcat sheet | awk '{print $2,$7}' | sort) |
    #   cut -d' ' -f2 | sort | uniq -c
    assert report.populations["CEU"] == 107
    assert sum(report.populations.values()) == 957
    first = bim.splitlines()[0].split()
    key = FeatureKey(locus_of(0, int(first[3])), allele_key(first[5], first[4]))
    assert store.get("set").find([key]).tolist() == [0]
