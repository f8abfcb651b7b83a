"""A paper goes out in every format and comes back the same."""

from pathlib import Path

import pytest

from nexome.model.errors import FormatError
from nexome.report import read_paper
from nexome.report.checks import check_paper
from nexome.report.exports import FORMATS, export_bytes
from nexome.report.links import projects_of
from nexome.report.plans import plan_of
from nexome.report.propose import propose_links
from nexome.report.records import paper_from_values
from tests.report.test_rules import SMALL, paper


@pytest.mark.parametrize("format_", FORMATS)
def test_small_paper_round_trips(tmp_path, format_):
    given = paper(SMALL)
    file = tmp_path / f"paper.{format_}"
    file.write_bytes(export_bytes(given, format_))
    assert read_paper(file) == given


@pytest.mark.shared
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["000", "001", "002", "004"])
def test_real_papers_round_trip(papers, tmp_path, name, format_):
    file = tmp_path / f"paper.{format_}"
    file.write_bytes(export_bytes(papers[name], format_))
    assert read_paper(file) == papers[name]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("text", "a str"),
        ([{"name": "x"}], "without `record`"),
        ([{"record": "target", "colour": "red"}], "unknown column colour"),
        ([{"record": "indicator", "table": "0"}], "does not fit"),
        ([{"record": "indicator", "table": "0", "comparison": "about"}], "comparison"),
        ({"budget": []}, "unknown field budget"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(values, found):
    with pytest.raises(FormatError, match=found):
        paper_from_values(values, "clean.csv", "0")


def test_the_example_in_the_docs_is_read_planned_and_has_no_mistake():
    read = read_paper(Path(__file__).parents[2] / "docs" / "targets" / "example.yaml")
    (table,) = read.targets
    assert [leaf.weight for leaf in table.indicators] == [25, 10, 15, 15, 5, 10, 10]
    assert [step.first_month for step in plan_of(table)] == [1, 4, 7, 10]
    assert check_paper(read) == []
    assert [p.of for p in propose_links(projects_of(read)[0])] == ["associations", "visits"]
