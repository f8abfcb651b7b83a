"""Counts and means of cohorts against a plain reading of the rows, and what each reader may know."""

import math
from collections import defaultdict
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.access.centre import Centre
from nexome.access.cohort_catalogue import COHORT_COLUMNS, COMPARE_COLUMNS, MATRIX_COLUMNS
from nexome.access.identity import Principal, new_token, token_hash
from nexome.access.policy import cohort_subject, project_subject
from nexome.access.view import View
from nexome.model.errors import NexomeError, NotFoundError, QueryError, RefusedError
from nexome.store.ledger import open_project
from nexome.store.root import create_root, load_assembly, open_root
from nexome.testing.small_cohort import make_small_cohorts, town_rows
from tests.store.edges.test_build import ONTOLOGY, load

OWNER = "nxm_owner-of-the-cohort-tests"


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    path = tmp_path_factory.mktemp("cohorts") / "root"
    create_root(path, assembly=load_assembly("GRCh38"))
    make_small_cohorts(path)
    load(open_root(path), "hp", ONTOLOGY, "CC BY 4.0")
    with Centre.open(path, owner_token=OWNER) as opened:
        yield opened


@pytest.fixture(scope="module")
def owner(centre):
    return centre.owner_view()


@pytest.fixture(scope="module")
def anyone(centre):
    return centre.view_for(None)


@pytest.fixture(scope="module")
def people():
    """The rows of each person of the town, first visit first."""
    found = defaultdict(list)
    for row in sorted(town_rows().to_pylist(), key=lambda row: row["visit"]):
        found[row["pid"]].append(row)
    return found


def first_fitting(people, fits):
    return [next(row for row in rows if fits(row)) for rows in people.values() if any(map(fits, rows))]


def above(value, limit):
    return value is not None and value > limit


# ---------------------------------------------------------------- numbers against the plain reading


def test_everyone_counts_once(owner, people):
    answer = owner.count("town")
    assert answer.count == len(people) == 600
    assert answer.repeated


def test_the_question_of_the_issue(owner, people):
    answer = owner.count("town", "sex = female and age between 40 and 60 and ldl > 3 mmol/L and asthma = yes")
    fitting = first_fitting(
        people,
        lambda row: (
            row["sex"] == "2"
            and row["age"] is not None
            and 40 <= row["age"] <= 60
            and above(row["ldl"], 3)
            and row["asthma"] is True
        ),
    )
    assert answer.count == len(fitting) > 0


def test_all_conditions_hold_at_one_visit(owner, people):
    answer = owner.count("town", "ldl > 4 and bmi > 25")
    at_one = first_fitting(people, lambda row: above(row["ldl"], 4) and above(row["bmi"], 25))
    at_any = [
        rows
        for rows in people.values()
        if any(above(r["ldl"], 4) for r in rows) and any(above(r["bmi"], 25) for r in rows)
    ]
    assert answer.count == len(at_one) < len(at_any)


