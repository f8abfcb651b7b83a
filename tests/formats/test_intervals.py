"""BED, bedGraph, bigBed and cytoBand: from 1 with both ends here, and each bad line named."""

import math
from pathlib import Path

import pybigtools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.bbi import bigbed_as_bed, describe_signal, kind_of, read_signal
from nexome.formats.intervals import read_cytobands, read_intervals
from nexome.model.errors import FormatError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_bed3_to_bed12(tmp_path: Path):
    row = "chr1\t99\t300\tpeak\t5.5\t-\t120\t200\t255,0,0\t2\t50,100,\t0,101,"
    cells = row.split("\t")
    for count in (3, 4, 5, 6, 8, 9, 12):
        read = read_intervals(write(tmp_path / f"{count}.bed", "\t".join(cells[:count]) + "\n"))
        (found,) = read.table.to_pylist()
        assert (read.format, found["start"], found["end"]) == (f"BED{count}", 100, 300)
        assert found["feature_name"] == ("peak" if count > 3 else None)
        assert found["thick_start"] == (121 if count > 6 else None)
        assert found["block_starts"] == ([100, 201] if count == 12 else None)
        assert found["block_ends"] == ([149, 300] if count == 12 else None)


def test_notes_may_stand_anywhere_and_lines_in_any_order(tmp_path: Path):
    text = "browser position chr1\ntrack name=x\nchr2\t5\t9\ta\n# note\n\ntrack name=y\nchr1\t5\t9\tb\n"
    assert read_intervals(write(tmp_path / "a.bed", text)).table["feature_name"].to_pylist() == ["a", "b"]


def test_peaks_keep_their_first_six_columns(tmp_path: Path):
    narrow = "chr1\t9338\t9888\tpeak1\t1000\t.\t182.1\t5.09\t3.6\t275\n"
    read = read_intervals(write(tmp_path / "a.narrowPeak", narrow))
    assert (read.format, read.unread_columns) == ("BED6+4", 4)
    assert read.table["score"].to_pylist() == [1000.0]


def test_bedgraph_has_a_score_and_no_name(tmp_path: Path):
    read = read_intervals(write(tmp_path / "a.bedGraph", "chr1\t0\t10\t0.25\n"))
    assert (read.format, read.table["score"].to_pylist()) == ("bedGraph", [0.25])
    assert read.table["feature_name"].null_count == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\t9\nchr1\t7\t7\n", "line 2: an interval from 7 to 7.*--first-base 1"),
        ("chr1\t5\t9\n#\nchr1\t9\t7\n", "line 3: an interval from 9 to 7"),
        ("chr1\t5\t9\nchr1\tx\t7\n", "line 2: 'x' in column start"),
        ("chr1\t5\t9\nchr1\t6\n", "line 2: 2 columns; expected 3"),
        ("chrom\tstart\tend\nchr1\t5\t9\n", "line 1.*BED has no header"),
        ("chr1\t5\t9\ta\t1\t+\t5\t9\t0\t2\t1,2\t0\n", "line 1: 2 block sizes and 1 block starts"),
        ("", "no interval"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(FormatError, match=message):
        read_intervals(write(tmp_path / "a.bed", text))


def test_a_file_that_counts_from_one_is_read_when_it_is_said(tmp_path: Path):
    table = read_intervals(write(tmp_path / "a.bed", "chr1\t7\t7\n"), first_base=1).table
    assert (table["start"].to_pylist(), table["end"].to_pylist()) == ([7], [7])


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**4)), min_size=1, max_size=50))
def test_what_is_written_as_bed_is_read_again(tmp_path_factory, places):
    path = tmp_path_factory.mktemp("bed") / "a.bed"
    write(path, "".join(f"chr1\t{start}\t{start + length}\n" for start, length in places))
    table = read_intervals(path).table
    assert table["start"].to_pylist() == [start + 1 for start, _ in places]
    assert table["end"].to_pylist() == [start + length for start, length in places]


def test_cytobands(tmp_path: Path):
    bands = "chr1\t0\t2300000\tp36.33\tgneg\nchr1\t2300000\t5300000\tp36.32\tgpos25\nchr1_alt\t0\t9\t\tgneg\n"
    table = read_cytobands(write(tmp_path / "cytoBand.txt", bands))
    assert table["start"].to_pylist() == [1, 2_300_001, 1]
    assert table["stain"].to_pylist() == ["gneg", "gpos25", "gneg"]
    with pytest.raises(FormatError, match="gieStain"):
        read_cytobands(write(tmp_path / "a.bed", "chr1\t5\t9\n"))


@pytest.mark.shared
@pytest.mark.parametrize(("name", "bands"), [("cytoBand_hg19", 862), ("cytoBand_hg38", 1549)])
def test_the_real_bands(shared: Path, name: str, bands: int):
    assert read_cytobands(shared / "knowledge" / f"{name}.txt.gz").num_rows == bands


def test_a_bigbed_is_the_bed_it_was_made_from(tmp_path: Path):
    path = tmp_path / "a.bb"
    pybigtools.open(str(path), "w").write(
        {"chr1": 1000}, [("chr1", 9, 20, "one\t5\t+"), ("chr1", 30, 40, "two\t7\t-")]
    )
    assert kind_of(path) == "bigbed"
    assert bigbed_as_bed(path) == b"chr1\t9\t20\tone\t5\t+\nchr1\t30\t40\ttwo\t7\t-\n"
    assert read_intervals(path).table["start"].to_pylist() == [10, 31]


def test_a_bigwig_is_read_in_bins(tmp_path: Path):
    path = tmp_path / "a.bw"
    values = [("chr1", at * 10, at * 10 + 10, float(at)) for at in range(50)]
    pybigtools.open(str(path), "w").write({"chr1": 1000}, values)
    assert kind_of(path) == "bigwig"
    assert describe_signal(path).contigs == {"chr1": 1000}
    found = read_signal(path, "chr1", 1, 1000, bins=10).tolist()
    assert found[:5] == [4.5, 14.5, 24.5, 34.5, 44.5]
    assert all(math.isnan(value) for value in found[5:])
    assert read_signal(path, "chr1", 11, 20, bins=1).tolist() == [1.0]


def test_a_broken_bigwig_is_said_to_be(tmp_path: Path):
    path = tmp_path / "a.bw"
    path.write_bytes(bytes.fromhex("26fc8f88") + b"nonsense")
    with pytest.raises(FormatError, match="cannot be read as bigWig"):
        describe_signal(path)
