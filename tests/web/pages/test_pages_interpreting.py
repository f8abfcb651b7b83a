"""The pages that interpret: whole without scripts, in every language, plain about what cannot be done."""

import re

import pytest

from nexome.testing.small_centre import GAPS, HOSTILE, MARKUP, PRIVATE, PROTEINS, QUIET
from nexome.web.pages.help import terms_of
from nexome.web.pages.language import languages
from nexome.web.pages.numbers import effect_text

CODES = sorted(languages())
A, B = "SC0001", "SC0002"
FIGURES = ("compare/figures/miami", "compare/figures/effects", "compare/figures/two_qq")
COLOC_FIGURES = ("coloc/figures/hypotheses", "coloc/figures/signals", "coloc/figures/sensitivity")


@pytest.fixture(scope="module")
def region(centre):
    """A region around the strongest locus of A."""
    lead = centre.view_for(None).loci(A, limit=1).to_pylist()[0]
    at = lead["base_pair_location"]
    return f"{lead['chromosome']}:{max(1, at - 4_000_000)}-{at + 4_000_000}"


def text_of(response):
    return response.text.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&")


def pages(region):
    return (
        "/compare",
        f"/compare?a={A}&b={B}",
        "/coloc",
        f"/coloc?a={A}&b={B}",
        f"/coloc?a={A}&b={B}&region={region}",
        f"/studies/{A}/credible-sets",
        f"/studies/{A}/credible-sets?region={region}&coverage=0.99",
        "/help",
    )


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("owner", [False, True])
def test_every_page_is_whole_without_scripts(browser, markup, region, code, owner):
    for path in pages(region):
        answer = browser.get(f"/{code}{path}", owner=owner)
        assert answer.status_code == 200, path
        page = markup(answer.text)
        assert len(page.all("h1")) == 1
        assert all("src" in attributes for attributes in page.all("script"))
        assert not page.all("style")
        assert not any("style" in a or any(n.startswith("on") for n in a) for _, a in page.elements)
        ids = [a["id"] for _, a in page.elements if "id" in a]
        assert len(ids) == len(set(ids)), path
        assert answer.headers["cache-control"] == ("no-store" if owner else "public, no-cache")


@pytest.mark.parametrize("code", CODES)
def test_every_figure_has_its_sentence_files_table_and_api(browser, markup, region, code):
    for path, count in ((f"/compare?a={A}&b={B}", 3), (f"/coloc?a={A}&b={B}&region={region}", 3),
                        (f"/studies/{A}/credible-sets?region={region}", 1)):  # fmt: skip
        page = markup(browser.get(f"/{code}{path}").text)
        figures = page.all("figure")
        assert len(figures) == count
        drawings = [a for a in page.all("svg") if a.get("class") == "figure-svg"]
        assert [a["aria-label"] for a in drawings] == [a["data-label"] for a in figures]
        links = {a.get("href", "") for a in page.all("a")}
        for figure in figures:
            stem = figure["data-figure"].split(".json")
            for ending in ("svg", "tsv"):
                assert f"{stem[0]}.{ending}{stem[1]}" in links
        assert any(link.startswith("/api/v1/") for link in links)


def test_every_file_of_a_figure_is_one(browser, region):
    query = f"a={A}&b={B}&region={region}"
    for stem in (*FIGURES, *COLOC_FIGURES):
        picture, data, table = (browser.get(f"/en/{stem}.{e}?{query}") for e in ("svg", "json", "tsv"))
        assert picture.headers["content-type"] == "image/svg+xml"
        assert picture.text.startswith("<svg")
        told = data.json()
        assert all(0 <= v <= 1.0001 for v in told["points"]["x"]), stem
        assert all(-0.0001 <= v <= 1.0001 for v in told["points"]["y"]), stem
        lengths = {len(told["points"][name]) for name in ("x", "y", "role", "name", "note")}
        assert len(lengths) == 1
        assert table.text.count("\n") > 1
    one = browser.get(f"/en/studies/{A}/credible-set.tsv?region={region}").text
    assert one.startswith("credible_set\tchromosome")
    for stem in ("compare/figures/none", "coloc/figures/none"):
        assert browser.get(f"/en/{stem}.svg?{query}").status_code == 404
    assert browser.get(f"/en/compare/figures/miami.pdf?{query}").status_code == 400


