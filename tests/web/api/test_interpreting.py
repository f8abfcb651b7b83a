"""The routes that interpret answer what the View answers, with what was assumed in `meta`."""

import math

import pytest

from nexome.access.signals import WARNINGS
from nexome.testing.small_centre import PRIVATE, PROTEINS

A, B = "SC0001", "SC0002"


@pytest.fixture(scope="module")
def region(centre):
    lead = centre.view_for(None).loci(A, limit=1).to_pylist()[0]
    at = lead["base_pair_location"]
    return f"{lead['chromosome']}:{max(1, at - 2_000_000)}-{at + 2_000_000}"


def _shown(values):
    return [None if isinstance(v, float) and math.isnan(v) else v for v in values]


def test_credible_sets_with_what_they_stand_on(ask, view, region):
    answer = ask(f"studies/{A}/credible-sets", region=region, coverage=0.99).json()
    (expected,) = view.open.credible_sets(A, where=region, coverage=0.99)
    table = expected.table()
    assert answer["data"]["posterior_probability"] == pytest.approx(
        table["posterior_probability"].to_pylist()
    )
    (told,) = answer["meta"]["credible_sets"]
    assert told["size"] == table.num_rows
    assert told["trait_sd_from"] == "unit"
    assert [w["code"] for w in told["warnings"]] == list(expected.warnings)
    assert all(w["message"] == WARNINGS[w["code"]] for w in told["warnings"])


def test_every_locus_of_a_study_has_its_set(ask, view):
    answer = ask(f"studies/{A}/credible-sets").json()
    assert len(answer["meta"]["credible_sets"]) == view.open.loci(A).num_rows
    assert max(answer["data"]["credible_set"]) == view.open.loci(A).num_rows


def test_coloc_of_a_region(ask, view, region):
    answer = ask("coloc", a=A, b=B, region=region, p12=1e-6).json()
    told = answer["meta"]
    assert sum(told["posterior"].values()) == pytest.approx(1)
    assert told["priors"] == {"p1": 1e-4, "p2": 1e-4, "p12": 1e-6}
    assert len(answer["data"]["rsid"]) == told["variants"]
    swapped = ask("coloc", a=B, b=A, region=region, p12=1e-6).json()["meta"]["posterior"]
    assert swapped["H1"] == pytest.approx(told["posterior"]["H2"])
    assert swapped["H4"] == pytest.approx(told["posterior"]["H4"])
    assert len(told["sensitivity"]["p12"]) == len(told["sensitivity"]["H4"])


def test_coloc_of_every_locus(ask, view):
    shown = ask("coloc/loci", a=A, b=B).json()["data"]
    expected = view.open.coloc_loci(A, B)
    for name in ("variants", "posterior_h3", "posterior_h4"):
        assert shown[name] == pytest.approx(_shown(expected[name].to_pylist()))


def test_compare(ask, view):
    answer = ask("compare", a=A, b=B).json()
    found = view.open.compare(A, B)
    assert answer["meta"]["features"]["shared"] == found.overlap.shared
    assert answer["meta"]["agreement"]["union"]["signs"]["same"] == found.agreements[0].signs.same
    assert answer["data"]["selected_in"] == found.table()["selected_in"].to_pylist()
    tsv = ask("compare", a=A, b=B, format="tsv").text
    assert tsv.count("\n") == found.table().num_rows + 1


@pytest.mark.parametrize(
    ("path", "query", "status", "told"),
    [
        ("compare", {"a": A, "b": A}, 400, "twice"),
        ("compare", {"a": A}, 400, "no b"),
        ("compare", {"a": A, "b": PROTEINS}, 400, "has 6 traits"),
        ("compare", {"a": A, "b": PROTEINS, "trait_b": "none"}, 404, "no trait"),
        ("compare", {"a": A, "b": PRIVATE}, 404, "no study"),
        ("coloc", {"a": A, "b": B}, 400, "no region"),
        ("coloc", {"a": A, "b": B, "region": "1:1-2"}, 404, "no number of"),
        ("coloc", {"a": A, "b": B, "region": "1:1-2000000", "p12": 3}, 400, "p12"),
        ("coloc", {"a": A, "b": B, "region": "1:1-240000000"}, 400, "bases"),
        (f"studies/{A}/credible-sets", {"coverage": 2}, 400, "coverage"),
        (f"studies/{A}/credible-sets", {"prior_sd": 0}, 400, "prior_sd"),
    ],
)
def test_what_cannot_be_asked_says_why(ask, path, query, status, told):
    answer = ask(path, **query)
    assert answer.status_code == status
    assert told in answer.json()["error"]["message"]
