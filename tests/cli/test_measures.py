"""`nexome measures`, as typed."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.model.measures import MEASURES
from nexome.store.measures import NAME, read_history
from nexome.store.root import create_root, load_assembly


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return create_root(tmp_path / "root", assembly=load_assembly("GRCh38")).path


def typed(*words: str):
    return CliRunner().invoke(main, list(words))


def test_a_table_names_every_measure_and_what_has_no_source(root: Path):
    result = typed("measures", "--root", str(root))
    assert result.exit_code == 0
    assert all(name in result.output for name in MEASURES)
    assert "(no source yet)" in result.output


def test_json_and_tsv_hold_the_same(root: Path):
    rows = orjson.loads(typed("measures", "--root", str(root), "--format", "json").output)
    lines = typed("measures", "--root", str(root), "--format", "tsv").output.splitlines()
    assert [row["measure"] for row in rows] == [line.split("\t")[0] for line in lines[1:]] == list(MEASURES)
    assert rows[0]["value"] == 0
    assert {row["note"] for row in rows if row["value"] is None} <= {"no source yet", "nothing yet"}


def test_two_samples_of_a_day_are_both_kept(root: Path):
    assert "Nothing sampled yet" in typed("measures", "history", "--root", str(root), "studies").output
    for _ in range(2):
        assert typed("measures", "sample", "--root", str(root)).exit_code == 0
    assert len((root / NAME).read_text().splitlines()) == 2
    shown = typed("measures", "history", "--root", str(root), "studies").output.splitlines()
    assert len(shown) == 3
    kept = read_history(root, "studies")
    told = orjson.loads(
        typed("measures", "history", "--root", str(root), "studies", "--format", "json").output
    )
    assert [row["time"] for row in told] == [reading.time for reading in kept]


def test_an_unknown_measure_is_told_with_those_that_are(root: Path):
    result = typed("measures", "history", "--root", str(root), "happiness")
    assert result.exit_code == 1
    assert "no measure 'happiness'" in result.output
    assert "associations" in result.output


def test_the_directors_grant_is_given_and_listed(root: Path):
    given = typed("grant", "--root", str(root), "--director", "--to", "Office")
    assert given.exit_code == 0
    assert "the centre's papers and measures" in given.output
    assert "(the centre's papers and measures)" in typed("grant", "--root", str(root), "--list").output
    assert typed("grant", "--root", str(root), "--director", "--to", "Office", "--remove").exit_code == 0
    assert typed("grant", "--root", str(root), "--director", "--all-studies", "--to", "x").exit_code == 2
