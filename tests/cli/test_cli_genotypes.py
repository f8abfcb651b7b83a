"""`nexome import genotypes` and `nexome genotypes …` as a person types them."""

import json

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.store.root import create_root, load_assembly
from tests.formats.genotypes.test_plink import GENOTYPES, write_bed


@pytest.fixture
def nexome(tmp_path):
    create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))
    write_bed(tmp_path, GENOTYPES)

    def run(*words, code=0):
        done = CliRunner().invoke(main, [*words, "--root", str(tmp_path / "root")])
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_import_list_show_export_withdraw(nexome, tmp_path):
    assert "No genotypes yet" in nexome("genotypes", "list")
    bed = str(tmp_path / "a.bed")
    told = nexome("import", "genotypes", bed, "--name", "cohort", "--assembly", "GRCh38")
    assert "cohort, version 1: 3 variants of 5 people" in told
    assert "2 missing, 1 monomorphic variants" in told
    nexome("import", "ld-panel", bed, "--name", "panel", "--assembly", "GRCh38")
    listed = json.loads(nexome("genotypes", "list", "--json"))
    assert [(s["name"], s["kind"], s["access"]) for s in listed] == [
        ("cohort", "samples", "private"),
        ("panel", "ld-panel", "open"),
    ]
    assert json.loads(nexome("genotypes", "show", "cohort", "--receipt"))["rows"]["kept"] == 3
    assert "cohort" in nexome("status")
    assert "2 sets of 30 genotypes" in nexome("verify")
    nexome("genotypes", "export", "cohort", "-o", str(tmp_path / "x.vcf"))
    assert (tmp_path / "x.vcf").read_text().count("\n") == 3 + 5
    assert "withdrawn" in nexome("genotypes", "withdraw", "cohort", "--reason", "a test", "--yes")
    assert "no genotypes 'cohort'" in nexome("genotypes", "show", "cohort", code=1)


def test_what_is_not_certain_is_asked_for(nexome, tmp_path):
    told = nexome("import", "genotypes", str(tmp_path / "a.bed"), "--name", "cohort", code=1)
    assert "nothing says in which build the positions are" in told
    assert "Traceback" not in told
