"""Where a value lies: against the people themselves, with units converted, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import special

from nexome.access.centre import Centre
from nexome.access.reference.build import BuildOptions, build_reference
from nexome.methods.reference.lms import value_at, z_of
from nexome.model.errors import NotFoundError, QueryError
from tests.access.reference.making import ldl_at, make_root, people


@pytest.mark.parametrize(("sex", "code"), [("male", 0), ("female", 1)])
@pytest.mark.parametrize("age", [30.0, 52.5, 70.0])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_value_is_placed_where_it_truly_lies(built, sex, code, age, share):
    at = ldl_at(age, code)
    value = float(value_at(special.ndtri(share), *at))
    found = built.open.place("ldl", sex, age, value=value, unit="mmol/L")
    assert found.method == "LMS"
    assert found.z == pytest.approx(float(z_of(value, *at)), abs=0.2)
    margin = max(found.percentile_high - found.percentile_low, 1.0)
    assert abs(found.percentile - 100 * share) < margin  # a 95 % interval is within ± half of its width
    assert found.percentile_low < found.percentile < found.percentile_high
    assert (found.reference, found.state, found.cohort) == ("adults", "current", "town")


def test_by_percentiles_where_no_curve_fits(built):
    frame = built.table
    mine = frame[(frame["sex"] == "1") & (frame["age"] >= 40) & (frame["age"] < 50)]
    for value in (3.9, 4.2, 9.1):
        found = built.open.place("humps", "男", 45, value=value, unit="mmol/L")
        assert (found.method, found.z) == ("percentiles", None)
        share = 100 * np.mean(mine["humps"] < value)
        assert found.percentile == pytest.approx(share, abs=1.5)
        assert found.percentile_low <= share <= found.percentile_high
    assert (found.age_from, found.age_to) == (40.0, 50.0)


def test_units_and_words_are_understood(built):
    one = built.open.place("ldl", "female", 50, value=3.5, unit="mmol/L")
    grams = built.open.place("LOINC:13457-7", "女", 50, value=3.5 * 38.665, unit="mg/dL")
    assert grams.value_in_set == pytest.approx(3.5, rel=2e-3)
    assert grams.percentile == pytest.approx(one.percentile, abs=0.5)
    assert built.open.place("收缩压", "F", 50, value=17.3, unit="kPa").variable == "sbp"
    assert built.open.place("change", "female", 50, value=0.0).unit == "1"


def test_beyond_what_may_be_shown(built):
    high = built.open.place("ldl", "male", 50, value=30.0, unit="mmol/L")
    low = built.open.place("ldl", "male", 50, value=0.3, unit="mmol/L")
    assert (high.beyond, low.beyond) == ("above", "below")
    assert high.percentile == pytest.approx(100 - 500 / high.participants, abs=0.1)
    assert high.percentile_low is high.percentile_high is None
    far = built.open.place("humps", "male", 45, value=99.0, unit="mmol/L")
    assert (far.beyond, far.percentile) == ("above", 98.0)


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"unit": "kg"}, "unit"),
        ({"unit": "furlongs"}, "unit"),
        ({"unit": ""}, "unit"),
        ({"sex": "x"}, "sex"),
        ({"sex": None}, "sex"),
        ({"age": 12.0}, "age"),
        ({"age": 80.5}, "age"),
        ({"age": None}, "age"),
        ({"age": float("nan")}, "age"),
        ({"value": float("inf")}, "value"),
    ],
)
def test_what_cannot_be_placed_is_refused(built, said, where):
    asked = {"sex": "male", "age": 50.0, "value": 3.0, "unit": "mmol/L"} | said
    sex, age = asked.pop("sex"), asked.pop("age")
    with pytest.raises(QueryError) as refused:
        built.open.place("ldl", sex, age, **asked)
    assert refused.value.where.startswith(where)
    assert refused.value.expected


def test_ages_end_where_twenty_people_stand(built):
    told = built.open.reference_set("adults").variable("ldl")["curves"]["male"]["ages"]
    assert built.open.place("ldl", "male", told[0], value=3.0, unit="mmol/L").percentile
    ages = built.table[built.table["sex"] == "1"].dropna(subset=["ldl"])["age"]
    assert (ages < told[0] + 1).sum() >= 20
    assert (ages >= told[1] - 1).sum() >= 20


def test_curves_are_percentiles_with_intervals(built):
    table = built.open.curves("ldl", "female", percentiles=(50,)).to_pandas()
    truth = ldl_at(table["age"].to_numpy(), 1)[1]
    assert np.mean((table["value_low"] <= truth) & (truth <= table["value_high"])) > 0.7
    assert np.abs(table["percentile_value"] / truth - 1).max() < 0.04
    assert built.open.curves("change").num_rows == 0
    with pytest.raises(QueryError):
        built.open.curves("ldl", percentiles=(100,))


def test_a_private_set_is_as_unknown_as_none(built):
    assert built.open.reference_sets()["reference_set"].to_pylist() == ["adults"]
    assert built.owner.reference_sets()["reference_set"].to_pylist() == ["adults", "own"]
    messages = []
    for name in ("own", "one"):
        with pytest.raises(NotFoundError) as refused:
            built.open.reference_set(name)
        messages.append(str(refused.value).replace(name, ""))
        with pytest.raises(NotFoundError):
            built.open.place("sbp", "male", 50, value=120, unit="mm[Hg]", reference=name)
    assert messages[0] == messages[1]


def test_an_unknown_variable_names_those_there_are(built):
    with pytest.raises(NotFoundError, match="ldl"):
        built.open.place("hdl", "male", 50, value=1.0, unit="mmol/L")
    with pytest.raises(QueryError, match="table"):
        built.open.reference_table("adults", "raw")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Sets of a cohort with ages in completed years: by age alone, by sex alone, of everyone together."""
    table = people(4_000, seed=3)
    whole = pa.array(np.floor(table["age"].to_numpy()))
    table = table.set_column(table.column_names.index("age"), "age", whole)
    root = make_root(tmp_path_factory.mktemp("shapes") / "root", table)
    with Centre.open(root) as centre:
        owner = centre.owner_view()
        for name, by in (("age", ("age",)), ("sex", ("sex",)), ("all", ()), ("both", ("sex", "age"))):
            build_reference(owner, name, BuildOptions("town", variables=("sbp",), by=by))
        yield owner, table.to_pandas()


