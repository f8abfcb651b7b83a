"""A posted text is read and shown with its concepts, or a list with theirs; nothing of it is kept."""

import csv
import io
import re
from html import unescape
from urllib.parse import urlencode

import pytest

from nexome.access.centre import Centre
from nexome.app import create_app
from nexome.search.passages import LONGEST_NOTE
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search
from nexome.web.api.meaning import TEXTS_MAX

NOTE = "Type 2 diabetes for years.\r\nShe denies heart attack. 母亲患贫血。"
BASES = ["NXDEMO"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_small_centre(tmp_path_factory.mktemp("reading") / "root", variants=300)
    make_small_search(made.path)
    return made


@pytest.fixture(scope="module")
def reading(made, browser_of):
    with Centre.open(made.path) as centre:
        yield browser_of(create_app(centre))


def post(browser, language="en", *, headers=None, **fields):
    body = urlencode(fields, doseq=True)
    sent = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    return browser.post(f"/{language}/read", content=body, headers=sent)


def marked(page):
    """Text, classes and number of every concept of the marked text."""
    found = re.findall(r'<a class="concept([^"]*)" href="([^"]*)">([^<]*)</a><sup>(\d+)</sup>', page.text)
    return [(text, classes.split(), href, int(number)) for classes, href, text, number in found]


def test_the_form_asks_for_a_text_and_offers_what_is_loaded(reading, markup):
    page = markup(reading.get("/en/read").text)
    ticks = [tick for tick in page.all("input") if tick.get("name") == "vocabulary"]
    assert {tick["value"]: "checked" in tick for tick in ticks} == {"NXDEMO": True, "NXALSO": False}
    assert page.all("textarea")[0]["id"] == "text"
    assert any(form.get("method") == "post" and form.get("action") == "/en/read" for form in page.all("form"))


@pytest.mark.parametrize(
    ("language", "denied", "family", "label"),
    [("en", "denied", "of a relative", "anaemia"), ("zh", "否认", "亲属", "贫血")],
)
def test_concepts_stand_where_they_are_and_words_say_what_is_denied(reading, language, denied, family, label):
    page = post(reading, language, text=NOTE, way="note", vocabulary=BASES)
    assert page.status_code == 200
    assert [(text, classes, number) for text, classes, _, number in marked(page)] == [
        ("Type 2 diabetes", [], 1),
        ("heart attack", ["denied"], 2),
        ("贫血", ["family"], 3),
    ]
    assert marked(page)[0][2] == f"/{language}/terms/NXDEMO:7"
    note = re.search(r'<p class="note">(.*?)</p>', page.text, re.DOTALL)[1]
    assert re.sub(r"\s+", " ", re.sub(r"<sup>\d+</sup>|<[^>]+>", "", note)) == (
        f"Type 2 diabetes for years. She denies heart attack{denied}. 母亲患贫血{family}。"
    )
    rows = re.findall(r'<tr><td class="number">(\d+)</td>.*?<td><a href="[^"]*">([^<]*)</a>', page.text)
    assert rows[2] == ("3", label)
    assert page.text.count(f">{denied}<") == 2  # in the text and in the table


def test_equal_places_share_a_row(reading):
    page = post(reading, text="Height. Weight. height.", way="note")
    assert [(text, number) for text, _, _, number in marked(page)] == [
        ("Height", 1),
        ("Weight", 2),
        ("height", 1),
    ]
    assert "× 2" in page.text


def test_a_list_is_given_its_concepts_and_says_where_it_is_not_sure(reading):
    page = post(reading, text="adult-onset diabetes\nqwertz\n\n身高\n", way="list", vocabulary=BASES)
    rows = re.findall(r'<tr><td class="number">\d+</td><th scope="row">([^<]*?)\s*</th>(.*?)</tr>', page.text)
    assert [text for text, _ in rows] == ["adult-onset diabetes", "qwertz", "", "身高"]
    assert "/en/terms/NXDEMO:7" in rows[0][1]
    assert "not sure enough" in rows[1][1]
    assert "/en/terms/NXDEMO:2" in rows[3][1]
    assert "2 of 4 have a concept" in page.text


@pytest.mark.parametrize("way", ["note", "list"])
def test_the_file_holds_what_the_page_shows(reading, way):
    text = NOTE if way == "note" else "height\nqwertz"
    answer = post(reading, text=text, way=way, vocabulary=BASES, file="tsv")
    assert answer.headers["content-type"] == "text/tab-separated-values; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="concepts.tsv"'
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter="\t"))
    if way == "list":
        assert [(row["text"], row["id"], row["abstained"]) for row in rows] == [
            ("height", "NXDEMO:2", "0"),
            ("qwertz", "", "1"),
        ]
        return
    assert [(row["text"], row["negated"], row["family"]) for row in rows] == [
        ("Type 2 diabetes", "0", "0"),
        ("heart attack", "1", "0"),
        ("贫血", "0", "1"),
    ]
    plain = NOTE.replace("\r\n", "\n")
    assert [plain[int(row["from_character"]) : int(row["to_character"])] for row in rows] == [
        row["text"] for row in rows
    ]


