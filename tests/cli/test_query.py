"""`nexome query …`: every question, every format, every reader."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

import nexome as package
from nexome.testing.small_centre import PRIVATE, SmallCentre


def rows(text: str) -> list[dict[str, str]]:
    head, *lines = text.splitlines()
    return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


def test_phewas_is_what_python_answers(small: SmallCentre, nexome):
    found = rows(nexome("query", "phewas", small.rsid, "--root", small.path).stdout)
    with package.open(small.path) as view:
        expected = view.phewas(small.rsid)
    assert [r["study_id"] for r in found] == expected["study_id"].to_pylist()
    betas = [float(r["beta"]) for r in found]
    assert betas == pytest.approx(expected["beta"].to_pylist(), rel=1e-5)


@pytest.mark.parametrize("ending", ["tsv", "json", "parquet", "arrow"])
def test_every_format_holds_the_same(small: SmallCentre, nexome, tmp_path: Path, ending: str):
    target = tmp_path / f"answer.{ending}"
    nexome("query", "region", small.gene, "--root", small.path, "-o", target)
    with package.open(small.path) as view:
        expected = view.region(small.gene)
    if ending == "parquet":
        assert pq.read_table(target)["beta"].to_pylist() == expected["beta"].to_pylist()
    elif ending == "arrow":
        with ipc.open_stream(target.read_bytes()) as stream:
            table = stream.read_all()
        assert table["study_id"].to_pylist() == expected["study_id"].to_pylist()
    elif ending == "json":
        data = json.loads(target.read_text())["data"]
        assert data["study_id"] == expected["study_id"].to_pylist()
        assert set(data) == set(expected.column_names)
    else:
        assert len(rows(target.read_text())) == expected.num_rows
    assert [p.name for p in tmp_path.iterdir()] == [target.name], "nothing half-made stays"


def test_arrow_goes_through_a_pipe(small: SmallCentre, nexome):
    result = nexome("query", "top", "SC0001", "--root", small.path, "--limit", 5, "--format", "arrow")
    assert pa.ipc.open_stream(io.BytesIO(result.stdout_bytes)).read_all().num_rows == 5


def test_a_whole_study_is_written_batch_by_batch(small: SmallCentre, nexome, tmp_path: Path):
    target = tmp_path / "study.parquet"
    nexome("query", "study", "SC0001", "--root", small.path, "-o", target)
    with package.open(small.path) as view:
        assert pq.read_table(target).num_rows == view.study("SC0001").cells


def test_lookup_takes_a_file_and_names_what_is_not_held(small: SmallCentre, nexome):
    text = f"{small.rsid}\n{small.variant}\nrs999999999\n\n"
    result = nexome("query", "lookup", "--file", "-", "--root", small.path, "--study", "SC0001", text=text)
    assert len(rows(result.stdout)) == 1
    assert "1 of 3 variants are not held: rs999999999" in result.stderr


def test_the_other_questions_answer(small: SmallCentre, nexome):
    at = ("--root", small.path)
    assert rows(nexome("query", "variant", small.variant, *at).stdout)[0]["variant"] == small.variant
    assert rows(nexome("query", "gene", small.gene, *at, "--flank", 10).stdout)
    assert rows(nexome("query", "top", "SC0001", "--loci", *at).stdout)[0]["locus_start"]
    assert "SC0004" in nexome("query", "search", "血糖", *at).stdout
    assert "SC0004" in nexome("query", "studies", "fasting glucose", *at).stdout


def test_anonymous_and_holders_see_their_part(small: SmallCentre, nexome):
    at = ("--root", small.path)
    assert PRIVATE in nexome("query", "studies", *at).stdout
    assert PRIVATE not in nexome("query", "studies", *at, "--anonymous").stdout
    token = nexome("token", "create", "--name", "reader of one", *at).stdout.strip()
    assert PRIVATE not in nexome("query", "studies", *at, "--token", token).stdout
    nexome("grant", PRIVATE, "--to", "reader of one", *at)
    assert PRIVATE in nexome("query", "studies", *at, "--token", token).stdout
    refused = nexome("query", "study", PRIVATE, *at, "--token", token, code=1)
    assert "needs a grant" in refused.stderr
    wrong = nexome("query", "studies", *at, "--token", "nxm_wrong", code=1)
    assert "not known here" in wrong.stderr


def test_an_unclear_output_is_a_usage_error(small: SmallCentre, nexome, tmp_path: Path):
    result = nexome("query", "studies", "--root", small.path, "-o", tmp_path / "x.xlsx", code=2)
    assert "--format" in result.stderr
