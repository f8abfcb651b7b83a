"""What is meant, on pages: why it was found, kinds to choose from, the page of a term; in both languages."""

import re

import pytest

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search


@pytest.fixture(scope="module")
def meaning(tmp_path_factory, browser):
    made = make_small_centre(tmp_path_factory.mktemp("meaning") / "root", variants=300)
    make_small_search(made.path)
    with Centre.open(made.path) as centre:
        yield type(browser)(create_app(centre))


@pytest.mark.parametrize(
    ("language", "text", "label", "why"),
    [
        ("en", "心梗", "myocardial infarction", "similar in meaning"),
        ("zh", "adult-onset diabetes", "2型糖尿病", "同义词"),
        ("zh", "heart attack", "心肌梗死", "同义词"),
    ],
)
def test_a_search_says_why_in_the_readers_language(meaning, language, text, label, why):
    answer = meaning.get(f"/{language}/search", params={"q": text}, follow=True)
    assert answer.status_code == 200
    assert label in answer.text
    assert why in answer.text


def test_kinds_are_counted_and_chosen(meaning):
    whole = meaning.get("/en/search", params={"q": "height"}).text
    assert re.search(r'href="[^"]*kind=term[^"]*"', whole)
    only = meaning.get("/en/search", params={"q": "height", "kind": "term"}).text
    assert set(re.findall(r'<span class="tag">(\w+)</span>', whole)) > {"Term"}
    assert set(re.findall(r'<span class="tag">(\w+)</span>', only)) == {"Term"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_a_term_shows_names_and_neighbours(meaning, language):
    page = meaning.get(f"/{language}/terms/NXDEMO:7")
    assert page.status_code == 200
    for text in ("type 2 diabetes", "2型糖尿病", "adult-onset diabetes", f"/{language}/terms/NXDEMO%3A6"):
        assert text in page.text or text.replace("%3A", ":") in page.text
    assert meaning.get(f"/{language}/terms/NOPE:1").status_code == 404


def test_without_an_index_there_is_no_term_page_and_search_stands(browser):
    assert browser.get("/en/terms/NXDEMO:7").status_code == 404
    assert browser.get("/en/search", params={"q": "height"}, follow=True).status_code == 200
