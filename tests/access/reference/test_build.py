"""What a set holds, against plain numpy; what it must not hold; what happens when somebody withdraws."""

import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats.mstats import hdquantiles

from nexome.access.centre import Centre
from nexome.access.reference.build import BuildOptions, build_reference, options_of
from nexome.methods.reference.rounding import round_to
from nexome.model.errors import InputError, NotFoundError, RefusedError
from nexome.store.cohorts import CohortStore
from nexome.store.disk import CRASH_VARIABLE
from nexome.store.reference import TABLES, ReferenceStore, find_damage_in_reference, withdraw_reference
from nexome.store.root import open_root
from tests.access.reference.making import keep, make_root, people


def build(root, name="one", **options):
    with Centre.open(root) as centre:
        build_reference(centre.owner_view(), name, BuildOptions("town", **options))
    return ReferenceStore.open(root).get(name)


def group(opened, variable, sex, age_from):
    rows = opened.table("reference", variable).to_pylist()
    return next(r for r in rows if r["sex"] == sex and r["age_from"] == age_from)


def members(built, sex, low, high):
    code = {"male": "1", "female": "2"}[sex]
    found = built.table
    return found[(found["sex"] == code) & (found["age"] >= low) & (found["age"] < high)]


@pytest.mark.parametrize(("sex", "low"), [("male", 20), ("female", 50), ("female", 70)])
def test_a_group_is_what_plain_numpy_makes_of_it(built, sex, low):
    opened = ReferenceStore.open(built.root).get("adults")
    for name, rounding in (("sbp", 1.0), ("ldl", None)):
        values = members(built, sex, low, low + 10)[name].dropna().to_numpy()
        row = group(opened, name, sex, low)
        assert row["participants"] == 5 * round(len(values) / 5)
        assert row["mean"] == pytest.approx(values.mean(), rel=6e-4)
        assert row["standard_deviation"] == pytest.approx(values.std(ddof=1), rel=6e-3)
        percentiles = opened.table("percentiles", name).to_pylist()
        mine = {r["percentile"]: r for r in percentiles if r["sex"] == sex and r["age_from"] == low}
        for p in (5, 25, 50, 90):
            exact = float(hdquantiles(values, [p / 100])[0])
            # levels of an unrounded measurement are 1/256 of an interquartile range
            assert mine[p]["percentile_value"] == pytest.approx(float(round_to(exact, rounding)), rel=0.006)
            assert mine[p]["value_low"] <= mine[p]["percentile_value"] <= mine[p]["value_high"]


def test_all_ages_are_the_bands_together(built):
    rows = built.owner.reference_table("adults", "reference", "sbp").to_pylist()
    for sex in ("male", "female"):
        whole = next(r for r in rows if r["sex"] == sex and r["age_from"] is None)
        values = members(built, sex, 20, 80)["sbp"]
        assert whole["participants"] == 5 * round(len(values) / 5)
        assert whole["mean"] == pytest.approx(values.mean(), abs=0.051)


def test_no_value_of_a_person_is_published(built):
    """ldl is kept to 10⁻⁶ and nobody shares a value: not one of them is in any table, at any rounding."""
    values = built.table["ldl"].dropna().to_numpy()
    for name in TABLES:
        table = built.owner.reference_table("adults", name, "ldl")
        for column in table.columns:
            if pa.types.is_floating(column.type):
                assert not np.isin(column.drop_null().to_numpy(), values).any(), name


def test_a_percentile_has_five_people_beyond_it(built):
    opened = ReferenceStore.open(built.root).get("adults")
    for row in opened.table("percentiles").to_pylist():
        if row["age_from"] is None:
            continue
        n = len(members(built, row["sex"], row["age_from"], row["age_to"])[row["variable"]].dropna())
        share = row["percentile"] / 100
        assert n * min(share, 1 - share) >= 5 - 1e-9


def test_few_people_are_withheld_and_cannot_be_worked_out(tmp_path):
    table = people(1_500)
    few = people(3, seed=5)
    few = few.set_column(3, "age", pa.array([85.0, 86.0, 87.0]))
    few = few.set_column(2, "sex", pa.array(["2"] * 3))
    few = few.set_column(0, "pid", pa.array(["Q1", "Q2", "Q3"]))
    root = make_root(tmp_path / "root", pa.concat_tables([table, few]))
    opened = build(root)
    row = group(opened, "sbp", "female", 80)
    assert row["withheld"] == "few_people"
    assert [row[k] for k in ("participants", "mean", "lower_limit", "effective_n")] == [None] * 4
    assert not [r for r in opened.table("percentiles").to_pylist() if r["age_from"] == 80]
    rows = opened.table("reference", "sbp").to_pylist()
    whole = next(r for r in rows if r["sex"] == "female" and r["age_from"] is None)
    frame = table.to_pandas()
    assert whole["mean"] == pytest.approx(frame[frame["sex"] == "2"]["sbp"].mean(), abs=0.0501)
    assert max(r["age"] for r in opened.table("curves", "sbp").to_pylist() if r["sex"] == "female") < 80


