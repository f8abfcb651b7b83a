"""Pages of what is known: a term with its ties, the drawing around it, ways between two; both languages."""

import re
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from tests.web.pages.conftest import OWNER

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.store.disk import RootLock
from nexome.store.knowledge import NewSource, load_source
from nexome.store.root import open_root
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_knowledge import HIDDEN, make_small_knowledge


@pytest.fixture(scope="module")
def known(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("known")
    made = make_small_centre(folder / "root", variants=300)
    make_small_knowledge(made.path, folder, gene=made.gene)
    with Centre.open(made.path, owner_token=OWNER) as centre:
        yield type(browser)(create_app(centre)), made.gene


def drawing(html):
    return ET.fromstring(re.search(r'<svg class="network(?: wide)?" .*?</svg>', html, re.DOTALL)[0])


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("Seizure", "A sudden event.", "Fits", "everyday name", "is associated with", "is seen in")),
        ("zh", ("癫痫发作", "突发事件。", "Fits", "俗称", "关联基因", "见于")),
    ],
)
def test_a_term_is_told_whole(known, language, texts):
    pages, gene = known
    html = pages.get(f"/{language}/terms/HP:0001275").text
    for text in (*texts, gene, "a disease", "PMID:1", "0.70", "licence of ties", "HP:0000707", "HP:0001275"):
        assert text in html, text
    assert "Generalized &lt;seizure&gt; &amp; more" in html
    assert HIDDEN not in html


def test_the_definition_of_the_readers_language_comes_first(known):
    html = known[0].get("/zh/terms/HP:0001250").text
    assert html.index("突发事件。") < html.index("A sudden event.")


def test_a_term_that_the_index_does_not_have_is_shown_from_its_sources(known):
    answer = known[0].get("/en/terms/HP:0009999")
    assert answer.status_code == 200
    assert "This term is obsolete." in answer.text
    assert known[0].get("/en/terms/HP:7777777").status_code == 404


def opened(href):
    """Terms that a link of the drawing opens."""
    return parse_qs(urlsplit(href).query)["open"][0].split(",")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_drawing_has_a_link_for_each_thing_and_the_table_the_same(known, language):
    pages, gene = known
    html = pages.get(f"/{language}/terms/HP:0001250/graph").text
    links = [a.get("href") for a in drawing(html).iter("a")]
    assert links[0].endswith("/terms/HP:0001250")
    around = {opened(href)[-1] for href in links[1:]}
    assert {f"hgnc.symbol:{gene}", "OMIM:1", "HP:0000707", "HP:0002197"} <= around
    rows = set(re.findall(r'<th scope="row"><a href="/\w\w/terms/([^"]+)"', html))
    assert rows == around
    assert HIDDEN not in html


def test_a_mark_opens_and_folds_what_is_tied_to_it_and_the_address_keeps_it(known):
    html = known[0].get("/en/terms/HP:0002197/graph?limit=30&open=HP:0001250").text
    marks = list(drawing(html).iter("a"))[1:]
    folding = [mark for mark in marks if mark.find("circle") is not None]
    assert [mark.get("aria-label") for mark in folding] == ["Seizure (fold)"]
    assert folding[0].get("href").endswith("/graph?limit=30#drawing")
    others = [opened(mark.get("href")) for mark in marks if mark not in folding]
    assert ["HP:0001250", "OMIM:1"] in others
    assert all(one[0] == "HP:0001250" for one in others)
    assert "Fold all" in html
    assert "open=HP%3A0001250" in re.search(r'<a href="(/zh/[^"]*)"', html)[1]


def test_what_is_opened_but_not_there_is_passed_over(known):
    page = known[0].get("/en/terms/HP:0001250/graph?open=NO:1,,HP:0009999,%20")
    assert page.status_code == 200


