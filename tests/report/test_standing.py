"""How projects stand and measures move, beside plain countings."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.access.centre import Centre
from nexome.model.measures import MEASURES
from nexome.report.measures import measure
from nexome.report.standing import (
    HEALTHS,
    daily_values,
    findings_of,
    kept_paper,
    month_change,
    standings,
    years_of,
)
from nexome.store.measures import Reading
from nexome.store.root import create_root, load_assembly
from nexome.testing.example_plan import BUILD, SHARE, make_example_plan

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def reading(name: str, days_ago: float, value: float | None) -> Reading:
    return Reading(name, value, (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("standing")
    root = create_root(folder / "root", assembly=load_assembly("GRCh38"))
    make_example_plan(root.path, folder / "files")
    return root


def test_projects_of_a_year_stand_with_what_needs_a_look_first(root):
    year = years_of(root.path)[0]
    found = standings(root, year)
    assert {s.project.table.name for s in found} == {BUILD, SHARE}
    assert [HEALTHS.index(s.health) for s in found] == sorted(HEALTHS.index(s.health) for s in found)
    for standing in found:
        assert sum(standing.states.values()) == len(standing.project.items)
        by_hand = [step.state for _, step in standing.indicators]
        assert {state: by_hand.count(state) for state in set(by_hand)} == standing.states
    share = next(s for s in found if s.project.table.name == SHARE)
    assert (share.budget, share.spent) == (Decimal(1_000_000), Decimal(620_000))


def test_an_empty_root_is_late_with_what_it_was_to_hold(root):
    build = next(s for s in standings(root, years_of(root.path)[0]) if s.project.table.name == BUILD)
    states = {score.name: step.state for score, step in build.indicators}
    assert states["发布研究数"] in {"behind", "missed"}  # no study is there
    assert states["用户满意度"] == "unknown"  # tied to nothing
    assert build.health == "late"


def test_the_one_mistake_of_the_example_is_found(root):
    name = max(p.name for p in (root.path / "papers").iterdir())
    found = findings_of(root.path, name)
    assert [(f.severity, f.rule) for f in found] == [("error", "share")]
    assert kept_paper(root.path, name) is kept_paper(root.path, name)  # decoded once


def test_every_measure_is_read_and_none_without_a_source_is_invented(root):
    with Centre.open(root.path) as centre:
        readings = measure(centre)
    assert [r.name for r in readings] == list(MEASURES)
    for each in readings:
        if not MEASURES[each.name].source:
            assert (each.value, each.note) == (None, "no source yet")
        assert (each.value is None) == bool(each.note)


@given(st.lists(st.tuples(st.integers(0, 120), st.floats(0, 1e6)), max_size=30), st.floats(0, 1e6))
def test_a_months_change_is_from_the_newest_sample_thirty_days_old(samples, now):
    history = [reading("visits", days, value) for days, value in sorted(samples, key=lambda s: -s[0])]
    change = month_change(MEASURES["visits"], history, reading("visits", 0, now))
    old = [(days, value) for days, value in sorted(samples, key=lambda s: -s[0]) if days >= 30]
    if not old:
        assert change is None
        return
    assert change is not None
    assert change.rise == now - old[-1][1]
    older = [value for days, value in old if days >= 60]
    assert change.rise_before == (old[-1][1] - older[-1] if older else None)


def test_a_measure_without_a_value_has_no_change():
    history = [reading("uptime", 40, 99.0)]
    assert month_change(MEASURES["uptime"], history, reading("uptime", 0, None)) is None


def test_days_keep_their_last_sample():
    history = [reading("studies", 2.2, 1), reading("studies", 2.1, 2), reading("studies", 0, 3)]
    assert daily_values(history, most=9) == [(date(2026, 11, 19), 2), (date(2026, 11, 21), 3)]
    assert daily_values(history, most=1) == [(date(2026, 11, 21), 3)]
