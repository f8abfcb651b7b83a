"""The example of docs/cohorts.md, run as it stands."""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from nexome.main import main
from nexome.store.cohorts import CohortStore

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cohorts.md").read_text(encoding="utf-8")


def test_the_example_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEXOME_ROOT", raising=False)
    for name, text in re.findall(r"`([\w.]+\.csv)`:\n\n```csv\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (console,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    output = ""
    for line in console.splitlines():
        if not line.startswith("$ nexome "):
            assert any(told.startswith(line) for told in output.splitlines())
            continue
        result = CliRunner().invoke(main, shlex.split(line.removeprefix("$ nexome ")))
        output = result.output
        assert result.exit_code == 0, output
    assert (tmp_path / "town-out.csv").read_text().count("-9") == 1
    table = CohortStore.open(tmp_path / "centre").get("town")
    assert (table.rows, table.people) == (3, 2)
    born = {str(value.date()) for value in table.table()["born"].to_pylist()}
    assert born == {"1960-01-31", "1971-05-02"}
    rules = {r["rule"]: r["count"] for r in table.receipt()["rules"]}
    assert rules == {"missing_code": 1, "out_of_range": 1}