def test_sets_without_sex_or_without_age(shapes):
    owner, frame = shapes
    for name, who, mine in (
        ("age", {"age": 45.0}, frame[(frame["age"] >= 40) & (frame["age"] < 50)]),
        ("sex", {"sex": "女"}, frame[frame["sex"] == "2"]),
        ("all", {}, frame),
    ):
        found = owner.place("sbp", value=125.0, unit="mm[Hg]", reference=name, **who)
        share = 100 * (np.mean(mine["sbp"] < 125) + np.mean(mine["sbp"] == 125) / 2)
        assert found.percentile == pytest.approx(share, abs=3.0), name
        assert (found.sex, found.age) == ({"sex": "female"}.get(name, ""), who.get("age"))


def test_a_whole_number_is_completed_years_where_the_source_has_such(shapes):
    owner, _ = shapes
    assert owner.reference_set("both").facts["completed_years"]
    asked = {"value": 125.0, "unit": "mm[Hg]", "reference": "both"}
    assert owner.place("sbp", "male", 45.0, **asked).z == owner.place("sbp", "male", 45.5, **asked).z


def test_a_larger_smallest_cell_withholds_more(tmp_path):
    root = make_root(tmp_path / "root", people(600))
    options = BuildOptions("town", variables=("sbp",), age_bands="20,22,30,80")
    withheld = {}
    for least in (5, 30):
        (root / "nexome.toml").write_text(f"disclosure_min_cell = {least}\n")
        with Centre.open(root) as centre:
            view = centre.owner_view()
            build_reference(view, "one", options)
            rows = view.reference_table("one").to_pylist()
            assert view.reference_set("one").facts["min_cell"] == least
        withheld[least] = [(r["sex"], r["age_from"]) for r in rows if r["withheld"]]
    assert withheld[5] == []
    assert {("male", 20.0), ("female", 20.0)} <= set(withheld[30])