def test_groups_share_nobody_and_add_up(owner, people):
    answer = owner.count("town", "ldl > 2", by=["sex", "age"])
    counted = defaultdict(int)
    for row in first_fitting(people, lambda row: above(row["ldl"], 2)):
        if row["sex"] is not None and row["age"] is not None:
            counted[row["sex"], min(row["age"] // 5, 18)] += 1
    table = answer.table().to_pylist()
    assert len(table) == 2 * 19
    for row in table:
        low = row["group_2"].partition("–")[0]
        band = 0 if low.startswith("<") else int(low.lstrip("≥")) // 5
        assert row["participants"] == counted[row["group_1"], band]
    assert sum(row["participants"] for row in table) == sum(counted.values())


def test_means_against_statistics(owner, people):
    answer = owner.means("town", "LDL cholesterol", "asthma = yes", by=["sex"])
    fitting = first_fitting(people, lambda row: row["asthma"] is True and row["ldl"] is not None)
    for row in answer.table().to_pylist():
        values = [r["ldl"] for r in fitting if r["sex"] == row["group_1"]]
        assert row["participants"] == len(values)
        assert row["mean"] == pytest.approx(fmean(values))
        assert row["standard_deviation"] == pytest.approx(stdev(values))


def test_means_in_another_unit(owner):
    plain = owner.means("town", "ldl").table()
    other = owner.means("town", "ldl", unit="mg/dL").table()
    for name in ("mean", "standard_deviation"):
        assert other[name][0].as_py() == pytest.approx(plain[name][0].as_py() * 38.6664, rel=1e-6)


def test_percentiles_never_tell_the_ends(owner, people):
    values = sorted(r["ldl"] for r in first_fitting(people, lambda row: row["ldl"] is not None))
    answer = owner.percentiles("town", "ldl", probabilities=(0.001, 0.5, 0.999)).table().to_pylist()
    shown = {row["percentile"]: row["percentile_value"] for row in answer}
    assert set(shown) == {50.0}
    assert shown[50.0] == pytest.approx(values[len(values) // 2], abs=0.1)


def test_a_histogram_is_the_grid(owner, people):
    table = owner.histogram("town", "ldl").table().to_pylist()
    values = [r["ldl"] for r in first_fitting(people, lambda row: row["ldl"] is not None)]
    assert [row["bin_low"] for row in table][1:] == [1.4, 1.8, 2.6, 3.4, 4.1, 4.9]
    for row in table:
        low = -math.inf if row["bin_low"] is None else row["bin_low"]
        high = math.inf if row["bin_high"] is None else row["bin_high"]
        assert row["participants"] == sum(low <= value < high for value in values)


limits = st.sampled_from([2.0, 2.6, 3.35, 4.1])
conditions = st.one_of(
    st.builds(lambda v: (f"ldl > {v}", lambda r: above(r["ldl"], v)), limits),
    st.builds(lambda v: (f"ldl <= {v}", lambda r: r["ldl"] is not None and r["ldl"] <= v), limits),
    st.builds(
        lambda v: (f"age >= {v}", lambda r: r["age"] is not None and r["age"] >= v), st.integers(20, 80)
    ),
    st.builds(lambda c: (f"sex = {c}", lambda r: r["sex"] == c), st.sampled_from(["1", "2"])),
    st.just(("asthma", lambda r: r["asthma"] is True)),
    st.just(("asthma = no", lambda r: r["asthma"] is False)),
    st.just(("bmi is missing", lambda r: r["bmi"] is None)),
    st.just(("not bmi > 25", lambda r: r["bmi"] is not None and r["bmi"] <= 25)),
)


@settings(max_examples=60)
@given(st.lists(conditions, min_size=1, max_size=4), st.sampled_from(["and", "or"]))
def test_any_filter_counts_as_read_row_by_row(owner, people, parts, join):
    every = all if join == "and" else any
    fitting = first_fitting(people, lambda row: every(fits(row) for _, fits in parts))
    answer = owner.count("town", f" {join} ".join(text for text, _ in parts))
    assert answer.count == len(fitting)


def test_terms_are_expanded_and_it_is_said(owner, people):
    answer = owner.count("town", "'Abnormality of the nervous system' = yes")
    fitting = first_fitting(people, lambda row: (row["diagnosis"] or "").startswith("HP:"))
    assert answer.count == len(fitting)
    (expansion,) = answer.expansions
    assert expansion.term == "HP:0000707"
    assert "HP:0002197" in expansion.stands_for[0]
    seizures = owner.count("town", "diagnosis = 'HP:0001250'")
    assert seizures.count == len(fitting)
    assert seizures.meta()["expansions"][0]["stands_for"] == ["HP:0001250", "HP:0002197"]


# ---------------------------------------------------------------- who may know what


def test_a_private_cohort_is_as_unknown_as_none(anyone):
    for ask in (
        anyone.cohort,
        anyone.variables,
        anyone.grid,
        anyone.count,
        lambda name: anyone.means(name, "LDLC"),
        lambda name: anyone.percentiles(name, "LDLC"),
        lambda name: anyone.histogram(name, "LDLC"),
    ):
        told = []
        for name in ("clinic", "nowhere"):
            with pytest.raises(NotFoundError) as caught:
                ask(name)
            told.append({k: v.replace(name, "?") for k, v in caught.value.as_dict().items()})
        assert told[0] == told[1]


def test_nothing_tells_of_a_private_cohort(anyone, owner):
    assert anyone.cohorts()["cohort"].to_pylist() == ["town"]
    assert owner.cohorts()["cohort"].to_pylist() == ["clinic", "town"]
    for table in (
        anyone.variable_matrix(),
        anyone.find_variables("cholesterol"),
        anyone.compare_sources("cholesterol_ldl"),
    ):
        assert set(table["cohort"].to_pylist()) == {"town"}
    with pytest.raises(NotFoundError):
        anyone.compare_sources("Age at visit")


def test_a_grant_on_a_cohort_opens_it(centre):
    centre.catalogue.accounts.grant("reader", cohort_subject("clinic"), "read")
    token = new_token()
    centre.catalogue.accounts.add_token("reader", token_hash(token), role="reader")
    view = centre.view_for(token)
    assert set(view.cohorts()["cohort"].to_pylist()) == {"clinic", "town"}


def test_an_anonymous_count_is_near_and_always_the_same(anyone, owner):
    asked = "sex = female and age >= 40 and age < 60 and ldl > 2.6 mmol/L"
    exact = owner.count("town", asked.replace(">", ">=").replace(">==", ">=")).count
    answers = {anyone.count("town", asked).count for _ in range(3)}
    assert len(answers) == 1
    first = anyone.count("town", asked)
    assert first.release.perturbed
    assert first.release.total.low <= exact <= first.release.total.high


def test_limits_are_fitted_to_the_grid_and_it_is_said(anyone):
    answer = anyone.count("town", "age between 40 and 60 and ldl > 160 mg/dL")
    assert answer.understood.text == "age >= 40 a and age < 60 a and ldl >= 4.1 mmol/L"
    assert answer.snapped == ("age >= 40 a and age < 60 a", "ldl >= 4.1 mmol/L")


@pytest.mark.parametrize("asked", ["age >= 41", "ldl > 4.2", "ldl > 3 or bmi > 25", "ldl is missing"])
def test_off_the_grid_is_refused_to_anyone(anyone, asked):
    with pytest.raises(RefusedError) as caught:
        anyone.count("town", asked)
    assert caught.value.reason == "off_grid"


@pytest.mark.parametrize("asked", ["pid = T0001", "pid is missing"])
def test_nobody_asks_by_what_identifies(owner, anyone, asked):
    for view in (owner, anyone):
        with pytest.raises(NexomeError):
            view.count("town", asked)


def test_an_error_tells_no_value_of_anyone(owner):
    with pytest.raises(QueryError) as caught:
        owner.count("town", "note = secret")
    assert "text" in str(caught.value)


def test_a_named_reader_asks_freely_until_two_answers_would_tell_of_few(centre, owner):
    open_project(centre.root.path, "lipids")
    named = View(centre, Principal("holder", "li", frozenset({(project_subject("town", "lipids"), "read")})))
    free = "ldl > 3.37 mmol/L or bmi > 31"  # on no grid
    answer = named.count("town", free, project="lipids")
    assert (answer.release.reader, answer.release.perturbed) == ("controlled", False)
    assert answer.count == owner.count("town", free).count
    first = named.count("town", "ldl > 3.3", project="lipids").count
    limit = next(
        edge / 100
        for edge in range(330, 400)
        if 0 < first - owner.count("town", f"ldl > {edge / 100}").count < 5
    )
    with pytest.raises(RefusedError) as caught:
        named.count("town", f"ldl > {limit}", project="lipids")
    assert caught.value.reason == "difference"


# ---------------------------------------------------------------- the catalogue


def test_the_catalogue(owner):
    (town,) = [row for row in owner.cohorts().to_pylist() if row["cohort"] == "town"]
    assert tuple(town) == COHORT_COLUMNS
    assert (town["country"], town["participants"], town["variables_count"]) == ("CN", 600, 9)
    assert town["sexes"].startswith("male ")
    assert "female" in town["sexes"]
    assert town["age_from"] in {15.0, 20.0}
    assert town["quantities"] == "LDL cholesterol"


def test_variables_say_how_they_may_be_asked(owner):
    rows = {row["variable"]: row for row in owner.variables("town").to_pylist()}
    assert rows["ldl"]["banded_by"] == "clinical cut points"
    assert rows["age"]["banded_by"] == "age bands"
    assert rows["pid"]["banded_by"] is None
    assert rows["sex"]["category_codes"] == "1 = male | 2 = female | 9 = refused"
    assert owner.variables("town", "胆固醇")["variable"].to_pylist() == ["ldl"]


def test_one_quantity_in_cohorts_of_other_units(owner):
    rows = {row["cohort"]: row for row in owner.compare_sources("cholesterol_ldl", unit="mmol/L").to_pylist()}
    assert tuple(rows["town"]) == COMPARE_COLUMNS
    assert rows["clinic"]["mean"] == pytest.approx(130 / 38.6664, abs=0.2)
    assert rows["town"]["p50"] == pytest.approx(3.3, abs=0.2)
    matrix = owner.variable_matrix()
    assert tuple(matrix.column_names) == MATRIX_COLUMNS
    shared = [row for row in matrix.to_pylist() if row["quantity"] == "cholesterol_ldl"]
    assert [(row["cohort"], row["variable"]) for row in shared] == [("clinic", "LDLC"), ("town", "ldl")]


def test_a_cohort_that_cannot_be_asked_has_a_row_that_says_why(owner):
    rows = {row["cohort"]: row for row in owner.compare_sources("cholesterol_ldl", "bmi > 25").to_pylist()}
    assert rows["clinic"]["withheld"] == "not_found"
    assert rows["clinic"]["participants"] is None
    assert rows["town"]["participants"] > 0


@pytest.mark.parametrize(
    ("by", "told"), [(["note"], "no bands"), (["pid"], "no bands"), (["sex"] * 4, "at most"), ("sex", "list")]
)
def test_what_cannot_be_grouped_by(owner, by, told):
    with pytest.raises(QueryError, match=told):
        owner.count("town", by=by)
