"""What leaves, to whom, and why not."""

import dataclasses

import numpy as np
import pytest

from nexome.access.cohort_grid import grid_of
from nexome.access.disclosure import Cells, Condition, Split
from nexome.access.policy import REASONS
from nexome.model.cohorts import Cohort
from nexome.model.errors import NotFoundError, RefusedError, SettingsError, SpaceError
from nexome.model.settings import Settings
from nexome.store.audit import AuditLog
from nexome.store.ledger import close_project, excuse_refusals
from tests.access.disclosure.town import DICTIONARY, Town

GRID = grid_of(DICTIONARY)


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    made.project()
    return made


class refused:  # noqa: N801  reads as a word
    """`with refused("few_people") as error:` a refusal with that reason."""

    def __init__(self, reason):
        self.reason = reason

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert isinstance(error, RefusedError), f"not refused: {kind}"
        assert error.reason == self.reason
        assert error.reason in REASONS
        self.error = error
        return True


def ask(town, kind, who, values=None, guard=None, **asked):
    guard = guard or town.guard()
    return guard.release(town.question(kind, **asked), town.cells(who, values), of=town, grid=GRID)


def test_the_owner_gets_exact_numbers(town):
    answer = ask(town, "mean", town.sex == 0, town.ldl, guard=town.guard("owner"))
    assert answer.reader == "owner"
    assert answer.cells[0].mean == pytest.approx(town.ldl[town.sex == 0].mean(), rel=1e-12)
    assert ask(town, "count", town.age == town.age[0], guard=town.guard("owner")).cells[0].count > 0


def test_a_controlled_count_is_exact_and_a_mean_is_rounded_to_its_error(town):
    women = town.sex == 0
    assert town.count(women) == women.sum()
    found = ask(town, "mean", women, town.ldl).cells[0]
    error = town.ldl[women].std() / np.sqrt(women.sum())
    assert abs(found.mean - town.ldl[women].mean()) <= error / 10
    assert found.mean != town.ldl[women].mean()
    assert found.count == women.sum()


@pytest.mark.parametrize("people", [1, 4])
def test_fewer_people_than_the_smallest_cell_give_no_number(town, people):
    with refused("few_people"):
        town.count(np.arange(400) < people)


def test_nobody_is_a_number_that_may_be_said(town):
    assert town.count(np.zeros(400, bool)) == 0


def test_a_client_may_raise_the_smallest_cell_and_not_lower_it(town):
    few, some = np.arange(400) < 4, np.arange(400) < 8
    with refused("few_people"):
        town.count(few, min_cell=1)
    with refused("few_people"):
        town.count(some, min_cell=10)
    assert town.count(some, min_cell=6) == 8


@pytest.mark.parametrize("name", ["disclosure_min_cell"])
def test_no_owner_sets_the_smallest_cell_below_three(name):
    assert Settings.from_mapping({name: 3}).disclosure_min_cell == 3
    with pytest.raises(SettingsError, match="3 or more"):
        Settings.from_mapping({name: 2})


def test_what_is_left_out_of_everyone_counts_too(town):
    with refused("few_beside"):
        town.count(np.arange(400) > 3)
    assert town.count(np.arange(400) > 4) == 395


def test_missing_values_are_people_left_out(town):
    ldl = town.ldl.copy()
    ldl[:3] = np.nan
    with refused("few_beside"):
        ask(town, "mean", np.ones(400, bool), ldl)


def test_a_population_asked_again_costs_nothing_after_a_restart_and_in_another_kind_of_question(town):
    women = town.sex == 0
    town.count(women)
    town.restart()
    assert town.count(women) == women.sum()
    assert ask(town, "percentiles", women, town.ldl, probabilities=(0.5,)).cells[0].percentiles
    assert AuditLog.open(town.root).records()[-1]["new_populations"] == 0


@pytest.mark.parametrize("second", ["count", "mean", "percentiles"])
def test_one_person_less_is_refused_in_every_kind_of_question_after_a_restart(town, second):
    women = town.sex == 0
    town.count(women)
    town.restart()
    women[np.flatnonzero(women)[0]] = False
    with refused("difference"):
        ask(town, second, women, town.ldl, probabilities=(0.5,))


