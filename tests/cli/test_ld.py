"""LD from the command line: tables on stdout, what they were computed from on stderr."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.testing.ld_root import make_ld_root


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_ld_root(tmp_path_factory.mktemp("ld") / "root")


@pytest.fixture
def run(made):
    def call(*words, code=0):
        done = CliRunner().invoke(main, [*words, "--root", str(made.path)])
        assert done.exit_code == code, done.output
        return done

    return call


def rows_of(done):
    return list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t"))


def test_one_variant(run, made):
    done = run("query", "ld", made.id(40), "--population", "CHB", "--region", "1:15000-17000")
    own = [row for row in rows_of(done) if row["distance_bp"] == "0"]
    assert [row["r2"] for row in own] == ["1"]
    assert "LD from panel EAST version 1, CHB: 60 people, by haplotypes." in done.stderr


def test_proxies(run, made):
    done = run("query", "proxies", made.id(40), "--r2", "0.3", "--format", "json", "--panel", "CLINIC")
    assert min(json.loads(done.stdout)["data"]["r2"], default=1) >= 0.3
    assert "by allele counts" in done.stderr


def test_a_matrix(run, made):
    done = run("query", "ld-matrix", made.id(3), made.id(40), "rs9")
    assert [(row["variant_1"], row["variant_2"]) for row in rows_of(done)] == [(made.id(3), made.id(40))]
    assert "1 variants are not in the panel: rs9" in done.stderr
    assert "Give variants" in run("query", "ld-matrix", code=2).output


def test_panels(run):
    assert {row["panel"] for row in rows_of(run("query", "ld-panels"))} == {"EAST", "CLINIC"}
    assert {row["panel"] for row in rows_of(run("query", "ld-panels", "--anonymous"))} == {"EAST"}


def test_clumps(run):
    done = run("clump", "GLUCOSE", "--p2", "0.05", "--r2", "0.1")
    rows = rows_of(done)
    assert rows[0]["index_variant"] == "true"
    assert "EAS, nearest to the study's ancestry: 110 people" in done.stderr
    none = run("clump", "GLUCOSE", "--p1", "1e-300")
    assert rows_of(none) == []
    assert "no variant of the panel has p ≤ 1e-300" in none.stderr
    assert "p1 ≤ p2" in run("clump", "GLUCOSE", "--p1", "0.1", code=1).stderr


def test_a_grant_opens_a_private_panel_and_no_study_grant_does(run, made):
    token = run("token", "create", "--name", "Lab").stdout.strip().splitlines()[-1]
    asked = ("query", "ld", made.id(40), "--panel", "CLINIC", "--token", token)
    run("grant", "--all-studies", "--to", "Lab", "--level", "download")
    assert "no panel 'CLINIC'" in run(*asked, code=1).stderr
    assert "LD in panel CLINIC" in run("grant", "--panel", "CLINIC", "--to", "Lab").stdout
    assert "80 people" in run(*asked).stderr
    assert "(LD in panel CLINIC)" in run("grant", "--list").stdout
    run("grant", "--panel", "CLINIC", "--to", "Lab", "--remove")
    assert "no panel 'CLINIC'" in run(*asked, code=1).stderr
    assert "no genotypes 'NONE'" in run("grant", "--panel", "NONE", "--to", "Lab", code=1).stderr