def test_a_row_reads_in_its_own_direction(known):
    rows = known[0].get("/en/terms/HP:0001250/graph").text.split("<tbody>")[1].split("<tr>")
    assert "has the kind" in next(row for row in rows if "Abnormality of the nervous" in row)
    assert "is a kind of" in next(row for row in rows if "Generalized" in row)


def test_the_owner_sees_what_is_private(known):
    pages, _ = known
    assert HIDDEN in pages.get("/en/terms/HP:0001250", owner=True).text
    assert HIDDEN in pages.get("/en/terms/HP:0001250/graph", owner=True).text


def test_how_two_things_hang_together(known):
    pages, gene = known
    for start, end in ((gene.lower(), "HP:0002197"), (f"hgnc.symbol:{gene}", "HP:0002197")):
        html = pages.get("/en/paths", params={"start": start, "end": end}).text
        assert "is associated with" in html
        assert html.index("Seizure") < html.index("Generalized &lt;seizure&gt;")
    html = pages.get("/zh/paths", params={"start": "fits", "end": "OMIM:1"}).text
    assert "癫痫发作" in html
    assert pages.get("/en/paths").status_code == 200
    assert "nothing called" in pages.get("/en/paths", params={"start": "zzzz", "end": "OMIM:1"}).text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_a_gene_joins_what_is_known_of_it(known, language):
    pages, gene = known
    html = pages.get(f"/{language}/genes/{gene}").text
    assert ("癫痫发作" if language == "zh" else "Seizure") in html
    assert f"/{language}/terms/hgnc.symbol:{gene}" in html
    assert "licence of ties" in html


@pytest.mark.parametrize("limit", ["0", "301", "x"])
def test_only_sizes_that_are_offered_are_drawn(known, limit):
    assert known[0].get("/en/terms/HP:0001250/graph", params={"limit": limit}).status_code == 400


def test_a_root_without_knowledge_has_its_gene_pages_as_before(browser, small):
    assert "What is known of it" not in browser.get(f"/en/genes/{small.gene}").text
    assert browser.get("/en/terms/HP:0001250/graph").status_code == 404
    assert browser.get("/en/paths", params={"start": "a", "end": "b"}).status_code == 200


@pytest.mark.parametrize(
    ("language", "ties", "kinds"),
    [
        ("en", "What the same thing is tied to in other vocabularies", "1 kind"),
        ("zh", "其他词表中等同术语的相连对象", "下位 1 个"),
    ],
)
def test_a_term_counts_kinds_and_shows_what_its_equals_are_tied_to(equals, language, ties, kinds):
    html = equals.get(f"/{language}/terms/MONDO:2").text
    assert ties in html
    assert f'href="/{language}/terms/HGNC:9"' in html
    assert re.search(rf"MONDO:1 · {kinds}<", html)
    assert '<a href="https://example.org/licence" rel="external noreferrer">' in html
    own = equals.get(f"/{language}/terms/HP:2").text
    assert ties not in own
    assert f'href="/{language}/terms/HGNC:9"' in own


@pytest.fixture(scope="module")
def equals(tmp_path_factory, browser):
    """A disease without a tie of its own, and a phenotype that means the same and has one."""
    folder = tmp_path_factory.mktemp("equals")
    made = make_small_centre(folder / "root", variants=300)
    rows = (
        "subject\tsubject_label\tpredicate\tobject\tobject_label\n"
        "MONDO:2\tfits of a kind\tis_a\tMONDO:1\tfits\n"
        "MONDO:2\t\tskos:exactMatch\tHP:2\tSeizures\n"
        "HGNC:9\tFITS9\tbiolink:gene_associated_with_condition\tHP:2\t\n"
    )
    (folder / "ties.tsv").write_text(rows)
    with RootLock(made.path):
        new = NewSource("ties", [folder / "ties.tsv"], licence="https://example.org/licence")
        load_source(open_root(made.path), new)
    with Centre.open(made.path) as centre:
        yield type(browser)(create_app(centre))