def test_another_project_has_a_ledger_of_its_own(town):
    town.project("Q")
    women = town.sex == 0
    town.count(women)
    women[np.flatnonzero(women)[0]] = False
    assert town.count(women, guard=town.guard(project="Q")) == women.sum()


def test_a_refused_question_leaves_nothing_in_the_ledger(town):
    women = town.sex == 0
    less = women.copy()
    less[np.flatnonzero(women)[:1]] = False
    town.count(women)
    with refused("difference"):
        town.count(less)
    less[np.flatnonzero(women)[:6]] = False
    assert town.count(less) == women.sum() - 6


def test_a_full_ledger_says_so_and_still_repeats_itself(tmp_path):
    town = Town(tmp_path)
    town.centre.settings = Settings(disclosure_populations=2)
    town.project()
    for low in (20, 40):
        town.count(town.age >= low + 10)
    with refused("too_many_populations"):
        town.count(town.sex == 0)
    assert town.count(town.age >= 30) == (town.age >= 30).sum()


def test_a_project_refused_too_often_waits_for_its_owner(town):
    town.centre.settings = Settings(disclosure_refusals=2)
    women = town.sex == 0
    town.count(women)
    for at in np.flatnonzero(women)[:2]:
        with refused("difference"):
            town.count(women & (np.arange(400) != at))
    town.restart()
    with refused("project_paused"):
        town.count(women)
    excuse_refusals(town.root, "P")
    assert town.count(women) == women.sum()


def test_who_has_no_grant_in_the_project_gets_nothing(town):
    town.project("Q")
    guard = dataclasses.replace(town.guard(), project="Q")
    with refused("needs_project"):
        town.count(town.sex == 0, guard=guard)


def test_a_closed_project_answers_nothing(town):
    close_project(town.root, "P")
    with refused("project_closed"):
        town.count(town.sex == 0)


def test_a_private_cohort_is_unknown_to_others(tmp_path):
    town = Town(tmp_path, cohort=Cohort("town", access="private"))
    with pytest.raises(NotFoundError):
        town.count(town.sex == 0, guard=town.guard("grid"))
    town.project()
    assert town.count(town.sex == 0) > 0


@pytest.mark.parametrize("reader", ["controlled", "grid"])
def test_what_identifies_is_in_no_question(town, reader):
    with refused("identifying"):
        ask(town, "count", town.sex == 0, guard=town.guard(reader), variables=("pid",))


@pytest.mark.parametrize("reader", ["controlled", "grid"])
def test_human_genetic_resources_need_a_permit_which_the_answer_names(tmp_path, reader):
    town = Town(tmp_path)
    town.project()
    asked = {"variables": ("variant",), "guard": town.guard(reader)}
    with refused("needs_permit"):
        ask(town, "count", np.ones(400, bool), **asked)
    town.cohort = Cohort("town", access="open", permit="2026-CJ0001")
    answer = ask(town, "count", np.ones(400, bool), **asked)
    assert (answer.hgr_class, answer.permit) == ("genetic-information", "2026-CJ0001")


def test_people_whose_consent_does_not_permit_the_purpose_are_not_counted(tmp_path):
    town = Town(
        tmp_path, purposes=tuple("DUO:0000007 MONDO:0005015" if n % 4 == 0 else "" for n in range(400))
    )
    town.project(purposes=("DUO:0000006",))
    everyone = np.ones(400, bool)
    assert town.count(everyone) == 300
    town.project("D", purposes=("DUO:0000007", "MONDO:0005015"))
    assert town.count(everyone, guard=town.guard(project="D")) == 400
    assert town.count(everyone, guard=town.guard("owner")) == 400


def test_where_nobody_agreed_the_refusal_says_so(tmp_path):
    town = Town(tmp_path, cohort=Cohort("town", access="open", purposes=("DUO:0000011",)))
    town.project(purposes=("DUO:0000006",))
    with refused("no_consent"):
        town.count(town.sex == 0)


def test_more_parameters_than_a_third_of_the_people_are_refused(town):
    some = np.arange(400) < 30
    assert ask(town, "model", some, town.ldl, parameters=9).cells[0].count == 30
    with refused("too_many_parameters"):
        ask(town, "model", some, town.ldl, parameters=10)


