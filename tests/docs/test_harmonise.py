"""The example of docs/harmonise.md, run as it stands; what the page says of it is held."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.model.cohorts import Category, Variable
from nexome.model.expressions import FUNCTIONS, bind, parse
from nexome.store.cohorts import CohortStore

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "harmonise.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEXOME_ROOT", raising=False)
    for name, text in re.findall(r"`([\w.]+\.(?:csv|yaml))`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_example_runs_as_it_stands(folder):
    (console,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    output = ""
    for line in console.splitlines():
        if not line.startswith("$ nexome "):
            assert line in output.splitlines()
            continue
        result = CliRunner().invoke(main, shlex.split(line.removeprefix("$ nexome ")))
        output = result.output
        assert result.exit_code == 0, output
    assert "LDL (mg/dL); mg/dL → mmol/L: × 0.0258622" in output
    assert "1 above 20 mmol/L" in output
    rows = CohortStore.open(folder / "centre").get("both").table().to_pydict()
    assert sorted(v for v in rows["ldl"] if v is not None) == pytest.approx(
        [1000 / 386.664, 2.9, 3.5, 1540 / 386.664]
    )
    assert sorted(rows["source"]) == ["clinic"] * 3 + ["menzhen"] * 2
    assert sorted(map(str, rows["sex"])) == ["female"] * 3 + ["male"] * 2
    assert sorted(map(str, rows["smoker"])) == ["False", "False", "None", "None", "True"]
    assert sorted(map(str, rows["diabetes"])) == ["False", "None", "None", "None", "True"]
    assert sorted(v for v in rows["bmi"] if v is not None) == pytest.approx([61 / 1.65**2, 70 / 1.7**2, 25.0])


def test_the_language_is_as_it_is_shown():
    yes = (Category("1", "yes"), Category("0", "no"))
    sex = (Category("1", "male", "男"), Category("2", "female", "女"))
    variables = {v.name: v for v in (
        Variable("sex", "category", categories=sex), Variable("性别", "category", categories=sex),
        Variable("age", "decimal", unit="a"), Variable("年龄", "decimal", unit="a"),
        Variable("ldl", "decimal", unit="mmol/L"), Variable("低密度脂蛋白", "decimal", unit="mmol/L"),
        Variable("asthma", "boolean"), Variable("treated", "category", categories=yes),
        Variable("glucose", "decimal", unit="mg/dL"),
        *(Variable(name, "decimal", unit="mm[Hg]") for name in ("sbp1", "sbp2", "sbp3")),
        Variable("weight", "decimal", unit="kg"), Variable("height", "decimal", unit="cm"),
    )}  # fmt: skip
    (shown,) = re.findall(r"```\n(sex = female.*?)```", PAGE, re.DOTALL)
    expressions = [part for line in shown.splitlines() for part in re.split(r"\s{3,}", line)]
    assert len(expressions) == 5
    for expression in expressions:
        assert bind(parse(expression), variables)


def test_every_function_is_named():
    for function in FUNCTIONS:
        assert re.search(rf"\b{function}\b", PAGE), function
