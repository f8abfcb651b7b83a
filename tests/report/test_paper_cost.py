"""The paper whose cost is measured is a paper without mistakes, as long as it was asked for."""

from nexome.report.checks import check_paper
from nexome.testing.paper_cost import STEPS, made_paper, measure
from tests.report.scored import paper


def test_a_made_paper_is_right_and_every_step_is_measured():
    made = paper(made_paper(12))
    assert [len(table.indicators) for table in made.targets] == [8] * 12
    assert check_paper(made) == []
    spent = measure(12)
    assert set(spent) == {*STEPS, "megabytes"}
    assert spent["megabytes"] > 0