def test_the_page_tells_what_the_view_tells(browser, centre, region):
    view = centre.view_for(None)
    found = view.compare(A, B)
    page = text_of(browser.get(f"/en/compare?a={A}&b={B}"))
    signs = found.agreements[0].signs
    assert f"Of {signs.tested} leads in common, {signs.same} have effects of the same direction" in page
    coloc = text_of(browser.get(f"/en/coloc?a={A}&b={B}&region={region}"))
    for share in view.coloc(A, B, region).found.posterior.tolist():
        assert effect_text(share) in coloc
    (credible,) = view.credible_sets(A, where=region)
    shown = text_of(browser.get(f"/en/studies/{A}/credible-sets?region={region}"))
    assert credible.table()["rsid"][0].as_py() in shown or not credible.table()["rsid"][0].as_py()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"/compare?a={A}&b={A}", "the same trait of the same study twice"),
        (f"/compare?a={A}&b=NOT-THERE", "no study 'NOT-THERE'"),
        (f"/compare?a={A}&b={PROTEINS}", "has 6 traits"),
        (f"/coloc?a={A}&b={PRIVATE}&region=1:1-2000000", "no study"),
        (f"/coloc?a={A}&b={B}&region=nowhere", "nowhere"),
        (f"/coloc?a={A}&b={B}&region=1:1-2000000&p12=lots", "p12 'lots'"),
        (f"/coloc?a={A}&b={B}&region=1:1-2000000&p12=7", "p12 7"),
        (f"/coloc?a={A}&b={B}&region=1:1-2", "no number of"),
        (f"/studies/{A}/credible-sets?region=1:1-200000000", "a region of 200,000,000 bases"),
        (f"/studies/{QUIET}/credible-sets", "Give a region"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_form_still_there(browser, markup, path, told):
    answer = browser.get(f"/en{path}")
    assert answer.status_code == 200
    assert told in text_of(answer)
    assert markup(answer.text).all("form")
    assert "Traceback" not in answer.text


def test_a_private_study_is_as_unknown_as_none_and_opens_for_its_owner(browser):
    for path in ("/compare?a=SC0001&b={}", "/coloc?a=SC0001&b={}&region=1:1-2000000"):
        hidden, absent = (text_of(browser.get("/en" + path.format(n))) for n in (PRIVATE, "NOT-THERE"))
        assert hidden.replace(PRIVATE, "NOT-THERE") == absent
    for path in (f"/studies/{PRIVATE}/credible-sets", "/studies/NOT-THERE/credible-sets"):
        assert browser.get(f"/en{path}").status_code == 404
    opened = text_of(browser.get(f"/en/compare?a={A}&b={PRIVATE}", owner=True))
    assert "Of " in opened
    assert PRIVATE not in text_of(browser.get("/en/compare"))
    assert PRIVATE in text_of(browser.get("/en/compare", owner=True))


def test_a_study_of_several_traits_offers_them(browser, markup):
    page = markup(browser.get(f"/en/compare?a={PROTEINS}&b={A}").text)
    offered = [a["href"] for a in page.all("a") if re.search(r"a=SC-PROTEINS%2FP\d", a.get("href", ""))]
    assert len(offered) == 6
    assert "features" in text_of(browser.get(f"/en/compare?a={PROTEINS}/P0&b={A}")).lower()


@pytest.mark.parametrize("query", [{}, {"a": HOSTILE, "b": GAPS}, {"a": MARKUP, "b": MARKUP}])
def test_markup_in_texts_stays_text(browser, query):
    for path in ("/en/compare", "/zh/coloc"):
        html = browser.get(path, params=query).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html


@pytest.mark.parametrize("code", CODES)
def test_every_term_is_explained_once(browser, markup, code):
    t = languages()[code]
    page = markup(browser.get(f"/{code}/help").text)
    named = [a["id"] for a in page.all("div") if a.get("id") in terms_of(t)]
    assert named == list(terms_of(t))
    assert {key.split(".")[2] for key in t.texts if key.startswith("help.")} == {"name", "text"}
    asked = markup(browser.get(f"/{code}/compare?a={A}&b={B}").text)
    helped = [a["href"] for a in asked.all("a") if a.get("href", "").startswith(f"/{code}/help#")]
    assert {h.split("#")[1] for h in helped} <= set(terms_of(t))
    assert len(helped) >= 5


def test_the_page_of_a_study_leads_here(browser):
    page = text_of(browser.get(f"/en/studies/{A}"))
    assert f"/en/studies/{A}/credible-sets" in page
    assert f"/en/compare?a={A}" in page
