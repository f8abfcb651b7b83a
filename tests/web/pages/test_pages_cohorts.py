"""The pages of cohorts: what anyone may see, what the owner sees, and what is said where nothing can be."""

import re

import pytest
from tests.web.pages.conftest import OWNER, Browser, Markup
from tests.web.pages.test_pages_held import Figures, lacking

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.testing.harmonised_cohorts import HARBOUR, LAKESIDE, TARGET, make_harmonised_cohorts

CHOLESTEROL = "总胆固醇（mmol/L）"
PLACED = "/place?variable=cholesterol_ldl&sex=female&age=47&value=160&unit=mg/dL"
PAGES = (
    "/cohorts",
    f"/cohorts/{HARBOUR}",
    f"/cohorts/{TARGET}",
    f"/cohorts/{HARBOUR}/variables/{CHOLESTEROL}",
    f"/cohorts/{TARGET}/variables/smoking",
    f"/cohorts/{TARGET}/variables/glucose",
    f"/harmonisation/{TARGET}",
    "/cohort-builder",
    f"/cohort-builder?cohort={TARGET}&where=ldl >= 4.1 and sex = female&by=age",
    f"/cohort-builder?cohort={TARGET}&of=glucose&by=sex&by2=age",
    "/place",
    PLACED,
)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    with Centre.open(make_harmonised_cohorts(folder / "root", folder / "files"), owner_token=OWNER) as centre:
        yield Browser(create_app(centre))


@pytest.mark.parametrize("owner", [False, True])
@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_and_every_figure_is_whole(people, path, code, owner):
    answer = people.get(f"/{code}{path}", owner=owner)
    assert answer.status_code == 200
    if owner:  # its figures' files are asked for by everyone below
        return
    figures = Figures(answer.text).figures
    assert {f["id"]: lacking(f, people) for f in figures} == {f["id"]: [] for f in figures}


def test_the_same_quantity_stands_beside_itself_in_one_unit(people):
    text = people.get(f"/en/cohorts/{HARBOUR}/variables/{CHOLESTEROL}").text
    assert "Lakeside Cohort (simulated)" in text  # which reports mg/dL
    assert "All numbers in mmol/L." in text


def test_a_value_in_another_unit_is_placed_and_one_outside_the_ages_is_not(people):
    inside = people.get(f"/zh{PLACED}").text
    assert "4.138 mmol/L" in inside
    assert "高于 47 岁女性中" in inside
    outside = people.get(f"/zh{PLACED.replace('age=47', 'age=97')}").text
    assert "不作外推" in outside
    assert "高于" not in outside


@pytest.mark.parametrize(
    ("changed", "told"),
    [("unit=mg/dL", "unit=parsec"), ("value=160", "value=much"), ("sex=female", "sex=")],
)
def test_what_cannot_be_placed_is_said_in_its_card(people, changed, told):
    answer = people.get(f"/en{PLACED.replace(changed, told)}")
    assert answer.status_code == 200
    assert 'class="failed"' in answer.text


def test_counting_off_the_grid_offers_the_question_that_is_answered(people):
    page = people.get(f"/en/cohort-builder?cohort={TARGET}&where=ldl > 4.07").text
    assert "This would be answered:" in page
    links = [a["href"] for a in Markup(page).all("a") if a.get("href", "").startswith("/en/cohort-builder?")]
    coarser = next(href for href in links if "4.1" in href)
    assert " people" in people.get(coarser).text


def test_the_owner_counts_exactly_and_others_with_noise(people):
    where = f"/en/cohort-builder?cohort={TARGET}&where=sex = female"
    exact, noisy = people.get(where, owner=True).text, people.get(where).text
    assert "Exact numbers" in exact
    assert "truly" not in exact
    assert "truly" in noisy


def test_what_harmonising_did_is_told_to_the_owner_alone(people):
    owner = people.get(f"/en/harmonisation/{TARGET}", owner=True).text
    reader = people.get(f"/en/harmonisation/{TARGET}").text
    assert "Uric acid (umol/L); mg/dL → umol/L" in reader.replace("&gt;", ">")
    assert "Values read" in owner
    assert "Values read" not in reader
    assert "questions to the sources" not in reader


def test_a_description_that_cannot_be_read_is_said_in_its_card(people):
    answer = people.get(f"/zh/cohort-builder?cohort={TARGET}&where=weight >")
    assert answer.status_code == 200
    assert 'class="failed"' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/cohorts/nobody", f"/cohorts/{LAKESIDE}/variables/none", "/harmonisation/nobody",
     f"/harmonisation/{LAKESIDE}", "/cohort-builder?cohort=nobody&where=sex = 1",
     "/place/curves.svg?variable=none"],
)  # fmt: skip
@pytest.mark.parametrize("code", ["en", "zh"])
def test_what_is_not_there_is_said_to_be_missing(people, path, code):
    assert people.get(f"/{code}{path}").status_code == 404


def test_cohorts_are_chosen_by_facets_and_variables_found_by_words(people):
    def names(query):
        page = Markup(people.get(f"/en/cohorts?{query}").text)
        return {a["href"] for a in page.all("a") if a.get("href", "").startswith("/en/cohorts/")}

    assert f"/en/cohorts/{TARGET}" not in names("kind=source")
    assert names("kind=harmonised") == {f"/en/cohorts/{TARGET}"}
    assert f"/en/cohorts/{HARBOUR}" in names("measured=waist")
    assert f"/en/cohorts/{LAKESIDE}" not in names("measured=waist")
    assert names("country=Nowhere") == set()
    assert f"/en/cohorts/{TARGET}/variables/cholesterol_hdl" in names("q=HDL")


def test_a_variable_of_a_reference_set_has_its_curves_and_tables(people):
    page = people.get(f"/en/cohorts/{TARGET}/variables/glucose").text
    assert {"curves_female", "curves_male"} <= {f["id"] for f in Figures(page).figures}
    links = [
        a["href"] for a in Markup(page).all("a") if a.get("href", "").startswith("/api/v1/reference/adults/")
    ]
    assert len(links) == 3
    for link in links:
        assert people.get(link).text.startswith("variable")
    assert "curves_female" not in people.get(f"/en/cohorts/{HARBOUR}/variables/{CHOLESTEROL}").text


def test_a_quantity_is_called_as_the_reader_would_where_any_cohort_does(people):
    rows = {
        code: re.findall(r'<tr><th scope="row">([^<]*)</th>', people.get(f"/{code}/cohorts").text)
        for code in ("en", "zh")
    }
    assert "Height" in rows["en"]
    assert "身高" in rows["zh"]
    assert "吸烟" in rows["zh"]  # the first cohort that has it says Smoking
    assert not [name for name in rows["en"] if not name.isascii()]
