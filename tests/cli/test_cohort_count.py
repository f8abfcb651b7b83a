"""Questions over people from the command line: tables on stdout, how they were read on stderr."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.store.root import create_root, load_assembly
from nexome.testing.small_cohort import make_small_cohorts


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp("count") / "root"
    create_root(path, assembly=load_assembly("GRCh38"))
    make_small_cohorts(path)
    return path


@pytest.fixture
def run(root):
    def call(*words, code=0):
        done = CliRunner().invoke(main, ["cohort", *words, "--root", str(root)])
        assert done.exit_code == code, done.output
        return done

    return call


def rows_of(done):
    return list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t"))


def test_a_count_in_groups(run):
    done = run("count", "town", "性别 = 女 且 ldl > 100 mg/dL", "--by", "sex，asthma")
    rows = rows_of(done)
    assert [(row["group_1"], row["group_2"]) for row in rows][:2] == [("1", "false"), ("1", "true")]
    assert {row["participants"] for row in rows if row["group_1"] == "1"} == {"0"}
    assert "read as ldl > 2.58622473258 mmol/L and sex = '2'" in done.stderr
    assert "first visit" in done.stderr


def test_a_count_as_json_for_anyone(run):
    told = json.loads(run("count", "town", "age between 40 and 60", "--anonymous", "--json").stdout)
    assert told["meta"]["reader"] == "grid"
    assert told["meta"]["filter"] == "age >= 40 a and age < 60 a"
    assert told["data"][0]["participants"] == told["meta"]["participants"]


def test_values(run):
    (mean,) = rows_of(run("mean", "town", "LDL cholesterol", "--unit", "mg/dL"))
    assert 110 < float(mean["mean"]) < 145
    shown = rows_of(run("percentiles", "town", "ldl", "--percent", "10,50"))
    assert [row["percentile"] for row in shown] == ["10", "50"]
    bands = rows_of(run("histogram", "town", "ldl"))
    assert [row["group_1"] for row in bands][:2] == ["<1.4", "1.4–<1.8"]


def test_finding_and_comparing(run):
    assert [row["cohort"] for row in rows_of(run("find", "cholesterol_ldl"))] == ["clinic", "town"]
    assert rows_of(run("matrix"))[0]["quantity"]
    assert {row["variable_unit"] for row in rows_of(run("compare", "cholesterol_ldl"))} == {"mg/dL"}
    grid = {row["variable"]: row["bands"] for row in rows_of(run("grid", "town"))}
    assert grid["sex"] == "1 | 2"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("count", "nowhere"), "no cohort 'nowhere'; expected clinic, town"),
        (("count", "town", "age > 41", "--anonymous"), "grid"),
        (("count", "town", "sexx = 1"), "such as sex"),
        (("mean", "town", "asthma"), "is a boolean"),
    ],
)
def test_errors_are_one_line(run, words, told):
    done = run(*words, code=1)
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_percentiles_that_are_none(run):
    assert "--percent" in run("percentiles", "town", "ldl", "--percent", "a", code=2).output
