"""Cohorts over HTTP: what the View answers, how it was read, and nothing of a private one."""

import io

import pyarrow as pa
import pytest

from nexome.access.cohort_answers import COUNT_COLUMNS, HISTOGRAM_COLUMNS, MEAN_COLUMNS, PERCENTILE_COLUMNS
from nexome.web.api.encode import ARROW

ASKED = "sex = female and age between 40 and 60 and ldl > 2.6 mmol/L"


def test_the_list_and_the_sheet(ask):
    assert ask("cohorts").json()["data"]["cohort"] == ["town"]
    assert ask("cohorts", owner=True).json()["data"]["cohort"] == ["clinic", "town"]
    assert ask("cohorts/town").json()["data"]["title_zh"] == "城镇队列"
    assert ask("cohorts/town/variables", search="胆固醇").json()["data"]["variable"] == ["ldl"]
    assert ask("cohorts/search", q="LDL").json()["data"]["cohort"] == ["town"]
    grid = ask("cohorts/town/grid").json()["data"]
    assert dict(zip(grid["variable"], grid["bands"], strict=True))["sex"] == "1 | 2"


def test_a_count_says_how_it_was_read(ask, view):
    told = ask("cohorts/town/count", where=ASKED, by="sex").json()
    wanted = view.open.count("town", ASKED, ["sex"])
    assert tuple(told["data"]) == COUNT_COLUMNS
    assert told["data"]["participants"] == wanted.table()["participants"].to_pylist()
    meta = told["meta"]
    assert meta["filter"] == "age >= 40 a and age < 60 a and ldl >= 2.6 mmol/L and sex = '2'"
    assert (meta["reader"], meta["perturbed"], meta["first_visit"]) == ("grid", True, True)
    assert meta["on_the_grid"] == ["age >= 40 a and age < 60 a", "ldl >= 2.6 mmol/L"]


def test_the_owner_is_told_exactly(ask, view):
    told = ask("cohorts/town/count", owner=True, where=ASKED).json()
    assert told["meta"]["participants"] == view.owner.count("town", ASKED).count
    assert told["meta"]["reader"] == "owner"


@pytest.mark.parametrize(
    ("door", "columns"),
    [("means", MEAN_COLUMNS), ("percentiles", PERCENTILE_COLUMNS), ("histogram", HISTOGRAM_COLUMNS)],
)
def test_values(ask, door, columns):
    query = {"variable": "LDL cholesterol", "by": "sex"}
    told = ask(f"cohorts/town/{door}", owner=True, **query)
    assert tuple(told.json()["data"]) == columns
    assert set(told.json()["data"]["group_1"]) == {"1", "2"}
    arrow = ask(f"cohorts/town/{door}", owner=True, headers={"Accept": ARROW}, **query)
    assert pa.ipc.open_stream(io.BytesIO(arrow.content)).read_all().num_rows == told.json()["meta"]["rows"]
    text = ask(f"cohorts/town/{door}", owner=True, format="tsv", **query).text
    assert text.splitlines()[0].split("\t") == list(columns)


def test_percentiles_that_are_asked_for(ask):
    told = ask("cohorts/town/percentiles", owner=True, variable="ldl", percent="10,50", unit="mg/dL").json()
    assert told["data"]["percentile"] == [10, 50]
    assert told["meta"]["unit"] == "mg/dL"
    assert told["data"]["percentile_value"][1] == pytest.approx(3.3 * 38.67, rel=0.1)


def test_comparison_and_matrix(ask):
    told = ask("cohorts/compare", owner=True, variable="cholesterol_ldl", unit="mmol/L").json()["data"]
    assert told["cohort"] == ["clinic", "town"]
    assert set(ask("cohorts/matrix").json()["data"]["cohort"]) == {"town"}
    page = ask("cohorts/matrix", owner=True, page_size=2).json()
    assert len(page["data"]["cohort"]) == 2
    assert page["next"]


@pytest.mark.parametrize(
    "door", ["", "/variables", "/grid", "/count", "/means", "/percentiles", "/histogram"]
)
def test_a_private_cohort_is_as_unknown_as_none(ask, door):
    query = {"variable": "ldl"} if door in {"/means", "/percentiles", "/histogram"} else {}
    hidden, absent = (ask(f"cohorts/{name}{door}", **query) for name in ("clinic", "nowhere"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("clinic", "?") == absent.text.replace("nowhere", "?")


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ({"where": "agee > 4"}, 404, "age"),
        ({"where": "age > > 4"}, 400, "character 7"),
        ({"where": "age > 41"}, 403, "off_grid"),
        ({"by": "note"}, 400, "no bands"),
        ({"by": "sex,age,ldl,bmi"}, 400, "at most 3"),
        ({"min_cell": "-1"}, 400, "0 or more"),
        ({"project": "lipids"}, 403, "needs_project"),
    ],
)
def test_errors_say_what_to_do(ask, query, status, part):
    answer = ask("cohorts/town/count", **query)
    assert answer.status_code == status, answer.text
    assert part in answer.text


@pytest.mark.parametrize("percent", ["0", "100", "x"])
def test_percentiles_that_are_none(ask, percent):
    answer = ask("cohorts/town/percentiles", variable="ldl", percent=percent)
    assert answer.status_code == 400
    assert "percent" in answer.json()["error"]["where"]
