import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from nexome.cli.import_ import associations
from nexome.cli.import_output import progress_text
from nexome.ingest.progress import Progress
from nexome.store.associations import AssociationStore
from nexome.store.root import create_root, load_assembly

HEAD = "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\tp_value\n"
ROW = "7\t1000\tA\tG\t0.2\t0.1\t0.0455\n"


@pytest.fixture
def root(tmp_path):
    create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))
    return tmp_path / "root"


def call(root, *words):
    return CliRunner().invoke(associations, ["--root", str(root), *map(str, words)])


def test_a_file_comes_in_and_is_summed_up(root, tmp_path):
    file, report = tmp_path / "a.tsv", tmp_path / "report.json"
    file.write_text(HEAD + ROW + ROW.replace("1000", "0"))
    done = call(
        root,
        "--study",
        "S",
        "--trait",
        "Height",
        "--n",
        10,
        "--licence",
        "CC0",
        "--assembly",
        "GRCh38",
        "--report",
        report,
        file,
    )
    assert done.exit_code == 0, done.output
    assert "position_out_of_range 1" in done.output
    study = AssociationStore.open(root).snapshot().studies["S"].study
    assert (study.licence, study.traits[0].label, study.traits[0].n) == ("CC0", "Height", 10)
    counts = json.loads(report.read_text())["files"][0]["counts"]
    assert (counts["in"], counts["kept"]) == (2, 1)


def test_a_failed_file_is_named_and_the_exit_code_is_1(root, tmp_path):
    good, bad = tmp_path / "good.tsv", tmp_path / "bad.tsv"
    good.write_text(HEAD + ROW)
    bad.write_text("a\tb\n1\t2\n")
    manifest = tmp_path / "m.tsv"
    manifest.write_text("file\tstudy\nbad.tsv\tB\ngood.tsv\tG\n")
    done = call(root, "--manifest", manifest, "--assembly", "GRCh38")
    assert done.exit_code == 1
    assert f"FAILED {bad} (manifest, line 2)" in done.output
    assert "Traceback" not in done.output
    assert list(AssociationStore.open(root).snapshot().studies) == ["G"]


def test_delimiter_and_encoding_are_as_said(root, tmp_path):
    """A header of one comma and blanks between the columns; names in the encoding of Chinese Windows."""
    file = tmp_path / "a.csv"
    text = (HEAD[:-1].replace("\t", " ") + " 备注,x\n" + ROW[:-1].replace("\t", " ") + " 好\n").encode(
        "gb18030"
    )
    file.write_bytes(text)
    words = ("--study", "S", "--assembly", "GRCh38")
    refused = call(root, *words, file)
    assert refused.exit_code == 1
    assert "--encoding gb18030" in refused.output
    assert call(root, *words, "--encoding", "gb18030", file).exit_code == 1
    done = call(root, *words, "--encoding", "gb18030", "--delimiter", "spaces", file)
    assert done.exit_code == 0, done.output
    receipt = AssociationStore.open(root).snapshot().studies["S"].receipt()
    assert (receipt["choices"]["read"]["encoding"], receipt["choices"]["read"]["delimiter"]) == (
        "gb18030",
        "spaces",
    )
    assert "备注,x" in receipt["unused_columns"]
    assert call(root, *words, "--encoding", "klingon", file).exit_code == 2


def test_a_dry_run_writes_nothing(root, tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text(HEAD + ROW)
    done = call(root, "--dry-run", "--study", "S", "--assembly", "GRCh38", file)
    assert done.exit_code == 0, done.output
    assert "beta → beta" in done.output
    assert "1 would be kept" in done.output
    assert not AssociationStore.open(root).snapshot().studies
    assert call(root, "--dry-run", "--study", "S", file).exit_code == 1


@pytest.mark.parametrize(
    "words", [[], ["--manifest", "nowhere.tsv"], ["--study", "S", "a", "b"], ["--duplicates", "x", "a"]]
)
def test_wrong_use_exits_with_2(root, words):
    assert call(root, *words).exit_code == 2


def test_help_teaches_by_examples():
    text = CliRunner().invoke(associations, ["--help"]).output
    assert text.count("nexome import associations") >= 6
    assert "--eaf-other-allele" in text


def test_a_progress_line_tells_rate_and_time_left():
    text = progress_text(Progress("x/a.gz", 0, 3, "read", 25, 100, 1_000_000, 2.0))
    assert text == "1/3 a.gz reading [######..................]  25% 1,000,000 rows, 500,000/s, 0:06 left"


def test_a_table_comes_in_through_a_pipe(root):
    command = [
        sys.executable,
        "-m",
        "nexome.main",
        "import",
        "associations",
        "--root",
        str(root),
        "--study",
        "S",
        "--assembly",
        "GRCh38",
        "-",
    ]
    done = subprocess.run(command, input=(HEAD + ROW).encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    study = AssociationStore.open(root).snapshot().studies["S"]
    assert study.cells == 1
    assert study.receipt()["repeat"].startswith("nexome import associations --root")