def test_limits_say_their_method(built):
    methods = {r["limit_method"] for r in built.owner.reference_table("adults").to_pylist()}
    assert methods == {"non-parametric"}
    few = build(built.root, "few", variables=("sbp",), age_bands="20,21,40")
    found = {r["limit_method"] for r in few.table("reference").to_pylist() if r["limit_method"]}
    assert any(method.startswith("robust") for method in found)
    withdraw_reference(open_root(built.root), "few", reason="a test")


def test_weights_move_the_mean(tmp_path):
    root = make_root(tmp_path / "root")
    plain = build(root, "plain", variables=("sbp",), by=("age",), age_bands="20,50")
    heavy = build(root, "heavy", variables=("ldl",), by=("age",), age_bands="20,50", weights="heft")
    frame = people().to_pandas().dropna(subset=["ldl"])
    old = frame[frame["age"] >= 50]
    row = next(r for r in heavy.table("reference").to_pylist() if r["age_from"] == 50)
    assert row["mean"] == pytest.approx(np.average(old["ldl"], weights=old["heft"]), abs=0.001)
    assert row["effective_n"] == pytest.approx(old["heft"].sum() ** 2 / (old["heft"] ** 2).sum(), abs=2.6)
    assert heavy.facts["weights"] == "heft"
    assert plain.facts["weights"] == ""


def test_only_the_healthy_count_and_it_is_said(tmp_path):
    root = make_root(tmp_path / "root")
    opened = build(root, variables=("sbp",), healthy="smoker = no and change > -1")
    frame = people().to_pandas()
    kept = frame[(frame["smoker"] == False) & (frame["change"] > -1)]  # noqa: E712  None is no no
    rows = opened.table("reference").to_pylist()
    total = sum(r["participants"] for r in rows if r["age_from"] is None)
    assert total == pytest.approx(len(kept), abs=5)
    assert opened.facts["counts"]["excluded_by_rule"] == pytest.approx(len(frame) - len(kept), abs=3)
    assert "smoker = no and change > -1" in opened.sheet("en")
    assert "smoker = no and change > -1" in opened.sheet("zh")


def test_the_first_visit_counts(tmp_path):
    root = make_root(tmp_path / "root", people(2_000, visits=2))
    rows = build(root, variables=("sbp",)).table("reference").to_pylist()
    assert max(r["mean"] for r in rows) < 160  # 999 at the second visit of everyone
    assert sum(r["participants"] for r in rows if r["age_from"] is None) == pytest.approx(2_000, abs=5)


def test_outliers_are_left_out_where_asked_and_told(tmp_path):
    table = people(2_000)
    sbp = table["sbp"].to_numpy().copy()
    sbp[:10] = 900.0
    root = make_root(
        tmp_path / "root", table.set_column(table.column_names.index("sbp"), "sbp", pa.array(sbp))
    )
    plain = build(root, "plain", variables=("sbp",))
    tukey = build(root, "tukey", variables=("sbp",), outliers="tukey")
    assert max(r["standard_deviation"] for r in tukey.table("reference").to_pylist()) < 20
    assert max(r["standard_deviation"] for r in plain.table("reference").to_pylist()) > 30
    assert tukey.variable("sbp")["outliers"] == 10
    assert "Tukey" in tukey.sheet("en")


def test_curves_where_they_can_be_and_why_not_elsewhere(built):
    known = ReferenceStore.open(built.root).get("adults").variables
    assert {fit["curve"] for fit in known["ldl"]["curves"].values()} == {"good"}
    assert {fit["curve"] for fit in known["humps"]["curves"].values()} == {"poor"}
    assert {fit["why"] for fit in known["change"]["curves"].values()} == {"values not above 0"}
    assert known["sbp"]["rounding"] == 1.0
    assert ReferenceStore.open(built.root).get("adults").facts["left_out"] == {"heft": "few_differ"}
    assert "visit" not in known


def test_partitions_are_tested(built):
    rows = built.owner.reference_table("adults", "partitions", "sbp").to_pylist()
    ages = [r for r in rows if r["compared_by"] == "age"]
    assert [r["group_a"] for r in ages][:2] == ["male 20–29", "male 30–39"]
    assert sum(r["compared_by"] == "sex" for r in rows) == 1
    assert all(r["difference_z"] < 0 for r in ages)  # pressure rises with age


def test_the_same_people_give_the_same_set(built, tmp_path):
    for name in TABLES:
        first = build(built.root, "again").table(name)
        assert first.equals(built.owner.reference_table("adults", name)), name
    withdraw_reference(open_root(built.root), "again", reason="a test")


