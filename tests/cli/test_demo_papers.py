"""The demo's papers: read as any paper, right but for one mistake, and tied to measures that exist."""

from decimal import Decimal
from pathlib import Path

import pytest

from nexome.cli.demo_papers import BUILD, CENTRE, SHARE, TIES, paper_commands, write_papers
from nexome.model.measures import MEASURES
from nexome.report import read_paper
from nexome.report.checks import check_paper


@pytest.mark.parametrize("year", [2025, 2026, 2031])
def test_the_papers_hold_what_they_say(tmp_path: Path, year: int):
    before, now = (read_paper(path) for path in write_papers(tmp_path, year))
    assert (before.year, now.year, now.issuer) == (str(year - 1), str(year), CENTRE)
    assert [len(paper.budgets) for paper in (before, now)] == [3, 3]
    assert {table.name: len(table.indicators) for table in now.targets} == {BUILD: 6, SHARE: 5}
    money = [table.fund("total").amount.yuan for table in now.targets]
    assert money == [Decimal(2_600_000), Decimal(1_000_000)]
    assert not before.unread
    assert not now.unread
    assert all(sum(leaf.weight for leaf in table.indicators) == 90 for table in now.targets)
    assert "虚构" in CENTRE


def test_one_mistake_is_there_to_be_found(tmp_path: Path):
    before, now = (read_paper(path) for path in write_papers(tmp_path, 2026))
    assert check_paper(before) == []
    assert [(f.rule, f.severity) for f in check_paper(now)] == [("share", "error")]


def test_every_tie_names_an_indicator_and_a_measure(tmp_path: Path):
    now = read_paper(write_papers(tmp_path, 2026)[1])
    leaves = {(table.name, leaf.name) for table in now.targets for leaf in table.indicators}
    for project, leaf, (kind, of) in TIES:
        assert (project, leaf) in leaves
        assert kind == "--formula" or of in MEASURES
    commands = paper_commands(tmp_path, 2026, "2026-06-30")
    assert commands[-1] == ("measures sample", [])