def test_too_many_groups_are_refused_with_one_that_would_be_answered(town):
    cells = Cells(town.keys, (np.arange(400) % 41).astype(np.int32), list(range(41)))
    with refused("too_many_cells") as caught:
        town.guard().release(town.question(by=(Split("age"),)), cells, of=town)
    assert "without groups" in caught.error.todo


def test_all_but_a_few_alike_are_refused(town):
    values = np.zeros(400)
    values[:4] = 1
    for shown in (values, 1 - values, np.ones(400), values + 100):
        with refused("few_differ"):
            ask(town, "mean", np.ones(400, bool), shown)


def test_a_mean_of_zeros_and_ones_is_a_population_too(town):
    smokers = np.arange(400) < 50
    everyone = np.ones(400, bool)
    assert ask(town, "mean", everyone, smokers.astype(float)).cells[0].mean == pytest.approx(0.125, abs=0.002)
    smokers[0] = False
    with refused("difference"):
        town.count(smokers)


def test_a_visit_left_out_is_seen_as_its_person(tmp_path):
    town = Town(tmp_path)
    town.project()
    town.keys, values = np.repeat(town.keys, 2), np.repeat(town.ldl, 2)
    who = np.repeat(town.sex == 0, 2)
    assert ask(town, "mean", who, values).cells[0].count == who.sum() / 2
    who[np.flatnonzero(who)[0]] = False
    with refused("difference"):
        ask(town, "mean", who, values)


# ---------------------------------------------------------------- grid readers


def test_the_same_people_have_the_same_noise_in_every_question_and_after_every_restart(town):
    counts = set()
    for by in ((), (Condition("sex", codes=("F",)),)):
        for version in (1, 2):
            town.restart()
            answer = ask(
                town, "count", town.sex == 0, guard=town.guard("grid"), conditions=by, version=version
            )
            counts.add(answer.cells[0].count)
            assert answer.perturbed
            assert answer.cells[0].low <= (town.sex == 0).sum() <= answer.cells[0].high
    assert len(counts) == 1


@pytest.mark.parametrize(
    ("conditions", "near"),
    [
        ((Condition("age", 41, 60),), "age >= 40 and age < 60"),
        ((Condition("ldl", 4.0),), "ldl >= 4.1"),
        (None, "joined by 'and'"),
        ((Condition("age", 40, 60), Condition("pulse", 60)), "age >= 40 and age < 60"),
        (
            (
                Condition("asthma", codes=("true",)),
                Condition("smokes", codes=("true",)),
                Condition("ldl", 4.1),
            ),
            "asthma in (true) and smokes in (true).",
        ),
    ],
)
def test_off_the_grid_the_nearest_question_is_named(town, conditions, near):
    variables = () if conditions is None else tuple(c.variable for c in conditions)
    with refused("off_grid") as caught:
        ask(
            town, "count", town.sex == 0, guard=town.guard("grid"), conditions=conditions, variables=variables
        )
    assert near in caught.error.todo


def test_grid_means_are_arithmetic_on_perturbed_counts(town):
    answer = ask(town, "mean", np.ones(400, bool), town.ldl, guard=town.guard("grid"), variables=("ldl",))
    assert answer.cells[0].mean == pytest.approx(town.ldl.mean(), abs=0.3)
    assert answer.perturbed
    with refused("needs_project"):
        ask(town, "model", np.ones(400, bool), town.ldl, guard=town.guard("grid"))


# ---------------------------------------------------------------- audit


def test_answers_and_refusals_are_in_the_audit_log_without_a_value(town):
    women = town.sex == 0
    town.count(women)
    with refused("few_people"):
        town.count(np.arange(400) < 3)
    answered, refusal = AuditLog.open(town.root).records()
    assert (answered["event"], answered["who"], answered["project"], answered["size"]) == (
        "answered",
        "A. Reader",
        "P",
        "100 and more",
    )
    assert (refusal["event"], refusal["reason"]) == ("refused", "few_people")
    assert str(women.sum()) not in {str(value) for value in answered.values()}
    assert AuditLog.open(town.root).verify().ok


def test_no_controlled_answer_leaves_without_its_line(town, monkeypatch):
    def full(self, record):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(AuditLog, "append", full)
    with pytest.raises(SpaceError):
        town.count(town.sex == 0)
