"""Routes of reference values: what the View answers, and nothing of a private or stale set."""

import contextlib

import pytest
from tests.access.reference.making import make_root, people

from nexome.access.centre import Centre
from nexome.access.reference.build import BuildOptions, build_reference
from nexome.store.cohorts import CohortStore


@contextlib.contextmanager
def serving(folder, client_of):
    root = make_root(folder / "root", people(3_000))
    with Centre.open(root) as centre:
        owner = centre.owner_view()
        build_reference(owner, "adults", BuildOptions("town", variables=("ldl", "sbp"), access="open"))
        build_reference(owner, "own", BuildOptions("town", variables=("sbp",)))
        yield client_of(centre), centre.view_for(None), root


@pytest.fixture(scope="module")
def served(tmp_path_factory, client_of):
    with serving(tmp_path_factory.mktemp("api-reference"), client_of) as made:
        yield made


@pytest.fixture
def left(tmp_path, client_of):
    """A root of its own, for somebody withdraws from it."""
    with serving(tmp_path, client_of) as made:
        yield made


def ask(served, path, **query):
    return served[0].request("GET", path, params=query or None)


def test_sets_and_their_tables_are_those_of_the_view(served):
    assert ask(served, "reference").json()["data"]["reference_set"] == ["adults"]
    told = ask(served, "reference/adults").json()
    record = told.get("data", told)
    assert set(record["variables"]) == {"ldl", "sbp"}
    assert "reference.parquet" in record["files"]
    for path, name in (
        ("groups", "reference"),
        ("percentiles", "percentiles"),
        ("lms", "curves"),
        ("partitions",) * 2,
    ):
        answer = ask(served, f"reference/adults/{path}", variable="sbp", page_size="10000").json()
        table = served[1].reference_table("adults", name, "sbp")
        assert answer["meta"]["total"] == table.num_rows
        assert answer["meta"]["set_state"] == "current"
        assert answer["data"]["variable"] == table["variable"].to_pylist()


def test_files_are_served_as_they_lie(served):
    answer = ask(served, "reference/adults/files/reference.csv")
    assert answer.content == served[1].reference_file("adults", "reference.csv").read_bytes()
    assert answer.headers["content-type"].startswith("text/csv")
    assert "adults.1.reference.csv" in answer.headers["content-disposition"]
    assert ask(served, "reference/adults/files/manifest.json").status_code == 404
    assert ask(served, "reference/adults/sheet", language="zh").status_code == 200


def test_a_private_set_is_as_unknown_as_none(served):
    hidden, absent = (ask(served, f"reference/{name}/groups") for name in ("own", "one"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("own", "") == absent.text.replace("one", "")


def test_placing_over_http(served):
    query = {"variable": "ldl", "sex": "female", "age": "52", "value": "3.5", "unit": "mmol/L"}
    answer = ask(served, "place", **query).json()
    found = answer.get("data", answer)
    assert found["percentile"] == served[1].place("ldl", "female", 52, value=3.5, unit="mmol/L").percentile
    for wrong in ({"unit": "kg"}, {"age": "3"}, {"sex": "x"}, {"variable": "hdl"}):
        assert ask(served, "place", **(query | wrong)).status_code in {400, 404}
    curves = ask(served, "reference-curves", variable="ldl", sex="female").json()
    assert curves["meta"]["total"] == served[1].curves("ldl", "female").num_rows


def test_a_stale_set_tells_nothing_over_http(left):
    CohortStore.open(left[2]).withdraw_participant("town", "P000001", reason="a test")
    assert ask(left, "reference").json()["data"]["set_state"] == ["stale"]
    paths = ["groups", "lms", "sheet", "files/reference.csv", "files/sheet.md"]
    for path in ["reference/adults", *(f"reference/adults/{p}" for p in paths)]:
        answer = ask(left, path)
        assert answer.status_code == 403, path
        assert answer.json()["error"]["reason"] == "stale"