def test_a_chosen_vocabulary_alone_is_meant_and_an_unknown_one_is_told(reading):
    page = post(reading, text="heart infarct", way="note", vocabulary=["NXALSO"])
    assert [href for _, _, href, _ in marked(page)] == ["/en/terms/NXALSO:8"]
    wrong = post(reading, text="heart infarct", way="note", vocabulary=["NOPE"])
    assert "NOPE" in wrong.text
    assert not marked(wrong)


def test_what_is_too_long_is_cut_and_said(reading):
    long = "height " + "x" * LONGEST_NOTE
    assert f"first {LONGEST_NOTE:,} of {len(long):,} characters" in post(reading, text=long, way="note").text
    names = "\n".join(["height"] * (TEXTS_MAX + 1))
    page = post(reading, text=names, way="list", vocabulary=BASES)
    assert f"first {TEXTS_MAX:,} of {TEXTS_MAX + 1:,} names" in page.text
    assert page.text.count('<th scope="row">') == TEXTS_MAX
    assert post(reading, text="心" * 200_000, way="note").status_code == 413


def test_control_characters_and_other_scripts_are_read(reading):
    text = "height\x00\x07 \ufeffweight <b>&amp; рост قامة \U0001f9ec"
    page = post(reading, text=text, way="note", vocabulary=BASES)
    assert [found for found, *_ in marked(page)] == ["height", "weight"]
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", page.text)
    kept = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)[1]
    assert unescape(kept) == "height    weight <b>&amp; рост قامة \U0001f9ec"


@pytest.mark.parametrize("text", ["", " \n ", "\x00"])
def test_nothing_is_read_in_nothing(reading, text):
    page = post(reading, text=text, way="note", file="tsv")
    assert page.status_code == 200
    assert 'id="answer"' not in page.text


def test_a_way_that_is_none_is_told(reading):
    assert post(reading, text="height", way="aloud").status_code == 400


def test_a_form_of_another_site_is_refused_and_an_answer_is_never_stored(reading):
    foreign = post(reading, text="height", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    own = post(reading, text="height", headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 200
    assert own.headers["cache-control"] == "no-store"
    assert "etag" not in own.headers
    assert "form-action 'self'" in own.headers["content-security-policy"]


def test_nothing_of_the_text_is_kept(made, reading):
    word = "zugzwangitis"
    assert post(reading, text=f"height {word}", way="note").status_code == 200
    held = [path for path in made.path.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]
    assert held == []


def test_it_is_reached_from_home_and_search(reading):
    assert 'href="/en/read"' in reading.get("/en/").text
    assert 'href="/zh/read"' in reading.get("/zh/search").text
    assert 'href="/en/read"' in reading.get("/en/search", params={"q": "diabetes"}).text


def test_without_an_index_the_page_says_so_and_nothing_leads_there(browser):
    page = browser.get("/en/read")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    assert 'class="failed"' in page.text
    assert 'href="/en/read"' not in browser.get("/en/").text
