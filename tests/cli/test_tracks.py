"""Tracks by the commands a user types, and a root of another species from end to end."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

import nexome
from nexome.main import main


@pytest.fixture
def run():
    def one(*words, code=0):
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return done.output

    return one


# In the words of MaizeGDB's B73 v5 GFF3, on made-up places.
MAIZE = """\
##gff-version 3
chr1\tNAM\tchromosome\t1\t300000\t.\t.\t.\tID=1;Name=chromosome:Zm-B73-REFERENCE-NAM-5.0:1:1:300000:1
chr1\tNAM\tgene\t34617\t40204\t.\t+\t.\tID=Zm00001eb000010;biotype=protein_coding;logic_name=cshl_gene
chr1\tNAM\tmRNA\t34617\t40204\t.\t+\t.\tID=Zm00001eb000010_T001;Parent=Zm00001eb000010;canonical_transcript=1
chr1\tNAM\texon\t34617\t35318\t.\t+\t.\tParent=Zm00001eb000010_T001;Name=Zm00001eb000010_T001.exon.1
chr1\tNAM\texon\t36037\t40204\t.\t+\t.\tParent=Zm00001eb000010_T001;Name=Zm00001eb000010_T001.exon.2
chr1\tNAM\tCDS\t34722\t35318\t.\t+\t0\tID=Zm00001eb000010_P001;Parent=Zm00001eb000010_T001
scaf_21\tNAM\tgene\t10\t90\t.\t+\t.\tID=Zm00001eb999990;biotype=protein_coding
"""
RESULTS = """\
chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\tp_value
chr1\t35000\tA\tG\t0.5\t0.05\t1.5e-23
chr2\t70000\tC\tT\t0.01\t0.05\t0.84
"""


def test_a_plant_from_its_index_to_its_genes(run, tmp_path: Path):
    fai, gff3, results = tmp_path / "B73.fa.fai", tmp_path / "genes.gff3.gz", tmp_path / "height.tsv"
    fai.write_text("chr1\t300000\t6\t60\t61\nchr2\t200000\t6\t60\t61\n", encoding="utf-8")
    gff3.write_bytes(gzip.compress(MAIZE.encode()))
    results.write_text(RESULTS, encoding="utf-8")
    root = tmp_path / "maize"
    run("init", root, "--assembly", fai, "--species", "Zea mays", "--name", "B73v5")
    told = run("import", "genes", "--root", root, gff3)
    assert "1 genes with 1 transcripts kept" in told
    assert "1 left out: not on a contig of B73v5 (scaf_21 1)" in told
    trait = ["--study", "height", "--trait", "Plant height", "--assembly", "B73v5"]
    run("import", "associations", "--root", root, *trait, results)
    bands = tmp_path / "peaks.bed"
    bands.write_text("chr1\t34000\t36000\tpeak1\n", encoding="utf-8")
    run("import", "track", "--root", root, bands, "--title", "Open chromatin", "--access", "open")
    with nexome.open(root) as view:
        assert view.assembly.species == "Zea mays"
        found = view.gene("zm00001eb000010")
        assert found.gene.place == "chr1:34617-40204"
        assert found.best["neg_log_10_p_value"].to_pylist() == pytest.approx([22.8], abs=0.1)
        (transcript,) = view.transcripts_in("Zm00001eb000010").to_pylist()
        assert (transcript["exon_starts"], transcript["canonical"]) == ([34617, 36037], True)
        assert view.track("peaks", "chr1:35000-35000")["feature_name"].to_pylist() == ["peak1"]


def test_tracks_are_imported_listed_and_withdrawn(run, tmp_path: Path):
    root, fai = tmp_path / "root", tmp_path / "a.fai"
    fai.write_text("1\t1000\n2\t500\n", encoding="utf-8")
    run("init", root, "--assembly", fai)
    assert "No tracks yet" in run("tracks", "list", "--root", root)
    bed, bands, points = (tmp_path / name for name in ("a.bed", "bands.txt", "map.txt"))
    bed.write_text("2\t5\t9\n1\t5\t9\n7\t1\t2\n", encoding="utf-8")
    bands.write_text("chr1\t0\t1000\tp1\tgneg\n", encoding="utf-8")
    points.write_text("pos chr cM\n10 1 0.5\n30 1 0.7\n", encoding="utf-8")
    told = run("import", "track", "--root", root, bed, "--name", "peaks")
    assert "2 intervals kept (BED3), version 1, private" in told
    assert "1 intervals left out: not in the home assembly (7 1)" in told
    assert "1 bands kept" in run("import", "cytobands", "--root", root, bands)
    assert "2 points kept" in run("import", "recombination-map", "--root", root, points)
    listed = run("tracks", "list", "--root", root)
    assert [line.split()[0] for line in listed.splitlines()] == [
        "track",
        "cytobands",
        "peaks",
        "recombination",
    ]
    assert "cytobands, peaks, recombination" in run("status", root)
    assert "All is as it was written" in run("verify", root)
    run("tracks", "withdraw", "peaks", "--reason", "test", "--yes", "--root", root)
    assert "peaks" not in run("tracks", "list", "--root", root)


def test_damage_to_a_track_is_verified(run, tmp_path: Path):
    root, fai, bed = tmp_path / "root", tmp_path / "a.fai", tmp_path / "a.bed"
    fai.write_text("1\t1000\n", encoding="utf-8")
    bed.write_text("1\t5\t9\n", encoding="utf-8")
    run("init", root, "--assembly", fai)
    run("import", "track", "--root", root, bed)
    path = root / "tracks" / "a" / "1" / "features.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert "file: tracks/a/1/features.parquet" in run("verify", root, code=1)


def test_a_file_of_another_kind_is_said(run, tmp_path: Path):
    root, fai, bed = tmp_path / "root", tmp_path / "a.fai", tmp_path / "a.bed"
    fai.write_text("1\t1000\n", encoding="utf-8")
    bed.write_text("1\t5\t9\n", encoding="utf-8")
    run("init", root, "--assembly", fai)
    told = run("import", "track", "--root", root, bed, "--kind", "signal", code=1)
    assert "a file of intervals; expected one of kind signal" in told
    assert "no such file" in run("import", "track", "--root", root, tmp_path / "no.bed", code=1)