def test_who_withdraws_makes_sets_stale_until_they_are_built_again(tmp_path):
    root = make_root(tmp_path / "root")
    build(root, "adults", variables=("sbp",))
    CohortStore.open(root).withdraw_participant("town", "P000007", reason="a test")
    opened = ReferenceStore.open(root).get("adults")
    assert opened.state == "stale"
    with Centre.open(root) as centre:
        view = centre.owner_view()
        for ask in (
            lambda: view.place("sbp", "male", 40, value=120, unit="mm[Hg]"),
            lambda: view.curves("sbp"),
            lambda: view.reference_table("adults"),
            lambda: view.reference_file("adults", "reference.csv"),
            lambda: opened.sheet("en"),
        ):
            with pytest.raises(RefusedError, match="withdrawn") as refused:
                ask()
            assert refused.value.reason == "stale"
        assert view.reference_sets()["set_state"].to_pylist() == ["stale"]
        build_reference(view, "adults", options_of(opened))
    again = ReferenceStore.open(root).get("adults")
    assert (again.entry.version, again.state) == (2, "current")
    assert not opened.folder.exists()
    with pytest.raises(NotFoundError):
        ReferenceStore.open(root).get("adults", 1)


def test_a_newer_version_of_the_cohort_makes_a_set_outdated(tmp_path):
    root = make_root(tmp_path / "root")
    build(root, variables=("sbp",))
    keep(root, people(seed=2))
    assert ReferenceStore.open(root).get("one").state == "outdated"
    with Centre.open(root) as centre:
        assert centre.owner_view().place("sbp", "male", 40, value=120, unit="mm[Hg]").state == "outdated"


@pytest.mark.parametrize("at", ["reference-staged", "reference-published", "reference-named"])
def test_a_build_that_is_killed_leaves_the_last_version_whole(tmp_path, at):
    root = make_root(tmp_path / "root", people(1_500))
    build(root, variables=("sbp",))
    words = [sys.executable, "-m", "nexome.main", "reference", "build", "one", "--cohort", "town"]
    words += ["--variables", "sbp", "--root", str(root)]
    done = subprocess.run(words, env={**os.environ, CRASH_VARIABLE: at}, check=False)
    assert done.returncode == -signal.SIGKILL
    opened = ReferenceStore.open(root).get("one")
    assert opened.entry.version == (2 if at == "reference-named" else 1)
    assert opened.table("reference").num_rows
    assert list(find_damage_in_reference(root)) == []
    assert build(root, variables=("sbp",)).entry.version == opened.entry.version + 1


def test_a_changed_byte_is_found(tmp_path):
    root = make_root(tmp_path / "root", people(1_500))
    path = build(root, variables=("sbp",)).folder / "reference.csv"
    path.write_bytes(path.read_bytes()[:-1] + b"9")
    assert [d.path for d in find_damage_in_reference(root)] == [path]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": ("region",)}, "groups by region"),
        ({"age_bands": "30,20"}, "bands of ages"),
        ({"age_bands": "18,18.5"}, "below one year"),
        ({"variables": ("smoker",)}, "of type boolean"),
        ({"healthy": "ldl"}, "an expression that is a number"),
        ({"weights": "smoker"}, "smoker is boolean"),
        ({"outliers": "all"}, "outliers 'all'"),
    ],
)
def test_choices_that_cannot_be_are_refused(built, options, said):
    with pytest.raises(InputError, match=said):
        build(built.root, "no", **options)


def test_more_groups_than_people_can_fill_are_refused(built):
    with pytest.raises(RefusedError) as refused:
        build(built.root, "no", variables=("sbp",), age_bands="1")
    assert refused.value.reason == "too_many_cells"
    assert "wider bands" in refused.value.todo


def test_an_absent_variable_or_cohort_is_named(built):
    with pytest.raises(NotFoundError, match="no variable 'hdl'"):
        build(built.root, "no", variables=("hdl",))
    with pytest.raises(NotFoundError, match="no cohort 'village'"):
        build_reference(built.owner, "no", BuildOptions("village"))
    with pytest.raises(InputError, match="name"):
        build_reference(built.owner, "../up", BuildOptions("town"))


def test_only_the_owner_builds(built):
    with pytest.raises(RefusedError) as refused:
        build_reference(built.open, "mine", BuildOptions("town"))
    assert refused.value.reason == "owner_only"


def test_a_data_sheet_says_who_is_in_it_and_who_is_not(built):
    opened = ReferenceStore.open(built.root).get("adults")
    english, chinese = opened.sheet("en"), opened.sheet("zh")
    for text in ("Town study", "People in care homes.", "## Who is not", "version 1", "CN", "fewer than 5"):
        assert text in english, text
    for text in ("小城队列", "未纳入哪些人", "第 1 版", "成人参考值", "低密度脂蛋白胆固醇", "不足 5 人"):
        assert text in chinese, text
    assert opened.receipt()["cohort"]["digest"] == opened.entry.cohort_digest
